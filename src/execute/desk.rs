//! The desk every call goes over: one queue and one rate per target and action, retries included.
//!
//! Whoever asks hears of a call once, when it worked or when it is given up.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{
    Answer, Call, CallId, Command,
    backoff::{Budget, FAULT_TRIES, THROTTLE_TRIES, pause},
};
use crate::cloud::{CloudErrorKind, CloudResult, Target, Timestamp};

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The check of a target's account, by index.
    Account(usize),
    /// The shared poll of a target, by index.
    Sweep(usize),
    /// A step, by index.
    Step(usize),
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is answered.
    Final(Owner, Call, CloudResult<Answer>),
    /// It is tried again; true when AWS asked to slow down for the first time.
    Again(Owner, bool),
    /// Nobody asked.
    Nothing,
}

#[derive(Debug)]
struct Slip {
    owner: Owner,
    target: usize,
    call: Call,
    tries: u32,
    pause: Option<Duration>,
}

#[derive(Debug)]
struct Lane {
    budget: Budget,
    queue: VecDeque<Slip>,
    later: Vec<(Timestamp, Slip)>,
}

#[derive(Debug)]
pub(super) struct Desk {
    targets: Vec<Target>,
    lanes: BTreeMap<(usize, &'static str), Lane>,
    open: BTreeMap<CallId, Slip>,
    rng: fastrand::Rng,
    made: u64,
    closed: bool,
}

impl Desk {
    pub(super) fn new(targets: Vec<Target>, seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { targets, lanes: BTreeMap::new(), open: BTreeMap::new(), rng, made: 0, closed: false }
    }

    /// Puts a call into its queue.
    pub(super) fn ask(&mut self, owner: Owner, target: usize, call: Call, now: Timestamp) {
        if !self.closed {
            self.lane(target, call.action(), now).queue.push_back(Slip { owner, target, call, tries: 0, pause: None });
        }
    }

    fn lane(&mut self, target: usize, action: &'static str, now: Timestamp) -> &mut Lane {
        let new = || Lane { budget: Budget::new(now), queue: VecDeque::new(), later: Vec::new() };
        self.lanes.entry((target, action)).or_insert_with(new)
    }

    /// The calls that may be made now.
    pub(super) fn release(&mut self, now: Timestamp) -> Vec<Command> {
        let mut commands = Vec::new();
        for lane in self.lanes.values_mut() {
            lane.wake(now);
            while !lane.queue.is_empty() && lane.budget.take(now) {
                let Some(mut slip) = lane.queue.pop_front() else { break };
                slip.tries += 1;
                self.made += 1;
                let id = CallId(self.made);
                let target = self.targets[slip.target].clone();
                commands.push(Command::Call { id, target, call: slip.call.clone() });
                self.open.insert(id, slip);
            }
        }
        commands
    }

    /// Takes an answer: the asker's, or a reason to try again.
    pub(super) fn answered(&mut self, id: CallId, result: CloudResult<Answer>, now: Timestamp) -> Heard {
        let Some(slip) = self.open.remove(&id) else { return Heard::Nothing };
        let kind = result.as_ref().err().map(|error| error.kind.clone());
        let throttled = matches!(kind, Some(CloudErrorKind::Throttled(_)));
        let budget = &mut self.lane(slip.target, slip.call.action(), now).budget;
        if throttled {
            budget.throttled(now);
        } else {
            budget.worked();
        }
        let tries = if throttled { THROTTLE_TRIES } else { FAULT_TRIES };
        if self.closed || slip.tries >= tries || !kind.is_some_and(|kind| kind.is_transient()) {
            return Heard::Final(slip.owner, slip.call, result);
        }
        self.again(slip, throttled, now)
    }

    fn again(&mut self, mut slip: Slip, throttled: bool, now: Timestamp) -> Heard {
        let pause = pause(&mut self.rng, slip.pause);
        let heard = Heard::Again(slip.owner, throttled && slip.tries == 1);
        slip.pause = Some(pause);
        self.lane(slip.target, slip.call.action(), now).later.push((now.plus(pause), slip));
        heard
    }

    /// When there is something to release, if nothing happens before.
    pub(super) fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        self.lanes.values().filter_map(|lane| lane.deadline(now)).min()
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
        self.open.values().any(|slip| slip.call.is_mutating())
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
        let due: Vec<(Timestamp, Slip)> = due;
        for (_, slip) in due.into_iter().rev() {
            self.queue.push_front(slip);
        }
    }

    fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let queued = (!self.queue.is_empty()).then(|| self.budget.next(now));
        let later = self.later.iter().map(|(at, _)| *at).min();
        queued.into_iter().chain(later).min()
    }
}
