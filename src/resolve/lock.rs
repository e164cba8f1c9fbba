//! `hubform.lock`: the choices hubform made, kept until what they follow from changes.
//!
//! A choice is a value and the inputs it followed from, in words. The same inputs give the same value for ever,
//! whatever newer catalogues would choose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The format of lock files; others are refused by name.
pub const LOCK_FORMAT: u32 = 1;

const HEAD: &str = "# Choices that hubform made, and keeps. Commit this file.\n\
    # One is made again only when what it follows from changes, or by `hubform lock --upgrade [NAME]`.\n";

/// Everything pinned for one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// See [`LOCK_FORMAT`].
    pub format: u32,
    /// By Hub id.
    #[serde(default)]
    pub models: BTreeMap<String, LockedModel>,
    /// By `Kind/name@target`, then by what was chosen.
    #[serde(default)]
    pub choices: BTreeMap<String, BTreeMap<String, Pinned>>,
}

/// What is known of a model when it is first used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockedModel {
    /// The commit, where the Hub was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The Hub's name of the task.
    pub task: String,
    /// Parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Type of the weights, as `bfloat16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// Size of the weights in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_bytes: Option<u64>,
    /// Attention heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<u32>,
    /// Heads of keys and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_heads: Option<u32>,
    /// Bytes of cache per token at 16 bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_bytes_per_token: Option<u64>,
    /// The longest context it was made for, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_positions: Option<u64>,
    /// The licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// A choice and what it followed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The choice.
    pub value: String,
    /// The inputs, in words; the choice is made again when they differ.
    pub follows: String,
}

/// A lock file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Not what hubform writes.
    #[error("it is not a lock file of hubform: {0}")]
    Unreadable(String),
    /// Written by another release.
    #[error("it has format {found}, and this hubform reads format {LOCK_FORMAT}")]
    Format {
        /// The format it says.
        found: u64,
    },
}

impl Default for Lock {
    fn default() -> Self {
        Self { format: LOCK_FORMAT, models: BTreeMap::new(), choices: BTreeMap::new() }
    }
}

impl Lock {
    /// Reads a lock file.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let tree: serde_yaml::Value =
            serde_yaml::from_str(text).map_err(|error| LockError::Unreadable(error.to_string()))?;
        match tree.get("format").and_then(serde_yaml::Value::as_u64) {
            Some(found) if found != u64::from(LOCK_FORMAT) => Err(LockError::Format { found }),
            _ => serde_yaml::from_value(tree).map_err(|error| LockError::Unreadable(error.to_string())),
        }
    }

    /// The file's text: the same lock gives the same bytes.
    pub fn text(&self) -> String {
        let body = serde_yaml::to_string(self).unwrap_or_default();
        format!("{HEAD}{body}")
    }

    /// This lock with what `over` pins besides, or from other inputs; what both pin from the same inputs stays.
    pub fn overlaid(mut self, over: Lock) -> Self {
        for (id, model) in over.models {
            self.models.entry(id).or_insert(model);
        }
        for (manifest, choices) in over.choices {
            let own = self.choices.entry(manifest).or_default();
            for (what, pinned) in choices {
                if own.get(&what).is_none_or(|old| old.follows != pinned.follows) {
                    own.insert(what, pinned);
                }
            }
        }
        self
    }

    /// Both locks; where they differ, the other's word.
    pub fn united(mut self, other: Lock) -> Self {
        self.models.extend(other.models);
        for (manifest, choices) in other.choices {
            self.choices.entry(manifest).or_default().extend(choices);
        }
        self
    }

    /// What this lock pins that `base` does not, or otherwise.
    pub fn beyond(&self, base: &Lock) -> Lock {
        let mut beyond = Lock::default();
        let models = self.models.iter().filter(|(id, model)| base.models.get(*id) != Some(model));
        beyond.models = models.map(|(id, model)| (id.clone(), model.clone())).collect();
        for (manifest, choices) in &self.choices {
            let old = base.choices.get(manifest);
            let new = choices.iter().filter(|(what, pinned)| old.and_then(|old| old.get(*what)) != Some(pinned));
            let new: BTreeMap<_, _> = new.map(|(what, pinned)| (what.clone(), pinned.clone())).collect();
            if !new.is_empty() {
                beyond.choices.insert(manifest.clone(), new);
            }
        }
        beyond
    }

    /// Forgets what was chosen for a manifest and returns whether there was anything; all of them without a name.
    pub fn forget(&mut self, name: Option<&str>) -> bool {
        let before = self.choices.len();
        self.choices.retain(|key, _| name.is_some_and(|name| !is_of(key, name)));
        if name.is_none() {
            self.models.clear();
        }
        before != self.choices.len()
    }
}

/// `Endpoint/chat@default` is of `chat`, of `Endpoint/chat` and of itself.
fn is_of(key: &str, name: &str) -> bool {
    let manifest = key.split('@').next().unwrap_or(key);
    key == name || manifest == name || manifest.split_once('/').is_some_and(|(_, own)| own == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_comes_back_as_it_was_and_other_formats_are_named() {
        let mut lock = Lock::default();
        let pinned = Pinned { value: "ml.c5.large".into(), follows: "no: yes".into() };
        lock.choices.entry("Endpoint/a@default".into()).or_default().insert("instance".into(), pinned);
        assert_eq!(Lock::parse(&lock.text()), Ok(lock.clone()));
        assert_eq!(Lock::parse("format: 7\n"), Err(LockError::Format { found: 7 }));
        assert!(matches!(Lock::parse("a: b"), Err(LockError::Unreadable(_))));
        assert!(lock.forget(Some("a")) && lock.choices.is_empty());
    }
}
