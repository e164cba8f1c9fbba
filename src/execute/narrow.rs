//! The last update of a shared role, which waits for everybody who uses it.
//!
//! In the machine it is a step of its own behind the others, so that order, failures and interrupts come to it as to
//! any step. What is told and what comes out at the end names the stack once.

use std::collections::BTreeMap;

use super::{Event, Machine, StepResult, Waiting, track::Track};
use crate::plan::{Plan, Step};

/// Which steps of the plan come in two parts.
#[derive(Debug, Default)]
pub(super) struct Narrows {
    /// How many steps the plan has.
    planned: usize,
    /// By the part behind: the step it belongs to.
    first: Vec<usize>,
    /// By step: the part behind.
    last: BTreeMap<usize, usize>,
}

impl Narrows {
    /// Puts the last updates behind the plan's steps, each after all it waits for.
    pub(super) fn split(plan: &mut Plan) -> Self {
        let mut narrows = Self { planned: plan.steps.len(), ..Self::default() };
        for index in 0..narrows.planned {
            let step = &plan.steps[index];
            let (Some(narrow), Some(last)) = (&step.narrow, step.last()) else { continue };
            let mut needs = narrow.after.clone();
            needs.insert(step.identity.stack.clone());
            let operations = step.operations.iter().chain([last]).cloned().collect();
            let behind = Step { needs, operations, restore: None, narrow: None, endpoint: None, ..step.clone() };
            narrows.last.insert(index, plan.steps.len());
            narrows.first.push(index);
            plan.steps.push(behind);
        }
        narrows
    }

    /// The steps of the plan.
    pub(super) fn planned(&self) -> std::ops::Range<usize> {
        0..self.planned
    }

    /// The step to which a part behind belongs.
    pub(super) fn first_of(&self, index: usize) -> Option<usize> {
        self.first.get(index.checked_sub(self.planned)?).copied()
    }

    /// Operations of the parts behind are counted on from those of their steps.
    pub(super) fn begin_behind(&self, plan: &Plan, tracks: &mut [Track]) {
        for (first, last) in &self.last {
            tracks[*last].operation = plan.steps[*first].operations.len();
        }
    }
}

impl Machine {
    /// Before its last part the role stands as the first one left it.
    pub(super) fn take_over(&mut self, index: usize) {
        let begins = |first: &usize| self.tracks[index].operation == self.plan.steps[*first].operations.len();
        if let Some(first) = self.narrows.first_of(index).filter(begins) {
            let first = &self.tracks[first];
            let (stack, id, base, status) =
                (first.stack.clone(), first.id.clone(), first.base.clone(), first.status.clone());
            let track = &mut self.tracks[index];
            (track.stack, track.id, track.base, track.status) = (stack, id, base, status);
        }
    }

    /// Tells how a step ended. A role is over when its last part is.
    pub(super) fn tell_settled(&mut self, index: usize, result: &StepResult) {
        let result = match self.narrows.first_of(index) {
            None if self.narrows.last.contains_key(&index) && self.has_landed(index) => {
                return self.tell_for_whom_it_stays_wide(index);
            }
            None => result.clone(),
            Some(first) if !self.has_landed(first) => return,
            Some(first) => self.both(first, result),
        };
        let stack = self.plan.steps[index].identity.stack.clone();
        self.report(Event::Settled { stack, result, at: self.now });
    }

    fn tell_for_whom_it_stays_wide(&mut self, first: usize) {
        let Some(last) = self.narrows.last.get(&first).copied() else { return };
        let users = self.order.needs[last].iter().filter(|user| **user != first && !self.has_landed(**user));
        let stacks: Vec<_> = users.map(|user| self.plan.steps[*user].identity.stack.clone()).collect();
        if !stacks.is_empty() {
            self.wait_for(last, Waiting::Stacks(stacks));
        }
    }

    /// The result of a plan's step, its last part included.
    pub(super) fn result_of(&self, index: usize) -> StepResult {
        let result = |track: &Track| track.result.clone().unwrap_or(StepResult::NotStarted);
        match self.narrows.last.get(&index) {
            Some(last) if self.has_landed(index) => self.both(index, &result(&self.tracks[*last])),
            _ => result(&self.tracks[index]),
        }
    }

    fn both(&self, first: usize, last: &StepResult) -> StepResult {
        match last {
            StepResult::Blocked { by } => StepResult::Wide { by: Some(by.clone()) },
            StepResult::NotStarted => StepResult::Wide { by: None },
            StepResult::Unchanged => self.tracks[first].result.clone().unwrap_or(StepResult::Unchanged),
            other => other.clone(),
        }
    }
}
