//! A role that others share loses nothing before they have moved, and nothing at all when one of them has not.
//!
//! Where what runs grants more than is wanted, the update of the role comes in two halves. The first grants both, so
//! that what runs and what is to run can work side by side; it is left out where the role grants both already. The
//! second goes to what is wanted, after every step that uses the role, and after every endpoint of the environment that
//! the plan knows. While stacks out of the plan use the role and do not run what is wanted, the second half is held
//! back. Nobody has to remember that: the next plan compares again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Action, Change, Narrowing, Operation, Step, Wide,
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
pub(super) struct Parts {
    /// To what both grant; none where what runs grants that already.
    wide: Option<Half>,
    /// From there to what is wanted.
    narrow: Half,
    /// What runs grants all that is wanted already, and more.
    now: Option<Wide>,
}

struct Half {
    operation: Operation,
    changes: Vec<Change>,
    body: Arc<str>,
}

/// The halves of an update; none where it takes nothing away.
///
/// # Errors
///
/// Why the update cannot be halved, for people.
pub(super) fn parts(update: &Update<'_>, diffs: &[ResourceDiff]) -> Result<Option<Parts>, String> {
    let roles: Vec<&ResourceDiff> = diffs.iter().filter(|diff| diff.resource_type.starts_with("AWS::IAM::")).collect();
    let replaced = roles.iter().any(|diff| diff.replacement() != Replacement::False);
    let later = update.inputs.values().any(|input| input.later.is_some());
    if replaced {
        return Err("the role is replaced, and the old one goes before those that use it have moved".to_owned());
    }
    if roles.is_empty() || later {
        return Ok(None);
    }
    match grants::joined(update.live, update.wanted) {
        Joined::Covered => Ok(None),
        Joined::Wide(wide) => Ok(Some(halves(update, wide))),
        Joined::Impossible(why) => Err(format!(
            "what runs and what is wanted cannot be granted side by side: {why}; what is wanted no more is taken away \
             at once, before those that use it have moved"
        )),
    }
}

fn halves(update: &Update<'_>, wide: Template) -> Parts {
    let (none, tags) = (BTreeMap::new(), update.changed_tags());
    let now = Wide::of(update.live, update.wanted, &wide);
    let granted = now.is_some() && tags.is_none() && update.inputs.is_empty();
    if granted && super::update::settings_hold(update.spec, update.observed) {
        let diffs = update.diff(update.live, update.wanted, update.inputs, &None);
        return Parts { wide: None, narrow: half(update, None, &diffs), now };
    }
    let first = update.diff(update.live, &wide, update.inputs, &tags);
    let last = update.diff(&wide, update.wanted, &none, &None);
    Parts { narrow: half(update, None, &last), wide: Some(half(update, Some(wide), &first)), now }
}

/// An update to this body, or to the wanted one.
fn half(update: &Update<'_>, body: Option<Template>, diffs: &[ResourceDiff]) -> Half {
    let (text, sent) = match body {
        None => (update.spec.body.clone(), submission(update.spec)),
        Some(template) => {
            let (text, digest) = template.stamp();
            let sent = update.after((body_digest(&text), digest));
            (Arc::from(text), sent)
        }
    };
    let operation = Operation::Update { submission: sent, gate: gate(diffs), phase: None };
    Half { operation, changes: announce(diffs, update.spec), body: text }
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
    parts: Parts,
    users: &BTreeSet<StackRef>,
    held: BTreeMap<StackRef, String>,
) -> Vec<Arc<str>> {
    let uses = |step: &&Step| users.contains(&step.identity.stack);
    let comes = |step: &&Step| !step.operations.is_empty() && step.needs.contains(stack);
    // One that went back by itself may still run with the role, whatever its stack says.
    let environment =
        steps.iter().find(|step| step.identity.stack == *stack).map(|step| step.identity.environment.clone());
    let stands = |step: &&Step| {
        let here = step.identity.stack != *stack
            && step.identity.stack.target == stack.target
            && Some(&step.identity.environment) == environment.as_ref();
        here && step.endpoint.is_some()
            && matches!(step.action, Action::Keep | Action::Update)
            && step.observed.is_some()
    };
    let waited = |step: &&Step| uses(step) || comes(step) && step.action == Action::Update || stands(step);
    let after: BTreeSet<StackRef> = steps.iter().filter(waited).map(|step| step.identity.stack.clone()).collect();
    let moving = steps.iter().any(|step| comes(&step) || uses(&step) && !step.operations.is_empty());
    if after.is_empty() && held.is_empty() {
        return Vec::new();
    }
    let Some(step) = steps.iter_mut().find(|step| step.identity.stack == *stack) else { return Vec::new() };
    let Some(at) = step.operations.iter().position(|operation| matches!(operation, Operation::Update { .. })) else {
        return Vec::new();
    };
    let whole = step.operations.remove(at);
    step.reasons.extend(parts.now.map(|now| now.sentence()));
    let mut bodies = Vec::new();
    let wide = parts.wide.filter(|_| moving || !held.is_empty());
    let last = if wide.is_some() { parts.narrow.operation } else { whole };
    if held.is_empty() {
        bodies.push(parts.narrow.body);
    } else {
        step.changes = wide.as_ref().map(|wide| wide.changes.clone()).unwrap_or_default();
        step.reasons.push(stays_wide(held.values()));
    }
    if let Some(wide) = wide {
        step.operations.insert(at, wide.operation);
        bodies.push(wide.body);
    }
    let operation = held.is_empty().then_some(last);
    step.narrow = Some(Narrowing { operation, after, held: held.into_keys().collect() });
    if step.is_idle() {
        step.action = Action::Keep;
    }
    bodies
}

fn stays_wide<'a>(held: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = held.map(String::as_str).collect();
    format!("stays wide: {} may still need what is no longer wanted, and this plan does not move it", names.join(", "))
}
