//! What is wrong with what the user wrote, as values which accumulate.
//!
//! A [`Diagnostic`] names a [`Code`], a severity, a message, the places it speaks of and, where one can be
//! given, the fix. Rooms return `(value, Diagnostics)`; nothing here prints and nothing here knows manifests.
//! Failures of the world (a call that was refused) are errors, not diagnostics.

mod code;
mod path;
pub mod secret;
mod show;
mod source;
mod words;

use serde::{Deserialize, Serialize};

pub use code::Code;
pub use path::{Part, Path, Trail};
pub use show::{in_place, shown};
pub use source::{FileId, Position, SourceMap, Span};
pub use words::{first_of, listed};

/// How much a finding weighs. Only an error stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Works, but is likely not what was meant.
    Warning,
    /// Cannot be carried out as written.
    Error,
}

/// A place in a source file with what it contributes to the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The bytes pointed at.
    pub span: Span,
    /// Words under the caret; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of finding, looked up by `hubform explain`.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// A lowercase sentence fragment without a full stop.
    pub message: String,
    /// The first label is the place shown in short forms.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding of the severity its code has by nature.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: code.severity(), message: message.into(), labels: Vec::new(), help: None }
    }

    /// The same finding, pointing at `span`.
    pub fn at(self, span: Span) -> Self {
        self.label(span, "")
    }

    /// The same finding, pointing at `span` with words under the caret.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The same finding with the way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Findings in the order they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds the findings of another room.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(others);
    }

    /// Is there anything that stops the run?
    pub fn has_errors(&self) -> bool {
        self.iter().any(|d| d.severity == Severity::Error)
    }

    /// Nothing found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many findings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The findings in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Errors first, then by file and position; equal findings once.
    pub fn sorted(mut self) -> Self {
        self.0.sort_by_key(|d| {
            let place = d.labels.first().map(|l| (l.span.file, l.span.start));
            (std::cmp::Reverse(d.severity), place.is_none(), place, d.code)
        });
        self.0.dedup();
        self
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// The candidate nearest to a word that was not understood, if one is near enough to be meant. A word of another length
/// is not compared, so that many candidates cost little.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let said = word.to_lowercase();
    let most = |candidate: &str| 1 + candidate.len().min(word.len()) / 4;
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= most(candidate) && word.len() <= LONGEST_WORD)
        .map(|candidate| (strsim::damerau_levenshtein(&said, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= most(candidate))
        .min_by_key(|(distance, candidate)| (*distance, candidate.len().abs_diff(word.len())))
        .map(|(_, candidate)| candidate)
}

/// Longer words were not mistyped, in bytes.
const LONGEST_WORD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let fields = ["instances", "purchase", "reservation"];
        assert_eq!(did_you_mean("instance", fields), Some("instances"));
        assert_eq!(did_you_mean("Purchse", fields), Some("purchase"));
        assert_eq!(did_you_mean("volume", fields), None);
        assert_eq!(did_you_mean("modle", ["mode", "model"]), Some("model"));
    }
}
