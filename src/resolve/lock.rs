//! `hubform.lock`: whose an environment is, and the choices hubform made for it, kept until what they were made from
//! changes.
//!
//! Keyed by environment first, because several environments of one folder share a file; choices by manifest and
//! target, then by serving (`AllTraffic`, a variant's or a component's name; what belongs to the manifest as a whole
//! would stand under `_whole`, which no variant can be called), then by name. A pin holds while every input that it
//! recorded is unchanged, whatever newer catalogues would choose and whatever more a newer release looks at.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, FileId, Span},
    manifest::plain::PlainYaml,
};

mod facts;
mod first;
mod merge;
mod text;

pub use merge::Clash;

/// The format of lock files; format 1 is read too, others are refused by name.
pub const LOCK_FORMAT: u32 = 2;

/// The way out of a lock that cannot be used.
const RESTORE: &str = "restore it from git; hubform does not replace a lock it cannot read";

/// Choices by serving, then by name.
pub type Servings = BTreeMap<String, BTreeMap<String, Pinned>>;

/// A lock file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// See [`LOCK_FORMAT`].
    pub format: u32,
    /// By the environment's name.
    #[serde(default)]
    pub environments: BTreeMap<String, LockedEnvironment>,
    /// Choices that format 1 kept for any reader: adopted by environments that have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unclaimed: BTreeMap<String, Servings>,
    /// By `id@revision`; by the id alone where format 1 had it.
    #[serde(default)]
    pub models: BTreeMap<String, LockedModel>,
}

/// What is pinned for one environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedEnvironment {
    /// Whose its stacks are: a random id, made once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// By `Kind/name@target`.
    #[serde(default)]
    pub choices: BTreeMap<String, Servings>,
}

/// What is known of a model when it is first used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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

/// A choice and what it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The choice.
    pub value: Scalar,
    /// The inputs it was made from, by name; it is made again when one of them differs.
    #[serde(default)]
    pub from: BTreeMap<String, Scalar>,
}

/// A value in the lock.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    /// Not set.
    Absent,
    /// Yes or no.
    Flag(bool),
    /// How many.
    Count(u64),
    /// Any other number.
    Number(f64),
    /// Text; times and sizes as manifests spell them.
    Text(String),
}

impl Default for Lock {
    fn default() -> Self {
        let (environments, unclaimed, models) = Default::default();
        Self { format: LOCK_FORMAT, environments, unclaimed, models }
    }
}

impl Lock {
    /// Reads a lock file; an empty one is one. Format 1 did not say whose a choice is: all are unclaimed.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn parse(file: FileId, text: &str) -> Result<Self, Diagnostics> {
        let stop = |message: String, span| {
            Diagnostics::from_iter([Diagnostic::new(Code::LockUnreadable, message).at(span).help(RESTORE)])
        };
        if let Some((start, end)) = text::conflict(text) {
            let span = Span { file, start: start as u32, end: end as u32 };
            let finding = Diagnostic::new(Code::LockConflict, "git could not merge this lock").label(span, "from here");
            let help =
                "keep the lines of both sides, and where they differ the one that is deployed; then run `hubform lock`";
            return Err(Diagnostics::from_iter([finding.help(help)]));
        }
        let Some(read) = PlainYaml::read(file, text).map_err(unreadable)? else { return Ok(Self::default()) };
        let lock = match read.number("format") {
            Some(1) => first::read(&read),
            Some(found) if found != u64::from(LOCK_FORMAT) => {
                let message =
                    format!("this lock has format {found}, and this hubform reads formats 1 and {LOCK_FORMAT}");
                let finding = Diagnostic::new(Code::LockUnreadable, message).at(read.span(&["format"]));
                return Err(Diagnostics::from_iter([finding]));
            }
            _ => read.typed::<Self>(),
        };
        let odd = |(why, span)| stop(format!("hubform does not write this: {why}"), span);
        let lock = lock.map_err(odd)?;
        for (name, environment) in &lock.environments {
            if let Some(owner) = environment.owner.as_deref().filter(|owner| !is_owner(owner)) {
                let span = read.span(&["environments", name, "owner"]);
                return Err(stop(format!("`{owner}` is not an owner id"), span));
            }
        }
        for (id, model) in &lock.models {
            if let Some((field, why)) = facts::odd(model) {
                return Err(stop(why, read.span(&["models", id, field])));
            }
        }
        Ok(lock)
    }

    /// Gives environments that have no choices those that are unclaimed.
    pub fn claim<'a>(&mut self, environments: impl IntoIterator<Item = &'a String>) {
        for name in environments.into_iter().filter(|_| !self.unclaimed.is_empty()) {
            let own = self.environments.entry(name.clone()).or_default();
            if own.choices.is_empty() {
                own.choices = self.unclaimed.clone();
            }
        }
    }

    /// This lock, made from `base`, merged into what its file contains now.
    ///
    /// # Errors
    /// What both changed differently.
    pub fn merged(&self, base: &Lock, there: &Lock) -> Result<Lock, Vec<Clash>> {
        merge::merged(base, self, there)
    }

    /// The file's text: the same lock gives the same bytes.
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// What is pinned for an environment.
    pub fn environment(&self, name: &str) -> Option<&LockedEnvironment> {
        self.environments.get(name)
    }

    /// The owner of an environment.
    pub fn owner(&self, environment: &str) -> Option<&str> {
        self.environment(environment)?.owner.as_deref()
    }

    /// Gives an environment an owner.
    pub fn set_owner(&mut self, environment: &str, owner: String) {
        self.environments.entry(environment.to_owned()).or_default().owner = Some(owner);
    }

    /// What is known of a model at a revision.
    pub fn model(&self, id: &str, revision: &str) -> Option<&LockedModel> {
        self.models.get(&model_key(id, revision)).or_else(|| self.models.get(id))
    }

    /// Notes what is known of a model at a revision.
    pub fn set_model(&mut self, id: &str, revision: &str, model: LockedModel) {
        let known = self.models.entry(model_key(id, revision)).or_insert_with(|| model.clone());
        // Who says `main` and who says nothing share an entry: a commit that is known stays.
        if model.commit.is_some() || known.commit.is_none() {
            *known = model;
        }
    }

    /// This lock with what `over` pins besides, or from other inputs, and with its owners where this has none; what both
    /// pin from the same inputs stays.
    pub fn overlaid(mut self, over: Lock) -> Self {
        if self.unclaimed.is_empty() {
            self.unclaimed = over.unclaimed;
        }
        for (id, model) in over.models {
            self.models.entry(id).or_insert(model);
        }
        for (name, over) in over.environments {
            let own = self.environments.entry(name).or_default();
            own.owner = own.owner.take().or(over.owner);
            for (manifest, serving, what, pinned) in pins(over.choices) {
                let own = own.choices.entry(manifest).or_default().entry(serving).or_default();
                if own.get(&what).is_none_or(|old| old.from != pinned.from) {
                    own.insert(what, pinned);
                }
            }
        }
        self
    }

    /// What this lock says that `base` does not, or otherwise.
    pub fn beyond(&self, base: &Lock) -> Lock {
        let mut beyond = Lock::default();
        let models = self.models.iter().filter(|(id, model)| base.models.get(*id) != Some(model));
        beyond.models = models.map(|(id, model)| (id.clone(), model.clone())).collect();
        for (name, environment) in &self.environments {
            let old = base.environments.get(name);
            let old_pin = |manifest: &str, serving: &str, what: &str| {
                old.and_then(|old| old.choices.get(manifest)?.get(serving)?.get(what))
            };
            let owner = environment.owner.clone().filter(|owner| base.owner(name) != Some(owner));
            let mut new = LockedEnvironment { owner, ..LockedEnvironment::default() };
            for (manifest, serving, what, pinned) in pins(environment.choices.clone()) {
                if old_pin(&manifest, &serving, &what) != Some(&pinned) {
                    let servings = new.choices.entry(manifest).or_default();
                    servings.entry(serving).or_default().insert(what, pinned);
                }
            }
            if new != LockedEnvironment::default() {
                beyond.environments.insert(name.clone(), new);
            }
        }
        beyond
    }

    /// Forgets what was chosen in an environment for a manifest; for all of them, those included that are gone,
    /// without a name.
    pub fn forget(&mut self, environment: &str, name: Option<&str>) {
        let Some(environment) = self.environments.get_mut(environment) else { return };
        environment.choices.retain(|key, _| name.is_some_and(|name| !is_of(key, name)));
    }
}

/// Findings of YAML, as those of a lock.
fn unreadable(findings: Diagnostics) -> Diagnostics {
    let help = |own: Option<String>| Some(own.unwrap_or_else(|| RESTORE.to_owned()));
    let own = |finding: Diagnostic| Diagnostic { code: Code::LockUnreadable, help: help(finding.help), ..finding };
    findings.into_iter().map(own).collect()
}

/// Is it what an owner's id looks like: 16 hex digits?
pub fn is_owner(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn model_key(id: &str, revision: &str) -> String {
    format!("{id}@{revision}")
}

fn pins(choices: BTreeMap<String, Servings>) -> impl Iterator<Item = (String, String, String, Pinned)> {
    choices.into_iter().flat_map(|(manifest, servings)| {
        servings.into_iter().flat_map(move |(serving, pins)| {
            let manifest = manifest.clone();
            pins.into_iter().map(move |(what, pinned)| (manifest.clone(), serving.clone(), what, pinned))
        })
    })
}

/// `Endpoint/chat@default` is of `chat`, of `Endpoint/chat` and of itself.
fn is_of(key: &str, name: &str) -> bool {
    let manifest = key.split('@').next().unwrap_or(key);
    key == name || manifest == name || manifest.split_once('/').is_some_and(|(_, own)| own == name)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

struct AnyScalar;

impl de::Visitor<'_> for AnyScalar {
    type Value = Scalar;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text, a number, a boolean or nothing")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_u64<E>(self, count: u64) -> Result<Scalar, E> {
        Ok(Scalar::Count(count))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }
}

impl Scalar {
    /// The number, where it is a whole one.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// The number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("nothing"),
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<bool> for Scalar {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u64> for Scalar {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Scalar {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Scalar>> From<Option<T>> for Scalar {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

/// A whole number is a count.
impl From<f64> for Scalar {
    fn from(number: f64) -> Self {
        match number >= 0.0 && number.fract() == 0.0 && number < 1e15 {
            true => Self::Count(number as u64),
            false => Self::Number(number),
        }
    }
}

#[cfg(test)]
mod tests;
