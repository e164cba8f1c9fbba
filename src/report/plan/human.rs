//! A plan on a terminal.

use super::{
    Counts,
    words::{self, NOT_ASKED},
};
use crate::{
    plan::{Action, Plan, PlannedEnvironment, ResourceChange, Step},
    report::{
        Context,
        ink::{Ink, count, paint, paragraph},
    },
};

/// For people.
pub fn human(plan: &Plan, context: &Context<'_>) -> String {
    let mut out = String::new();
    for environment in &plan.environments {
        in_environment(&mut out, plan, environment, context);
    }
    left_behind(&mut out, plan, context);
    paragraph(&mut out, context, 0, &format!("{} {}", paint(context, Ink::Bold, "Plan:"), Counts::of(plan).sentence()));
    out
}

/// What a plan that is only looked at does not know of the endpoints that stand.
pub fn not_asked(plan: &Plan, context: &Context<'_>) -> String {
    let mut out = String::new();
    if words::endpoints_stand(plan) {
        paragraph(&mut out, context, 0, &paint(context, Ink::Dim, NOT_ASKED));
    }
    out
}

fn in_environment(out: &mut String, plan: &Plan, environment: &PlannedEnvironment, context: &Context<'_>) {
    let here = |step: &&Step| environment.has(&step.identity);
    let (kept, busy): (Vec<_>, Vec<_>) = plan.steps.iter().filter(here).partition(|step| step.is_idle());
    if kept.is_empty() && busy.is_empty() && !plan.steps.is_empty() {
        return;
    }
    let head = format!("Environment {}", words::place(environment, context));
    paragraph(out, context, 0, &paint(context, Ink::Bold, &head));
    out.push('\n');
    for step in busy {
        one(out, plan, step, context);
    }
    for step in kept.iter().filter(|step| !step.reasons.is_empty()) {
        one(out, plan, step, context);
    }
    let silent = kept.iter().filter(|step| step.reasons.is_empty()).count();
    if silent > 0 {
        paragraph(out, context, 2, &paint(context, Ink::Dim, &format!("= {} unchanged", count(silent, "stack"))));
        kept.iter().flat_map(|step| words::newer(step)).for_each(|text| paragraph(out, context, 6, &text));
        out.push('\n');
    }
}

fn one(out: &mut String, plan: &Plan, step: &Step, context: &Context<'_>) {
    let (symbol, word) = words::action(step, context.unicode);
    let ink = match step.action {
        Action::Keep => Ink::Dim,
        Action::Create => Ink::Good,
        Action::Delete => Ink::Bad,
        Action::Update | Action::Recreate => Ink::Care,
    };
    let name = paint(context, Ink::Bold, &step.identity.manifest());
    let head = format!("{} {name}, stack {}", paint(context, ink, &format!("{symbol} {word}")), step.identity.stack);
    paragraph(out, context, 2, &head);
    if matches!(step.action, Action::Create | Action::Recreate) {
        words::made(plan, step).into_iter().for_each(|made| paragraph(out, context, 6, &made));
    } else {
        step.changes.iter().for_each(|change| changed(out, step, change, context));
    }
    if let Some((heading, lines)) = words::order(step) {
        paragraph(out, context, 6, &heading);
        lines.iter().for_each(|line| paragraph(out, context, 8, line));
    }
    words::choices(step).iter().for_each(|choice| paragraph(out, context, 6, &paint(context, Ink::Dim, choice)));
    words::remarks(plan, step).iter().for_each(|remark| paragraph(out, context, 6, remark));
    out.push('\n');
}

fn changed(out: &mut String, step: &Step, change: &ResourceChange, context: &Context<'_>) {
    let head = words::change(change, context.unicode);
    let head = if words::replaced(change) { paint(context, Ink::Care, &head) } else { head };
    paragraph(out, context, 6, &head);
    if step.action != Action::Delete {
        for property in &change.properties {
            paragraph(out, context, 10, &words::property(property, step, context.unicode));
        }
    }
}

fn left_behind(out: &mut String, plan: &Plan, context: &Context<'_>) {
    if plan.left_behind.is_empty() {
        return;
    }
    let text = "Left behind: stacks without a manifest. They stay as they are.";
    paragraph(out, context, 0, text);
    for left in &plan.left_behind {
        let place = &left.stack.target.region;
        let text = format!("? {} of {}, stack {} in {place}", left.manifest(), left.environment, left.stack);
        paragraph(out, context, 2, &text);
    }
    out.push('\n');
}
