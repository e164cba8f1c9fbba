//! What is told while a plan is carried out, and what is left to say at the end.

use serde::{Deserialize, Serialize};

use crate::{
    cloud::{ResourceStatus, Retrying, StackRef, StackStatus, Timestamp},
    diagnostic::Position,
    plan::Action,
};

/// Something that happened, in the order it was learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
pub enum Event {
    /// The first word.
    Started {
        /// When.
        at: Timestamp,
        /// How many stacks have something to do.
        stacks: usize,
    },
    /// An operation of a step begins.
    OperationStarted {
        /// The stack.
        stack: StackRef,
        /// What happens to it.
        action: Action,
        /// What this operation does, as `create`, `update, phase 2 of 3: move the endpoint`.
        operation: String,
        /// When.
        at: Timestamp,
    },
    /// The stack moved.
    Status {
        /// The stack.
        stack: StackRef,
        /// Where it stands.
        status: StackStatus,
        /// When.
        at: Timestamp,
    },
    /// A resource moved.
    Resource {
        /// The stack.
        stack: StackRef,
        /// The logical id.
        logical_id: String,
        /// The resource type.
        resource_type: String,
        /// Where it stands.
        status: ResourceStatus,
        /// Why, where the service says.
        reason: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Nothing can be done for a stack just now.
    Waiting {
        /// The stack.
        stack: StackRef,
        /// For what.
        on: Waiting,
        /// When.
        at: Timestamp,
    },
    /// A call has not worked for a while, and is made again.
    Retrying {
        /// The stack it is for; none where it is for all of them.
        stack: Option<StackRef>,
        /// Which, since when, and why.
        call: Retrying,
        /// When.
        at: Timestamp,
    },
    /// A call that had not worked for a while was answered or given up.
    Retried {
        /// The stack it was for; none where it was for all of them.
        stack: Option<StackRef>,
        /// Which, and how often it was tried.
        call: Retrying,
        /// Was it answered?
        worked: bool,
        /// When.
        at: Timestamp,
    },
    /// A step is over.
    Settled {
        /// The stack.
        stack: StackRef,
        /// How it ended.
        result: StepResult,
        /// When.
        at: Timestamp,
    },
    /// Nothing new was learnt, but time went on; for those who draw.
    Tick {
        /// When.
        at: Timestamp,
    },
    /// The user asked to stop: nothing new is started.
    Interrupted {
        /// When.
        at: Timestamp,
    },
    /// The last word.
    Finished {
        /// When.
        at: Timestamp,
        /// Calls made, all operations together.
        calls: u64,
    },
}

/// What a stack waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Waiting {
    /// Other stacks, to land.
    Stacks(Vec<StackRef>),
    /// A free place among those that run.
    Turn,
    /// The change set, to be computed.
    ChangeSet,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum StepResult {
    /// It landed, or the endpoint was found as it should be.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It failed.
    Failed(Box<Failure>),
    /// Something it needs failed; reported once, without a cause of its own.
    Blocked {
        /// What failed.
        by: StackRef,
    },
    /// What comes first landed, but the shared role was not narrowed to what is wanted.
    Wide {
        /// What uses the role and did not land; none where the user interrupted.
        by: Option<StackRef>,
    },
    /// Never begun, because the user interrupted.
    NotStarted,
    /// Begun and left to AWS, because the user did not want to wait.
    LeftRunning {
        /// What runs, as `update, phase 2 of 3`.
        operation: String,
        /// Where the stack stood when it was last looked at.
        status: Option<StackStatus>,
    },
}

/// A failure of the world: the operation, the stack, and the cause in the words of the failed resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What kind, so that advice can be chosen.
    pub kind: FailureKind,
    /// What was attempted, as `update, phase 2 of 3`.
    pub operation: String,
    /// Where the stack was left, where it is known.
    pub status: Option<StackStatus>,
    /// What went wrong, in one sentence.
    pub message: String,
    /// The resource that failed first.
    pub cause: Option<Cause>,
    /// Resources that could not be brought back, where an update and its rollback failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback: Vec<Cause>,
    /// The stack's endpoint, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What was put back, or left, in sentences.
    pub notes: Vec<String>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// A resource failed, and the service rolled back.
    RolledBack,
    /// A resource failed, and rolling back failed too.
    RollbackFailed,
    /// Deleting failed.
    DeleteFailed,
    /// The stack is complete but the endpoint runs another configuration.
    SilentRollback,
    /// The endpoint is not in service.
    EndpointUnhealthy,
    /// The stack changed since the plan was made.
    Stale,
    /// The change set does more than was announced; it is left for reading.
    Gate,
    /// The service refused the request.
    Refused,
    /// A quota of CloudFormation is used up.
    QuotaExceeded,
    /// The caller may not do this.
    AccessDenied,
    /// There are no valid credentials.
    NoCredentials,
    /// This machine's clock is not AWS's.
    ClockSkew,
    /// No answer, or too many faults.
    Unreachable,
    /// The credentials lead to another account than the plan was made for.
    WrongAccount,
    /// It landed, but something was left behind that may bill.
    Leftover,
}

/// A resource that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// The service's words.
    pub reason: String,
    /// The manifest line it came from.
    pub position: Option<Position>,
    /// The manifest field it came from.
    pub field: Option<String>,
}

/// How everything ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Every step with how it ended, in the plan's order.
    pub results: Vec<(StackRef, StepResult)>,
    /// The user asked to stop.
    pub interrupted: bool,
}

impl Outcome {
    /// Did everything land?
    pub fn succeeded(&self) -> bool {
        !self.interrupted
            && self.results.iter().all(|(_, result)| matches!(result, StepResult::Done | StepResult::Unchanged))
    }
}
