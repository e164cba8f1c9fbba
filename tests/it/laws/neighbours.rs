//! Two repositories with one environment's name in one account, each with any deployment, edits, failures, runs that
//! are cut off, and destructions: nothing of the other's is ever touched.

use std::{cell::Cell, collections::BTreeMap, rc::Rc, time::Duration};

use fastrand::Rng;
use hubform::{
    catalog::Catalog,
    cloud::{Accounts, Stack},
    diagnostic::{Code, Diagnostics, Severity},
    execute::Settings,
    plan::Plan,
    resolve::Lock,
    sandbox::{Fault, Sandbox, Spot},
};
use serde_json::{Value, json};

use super::{
    account::{self, Asked, Wanted},
    deployment::{Deployment, Taste},
    seeds::{hold, occurred, one, percent},
};

const OWNERS: [&str; 2] = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"];
const ENVIRONMENT: &str = "law";

/// How often the two met.
#[derive(Default)]
struct Met {
    /// One acted while the other's stacks stood in the account.
    beside: Cell<usize>,
    /// One was refused a name that the other has.
    refused: Cell<usize>,
    /// One acted while a stack of the other's had no outputs: dead, or not yet made.
    silent: Cell<usize>,
}

#[test]
fn two_repositories_in_one_account_never_touch_each_other() {
    let met = Met::default();
    hold(&[], 60, |rng| account::now(play(rng, &met)));
    let Met { beside, refused, silent } = &met;
    occurred("two repositories stand beside each other", beside.get(), 100);
    occurred("one is refused what is the other's", refused.get(), 30);
    occurred("one destroys and says nothing of the other", silent.get(), 20);
}

/// A repository: what it has written down, and what that comes to.
struct Repository {
    owner: &'static str,
    deployment: Deployment,
    wanted: Wanted,
}

impl Repository {
    fn random(rng: &mut Rng, owner: &'static str, prefix: &str) -> Self {
        let (mut deployment, _) = Deployment::sound(rng, ENVIRONMENT, Taste::Tame);
        let environment = deployment.documents.get_mut(&("Environment".to_owned(), ENVIRONMENT.to_owned()));
        environment.expect("every deployment has one")["spec"]["prefix"] = json!(prefix);
        let wanted = account::compile_for(owner, &deployment.files(), &Lock::default(), Catalog::embedded());
        Self { owner, wanted: wanted.expect("another prefix changes no sense"), deployment }
    }

    fn edit(&mut self, rng: &mut Rng) {
        let (deployment, edited) = self.deployment.edited(rng, &self.wanted.lock);
        let wanted = account::compile_for(self.owner, &deployment.files(), &edited.lock, Catalog::embedded());
        (self.deployment, self.wanted) = (deployment, wanted.expect("it was sound for another owner"));
    }
}

async fn play(rng: &mut Rng, met: &Met) -> Result<(), String> {
    let sandbox = account::account(rng.u64(..));
    let prefixes = if percent(rng, 60) { ["law", "law"] } else { ["law", "own"] };
    let mut repositories = [0, 1].map(|at| Repository::random(rng, OWNERS[at], prefixes[at]));
    for _ in 0..rng.u32(4..9) {
        let at = rng.usize(0..2);
        if percent(rng, 40) {
            repositories[at].edit(rng);
        }
        act(rng, &sandbox, &repositories[at], OWNERS[1 - at], met).await?;
    }
    Ok(())
}

async fn act(rng: &mut Rng, sandbox: &Sandbox, own: &Repository, other: &str, met: &Met) -> Result<(), String> {
    let accounts = sandbox.accounts();
    let theirs = owned(&*accounts, other).await;
    count(&theirs, met);
    let asked = Asked { destroy: percent(rng, 30), ..Asked::default() };
    match account::plan(&*accounts, &own.wanted, asked).await {
        Err(found) => explained(&found, own, &theirs, met)?,
        Ok(plan) => {
            spares(&plan, &theirs)?;
            carry_out(rng, sandbox, own, &plan).await?;
        }
    }
    let after = owned(&*accounts, other).await;
    for (name, before) in theirs.iter().filter(|(_, (stack, ..))| stack.status.is_settled()) {
        if after.get(name) != Some(before) {
            return Err(format!("{name} of {other} was touched: {before:?} became {:?}", after.get(name)));
        }
    }
    if percent(rng, 70) {
        sandbox.advance(Duration::from_secs(24 * 3600));
    }
    Ok(())
}

fn count(theirs: &Owned, met: &Met) {
    let silent = theirs.values().any(|(stack, ..)| !stack.outputs.contains_key("HubformOwner"));
    met.beside.set(met.beside.get() + usize::from(!theirs.is_empty()));
    met.silent.set(met.silent.get() + usize::from(silent));
}

/// Stacks by name: their description, their body, and how many events they have.
type Owned = BTreeMap<String, (Stack, String, usize)>;

/// Every stack whose template says that it is this owner's, read without hubform's own rooms.
async fn owned(accounts: &dyn Accounts, owner: &str) -> Owned {
    let stacks = account::ports(accounts).await.stacks;
    let mut found = Owned::new();
    for (name, stack) in account::stacks(accounts).await {
        let body = stacks.get_template(&stack.id).await.expect("nothing is refused here");
        let tree: Value = serde_json::from_str(&body).expect("hubform sends JSON");
        if tree["Metadata"]["Hubform"]["Owner"] == owner {
            let (mut events, mut from) = (0, None);
            loop {
                let page = stacks.describe_stack_events(&stack.id, from).await.expect("nothing is refused here");
                events += page.items.len();
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
            found.insert(name, (stack, body, events));
        }
    }
    found
}

/// The plan does nothing to the other's, and does not speak of them either.
fn spares(plan: &Plan, theirs: &Owned) -> Result<(), String> {
    let steps = plan.steps.iter().map(|step| &step.identity.stack.name);
    let spoken = steps.chain(plan.left_behind.iter().map(|left| &left.stack.name));
    match spoken.into_iter().find(|name| theirs.contains_key(*name)) {
        Some(name) => Err(format!("the plan speaks of {name}, which is the other's")),
        None => Ok(()),
    }
}

/// Only a name that the other has, or an operation of one's own that still runs, may stop a plan.
fn explained(found: &Diagnostics, own: &Repository, theirs: &Owned, met: &Met) -> Result<(), String> {
    let taken = own.wanted.specs.iter().any(|spec| theirs.contains_key(&spec.identity.stack.name));
    for error in found.iter().filter(|found| found.severity == Severity::Error) {
        match error.code {
            Code::OwnedElsewhere if taken => {}
            Code::OperationRunning | Code::StuckStack => {}
            _ => return Err(format!("the plan is refused: {error:?}")),
        }
    }
    met.refused.set(met.refused.get() + usize::from(taken));
    Ok(())
}

/// To its end, or cut off on the way; sometimes something fails.
async fn carry_out(rng: &mut Rng, sandbox: &Sandbox, own: &Repository, plan: &Plan) -> Result<(), String> {
    if percent(rng, 40) {
        let spec = one(rng, &own.wanted.specs);
        let body: Value = serde_json::from_str(&spec.body).expect("a body is JSON");
        let ids: Vec<&String> = body["Resources"].as_object().into_iter().flatten().map(|(id, _)| id).collect();
        let spot = Spot { stack: Some(spec.identity.stack.name.clone()), logical_id: (*one(rng, &ids)).clone() };
        sandbox.inject(Fault::Fail { spot, reason: "an imagined reason".to_owned() });
    }
    let patience = Cell::new(if percent(rng, 40) { rng.u32(1..60) } else { u32::MAX });
    let stopped = || {
        patience.set(patience.get().saturating_sub(1));
        patience.get() == 0
    };
    account::apply(sandbox.clock(), Rc::clone(&sandbox.accounts()), plan, Settings::default(), stopped).await.map(drop)
}
