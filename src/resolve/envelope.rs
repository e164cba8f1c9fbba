//! What a stack carries from the manifest to the call: who it is, and what goes with its body.
//!
//! Both are made here, once, and handed on whole. A setting that CloudFormation accepts with a body is one more line of
//! [`Envelope`], or of [`StackOptions`] where no resource sees it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Check, Choice, ParameterValue, Resolver, settings};
use crate::{
    cloud::{StackOptions, StackRef, Tagged, Tags},
    manifest::{Document, Kind},
};

/// Which stack it is, and which manifest's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Where it lives and what it is called.
    pub stack: StackRef,
    /// The environment it belongs to.
    pub environment: String,
    /// The manifest's kind.
    pub kind: StackKind,
    /// The manifest's name.
    pub name: String,
}

impl Identity {
    /// The manifest, as `Endpoint/chat`.
    pub fn manifest(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// A stack as its tags name it.
    pub fn read(stack: StackRef, tagged: Tagged<'_>) -> Self {
        let Tagged { environment, kind, name } = tagged;
        Self { stack, environment: environment.to_owned(), kind: kind.into(), name: name.to_owned() }
    }
}

/// The kind of a stack's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum StackKind {
    /// One of this version's.
    Known(Kind),
    /// What the tag of a stack says that another version made.
    Other(String),
}

impl StackKind {
    /// As written in `kind:`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(kind) => kind.name(),
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for StackKind {
    fn from(word: &str) -> Self {
        Kind::find(word).map_or_else(|| Self::Other(word.to_owned()), Self::Known)
    }
}

impl From<String> for StackKind {
    fn from(word: String) -> Self {
        word.as_str().into()
    }
}

impl From<StackKind> for String {
    fn from(kind: StackKind) -> Self {
        kind.as_str().to_owned()
    }
}

impl PartialEq<Kind> for StackKind {
    fn eq(&self, kind: &Kind) -> bool {
        *self == Self::Known(*kind)
    }
}

impl std::fmt::Display for StackKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Everything of a stack that is not its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Whose it is: the output `HubformOwner`; none where the lock does not say, as for `render`.
    pub owner: Option<String>,
    /// Parameters by name.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Stack tags, the three of ownership included.
    pub tags: Tags,
    /// What is sent beside body, parameters and tags.
    pub options: StackOptions,
    /// Protected: DeleteStack is refused, and so are steps that delete or replace what matters.
    pub protect: bool,
    /// Stacks whose outputs this one uses, or that must exist before it.
    pub needs: BTreeSet<StackRef>,
    /// What is asked once the stack has settled.
    pub checks: Vec<Check>,
    /// What hubform chose, with reasons.
    pub choices: Vec<Choice>,
}

impl Resolver<'_> {
    /// The description of a manifest's stack.
    pub(super) fn description(&self, what: &str, document: &Document) -> String {
        let environment = &self.scope.set.environment.name;
        format!("{what} {} of environment {environment}, made by hubform.", document.name)
    }

    /// Who the stack of a manifest is.
    pub(super) fn identity(&self, document: &Document) -> Identity {
        Identity {
            stack: self.stack(document.kind, &document.name),
            environment: self.scope.set.environment.name.clone(),
            kind: StackKind::Known(document.kind),
            name: document.name.clone(),
        }
    }

    /// What the environment and a manifest's labels put around any body.
    pub(super) fn envelope(&mut self, document: &Document) -> Envelope {
        let environment = &self.scope.set.environment;
        Envelope {
            owner: self.scope.lock.owner(&environment.name).map(str::to_owned),
            options: settings::options(self),
            tags: settings::tags(self, document),
            protect: environment.protect,
            ..Envelope::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_that_another_version_made_survives() {
        for (word, kind) in
            [("Endpoint", StackKind::Known(Kind::Endpoint)), ("Fleet", StackKind::Other("Fleet".into()))]
        {
            assert_eq!(serde_json::to_value(&kind).expect("a word"), json!(word));
            assert_eq!(serde_json::from_value::<StackKind>(json!(word)).expect("a word"), kind);
        }
    }
}
