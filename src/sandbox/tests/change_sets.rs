//! What change sets say, and their life.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Account, endpoint, kind, now, template};
use crate::cloud::{Change, ChangeSetStatus, ChangeSetType, CloudErrorKind, ExecutionStatus, StackStatus};

fn show(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let replacement = change.replacement.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
        let scope: Vec<&str> = change.scope.iter().map(|attribute| attribute.as_str()).collect();
        let details: String = change
            .details
            .iter()
            .map(|detail| {
                format!(
                    "\n  {} {} {} {} {}",
                    detail.name.as_deref().unwrap_or("-"),
                    detail.recreation,
                    detail.evaluation,
                    detail.source.as_deref().unwrap_or("-"),
                    detail.causing_entity.as_deref().unwrap_or("-")
                )
            })
            .collect();
        format!("{} {}{replacement} [{}]{details}\n", change.action, change.logical_id, scope.join(","))
    };
    changes.iter().map(line).collect()
}

fn check(before: &Value, after: &Value, expect: Expect) {
    let account = Account::new();
    account.created("s", before);
    expect.assert_eq(&show(&account.change_set("s", after).changes));
}

#[test]
fn a_new_image_replaces_down_to_the_endpoint() {
    check(
        &endpoint("tei:1", "ml.m5.xlarge", true),
        &endpoint("tei:2", "ml.m5.xlarge", true),
        expect![[r#"
        Modify Endpoint False [Properties]
          EndpointConfigName Never Static ResourceAttribute EndpointConfig.EndpointConfigName
        Modify EndpointConfig True [Properties]
          ProductionVariants Always Static ResourceAttribute Model.ModelName
        Modify Model True [Properties]
          PrimaryContainer Always Static DirectModification -
    "#]],
    );
}

#[test]
fn nothing_changed_is_a_failed_change_set() {
    let account = Account::new();
    account.created("s", &endpoint("tei:1", "ml.m5.xlarge", false));
    let change_set = account.change_set("s", &endpoint("tei:1", "ml.m5.xlarge", false));
    assert!(change_set.is_empty_update(), "{change_set:?}");
    assert_eq!(change_set.execution_status, ExecutionStatus::Unavailable);
    assert!(matches!(account.execute(&change_set, false).err(), Some(CloudErrorKind::InvalidChangeSetStatus(_))));
    let mut described = endpoint("tei:1", "ml.m5.xlarge", false);
    described["Description"] = json!("now with words");
    described["Metadata"] = json!({"Hubform": {"kind": "Endpoint"}});
    assert!(account.change_set("s", &described).is_empty_update());
}

#[test]
fn changed_outputs_alone_apply() {
    let account = Account::new();
    account.created("s", &template(json!({"Topic": {"Type": "AWS::SNS::Topic"}})));
    let mut wanted = template(json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    wanted["Outputs"] = json!({"HubformDigest": {"Value": "abc"}});
    let change_set = account.change_set("s", &wanted);
    assert!(change_set.is_executable() && change_set.changes.is_empty());
    account.execute(&change_set, false).expect("executable");
    account.sandbox.advance(std::time::Duration::from_secs(60));
    assert_eq!(account.stack("s").outputs, BTreeMap::from([("HubformDigest".to_owned(), "abc".to_owned())]));
    assert_eq!(account.status("s"), StackStatus::UpdateComplete);
}

#[test]
fn causes_are_told_apart() {
    let before = json!({
        "Parameters": {"Retention": {"Type": "Number", "Default": 7}},
        "Resources": {
            "ByValue": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": {"Ref": "Retention"}}},
            "ByName": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "one"}},
            "InPlace": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}},
            "OfReplaced": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": {"Ref": "ByName"}}},
            "OfInPlace": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "InPlace"}}},
            "OfAttribute": {"Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::GetAtt": "InPlace.Arn"}}},
            "OfOfReplaced": {"Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::Sub": "x-${OfReplaced}"}}},
            "Gone": {"Type": "AWS::SNS::Topic"},
            "Conditional": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {
                "MinSize": "1", "MaxSize": "1", "VPCZoneIdentifier": ["subnet-1"]}},
            "Described": {"Type": "AWS::SNS::Topic", "Metadata": {"A": 1}},
        },
    });
    let mut after = before.clone();
    after["Parameters"]["Retention"]["Default"] = json!(14);
    after["Resources"]["ByName"]["Properties"]["LogGroupName"] = json!("two");
    after["Resources"]["InPlace"]["Properties"]["DelaySeconds"] = json!(2);
    after["Resources"]["Conditional"]["Properties"]["VPCZoneIdentifier"] = json!(["subnet-2"]);
    after["Resources"]["Described"]["Metadata"]["A"] = json!(2);
    after["Resources"].as_object_mut().expect("resources").remove("Gone");
    after["Resources"]["New"] = json!({"Type": "AWS::SNS::Topic"});
    check(
        &before,
        &after,
        expect![[r#"
        Modify ByName True [Properties]
          LogGroupName Always Static DirectModification -
        Modify ByValue False [Properties]
          RetentionInDays Never Static ParameterReference Retention
          RetentionInDays Never Dynamic DirectModification -
        Modify Conditional Conditional [Properties]
          VPCZoneIdentifier Conditionally Static DirectModification -
        Modify Described False [Metadata]
          - Never Static DirectModification -
        Remove Gone []
        Modify InPlace False [Properties]
          DelaySeconds Never Static DirectModification -
        Add New []
        Modify OfAttribute False [Properties]
          Value Never Dynamic ResourceAttribute InPlace.Arn
        Modify OfOfReplaced False [Properties]
          Value Never Static ResourceReference OfReplaced
        Modify OfReplaced True [Properties]
          LogGroupName Always Static ResourceReference ByName
    "#]],
    );
}

#[test]
fn stack_tags_touch_all_that_can_be_tagged() {
    let account = Account::new();
    let body = template(json!({
        "Placed": {"Type": "AWS::EC2::PlacementGroup"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Stream": {"Type": "AWS::Logs::LogStream", "Properties": {"LogGroupName": "x"}},
    }));
    account.created("s", &body);
    let mut request = account.change_set_request("s", &body);
    request.tags.insert("team".into(), "a".into());
    let change_set = account.computed(request);
    expect![[r#"
        Modify Placed True [Tags]
          - Always Static DirectModification -
        Modify Topic False [Tags]
          - Never Static DirectModification -
    "#]]
    .assert_eq(&show(&change_set.changes));
}

#[test]
fn executing_one_ends_its_siblings() {
    let account = Account::new();
    let body =
        |name: &str| template(json!({"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}}));
    account.created("s", &body("a"));
    let (one, two) = (account.change_set("s", &body("b")), account.change_set("s", &body("c")));
    let late = account.change_set_request("s", &body("d"));
    let late = now(account.connection.stacks.create_change_set(late)).expect("accepted");
    account.execute(&one, false).expect("executable");
    let describe = |id: &str| now(account.connection.stacks.describe_change_set(id)).expect("an answer");
    assert_eq!(describe(&two.id), None);
    assert_eq!(describe(&one.id).map(|set| set.execution_status), Some(ExecutionStatus::InProgress));
    assert!(account.execute(&two, false).err() == Some(CloudErrorKind::NotFound));
    account.sandbox.advance(std::time::Duration::from_secs(5));
    assert_eq!(describe(&late.change_set).map(|set| set.execution_status), Some(ExecutionStatus::Obsolete));
    account.sandbox.advance(std::time::Duration::from_secs(600));
    let executed = describe(&one.id).expect("it is found by its id");
    assert_eq!(executed.execution_status, ExecutionStatus::Complete);
    assert_eq!(executed.status, ChangeSetStatus::CreateComplete);
    assert!(now(account.connection.stacks.list_change_sets("s")).expect("a list").iter().all(|set| set.id != one.id));
    let mut again = account.change_set_request("s", &body("e"));
    again.name = executed.name;
    assert_ne!(account.computed(again).id, one.id, "its name is free");
    account.deleted("s");
    assert!(describe(&one.id).is_some(), "it outlives its stack");
    now(account.connection.stacks.delete_change_set(&one.id)).expect("deleted");
    assert_eq!(describe(&one.id), None);
}

#[test]
fn a_stack_in_review_can_be_made_all_the_same() {
    let account = Account::new();
    let body = template(json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    let mut request = account.change_set_request("s", &body);
    request.kind = ChangeSetType::Create;
    let change_set = account.computed(request);
    let made = account.created("s", &body);
    assert_eq!(made, change_set.stack_id);
    assert_eq!(account.status("s"), StackStatus::CreateComplete);
    assert_eq!(account.stack("s").updated_at, None);
    let described = now(account.connection.stacks.describe_change_set(&change_set.id)).expect("an answer");
    assert_eq!(described.map(|set| set.execution_status), Some(ExecutionStatus::Obsolete));
}

#[test]
fn a_stack_of_a_change_set_has_the_time_of_an_update() {
    let account = Account::new();
    let mut request = account.change_set_request("s", &template(json!({"Topic": {"Type": "AWS::SNS::Topic"}})));
    request.kind = ChangeSetType::Create;
    let change_set = account.computed(request);
    assert_eq!(account.stack("s").updated_at, None);
    account.execute(&change_set, false).expect("executable");
    account.sandbox.advance(std::time::Duration::from_secs(600));
    let stack = account.stack("s");
    assert!(stack.updated_at.is_some_and(|at| at > stack.created_at && at == stack.changed_at()), "{stack:?}");
}

#[test]
fn one_that_was_computed_while_another_came_and_went_is_obsolete() {
    let account = Account::new();
    let queue = |words: &str| template(json!({"Queue": {"Type": "AWS::SQS::Queue", "Metadata": {"Why": words}}}));
    account.created("s", &queue("one"));
    let first = account.change_set("s", &queue("two"));
    let late = now(account.connection.stacks.create_change_set(account.change_set_request("s", &queue("three"))));
    let late = late.expect("an accepted change set").change_set;
    now(account.connection.stacks.execute_change_set(crate::cloud::ExecuteChangeSet {
        change_set: first.id,
        disable_rollback: false,
        token: account.token(),
    }))
    .expect("accepted");
    account.sandbox.advance(std::time::Duration::from_secs(600));
    let late = now(account.connection.stacks.describe_change_set(&late)).expect("an answer").expect("it is there");
    assert_eq!(late.execution_status, ExecutionStatus::Obsolete);
}

#[test]
fn a_value_that_is_never_shown_can_be_kept() {
    let account = Account::new();
    let body = |declared: &[&str], description: &str| {
        let parameter = json!({"Type": "String", "NoEcho": true});
        let parameters: serde_json::Map<_, _> =
            declared.iter().map(|name| ((*name).to_owned(), parameter.clone())).collect();
        let topic = json!({"Type": "AWS::SNS::Topic", "Properties": {
            "DisplayName": {"Ref": declared[0]}, "TopicName": description}});
        json!({"Parameters": parameters, "Resources": {"Topic": topic}})
    };
    let mut request = account.request("s", &body(&["Secret"], "one"));
    request.parameters = BTreeMap::from([("Secret".to_owned(), "shared".to_owned())]);
    now(account.connection.stacks.create_stack(request)).expect("an accepted stack");
    account.sandbox.advance(std::time::Duration::from_secs(600));
    let asked = |name: &str, declared: &[&str]| {
        let mut request = account.change_set_request("s", &body(declared, "two"));
        request.previous = [name.to_owned()].into();
        request
    };
    let kept = account.computed(asked("Secret", &["Secret"]));
    assert_eq!(show(&kept.changes), "Modify Topic True [Properties]\n  TopicName Always Static DirectModification -\n");
    let refused = now(account.connection.stacks.create_change_set(asked("Other", &["Other"]))).map_err(|e| e.kind);
    let Err(CloudErrorKind::Validation(text)) = refused else { panic!("{refused:?}") };
    assert!(text.contains("a parameter key not in the previous template"), "{text}");
}

#[test]
fn a_create_change_set_leaves_a_shell() {
    let account = Account::new();
    let body = template(json!({"Topic": {"Type": "AWS::SNS::Topic"}}));
    let mut request = account.change_set_request("s", &body);
    assert_eq!(kind(now(account.connection.stacks.create_change_set(request.clone()))), Some(CloudErrorKind::NotFound));
    request.kind = ChangeSetType::Create;
    let change_set = account.computed(request.clone());
    assert_eq!(account.status("s"), StackStatus::ReviewInProgress);
    assert_eq!(show(&change_set.changes), "Add Topic []\n");
    let again = now(account.connection.stacks.create_change_set(request.clone())).expect("the same token");
    assert_eq!(again.change_set, change_set.id);
    request.token = "other".into();
    assert_eq!(
        kind(now(account.connection.stacks.create_change_set(request.clone()))),
        Some(CloudErrorKind::AlreadyExists)
    );
    account.execute(&change_set, false).expect("executable");
    account.sandbox.advance(std::time::Duration::from_secs(600));
    assert_eq!(account.status("s"), StackStatus::CreateComplete);
    request.name = "late".into();
    let text = kind(now(account.connection.stacks.create_change_set(request)));
    assert!(
        matches!(text, Some(CloudErrorKind::Validation(text)) if text.contains("already exists and cannot be created again"))
    );
}

#[test]
fn early_validation_names_the_check_only() {
    let account = Account::new();
    account.created("s", &template(json!({"Topic": {"Type": "AWS::SNS::Topic"}})));
    let bad = template(json!({"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayNme": "x"}}}));
    let change_set = account.change_set("s", &bad);
    assert_eq!(change_set.status, ChangeSetStatus::Failed);
    assert!(
        change_set.status_reason.is_some_and(|reason| reason.contains("[AWS::EarlyValidation::PropertyValidation]"))
    );
    account.created(
        "t",
        &template(json!({"Topic": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "x"}}})),
    );
    let taken = template(json!({
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "x"}},
    }));
    let reason = account.change_set("s", &taken).status_reason;
    assert!(reason.is_some_and(|reason| reason.contains("[AWS::EarlyValidation::ResourceExistenceCheck]")));
}
