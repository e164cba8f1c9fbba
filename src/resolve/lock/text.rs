//! The file's text: one line for each choice and each model, so that a change is a line in a diff.

use serde_json::json;

use super::Lock;
use crate::manifest::emit;

const HEAD: &str = "# Whose these environments are, and the choices that hubform made and keeps. Commit this file.\n\
    # A choice is made again only when what it was made from changes, or by `hubform lock --upgrade [NAME]`.\n";

const UNCLAIMED: &str = "# What is `unclaimed` comes from a lock of format 1, for environments that are not here yet; delete it when all are.\n";

/// The first line that git wrote where it could not merge: where it begins and ends.
pub(super) fn conflict(text: &str) -> Option<(usize, usize)> {
    let is_marker = |line: &str| ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|marker| line.starts_with(marker));
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = line.trim_end();
        if is_marker(line) || end == "=======" {
            return Some((at, at + end.len()));
        }
        at += line.len();
    }
    None
}

pub(super) fn write(lock: &Lock) -> String {
    let mut tree = json!({ "format": lock.format, "environments": lock.environments, "models": lock.models });
    let environments = tree["environments"].as_object_mut().into_iter().flat_map(|map| map.values_mut());
    for environment in environments.filter_map(|environment| environment.as_object_mut()) {
        environment.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    }
    if !lock.unclaimed.is_empty() {
        tree["unclaimed"] = json!(lock.unclaimed);
    }
    let note = if lock.unclaimed.is_empty() { "" } else { UNCLAIMED };
    format!("{HEAD}{note}{}", emit::with_lines(&tree, &rank, &is_line))
}

/// Which keys of a map come first, by its depth.
fn rank(depth: usize, key: &str) -> usize {
    let first: &[&str] = match depth {
        0 => &["format", "environments", "unclaimed", "models"],
        2 => &["owner", "commit", "task"],
        4 | 6 => &["value", "from"],
        _ => &[],
    };
    first.iter().position(|known| *known == key).unwrap_or(first.len())
}

/// Pins and models.
fn is_line(keys: &[&str]) -> bool {
    matches!((keys[0], keys.len()), ("environments", 6) | ("unclaimed", 4) | ("models", 2))
}
