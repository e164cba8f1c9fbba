//! What happened in a stack, and which of it is the cause.

use serde::{Deserialize, Serialize};

use super::{Reason, ResourceStatus, StackStatus, Timestamp};

/// One row of DescribeStackEvents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvent {
    /// Unique in the stack.
    pub id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The logical id; the stack's own name for events of the stack itself.
    pub logical_id: String,
    /// The physical id; for the stack itself its ARN.
    pub physical_id: Option<String>,
    /// The resource type; `AWS::CloudFormation::Stack` for the stack itself.
    pub resource_type: String,
    /// Where the resource, or the stack, stands.
    pub status: ResourceStatus,
    /// Why, where the service says.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The ClientRequestToken of the operation that caused it.
    pub token: Option<String>,
    /// The operation it belongs to, where the service says.
    pub operation_id: Option<String>,
}

impl StackEvent {
    /// Does this row speak of the stack itself?
    pub fn is_of_stack(&self) -> bool {
        self.resource_type == "AWS::CloudFormation::Stack" && self.physical_id.as_deref() == Some(&self.stack_id)
    }

    /// Where the stack stands by it; none where it speaks of a resource.
    pub fn stack_status(&self) -> Option<StackStatus> {
        self.is_of_stack().then(|| StackStatus::from(self.status.as_str()))
    }

    /// Does the stack begin here to take an update back?
    pub fn begins_rollback(&self) -> bool {
        self.stack_status() == Some(StackStatus::UpdateRollbackInProgress)
    }
}

/// The first real failure of an operation, given its events oldest first: summaries of the stack and siblings
/// that were cancelled because of it do not count.
pub fn root_cause<'a>(events: impl IntoIterator<Item = &'a StackEvent>) -> Option<&'a StackEvent> {
    events.into_iter().find(|event| {
        let cancelled = matches!(event.reason.as_deref().map(Reason::read), Some(Reason::Cancelled));
        event.status.is_failure() && event.resource_type != "AWS::CloudFormation::Stack" && !cancelled
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical_id: &str, resource_type: &str, status: &str, reason: &str) -> StackEvent {
        StackEvent {
            id: logical_id.into(),
            stack_id: "arn:stack".into(),
            logical_id: logical_id.into(),
            physical_id: None,
            resource_type: resource_type.into(),
            status: status.into(),
            reason: Some(reason.into()),
            at: Timestamp(0),
            token: None,
            operation_id: None,
        }
    }

    #[test]
    fn the_cause_is_the_first_failure_that_nobody_cancelled() {
        let events = [
            event("s", "AWS::CloudFormation::Stack", "CREATE_FAILED", "The following resource(s) failed"),
            event("Sibling", "AWS::IAM::Role", "CREATE_FAILED", "Resource creation cancelled"),
            event("Model", "AWS::SageMaker::Model", "CREATE_FAILED", "no such image"),
            event("Later", "AWS::SageMaker::Endpoint", "CREATE_FAILED", "another"),
        ];
        assert_eq!(root_cause(&events).map(|e| e.logical_id.as_str()), Some("Model"));
    }
}
