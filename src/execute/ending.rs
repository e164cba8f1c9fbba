//! How steps end, how the user ends them, and how long nothing happens in between.

use std::{rc::Rc, time::Duration};

use super::{
    Command, Event, FailureKind, Machine, Outcome, StepResult, failure,
    poll::SharedPoll,
    settle::Undone,
    track::{Restoring, State},
};
use crate::cloud::Timestamp;

/// How often listeners that draw are told that time went on.
const TICK: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) fn interrupt(&mut self) {
        self.interrupts += 1;
        match self.interrupts {
            1 => self.report(Event::Interrupted { at: self.now }),
            _ => self.calls.close(),
        }
    }

    /// A step is over: whoever waited for it may begin, or never will.
    pub(super) fn finish(&mut self, index: usize, result: StepResult) {
        if self.tracks[index].state == State::Over {
            return;
        }
        let result = self.as_it_stands(index, result);
        let track = &mut self.tracks[index];
        track.state = State::Over;
        track.result = Some(result.clone());
        self.over += 1;
        self.active.remove(&index);
        self.give_turn_back(index);
        let stack = self.plan.steps[index].identity.stack.clone();
        self.report(Event::Settled { stack, result, at: self.now });
        self.wake(index);
    }

    /// The step needs nothing more of CloudFormation.
    pub(super) fn give_turn_back(&mut self, index: usize) {
        if std::mem::take(&mut self.tracks[index].has_turn) {
            let lane = self.lane(index);
            self.turns[lane] -= 1;
        }
    }

    pub(super) fn has_landed(&self, index: usize) -> bool {
        self.tracks[index].result.as_ref().is_some_and(has_landed)
    }

    pub(super) fn wait_or_end(&mut self) {
        if self.unchecked == Some(0) && self.active.is_empty() && self.interrupts > 0 {
            self.leave_waiting();
        }
        if self.interrupts > 1 && !self.calls.is_changing() {
            self.leave_running();
            self.leave_waiting();
        }
        if self.over == self.tracks.len() && self.unchecked.is_some() {
            return self.end();
        }
        let deadline = self.deadline().filter(|_| self.interrupts < 2);
        if deadline.is_none() && self.calls.is_idle() {
            self.leave_waiting();
            return self.end();
        }
        let soonest = self.now.plus(Duration::from_millis(1));
        self.out.extend(deadline.map(|at| Command::SleepUntil(at.max(soonest))));
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let draws = self.settings.draw > 0 && !self.active.is_empty();
        let tick = draws.then(|| self.now.plus(TICK));
        let polls = self.polls.iter().filter_map(SharedPoll::due);
        let alarm = self.alarms.first().map(|(at, _)| *at);
        self.calls.deadline(self.now).into_iter().chain(tick).chain(polls).chain(alarm).min()
    }

    pub(super) fn leave_waiting(&mut self) {
        for index in 0..self.tracks.len() {
            if self.tracks[index].state == State::Waiting {
                self.finish(index, StepResult::NotStarted);
            }
        }
    }

    pub(super) fn leave_running(&mut self) {
        let plan = Rc::clone(&self.plan);
        for index in self.active.clone() {
            let undone = self.undone(index);
            let track = &mut self.tracks[index];
            let operation = track.current(&plan.steps[index]).map(|_| self.name_of(index)).unwrap_or_default();
            let acted = self.tracks[index].acted && !self.waits_by_itself(index);
            let track = &mut self.tracks[index];
            match (track.restoring.take(), track.take_pending()) {
                (Some(Restoring { mut failure, undone }), _) => {
                    let said = if track.is_underway() { undone.goes_on() } else { undone.left() };
                    failure.notes.push(said);
                    self.finish(index, StepResult::Failed(failure));
                }
                (None, Some(mut failure)) => {
                    failure.notes.push("it may have been accepted; that was not checked".into());
                    self.fail(index, *failure);
                }
                (None, None) if track.is_underway() => {
                    let status = track.status.clone();
                    self.finish(index, StepResult::LeftRunning { operation, status });
                }
                (None, None) if acted => self.stop_between(index, &operation, undone),
                (None, None) => self.finish(index, StepResult::NotStarted),
            }
        }
    }

    /// The user did not want to wait, and between two operations nothing runs.
    fn stop_between(&mut self, index: usize, next: &str, undone: Option<Undone>) {
        let plan = Rc::clone(&self.plan);
        let track = &self.tracks[index];
        let before = track.operation.checked_sub(1).and_then(|last| plan.steps[index].operations.get(last));
        let landed = before.map(|last| format!(", after `{}` had landed", failure::name_of(last))).unwrap_or_default();
        let text = format!("interrupted before it started{landed}");
        let mut failure = failure::plain(FailureKind::Stale, next, text);
        failure.status = track.status.clone();
        failure.notes.extend(undone.map(|undone| undone.left()));
        self.fail(index, failure);
    }

    pub(super) fn end(&mut self) {
        self.report(Event::Finished { at: self.now, calls: self.calls.made() });
        let result = |index: usize| {
            let ended = self.tracks[index].result.clone().unwrap_or(StepResult::NotStarted);
            (self.plan.steps[index].identity.stack.clone(), ended)
        };
        let results = (0..self.tracks.len()).map(result).collect();
        self.out.push(Command::Done(Outcome { results, interrupted: self.interrupts > 0 }));
    }
}

/// What was left behind bills, but the stack stands.
fn has_landed(result: &StepResult) -> bool {
    match result {
        StepResult::Done | StepResult::Unchanged => true,
        StepResult::Failed(failure) => failure.kind == FailureKind::Leftover,
        _ => false,
    }
}
