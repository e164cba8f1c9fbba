//! Two operators at once on one account, with different edits of one environment: nobody's landed work is undone, every
//! run ends, and each says what it found.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use fastrand::Rng;
use hubform::{
    cloud::{
        Accounts, ChangeSet, ChangeSetIds, ChangeSetSummary, Connection, CreateChangeSet, CreateStack, DeleteStack,
        ExecuteChangeSet, OUTPUT_DIGEST, Page, PageToken, Reply, Stack, StackEvent, StackStatus, StackSummary, Stacks,
        Target,
    },
    diagnostic::Code,
    execute::{Failure, Settings, StepResult},
    plan::{Operation, Plan, Unfinished},
    sandbox::Sandbox,
};

use super::{
    account::{self, Asked, Run, Wanted},
    deployment::Deployment,
    seeds::{hold, occurred, one},
};

#[test]
fn two_operators_do_not_undo_each_other() {
    let (met, between) = (Cell::new(0), Cell::new(0));
    hold(&[], 120, |rng| {
        let meeting = account::now(together(rng))?;
        met.set(met.get() + usize::from(meeting.met));
        between.set(between.get() + usize::from(meeting.between_phases));
        Ok(())
    });
    occurred("one operator stops because of the other", met.get(), 40);
    occurred("one stops between its phases, for the other has landed", between.get(), 10);
}

struct Meeting {
    met: bool,
    between_phases: bool,
}

async fn together(rng: &mut Rng) -> Result<Meeting, String> {
    let (deployment, before, first) = Deployment::moving(rng, "law");
    let second = match rng.u32(0..10) {
        0..4 => deployment.moved(rng, &before.lock),
        4..8 => deployment.rescaled(rng, &before.lock),
        _ => Some(deployment.edited(rng, &before.lock).1),
    };
    let second = second.unwrap_or_else(|| first.clone());
    let sandbox = account::account(rng.u64(..));
    let plan = account::plan(&*sandbox.accounts(), &before, Asked::default()).await.map_err(|e| format!("{e:?}"))?;
    account::apply(sandbox.clock(), sandbox.accounts(), &plan, Settings::default(), || false).await?;
    let log = Rc::new(RefCell::new(Vec::new()));
    let [mine, theirs] = [0, 1].map(|operator| Watched::over(&sandbox, operator, rng.fork(), &log));
    let later = Duration::from_secs(*one(rng, &[0, 0, 1, 5, 15, 30, 60, 300]));
    let (one, other) =
        tokio::join!(operate(&sandbox, &first, mine, Duration::ZERO), operate(&sandbox, &second, theirs, later));
    let runs = [one?, other?];
    let landings = log.take();
    for landing in &landings {
        landing.is_upon_known_work(&runs[landing.operator].0)?;
    }
    nothing_is_left_out(&sandbox, &runs).await?;
    for (plan, run) in &runs {
        is_as_told(&sandbox, plan, run, &landings).await?;
    }
    Ok(Meeting { met: met(&runs, &landings, 1), between_phases: met(&runs, &landings, 2) })
}

/// Plans after a while, once nothing runs, and applies.
async fn operate(
    sandbox: &Sandbox,
    wanted: &Wanted,
    accounts: Rc<dyn Accounts>,
    later: Duration,
) -> Result<(Plan, Run), String> {
    let clock = sandbox.clock();
    clock.sleep_until(clock.now().plus(later)).await;
    loop {
        match account::plan(&*sandbox.accounts(), wanted, Asked::default()).await {
            Ok(plan) => {
                let run = account::apply(clock, accounts, &plan, Settings::default(), || false).await?;
                return Ok((plan, run.ok_or("nobody stopped it")?));
            }
            Err(found) if found.iter().any(|found| found.code == Code::OperationRunning) => {
                clock.sleep_until(clock.now().plus(Duration::from_secs(10))).await;
            }
            Err(found) => return Err(format!("the plan is refused: {found:?}")),
        }
    }
}

/// An update that an operator began: upon what.
#[derive(Debug)]
struct Landing {
    operator: usize,
    stack: Stack,
}

impl Landing {
    fn digest(&self) -> Option<&String> {
        self.stack.outputs.get(OUTPUT_DIGEST)
    }

    /// It was begun upon what the plan was made upon, or upon what this operator had made himself.
    fn is_upon_known_work(&self, plan: &Plan) -> Result<(), String> {
        let step = plan.steps.iter().find(|step| step.identity.stack.name == self.stack.name).ok_or("no step")?;
        let observed = step.observed.as_ref().ok_or("nothing was observed")?;
        let untouched = observed.changed_at == self.stack.changed_at();
        let own = step.operations.iter().filter_map(Operation::submission).map(|sent| &sent.digest);
        let own: BTreeSet<&String> = own.collect();
        match untouched || self.digest().is_some_and(|digest| own.contains(digest)) {
            true => Ok(()),
            false => Err(format!("operator {} undoes what runs: {:?}", self.operator, self.stack)),
        }
    }
}

fn failures(run: &Run) -> impl Iterator<Item = (&str, &Failure)> {
    run.outcome.results.iter().filter_map(|(stack, result)| match result {
        StepResult::Failed(failure) => Some((stack.name.as_str(), &**failure)),
        _ => None,
    })
}

/// Where something is out at the end, somebody says so.
async fn nothing_is_left_out(sandbox: &Sandbox, runs: &[(Plan, Run)]) -> Result<(), String> {
    let accounts = sandbox.accounts();
    let stacks = account::ports(&*accounts).await.stacks;
    for name in account::stacks(&*accounts).await.keys() {
        let body = stacks.get_template(name).await.map_err(|error| error.to_string())?;
        let said = |(stack, failure): (&str, &Failure)| {
            stack == name && failure.notes.iter().any(|text| text.contains("is out"))
        };
        if Unfinished::read(&body).is_some() && !runs.iter().flat_map(|(_, run)| failures(run)).any(said) {
            return Err(format!("something is out of {name}, and nobody says so"));
        }
    }
    Ok(())
}

/// What failed is told in words; what is done runs, unless somebody went on from there.
async fn is_as_told(sandbox: &Sandbox, plan: &Plan, run: &Run, landings: &[Landing]) -> Result<(), String> {
    if let Some((stack, failure)) = failures(run).find(|(_, failure)| failure.message.is_empty()) {
        return Err(format!("{stack} failed without a word: {failure:?}"));
    }
    let live: BTreeMap<String, Stack> = account::stacks(&*sandbox.accounts()).await;
    for (stack, result) in &run.outcome.results {
        let step = plan.step(stack).ok_or("no step")?;
        let last = step.operations.iter().filter_map(Operation::submission).next_back();
        let (StepResult::Done, Some(last)) = (result, last) else { continue };
        let runs = live.get(&stack.name).and_then(|stack| stack.outputs.get(OUTPUT_DIGEST));
        let went_on = landings.iter().any(|l| l.stack.name == stack.name && l.digest() == Some(&last.digest));
        if runs != Some(&last.digest) && !went_on {
            return Err(format!("{stack} is done, and {runs:?} runs instead of {}", last.digest));
        }
    }
    Ok(())
}

/// Did a step fail that had begun so many operations, less the one that failed, after the other operator had landed?
fn met(runs: &[(Plan, Run)], landings: &[Landing], operations: usize) -> bool {
    let hit = |operator: usize, name: &str| {
        let of = |by: usize| landings.iter().enumerate().filter(move |(_, l)| l.operator == by && l.stack.name == name);
        let own: Vec<usize> = of(operator).map(|(at, _)| at).collect();
        let after = own.last().copied();
        own.len() + 1 >= operations
            && of(1 - operator).any(|(at, _)| operations == 1 || after.is_none_or(|own| at > own))
    };
    (0..2).any(|operator| failures(&runs[operator].1).any(|(name, _)| hit(operator, name)))
}

/// An account in the hands of an operator whose changes are now and then on their way for a while; what he executes
/// is written down.
#[derive(Clone)]
struct Watched {
    sandbox: Sandbox,
    operator: usize,
    haste: Rc<RefCell<Rng>>,
    log: Rc<RefCell<Vec<Landing>>>,
}

impl Watched {
    fn over(sandbox: &Sandbox, operator: usize, haste: Rng, log: &Rc<RefCell<Vec<Landing>>>) -> Rc<dyn Accounts> {
        let haste = Rc::new(RefCell::new(haste));
        Rc::new(Self { sandbox: sandbox.clone(), operator, haste, log: Rc::clone(log) })
    }
}

impl Accounts for Watched {
    fn at<'a>(&'a self, target: &Target) -> Reply<'a, Connection> {
        let inner = self.sandbox.at(target);
        Box::pin(async move {
            let inner = inner.await?;
            let stacks = Rc::new(Place { inner: Rc::clone(&inner.stacks), of: self.clone() });
            Ok(Connection { stacks, ..inner })
        })
    }
}

struct Place {
    inner: Rc<dyn Stacks>,
    of: Watched,
}

impl Place {
    async fn on_the_way(&self) {
        let seconds = *one(&mut self.of.haste.borrow_mut(), &[0, 0, 0, 5, 30, 60, 200]);
        let clock = self.of.sandbox.clock();
        clock.sleep_until(clock.now().plus(Duration::from_secs(seconds))).await;
    }
}

impl Stacks for Place {
    fn execute_change_set(&self, request: ExecuteChangeSet) -> Reply<'_, ()> {
        Box::pin(async move {
            self.on_the_way().await;
            let set = self.inner.describe_change_set(&request.change_set).await.ok().flatten();
            let stack = match &set {
                Some(set) => self.inner.describe_stack(&set.stack_id).await?,
                None => None,
            };
            self.inner.execute_change_set(request).await?;
            // On a stack that runs it is the same request again, and begins nothing.
            let begun = stack.filter(|stack| !stack.status.is_running());
            self.of.log.borrow_mut().extend(begun.map(|stack| Landing { operator: self.of.operator, stack }));
            Ok(())
        })
    }

    fn create_change_set(&self, request: CreateChangeSet) -> Reply<'_, ChangeSetIds> {
        Box::pin(async move {
            self.on_the_way().await;
            self.inner.create_change_set(request).await
        })
    }

    fn describe_stacks(&self, from: Option<PageToken>) -> Reply<'_, Page<Stack>> {
        self.inner.describe_stacks(from)
    }

    fn describe_stack<'a>(&'a self, stack: &str) -> Reply<'a, Option<Stack>> {
        self.inner.describe_stack(stack)
    }

    fn list_stacks(&self, statuses: &[StackStatus], from: Option<PageToken>) -> Reply<'_, Page<StackSummary>> {
        self.inner.list_stacks(statuses, from)
    }

    fn describe_stack_events<'a>(&'a self, stack: &str, from: Option<PageToken>) -> Reply<'a, Page<StackEvent>> {
        self.inner.describe_stack_events(stack, from)
    }

    fn get_template<'a>(&'a self, stack: &str) -> Reply<'a, String> {
        self.inner.get_template(stack)
    }

    fn get_change_set_template<'a>(&'a self, change_set: &str) -> Reply<'a, String> {
        self.inner.get_change_set_template(change_set)
    }

    fn create_stack(&self, request: CreateStack) -> Reply<'_, String> {
        self.inner.create_stack(request)
    }

    fn describe_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, Option<ChangeSet>> {
        self.inner.describe_change_set(change_set)
    }

    fn list_change_sets<'a>(&'a self, stack: &str) -> Reply<'a, Vec<ChangeSetSummary>> {
        self.inner.list_change_sets(stack)
    }

    fn delete_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, ()> {
        self.inner.delete_change_set(change_set)
    }

    fn delete_stack(&self, request: DeleteStack) -> Reply<'_, ()> {
        self.inner.delete_stack(request)
    }

    fn update_termination_protection<'a>(&'a self, stack: &str, on: bool) -> Reply<'a, ()> {
        self.inner.update_termination_protection(stack, on)
    }
}
