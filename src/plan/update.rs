//! The operations of one update: usually one, two or three where a scaler has to step aside, those that remain where
//! an earlier run ended in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    Gate, Operation, Phase, Submission,
    detour::{Detour, Origin, Resumed},
    diff::{ResourceDiff, Sides, diff, gate},
    inputs::InputChange,
    observe::same_tags,
    phases::{Entangled, Moved, Scaler, Valued, scaler},
    put_back,
    template::Template,
};
use crate::{
    catalog::Catalog,
    cloud::{OUTPUT_DIGEST, Replacement, Stack, StackOptions, Tags, is_masked, own_tags},
    render::{BODY_LIMIT, Envelope, ParameterValue, StackSpec, body_digest},
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
    /// What that puts back, by the digest of the body where it begins.
    pub(super) back: BTreeMap<String, String>,
    /// What an earlier run left out or changed.
    pub(super) aside: BTreeSet<String>,
    pub(super) diffs: Vec<ResourceDiff>,
    pub(super) reasons: Vec<String>,
    pub(super) bodies: Vec<Arc<str>>,
}

/// The stack tags that change, before and after.
type ChangedTags = Option<(Value, Value)>;

impl Update<'_> {
    /// The operations, in order.
    pub(super) fn carry(&self) -> Result<Carried, Entangled> {
        let (before, after) = self.values();
        let live = Valued { template: self.live, values: &before };
        let wanted = Valued { template: self.wanted, values: &after };
        let resumed = Resumed::read(self.live);
        let scaler = scaler(live, wanted, resumed.is_some())?;
        let diffs = self.diff(self.live, self.wanted, self.inputs, &self.changed_tags());
        let mut carried = Carried {
            operations: Vec::new(),
            restore: None,
            back: BTreeMap::new(),
            aside: BTreeSet::new(),
            diffs,
            reasons: Vec::new(),
            bodies: vec![self.spec.body.clone()],
        };
        match (scaler, resumed) {
            (None, None) => carried.update(submission(self.spec), gate(&carried.diffs), None),
            (scaler, resumed) => Passage::new(self, scaler.as_ref(), resumed, &mut carried).go(),
        }
        Ok(carried)
    }

    /// The stack as it runs, where no detour was begun.
    fn origin(&self) -> Origin {
        Origin {
            template: self.live.clone(),
            digest: self.observed.outputs.get(OUTPUT_DIGEST).cloned().unwrap_or_default(),
            parameters: self.observed.parameters.clone(),
            tags: own(&self.observed.tags),
        }
    }

    /// What the way back to the origin does, from a body with these values and tags.
    fn back(
        &self,
        from: &Template,
        values: &BTreeMap<String, String>,
        tags: &Tags,
        origin: &Origin,
    ) -> Vec<ResourceDiff> {
        let changed = origin.parameters.iter().filter(|(name, value)| values.get(*name) != Some(*value));
        let change = |(name, value): (&String, &String)| {
            let (before, after) = (values.get(name).cloned(), Some(value.clone()));
            (name.clone(), InputChange { before, after, ..InputChange::default() })
        };
        let inputs = changed.map(change).collect();
        self.diff(from, &origin.template, &inputs, &tags_between(tags, &origin.tags))
    }

    pub(super) fn diff(
        &self,
        live: &Template,
        wanted: &Template,
        inputs: &BTreeMap<String, InputChange>,
        tags: &ChangedTags,
    ) -> Vec<ResourceDiff> {
        diff(&Sides { live, wanted, inputs, tags: tags.as_ref(), catalog: self.catalog })
    }

    /// A body sent with the parameters and tags that run.
    fn before(&self, (body, digest): (String, String)) -> Submission {
        self.with_values(body, digest, &self.observed.parameters, own(&self.observed.tags))
    }

    /// The body before the detour, with the parameters and tags it had. A value that is never shown stays what it is.
    fn restored(&self, origin: &Origin, body: String) -> Submission {
        self.with_values(body, origin.digest.clone(), &origin.parameters, origin.tags.clone())
    }

    fn with_values(&self, body: String, digest: String, values: &BTreeMap<String, String>, tags: Tags) -> Submission {
        let (masked, shown): (Vec<_>, Vec<_>) = values.iter().partition(|(_, value)| is_masked(value));
        Submission {
            body,
            digest,
            parameters: shown.into_iter().map(|(name, text)| (name.clone(), literal(text))).collect(),
            previous: masked.into_iter().map(|(name, _)| name.clone()).collect(),
            tags,
            capabilities: self.observed.capabilities.union(&self.spec.capabilities).cloned().collect(),
            options: StackOptions {
                notification_arns: self.observed.notification_arns.clone(),
                ..self.spec.envelope.options.clone()
            },
            ..submission(self.spec)
        }
    }

    /// A body sent with the parameters and tags wanted. What only the body before hides is kept for the way back.
    pub(super) fn after(&self, (body, digest): (String, String)) -> Submission {
        let dropped =
            |name: &&str| self.live.hides(name) && !self.wanted.section("Parameters").any(|(n, _)| n == *name);
        let hidden = self.live.section("Parameters").map(|(name, _)| name).filter(dropped);
        Submission { body, digest, previous: hidden.map(str::to_owned).collect(), ..submission(self.spec) }
    }

    pub(super) fn changed_tags(&self) -> ChangedTags {
        tags_between(&self.observed.tags, &self.spec.envelope.tags)
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
    /// Keeps a body between two phases, with its mark; its key and its own digest.
    fn between(&mut self, origin: &Origin, body: &Template, detour: Detour) -> (String, String) {
        let (mut text, mut digest) = origin.mark(body, detour).stamp();
        if text.len() > BODY_LIMIT {
            (text, digest) = body.clone().stamp();
            self.reasons.push(UNMARKED.to_owned());
        }
        let key = body_digest(&text);
        self.bodies.push(Arc::from(text));
        (key, digest)
    }

    fn update(&mut self, submission: Submission, gate: Gate, phase: Option<(usize, usize, String)>) {
        let phase = phase.map(|(number, of, purpose)| Phase { number, of, purpose });
        self.operations.push(Operation::Update { submission, gate, phase, half: None, after: Vec::new() });
    }
}

/// An update in phases while it is laid out: what is in the way goes, unless an earlier run took it out; then the
/// endpoint moves; then it comes back.
struct Passage<'a> {
    update: &'a Update<'a>,
    scaler: Option<&'a Scaler>,
    resumed: Option<Resumed>,
    origin: Origin,
    out: BTreeSet<String>,
    /// Does anything come back at the end?
    returns: bool,
    /// The body that the phases so far lead to, and the digest that it puts out.
    here: Template,
    digest: String,
    /// The endpoint is where it shall be, with the parameters and tags wanted.
    moved: bool,
    /// What the way back does, from each body between, by the digest of that.
    ways: Vec<(String, Vec<ResourceDiff>)>,
    carried: &'a mut Carried,
}

impl<'a> Passage<'a> {
    fn new(
        update: &'a Update<'a>,
        scaler: Option<&'a Scaler>,
        resumed: Option<Resumed>,
        carried: &'a mut Carried,
    ) -> Self {
        let (origin, out) = match &resumed {
            Some(resumed) => (resumed.origin.clone(), resumed.detour.out.clone()),
            None => (update.origin(), BTreeSet::new()),
        };
        let there = |id: &String| update.wanted.resource(id).is_some();
        let returns = scaler.map_or_else(|| out.iter().any(there), |scaler| !scaler.wanted.is_empty());
        let here = update.live.clone();
        let digest = update.observed.outputs.get(OUTPUT_DIGEST).cloned().unwrap_or_default();
        Self { update, scaler, resumed, origin, out, returns, here, digest, moved: false, ways: Vec::new(), carried }
    }

    /// Does the update want something else than ran before? Nothing is put back otherwise.
    fn restores(&self) -> bool {
        let (update, origin) = (self.update, &self.origin);
        origin.template.unstamped() != update.wanted.unstamped()
            || origin.parameters != update.values().1
            || own(&origin.tags) != own(&update.spec.envelope.tags)
    }

    /// Is what ran before an earlier run wanted again, with nothing registered that SageMaker would mind?
    fn goes_back(&self) -> bool {
        self.resumed.is_some() && !self.restores() && self.scaler.is_none_or(|scaler| scaler.live.is_empty())
    }

    fn go(mut self) {
        if self.goes_back() {
            let allowed = gate(&self.carried.diffs);
            self.carried.update(submission(self.update.spec), allowed, None);
            return self.restore();
        }
        if let Some(scaler) = self.scaler.filter(|scaler| !scaler.live.is_empty()) {
            self.take_out(scaler);
        }
        let observed = self.update.observed;
        self.way_back(&observed.parameters, &observed.tags);
        if let Some(scaler) = self.scaler.filter(|_| self.returns) {
            self.move_over(scaler);
            self.way_back(&self.update.values().1, &self.update.spec.envelope.tags);
        }
        self.arrive();
        self.restore();
    }

    fn of(&self) -> usize {
        if self.returns { 3 } else { 2 }
    }

    fn between(&mut self, body: &Template, number: usize) -> (String, String) {
        let detour = Detour { number, of: self.of(), out: self.out.clone() };
        self.carried.between(&self.origin, body, detour)
    }

    fn take_out(&mut self, scaler: &Scaler) {
        self.out.extend(scaler.live.iter().cloned());
        let aside = self.here.without(&scaler.live);
        let allowed = gate(&self.update.diff(&self.here, &aside, &BTreeMap::new(), &None));
        let sent = self.between(&aside, 1);
        self.digest = sent.1.clone();
        let purpose = "take the scalable target out".to_owned();
        self.carried.update(self.update.before(sent), allowed, Some((1, self.of(), purpose)));
        self.here = aside;
    }

    fn move_over(&mut self, scaler: &Scaler) {
        let update = self.update;
        let moved = update.wanted.without(&scaler.wanted).with_hidden(update.live);
        let allowed = gate(&update.diff(&self.here, &moved, update.inputs, &update.changed_tags()));
        let sent = self.between(&moved, 2);
        self.digest = sent.1.clone();
        self.carried.update(update.after(sent), allowed, Some((2, self.of(), scaler.purpose())));
        (self.here, self.moved) = (moved, true);
    }

    fn arrive(&mut self) {
        let (update, none) = (self.update, BTreeMap::new());
        let (inputs, tags) = if self.moved { (&none, None) } else { (update.inputs, update.changed_tags()) };
        let allowed = gate(&update.diff(&self.here, update.wanted, inputs, &tags));
        let purpose = match self.returns {
            true => Some("put the scalable target back".to_owned()),
            false => self.scaler.map(Scaler::purpose),
        };
        let phase = purpose.map(|purpose| (self.of(), self.of(), purpose));
        self.carried.update(submission(update.spec), allowed, phase);
    }

    fn way_back(&mut self, values: &BTreeMap<String, String>, tags: &Tags) {
        self.ways.push((self.digest.clone(), self.update.back(&self.here, values, tags, &self.origin)));
    }

    /// Nothing is put back where that is what the update wants anyway.
    fn restore(self) {
        let restores = self.restores();
        let back: Vec<String> = self.ways.iter().map(|(_, diffs)| put_back::told(diffs)).collect();
        let whole = back.last().filter(|_| restores);
        let why = reasons(self.scaler, self.resumed.as_ref(), self.of(), whole.map(String::as_str));
        self.carried.reasons.splice(0..0, why);
        if restores {
            let runs: Arc<str> = Arc::from(self.origin.template.text());
            let gates = self.ways.iter().map(|(_, diffs)| gate(diffs));
            let gate = gates.reduce(either).unwrap_or_default();
            let submission = self.update.restored(&self.origin, body_digest(&runs));
            self.carried.restore = Some(Operation::update(submission, gate));
            self.carried.bodies.push(runs);
            self.carried.back = self.ways.into_iter().map(|(digest, _)| digest).zip(back).collect();
        }
        self.carried.aside = self.resumed.map(|resumed| resumed.aside).unwrap_or_default();
    }
}

/// Said where a body cannot carry its mark.
const UNMARKED: &str = "the template is too large to carry what is put aside: should this apply be killed between \
                        phases, apply the manifest as it was before anything else";

/// Why it takes several updates, what is out already, and what is put back when one fails, if anything is.
fn reasons(scaler: Option<&Scaler>, resumed: Option<&Resumed>, of: usize, back: Option<&str>) -> Vec<String> {
    let begun = scaler.filter(|scaler| !scaler.live.is_empty());
    let mut found: Vec<String> = begun.map(|scaler| scaler.reasons(of)).unwrap_or_default();
    if let Some(Resumed { detour, .. }) = resumed {
        let goes = if back.is_some() { "goes on from there" } else { "goes back to what ran before it" };
        found.push(format!("{}; this one {goes}", detour.sentence()));
    }
    found.extend(back.map(|back| match resumed {
        Some(_) => format!("if this fails and rolls back, what ran before that apply is put back: {back}"),
        None => {
            let last = if of == 3 { "phase 2 or 3" } else { "phase 2" };
            format!("if {last} fails and rolls back, what runs now is put back, the scalable target included")
        }
    }));
    found
}

fn literal(text: &str) -> ParameterValue {
    ParameterValue::Literal(text.to_owned())
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
        let counted = if of == 3 { "three" } else { "two" };
        self.variants.iter().map(|moved| format!("takes {counted} updates: {}", refused(moved))).collect()
    }
}

/// Everything that is wanted, as it is sent.
pub(super) fn submission(spec: &StackSpec) -> Submission {
    let Envelope { parameters, tags, options, protect, .. } = &spec.envelope;
    Submission {
        body: body_digest(&spec.body),
        digest: spec.digest.clone(),
        parameters: parameters.clone(),
        previous: BTreeSet::new(),
        tags: tags.clone(),
        capabilities: spec.capabilities.clone(),
        options: options.clone(),
        termination_protection: *protect,
    }
}

/// Are tags, service role and topics as they shall be? A service role cannot be taken away again.
pub(super) fn settings_hold(spec: &StackSpec, observed: &Stack) -> bool {
    let StackOptions { role_arn, notification_arns } = &spec.envelope.options;
    same_tags(&spec.envelope.tags, &observed.tags)
        && (role_arn.is_none() || *role_arn == observed.role_arn)
        && same_topics(notification_arns, &observed.notification_arns)
}

/// Equal in any order.
pub(super) fn same_topics(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

fn tags_between(before: &Tags, after: &Tags) -> ChangedTags {
    let (before, after) = (own(before), own(after));
    let only = |tags: &Tags, other: &Tags| -> Value {
        let differs = tags.iter().filter(|(key, value)| other.get(*key) != Some(value));
        Value::Object(differs.map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect::<Map<_, _>>())
    };
    (before != after).then(|| (only(&before, &after), only(&after, &before)))
}

fn own(tags: &Tags) -> Tags {
    own_tags(tags).map(|(key, value)| (key.clone(), value.clone())).collect()
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
