//! Types without behaviour of their own.

use serde_json::Value;

use super::{CreatedResource, Handled, HandlerFailure, HandlerSite, ResourceHandler, alarm, naming};
use crate::sandbox::catalog_of;

/// Any type of the registry.
pub(super) struct GenericHandler;

impl ResourceHandler for GenericHandler {
    /// Makes a resource whose identity follows from its schema.
    fn create(&self, site: &mut HandlerSite<'_>, kind: &str, properties: &Value) -> Handled<CreatedResource> {
        let Some(known) = catalog_of(kind) else {
            return Err(HandlerFailure::plain(format!("{kind} is not a known type")));
        };
        let name = naming::name(site, kind, properties);
        let arn = naming::arn(site, kind, &name);
        let mut attributes = naming::attributes(site, kind, properties, &name, &arn);
        let identifier = known.primary_identifier();
        let part = |property: &str| match attributes.get(property) {
            Some(value) => value.clone(),
            None => naming::value(site, known, properties, &name, &arn, property),
        };
        let parts: Vec<String> = identifier
            .iter()
            .map(|path| path.segments().collect::<Vec<_>>().join("."))
            .map(|path| match part(&path) {
                Value::String(text) => text,
                other => other.to_string(),
            })
            .collect();
        let physical_id = if parts.is_empty() { name.clone() } else { parts.join("|") };
        let kept = if kind == alarm::TYPE { properties.clone() } else { Value::Null };
        site.put(kind, &physical_id, &name, arn, kept)?;
        attributes.retain(|_, value| !value.is_null());
        Ok(CreatedResource {
            reference: physical_id.clone(),
            physical_id,
            attributes,
            settles_in: site.seconds("create", 2, 20),
        })
    }
}
