//! Whose role an endpoint runs with, and what that role is allowed.

use super::*;
use crate::resolve::ParameterValue;

#[test]
fn a_role_is_generated_with_the_least_that_is_needed_when_nobody_says() {
    encoder("").role(expect![[r#"
        accounts: []
        services: []
        source: "own"
        users: ["sagemaker.amazonaws.com"]
    "#]]);
}

#[test]
fn a_role_by_arn_is_named_to_be_looked_up() {
    let run = encoder("role: 'arn:aws:iam::${account}:role/own'").account("123456789012");
    run.role(expect![[r#"
        arn: "arn:aws:iam::123456789012:role/own"
        source: "arn"
    "#]]);
    let (resolved, ..) = run.resolved();
    assert_eq!(
        resolved.named_roles.iter().map(|role| &*role.arn).collect::<Vec<_>>(),
        ["arn:aws:iam::123456789012:role/own"]
    );
}

#[test]
fn a_role_manifest_is_a_stack_of_its_own_that_stands_first() {
    let run = encoder("role: shared").and("Role", "shared", "");
    run.role(expect![[r#"
        source: "parameter"
    "#]]);
    let stack = run.stack();
    assert_eq!(stack.envelope.needs.iter().map(|needed| &*needed.name).collect::<Vec<_>>(), ["default-role-shared"]);
    assert!(matches!(&stack.envelope.parameters["RoleArn"], ParameterValue::Output { key, .. } if key == "RoleArn"));
}

fn shared() -> TestRun {
    let model = |name: &str| format!("model: {{s3: 's3://b/{name}/', task: feature-extraction, engine: tei}}");
    let s3 = |name: &str, more: &str| format!("{}\nhardware: ml.m5.xlarge\nrole: shared\n{more}", model(name));
    TestRun::default()
        .and("Role", "shared", "")
        .and("Endpoint", "one", &s3("one", "network: {subnets: [subnet-a], securityGroups: [sg-a]}"))
        .and("Endpoint", "two", &s3("two", "capture: {percent: 1%, s3: 's3://seen/two'}"))
        .and("Endpoint", "three", &s3("two", "encryption: {kmsKey: {ssm: /key}}"))
}

#[test]
fn a_shared_role_is_allowed_what_all_of_its_users_need_once() {
    let (resolved, ..) = shared().resolved();
    let role =
        resolved.stacks.iter().find(|stack| stack.identity.kind == crate::manifest::Kind::Role).expect("it is there");
    expect![[r#"
        {"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogStreams","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"},"Sid":"WriteLogs"}
        {"Action":["cloudwatch:PutMetricData","ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*","Sid":"ActionsWithoutAResource"}
        {"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ecr:us-east-1:683313688378:repository/tei-cpu"}],"Sid":"PullImages"}
        {"Action":"s3:GetObject","Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/one/*"},{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/two/*"}],"Sid":"ReadModels"}
        {"Action":"s3:ListBucket","Condition":{"StringLike":{"s3:prefix":["one/*","two/*"]}},"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:s3:::b"}}
        {"Action":"s3:PutObject","Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:s3:::seen/two/*"}],"Sid":"WriteObjects"}
        {"Action":["kms:Decrypt","kms:DescribeKey","kms:GenerateDataKey"],"Effect":"Allow","Resource":["{{resolve:ssm:/key}}"],"Sid":"UseKeys"}
        {"Action":"kms:CreateGrant","Condition":{"Bool":{"kms:GrantIsForAWSResource":true}},"Effect":"Allow","Resource":["{{resolve:ssm:/key}}"],"Sid":"GrantKeysToServices"}
        {"Action":["ec2:CreateNetworkInterface","ec2:CreateNetworkInterfacePermission","ec2:DeleteNetworkInterface","ec2:DeleteNetworkInterfacePermission"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"},{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:*:security-group/*"},{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:*:subnet/*"}],"Sid":"ManageNetworkInterfaces"}
        {"Action":["ec2:DescribeDhcpOptions","ec2:DescribeNetworkInterfaces","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVpcs"],"Effect":"Allow","Resource":"*","Sid":"DescribeNetworks"}
    "#]]
    .assert_eq(&part(role, "access"));
}

#[test]
fn a_role_that_nobody_uses_is_allowed_what_every_endpoint_needs() {
    TestRun::default().and("Role", "idle", "").access(expect![[r#"
        {"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogStreams","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"},"Sid":"WriteLogs"}
        {"Action":["cloudwatch:PutMetricData","ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*","Sid":"ActionsWithoutAResource"}
    "#]]);
}

#[test]
fn the_environments_role_holds_unless_the_endpoint_says_its_own_or_none() {
    let theirs = "defaults: {role: 'arn:aws:iam::123456789012:role/theirs'}";
    encoder("").environment(theirs).role(expect![[r#"
        arn: "arn:aws:iam::123456789012:role/theirs"
        source: "arn"
    "#]]);
    encoder("role: 'arn:aws:iam::123456789012:role/ours'").environment(theirs).role(expect![[r#"
        arn: "arn:aws:iam::123456789012:role/ours"
        source: "arn"
    "#]]);
    encoder("role: none").environment(theirs).access(expect![[r#"
        {"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogStreams","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"},"Sid":"WriteLogs"}
        {"Action":["cloudwatch:PutMetricData","ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*","Sid":"ActionsWithoutAResource"}
        {"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ecr:us-east-1:683313688378:repository/tei-cpu"}],"Sid":"PullImages"}
    "#]]);
}

#[test]
fn a_role_in_place_adds_to_the_generated_one() {
    let statement = "{Effect: Allow, Action: 's3:GetObject', Resource: '*'}";
    encoder(&format!(
        "role: {{statements: [{statement}], managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess']}}"
    ))
    .access(expect![[r#"
        {"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogStreams","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"},"Sid":"WriteLogs"}
        {"Action":["cloudwatch:PutMetricData","ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*","Sid":"ActionsWithoutAResource"}
        {"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ecr:us-east-1:683313688378:repository/tei-cpu"}],"Sid":"PullImages"}
        {"Action":"s3:GetObject","Effect":"Allow","Resource":"*"}
    "#]]);
}

#[test]
fn sagemaker_is_trusted_and_others_apart_by_service_and_account() {
    encoder("role: {trust: [lambda.amazonaws.com, '123456789012', 'arn:aws:iam::123456789012:role/ci', sagemaker.amazonaws.com]}")
        .role(expect![[r#"
            accounts: ["123456789012","arn:aws:iam::123456789012:role/ci"]
            services: ["lambda.amazonaws.com","sagemaker.amazonaws.com"]
            source: "own"
            users: ["sagemaker.amazonaws.com"]
        "#]]);
}

#[test]
fn the_environments_boundary_holds_unless_the_role_says_its_own_or_none() {
    let theirs = "permissionsBoundary: {ssm: /iam/boundary}";
    let with = |role: &str| encoder(&format!("role: {{{role}}}")).environment(theirs);
    with("").boundary(expect![[r#""{{resolve:ssm:/iam/boundary}}""#]]);
    with("permissionsBoundary: 'arn:aws:iam::123456789012:policy/ours'")
        .boundary(expect![[r#""arn:aws:iam::123456789012:policy/ours""#]]);
    with("permissionsBoundary: none").boundary(expect!["nothing"]);
    TestRun::default()
        .and("Role", "shared", "")
        .environment(theirs)
        .boundary(expect![[r#""{{resolve:ssm:/iam/boundary}}""#]]);
}
