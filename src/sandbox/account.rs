//! The state of the account, and how calls reach it.
//!
//! [`AccountState`] is what is saved, and follows from the calls alone; [`Core`] is the running process around it:
//! the timer, the count of calls, the buckets, the journal.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{
    call::{JournalEntry, Mutation, MutationOutcome},
    clock::{Pace, Sleepers, Timer},
    faults::{Faults, InjectedRefusal},
    place::AccountRegion,
    queue::{Due, DueAction, Queue},
    resource::Object,
    settings::SandboxSettings,
    stack::{STACK_TYPE, SpentToken, StackState, StoredEvent},
    state::{Journal, StateError},
    throttle::TokenBuckets,
};
use crate::cloud::{CloudErrorKind, ResourceStatus, StackStatus, Timestamp};

/// What is saved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccountState {
    pub(crate) settings: SandboxSettings,
    pub(crate) now: Timestamp,
    pub(crate) stacks: Vec<StackState>,
    pub(crate) queue: Queue,
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) faults: Faults,
    /// Who exports what: place and name to stack and value.
    pub(crate) exports: BTreeMap<String, (usize, String)>,
    /// By place and stack name: the request tokens that were ever used.
    pub(crate) tokens: BTreeMap<String, BTreeMap<String, SpentToken>>,
    #[serde(skip)]
    pub(crate) index: Index,
}

/// Ways to find stacks; follows from the stacks.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By place, then name: stacks that are not deleted.
    pub(crate) live: HashMap<AccountRegion, BTreeMap<String, usize>>,
    /// By place, in order of creation, deleted ones included.
    pub(crate) all: HashMap<AccountRegion, Vec<usize>>,
    pub(crate) by_id: HashMap<String, usize>,
    /// Stacks by the id of a change set they have or had.
    pub(crate) change_sets: HashMap<String, usize>,
    /// How many stacks of a name there were.
    pub(crate) births: HashMap<String, u32>,
}

impl AccountState {
    pub(crate) fn new(settings: SandboxSettings) -> Self {
        let now = settings.start;
        Self {
            settings,
            now,
            stacks: Vec::new(),
            queue: Queue::default(),
            objects: BTreeMap::new(),
            faults: Faults::default(),
            exports: BTreeMap::new(),
            tokens: BTreeMap::new(),
            index: Index::default(),
        }
    }

    /// Makes the index again after loading.
    pub(crate) fn reindex(&mut self) {
        self.index = Index::default();
        for number in 0..self.stacks.len() {
            self.index_stack(number);
        }
    }

    pub(crate) fn index_stack(&mut self, number: usize) {
        let stack = &self.stacks[number];
        let place = stack.place.clone();
        *self.index.births.entry(format!("{place}/{}", stack.name)).or_default() += 1;
        self.index.by_id.insert(stack.id.clone(), number);
        self.index.all.entry(place.clone()).or_default().push(number);
        if !stack.status.is_deleted() {
            self.index.live.entry(place).or_default().insert(stack.name.clone(), number);
        }
        for id in stack.change_set_names.keys() {
            self.index.change_sets.insert(id.clone(), number);
        }
    }

    /// A stack that is not deleted, by name, or any stack by id.
    pub(crate) fn find(&self, place: &AccountRegion, name_or_id: &str) -> Option<usize> {
        match name_or_id.starts_with("arn:") {
            true => self.index.by_id.get(name_or_id).copied(),
            false => self.index.live.get(place)?.get(name_or_id).copied(),
        }
    }

    /// Moves to `to`, firing what comes due on the way; returns whether anything did.
    pub(crate) fn advance(&mut self, to: Timestamp) -> bool {
        let mut fired = false;
        while let Some((at, due)) = self.queue.pop(to) {
            self.now = at;
            fired |= self.fire(due);
        }
        self.now = self.now.max(to);
        fired
    }

    fn fire(&mut self, due: Due) -> bool {
        if let DueAction::ChangeSet(id) = &due.what {
            self.finish_change_set(due.stack, id);
            return true;
        }
        let current = self.stacks[due.stack].serial == due.serial;
        if current {
            self.work(due.stack, due.what);
        }
        current
    }

    /// Sets the status of a stack, with an event.
    pub(crate) fn set_status(&mut self, number: usize, status: StackStatus, reason: Option<String>) {
        let stack = &mut self.stacks[number];
        stack.events.push(StoredEvent {
            at: self.now,
            logical_id: stack.name.clone(),
            resource_type: STACK_TYPE.to_owned(),
            physical_id: Some(stack.id.clone()),
            status: ResourceStatus::from(status.as_str()),
            reason: reason.clone(),
            operation: stack.operations.len().saturating_sub(1),
        });
        stack.status = status;
        stack.reason = reason;
    }

    fn perform(&mut self, place: &AccountRegion, call: Mutation) -> Result<MutationOutcome, CloudErrorKind> {
        match call {
            Mutation::CreateStack { name, submission, disable_rollback, termination_protection, token } => self
                .create_stack(place, name, submission, disable_rollback, termination_protection, token)
                .map(MutationOutcome::Stack),
            Mutation::CreateChangeSet { stack, name, create, submission, previous, token } => {
                let submission = self.with_previous(place, &stack, create, submission, &previous)?;
                self.create_change_set(place, &stack, name, create, submission, token).map(MutationOutcome::ChangeSet)
            }
            Mutation::ExecuteChangeSet { change_set, disable_rollback, token } => {
                self.execute_change_set(&change_set, disable_rollback, token).map(|()| MutationOutcome::Nothing)
            }
            Mutation::DeleteChangeSet { change_set } => {
                self.delete_change_set(&change_set).map(|()| MutationOutcome::Nothing)
            }
            Mutation::DeleteStack { stack, token } => {
                self.delete_stack(place, &stack, token).map(|()| MutationOutcome::Nothing)
            }
            Mutation::Protect { stack, on } => self.protect(place, &stack, on).map(MutationOutcome::Stack),
            Mutation::Inject { fault } => {
                self.faults.add(fault);
                Ok(MutationOutcome::Nothing)
            }
            Mutation::Refuse { operation } => {
                self.faults.refuse(&operation);
                Ok(MutationOutcome::Nothing)
            }
            Mutation::Lose { operation } => {
                self.faults.lose(&operation);
                Ok(MutationOutcome::Nothing)
            }
            Mutation::Tick => Ok(MutationOutcome::Nothing),
        }
    }

    /// Replays a journal entry.
    pub(crate) fn replay(&mut self, entry: JournalEntry) -> Result<(), CloudErrorKind> {
        self.advance(entry.at);
        self.perform(&entry.place, entry.call).map(|_| ())
    }
}

/// The account in a running process.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) state: AccountState,
    pub(crate) timer: Timer,
    pub(crate) sleepers: Sleepers,
    pub(crate) calls: BTreeMap<String, u64>,
    buckets: TokenBuckets,
    journal: Option<Journal>,
}

impl Core {
    pub(crate) fn new(state: AccountState, pace: Pace, journal: Option<Journal>) -> Self {
        let timer = Timer::new(pace, state.now);
        let (calls, buckets) = (BTreeMap::new(), TokenBuckets::default());
        Self { state, timer, sleepers: Sleepers::default(), calls, buckets, journal }
    }

    /// Receives a call: counts it, catches up with time, and perhaps refuses it before it is read.
    pub(crate) fn enter(&mut self, operation: &'static str, place: &AccountRegion) -> Result<(), CloudErrorKind> {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        self.sleepers.activity += 1;
        self.catch_up();
        let now = self.state.now;
        if let Some(limits) = &self.state.settings.throttle
            && !self.buckets.admit(limits, place, operation, now)
        {
            return Err(CloudErrorKind::Throttled("Rate exceeded".to_owned()));
        }
        let Some(refusal) = self.state.faults.refuse(operation) else { return Ok(()) };
        let entry = self.entry(place, Mutation::Refuse { operation: operation.to_owned() });
        self.write(&entry)?;
        Err(match refusal {
            InjectedRefusal::Silent => CloudErrorKind::Unreachable("nothing came for 30 seconds".to_owned()),
            InjectedRefusal::Throttled => CloudErrorKind::Throttled("Rate exceeded".to_owned()),
            InjectedRefusal::Failed(text) => failure(text),
        })
    }

    /// Brings the account up to the time of its timer.
    pub(crate) fn catch_up(&mut self) {
        self.step_to(self.timer.now());
    }

    /// Moves time forward to `to`; never back.
    pub(crate) fn step_to(&mut self, to: Timestamp) {
        if to > self.timer.now() {
            self.timer.set(to);
        }
        if self.state.advance(to) {
            let entry = self.entry(&AccountRegion::default(), Mutation::Tick);
            // What is not written is fired again by the next process.
            let _ = self.write(&entry);
        }
    }

    pub(crate) fn entry(&self, place: &AccountRegion, call: Mutation) -> JournalEntry {
        JournalEntry { at: self.state.now, place: place.clone(), call }
    }

    /// Does the call, and writes it down if it was accepted.
    pub(crate) fn perform(&mut self, entry: JournalEntry) -> Result<MutationOutcome, CloudErrorKind> {
        let answer = self.state.perform(&entry.place, entry.call.clone())?;
        self.write(&entry)?;
        let operation = entry.call.operation();
        if self.state.faults.lose(operation) {
            self.write(&self.entry(&entry.place, Mutation::Lose { operation: operation.to_owned() }))?;
            return Err(CloudErrorKind::Unreachable("the connection was closed".to_owned()));
        }
        Ok(answer)
    }

    fn write(&mut self, entry: &JournalEntry) -> Result<(), CloudErrorKind> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.append(entry).map_err(|error| CloudErrorKind::ServiceFault(error.to_string()))
    }

    pub(crate) fn save(&mut self) -> Result<(), StateError> {
        match &mut self.journal {
            Some(journal) => journal.compact(&self.state),
            None => Ok(()),
        }
    }
}

/// An injected failure, read like the service's own.
fn failure(text: String) -> CloudErrorKind {
    match text.split_once(": ") {
        Some(("AccessDenied", message)) => CloudErrorKind::AccessDenied(message.to_owned()),
        Some(("Throttling", message)) => CloudErrorKind::Throttled(message.to_owned()),
        Some(("LimitExceededException", message)) => CloudErrorKind::LimitExceeded(message.to_owned()),
        Some(("ValidationError", message)) => CloudErrorKind::from_validation_text(message),
        Some(("Unreachable", message)) => CloudErrorKind::Unreachable(message.to_owned()),
        Some(("Unreadable", message)) => CloudErrorKind::Unreadable(message.to_owned()),
        Some(("ExpiredToken", message)) => CloudErrorKind::NoCredentials(message.to_owned()),
        _ => CloudErrorKind::ServiceFault(text),
    }
}
