//! What a way back puts back, by name, for those who are told that it may happen or that it has.

use serde_json::Value;

use super::super::{
    ChangeKind,
    diff::{ChangeCause, PropertyDiff, ResourceDiff},
};
use crate::diagnostic::{listed, secret::is_secret_name, shown};

/// Longer values are not told.
const LONGEST: usize = 40;
/// So many properties of a resource are told, and of the others the number.
const MOST: usize = 3;

/// As `EndpointConfig (InstanceType from "a" to "b"), ScalableTarget and TrackingPolicy`. What changes only because
/// something else does is not told.
pub(super) fn told(diffs: &[ResourceDiff]) -> String {
    let removed = |diff: &&ResourceDiff| diff.kind == ChangeKind::Remove;
    let gone: Vec<String> = diffs.iter().filter(removed).map(|diff| diff.logical_id.clone()).collect();
    let back: Vec<String> = diffs.iter().filter(|diff| !removed(diff)).filter_map(resource).collect();
    let gone = (!gone.is_empty()).then(|| format!("without {}", listed(gone, "and")));
    let back = (!back.is_empty()).then(|| listed(back, "and"));
    back.into_iter().chain(gone).collect::<Vec<_>>().join(", ")
}

fn resource(diff: &ResourceDiff) -> Option<String> {
    let id = &diff.logical_id;
    if diff.kind == ChangeKind::Add {
        return Some(id.clone());
    }
    let own = |property: &&PropertyDiff| !matches!(property.cause, ChangeCause::Resource(_));
    let mut texts: Vec<String> = diff.properties.iter().filter(own).map(property).collect();
    let more = texts.len().saturating_sub(MOST);
    texts.truncate(MOST);
    texts.extend((more > 0).then(|| format!("{more} more")));
    (!texts.is_empty()).then(|| format!("{id} ({})", listed(texts, "and")))
}

fn property(property: &PropertyDiff) -> String {
    let path = &property.edit.path;
    let secret = path.name().is_some_and(is_secret_name);
    match (text(property.edit.before.as_ref()), text(property.edit.after.as_ref())) {
        (Some(before), Some(after)) if !secret => format!("{path} from {before} to {after}"),
        _ => path.to_string(),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    let text = value.filter(|value| !value.is_object() && !value.is_array())?.to_string();
    (text.chars().count() <= LONGEST).then(|| shown(&text).to_string())
}
