//! What a resource type does when CloudFormation's handler is called for it. A type that behaves is one `impl`, a file
//! of its own and a line in [`of`]; every other one is [`Generic`](super::generic::Generic), made from its schema.

use std::time::Duration;

use serde_json::Value;

use super::{Handled, Made, Site, alarm, component, endpoint, endpoint_config, generic, iam, model, scaling};
use crate::sandbox::stack::Record;

/// One resource type's handlers. What is not said is what most types do.
pub(crate) trait Handler: Sync {
    /// Makes a resource of the type `kind`.
    ///
    /// # Errors
    /// What the service says.
    fn create(&self, site: &mut Site<'_>, kind: &str, properties: &Value) -> Handled<Made>;

    /// Changes a resource in place; `properties` are the wanted ones. Answers how long it takes.
    ///
    /// # Errors
    /// What the service says.
    fn update(&self, site: &mut Site<'_>, _record: &Record, _properties: &Value) -> Handled<Duration> {
        Ok(site.seconds("update", 2, 8))
    }

    /// Finds out whether what was made or changed has become well.
    ///
    /// # Errors
    /// Why it has not.
    fn settle(&self, _site: &mut Site<'_>, _record: &Record) -> Handled<()> {
        Ok(())
    }

    /// Begins to delete; answers how long it takes.
    ///
    /// # Errors
    /// Why it cannot be deleted.
    fn begin_delete(&self, site: &mut Site<'_>, _record: &Record) -> Handled<Duration> {
        Ok(site.seconds("delete", 1, 5))
    }

    /// It goes: what goes with it.
    fn end(&self, _site: &mut Site<'_>, _record: &Record) {}
}

/// The handlers of a type.
pub(crate) fn of(kind: &str) -> &'static dyn Handler {
    match kind {
        model::TYPE => &model::Model,
        endpoint_config::TYPE => &endpoint_config::EndpointConfig,
        endpoint::TYPE => &endpoint::Endpoint,
        component::TYPE => &component::Component,
        iam::ROLE => &iam::Role,
        iam::POLICY => &iam::Policy,
        iam::ROLE_POLICY => &iam::RolePolicy,
        iam::USER_POLICY | iam::GROUP_POLICY => &iam::OtherInlinePolicy,
        iam::MANAGED_POLICY => &iam::ManagedPolicy,
        alarm::TYPE => &alarm::Alarm,
        scaling::TARGET => &scaling::Target,
        scaling::POLICY => &scaling::Policy,
        _ => &generic::Generic,
    }
}
