//! A run that is stopped at any point, its last call heard or not, and then begun anew, ends where one ends that
//! was never stopped; also where something fails.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use fastrand::Rng;
use hubform::{
    cloud::{
        Accounts, CallerIdentity, ChangeSet, ChangeSetIds, ChangeSetSummary, Connection, CreateChangeSet, CreateStack,
        DeleteStack, EndpointDescription, ExecuteChangeSet, Iam, Identity, Page, PageToken, Reply, RoleDescription,
        SageMaker, Stack, StackEvent, StackStatus, StackSummary, Stacks, Target,
    },
    diagnostic::Code,
    execute::{Settings, StepResult},
    plan::Plan,
    sandbox::{Fault, Sandbox, Spot},
};

use super::{
    account::{self, Asked, Run, Wanted},
    deployment::{Deployment, Taste},
    seeds::{hold, occurred, one, percent},
};

#[test]
fn a_run_that_was_stopped_ends_where_an_undisturbed_one_does() {
    let stopped = RefCell::new(0);
    hold(&[], 60, |rng| {
        let was_stopped = account::now(both(rng))?;
        *stopped.borrow_mut() += usize::from(was_stopped);
        Ok(())
    });
    if std::env::var_os("HUBFORM_SEED").is_none() {
        assert!(stopped.into_inner() > 20, "hardly anything is stopped");
    }
}

#[test]
fn a_run_that_was_stopped_and_then_fails_ends_as_if_it_had_not_been_stopped() {
    let between = Cell::new(0);
    hold(&[], 80, |rng| {
        between.set(between.get() + usize::from(account::now(failing(rng))?));
        Ok(())
    });
    occurred("a kill between phases and a fault after it", between.get(), 15);
}

/// An update in phases with a fault, the second time with a stop on the way. What is begun anew either succeeds, and
/// ends where one without a fault does; or fails, and ends where one does that was never stopped, or says what is out.
async fn failing(rng: &mut Rng) -> Result<bool, String> {
    let (_, before, wanted) = Deployment::moving(rng, "law");
    let story = Story { before: Some(before), wanted, asked: Asked::default() };
    let fault = story.fault(rng);
    let seed = rng.u64(..);
    let [sound, undisturbed, disturbed] = [(); 3].map(|()| account::account(seed));
    story.play(&sound, None).await?;
    story.prepare(&undisturbed, &fault).await?;
    attempt(&undisturbed, undisturbed.accounts(), &story.wanted, story.asked, &|| false).await?;
    let calls: u64 = undisturbed.calls().values().sum();
    let last = Last { calls: rng.u64(0..calls.max(1)), heard: rng.bool() };
    story.prepare(&disturbed, &fault).await?;
    let (mortal, life) = mortal(&disturbed, Some(last));
    let context = |what: &str| format!("{fault}, stopped after {last:?}: {what}");
    if attempt(&disturbed, mortal, &story.wanted, story.asked, &|| life.over.get()).await?.is_some() {
        return Ok(false);
    }
    let Some((plan, run)) = story.begun_anew(&disturbed).await.map_err(|why| context(&why))? else { return Ok(false) };
    let out = run.outcome.results.iter().any(|(_, result)| match result {
        StepResult::Failed(failure) => failure.notes.iter().any(|text| text.contains("is out")),
        _ => false,
    });
    let succeeded = run.outcome.succeeded();
    let other = if succeeded { &sound } else { &undisturbed };
    let (ended, wanted) = (end_of(&disturbed).await, end_of(other).await);
    if ended != wanted && !out {
        return Err(context(&format!("{ended:#?} instead of {wanted:#?} after {:#?}", run.outcome)));
    }
    story.go_on(&disturbed).await.map_err(|why| context(&why))?;
    match end_of(&disturbed).await == end_of(&sound).await {
        true => Ok(!succeeded && plan.steps.iter().any(|step| !step.aside.is_empty())),
        false => Err(context("it does not end in what is wanted")),
    }
}

/// One deployment twice, the second time with a stop on the way.
async fn both(rng: &mut Rng) -> Result<bool, String> {
    let story = Story::random(rng);
    let seed = rng.u64(..);
    let undisturbed = account::account(seed);
    let calls = story.play(&undisturbed, None).await?;
    let last = Last { calls: rng.u64(0..calls.max(1)), heard: rng.bool() };
    let disturbed = account::account(seed);
    story.play(&disturbed, Some(last)).await?;
    let (one, other) = (end_of(&undisturbed).await, end_of(&disturbed).await);
    match one == other {
        true => Ok(calls > 0),
        false => Err(format!("stopped after {last:?}: {other:?} instead of {one:?}")),
    }
}

/// When a run is stopped: after so many calls; is the last one heard?
#[derive(Debug, Clone, Copy)]
struct Last {
    calls: u64,
    heard: bool,
}

/// What is there before, and what is then done.
struct Story {
    before: Option<Wanted>,
    wanted: Wanted,
    asked: Asked,
}

impl Story {
    fn random(rng: &mut Rng) -> Self {
        let (deployment, first) = Deployment::sound(rng, "law", Taste::Tame);
        let asked = Asked { validate: percent(rng, 25), ..Asked::default() };
        match rng.u32(0..10) {
            0..3 => Self { before: None, wanted: first, asked },
            3..5 => Self { before: Some(first.clone()), wanted: first, asked: Asked { destroy: true, ..asked } },
            _ => {
                let (_, wanted) = deployment.edited(rng, &first.lock);
                Self { before: Some(first), wanted, asked }
            }
        }
    }

    /// Answers how many calls the second part made.
    async fn play(&self, sandbox: &Sandbox, last: Option<Last>) -> Result<u64, String> {
        if let Some(before) = &self.before {
            run(sandbox, sandbox.accounts(), before, Asked::default(), &|| false).await?;
        }
        sandbox.reset_calls();
        let (mortal, life) = mortal(sandbox, last);
        let ended = run(sandbox, mortal, &self.wanted, self.asked, &|| life.over.get()).await?;
        let calls = sandbox.calls().values().sum();
        if !ended {
            self.go_on(sandbox).await?;
        }
        Ok(calls)
    }

    async fn prepare(&self, sandbox: &Sandbox, fault: &Fault) -> Result<(), String> {
        if let Some(before) = &self.before {
            run(sandbox, sandbox.accounts(), before, Asked::default(), &|| false).await?;
        }
        sandbox.inject(fault.clone());
        Ok(())
    }

    /// Something fails in the stack whose endpoint moves.
    fn fault(&self, rng: &mut Rng) -> Fault {
        let logical_id =
            *one(rng, &["Endpoint", "EndpointConfig", "ScalableTarget", "ScalableTarget", "TrackingPolicy"]);
        let mut identities = self.wanted.specs.iter().map(|spec| &spec.identity);
        let stack = identities.find(|it| it.manifest() == "Endpoint/one").map(|it| it.stack.name.clone());
        let spot = Spot { stack, logical_id: logical_id.to_owned() };
        Fault::Fail { spot, reason: "an imagined reason".to_owned() }
    }

    /// The first run after the stop, once nothing runs any more; none where there is nothing left to do.
    async fn begun_anew(&self, sandbox: &Sandbox) -> Result<Option<(Plan, Run)>, String> {
        for _ in 0..30 {
            match account::plan(&*sandbox.accounts(), &self.wanted, self.asked).await {
                Ok(plan) if plan.is_empty() => return Ok(None),
                Ok(plan) => {
                    let settings = Settings::default();
                    let run = account::apply(sandbox.clock(), sandbox.accounts(), &plan, settings, || false).await?;
                    return Ok(run.map(|run| (plan, run)));
                }
                Err(found) if found.iter().any(|found| found.code == Code::OperationRunning) => {
                    sandbox.advance(Duration::from_secs(600));
                }
                Err(found) => return Err(format!("{found:?}")),
            }
        }
        Err("it never comes to rest after the stop".to_owned())
    }

    async fn go_on(&self, sandbox: &Sandbox) -> Result<(), String> {
        for _ in 0..30 {
            match account::plan(&*sandbox.accounts(), &self.wanted, self.asked).await {
                Ok(plan) if plan.is_empty() => return Ok(()),
                Ok(_) => drop(run(sandbox, sandbox.accounts(), &self.wanted, self.asked, &|| false).await?),
                Err(found) if found.iter().any(|found| found.code == Code::OperationRunning) => {
                    sandbox.advance(Duration::from_secs(600));
                }
                Err(found) => return Err(format!("after the stop: {found:?}")),
            }
        }
        Err("it never comes to rest after the stop".to_owned())
    }
}

fn mortal(sandbox: &Sandbox, last: Option<Last>) -> (Rc<dyn Accounts>, Rc<Life>) {
    let life = Rc::new(Life { left: Cell::new(last.map(|last| last.calls)), ..Life::default() });
    life.heard.set(last.is_some_and(|last| last.heard));
    (Rc::new(Mortal { inner: sandbox.accounts(), life: Rc::clone(&life) }), life)
}

/// Plans and applies; false when it was stopped on the way, and a failure is an error.
async fn run(
    sandbox: &Sandbox,
    accounts: Rc<dyn Accounts>,
    wanted: &Wanted,
    asked: Asked,
    stopped: &dyn Fn() -> bool,
) -> Result<bool, String> {
    match attempt(sandbox, accounts, wanted, asked, stopped).await? {
        None => Ok(false),
        Some(run) if run.outcome.succeeded() => Ok(true),
        Some(run) => Err(format!("it failed: {:?}", run.outcome)),
    }
}

/// Plans and applies; none when it was stopped on the way.
async fn attempt(
    sandbox: &Sandbox,
    accounts: Rc<dyn Accounts>,
    wanted: &Wanted,
    asked: Asked,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Run>, String> {
    let plan = account::plan(&*sandbox.accounts(), wanted, asked).await.map_err(|found| format!("{found:?}"))?;
    sandbox.reset_calls();
    account::apply(sandbox.clock(), accounts, &plan, Settings::default(), stopped).await
}

/// Where an account stands, without names and times that every run draws anew.
async fn end_of(sandbox: &Sandbox) -> Vec<String> {
    let accounts = sandbox.accounts();
    let stacks = account::ports(&*accounts).await.stacks;
    let mut found = Vec::new();
    for (name, stack) in account::stacks(&*accounts).await {
        let body = stacks.get_template(&name).await.expect("nothing is refused here");
        let parameters: Vec<_> = stack.parameters.keys().collect();
        let outputs: Vec<_> = stack.outputs.keys().collect();
        let landed = stack.status.landed();
        found.push(format!("{name} {landed} {:?} {parameters:?} {outputs:?} {body}", stack.tags));
    }
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for item in sandbox.inventory() {
        let fleets = item.summary.find('(').map_or("", |at| &item.summary[at..]);
        *counted.entry(format!("{} of {:?} {fleets}", item.resource_type, item.owner_stack)).or_default() += 1;
    }
    found.extend(counted.into_iter().map(|(item, count)| format!("{count} {item}")));
    found
}

/// How long a process lives.
#[derive(Default)]
struct Life {
    left: Cell<Option<u64>>,
    /// Does the call after the last one still reach AWS?
    heard: Cell<bool>,
    over: Cell<bool>,
}

impl Life {
    fn call<'a, T: 'a>(&self, make: impl FnOnce() -> Reply<'a, T>) -> Reply<'a, T> {
        match self.left.get() {
            None => make(),
            Some(left) if left > 0 => {
                self.left.set(Some(left - 1));
                make()
            }
            Some(_) => {
                if !self.over.replace(true) && self.heard.get() {
                    drop(make());
                }
                Box::pin(std::future::pending())
            }
        }
    }
}

/// An account in the hands of a process that ends.
struct Mortal {
    inner: Rc<dyn Accounts>,
    life: Rc<Life>,
}

impl Accounts for Mortal {
    fn at<'a>(&'a self, target: &Target) -> Reply<'a, Connection> {
        let inner = self.inner.at(target);
        Box::pin(async move {
            let place = Rc::new(Place { inner: inner.await?, life: Rc::clone(&self.life) });
            let (stacks, sagemaker, iam) = (place.clone(), place.clone(), place.clone());
            Ok(Connection { stacks, sagemaker, iam, identity: place })
        })
    }
}

struct Place {
    inner: Connection,
    life: Rc<Life>,
}

impl Stacks for Place {
    fn describe_stacks(&self, from: Option<PageToken>) -> Reply<'_, Page<Stack>> {
        self.life.call(|| self.inner.stacks.describe_stacks(from))
    }

    fn describe_stack<'a>(&'a self, stack: &str) -> Reply<'a, Option<Stack>> {
        self.life.call(|| self.inner.stacks.describe_stack(stack))
    }

    fn list_stacks(&self, statuses: &[StackStatus], from: Option<PageToken>) -> Reply<'_, Page<StackSummary>> {
        self.life.call(|| self.inner.stacks.list_stacks(statuses, from))
    }

    fn describe_stack_events<'a>(&'a self, stack: &str, from: Option<PageToken>) -> Reply<'a, Page<StackEvent>> {
        self.life.call(|| self.inner.stacks.describe_stack_events(stack, from))
    }

    fn get_template<'a>(&'a self, stack: &str) -> Reply<'a, String> {
        self.life.call(|| self.inner.stacks.get_template(stack))
    }

    fn get_change_set_template<'a>(&'a self, change_set: &str) -> Reply<'a, String> {
        self.life.call(|| self.inner.stacks.get_change_set_template(change_set))
    }

    fn create_stack(&self, request: CreateStack) -> Reply<'_, String> {
        self.life.call(|| self.inner.stacks.create_stack(request))
    }

    fn create_change_set(&self, request: CreateChangeSet) -> Reply<'_, ChangeSetIds> {
        self.life.call(|| self.inner.stacks.create_change_set(request))
    }

    fn describe_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, Option<ChangeSet>> {
        self.life.call(|| self.inner.stacks.describe_change_set(change_set))
    }

    fn list_change_sets<'a>(&'a self, stack: &str) -> Reply<'a, Vec<ChangeSetSummary>> {
        self.life.call(|| self.inner.stacks.list_change_sets(stack))
    }

    fn execute_change_set(&self, request: ExecuteChangeSet) -> Reply<'_, ()> {
        self.life.call(|| self.inner.stacks.execute_change_set(request))
    }

    fn delete_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, ()> {
        self.life.call(|| self.inner.stacks.delete_change_set(change_set))
    }

    fn delete_stack(&self, request: DeleteStack) -> Reply<'_, ()> {
        self.life.call(|| self.inner.stacks.delete_stack(request))
    }

    fn update_termination_protection<'a>(&'a self, stack: &str, on: bool) -> Reply<'a, ()> {
        self.life.call(|| self.inner.stacks.update_termination_protection(stack, on))
    }
}

impl SageMaker for Place {
    fn describe_endpoint<'a>(&'a self, name: &str) -> Reply<'a, Option<EndpointDescription>> {
        self.life.call(|| self.inner.sagemaker.describe_endpoint(name))
    }
}

impl Iam for Place {
    fn get_role<'a>(&'a self, name: &str) -> Reply<'a, Option<RoleDescription>> {
        self.life.call(|| self.inner.iam.get_role(name))
    }
}

impl Identity for Place {
    fn caller(&self) -> Reply<'_, CallerIdentity> {
        self.life.call(|| self.inner.identity.caller())
    }
}
