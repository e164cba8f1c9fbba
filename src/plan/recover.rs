//! The status a stack stands in says what can be done next.

use super::{Request, Unfinished, guard, observe::ObservedStack};
use crate::{
    cloud::StackStatus,
    diagnostic::{Code, Diagnostic},
    render::StackSpec,
};

/// What can be done next about a stack that is wanted.
pub(super) enum Next<'a> {
    /// Make it.
    Create,
    /// Compare what runs with what is wanted.
    Compare(&'a ObservedStack),
    /// Delete what is left and make it.
    Recreate {
        /// What is left.
        observed: &'a ObservedStack,
        /// Why it has to go.
        why: &'static str,
        /// May it hold what once worked?
        had_landed: bool,
    },
    /// Nothing, and why.
    Refuse(Diagnostic),
}

/// Answers for one stack. `observed` is none where there is no such stack.
pub(super) fn next<'a>(request: &Request<'_>, spec: &StackSpec, observed: Option<&'a ObservedStack>) -> Next<'a> {
    let Some(observed) = observed else { return Next::Create };
    if let Some(foreign) = guard::foreign(request, spec, observed) {
        return Next::Refuse(foreign);
    }
    if let Some(what) = observed.runs() {
        return Next::Refuse(running(&guard::subject(spec), &what));
    }
    let status = &observed.stack.status;
    let recreate = |why, had_landed| Next::Recreate { observed, why, had_landed };
    match status {
        status if status.is_updatable() => Next::Compare(observed),
        StackStatus::RollbackComplete => {
            recreate("its creation failed and was rolled back; nothing of it is left", false)
        }
        StackStatus::ReviewInProgress => recreate("a change set that was never carried out left an empty shell", false),
        StackStatus::CreateFailed => recreate("its creation failed and what was made was left standing", false),
        StackStatus::RollbackFailed => recreate("its creation failed, and taking it back failed too", false),
        StackStatus::DeleteFailed => recreate("its deletion was begun and failed", true),
        _ => Next::Refuse(stuck(spec, observed)),
    }
}

/// An operation runs on the stack of `subject`.
pub(super) fn running(subject: &str, what: &str) -> Diagnostic {
    Diagnostic::new(Code::OperationRunning, format!("an operation is running on the stack of {subject}: {what}"))
        .help("wait until it has settled and plan again")
}

fn stuck(spec: &StackSpec, observed: &ObservedStack) -> Diagnostic {
    let status = &observed.stack.status;
    let way_out = match status {
        StackStatus::UpdateRollbackFailed => {
            "remove what keeps the roll-back from working, then `aws cloudformation continue-update-rollback`, \
             if need be with `--resources-to-skip`, and plan again"
        }
        StackStatus::UpdateFailed => {
            "`aws cloudformation rollback-stack` brings back the last good state; then plan again"
        }
        StackStatus::ImportRollbackFailed => {
            "repair the import by hand, or delete the stack while retaining its resources"
        }
        _ => "bring the stack to a complete state by hand, then plan again",
    };
    let detour = observed.body.as_deref().and_then(Unfinished::read);
    let out = detour.map(|detour| format!("; {}", detour.sentence())).unwrap_or_default();
    let name = &spec.identity.stack.name;
    let message = format!("the stack `{name}` of {} is in {status} and takes no update{out}", guard::subject(spec));
    Diagnostic::new(Code::StuckStack, message).help(way_out)
}
