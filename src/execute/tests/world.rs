//! A scripted account: stacks that take as long and end as the script says, so that a test can put the machine
//! into corners which a well-behaved account does not have.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    cloud::*,
    execute::{Answer, Call, Command, Event, Input, Machine, Outcome, Settings},
    plan::Plan,
};

/// How an operation goes.
#[derive(Debug, Clone)]
pub(super) enum Goes {
    /// It lands after so many seconds.
    Lands(u64),
    /// This resource fails after so many seconds, and everything is rolled back.
    Fails(u64, &'static str, &'static str),
    /// It lands, and this old resource could not be removed.
    Leaves(u64, &'static str),
    /// The change set says that there is nothing to do.
    Empty,
}

#[derive(Debug, Clone)]
struct Fake {
    stack: Stack,
    settles: Option<(Timestamp, StackStatus)>,
    events: Vec<StackEvent>,
    digest: String,
}

pub(super) struct World {
    pub(super) now: Timestamp,
    stacks: BTreeMap<String, Fake>,
    change_sets: BTreeMap<String, (CreateChangeSet, ChangeSet)>,
    /// By stack: how its next operations go.
    pub(super) script: BTreeMap<&'static str, VecDeque<Goes>>,
    /// What every change set changes.
    pub(super) changes: Vec<Change>,
    /// The configuration that endpoints run, where it is not the one their stack made.
    pub(super) config: Option<&'static str>,
    /// By action: errors that come before answers.
    pub(super) errors: BTreeMap<&'static str, VecDeque<CloudErrorKind>>,
    /// Actions whose next answer is lost on its way back.
    pub(super) lost: Vec<&'static str>,
    /// Actions whose next answer is mangled on its way back.
    pub(super) unreadable: Vec<&'static str>,
    /// Every page of a listing leads to the same next one.
    pub(super) endless: bool,
    /// How the second call of an action is refused.
    pub(super) refuse_second: Option<(&'static str, CloudErrorKind)>,
    pub(super) calls: BTreeMap<&'static str, u64>,
    pub(super) account: &'static str,
    /// At which second the user interrupts.
    pub(super) interrupts: VecDeque<i64>,
    pub(super) events: Vec<Event>,
}

pub(super) fn target() -> Target {
    Target { account: None, region: "us-east-1".into(), assume_role: None }
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: Timestamp(0),
            stacks: BTreeMap::new(),
            change_sets: BTreeMap::new(),
            script: BTreeMap::new(),
            changes: Vec::new(),
            config: None,
            errors: BTreeMap::new(),
            lost: Vec::new(),
            unreadable: Vec::new(),
            endless: false,
            refuse_second: None,
            calls: BTreeMap::new(),
            account: "111122223333",
            interrupts: VecDeque::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn goes(mut self, stack: &'static str, how: impl IntoIterator<Item = Goes>) -> Self {
        self.script.entry(stack).or_default().extend(how);
        self
    }

    /// A stack that is there before the plan; answers how a plan observes it.
    pub(super) fn has(&mut self, name: &str, digest: &str) -> crate::plan::Observed {
        let id = self.create(name, "before", StackStatus::CreateComplete);
        let fake = self.stacks.get_mut(&id).expect("just made");
        fake.digest = digest.into();
        fake.stack.outputs = outputs(name, digest);
        crate::plan::Observed {
            id,
            status: StackStatus::CreateComplete,
            changed_at: self.now,
            outputs: outputs(name, digest),
            protected: false,
            owner: None,
        }
    }

    /// A stack that somebody's operation with this token works on.
    pub(super) fn runs(&mut self, name: &str, token: &str, seconds: u64) -> String {
        let id = self.create(name, token, StackStatus::CreateInProgress);
        let fake = self.stacks.get_mut(&id).expect("just made");
        fake.digest = "d".into();
        fake.settles = Some((Timestamp(seconds as i64 * 1000), StackStatus::CreateComplete));
        id
    }

    /// The tags of every change set there is become somebody else's.
    pub(super) fn retag(&mut self) {
        for (_, set) in self.change_sets.values_mut() {
            set.tags.insert("by".into(), "another".into());
        }
    }

    /// Carries out a plan to the end.
    pub(super) fn run(&mut self, plan: Plan, settings: Settings) -> Outcome {
        let mut machine = Machine::new(plan, settings, self.now);
        let mut inputs = VecDeque::from([Input::Tick]);
        for _ in 0..100_000 {
            let input = inputs.pop_front().expect("the machine waits for nothing");
            let mut wake = None;
            for command in machine.step(self.now, input) {
                match command {
                    Command::Done(outcome) => return outcome,
                    Command::Report(event) => self.events.push(event),
                    Command::SleepUntil(at) => wake = Some(at),
                    Command::Call { id, target, call } => {
                        let result = self.answer(&target, call);
                        inputs.push_back(Input::Answer { id, result });
                    }
                }
            }
            if inputs.is_empty() {
                inputs.push_back(self.pass(wake));
            }
        }
        panic!("the machine does not come to an end");
    }

    fn pass(&mut self, wake: Option<Timestamp>) -> Input {
        let interrupt = self.interrupts.front().map(|second| Timestamp(second * 1000));
        match (wake, interrupt) {
            (wake, Some(at)) if wake.is_none_or(|wake| at < wake) => {
                self.interrupts.pop_front();
                self.now = self.now.max(at);
                Input::Interrupt
            }
            (wake, _) => {
                self.now = self.now.max(wake.expect("the machine waits for nothing"));
                Input::Tick
            }
        }
    }

    fn answer(&mut self, target: &Target, call: Call) -> CloudResult<Answer> {
        *self.calls.entry(call.action()).or_default() += 1;
        self.settle();
        let error = self.errors.get_mut(call.action()).and_then(VecDeque::pop_front);
        let (operation, target) = (call.action(), target.clone());
        let wrap = |kind| CloudError { operation, subject: "it".into(), target, kind, request_id: None };
        let second =
            self.refuse_second.clone().filter(|(action, _)| *action == operation && self.calls[operation] == 2);
        if let Some((_, kind)) = second {
            return Err(wrap(kind));
        }
        if let Some(at) = self.unreadable.iter().position(|action| *action == operation) {
            self.unreadable.remove(at);
            let _ = self.tell(call);
            return Err(wrap(CloudErrorKind::Unreadable("a page of a proxy".into())));
        }
        let lost = self.lost.iter().position(|action| *action == operation).map(|at| self.lost.remove(at));
        match (error, lost) {
            (Some(kind), _) => Err(wrap(kind)),
            (None, None) => self.tell(call).map_err(wrap),
            (None, Some(_)) => {
                let _ = self.tell(call);
                Err(wrap(CloudErrorKind::Unreachable("the connection was closed".into())))
            }
        }
    }

    fn tell(&mut self, call: Call) -> Result<Answer, CloudErrorKind> {
        match call {
            Call::Identity => {
                Ok(Answer::Identity(CallerIdentity { account: self.account.into(), arn: "arn:me".into() }))
            }
            Call::CreateStack(request) => {
                if self.find(&request.name).is_some() {
                    return Err(CloudErrorKind::AlreadyExists);
                }
                let id = self.create(&request.name, &request.token, StackStatus::CreateInProgress);
                let digest = request.body;
                self.go(&id, &request.token, digest, StackStatus::CreateComplete, StackStatus::RollbackComplete);
                Ok(Answer::Created(id))
            }
            Call::DeleteStack(request) => {
                let (id, gone) = (request.stack, StackStatus::DeleteComplete);
                self.push(&id, None, "DELETE_IN_PROGRESS", None, &request.token);
                self.go(&id, &request.token, String::new(), gone, StackStatus::DeleteFailed);
                self.status(&id, StackStatus::DeleteInProgress);
                Ok(Answer::Accepted)
            }
            Call::Protect { .. } => Ok(Answer::Accepted),
            Call::DescribeStack(name) => {
                let fake = self.stacks.get(&name).or_else(|| self.find(&name));
                Ok(Answer::Stack(fake.map(|fake| Box::new(fake.stack.clone()))))
            }
            Call::DescribeAll(_) => Ok(Answer::Stacks(Page {
                items: self.stacks.values().map(|fake| fake.stack.clone()).filter(|s| !s.status.is_deleted()).collect(),
                next: self.next(),
            })),
            Call::ListRunning(_) => Ok(Answer::Running(Page { next: self.next(), ..self.running() })),
            Call::DescribeEvents { stack, .. } => {
                let events = &self.stacks[&stack].events;
                // Without the events by which a reading knows that it may stop.
                let kept = events.iter().rev().filter(|event| !self.endless || !event.is_of_stack());
                Ok(Answer::Events(Page { items: kept.cloned().collect(), next: self.next() }))
            }
            Call::DescribeEndpoint(name) => Ok(Answer::Endpoint(Some(EndpointDescription {
                config_name: self.config.map_or_else(|| config(&self.digest_of(&name)), Into::into),
                arn: String::new(),
                name,
                status: EndpointStatus::InService,
                failure_reason: None,
            }))),
            call => self.tell_of_change_sets(call),
        }
    }

    fn tell_of_change_sets(&mut self, call: Call) -> Result<Answer, CloudErrorKind> {
        match call {
            Call::CreateChangeSet(request) => {
                let arn = format!("arn:changeset/{}", request.name);
                let stack = request.stack.clone();
                if self.change_sets.contains_key(&arn) {
                    return Err(CloudErrorKind::AlreadyExists);
                }
                self.compute(&arn, request);
                Ok(Answer::ChangeSetIds(ChangeSetIds { change_set: arn, stack }))
            }
            Call::DescribeChangeSet(arn) => {
                Ok(Answer::ChangeSet(self.change_sets.get(&arn).map(|(_, set)| Box::new(set.clone()))))
            }
            Call::ListChangeSets(_) => Ok(Answer::ChangeSets(
                self.change_sets.iter().map(|(arn, (r, _))| (r.name.clone(), arn.clone())).collect(),
            )),
            Call::DeleteChangeSet(arn) => {
                self.change_sets.remove(&arn);
                Ok(Answer::Accepted)
            }
            Call::ExecuteChangeSet(request) => {
                let (asked, _) = self.change_sets.remove(&request.change_set).ok_or(CloudErrorKind::NotFound)?;
                let id = asked.stack;
                self.push(&id, None, "UPDATE_IN_PROGRESS", None, &request.token);
                self.status(&id, StackStatus::UpdateInProgress);
                let now = self.now;
                self.stacks.get_mut(&id).expect("known").stack.updated_at = Some(now);
                let (good, bad) = (StackStatus::UpdateComplete, StackStatus::UpdateRollbackComplete);
                self.go(&id, &request.token, asked.body, good, bad);
                Ok(Answer::Accepted)
            }
            other => panic!("not scripted: {other:?}"),
        }
    }

    fn compute(&mut self, arn: &str, request: CreateChangeSet) {
        let name = self.stacks[&request.stack].stack.name.clone();
        let empty = matches!(self.script.get(&*name).and_then(VecDeque::front), Some(Goes::Empty));
        if empty {
            self.script.get_mut(&*name).expect("there").pop_front();
        }
        let set = ChangeSet {
            id: arn.to_owned(),
            name: request.name.clone(),
            stack_id: request.stack.clone(),
            status: if empty { ChangeSetStatus::Failed } else { ChangeSetStatus::CreateComplete },
            execution_status: if empty { ExecutionStatus::Unavailable } else { ExecutionStatus::Available },
            status_reason: empty.then(|| "The submitted information didn't contain changes.".into()),
            created_at: self.now,
            tags: request.tags.clone(),
            parameters: request.parameters.clone(),
            changes: self.changes.clone(),
        };
        self.change_sets.insert(arn.to_owned(), (request, set));
    }

    fn create(&mut self, name: &str, token: &str, status: StackStatus) -> String {
        let id = format!("arn:stack/{name}/{}", self.stacks.len());
        let stack = Stack {
            id: id.clone(),
            name: name.into(),
            status,
            status_reason: None,
            created_at: self.now,
            updated_at: None,
            deleted_at: None,
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
            tags: Tags::new(),
            capabilities: Default::default(),
            role_arn: None,
            notification_arns: Vec::new(),
            termination_protection: false,
        };
        self.stacks.insert(id.clone(), Fake { stack, settles: None, events: Vec::new(), digest: String::new() });
        self.push(&id, None, "CREATE_IN_PROGRESS", None, token);
        id
    }

    fn go(&mut self, id: &str, token: &str, digest: String, good: StackStatus, bad: StackStatus) {
        let name = self.stacks[id].stack.name.clone();
        let how = self.script.get_mut(&*name).and_then(VecDeque::pop_front).unwrap_or(Goes::Lands(30));
        let (seconds, end) = match how {
            Goes::Lands(seconds) => (seconds, good),
            Goes::Leaves(seconds, old) => {
                self.push(id, None, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None, token);
                self.push(id, Some(old), "DELETE_FAILED", Some("it is in use"), token);
                (seconds, good)
            }
            Goes::Fails(seconds, logical_id, reason) => {
                self.push(id, Some("Sibling"), "CREATE_FAILED", Some("Resource creation cancelled"), token);
                self.push(id, Some(logical_id), "CREATE_FAILED", Some(reason), token);
                (seconds, bad)
            }
            Goes::Empty => panic!("only change sets are empty"),
        };
        let fake = self.stacks.get_mut(id).expect("known");
        if end.landed() {
            fake.digest = digest;
        }
        fake.settles = Some((self.now.plus(std::time::Duration::from_secs(seconds)), end));
    }

    fn settle(&mut self) {
        let now = self.now;
        for fake in self.stacks.values_mut() {
            if let Some((_, end)) = fake.settles.take_if(|(at, _)| *at <= now) {
                fake.stack.status = end;
                fake.stack.outputs = outputs(&fake.stack.name, &fake.digest);
            }
        }
    }

    fn next(&self) -> Option<PageToken> {
        self.endless.then(|| PageToken("again".into()))
    }

    fn running(&self) -> Page<StackSummary> {
        let running = self.stacks.values().map(|fake| &fake.stack).filter(|stack| stack.status.is_running());
        let summary = |s: &Stack| StackSummary { id: s.id.clone(), name: s.name.clone(), status: s.status.clone() };
        Page { items: running.map(summary).collect(), next: None }
    }

    fn find(&self, name: &str) -> Option<&Fake> {
        self.stacks.values().find(|fake| fake.stack.name == name && !fake.stack.status.is_deleted())
    }

    fn digest_of(&self, name: &str) -> String {
        self.find(name).map(|fake| fake.digest.clone()).unwrap_or_default()
    }

    fn status(&mut self, id: &str, status: StackStatus) {
        self.stacks.get_mut(id).expect("known").stack.status = status;
    }

    fn push(&mut self, id: &str, resource: Option<&str>, status: &str, reason: Option<&str>, token: &str) {
        let at = self.now;
        let events = &mut self.stacks.get_mut(id).expect("known").events;
        events.push(StackEvent {
            id: format!("e{}", events.len()),
            stack_id: id.into(),
            logical_id: resource.unwrap_or("the stack").into(),
            physical_id: Some(resource.unwrap_or(id).into()),
            resource_type: match resource {
                Some("ScalableTarget") => "AWS::ApplicationAutoScaling::ScalableTarget".into(),
                Some(_) => "AWS::IAM::Role".into(),
                None => "AWS::CloudFormation::Stack".into(),
            },
            status: status.into(),
            reason: reason.map(Into::into),
            at,
            token: Some(token.into()),
            operation_id: None,
        });
    }
}

fn config(digest: &str) -> String {
    format!("config-{digest}")
}

fn outputs(name: &str, digest: &str) -> BTreeMap<String, String> {
    let config = format!("arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/{}", config(digest));
    let pairs = [("HubformDigest", digest), ("EndpointConfigName", &config), ("Name", name)];
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}
