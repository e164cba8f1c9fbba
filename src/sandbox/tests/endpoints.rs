//! SageMaker's endpoints.

use std::time::Duration;

use expect_test::expect;
use serde_json::json;

use super::{Account, endpoint, now};
use crate::cloud::{EndpointDescription, EndpointStatus, ResourceStatus, StackStatus, root_cause};

fn described(account: &Account) -> EndpointDescription {
    now(account.connection.sagemaker.describe_endpoint("chat")).expect("an answer").expect("an endpoint")
}

fn cause(account: &Account) -> String {
    let events = account.events("s");
    let cause = root_cause(&events).expect("a cause");
    format!("{}: {}", cause.logical_id, cause.reason.as_deref().unwrap_or_default())
}

#[test]
fn an_endpoint_takes_its_time() {
    let account = Account::new();
    account.create("s", &endpoint("tei:1", "ml.g5.xlarge", true)).expect("accepted");
    account.sandbox.advance(Duration::from_secs(120));
    assert_eq!(described(&account).status, EndpointStatus::Creating);
    account.sandbox.advance(Duration::from_secs(3600));
    assert_eq!(described(&account).status, EndpointStatus::InService);
    expect![[r#"
        s CREATE_IN_PROGRESS: User Initiated
        ExecutionRole CREATE_IN_PROGRESS
        ExecutionRole CREATE_IN_PROGRESS (s-ExecutionRole-a8XZ1z5wMwst): Resource creation Initiated
        ExecutionRole CREATE_COMPLETE (s-ExecutionRole-a8XZ1z5wMwst)
        Model CREATE_IN_PROGRESS
        Model CREATE_IN_PROGRESS (s-model-jgphoxxgqepm): Resource creation Initiated
        Model CREATE_COMPLETE (s-model-jgphoxxgqepm)
        EndpointConfig CREATE_IN_PROGRESS
        EndpointConfig CREATE_IN_PROGRESS (s-endpointconfig-xhaknbwe6e99): Resource creation Initiated
        EndpointConfig CREATE_COMPLETE (s-endpointconfig-xhaknbwe6e99)
        Endpoint CREATE_IN_PROGRESS
        Endpoint CREATE_IN_PROGRESS (chat): Resource creation Initiated
        Endpoint CREATE_COMPLETE (chat)
        ScalableTarget CREATE_IN_PROGRESS
        ScalableTarget CREATE_IN_PROGRESS (DesiredInstanceCount|sagemaker): Resource creation Initiated
        ScalableTarget CREATE_COMPLETE (DesiredInstanceCount|sagemaker)
        TrackingPolicy CREATE_IN_PROGRESS
        TrackingPolicy CREATE_IN_PROGRESS (track): Resource creation Initiated
        TrackingPolicy CREATE_COMPLETE (track)
        s CREATE_COMPLETE
    "#]]
    .assert_eq(&account.story("s"));
    assert_eq!(Some(&described(&account).config_name), account.stack("s").outputs.get("EndpointConfigName"));
    let events = account.events("s");
    let at = |status| {
        events.iter().find(|event| event.logical_id == "Endpoint" && event.status == status).map(|event| event.at)
    };
    let took =
        at(ResourceStatus::CreateComplete).expect("done").since(at(ResourceStatus::CreateInProgress).expect("begun"));
    assert!((360..=610).contains(&took.as_secs()), "{took:?}");
}

#[test]
fn another_instance_type_needs_three_phases() {
    let account = Account::new();
    account.created("s", &endpoint("tei:1", "ml.m5.xlarge", true));
    account.updated("s", &endpoint("tei:1", "ml.m5.2xlarge", true));
    assert_eq!(account.status("s"), StackStatus::UpdateRollbackComplete);
    let token = cause(&account);
    expect![[r#"Endpoint: Resource handler returned message: "The variant(s) "[AllTraffic]" must be deregistered as a scalable target with AWS Auto Scaling before they can be removed or have their instance type updated.""#]].assert_eq(token.split(" (RequestToken").next().unwrap_or_default());
    for step in [
        endpoint("tei:1", "ml.m5.xlarge", false),
        endpoint("tei:1", "ml.m5.2xlarge", false),
        endpoint("tei:1", "ml.m5.2xlarge", true),
    ] {
        account.updated("s", &step);
        assert_eq!(account.status("s"), StackStatus::UpdateComplete, "{}", account.story("s"));
    }
    account.deleted("s");
    assert_eq!(account.sandbox.inventory(), []);
}

#[test]
fn a_silent_rollback_shows_only_in_the_endpoint() {
    let account = Account::new();
    account.created("s", &endpoint("tei:1", "ml.m5.xlarge", false));
    let before = described(&account).config_name;
    account.inject("silent-rollback chat");
    account.updated("s", &endpoint("tei:2", "ml.m5.xlarge", false));
    assert_eq!(account.status("s"), StackStatus::UpdateComplete);
    let after = described(&account);
    assert_eq!((after.status, &after.config_name), (EndpointStatus::InService, &before));
    assert_ne!(account.stack("s").outputs.get("EndpointConfigName"), Some(&before));
}

#[test]
fn shortage_of_capacity_and_quota_are_told_apart() {
    let account = Account::new();
    account.inject("capacity ml.g5.xlarge");
    account.created("s", &endpoint("tei:1", "ml.g5.xlarge", false));
    assert_eq!(account.status("s"), StackStatus::RollbackComplete);
    assert!(cause(&account).contains("InsufficientInstanceCapacity"), "{}", cause(&account));
    account.deleted("s");
    account.inject("quota ml.g5.xlarge");
    account.created("s", &endpoint("tei:1", "ml.g5.xlarge", false));
    assert!(cause(&account).contains("HandlerErrorCode: ServiceLimitExceeded"), "{}", cause(&account));
    assert_eq!(account.sandbox.inventory(), []);
}

#[test]
fn an_update_without_capacity_leaves_the_endpoint_serving() {
    let account = Account::new();
    account.created("s", &endpoint("tei:1", "ml.g5.xlarge", false));
    let before = described(&account).config_name;
    account.inject("capacity ml.g5.xlarge");
    account.updated("s", &endpoint("tei:2", "ml.g5.xlarge", false));
    expect![[r#"
        s UPDATE_IN_PROGRESS: User Initiated
        Model UPDATE_IN_PROGRESS (s-model-jgphoxxgqepm): Requested update requires the creation of a new physical resource; hence creating one.
        Model UPDATE_IN_PROGRESS (s-model-ng7lwqc85qxl): Resource creation Initiated
        Model UPDATE_COMPLETE (s-model-ng7lwqc85qxl)
        EndpointConfig UPDATE_IN_PROGRESS (s-endpointconfig-xhaknbwe6e99): Requested update requires the creation of a new physical resource; hence creating one.
        EndpointConfig UPDATE_IN_PROGRESS (s-endpointconfig-yv0kzxaq8c5f): Resource creation Initiated
        EndpointConfig UPDATE_COMPLETE (s-endpointconfig-yv0kzxaq8c5f)
        Endpoint UPDATE_IN_PROGRESS (chat)
        Endpoint UPDATE_FAILED (chat): Resource handler returned message: "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a different ML instance type or after some time." (RequestToken: 755bee65-75f7-5f3f-32e0-165762f6a2a8, HandlerErrorCode: NotStabilized)
        s UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [Endpoint].
        Model UPDATE_IN_PROGRESS (s-model-ng7lwqc85qxl)
        Model UPDATE_COMPLETE (s-model-jgphoxxgqepm)
        EndpointConfig UPDATE_IN_PROGRESS (s-endpointconfig-yv0kzxaq8c5f)
        EndpointConfig UPDATE_COMPLETE (s-endpointconfig-xhaknbwe6e99)
        Endpoint UPDATE_IN_PROGRESS (chat)
        Endpoint UPDATE_COMPLETE (chat)
        s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
        EndpointConfig DELETE_IN_PROGRESS (s-endpointconfig-yv0kzxaq8c5f)
        EndpointConfig DELETE_COMPLETE (s-endpointconfig-yv0kzxaq8c5f)
        Model DELETE_IN_PROGRESS (s-model-ng7lwqc85qxl)
        Model DELETE_COMPLETE (s-model-ng7lwqc85qxl)
        s UPDATE_ROLLBACK_COMPLETE
    "#]].assert_eq(&account.story("s"));
    let after = described(&account);
    assert_eq!((after.status, after.config_name, after.failure_reason), (EndpointStatus::InService, before, None));
    assert_eq!(account.sandbox.inventory().len(), 4);
}

#[test]
fn what_an_endpoint_names_must_exist() {
    let account = Account::new();
    let mut body = endpoint("tei:1", "ml.g5.xlarge", false);
    body["Resources"]["EndpointConfig"]["Properties"]["ProductionVariants"][0]["InstanceType"] = json!("ml.p3.2xlarge");
    account.created("s", &body);
    expect![[r#"EndpointConfig: Resource handler returned message: "The instance type ml.p3.2xlarge is not available for endpoints in us-east-1""#]].assert_eq(cause(&account).split(" (Req").next().unwrap_or_default());
    account.deleted("s");
    account.created("s", &endpoint("tei:1", "ml.m5.xlarge", false));
    let mut wanted = endpoint("tei:2", "ml.m5.xlarge", false);
    wanted["Resources"]["Endpoint"]["Properties"]["DeploymentConfig"] = json!({
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE"}},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "nobody"}]},
    });
    account.updated("s", &wanted);
    expect![[r#"Endpoint: Resource handler returned message: "CloudWatch alarms [nobody] were not found""#]]
        .assert_eq(cause(&account).split(" (Req").next().unwrap_or_default());
}

#[test]
fn what_is_stuck_fails_when_its_time_is_up() {
    let account = Account::new();
    account.inject("stuck Endpoint");
    account.create("s", &endpoint("tei:1", "ml.m5.xlarge", false)).expect("accepted");
    account.sandbox.advance(Duration::from_secs(150 * 60));
    assert_eq!(account.status("s"), StackStatus::CreateInProgress);
    account.sandbox.advance(Duration::from_secs(30 * 60));
    assert_eq!(account.status("s"), StackStatus::RollbackComplete);
    assert!(cause(&account).contains("NotStabilized"));
}
