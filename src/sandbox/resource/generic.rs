//! Types that have nothing special about them.

use serde_json::Value;

use super::{Failure, Handled, Handler, Made, Site, alarm, naming};
use crate::sandbox::catalog_of;

/// Whatever the registry knows.
pub(super) struct Generic;

impl Handler for Generic {
    /// Makes a resource whose identity follows from its schema.
    fn create(&self, site: &mut Site<'_>, kind: &str, properties: &Value) -> Handled<Made> {
        let Some(known) = catalog_of(kind) else { return Err(Failure::plain(format!("{kind} is not a known type"))) };
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
        Ok(Made { reference: physical_id.clone(), physical_id, attributes, settles_in: site.seconds("create", 2, 20) })
    }
}
