//! A role that others share loses nothing before they have moved, and nothing at all when one of them has not.
//!
//! Where what runs grants more than is wanted, the update of the role comes in two halves. The first grants both, so
//! that what runs and what is to run can work side by side; it is left out where the role grants both already. The
//! second goes to what is wanted: the last operation of the role's step, after every step that uses the role, and after
//! every endpoint of the environment that the plan knows. While stacks out of the plan use the role and do not run what
//! is wanted, the second half is held back. Nobody has to remember that: the next plan compares again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Action, After, Gate, Half, Operation, ResourceChange, Step, Submission, Wide,
    diff::{ResourceDiff, announce, gate},
    grants::{self, Joined},
    observe::ObservedStack,
    template::Template,
    update::{Update, submission},
};
use crate::{
    cloud::{Replacement, StackRef},
    render::body_digest,
};

/// The two halves of an update that takes permissions of a role away.
pub(super) struct Halves {
    /// To what both grant; none where what runs grants that already.
    wide: Option<HalfUpdate>,
    /// From there to what is wanted.
    narrow: HalfUpdate,
    /// What runs grants all that is wanted already, and more.
    now: Option<Wide>,
}

struct HalfUpdate {
    submission: Submission,
    gate: Gate,
    changes: Vec<ResourceChange>,
    body: Arc<str>,
}

/// The halves of an update; none where it takes nothing away.
///
/// # Errors
///
/// Why the update cannot be halved, for people.
pub(super) fn halved(update: &Update<'_>, diffs: &[ResourceDiff]) -> Result<Option<Halves>, String> {
    let roles: Vec<&ResourceDiff> = diffs.iter().filter(|diff| diff.resource_type.starts_with("AWS::IAM::")).collect();
    let replaced = roles.iter().any(|diff| diff.replacement() != Replacement::False);
    let later = update.inputs.values().any(|input| input.later.is_some());
    // A new role has a new ARN: those that run with the old one would have to move first, and cannot.
    if replaced {
        return Err("the role is replaced, and the old one is deleted before those that use it have moved".to_owned());
    }
    // What is known only later cannot be compared, and is granted as it is wanted.
    if roles.is_empty() || later {
        return Ok(None);
    }
    match grants::joined(update.live, update.wanted) {
        Joined::Covered => Ok(None),
        Joined::Wide(wide) => Ok(Some(halves(update, wide))),
        Joined::Impossible(why) => Err(format!(
            "old and new permissions cannot be granted together: {why}; the old ones are removed at once, before those \
             that use them have moved"
        )),
    }
}

fn halves(update: &Update<'_>, wide: Template) -> Halves {
    let (none, tags) = (BTreeMap::new(), update.changed_tags());
    let now = Wide::of(update.live, update.wanted, &wide);
    // An earlier run widened it, and nothing else changes: only the second half is left.
    let granted = now.is_some() && tags.is_none() && update.inputs.is_empty();
    if granted && super::update::settings_hold(update.spec, update.observed) {
        let diffs = update.diff(update.live, update.wanted, update.inputs, &None);
        return Halves { wide: None, narrow: half(update, None, &diffs), now };
    }
    let first = update.diff(update.live, &wide, update.inputs, &tags);
    let last = update.diff(&wide, update.wanted, &none, &None);
    Halves { narrow: half(update, None, &last), wide: Some(half(update, Some(wide), &first)), now }
}

/// An update to this body, or to the wanted one.
fn half(update: &Update<'_>, body: Option<Template>, diffs: &[ResourceDiff]) -> HalfUpdate {
    let (text, submission) = match body {
        None => (update.spec.body.clone(), submission(update.spec)),
        Some(template) => {
            let (text, digest) = template.stamp();
            let sent = update.after((body_digest(&text), digest));
            (Arc::from(text), sent)
        }
    };
    HalfUpdate { submission, gate: gate(diffs), changes: announce(diffs, update.spec), body: text }
}

/// For each stack those of the same owner that run with one of its ARNs. Somebody else's cannot be moved here, and would
/// hold a role wide for ever.
pub(super) fn users(observed: &BTreeMap<StackRef, &ObservedStack>) -> BTreeMap<StackRef, BTreeSet<StackRef>> {
    let mut made: BTreeMap<(&crate::cloud::Target, &str), &StackRef> = BTreeMap::new();
    for (stack, found) in observed.iter().filter(|(_, found)| found.tagged().is_some()) {
        let arns = found.stack.outputs.values().filter(|value| value.starts_with("arn:"));
        made.extend(arns.map(|arn| ((&stack.target, arn.as_str()), stack)));
    }
    let mut users: BTreeMap<StackRef, BTreeSet<StackRef>> = BTreeMap::new();
    for (stack, found) in observed.iter().filter(|(_, found)| found.tagged().is_some() && runs(found)) {
        let taken = found.stack.parameters.values().filter_map(|value| made.get(&(&stack.target, value.as_str())));
        let same =
            |maker: &&&StackRef| **maker != stack && observed.get(**maker).is_some_and(|m| m.owner == found.owner);
        for maker in taken.filter(same) {
            users.entry((*maker).clone()).or_default().insert(stack.clone());
        }
    }
    users
}

/// Nothing is left of a creation that was taken back.
fn runs(found: &ObservedStack) -> bool {
    !found.stack.status.is_leftover() && !found.stack.status.is_deleted()
}

/// The manifest that a stack's tags name.
pub(super) fn name(found: &ObservedStack) -> String {
    found.tagged().map_or_else(|| found.stack.name.clone(), |owner| owner.manifest())
}

/// Puts the halves in their places; answers the bodies that are sent.
pub(super) fn place(
    steps: &mut [Step],
    stack: &StackRef,
    halves: Halves,
    users: &BTreeSet<StackRef>,
    held: BTreeMap<StackRef, String>,
) -> Vec<Arc<str>> {
    let uses = |step: &Step| users.contains(&step.identity.stack);
    let comes = |step: &Step| !step.operations.is_empty() && step.needs.contains(stack);
    // A new user needs what is wanted, one that moves needs both on its way.
    let moving = steps.iter().any(|step| comes(step) || uses(step) && !step.operations.is_empty());
    let stands = endpoints_beside(steps, stack);
    let waited = |step: &&Step| {
        uses(step) || comes(step) && step.action == Action::Update || stands.contains(&step.identity.stack)
    };
    let after: BTreeSet<After> = steps.iter().filter(waited).map(|step| whole(&step.identity.stack)).collect();
    // Nobody uses it: one update takes away what nobody would miss.
    if after.is_empty() && held.is_empty() {
        return Vec::new();
    }
    let Some(step) = steps.iter_mut().find(|step| step.identity.stack == *stack) else { return Vec::new() };
    let Some(at) = step.operations.iter().position(|operation| matches!(operation, Operation::Update { .. })) else {
        return Vec::new();
    };
    let Halves { wide, mut narrow, now } = halves;
    let undivided = step.operations.remove(at);
    step.reasons.extend(now.map(|now| now.sentence()));
    let mut bodies = Vec::new();
    // Where nobody moves nobody needs both: one update does, once all were asked what they run.
    let wide = wide.filter(|_| moving || !held.is_empty());
    if let (None, Operation::Update { submission, gate, .. }) = (&wide, undivided) {
        (narrow.submission, narrow.gate) = (submission, gate);
    }
    // One of them would lose what it runs with, so the role stays wide until a plan moves it.
    if !held.is_empty() {
        step.changes = wide.as_ref().map(|wide| wide.changes.clone()).unwrap_or_default();
        step.reasons.push(stays_wide(held.values()));
    }
    if let Some(HalfUpdate { submission, gate, body, .. }) = wide {
        step.operations.insert(at, update_of(submission, gate, Half::Widen, Vec::new()));
        bodies.push(body);
    }
    if held.is_empty() {
        step.operations.push(update_of(narrow.submission, narrow.gate, Half::Narrow, after.into_iter().collect()));
        bodies.push(narrow.body);
    }
    step.held = held.into_keys().collect();
    if step.is_idle() {
        step.action = Action::Keep;
    }
    bodies
}

/// Endpoints that stand in the environment of a stack: one that went back by itself may still run with the role,
/// whatever its stack says.
fn endpoints_beside(steps: &[Step], stack: &StackRef) -> BTreeSet<StackRef> {
    let environment = steps.iter().find(|step| step.identity.stack == *stack).map(|step| &step.identity.environment);
    let stands = |step: &&Step| {
        let here = step.identity.stack != *stack
            && step.identity.stack.target == stack.target
            && Some(&step.identity.environment) == environment;
        here && !step.checks.is_empty()
            && matches!(step.action, Action::Keep | Action::Update)
            && step.observed.is_some()
    };
    steps.iter().filter(stands).map(|step| step.identity.stack.clone()).collect()
}

fn update_of(submission: Submission, gate: Gate, half: Half, after: Vec<After>) -> Operation {
    Operation::Update { submission, gate, phase: None, half: Some(half), after }
}

/// All of a step, until [`settle_order`] knows which operation is its last.
fn whole(stack: &StackRef) -> After {
    After { stack: stack.clone(), operation: usize::MAX }
}

/// Says which operation of a step is waited for: the last before it waits itself, so that two that narrow do not wait for
/// each other. So a step whose first operation waits is not waited for, and its checks are not awaited either: a role that
/// uses another role and is only narrowed. That waiting for it would be safe where neither waits for the other back is
/// not told apart.
pub(super) fn settle_order(steps: &mut [Step]) {
    let last = |step: &Step| match step.until_others() {
        Some(own) => own.checked_sub(1),
        None => Some(step.operations.len().saturating_sub(1)),
    };
    let last: BTreeMap<StackRef, Option<usize>> =
        steps.iter().map(|step| (step.identity.stack.clone(), last(step))).collect();
    for operation in steps.iter_mut().flat_map(|step| &mut step.operations) {
        let Operation::Update { after, .. } = operation else { continue };
        let settled = |After { stack, .. }: After| {
            let operation = last.get(&stack).copied().flatten()?;
            Some(After { stack, operation })
        };
        *after = std::mem::take(after).into_iter().filter_map(settled).collect();
    }
}

fn stays_wide<'a>(held: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = held.map(String::as_str).collect();
    format!("stays wide: {} may still need the old permissions, and this plan does not update it", names.join(", "))
}
