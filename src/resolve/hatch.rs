//! The escape hatch is copied as written, with its places.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Hatch, view::Verbatim};
use crate::{diagnostic::Path, manifest::Document};

/// `overrides`, `resources` and `outputs` of a manifest.
pub(super) fn resolve(
    document: &Document,
    overrides: &BTreeMap<String, Value>,
    resources: &BTreeMap<String, Value>,
    outputs: &BTreeMap<String, Value>,
) -> Hatch {
    let sections = [("overrides", overrides), ("resources", resources), ("outputs", outputs)];
    let key = |place: Path| (place.clone(), document.origin.key_span(Path::from("spec").join(&place)));
    let whole = sections.into_iter().flat_map(|(section, map)| map.keys().map(move |id| Path::from(section).at(id)));
    let mut parts = Vec::new();
    overrides.iter().for_each(|(id, patch)| below(patch, &Path::from("overrides").at(id), &mut parts));
    let value = |place: Path| (place.clone(), document.origin.span(Path::from("spec").join(&place)));
    let spans = whole.map(key).chain(parts.into_iter().map(value)).collect();
    let verbatim = |map: &BTreeMap<String, Value>| -> BTreeMap<String, Verbatim> {
        map.iter().map(|(id, value)| (id.clone(), Verbatim(value.clone()))).collect()
    };
    Hatch { overrides: verbatim(overrides), resources: verbatim(resources), outputs: verbatim(outputs), spans }
}

/// The places of what a patch sets: its leaves, or the operations of a list.
fn below(patch: &Value, place: &Path, into: &mut Vec<Path>) {
    match patch {
        Value::Array(operations) => into.extend((0..operations.len()).map(|at| place.item(at))),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| match value {
            Value::Object(_) => below(value, &place.at(key), into),
            _ => into.push(place.at(key)),
        }),
        _ => {}
    }
}
