//! A plan as a comment on a pull request.

use std::fmt::Write;

use super::{
    Counts,
    words::{self, NOT_ASKED},
};
use crate::{
    plan::{Action, Plan, PlannedEnvironment, Step},
    report::Context,
};

/// For a pull request: a table per environment, what changes below it.
pub fn markdown(plan: &Plan, context: &Context<'_>) -> String {
    let mut out = format!("### Plan: {}\n\n", Counts::of(plan).sentence());
    for environment in &plan.environments {
        in_environment(&mut out, plan, environment, context);
    }
    if !plan.left_behind.is_empty() {
        out.push_str("Left behind, unchanged:\n\n");
        for left in &plan.left_behind {
            let _ = writeln!(out, "- `{}` ({} of {})", left.stack, left.manifest(), left.environment);
        }
        out.push('\n');
    }
    if words::endpoints_stand(plan) {
        let _ = writeln!(out, "{NOT_ASKED}");
    }
    out
}

fn in_environment(out: &mut String, plan: &Plan, environment: &PlannedEnvironment, context: &Context<'_>) {
    let here = |step: &&Step| environment.has(&step.identity);
    let busy: Vec<&Step> = plan.steps.iter().filter(here).filter(|step| step.action != Action::Keep).collect();
    let _ = writeln!(out, "**{}**\n", cell(&words::place(environment, context)));
    if busy.is_empty() {
        out.push_str("Nothing to do.\n\n");
        return;
    }
    out.push_str("| | manifest | stack | what changes |\n| --- | --- | --- | --- |\n");
    for step in &busy {
        let (symbol, word) = words::action(step, true);
        let what = summary(plan, step);
        let (name, stack) = (step.identity.manifest(), &step.identity.stack);
        let _ = writeln!(out, "| {symbol} {word} | {} | `{stack}` | {} |", cell(&name), cell(&what));
    }
    out.push('\n');
    busy.iter().for_each(|step| details(out, plan, step));
}

fn summary(plan: &Plan, step: &Step) -> String {
    if matches!(step.action, Action::Create | Action::Recreate) {
        return words::made(plan, step).unwrap_or_default();
    }
    let change = |change| words::change(change, true);
    step.changes.iter().map(change).collect::<Vec<_>>().join("; ")
}

fn details(out: &mut String, plan: &Plan, step: &Step) {
    let mut lines: Vec<String> = Vec::new();
    if step.action == Action::Update {
        for change in &step.changes {
            lines.push(words::change(change, true));
            lines.extend(change.properties.iter().map(|p| format!("    {}", words::property(p, step, true))));
        }
    }
    let order = words::order(step).map(|(heading, lines)| [vec![heading], lines].concat()).unwrap_or_default();
    let rest = [order, words::choices(step), words::remarks(plan, step)];
    lines.extend(rest.into_iter().flatten());
    if !lines.is_empty() {
        let name = step.identity.manifest();
        let fence = fence(&lines);
        let text = lines.join("\n");
        let _ = writeln!(
            out,
            "<details><summary>{}</summary>\n\n{fence}text\n{text}\n{fence}\n\n</details>\n",
            html(&name)
        );
    }
}

/// A fence longer than any in the text.
fn fence(lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`').map(str::len)).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn cell(text: &str) -> String {
    html(text).replace('|', "\\|").replace('\n', " ")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
