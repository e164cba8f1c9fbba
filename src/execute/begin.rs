//! Before an operation: is the stack still what the plan was made upon, whose operation runs there, and off it goes.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use super::{
    Answer, Call, Event, FailureKind, Machine, StepResult, failure,
    poll::FRESH,
    token::{self, Asks, Intent},
    track::{ChangeSetOrigin, PendingFailure, Requested, Requesting, Running, State, Track},
};
use crate::{
    cloud::{
        ChangeSetType, CloudError, CloudErrorKind, CloudResult, CreateChangeSet, CreateStack, DeleteStack, PageToken,
        Stack, StackRef, Timestamp,
    },
    plan::{Decision, Operation, Plan, Submission, decide, fill},
    render::ParameterValue,
};

/// How much the clock of this machine may differ from AWS's.
const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);

impl Machine {
    /// Begins the operation at hand.
    pub(super) fn begin(&mut self, index: usize) {
        let plan = Rc::clone(&self.plan);
        let step = &plan.steps[index];
        let Some(operation) = self.tracks[index].current(step) else { return self.check_or_finish(index) };
        if self.tracks[index].restoring.is_none() && !self.may_begin(index) {
            return self.pause(index);
        }
        let name = self.name_of(index);
        let track = &mut self.tracks[index];
        track.waiting = None;
        track.began = self.now;
        track.intent = intent_of(&plan, index, track, operation, &self.values);
        track.attempt += 1;
        track.log.next_operation();
        track.may_leave = false;
        track.theirs = false;
        track.remade = false;
        let title = match track.restoring {
            Some(_) if operation.submission().is_some() => "restore the stack".to_owned(),
            Some(_) => name,
            None => failure::title_of(operation, name),
        };
        let changes = matches!(operation, Operation::Update { .. } | Operation::Delete { .. });
        let creates = matches!(operation, Operation::Create { .. });
        let (stack, at) = (step.identity.stack.clone(), self.now);
        self.report(Event::OperationStarted { stack, action: step.action, operation: title, at });
        let track = &self.tracks[index];
        let known = track.seen.is_some_and(|seen| self.now.since(seen) <= FRESH);
        match track.id {
            Some(_) if !known && (changes || track.operation == 0) => {
                self.tracks[index].state = State::Inspecting;
                self.describe(index);
            }
            // CreateStack and CreateChangeSet would take over somebody's empty shell of that name.
            None if creates && !self.is_free(index) => {
                self.tracks[index].state = State::Inspecting;
                self.describe(index);
            }
            _ => self.consider(index),
        }
    }

    /// May a creation begin without a look at its name? CreateStack refuses a name that is taken; what it would take
    /// over is a shell, which listings show.
    fn is_free(&self, index: usize) -> bool {
        let plan = Rc::clone(&self.plan);
        let (step, operation, _) = self.at_hand(&plan, index);
        let refused = matches!(operation, Some(Operation::Create { validate: false, .. }));
        refused && self.polls[self.target_of(index)].is_free(&step.identity.stack.name, self.now)
    }

    /// The stack was described before an operation.
    pub(super) fn inspected(&mut self, index: usize, found: Option<Stack>) {
        let plan = Rc::clone(&self.plan);
        let waited = self.waits_by_itself(index);
        let track = &mut self.tracks[index];
        track.saw(found.filter(|stack| !stack.status.is_deleted()));
        let again = track.restoring.is_some() || waited;
        if let (true, Some(operation)) = (again, track.current(&plan.steps[index])) {
            // Others had time to come in between: what is begun now is begun upon what was just seen.
            track.settle_base();
            track.intent = intent_of(&plan, index, track, operation, &self.values);
        }
        let creates = matches!(track.current(&plan.steps[index]), Some(Operation::Create { .. }));
        match &track.stack {
            Some(stack) if creates || stack.status.is_running() => self.recognise(index, None),
            _ => self.consider(index),
        }
    }

    /// A stack has the name that was to be created, or a change was not answered.
    pub(super) fn met(&mut self, index: usize, found: Option<Stack>) {
        let plan = Rc::clone(&self.plan);
        let (_, operation, _) = self.at_hand(&plan, index);
        let protection = found.as_ref().map(|stack| stack.termination_protection);
        let pending = self.tracks[index].take_pending();
        self.tracks[index].saw(found);
        match (operation, &self.tracks[index].id) {
            (Some(Operation::Delete { .. }), None) => self.run(index),
            (Some(Operation::Protect { on }), _) if protection == Some(*on) => self.switched(index),
            (Some(Operation::Protect { .. }), Some(_)) | (_, None) => match pending {
                Some(pending) => self.fail_or_restore(index, *pending),
                None => self.fail_stale(index, "a stack of this name existed a moment ago and is gone"),
            },
            (_, Some(_)) => self.recognise(index, pending),
        }
    }

    /// Termination protection is as it was to be.
    fn switched(&mut self, index: usize) {
        self.tracks[index].acted = true;
        self.landed(index);
    }

    /// Asks by its events whose operation runs on the stack.
    fn recognise(&mut self, index: usize, pending: PendingFailure) {
        self.tracks[index].state = State::Recognising(pending);
        self.request_events(index, None);
    }

    /// The events say whose operation it is.
    pub(super) fn recognised(&mut self, index: usize) {
        let plan = Rc::clone(&self.plan);
        let updates = matches!(self.at_hand(&plan, index).1, Some(Operation::Update { .. }));
        let token = self.token(index, Asks::Operation);
        let track = &mut self.tracks[index];
        let ours = track.log.last_token() == Some(token.as_str());
        let pending = track.take_pending();
        let judged = pending.is_some();
        if let Some(pending) = pending.filter(|_| !ours) {
            return self.fail_or_restore(index, *pending);
        }
        if ours {
            track.may_leave |= !judged && updates;
            return self.run(index);
        }
        match self.plan.steps[index].observed {
            Some(_) => self.consider(index),
            None => self.fail_stale(index, "somebody else has created a stack of this name since"),
        }
    }

    /// Asks the plan whether the operation still holds, and sends it.
    pub(super) fn consider(&mut self, index: usize) {
        match self.verdict(index) {
            Decision::Skip(_) => self.landed(index),
            Decision::Stop(why) => self.fail_stale(index, &why),
            Decision::Run(_) if self.interrupts > 0 && (!self.tracks[index].acted || self.waits_by_itself(index)) => {
                self.finish(index, StepResult::NotStarted)
            }
            Decision::Run(submission) => self.send(index, submission.map(|boxed| *boxed)),
        }
    }

    pub(super) fn verdict(&self, index: usize) -> Decision {
        let (step, track) = (&self.plan.steps[index], &self.tracks[index]);
        let number = if track.restoring.is_some() { step.operations.len() } else { track.operation };
        decide(step, number, track.stack.as_ref(), &self.values)
    }

    fn send(&mut self, index: usize, submission: Option<Submission>) {
        let plan = Rc::clone(&self.plan);
        let (step, operation, _) = self.at_hand(&plan, index);
        let token = |asks| self.token(index, asks);
        let track = &self.tracks[index];
        let stack = track.id.clone().unwrap_or_else(|| step.identity.stack.name.clone());
        let call = match (operation, submission) {
            (Some(Operation::Create { validate: false, .. }), Some(submission)) => {
                Call::CreateStack(creation(&plan, &step.identity.stack.name, submission, token(Asks::Operation)))
            }
            (Some(Operation::Create { .. }), Some(submission)) => {
                let to = (step.identity.stack.name.clone(), ChangeSetType::Create);
                Call::CreateChangeSet(change_set(&plan, to, &track.intent, submission, token(Asks::ChangeSet)))
            }
            (Some(Operation::Update { .. }), Some(submission)) => {
                let to = (stack, ChangeSetType::Update);
                Call::CreateChangeSet(change_set(&plan, to, &track.intent, submission, token(Asks::ChangeSet)))
            }
            (Some(Operation::Delete { role_arn }), _) => {
                Call::DeleteStack(DeleteStack { stack, role_arn: role_arn.clone(), token: token(Asks::Operation) })
            }
            (Some(Operation::Protect { on }), _) => Call::Protect { stack, on: *on },
            _ => return self.fail_stale(index, "the plan has nothing to send"),
        };
        self.tracks[index].state = match &call {
            Call::CreateChangeSet(request) => {
                let requested = Requested { parameters: request.parameters.clone(), tags: request.tags.clone() };
                State::Requesting(Requesting { requested, found: ChangeSetOrigin::Made, pending: None })
            }
            _ => State::Sending,
        };
        self.ask(index, call);
    }

    /// CreateStack, DeleteStack or UpdateTerminationProtection was answered.
    pub(super) fn sent(&mut self, index: usize, result: CloudResult<Answer>) {
        let plan = Rc::clone(&self.plan);
        let (step, operation, _) = self.at_hand(&plan, index);
        match result {
            Ok(Answer::Created(id)) => {
                self.tracks[index].id = Some(id);
                self.run(index);
            }
            Ok(_) if matches!(operation, Some(Operation::Protect { .. })) => {
                self.switched(index);
            }
            Ok(_) => self.run(index),
            Err(error) if error.kind == CloudErrorKind::AlreadyExists => {
                self.tracks[index].state = State::Meeting(None);
                self.ask(index, Call::DescribeStack(step.identity.stack.name.clone()));
            }
            Err(error) => self.refused_or_lost(index, &error),
        }
    }

    /// A call that changes something did not work. Where it may have been accepted all the same, or another operation
    /// runs, the stack is looked at before anything else happens to it.
    pub(super) fn refused_or_lost(&mut self, index: usize, error: &CloudError) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        let failure = failure::of_call(&name, error);
        if !error.kind.leaves_doubt() {
            return self.fail_or_restore(index, failure);
        }
        self.look_again(index, error);
    }

    /// Describes the stack, to learn by its events whether what was asked goes on.
    pub(super) fn look_again(&mut self, index: usize, error: &CloudError) {
        let plan = Rc::clone(&self.plan);
        let (step, _, name) = self.at_hand(&plan, index);
        let failure = failure::of_call(&name, error);
        let track = &mut self.tracks[index];
        track.state = State::Meeting(Some(Box::new(failure)));
        let stack = track.id.clone().unwrap_or_else(|| step.identity.stack.name.clone());
        self.ask(index, Call::DescribeStack(stack));
    }

    /// The operation runs from here on.
    pub(super) fn run(&mut self, index: usize) {
        let now = self.now;
        let watched = self.active.iter().filter(|other| self.tracks[**other].watched).count();
        let track = &mut self.tracks[index];
        track.state = State::Running(Running { since: now, look: now, unseen: true, described: None });
        track.acted = true;
        track.watched = track.watched || watched < self.settings.draw;
        track.waiting = None;
        self.poll_soon(index);
    }

    /// Asks for a page of events.
    pub(super) fn request_events(&mut self, index: usize, from: Option<PageToken>) {
        let track = &mut self.tracks[index];
        if let Some(stack) = track.id.clone() {
            track.log.reading = true;
            self.ask(index, Call::DescribeEvents { stack, from });
        } else {
            self.events_read(index, None);
        }
    }

    /// Where reading events may stop: the token of the operation, unless anybody's will do, and a time.
    pub(super) fn until(&self, index: usize) -> (Option<String>, Option<Timestamp>) {
        let track = &self.tracks[index];
        if let State::Recognising(_) = track.state {
            return (None, None);
        }
        let earliest = track.began.0.saturating_sub(CLOCK_SKEW.as_millis() as i64);
        (self.own_token(index), Some(Timestamp(earliest)))
    }

    /// The token of a request of the operation at hand.
    pub(super) fn token(&self, index: usize, asks: Asks) -> String {
        let track = &self.tracks[index];
        token::request(&track.intent, &self.plan.nonce, track.attempt, asks)
    }

    /// What the events of the operation carry; none where another run asked for it.
    pub(super) fn own_token(&self, index: usize) -> Option<String> {
        (!self.tracks[index].theirs).then(|| self.token(index, Asks::Operation))
    }

    pub(super) fn fail_stale(&mut self, index: usize, why: &str) {
        let plan = Rc::clone(&self.plan);
        let (_, _, name) = self.at_hand(&plan, index);
        let mut failure = failure::plain(FailureKind::Stale, &name, why);
        failure.status = self.tracks[index].stack.as_ref().map(|stack| stack.status.clone());
        self.fail_or_restore(index, failure);
    }
}

type OutputValues = BTreeMap<(StackRef, String), String>;

fn intent_of(plan: &Plan, index: usize, track: &Track, operation: &Operation, values: &OutputValues) -> String {
    let restores = if track.restoring.is_some() { "restore " } else { "" };
    let intent = Intent {
        stack: &plan.steps[index].identity.stack,
        base: track.base.as_ref().map(|(id, at)| (id.as_str(), *at)),
        sent: &operation.submission().map(|submission| wording(submission, values)).unwrap_or_default(),
        operation: &format!("{restores}{}", failure::call_of(operation)),
    };
    intent.name()
}

/// Everything that is sent, as one text. What cannot be filled in yet is not sent either.
fn wording(submission: &Submission, values: &OutputValues) -> String {
    let filled = fill(submission, values).unwrap_or_else(|_| submission.clone());
    serde_json::to_string(&filled).expect("text keys and plain values are JSON")
}

fn creation(plan: &Plan, name: &str, submission: Submission, token: String) -> CreateStack {
    CreateStack {
        name: name.to_owned(),
        body: body(plan, &submission),
        parameters: literals(submission.parameters),
        tags: submission.tags,
        capabilities: submission.capabilities,
        options: submission.options,
        disable_rollback: false,
        termination_protection: submission.termination_protection,
        token,
    }
}

fn change_set(
    plan: &Plan,
    (stack, kind): (String, ChangeSetType),
    intent: &str,
    submission: Submission,
    token: String,
) -> CreateChangeSet {
    CreateChangeSet {
        stack,
        name: intent.to_owned(),
        kind,
        body: body(plan, &submission),
        parameters: literals(submission.parameters),
        previous: submission.previous,
        tags: submission.tags,
        capabilities: submission.capabilities,
        options: submission.options,
        token,
    }
}

fn body(plan: &Plan, submission: &Submission) -> String {
    plan.bodies.get(&submission.body).map(ToString::to_string).unwrap_or_default()
}

fn literals(parameters: BTreeMap<String, ParameterValue>) -> BTreeMap<String, String> {
    let literal = |value| match value {
        ParameterValue::Literal(text) => Some(text),
        ParameterValue::Output { .. } => None,
    };
    parameters.into_iter().filter_map(|(name, value)| Some((name, literal(value)?))).collect()
}
