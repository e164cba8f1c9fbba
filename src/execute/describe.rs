//! Stacks are described: several at once by DescribeStacks without a name, whose pages tell of every stack that is not
//! deleted, where that takes fewer calls than one for each.
//!
//! AWS advises against it where a listing will do, since it describes the whole account (D): so it answers for those
//! whose parameters and outputs are wanted, never to see whether something still runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use super::{
    Answer, Call, Machine, failure,
    track::{Running, State},
};
use crate::{
    cloud::{CloudError, CloudResult, Pages, Stack, StackStatus, Timestamp},
    plan::Operation,
};

/// So many calls at least must be saved.
const SAVED: usize = 2;
/// How long an accepted operation may not show: listings lag behind by seconds.
const GRACE: Duration = Duration::from_secs(120);

/// The descriptions of one target's stacks.
#[derive(Debug, Default)]
pub(super) struct Descriptions {
    /// Asked for within this step of the machine.
    wanted: BTreeSet<usize>,
    reading: Option<AccountDescription>,
    /// How many pages it took to find those that were wanted last.
    pages: usize,
    /// Describing all was refused.
    refused: bool,
}

/// The account is being described, page by page.
#[derive(Debug)]
struct AccountDescription {
    began: Timestamp,
    /// Who is still to be found.
    wanted: BTreeSet<usize>,
    names: BTreeSet<String>,
    pages: Pages,
    read: usize,
}

impl Machine {
    /// Describes a stack, unless that is under way.
    pub(super) fn describe(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        if !std::mem::replace(&mut track.describing, true) {
            let target = self.target_of(index);
            self.descriptions[target].wanted.insert(index);
        }
    }

    /// Asks for all that is wanted since the last input.
    pub(super) fn ask_descriptions(&mut self) {
        let now = self.now;
        for target in 0..self.targets.len() {
            let descriptions = &mut self.descriptions[target];
            let wanted = std::mem::take(&mut descriptions.wanted);
            let saves = wanted.len() >= descriptions.pages.max(1) + SAVED;
            if saves && !descriptions.refused && descriptions.reading.is_none() {
                let (names, pages) = (BTreeSet::new(), Pages::default());
                descriptions.reading = Some(AccountDescription { began: now, wanted, names, pages, read: 0 });
                self.ask_shared(target, Call::DescribeAll(None));
            } else {
                wanted.into_iter().for_each(|index| self.describe_alone(index));
            }
        }
    }

    fn describe_alone(&mut self, index: usize) {
        let name = &self.plan.steps[index].identity.stack.name;
        let stack = self.tracks[index].id.clone().unwrap_or_else(|| name.clone());
        self.ask(index, Call::DescribeStack(stack));
    }

    /// A page of all stacks.
    pub(super) fn all_described(&mut self, target: usize, result: CloudResult<Answer>) {
        let Some(mut reading) = self.descriptions[target].reading.take() else { return };
        let page = result.and_then(|answer| match answer {
            Answer::Stacks(page) => {
                let next = reading.pages.lead(page.next, ("DescribeStacks", "all stacks", &self.targets[target]))?;
                Ok(Some((page.items, next)))
            }
            _ => Ok(None),
        });
        let Ok(Some((items, next))) = page else {
            self.descriptions[target].refused = true;
            return reading.wanted.into_iter().for_each(|index| self.describe_alone(index));
        };
        reading.read += 1;
        reading.names.extend(items.iter().map(|stack| stack.name.clone()));
        self.find(target, &mut reading, items);
        // Whoever is on a page far behind costs less by a call of its own.
        if next.is_some() && reading.wanted.len() > reading.read {
            self.descriptions[target].reading = Some(reading);
            return self.ask_shared(target, Call::DescribeAll(next));
        }
        let more = next.is_some() && !reading.wanted.is_empty();
        self.descriptions[target].pages = reading.read + usize::from(more);
        self.end_reading(target, reading, next.is_none());
    }

    /// Those on a page that are wanted, and those that run, for whom it costs nothing.
    fn find(&mut self, target: usize, reading: &mut AccountDescription, page: Vec<Stack>) {
        let running = self.running(target).into_iter().filter(|index| !self.tracks[*index].describing);
        let steps: Vec<usize> = running.chain(reading.wanted.iter().copied()).collect();
        let key = |index: usize| {
            let name = &self.plan.steps[index].identity.stack.name;
            self.tracks[index].id.clone().unwrap_or_else(|| name.clone())
        };
        let steps: BTreeMap<String, usize> = steps.into_iter().map(|index| (key(index), index)).collect();
        for stack in page {
            if let Some(index) = steps.get(&stack.id).or_else(|| steps.get(&stack.name)) {
                reading.wanted.remove(index);
                self.take_description(*index, Some(stack), reading.began);
            }
        }
    }

    /// Who was not found is gone, or a name that is free; only the id tells of a deleted stack.
    fn end_reading(&mut self, target: usize, reading: AccountDescription, whole: bool) {
        let AccountDescription { began, wanted, names, .. } = reading;
        if whole {
            self.polls[target].took(began, names);
        }
        for index in wanted {
            match self.tracks[index].state {
                State::Inspecting if whole && self.tracks[index].id.is_none() => {
                    self.take_description(index, None, began);
                }
                _ => self.describe_alone(index),
            }
        }
    }

    /// DescribeStacks of one was answered.
    pub(super) fn described(&mut self, index: usize, result: CloudResult<Answer>) {
        match result {
            Ok(Answer::Stack(found)) => self.take_description(index, found.map(|boxed| *boxed), self.now),
            Ok(_) => self.take_description(index, None, self.now),
            Err(error) => {
                self.tracks[index].describing = false;
                self.lost(index, &error);
            }
        }
    }

    fn take_description(&mut self, index: usize, found: Option<Stack>, at: Timestamp) {
        let track = &mut self.tracks[index];
        (track.describing, track.seen) = (false, Some(at));
        match track.state.clone() {
            State::Confirming(change_set) => self.confirmed(index, change_set, found),
            State::Inspecting => self.inspected(index, found),
            State::Meeting(_) => self.met(index, found),
            State::Running(running) => {
                track.state = State::Running(Running { described: Some(self.now), ..running });
                self.looked(index, found);
            }
            _ => {}
        }
    }

    fn looked(&mut self, index: usize, found: Option<Stack>) {
        let began = self.has_begun(index, found.as_ref());
        let patient = self.age(index) < GRACE;
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
    fn has_begun(&self, index: usize, found: Option<&Stack>) -> bool {
        let plan = Rc::clone(&self.plan);
        let (_, operation, _) = self.at_hand(&plan, index);
        let track = &self.tracks[index];
        let before = track.base.as_ref().map(|(_, at)| *at);
        match (operation, found) {
            (Some(Operation::Delete { .. }), None) => true,
            (_, None) => false,
            (Some(Operation::Delete { .. }), Some(stack)) => stack.status.is_deletion(),
            (Some(Operation::Create { .. }), Some(stack)) => stack.status != StackStatus::ReviewInProgress,
            (_, Some(stack)) => before != Some(stack.changed_at()),
        }
    }

    /// A stack that somebody watches was described: its events are read, unless they told that it moved.
    fn read_on(&mut self, index: usize) {
        let track = &self.tracks[index];
        let told = track.log.stack_status().is_some() && !track.is_behind();
        if track.watched && !track.log.reading && !told {
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
        failure.notes.push("the operation continues in AWS, unwatched".into());
        self.fail(index, failure);
    }
}
