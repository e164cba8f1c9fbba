//! The live table, drawn from scripted events on emulated terminals of several sizes, and what a real one can do to it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use expect_test::{Expect, expect};
use hubform::{
    cloud::{Retrying, StackRef, StackStatus, Target, Timestamp, Trouble},
    execute::{Cause, Event, Failure, FailureKind, StepResult, Waiting},
    plan::Action,
    report::{
        Context,
        progress::{Listener, LiveProgress, PlainProgress},
    },
};

fn tried(name: &str) -> Retrying {
    Retrying {
        operation: "DescribeStackEvents".to_owned(),
        subject: name.to_owned(),
        target: stack(name).target,
        trouble: Trouble::Throttled,
        since: at(30),
        tries: 4,
        most: 40,
    }
}

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
        rollback: Vec::new(),
        endpoint: None,
        notes: Vec::new(),
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
        Event::Retrying { stack: Some(stack("prod-endpoint-slow")), call: tried("prod-endpoint-slow"), at: at(42) },
        settled("prod-role-shared", StepResult::Done, 45),
        settled("prod-endpoint-unlucky", failure(), 100),
        Event::Tick { at: at(130) },
    ]);
    events
}

/// A terminal that is only imagined, as wide and high as it says.
#[derive(Clone)]
struct Screen(Arc<Mutex<vt100::Parser>>);

impl Screen {
    fn new(columns: u16, rows: u16) -> Self {
        Self(Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 100))))
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.0.lock().expect("whole").screen_mut().set_size(rows, columns);
    }

    /// What can be scrolled to and what stands.
    fn text(&self) -> String {
        let parser = self.0.lock().expect("whole");
        let columns = parser.screen().size().1;
        let lines = parser.screen().rows(0, columns).map(|line| line.trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").process(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn live<'a>(
    screen: &'a Screen,
    size: impl Fn() -> Option<(u16, u16)> + Send + 'static,
) -> LiveProgress<impl Write + 'a> {
    let context = Context { label: Some("imagined account"), ..Context::default() };
    LiveProgress::new(screen.clone(), Box::new(size), &context)
}

fn check(columns: u16, rows: u16, expect: Expect) {
    let screen = Screen::new(columns, rows);
    let mut live = live(&screen, move || Some((columns, rows)));
    for event in script() {
        live.hear(&event).expect("drawn");
    }
    expect.assert_eq(&screen.text());
    live.hear(&Event::Finished { at: at(131), calls: 99 }).expect("closed");
    assert!(!screen.text().contains("waiting"), "the table goes when all is over");
    assert!(screen.text().contains("✗ prod-endpoint-unlucky"), "what is over stays");
}

#[test]
fn on_a_wide_terminal() {
    check(
        100,
        30,
        expect![[r#"
            ✓ prod-role-shared: done (45s)
            ✗ prod-endpoint-unlucky: failed: creating failed and everything was removed again; Endpoint: insuff…
            [imagined account] 2 of 17 stacks done · 1 failed · 2m10s
            stack                           operation   status              resource / waiting for       elapsed
            prod-endpoint-chat              update, p…  UPDATE_IN_PROGRESS  Endpoint UPDATE_IN_PROGRESS  2m06s
            prod-endpoint-a-very-long-nam…  create      CREATE_IN_PROGRESS                               2m05s
            prod-endpoint-slow              create      starting            throttled, try 4 of 40       1m29s
            prod-endpoint-late-01                       waiting             waits for prod-role-shared
            prod-endpoint-late-02                       waiting             waits for prod-role-shared
            prod-endpoint-late-03                       waiting             waits for prod-role-shared
            prod-endpoint-late-04                       waiting             waits for prod-role-shared
            prod-endpoint-late-05                       waiting             waits for prod-role-shared
            prod-endpoint-late-06                       waiting             waits for prod-role-shared
            prod-endpoint-late-07                       waiting             waits for prod-role-shared
            prod-endpoint-late-08                       waiting             waits for prod-role-shared
            prod-endpoint-late-09                       waiting             waits for prod-role-shared
            prod-endpoint-late-10                       waiting             waits for prod-role-shared
            prod-endpoint-late-11                       waiting             waits for prod-role-shared
            prod-endpoint-late-12                       waiting             waits for prod-role-shared
        "#]],
    );
}

#[test]
fn on_a_narrow_terminal() {
    check(
        60,
        15,
        expect![[r#"
            ✓ prod-role-shared: done (45s)
            ✗ prod-endpoint-unlucky: failed: creating failed and everyt…
            [imagined account] 2 of 17 stacks done · 1 failed · 2m10s
            stack                     status                    elapsed
            prod-endpoint-chat        UPDATE_IN_PROGRESS        2m06s
            prod-endpoint-a-very-lo…  CREATE_IN_PROGRESS        2m05s
            prod-endpoint-slow        throttled, try 4 of 40    1m29s
            prod-endpoint-late-01     waits for prod-role-sha…
            prod-endpoint-late-02     waits for prod-role-sha…
            prod-endpoint-late-03     waits for prod-role-sha…
            prod-endpoint-late-04     waits for prod-role-sha…
            prod-endpoint-late-05     waits for prod-role-sha…
            prod-endpoint-late-06     waits for prod-role-sha…
            prod-endpoint-late-07     waits for prod-role-sha…
            and 5 more
        "#]],
    );
}

#[test]
fn in_a_pipe() {
    let mut out = Vec::new();
    let mut plain = PlainProgress::new(&mut out, &Context { label: Some("imagined account"), ..Context::default() });
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
        [    42s] DescribeStackEvents of prod-endpoint-slow in us-east-1: throttled for 12s, try 4 of 40
        [    45s] prod-role-shared: done
        [  1m40s] prod-endpoint-unlucky: failed: creating failed and everything was removed again; Endpoint: insufficient capacity
    "#]].assert_eq(&String::from_utf8(out).expect("text"));
}

#[test]
fn no_size_of_a_terminal_stops_it_and_what_is_over_is_always_told() {
    for (columns, rows) in [(0, 0), (80, 0), (0, 24), (1, 1), (5, 3), (19, 24), (80, 4)] {
        let mut said = Vec::new();
        let mut live = LiveProgress::new(&mut said, Box::new(move || Some((columns, rows))), &Context::default());
        for event in script() {
            live.hear(&event).expect("drawn");
        }
        live.close().expect("closed");
        drop(live);
        let said = String::from_utf8(said).expect("text");
        assert_eq!(said.matches("prod-endpoint-unlucky: failed").count(), 1, "{columns}x{rows}: {said}");
        assert!(!said.contains("waiting"), "{columns}x{rows}: there is no room for a table");
    }
}

#[test]
fn a_terminal_that_changes_its_size_on_the_way_is_drawn_on_again() {
    let screen = Screen::new(100, 30);
    let now = Arc::new(Mutex::new((100, 30)));
    let asked = Arc::clone(&now);
    let mut live = live(&screen, move || Some(*asked.lock().expect("whole")));
    for (number, event) in script().iter().enumerate() {
        let size = [(100, 30), (60, 15), (80, 0), (90, 20)][number / 8 % 4];
        *now.lock().expect("whole") = size;
        screen.resize(size.0, size.1.max(2));
        live.hear(event).expect("drawn");
    }
    *now.lock().expect("whole") = (100, 30);
    screen.resize(100, 30);
    live.hear(&Event::Tick { at: at(140) }).expect("drawn");
    let text = screen.text();
    assert_eq!(text.matches("2 of 17 stacks done").count(), 1, "{text}");
    assert!(text.contains("prod-endpoint-slow"), "{text}");
}

#[test]
fn a_terminal_that_loses_its_rows_gets_lines() {
    let screen = Screen::new(100, 30);
    let now = Arc::new(Mutex::new((100, 30)));
    let size = Arc::clone(&now);
    let mut live = live(&screen, move || Some(*size.lock().expect("whole")));
    for (number, event) in script().iter().enumerate() {
        if number == 4 {
            *now.lock().expect("whole") = (100, 0);
        }
        live.hear(event).expect("it can be written");
    }
    let text = screen.text();
    assert!(text.contains("prod-endpoint-chat/EndpointConfig: UPDATE_COMPLETE"), "{text}");
}
