//! What a resource type does when CloudFormation's handler is called for it. A type that behaves is one `impl`, a file
//! of its own and a line in [`of`]; any other is [`GenericHandler`](generic::GenericHandler), made from its schema.

use std::time::Duration;

use serde_json::Value;

use super::{
    CreatedResource, Handled, HandlerSite, alarm, component, endpoint, endpoint_config, generic, iam, model, scaling,
};
use crate::sandbox::stack::Record;

/// One resource type's handlers. The defaults are what most types do.
pub(crate) trait ResourceHandler: Sync {
    /// Makes a resource of the type `kind`.
    ///
    /// # Errors
    /// What the service says.
    fn create(&self, site: &mut HandlerSite<'_>, kind: &str, properties: &Value) -> Handled<CreatedResource>;

    /// Changes a resource in place; `properties` are the wanted ones. Returns how long it takes.
    ///
    /// # Errors
    /// What the service says.
    fn update(&self, site: &mut HandlerSite<'_>, _record: &Record, _properties: &Value) -> Handled<Duration> {
        Ok(site.seconds("update", 2, 8))
    }

    /// Checks whether what was made or changed is stable.
    ///
    /// # Errors
    /// Why it has not.
    fn settle(&self, _site: &mut HandlerSite<'_>, _record: &Record) -> Handled<()> {
        Ok(())
    }

    /// Begins to delete; returns how long it takes.
    ///
    /// # Errors
    /// Why it cannot be deleted.
    fn begin_delete(&self, site: &mut HandlerSite<'_>, _record: &Record) -> Handled<Duration> {
        Ok(site.seconds("delete", 1, 5))
    }

    /// Ends what depends on the resource.
    fn end(&self, _site: &mut HandlerSite<'_>, _record: &Record) {}
}

/// The handlers of a type.
pub(crate) fn of(kind: &str) -> &'static dyn ResourceHandler {
    match kind {
        model::TYPE => &model::ModelHandler,
        endpoint_config::TYPE => &endpoint_config::EndpointConfigHandler,
        endpoint::TYPE => &endpoint::EndpointHandler,
        component::TYPE => &component::ComponentHandler,
        iam::ROLE => &iam::RoleHandler,
        iam::POLICY => &iam::PolicyHandler,
        iam::ROLE_POLICY => &iam::RolePolicyHandler,
        iam::USER_POLICY | iam::GROUP_POLICY => &iam::InlinePolicyHandler,
        iam::MANAGED_POLICY => &iam::ManagedPolicyHandler,
        alarm::TYPE => &alarm::AlarmHandler,
        scaling::TARGET => &scaling::ScalableTargetHandler,
        scaling::POLICY => &scaling::ScalingPolicyHandler,
        _ => &generic::GenericHandler,
    }
}
