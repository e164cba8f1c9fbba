//! The order of events. (R)

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Account, role, template};

/// Two topics, a queue that refers to one of them, and one that stands alone.
fn four(display: &str, policy: &str) -> Value {
    template(json!({
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "topic", "Value": {"Ref": "Topic"}}]}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": display}},
        "Group": {"Type": "AWS::Logs::LogGroup", "DependsOn": "Queue", "Properties": {"RetentionInDays": 7}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "Path": policy, "AssumeRolePolicyDocument": role()["Properties"]["AssumeRolePolicyDocument"]}},
    }))
}

fn check(account: &Account, expect: Expect) {
    expect.assert_eq(&account.story("s"));
}

#[test]
fn create() {
    let account = Account::new();
    account.created("s", &four("a", "/"));
    check(
        &account,
        expect![[r#"
            s CREATE_IN_PROGRESS: User Initiated
            Role CREATE_IN_PROGRESS
            Topic CREATE_IN_PROGRESS
            Role CREATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Resource creation Initiated
            Topic CREATE_IN_PROGRESS (s-Topic-meNoehizqfu4): Resource creation Initiated
            Topic CREATE_COMPLETE (s-Topic-meNoehizqfu4)
            Queue CREATE_IN_PROGRESS
            Queue CREATE_IN_PROGRESS (s-Queue-N8Fd9Rn1D5K7): Resource creation Initiated
            Queue CREATE_COMPLETE (s-Queue-N8Fd9Rn1D5K7)
            Role CREATE_COMPLETE (s-Role-6uHOKRCFCxeH)
            Group CREATE_IN_PROGRESS
            Group CREATE_IN_PROGRESS (s-Group-UKlv6BEKHL4k): Resource creation Initiated
            Group CREATE_COMPLETE (s-Group-UKlv6BEKHL4k)
            s CREATE_COMPLETE
        "#]],
    );
}

#[test]
fn update_in_place() {
    let account = Account::new();
    account.created("s", &four("a", "/"));
    account.updated("s", &four("b", "/"));
    check(
        &account,
        expect![[r#"
        s UPDATE_IN_PROGRESS: User Initiated
        Topic UPDATE_IN_PROGRESS (s-Topic-meNoehizqfu4)
        Topic UPDATE_COMPLETE (s-Topic-meNoehizqfu4)
        s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
        s UPDATE_COMPLETE
    "#]],
    );
}

#[test]
fn replacement() {
    let account = Account::new();
    account.created("s", &four("a", "/"));
    account.updated("s", &four("a", "/x/"));
    check(
        &account,
        expect![[r#"
        s UPDATE_IN_PROGRESS: User Initiated
        Role UPDATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Requested update requires the creation of a new physical resource; hence creating one.
        Role UPDATE_IN_PROGRESS (s-Role-fyXzKB4C8DkG): Resource creation Initiated
        Role UPDATE_COMPLETE (s-Role-fyXzKB4C8DkG)
        s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
        Role DELETE_IN_PROGRESS (s-Role-6uHOKRCFCxeH)
        Role DELETE_COMPLETE (s-Role-6uHOKRCFCxeH)
        s UPDATE_COMPLETE
    "#]],
    );
}

#[test]
fn failed_create_rolls_back_and_cancels_a_sibling() {
    let account = Account::new();
    account.inject("fail Topic the topic would not");
    account.created("s", &four("a", "/"));
    check(
        &account,
        expect![[r#"
        s CREATE_IN_PROGRESS: User Initiated
        Role CREATE_IN_PROGRESS
        Topic CREATE_IN_PROGRESS
        Role CREATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Resource creation Initiated
        Topic CREATE_FAILED: Resource handler returned message: "the topic would not" (RequestToken: 9dc30339-a2a7-6ee3-5bf4-b7224482fe17, HandlerErrorCode: GeneralServiceException)
        Role CREATE_FAILED (s-Role-6uHOKRCFCxeH): Resource creation cancelled
        s ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Topic, Role]. Rollback requested by user.
        Topic DELETE_COMPLETE
        Role DELETE_IN_PROGRESS (s-Role-6uHOKRCFCxeH)
        Role DELETE_COMPLETE (s-Role-6uHOKRCFCxeH)
        s ROLLBACK_COMPLETE
    "#]],
    );
}

#[test]
fn failed_update_goes_back_to_the_previous_template() {
    let account = Account::new();
    account.created("s", &four("a", "/"));
    let mut wanted = four("b", "/x/");
    wanted["Resources"]["Group"]["Properties"]["RetentionInDays"] = json!(14);
    wanted["Resources"]["New"] = json!({"Type": "AWS::SNS::Topic"});
    account.inject("fail Group the group would not");
    account.updated("s", &wanted);
    check(
        &account,
        expect![[r#"
        s UPDATE_IN_PROGRESS: User Initiated
        Role UPDATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Requested update requires the creation of a new physical resource; hence creating one.
        New CREATE_IN_PROGRESS
        Topic UPDATE_IN_PROGRESS (s-Topic-meNoehizqfu4)
        Role UPDATE_IN_PROGRESS (s-Role-fyXzKB4C8DkG): Resource creation Initiated
        New CREATE_IN_PROGRESS (s-New-SjLL8lPdpRxC): Resource creation Initiated
        New CREATE_COMPLETE (s-New-SjLL8lPdpRxC)
        Topic UPDATE_COMPLETE (s-Topic-meNoehizqfu4)
        Group UPDATE_IN_PROGRESS (s-Group-UKlv6BEKHL4k)
        Group UPDATE_FAILED (s-Group-UKlv6BEKHL4k): Resource handler returned message: "the group would not" (RequestToken: 297f78bf-6bd8-5d64-cc98-e6f8ec387a8b, HandlerErrorCode: GeneralServiceException)
        Role UPDATE_FAILED (s-Role-fyXzKB4C8DkG): Resource update cancelled
        s UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Group, Role].
        Topic UPDATE_IN_PROGRESS (s-Topic-meNoehizqfu4)
        Role UPDATE_IN_PROGRESS (s-Role-fyXzKB4C8DkG)
        Role UPDATE_COMPLETE (s-Role-6uHOKRCFCxeH)
        Topic UPDATE_COMPLETE (s-Topic-meNoehizqfu4)
        Group UPDATE_IN_PROGRESS (s-Group-UKlv6BEKHL4k)
        Group UPDATE_COMPLETE (s-Group-UKlv6BEKHL4k)
        s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
        Role DELETE_IN_PROGRESS (s-Role-fyXzKB4C8DkG)
        New DELETE_IN_PROGRESS (s-New-SjLL8lPdpRxC)
        Role DELETE_COMPLETE (s-Role-fyXzKB4C8DkG)
        New DELETE_COMPLETE (s-New-SjLL8lPdpRxC)
        s UPDATE_ROLLBACK_COMPLETE
    "#]],
    );
    assert_eq!(account.sandbox.inventory().len(), 4);
}

#[test]
fn delete_goes_backwards() {
    let account = Account::new();
    let id = account.created("s", &four("a", "/"));
    account.deleted("s");
    expect![[r#"
        s DELETE_IN_PROGRESS: User Initiated
        Group DELETE_IN_PROGRESS (s-Group-UKlv6BEKHL4k)
        Role DELETE_IN_PROGRESS (s-Role-6uHOKRCFCxeH)
        Role DELETE_COMPLETE (s-Role-6uHOKRCFCxeH)
        Group DELETE_COMPLETE (s-Group-UKlv6BEKHL4k)
        Queue DELETE_IN_PROGRESS (s-Queue-N8Fd9Rn1D5K7)
        Queue DELETE_COMPLETE (s-Queue-N8Fd9Rn1D5K7)
        Topic DELETE_IN_PROGRESS (s-Topic-meNoehizqfu4)
        Topic DELETE_COMPLETE (s-Topic-meNoehizqfu4)
        s DELETE_COMPLETE
    "#]]
    .assert_eq(&account.story(&id));
    assert_eq!(account.sandbox.inventory(), []);
}

#[test]
fn a_rollback_that_fails_leaves_the_stack_to_be_deleted() {
    let account = Account::new();
    account.inject("fail Group no");
    account.inject("rollback-fail Topic it is still used");
    account.created("s", &four("a", "/"));
    expect![[r#"
        s CREATE_IN_PROGRESS: User Initiated
        Role CREATE_IN_PROGRESS
        Topic CREATE_IN_PROGRESS
        Role CREATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Resource creation Initiated
        Topic CREATE_IN_PROGRESS (s-Topic-meNoehizqfu4): Resource creation Initiated
        Topic CREATE_COMPLETE (s-Topic-meNoehizqfu4)
        Queue CREATE_IN_PROGRESS
        Queue CREATE_IN_PROGRESS (s-Queue-N8Fd9Rn1D5K7): Resource creation Initiated
        Queue CREATE_COMPLETE (s-Queue-N8Fd9Rn1D5K7)
        Role CREATE_COMPLETE (s-Role-6uHOKRCFCxeH)
        Group CREATE_IN_PROGRESS
        Group CREATE_FAILED: Resource handler returned message: "no" (RequestToken: cd690d60-39f4-a4f1-9caa-197d45ec278c, HandlerErrorCode: GeneralServiceException)
        s ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Group]. Rollback requested by user.
        Group DELETE_COMPLETE
        Role DELETE_IN_PROGRESS (s-Role-6uHOKRCFCxeH)
        Queue DELETE_IN_PROGRESS (s-Queue-N8Fd9Rn1D5K7)
        Queue DELETE_COMPLETE (s-Queue-N8Fd9Rn1D5K7)
        Role DELETE_COMPLETE (s-Role-6uHOKRCFCxeH)
        Topic DELETE_IN_PROGRESS (s-Topic-meNoehizqfu4)
        Topic DELETE_FAILED (s-Topic-meNoehizqfu4): Resource handler returned message: "it is still used" (RequestToken: 0edb3875-05e3-5ff5-a093-7ca5cf3123a9, HandlerErrorCode: GeneralServiceException)
        s ROLLBACK_FAILED: The following resource(s) failed to delete: [Topic].
    "#]].assert_eq(&account.story("s"));
}

#[test]
fn cleanup_that_fails_still_completes_the_update() {
    let account = Account::new();
    account.created("s", &four("a", "/"));
    account.inject("delete-fail Role still assumed");
    account.updated("s", &four("a", "/x/"));
    check(
        &account,
        expect![[r#"
        s UPDATE_IN_PROGRESS: User Initiated
        Role UPDATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Requested update requires the creation of a new physical resource; hence creating one.
        Role UPDATE_IN_PROGRESS (s-Role-fyXzKB4C8DkG): Resource creation Initiated
        Role UPDATE_COMPLETE (s-Role-fyXzKB4C8DkG)
        s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
        Role DELETE_IN_PROGRESS (s-Role-6uHOKRCFCxeH)
        Role DELETE_FAILED (s-Role-6uHOKRCFCxeH): Resource handler returned message: "still assumed" (RequestToken: fc449dbb-b4d4-45de-ecbb-fc5c9cc753d2, HandlerErrorCode: GeneralServiceException)
        s UPDATE_COMPLETE
    "#]],
    );
    assert_eq!(account.sandbox.inventory().len(), 5);
}

#[test]
fn with_rollback_disabled_good_resources_stay() {
    let account = Account::new();
    account.inject("fail Topic no");
    let mut request = account.request("s", &four("a", "/"));
    request.disable_rollback = true;
    super::now(account.connection.stacks.create_stack(request)).expect("accepted");
    account.sandbox.advance(std::time::Duration::from_secs(3600));
    check(
        &account,
        expect![[r#"
        s CREATE_IN_PROGRESS: User Initiated
        Role CREATE_IN_PROGRESS
        Topic CREATE_IN_PROGRESS
        Role CREATE_IN_PROGRESS (s-Role-6uHOKRCFCxeH): Resource creation Initiated
        Topic CREATE_FAILED: Resource handler returned message: "no" (RequestToken: 9dc30339-a2a7-6ee3-5bf4-b7224482fe17, HandlerErrorCode: GeneralServiceException)
        Role CREATE_COMPLETE (s-Role-6uHOKRCFCxeH)
        s CREATE_FAILED: The following resource(s) failed to create: [Topic].
    "#]],
    );
    let next = account.change_set("s", &four("a", "/"));
    assert!(account.execute(&next, false).is_err(), "only a rollback-disabled update is taken");
    account.execute(&next, true).expect("taken");
    account.sandbox.advance(std::time::Duration::from_secs(3600));
    check(
        &account,
        expect![[r#"
            s UPDATE_IN_PROGRESS: User Initiated
            Topic CREATE_IN_PROGRESS
            Topic CREATE_IN_PROGRESS (s-Topic-LmdWPlhDzZQY): Resource creation Initiated
            Topic CREATE_COMPLETE (s-Topic-LmdWPlhDzZQY)
            Queue CREATE_IN_PROGRESS
            Queue CREATE_IN_PROGRESS (s-Queue-9lB32DMCTqVy): Resource creation Initiated
            Queue CREATE_COMPLETE (s-Queue-9lB32DMCTqVy)
            Group CREATE_IN_PROGRESS
            Group CREATE_IN_PROGRESS (s-Group-ry9KeU1HDwYs): Resource creation Initiated
            Group CREATE_COMPLETE (s-Group-ry9KeU1HDwYs)
            s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
            s UPDATE_COMPLETE
        "#]],
    );
}

#[test]
fn an_update_that_cannot_be_taken_back_can_still_be_deleted() {
    let account = Account::new();
    account.created("s", &four("a", "/"));
    let mut wanted = four("b", "/x/");
    wanted["Resources"]["Group"]["Properties"]["RetentionInDays"] = json!(14);
    account.inject("fail Group no");
    account.inject("rollback-fail Topic it will not go back");
    account.updated("s", &wanted);
    assert_eq!(account.status("s").as_str(), "UPDATE_ROLLBACK_FAILED");
    let next = super::now(account.connection.stacks.create_change_set(account.change_set_request("s", &wanted)));
    assert!(super::kind(next).is_some(), "it takes no update");
    account.deleted("s");
    assert_eq!(account.sandbox.inventory(), []);
}

#[test]
fn what_is_retained_stays_and_is_nobody_s() {
    let account = Account::new();
    let mut body = four("a", "/");
    body["Resources"]["Role"]["DeletionPolicy"] = json!("Retain");
    body["Resources"]["Role"]["UpdateReplacePolicy"] = json!("Retain");
    account.created("s", &body);
    body["Resources"]["Role"]["Properties"]["Path"] = json!("/x/");
    account.updated("s", &body);
    assert!(account.story("s").contains("Role DELETE_SKIPPED"), "{}", account.story("s"));
    account.deleted("s");
    let left: Vec<_> =
        account.sandbox.inventory().into_iter().map(|item| (item.resource_type, item.owner_stack)).collect();
    assert_eq!(left, [("AWS::IAM::Role".to_owned(), None), ("AWS::IAM::Role".to_owned(), None)]);
}
