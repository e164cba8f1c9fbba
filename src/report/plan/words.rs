//! The phrases that people and markdown share.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    cloud::Replacement,
    diagnostic::shown,
    plan::{Action, ChangeKind, Half, Operation, Plan, PropertyChange, ResourceChange, Step},
    render::Choice,
    report::{
        Context,
        ink::{count, fit},
    },
};

/// Longer values are cut.
const LONGEST_VALUE: usize = 72;

/// Does the step replace a resource for sure?
pub(super) fn replaces(step: &Step) -> bool {
    step.changes.iter().any(replaced)
}

/// Is the resource replaced for sure?
pub(super) fn replaced(change: &ResourceChange) -> bool {
    change.kind == ChangeKind::Modify && change.replacement.rank() == 2
}

/// Symbol and word of an action.
pub(super) fn action(step: &Step, unicode: bool) -> (&'static str, &'static str) {
    let both = if unicode { "±" } else { "-+" };
    match step.action {
        Action::Keep => ("=", "unchanged"),
        Action::Create => ("+", "create"),
        Action::Update if replaces(step) => (both, "update with replacement"),
        Action::Update => ("~", "update"),
        Action::Recreate => (both, "recreate"),
        Action::Delete => ("-", "delete"),
    }
}

/// What happens to a resource, as `± EndpointConfig (AWS::SageMaker::EndpointConfig), replaced`.
pub(super) fn change(change: &ResourceChange, unicode: bool) -> String {
    let (symbol, what) = match (change.kind, change.replacement.rank()) {
        (ChangeKind::Add, _) => ("+", ""),
        (ChangeKind::Remove, _) => ("-", ""),
        (ChangeKind::Modify, 0) => ("~", ""),
        (ChangeKind::Modify, 1) => ("~", ", may be replaced"),
        (ChangeKind::Modify, _) => (if unicode { "±" } else { "-+" }, ", replaced"),
    };
    format!("{symbol} {} ({}){what}", change.logical_id, change.resource_type)
}

/// What happens to a property, as `InstanceType: "a" → "b"; forces replacement; chat.yaml:3:7`.
pub(super) fn property(property: &PropertyChange, step: &Step, unicode: bool) -> String {
    let mut text = format!("{}: {}", property.path, values(property, unicode));
    match property.replacement {
        Replacement::False => {}
        Replacement::Conditional => text.push_str("; may force replacement"),
        Replacement::True | Replacement::Other(_) => text.push_str("; forces replacement"),
    }
    if let Some(cause) = &property.because {
        let root = cause.split('.').next().unwrap_or(cause);
        let gone = step.changes.iter().any(|change| change.logical_id == root && replaced(change));
        text.push_str(&format!("; because {cause} {}", if gone { "is replaced" } else { "changes" }));
    }
    if property.overridden {
        text.push_str(" (overridden)");
    }
    if let (Some(position), None) = (&property.position, &property.because) {
        text.push_str(&format!("; {position}"));
    }
    text
}

fn values(property: &PropertyChange, unicode: bool) -> String {
    let arrow = if unicode { "→" } else { "->" };
    let value = |value: &Value, unicode| match super::is_secret_path(&property.path) && value.is_string() {
        true => super::HIDDEN.to_owned(),
        false => self::value(value, unicode),
    };
    match (&property.before, &property.after, &property.because) {
        (Some(before), Some(after), _) => format!("{} {arrow} {}", value(before, unicode), value(after, unicode)),
        (Some(before), None, Some(_)) => format!("{} {arrow} known later", value(before, unicode)),
        (Some(before), None, None) => format!("{} {arrow} removed", value(before, unicode)),
        (None, Some(after), _) => format!("unset {arrow} {}", value(after, unicode)),
        (None, None, _) => "known later".to_owned(),
    }
}

fn value(value: &Value, unicode: bool) -> String {
    fit(&shown(&value.to_string()), LONGEST_VALUE, unicode)
}

/// The resources a new stack makes, as `3 resources: 2 CloudWatch::Alarm, SageMaker::Endpoint`.
pub(super) fn made(plan: &Plan, step: &Step) -> Option<String> {
    let sent = step.operations.iter().rev().find_map(Operation::submission)?;
    let body: Value = serde_json::from_str(plan.bodies.get(&sent.body)?).ok()?;
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in body["Resources"].as_object()?.values() {
        let name = resource["Type"].as_str().unwrap_or("a resource without a type");
        *types.entry(name.strip_prefix("AWS::").unwrap_or(name)).or_default() += 1;
    }
    let named = types.iter().map(|(name, n)| if *n > 1 { format!("{n} {name}") } else { (*name).to_owned() });
    Some(format!("{}: {}", count(types.values().sum(), "resource"), named.collect::<Vec<_>>().join(", ")))
}

/// What is done in which order, where it is more than one thing: a heading, and a line for each.
pub(super) fn order(step: &Step) -> Option<(String, Vec<String>)> {
    let phased = |operation: &Operation| match operation {
        Operation::Update { phase: Some(phase), .. } => {
            Some((phase.of, format!("{}. {}", phase.number, phase.purpose)))
        }
        _ => None,
    };
    let phases: Option<Vec<(usize, String)>> = step.operations.iter().map(phased).collect();
    match phases.filter(|phases| !phases.is_empty()) {
        Some(phases) => {
            let (of, left) = (phases[0].0, phases.len());
            let heading = match left {
                _ if left == of => format!("in {of} phases:"),
                1 => format!("in the last of {of} phases:"),
                _ => format!("in the last {left} of {of} phases:"),
            };
            Some((heading, phases.into_iter().map(|(_, line)| line).collect()))
        }
        None => {
            let lines = operations(step);
            (lines.len() > 1).then(|| (format!("in {} operations:", lines.len()), lines))
        }
    }
}

fn operations(step: &Step) -> Vec<String> {
    let text = |operation: &Operation| match operation {
        Operation::Create { .. } => "create the stack".to_owned(),
        Operation::Update { phase: Some(phase), .. } => phase.purpose.clone(),
        Operation::Update { half: Some(Half::Widen), .. } => WIDEN.to_owned(),
        Operation::Update { half: Some(Half::Narrow), .. } => "remove what is no longer wanted".to_owned(),
        Operation::Update { .. } => "update the stack".to_owned(),
        Operation::Delete { .. } if step.action == Action::Recreate => "delete what is left of it".to_owned(),
        Operation::Delete { .. } => "delete the stack".to_owned(),
        Operation::Protect { on: true } => "turn termination protection on".to_owned(),
        Operation::Protect { on: false } => "turn termination protection off".to_owned(),
    };
    step.operations.iter().map(text).enumerate().map(|(i, text)| format!("{}. {text}", i + 1)).collect()
}

const WIDEN: &str = "grant what is wanted besides what runs";

/// The remarks under a step: why and with which way back, what it waits for, what may not happen at all.
pub(super) fn remarks(plan: &Plan, step: &Step) -> Vec<String> {
    let mut remarks = step.reasons.clone();
    if step.predicate {
        remarks.push("uses outputs of stacks that change: may change less than this, or nothing".to_owned());
    }
    remarks.extend(narrowed_after(plan, step));
    let busy = |step: &&Step| step.until_others().unwrap_or(step.operations.len()) > 0;
    let needs: Vec<String> = step
        .needs
        .iter()
        .filter_map(|need| plan.step(need))
        .filter(busy)
        .map(|step| step.identity.manifest())
        .collect();
    if !needs.is_empty() && !step.operations.is_empty() {
        remarks.push(format!("after {}", needs.join(", ")));
    }
    remarks
}

/// What a shared role waits for before it loses anything.
fn narrowed_after(plan: &Plan, step: &Step) -> Option<String> {
    let after = step.operations.iter().map(Operation::after).find(|after| !after.is_empty())?;
    let (mut moved, mut asked) = (Vec::new(), Vec::new());
    for user in after.iter().filter_map(|after| plan.step(&after.stack)) {
        if user.operations.is_empty() { &mut asked } else { &mut moved }.push(user.identity.manifest());
    }
    let moved = (!moved.is_empty()).then(|| format!("{} landed", moved.join(", ")));
    let verb = if asked.len() == 1 { "is" } else { "are" };
    let asked = (!asked.is_empty()).then(|| format!("{} {verb} checked", asked.join(", ")));
    let after: Vec<String> = moved.into_iter().chain(asked).collect();
    Some(format!("permissions are removed only after {}", after.join(" and ")))
}

/// What hubform chose, as `instance ml.g6.xlarge: smallest that fits`. What the lock pinned before is only named where
/// the stack exists or no reason was asked for, unless it would be chosen otherwise today.
pub(super) fn choices(step: &Step) -> Vec<String> {
    let is_new = step.observed.is_none();
    let told = |choice: &Choice| choice.today.is_some() || is_new && !choice.reason.is_empty();
    let is_old = |choice: &&Choice| choice.pinned && !told(choice);
    let (old, told): (Vec<_>, Vec<_>) = step.choices.iter().partition(is_old);
    let text = |choice: &Choice| {
        let pinned = if choice.pinned { " (pinned)" } else { "" };
        let today = choice.today.as_ref().map(|today| format!("; today's choice: {today}")).unwrap_or_default();
        format!("{} {}: {}{pinned}{today}", choice.what, choice.value, choice.reason)
    };
    let mut choices: Vec<String> = told.into_iter().map(text).collect();
    if !old.is_empty() {
        let names: Vec<String> = old.iter().map(|choice| format!("{} {}", choice.what, choice.value)).collect();
        choices.push(format!("as pinned: {}", names.join(", ")));
    }
    choices
}

/// What would be chosen otherwise today for a stack that stays as it is, and how to have it so.
pub(super) fn newer(step: &Step) -> Vec<String> {
    let name = step.identity.manifest();
    let other = |choice: &Choice| {
        choice.today.as_ref().map(|today| format!("{} {}; today's choice: {today}", choice.what, choice.value))
    };
    let mut lines: Vec<String> =
        step.choices.iter().filter_map(other).map(|text| format!("{name} keeps {text}")).collect();
    let (of_models, own): (Vec<&Choice>, Vec<&Choice>) =
        step.choices.iter().filter(|choice| choice.today.is_some()).partition(|choice| choice.what == "revision");
    if !own.is_empty() {
        lines.push(format!("`hubform lock --upgrade {name}` chooses again"));
    }
    if !of_models.is_empty() {
        lines.push("`hubform lock --upgrade` renews revisions, for all manifests that share them".to_owned());
    }
    lines
}

/// Are there endpoints that stand and stay, so that they could be asked?
pub(super) fn endpoints_stand(plan: &Plan) -> bool {
    let stands = |step: &Step| !step.checks.is_empty() && step.observed.is_some() && step.action != Action::Delete;
    plan.steps.iter().any(stands)
}

/// What a plan does not know.
pub(super) const NOT_ASKED: &str =
    "Not checked here: whether endpoints run the configuration of their stacks. apply checks it.";

/// The account line of an environment, as `dev: account 111122223333, us-east-1 [imagined account]`.
pub(super) fn place(environment: &crate::plan::PlannedEnvironment, context: &Context<'_>) -> String {
    let label = context.label.map(|label| format!(" [{label}]")).unwrap_or_default();
    let role = environment.target.assume_role.as_ref().map(|role| format!(", as {role}")).unwrap_or_default();
    format!("{}: account {}, {}{role}{label}", environment.name, environment.account, environment.target.region)
}
