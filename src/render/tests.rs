//! From manifests to bodies, through resolving.

mod demonstration;
mod views;

use expect_test::{Expect, expect};

use super::{Templates, render, yaml};
use crate::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::SourceMap,
    manifest::{SourceText, environments, parse},
    resolve::{Facts, Scope, outputs, resolve},
};

const FIVE_LINES: &str = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: embeddings}\nspec:\n  model: BAAI/bge-small-en-v1.5\n";

/// Bodies of all stacks, then findings, one a line.
fn rendered(manifests: &str) -> String {
    rendered_with(manifests, Templates::embedded())
}

fn rendered_with(manifests: &str, templates: &Templates) -> String {
    let mut sources = SourceMap::default();
    let input = SourceText { name: "x.yaml".into(), bytes: manifests.into(), named: true };
    let (manifests, mut found) = parse(vec![input], &mut sources);
    let (sets, more) = environments(manifests, None);
    found.extend(more);
    let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
    let scopes: Vec<_> = sets.into_iter().map(|set| Scope::new(set, target.clone())).collect();
    let (resolved, more) = resolve(&scopes, &Facts::known(), Catalog::embedded());
    found.extend(more);
    let (specs, more) = render(resolved.stacks, templates, &sources);
    found.extend(more);
    let bodies: String =
        specs.iter().map(|spec| format!("--- {}\n{}", spec.identity.stack.name, yaml(&spec.body))).collect();
    let findings = found.sorted().into_iter().map(|d| format!("{}: {}\n", d.code.number(), d.message));
    bodies + &findings.collect::<String>()
}

fn check(manifests: &str, expect: Expect) {
    expect.assert_eq(&rendered(manifests));
}

#[test]
fn five_lines_make_an_endpoint() {
    check(
        FIVE_LINES,
        expect![[r#"
            --- default-endpoint-embeddings
            AWSTemplateFormatVersion: '2010-09-09'
            Description: Endpoint embeddings of environment default, made by hubform.
            Metadata:
              Hubform:
                Kind: Endpoint
                Name: embeddings
                Needs: []
            Resources:
              Endpoint:
                Type: AWS::SageMaker::Endpoint
                Properties:
                  DeploymentConfig:
                    AutoRollbackConfiguration:
                      Alarms:
                      - AlarmName:
                          Ref: ErrorAlarm
                    BlueGreenUpdatePolicy:
                      TrafficRoutingConfiguration:
                        Type: ALL_AT_ONCE
                        WaitIntervalInSeconds: 300
                  EndpointConfigName:
                    Fn::GetAtt:
                    - EndpointConfig
                    - EndpointConfigName
                  EndpointName: default-endpoint-embeddings
              EndpointConfig:
                Type: AWS::SageMaker::EndpointConfig
                Properties:
                  ProductionVariants:
                  - ContainerStartupHealthCheckTimeoutInSeconds: 600
                    InitialInstanceCount: 1
                    InitialVariantWeight: 1
                    InstanceType: ml.c7i.large
                    ModelName:
                      Fn::GetAtt:
                      - Model
                      - ModelName
                    VariantName: AllTraffic
              ErrorAlarm:
                Type: AWS::CloudWatch::Alarm
                Properties:
                  AlarmDescription: More than 5% of the requests to default-endpoint-embeddings are answered with a server error.
                  ComparisonOperator: GreaterThanThreshold
                  DatapointsToAlarm: 2
                  EvaluationPeriods: 3
                  Metrics:
                  - Expression: IF(calls > 0, 100 * errors / calls, 0)
                    Id: rate
                    Label: 5XX rate, percent
                    ReturnData: true
                  - Id: errors
                    MetricStat:
                      Metric:
                        Dimensions:
                        - Name: EndpointName
                          Value: default-endpoint-embeddings
                        - Name: VariantName
                          Value: AllTraffic
                        MetricName: Invocation5XXErrors
                        Namespace: AWS/SageMaker
                      Period: 60
                      Stat: Sum
                    ReturnData: false
                  - Id: calls
                    MetricStat:
                      Metric:
                        Dimensions:
                        - Name: EndpointName
                          Value: default-endpoint-embeddings
                        - Name: VariantName
                          Value: AllTraffic
                        MetricName: Invocations
                        Namespace: AWS/SageMaker
                      Period: 60
                      Stat: Sum
                    ReturnData: false
                  Threshold: 5
                  TreatMissingData: notBreaching
              ExecutionRole:
                Type: AWS::IAM::Role
                Properties:
                  AssumeRolePolicyDocument:
                    Statement:
                    - Action: sts:AssumeRole
                      Condition:
                        StringEquals:
                          aws:SourceAccount:
                            Ref: AWS::AccountId
                      Effect: Allow
                      Principal:
                        Service:
                        - sagemaker.amazonaws.com
                    Version: '2012-10-17'
                  Policies:
                  - PolicyDocument:
                      Statement:
                      - Action:
                        - logs:CreateLogGroup
                        - logs:CreateLogStream
                        - logs:DescribeLogStreams
                        - logs:PutLogEvents
                        Effect: Allow
                        Resource:
                          Fn::Sub: arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*
                        Sid: WriteLogs
                      - Action:
                        - cloudwatch:PutMetricData
                        - ecr:GetAuthorizationToken
                        Effect: Allow
                        Resource: '*'
                        Sid: ActionsWithoutAResource
                      - Action:
                        - ecr:BatchCheckLayerAvailability
                        - ecr:BatchGetImage
                        - ecr:GetDownloadUrlForLayer
                        Effect: Allow
                        Resource:
                        - Fn::Sub: arn:${AWS::Partition}:ecr:us-east-1:683313688378:repository/tei-cpu
                        Sid: PullImages
                      Version: '2012-10-17'
                    PolicyName: hubform
              Model:
                Type: AWS::SageMaker::Model
                Properties:
                  ExecutionRoleArn:
                    Fn::GetAtt:
                    - ExecutionRole
                    - Arn
                  PrimaryContainer:
                    Environment:
                      HF_MODEL_ID: BAAI/bge-small-en-v1.5
                      HF_MODEL_REVISION: 5c38ec7c405ec4b44b94cc5a9bb96e735b38267a
                    Image: 683313688378.dkr.ecr.us-east-1.amazonaws.com/tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04
            Outputs:
              EndpointArn:
                Value:
                  Ref: Endpoint
              EndpointConfigName:
                Value:
                  Fn::GetAtt:
                  - EndpointConfig
                  - EndpointConfigName
              EndpointName:
                Value:
                  Fn::GetAtt:
                  - Endpoint
                  - EndpointName
              HubformDigest:
                Value: 8d0440e747974fef4bd07fffc3ec9de6
              HubformVersion:
                Value: 0.1.0
              RoleArn:
                Value:
                  Fn::GetAtt:
                  - ExecutionRole
                  - Arn
        "#]],
    );
}

/// What a section, a resource or an output may wrongly be.
const SHAPES: [&str; 20] = [
    "text",
    "12",
    "true",
    "~",
    "[]",
    "[1, {A: b}]",
    "{}",
    "{A: 1}",
    "{A: ~}",
    "{A: []}",
    "{A: text, Hubform: text}",
    "{A: {}}",
    "{A: {Type: 1}}",
    "{A: {Type: [x], Properties: text}}",
    "{A: {Type: AWS::IAM::Role, Properties: [1]}}",
    "{A: {Type: AWS::IAM::Role, Properties: {RoleName: ~}}, Endpoint: text}",
    "{Endpoint: {Type: AWS::SageMaker::Endpoint, Properties: text}, HubformDigest: {}}",
    "!Ref A",
    "!Sub '{{ description | value }}'",
    "{{ models | value }}",
];

#[test]
fn no_template_of_a_team_panics() {
    let plain = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: a}\nspec:\n  model: \
        BAAI/bge-small-en-v1.5\n";
    let hatched = format!(
        "{plain}  overrides: {{A: {{Properties: {{Tags: [{{Key: a, Value: b}}]}}}}, Endpoint: \
        [{{op: add, path: /Properties/B, value: c}}]}}\n  outputs: {{Mine: {{Value: a}}}}\n  resources: {{Topic: \
        {{Type: 'AWS::SNS::Topic'}}}}\n"
    );
    let mut random = fastrand::Rng::with_seed(5);
    let (mut sound, mut refused, mut panics) = (0, 0, Vec::new());
    for round in 0..1_200 {
        let mut shape = || SHAPES[random.usize(..SHAPES.len())];
        let (a, b, c, d, e) = (shape(), shape(), shape(), shape(), shape());
        let template = match round % 4 {
            0 => format!("Resources: {a}\nMetadata: {b}\nOutputs: {c}\nParameters: {d}\nTransform: {e}\n"),
            1 => {
                format!("Resources:\n  Endpoint: {{Type: 'AWS::X::Y', Properties: {a}}}\nMetadata: {b}\nOutputs: {c}\n")
            }
            2 => format!(
                "Resources: {{Endpoint: {{Type: 'X', A: {a}}}, A: {b}}}\nConditions: {c}\nMappings: {d}\nRules: {e}\n"
            ),
            _ => format!("{a}\n"),
        };
        let manifests = if round % 8 < 4 { plain } else { &hatched };
        let own = std::collections::BTreeMap::from([("endpoint.yaml.tera".to_owned(), template.clone())]);
        let Ok(templates) = Templates::with(&own) else { continue };
        let drawn = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rendered_with(manifests, &templates)));
        match drawn {
            Ok(text) if text.starts_with("---") => sound += 1,
            Ok(text) => {
                assert!(text.contains("HF300"), "no finding for\n{template}\n{text}");
                refused += 1;
            }
            Err(_) => panics.push(template),
        }
    }
    assert_eq!(panics, [] as [String; 0]);
    assert!(sound > 10 && refused > 1_000, "{sound} are sound, {refused} are refused");
}

#[test]
fn an_endpoint_puts_out_what_code_reads() {
    let text = rendered(FIVE_LINES);
    let (_, own) = text.split_once("\nOutputs:\n").expect("it has outputs");
    for name in [outputs::ENDPOINT_NAME, outputs::ENDPOINT_CONFIG_NAME] {
        assert!(own.contains(&format!("  {name}:\n")), "{name}");
    }
}
