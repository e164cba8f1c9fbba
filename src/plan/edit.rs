//! Where two values differ, leaf by leaf.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    catalog::is_function,
    diagnostic::{Path, Trail},
};

/// One place that differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edit {
    /// The place, as `ProductionVariants/0/InstanceType`.
    pub(super) path: Path,
    /// What stands there; none where nothing does.
    pub(super) before: Option<Value>,
    /// What shall stand there.
    pub(super) after: Option<Value>,
}

/// Every place at which `after` differs from `before`. Functions are compared as they are written. Lists are compared
/// by index; of lists that differ in length, what is equal at both ends is left out first.
pub(super) fn edits(before: &Value, after: &Value) -> Vec<Edit> {
    let mut found = Vec::new();
    compare(&Trail::Top, Some(before), Some(after), &mut found);
    found
}

fn compare(path: &Trail<'_>, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Edit>) {
    let (before, after) = (before.filter(is_value), after.filter(is_value));
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Array(before)), Some(Value::Array(after))) => compare_lists(path, before, after, found),
        _ => match (map_of(before), map_of(after)) {
            (Some(before), Some(after)) => compare_maps(path, before, after, found),
            (Some(map), None) if after.is_none() && !map.is_empty() => compare_maps(path, map, &Map::new(), found),
            (None, Some(map)) if before.is_none() && !map.is_empty() => compare_maps(path, &Map::new(), map, found),
            _ => found.push(Edit { path: path.path(), before: before.cloned(), after: after.cloned() }),
        },
    }
}

fn compare_maps(path: &Trail<'_>, before: &Map<String, Value>, after: &Map<String, Value>, found: &mut Vec<Edit>) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        compare(&path.at(name), before.get(name), after.get(name), found);
    }
}

fn compare_lists(path: &Trail<'_>, before: &[Value], after: &[Value], found: &mut Vec<Edit>) {
    let (mut from, mut end) = (0, 0);
    if before.len() != after.len() {
        let short = before.len().min(after.len());
        from = before.iter().zip(after).take_while(|(one, other)| one == other).count();
        let same_end = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
        end = same_end.min(short - from);
    }
    let (before, after) = (&before[..before.len() - end], &after[..after.len() - end]);
    for at in from..before.len().max(after.len()) {
        compare(&path.item(at), before.get(at), after.get(at), found);
    }
}

/// A map that is not a function.
fn map_of(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.filter(|value| !is_function(value))?.as_object()
}

fn is_value(value: &&Value) -> bool {
    !value.is_null() && value.get("Ref").and_then(Value::as_str) != Some("AWS::NoValue")
}
