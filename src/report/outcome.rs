//! How an apply ended: what failed, why, where in the manifests, and what to do; then one line of counts.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    Context, FORMAT, advice,
    ink::{Ink, count, paint, paragraph, span, way_out},
    plan::without_secrets,
};
use crate::{
    cloud::{StackRef, spoken},
    diagnostic::shown,
    execute::{Cause, Failure, FailureKind, Outcome, StepResult},
    plan::{Action, Plan, Step},
};

/// For people. `took` is what the apply took, in the time of the account.
pub fn human(outcome: &Outcome, plan: &Plan, took: Duration, context: &Context<'_>) -> String {
    let mut out = String::new();
    for (stack, result) in &outcome.results {
        if let StepResult::Failed(failure) = result {
            failed(&mut out, context, stack, plan.step(stack), failure);
        }
    }
    blocked(&mut out, context, outcome);
    wide(&mut out, context, outcome, plan);
    running(&mut out, context, outcome);
    let not_started = names(outcome, |result| matches!(result, StepResult::NotStarted));
    if !not_started.is_empty() {
        paragraph(&mut out, context, 0, &format!("Not started, because you interrupted: {}", not_started.join(", ")));
    }
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    summary(&mut out, context, outcome, plan, took);
    out
}

/// For programs: one object, every step with its result.
pub fn json(outcome: &Outcome, took: Duration, context: &Context<'_>) -> Value {
    let results = outcome.results.iter().map(|(stack, result)| {
        let advice = match result {
            StepResult::Failed(failure) => advice(stack, failure),
            _ => None,
        };
        json!({"stack": stack, "result": result, "advice": advice})
    });
    without_secrets(json!({"format": FORMAT, "type": "outcome", "imagined": context.label,
                           "succeeded": outcome.succeeded(), "interrupted": outcome.interrupted,
                           "seconds": took.as_secs(), "results": results.collect::<Vec<_>>()}))
}

fn failed(out: &mut String, context: &Context<'_>, stack: &StackRef, step: Option<&Step>, failure: &Failure) {
    let mark = if context.unicode { "✗" } else { "x" };
    let who = step.map_or_else(|| stack.to_string(), |step| step.identity.manifest());
    let head = format!("{} {}: {}", paint(context, Ink::Bad, mark), paint(context, Ink::Bold, &who), failure.operation);
    paragraph(out, context, 0, &head);
    let status = failure.status.as_ref().map(|status| format!(", left in {status}")).unwrap_or_default();
    let place = format!("stack {stack} in {}{status}", stack.target.region);
    paragraph(out, context, 2, &paint(context, Ink::Dim, &place));
    paragraph(out, context, 2, &shown(&failure.message));
    for cause in &failure.rollback {
        caused(out, context, cause, "could not be rolled back");
    }
    if let Some(cause) = &failure.cause {
        let verb = if failure.kind == FailureKind::Leftover { "is left" } else { "failed first" };
        caused(out, context, cause, verb);
    }
    for sentence in &failure.notes {
        paragraph(out, context, 2, &format!("- {}", shown(sentence)));
    }
    if let Some(advice) = advice(stack, failure) {
        way_out(out, context, 2, &advice);
    }
    out.push('\n');
}

fn caused(out: &mut String, context: &Context<'_>, cause: &Cause, verb: &str) {
    let who = match cause.resource_type.as_str() {
        "AWS::CloudFormation::Stack" => "the stack itself says:".to_owned(),
        resource_type => format!("{} ({resource_type}) {verb}:", cause.logical_id),
    };
    paragraph(out, context, 2, &who);
    let (said, around) = spoken(&cause.reason);
    paragraph(out, context, 4, &format!("\"{}\"", shown(said)));
    if let Some(around) = around {
        paragraph(out, context, 4, &paint(context, Ink::Dim, &shown(&around)));
    }
    if let Some(position) = &cause.position {
        let field = cause.field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
        paragraph(out, context, 4, &format!("from {position}{field}"));
    }
}

fn blocked(out: &mut String, context: &Context<'_>, outcome: &Outcome) {
    let mut by: BTreeMap<&StackRef, Vec<&str>> = BTreeMap::new();
    for (stack, result) in &outcome.results {
        if let StepResult::Blocked { by: culprit } = result {
            by.entry(culprit).or_default().push(&stack.name);
        }
    }
    for (culprit, blocked) in by {
        paragraph(out, context, 0, &format!("Not started, because {culprit} failed: {}", blocked.join(", ")));
    }
}

/// Shared roles that grant more than is wanted, and why they keep it.
fn wide(out: &mut String, context: &Context<'_>, outcome: &Outcome, plan: &Plan) {
    for (stack, result) in &outcome.results {
        if let StepResult::Wide { by } = result {
            let who = plan.step(stack).map_or_else(|| stack.to_string(), |step| step.identity.manifest());
            let why = by.as_ref().map_or_else(|| "you interrupted".to_owned(), |by| format!("{by} failed"));
            let text = format!("{who} keeps old and new permissions, because {why}");
            paragraph(out, context, 0, &text);
        }
    }
}

fn running(out: &mut String, context: &Context<'_>, outcome: &Outcome) {
    for (stack, result) in &outcome.results {
        if let StepResult::LeftRunning { operation, status } = result {
            let status = status.as_ref().map(|status| format!(", last seen in {status}")).unwrap_or_default();
            let text = format!("Still running in AWS, no longer watched: {stack}, {operation}{status}");
            paragraph(out, context, 0, &paint(context, Ink::Care, &text));
        }
    }
}

fn names(outcome: &Outcome, which: impl Fn(&StepResult) -> bool) -> Vec<&str> {
    let chosen = outcome.results.iter().filter(|(_, result)| which(result));
    chosen.map(|(stack, _)| stack.name.as_str()).collect()
}

fn summary(out: &mut String, context: &Context<'_>, outcome: &Outcome, plan: &Plan, took: Duration) {
    let label = context.label.map(|label| format!(" [{label}]")).unwrap_or_default();
    if outcome.succeeded() && plan.is_empty() {
        paragraph(out, context, 0, &format!("{}{label}", paint(context, Ink::Good, &nothing(plan))));
        return;
    }
    let parts: Vec<String> = counts(outcome, plan).into_iter().map(|(word, n)| format!("{n} {word}")).collect();
    let (ink, word) = match (outcome.succeeded(), outcome.interrupted) {
        (true, _) => (Ink::Good, "Done"),
        (false, true) => (Ink::Care, "Interrupted"),
        (false, false) => (Ink::Bad, "Failed"),
    };
    let what = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    paragraph(out, context, 0, &format!("{}: {what}, in {}{label}", paint(context, ink, word), span(took)));
}

/// There was nothing to do, and the endpoints were asked.
fn nothing(plan: &Plan) -> String {
    let asked = plan.steps.iter().filter(|step| !step.checks.is_empty()).count();
    let runs = match asked {
        0 => String::new(),
        1 => ", and the endpoint runs the configuration of its stack".to_owned(),
        _ => format!(", and all {asked} endpoints run the configuration of their stacks"),
    };
    match plan.steps.len() {
        0 => "Nothing to do: there are no stacks".to_owned(),
        stacks => format!("Nothing to do: {} as wanted{runs}{}", count(stacks, "stack"), held(plan)),
    }
}

/// Roles that grant more than is wanted while others need it.
fn held(plan: &Plan) -> String {
    let wide = plan.steps.iter().filter(|step| !step.held.is_empty());
    wide.map(|step| format!("; {} stays wide", step.identity.manifest())).collect()
}

fn counts(outcome: &Outcome, plan: &Plan) -> Vec<(&'static str, usize)> {
    const WORDS: [&str; 11] = [
        "created",
        "updated",
        "recreated",
        "deleted",
        "checked",
        "unchanged",
        "failed",
        "blocked",
        "left wide",
        "not started",
        "left running",
    ];
    let mut counts = [0; WORDS.len()];
    for (stack, result) in &outcome.results {
        let word = match result {
            StepResult::Done => done_word(plan.step(stack).map(|step| step.action)),
            StepResult::Unchanged => "unchanged",
            StepResult::Failed(_) => "failed",
            StepResult::Blocked { .. } => "blocked",
            StepResult::Wide { .. } => "left wide",
            StepResult::NotStarted => "not started",
            StepResult::LeftRunning { .. } => "left running",
        };
        if let Some(at) = WORDS.iter().position(|known| *known == word) {
            counts[at] += 1;
        }
    }
    WORDS.into_iter().zip(counts).filter(|(_, number)| *number > 0).collect()
}

fn done_word(action: Option<Action>) -> &'static str {
    match action {
        Some(Action::Create) => "created",
        Some(Action::Update) => "updated",
        Some(Action::Recreate) => "recreated",
        Some(Action::Delete) => "deleted",
        Some(Action::Keep) | None => "checked",
    }
}

/// One line on a result, as live progress prints it.
pub(super) fn in_one_line(result: &StepResult) -> String {
    match result {
        StepResult::Done => "done".into(),
        StepResult::Unchanged => "unchanged".into(),
        StepResult::Failed(failure) => {
            let cause = failure
                .rollback
                .first()
                .or(failure.cause.as_ref())
                .map(|cause| format!("; {}: {}", cause.logical_id, cause.reason));
            format!("failed: {}{}", shown(&failure.message), shown(&cause.unwrap_or_default()))
        }
        StepResult::Blocked { by } => format!("not started, because {by} failed"),
        StepResult::Wide { by: Some(by) } => format!("keeps old and new permissions, because {by} failed"),
        StepResult::Wide { by: None } => "keeps old and new permissions".into(),
        StepResult::NotStarted => "not started".into(),
        StepResult::LeftRunning { operation, .. } => format!("{operation} goes on in AWS"),
    }
}

/// As `3 stacks`.
pub(super) fn stacks(number: usize) -> String {
    count(number, "stack")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;

    use super::*;
    use crate::{
        cloud::{StackStatus, Target},
        diagnostic::Position,
        plan::FORMAT as PLAN_FORMAT,
    };

    fn named(name: &str) -> StackRef {
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        StackRef { target, name: name.into() }
    }

    fn failure() -> Failure {
        let cause = Cause {
            logical_id: "Endpoint".into(),
            resource_type: "AWS::SageMaker::Endpoint".into(),
            reason: "Unable to provision requested ML compute capacity due to insufficient capacity".into(),
            position: Some(Position { file: "chat.yaml".into(), line: 12, column: 7 }),
            field: Some("spec.hardware.instances[0]".into()),
        };
        Failure {
            kind: FailureKind::RolledBack,
            operation: "update, phase 2 of 3".into(),
            status: Some(StackStatus::UpdateRollbackComplete),
            message: "the update failed and was rolled back".into(),
            cause: Some(cause),
            rollback: Vec::new(),
            endpoint: None,
            notes: vec!["the old scalable target was put back".into()],
        }
    }

    #[test]
    fn a_failure_says_what_where_why_and_what_to_do() {
        let results = vec![
            (named("role"), StepResult::Unchanged),
            (named("chat"), StepResult::Failed(Box::new(failure()))),
            (named("a"), StepResult::Blocked { by: named("chat") }),
            (named("b"), StepResult::Blocked { by: named("chat") }),
            (named("c"), StepResult::NotStarted),
            (named("d"), StepResult::LeftRunning { operation: "create".into(), status: None }),
        ];
        let plan = Plan {
            format: PLAN_FORMAT,
            nonce: "n".into(),
            environments: Vec::new(),
            bodies: BTreeMap::new(),
            steps: Vec::new(),
            left_behind: Vec::new(),
            adopted: BTreeSet::new(),
            allowed: BTreeSet::new(),
        };
        let context = Context { width: 72, label: Some("imagined account"), ..Context::default() };
        let outcome = Outcome { results, interrupted: false };
        expect![[r#"
            ✗ chat: update, phase 2 of 3
              stack chat in us-east-1, left in UPDATE_ROLLBACK_COMPLETE
              the update failed and was rolled back
              Endpoint (AWS::SageMaker::Endpoint) failed first:
                "Unable to provision requested ML compute capacity due to
                  insufficient capacity"
                from chat.yaml:12:7 (spec.hardware.instances[0])
              - the old scalable target was put back
              → AWS has no such instance available now. Try later, or another
                instance type or Region.

            Not started, because chat failed: a, b
            Still running in AWS, no longer watched: d, create
            Not started, because you interrupted: c

            Failed: 1 unchanged, 1 failed, 2 blocked, 1 not started, 1 left running,
              in 10m00s [imagined account]
        "#]]
        .assert_eq(&human(&outcome, &plan, Duration::from_secs(600), &context));
        assert_eq!(json(&outcome, Duration::from_secs(600), &context)["succeeded"], false);
    }
}
