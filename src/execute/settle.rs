//! What an operation came to, and what follows: the next one, the way back, or the end.
//!
//! Events are read for stacks that failed, that somebody watches, and whose change set removed or replaced
//! something: only then can the clean-up after a success leave something that bills. A stack that was merely
//! created or changed in place costs no such call.

use std::rc::Rc;

use super::{
    Answer, Event, Failure, FailureKind, Machine,
    failure::{self, FailedOperation},
    track::{EventReading, Restoring, State},
};
use crate::{
    cloud::{CloudResult, OUTPUT_DIGEST, Stack, StackEvent, StackStatus},
    plan::{Between, Operation},
};

/// What a step undoes on its way, and puts back when it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undone {
    /// Something is out, as the plan says.
    Detour(Between),
    /// Termination protection was turned off.
    Protection,
}

impl Undone {
    /// Said where it was not put back.
    pub(super) fn left(&self) -> String {
        match self {
            Self::Detour(Between { out, .. }) => {
                format!("{out} is out and was not restored; apply again when the stack can be updated")
            }
            Self::Protection => "termination protection is off and was not turned on again".to_owned(),
        }
    }

    /// Said where it is being put back and nobody looks.
    pub(super) fn goes_on(&self) -> String {
        match self {
            Self::Detour(_) => "the way back continues in AWS, unwatched".to_owned(),
            Self::Protection => "turning termination protection on again continues in AWS, unwatched".to_owned(),
        }
    }

    /// Said where it was put back, with what was.
    fn back(&self) -> String {
        match self {
            Self::Detour(between) => format!("what ran before was restored: {}", restored(between)),
            Self::Protection => "termination protection was turned on again".to_owned(),
        }
    }

    fn not_back(&self) -> String {
        match self {
            Self::Detour(between) => format!("{} could not be restored", restored(between)),
            Self::Protection => "termination protection could not be turned on again".to_owned(),
        }
    }
}

fn restored(between: &Between) -> &str {
    between.restores.as_ref().unwrap_or(&between.out)
}

impl Machine {
    /// The operation is over, or (without `began`) was accepted and never showed.
    pub(super) fn settled(&mut self, index: usize, found: Option<Stack>, began: bool) {
        let status = found.as_ref().map_or(StackStatus::DeleteComplete, |stack| stack.status.clone());
        let wanted = began && self.is_wanted(index, found.as_ref());
        let track = &mut self.tracks[index];
        if found.is_some() {
            track.saw(found);
        }
        let reread = track.log.reading;
        let told = track.log.stack_status().as_ref() == Some(&status) && !reread;
        track.state = State::Reading(EventReading { ended: status, wanted, reread, unread: None });
        match !wanted || track.may_leave || track.watched && !told {
            false => self.conclude(index),
            true if reread => {}
            true => self.request_events(index, None),
        }
    }

    fn is_wanted(&self, index: usize, found: Option<&Stack>) -> bool {
        let plan = Rc::clone(&self.plan);
        let (_, operation, _) = self.at_hand(&plan, index);
        let deletes = matches!(operation, Some(Operation::Delete { .. }));
        let Some(stack) = found else { return deletes };
        let landed = stack.status.landed() && stack.status.is_deleted() == deletes;
        let made = operation.and_then(Operation::submission).map(|submission| &submission.digest);
        let theirs = stack.outputs.get(OUTPUT_DIGEST);
        // A body from before there were digests has none.
        let same = |made: &String| theirs == Some(made) || made.is_empty() && theirs.is_none();
        landed && (deletes || made.is_none_or(same))
    }

    /// A page of events arrived.
    pub(super) fn read_events(&mut self, index: usize, result: CloudResult<Answer>) {
        let page = match result {
            Ok(Answer::Events(page)) => page,
            Ok(_) => return,
            Err(error) => {
                self.tracks[index].log.news();
                // Whoever may not read events is not watched any more.
                self.tracks[index].watched = false;
                return self.events_read(index, Some(&error));
            }
        };
        let (token, since) = self.until(index);
        let track = &mut self.tracks[index];
        let next = track.log.take(page, token.as_deref(), since);
        let stack = &self.plan.steps[index].identity.stack;
        match track.log.pages.lead(next, ("DescribeStackEvents", &stack.name, &stack.target)) {
            Ok(None) => {}
            Ok(next) => return self.request_events(index, next),
            Err(error) => return self.read_events(index, Err(error)),
        }
        let news = track.log.news();
        self.tell_resources(index, &news);
        self.events_read(index, None);
    }

    pub(super) fn events_read(&mut self, index: usize, error: Option<&crate::cloud::CloudError>) {
        match (&mut self.tracks[index].state, error) {
            (State::Reading(reading), _) if reading.reread => {
                reading.reread = false;
                self.request_events(index, None);
            }
            (State::Reading(reading), error) => {
                reading.unread = error.map(ToString::to_string);
                self.conclude(index);
            }
            (State::Running(_), None) => self.look_at_log(index),
            (State::Recognising(_), None) => self.recognised(index),
            (State::Recognising(_), Some(error)) => {
                let failure = failure::of_call("look at the stack", error);
                self.fail(index, failure);
            }
            _ => {}
        }
    }

    /// Watched stacks tell everything, others their failures.
    fn tell_resources(&mut self, index: usize, news: &[StackEvent]) {
        let watched = self.tracks[index].watched;
        if let State::Recognising(_) = self.tracks[index].state {
            return;
        }
        for event in news.iter().filter(|event| !event.is_of_stack() && (watched || event.status.is_failure())) {
            self.report(Event::Resource {
                stack: self.plan.steps[index].identity.stack.clone(),
                logical_id: event.logical_id.clone(),
                resource_type: event.resource_type.clone(),
                status: event.status.clone(),
                reason: event.reason.clone(),
                at: event.at,
            });
        }
    }

    fn conclude(&mut self, index: usize) {
        let State::Reading(reading) = self.tracks[index].state.clone() else { return };
        self.moved(index, reading.ended);
        let plan = Rc::clone(&self.plan);
        let (step, operation, name) = self.at_hand(&plan, index);
        let track = &self.tracks[index];
        let status = track.status.clone().unwrap_or(StackStatus::DeleteComplete);
        let token = self.own_token(index);
        let body = operation.and_then(Operation::submission).and_then(|sent| plan.bodies.get(&sent.body));
        let ended = FailedOperation {
            step,
            body: body.map(|body| &**body),
            operation: &name,
            deletes: matches!(operation, Some(Operation::Delete { .. })),
            status: &status,
            reason: track.stack.as_ref().and_then(|stack| stack.status_reason.as_deref()),
            events: track.log.operation(token.as_deref()),
        };
        if !reading.wanted {
            let failure = ended.failure();
            return self.fail_or_restore(index, failure);
        }
        let goes_on = track.restoring.is_none() && track.operation + 1 < step.operations.len();
        if goes_on && let Some(failure) = operation.and_then(|operation| ended.not_cleared(operation)) {
            return self.fail(index, failure);
        }
        let unread = reading.unread.as_ref().filter(|_| track.may_leave).map(|why| ended.unread(why));
        let leftover = ended.leftover().filter(|_| track.may_leave || track.watched).or(unread).map(Box::new);
        let track = &mut self.tracks[index];
        track.leftover = match (track.leftover.take(), leftover) {
            (Some(mut leftover), Some(more)) => {
                leftover.notes.extend(more.notes);
                Some(leftover)
            }
            (before, now) => before.or(now),
        };
        self.landed(index);
    }

    /// The operation did what it was to do, or there was nothing for it to do.
    pub(super) fn landed(&mut self, index: usize) {
        let track = &mut self.tracks[index];
        if track.stack.as_ref().is_some_and(|stack| stack.status.is_deleted()) || track.is_gone() {
            track.saw(None);
        }
        track.settle_base();
        if let Some(Restoring { mut failure, undone }) = track.restoring.take() {
            failure.status = track.stack.as_ref().map(|stack| stack.status.clone());
            failure.notes.push(undone.back());
            return self.fail(index, *failure);
        }
        track.operation += 1;
        self.learn_outputs(index);
        self.wake(index);
        self.begin(index);
    }

    /// A failed phase is followed by the way back, where the plan has one and the stack can take it.
    pub(super) fn fail_or_restore(&mut self, index: usize, mut failure: Failure) {
        let Some(undone) = self.undone(index).filter(|_| self.tracks[index].restoring.is_none()) else {
            return self.fail(index, failure);
        };
        let has_way = self.plan.steps[index].restore.is_some();
        let track = &mut self.tracks[index];
        let known = matches!(failure.kind, FailureKind::RolledBack | FailureKind::Gate | FailureKind::Refused);
        let takes = |stack: &Stack| match &undone {
            Undone::Detour(_) => known && stack.status.is_updatable(),
            Undone::Protection => stack.status.is_settled() && !stack.status.is_deleted(),
        };
        match &track.stack {
            Some(stack) if has_way && takes(stack) && self.interrupts < 2 => {
                if let Some(pending) = track.take_pending() {
                    add_earlier(&mut failure, *pending);
                }
                track.settle_base();
                track.restoring = Some(Restoring { failure: Box::new(failure), undone });
                self.begin(index);
            }
            _ => {
                failure.notes.push(undone.left());
                self.fail(index, failure);
            }
        }
    }

    /// What the step has undone and not put back: what is out while the body runs that was seen last, or the protection of
    /// a stack that still exists.
    pub(super) fn undone(&self, index: usize) -> Option<Undone> {
        let (step, track) = (&self.plan.steps[index], &self.tracks[index]);
        if let Some(Operation::Protect { .. }) = step.restore {
            let done = &step.operations[..track.operation.min(step.operations.len())];
            let off = |operation: &Operation| matches!(operation, Operation::Protect { on: false });
            let deleted = |operation: &Operation| matches!(operation, Operation::Delete { .. });
            return (done.iter().any(off) && !done.iter().any(deleted)).then_some(Undone::Protection);
        }
        let runs = track.stack.as_ref().and_then(|stack| stack.outputs.get(OUTPUT_DIGEST));
        runs.and_then(|digest| step.between.get(digest)).cloned().map(Undone::Detour)
    }

    /// The step's failure, whatever else was going on: what was being put back failed first and is the cause, and
    /// what earlier operations left behind is said with it. What depends on the step is blocked.
    pub(super) fn fail(&mut self, index: usize, failure: Failure) {
        let mut said = match self.tracks[index].restoring.take() {
            Some(Restoring { failure: mut first, undone }) => {
                first.notes.push(format!("{}: {}", undone.not_back(), in_short(&failure)));
                first.notes.extend(failure.notes);
                if !failure.rollback.is_empty() {
                    (first.status, first.rollback) = (failure.status, failure.rollback);
                }
                *first
            }
            None => failure,
        };
        let track = &mut self.tracks[index];
        if let Some(pending) = track.take_pending() {
            add_earlier(&mut said, *pending);
        }
        said.notes.extend(track.leftover.take().into_iter().flat_map(|leftover| leftover.notes));
        said.endpoint = self.plan.steps[index].checks.first().map(|check| check.endpoint().to_owned());
        self.finish(index, super::StepResult::Failed(Box::new(said)));
    }

    /// Everything was done: what the stack puts out is known, and only a leftover can spoil it.
    pub(super) fn succeed(&mut self, index: usize, found_good: bool) {
        self.learn_outputs(index);
        let track = &mut self.tracks[index];
        let done = track.acted || found_good;
        match track.leftover.take() {
            Some(leftover) => self.finish(index, super::StepResult::Failed(leftover)),
            None if done => self.finish(index, super::StepResult::Done),
            None => self.finish(index, super::StepResult::Unchanged),
        }
    }
}

impl Machine {
    fn learn_outputs(&mut self, index: usize) {
        let stack = &self.plan.steps[index].identity.stack;
        let outputs = self.tracks[index].stack.iter().flat_map(|found| &found.outputs);
        self.values.extend(outputs.map(|(key, value)| ((stack.clone(), key.clone()), value.clone())));
    }
}

fn add_earlier(failure: &mut Failure, earlier: Failure) {
    failure.notes.push(format!("before that: {}", in_short(&earlier)));
    failure.notes.extend(earlier.notes);
}

fn in_short(failure: &Failure) -> String {
    match failure.rollback.first().or(failure.cause.as_ref()) {
        Some(cause) => format!("{}: {}", cause.logical_id, cause.reason),
        None if failure.kind == FailureKind::Gate => format!("{}; it was not executed", failure.message),
        None => failure.message.clone(),
    }
}
