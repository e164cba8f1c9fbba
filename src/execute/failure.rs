//! Failures in our words: of calls, of operations that rolled back, and what was left behind.

use serde_json::Value;

use super::{
    Cause, Failure, FailureKind,
    event_log::{leftovers, turned_back},
    search::FieldSearch,
};
use crate::{
    cloud::{CloudError, CloudErrorKind, StackEvent, StackStatus, not_rolled_back, root_cause},
    plan::{Half, Operation, Phase, Step},
    render::Origin,
};

/// An operation's name, as `update, phase 2 of 3`.
pub(super) fn name_of(operation: &Operation) -> String {
    match operation {
        Operation::Update { half: Some(Half::Widen), .. } => "widen".into(),
        Operation::Update { half: Some(Half::Narrow), .. } => "narrow".into(),
        other => call_of(other),
    }
}

/// What is asked of CloudFormation, whatever it is for.
pub(super) fn call_of(operation: &Operation) -> String {
    match operation {
        Operation::Create { .. } => "create".into(),
        Operation::Update { phase: Some(phase), .. } => format!("update, phase {} of {}", phase.number, phase.of),
        Operation::Update { .. } => "update".into(),
        Operation::Delete { .. } => "delete".into(),
        Operation::Protect { on: true } => "turn termination protection on".into(),
        Operation::Protect { on: false } => "turn termination protection off".into(),
    }
}

/// An operation's name with its purpose.
pub(super) fn title_of(operation: &Operation, name: String) -> String {
    match operation {
        Operation::Update { phase: Some(phase), .. } => format!("{name}: {}", phase.purpose),
        _ => name,
    }
}

/// A failure without a failed resource.
pub(super) fn plain(kind: FailureKind, operation: &str, message: impl Into<String>) -> Failure {
    let (operation, message) = (operation.to_owned(), message.into());
    Failure {
        kind,
        operation,
        status: None,
        message,
        cause: None,
        rollback: Vec::new(),
        endpoint: None,
        notes: Vec::new(),
    }
}

/// A call that was refused or not answered.
pub(super) fn of_call(operation: &str, error: &CloudError) -> Failure {
    let id = error.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
    plain(kind_of(&error.kind), operation, format!("{error}{id}"))
}

fn kind_of(kind: &CloudErrorKind) -> FailureKind {
    match kind {
        CloudErrorKind::LimitExceeded(_) => FailureKind::QuotaExceeded,
        CloudErrorKind::AccessDenied(_) => FailureKind::AccessDenied,
        CloudErrorKind::NoCredentials(_) => FailureKind::NoCredentials,
        CloudErrorKind::ClockSkew(_) => FailureKind::ClockSkew,
        CloudErrorKind::Unreachable(_) | CloudErrorKind::Unreadable(_) => FailureKind::Unreachable,
        CloudErrorKind::Throttled(_) | CloudErrorKind::ServiceFault(_) => FailureKind::Unreachable,
        CloudErrorKind::NotFound | CloudErrorKind::WrongState(_) => FailureKind::Stale,
        CloudErrorKind::InvalidChangeSetStatus(_) => FailureKind::Stale,
        _ => FailureKind::Refused,
    }
}

/// What is known of an operation that ended otherwise than asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailedOperation<'a> {
    /// The step.
    pub(super) step: &'a Step,
    /// The body that was sent, where one was.
    pub(super) body: Option<&'a str>,
    /// The operation's name.
    pub(super) operation: &'a str,
    /// The stack was to go.
    pub(super) deletes: bool,
    /// Where the stack was left.
    pub(super) status: &'a StackStatus,
    /// The service's words about that.
    pub(super) reason: Option<&'a str>,
    /// The operation's events, oldest first.
    pub(super) events: &'a [StackEvent],
}

impl FailedOperation<'_> {
    /// The failure of an operation that did not land.
    pub(super) fn failure(&self) -> Failure {
        let (kind, what) = match kind_of_status(self.status) {
            (FailureKind::Stale, _) if self.deletes => (FailureKind::DeleteFailed, "the stack was not deleted"),
            other => other,
        };
        let root = root_cause(self.events).or_else(|| turned_back(self.events));
        let mut message = what.to_owned();
        if let (None, Some(reason)) = (root, self.reason) {
            message = format!("{what}: {reason}");
        }
        let mut failure = plain(kind, self.operation, message);
        failure.status = Some(self.status.clone());
        if *self.status == StackStatus::UpdateRollbackFailed {
            failure.rollback = not_rolled_back(self.events).into_iter().map(|event| self.cause(event)).collect();
        }
        let cause = root.map(|event| self.cause(event));
        failure.cause = cause.filter(|cause| !failure.rollback.contains(cause));
        failure.notes = leftovers(self.events).into_iter().map(left).collect();
        failure
    }

    /// The failure of an operation that landed and left something behind; none if it did not.
    pub(super) fn leftover(&self) -> Option<Failure> {
        let left_behind = leftovers(self.events);
        let first = left_behind.first()?;
        let what = "the update landed, but old resources could not be removed and may still bill";
        let mut failure = plain(FailureKind::Leftover, self.operation, what);
        failure.status = Some(self.status.clone());
        failure.cause = Some(self.cause(first));
        failure.notes = left_behind.into_iter().map(left).collect();
        Some(failure)
    }

    /// The failure of a phase that left something behind which has to be gone before the next one.
    pub(super) fn not_cleared(&self, operation: &Operation) -> Option<Failure> {
        let Operation::Update { phase: Some(Phase { clears, .. }), .. } = operation else { return None };
        let first = leftovers(self.events).into_iter().find(|event| clears.contains(&event.logical_id))?;
        let id = &first.logical_id;
        let what = format!("the update landed, but {id} could not be removed, so the next phase was not started");
        let mut failure = plain(FailureKind::DeleteFailed, self.operation, what);
        failure.status = Some(self.status.clone());
        failure.cause = Some(self.cause(first));
        failure.notes = leftovers(self.events).into_iter().map(left).collect();
        Some(failure)
    }

    /// What is said where nobody could look for what was left behind.
    pub(super) fn unread(&self, why: &str) -> Failure {
        let what = "the update landed; whether it left old resources behind could not be checked";
        let mut failure = plain(FailureKind::Leftover, self.operation, what);
        failure.status = Some(self.status.clone());
        failure.notes = vec![format!("the events could not be read: {why}")];
        failure
    }

    fn cause(&self, event: &StackEvent) -> Cause {
        let reason = event.reason.as_deref().unwrap_or("no reason given").trim_end_matches(NOBODY_ASKED).to_owned();
        let origin = self.origin(&event.logical_id, &reason);
        let position = origin.map_or(&self.step.origins.manifest, |origin| &origin.position);
        Cause {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            reason,
            position: Some(position.clone()),
            field: origin.map(|origin| origin.field.clone()).filter(|field| field != "spec"),
        }
    }

    fn origin(&self, logical_id: &str, reason: &str) -> Option<&Origin> {
        let body: Value = self.body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
        FieldSearch { origins: &self.step.origins, resources: &body["Resources"], logical_id, reason }.origin()
    }
}

/// Ends the reason of each roll-back of a creation, whether or not somebody asked.
const NOBODY_ASKED: &str = " Rollback requested by user.";

fn left(event: &StackEvent) -> String {
    let id = event.physical_id.as_deref().unwrap_or("without an id");
    let reason = event.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {id} ({}) is still there{reason}", event.resource_type, event.logical_id)
}

fn kind_of_status(status: &StackStatus) -> (FailureKind, &'static str) {
    match status {
        StackStatus::RollbackComplete => (FailureKind::RolledBack, "the creation failed and was rolled back"),
        StackStatus::UpdateRollbackComplete => (FailureKind::RolledBack, "the update failed and was rolled back"),
        StackStatus::RollbackFailed | StackStatus::UpdateRollbackFailed => {
            (FailureKind::RollbackFailed, "it failed, and so did the rollback")
        }
        StackStatus::CreateFailed | StackStatus::UpdateFailed => {
            (FailureKind::RollbackFailed, "it failed and was not rolled back")
        }
        StackStatus::DeleteFailed => (FailureKind::DeleteFailed, "some resources could not be deleted"),
        StackStatus::DeleteComplete => (FailureKind::Stale, "the stack has been deleted meanwhile"),
        _ => (FailureKind::Stale, "the stack ended in an unexpected state"),
    }
}
