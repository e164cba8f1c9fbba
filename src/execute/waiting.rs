//! What waits for others: a step for what it needs, or one of its operations for operations of other steps.
//!
//! A step whose next operation waits takes no turn and is told as waiting. When what it waits for cannot land any more,
//! the operation is not run and the step ends where it stands.

use std::rc::Rc;

use super::{Machine, StepResult, Waiting, order::Wait, track::State};

impl Machine {
    /// Has everything landed that the operation at hand waits for?
    pub(super) fn may_begin(&self, index: usize) -> bool {
        self.unmet(index).next().is_none()
    }

    /// Does the operation at hand wait for more than what its step needs? It need not follow the one before.
    pub(super) fn waits_by_itself(&self, index: usize) -> bool {
        let track = &self.tracks[index];
        track.restoring.is_none() && !self.order.after(index, track.operation).is_empty()
    }

    fn unmet(&self, index: usize) -> impl Iterator<Item = Wait> {
        let operation = self.tracks[index].operation;
        let needs: &[Wait] = if operation == 0 { &self.order.needs[index] } else { &[] };
        let waits = needs.iter().chain(self.order.after(index, operation));
        waits.filter(|wait| !self.is_met(**wait)).copied()
    }

    fn is_met(&self, Wait { step, operations }: Wait) -> bool {
        match operations {
            Some(operations) => self.tracks[step].operation >= operations,
            None => self.has_landed(step),
        }
    }

    /// The next operation waits for others.
    pub(super) fn pause(&mut self, index: usize) {
        self.tracks[index].state = State::Waiting;
        self.active.remove(&index);
        self.give_turn_back(index);
        self.tell_what_it_waits_for(index);
        self.wake_one(index);
    }

    pub(super) fn tell_what_it_waits_for(&mut self, index: usize) {
        let plan = Rc::clone(&self.plan);
        let stacks = self.unmet(index).map(|wait| plan.steps[wait.step].identity.stack.clone()).collect();
        self.wait_for(index, Waiting::Stacks(stacks));
    }

    /// A step has come further, or to its end: whoever waited for it may begin, or never will.
    pub(super) fn wake(&mut self, index: usize) {
        for dependant in self.order.dependants[index].clone() {
            self.wake_one(dependant);
        }
    }

    fn wake_one(&mut self, index: usize) {
        if self.tracks[index].state != State::Waiting {
            return;
        }
        let in_vain = self.unmet(index).find(|wait| self.tracks[wait.step].state == State::Over);
        if let Some(Wait { step, .. }) = in_vain {
            self.finish(index, self.behind(step));
        } else if self.may_begin(index) && self.unchecked == Some(0) {
            self.make_ready(index);
        }
    }

    /// How a step ends that waits for one that did not land.
    fn behind(&self, index: usize) -> StepResult {
        match &self.tracks[index].result {
            Some(StepResult::Blocked { by }) => StepResult::Blocked { by: by.clone() },
            Some(StepResult::LeftRunning { .. } | StepResult::NotStarted | StepResult::Wide { .. }) => {
                StepResult::NotStarted
            }
            _ => StepResult::Blocked { by: self.plan.steps[index].identity.stack.clone() },
        }
    }

    /// A step whose last operation waited in vain was not blocked as a whole: what comes first stands.
    pub(super) fn as_it_stands(&self, index: usize, result: StepResult) -> StepResult {
        let begun = self.tracks[index].operation > 0 || self.order.needs[index].iter().all(|need| self.is_met(*need));
        if !(begun && self.waits_by_itself(index) && self.unchecked == Some(0)) {
            return result;
        }
        match result {
            StepResult::Blocked { by } => StepResult::Wide { by: Some(by) },
            StepResult::NotStarted => StepResult::Wide { by: None },
            other => other,
        }
    }
}
