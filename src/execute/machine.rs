//! The machine: what happened goes in, what to do next comes out. Everything is decided here and in its parts.
//!
//! A stack is begun when what it needs has landed and there is a turn for it; a stack that was begun is finished,
//! phases and all, for half a change is worse than none. The parts, each a piece of `Machine`: `account`, `waiting`,
//! `begin` (before an operation, and sending it), `change_set`, `poll` (when running stacks are looked at), `describe`,
//! `settle` (what an operation came to), `checks` and `ending`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use super::{
    Answer, Call, CallId, Command, Event, Input, Settings, Waiting,
    call_queue::{Asker, CallOutcome, CallQueue, RetryNotice},
    describe::Descriptions,
    failure,
    order::Order,
    poll::SharedPoll,
    track::{State, Track},
};
use crate::{
    cloud::{CloudResult, Retrying, StackRef, Target, Timestamp},
    plan::{Operation, Plan, Step},
};

/// See the module.
#[derive(Debug)]
pub struct Machine {
    pub(super) plan: Rc<Plan>,
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
    pub(super) targets: Vec<Target>,
    /// By step: the index of its target.
    pub(super) target_of: Vec<usize>,
    pub(super) tracks: Vec<Track>,
    pub(super) polls: Vec<SharedPoll>,
    pub(super) descriptions: Vec<Descriptions>,
    pub(super) calls: CallQueue,
    pub(super) order: Order,
    /// By lane: what may begin, the longest way first.
    pub(super) ready: Vec<BTreeSet<(Reverse<Duration>, usize)>>,
    /// Those among them that may still be told that they wait for a turn.
    pub(super) newly_ready: Vec<usize>,
    /// By lane: how many stacks are worked on, or only asked.
    pub(super) turns: Vec<usize>,
    /// Steps that were begun and are not over.
    pub(super) active: BTreeSet<usize>,
    /// When a step wants to be looked at.
    pub(super) alarms: BTreeSet<(Timestamp, usize)>,
    /// What stacks put out.
    pub(super) values: BTreeMap<(StackRef, String), String>,
    /// Account checks that are not answered yet; none before they were asked for.
    pub(super) unchecked: Option<usize>,
    pub(super) interrupts: u32,
    pub(super) over: usize,
    pub(super) out: Vec<Command>,
}

impl Machine {
    /// A machine that has done nothing yet.
    pub fn new(plan: Plan, settings: Settings, now: Timestamp) -> Self {
        let order = Order::of(&plan);
        let (targets, target_of) = index_targets(&plan);
        Self {
            tracks: plan.steps.iter().map(Track::new).collect(),
            polls: targets.iter().map(|_| SharedPoll::default()).collect(),
            descriptions: targets.iter().map(|_| Descriptions::default()).collect(),
            calls: CallQueue::new(targets.clone(), settings.seed),
            ready: vec![BTreeSet::new(); 2 * targets.len()],
            newly_ready: Vec::new(),
            turns: vec![0; 2 * targets.len()],
            values: known_values(&plan),
            plan: Rc::new(plan),
            settings,
            now,
            targets,
            target_of,
            order,
            active: BTreeSet::new(),
            alarms: BTreeSet::new(),
            unchecked: None,
            interrupts: 0,
            over: 0,
            out: Vec::new(),
        }
    }

    /// Takes what happened at `now` and says what to do next. The first input is a tick.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Vec<Command> {
        self.now = self.now.max(now);
        match input {
            Input::Answer { id, result } => self.hear(id, result),
            Input::Interrupt => self.interrupt(),
            Input::Tick if self.unchecked.is_none() => self.start(),
            Input::Tick => self.tick(),
        }
        if self.unchecked == Some(0) {
            self.go_on();
        }
        self.ask_descriptions();
        let released = self.calls.release(self.now);
        self.out.extend(released);
        self.tell_tries();
        self.wait_or_end();
        std::mem::take(&mut self.out)
    }

    fn start(&mut self) {
        let plan = Rc::clone(&self.plan);
        let stacks = plan.steps.iter().filter(|step| !step.is_idle()).count();
        self.report(Event::Started { at: self.now, stacks });
        let busy: BTreeSet<usize> = (0..plan.steps.len())
            .filter(|step| !plan.steps[*step].operations.is_empty() || !plan.steps[*step].checks.is_empty())
            .map(|step| self.target_of[step])
            .collect();
        self.unchecked = Some(busy.len());
        for target in busy {
            self.calls.ask(Asker::Account(target), target, Call::Identity, self.now);
        }
        if self.unchecked == Some(0) {
            self.open();
        }
    }

    /// The accounts are those of the plan: everything may begin that waits for nothing.
    pub(super) fn open(&mut self) {
        for index in 0..self.tracks.len() {
            if self.tracks[index].state != State::Waiting {
                continue;
            }
            let plan = Rc::clone(&self.plan);
            let step = &plan.steps[index];
            if step.operations.is_empty() && step.checks.is_empty() {
                self.succeed(index, false);
            } else if self.may_begin(index) {
                self.make_ready(index);
            }
        }
        self.tell_who_waits();
    }

    fn tell_who_waits(&mut self) {
        for index in 0..self.tracks.len() {
            if self.tracks[index].state == State::Waiting && !self.may_begin(index) {
                self.tell_what_it_waits_for(index);
            }
        }
    }

    pub(super) fn make_ready(&mut self, index: usize) {
        self.newly_ready.push(index);
        let lane = self.lane(index);
        self.ready[lane].insert((Reverse(self.order.path[index]), index));
    }

    fn go_on(&mut self) {
        if self.interrupts < 2 {
            self.begin_ready();
            self.ring_alarms();
            for target in 0..self.targets.len() {
                self.poll(target);
            }
        }
    }

    fn begin_ready(&mut self) {
        for lane in 0..self.turns.len() {
            while self.interrupts == 0 && self.turns[lane] < self.settings.concurrency.max(1) {
                let Some((_, index)) = self.ready[lane].pop_first() else { break };
                self.turns[lane] += 1;
                self.active.insert(index);
                self.tracks[index].has_turn = true;
                self.begin(index);
            }
        }
        for index in std::mem::take(&mut self.newly_ready) {
            let acts = !self.plan.steps[index].operations.is_empty();
            if acts && self.tracks[index].state == State::Waiting && self.interrupts == 0 {
                self.wait_for(index, Waiting::Turn);
            }
        }
    }

    fn ring_alarms(&mut self) {
        while let Some((at, index)) = self.alarms.first().copied() {
            if at > self.now {
                break;
            }
            self.alarms.pop_first();
            match self.tracks[index].state {
                State::Computing(_) => self.look_at_change_set(index),
                State::Asking { .. } => self.ask_check(index),
                _ => {}
            }
        }
    }

    fn tick(&mut self) {
        if self.settings.draw > 0 {
            self.report(Event::Tick { at: self.now });
        }
    }

    fn hear(&mut self, id: CallId, result: CloudResult<Answer>) {
        let heard = self.calls.answered(id, result, self.now);
        self.tell_tries();
        match heard {
            CallOutcome::Final(Asker::Account(target), _, result) => self.check_account(target, result),
            CallOutcome::Final(Asker::Poll(target), Call::DescribeAll(_), result) => self.all_described(target, result),
            CallOutcome::Final(Asker::Poll(target), _, result) => self.listed(target, result),
            CallOutcome::Final(Asker::Step(index), call, result) => self.heard(index, &call, result),
            CallOutcome::Nothing => {}
        }
    }

    /// Tells which calls have not worked for a while, and what became of them.
    fn tell_tries(&mut self) {
        for word in self.calls.words(self.now) {
            let target = self.targets[word.target].clone();
            let stack = match word.owner {
                Asker::Step(index) => Some(self.plan.steps[index].identity.stack.clone()),
                Asker::Account(_) | Asker::Poll(_) => None,
            };
            let subject = match (&stack, word.owner) {
                (Some(stack), _) => stack.name.clone(),
                (None, Asker::Account(_)) => "the caller".to_owned(),
                (None, _) => "all stacks".to_owned(),
            };
            let RetryNotice { trouble, since, tries, most, .. } = word;
            let call = Retrying { operation: word.operation.into(), subject, target, trouble, since, tries, most };
            self.report(match word.worked {
                None => Event::Retrying { stack, call, at: self.now },
                Some(worked) => Event::Retried { stack, call, worked, at: self.now },
            });
        }
    }

    fn heard(&mut self, index: usize, call: &Call, result: CloudResult<Answer>) {
        if self.tracks[index].state == State::Over {
            return;
        }
        match call {
            Call::DescribeStack(_) => self.described(index, result),
            Call::DescribeEvents { .. } => self.read_events(index, result),
            Call::DescribeEndpoint(_) => self.endpoint_described(index, result),
            Call::DescribeChangeSet(_) => self.change_set_described(index, result),
            Call::ListChangeSets(_) => self.change_sets_listed(index, result),
            Call::DeleteChangeSet(_) => self.change_set_deleted(index),
            Call::CreateChangeSet(_) => self.change_set_created(index, result),
            Call::ExecuteChangeSet(_) => self.change_set_executed(index, result),
            Call::CreateStack(_) | Call::DeleteStack(_) | Call::Protect { .. } => self.sent(index, result),
            Call::Identity | Call::ListRunning(_) | Call::DescribeAll(_) => {}
        }
    }

    pub(super) fn report(&mut self, event: Event) {
        self.out.push(Command::Report(event));
    }

    pub(super) fn ask(&mut self, index: usize, call: Call) {
        self.calls.ask(Asker::Step(index), self.target_of[index], call, self.now);
    }

    pub(super) fn ask_shared(&mut self, target: usize, call: Call) {
        self.calls.ask(Asker::Poll(target), target, call, self.now);
    }

    /// Each target has two lanes, as wide as each other: steps with operations, and endpoints that are only asked, so
    /// that asking holds up no work.
    pub(super) fn lane(&self, index: usize) -> usize {
        2 * self.target_of[index] + usize::from(self.plan.steps[index].is_idle())
    }

    pub(super) fn target_of(&self, index: usize) -> usize {
        self.target_of[index]
    }

    /// Says once what a stack waits for.
    pub(super) fn wait_for(&mut self, index: usize, on: Waiting) {
        if self.tracks[index].waiting.as_ref() != Some(&on) {
            self.tracks[index].waiting = Some(on.clone());
            let stack = self.plan.steps[index].identity.stack.clone();
            self.report(Event::Waiting { stack, on, at: self.now });
        }
    }

    /// The step, its track's operation, and the operation's name.
    pub(super) fn at_hand<'a>(&self, plan: &'a Plan, index: usize) -> (&'a Step, Option<&'a Operation>, String) {
        let step = &plan.steps[index];
        let operation = self.tracks[index].current(step);
        (step, operation, self.name_of(index))
    }

    /// The name of a step's operation at hand.
    pub(super) fn name_of(&self, index: usize) -> String {
        let step = &self.plan.steps[index];
        match self.tracks[index].current(step) {
            Some(operation) => failure::name_of(operation),
            None => "look at the stack".into(),
        }
    }
}

fn index_targets(plan: &Plan) -> (Vec<Target>, Vec<usize>) {
    let set: BTreeSet<&Target> = plan.steps.iter().map(|step| &step.identity.stack.target).collect();
    let targets: Vec<Target> = set.into_iter().cloned().collect();
    let place = |step: &Step| targets.binary_search(&step.identity.stack.target).unwrap_or_default();
    let target_of = plan.steps.iter().map(place).collect();
    (targets, target_of)
}

fn known_values(plan: &Plan) -> BTreeMap<(StackRef, String), String> {
    let outputs = |step: &Step| step.observed.clone().map(|observed| observed.outputs).unwrap_or_default();
    let pairs = |step: &Step| {
        let stack = step.identity.stack.clone();
        outputs(step).into_iter().map(move |(key, value)| ((stack.clone(), key), value)).collect::<Vec<_>>()
    };
    plan.steps.iter().flat_map(pairs).collect()
}
