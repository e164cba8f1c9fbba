//! An imagined account and what a run does with it, without files and without a command line: texts become stacks
//! wanted, those a plan, the plan an outcome.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    rc::Rc,
    time::Duration,
};

use hubform::{
    catalog::Catalog,
    clock::{Clock, SystemClock},
    cloud::{Accounts, Connection, Stack, StackRef, Target},
    diagnostic::{Diagnostic, Diagnostics, SourceMap},
    execute::{self, Event, Outcome},
    gather::{self, Asking},
    manifest::{EnvironmentSet, SourceText, environments, parse},
    plan::{self, ObservedStack, Plan, PlannedEnvironment, Request},
    render::{StackSpec, Templates, render},
    resolve::{Facts, Lock, Scope, resolve},
    sandbox::{InventoryItem, Pace, Sandbox, SandboxSettings},
};
use tokio::sync::mpsc;

/// Longer than anything may take, retries and handlers' timeouts included.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);
/// More often than anything that gets anywhere is asked whether it is over.
const POLLS: u32 = 2_000_000;

/// The account of every law.
pub(super) const ACCOUNT: &str = "000000000000";

/// Whose everything is, unless a law has two repositories.
pub(super) const OWNER: &str = "0123456789abcdef";

/// Where everything goes.
pub(super) fn target() -> Target {
    Target { account: None, region: "us-east-1".to_owned(), assume_role: None }
}

/// What a deployment comes to.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) specs: Vec<StackSpec>,
    pub(super) environments: Vec<PlannedEnvironment>,
    pub(super) lock: Lock,
}

/// Files, by name, become stacks of one owner.
///
/// # Errors
/// The findings that stop a run.
pub(super) fn compile(files: &[(String, String)], lock: &Lock, catalog: &Catalog) -> Result<Wanted, Vec<Diagnostic>> {
    compile_for(OWNER, files, lock, catalog)
}

/// The same for any owner.
///
/// # Errors
/// The findings that stop a run.
pub(super) fn compile_for(
    owner: &str,
    files: &[(String, String)],
    lock: &Lock,
    catalog: &Catalog,
) -> Result<Wanted, Vec<Diagnostic>> {
    let inputs =
        files.iter().map(|(name, text)| SourceText { name: name.clone(), bytes: text.clone().into(), named: true });
    let mut sources = SourceMap::default();
    let (manifests, mut found) = parse(inputs.collect(), &mut sources);
    let (sets, more) = environments(manifests, None);
    found.extend(more);
    let scope = |set: EnvironmentSet| {
        let mut lock = lock.clone();
        lock.set_owner(&set.environment.name, owner.to_owned());
        Scope { lock, ..Scope::new(set, target()) }
    };
    let scopes: Vec<_> = sets.into_iter().map(scope).collect();
    let facts = Facts { accounts: [(target(), ACCOUNT.to_owned())].into(), ..Facts::known() };
    let (resolved, more) = resolve(&scopes, &facts, catalog);
    found.extend(more);
    let (specs, more) = render(resolved.stacks, Templates::embedded(), &sources);
    found.extend(more);
    if found.has_errors() {
        return Err(found.into_iter().collect());
    }
    let planned = |scope: Scope| PlannedEnvironment {
        name: scope.set.environment.name.clone(),
        owner: Some(owner.to_owned()),
        target: target(),
        account: ACCOUNT.to_owned(),
    };
    let environments = scopes.into_iter().map(planned).collect();
    Ok(Wanted { specs, environments, lock: resolved.locks.into_values().next().unwrap_or_default() })
}

impl Wanted {
    /// The stack of this name.
    pub(super) fn spec(&self, stack: &StackRef) -> Option<&StackSpec> {
        self.specs.iter().find(|spec| spec.identity.stack == *stack)
    }
}

/// Runs to its end on this thread.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(future)
}

/// An imagined account whose time moves only when somebody waits.
pub(super) fn account(seed: u64) -> Sandbox {
    let settings = SandboxSettings { account: ACCOUNT.to_owned(), seed, page_size: 5, ..SandboxSettings::default() };
    Sandbox::new(settings, Pace::Stepped)
}

/// The ports to it.
pub(super) async fn ports(accounts: &dyn Accounts) -> Connection {
    accounts.at(&target()).await.expect("the sandbox is always there")
}

/// Every stack that is not deleted, by name.
pub(super) async fn stacks(accounts: &dyn Accounts) -> BTreeMap<String, Stack> {
    let found =
        gather::observe(Asking::quietly(accounts, &SystemClock), &BTreeSet::from([target()]), &|_, _| false).await;
    found.expect("nothing is refused here").stacks.into_iter().map(|s| (s.stack.name.clone(), s.stack)).collect()
}

/// How a plan is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    pub(super) validate: bool,
    pub(super) destroy: bool,
    /// Everything protected may go.
    pub(super) allow: bool,
    /// Only the stack of this number, and what it needs.
    pub(super) only: Option<usize>,
}

/// The plan for everything wanted, or what stops it.
pub(super) async fn plan(accounts: &dyn Accounts, wanted: &Wanted, asked: Asked) -> Result<Plan, Diagnostics> {
    let specs: BTreeMap<_, _> = wanted.specs.iter().map(|spec| (spec.identity.stack.name.as_str(), spec)).collect();
    let wants_body = |_: &Target, stack: &Stack| match specs.get(stack.name.as_str()) {
        spec if asked.destroy => {
            plan::may_belong(&wanted.environments, &target(), stack)
                && plan::wants_body_to_destroy(spec.copied(), stack)
        }
        Some(spec) => plan::wants_body(spec, stack),
        None => false,
    };
    let targets = BTreeSet::from([target()]);
    let observed = gather::observe(Asking::quietly(accounts, &SystemClock), &targets, &wants_body).await;
    let observation = observed.unwrap_or_else(|error| panic!("the account cannot be looked at: {error}"));
    let mut chosen: BTreeSet<StackRef> = wanted.specs.iter().map(|spec| spec.identity.stack.clone()).collect();
    if let Some(only) = asked.only {
        chosen = wanted.specs.get(only).map(|spec| spec.identity.stack.clone()).into_iter().collect();
    }
    if asked.destroy {
        let ours = observation.stacks.iter().filter(|observed| plan::belongs(&wanted.environments, observed));
        chosen = ours.map(ObservedStack::reference).collect();
    }
    let allow = wanted.specs.iter().filter(|_| asked.allow).map(|spec| spec.identity.manifest());
    let request = Request {
        environments: &wanted.environments,
        specs: &wanted.specs,
        chosen: &chosen,
        observation: &observation,
        allow: &allow.collect(),
        adopt: &BTreeSet::new(),
        validate: asked.validate,
        catalog: Catalog::embedded(),
        nonce: &format!("{:016x}", fastrand::u64(..)),
    };
    let (plan, found) = if asked.destroy { plan::destroy(&request) } else { plan::plan(&request) };
    if found.has_errors() {
        return Err(found);
    }
    assert_eq!(plan::audit(&plan), Vec::<String>::new());
    Ok(plan)
}

/// What came of a plan.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    pub(super) events: Vec<Event>,
}

/// Carries a plan out, to its end or until `stopped` says so.
///
/// # Errors
/// When it does not end.
pub(super) async fn apply(
    clock: Rc<dyn Clock>,
    accounts: Rc<dyn Accounts>,
    plan: &Plan,
    settings: execute::Settings,
    stopped: impl Fn() -> bool,
) -> Result<Option<Run>, String> {
    let Told { outcome, events } = apply_telling(clock, accounts, plan, settings, stopped).await?;
    Ok(outcome.map(|outcome| Run { outcome, events }))
}

/// What was told of a plan that was carried out, or stopped.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) outcome: Option<Outcome>,
    pub(super) events: Vec<Event>,
}

/// The same, with what was told until it was stopped.
///
/// # Errors
/// When it does not end.
pub(super) async fn apply_telling(
    clock: Rc<dyn Clock>,
    accounts: Rc<dyn Accounts>,
    plan: &Plan,
    settings: execute::Settings,
    stopped: impl Fn() -> bool,
) -> Result<Told, String> {
    let (_keep, interrupts) = mpsc::unbounded_channel();
    let mut events = Vec::new();
    let mut hear = |event: &Event| events.push(event.clone());
    let outcome = {
        let work = execute::execute(plan.clone(), &*accounts, &*clock, settings, interrupts, &mut hear);
        let mut work = Box::pin(work);
        let (began, mut polls) = (clock.now(), 0);
        std::future::poll_fn(|context| {
            polls += 1;
            let endless = clock.now().since(began) > PATIENCE || polls > POLLS;
            match work.as_mut().poll(context) {
                _ if stopped() => std::task::Poll::Ready(Ok(None)),
                std::task::Poll::Ready(outcome) => std::task::Poll::Ready(Ok(Some(outcome))),
                std::task::Poll::Pending if endless => std::task::Poll::Ready(Err(())),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        })
        .await
    };
    match outcome {
        Ok(outcome) => Ok(Told { outcome, events }),
        Err(()) => {
            Err(format!("it never ends; the last events are {:#?}", events.iter().rev().take(5).collect::<Vec<_>>()))
        }
    }
}

/// What exists and belongs to a stack of one of these names, or to nobody.
pub(super) fn inventory(sandbox: &Sandbox, others: &[&str]) -> Vec<InventoryItem> {
    let theirs = |item: &InventoryItem| item.owner_stack.as_deref().is_some_and(|owner| others.contains(&owner));
    sandbox.inventory().into_iter().filter(|item| !theirs(item)).collect()
}
