//! Where one step stands while the plan is carried out.

use std::collections::BTreeMap;

use super::{Failure, StepResult, Waiting, event_log::EventLog, settle::Undone};
use crate::{
    cloud::{Stack, StackStatus, Tags, Timestamp},
    plan::{Operation, Step},
};

/// What a step is doing, with what is known only while it does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// It waits for others, or for its turn.
    Waiting,
    /// The stack is described before an operation.
    Inspecting,
    /// A stack is described that was met under the name to be created, or after a change that may have been accepted.
    Meeting(PendingFailure),
    /// Events are read to learn whose operation runs.
    Recognising(PendingFailure),
    /// A call that changes something is on its way.
    Sending,
    /// A change set is asked for, or looked for among those of the stack.
    Requesting(Requesting),
    /// A change set is being computed.
    Computing(ChangeSetWatch),
    /// A change set of this ARN may be executed, if the stack it was computed upon is still the one that was known.
    Confirming(String),
    /// A change set of no use goes.
    Dropping(AfterDrop),
    /// The operation runs; the stack is polled.
    Running(Running),
    /// The operation is over; its events are being read.
    Reading(EventReading),
    /// A check is asked.
    Asking {
        /// Which of the step's.
        check: usize,
        /// Since when it is asked.
        since: Timestamp,
    },
    /// Nothing more happens.
    Over,
}

/// What went wrong, where something is cleared up or looked at before it counts.
pub(super) type PendingFailure = Option<Box<Failure>>;

/// What a change set was asked for with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Requested {
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) tags: Tags,
}

/// A change set that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Requesting {
    pub(super) requested: Requested,
    /// What is made of one that is found in its place.
    pub(super) found: ChangeSetOrigin,
    pub(super) pending: PendingFailure,
}

/// How the change set at hand came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeSetOrigin {
    /// It was just made.
    Made,
    /// One of its name was there: is it the same?
    Named,
    /// One was there that was made of something else.
    Other,
}

/// A change set that is being computed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChangeSetWatch {
    /// Its ARN.
    pub(super) arn: String,
    /// When it was asked for.
    pub(super) since: Timestamp,
    pub(super) requested: Requested,
    pub(super) found: ChangeSetOrigin,
}

/// What follows when a change set is gone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AfterDrop {
    /// It is made anew.
    Anew,
    /// There was nothing to change.
    Landed,
    /// The operation failed.
    Failed(PendingFailure),
}

/// A running operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    /// When it was accepted.
    pub(super) since: Timestamp,
    /// When it is to be looked at next by a call of its own.
    pub(super) look: Timestamp,
    /// Nobody has looked at it.
    pub(super) unseen: bool,
    /// When it was last described.
    pub(super) described: Option<Timestamp>,
}

/// An operation that is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventReading {
    /// The status it ended in; said when its resources had their say.
    pub(super) ended: StackStatus,
    /// It ended as it was to end.
    pub(super) wanted: bool,
    /// Events were being read when the stack settled: they are read once more.
    pub(super) reread: bool,
    /// Why the events could not be read.
    pub(super) unread: Option<String>,
}

/// The way back, which is under way.
#[derive(Debug)]
pub(super) struct Restoring {
    /// The failure whose traces are removed.
    pub(super) failure: Box<Failure>,
    /// What is put back.
    pub(super) undone: Undone,
}

/// One step on its way.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) state: State,
    /// Index of the operation.
    pub(super) operation: usize,
    /// The operation at hand is the one that restores.
    pub(super) restoring: Option<Restoring>,
    /// The stack as it was last described.
    pub(super) stack: Option<Stack>,
    /// As of when.
    pub(super) seen: Option<Timestamp>,
    /// The stack's id, as soon as it is known.
    pub(super) id: Option<String>,
    /// Id and time of last change that the next intent is made of.
    pub(super) base: Option<(String, Timestamp)>,
    /// The name of what is to be done, and of its change set.
    pub(super) intent: String,
    /// How many requests of their own were made, this one included.
    pub(super) attempt: u32,
    /// Another run, with the same intent, had the change set executed.
    pub(super) theirs: bool,
    /// When the operation began.
    pub(super) began: Timestamp,
    /// The status last reported.
    pub(super) status: Option<StackStatus>,
    pub(super) log: EventLog,
    /// A DescribeStacks is on its way.
    pub(super) describing: bool,
    /// The change set removes or replaces something, so something may be left behind.
    pub(super) may_leave: bool,
    /// The change set was made anew once.
    pub(super) remade: bool,
    /// What was left behind by an operation that landed.
    pub(super) leftover: Option<Box<Failure>>,
    /// Somebody watches its resources.
    pub(super) watched: bool,
    /// Something was changed.
    pub(super) acted: bool,
    /// It counts among those worked on.
    pub(super) has_turn: bool,
    pub(super) waiting: Option<Waiting>,
    pub(super) result: Option<StepResult>,
}

impl Track {
    pub(super) fn new(step: &Step) -> Self {
        let base = step.observed.as_ref().map(|observed| (observed.id.clone(), observed.changed_at));
        Self {
            state: State::Waiting,
            operation: 0,
            restoring: None,
            stack: None,
            seen: None,
            id: step.observed.as_ref().map(|observed| observed.id.clone()),
            base,
            intent: String::new(),
            attempt: 0,
            theirs: false,
            began: Timestamp(0),
            status: step.observed.as_ref().map(|observed| observed.status.clone()),
            log: EventLog::default(),
            describing: false,
            may_leave: false,
            remade: false,
            leftover: None,
            watched: false,
            acted: false,
            has_turn: false,
            waiting: None,
            result: None,
        }
    }

    /// The operation at hand; none after the last.
    pub(super) fn current<'a>(&self, step: &'a Step) -> Option<&'a Operation> {
        match self.restoring {
            Some(_) => step.restore.as_ref(),
            None => step.operations.get(self.operation),
        }
    }

    /// Is the stack polled?
    pub(super) fn is_polled(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// The operation, while it runs.
    pub(super) fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// The operation, while it runs.
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match &mut self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// Takes what went wrong before, while it does not count yet.
    pub(super) fn take_pending(&mut self) -> PendingFailure {
        match &mut self.state {
            State::Meeting(pending) | State::Recognising(pending) => pending.take(),
            State::Requesting(requesting) => requesting.pending.take(),
            State::Dropping(AfterDrop::Failed(pending)) => pending.take(),
            _ => None,
        }
    }

    /// Do the events tell of another status than was last heard?
    pub(super) fn is_behind(&self) -> bool {
        let told = self.log.stack_status();
        told.is_some() && told != self.status
    }

    /// Takes what DescribeStacks said; a stack that is gone is none.
    pub(super) fn saw(&mut self, stack: Option<Stack>) {
        self.stack = stack;
        match &self.stack {
            Some(stack) => self.id = Some(stack.id.clone()),
            None => self.id = None,
        }
    }

    /// Is an operation of CloudFormation going on, or the endpoint asked?
    pub(super) fn is_underway(&self) -> bool {
        matches!(self.state, State::Running(_) | State::Reading(_) | State::Asking { .. })
    }

    /// Did the stack go?
    pub(super) fn is_gone(&self) -> bool {
        self.status == Some(StackStatus::DeleteComplete)
    }

    /// The next intent is made of the stack as it stands.
    pub(super) fn settle_base(&mut self) {
        self.base = self.stack.as_ref().map(|stack| (stack.id.clone(), stack.changed_at()));
    }
}
