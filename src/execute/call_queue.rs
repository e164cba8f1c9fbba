//! Every call goes through here: one queue and one rate per target and action, retries included.
//!
//! Whoever asks hears of a call once, when it worked or when it is given up. That one has not worked for a while is
//! told beside that.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{
    Answer, Call, CallId, Command,
    backoff::{FAULT_TRIES, RateBudget, THROTTLE_TRIES, pause},
};
use crate::cloud::{CloudResult, Patience, Target, Timestamp, Trouble};

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The check of a target's account, by index.
    Account(usize),
    /// The shared poll of a target, by index.
    Poll(usize),
    /// A step, by index.
    Step(usize),
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum CallOutcome {
    /// It is answered.
    Final(Asker, Call, CloudResult<Answer>),
    /// It is tried again, or nobody asked.
    Nothing,
}

/// What is told of a call that has not worked for a while.
#[derive(Debug)]
pub(super) struct RetryNotice {
    pub(super) owner: Asker,
    pub(super) target: usize,
    pub(super) operation: &'static str,
    pub(super) trouble: Trouble,
    pub(super) since: Timestamp,
    pub(super) tries: u32,
    pub(super) most: u32,
    /// At the end: did it work?
    pub(super) worked: Option<bool>,
}

#[derive(Debug)]
struct PendingCall {
    owner: Asker,
    target: usize,
    call: Call,
    pause: Option<Duration>,
    /// Since it was first made.
    since: Option<(Timestamp, Patience)>,
    /// What kept it from working last; as long as nothing did, that there is no answer.
    trouble: Trouble,
    throttles: u32,
    faults: u32,
}

impl PendingCall {
    fn new(owner: Asker, target: usize, call: Call) -> Self {
        let trouble = Trouble::NoAnswer;
        Self { owner, target, call, pause: None, since: None, trouble, throttles: 0, faults: 0 }
    }

    /// How often it failed as it did last, and how often it may.
    fn failed(&self) -> (u32, u32) {
        match self.trouble {
            Trouble::Throttled => (self.throttles, THROTTLE_TRIES),
            Trouble::NoAnswer | Trouble::Fault => (self.faults, FAULT_TRIES),
        }
    }

    fn fails(&mut self, trouble: Trouble) {
        self.trouble = trouble;
        match trouble {
            Trouble::Throttled => self.throttles += 1,
            Trouble::NoAnswer | Trouble::Fault => self.faults += 1,
        }
    }

    fn word(&self, since: Timestamp, worked: Option<bool>) -> RetryNotice {
        let (failed, most) = self.failed();
        let tries = if worked == Some(false) { failed } else { failed + 1 };
        let (operation, trouble) = (self.call.action(), self.trouble);
        RetryNotice { owner: self.owner, target: self.target, operation, trouble, since, tries, most, worked }
    }

    fn overdue(&mut self, now: Timestamp) -> Option<RetryNotice> {
        let (since, patience) = self.since.as_mut()?;
        let since = *since;
        patience.tells(self.trouble, now).then(|| self.word(since, None))
    }

    fn due(&self) -> Option<Timestamp> {
        self.since.as_ref().map(|(_, patience)| patience.due(self.trouble))
    }

    /// The last word on a call of which there was a first.
    fn ended(&self, worked: bool) -> Option<RetryNotice> {
        let (since, _) = self.since.as_ref().filter(|(_, patience)| patience.has_told())?;
        Some(self.word(*since, Some(worked)))
    }
}

#[derive(Debug)]
struct Lane {
    budget: RateBudget,
    queue: VecDeque<PendingCall>,
    later: Vec<(Timestamp, PendingCall)>,
}

#[derive(Debug)]
pub(super) struct CallQueue {
    targets: Vec<Target>,
    lanes: BTreeMap<(usize, &'static str), Lane>,
    open: BTreeMap<CallId, PendingCall>,
    rng: fastrand::Rng,
    words: Vec<RetryNotice>,
    made: u64,
    closed: bool,
}

impl CallQueue {
    pub(super) fn new(targets: Vec<Target>, seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let (lanes, open, words) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { targets, lanes, open, rng, words, made: 0, closed: false }
    }

    /// Puts a call into its queue.
    pub(super) fn ask(&mut self, owner: Asker, target: usize, call: Call, now: Timestamp) {
        if !self.closed {
            self.lane(target, call.action(), now).queue.push_back(PendingCall::new(owner, target, call));
        }
    }

    fn lane(&mut self, target: usize, action: &'static str, now: Timestamp) -> &mut Lane {
        let new = || Lane { budget: RateBudget::new(now), queue: VecDeque::new(), later: Vec::new() };
        self.lanes.entry((target, action)).or_insert_with(new)
    }

    /// The calls that may be made now.
    pub(super) fn release(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        for lane in self.lanes.values_mut() {
            lane.wake(now);
            while !lane.queue.is_empty() && lane.budget.take(now) {
                let Some(mut pending) = lane.queue.pop_front() else { break };
                pending.since.get_or_insert_with(|| (now, Patience::new(now)));
                self.made += 1;
                let id = CallId(self.made);
                let target = self.targets[pending.target].clone();
                commands.push(Command::Call { id, target, call: pending.call.clone() });
                self.open.insert(id, pending);
            }
        }
        commands
    }

    /// Takes an answer: the asker's, or a reason to try again.
    pub(super) fn answered(&mut self, id: CallId, result: CloudResult<Answer>, now: Timestamp) -> CallOutcome {
        let Some(mut pending) = self.open.remove(&id) else { return CallOutcome::Nothing };
        let trouble = result.as_ref().err().and_then(|error| Trouble::of(&error.kind));
        let budget = &mut self.lane(pending.target, pending.call.action(), now).budget;
        match trouble {
            Some(Trouble::Throttled) => budget.throttled(now),
            _ => budget.worked(),
        }
        if let Some(trouble) = trouble {
            pending.fails(trouble);
        }
        let (failed, most) = pending.failed();
        if self.closed || trouble.is_none() || failed >= most {
            self.words.extend(pending.ended(trouble.is_none()).filter(|_| !self.closed));
            return CallOutcome::Final(pending.owner, pending.call, result);
        }
        self.again(pending, now);
        CallOutcome::Nothing
    }

    fn again(&mut self, mut pending: PendingCall, now: Timestamp) {
        let pause = pause(&mut self.rng, pending.pause);
        pending.pause = Some(pause);
        self.lane(pending.target, pending.call.action(), now).later.push((now.plus(pause), pending));
    }

    /// What is to be told at this time.
    pub(super) fn words(&mut self, now: Timestamp) -> Vec<RetryNotice> {
        let waiting = self.lanes.values_mut().flat_map(|lane| {
            let later = lane.later.iter_mut().map(|(_, pending)| pending);
            lane.queue.iter_mut().chain(later)
        });
        let overdue = self.open.values_mut().chain(waiting).filter_map(|pending| pending.overdue(now));
        self.words.extend(overdue);
        std::mem::take(&mut self.words)
    }

    /// When there is something to release or to tell, if nothing happens before.
    pub(super) fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let released = self.lanes.values().filter_map(|lane| lane.deadline(now));
        let told = self.open.values().filter_map(PendingCall::due);
        released.chain(told).min()
    }

    /// How many calls were made.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Is a call on its way?
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Is a call on its way that changes something?
    pub(super) fn is_changing(&self) -> bool {
        self.open.values().any(|pending| pending.call.is_mutating())
    }

    /// Forgets what was not sent and takes nothing more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.lanes.clear();
    }
}

impl Lane {
    fn wake(&mut self, now: Timestamp) {
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = later;
        let due: Vec<(Timestamp, PendingCall)> = due;
        for (_, pending) in due.into_iter().rev() {
            self.queue.push_front(pending);
        }
    }

    fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let queued = (!self.queue.is_empty()).then(|| self.budget.next(now));
        let later = self.later.iter().map(|(at, _)| *at);
        let told = self.queue.iter().chain(self.later.iter().map(|(_, pending)| pending)).filter_map(PendingCall::due);
        queued.into_iter().chain(later).chain(told).min()
    }
}
