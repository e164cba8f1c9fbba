//! What the machine does in a scripted account; what it does in a well-behaved one is tested on the sandbox.

mod last;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};

use self::world::{Goes, World, target};
use super::*;
use crate::{
    cloud::{Change, ChangeAction, CloudErrorKind, Replacement, Retrying, StackOptions, StackRef, Tags},
    diagnostic::Position,
    plan::{
        Action, Allowed, Between, ChangeKind, FORMAT, Gate, Observed, Operation, Phase, Plan, PlannedEnvironment, Step,
        Submission,
    },
    render::{Check, Identity, Origin, Origins, ParameterValue},
};

fn named(name: &str) -> StackRef {
    StackRef { target: target(), name: name.into() }
}

fn submission(digest: &str) -> Submission {
    Submission {
        body: digest.into(),
        digest: digest.into(),
        parameters: BTreeMap::new(),
        previous: BTreeSet::new(),
        tags: Tags::new(),
        capabilities: BTreeSet::new(),
        options: StackOptions::default(),
        termination_protection: false,
    }
}

fn step(name: &str, action: Action, operations: Vec<Operation>) -> Step {
    let position = |line| Position { file: "a.yaml".into(), line, column: 1 };
    let origin = Origin { field: "spec.role".into(), position: position(7) };
    Step {
        identity: Identity {
            stack: named(name),
            environment: "dev".into(),
            kind: "Endpoint".into(),
            name: name.into(),
        },
        action,
        observed: None,
        needs: BTreeSet::new(),
        operations,
        restore: None,
        between: BTreeMap::new(),
        aside: BTreeSet::new(),
        held: BTreeSet::new(),
        predicate: false,
        changes: changes("AWS::SageMaker::Endpoint"),
        reasons: Vec::new(),
        choices: Vec::new(),
        checks: vec![Check::runs(name.into())],
        origins: Origins { manifest: position(1), properties: [("Role/Properties".into(), origin)].into() },
    }
}

fn create(name: &str) -> Step {
    step(name, Action::Create, vec![Operation::Create { submission: submission("d"), validate: false }])
}

fn update(name: &str, observed: Observed, digests: &[&str]) -> Step {
    let phase = |i| {
        (digests.len() > 1).then(|| Phase {
            number: i + 1,
            of: digests.len(),
            purpose: "go on".into(),
            clears: BTreeSet::new(),
        })
    };
    let operation = |(i, digest): (usize, &&str)| Operation::Update {
        submission: submission(digest),
        gate: Gate::default(),
        phase: phase(i),
        half: None,
        after: Vec::new(),
    };
    let mut step = step(name, Action::Update, digests.iter().enumerate().map(operation).collect());
    step.observed = Some(observed);
    let between = || Between { out: "the scalable target".into(), restores: Some("ScalableTarget".into()) };
    step.between = digests.iter().rev().skip(1).map(|digest| ((*digest).to_owned(), between())).collect();
    step
}

fn changes(resource_type: &str) -> Vec<crate::plan::ResourceChange> {
    vec![crate::plan::ResourceChange {
        logical_id: "Endpoint".into(),
        resource_type: resource_type.into(),
        kind: ChangeKind::Modify,
        replacement: Replacement::False,
        properties: Vec::new(),
    }]
}

impl Step {
    fn needs(mut self, names: &[&str]) -> Self {
        self.needs = names.iter().map(|name| named(name)).collect();
        self
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    let environment =
        PlannedEnvironment { name: "dev".into(), owner: None, target: target(), account: "111122223333".into() };
    let bodies = ["d", "new", "old", "mid"].map(|digest| (digest.to_owned(), digest.into()));
    Plan {
        format: FORMAT,
        nonce: "n".into(),
        environments: vec![environment],
        bodies: bodies.into(),
        steps,
        left_behind: Vec::new(),
        adopted: BTreeSet::new(),
        allowed: BTreeSet::new(),
    }
}

/// Carries out a plan and shows what was told, how it ended and what it cost.
fn check(world: &mut World, steps: Vec<Step>, expect: Expect) -> Outcome {
    let outcome = world.run(plan(steps), Settings::default());
    let mut text: String = world.events.iter().map(line).collect();
    for (action, count) in &world.calls {
        text += &format!("{action} {count}\n");
    }
    expect.assert_eq(&text);
    outcome
}

fn line(event: &Event) -> String {
    let second = |at: &crate::cloud::Timestamp| at.0 / 1000;
    match event {
        Event::Started { at, stacks } => format!("{} started {stacks}\n", second(at)),
        Event::OperationStarted { stack, operation, at, .. } => format!("{} {stack}: {operation}\n", second(at)),
        Event::Status { stack, status, at } => format!("{} {stack} {status}\n", second(at)),
        Event::Resource { stack, logical_id, status, at, .. } => {
            format!("{} {stack}/{logical_id} {status}\n", second(at))
        }
        Event::Waiting { stack, on, at } => format!("{} {stack} waits for {}\n", second(at), waiting(on)),
        Event::Retrying { call, at, .. } => format!("{} {}\n", second(at), tries(call)),
        Event::Retried { call, worked, at, .. } => format!("{} {}, worked {worked}\n", second(at), tries(call)),
        Event::Settled { stack, result, at } => format!("{} {stack} {}\n", second(at), ended(result)),
        Event::Interrupted { at } => format!("{} interrupted\n", second(at)),
        Event::Finished { at, calls } => format!("{} finished, {calls} calls\n", second(at)),
        Event::Tick { .. } => String::new(),
    }
}

fn tries(call: &Retrying) -> String {
    let Retrying { operation, subject, trouble, since, tries, most, .. } = call;
    format!("{operation} of {subject}: {trouble:?} since {}, try {tries} of {most}", since.0 / 1000)
}

fn waiting(on: &Waiting) -> String {
    match on {
        Waiting::Stacks(stacks) => stacks.iter().map(|stack| stack.name.as_str()).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

fn ended(result: &StepResult) -> String {
    match result {
        StepResult::Failed(failure) => {
            let cause = failure.cause.as_ref().map(|cause| {
                let position = cause.position.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("\n    {} {}: {}", position, cause.logical_id, cause.reason)
            });
            let notes: String = failure.notes.iter().map(|line| format!("\n    {line}")).collect();
            let cause = cause.unwrap_or_default();
            format!("FAILED {:?}, {}: {}{cause}{notes}", failure.kind, failure.operation, failure.message)
        }
        StepResult::Blocked { by } => format!("blocked by {by}"),
        StepResult::Wide { by } => {
            format!("stays wide by {}", by.as_ref().map_or("an interrupt", |by| by.name.as_str()))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn first_apply_costs_what_the_issue_allows() {
    let mut world = World::new().goes("role", [Goes::Lands(20)]);
    let names = ["a", "b", "c", "d", "e"];
    let steps = [create("role")].into_iter().chain(names.map(|name| create(name).needs(&["role"])));
    let outcome = check(
        &mut world,
        steps.collect(),
        expect![[r#"
            0 started 6
            0 a waits for role
            0 b waits for role
            0 c waits for role
            0 d waits for role
            0 e waits for role
            0 role: create
            0 role CREATE_IN_PROGRESS
            20 role CREATE_COMPLETE
            20 role Done
            20 a: create
            20 b: create
            20 c: create
            20 d: create
            20 e: create
            20 a CREATE_IN_PROGRESS
            20 b CREATE_IN_PROGRESS
            20 c CREATE_IN_PROGRESS
            20 d CREATE_IN_PROGRESS
            20 e CREATE_IN_PROGRESS
            53 a CREATE_COMPLETE
            53 b CREATE_COMPLETE
            53 c CREATE_COMPLETE
            53 d CREATE_COMPLETE
            53 e CREATE_COMPLETE
            53 a Done
            53 b Done
            53 c Done
            53 d Done
            53 e Done
            53 finished, 85 calls
            CreateStack 6
            DescribeEndpoint 6
            DescribeStacks 36
            GetCallerIdentity 1
            ListStacks 36
        "#]],
    );
    assert!(outcome.succeeded());
}

/// Five names looked up, five first looks, five ends: each by one description of everything.
#[test]
fn stacks_that_end_together_are_described_by_one_call() {
    let names = ["a", "b", "c", "d", "e"];
    let mut world = names.into_iter().fold(World::new(), |world, name| world.goes(name, [Goes::Lands(1)]));
    assert!(world.run(plan(names.map(create).into()), Settings::default()).succeeded());
    assert_eq!((world.calls["DescribeStacks"], world.calls["ListStacks"]), (3, 3), "{:?}", world.calls);
}

#[test]
fn a_failure_names_its_cause_blocks_what_needs_it_and_lets_others_go_on() {
    let fails = Goes::Fails(10, "Role", "no permission to make it");
    let mut world = World::new().goes("role", [fails]);
    let steps = vec![create("role"), create("other"), create("a").needs(&["role"]), create("b").needs(&["a"])];
    let outcome = check(
        &mut world,
        steps,
        expect![[r#"
            0 started 4
            0 a waits for role
            0 b waits for a
            0 role: create
            0 other: create
            0 role CREATE_IN_PROGRESS
            0 other CREATE_IN_PROGRESS
            0 role/Sibling CREATE_FAILED
            0 role/Role CREATE_FAILED
            10 role ROLLBACK_COMPLETE
            10 role FAILED RolledBack, create: the creation failed and was rolled back
                a.yaml:7:1 Role: no permission to make it
            10 a blocked by role
            10 b blocked by role
            32 other CREATE_COMPLETE
            32 other Done
            32 finished, 46 calls
            CreateStack 2
            DescribeEndpoint 1
            DescribeStackEvents 1
            DescribeStacks 17
            GetCallerIdentity 1
            ListStacks 24
        "#]],
    );
    assert!(!outcome.succeeded());
}

#[test]
fn phase_two_fails_and_the_old_target_is_put_back() {
    let fails = Goes::Fails(10, "Endpoint", "insufficient capacity");
    let mut world = World::new().goes("chat", [Goes::Lands(5), fails, Goes::Lands(5)]);
    let observed = world.has("chat", "old");
    let mut step = update("chat", observed, &["mid", "new", "d"]);
    step.restore = Some(Operation::update(submission("old"), Gate::default()));
    check(
        &mut world,
        vec![step],
        expect![[r#"
            0 started 1
            0 chat: update, phase 1 of 3: go on
            0 chat waits for ChangeSet
            0 chat UPDATE_IN_PROGRESS
            5 chat UPDATE_COMPLETE
            5 chat: update, phase 2 of 3: go on
            5 chat waits for ChangeSet
            6 chat UPDATE_IN_PROGRESS
            5 chat/Sibling CREATE_FAILED
            5 chat/Endpoint CREATE_FAILED
            16 chat UPDATE_ROLLBACK_COMPLETE
            16 chat: restore the stack
            16 chat waits for ChangeSet
            16 chat UPDATE_IN_PROGRESS
            21 chat UPDATE_COMPLETE
            21 chat FAILED RolledBack, update, phase 2 of 3: the update failed and was rolled back
                a.yaml:1:1 Endpoint: insufficient capacity
                what ran before was restored: ScalableTarget
            21 finished, 76 calls
            CreateChangeSet 3
            DescribeChangeSet 3
            DescribeStackEvents 1
            DescribeStacks 65
            ExecuteChangeSet 3
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn an_empty_update_is_no_change() {
    let mut world = World::new().goes("chat", [Goes::Empty]);
    let observed = world.has("chat", "old");
    let steps = vec![update("chat", observed, &["new"])];
    world.config = Some("config-old");
    let outcome = check(
        &mut world,
        steps,
        expect![[r#"
            0 started 1
            0 chat: update
            0 chat waits for ChangeSet
            0 chat Done
            0 finished, 6 calls
            CreateChangeSet 1
            DeleteChangeSet 1
            DescribeChangeSet 1
            DescribeEndpoint 1
            DescribeStacks 1
            GetCallerIdentity 1
        "#]],
    );
    assert!(outcome.succeeded());
}

fn removal() -> Change {
    Change {
        action: ChangeAction::Remove,
        logical_id: "Alarm".into(),
        physical_id: None,
        resource_type: "AWS::CloudWatch::Alarm".into(),
        replacement: None::<Replacement>,
        scope: Vec::new(),
        details: Vec::new(),
    }
}

#[test]
fn a_change_set_that_does_more_is_left_for_reading() {
    let mut world = World::new();
    let observed = world.has("chat", "old");
    world.changes = vec![removal()];
    check(
        &mut world,
        vec![update("chat", observed, &["new"])],
        expect![[r#"
            0 started 1
            0 chat: update
            0 chat waits for ChangeSet
            0 chat FAILED Gate, update: the change set `hubform-cbfd6113ef52ced6ca6a53efe0c4ea9dbb9d606d` does more than the plan announced
                Alarm (AWS::CloudWatch::Alarm) would be removed, which the plan does not announce
                the change set was not executed and is left for reading
            0 finished, 4 calls
            CreateChangeSet 1
            DescribeChangeSet 1
            DescribeStacks 1
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn what_could_not_be_removed_is_a_failure_that_blocks_nobody() {
    let mut world = World::new().goes("chat", [Goes::Leaves(10, "Alarm")]);
    let observed = world.has("chat", "old");
    world.changes = vec![removal()];
    let mut step = update("chat", observed, &["new"]);
    gated(&mut step);
    check(
        &mut world,
        vec![step, create("after").needs(&["chat"])],
        expect![[r#"
            0 started 2
            0 after waits for chat
            0 chat: update
            0 chat waits for ChangeSet
            0 chat UPDATE_IN_PROGRESS
            0 chat/Alarm DELETE_FAILED
            10 chat UPDATE_COMPLETE
            10 chat FAILED Leftover, update: the update landed, but old resources could not be removed and may still bill
                a.yaml:1:1 Alarm: it is in use
                AWS::IAM::Role Alarm (Alarm) is still there: it is in use
            10 after: create
            10 after CREATE_IN_PROGRESS
            43 after CREATE_COMPLETE
            43 after Done
            43 finished, 73 calls
            CreateChangeSet 1
            CreateStack 1
            DescribeChangeSet 1
            DescribeEndpoint 2
            DescribeStackEvents 1
            DescribeStacks 65
            ExecuteChangeSet 1
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn an_endpoint_that_silently_went_back_is_a_failure() {
    let mut world = World::new();
    let observed = world.has("chat", "old");
    world.config = Some("config-older");
    let mut step = step("chat", Action::Keep, Vec::new());
    step.observed = Some(observed);
    check(
        &mut world,
        vec![step],
        expect![[r#"
        0 started 0
        0 chat FAILED SilentRollback, ask the endpoint what it runs: the endpoint chat runs config-older, its stack made config-old
        0 finished, 2 calls
        DescribeEndpoint 1
        GetCallerIdentity 1
    "#]],
    );
}

#[test]
fn a_plan_that_is_stale_stops() {
    let mut world = World::new();
    let mut observed = world.has("chat", "old");
    observed.changed_at = crate::cloud::Timestamp(-5);
    check(
        &mut world,
        vec![update("chat", observed, &["new"])],
        expect![[r#"
        0 started 1
        0 chat: update
        0 chat FAILED Stale, update: somebody updated the stack at 1970-01-01T00:00:00Z, after the plan
        0 finished, 2 calls
        DescribeStacks 1
        GetCallerIdentity 1
    "#]],
    );
}

fn token_of_creation(name: &str) -> String {
    let sent = serde_json::to_string(&submission("d")).expect("plain values");
    let intent = token::Intent { stack: &named(name), base: None, sent: &sent, operation: "create" };
    token::request(&intent.name(), "n", 1, token::Asks::Operation)
}

#[test]
fn a_creation_under_our_token_is_ours_and_another_is_not() {
    let mut world = World::new();
    world.runs("ours", &token_of_creation("ours"), 30);
    world.runs("theirs", "their-token", 30);
    check(
        &mut world,
        vec![create("ours"), create("theirs")],
        expect![[r#"
            0 started 2
            0 ours: create
            0 theirs: create
            0 theirs FAILED Stale, create: somebody else has created a stack of this name since
            0 ours CREATE_IN_PROGRESS
            32 ours CREATE_COMPLETE
            32 ours Done
            32 finished, 43 calls
            DescribeEndpoint 1
            DescribeStackEvents 2
            DescribeStacks 39
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again() {
    let mut world = World::new();
    let lost = || CloudErrorKind::Unreachable("connection reset".into());
    world.errors.insert("CreateStack", [lost(), lost()].into());
    world.errors.insert("DescribeStacks", vec![CloudErrorKind::Throttled("Rate exceeded".into()); 3].into());
    let outcome = check(
        &mut world,
        vec![create("chat")],
        expect![[r#"
            0 started 1
            0 chat: create
            6 chat CREATE_IN_PROGRESS
            39 chat CREATE_COMPLETE
            39 chat Done
            39 finished, 46 calls
            CreateStack 3
            DescribeEndpoint 1
            DescribeStacks 41
            GetCallerIdentity 1
        "#]],
    );
    assert!(outcome.succeeded());
}

#[test]
fn a_change_whose_answer_was_lost_is_not_made_twice() {
    let mut world = World::new();
    let old = world.has("old", "d");
    let gone = world.has("gone", "d");
    let mut delete = step("gone", Action::Delete, vec![Operation::Delete { role_arn: None }]);
    delete.observed = Some(gone);
    world.lost = vec!["CreateStack", "CreateChangeSet", "ExecuteChangeSet", "DeleteStack"];
    let steps = vec![create("new"), update("old", old, &["new"]), delete];
    let outcome = check(
        &mut world,
        steps,
        expect![[r#"
            0 started 3
            0 new: create
            0 old: update
            0 gone: delete
            1 new CREATE_IN_PROGRESS
            1 gone DELETE_IN_PROGRESS
            1 old waits for ChangeSet
            3 old UPDATE_IN_PROGRESS
            32 new CREATE_COMPLETE
            32 old UPDATE_COMPLETE
            32 new Done
            32 old Done
            32 gone DELETE_COMPLETE
            32 gone Done
            32 finished, 61 calls
            CreateChangeSet 2
            CreateStack 2
            DeleteStack 2
            DescribeChangeSet 1
            DescribeEndpoint 2
            DescribeStackEvents 2
            DescribeStacks 8
            ExecuteChangeSet 2
            GetCallerIdentity 1
            ListChangeSets 1
            ListStacks 38
        "#]],
    );
    assert!(outcome.succeeded());
}

#[test]
fn listings_without_an_end_are_done_without() {
    let mut world = World::new().goes("s1", [Goes::Fails(30, "Role", "no")]);
    world.endless = true;
    let outcome = world.run(plan(["s1", "s2", "s3", "s4", "s5"].map(create).into()), Settings::default());
    let ended: String = outcome.results.iter().map(|(stack, result)| format!("{stack} {}\n", ended(result))).collect();
    expect![[r#"
        s1 FAILED RolledBack, create: the creation failed and was rolled back
            a.yaml:7:1 Role: no
        s2 Done
        s3 Done
        s4 Done
        s5 Done
        {"CreateStack": 5, "DescribeEndpoint": 4, "DescribeStackEvents": 2, "DescribeStacks": 127, "GetCallerIdentity": 1, "ListStacks": 2}"#]].assert_eq(&format!("{ended}{:?}", world.calls));
}

#[test]
fn faults_end_and_quotas_are_not_tried_again() {
    let mut world = World::new();
    let fault = CloudErrorKind::ServiceFault("InternalFailure".into());
    world.errors.insert("CreateStack", vec![fault; 8].into());
    check(
        &mut world,
        vec![create("chat")],
        expect![[r#"
            0 started 1
            0 chat: create
            10 CreateStack of chat: Fault since 0, try 8 of 8
            12 CreateStack of chat: Fault since 0, try 8 of 8, worked false
            12 chat FAILED Unreachable, create: CreateStack of it in us-east-1 failed: AWS failed (InternalFailure)
            12 finished, 11 calls
            CreateStack 8
            DescribeStacks 2
            GetCallerIdentity 1
        "#]],
    );
    let mut world = World::new();
    world.errors.insert("CreateStack", [CloudErrorKind::LimitExceeded("2000 stacks".into())].into());
    check(
        &mut world,
        vec![create("chat")],
        expect![[r#"
            0 started 1
            0 chat: create
            0 chat FAILED QuotaExceeded, create: CreateStack of it in us-east-1 failed: a quota of the account is exhausted: 2000 stacks
            0 finished, 3 calls
            CreateStack 1
            DescribeStacks 1
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn a_change_that_gives_no_answer_is_looked_at_before_it_is_given_up() {
    let mut world = World::new();
    let old = world.has("old", "d");
    world.unreadable = vec!["CreateStack", "ExecuteChangeSet"];
    let outcome = check(
        &mut world,
        vec![create("new"), update("old", old, &["new"])],
        expect![[r#"
            0 started 2
            0 new: create
            0 old: update
            0 old waits for ChangeSet
            0 new CREATE_IN_PROGRESS
            0 old UPDATE_IN_PROGRESS
            31 new CREATE_COMPLETE
            31 old UPDATE_COMPLETE
            31 new Done
            31 old Done
            31 finished, 53 calls
            CreateChangeSet 1
            CreateStack 1
            DescribeChangeSet 1
            DescribeEndpoint 2
            DescribeStackEvents 2
            DescribeStacks 8
            ExecuteChangeSet 1
            GetCallerIdentity 1
            ListStacks 36
        "#]],
    );
    assert!(outcome.succeeded());
}

#[test]
fn nothing_is_put_back_before_the_target_is_out_nor_when_the_way_is_unknown() {
    let restore = || Some(Operation::update(submission("old"), Gate::default()));
    let mut world = World::new().goes("chat", [Goes::Fails(5, "Endpoint", "no")]);
    let observed = world.has("chat", "old");
    let mut step = update("chat", observed, &["mid", "new"]);
    step.operations.insert(0, Operation::Protect { on: true });
    step.restore = restore();
    check(
        &mut world,
        vec![step],
        expect![[r#"
            0 started 1
            0 chat: turn termination protection on
            0 chat: update, phase 1 of 2: go on
            0 chat waits for ChangeSet
            0 chat UPDATE_IN_PROGRESS
            0 chat/Sibling CREATE_FAILED
            0 chat/Endpoint CREATE_FAILED
            5 chat UPDATE_ROLLBACK_COMPLETE
            5 chat FAILED RolledBack, update, phase 1 of 2: the update failed and was rolled back
                a.yaml:1:1 Endpoint: no
            5 finished, 26 calls
            CreateChangeSet 1
            DescribeChangeSet 1
            DescribeStackEvents 1
            DescribeStacks 20
            ExecuteChangeSet 1
            GetCallerIdentity 1
            UpdateTerminationProtection 1
        "#]],
    );
    let mut world = World::new().goes("chat", [Goes::Lands(5)]);
    let observed = world.has("chat", "old");
    let mut step = update("chat", observed, &["mid", "new"]);
    step.restore = restore();
    world.refuse_second = Some(("CreateChangeSet", CloudErrorKind::Unreadable("a page".into())));
    check(
        &mut world,
        vec![step],
        expect![[r#"
            0 started 1
            0 chat: update, phase 1 of 2: go on
            0 chat waits for ChangeSet
            0 chat UPDATE_IN_PROGRESS
            5 chat UPDATE_COMPLETE
            5 chat: update, phase 2 of 2: go on
            5 chat FAILED Unreachable, update, phase 2 of 2: CreateChangeSet of it in us-east-1 failed: not an answer from AWS: a page
                the scalable target is out and was not restored; apply again when the stack can be updated
            5 finished, 26 calls
            CreateChangeSet 2
            DescribeChangeSet 1
            DescribeStacks 20
            ExecuteChangeSet 1
            GetCallerIdentity 1
            ListChangeSets 1
        "#]],
    );
}

fn gated(step: &mut Step) {
    let allowed = Allowed { kind: ChangeKind::Remove, replacement: Replacement::False };
    for operation in &mut step.operations {
        if let Operation::Update { gate, .. } = operation {
            gate.allowed.insert("Alarm".into(), allowed.clone());
        }
    }
}

#[test]
fn a_target_that_could_not_be_taken_out_ends_the_phases() {
    let mut world = World::new().goes("chat", [Goes::Leaves(5, "ScalableTarget")]);
    let observed = world.has("chat", "old");
    world.changes = vec![removal()];
    let mut step = update("chat", observed, &["mid", "new"]);
    gated(&mut step);
    if let Operation::Update { phase: Some(phase), .. } = &mut step.operations[0] {
        phase.clears.insert("ScalableTarget".into());
    }
    check(
        &mut world,
        vec![step],
        expect![[r#"
            0 started 1
            0 chat: update, phase 1 of 2: go on
            0 chat waits for ChangeSet
            0 chat UPDATE_IN_PROGRESS
            0 chat/ScalableTarget DELETE_FAILED
            5 chat UPDATE_COMPLETE
            5 chat FAILED DeleteFailed, update, phase 1 of 2: the update landed, but ScalableTarget could not be removed, so the next phase was not started
                a.yaml:1:1 ScalableTarget: it is in use
                AWS::ApplicationAutoScaling::ScalableTarget ScalableTarget (ScalableTarget) is still there: it is in use
            5 finished, 25 calls
            CreateChangeSet 1
            DescribeChangeSet 1
            DescribeStackEvents 1
            DescribeStacks 20
            ExecuteChangeSet 1
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn a_change_set_of_our_name_that_was_made_of_something_else_is_made_anew() {
    let mut world = World::new();
    let observed = world.has("chat", "old");
    world.changes = vec![removal()];
    world.run(plan(vec![update("chat", observed.clone(), &["new"])]), Settings::default());
    world.retag();
    let mut step = update("chat", observed, &["new"]);
    gated(&mut step);
    world.calls.clear();
    world.events.clear();
    check(
        &mut world,
        vec![step],
        expect![[r#"
            0 started 1
            0 chat: update
            0 chat waits for ChangeSet
            0 chat UPDATE_IN_PROGRESS
            33 chat UPDATE_COMPLETE
            33 chat Done
            33 finished, 49 calls
            CreateChangeSet 2
            DeleteChangeSet 1
            DescribeChangeSet 2
            DescribeEndpoint 1
            DescribeStackEvents 1
            DescribeStacks 39
            ExecuteChangeSet 1
            GetCallerIdentity 1
            ListChangeSets 1
        "#]],
    );
}

#[test]
fn in_the_wrong_account_nothing_happens() {
    let mut world = World::new();
    world.account = "999900009999";
    check(
        &mut world,
        vec![create("a"), create("b").needs(&["a"]), create("c")],
        expect![[r#"
            0 started 3
            0 a FAILED WrongAccount, check the account: the plan was made for account 111122223333, but these credentials are for 999900009999
            0 b blocked by a
            0 c blocked by a
            0 finished, 1 calls
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn an_interrupt_lets_finish_what_runs_and_a_second_one_leaves() {
    let mut world = World::new();
    world.interrupts = [5].into();
    let steps = || vec![create("a"), create("b").needs(&["a"])];
    check(
        &mut world,
        steps(),
        expect![[r#"
            0 started 2
            0 b waits for a
            0 a: create
            0 a CREATE_IN_PROGRESS
            5 interrupted
            32 a CREATE_COMPLETE
            32 a Done
            32 b NotStarted
            32 finished, 41 calls
            CreateStack 1
            DescribeEndpoint 1
            DescribeStacks 38
            GetCallerIdentity 1
        "#]],
    );
    let mut world = World::new();
    world.interrupts = [5, 6].into();
    check(
        &mut world,
        steps(),
        expect![[r#"
            0 started 2
            0 b waits for a
            0 a: create
            0 a CREATE_IN_PROGRESS
            5 interrupted
            6 a LeftRunning { operation: "create", status: Some(CreateInProgress) }
            6 b NotStarted
            6 finished, 22 calls
            CreateStack 1
            DescribeStacks 20
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn the_longest_way_starts_first() {
    let mut world = World::new();
    let role = |name| Step { changes: changes("AWS::IAM::Role"), checks: Vec::new(), ..create(name) };
    let (small, root) = (role("small"), role("root"));
    let steps = vec![small, root, create("leaf").needs(&["root"])];
    let settings = Settings { concurrency: 1, ..Settings::default() };
    world.run(plan(steps), settings);
    let started = world.events.iter().filter_map(|event| match event {
        Event::OperationStarted { stack, .. } => Some(stack.name.as_str()),
        _ => None,
    });
    assert_eq!(started.collect::<Vec<_>>(), ["root", "leaf", "small"]);
}

#[test]
fn values_flow_from_stack_to_stack() {
    let mut world = World::new();
    let mut after = create("after").needs(&["before"]);
    let output = |key: &str| ParameterValue::Output { stack: named("before"), key: key.into() };
    if let Operation::Create { submission, .. } = &mut after.operations[0] {
        submission.parameters.insert("Missing".into(), output("Missing"));
    }
    let outcome = world.run(plan(vec![create("before"), after]), Settings::default());
    let StepResult::Failed(failure) = &outcome.results[1].1 else { panic!("{outcome:?}") };
    assert_eq!(failure.message, "the stack `before` has no output `Missing`");
}
