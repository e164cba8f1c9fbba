//! The operations of one update: usually one, two or three where a scaler has to step aside.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    Gate, Operation, Phase, Submission,
    diff::{ResourceDiff, Sides, diff, gate},
    inputs::{InputChange, is_masked, reversed},
    observe::{OUTPUT_DIGEST, same_tags},
    phases::{Entangled, Moved, Scaler, Valued, scaler},
    template::Template,
};
use crate::{
    catalog::Catalog,
    cloud::{Replacement, Stack, Tags},
    render::{ParameterValue, StackSpec, body_digest},
};

/// Both sides of an update.
pub(super) struct Update<'a> {
    pub(super) spec: &'a StackSpec,
    pub(super) observed: &'a Stack,
    pub(super) live: &'a Template,
    pub(super) wanted: &'a Template,
    pub(super) inputs: &'a BTreeMap<String, InputChange>,
    pub(super) catalog: &'a Catalog,
}

/// What an update comes to.
pub(super) struct Carried {
    pub(super) operations: Vec<Operation>,
    pub(super) restore: Option<Operation>,
    pub(super) diffs: Vec<ResourceDiff>,
    pub(super) reasons: Vec<String>,
    pub(super) bodies: Vec<Arc<str>>,
}

impl Update<'_> {
    /// The operations, in order.
    pub(super) fn carry(&self) -> Result<Carried, Entangled> {
        let tags = self.changed_tags();
        let diffs = self.diff(self.live, self.wanted, self.inputs, tags.as_ref());
        let (before, after) = self.values();
        let live = Valued { template: self.live, values: &before };
        let wanted = Valued { template: self.wanted, values: &after };
        match scaler(live, wanted)? {
            None => Ok(self.in_one(diffs)),
            Some(scaler) => Ok(self.in_phases(&scaler, tags.as_ref(), diffs)),
        }
    }

    fn in_one(&self, diffs: Vec<ResourceDiff>) -> Carried {
        let update = Operation::Update { submission: submission(self.spec), gate: gate(&diffs), phase: None };
        let bodies = vec![self.spec.body.clone()];
        Carried { operations: vec![update], restore: None, diffs, reasons: Vec::new(), bodies }
    }

    fn in_phases(&self, scaler: &Scaler, tags: Option<&(Value, Value)>, diffs: Vec<ResourceDiff>) -> Carried {
        let none = BTreeMap::new();
        let aside = self.live.without(&scaler.live);
        let moved = self.wanted.without(&scaler.wanted);
        let returns = !scaler.wanted.is_empty();
        let of = if returns { 3 } else { 2 };
        let mut carried =
            Carried { operations: Vec::new(), restore: None, diffs, reasons: Vec::new(), bodies: Vec::new() };

        let out = gate(&self.diff(self.live, &aside, &none, None));
        let first = self.before(carried.keep(aside.clone()));
        carried.phase(first, out, of, "take the scalable target out".to_owned());
        let across = gate(&self.diff(&aside, &moved, self.inputs, tags));
        let second = if returns { self.after(carried.keep(moved.clone())) } else { submission(self.spec) };
        carried.phase(second, across, of, scaler.purpose());
        if returns {
            let back = gate(&self.diff(&moved, self.wanted, &none, None));
            carried.phase(submission(self.spec), back, of, "put the scalable target back".to_owned());
        }
        carried.bodies.push(self.spec.body.clone());
        let runs: Arc<str> = Arc::from(self.live.text());
        carried.restore = Some(self.restore(body_digest(&runs), (&aside, &moved), tags));
        carried.bodies.push(runs);
        carried.reasons = scaler.reasons(of);
        carried
    }

    /// Back to what ran, from either of the bodies between.
    fn restore(&self, body: String, between: (&Template, &Template), tags: Option<&(Value, Value)>) -> Operation {
        let back = tags.map(|(before, after)| (after.clone(), before.clone()));
        let from_first = gate(&self.diff(between.0, self.live, &BTreeMap::new(), None));
        let from_second = gate(&self.diff(between.1, self.live, &reversed(self.inputs), back.as_ref()));
        let digest = self.observed.outputs.get(OUTPUT_DIGEST).cloned().unwrap_or_default();
        let submission = self.before((body, digest));
        Operation::Update { submission, gate: either(from_first, from_second), phase: None }
    }

    pub(super) fn diff(
        &self,
        live: &Template,
        wanted: &Template,
        inputs: &BTreeMap<String, InputChange>,
        tags: Option<&(Value, Value)>,
    ) -> Vec<ResourceDiff> {
        diff(&Sides { live, wanted, inputs, tags, catalog: self.catalog })
    }

    /// A body sent with the parameters and tags that run.
    fn before(&self, (body, digest): (String, String)) -> Submission {
        let value = |(name, runs): (&String, &String)| {
            let given = self.spec.parameters.get(name).filter(|_| is_masked(runs)).cloned();
            (name.clone(), given.unwrap_or_else(|| ParameterValue::Literal(runs.clone())))
        };
        Submission {
            body,
            digest,
            parameters: self.observed.parameters.iter().map(value).collect(),
            tags: own(&self.observed.tags),
            capabilities: self.observed.capabilities.union(&self.spec.capabilities).cloned().collect(),
            notification_arns: self.observed.notification_arns.clone(),
            ..submission(self.spec)
        }
    }

    /// A body sent with the parameters and tags wanted.
    pub(super) fn after(&self, (body, digest): (String, String)) -> Submission {
        Submission { body, digest, ..submission(self.spec) }
    }

    pub(super) fn changed_tags(&self) -> Option<(Value, Value)> {
        let (before, after) = (own(&self.observed.tags), own(&self.spec.tags));
        let only = |tags: &Tags, other: &Tags| -> Value {
            let differs = tags.iter().filter(|(key, value)| other.get(*key) != Some(value));
            Value::Object(differs.map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect::<Map<_, _>>())
        };
        (!same_tags(&before, &after)).then(|| (only(&before, &after), only(&after, &before)))
    }

    /// Parameter values before and after, as far as they are known.
    fn values(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let before = self.observed.parameters.clone();
        let mut after = before.clone();
        for (name, input) in self.inputs {
            after.remove(name);
            after.extend(input.after.clone().map(|value| (name.clone(), value)));
        }
        (before, after)
    }
}

impl Carried {
    /// Keeps a body made here; its key and its own digest.
    fn keep(&mut self, template: Template) -> (String, String) {
        let (text, digest) = template.stamp();
        let key = body_digest(&text);
        self.bodies.push(Arc::from(text));
        (key, digest)
    }

    fn phase(&mut self, submission: Submission, gate: Gate, of: usize, purpose: String) {
        let phase = Some(Phase { number: self.operations.len() + 1, of, purpose });
        self.operations.push(Operation::Update { submission, gate, phase });
    }
}

impl Scaler {
    fn purpose(&self) -> String {
        let targets: BTreeSet<&str> = self.variants.iter().filter_map(|moved| moved.after.as_deref()).collect();
        match targets.into_iter().collect::<Vec<_>>().as_slice() {
            [] => "take the variant out".to_owned(),
            [one] if !one.starts_with(['{', '[']) => format!("move the endpoint to {one}"),
            _ => "move the endpoint to other instances".to_owned(),
        }
    }

    fn reasons(&self, of: usize) -> Vec<String> {
        let refused = |moved: &Moved| {
            let what = if moved.after.is_some() { "to change the instance type of" } else { "to remove" };
            let name = &moved.name;
            format!("SageMaker refuses {what} variant {name} while a scalable target is registered for it")
        };
        let (counted, last) = if of == 3 { ("three", "phase 2 or 3") } else { ("two", "phase 2") };
        let branch = format!("if {last} fails and rolls back, what runs now is put back, the scalable target included");
        let why = self.variants.iter().map(|moved| format!("takes {counted} updates: {}", refused(moved)));
        why.chain([branch]).collect()
    }
}

/// Everything that is wanted, as it is sent.
pub(super) fn submission(spec: &StackSpec) -> Submission {
    Submission {
        body: body_digest(&spec.body),
        digest: spec.digest.clone(),
        parameters: spec.parameters.clone(),
        tags: spec.tags.clone(),
        capabilities: spec.capabilities.clone(),
        role_arn: spec.role_arn.clone(),
        notification_arns: spec.notification_arns.clone(),
        termination_protection: spec.protect,
    }
}

/// Are tags, service role and topics as they shall be? A service role cannot be taken away again.
pub(super) fn settings_hold(spec: &StackSpec, observed: &Stack) -> bool {
    same_tags(&spec.tags, &observed.tags)
        && (spec.role_arn.is_none() || spec.role_arn == observed.role_arn)
        && same_topics(&spec.notification_arns, &observed.notification_arns)
}

/// Equal in any order.
pub(super) fn same_topics(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

fn own(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What one or the other allows, at worst.
fn either(mut one: Gate, other: Gate) -> Gate {
    for (id, allowed) in other.allowed {
        let known = one.allowed.entry(id).or_insert_with(|| allowed.clone());
        if known.replacement.rank() < allowed.replacement.rank() {
            known.replacement = Replacement::clone(&allowed.replacement);
        }
    }
    one
}
