//! What must hold whatever is asked and whatever fails.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::{Account, now, role, template};
use crate::cloud::{ChangeAction, ChangeSet, CloudErrorKind, Replacement, StackEvent};

const IDS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// A resource of one of a few types, which may refer to those before it in place, by name, or create-only.
fn resource(random: &mut fastrand::Rng, before: &[&str]) -> Value {
    let text = |random: &mut fastrand::Rng| match before {
        [] => json!(format!("v{}", random.u8(..3))),
        before => {
            let id = before[random.usize(..before.len())];
            match random.u8(..4) {
                0 => json!({"Ref": id}),
                1 => json!({"Fn::Sub": format!("x-${{{id}}}-{}", random.u8(..2))}),
                2 => json!({"Fn::GetAtt": [id, "Arn"]}),
                _ => json!(format!("v{}", random.u8(..3))),
            }
        }
    };
    match random.u8(..4) {
        0 => json!({"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": random.u8(..3),
            "Tags": [{"Key": "of", "Value": text(random)}]}}),
        1 => json!({"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": random.u8(1..4),
            "Tags": [{"Key": "of", "Value": text(random)}]}}),
        2 => {
            let mut role = role();
            role["Properties"]["Path"] = json!(format!("/{}/", random.u8(..2)));
            role["Properties"]["Description"] = text(random);
            role
        }
        _ => json!({"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmDescription": text(random),
            "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": random.u8(1..3)}}),
    }
}

/// A body with each resource kept, changed, left out or added; types stay with their logical ids.
fn edit(random: &mut fastrand::Rng, before: &Map<String, Value>) -> Map<String, Value> {
    let mut after = Map::new();
    for (index, id) in IDS.iter().enumerate() {
        let earlier: Vec<&str> = IDS[..index].iter().copied().filter(|id| after.contains_key(*id)).collect();
        let old = before.get(*id);
        let sound = |value: &Value| {
            let named = crate::sandbox::reference::all(value);
            named.iter().all(|reference| after.contains_key(&reference.name))
        };
        let next = match (old, random.u8(..6)) {
            (None, 0..3) | (_, 5) => continue,
            (Some(old), 0..3) if sound(old) => old.clone(),
            (old, _) => loop {
                let new = resource(random, &earlier);
                if old.is_none_or(|old| old["Type"] == new["Type"]) {
                    break new;
                }
            },
        };
        after.insert((*id).to_owned(), next);
    }
    if after.is_empty() {
        after.insert("A".into(), json!({"Type": "AWS::SQS::Queue"}));
    }
    after
}

/// The last physical id of each resource, and who was spoken of, in events.
fn physical(events: &[StackEvent]) -> BTreeMap<String, String> {
    let of_resources = events.iter().filter(|event| !event.is_of_stack());
    let standing = of_resources.filter(|event| event.status.as_str() != "DELETE_IN_PROGRESS");
    let mut ids = BTreeMap::new();
    for event in standing {
        match (&event.physical_id, event.status.as_str()) {
            (Some(id), "DELETE_COMPLETE") if ids.get(&event.logical_id) == Some(id) => {
                ids.remove(&event.logical_id);
            }
            (_, "DELETE_COMPLETE") => {}
            (Some(id), _) => {
                ids.insert(event.logical_id.clone(), id.clone());
            }
            _ => {}
        }
    }
    ids
}

fn check_announced(change_set: &ChangeSet, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let change = |id: &String| change_set.changes.iter().find(|change| change.logical_id == *id);
    for id in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(id), after.get(id));
        let fits = match change(id).map(|change| (&change.action, &change.replacement)) {
            None => old == new,
            Some((ChangeAction::Add, _)) => old.is_none() && new.is_some(),
            Some((ChangeAction::Remove, _)) => old.is_some() && new.is_none(),
            Some((_, Some(Replacement::False))) => old == new,
            Some((_, Some(Replacement::True))) => old != new && new.is_some(),
            Some(_) => new.is_some(),
        };
        assert!(fits, "{id}: {old:?} -> {new:?}, announced {:?}", change(id));
    }
}

#[test]
fn what_a_change_set_announces_is_what_happens() {
    let mut applied = 0;
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let account = Account::new();
        let mut body = edit(&mut random, &Map::new());
        account.created("s", &template(Value::Object(body.clone())));
        for _ in 0..4 {
            let next = edit(&mut random, &body);
            let change_set = account.change_set("s", &template(Value::Object(next.clone())));
            if change_set.is_empty_update() {
                continue;
            }
            assert!(change_set.is_executable(), "seed {seed}: {:?}", change_set.status_reason);
            let before = physical(&account.events("s"));
            account.execute(&change_set, false).expect("executable");
            account.sandbox.advance(Duration::from_secs(24 * 3600));
            assert!(account.status("s").landed(), "seed {seed}: {}", account.story("s"));
            check_announced(&change_set, &before, &physical(&account.events("s")));
            body = next;
            applied += 1;
            assert!(account.change_set("s", &template(Value::Object(body.clone()))).is_empty_update(), "seed {seed}");
        }
        account.deleted("s");
        assert_eq!(account.sandbox.inventory(), [], "seed {seed}");
    }
    assert!(applied > 300, "only {applied} updates were tried");
}

#[test]
fn whatever_fails_everything_ends_and_goes_back() {
    let mut turned_back = 0;
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let account = Account::new();
        let body = edit(&mut random, &Map::new());
        account.created("s", &template(Value::Object(body.clone())));
        let before = physical(&account.events("s"));
        let next = edit(&mut random, &body);
        let victim = IDS[random.usize(..IDS.len())];
        account.inject(&format!("fail {victim} struck down"));
        let disable_rollback = random.u8(..4) == 0;
        let change_set = account.change_set("s", &template(Value::Object(next)));
        if change_set.is_empty_update() {
            continue;
        }
        account.execute(&change_set, disable_rollback).expect("executable");
        account.sandbox.advance(Duration::from_secs(24 * 3600));
        let status = account.status("s");
        assert!(status.is_settled(), "seed {seed}: {status}");
        if status.is_rollback() {
            turned_back += 1;
            assert!(status.is_updatable(), "seed {seed}: {status}");
            assert_eq!(physical(&account.events("s")), before, "seed {seed}: {}", account.story("s"));
            assert!(account.change_set("s", &template(Value::Object(body))).is_empty_update(), "seed {seed}");
        }
        account.deleted("s");
        assert_eq!(account.sandbox.inventory(), [], "seed {seed}");
    }
    assert!(turned_back > 30, "only {turned_back} turned back");
}

#[test]
fn a_region_holds_two_thousand_stacks() {
    let account = Account::new();
    let body = super::endpoint("tei:1", "ml.m5.xlarge", true).to_string();
    for index in 0..2000 {
        let mut request = account.request(&format!("s{index}"), &Value::Null);
        request.body =
            body.replace("\"chat\"", &format!("\"chat-{index}\"")).replace("/chat/", &format!("/chat-{index}/"));
        now(account.connection.stacks.create_stack(request)).expect("room");
    }
    let one_more = account.create("one-more", &template(json!({"A": {"Type": "AWS::SQS::Queue"}})));
    assert!(matches!(one_more.err(), Some(CloudErrorKind::LimitExceeded(_))));
    for _ in 0..60 {
        account.sandbox.advance(Duration::from_secs(10));
        let running = crate::cloud::StackStatus::running();
        now(account.connection.stacks.list_stacks(&running, None)).expect("a page");
    }
    assert!(account.status("s1999").landed());
    assert_eq!(account.sandbox.inventory().len(), 2000 * 6);
}
