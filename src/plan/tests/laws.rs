//! What holds for any edit.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Scenario, detours, endpoint, observed, run_on, spec};
use crate::{
    cloud::{self, Replacement},
    plan::{ChangeKind, Observation, Operation, Plan, Step, audit, judge},
};

/// The body of a scenario, edited a few times at random.
fn edited(body: &Value, rng: &mut Rng) -> Value {
    let mut body = body.clone();
    for _ in 0..rng.usize(0..4) {
        let resources = body["Resources"].as_object_mut().expect("resources");
        let ids: Vec<String> = resources.keys().cloned().collect();
        match rng.u8(0..4) {
            0 => drop(resources.insert(format!("Topic{}", rng.u8(0..3)), topic(rng))),
            1 => drop(resources.remove(&format!("Topic{}", rng.u8(0..3)))),
            _ => spoil(&mut resources[&ids[rng.usize(0..ids.len())]]["Properties"], rng),
        }
    }
    body
}

fn topic(rng: &mut Rng) -> Value {
    let others = ["Model", "EndpointConfig", "Endpoint"];
    let other = others[rng.usize(0..others.len())];
    let value = [json!("text"), json!({"Ref": other}), json!({"Fn::Sub": format!("${{{other}}}-x")})];
    json!({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": value[rng.usize(0..value.len())]}})
}

/// Exchanges a random leaf for something else.
fn spoil(value: &mut Value, rng: &mut Rng) {
    match value {
        Value::Object(members) if members.contains_key("Ref") || members.contains_key("Fn::GetAtt") => {}
        Value::Object(members) if !members.is_empty() => {
            let names: Vec<String> = members.keys().filter(|name| *name != "EndpointName").cloned().collect();
            if let Some(name) = names.get(rng.usize(0..names.len().max(1))) {
                spoil(&mut members[name.as_str()], rng);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = rng.usize(0..items.len());
            spoil(&mut items[at], rng);
        }
        Value::Number(_) => *value = json!(rng.u32(1..9)),
        other => *other = json!(format!("v{}", rng.u8(0..9))),
    }
}

fn plan_of(live: &Value, wanted: &Value, rng: &mut Rng) -> Plan {
    let tag = ["a", "b"][rng.usize(0..2)];
    let spec = spec(&json!({"stack": "s", "parameters": {"RoleArn": tag}, "tags": {"team": tag}, "body": wanted}));
    let runs = observed(&json!({"stack": "s", "parameters": {"RoleArn": "a"}, "tags": {"team": "a"}, "body": live}));
    let (plan, found) = run_on(&[spec], &Observation { stacks: vec![runs] }, &Scenario::default());
    assert!(!found.has_errors(), "{found:?}");
    plan
}

fn as_change_set(step: &Step) -> cloud::ChangeSet {
    let change = |change: &crate::plan::ResourceChange| cloud::Change {
        action: match change.kind {
            ChangeKind::Add => cloud::ChangeAction::Add,
            ChangeKind::Modify => cloud::ChangeAction::Modify,
            ChangeKind::Remove => cloud::ChangeAction::Remove,
        },
        logical_id: change.logical_id.clone(),
        physical_id: None,
        resource_type: change.resource_type.clone(),
        replacement: (change.kind == ChangeKind::Modify).then(|| change.replacement.clone()),
        scope: Vec::new(),
        details: Vec::new(),
    };
    let mut set = super::change_set("arn", Default::default());
    set.changes = step.changes.iter().map(change).collect();
    set
}

#[test]
fn every_plan_is_sound_and_its_gate_accepts_what_it_announces_and_nothing_worse() {
    let base: Value = serde_json::from_str(&endpoint("ml.g5.xlarge", 3, "x")).expect("a body");
    let (mut updates, mut phased) = (0, 0);
    for seed in 0..400 {
        let mut rng = Rng::with_seed(seed);
        let live = edited(&base, &mut rng);
        let wanted = edited(&live, &mut rng);
        let plan = plan_of(&live, &wanted, &mut rng);
        assert_eq!(audit(&plan), Vec::<String>::new(), "seed {seed}");
        let written = serde_json::to_string(&plan).expect("a plan can be written");
        assert_eq!(serde_json::from_str::<Plan>(&written).expect("and read"), plan, "seed {seed}");
        let step = &plan.steps[0];
        match step.operations.as_slice() {
            [Operation::Update { gate, .. }] => {
                updates += 1;
                let mut set = as_change_set(step);
                assert_eq!(judge(gate, &set), Vec::<String>::new(), "seed {seed}");
                set.changes.iter_mut().for_each(|change| change.replacement = Some(Replacement::True));
                let worse = step
                    .changes
                    .iter()
                    .filter(|change| change.kind == ChangeKind::Modify && change.replacement != Replacement::True);
                assert_eq!(judge(gate, &set).len(), worse.count(), "seed {seed}");
            }
            operations => {
                phased += usize::from(operations.len() > 1);
                detours::judge(&plan, &live, &wanted).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            }
        }
    }
    assert!(updates > 100 && phased > 20, "the edits reach every path: {updates} updates, {phased} in phases");
}

#[test]
fn a_plan_against_what_is_wanted_is_empty() {
    let base: Value = serde_json::from_str(&endpoint("ml.g5.xlarge", 3, "x")).expect("a body");
    for seed in 0..50 {
        let body = edited(&base, &mut Rng::with_seed(seed));
        let given = json!({"stack": "s", "parameters": {"RoleArn": "a"}, "body": body});
        let mut runs = observed(&given);
        runs.stack.outputs.clear();
        let observation = Observation { stacks: vec![runs] };
        let (plan, _) = run_on(&[spec(&given)], &observation, &Scenario::default());
        assert!(plan.is_empty(), "seed {seed}");
    }
}

#[test]
fn any_order_of_specs_gives_the_same_plan() {
    let given = |name: &str, needs: &[&str]| {
        spec(&json!({"stack": name, "needs": needs, "body": {"Resources": {"R": {"Type": "AWS::SNS::Topic"}}}}))
    };
    let mut specs =
        vec![given("a", &["d"]), given("b", &[]), given("c", &["a", "b"]), given("d", &[]), given("e", &["c"])];
    let names = |plan: &Plan| plan.steps.iter().map(|step| step.identity.stack.name.clone()).collect::<Vec<_>>();
    for seed in 0..20 {
        Rng::with_seed(seed).shuffle(&mut specs);
        let (plan, _) = run_on(&specs, &Observation::default(), &Scenario::default());
        assert_eq!(names(&plan), ["b", "d", "a", "c", "e"]);
    }
}

#[test]
fn nothing_to_do_for_as_many_stacks_as_an_account_may_have_reads_no_body() {
    let given =
        |at: usize| json!({"stack": format!("s{at}"), "body": {"Resources": {"R": {"Type": "AWS::SNS::Topic"}}}});
    let specs: Vec<_> = (0..1900).map(|at| spec(&given(at))).collect();
    let mut stacks: Vec<_> = (0..1900).map(|at| observed(&given(at))).collect();
    stacks.iter_mut().for_each(|observed| observed.body = None);
    let started = std::time::Instant::now();
    let (plan, found) = run_on(&specs, &Observation { stacks }, &Scenario::default());
    assert!(plan.is_empty() && found.is_empty() && audit(&plan).is_empty());
    assert_eq!(plan.steps.len(), 1900);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
