//! Failures in our words: of calls, of operations that rolled back, and what was left behind.

use serde_json::Value;

use super::{
    Cause, Failure, FailureKind,
    event_log::{leftovers, turned_back},
};
use crate::{
    cloud::{CloudError, CloudErrorKind, StackEvent, StackStatus, root_cause},
    diagnostic::{Part, Path, Trail},
    plan::{Operation, Step},
    render::Origin,
};

/// An operation's name, as `update, phase 2 of 3`.
pub(super) fn name_of(operation: &Operation) -> String {
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
    Failure { kind, operation, status: None, message, cause: None, aftermath: Vec::new() }
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
        failure.cause = root.map(|event| self.cause(event));
        failure.aftermath = leftovers(self.events).into_iter().map(left).collect();
        failure
    }

    /// The failure of an operation that landed and left something behind; none if it did not.
    pub(super) fn leftover(&self) -> Option<Failure> {
        let left_behind = leftovers(self.events);
        let first = left_behind.first()?;
        let what = "the update landed, but old resources could not be removed and may go on billing";
        let mut failure = plain(FailureKind::Leftover, self.operation, what);
        failure.status = Some(self.status.clone());
        failure.cause = Some(self.cause(first));
        failure.aftermath = left_behind.into_iter().map(left).collect();
        Some(failure)
    }

    /// The failure of a phase that was to take the scalable target out, and could not: SageMaker refuses the next one.
    pub(super) fn still_registered(&self) -> Option<Failure> {
        let mut left_behind = leftovers(self.events).into_iter();
        let first = left_behind.find(|event| event.resource_type.starts_with("AWS::ApplicationAutoScaling::"))?;
        let what = "the update landed, but the scalable target could not be removed and is still registered, so the \
                    next phase was not begun";
        let mut failure = plain(FailureKind::DeleteFailed, self.operation, what);
        failure.status = Some(self.status.clone());
        failure.cause = Some(self.cause(first));
        failure.aftermath = leftovers(self.events).into_iter().map(left).collect();
        Some(failure)
    }

    /// What is said where nobody could look for what was left behind.
    pub(super) fn unread(&self, why: &str) -> Failure {
        let what = "the update landed, but whether old resources are left could not be checked";
        let mut failure = plain(FailureKind::Leftover, self.operation, what);
        failure.status = Some(self.status.clone());
        failure.aftermath = vec![format!("what was left behind could not be checked: {why}")];
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
            field: origin.map(|origin| origin.field.clone()),
        }
    }

    /// The field behind a failure: a property the reason names, else a value it quotes, else the resource.
    fn origin(&self, logical_id: &str, reason: &str) -> Option<&Origin> {
        let origins = &self.step.origins;
        let properties = Path::from_iter([logical_id, "Properties"]);
        self.property_named(&properties, reason)
            .or_else(|| self.value_quoted(&properties, reason).and_then(|path| origins.of(&path)))
            .or_else(|| origins.of(&properties))
    }

    fn property_named(&self, properties: &Path, reason: &str) -> Option<&Origin> {
        let below = self.step.origins.properties.iter().filter(|(path, _)| path.is_within(properties));
        let named = below.filter(|(path, _)| {
            let name = path.parts().iter().rev().find_map(Part::key).unwrap_or_default();
            *path != properties && name != "Properties" && has_word(reason, name)
        });
        named.max_by_key(|(path, _)| path.to_string().len()).map(|(_, origin)| origin)
    }

    /// The path of the longest text in the body that the reason repeats. A short one counts in the resource that failed
    /// alone, and only where the reason sets it apart, as in `alarms [ghost] were not found`.
    fn value_quoted(&self, properties: &Path, reason: &str) -> Option<Path> {
        let body: Value = serde_json::from_str(self.body?).ok()?;
        let mut texts = Vec::new();
        for (logical_id, resource) in body["Resources"].as_object()? {
            collect_texts(&resource["Properties"], &Trail::Top.at(logical_id).at("Properties"), &mut texts);
        }
        let repeated = |path: &Path, text: &str| match text.len() >= SHORTEST_QUOTE {
            true => has_word(reason, text),
            false => path.is_within(properties) && is_set_apart(reason, text),
        };
        let quoted = texts.into_iter().filter(|(path, text)| repeated(path, text));
        quoted.max_by_key(|(_, text)| text.len()).map(|(path, _)| path)
    }
}

/// Ends the reason of each roll-back of a creation, whether or not somebody asked.
const NOBODY_ASKED: &str = " Rollback requested by user.";

/// Shorter texts turn up in a reason by chance, unless it sets them apart.
const SHORTEST_QUOTE: usize = 6;

/// Is the text alone between brackets, quotation marks or the commas of a list?
fn is_set_apart(reason: &str, text: &str) -> bool {
    let opens = |before: &str| before.trim_end().ends_with(['[', '(', '{', '\'', '"', '`', ',']);
    let closes = |after: &str| after.trim_start().starts_with([']', ')', '}', '\'', '"', '`', ',']);
    let mut found = reason.match_indices(text);
    !text.is_empty() && found.any(|(at, _)| opens(&reason[..at]) && closes(&reason[at + text.len()..]))
}

fn collect_texts(value: &Value, path: &Trail<'_>, into: &mut Vec<(Path, String)>) {
    match value {
        Value::String(text) => into.push((path.path(), text.clone())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| collect_texts(item, &path.item(i), into));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, item)| collect_texts(item, &path.at(key), into));
        }
        _ => {}
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    let stands =
        |(at, _): (usize, &str)| edge(text[..at].chars().next_back()) && edge(text[at + word.len()..].chars().next());
    !word.is_empty() && text.match_indices(word).any(stands)
}

fn left(event: &StackEvent) -> String {
    let id = event.physical_id.as_deref().unwrap_or("without an id");
    let reason = event.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {id} ({}) is still there{reason}", event.resource_type, event.logical_id)
}

fn kind_of_status(status: &StackStatus) -> (FailureKind, &'static str) {
    match status {
        StackStatus::RollbackComplete => (FailureKind::RolledBack, "creating failed and everything was removed again"),
        StackStatus::UpdateRollbackComplete => (FailureKind::RolledBack, "the update failed and was rolled back"),
        StackStatus::RollbackFailed | StackStatus::UpdateRollbackFailed => {
            (FailureKind::RollbackFailed, "it failed, and rolling back failed too")
        }
        StackStatus::CreateFailed | StackStatus::UpdateFailed => {
            (FailureKind::RollbackFailed, "it failed, and nothing was rolled back")
        }
        StackStatus::DeleteFailed => (FailureKind::DeleteFailed, "some resources could not be deleted"),
        StackStatus::DeleteComplete => (FailureKind::Stale, "the stack was deleted meanwhile"),
        _ => (FailureKind::Stale, "the stack was left in another state than asked for"),
    }
}
