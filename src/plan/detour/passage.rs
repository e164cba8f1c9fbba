//! An update in phases while it is laid out: what is in the way goes, unless an earlier run took it out; then the rest
//! moves; then it comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    super::{
        Between, Gate, Operation, Phase, Submission,
        diff::{ResourceDiff, gate},
        template::Template,
        update::{Update, UpdatePlan, own, submission},
    },
    Aside, Before, Resumed, Unfinished, put_back,
};
use crate::{
    cloud::{OUTPUT_DIGEST, Replacement, Tags},
    render::{BODY_LIMIT, body_digest},
};

impl UpdatePlan {
    /// Keeps a body between two phases, with its mark; its key and its own digest.
    fn between(&mut self, origin: &Before, body: &Template, detour: Unfinished) -> (String, String) {
        let (mut text, mut digest) = origin.mark(body, detour).stamp();
        if text.len() > BODY_LIMIT {
            (text, digest) = body.clone().stamp();
            self.reasons.push(UNMARKED.to_owned());
        }
        let key = body_digest(&text);
        self.bodies.push(Arc::from(text));
        (key, digest)
    }

    pub(in crate::plan) fn update(&mut self, submission: Submission, gate: Gate, phase: Option<Phase>) {
        self.operations.push(Operation::Update { submission, gate, phase, half: None, after: Vec::new() });
    }
}

/// An update in phases while it is laid out: what is in the way goes, unless an earlier run took it out; then the
/// endpoint moves; then it comes back.
pub(in crate::plan) struct Passage<'a> {
    update: &'a Update<'a>,
    aside: Option<&'a Aside>,
    resumed: Option<Resumed>,
    origin: Before,
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
    plan: &'a mut UpdatePlan,
}

impl<'a> Passage<'a> {
    pub(in crate::plan) fn new(
        update: &'a Update<'a>,
        aside: Option<&'a Aside>,
        resumed: Option<Resumed>,
        plan: &'a mut UpdatePlan,
    ) -> Self {
        let (origin, out) = match &resumed {
            Some(resumed) => (resumed.origin.clone(), resumed.detour.out.clone()),
            None => (update.origin(), BTreeSet::new()),
        };
        let there = |id: &String| update.wanted.resource(id).is_some();
        let returns = aside.map_or_else(|| out.iter().any(there), |aside| !aside.wanted.is_empty());
        let here = update.live.clone();
        let digest = update.observed.outputs.get(OUTPUT_DIGEST).cloned().unwrap_or_default();
        Self { update, aside, resumed, origin, out, returns, here, digest, moved: false, ways: Vec::new(), plan }
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
        self.resumed.is_some() && !self.restores() && self.aside.is_none_or(|aside| aside.live.is_empty())
    }

    pub(in crate::plan) fn go(mut self) {
        if self.goes_back() {
            let allowed = gate(&self.plan.diffs);
            self.plan.update(submission(self.update.spec), allowed, None);
            return self.restore();
        }
        let observed = self.update.observed;
        if self.resumed.is_some() {
            self.way_back(&observed.parameters, &observed.tags);
        }
        if let Some(aside) = self.aside.filter(|aside| !aside.live.is_empty()) {
            self.take_out(aside);
            self.way_back(&observed.parameters, &observed.tags);
        }
        if let Some(aside) = self.aside.filter(|_| self.returns) {
            self.move_over(aside);
            self.way_back(&self.update.values().1, &self.update.spec.envelope.tags);
        }
        self.arrive();
        self.restore();
    }

    fn of(&self) -> usize {
        if self.returns { 3 } else { 2 }
    }

    fn phase(&self, number: usize, purpose: String) -> Phase {
        Phase { number, of: self.of(), purpose, clears: BTreeSet::new() }
    }

    fn between(&mut self, body: &Template, number: usize) -> (String, String) {
        let detour = Unfinished { number, of: self.of(), out: self.out.clone() };
        self.plan.between(&self.origin, body, detour)
    }

    fn take_out(&mut self, aside: &Aside) {
        self.out.extend(aside.live.iter().cloned());
        let without = self.here.without(&aside.live);
        let allowed = gate(&self.update.diff(&self.here, &without, &BTreeMap::new(), &None));
        let sent = self.between(&without, 1);
        self.digest = sent.1.clone();
        let purpose = format!("remove {}", aside.what);
        let phase = Phase { number: 1, of: self.of(), purpose, clears: aside.clears.clone() };
        self.plan.update(self.update.before(sent), allowed, Some(phase));
        self.here = without;
    }

    fn move_over(&mut self, aside: &Aside) {
        let update = self.update;
        let moved = update.wanted.without(&aside.wanted).with_hidden(update.live);
        let allowed = gate(&update.diff(&self.here, &moved, update.inputs, &update.changed_tags()));
        let sent = self.between(&moved, 2);
        self.digest = sent.1.clone();
        self.plan.update(update.after(sent), allowed, Some(self.phase(2, aside.purpose.clone())));
        (self.here, self.moved) = (moved, true);
    }

    fn arrive(&mut self) {
        let (update, none) = (self.update, BTreeMap::new());
        let (inputs, tags) = if self.moved { (&none, None) } else { (update.inputs, update.changed_tags()) };
        let allowed = gate(&update.diff(&self.here, update.wanted, inputs, &tags));
        // A run that only ends what another began knows the detour by what comes back.
        let purpose = match (self.returns, self.aside) {
            (true, aside) => Some(format!("restore {}", aside.map_or(WHAT, |aside| aside.what))),
            (false, aside) => aside.map(|aside| aside.purpose.clone()),
        };
        let phase = purpose.map(|purpose| self.phase(self.of(), purpose));
        self.plan.update(submission(update.spec), allowed, phase);
    }

    fn way_back(&mut self, values: &BTreeMap<String, String>, tags: &Tags) {
        self.ways.push((self.digest.clone(), self.update.back(&self.here, values, tags, &self.origin)));
    }

    /// The bodies that run while something is out. One that this update goes back from at once restores nothing.
    fn between_bodies(&self, back: Option<Vec<String>>) -> BTreeMap<String, Between> {
        let out = self.aside.map_or(WHAT, |aside| aside.what);
        let begun = self.resumed.as_ref().and(self.update.observed.outputs.get(OUTPUT_DIGEST));
        let digests = begun.into_iter().chain(self.ways.iter().map(|(digest, _)| digest));
        let plain = digests.map(|digest| (digest.clone(), Between { out: out.to_owned(), restores: None }));
        let mut between: BTreeMap<String, Between> = plain.collect();
        for ((digest, _), back) in self.ways.iter().zip(back.into_iter().flatten()) {
            between.insert(digest.clone(), Between { out: out.to_owned(), restores: Some(back) });
        }
        between
    }

    /// Nothing is put back where that is what the update wants anyway.
    fn restore(self) {
        let restores = self.restores();
        let back: Vec<String> = self.ways.iter().map(|(_, diffs)| put_back::told(diffs)).collect();
        let whole = back.last().filter(|_| restores);
        let why = reasons(self.aside, self.resumed.as_ref(), self.of(), whole.map(String::as_str));
        self.plan.reasons.splice(0..0, why);
        if restores {
            let runs: Arc<str> = Arc::from(self.origin.template.text());
            let gates = self.ways.iter().map(|(_, diffs)| gate(diffs));
            let gate = gates.reduce(either).unwrap_or_default();
            let submission = self.update.restored(&self.origin, body_digest(&runs));
            self.plan.restore = Some(Operation::update(submission, gate));
            self.plan.bodies.push(runs);
        }
        self.plan.between = self.between_bodies(restores.then_some(back));
        self.plan.aside = self.resumed.map(|resumed| resumed.aside).unwrap_or_default();
    }
}

/// What is out, where only the mark of an earlier run says so: today there is one detour.
const WHAT: &str = super::scalable_target::WHAT;

/// Said where a body cannot carry its mark.
const UNMARKED: &str = "the template is too large to record what is removed: if this apply is killed between phases, \
                        first apply the manifest as it was";

/// Why it takes several updates, what is out already, and what is put back when one fails, if anything is.
fn reasons(aside: Option<&Aside>, resumed: Option<&Resumed>, of: usize, back: Option<&str>) -> Vec<String> {
    let begun = aside.filter(|aside| !aside.live.is_empty());
    let mut found: Vec<String> = begun.map(|aside| aside.reasons(of)).unwrap_or_default();
    if let Some(Resumed { detour, .. }) = resumed {
        let goes = if back.is_some() { "continues from there" } else { "restores what ran before it" };
        found.push(format!("{}; this one {goes}", detour.sentence()));
    }
    found.extend(back.map(|back| match resumed {
        Some(_) => format!("if this fails and rolls back, what ran before that apply is restored: {back}"),
        None => {
            let last = if of == 3 { "phase 2 or 3" } else { "phase 2" };
            let what = aside.map_or(WHAT, |aside| aside.what);
            format!("if {last} fails and rolls back, what runs now is restored, {what} included")
        }
    }));
    found
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

impl Aside {
    fn reasons(&self, of: usize) -> Vec<String> {
        let counted = if of == 3 { "three" } else { "two" };
        self.why.iter().map(|why| format!("needs {counted} updates: {why}")).collect()
    }
}
