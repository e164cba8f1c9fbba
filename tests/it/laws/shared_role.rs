//! A role that endpoints share, under random edits, faults, kills and applies of single files: while an endpoint is at
//! rest, the role grants what the configuration that it runs needs; after a wholly successful apply it grants what is
//! wanted and no more.
//!
//! What an endpoint needs is read here from the properties of what runs, and not from any plan. One exception: an
//! endpoint that went back by itself from another role to the shared one, which its stack does not name any more, is
//! not known to a plan that does not ask it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use fastrand::Rng;
use hubform::{
    catalog::Catalog,
    cloud::Accounts,
    diagnostic::{Code, Severity},
    execute::{Event, Settings, StepResult},
    manifest::Kind,
    plan::{Operation, Plan},
    resolve::Lock,
    sandbox::{Fault, InventoryItem, Sandbox, Spot},
};
use serde_json::{Value, json};

use super::{
    account::{self, Asked, Wanted, compile},
    deployment::word,
    seeds::{hold, occurred, one, percent},
};

const ENDPOINTS: [&str; 3] = ["one", "two", "three"];
const ROLE: &str = "law-role-shared";

#[test]
fn a_shared_role_grants_what_runs() {
    let seen = RefCell::new(Seen::default());
    hold(&[8], 60, |rng| {
        let mut told = Seen::default();
        let result = account::now(Journey::new(rng).go(rng, &mut told));
        seen.borrow_mut().add(told);
        result
    });
    let seen = seen.into_inner();
    seen.tell();
}

/// How often it was about what the law is about.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    looked: usize,
    widened: usize,
    narrowed: usize,
    /// Plans that hold the narrowing back for stacks out of them.
    held: usize,
    /// Runs that widened and then failed.
    failed_between: usize,
    /// Runs that widened and then were killed.
    killed_between: usize,
    went_back: usize,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.looked += other.looked;
        self.widened += other.widened;
        self.narrowed += other.narrowed;
        self.held += other.held;
        self.failed_between += other.failed_between;
        self.killed_between += other.killed_between;
        self.went_back += other.went_back;
    }

    fn tell(self) {
        occurred("an endpoint at rest is held against the role it runs with", self.looked, 20_000);
        occurred("a shared role is widened", self.widened, 100);
        occurred("a shared role is narrowed", self.narrowed, 80);
        occurred("a narrowing is held back", self.held, 20);
        occurred("a run widens and then fails", self.failed_between, 30);
        occurred("a run widens and is then killed", self.killed_between, 10);
        occurred("an endpoint goes back by itself", self.went_back, 20);
    }
}

/// What a configuration needs of the role: an action and a resource that it has to be allowed on.
type Needs = Vec<(&'static str, String)>;

struct Journey {
    sandbox: Sandbox,
    accounts: Rc<dyn Accounts>,
    documents: BTreeMap<String, Value>,
    wanted: Wanted,
    /// By configuration: what it needs, and of which role. Remembered, because one that runs may be deleted.
    known: RefCell<BTreeMap<String, (String, Needs)>>,
    /// Configurations that the exception was made for.
    excused: RefCell<BTreeSet<String>>,
}

impl Journey {
    fn new(rng: &mut Rng) -> Self {
        let sandbox = account::account(rng.u64(..));
        let mut documents = BTreeMap::from([
            ("Environment/law".to_owned(), document("Environment", "law", json!({}))),
            ("Role/shared".to_owned(), document("Role", "shared", role(rng))),
        ]);
        for name in ENDPOINTS.iter().take(rng.usize(1..=ENDPOINTS.len())) {
            documents.insert(format!("Endpoint/{name}"), document("Endpoint", name, endpoint(rng)));
        }
        let wanted = wanted(&documents, &Lock::default());
        let accounts = sandbox.accounts();
        Self { sandbox, accounts, documents, wanted, known: RefCell::default(), excused: RefCell::default() }
    }

    async fn go(mut self, rng: &mut Rng, seen: &mut Seen) -> Result<(), String> {
        self.apply(rng, Asked::default(), false, seen).await?;
        for _ in 0..rng.u32(2..6) {
            self.edit(rng);
            if percent(rng, 60) {
                self.sandbox.inject(self.fault(rng));
            }
            let only = percent(rng, 35).then(|| rng.usize(0..self.wanted.specs.len()));
            let killed = percent(rng, 30);
            self.apply(rng, Asked { only, ..Asked::default() }, killed, seen).await?;
        }
        self.comes_to_rest(rng, seen).await
    }

    /// Says something else in one to three places.
    fn edit(&mut self, rng: &mut Rng) {
        for _ in 0..rng.u32(1..4) {
            let keys: Vec<String> = self.documents.keys().filter(|key| *key != "Environment/law").cloned().collect();
            let key = one(rng, &keys).clone();
            let spec = if key == "Role/shared" { role(rng) } else { endpoint(rng) };
            self.documents.get_mut(&key).expect("it was just found")["spec"] = spec;
        }
        self.wanted = wanted(&self.documents, &self.wanted.lock);
    }

    fn fault(&self, rng: &mut Rng) -> Fault {
        let identities = self.wanted.specs.iter().map(|spec| &spec.identity);
        let endpoints: Vec<&str> =
            identities.filter(|it| it.kind == Kind::Endpoint).map(|it| it.stack.name.as_str()).collect();
        let stack = (*one(rng, &endpoints)).to_owned();
        let spot = |stack: &str, id: &str| Spot { stack: Some(stack.to_owned()), logical_id: id.to_owned() };
        let reason = "an imagined reason".to_owned();
        match rng.u32(0..8) {
            0..4 => {
                let id = *one(rng, &["Endpoint", "Model", "EndpointConfig"]);
                Fault::Fail { spot: spot(&stack, id), reason }
            }
            4 | 5 => Fault::SilentRollback { endpoint: stack },
            6 => Fault::Fail { spot: spot(ROLE, "Role"), reason },
            _ => Fault::DeleteFail { spot: spot(&stack, "EndpointConfig"), reason },
        }
    }

    /// Plans and applies, looking at the account whenever something has happened in it.
    async fn apply(&self, rng: &mut Rng, asked: Asked, killed: bool, seen: &mut Seen) -> Result<bool, String> {
        let plan = match account::plan(&*self.accounts, &self.wanted, asked).await {
            Ok(plan) => plan,
            Err(found) => {
                self.sandbox.advance(Duration::from_secs(24 * 3600));
                let errors = found.iter().filter(|found| found.severity == Severity::Error);
                let other: Vec<_> = errors.filter(|found| found.code != Code::OperationRunning).collect();
                return if other.is_empty() { Ok(false) } else { Err(format!("refused: {other:?}")) };
            }
        };
        seen.held += usize::from(plan.steps.iter().any(|step| !step.held.is_empty()));
        let (looks, broken) = (Cell::new(0), RefCell::new(None));
        let last = if killed { rng.usize(1..400) } else { usize::MAX };
        let look = || {
            looks.set(looks.get() + 1);
            if let Err(told) = self.grants_what_runs(asked.only.is_some()) {
                broken.borrow_mut().get_or_insert(told);
            }
            looks.get() > last || broken.borrow().is_some()
        };
        let settings = Settings { concurrency: rng.usize(1..5), seed: rng.u64(..), ..Settings::default() };
        let run =
            account::apply_telling(self.sandbox.clock(), Rc::clone(&self.accounts), &plan, settings, look).await?;
        seen.looked += looks.get();
        if let Some(told) = broken.into_inner() {
            return Err(format!("{told}\n{}", story(&plan, &run.events)));
        }
        let began = |what: &str| {
            run.events
                .iter()
                .any(|event| matches!(event, Event::OperationStarted { operation, .. } if operation == what))
        };
        seen.widened += usize::from(began("widen"));
        seen.narrowed += usize::from(began("narrow"));
        let Some(outcome) = &run.outcome else {
            seen.killed_between += usize::from(began("widen") && !began("narrow"));
            return Ok(false);
        };
        let back = |result: &StepResult| matches!(result, StepResult::Failed(failure) if failure.kind == hubform::execute::FailureKind::SilentRollback);
        seen.went_back += usize::from(outcome.results.iter().any(|(_, result)| back(result)));
        seen.failed_between += usize::from(began("widen") && !began("narrow") && !outcome.succeeded());
        if outcome.succeeded() && asked.only.is_none() {
            self.grants_no_more(&plan, &run.events).await?;
        }
        Ok(outcome.succeeded())
    }

    /// Without faults everything lands at last, unless an endpoint went back by itself: then another edit moves it.
    async fn comes_to_rest(&mut self, rng: &mut Rng, seen: &mut Seen) -> Result<(), String> {
        for _ in 0..20 {
            if self.apply(rng, Asked::default(), false, seen).await? {
                return Ok(());
            }
            self.edit(rng);
        }
        Err("it never comes to rest".to_owned())
    }

    fn grants_what_runs(&self, of_one_file: bool) -> Result<(), String> {
        let items = self.sandbox.inventory();
        let of = |kind: &str| items.iter().filter(|item| item.resource_type == kind).collect::<Vec<_>>();
        self.remember(&of("AWS::SageMaker::EndpointConfig"), &of("AWS::SageMaker::Model"));
        let known = self.known.borrow();
        for endpoint in of("AWS::SageMaker::Endpoint") {
            let Some(rest) = endpoint.summary.strip_prefix("InService on ") else { continue };
            let config = rest.split(" (").next().unwrap_or(rest);
            let Some((role, needs)) = known.get(config) else { return Err(format!("nobody saw {config}")) };
            let Some(role) = of("AWS::IAM::Role").into_iter().find(|item| item.physical_id == *role) else { continue };
            if role.owner_stack.as_deref() != Some(ROLE) {
                continue;
            }
            let models =
                of("AWS::SageMaker::Model").into_iter().filter(|model| model.owner_stack == endpoint.owner_stack);
            let names_it = |model: &InventoryItem| {
                model.properties["ExecutionRoleArn"].as_str().is_some_and(|arn| arn.ends_with(&role.physical_id))
            };
            if of_one_file && !models.into_iter().any(names_it) {
                self.excused.borrow_mut().insert(config.to_owned());
            }
            if self.excused.borrow().contains(config) {
                continue;
            }
            for (action, resource) in needs {
                if !allows(&role.properties, action, resource) {
                    let who = &endpoint.physical_id;
                    return Err(format!("{who} runs {config}, and the role does not allow {action} on {resource}"));
                }
            }
        }
        Ok(())
    }

    fn remember(&self, configs: &[&InventoryItem], models: &[&InventoryItem]) {
        let mut known = self.known.borrow_mut();
        for config in configs {
            let name = config.physical_id.rsplit('/').next().unwrap_or_default();
            let name = if config.summary.is_empty() { name } else { &config.summary };
            if known.contains_key(name) {
                continue;
            }
            let variant = &config.properties["ProductionVariants"][0];
            let model = models.iter().find(|model| variant["ModelName"].as_str() == Some(&model.summary));
            let Some(model) = model else { continue };
            let role = model.properties["ExecutionRoleArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            let needs = needs(&config.properties, &model.properties);
            known.insert(name.to_owned(), (role.unwrap_or_default().to_owned(), needs));
        }
    }

    async fn grants_no_more(&self, plan: &Plan, events: &[Event]) -> Result<(), String> {
        let live = account::stacks(&*self.accounts).await;
        let spec = self.wanted.specs.iter().find(|spec| spec.identity.stack.name == ROLE).expect("the role is wanted");
        match live.get(ROLE).and_then(|stack| stack.outputs.get("HubformDigest")) == Some(&spec.digest) {
            true => Ok(()),
            false => Err(format!("all went well, and the role is not what is wanted\n{}", story(plan, events))),
        }
    }
}

fn document(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "hubform.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn wanted(documents: &BTreeMap<String, Value>, lock: &Lock) -> Wanted {
    let text = documents.values().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n");
    compile(&[("all.yaml".to_owned(), text)], lock, Catalog::embedded()).expect("these go together")
}

fn role(rng: &mut Rng) -> Value {
    let mut spec = json!({});
    if percent(rng, 50) {
        let places: Vec<_> = (0..rng.u32(1..3)).map(|_| format!("arn:aws:s3:::extra-{}/*", rng.u32(0..4))).collect();
        spec["statements"] = json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": places}]);
    }
    if percent(rng, 30) {
        spec["managedPolicies"] = json!([format!("arn:aws:iam::aws:policy/P{}", rng.u32(0..3))]);
    }
    if percent(rng, 30) {
        spec["trust"] = json!([one(rng, &["lambda.amazonaws.com", "batch.amazonaws.com"])]);
    }
    spec
}

/// What it reads, writes and encrypts with, it needs of its role.
fn endpoint(rng: &mut Rng) -> Value {
    let weights = format!("s3://weights-{}/m/", rng.u32(0..4));
    let mut spec = json!({"model": {"s3": weights, "task": "feature-extraction", "engine": "tei"},
                          "hardware": "ml.c7i.xlarge", "alarms": "none"});
    if percent(rng, 85) {
        spec["role"] = json!("shared");
    }
    if percent(rng, 50) {
        spec["capture"] = json!({"percent": "5%", "s3": format!("s3://captured-{}/x/", rng.u32(0..4))});
    }
    if percent(rng, 30) {
        let key = format!("arn:aws:kms:us-east-1:{}:key/{}", account::ACCOUNT, rng.u32(0..3));
        spec["encryption"] = json!({ "kmsKey": key });
    }
    if percent(rng, 20) {
        spec["model"]["env"] = json!({"LEVEL": word(rng)});
    }
    spec
}

fn needs(config: &Value, model: &Value) -> Needs {
    let mut needs = Needs::new();
    let object = |uri: &str| format!("arn:aws:s3:::{}an-object", uri.trim_start_matches("s3://"));
    let weights = &model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"];
    needs.extend(weights.as_str().map(|uri| ("s3:GetObject", object(uri))));
    let captured = config["DataCaptureConfig"]["DestinationS3Uri"].as_str();
    needs.extend(captured.map(|uri| ("s3:PutObject", object(&format!("{}/", uri.trim_end_matches('/'))))));
    needs.extend(config["KmsKeyId"].as_str().map(|key| ("kms:Decrypt", key.to_owned())));
    needs
}

/// Does an inline policy of the role allow it? Nothing here denies.
fn allows(role: &Value, action: &str, resource: &str) -> bool {
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let covers = |pattern: &String| match pattern.strip_suffix('*') {
        Some(prefix) => resource.starts_with(prefix),
        None => pattern == resource,
    };
    let policies = role["Policies"].as_array().into_iter().flatten();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten());
    statements.into_iter().any(|statement| {
        texts(&statement["Action"]).iter().any(|known| known == action)
            && texts(&statement["Resource"]).iter().any(covers)
    })
}

fn story(plan: &Plan, events: &[Event]) -> String {
    let dull = ["Status", "Resource", "Tick", "Waiting", "Started", "Finished"];
    let told = events.iter().map(|event| format!("{event:?}"));
    let told = told.filter(|line| !dull.iter().any(|word| line.starts_with(word)));
    let steps = plan.steps.iter().map(|step| {
        let after: Vec<_> = step.operations.iter().map(Operation::after).collect();
        format!("{} {:?} {after:?} held by {:?}", step.identity.stack, step.action, step.held)
    });
    steps.chain(told).collect::<Vec<_>>().join("\n  ")
}
