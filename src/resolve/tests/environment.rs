//! What the environment gives to every stack: Region, tags, placeholders, service role, protection.

use super::*;

#[test]
fn a_region_that_nobody_knows_is_refused_with_the_nearest() {
    encoder("").region("eu-west-l").findings(expect![[r#"
        error HF2024: unknown Region `eu-west-l` | did you mean `eu-west-1`?
    "#]]);
    encoder("").region("atlantis-9").findings(expect![[r#"
        error HF2024: unknown Region `atlantis-9` | choose another Region in environment `default` or with `--region`
    "#]]);
    encoder("").environment("targets: [{region: eu-wset-1}]").findings(expect![[r#"
        error HF2024 dev.yaml 2:22: unknown Region `eu-wset-1` | did you mean `eu-west-1`?
    "#]]);
}

#[test]
fn a_region_without_sagemaker_is_refused() {
    encoder("").region("us-iso-west-1").findings(expect![[r#"
        error HF2024: SageMaker endpoints are not known to be available in `us-iso-west-1` | choose another Region in environment `default` or with `--region`
    "#]]);
}

#[test]
fn in_an_unknown_region_nothing_else_is_judged() {
    endpoint("model: nothing-here\nhardware: nor-here").region("atlantis-9").findings(expect![[r#"
        error HF2024: unknown Region `atlantis-9` | choose another Region in environment `default` or with `--region`
    "#]]);
}

#[test]
fn an_account_that_is_not_known_cannot_be_put_in_place() {
    let run = encoder("capture: {percent: 1%, s3: 's3://seen-${account}/'}");
    run.findings(expect![[r#"
        error HF2023 2:30: `${account}` cannot be replaced: the account is unknown here | set `targets: [{account: "123456789012", …}]` in the Environment
    "#]]);
    run.clone().account("123456789012").is_fine();
    run.account("123456789012").capture(expect![[r#"
        answers: true
        csv: []
        json: []
        percent: 1
        requests: true
        uri: "s3://seen-123456789012/"
    "#]]);
}

#[test]
fn placeholders_are_region_target_environment_and_account() {
    encoder("capture: {percent: 1%, s3: 's3://b/${region}/${target}/${environment}/${account}'}")
        .environment("targets: [{name: main, account: '012345678901', region: eu-west-1}]")
        .capture(expect![[r#"
            answers: true
            csv: []
            json: []
            percent: 1
            requests: true
            uri: "s3://b/eu-west-1/main/dev/012345678901"
        "#]]);
}

fn tags(run: &TestRun) -> String {
    run.stack().envelope.tags.into_iter().map(|(key, value)| format!("{key}={value} ")).collect()
}

#[test]
fn labels_become_tags_and_three_say_whose_the_stack_is() {
    let run = TestRun::default()
        .labelled("Endpoint", "chat", ", labels: {team: search, stage: trial}", "model: {hub: BAAI/bge-m3}")
        .labelled(
            "Environment",
            "dev",
            ", labels: {stage: dev, floor: '2'}",
            "tags: {product: x, floor: '1'}\ntargets: [{region: us-east-1, tags: {product: y}}]",
        );
    expect![
        "floor=2 hubform:environment=dev hubform:kind=Endpoint hubform:name=chat product=y stage=trial team=search "
    ]
    .assert_eq(&tags(&run));
}

#[test]
fn fifty_tags_are_taken_and_one_more_is_not() {
    // Three are hubform's own.
    let with = |count: usize| {
        let labels: Vec<_> = (0..count).map(|at| format!("l{at}: x")).collect();
        let labels = format!(", labels: {{{}}}", labels.join(", "));
        TestRun::default().labelled("Endpoint", "chat", &labels, "model: {hub: BAAI/bge-m3}\nhardware: ml.m5.xlarge")
    };
    with(47).is_fine();
    with(48).findings(expect![[r#"
        error HF2027 6:32: 51 tags, but a stack has at most 50: labels, environment tags and three of hubform's own
    "#]]);
}

#[test]
fn tags_that_differ_only_in_case_are_refused_where_both_are_written() {
    let spec = "model: {hub: BAAI/bge-m3}\nhardware: ml.m5.xlarge";
    let run = TestRun::default().labelled("Endpoint", "chat", ", labels: {Team: a}", spec);
    run.clone().environment("tags: {team: b}").findings(expect![[r#"
        error HF1028 dev.yaml 2:10, 6:33 (the other one): the tags `Team` and `team` differ only in case, which IAM does not allow | labels become tags too; keep one
    "#]]);
    run.environment("tags: {Team: b}").is_fine();
}

#[test]
fn cloudformation_acts_with_the_service_role_and_tells_the_topics() {
    let spec = "serviceRole: 'arn:aws:iam::123456789012:role/cfn'\n\
                notifications: ['arn:aws:sns:us-east-1:123456789012:stacks']";
    let stack = encoder("").environment(spec).stack();
    expect![[r#"Some("arn:aws:iam::123456789012:role/cfn") ["arn:aws:sns:us-east-1:123456789012:stacks"]"#]]
        .assert_eq(&format!("{:?} {:?}", stack.envelope.options.role_arn, stack.envelope.options.notification_arns));
}

#[test]
fn placeholders_of_the_service_role_and_topics_are_replaced() {
    let spec = "serviceRole: 'arn:aws:iam::${account}:role/cfn'\n\
                notifications: ['arn:aws:sns:${region}:${account}:stacks']";
    let run = encoder("").environment(spec);
    run.findings(expect![[r#"
        error HF2023 dev.yaml 2:16: `${account}` cannot be replaced: the account is unknown here | set `targets: [{account: "123456789012", …}]` in the Environment
        error HF2023 dev.yaml 3:19: `${account}` cannot be replaced: the account is unknown here | set `targets: [{account: "123456789012", …}]` in the Environment
    "#]]);
    let stack = run.account("123456789012").stack();
    expect![[r#"Some("arn:aws:iam::123456789012:role/cfn") ["arn:aws:sns:us-east-1:123456789012:stacks"]"#]]
        .assert_eq(&format!("{:?} {:?}", stack.envelope.options.role_arn, stack.envelope.options.notification_arns));
}

#[test]
fn protection_is_the_environments() {
    assert!(!encoder("").environment("protect: false").stack().envelope.protect);
    assert!(encoder("").environment("protect: true").stack().envelope.protect);
}

#[test]
fn stacks_are_called_by_prefix_kind_and_name_and_endpoints_like_their_stacks() {
    let named = |run: TestRun| {
        let stack = run.stack();
        (stack.identity.stack.name, stack.envelope.checks[0].endpoint().to_owned())
    };
    assert_eq!(named(encoder("").environment("prefix: p")), ("p-endpoint-chat".into(), "p-endpoint-chat".into()));
    assert_eq!(named(encoder("name: voice")), ("default-endpoint-chat".into(), "voice".into()));
}

#[test]
fn dynamic_references_that_manifests_asked_for_are_known() {
    let run = encoder("network: {subnets: [{ssm: /net/a}], securityGroups: [sg-a]}\nencryption: {kmsKey: {ssm: /key}}");
    assert_eq!(run.stack().fetched.iter().collect::<Vec<_>>(), ["{{resolve:ssm:/key}}", "{{resolve:ssm:/net/a}}"]);
}
