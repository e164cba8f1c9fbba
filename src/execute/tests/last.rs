//! What is done at the end: a shared role is narrowed, protection put back, endpoints that stay are asked.

use super::*;
use crate::{
    cloud::CallerIdentity,
    execute::{Answer, Call, Command, Input, Machine},
    plan::{After, Half},
};

/// A role that is widened from `old` to `mid` and narrowed to `new` after `chat`.
fn role(observed: Observed) -> Step {
    let mut step = update("role", observed, &["mid"]);
    let half = |digest: &str, half, after| Operation::Update {
        submission: submission(digest),
        gate: Gate::default(),
        phase: None,
        half: Some(half),
        after,
    };
    let chat = After { stack: named("chat"), operation: 0 };
    step.operations = vec![half("mid", Half::Widen, Vec::new()), half("new", Half::Narrow, vec![chat])];
    step.checks = Vec::new();
    step
}

#[test]
fn a_role_is_narrowed_when_its_users_have_moved() {
    let mut world = World::new();
    let (of_role, of_chat) = (world.has("role", "old"), world.has("chat", "old"));
    let chat = update("chat", of_chat, &["new"]).needs(&["role"]);
    let outcome = check(
        &mut world,
        vec![role(of_role), chat],
        expect![[r#"
            0 started 2
            0 chat waits for role
            0 role: widen
            0 role waits for ChangeSet
            0 role UPDATE_IN_PROGRESS
            32 role UPDATE_COMPLETE
            32 role waits for chat
            32 chat: update
            32 chat waits for ChangeSet
            33 chat UPDATE_IN_PROGRESS
            65 chat UPDATE_COMPLETE
            65 chat Done
            65 role: narrow
            65 role waits for ChangeSet
            66 role UPDATE_IN_PROGRESS
            98 role UPDATE_COMPLETE
            98 role Done
            98 finished, 128 calls
            CreateChangeSet 3
            DescribeChangeSet 3
            DescribeEndpoint 1
            DescribeStacks 117
            ExecuteChangeSet 3
            GetCallerIdentity 1
        "#]],
    );
    assert!(outcome.succeeded());
    assert_eq!(outcome.results.len(), 2);
}

#[test]
fn it_stays_wide_after_a_failure_and_after_an_interrupt() {
    let mut world = World::new().goes("chat", [Goes::Fails(5, "Endpoint", "no")]);
    let (of_role, of_chat) = (world.has("role", "old"), world.has("chat", "old"));
    let chat = update("chat", of_chat, &["new"]).needs(&["role"]);
    check(
        &mut world,
        vec![role(of_role), chat],
        expect![[r#"
            0 started 2
            0 chat waits for role
            0 role: widen
            0 role waits for ChangeSet
            0 role UPDATE_IN_PROGRESS
            32 role UPDATE_COMPLETE
            32 role waits for chat
            32 chat: update
            32 chat waits for ChangeSet
            33 chat UPDATE_IN_PROGRESS
            33 chat/Sibling CREATE_FAILED
            33 chat/Endpoint CREATE_FAILED
            38 chat UPDATE_ROLLBACK_COMPLETE
            38 chat FAILED RolledBack, update: the update failed and was rolled back
                a.yaml:1:1 Endpoint: no
            38 role stays wide by chat
            38 finished, 67 calls
            CreateChangeSet 2
            DescribeChangeSet 2
            DescribeStackEvents 1
            DescribeStacks 59
            ExecuteChangeSet 2
            GetCallerIdentity 1
        "#]],
    );
    let mut world = World::new().goes("chat", [Goes::Lands(30)]);
    let (of_role, of_chat) = (world.has("role", "old"), world.has("chat", "old"));
    let chat = update("chat", of_chat, &["new"]).needs(&["role"]);
    world.interrupts = [12].into();
    check(
        &mut world,
        vec![role(of_role), chat],
        expect![[r#"
            0 started 2
            0 chat waits for role
            0 role: widen
            0 role waits for ChangeSet
            0 role UPDATE_IN_PROGRESS
            12 interrupted
            32 role UPDATE_COMPLETE
            32 role waits for chat
            32 role stays wide by an interrupt
            32 chat NotStarted
            32 finished, 43 calls
            CreateChangeSet 1
            DescribeChangeSet 1
            DescribeStacks 39
            ExecuteChangeSet 1
            GetCallerIdentity 1
        "#]],
    );
}

#[test]
fn where_it_cannot_be_widened_nobody_moves() {
    let mut world = World::new().goes("role", [Goes::Fails(5, "Role", "no")]);
    let (of_role, of_chat) = (world.has("role", "old"), world.has("chat", "old"));
    let chat = update("chat", of_chat, &["new"]).needs(&["role"]);
    check(
        &mut world,
        vec![role(of_role), chat],
        expect![[r#"
            0 started 2
            0 chat waits for role
            0 role: widen
            0 role waits for ChangeSet
            0 role UPDATE_IN_PROGRESS
            0 role/Sibling CREATE_FAILED
            0 role/Role CREATE_FAILED
            5 role UPDATE_ROLLBACK_COMPLETE
            5 role FAILED RolledBack, widen: the update failed and was rolled back
                a.yaml:7:1 Role: no
            5 chat blocked by role
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
fn protection_that_cannot_be_turned_on_again_is_said() {
    let mut world = World::new();
    let observed = world.has("chat", "old");
    let operations = vec![Operation::Protect { on: false }, Operation::Delete { role_arn: None }];
    let mut step = step("chat", Action::Delete, operations);
    (step.observed, step.restore) = (Some(observed), Some(Operation::Protect { on: true }));
    let denied = || CloudErrorKind::AccessDenied("no".into());
    world.errors.insert("DeleteStack", [denied()].into());
    world.refuse_second = Some(("UpdateTerminationProtection", denied()));
    check(
        &mut world,
        vec![step],
        expect![[r#"
            0 started 1
            0 chat: turn termination protection off
            0 chat: delete
            0 chat: turn termination protection on
            0 chat FAILED AccessDenied, delete: DeleteStack of it in us-east-1 failed: access denied: no
                termination protection could not be turned on again: UpdateTerminationProtection of it in us-east-1 failed: access denied: no
            0 finished, 5 calls
            DeleteStack 1
            DescribeStacks 1
            GetCallerIdentity 1
            UpdateTerminationProtection 2
        "#]],
    );
}

#[test]
fn endpoints_that_stay_are_asked_beside_the_work_and_not_all_at_once() {
    let mut world = World::new();
    let mut steps: Vec<Step> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|name| {
            let mut kept = step(name, Action::Keep, Vec::new());
            kept.observed = Some(world.has(name, "new"));
            kept
        })
        .collect();
    steps.push(create("new"));
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let mut machine = Machine::new(plan(steps.clone()), settings, world.now);
    let asked = machine.step(world.now, Input::Tick);
    let Some(Command::Call { id, .. }) = asked.iter().find(|command| matches!(command, Command::Call { .. })) else {
        panic!("the account is asked first");
    };
    let caller = CallerIdentity { account: "111122223333".into(), arn: "arn".into() };
    let result = Ok(Answer::Identity(caller));
    let calls: Vec<&str> = machine
        .step(world.now, Input::Answer { id: *id, result })
        .iter()
        .filter_map(|command| match command {
            Command::Call { call: Call::DescribeEndpoint(name), .. } => Some(if name == "a" { "ask a" } else { "ask" }),
            Command::Call { call, .. } => Some(call.action()),
            _ => None,
        })
        .collect();
    assert_eq!(calls, ["ask a", "DescribeStacks"], "one is asked, and the work does not wait for it");
    let outcome = world.run(plan(steps), settings);
    assert!(outcome.succeeded());
    assert_eq!(world.calls["DescribeEndpoint"], 5);
}

#[test]
fn any_operation_waits_for_one_of_another_step() {
    let mut world = World::new();
    let (of_one, of_other) = (world.has("one", "old"), world.has("other", "old"));
    let mut one = update("one", of_one, &["mid", "new"]);
    waits(&mut one, 1, After { stack: named("other"), operation: 0 });
    let mut other = update("other", of_other, &["mid", "new"]);
    waits(&mut other, 1, After { stack: named("one"), operation: 0 });
    let outcome = check(
        &mut world,
        vec![one, other],
        expect![[r#"
            0 started 2
            0 one: update, phase 1 of 2: go on
            0 other: update, phase 1 of 2: go on
            0 one waits for ChangeSet
            0 other waits for ChangeSet
            0 one UPDATE_IN_PROGRESS
            0 other UPDATE_IN_PROGRESS
            32 one UPDATE_COMPLETE
            32 one waits for other
            32 other UPDATE_COMPLETE
            32 other: update, phase 2 of 2: go on
            32 one: update, phase 2 of 2: go on
            32 other waits for ChangeSet
            32 one waits for ChangeSet
            33 one UPDATE_IN_PROGRESS
            33 other UPDATE_IN_PROGRESS
            65 one UPDATE_COMPLETE
            65 other UPDATE_COMPLETE
            65 one Done
            65 other Done
            65 finished, 101 calls
            CreateChangeSet 4
            DescribeChangeSet 4
            DescribeEndpoint 2
            DescribeStacks 14
            ExecuteChangeSet 4
            GetCallerIdentity 1
            ListStacks 72
        "#]],
    );
    assert!(outcome.succeeded());
}

#[test]
fn an_operation_behind_a_failed_one_is_not_run() {
    let mut world = World::new().goes("other", [Goes::Fails(5, "Endpoint", "no")]);
    let (of_one, of_other) = (world.has("one", "old"), world.has("other", "old"));
    let mut one = update("one", of_one, &["mid", "new"]);
    waits(&mut one, 1, After { stack: named("other"), operation: 0 });
    let other = update("other", of_other, &["new"]);
    check(
        &mut world,
        vec![one, other],
        expect![[r#"
            0 started 2
            0 one: update, phase 1 of 2: go on
            0 other: update
            0 one waits for ChangeSet
            0 other waits for ChangeSet
            0 one UPDATE_IN_PROGRESS
            0 other UPDATE_IN_PROGRESS
            0 other/Sibling CREATE_FAILED
            0 other/Endpoint CREATE_FAILED
            5 other UPDATE_ROLLBACK_COMPLETE
            5 other FAILED RolledBack, update: the update failed and was rolled back
                a.yaml:1:1 Endpoint: no
            32 one UPDATE_COMPLETE
            32 one waits for other
            32 one stays wide by other
            32 finished, 51 calls
            CreateChangeSet 2
            DescribeChangeSet 2
            DescribeStackEvents 1
            DescribeStacks 26
            ExecuteChangeSet 2
            GetCallerIdentity 1
            ListStacks 17
        "#]],
    );
}

fn waits(step: &mut Step, operation: usize, on: After) {
    let Operation::Update { after, .. } = &mut step.operations[operation] else { panic!("it is an update") };
    after.push(on);
}
