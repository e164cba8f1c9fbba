//! What hubform chooses, it chooses once: the lock is asked first, and told afterwards.

use super::{Choice, Context, Pinned};
use crate::diagnostic::{Code, Diagnostic, Span};

/// What one manifest's choices are made with.
pub(super) struct Chooser {
    /// `Kind/name@target`.
    key: String,
    span: Span,
    /// Made so far, in order.
    pub(super) choices: Vec<Choice>,
    /// What was not in the lock where nothing may be chosen, with what would be.
    missing: Vec<String>,
}

/// A choice as it would be made today.
pub(super) struct Fresh {
    pub(super) value: String,
    pub(super) reason: String,
}

impl Chooser {
    pub(super) fn new(context: &Context<'_>, kind: &str, name: &str, span: Span) -> Self {
        let key = format!("{kind}/{name}@{}", context.scope.target_name);
        Self { key, span, choices: Vec::new(), missing: Vec::new() }
    }

    /// The pinned value where it follows from the same inputs; else what `fresh` chooses, which is then pinned.
    pub(super) fn choose(
        &mut self,
        context: &mut Context<'_>,
        what: &str,
        follows: &str,
        fresh: impl FnOnce(&mut Context<'_>) -> Option<Fresh>,
    ) -> Option<String> {
        let pinned = context.scope.lock.choices.get(&self.key).and_then(|choices| choices.get(what)).cloned();
        let kept = pinned.filter(|pinned| pinned.follows == follows);
        let today = fresh(context);
        let choice = match (kept, today) {
            (Some(pinned), today) => keep(what, pinned, today),
            (None, Some(today)) if context.scope.locked => {
                self.missing.push(format!("{what} ({})", today.value));
                Choice { what: what.into(), value: today.value, reason: today.reason, pinned: false, today: None }
            }
            (None, Some(today)) => self.pin(context, what, follows, today),
            (None, None) => return None,
        };
        let value = choice.value.clone();
        self.choices.push(choice);
        Some(value)
    }

    /// What could not be otherwise: told as a choice, and not pinned.
    pub(super) fn settle(&mut self, what: &str, value: &str, reason: String) {
        self.choices.push(Choice { what: what.into(), value: value.into(), reason, pinned: false, today: None });
    }

    /// Something that must be in the lock where nothing may be chosen, and is not.
    pub(super) fn miss(&mut self, what: String) {
        self.missing.push(what);
    }

    fn pin(&self, context: &mut Context<'_>, what: &str, follows: &str, today: Fresh) -> Choice {
        let pinned = Pinned { value: today.value.clone(), follows: follows.to_owned() };
        context.lock_after.choices.entry(self.key.clone()).or_default().insert(what.to_owned(), pinned);
        Choice { what: what.to_owned(), value: today.value, reason: today.reason, pinned: false, today: None }
    }

    /// Tells once, when everything was chosen, what the lock lacks.
    pub(super) fn report_missing(&self, context: &mut Context<'_>) {
        if self.missing.is_empty() {
            return;
        }
        let message = format!(
            "the lock has no choice of these for `{}`, and nothing may be chosen now: {}",
            self.key,
            self.missing.join(", ")
        );
        let help = "in brackets is what hubform would choose; `hubform lock` writes it, then commit hubform.lock";
        context.report(Diagnostic::new(Code::LockMissing, message).at(self.span).help(help));
    }
}

fn keep(what: &str, pinned: Pinned, today: Option<Fresh>) -> Choice {
    let (value, what) = (pinned.value, what.to_owned());
    match today {
        Some(today) if today.value == value => Choice { what, value, reason: today.reason, pinned: true, today: None },
        Some(Fresh { value: other, reason }) => {
            let today = Some(format!("{other}, {reason}"));
            Choice { what, value, reason: "chosen before".to_owned(), pinned: true, today }
        }
        None => Choice { what, value, reason: "chosen before".to_owned(), pinned: true, today: None },
    }
}
