//! From a change set asked for to a change set executed.

use std::{rc::Rc, time::Duration};

use super::{
    Answer, Call, FailureKind, Machine, StepResult, Waiting, failure, pace,
    token::{Asks, PREFIX},
    track::{AfterDrop, ChangeSetOrigin, ChangeSetWatch, Requesting, State},
};
use crate::{
    clock::FIRST_LOOK,
    cloud::{
        ChangeAction, ChangeSet, ChangeSetStatus, CloudError, CloudErrorKind, CloudResult, ExecuteChangeSet,
        ExecutionStatus, Stack, is_masked, own_tags,
    },
    plan::{Decision, Operation, judge},
};

/// Longer than the service ever takes for what fits into one template.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

impl Machine {
    pub(super) fn change_set_created(&mut self, index: usize, result: CloudResult<Answer>) {
        let plan = Rc::clone(&self.plan);
        let (step, _, name) = self.at_hand(&plan, index);
        let State::Requesting(requesting) = &mut self.tracks[index].state else { return };
        match result {
            Ok(Answer::ChangeSetIds(ids)) => {
                self.tracks[index].id = Some(ids.stack);
                self.watch(index, ids.change_set, FIRST_LOOK);
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind, CloudErrorKind::WrongState(_)) => self.refused_or_lost(index, &error),
            Err(error) if error.kind == CloudErrorKind::AlreadyExists || error.kind.leaves_doubt() => {
                let other = error.kind == CloudErrorKind::TokenAlreadyExists;
                requesting.found = if other { ChangeSetOrigin::Other } else { ChangeSetOrigin::Named };
                requesting.pending = Some(Box::new(failure::of_call(&name, &error)));
                let stack = self.tracks[index].id.clone().unwrap_or_else(|| step.identity.stack.name.clone());
                self.ask(index, Call::ListChangeSets(stack));
            }
            Err(error) => self.call_failed(index, &error),
        }
    }

    /// A change set of our name exists: the same intent on the same stack, so it is read, and not made again unless it
    /// was made of something else.
    pub(super) fn change_sets_listed(&mut self, index: usize, result: CloudResult<Answer>) {
        if let State::Confirming(change_set) = &self.tracks[index].state {
            return self.confirmed_alone(index, change_set.clone(), result);
        }
        let intent = &self.tracks[index].intent;
        let ours = match &result {
            Ok(Answer::ChangeSets(all)) => all.iter().find(|(name, _)| name == intent).map(|(_, arn)| arn.clone()),
            _ => None,
        };
        match (ours, self.tracks[index].take_pending()) {
            (Some(arn), _) => self.watch(index, arn, Duration::ZERO),
            (None, Some(pending)) => self.fail_or_restore(index, *pending),
            (None, None) => {}
        }
    }

    fn watch(&mut self, index: usize, arn: String, pause: Duration) {
        let State::Requesting(Requesting { requested, found, .. }) = self.tracks[index].state.clone() else { return };
        self.tracks[index].state = State::Computing(ChangeSetWatch { arn, since: self.now, requested, found });
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
            Ok(Answer::ChangeSet(Some(set))) => {
                self.tracks[index].id.get_or_insert_with(|| set.stack_id.clone());
                self.computed(index, &set);
            }
            Ok(_) => self.fail_stale(index, "somebody else deleted the change set"),
            Err(error) => self.call_failed(index, &error),
        }
    }

    fn still_pending(&mut self, index: usize) {
        let State::Computing(watch) = &self.tracks[index].state else { return };
        let age = self.now.since(watch.since);
        if age > PATIENCE {
            return self.fail_stale(index, "the change set is still being computed after a quarter of an hour");
        }
        let at = self.now.plus(pace::pause(age, self.computing(self.target_of(index))));
        self.alarms.insert((at, index));
    }

    fn computing(&self, target: usize) -> usize {
        let computes = |index: &&usize| {
            self.target_of(**index) == target && matches!(self.tracks[**index].state, State::Computing(_))
        };
        self.active.iter().filter(computes).count()
    }

    fn computed(&mut self, index: usize, set: &ChangeSet) {
        let executed = matches!(set.execution_status, ExecutionStatus::InProgress | ExecutionStatus::Complete);
        if self.is_other(index, set) {
            return self.make_anew(index, set, executed);
        }
        if set.is_empty_update() {
            return self.drop_change_set(index, set.id.clone(), AfterDrop::Landed);
        }
        if executed {
            (self.tracks[index].may_leave, self.tracks[index].theirs) = (true, true);
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
            // Without a change set nothing would say whose the empty stack is.
            let (stack, set) = (&self.plan.steps[index].identity.stack.name, &set.name);
            failure.notes.push(format!(
                "the empty stack `{stack}` is left in REVIEW_IN_PROGRESS with the change set `{set}`; the next apply \
                 removes both and begins anew"
            ));
            return self.fail_or_restore(index, failure);
        }
        self.drop_change_set(index, set.id.clone(), AfterDrop::Failed(Some(Box::new(failure))));
    }

    /// Was a change set that has our name made of something else?
    fn is_other(&self, index: usize, set: &ChangeSet) -> bool {
        let State::Computing(ChangeSetWatch { requested, found, .. }) = &self.tracks[index].state else { return false };
        let same = |(name, sent): (&String, &String)| {
            set.parameters.get(name).is_some_and(|found| found == sent || is_masked(found))
        };
        match found {
            ChangeSetOrigin::Made => false,
            ChangeSetOrigin::Named => {
                !requested.parameters.iter().all(same) || !requested.tags.iter().eq(own_tags(&set.tags))
            }
            ChangeSetOrigin::Other => true,
        }
    }

    /// Ours by its name and of no use: once it is replaced.
    fn make_anew(&mut self, index: usize, set: &ChangeSet, executed: bool) {
        if executed || self.tracks[index].remade || !set.name.starts_with(PREFIX) {
            let name = &set.name;
            return self.fail_stale(
                index,
                &format!("the change set `{name}` already exists and was made from something else"),
            );
        }
        self.tracks[index].remade = true;
        self.drop_change_set(index, set.id.clone(), AfterDrop::Anew);
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
            failure.notes = breaches;
            failure.notes.push("the change set was not executed and is left for reading".into());
            return self.fail_or_restore(index, failure);
        }
        if self.interrupts > 0 && !self.tracks[index].acted {
            return self.finish(index, StepResult::NotStarted);
        }
        let leaves = |action: &ChangeAction| !matches!(action, ChangeAction::Add | ChangeAction::Modify);
        let replaces = |r: Option<&crate::cloud::Replacement>| r.is_some_and(|r| r.rank() > 0);
        let track = &mut self.tracks[index];
        track.may_leave = set.changes.iter().any(|c| leaves(&c.action) || replaces(c.replacement.as_ref()));
        match operation {
            Some(Operation::Update { .. }) => {
                track.state = State::Confirming(set.id.clone());
                self.ask(index, Call::DescribeStack(set.stack_id.clone()));
            }
            _ => {
                track.state = State::Confirming(set.id.clone());
                self.ask(index, Call::ListChangeSets(set.stack_id.clone()));
            }
        }
    }

    /// A shell that CreateChangeSet made has one change set; where there is another, somebody made the shell first.
    fn confirmed_alone(&mut self, index: usize, change_set: String, result: CloudResult<Answer>) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        let other = match result {
            Ok(Answer::ChangeSets(all)) => all.into_iter().find(|(_, arn)| *arn != change_set),
            Ok(_) => None,
            Err(error) => return self.call_failed(index, &error),
        };
        let Some((theirs, _)) = other else { return self.execute_change_set(index, change_set) };
        let text = format!("somebody else is making a stack of this name, by the change set `{theirs}`");
        let failure = failure::plain(FailureKind::Stale, &name, text);
        self.drop_change_set(index, change_set, AfterDrop::Failed(Some(Box::new(failure))));
    }

    /// The stack was described after its change set was computed: had somebody else's operation come in between, the
    /// change set would undo that. One that begins later makes it obsolete (M).
    pub(super) fn confirmed(&mut self, index: usize, change_set: String, found: Option<Stack>) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        self.tracks[index].saw(found.filter(|stack| !stack.status.is_deleted()));
        let then = match self.verdict(index) {
            Decision::Run(_) => return self.execute_change_set(index, change_set),
            Decision::Skip(_) => AfterDrop::Landed,
            Decision::Stop(why) => {
                let mut failure = failure::plain(FailureKind::Stale, &name, why);
                failure.status = self.tracks[index].stack.as_ref().map(|stack| stack.status.clone());
                AfterDrop::Failed(Some(Box::new(failure)))
            }
        };
        self.drop_change_set(index, change_set, then);
    }

    fn execute_change_set(&mut self, index: usize, change_set: String) {
        self.tracks[index].state = State::Sending;
        let token = self.token(index, Asks::Operation);
        self.ask(index, Call::ExecuteChangeSet(ExecuteChangeSet { change_set, disable_rollback: false, token }));
    }

    pub(super) fn change_set_executed(&mut self, index: usize, result: CloudResult<Answer>) {
        match result {
            Ok(_) => self.run(index),
            // The change set goes when the stack does, and others with the one that is executed.
            Err(error) if error.kind == CloudErrorKind::NotFound => self.look_again(index, &error),
            Err(error) => self.refused_or_lost(index, &error),
        }
    }

    /// A change set of no use goes, so that its name is free for the next try.
    fn drop_change_set(&mut self, index: usize, change_set: String, then: AfterDrop) {
        self.tracks[index].state = State::Dropping(then);
        self.ask(index, Call::DeleteChangeSet(change_set));
    }

    /// Whether or not it could be deleted, it did nothing.
    pub(super) fn change_set_deleted(&mut self, index: usize) {
        match std::mem::replace(&mut self.tracks[index].state, State::Sending) {
            State::Dropping(AfterDrop::Anew) => {
                self.tracks[index].attempt += 1;
                self.consider(index);
            }
            State::Dropping(AfterDrop::Failed(Some(failure))) => self.fail_or_restore(index, *failure),
            _ => self.landed(index),
        }
    }

    /// A call before the operation ran was refused or not answered.
    fn call_failed(&mut self, index: usize, error: &CloudError) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        self.fail_or_restore(index, failure::of_call(&name, error));
    }
}
