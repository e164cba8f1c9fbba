//! What SageMaker refuses of models, configurations and their numbers.

use expect_test::{Expect, expect};
use serde_json::{Map, Value, json};

use super::{Account, endpoint, template};
use crate::cloud::root_cause;

/// Why a stack with this body fails; empty where it does not.
fn check(body: &Value, expect: Expect) {
    let account = Account::new();
    account.created("s", body);
    let reason = root_cause(&account.events("s")).and_then(|event| event.reason.clone()).unwrap_or_default();
    let said = reason.split_once('"').and_then(|(_, rest)| rest.rsplit_once("\" (Req")).map(|(said, _)| said);
    expect.assert_eq(said.unwrap_or(&reason));
}

/// An endpoint of one instance, with a member changed.
fn with(pointer: &str, member: &str, value: Value) -> Value {
    let mut body = endpoint("tei:1", "ml.m5.xlarge", false);
    body.pointer_mut(pointer).expect("it is there")[member] = value;
    body
}

#[test]
fn images_come_from_the_registry_of_the_region() {
    let image = |image: &str| with("/Resources/Model/Properties/PrimaryContainer", "Image", json!(image));
    check(&image("123456789012.dkr.ecr.us-east-1.amazonaws.com/vllm:1"), expect![""]);
    check(
        &image("123456789012.dkr.ecr.eu-west-1.amazonaws.com/vllm:1"),
        expect![[
            r#"Region of "123456789012.dkr.ecr.eu-west-1.amazonaws.com/vllm:1" does not match expected region of us-east-1. Cross region ECR image pulls are not allowed."#
        ]],
    );
    for other in ["registry.example.com/team/vllm:1", "vllm/vllm-openai:latest", "12.dkr.ecr.us-east-1.amazonaws.com/a"]
    {
        let account = Account::new();
        account.created("s", &image(other));
        let reason = root_cause(&account.events("s")).and_then(|event| event.reason.clone()).unwrap_or_default();
        assert!(reason.contains("without Vpc repository access mode is not supported"), "{other}: {reason}");
    }
    let mut reached = image("registry.example.com/team/vllm:1");
    reached["Resources"]["Model"]["Properties"]["PrimaryContainer"]["ImageConfig"] =
        json!({ "RepositoryAccessMode": "Vpc" });
    check(&reached, expect![""]);
}

#[test]
fn environments_have_limits() {
    let environment = |variables: Value| with("/Resources/Model/Properties/PrimaryContainer", "Environment", variables);
    let many = |count: usize, bytes: usize| {
        Value::Object((0..count).map(|at| (format!("V{at:03}"), json!("x".repeat(bytes)))).collect::<Map<_, _>>())
    };
    check(&environment(many(100, 10)), expect![""]);
    check(
        &environment(many(101, 10)),
        expect![
            "1 validation error detected: Value at 'primaryContainer.environment' failed to satisfy constraint: Member must have length less than or equal to 100"
        ],
    );
    check(&environment(many(1, 1024)), expect![""]);
    check(
        &environment(many(1, 1025)),
        expect![[
            r#"1 validation error detected: Value at 'primaryContainer.environment' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [\S\s]*]"#
        ]],
    );
    check(
        &environment(json!({ "max-length": "1" })),
        expect![
            "1 validation error detected: Value at 'primaryContainer.environment' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]"
        ],
    );
    check(&environment(many(32, 1020)), expect![""]);
    check(&environment(many(32, 1021)), expect!["The environment has 32800 bytes, more than 32768"]);
}

#[test]
fn variants_have_instances_that_host_and_numbers_within_bounds() {
    let variant =
        |member: &str, value: Value| with("/Resources/EndpointConfig/Properties/ProductionVariants/0", member, value);
    for unknown in ["ml.g6.xlage", "m5.xlarge"] {
        let account = Account::new();
        account.created("s", &variant("InstanceType", json!(unknown)));
        let reason = root_cause(&account.events("s")).and_then(|event| event.reason.clone()).unwrap_or_default();
        let said = format!("Value '{unknown}' at 'productionVariants.1.member.instanceType' failed");
        assert!(reason.contains(&said), "{unknown}: {reason}");
    }
    check(
        &variant("InstanceType", json!("ml.p3.2xlarge")),
        expect!["The instance type ml.p3.2xlarge is not available for endpoints in us-east-1"],
    );
    check(&variant("VolumeSizeInGB", json!(512)), expect![""]);
    check(
        &variant("VolumeSizeInGB", json!(513)),
        expect![
            "1 validation error detected: Value '513' at 'productionVariants.1.member.volumeSizeInGB' failed to satisfy constraint: Member must have value less than or equal to 512"
        ],
    );
    check(
        &variant("ContainerStartupHealthCheckTimeoutInSeconds", json!(59)),
        expect![
            "1 validation error detected: Value '59' at 'productionVariants.1.member.containerStartupHealthCheckTimeoutInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"
        ],
    );
    check(
        &variant("InitialInstanceCount", json!(0)),
        expect![
            "1 validation error detected: Value '0' at 'productionVariants.1.member.initialInstanceCount' failed to satisfy constraint: Member must have value greater than or equal to 1"
        ],
    );
}

#[test]
fn components_take_fewer_variables() {
    let variables: Map<String, Value> = (0..17).map(|at| (format!("V{at}"), json!("x"))).collect();
    let component = json!({ "Type": "AWS::SageMaker::InferenceComponent", "Properties": {
        "EndpointName": "chat",
        "VariantName": "AllTraffic",
        "Specification": {
            "Container": { "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/vllm:1", "Environment": variables },
            "ComputeResourceRequirements": { "MinMemoryRequiredInMb": 1024 },
        },
        "RuntimeConfig": { "CopyCount": 1 },
    } });
    check(
        &template(json!({ "Component": component })),
        expect![
            "1 validation error detected: Value at 'specification.container.environment' failed to satisfy constraint: Member must have length less than or equal to 16"
        ],
    );
}
