//! A YAML document that is not a manifest, such as a lock: read as strictly, with a place for each of its values.

use serde::de::DeserializeOwned;

use super::{
    tree::{YamlNode, path_of},
    yaml,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, FileId, Span};

/// The document.
pub(crate) struct PlainYaml(YamlNode);

impl PlainYaml {
    /// The one document of a text; nothing where there is none.
    ///
    /// # Errors
    /// What is wrong with the YAML.
    pub(crate) fn read(file: FileId, text: &str) -> Result<Option<Self>, Diagnostics> {
        let mut findings = Diagnostics::new();
        let mut roots = yaml::read(file, text, &mut findings).into_iter().filter_map(|part| part.root);
        let (first, more) = (roots.next(), roots.next());
        if let Some(more) = more {
            findings.push(Diagnostic::new(Code::BrokenYaml, "a second document begins").at(more.span));
        }
        match findings.is_empty() {
            true => Ok(first.map(Self)),
            false => Err(findings),
        }
    }

    /// The number in a field of the whole.
    pub(crate) fn number(&self, field: &str) -> Option<u64> {
        self.0.get(field)?.value.json().as_u64()
    }

    /// The place of a value, or of the map it would be in, by the keys that lead to it.
    pub(crate) fn span(&self, keys: &[&str]) -> Span {
        self.0.nearest(&keys.iter().copied().collect()).0.span
    }

    /// The whole as a type of ours.
    ///
    /// # Errors
    /// Why it is none, and where.
    pub(crate) fn typed<T: DeserializeOwned>(&self) -> Result<T, (String, Span)> {
        serde_path_to_error::deserialize(self.0.json()).map_err(
            |error: serde_path_to_error::Error<serde_json::Error>| {
                let (node, entry, _) = self.0.nearest(&path_of(error.path()));
                let why = error.inner().to_string();
                let key = entry.filter(|_| why.starts_with("unknown field"));
                (why, key.map_or(node.span, |entry| entry.key_span))
            },
        )
    }
}
