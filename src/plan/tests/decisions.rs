//! What is asked before each operation, and of each change set.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::{Scenario, endpoint, list, observed, reference, role, run};
use crate::{
    cloud::{Change, ChangeAction, Replacement, Stack, StackStatus, Timestamp},
    plan::{Decision, Step, decide, judge},
};

fn step(wanted: &str, live: &str, at: usize) -> Step {
    run(&Scenario { wanted, live, ..Scenario::default() }).0.steps.swap_remove(at)
}

fn check(step: &Step, index: usize, now: Option<&Stack>, values: &[(&str, &str, &str)], expect: &Expect) {
    let values: BTreeMap<_, _> =
        values.iter().map(|(stack, key, value)| ((reference(stack), (*key).to_owned()), (*value).to_owned())).collect();
    let text = match decide(step, index, now, &values) {
        Decision::Run(Some(sent)) => format!("run with {:?}", sent.parameters),
        Decision::Run(None) => "run".to_owned(),
        Decision::Skip(why) => format!("skip: {why}"),
        Decision::Stop(why) => format!("stop: {why}"),
    };
    expect.assert_eq(&text);
}

#[test]
fn a_plan_holds_only_for_the_stack_it_was_made_upon() {
    let body = |name| format!("{{Resources: {{R: {{Type: 'AWS::SNS::Topic', Properties: {{DisplayName: {name}}}}}}}}}");
    let live = format!("- {{stack: s, body: {}}}", body("old"));
    let step = step(&format!("- {{stack: s, body: {}}}", body("new")), &live, 0);
    let now = observed(&list(&live)[0]).stack;
    check(&step, 0, Some(&now), &[], &expect!["run with {}"]);
    check(&step, 0, None, &[], &expect!["stop: the stack has been deleted since the plan was made"]);
    let later = Stack { updated_at: Some(Timestamp(2_000)), ..now.clone() };
    check(
        &step,
        0,
        Some(&later),
        &[],
        &expect!["stop: somebody updated the stack at 1970-01-01T00:00:02Z, after the plan"],
    );
    let busy = Stack { status: StackStatus::UpdateInProgress, ..now.clone() };
    check(
        &step,
        0,
        Some(&busy),
        &[],
        &expect!["stop: the stack was in CREATE_COMPLETE when the plan was made and is in UPDATE_IN_PROGRESS now"],
    );
    let another = Stack { id: "arn:another".into(), ..now };
    check(
        &step,
        0,
        Some(&another),
        &[],
        &expect!["stop: the stack was deleted and created again since the plan was made"],
    );
}

#[test]
fn a_predicate_is_skipped_when_its_values_stay() {
    let chat = endpoint("ml.g5.xlarge", 1, "x");
    let wanted = format!(
        "- {{stack: chat, needs: [role], parameters: {{RoleArn: role.RoleId}}, body: {chat}}}\n- {{stack: role, kind: Role, body: {}}}",
        role("new")
    );
    let live = format!(
        "- {{stack: chat, parameters: {{RoleArn: A}}, body: {chat}}}\n- {{stack: role, kind: Role, outputs: {{RoleId: A}}, body: {}}}",
        role("old")
    );
    let step = step(&wanted, &live, 1);
    let now = observed(&list(&live)[0]).stack;
    check(
        &step,
        0,
        Some(&now),
        &[("role", "RoleId", "A")],
        &expect!["skip: the values it takes are those it runs with"],
    );
    check(&step, 0, Some(&now), &[("role", "RoleId", "B")], &expect![[r#"run with {"RoleArn": Literal("B")}"#]]);
    check(&step, 0, Some(&now), &[], &expect!["stop: the stack `role` has no output `RoleId`"]);
}

#[test]
fn later_phases_want_the_one_before_to_have_landed() {
    let runs =
        |instance| format!("- {{stack: chat, parameters: {{RoleArn: a}}, body: {}}}", endpoint(instance, 3, "x"));
    let live = runs("ml.g5.xlarge");
    let step = step(&runs("ml.g6.xlarge"), &live, 0);
    let mut now = observed(&list(&live)[0]).stack;
    now.status = StackStatus::UpdateComplete;
    check(
        &step,
        1,
        Some(&now),
        &[],
        &expect!["stop: what the previous operation made is not what runs now; the stack is in UPDATE_COMPLETE"],
    );
    let first = step.operations[0].submission().expect("a body").digest.clone();
    now.outputs.insert("HubformDigest".into(), first);
    check(&step, 1, Some(&now), &[], &expect![[r#"run with {"RoleArn": Literal("a")}"#]]);
    now.status = StackStatus::UpdateRollbackComplete;
    check(&step, 3, Some(&now), &[], &expect![[r#"run with {"RoleArn": Literal("a")}"#]]);
    now.status = StackStatus::UpdateRollbackFailed;
    check(
        &step,
        3,
        Some(&now),
        &[],
        &expect!["stop: the stack is in UPDATE_ROLLBACK_FAILED, where nothing can be put back"],
    );
}

#[test]
fn what_is_gone_need_not_be_deleted_and_a_gap_must_be_one() {
    let wanted = "- {stack: s, body: {Resources: {R: {Type: 'AWS::SNS::Topic'}}}}";
    let live = "- {stack: s, status: ROLLBACK_COMPLETE}";
    let step = step(wanted, live, 0);
    let now = observed(&list(live)[0]).stack;
    check(&step, 0, Some(&now), &[], &expect!["run"]);
    check(&step, 0, None, &[], &expect!["skip: it is already gone"]);
    check(&step, 1, None, &[], &expect!["run with {}"]);
    check(
        &step,
        1,
        Some(&now),
        &[],
        &expect!["stop: a stack of this name has been created since, in ROLLBACK_COMPLETE"],
    );
}

#[test]
fn a_change_set_may_do_less_and_never_more() {
    let runs = |a| format!("- {{stack: chat, parameters: {{RoleArn: a}}, body: {}}}", endpoint("ml.g5.xlarge", 1, a));
    let step = step(&runs("new"), &runs("old"), 0);
    let crate::plan::Operation::Update { gate, .. } = &step.operations[0] else { panic!("an update") };
    let change = |id: &str, action, replacement: Option<Replacement>| Change {
        action,
        logical_id: id.into(),
        physical_id: None,
        resource_type: "T".into(),
        replacement,
        scope: Vec::new(),
        details: Vec::new(),
    };
    let mut set = super::change_set("arn", BTreeMap::new());
    set.changes = vec![
        change("Model", ChangeAction::Modify, Some(Replacement::False)),
        change("EndpointConfig", ChangeAction::Modify, Some(Replacement::True)),
        change("Endpoint", ChangeAction::Remove, None),
        change("Other", ChangeAction::Add, None),
        change("Model", ChangeAction::Dynamic, None),
        change("Endpoint", ChangeAction::Modify, None),
    ];
    expect![[r#"
        Endpoint (T) would be removed; the plan said changed
        Other (T) would be added, which the plan does not announce
        Model (T) has the action `Dynamic`, which no plan announces
        Endpoint (T) would be replaced; the plan said it changes in place"#]]
    .assert_eq(&judge(gate, &set).join("\n"));
}
