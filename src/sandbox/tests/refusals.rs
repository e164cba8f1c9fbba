//! What is refused at once, and limits.

use std::{collections::BTreeMap, time::Duration};

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Account, kind, now, role, template};
use crate::{
    cloud::{CloudErrorKind, CreateStack, DeleteStack, StackStatus, Target},
    sandbox::{Rate, SandboxSettings, Throttle},
};

fn check(body: &Value, expect: Expect) {
    let account = Account::new();
    let error = account.create("s", body).expect_err("a refusal");
    expect.assert_eq(&error.to_string());
    assert!(account.connection.stacks.describe_stack("s").now_is_none(), "nothing was made");
}

trait NowIsNone {
    fn now_is_none(self) -> bool;
}

impl<T> NowIsNone for crate::cloud::Reply<'_, Option<T>> {
    fn now_is_none(self) -> bool {
        now(self).is_ok_and(|found| found.is_none())
    }
}

#[test]
fn templates() {
    let topic = |properties: Value| json!({"Type": "AWS::SNS::Topic", "Properties": properties});
    check(&json!({"Resources": {}}), expect!["Template format error: At least one Resources member must be defined."]);
    check(&json!({"Resource": {}}), expect!["Invalid template property or properties [Resource]"]);
    check(
        &template(json!({"T": {"Type": "AWS::SNS::Topik"}})),
        expect!["Template format error: Unrecognized resource types: [AWS::SNS::Topik]"],
    );
    check(
        &template(json!({"T": {"Properties": {}}})),
        expect!["Template format error: [/Resources/T] Every Resources object must contain a Type member."],
    );
    check(
        &template(json!({"T": {"Type": "AWS::SNS::Topic", "Dependson": "X"}})),
        expect!["Invalid template resource property 'Dependson'"],
    );
    check(
        &template(json!({"T-1": {"Type": "AWS::SNS::Topic"}})),
        expect!["Template format error: Resource name T-1 is non alphanumeric."],
    );
    check(
        &template(json!({"T": topic(json!({"DisplayName": {"Ref": "X"}}))})),
        expect!["Template format error: Unresolved resource dependencies [X] in the Resources block of the template"],
    );
    check(
        &template(json!({"T": topic(json!({})), "U": topic(json!({"DisplayName": {"Fn::GetAtt": "T.Nothing"}}))})),
        expect!["Template error: resource T does not support attribute type Nothing in Fn::GetAtt"],
    );
    check(
        &template(
            json!({"A": topic(json!({"DisplayName": {"Ref": "B"}})), "B": topic(json!({"DisplayName": {"Ref": "A"}}))}),
        ),
        expect!["Circular dependency between resources: [A, B]"],
    );
    check(
        &json!({"Parameters": {"P": {"Type": "String"}}, "Resources": {"T": topic(json!({}))}}),
        expect!["Parameters: [P] must have values"],
    );
    check(
        &json!({"Transform": "AWS::LanguageExtensions", "Resources": {"T": topic(json!({}))}}),
        expect!["Template error: the imagined account runs no macros, so Transform cannot be used"],
    );
}

#[test]
fn the_size_is_counted_in_bytes() {
    let body = |letters: usize| {
        template(json!({"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "é".repeat(letters)}}}))
    };
    let frame = body(0).to_string().len();
    let most = (51_200 - frame) / 2;
    let account = Account::new();
    account.create("s", &body(most)).expect("it fits");
    check(
        &body(most + 1),
        expect![
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200"
        ],
    );
}

#[test]
fn capabilities_follow_from_the_template() {
    let account = Account::new();
    let mut request = account.request("s", &template(json!({"Role": role()})));
    request.capabilities.clear();
    let refused = kind(now(account.connection.stacks.create_stack(request.clone())));
    assert_eq!(
        refused,
        Some(CloudErrorKind::InsufficientCapabilities("Requires capabilities : [CAPABILITY_IAM]".into()))
    );
    let mut named = role();
    named["Properties"]["RoleName"] = json!("fixed");
    request.body = template(json!({"Role": named})).to_string();
    request.capabilities = [crate::cloud::Capability::Iam].into();
    let refused = kind(now(account.connection.stacks.create_stack(request)));
    assert_eq!(
        refused,
        Some(CloudErrorKind::InsufficientCapabilities("Requires capabilities : [CAPABILITY_NAMED_IAM]".into()))
    );
}

#[test]
fn tokens_tell_requests_apart() {
    let account = Account::new();
    let body = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    let request = account.request("s", &body);
    let create = |request| now(account.connection.stacks.create_stack(request)).map_err(|error| error.kind);
    let id = create(request.clone()).expect("accepted");
    assert_eq!(create(request.clone()).expect("accepted once"), id);
    let mut other = request.clone();
    other.disable_rollback = true;
    assert_eq!(create(other).err(), Some(CloudErrorKind::TokenAlreadyExists));
    let mut other = request;
    other.token = "another".into();
    assert_eq!(create(other).err(), Some(CloudErrorKind::AlreadyExists));
    assert_eq!(account.events("s").len(), 1);
}

#[test]
fn a_token_is_remembered_beyond_the_stack() {
    let account = Account::new();
    let stacks = &account.connection.stacks;
    let body = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    let request = account.request("s", &body);
    let create = |request: &CreateStack| now(stacks.create_stack(request.clone())).map_err(|error| error.kind);
    let first = create(&request).expect("accepted");
    account.sandbox.advance(Duration::from_secs(600));
    let change = account.change_set_request("s", &body);
    let ids = now(stacks.create_change_set(change.clone())).expect("accepted");
    now(stacks.delete_change_set(&ids.change_set)).expect("deleted");
    let change = kind(now(stacks.create_change_set(change)));
    assert_eq!(change, Some(CloudErrorKind::TokenAlreadyExists), "the change set is gone");
    let delete = DeleteStack { stack: first.clone(), role_arn: None, token: "going".into() };
    now(stacks.delete_stack(delete.clone())).expect("accepted");
    account.sandbox.advance(Duration::from_secs(600));
    now(stacks.delete_stack(delete)).expect("the very same request");
    assert_eq!(create(&request).err(), Some(CloudErrorKind::TokenAlreadyExists));
    let fresh = CreateStack { token: "fresh".into(), ..request.clone() };
    let second = create(&fresh).expect("accepted");
    assert_ne!(second, first);
    assert_eq!(create(&fresh).expect("accepted once"), second);
    assert_eq!(create(&request).err(), Some(CloudErrorKind::TokenAlreadyExists));
    account.sandbox.advance(Duration::from_secs(600));
    let delete = DeleteStack { stack: second, role_arn: None, token: "going".into() };
    assert_eq!(kind(now(stacks.delete_stack(delete))), Some(CloudErrorKind::TokenAlreadyExists));
    let elsewhere = CreateStack { name: "t".into(), ..request };
    create(&elsewhere).expect("a token is of one stack name");
}

#[test]
fn a_failed_creation_says_when_it_was_taken_back() {
    let account = Account::new();
    let mut body = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    body["Outputs"] = json!({"Arn": {"Value": {"Ref": "T"}, "Export": {"Name": "shared"}}});
    account.created("s", &body);
    account.created("twin", &body);
    let stack = account.stack("twin");
    assert_eq!(stack.status, StackStatus::RollbackComplete);
    assert!(stack.deleted_at.is_some_and(|at| at > stack.created_at && at == stack.changed_at()), "{stack:?}");
    assert_eq!(stack.status_reason, None);
}

#[test]
fn a_template_that_fails_as_a_whole_has_no_event_of_a_resource() {
    let account = Account::new();
    let stored = |value: Value| {
        template(json!({"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}}))
    };
    account.created("s", &stored(json!({"Fn::ImportValue": "nobodys"})));
    expect![[r#"
        s CREATE_IN_PROGRESS: User Initiated
        s ROLLBACK_IN_PROGRESS: No export named nobodys found. Rollback requested by user.
        s ROLLBACK_COMPLETE
    "#]]
    .assert_eq(&account.story("s"));
    assert_eq!(account.stack("s").status_reason, None);
    let mut late = template(json!({"T": {"Type": "AWS::SNS::Topic"}, "P": stored(json!({"Fn::Select": [
        "9", {"Fn::Split": [":", {"Ref": "T"}]}]}))["Resources"]["P"].clone()}));
    late["Description"] = json!("what does not work out is found when its turn comes");
    account.created("late", &late);
    expect![[r#"
        late CREATE_IN_PROGRESS: User Initiated
        T CREATE_IN_PROGRESS
        T CREATE_IN_PROGRESS (late-T-z67D2JvXFtHN): Resource creation Initiated
        T CREATE_COMPLETE (late-T-z67D2JvXFtHN)
        late ROLLBACK_IN_PROGRESS: Template error: Fn::Select cannot select nonexistent value at index 9. Rollback requested by user.
        T DELETE_IN_PROGRESS (late-T-z67D2JvXFtHN)
        T DELETE_COMPLETE (late-T-z67D2JvXFtHN)
        late ROLLBACK_COMPLETE
    "#]].assert_eq(&account.story("late"));
}

#[test]
fn protection_and_wrong_states() {
    let account = Account::new();
    let body = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    account.create("s", &body).expect("accepted");
    let request = account.change_set_request("s", &body);
    let busy = kind(now(account.connection.stacks.create_change_set(request)));
    assert_eq!(busy, Some(CloudErrorKind::WrongState(StackStatus::CreateInProgress)));
    assert_eq!(account.delete("s").err(), Some(CloudErrorKind::WrongState(StackStatus::CreateInProgress)));
    account.sandbox.advance(Duration::from_secs(600));
    now(account.connection.stacks.update_termination_protection("s", true)).expect("protected");
    assert_eq!(account.delete("s").err(), Some(CloudErrorKind::TerminationProtection));
    now(account.connection.stacks.update_termination_protection("s", false)).expect("unprotected");
    let id = account.stack("s").id;
    account.deleted("s");
    assert!(account.connection.stacks.describe_stack("s").now_is_none());
    assert_eq!(account.status(&id), StackStatus::DeleteComplete);
    account.sandbox.advance(Duration::from_secs(91 * 24 * 3600));
    assert!(account.connection.stacks.describe_stack(&id).now_is_none());
    account.delete("s").expect("no failure if it does not exist");
}

#[test]
fn exports_are_checked_late() {
    let account = Account::new();
    let mut producer = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    producer["Outputs"] = json!({"Arn": {"Value": {"Ref": "T"}, "Export": {"Name": "shared"}}});
    account.created("producer", &producer);
    account.created("twin", &producer);
    assert_eq!(account.status("twin"), StackStatus::RollbackComplete);
    let consumer = template(json!({"P": {"Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "shared"}}}}));
    account.created("consumer", &consumer);
    assert_eq!(account.status("consumer"), StackStatus::CreateComplete);
    account.deleted("producer");
    let held = account.stack("producer");
    assert_eq!(held.status, StackStatus::CreateComplete);
    expect!["Export shared cannot be deleted as it is in use by consumer"]
        .assert_eq(&held.status_reason.unwrap_or_default());
    account.updated("producer", &template(json!({"T": {"Type": "AWS::SNS::Topic"}})));
    expect![[r#"
        producer UPDATE_IN_PROGRESS: User Initiated
        producer UPDATE_ROLLBACK_IN_PROGRESS: Export shared cannot be deleted as it is in use by consumer
        producer UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
        producer UPDATE_ROLLBACK_COMPLETE
    "#]]
    .assert_eq(&account.story("producer"));
    account.deleted("consumer");
    account.deleted("producer");
    assert!(account.connection.stacks.describe_stack("producer").now_is_none());
}

#[test]
fn stacks_are_counted_paged_and_kept_apart_by_region() {
    let settings = SandboxSettings { page_size: 5, stack_limit: 12, ..SandboxSettings::default() };
    let account = Account::with(settings);
    let body = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    for index in 0..12 {
        account.create(&format!("s{index}"), &body).expect("room");
    }
    assert!(matches!(account.create("one-more", &body).err(), Some(CloudErrorKind::LimitExceeded(_))));
    let mut names = Vec::new();
    let mut from = None;
    loop {
        let page = now(account.connection.stacks.describe_stacks(from)).expect("a page");
        assert!(page.items.len() <= 5);
        names.extend(page.items.into_iter().map(|stack| stack.name));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(names.first().map(String::as_str), Some("s11"));
    assert_eq!(names.len(), 12);
    let target = Target { account: None, region: "eu-west-1".into(), assume_role: None };
    let other = now(account.sandbox.accounts().at(&target)).expect("a connection");
    assert!(now(other.stacks.describe_stacks(None)).expect("a page").items.is_empty());
    assert_eq!(account.sandbox.calls().get("CreateStack"), Some(&13));
}

#[test]
fn calls_are_throttled_by_buckets_and_by_faults() {
    let usual = Rate { per_second: 1.0, burst: 2.0 };
    let throttle = Some(Throttle { usual, operations: BTreeMap::new() });
    let account = Account::with(SandboxSettings { throttle, ..SandboxSettings::default() });
    let list = || kind(now(account.connection.stacks.list_stacks(&[], None)));
    assert_eq!([list(), list()], [None, None]);
    assert_eq!(list(), Some(CloudErrorKind::Throttled("Rate exceeded".into())));
    account.sandbox.advance(Duration::from_secs(5));
    account.inject("throttle ListStacks 1");
    assert_eq!(list(), Some(CloudErrorKind::Throttled("Rate exceeded".into())));
    account.inject("error ListStacks AccessDenied: not for you");
    account.sandbox.advance(Duration::from_secs(5));
    assert_eq!(list(), Some(CloudErrorKind::AccessDenied("not for you".into())));
}

#[test]
fn a_lost_answer_is_of_a_call_that_was_accepted() {
    let account = Account::new();
    account.inject("lose CreateStack");
    let error = account.create("s", &template(json!({"Role": role()}))).expect_err("no answer");
    assert!(matches!(error, CloudErrorKind::Unreachable(_)), "{error}");
    assert!(!account.connection.stacks.describe_stack("s").now_is_none(), "it was made all the same");
}
