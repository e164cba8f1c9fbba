//! From a change set asked for to a change set executed.

use std::{rc::Rc, time::Duration};

use super::{
    Answer, Call, FailureKind, Machine, StepResult, Waiting, failure,
    track::{ChangeSetWatch, State},
};
use crate::{
    cloud::{
        ChangeAction, ChangeSet, ChangeSetStatus, CloudError, CloudErrorKind, CloudResult, ExecuteChangeSet,
        ExecutionStatus,
    },
    plan::{Operation, judge},
};

/// Small change sets are computed within a second or two.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// A big one is looked at often enough for a person to wait for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longer than the service ever takes for what fits into one template.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// A stack that only its change set knows to be ours keeps that.
const SHELL_LEFT: &str = "the change set and an empty stack are left for reading; the next apply removes them";

impl Machine {
    pub(super) fn change_set_created(&mut self, index: usize, result: CloudResult<Answer>) {
        let plan = Rc::clone(&self.plan);
        let (step, _, name) = self.at_hand(&plan, index);
        match result {
            Ok(Answer::ChangeSetIds(ids)) => {
                self.tracks[index].id = Some(ids.stack);
                self.watch(index, ids.change_set, FIRST_PAUSE);
            }
            Ok(_) => {}
            Err(error) if error.kind == CloudErrorKind::AlreadyExists => {
                let stack = self.tracks[index].id.clone().unwrap_or_else(|| step.stack.name.clone());
                self.ask(index, Call::ListChangeSets(stack));
            }
            Err(error) => self.fail_or_restore(index, failure::of_call(&name, &error)),
        }
    }

    /// A change set of our name exists: the same intent on the same stack, so it is read, not made again.
    pub(super) fn change_sets_listed(&mut self, index: usize, result: CloudResult<Answer>) {
        let token = &self.tracks[index].token;
        let ours = match &result {
            Ok(Answer::ChangeSets(all)) => all.iter().find(|(name, _)| name == token).map(|(_, arn)| arn.clone()),
            _ => None,
        };
        match (ours, result) {
            (Some(arn), _) => self.watch(index, arn, Duration::ZERO),
            (None, Err(error)) => self.call_failed(index, &error),
            (None, Ok(_)) => self.fail_stale(index, "a change set of the name was there a moment ago and is gone"),
        }
    }

    fn watch(&mut self, index: usize, arn: String, pause: Duration) {
        let since = self.now;
        self.tracks[index].state = State::Computing(ChangeSetWatch { arn, since, pause: FIRST_PAUSE });
        self.wait_for(index, Waiting::ChangeSet);
        self.alarms.insert((self.now.plus(pause), index));
    }

    pub(super) fn look_at_change_set(&mut self, index: usize) {
        if let State::Computing(watch) = &self.tracks[index].state {
            let arn = watch.arn.clone();
            self.ask(index, Call::DescribeChangeSet(arn));
        }
    }

    pub(super) fn change_set_described(&mut self, index: usize, result: CloudResult<Answer>) {
        match result {
            Ok(Answer::ChangeSet(Some(set))) if set.is_pending() => self.still_pending(index),
            Ok(Answer::ChangeSet(Some(set))) => self.computed(index, &set),
            Ok(_) => self.fail_stale(index, "the change set was removed by somebody else"),
            Err(error) => self.call_failed(index, &error),
        }
    }

    fn still_pending(&mut self, index: usize) {
        let now = self.now;
        let State::Computing(watch) = &mut self.tracks[index].state else { return };
        if now.since(watch.since) > PATIENCE {
            return self.fail_stale(index, "the change set is still being computed after a quarter of an hour");
        }
        watch.pause = (watch.pause * 2).min(LONGEST_PAUSE);
        let at = now.plus(watch.pause);
        self.alarms.insert((at, index));
    }

    fn computed(&mut self, index: usize, set: &ChangeSet) {
        if set.is_empty_update() {
            return self.drop_change_set(index, set);
        }
        if matches!(set.execution_status, ExecutionStatus::InProgress | ExecutionStatus::Complete) {
            return self.run(index);
        }
        if set.is_executable() {
            return self.judge_change_set(index, set);
        }
        let plan = Rc::clone(&self.plan);
        let (_, operation, name) = self.at_hand(&plan, index);
        let why = set.status_reason.as_deref().unwrap_or("no reason given");
        let text = match set.status {
            ChangeSetStatus::Failed => format!("the change set failed: {why}"),
            _ => format!("the change set is {} and cannot be executed ({})", set.execution_status, set.status),
        };
        let mut failure = failure::plain(FailureKind::Refused, &name, text);
        if matches!(operation, Some(Operation::Create { .. })) {
            failure.aftermath.push(SHELL_LEFT.to_owned());
            return self.fail_or_restore(index, failure);
        }
        self.tracks[index].setback = Some(Box::new(failure));
        self.drop_change_set(index, set);
    }

    fn judge_change_set(&mut self, index: usize, set: &ChangeSet) {
        let plan = Rc::clone(&self.plan);
        let (_, operation, name) = self.at_hand(&plan, index);
        let breaches = match operation {
            Some(Operation::Update { gate, .. }) => judge(gate, set),
            _ => Vec::new(),
        };
        if !breaches.is_empty() {
            let text = format!("the change set `{}` does more than the plan announced", set.name);
            let mut failure = failure::plain(FailureKind::Gate, &name, text);
            failure.aftermath = breaches;
            failure.aftermath.push("the change set was not executed and is left for reading".into());
            return self.fail_or_restore(index, failure);
        }
        if self.interrupts > 0 && !self.tracks[index].acted {
            return self.finish(index, StepResult::NotStarted);
        }
        self.execute_change_set(index, set);
    }

    fn execute_change_set(&mut self, index: usize, set: &ChangeSet) {
        let leaves = |action: &ChangeAction| !matches!(action, ChangeAction::Add | ChangeAction::Modify);
        let replaces = |r: Option<&crate::cloud::Replacement>| r.is_some_and(|r| r.rank() > 0);
        let track = &mut self.tracks[index];
        track.may_leave = set.changes.iter().any(|c| leaves(&c.action) || replaces(c.replacement.as_ref()));
        track.state = State::Sending;
        let token = track.token.clone();
        let request = ExecuteChangeSet { change_set: set.id.clone(), disable_rollback: false, token };
        self.ask(index, Call::ExecuteChangeSet(request));
    }

    pub(super) fn change_set_executed(&mut self, index: usize, result: CloudResult<Answer>) {
        let Err(error) = result else { return self.run(index) };
        let maybe_ours = matches!(error.kind, CloudErrorKind::InvalidChangeSetStatus(_) | CloudErrorKind::NotFound);
        if !maybe_ours {
            return self.call_failed(index, &error);
        }
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        self.tracks[index].setback = Some(Box::new(failure::of_call(&name, &error)));
        self.recognise(index);
    }

    /// A change set of no use goes, so that its name is free for the next try.
    fn drop_change_set(&mut self, index: usize, set: &ChangeSet) {
        self.tracks[index].state = State::Sending;
        self.ask(index, Call::DeleteChangeSet(set.id.clone()));
    }

    /// Whether or not it could be deleted, it did nothing.
    pub(super) fn change_set_deleted(&mut self, index: usize) {
        match self.tracks[index].setback.take() {
            Some(failure) => self.fail_or_restore(index, *failure),
            None => self.landed(index),
        }
    }

    /// A call before the operation ran was refused or not answered.
    fn call_failed(&mut self, index: usize, error: &CloudError) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        self.fail_or_restore(index, failure::of_call(&name, error));
    }
}
