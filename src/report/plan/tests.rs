//! One plan with everything in it, in each form.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};
use serde_json::json;

use super::{human, json as for_programs, markdown};
use crate::{
    cloud::{Replacement, StackOptions, StackRef, StackStatus, Tags, Target, Timestamp},
    diagnostic::Position,
    plan::{
        Action, ChangeKind, FORMAT, Gate, Observed, Operation, Phase, Plan, PlannedEnvironment, PropertyChange,
        ResourceChange, Step, Submission,
    },
    render::{Check, Choice, Identity, Origins},
    report::Context,
};

fn target() -> Target {
    Target { account: None, region: "us-east-1".into(), assume_role: None }
}

fn named(name: &str) -> StackRef {
    StackRef { target: target(), name: name.into() }
}

fn identity(kind: &str, name: &str) -> Identity {
    let stack = named(&format!("dev-{}-{name}", kind.to_lowercase()));
    Identity { stack, environment: "dev".into(), kind: kind.into(), name: name.into() }
}

fn position(line: usize) -> Position {
    Position { file: "chat.yaml".into(), line, column: 7 }
}

fn submission() -> Submission {
    Submission {
        body: "body".into(),
        digest: "d".into(),
        parameters: BTreeMap::new(),
        previous: BTreeSet::new(),
        tags: Tags::new(),
        capabilities: BTreeSet::new(),
        options: StackOptions::default(),
        termination_protection: false,
    }
}

fn phase(number: usize, purpose: &str) -> Operation {
    let phase = Phase { number, of: 2, purpose: purpose.into(), clears: BTreeSet::new() };
    Operation::Update {
        submission: submission(),
        gate: Gate::default(),
        phase: Some(phase),
        half: None,
        after: Vec::new(),
    }
}

fn property(path: &'static str, before: Option<&str>, after: Option<&str>, replacement: Replacement) -> PropertyChange {
    PropertyChange {
        path: path.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
        replacement,
        because: None,
        overridden: false,
        position: Some(position(9)),
    }
}

fn changes() -> Vec<ResourceChange> {
    let because = PropertyChange {
        because: Some("EndpointConfig.EndpointConfigName".into()),
        ..property("EndpointConfigName", None, None, Replacement::False)
    };
    let overridden =
        PropertyChange { overridden: true, ..property("KmsKeyId", None, Some("alias/x"), Replacement::False) };
    let kept = |logical_id: &str, replacement, properties| ResourceChange {
        logical_id: logical_id.into(),
        resource_type: format!("AWS::SageMaker::{logical_id}"),
        kind: ChangeKind::Modify,
        replacement,
        properties,
    };
    let instance = property("Variants/0/InstanceType", Some("ml.g5.xlarge"), Some("ml.g6.xlarge"), Replacement::True);
    vec![
        kept("EndpointConfig", Replacement::True, vec![instance, overridden]),
        kept("Endpoint", Replacement::False, vec![because]),
    ]
}

fn step(kind: &str, name: &str, action: Action, operations: Vec<Operation>) -> Step {
    let observed = Observed {
        id: "arn".into(),
        status: StackStatus::CreateComplete,
        changed_at: Timestamp(0),
        outputs: BTreeMap::new(),
        protected: false,
        owner: None,
    };
    Step {
        identity: identity(kind, name),
        action,
        observed: (action != Action::Create).then_some(observed),
        needs: BTreeSet::new(),
        operations,
        restore: None,
        between: BTreeMap::new(),
        aside: BTreeSet::new(),
        held: BTreeSet::new(),
        predicate: false,
        changes: Vec::new(),
        reasons: Vec::new(),
        choices: Vec::new(),
        checks: Vec::new(),
        origins: Origins { manifest: position(1), properties: BTreeMap::new() },
    }
}

fn plan() -> Plan {
    let create = Operation::Create { submission: submission(), validate: false };
    let choice = |what: &str, pinned| Choice {
        what: what.into(),
        value: "ml.g6.xlarge".into(),
        reason: "smallest that fits; 1.1267 USD/h listed 2026-09-01".into(),
        pinned,
        today: None,
    };
    let mut new = step("Endpoint", "embeddings", Action::Create, vec![create]);
    new.needs = [named("dev-role-models")].into();
    new.choices = vec![choice("instance", false)];
    let mut moved = step("Endpoint", "chat", Action::Update, vec![phase(1, "take it out"), phase(2, "put it back")]);
    moved.changes = changes();
    moved.reasons = vec!["takes two updates".into()];
    moved.choices = vec![choice("instance", true)];
    moved.checks = vec![Check::runs("chat".into())];
    let plain = Operation::update(submission(), Gate::default());
    let mut role = step("Role", "models", Action::Update, vec![plain]);
    role.predicate = true;
    let gone = step("Role", "old", Action::Delete, vec![Operation::Delete { role_arn: None }]);
    let kept = step("Role", "kept", Action::Keep, Vec::new());
    let body = json!({"Resources": {"A": {"Type": "AWS::CloudWatch::Alarm"}, "B": {"Type": "AWS::CloudWatch::Alarm"},
                                    "E": {"Type": "AWS::SageMaker::Endpoint"}}});
    Plan {
        format: FORMAT,
        nonce: "n".into(),
        environments: vec![PlannedEnvironment {
            name: "dev".into(),
            owner: None,
            target: target(),
            account: "1".repeat(12),
        }],
        bodies: [("body".to_owned(), body.to_string().into())].into(),
        steps: vec![role, new, moved, gone, kept],
        left_behind: vec![identity("Role", "lost")],
        allowed: BTreeSet::new(),
        adopted: BTreeSet::new(),
    }
}

fn check(form: impl Fn(&Plan, &Context<'_>) -> String, width: usize, unicode: bool, expect: Expect) {
    let context = Context { width, unicode, color: false, label: Some("imagined account") };
    expect.assert_eq(&form(&plan(), &context));
}

#[test]
fn on_a_wide_terminal() {
    check(
        human,
        100,
        true,
        expect![[r#"
            Environment dev: account 111111111111, us-east-1 [imagined account]

              ~ update Role/models, stack dev-role-models
                  uses outputs of stacks that change: may change less than this, or nothing

              + create Endpoint/embeddings, stack dev-endpoint-embeddings
                  3 resources: 2 CloudWatch::Alarm, SageMaker::Endpoint
                  instance ml.g6.xlarge: smallest that fits; 1.1267 USD/h listed 2026-09-01
                  after Role/models

              ± update with replacement Endpoint/chat, stack dev-endpoint-chat
                  ± EndpointConfig (AWS::SageMaker::EndpointConfig), replaced
                      Variants/0/InstanceType: "ml.g5.xlarge" → "ml.g6.xlarge"; forces replacement;
                        chat.yaml:9:7
                      KmsKeyId: unset → "alias/x" (overridden); chat.yaml:9:7
                  ~ Endpoint (AWS::SageMaker::Endpoint)
                      EndpointConfigName: known later; because EndpointConfig.EndpointConfigName is replaced
                  in 2 phases:
                    1. take it out
                    2. put it back
                  as pinned: instance ml.g6.xlarge
                  takes two updates

              - delete Role/old, stack dev-role-old

              = 1 stack unchanged

            Left behind: stacks without a manifest. They stay as they are.
              ? Role/lost of dev, stack dev-role-lost in us-east-1

            Plan: 1 to create, 2 to update (1 replaces resources), 1 to delete, 1 unchanged
        "#]],
    );
}

#[test]
fn on_a_narrow_terminal_without_unicode() {
    check(
        human,
        48,
        false,
        expect![[r#"
            Environment dev: account 111111111111, us-east-1
              [imagined account]

              ~ update Role/models, stack dev-role-models
                  uses outputs of stacks that change: may
                    change less than this, or nothing

              + create Endpoint/embeddings, stack
                dev-endpoint-embeddings
                  3 resources: 2 CloudWatch::Alarm,
                    SageMaker::Endpoint
                  instance ml.g6.xlarge: smallest that fits;
                    1.1267 USD/h listed 2026-09-01
                  after Role/models

              -+ update with replacement Endpoint/chat,
                stack dev-endpoint-chat
                  -+ EndpointConfig
                    (AWS::SageMaker::EndpointConfig),
                    replaced
                      Variants/0/InstanceType:
                        "ml.g5.xlarge" -> "ml.g6.xlarge";
                        forces replacement; chat.yaml:9:7
                      KmsKeyId: unset -> "alias/x"
                        (overridden); chat.yaml:9:7
                  ~ Endpoint (AWS::SageMaker::Endpoint)
                      EndpointConfigName: known later;
                        because
                        EndpointConfig.EndpointConfigName is
                        replaced
                  in 2 phases:
                    1. take it out
                    2. put it back
                  as pinned: instance ml.g6.xlarge
                  takes two updates

              - delete Role/old, stack dev-role-old

              = 1 stack unchanged

            Left behind: stacks without a manifest. They
              stay as they are.
              ? Role/lost of dev, stack dev-role-lost in
                us-east-1

            Plan: 1 to create, 2 to update (1 replaces
              resources), 1 to delete, 1 unchanged
        "#]],
    );
}

#[test]
fn in_a_pull_request() {
    check(
        markdown,
        100,
        true,
        expect![[r####"
            ### Plan: 1 to create, 2 to update (1 replaces resources), 1 to delete, 1 unchanged

            **dev: account 111111111111, us-east-1 [imagined account]**

            | | manifest | stack | what changes |
            | --- | --- | --- | --- |
            | ~ update | Role/models | `dev-role-models` |  |
            | + create | Endpoint/embeddings | `dev-endpoint-embeddings` | 3 resources: 2 CloudWatch::Alarm, SageMaker::Endpoint |
            | ± update with replacement | Endpoint/chat | `dev-endpoint-chat` | ± EndpointConfig (AWS::SageMaker::EndpointConfig), replaced; ~ Endpoint (AWS::SageMaker::Endpoint) |
            | - delete | Role/old | `dev-role-old` |  |

            <details><summary>Role/models</summary>

            ```text
            uses outputs of stacks that change: may change less than this, or nothing
            ```

            </details>

            <details><summary>Endpoint/embeddings</summary>

            ```text
            instance ml.g6.xlarge: smallest that fits; 1.1267 USD/h listed 2026-09-01
            after Role/models
            ```

            </details>

            <details><summary>Endpoint/chat</summary>

            ```text
            ± EndpointConfig (AWS::SageMaker::EndpointConfig), replaced
                Variants/0/InstanceType: "ml.g5.xlarge" → "ml.g6.xlarge"; forces replacement; chat.yaml:9:7
                KmsKeyId: unset → "alias/x" (overridden); chat.yaml:9:7
            ~ Endpoint (AWS::SageMaker::Endpoint)
                EndpointConfigName: known later; because EndpointConfig.EndpointConfigName is replaced
            in 2 phases:
            1. take it out
            2. put it back
            as pinned: instance ml.g6.xlarge
            takes two updates
            ```

            </details>

            Left behind, unchanged:

            - `dev-role-lost` (Role/lost of dev)

            Not checked here: whether endpoints run the configuration of their stacks. apply checks it.
        "####]],
    );
}

#[test]
fn only_phases_are_called_phases() {
    let protect = || Operation::Protect { on: false };
    let plain = || Operation::update(submission(), Gate::default());
    let order = |operations: &[Operation]| {
        let order = super::words::order(&step("Endpoint", "chat", Action::Update, operations.to_vec()));
        order.map_or("nothing".to_owned(), |(heading, lines)| format!("{heading} {}", lines.join(", ")))
    };
    let both = [phase(1, "take it out"), phase(2, "put it back")];
    let all = [
        order(&[plain()]),
        order(&[protect(), plain()]),
        order(&both),
        order(&both[1..]),
        order(&[protect(), both[0].clone(), both[1].clone()]),
    ];
    expect![[r#"
        nothing
        in 2 operations: 1. turn termination protection off, 2. update the stack
        in 2 phases: 1. take it out, 2. put it back
        in the last of 2 phases: 2. put it back
        in 3 operations: 1. turn termination protection off, 2. take it out, 3. put it back"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn a_written_plan_is_read_back_as_it_was() {
    let written = for_programs(&plan(), &Context::default()).expect("written");
    assert_eq!(written["summary"]["replacing"], 1);
    assert_eq!(serde_json::from_value::<Plan>(written["plan"].clone()).expect("read"), plan());
}

/// Change sets are named by what is sent as it is written: another order would not find those of the release before.
#[test]
fn what_is_sent_is_written_in_one_order() {
    expect![[r#"{"body":"body","digest":"d","parameters":{},"tags":{},"capabilities":[],"roleArn":null,"notificationArns":[],"terminationProtection":false}"#]]
        .assert_eq(&serde_json::to_string(&submission()).expect("plain values"));
}
