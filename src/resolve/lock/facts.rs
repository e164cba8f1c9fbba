//! What a lock may contain about a model: as in the catalogue, no count is 0, and texts are plain.

use super::LockedModel;
use crate::catalog::{is_commit, is_plain};

/// The first field that hubform does not write so, and why.
pub(super) fn odd(model: &LockedModel) -> Option<(&'static str, String)> {
    let commit = model.commit.as_deref().filter(|commit| !is_commit(commit));
    let commit = commit.map(|commit| ("commit", format!("`{commit}` is not a commit")));
    commit.or_else(|| odd_text(model)).or_else(|| nothing(model))
}

fn odd_text(model: &LockedModel) -> Option<(&'static str, String)> {
    let texts =
        [("task", Some(model.task.as_str())), ("dtype", model.dtype.as_deref()), ("license", model.license.as_deref())];
    let (field, _) = texts.into_iter().find(|(_, text)| text.is_some_and(|text| !is_plain(text)))?;
    Some((field, format!("this is not a valid {field} of a model")))
}

fn nothing(model: &LockedModel) -> Option<(&'static str, String)> {
    let counts = [
        ("parameters", model.parameters),
        ("weightBytes", model.weight_bytes),
        ("heads", model.heads.map(u64::from)),
        ("kvHeads", model.kv_heads.map(u64::from)),
        ("kvBytesPerToken", model.kv_bytes_per_token),
        ("maxPositions", model.max_positions),
    ];
    let (field, _) = counts.into_iter().find(|(_, count)| *count == Some(0))?;
    Some((field, format!("`{field}` cannot be 0")))
}
