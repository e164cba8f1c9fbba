//! Plans carried out in a well-behaved imagined account: what it costs, and that it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use expect_test::{Expect, expect};
use hubform::{
    cloud::{StackOptions, StackRef, Tags, Target},
    diagnostic::Position,
    execute::{Event, Outcome, Settings, StepResult, Waiting, execute},
    plan::{Action, FORMAT, Operation, Plan, PlannedEnvironment, Step, Submission},
    render::{Check, Identity, Origins},
    sandbox::{Pace, Rate, Sandbox, SandboxSettings, Throttle},
};
use serde_json::{Value, json};

use crate::support;

const ROLE: &str = "role";
const ENDPOINT: &str = "endpoint";

fn bodies() -> BTreeMap<String, std::sync::Arc<str>> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"}}]});
    let role = json!({
        "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": {"Ref": "AWS::StackName"}, "AssumeRolePolicyDocument": trust}}},
        "Outputs": {"HubformDigest": {"Value": ROLE}},
    });
    let variant = json!({"VariantName": "AllTraffic", "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.g6.xlarge", "InitialInstanceCount": 1, "InitialVariantWeight": 1});
    let endpoint = json!({
        "Resources": {
            "Model": {"Type": "AWS::SageMaker::Model", "Properties": {
                "ExecutionRoleArn": "arn:aws:iam::000000000000:role/role",
                "PrimaryContainer": {"Image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/x:1"}}},
            "EndpointConfig": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {
                "ProductionVariants": [variant]}},
            "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": {
                "EndpointName": {"Ref": "AWS::StackName"},
                "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}}},
        },
        "Outputs": {
            "HubformDigest": {"Value": ENDPOINT},
            "EndpointConfigName": {"Value": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}},
        },
    });
    let text = |value: Value| std::sync::Arc::from(value.to_string());
    [(ROLE.to_owned(), text(role)), (ENDPOINT.to_owned(), text(endpoint))].into()
}

fn target() -> Target {
    Target { account: None, region: "us-east-1".into(), assume_role: None }
}

fn named(name: &str) -> StackRef {
    StackRef { target: target(), name: name.into() }
}

fn create(name: &str, body: &str, needs: &[&str]) -> Step {
    let submission = Submission {
        body: body.into(),
        digest: body.into(),
        parameters: BTreeMap::new(),
        previous: BTreeSet::new(),
        tags: Tags::new(),
        capabilities: [hubform::cloud::Capability::NamedIam].into(),
        options: StackOptions::default(),
        termination_protection: false,
    };
    let check = || Check::runs(name.into());
    let manifest = Position { file: "a.yaml".into(), line: 1, column: 1 };
    Step {
        identity: Identity {
            stack: named(name),
            environment: "dev".into(),
            kind: if body == ROLE { "Role" } else { "Endpoint" }.into(),
            name: name.into(),
        },
        action: Action::Create,
        observed: None,
        needs: needs.iter().map(|need| named(need)).collect(),
        operations: vec![Operation::Create { submission, validate: false }],
        restore: None,
        between: BTreeMap::new(),
        aside: BTreeSet::new(),
        held: BTreeSet::new(),
        predicate: false,
        changes: Vec::new(),
        reasons: Vec::new(),
        choices: Vec::new(),
        checks: (body == ENDPOINT).then(check).into_iter().collect(),
        origins: Origins { manifest, properties: BTreeMap::new() },
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    let environment =
        PlannedEnvironment { name: "dev".into(), owner: None, target: target(), account: "000000000000".into() };
    Plan {
        format: FORMAT,
        nonce: "n".into(),
        environments: vec![environment],
        bodies: bodies(),
        steps,
        left_behind: Vec::new(),
        adopted: BTreeSet::new(),
        allowed: BTreeSet::new(),
    }
}

/// Carries out a plan; `leave` says at which event the user leaves at once.
fn run(sandbox: &Sandbox, plan: Plan, settings: Settings, leave: impl Fn(&Event) -> bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (stop, interrupts) = tokio::sync::mpsc::unbounded_channel();
    let (accounts, clock) = (sandbox.accounts(), sandbox.clock());
    let mut report = |event: &Event| {
        if leave(event) {
            let _ = stop.send(());
            let _ = stop.send(());
        }
    };
    runtime.block_on(execute(plan, &*accounts, &*clock, settings, interrupts, &mut report))
}

fn six() -> Plan {
    let endpoints = ["a", "b", "c", "d", "e"].map(|name| create(name, ENDPOINT, &["role"]));
    plan([create("role", ROLE, &[])].into_iter().chain(endpoints).collect())
}

fn check(sandbox: &Sandbox, expect: Expect) {
    let calls: String = sandbox.calls().iter().map(|(operation, n)| format!("{operation} {n}\n")).collect();
    expect.assert_eq(&calls);
}

#[test]
fn a_first_apply_changes_once_asks_each_endpoint_once_and_polls_for_all_at_once() {
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    let outcome = run(&sandbox, six(), Settings::default(), |_| false);
    assert!(outcome.succeeded(), "{outcome:?}");
    check(
        &sandbox,
        expect![[r#"
            CreateStack 6
            DescribeEndpoint 5
            DescribeStacks 43
            GetCallerIdentity 1
            ListStacks 91
        "#]],
    );
}

#[test]
fn events_are_read_only_for_those_who_watch() {
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let settings = Settings { draw: 2, ..Settings::default() };
    run(&sandbox, six(), settings, |event| {
        if let Event::Resource { stack, .. } = event {
            seen.borrow_mut().insert(stack.name.clone());
        }
        false
    });
    assert!(sandbox.calls()["DescribeStackEvents"] > 0);
    let names: Vec<String> = seen.take().into_iter().collect();
    assert_eq!(names, ["a", "b", "role"]);
}

#[test]
fn what_a_process_that_left_began_goes_on_and_is_not_begun_twice() {
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    let left = run(
        &sandbox,
        six(),
        Settings::default(),
        |event| matches!(event, Event::Status { stack, .. } if stack.name == "e"),
    );
    let running = left.results.iter().filter(|(_, result)| matches!(result, StepResult::LeftRunning { .. }));
    assert_eq!(running.count(), 5, "{left:?}");
    let endpoints = || sandbox.inventory().into_iter().filter(|item| item.resource_type == "AWS::SageMaker::Endpoint");
    sandbox.advance(Duration::from_secs(3600));
    let made: Vec<_> = endpoints().map(|item| item.physical_id).collect();
    assert_eq!(made.len(), 5);
    run(&sandbox, plan(six().steps.into_iter().skip(1).collect()), Settings::default(), |_| false);
    assert_eq!(endpoints().map(|item| item.physical_id).collect::<Vec<_>>(), made);
}

/// Somebody else's change set makes an empty shell of the name: before the creation is begun, or within it. Both
/// CreateStack and CreateChangeSet would make their stack of ours.
#[test]
fn a_shell_that_somebody_made_since_is_not_taken_over() {
    let met = |validate, comes: fn(&Event) -> bool| {
        let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
        let mut step = create("role", ROLE, &[]);
        step.operations.iter_mut().for_each(|operation| {
            if let Operation::Create { validate: asks, .. } = operation {
                *asks = validate;
            }
        });
        let outcome = run(&sandbox, plan(vec![step]), Settings::default(), |event| {
            if comes(event) {
                support::shell(&sandbox, "role");
            }
            false
        });
        assert!(sandbox.inventory().is_empty(), "{:?}", sandbox.inventory());
        let calls = ["CreateStack", "ExecuteChangeSet"].map(|call| sandbox.calls().get(call).copied().unwrap_or(0));
        match &outcome.results[0].1 {
            StepResult::Failed(failure) => format!("{:?}: {}, {calls:?}\n", failure.kind, failure.message),
            other => format!("{other:?}\n"),
        }
    };
    let begins = |event: &Event| matches!(event, Event::OperationStarted { .. });
    let computes = |event: &Event| matches!(event, Event::Waiting { on: Waiting::ChangeSet, .. });
    expect![[r#"
        Stale: somebody else has created a stack of this name since, [0, 0]
        Stale: somebody else has created a stack of this name since, [0, 0]
        Stale: somebody else is making a stack of this name, by the change set `theirs`, [0, 0]
    "#]]
    .assert_eq(&[met(false, begins), met(true, begins), met(true, computes)].concat());
}

#[test]
fn many_stacks_end_well_under_tight_rates() {
    let rate = Rate { per_second: 2.0, burst: 4.0 };
    let throttle = Some(Throttle { usual: rate, operations: BTreeMap::new() });
    let account = SandboxSettings { throttle, page_size: 5, ..SandboxSettings::default() };
    let sandbox = Sandbox::new(account, Pace::Stepped);
    let kind = |n| if n % 3 == 0 { ENDPOINT } else { ROLE };
    let others = (1..60).map(|n| create(&format!("s{n}"), kind(n), &["role"]));
    let steps = [create("role", ROLE, &[])].into_iter().chain(others).collect();
    let settings = Settings { concurrency: 50, ..Settings::default() };
    let outcome = run(&sandbox, plan(steps), settings, |_| false);
    assert!(outcome.succeeded(), "{:?}", outcome.results.iter().find(|(_, r)| matches!(r, StepResult::Failed(_))));
    let per_stack = sandbox.calls().values().sum::<u64>() as f64 / 60.0;
    assert!(per_stack < 40.0, "{per_stack} calls per stack: {:?}", sandbox.calls());
}
