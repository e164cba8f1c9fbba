//! The status a stack stands in says what can be done next.

use super::{Request, Unfinished, guard, observe::ObservedStack};
use crate::{
    cloud::{StackStatus, spoken, stuck_rollback},
    diagnostic::{Code, Diagnostic},
    render::StackSpec,
};

/// What can be done next about a stack that is wanted.
pub(super) enum NextAction<'a> {
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
pub(super) fn next<'a>(request: &Request<'_>, spec: &StackSpec, observed: Option<&'a ObservedStack>) -> NextAction<'a> {
    let Some(observed) = observed else { return NextAction::Create };
    // Whose it is comes before how it is: the state of somebody else's stack is not our business.
    if let Some(foreign) = guard::foreign(request, spec, observed) {
        return NextAction::Refuse(foreign);
    }
    // What runs now is not what will be there to change.
    if let Some(what) = observed.runs() {
        return NextAction::Refuse(running(&guard::subject(spec), &what));
    }
    let status = &observed.stack.status;
    let recreate = |why, had_landed| NextAction::Recreate { observed, why, had_landed };
    match status {
        status if status.is_updatable() => NextAction::Compare(observed),
        // CloudFormation accepts nothing but a deletion for these.
        StackStatus::RollbackComplete => {
            recreate("its creation failed and was rolled back; nothing of it is left", false)
        }
        StackStatus::ReviewInProgress => recreate("a change set that was never executed left an empty stack", false),
        StackStatus::CreateFailed => recreate("its creation failed, and what was created was left in place", false),
        StackStatus::RollbackFailed => recreate("its creation failed, and so did the rollback", false),
        // It was a working stack until somebody deleted it, so protection counts.
        StackStatus::DeleteFailed => recreate("its deletion failed", true),
        // A failed rollback needs a person: which resources to skip only they can say.
        _ => NextAction::Refuse(stuck(spec, observed)),
    }
}

/// An operation runs on the stack of `subject`.
pub(super) fn running(subject: &str, what: &str) -> Diagnostic {
    Diagnostic::new(Code::OperationRunning, format!("an operation is running on the stack of {subject}: {what}"))
        .help("wait until it has settled, then plan again")
}

fn stuck(spec: &StackSpec, observed: &ObservedStack) -> Diagnostic {
    let status = &observed.stack.status;
    let stack = &spec.identity.stack;
    let way_out = match status {
        StackStatus::UpdateRollbackFailed => {
            let failed = observed.not_rolled_back.iter().map(|event| (&*event.logical_id, &*event.resource_type));
            stuck_rollback(stack, &failed.collect::<Vec<_>>()).join("\n")
        }
        StackStatus::UpdateFailed => format!(
            "go back to the last good state, then plan again:\n`aws cloudformation rollback-stack --stack-name {} \
             --region {}`",
            stack.name, stack.target.region
        ),
        StackStatus::ImportRollbackFailed => {
            "repair the import by hand, or delete the stack while retaining its resources".to_owned()
        }
        _ => "bring the stack to a complete state by hand, then plan again".to_owned(),
    };
    let causes = observed.not_rolled_back.iter().filter_map(|event| {
        let reason = event.reason.as_ref()?;
        Some(format!("; {} could not be rolled back: {}", event.logical_id, spoken(reason).0))
    });
    let causes: String = causes.collect();
    let detour = observed.body.as_deref().and_then(Unfinished::read);
    let out = detour.map(|detour| format!("; {}", detour.sentence())).unwrap_or_default();
    let subject = guard::subject(spec);
    let message = format!("the stack `{}` of {subject} is in {status} and cannot be updated{causes}{out}", stack.name);
    Diagnostic::new(Code::StuckStack, message).help(way_out)
}
