//! The escape hatch is taken over as it was written, with its places.

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
    let spans = sections
        .into_iter()
        .flat_map(|(section, map)| map.keys().map(move |id| Path::from(section).at(id)))
        .map(|place| {
            let span = document.origin.key_span(Path::from("spec").join(&place));
            (place, span)
        })
        .collect();
    let verbatim = |map: &BTreeMap<String, Value>| -> BTreeMap<String, Verbatim> {
        map.iter().map(|(id, value)| (id.clone(), Verbatim(value.clone()))).collect()
    };
    Hatch { overrides: verbatim(overrides), resources: verbatim(resources), outputs: verbatim(outputs), spans }
}
