//! Where one step stands while the plan is carried out.

use std::collections::BTreeMap;

use super::{Failure, StepResult, Waiting, history::History};
use crate::{
    cloud::{Stack, StackStatus, Tags, Timestamp},
    plan::{Operation, Step},
};

/// What a step is doing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// It waits for others, or for its turn.
    Waiting,
    /// The stack is described before an operation.
    Inspecting,
    /// A stack of the name to be created was met; it is described.
    Meeting,
    /// Events are read to learn whose operation runs.
    Recognising,
    /// A call that changes something is on its way.
    Sending,
    /// A change set is being computed.
    Computing(ChangeSetWatch),
    /// A change set of this ARN may be executed, if the stack it was computed upon is still the one that was known.
    Confirming(String),
    /// The operation runs; the stack is polled.
    Running,
    /// The operation is over; its events are being read.
    Reading,
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

/// How the change set at hand came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It was just made.
    Made,
    /// One of its name was there: is it the same?
    Named,
    /// One was there that was made of something else.
    Other,
    /// It goes, and is made anew.
    Dropped,
}

/// A change set that is being computed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChangeSetWatch {
    /// Its ARN.
    pub(super) arn: String,
    /// When it was asked for.
    pub(super) since: Timestamp,
}

/// One step on its way.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) state: State,
    /// Index of the operation.
    pub(super) operation: usize,
    /// The failure whose traces are being removed by the restoring operation.
    pub(super) restoring: Option<Box<Failure>>,
    /// The stack as it was last described.
    pub(super) stack: Option<Stack>,
    /// As of when.
    pub(super) seen: Option<Timestamp>,
    /// The stack's id, as soon as it is known.
    pub(super) id: Option<String>,
    /// Id and time of last change that the next intent is made of.
    pub(super) basis: Option<(String, Timestamp)>,
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
    pub(super) history: History,
    /// A DescribeStacks is on its way.
    pub(super) describing: bool,
    /// The change set removes or replaces something, so something may be left behind.
    pub(super) may_leave: bool,
    /// The status it ended in; said when its resources had their say.
    pub(super) ended: Option<StackStatus>,
    /// The operation ended as it was to end.
    pub(super) wanted: bool,
    /// Events were being read when the stack settled: they are read once more.
    pub(super) reread: bool,
    /// How the change set came to be.
    pub(super) found: Found,
    /// The change set was made anew once.
    pub(super) remade: bool,
    /// Parameters and tags that were sent with the change set.
    pub(super) sent_values: (BTreeMap<String, String>, Tags),
    /// Why the events could not be read at the end.
    pub(super) unread: Option<String>,
    /// What went wrong, kept while something is cleared up or looked at first.
    pub(super) setback: Option<Box<Failure>>,
    /// What was left behind by an operation that landed.
    pub(super) scar: Option<Box<Failure>>,
    /// When the operation was accepted.
    pub(super) sent: Timestamp,
    /// When it is to be looked at next.
    pub(super) look: Timestamp,
    /// Nobody has looked at it since the operation began to run.
    pub(super) unseen: bool,
    /// When it was last described while the operation ran.
    pub(super) described: Option<Timestamp>,
    /// Somebody watches its resources.
    pub(super) drawn: bool,
    /// What the way back that is under way puts back, where the plan says.
    pub(super) back: Option<String>,
    /// Something was changed.
    pub(super) acted: bool,
    /// It counts among those worked on.
    pub(super) has_turn: bool,
    pub(super) waiting: Option<Waiting>,
    pub(super) result: Option<StepResult>,
}

impl Track {
    pub(super) fn new(step: &Step) -> Self {
        let basis = step.observed.as_ref().map(|observed| (observed.id.clone(), observed.changed_at));
        Self {
            state: State::Waiting,
            operation: 0,
            restoring: None,
            stack: None,
            seen: None,
            id: step.observed.as_ref().map(|observed| observed.id.clone()),
            basis,
            intent: String::new(),
            attempt: 0,
            theirs: false,
            began: Timestamp(0),
            status: step.observed.as_ref().map(|observed| observed.status.clone()),
            history: History::default(),
            describing: false,
            may_leave: false,
            ended: None,
            wanted: false,
            reread: false,
            found: Found::Made,
            remade: false,
            sent_values: Default::default(),
            unread: None,
            setback: None,
            scar: None,
            sent: Timestamp(0),
            look: Timestamp(0),
            unseen: false,
            described: None,
            drawn: false,
            back: None,
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
        self.state == State::Running
    }

    /// Do the events tell of another status than was last heard?
    pub(super) fn is_behind(&self) -> bool {
        let told = self.history.stack_status();
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
        matches!(self.state, State::Running | State::Reading | State::Asking { .. })
    }

    /// Did the stack go?
    pub(super) fn is_gone(&self) -> bool {
        self.status == Some(StackStatus::DeleteComplete)
    }

    /// The next intent is made of the stack as it stands.
    pub(super) fn settle_basis(&mut self) {
        self.basis = self.stack.as_ref().map(|stack| (stack.id.clone(), stack.changed_at()));
    }
}
