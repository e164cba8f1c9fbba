//! What reading gives: documents, where they come from, and the environments they belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kind::{Environment, Kind, Spec, Target};
use super::tree::YamlNode;
use crate::diagnostic::{self, FileId, Span};

/// A text to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// Path as the user knows it; `-` is stdin. Names of one run are all absolute or all relative to one folder.
    pub name: String,
    /// What the file holds.
    pub bytes: Vec<u8>,
    /// Named on the command line, not found by walking a folder: its documents must all be hubform's.
    pub named: bool,
}

/// Every document of a run, not yet sorted into environments.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    pub(super) drafts: Vec<Draft>,
    /// Folder of the first input.
    pub(super) folder: PathBuf,
    /// Documents of another API group that were passed over.
    pub skipped: usize,
}

/// A document on its way to a spec.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) header: Header,
    pub(super) reading: SpecState,
}

/// How far reading a document has come.
#[derive(Debug, Clone)]
pub(super) enum SpecState {
    /// All is well.
    Done(Spec),
    /// A patch changes it first.
    Deferred,
    /// There are findings.
    Refused,
}

/// What every document has.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) origin: DocumentOrigin,
}

/// One manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`, which become tags.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `spec`, patches merged in.
    pub spec: Spec,
    /// Where it was written.
    pub origin: DocumentOrigin,
}

/// Where a document was written, field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentOrigin {
    /// The file.
    pub file: FileId,
    /// Its path as the user knows it.
    pub path: PathBuf,
    pub(super) tree: Arc<YamlNode>,
}

impl DocumentOrigin {
    /// Does the manifest itself say this field of its `spec`?
    pub fn says(&self, field: &str) -> bool {
        self.tree.get("spec").is_some_and(|spec| spec.value.get(field).is_some())
    }

    /// The folder the file is in; empty for the current one.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Place of the value at a path such as `/spec/hardware/instances/0`, or of its nearest ancestor that exists. In
    /// patched documents this may be in the environment's file.
    pub fn span(&self, path: impl Into<diagnostic::Path>) -> Span {
        self.tree.nearest(&path.into()).0.span
    }

    /// Place of the key at a path, or of its nearest ancestor's; of the item where that is in a list.
    pub fn key_span(&self, path: impl Into<diagnostic::Path>) -> Span {
        let (node, entry, _) = self.tree.nearest(&path.into());
        entry.map_or(node.span, |entry| entry.key_span)
    }

    /// Is there a value at this path?
    pub fn has(&self, path: impl Into<diagnostic::Path>) -> bool {
        self.tree.nearest(&path.into()).2
    }

    /// The whole document as JSON, patches merged in.
    pub fn raw(&self) -> serde_json::Value {
        self.tree.json()
    }
}

/// An environment and every manifest that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentSet {
    /// The environment.
    pub environment: ResolvedEnvironment,
    /// Its manifests but for itself, in the order of inputs.
    pub documents: Vec<Document>,
    /// Manifests that exist but have findings of their own: naming one is not a dangling reference.
    pub refused: BTreeSet<(Kind, String)>,
}

/// An environment with its own defaults settled, or the one that is meant where none is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedEnvironment {
    /// `metadata.name`; `default` where no manifest sets one.
    pub name: String,
    /// First part of every generated name.
    pub prefix: String,
    /// Folder of its manifest; without one, of the first input. The lock lies here.
    pub folder: PathBuf,
    /// Are deletions and replacements refused?
    pub protect: bool,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// What its manifest sets; all default without one.
    pub spec: Environment,
    /// Its manifest, if there is one.
    pub origin: Option<DocumentOrigin>,
}

impl ResolvedEnvironment {
    /// The targets with the environment's settings filled in; one nameless target where none is written.
    pub fn targets(&self) -> Vec<Target> {
        let written = if self.spec.targets.is_empty() { vec![Target::default()] } else { self.spec.targets.clone() };
        let fill = |target: Target| Target { settings: target.settings.or(&self.spec.settings), ..target };
        written.into_iter().map(fill).collect()
    }
}

impl EnvironmentSet {
    /// The manifest of this kind and name.
    pub fn get(&self, kind: Kind, name: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.kind == kind && document.name == name)
    }

    /// Names of all manifests of a kind, those with findings too.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let read = self.documents.iter().filter(move |d| d.kind == kind).map(|d| d.name.as_str());
        read.chain(self.refused.iter().filter(move |(k, _)| *k == kind).map(|(_, name)| name.as_str()))
    }
}
