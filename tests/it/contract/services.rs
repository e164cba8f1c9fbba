//! What is expected of the services beside CloudFormation.

use hubform::cloud::EndpointStatus;
use serde_json::json;

use super::{
    Seen,
    subject::{Subject, fault, role, trust},
};

pub(super) async fn the_caller_has_an_account(subject: &Subject) -> Seen {
    let caller = subject.ports.identity.caller().await.map_err(fault)?;
    let digits = caller.account.len() == 12 && caller.account.bytes().all(|byte| byte.is_ascii_digit());
    let right = digits && caller.arn.starts_with("arn:aws:") && caller.arn.contains(&caller.account);
    if right { Ok(()) } else { Err(format!("{caller:?}")) }
}

pub(super) async fn a_missing_role_is_none(subject: &Subject) -> Seen {
    match subject.ports.iam.get_role("nobody").await.map_err(fault)? {
        None => Ok(()),
        Some(role) => Err(format!("{role:?}")),
    }
}

pub(super) async fn a_role_shows_whom_it_trusts(subject: &Subject) -> Seen {
    let stack = subject.made("trust", role(json!({"Path": "/service/"}), "one")).await?;
    let output = |key: &str| stack.outputs.get(key).cloned().unwrap_or_default();
    let role = subject.ports.iam.get_role(&output("Name")).await.map_err(fault)?.ok_or("the role does not exist")?;
    let right = role.trust == trust() && role.trusts("sagemaker.amazonaws.com") && !role.trusts("ec2.amazonaws.com");
    let named = role.name == output("Name") && role.arn == output("Arn") && role.arn.contains(":role/service/");
    if right && named { Ok(()) } else { Err(format!("{role:?}")) }
}

pub(super) async fn a_missing_endpoint_is_none(subject: &Subject) -> Seen {
    match subject.ports.sagemaker.describe_endpoint("nobody").await.map_err(fault)? {
        None => Ok(()),
        Some(endpoint) => Err(format!("{endpoint:?}")),
    }
}

pub(super) async fn an_endpoint_shows_its_configuration(subject: &Subject) -> Seen {
    let stack = subject.made("endpoint", endpoint("contract-serving")).await?;
    let output = |key: &str| stack.outputs.get(key).cloned().unwrap_or_default();
    let found = subject.ports.sagemaker.describe_endpoint(&output("Endpoint")).await.map_err(fault)?;
    let found = found.ok_or_else(|| format!("no endpoint, but {stack:?}"))?;
    let serving = found.status == EndpointStatus::InService && found.failure_reason.is_none();
    let named = found.name == output("Endpoint") && found.arn.ends_with(&format!("endpoint/{}", output("Endpoint")));
    if serving && named && found.config_name == output("Config") { Ok(()) } else { Err(format!("{found:?} {stack:?}")) }
}

pub(super) async fn an_endpoint_has_the_name_it_was_given(subject: &Subject) -> Seen {
    let stack = subject.made("named-endpoint", endpoint("contract-named")).await?;
    match stack.outputs.get("Endpoint") {
        Some(name) if name == "contract-named" => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn endpoint(name: &str) -> String {
    let image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.6.0-transformers4.51.3-\
                 cpu-py312-ubuntu22.04-v2.0";
    let variant = json!({"VariantName": "AllTraffic", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1,
        "InitialVariantWeight": 1, "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}});
    json!({
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust()}},
            "Model": {"Type": "AWS::SageMaker::Model", "Properties": {
                "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "PrimaryContainer": {"Image": image}}},
            "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
            "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointName": name,
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}},
        },
        "Outputs": {
            "Config": {"Value": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
            "Endpoint": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
        },
    })
    .to_string()
}
