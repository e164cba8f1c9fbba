//! Where running stacks stand, asked for as few calls as can be.
//!
//! While few stacks of an account and Region run, each is looked at on its own, the more rarely the longer it has run:
//! described by its id, which also tells how it ended, or where somebody watches it by its events, which say in the
//! same call that the stack itself moved. When more run, one listing of everything that runs serves all; a stack that
//! left the listing is described once.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use super::{Answer, Call, Event, Machine, failure};
use crate::{
    cloud::{CloudError, CloudResult, Pages, StackStatus, Timestamp},
    plan::Operation,
};

/// Up to here each is described: a description also tells how it ended, and a listing may take several pages.
const FEW: usize = 3;
/// The first look, and the shortest pause: roles and alarms take seconds.
const SOON: Duration = Duration::from_secs(2);
/// The longest pause.
const SLOW: Duration = Duration::from_secs(10);
/// A pause is this part of the time that an operation has run, so that its end is seen a tenth later at most.
const PART: u32 = 10;
/// The shortest pause between listings: they serve many, of which some have always just begun.
const LISTED: Duration = Duration::from_secs(5);
/// A stack that is watched by its events is described this often all the same: events may lag behind.
const CERTAIN: Duration = Duration::from_secs(60);
/// How long an accepted operation may not show: listings lag behind by seconds.
const GRACE: Duration = Duration::from_secs(120);

/// The shared poll of one target.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// When it is due; none while nothing runs.
    next: Option<Timestamp>,
    /// A listing that is being read, and when it began.
    listing: Option<Timestamp>,
    seen: BTreeMap<String, StackStatus>,
    pages: Pages,
    /// Listing was refused: describe each, however many.
    refused: bool,
}

impl Sweep {
    /// When there is something to ask.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.next.filter(|_| self.listing.is_none())
    }
}

impl Machine {
    /// A stack began to run.
    pub(super) fn poll_soon(&mut self, index: usize) {
        let target = self.target_of(index);
        let track = &mut self.tracks[index];
        (track.sent, track.look, track.described) = (self.now, self.now.plus(SOON), None);
        let first = self.now.plus(if self.running(target).len() > FEW { LISTED } else { SOON });
        let sweep = &mut self.sweeps[target];
        sweep.next = Some(sweep.next.map_or(first, |next| next.min(first)));
    }

    /// Asks, if it is time to.
    pub(super) fn poll(&mut self, target: usize) {
        let sweep = &self.sweeps[target];
        if sweep.due().is_none_or(|due| due > self.now) {
            return;
        }
        let running = self.running(target);
        if running.len() > FEW && !sweep.refused {
            return self.list(target, &running);
        }
        for index in &running {
            if self.tracks[*index].look <= self.now {
                self.look(*index);
            }
        }
        self.sweeps[target].next = running.iter().map(|index| self.tracks[*index].look).min();
    }

    fn list(&mut self, target: usize, running: &[usize]) {
        let interval = running.iter().map(|index| self.interval(*index)).min();
        let sweep = &mut self.sweeps[target];
        sweep.next = interval.map(|interval| self.now.plus(interval.max(LISTED)));
        sweep.listing = Some(self.now);
        sweep.seen.clear();
        sweep.pages = Pages::default();
        self.ask_sweep(target, Call::ListRunning(None));
    }

    fn running(&self, target: usize) -> Vec<usize> {
        let of_target = |index: &usize| self.target_of(*index) == target && self.tracks[*index].is_polled();
        self.active.iter().copied().filter(of_target).collect()
    }

    fn interval(&self, index: usize) -> Duration {
        (self.now.since(self.tracks[index].sent) / PART).clamp(SOON, SLOW)
    }

    fn look(&mut self, index: usize) {
        let next = self.now.plus(self.interval(index));
        let track = &mut self.tracks[index];
        track.look = next;
        let certain = track.described.is_some_and(|at| self.now.since(at) < CERTAIN);
        match track.drawn && certain && !track.is_behind() {
            true if track.history.reading => {}
            true => self.request_events(index, None),
            false => self.describe(index),
        }
    }

    /// Events of a stack that somebody watches were read: did the stack itself move?
    pub(super) fn watched(&mut self, index: usize) {
        if self.tracks[index].is_behind() {
            self.describe(index);
        }
    }

    fn describe(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        if !track.describing {
            track.describing = true;
            let name = &self.plan.steps[index].identity.stack.name;
            let stack = track.id.clone().unwrap_or_else(|| name.clone());
            self.ask(index, Call::DescribeStack(stack));
        }
    }

    /// A page of everything that runs in a target.
    pub(super) fn swept(&mut self, target: usize, result: CloudResult<Answer>) {
        let sweep = &mut self.sweeps[target];
        let page = result.and_then(|answer| match answer {
            Answer::Running(page) => {
                let next = sweep.pages.lead(page.next, ("ListStacks", "all stacks", &self.targets[target]))?;
                Ok(Some((page.items, next)))
            }
            _ => Ok(None),
        });
        let Ok(Some((items, next))) = page else {
            sweep.refused = true;
            sweep.listing = None;
            sweep.next = Some(self.now);
            return;
        };
        sweep.seen.extend(items.into_iter().map(|summary| (summary.id, summary.status)));
        if next.is_some() {
            return self.ask_sweep(target, Call::ListRunning(next));
        }
        let Some(began) = sweep.listing.take() else { return };
        let seen = std::mem::take(&mut sweep.seen);
        for index in self.running(target) {
            let track = &self.tracks[index];
            match track.id.as_ref().and_then(|id| seen.get(id)) {
                Some(status) => {
                    self.moved(index, status.clone());
                    self.watch_listed(index);
                }
                None if track.sent.plus(SOON) <= began => self.describe(index),
                None => {}
            }
        }
    }

    fn watch_listed(&mut self, index: usize) {
        let track = &self.tracks[index];
        if track.drawn && track.look <= self.now && !track.history.reading {
            self.tracks[index].look = self.now.plus(self.interval(index));
            self.request_events(index, None);
        }
    }

    /// DescribeStacks of one was answered.
    pub(super) fn described(&mut self, index: usize, result: CloudResult<Answer>) {
        use super::track::State;
        self.tracks[index].describing = false;
        let found = match result {
            Ok(Answer::Stack(found)) => found.map(|boxed| *boxed),
            Ok(_) => None,
            Err(error) => return self.lost(index, &error),
        };
        self.tracks[index].seen = Some(self.now);
        match self.tracks[index].state.clone() {
            State::Confirming(change_set) => self.confirmed(index, change_set, found),
            State::Inspecting => self.inspected(index, found),
            State::Meeting => self.met(index, found),
            State::Running => {
                self.tracks[index].described = Some(self.now);
                self.looked(index, found);
            }
            _ => {}
        }
    }

    fn looked(&mut self, index: usize, found: Option<crate::cloud::Stack>) {
        let began = self.has_begun(index, found.as_ref());
        let patient = self.now.since(self.tracks[index].sent) < GRACE;
        match found {
            Some(stack) if began && stack.status.is_running() => {
                self.moved(index, stack.status);
                self.read_on(index);
            }
            _ if !began && patient => {}
            found => self.settled(index, found, began),
        }
    }

    /// Is what DescribeStacks says about our operation, and not about the time before it?
    fn has_begun(&self, index: usize, found: Option<&crate::cloud::Stack>) -> bool {
        let plan = Rc::clone(&self.plan);
        let (_, operation, _) = self.at_hand(&plan, index);
        let track = &self.tracks[index];
        let before = track.basis.as_ref().map(|(_, at)| *at);
        match (operation, found) {
            (Some(Operation::Delete { .. }), None) => true,
            (_, None) => false,
            (Some(Operation::Delete { .. }), Some(stack)) => stack.status.as_str().starts_with("DELETE_"),
            (Some(Operation::Create { .. }), Some(stack)) => stack.status != StackStatus::ReviewInProgress,
            (_, Some(stack)) => before != Some(stack.changed_at()),
        }
    }

    /// The stack stands there; said once.
    pub(super) fn moved(&mut self, index: usize, status: StackStatus) {
        let track = &mut self.tracks[index];
        if track.status.as_ref() != Some(&status) {
            track.status = Some(status.clone());
            let stack = self.plan.steps[index].identity.stack.clone();
            self.report(Event::Status { stack, status, at: self.now });
        }
    }

    /// A stack that somebody watches was described: its events are read, unless they told that it moved.
    fn read_on(&mut self, index: usize) {
        let track = &self.tracks[index];
        let told = track.history.stack_status().is_some() && !track.is_behind();
        if track.drawn && !track.history.reading && !told {
            self.request_events(index, None);
        }
    }

    /// Nothing can be learnt about the stack any more.
    fn lost(&mut self, index: usize, error: &CloudError) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        let mut failure = failure::of_call(&name, error);
        failure.status = self.tracks[index].status.clone();
        if !self.tracks[index].is_polled() {
            return self.fail_or_restore(index, failure);
        }
        failure.aftermath.push("the operation goes on in AWS, no longer watched".into());
        self.fail(index, failure);
    }
}
