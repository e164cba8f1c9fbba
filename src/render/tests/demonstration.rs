//! What nobody has, deployed: a mode of endpoints and a kind of their own, from a manifest to a body.

use std::collections::BTreeMap;

use expect_test::expect;

use super::{Templates, rendered, rendered_with};
use crate::render::EMBEDDED;

const FAKE: &str = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: oracle}\nspec:\n  model: \
     BAAI/bge-small-en-v1.5\n  mode: fake\n  fake: {answers: s3://answers/of/}\n";

/// The line that a mode with a component of its own adds to the endpoint's template.
fn templates() -> Templates {
    let name = "endpoint.yaml.tera";
    let (_, text) = EMBEDDED.iter().find(|(embedded, _)| *embedded == name).expect("it is embedded");
    let line = "{% if fake is defined %}{% include \"components/fake.yaml.tera\" %}{% endif %}";
    let own = text.replacen("\n  Endpoint:\n", &format!("\n{line}\n  Endpoint:\n"), 1);
    Templates::with(&BTreeMap::from([(name.to_owned(), own)])).expect("they parse")
}

/// The lines of a body from one key on, to the next as far to the left.
fn section<'b>(body: &'b str, key: &str) -> Vec<&'b str> {
    let is_key = |line: &&str| line.trim_start() == format!("{key}:");
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = body.lines().skip_while(|line| !is_key(line));
    let first: Vec<_> = lines.next().into_iter().collect();
    let deep = first.first().map_or(0, |line| indent(line));
    first.into_iter().chain(lines.take_while(|line| indent(line) > deep)).collect()
}

#[test]
fn a_mode_adds_its_part_and_leaves_out_others() {
    let body = rendered_with(FAKE, &templates());
    let shown = [section(&body, "FakeConfig"), section(&body, "Endpoint"), section(&body, "DeploymentConfig")];
    expect![[r#"
        Resources:
              FakeConfig:
                AnswersUri: s3://answers/of/
          Endpoint:
            Type: AWS::SageMaker::Endpoint
            Properties:
              EndpointConfigName:
                Fn::GetAtt:
                - EndpointConfig
                - EndpointConfigName
              EndpointName: default-endpoint-oracle
    "#]]
    .assert_eq(&format!("Resources:\n{}\n", shown.concat().join("\n")));
    assert!(body.contains("arn:${AWS::Partition}:s3:::answers/of/*"), "its role may not write\n{body}");
}

#[test]
fn what_a_mode_leaves_out_is_refused_where_it_is_written() {
    let written = FAKE.to_owned() + "  rollout: {strategy: all-at-once}\n";
    let text = rendered_with(&written, &templates());
    expect!["HF1026: an endpoint in this mode has no `rollout`"].assert_eq(text.lines().last().expect("a finding"));
}

#[test]
fn a_kind_has_its_stack_and_asks_a_shared_role_for_what_it_needs() {
    let shared = "apiVersion: hubform.dev/v1\nkind: Role\nmetadata: {name: serving}\n---\n";
    let body = rendered(&(shared.to_owned() + include_str!("../../manifest/examples/Fortune.yaml")));
    let shown = [section(&body, "AssumeRolePolicyDocument"), section(&body, "Fortune"), section(&body, "Parameters")];
    let shown = shown.concat().join("\n") + "\n";
    expect![[r#"
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
                    - states.amazonaws.com
                Version: '2012-10-17'
          Fortune:
            Type: AWS::StepFunctions::StateMachine
            Properties:
              Definition:
                StartAt: Tell
                States:
                  Tell:
                    End: true
                    Result: You will deploy on a Friday.
                    Type: Pass
              RoleArn:
                Ref: RoleArn
        Parameters:
          RoleArn:
            Type: String
    "#]]
    .assert_eq(&shown);
}
