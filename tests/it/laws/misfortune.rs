//! Random deployments under random faults: everything ends, nothing foreign or protected is touched, success is what
//! it says, failure can be mended or is explained, and at the end nothing is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use fastrand::Rng;
use hubform::{
    catalog::Catalog,
    cloud::{Accounts, EndpointStatus, Stack, StackEvent, StackRef},
    diagnostic::{Code, Diagnostics, Severity},
    execute::{Event, Failure, FailureKind, Settings, StepResult, Waiting},
    plan::{Plan, Step},
    resolve::Lock,
    sandbox::{Fault, InventoryItem, Sandbox, Spot},
};
use serde_json::Value;

use super::{
    account::{self, Asked, Run, Wanted, compile},
    deployment::{Deployment, Taste},
    seeds::{hold, one, percent},
};
use crate::support;

#[test]
fn whatever_goes_wrong_can_be_mended_or_is_explained() {
    hold(&[152, 193, 535], 120, |rng| account::now(Journey::new(rng).go(rng)).map(drop));
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    hold(&[], 15, |rng| {
        let mut again = rng.clone();
        let first = account::now(Journey::new(rng).go(rng))?;
        let second = account::now(Journey::new(&mut again).go(&mut again))?;
        match first.iter().zip(&second).position(|(one, other)| one != other) {
            Some(at) => Err(format!("at {at}: {} is {} the second time", first[at], second[at])),
            None if first.len() != second.len() => Err(format!("{} and {} lines", first.len(), second.len())),
            None => Ok(()),
        }
    });
}

const STRANGERS: [&str; 2] = ["a-stranger", "law-endpoint-stranger"];
/// Calls that a run makes itself, so that faults in them are its own to bear.
const OPERATIONS: [&str; 9] = [
    "CreateStack",
    "CreateChangeSet",
    "DescribeChangeSet",
    "ExecuteChangeSet",
    "DeleteChangeSet",
    "DeleteStack",
    "DescribeStackEvents",
    "DescribeEndpoint",
    "ListStacks",
];

/// One deployment from its first day to its last.
struct Journey {
    sandbox: Sandbox,
    accounts: Rc<dyn Accounts>,
    deployment: Deployment,
    wanted: Wanted,
    protected: bool,
    strangers: Vec<(Option<Stack>, String, usize)>,
    /// Faults put in; each makes at most one run fail.
    faults: usize,
    /// Everything failures said was left behind.
    left: String,
    transcript: Vec<String>,
}

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Well,
    Wrong,
    /// Only a person can go on from here, and was told how.
    Explained,
}

impl Journey {
    fn new(rng: &mut Rng) -> Self {
        let sandbox = account::account(rng.u64(..));
        let protected = percent(rng, 25);
        let (mut deployment, _) = Deployment::sound(rng, "law", Taste::Tame);
        if protected {
            deployment.spec_mut("Environment", "law")["protect"] = true.into();
        }
        let wanted = compile(&deployment.files(), &Lock::default(), Catalog::embedded()).expect("it was sound before");
        for name in STRANGERS {
            support::stranger(&sandbox, name);
        }
        let accounts = sandbox.accounts();
        let mut journey = Self {
            sandbox,
            accounts,
            deployment,
            wanted,
            protected,
            strangers: Vec::new(),
            faults: 0,
            left: String::new(),
            transcript: Vec::new(),
        };
        journey.strangers = account::now(journey.look_at_strangers());
        journey
    }

    async fn go(mut self, rng: &mut Rng) -> Result<Vec<String>, String> {
        for _ in 0..rng.u32(1..4) {
            for _ in 0..rng.u32(0..4) {
                self.put_in_fault(rng);
            }
            if self.mended(rng).await? == Went::Explained {
                break;
            }
            (self.deployment, self.wanted) = self.deployment.edited(rng, &self.wanted.lock);
        }
        self.destroy(rng).await?;
        Ok(self.transcript)
    }

    /// Applies again and again; each failure uses up at least one fault.
    async fn mended(&mut self, rng: &mut Rng) -> Result<Went, String> {
        for _ in 0..self.faults + 3 {
            match self.apply(rng).await? {
                Went::Wrong => {}
                went => return Ok(went),
            }
        }
        Err(format!("it fails more often than there are faults: {}", self.story()))
    }

    async fn apply(&mut self, rng: &mut Rng) -> Result<Went, String> {
        let asked = Asked { validate: percent(rng, 20), ..Asked::default() };
        let plan = match account::plan(&*self.accounts, &self.wanted, asked).await {
            Ok(plan) => plan,
            Err(found) => return self.explained(&found),
        };
        let guarded = self.guarded().await;
        let run = self.carry_out(rng, &plan).await?;
        self.touched_nothing(&guarded).await?;
        let failures = failures(&run);
        if run.outcome.succeeded() {
            self.is_as_wanted().await?;
            return Ok(Went::Well);
        }
        if failures.is_empty() {
            return Err(format!("it did not succeed, and nothing failed: {:#?}", run.outcome.results));
        }
        if let Some(failure) = failures.iter().find(|failure| failure.message.is_empty()) {
            return Err(format!("a failure without words: {failure:?}"));
        }
        match failures.iter().all(|failure| self.needs_a_person(failure)) {
            true => Ok(Went::Explained),
            false => Ok(Went::Wrong),
        }
    }

    /// An endpoint that went back by itself; a resource that was left behind, was named then, and is in the way now.
    fn needs_a_person(&self, failure: &Failure) -> bool {
        let cause = failure.cause.as_ref().map_or("", |cause| &cause.reason);
        let in_the_way = ["must be deregistered", "ResourceExistenceCheck", "already exists"];
        let is_in_the_way = |words: &&str| cause.contains(*words) || failure.message.contains(*words);
        failure.kind == FailureKind::SilentRollback || !self.left.is_empty() && in_the_way.iter().any(is_in_the_way)
    }

    /// Findings that stop a plan after faults, with the way out in their help.
    fn explained(&mut self, found: &Diagnostics) -> Result<Went, String> {
        let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
        self.transcript.push(format!("{errors:?}"));
        if let Some(silent) = errors.iter().find(|found| found.help.is_none()) {
            return Err(format!("nobody says what to do: {silent:?}"));
        }
        let all = |code| errors.iter().all(|found| found.code == code);
        match () {
            () if all(Code::OperationRunning) => {
                self.sandbox.advance(Duration::from_secs(24 * 3600));
                Ok(Went::Wrong)
            }
            () if all(Code::StuckStack) => Ok(Went::Explained),
            () if all(Code::Protected) && self.protected => Ok(Went::Explained),
            () => Err(format!("the plan is refused: {errors:?}")),
        }
    }

    async fn carry_out(&mut self, rng: &mut Rng, plan: &Plan) -> Result<Run, String> {
        let before = self.sandbox.clock().now();
        let draw = *one(rng, &[0, 2, 10]);
        let settings = Settings { concurrency: rng.usize(1..6), draw, seed: rng.u64(..) };
        let run = account::apply(self.sandbox.clock(), Rc::clone(&self.accounts), plan, settings, || false).await?;
        let run = run.ok_or("nobody stopped it")?;
        self.transcript.extend(run.events.iter().map(|event| format!("{event:?}")));
        self.transcript.push(format!("{:?}", run.outcome));
        for failure in failures(&run) {
            self.left.push_str(&failure.notes.join("\n"));
        }
        keeps_order(plan, &run)?;
        for step in plan.steps.iter().filter(|step| !step.operations.is_empty()) {
            self.kept_order(plan, step, before).await?;
        }
        Ok(run)
    }

    /// What the service recorded: a stack's first event comes after all it needs has landed.
    async fn kept_order(&self, plan: &Plan, step: &Step, since: hubform::cloud::Timestamp) -> Result<(), String> {
        let recent = |event: &&StackEvent| event.at > since;
        let Some(first) = self.events(step).await.iter().filter(recent).map(|event| event.at).min() else {
            return Ok(());
        };
        for need in step.needs.iter().filter_map(|need| plan.step(need)).filter(|need| !need.operations.is_empty()) {
            let events = self.events(need).await;
            let of_stack = events.iter().filter(|event| event.is_of_stack() && event.at <= first);
            let last = of_stack.max_by_key(|event| event.at).map(|event| event.status.as_str().to_owned());
            if !last.as_deref().is_some_and(|status| status.ends_with("_COMPLETE")) {
                return Err(format!("{} began while {} stood at {last:?}", step.identity.stack, need.identity.stack));
            }
        }
        Ok(())
    }

    /// Every event of the step's stack, however often the service has to be asked.
    async fn events(&self, step: &Step) -> Vec<StackEvent> {
        let stacks = account::ports(&*self.accounts).await.stacks;
        let live = account::stacks(&*self.accounts).await;
        let id = live.get(&step.identity.stack.name).map(|stack| stack.id.clone());
        let Some(id) = id.or_else(|| step.observed.as_ref().map(|observed| observed.id.clone())) else {
            return Vec::new();
        };
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let Ok(page) = stacks.describe_stack_events(&id, from.clone()).await else { continue };
            all.extend(page.items);
            from = page.next;
            if from.is_none() {
                return all;
            }
        }
    }

    async fn is_as_wanted(&self) -> Result<(), String> {
        let live = account::stacks(&*self.accounts).await;
        let connection = account::ports(&*self.accounts).await;
        for spec in &self.wanted.specs {
            let name = &spec.identity.stack.name;
            let stack = live.get(name).ok_or_else(|| format!("{name} is not there"))?;
            if !stack.status.landed() || stack.outputs.get("HubformDigest") != Some(&spec.digest) {
                return Err(format!("{name} is not as wanted: {stack:?}"));
            }
            let Some(check) = spec.envelope.checks.first() else { continue };
            let found = loop {
                if let Ok(found) = connection.sagemaker.describe_endpoint(check.endpoint()).await {
                    break found.ok_or_else(|| format!("the endpoint {} is not there", check.endpoint()))?;
                }
            };
            let made = check.made(&stack.outputs).map_or("", String::as_str);
            if found.status != EndpointStatus::InService || !hubform::execute::same_config(made, &found.config_name) {
                return Err(format!("success, but {found:?} does not run {made}"));
            }
        }
        let again = account::plan(&*self.accounts, &self.wanted, Asked::default()).await;
        match again {
            Ok(plan) if plan.is_empty() => Ok(()),
            Ok(plan) => {
                let busy = plan.steps.iter().filter(|step| !step.operations.is_empty());
                let what = |step: &Step| format!("{} {:?} {:?}", step.identity.stack, step.reasons, step.changes);
                Err(format!("the second plan is not empty: {:?}", busy.map(what).collect::<Vec<_>>()))
            }
            Err(found) => Err(format!("the second plan is refused: {found:?}")),
        }
    }

    /// What protection keeps: endpoints and roles of protected stacks that work.
    async fn guarded(&self) -> Vec<(String, String)> {
        let live = account::stacks(&*self.accounts).await;
        let is_guarded = |item: &InventoryItem| {
            let stack = item.owner_stack.as_ref().and_then(|owner| live.get(owner));
            let kept = ["AWS::SageMaker::Endpoint", "AWS::IAM::Role"].contains(&item.resource_type.as_str());
            kept && stack.is_some_and(|stack| stack.termination_protection && stack.status.is_updatable())
        };
        let items = self.sandbox.inventory().into_iter().filter(is_guarded);
        items.map(|item| (item.resource_type, item.physical_id)).collect()
    }

    async fn touched_nothing(&self, guarded: &[(String, String)]) -> Result<(), String> {
        let found: Vec<_> =
            self.sandbox.inventory().into_iter().map(|item| (item.resource_type, item.physical_id)).collect();
        if let Some(gone) = guarded.iter().find(|one| !found.contains(one)) {
            return Err(format!("{gone:?} was protected and is gone"));
        }
        match self.look_at_strangers().await == self.strangers {
            true => Ok(()),
            false => Err("a stranger's stack was touched".to_owned()),
        }
    }

    async fn look_at_strangers(&self) -> Vec<(Option<Stack>, String, usize)> {
        let stacks = account::ports(&*self.accounts).await.stacks;
        let mut found = Vec::new();
        for name in STRANGERS {
            let stack = stacks.describe_stack(name).await.expect("nothing is refused here");
            let body = stacks.get_template(name).await.expect("nothing is refused here");
            let events = loop {
                if let Ok(page) = stacks.describe_stack_events(name, None).await {
                    break page.items.len();
                }
            };
            found.push((stack, body, events));
        }
        found
    }

    async fn destroy(&mut self, rng: &mut Rng) -> Result<(), String> {
        for _ in 0..self.faults + 5 {
            let asked = Asked { destroy: true, allow: true, ..Asked::default() };
            match account::plan(&*self.accounts, &self.wanted, asked).await {
                Ok(plan) if plan.is_empty() => return self.is_gone().await,
                Ok(plan) => drop(self.carry_out(rng, &plan).await?),
                Err(found) => drop(self.explained(&found)?),
            }
        }
        Err(format!("it cannot be destroyed: {}", self.story()))
    }

    /// What was told, without what moves while all is well.
    fn story(&self) -> String {
        let dull = ["Status", "Resource", "Tick", "Waiting", "Started", "Finished"];
        let telling = self.transcript.iter().filter(|line| !dull.iter().any(|word| line.starts_with(word)));
        telling.cloned().collect::<Vec<_>>().join("\n  ")
    }

    async fn is_gone(&self) -> Result<(), String> {
        let stacks: Vec<String> = account::stacks(&*self.accounts).await.into_keys().collect();
        let left: Vec<InventoryItem> = account::inventory(&self.sandbox, &STRANGERS)
            .into_iter()
            .filter(|item| !self.left.contains(&item.physical_id))
            .collect();
        self.touched_nothing(&[]).await?;
        match stacks.len() == STRANGERS.len() && left.is_empty() {
            true => Ok(()),
            false => Err(format!("this is left: {stacks:?} {left:#?}")),
        }
    }

    fn put_in_fault(&mut self, rng: &mut Rng) {
        let fault = fault(rng, &self.wanted);
        self.transcript.push(format!("fault {fault}"));
        self.faults += match &fault {
            Fault::Capacity { times, .. } => *times as usize,
            _ => 1,
        };
        self.sandbox.inject(fault);
    }
}

fn failures(run: &Run) -> Vec<&Failure> {
    let mut found = Vec::new();
    for (_, result) in &run.outcome.results {
        if let StepResult::Failed(failure) = result {
            found.push(&**failure);
        }
    }
    found
}

/// What was told: no operation begins before the steps it needs were said to have landed.
fn keeps_order(plan: &Plan, run: &Run) -> Result<(), String> {
    let (mut landed, mut begun): (BTreeMap<&StackRef, bool>, BTreeSet<&StackRef>) = Default::default();
    for event in &run.events {
        match event {
            Event::Settled { stack, result, .. } => {
                landed.insert(stack, matches!(result, StepResult::Done | StepResult::Unchanged));
            }
            // A shared role was widened: it waits for its users before it is narrowed, and they for nothing more.
            Event::Waiting { stack, on: Waiting::Stacks(_), .. } if begun.contains(stack) => {
                landed.insert(stack, true);
            }
            Event::OperationStarted { stack, .. } => {
                begun.insert(stack);
                let needs = plan.step(stack).into_iter().flat_map(|step| &step.needs);
                let begins = |step: &Step| step.until_others().unwrap_or(step.operations.len()) > 0;
                let waits = |need: &&StackRef| plan.step(need).is_some_and(begins);
                if let Some(early) = needs.filter(waits).find(|need| landed.get(need) != Some(&true)) {
                    return Err(format!("{stack} began before {early} had landed"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn fault(rng: &mut Rng, wanted: &Wanted) -> Fault {
    let spec = one(rng, &wanted.specs);
    let body: Value = serde_json::from_str(&spec.body).expect("a body is JSON");
    let ids: Vec<String> = body["Resources"].as_object().into_iter().flatten().map(|(id, _)| id.clone()).collect();
    let spot = Spot { stack: Some(spec.identity.stack.name.clone()), logical_id: one(rng, &ids).clone() };
    let instance = body["Resources"]["EndpointConfig"]["Properties"]["ProductionVariants"][0]["InstanceType"].as_str();
    let instance_type = instance.unwrap_or("ml.g6.xlarge").to_owned();
    let reason = "an imagined reason".to_owned();
    let operation = (*one(rng, &OPERATIONS)).to_owned();
    match rng.u32(0..12) {
        0 | 1 => Fault::Fail { spot, reason },
        2 | 3 => Fault::DeleteFail { spot, reason },
        4 => Fault::RollbackFail { spot, reason },
        5 => Fault::Stuck { spot },
        6 => Fault::Capacity { instance_type, times: rng.u32(1..3) },
        7 => Fault::Quota { instance_type },
        8 => Fault::SilentRollback { endpoint: spec.identity.stack.name.clone() },
        9 => Fault::Throttle { operation, times: rng.u32(1..30) },
        10 => Fault::Error { operation, text: reason },
        _ => Fault::Slow { factor: f64::from(rng.u32(1..40)) / 10.0 },
    }
}
