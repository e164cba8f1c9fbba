//! The live table, drawn from scripted events on terminals of two sizes.

use expect_test::{Expect, expect};
use hubform::{
    cloud::{StackRef, StackStatus, Target, Timestamp},
    execute::{Cause, Event, Failure, FailureKind, StepResult, Waiting},
    plan::Action,
    report::{
        Context,
        progress::{Listener, Live, Plain},
    },
};
use ratatui::{
    backend::{Backend, TestBackend},
    buffer::Buffer,
};

fn stack(name: &str) -> StackRef {
    let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
    StackRef { target, name: name.into() }
}

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1000)
}

fn begin(name: &str, operation: &str, second: i64) -> Event {
    let action = if operation == "create" { Action::Create } else { Action::Update };
    Event::OperationStarted { stack: stack(name), action, operation: operation.into(), at: at(second) }
}

fn status(name: &str, status: StackStatus, second: i64) -> Event {
    Event::Status { stack: stack(name), status, at: at(second) }
}

fn resource(name: &str, logical_id: &str, status: &str, second: i64) -> Event {
    Event::Resource {
        stack: stack(name),
        logical_id: logical_id.into(),
        resource_type: "AWS::SageMaker::Endpoint".into(),
        status: status.into(),
        reason: None,
        at: at(second),
    }
}

fn failure() -> StepResult {
    StepResult::Failed(Box::new(Failure {
        kind: FailureKind::RolledBack,
        operation: "create".into(),
        status: Some(StackStatus::RollbackComplete),
        message: "creating failed and everything was removed again".into(),
        cause: Some(Cause {
            logical_id: "Endpoint".into(),
            resource_type: "AWS::SageMaker::Endpoint".into(),
            reason: "insufficient capacity".into(),
            position: None,
            field: None,
        }),
        aftermath: Vec::new(),
    }))
}

/// A role that is ready, a failure, two that run, one that is slowed down, and twelve that wait.
fn script() -> Vec<Event> {
    let settled = |name: &str, result, second| Event::Settled { stack: stack(name), result, at: at(second) };
    let mut events = vec![Event::Started { at: at(0), stacks: 17 }];
    let late = (1..=12).map(|n| stack(&format!("prod-endpoint-late-{n:02}")));
    let need = || Waiting::Stacks(vec![stack("prod-role-shared")]);
    events.extend(late.map(|stack| Event::Waiting { stack, on: need(), at: at(0) }));
    events.extend([
        begin("prod-role-shared", "create", 0),
        status("prod-role-shared", StackStatus::CreateInProgress, 2),
        begin("prod-endpoint-chat", "update, phase 2 of 3: move the endpoint", 4),
        status("prod-endpoint-chat", StackStatus::UpdateInProgress, 6),
        resource("prod-endpoint-chat", "EndpointConfig", "UPDATE_COMPLETE", 30),
        resource("prod-endpoint-chat", "Endpoint", "UPDATE_IN_PROGRESS", 31),
        begin("prod-endpoint-a-very-long-name-größer-als-die-spalte", "create", 5),
        status("prod-endpoint-a-very-long-name-größer-als-die-spalte", StackStatus::CreateInProgress, 8),
        begin("prod-endpoint-unlucky", "create", 5),
        status("prod-endpoint-unlucky", StackStatus::RollbackInProgress, 40),
        begin("prod-endpoint-slow", "create", 41),
        Event::Waiting { stack: stack("prod-endpoint-slow"), on: Waiting::Throttled, at: at(42) },
        settled("prod-role-shared", StepResult::Done, 45),
        settled("prod-endpoint-unlucky", failure(), 100),
        Event::Tick { at: at(130) },
    ]);
    events
}

fn check(width: u16, height: u16, rows: u16, expect: Expect) {
    let context = Context { width: width.into(), label: Some("imagined account"), ..Context::default() };
    let mut live = Live::new(TestBackend::new(width, height), rows, &context).expect("a terminal");
    for event in script() {
        live.hear(&event).expect("drawn");
    }
    expect.assert_eq(&format!("{}{}", text(live.backend().scrollback()), text(live.backend().buffer())));
    live.hear(&Event::Finished { at: at(131), calls: 99 }).expect("closed");
    assert!(!text(live.backend().buffer()).contains("waiting"), "the table goes when all is over");
}

fn text(buffer: &Buffer) -> String {
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    let lines = (0..buffer.area.height).map(row).map(|line| line.trim_end().to_owned());
    lines.filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

#[test]
fn on_a_wide_terminal() {
    check(
        100,
        30,
        24,
        expect![[r#"
        ✓ prod-role-shared: done (45s)
        ✗ prod-endpoint-unlucky: failed: creating failed and everything was removed again; Endpoint: insuff…
        [imagined account] 2 of 17 stacks over · 1 failed · 2m10s
        stack                                         operation                  status              elapsed
        prod-endpoint-chat                            update, phase 2 of 3: mo…  UPDATE_IN_PROGRESS  2m06s
        prod-endpoint-a-very-long-name-größer-als-d…  create                     CREATE_IN_PROGRESS  2m05s
        prod-endpoint-slow                            create                     AWS asked to slow…  1m29s
        prod-endpoint-late-01                                                    waits for prod-ro…
        prod-endpoint-late-02                                                    waits for prod-ro…
        prod-endpoint-late-03                                                    waits for prod-ro…
        prod-endpoint-late-04                                                    waits for prod-ro…
        prod-endpoint-late-05                                                    waits for prod-ro…
        prod-endpoint-late-06                                                    waits for prod-ro…
        prod-endpoint-late-07                                                    waits for prod-ro…
        prod-endpoint-late-08                                                    waits for prod-ro…
        prod-endpoint-late-09                                                    waits for prod-ro…
        prod-endpoint-late-10                                                    waits for prod-ro…
        prod-endpoint-late-11                                                    waits for prod-ro…
        prod-endpoint-late-12                                                    waits for prod-ro…
    "#]],
    );
}

#[test]
fn on_a_narrow_terminal() {
    check(
        60,
        15,
        8,
        expect![[r#"
        ✓ prod-role-shared: done (45s)
        ✗ prod-endpoint-unlucky: failed: creating failed and everyt…
        [imagined account] 2 of 17 stacks over · 1 failed · 2m10s
        stack                            status              elapsed
        prod-endpoint-chat               UPDATE_IN_PROGRESS  2m06s
        prod-endpoint-a-very-long-name…  CREATE_IN_PROGRESS  2m05s
        prod-endpoint-slow               AWS asked to slow…  1m29s
        prod-endpoint-late-01            waits for prod-ro…
        prod-endpoint-late-02            waits for prod-ro…
        and 10 more
    "#]],
    );
}

#[test]
fn in_a_pipe() {
    let mut out = Vec::new();
    let mut plain = Plain::new(&mut out, &Context { label: Some("imagined account"), ..Context::default() });
    for event in script() {
        plain.hear(&event).expect("written");
    }
    expect![[r#"
        [     0s] 17 stacks to work on [imagined account]
        [     0s] prod-role-shared: create
        [     2s] prod-role-shared: CREATE_IN_PROGRESS
        [     4s] prod-endpoint-chat: update, phase 2 of 3: move the endpoint
        [     6s] prod-endpoint-chat: UPDATE_IN_PROGRESS
        [    30s] prod-endpoint-chat/EndpointConfig: UPDATE_COMPLETE
        [    31s] prod-endpoint-chat/Endpoint: UPDATE_IN_PROGRESS
        [    31s] prod-endpoint-a-very-long-name-größer-als-die-spalte: create
        [    31s] prod-endpoint-a-very-long-name-größer-als-die-spalte: CREATE_IN_PROGRESS
        [    31s] prod-endpoint-unlucky: create
        [    40s] prod-endpoint-unlucky: ROLLBACK_IN_PROGRESS
        [    41s] prod-endpoint-slow: create
        [    42s] prod-endpoint-slow: AWS asked to slow down
        [    45s] prod-role-shared: done
        [  1m40s] prod-endpoint-unlucky: failed: creating failed and everything was removed again; Endpoint: insufficient capacity
    "#]].assert_eq(&String::from_utf8(out).expect("text"));
}

#[test]
fn nothing_is_drawn_outside_a_terminal_that_is_too_small() {
    let context = Context::default();
    for (width, height) in [(1, 1), (5, 3), (20, 2)] {
        let mut live = Live::new(TestBackend::new(width, height), 8, &context).expect("a terminal");
        for event in script() {
            live.hear(&event).expect("drawn");
        }
        assert_eq!(live.backend().size().expect("known").width, width);
    }
}
