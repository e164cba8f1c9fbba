//! Updates in phases: what each phase does, and what is planned when a run ended between two of them.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Scenario, endpoint, observed, run_on, spec, text};
use crate::{
    cloud::{StackStatus, Timestamp},
    diagnostic::Diagnostics,
    plan::{ChangeKind, Gate, Observation, ObservedStack, Operation, Plan, Submission, Unfinished, audit},
    render::{ParameterValue, without_stamps},
};

/// The stack after this operation has landed.
fn landed(plan: &Plan, before: &ObservedStack, operation: &Operation) -> ObservedStack {
    let sent = operation.submission().expect("a body");
    let mut after = before.clone();
    let value = |(name, value): (&String, &ParameterValue)| match value {
        ParameterValue::Literal(text) => (name.clone(), text.clone()),
        ParameterValue::Output { .. } => (name.clone(), "arn:of-another-stack".to_owned()),
    };
    let kept = |name: &String| Some((name.clone(), before.stack.parameters.get(name)?.clone()));
    after.stack.parameters = sent.parameters.iter().map(value).chain(sent.previous.iter().filter_map(kept)).collect();
    after.stack.tags = sent.tags.clone();
    after.stack.outputs = BTreeMap::from([("HubformDigest".to_owned(), sent.digest.clone())]);
    after.stack.status = StackStatus::UpdateComplete;
    after.stack.updated_at = Some(Timestamp(after.stack.changed_at().0 + 1_000));
    after.body = Some(plan.bodies[&sent.body].to_string());
    after
}

fn sent(operation: &Operation) -> (&Submission, &Gate) {
    match operation {
        Operation::Update { submission, gate, .. } => (submission, gate),
        other => panic!("{other:?}"),
    }
}

/// Each phase is held against the bodies before and after it; the last body is the one wanted; and whoever finds the
/// stack after any phase knows the way to the end and the way back.
pub(super) fn judge(plan: &Plan, live: &Value, wanted: &Value) -> Result<(), String> {
    let step = &plan.steps[0];
    let body = |operation: &Operation| -> Value {
        serde_json::from_str(&plan.bodies[&sent(operation).0.body]).expect("a body is JSON")
    };
    let mut here = live.clone();
    for operation in &step.operations {
        let there = body(operation);
        walk(sent(operation).1, &here, &there)?;
        here = there;
    }
    let same = |one: &Value, other: &Value| without_stamps(one.clone())["Resources"] == other["Resources"];
    if !step.operations.is_empty() && !same(&here, wanted) {
        return Err("it does not end in what is wanted".to_owned());
    }
    let Some(restore) = &step.restore else { return Ok(()) };
    if !same(&body(restore), live) {
        return Err("the way back does not lead to what runs".to_owned());
    }
    let runs = observed(&json!({"stack": "s", "parameters": {"RoleArn": "a"}, "tags": {"team": "a"}, "body": live}));
    let target = step.operations.last().map(sent).map(|(sent, _)| sent.clone()).expect("a step with a way back acts");
    let mut found = runs;
    for operation in &step.operations[..step.operations.len() - 1] {
        found = landed(plan, &found, operation);
        resumed(&found, wanted, &target, restore)?;
    }
    Ok(())
}

/// A gate names what changes from one body to the next, each with what happens to it.
fn walk(gate: &Gate, from: &Value, to: &Value) -> Result<(), String> {
    let both = [from, to].map(|body| body["Resources"].as_object().cloned().unwrap_or_default());
    let [from, to] = both;
    for id in from.keys().chain(to.keys()) {
        let kind = match (from.get(id), to.get(id)) {
            (None, Some(_)) => ChangeKind::Add,
            (Some(_), None) => ChangeKind::Remove,
            (one, other) if one != other => ChangeKind::Modify,
            _ => continue,
        };
        let allowed = gate.allowed.get(id).map(|allowed| allowed.kind);
        if allowed != Some(kind) {
            return Err(format!("{id} is {kind:?}, its gate allows {allowed:?}"));
        }
    }
    let named = |id: &&String| !from.contains_key(*id) && !to.contains_key(*id);
    gate.allowed.keys().find(named).map_or(Ok(()), |id| Err(format!("a gate names {id}, which no body has")))
}

/// A run that finds the stack between two phases goes to the same end and back to the same beginning.
fn resumed(found: &ObservedStack, wanted: &Value, target: &Submission, restore: &Operation) -> Result<(), String> {
    let tags = target.tags.iter().filter(|(key, _)| !key.starts_with("hubform:"));
    let tags: BTreeMap<_, _> = tags.collect();
    let parameters = json!({"RoleArn": match &target.parameters["RoleArn"] {
        ParameterValue::Literal(text) => text.clone(),
        ParameterValue::Output { .. } => unreachable!("no other stack is wanted"),
    }});
    let spec = spec(&json!({"stack": "s", "parameters": parameters, "tags": tags, "body": wanted}));
    let (plan, found) = run_on(&[spec], &Observation { stacks: vec![found.clone()] }, &Scenario::default());
    if found.has_errors() {
        return Err(format!("{found:?}"));
    }
    let (step, doubts) = (&plan.steps[0], audit(&plan));
    let last = step.operations.last().map(sent).map(|(sent, _)| sent);
    let back = step.restore.as_ref().map(sent).map(|(sent, _)| sent);
    match () {
        () if !doubts.is_empty() => Err(format!("{doubts:?}")),
        () if step.aside.is_empty() => Err("nothing is known to be out".to_owned()),
        () if last != Some(target) => Err(format!("it leads to {last:?}, not to {target:?}")),
        () if back != Some(sent(restore).0) => Err(format!("the way back is {back:?}, not {:?}", sent(restore).0)),
        () => Ok(()),
    }
}

const LIVE: (&str, u32) = ("ml.g5.xlarge", 3);

/// What is planned when the update to `ml.g6.xlarge` ended after so many phases, and then this is wanted.
fn after(phases: usize, (instance, max, a): (&str, u32, &str)) -> (Plan, Diagnostics) {
    let given = |body: &str| {
        let body: Value = serde_json::from_str(body).expect("a body");
        json!({"stack": "chat", "parameters": {"RoleArn": "A"}, "body": body})
    };
    let mut found = observed(&given(&endpoint(LIVE.0, LIVE.1, "x")));
    let plan_for = |body: &str, found: &ObservedStack| {
        run_on(&[spec(&given(body))], &Observation { stacks: vec![found.clone()] }, &Scenario::default())
    };
    let (plan, _) = plan_for(&endpoint("ml.g6.xlarge", 3, "x"), &found);
    for operation in &plan.steps[0].operations[..phases] {
        found = landed(&plan, &found, operation);
    }
    plan_for(&endpoint(instance, max, a), &found)
}

fn check(phases: usize, wanted: (&str, u32, &str), expect: &Expect) {
    let (plan, found) = after(phases, wanted);
    expect.assert_eq(&text(&plan, &found));
}

#[test]
fn after_the_first_phase_two_remain() {
    check(
        1,
        ("ml.g6.xlarge", 3, "x"),
        &expect![[r#"
            chat: Update
              because an apply stopped after phase 1 of 3, so ScalableTarget and TrackingPolicy are out; this one continues from there
              because if this fails and rolls back, what ran before that apply is restored: EndpointConfig (ProductionVariants/0/InstanceType from "ml.g6.xlarge" to "ml.g5.xlarge"), ScalableTarget and TrackingPolicy
              because needs room for 2 ml.g6.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/InstanceType "ml.g5.xlarge" -> "ml.g6.xlarge" True at chat.yaml:5:1
              ScalableTarget Add False
              TrackingPolicy Add False
              1. update 2 of 3, move the endpoint to ml.g6.xlarge [Endpoint Modify False, EndpointConfig Modify True]
              2. update 3 of 3, restore the scalable target [ScalableTarget Add False, TrackingPolicy Add False]
              else update [Endpoint Modify False, EndpointConfig Modify True, ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
}

#[test]
fn after_the_second_the_last_one_remains_and_the_way_back_is_the_whole_way() {
    check(
        2,
        ("ml.g6.xlarge", 3, "x"),
        &expect![[r#"
            chat: Update
              because an apply stopped after phase 2 of 3, so ScalableTarget and TrackingPolicy are out; this one continues from there
              because if this fails and rolls back, what ran before that apply is restored: EndpointConfig (ProductionVariants/0/InstanceType from "ml.g6.xlarge" to "ml.g5.xlarge"), ScalableTarget and TrackingPolicy
              ScalableTarget Add False
              TrackingPolicy Add False
              1. update 3 of 3, restore the scalable target [ScalableTarget Add False, TrackingPolicy Add False]
              else update [Endpoint Modify False, EndpointConfig Modify True, ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
}

#[test]
fn a_manifest_that_was_reverted_brings_everything_back_at_once() {
    check(
        2,
        ("ml.g5.xlarge", 3, "x"),
        &expect![[r#"
        chat: Update
          because an apply stopped after phase 2 of 3, so ScalableTarget and TrackingPolicy are out; this one restores what ran before it
          because needs room for 2 ml.g5.xlarge more while it moves
          Endpoint Modify False
            EndpointConfigName ? -> ? False by EndpointConfig
          EndpointConfig Modify True
            ProductionVariants/0/InstanceType "ml.g6.xlarge" -> "ml.g5.xlarge" True at chat.yaml:5:1
          ScalableTarget Add False
          TrackingPolicy Add False
          1. update [Endpoint Modify False, EndpointConfig Modify True, ScalableTarget Add False, TrackingPolicy Add False]
    "#]],
    );
    check(
        1,
        ("ml.g5.xlarge", 3, "x"),
        &expect![[r#"
            chat: Update
              because an apply stopped after phase 1 of 3, so ScalableTarget and TrackingPolicy are out; this one restores what ran before it
              ScalableTarget Add False
              TrackingPolicy Add False
              1. update [ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
}

#[test]
fn a_manifest_that_was_edited_once_more_goes_on_from_there() {
    check(
        1,
        ("ml.g5.xlarge", 3, "y"),
        &expect![[r#"
            chat: Update
              because an apply stopped after phase 1 of 3, so ScalableTarget and TrackingPolicy are out; this one continues from there
              because if this fails and rolls back, what ran before that apply is restored: ScalableTarget and TrackingPolicy
              because needs room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/ModelName ? -> ? True by Model
              Model Modify True
                PrimaryContainer/Environment/A "x" -> "y" True overridden
              ScalableTarget Add False
              TrackingPolicy Add False
              1. update 3 of 3, restore the scalable target [Endpoint Modify False, EndpointConfig Modify True, Model Modify True, ScalableTarget Add False, TrackingPolicy Add False]
              else update [ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
    check(
        2,
        ("ml.g4dn.xlarge", 3, "x"),
        &expect![[r#"
            chat: Update
              because an apply stopped after phase 2 of 3, so ScalableTarget and TrackingPolicy are out; this one continues from there
              because if this fails and rolls back, what ran before that apply is restored: EndpointConfig (ProductionVariants/0/InstanceType from "ml.g4dn.xlarge" to "ml.g5.xlarge"), ScalableTarget and TrackingPolicy
              because needs room for 2 ml.g4dn.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/InstanceType "ml.g6.xlarge" -> "ml.g4dn.xlarge" True at chat.yaml:5:1
              ScalableTarget Add False
              TrackingPolicy Add False
              1. update 2 of 3, move the endpoint to ml.g4dn.xlarge [Endpoint Modify False, EndpointConfig Modify True]
              2. update 3 of 3, restore the scalable target [ScalableTarget Add False, TrackingPolicy Add False]
              else update [Endpoint Modify False, EndpointConfig Modify True, ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
    check(
        1,
        ("ml.g6.xlarge", 1, "x"),
        &expect![[r#"
            chat: Update
              because an apply stopped after phase 1 of 3, so ScalableTarget and TrackingPolicy are out; this one continues from there
              because if this fails and rolls back, what ran before that apply is restored: ScalableTarget and TrackingPolicy
              because needs room for 2 ml.g6.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/InstanceType "ml.g5.xlarge" -> "ml.g6.xlarge" True at chat.yaml:5:1
              1. update [Endpoint Modify False, EndpointConfig Modify True]
              else update [ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
}

#[test]
fn what_is_out_can_be_read_from_the_body_that_runs() {
    let (plan, _) = after(1, ("ml.g6.xlarge", 3, "x"));
    let body = &plan.bodies[&sent(&plan.steps[0].operations[0]).0.body];
    let detour = Unfinished::read(body).expect("it is between");
    assert_eq!(detour.sentence(), "an apply stopped after phase 2 of 3, so ScalableTarget and TrackingPolicy are out");
    let last = &plan.bodies[&sent(&plan.steps[0].operations[1]).0.body];
    assert_eq!(Unfinished::read(last), None);
}

/// CloudFormation shows asterisks, and takes them for the value when they are sent.
#[test]
fn a_value_that_is_never_shown_is_kept_and_not_sent() {
    let with = |body: &str, secret: bool| {
        let mut body: Value = serde_json::from_str(body).expect("a body");
        if secret {
            body["Parameters"]["Secret"] = json!({"Type": "String", "NoEcho": true});
            body["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"]["S"] = json!({"Ref": "Secret"});
        }
        body
    };
    let wanted = json!({"stack": "chat", "parameters": {"RoleArn": "A"},
        "body": with(&endpoint("ml.g6.xlarge", 3, "x"), false)});
    let live = json!({"stack": "chat", "parameters": {"RoleArn": "A", "Secret": "****"},
        "body": with(&endpoint("ml.g5.xlarge", 3, "x"), true)});
    let observation = Observation { stacks: vec![observed(&live)] };
    let (plan, found) = run_on(&[spec(&wanted)], &observation, &Scenario::default());
    assert!(found.is_empty() && audit(&plan).is_empty(), "{found:?} {:?}", audit(&plan));
    let step = &plan.steps[0];
    let told = step.operations.iter().chain(&step.restore).map(|operation| {
        let (sent, _) = sent(operation);
        let body: Value = serde_json::from_str(&plan.bodies[&sent.body]).expect("a body");
        let declared: Vec<&String> = body["Parameters"].as_object().into_iter().flat_map(|all| all.keys()).collect();
        format!("declares {declared:?}, sends {:?}, keeps {:?}", sent.parameters, sent.previous)
    });
    expect![[r#"
        declares ["RoleArn", "Secret"], sends {"RoleArn": Literal("A")}, keeps {"Secret"}
        declares ["RoleArn", "Secret"], sends {"RoleArn": Literal("A")}, keeps {"Secret"}
        declares ["RoleArn"], sends {"RoleArn": Literal("A")}, keeps {}
        declares ["RoleArn", "Secret"], sends {"RoleArn": Literal("A")}, keeps {"Secret"}"#]]
    .assert_eq(&told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_scaler_of_another_endpoint_stays() {
    let two = |instance: &str| -> Value {
        let one: Value = serde_json::from_str(&endpoint(instance, 3, "x")).expect("a body");
        let other = endpoint("ml.g5.xlarge", 3, "x").replace("endpoint/chat/", "endpoint/other/");
        let other: Value = serde_json::from_str(&other).expect("a body");
        let mut body = one.clone();
        for (id, resource) in other["Resources"].as_object().into_iter().flatten() {
            let ids = ["EndpointConfig", "Endpoint", "Model", "ScalableTarget"];
            let mut text = resource.to_string();
            for id in ids {
                text = text.replace(&format!("[\"{id}\""), &format!("[\"Other{id}\""));
                text = text.replace(&format!("\"Ref\":\"{id}\""), &format!("\"Ref\":\"Other{id}\""));
            }
            let mut renamed: Value = serde_json::from_str(&text).expect("a resource");
            if id == "Endpoint" {
                renamed["Properties"]["EndpointName"] = json!("other");
            }
            body["Resources"][format!("Other{id}")] = renamed;
        }
        body
    };
    let given = |instance| json!({"stack": "s", "parameters": {"RoleArn": "a"}, "body": two(instance)});
    let observation = Observation { stacks: vec![observed(&given("ml.g5.xlarge"))] };
    let (plan, _) = run_on(&[spec(&given("ml.g6.xlarge"))], &observation, &Scenario::default());
    assert_eq!(audit(&plan), Vec::<String>::new());
    let (_, gate) = sent(&plan.steps[0].operations[0]);
    let out: Vec<&String> = gate.allowed.keys().collect();
    assert_eq!(out, ["ScalableTarget", "TrackingPolicy"], "the other endpoint does not move");
    assert_eq!(plan.steps[0].operations.len(), 3);
}

#[test]
fn a_scaler_of_a_shadow_variant_steps_aside_and_that_of_the_production_variant_stays() {
    let body = |instance: &str| -> Value {
        let mut body: Value = serde_json::from_str(&endpoint("ml.g5.xlarge", 3, "x")).expect("a body");
        let resources = &mut body["Resources"];
        let mut shadow = resources["EndpointConfig"]["Properties"]["ProductionVariants"][0].clone();
        (shadow["VariantName"], shadow["InstanceType"]) = (json!("Shadow"), json!(instance));
        resources["EndpointConfig"]["Properties"]["ShadowProductionVariants"] = json!([shadow]);
        let mut target = resources["ScalableTarget"].clone();
        target["Properties"]["ResourceId"] = json!("endpoint/chat/variant/Shadow");
        resources["ShadowTarget"] = target;
        body
    };
    let given = |instance| json!({"stack": "s", "parameters": {"RoleArn": "a"}, "body": body(instance)});
    let observation = Observation { stacks: vec![observed(&given("ml.g5.xlarge"))] };
    let (plan, _) = run_on(&[spec(&given("ml.g6.xlarge"))], &observation, &Scenario::default());
    assert_eq!(audit(&plan), Vec::<String>::new());
    let operations = &plan.steps[0].operations;
    assert_eq!(Vec::from_iter(sent(&operations[0]).1.allowed.keys()), ["ShadowTarget"]);
    assert_eq!(operations.len(), 3);
    let Operation::Update { phase: Some(phase), .. } = &operations[0] else { panic!("it takes phases") };
    assert_eq!(Vec::from_iter(&phase.clears), ["ShadowTarget"]);
    assert_eq!(plan.steps[0].between.len(), 2);
}
