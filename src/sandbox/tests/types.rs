//! Any type of the registry.

use expect_test::expect;
use serde_json::{Value, json};

use super::{Account, template};
use crate::{
    catalog::{Catalog, ResourceType, ValueKind},
    cloud::{ResourceStatus, StackStatus},
    diagnostic::Path,
};

/// The least a type takes, without looking below the top level.
fn least(kind: &ResourceType) -> Option<Value> {
    let mut properties = serde_json::Map::new();
    for name in kind.required() {
        let value = kind.kinds(Path::default().at(name)).first().and_then(|kind| match kind {
            ValueKind::String | ValueKind::Any => Some(json!("x")),
            ValueKind::Integer | ValueKind::Number => Some(json!(1)),
            ValueKind::Boolean => Some(json!(true)),
            ValueKind::Array(_) => Some(json!([])),
            ValueKind::Object(None) => Some(json!({})),
            ValueKind::Object(Some(_)) => None,
        })?;
        properties.insert(name.to_owned(), value);
    }
    let properties = Value::Object(properties);
    kind.misfits(&properties).is_empty().then_some(properties)
}

/// A property that takes text and is not needed for the identity, for a reference.
fn open_property(kind: &ResourceType) -> Option<String> {
    let fits = |name: &&String| {
        let path = Path::default().at(name);
        kind.kinds(&path) == [&ValueKind::String] && !kind.is_read_only(path) && !name.contains("Name")
    };
    kind.properties().keys().find(fits).cloned()
}

fn behaves(name: &str) -> bool {
    ["AWS::SageMaker::", "AWS::IAM::", "AWS::ApplicationAutoScaling::", "AWS::CloudFormation::"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[test]
fn ten_types_at_random_chained_by_ref_and_get_att() {
    let catalog = Catalog::embedded();
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut resources = serde_json::Map::new();
        let mut before: Option<(String, &ResourceType)> = None;
        while resources.len() < 10 {
            let name = random.choice(catalog.resource_type_names()).expect("types");
            let kind = catalog.resource_type(name).expect("a listed type");
            let (Some(mut properties), Some(link)) = (least(kind), open_property(kind)) else { continue };
            if behaves(name) {
                continue;
            }
            if let Some((id, kind)) = &before {
                let is_text = |name: &&String| kind.kinds(name.split('.').collect::<Path>()) == [&ValueKind::String];
                let attribute = kind.attributes().iter().find(is_text);
                properties[&link] = match attribute.filter(|_| random.bool()) {
                    Some(attribute) => json!({"Fn::GetAtt": [id, attribute]}),
                    None => json!({"Ref": id}),
                };
            }
            let id = format!("R{}", resources.len());
            resources.insert(id.clone(), json!({"Type": name, "Properties": properties}));
            before = Some((id, kind));
        }
        let account = Account::new();
        let body = template(Value::Object(resources));
        account.created("s", &body);
        assert_eq!(account.status("s"), StackStatus::CreateComplete, "{body}\n{}", account.story("s"));
        assert!(account.change_set("s", &body).is_empty_update());
        account.deleted("s");
        assert_eq!(account.sandbox.inventory(), []);
    }
}

#[test]
fn properties_are_checked_by_the_schema() {
    let reason = |properties: Value| {
        let account = Account::new();
        account.created("s", &template(json!({"R": {"Type": "AWS::Logs::MetricFilter", "Properties": properties}})));
        let events = account.events("s");
        let failed = events.into_iter().find(|event| event.status == ResourceStatus::CreateFailed);
        failed.and_then(|event| event.reason).unwrap_or_default()
    };
    let good = json!({"LogGroupName": "g", "FilterPattern": "", "MetricTransformations": []});
    assert_eq!(reason(good.clone()), "");
    let mut unknown = good.clone();
    unknown["Patern"] = json!("x");
    expect!["Properties validation failed for resource R with message: [#: extraneous key [Patern] is not permitted]"]
        .assert_eq(&reason(unknown));
    expect!["Properties validation failed for resource R with message: [#: required key [FilterPattern] not found; #: required key [MetricTransformations] not found]"].assert_eq(&reason(json!({"LogGroupName": "g"})));
    let topic = |properties: Value| template(json!({"R": {"Type": "AWS::SNS::Topic", "Properties": properties}}));
    let account = Account::new();
    account.created("s", &topic(json!({"TopicArn": "arn:aws:sns:x"})));
    expect![[r#"
        s CREATE_IN_PROGRESS: User Initiated
        R CREATE_IN_PROGRESS
        R CREATE_FAILED: Properties validation failed for resource R with message: [#: read-only key [TopicArn] cannot be given]
        s ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [R]. Rollback requested by user.
        R DELETE_COMPLETE
        s ROLLBACK_COMPLETE
    "#]].assert_eq(&account.story("s"));
}

#[test]
fn names_collide_and_fixed_names_cannot_be_replaced() {
    let account = Account::new();
    let group = |class: &str| {
        template(json!({"G": {"Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "fixed", "LogGroupClass": class}}}))
    };
    account.created("a", &group("STANDARD"));
    account.created("b", &group("STANDARD"));
    expect![[r#"
        b CREATE_IN_PROGRESS: User Initiated
        G CREATE_IN_PROGRESS
        G CREATE_FAILED: Resource handler returned message: "Resource of type 'AWS::Logs::LogGroup' with identifier 'fixed' already exists." (RequestToken: ba1a4334-4feb-6476-8bbc-1a9e0f3e57b9, HandlerErrorCode: AlreadyExists)
        b ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [G]. Rollback requested by user.
        G DELETE_COMPLETE
        b ROLLBACK_COMPLETE
    "#]].assert_eq(&account.story("b"));
    let stream = |group: &str| {
        template(json!({"S": {"Type": "AWS::SageMaker::Model", "Properties": {"ModelName": "fixed",
            "PrimaryContainer": {"Image": format!("763104351884.dkr.ecr.us-east-1.amazonaws.com/{group}")}}}}))
    };
    account.created("m", &stream("a"));
    account.updated("m", &stream("b"));
    expect![[r#"
        m UPDATE_IN_PROGRESS: User Initiated
        S UPDATE_IN_PROGRESS (fixed): Requested update requires the creation of a new physical resource; hence creating one.
        S UPDATE_FAILED (fixed): CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename fixed and update the stack again.
        m UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to update: [S].
        S UPDATE_IN_PROGRESS (fixed)
        S UPDATE_COMPLETE (fixed)
        m UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
        m UPDATE_ROLLBACK_COMPLETE
    "#]].assert_eq(&account.story("m"));
}
