//! Rules between fields, which a schema cannot express: each type lists its own in [`Rules`].

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Path};
use crate::service::Problem;

use super::document::DocumentOrigin;
use super::value::{Referable, Reference, Setting};

/// What must hold between the fields of a type beyond their own types.
pub(super) trait Rules {
    /// Reports what does not hold.
    fn check(&self, at: &mut RuleCheck<'_>);
}

/// A place in a document, and where findings go.
pub(super) struct RuleCheck<'a> {
    origin: &'a DocumentOrigin,
    place: Path,
    findings: &'a mut Diagnostics,
}

impl<'a> RuleCheck<'a> {
    pub(super) fn new(origin: &'a DocumentOrigin, place: impl Into<Path>, findings: &'a mut Diagnostics) -> Self {
        Self { origin, place: place.into(), findings }
    }

    /// Checks a part that has rules of its own, if it is there.
    pub(super) fn inside<T: Rules>(&mut self, field: impl Into<Path>, part: Option<&T>) {
        let Some(part) = part else { return };
        let inner = self.place.join(field);
        let outer = std::mem::replace(&mut self.place, inner);
        part.check(self);
        self.place = outer;
    }

    /// Checks each of several parts.
    pub(super) fn each<T: Rules>(&mut self, field: &'static str, parts: &[T]) {
        for (index, part) in parts.iter().enumerate() {
            self.inside(Path::from(field).item(index), Some(part));
        }
    }

    /// A finding at the value of a field (or what is in it); at the whole part where the field is empty.
    pub(super) fn report(&mut self, field: impl Into<Path>, code: Code, message: impl Into<String>) {
        let span = self.origin.span(self.place.join(field));
        self.findings.push(Diagnostic::new(code, message).at(span));
    }

    /// What a service rejects in a field.
    pub(super) fn refuse(&mut self, field: impl Into<Path>, code: Code, problem: Problem) {
        self.refuse_at(field, false, code, problem);
    }

    /// The same, at the key of the field where that is what is wrong.
    pub(super) fn refuse_at(&mut self, field: impl Into<Path>, key: bool, code: Code, problem: Problem) {
        let place = self.place.join(field);
        let span = if key { self.origin.key_span(place) } else { self.origin.span(place) };
        let finding = Diagnostic::new(code, problem.message).at(span);
        self.findings.push(Diagnostic { help: problem.help, ..finding });
    }

    /// A finding at the value of a field, with the way out.
    pub(super) fn report_help(&mut self, field: impl Into<Path>, code: Code, message: impl Into<String>, help: &str) {
        let span = self.origin.span(self.place.join(field));
        self.findings.push(Diagnostic::new(code, message).at(span).help(help));
    }

    /// A finding at the key of a field.
    pub(super) fn report_key(&mut self, field: impl Into<Path>, code: Code, message: impl Into<String>, help: &str) {
        let span = self.origin.key_span(self.place.join(field));
        self.findings.push(Diagnostic::new(code, message).at(span).help(help));
    }
}

impl<T: Rules + Referable> Rules for Reference<T> {
    fn check(&self, at: &mut RuleCheck<'_>) {
        if let Some(spec) = self.inline() {
            spec.check(at);
        }
    }
}

impl<T: Rules> Rules for Setting<T> {
    fn check(&self, at: &mut RuleCheck<'_>) {
        if let Some(value) = self.on() {
            value.check(at);
        }
    }
}
