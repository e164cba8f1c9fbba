//! Rules between fields, which no schema says: each type that has some lists them in [`Rules`].

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::document::Origin;
use super::value::{Referable, Reference, Setting};

/// What must hold between the fields of a type beyond their own types.
pub(super) trait Rules {
    /// Reports what does not hold.
    fn check(&self, at: &mut Check<'_>);
}

/// A place in a document, and where findings go.
pub(super) struct Check<'a> {
    origin: &'a Origin,
    pointer: String,
    findings: &'a mut Diagnostics,
}

impl<'a> Check<'a> {
    pub(super) fn new(origin: &'a Origin, pointer: &str, findings: &'a mut Diagnostics) -> Self {
        Self { origin, pointer: pointer.to_owned(), findings }
    }

    /// Checks a part that has rules of its own, if it is there.
    pub(super) fn inside<T: Rules>(&mut self, field: &str, part: Option<&T>) {
        let Some(part) = part else { return };
        let length = self.pointer.len();
        self.pointer.extend(["/", field]);
        part.check(self);
        self.pointer.truncate(length);
    }

    /// Checks each of several parts.
    pub(super) fn each<T: Rules>(&mut self, field: &str, parts: &[T]) {
        for (index, part) in parts.iter().enumerate() {
            self.inside(&format!("{field}/{index}"), Some(part));
        }
    }

    /// A finding at the value of a field (or a longer part of a JSON pointer); at the whole part where the field is empty.
    pub(super) fn report(&mut self, field: &str, code: Code, message: impl Into<String>) {
        let span = self.origin.span(&self.at(field));
        self.findings.push(Diagnostic::new(code, message).at(span));
    }

    /// A finding at the key of a field.
    pub(super) fn report_key(&mut self, field: &str, code: Code, message: impl Into<String>, help: &str) {
        let span = self.origin.key_span(&self.at(field));
        self.findings.push(Diagnostic::new(code, message).at(span).help(help));
    }

    fn at(&self, field: &str) -> String {
        if field.is_empty() { self.pointer.clone() } else { format!("{}/{field}", self.pointer) }
    }
}

/// A user's key as a token of a JSON pointer.
pub(super) fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl<T: Rules + Referable> Rules for Reference<T> {
    fn check(&self, at: &mut Check<'_>) {
        if let Some(spec) = self.inline() {
            spec.check(at);
        }
    }
}

impl<T: Rules> Rules for Setting<T> {
    fn check(&self, at: &mut Check<'_>) {
        if let Some(value) = self.on() {
            value.check(at);
        }
    }
}
