//! A finished plan, re-read by somebody who did not make it and shares no code with whoever did.
//!
//! Every sentence is a mistake of ours. A plan with one is not carried out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Action, After, ChangeKind, FORMAT, Gate, Half, Operation, Plan, Step, Submission};
use crate::{
    cloud::{StackRef, StackStatus},
    render::{BODY_LIMIT, ParameterValue, body_digest},
};

/// What is wrong with a plan, in sentences; none if it may be carried out.
pub fn audit(plan: &Plan) -> Vec<String> {
    let mut auditor = Auditor { plan, bodies: BTreeMap::new(), found: Vec::new() };
    auditor.read_bodies();
    auditor.check_order();
    auditor.check_waits();
    auditor.check_scope();
    plan.steps.iter().for_each(|step| auditor.check_step(step));
    auditor.found
}

struct Auditor<'a> {
    plan: &'a Plan,
    bodies: BTreeMap<&'a str, Value>,
    found: Vec<String>,
}

impl<'a> Auditor<'a> {
    fn say(&mut self, step: &Step, what: impl AsRef<str>) {
        self.found.push(format!("{}: {}", step.identity.stack, what.as_ref()));
    }

    fn require(&mut self, holds: bool, step: &Step, otherwise: impl Fn() -> String) {
        if !holds {
            self.say(step, otherwise());
        }
    }

    fn read_bodies(&mut self) {
        if self.plan.format != FORMAT {
            self.found.push(format!("the plan has format {}, not {FORMAT}", self.plan.format));
        }
        let used: BTreeSet<&str> = self.plan.steps.iter().flat_map(sent).map(|sent| sent.body.as_str()).collect();
        for (key, text) in &self.plan.bodies {
            if body_digest(text) != *key {
                self.found.push(format!("the body {key} is not what its key says"));
            }
            if !used.contains(key.as_str()) {
                self.found.push(format!("nothing uses the body {key}"));
            }
            match serde_json::from_str::<Value>(text) {
                Ok(body) => drop(self.bodies.insert(key, body)),
                Err(_) => drop(self.bodies.insert(key, Value::Null)),
            }
        }
    }

    /// Each step comes once, after all it needs; so the needs have no cycle either.
    fn check_order(&mut self) {
        let mut before: BTreeSet<&StackRef> = BTreeSet::new();
        for step in &self.plan.steps {
            for need in step.needs.iter().filter(|need| !before.contains(need)) {
                let known = self.plan.steps.iter().any(|other| other.identity.stack == *need);
                let what = if known { "comes before" } else { "is alone without" };
                self.say(step, format!("{what} `{need}`, which it needs"));
            }
            if !before.insert(&step.identity.stack) {
                self.say(step, "has two steps");
            }
        }
    }

    /// What an operation waits for is in the plan, and nobody waits for himself, over however many others: done one
    /// after the other, all operations get their turn.
    fn check_waits(&mut self) {
        let plan = self.plan;
        for step in &plan.steps {
            for After { stack, operation } in step.operations.iter().flat_map(waits_of) {
                let known = plan.step(stack).is_some_and(|other| *operation < other.operations.len().max(1));
                self.require(known, step, || {
                    format!("waits for `{stack}`, operation {operation}, which is not planned")
                });
            }
        }
        let mut done: Done<'a> = plan.steps.iter().map(|step| (&step.identity.stack, (step, 0))).collect();
        loop {
            let begins = |(step, at): &&(&Step, usize)| may_begin(step, *at, &done);
            let next: Vec<&StackRef> = done.values().filter(begins).map(|(step, _)| &step.identity.stack).collect();
            if next.is_empty() {
                break;
            }
            next.into_iter().for_each(|stack| done.get_mut(stack).into_iter().for_each(|(_, at)| *at += 1));
        }
        for (step, at) in done.into_values() {
            let waits = step.operations.get(at).is_some_and(|operation| waits_of(operation).next().is_some());
            self.require(!waits, step, || format!("waits for itself before operation {at}"));
        }
    }

    fn check_scope(&mut self) {
        for step in &self.plan.steps {
            let planned = self.plan.environments.iter();
            let mut known =
                planned.filter(|e| e.name == step.identity.environment && e.target == step.identity.stack.target);
            if known.next().is_none() {
                self.say(step, "is in no environment of the plan");
            }
            if self.plan.left_behind.iter().any(|left| left.stack == step.identity.stack) {
                self.say(step, "is left behind and has a step");
            }
        }
    }

    fn check_step(&mut self, step: &'a Step) {
        self.check_shape(step);
        self.check_protection(step);
        self.check_owner(step);
        self.check_changes(step);
        self.check_phases(step);
        self.check_narrowing(step);
        sent(step).for_each(|submission| self.check_submission(step, submission));
        let fed =
            sent(step).any(|sent| sent.parameters.values().any(|value| matches!(value, ParameterValue::Output { .. })));
        self.require(!step.predicate || fed, step, || "depends on values that it does not take".to_owned());
    }

    /// The operations are those that the action and the observed status admit.
    fn check_shape(&mut self, step: &Step) {
        let rest: Vec<&Operation> =
            step.operations.iter().filter(|operation| !matches!(operation, Operation::Protect { .. })).collect();
        let status = step.observed.as_ref().map(|observed| &observed.status);
        let fits = match (step.action, rest.as_slice()) {
            (Action::Keep, []) => step.operations.is_empty(),
            (Action::Create, [Operation::Create { .. }]) => {
                status.is_none() && matches!(step.operations[0], Operation::Create { .. })
            }
            (Action::Recreate, [Operation::Delete { .. }, Operation::Create { .. }]) => {
                status.is_some_and(|status| !status.is_updatable() && !status.is_running())
            }
            (Action::Delete, [Operation::Delete { .. }]) => status.is_some_and(|status| !status.is_running()),
            (Action::Update, updates) => {
                let only = updates.iter().all(|operation| matches!(operation, Operation::Update { .. }));
                only && !step.is_idle() && status.is_some_and(StackStatus::is_updatable)
            }
            _ => false,
        };
        let from = || status.map_or("nothing".to_owned(), ToString::to_string);
        self.require(fits, step, || format!("{:?} is not done by these operations from {}", step.action, from()));
    }

    /// What is protected goes only after protection was turned off, and only if the user said so.
    fn check_protection(&mut self, step: &Step) {
        let name = format!("{}/{}", step.identity.kind, step.identity.name);
        let allowed = self.plan.allowed.contains(&name);
        let deletes = step.operations.iter().position(|operation| matches!(operation, Operation::Delete { .. }));
        if let (Some(at), Some(observed)) = (deletes, &step.observed) {
            let off = |operation: &Operation| matches!(operation, Operation::Protect { on: false });
            let turned_off = step.operations[..at].iter().any(off);
            self.require(!observed.protected || turned_off, step, || "is deleted while it is protected".to_owned());
            let back = matches!(step.restore, Some(Operation::Protect { on: true }));
            self.require(turned_off == back, step, || "would stay unprotected if it cannot be deleted".to_owned());
            let never_landed = !observed.status.landed()
                && !matches!(observed.status, StackStatus::DeleteFailed)
                && !observed.status.is_update();
            let free = allowed || never_landed || !observed.protected;
            self.require(free, step, || format!("is protected, and nobody allowed {name} to be deleted"));
        }
        let matters = [
            "AWS::AutoScaling::AutoScalingGroup",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "AWS::IAM::Role",
            "AWS::SageMaker::Cluster",
            "AWS::SageMaker::Endpoint",
        ];
        let was = step.observed.as_ref().is_some_and(|observed| observed.protected);
        let shall = sent(step).any(|sent| sent.termination_protection);
        let protected = (was || shall) && step.action == Action::Update;
        for change in step.changes.iter().filter(|change| matters.contains(&change.resource_type.as_str())) {
            let lost = change.kind == ChangeKind::Remove || change.replacement.rank() > 0;
            self.require(!(protected && lost) || allowed, step, || {
                format!("loses {}, which is protected, and nobody allowed {name}", change.logical_id)
            });
        }
    }

    /// What is announced is what the gates allow together, no less and hardly more.
    fn check_changes(&mut self, step: &Step) {
        let updates: Vec<&Gate> = step.operations.iter().filter_map(gate_of).collect();
        if updates.is_empty() {
            return;
        }
        let sum = sum(&updates);
        for change in &step.changes {
            let covers = sum
                .get(change.logical_id.as_str())
                .is_some_and(|all| all.kind == change.kind && all.rank >= change.replacement.rank());
            self.require(covers, step, || format!("announces {}, which its gate refuses", change.logical_id));
        }
        for (id, all) in &sum {
            let change = step.changes.iter().find(|change| change.logical_id == *id);
            let said = change.map_or(0, |change| change.replacement.rank());
            let quiet = change.is_some() || all.kind == ChangeKind::Modify;
            let worse = all.rank > said;
            self.require(all.comes_back || quiet && !worse, step, || format!("allows {id} more than it announces"));
        }
        let back = step.restore.iter().filter_map(gate_of).flat_map(|gate| &gate.allowed);
        for (id, allowed) in back.filter(|(id, _)| !sum.contains_key(id.as_str()) && !step.aside.contains(*id)) {
            // What an earlier run changed drags others along, of which nothing here tells.
            let dragged = !step.aside.is_empty() && allowed.kind == ChangeKind::Modify;
            self.require(dragged, step, || format!("its way back touches {id}, which no phase does"));
        }
    }

    /// Phases follow each other up to the last, from the first unless an earlier run began; only then, and only with
    /// something out, is there a way back.
    fn check_phases(&mut self, step: &Step) {
        let updates =
            || step.operations.iter().filter(|operation| matches!(operation, Operation::Update { half: None, .. }));
        let count = updates().count();
        let resumed = !step.aside.is_empty();
        let restores = step.restore.as_ref().is_some_and(|restore| restore.submission().is_some());
        if count < 2 && updates().all(|operation| phase_of(operation).is_none()) {
            return self.require(resumed || !restores, step, || "has one phase of several".to_owned());
        }
        for (at, operation) in updates().enumerate() {
            let right = phase_of(operation)
                .is_some_and(|(number, of)| number + count == of + at + 1 && (of == count || resumed));
            self.require(right, step, || format!("update {} of {count} is numbered otherwise", at + 1));
        }
        let digests: BTreeSet<&str> = updates().filter_map(Operation::submission).map(|s| s.digest.as_str()).collect();
        self.require(digests.len() == count, step, || "two phases leave the same digest".to_owned());
        if !resumed {
            self.check_set_aside(step);
        }
        self.check_marks(step);
    }

    /// A shared role is narrowed last, by one update, after all in the plan who need it and have something to do first;
    /// not while others hold it wide.
    fn check_narrowing(&mut self, step: &Step) {
        let at = |wanted: Half| step.operations.iter().position(|operation| half_of(operation) == Some(wanted));
        let (widens, narrows) = (at(Half::Widen), at(Half::Narrow));
        self.require(step.held.is_empty() || narrows.is_none(), step, || {
            "is narrowed while others hold it wide".to_owned()
        });
        self.require(widens.is_none() || narrows.is_some() || !step.held.is_empty(), step, || {
            "is widened and never narrowed, and nobody holds it wide".to_owned()
        });
        let Some(narrows) = narrows else { return };
        let last = &step.operations[narrows];
        self.require(narrows + 1 == step.operations.len(), step, || "is narrowed before its last operation".to_owned());
        self.require(phase_of(last).is_none() && step.restore.is_none(), step, || "is narrowed in phases".to_owned());
        let plan = self.plan;
        let moves = |other: &&Step| other.needs.contains(&step.identity.stack) && other.action == Action::Update;
        for other in plan.steps.iter().filter(moves) {
            let before = moved_by(other);
            let waits =
                waits_of(last).any(|after| after.stack == other.identity.stack && after.operation + 1 >= before);
            self.require(before == 0 || waits, step, || {
                format!("is narrowed without waiting for `{}`", other.identity.stack)
            });
        }
        let body = |at: usize| self.body_of(&step.operations[at]);
        if let Some(widens) = widens {
            let (wide, wanted) = (allowed_by(&body(widens)), allowed_by(&body(narrows)));
            if let Some(lost) = wanted.iter().find(|statement| !wide.contains(*statement)) {
                self.say(step, format!("is not widened by {lost}, which is wanted"));
            }
        }
    }

    /// What the first phase takes out stays out until the last, and can be put back.
    fn check_set_aside(&mut self, step: &Step) {
        let mut updates = step.operations.iter().filter(|operation| matches!(operation, Operation::Update { .. }));
        let Some(first) = updates.next().and_then(gate_of) else { return };
        let removed = first.allowed.iter().filter(|(_, allowed)| allowed.kind == ChangeKind::Remove);
        let out: Vec<&String> = removed.map(|(id, _)| id).collect();
        let only = first.allowed.values().all(|allowed| {
            allowed.kind == ChangeKind::Remove || allowed.kind == ChangeKind::Modify && allowed.replacement.rank() == 0
        });
        self.require(only && !out.is_empty(), step, || "its first phase takes nothing out".to_owned());
        for operation in updates.filter(|operation| phase_of(operation).is_some_and(|(number, of)| number < of)) {
            let body = self.body_of(operation);
            if let Some(id) = out.iter().find(|id| body["Resources"].get(id.as_str()).is_some()) {
                let number = phase_of(operation).map_or(0, |(number, _)| number);
                self.say(step, format!("phase {number} has {id}, which phase 1 took out"));
            }
        }
        let restored = step.restore.as_ref().map(|restore| self.body_of(restore)).unwrap_or_default();
        let complete = out.iter().all(|id| restored["Resources"].get(id.as_str()).is_some());
        self.require(complete, step, || "cannot put back what its first phase takes out".to_owned());
    }

    /// A body between two phases says which it is and what is out; one that is final says nothing of the kind.
    fn check_marks(&mut self, step: &Step) {
        for operation in step.operations.iter().chain(&step.restore).filter(|o| o.submission().is_some()) {
            let body = self.body_of(operation);
            let mark = &body["Metadata"]["Hubform"]["Detour"];
            let Some((number, of)) = phase_of(operation).filter(|(number, of)| number < of) else {
                self.require(mark.is_null(), step, || "leaves a body that says it is not final".to_owned());
                continue;
            };
            let out = || mark["Out"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let back: Value =
                mark["Aside"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            let right = (&mark["Number"], &mark["Of"]) == (&Value::from(number), &Value::from(of))
                && out().count() > 0
                && out().all(|id| body["Resources"].get(id).is_none() && back["Resources"].get(id).is_some());
            // A body that its mark would make larger than CloudFormation takes goes without one.
            let large = mark.is_null() && 2 * body.to_string().len() > BODY_LIMIT;
            self.require(right || large, step, || format!("phase {number} does not say what is out after it"));
        }
    }

    fn body_of(&self, operation: &Operation) -> Value {
        let sent = operation.submission().and_then(|sent| self.bodies.get(sent.body.as_str()));
        sent.cloned().unwrap_or_default()
    }

    fn check_submission(&mut self, step: &Step, sent: &Submission) {
        let Some(body) = self.bodies.get(sent.body.as_str()).cloned() else {
            return self.say(step, format!("the body {} is missing", sent.body));
        };
        if body["Resources"].as_object().is_none_or(serde_json::Map::is_empty) {
            return self.say(step, format!("the body {} has no resources", sent.body));
        }
        let is_restore = step.restore.as_ref().and_then(Operation::submission).is_some_and(|s| std::ptr::eq(s, sent));
        let digest = body["Outputs"]["HubformDigest"]["Value"].as_str();
        self.require(is_restore || digest == Some(&sent.digest), step, || {
            format!("the body {} does not carry the digest it is sent with", sent.body)
        });
        self.check_parameters(step, sent, &body);
        self.check_identity(step, sent, &body);
        self.check_gate(step, sent, &body);
        let iam = body["Resources"].as_object().into_iter().flatten();
        let needs_iam = iam.into_iter().any(|(_, resource)| resource["Type"] == "AWS::IAM::Role");
        let acknowledged = sent.capabilities.iter().any(|capability| capability.as_str().ends_with("_IAM"));
        self.require(!needs_iam || acknowledged, step, || "makes a role without the capability".to_owned());
    }

    fn check_parameters(&mut self, step: &Step, sent: &Submission, body: &Value) {
        let declared = body["Parameters"].as_object();
        for (name, value) in &sent.parameters {
            let known = declared.is_some_and(|declared| declared.contains_key(name));
            self.require(known, step, || format!("gives the parameter {name}, which the body does not have"));
            if let ParameterValue::Output { stack, .. } = value {
                self.require(step.needs.contains(stack), step, || {
                    format!("takes a value of `{stack}` without needing it")
                });
            }
        }
        for (name, parameter) in declared.into_iter().flatten() {
            let kept = sent.previous.contains(name);
            self.require(!kept || !sent.parameters.contains_key(name), step, || {
                format!("gives the parameter {name} and keeps it")
            });
            let given = kept || sent.parameters.contains_key(name) || parameter.get("Default").is_some();
            self.require(given, step, || format!("the parameter {name} has no value"));
        }
    }

    fn check_identity(&mut self, step: &Step, sent: &Submission, body: &Value) {
        let says = |key: &str, value: &str| sent.tags.get(key).is_some_and(|tag| tag.eq_ignore_ascii_case(value));
        let owned = says("hubform:environment", &step.identity.environment)
            && says("hubform:kind", step.identity.kind.as_str())
            && says("hubform:name", &step.identity.name);
        self.require(owned, step, || "would lose the tags that say whose it is".to_owned());
        let Some(wanted) = self.owner_of(step) else { return };
        let last = step.operations.iter().filter_map(Operation::submission).next_back();
        let on_the_way = self.is_adopted(step) && !last.is_some_and(|last| std::ptr::eq(last, sent));
        let stamped = [&body["Outputs"]["HubformOwner"]["Value"], &body["Metadata"]["Hubform"]["Owner"]];
        let carries = wanted.is_some() && stamped.iter().all(|stamp| stamp.as_str() == wanted);
        self.require(carries || on_the_way, step, || format!("the body {} does not carry the owner", sent.body));
    }

    /// What stands is changed or deleted only where it has this environment's owner, or was to be taken over.
    fn check_owner(&mut self, step: &Step) {
        let Some(observed) = step.observed.as_ref().filter(|_| !step.operations.is_empty()) else { return };
        let Some(wanted) = self.owner_of(step) else { return };
        let same = observed.owner.is_some() && observed.owner.as_deref() == wanted;
        let free = same || (self.is_adopted(step) && step.action != Action::Delete);
        self.require(free, step, || "belongs to another owner, and nobody said that it is taken over".to_owned());
    }

    /// The owner of the step's environment; outer none where it is in no environment of the plan.
    fn owner_of(&self, step: &Step) -> Option<Option<&'a str>> {
        let mut planned = self.plan.environments.iter();
        let own = planned.find(|e| e.name == step.identity.environment && e.target == step.identity.stack.target)?;
        Some(own.owner.as_deref())
    }

    fn is_adopted(&self, step: &Step) -> bool {
        self.plan.adopted.contains(&format!("{}/{}", step.identity.kind, step.identity.name))
    }

    /// A gate speaks of resources that the body has, or, where they are removed, has not.
    fn check_gate(&mut self, step: &Step, sent: &Submission, body: &Value) {
        let operations = step.operations.iter().chain(&step.restore);
        let own = operations.filter(|operation| operation.submission().is_some_and(|s| std::ptr::eq(s, sent)));
        for (id, allowed) in own.filter_map(gate_of).flat_map(|gate| &gate.allowed) {
            let there = body["Resources"].get(id).is_some();
            let wanted = allowed.kind != ChangeKind::Remove;
            self.require(there == wanted, step, || format!("its gate and its body disagree about {id}"));
        }
    }
}

fn sent(step: &Step) -> impl Iterator<Item = &Submission> {
    step.operations.iter().chain(&step.restore).filter_map(Operation::submission)
}

/// Every statement that allows something, and every managed policy, without the names of statements.
fn allowed_by(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let roles = body["Resources"].as_object().into_iter().flatten();
    for (id, role) in roles.filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role") {
        let properties = &role["Properties"];
        let inline = properties["Policies"].as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
        for document in inline.chain([&properties["AssumeRolePolicyDocument"]]) {
            for statement in document["Statement"].as_array().into_iter().flatten() {
                let mut statement = statement.clone();
                statement.as_object_mut().and_then(|members| members.remove("Sid"));
                found.extend((statement["Effect"] != "Deny").then(|| format!("{id}: {statement}")));
            }
        }
        let managed = properties["ManagedPolicyArns"].as_array().into_iter().flatten();
        found.extend(managed.map(|policy| format!("{id}: {policy}")));
    }
    found
}

fn gate_of(operation: &Operation) -> Option<&Gate> {
    match operation {
        Operation::Update { gate, .. } => Some(gate),
        _ => None,
    }
}

/// What must have landed before an operation.
fn waits_of(operation: &Operation) -> impl Iterator<Item = &After> {
    let after = match operation {
        Operation::Update { after, .. } => Some(after),
        _ => None,
    };
    after.into_iter().flatten()
}

fn half_of(operation: &Operation) -> Option<Half> {
    match operation {
        Operation::Update { half, .. } => *half,
        _ => None,
    }
}

/// By stack its step, and how many of its operations were done.
type Done<'a> = BTreeMap<&'a StackRef, (&'a Step, usize)>;

/// Is there an operation left, and has all landed that it needs and waits for?
fn may_begin(step: &Step, at: usize, done: &Done<'_>) -> bool {
    let landed = |after: &After| {
        let other = done.get(&after.stack);
        other.is_none_or(|(step, at)| after.operation < *at || after.operation >= step.operations.len())
    };
    let ready = |need: &StackRef| done.get(need).is_none_or(|(step, at)| *at >= moved_by(step));
    let operation = step.operations.get(at);
    operation.is_some_and(|operation| waits_of(operation).all(landed)) && (at > 0 || step.needs.iter().all(ready))
}

/// How many operations a step does before it waits for others: what those who need it need of it.
fn moved_by(step: &Step) -> usize {
    let waits = step.operations.iter().position(|operation| waits_of(operation).next().is_some());
    waits.unwrap_or(step.operations.len())
}

/// Number and count of a phase.
fn phase_of(operation: &Operation) -> Option<(usize, usize)> {
    match operation {
        Operation::Update { phase: Some(phase), .. } => Some((phase.number, phase.of)),
        _ => None,
    }
}

/// What several gates allow together.
struct Together {
    kind: ChangeKind,
    rank: u8,
    /// It goes and is made again.
    comes_back: bool,
}

fn sum<'a>(gates: &[&'a Gate]) -> BTreeMap<&'a str, Together> {
    let mut sum: BTreeMap<&str, Together> = BTreeMap::new();
    for (id, allowed) in gates.iter().flat_map(|gate| &gate.allowed) {
        let (kind, rank) = (allowed.kind, allowed.replacement.rank());
        let all = sum.entry(id).or_insert(Together { kind, rank, comes_back: false });
        all.rank = all.rank.max(rank);
        match (all.kind, kind) {
            (ChangeKind::Remove, ChangeKind::Add) => {
                *all = Together { kind: ChangeKind::Modify, rank: 2, comes_back: true }
            }
            (ChangeKind::Modify, kind) => all.kind = kind,
            _ => {}
        }
    }
    sum
}
