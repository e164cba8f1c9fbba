//! Servers that mean harm, each met by every call that the adapters make: whatever is answered, the call ends in time,
//! says what failed where and why, and nothing of the answer steers the terminal, names a secret or leads elsewhere.

pub(crate) mod hostile;

use std::{
    fs,
    pin::Pin,
    process::{Command, Output},
    sync::Mutex,
    time::{Duration, Instant},
};

use fastrand::Rng;
use hubform::{
    aws::{AwsAccounts, Limits},
    cloud::{
        Accounts, ChangeSetType, CloudError, CloudResult, Connection, CreateChangeSet, CreateStack, DeleteStack,
        ExecuteChangeSet, StackOptions, StackStatus, Target,
    },
    diagnostic::shown,
};

use super::run::{Figures, is_long, quietly, seeds, steers};
use hostile::{MODES, Mode, OWN_SECRET, SECRETS, Server};

const REGION: &str = "eu-west-3";
const SUBJECT: &str = "web";
const LIMITS: Limits = Limits {
    connect: Duration::from_millis(300),
    attempt: Duration::from_millis(400),
    credentials: Duration::from_millis(300),
};
/// A call takes no longer, on a machine that does much else; without limits it would never end.
const BOUND: Duration = Duration::from_secs(10);
/// Calls that meet each mode in a short run.
const SAMPLE: usize = 3;
const AT_ONCE: usize = 8;

type Asked<'a> = Pin<Box<dyn Future<Output = CloudResult<()>> + 'a>>;
type Ask = for<'a> fn(&'a Connection) -> Asked<'a>;

macro_rules! calls {
    ($($operation:literal $port:ident.$method:ident($($argument:expr),*),)*) => {
        /// Every call of the adapters, by the operation that it names.
        const CALLS: &[(&str, Ask)] = &[$(($operation, |connection| {
            Box::pin(async { connection.$port.$method($($argument),*).await.map(drop) })
        }),)*];
    };
}

calls! {
    "GetCallerIdentity" identity.caller(),
    "GetRole" iam.get_role(SUBJECT),
    "DescribeEndpoint" sagemaker.describe_endpoint(SUBJECT),
    "DescribeStacks" stacks.describe_stacks(None),
    "DescribeStacks" stacks.describe_stack(SUBJECT),
    "ListStacks" stacks.list_stacks(&[StackStatus::CreateInProgress], None),
    "DescribeStackEvents" stacks.describe_stack_events(SUBJECT, None),
    "GetTemplate" stacks.get_template(SUBJECT),
    "GetTemplate" stacks.get_change_set_template(SUBJECT),
    "CreateStack" stacks.create_stack(creation()),
    "CreateChangeSet" stacks.create_change_set(change()),
    "DescribeChangeSet" stacks.describe_change_set(SUBJECT),
    "ListChangeSets" stacks.list_change_sets(SUBJECT),
    "ExecuteChangeSet" stacks.execute_change_set(execution()),
    "DeleteChangeSet" stacks.delete_change_set(SUBJECT),
    "DeleteStack" stacks.delete_stack(deletion()),
    "UpdateTerminationProtection" stacks.update_termination_protection(SUBJECT, true),
}

fn creation() -> CreateStack {
    CreateStack {
        name: SUBJECT.to_owned(),
        body: "{}".to_owned(),
        parameters: Default::default(),
        tags: Default::default(),
        capabilities: Default::default(),
        options: StackOptions::default(),
        disable_rollback: false,
        termination_protection: false,
        token: "token".to_owned(),
    }
}

fn change() -> CreateChangeSet {
    let CreateStack { name, body, parameters, tags, capabilities, options, token, .. } = creation();
    let (stack, kind, previous) = (name.clone(), ChangeSetType::Update, Default::default());
    CreateChangeSet { stack, name, kind, body, parameters, previous, tags, capabilities, options, token }
}

fn execution() -> ExecuteChangeSet {
    ExecuteChangeSet { change_set: SUBJECT.to_owned(), disable_rollback: false, token: "token".to_owned() }
}

fn deletion() -> DeleteStack {
    DeleteStack { stack: SUBJECT.to_owned(), role_arn: None, token: "token".to_owned() }
}

/// One call, perhaps with a role to assume before it, and what it meets.
#[derive(Clone, Copy)]
struct Case {
    mode: &'static Mode,
    call: usize,
    role: bool,
}

/// Which calls meet each mode, by a seed.
fn cases(seed: u64) -> Vec<Case> {
    let mut rng = Rng::with_seed(seed);
    let mut cases = Vec::new();
    for mode in MODES.iter().filter(|mode| is_long() || !mode.long) {
        let mut calls: Vec<usize> = (0..CALLS.len()).filter(|call| (mode.meets)(CALLS[*call].0)).collect();
        rng.shuffle(&mut calls);
        calls.truncate(if is_long() { CALLS.len() } else { SAMPLE });
        cases.extend(calls.iter().map(|call| Case { mode, call: *call, role: false }));
        // What comes before the call is asked of STS, which has no pages.
        cases.extend((!mode.long).then_some(Case { mode, call: 0, role: true }));
    }
    cases
}

#[test]
fn no_answer_does_harm() {
    // A long run meets every mode with every call, so that one seed is all there is.
    let seed = seeds(1).start;
    let cases = cases(seed);
    let (next, figures) = (Mutex::new(cases.iter()), Mutex::new(Figures { tried: cases.len(), ..Figures::default() }));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = { next.lock().expect("no worker panics while it holds this").next() } {
                    let met = quietly(|| meet(case)).map_err(|words| format!("{}: panicked: {words}", name(case)));
                    let mut figures = figures.lock().expect("as above");
                    match met.flatten() {
                        Ok(asked) => figures.reached += usize::from(asked),
                        Err(why) => figures.failures.push(format!("HUBFORM_SEED={seed}: {why}")),
                    }
                }
            });
        }
    });
    let figures = figures.into_inner().expect("as above");
    figures.tell("hostile servers", "calls", "of a server that was asked");
    assert!(figures.reached * 100 >= figures.tried * 95, "hardly any call reached a server");
}

fn name(case: &Case) -> String {
    let before = if case.role { "AssumeRole before " } else { "" };
    format!("{} at {before}{}", case.mode.name, CALLS[case.call].0)
}

/// Was the server asked? A server that is not there is never reached, which is what it is for.
fn meet(case: &Case) -> Result<bool, String> {
    let server = Server::start(case.mode);
    let elsewhere = Server::start(hostile::ELSEWHERE);
    server.leads_to(&elsewhere);
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let answer = runtime.block_on(async {
        let connection = connect(&server.url(), case.role).await;
        tokio::time::timeout(BOUND, (CALLS[case.call].1)(&connection)).await
    });
    let wrong = |why: String| Err(format!("{}: {why}", name(case)));
    match answer {
        Err(_) => return wrong(format!("no end within {BOUND:?}")),
        Ok(Ok(())) if (case.mode.works)(CALLS[case.call].0) && !case.role => {}
        Ok(Ok(())) => return wrong("it worked".to_owned()),
        Ok(Err(error)) => {
            if let Err(why) = is_well_said(&error, CALLS[case.call].0) {
                return wrong(why);
            }
        }
    }
    match elsewhere.asked() {
        0 => Ok(server.asked() > 0 || case.mode.name == "refused"),
        times => wrong(format!("it was led elsewhere {times} times in {:?}", began.elapsed())),
    }
}

async fn connect(url: &str, role: bool) -> Connection {
    let keys = aws_sdk_sts::config::Credentials::new("trial", "trial", None, None, "trial");
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(REGION)
        .endpoint_url(url)
        .credentials_provider(keys)
        .empty_test_environment();
    let accounts = AwsAccounts::with_config(config.load().await).with_limits(LIMITS);
    let assume_role = role.then(|| "arn:aws:iam::123456789012:role/deployer".to_owned());
    let target = Target { account: None, region: REGION.to_owned(), assume_role };
    accounts.at(&target).await.expect("connecting asks nobody")
}

/// Does a failure name the call, the Region and a cause, and nothing that it must not?
fn is_well_said(error: &CloudError, operation: &str) -> Result<(), String> {
    let text = shown(&error.to_string());
    let subject = if operation == "GetCallerIdentity" { "the caller" } else { &error.subject };
    let start = format!("{operation} of {subject} in {REGION} failed: ");
    match text.strip_prefix(&start) {
        None | Some("") => Err(format!("it does not begin with the call and the Region, or has no cause: {text}")),
        Some(_) => is_harmless(&text, &SECRETS),
    }
}

/// Does a text hold nothing that steers a terminal, none of these secrets, and an end?
fn is_harmless(text: &str, secrets: &[&str]) -> Result<(), String> {
    if let Some(secret) = secrets.iter().find(|secret| text.contains(**secret)) {
        return Err(format!("it tells {secret}"));
    }
    if let Some(steering) = steers(text) {
        return Err(format!("it has {steering:?}, which steers a terminal: {text:?}"));
    }
    let length = text.chars().count();
    if length > 3_000 { Err(format!("it has {length} characters")) } else { Ok(()) }
}

#[test]
fn the_program_says_what_failed_and_where() {
    let modes: Vec<&Mode> = MODES.iter().filter(|mode| mode.quick && (is_long() || mode.sampled)).collect();
    let (next, figures) = (Mutex::new(modes.iter()), Mutex::new(Figures { tried: modes.len(), ..Figures::default() }));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(mode) = { next.lock().expect("no worker panics while it holds this").next() } {
                    let ended = quietly(|| plan(mode)).flatten();
                    let mut figures = figures.lock().expect("as above");
                    match ended {
                        Ok(asked) => figures.reached += usize::from(asked),
                        Err(why) => figures.failures.push(format!("{}: {why}", mode.name)),
                    }
                }
            });
        }
    });
    let figures = figures.into_inner().expect("as above");
    figures.tell("hostile servers, by the program", "runs", "of a server that was asked");
}

/// Was the server asked?
fn plan(mode: &'static Mode) -> Result<bool, String> {
    let server = Server::start(mode);
    let output = program(&["plan", "."], &[KEYS[0], KEYS[1], ("AWS_ENDPOINT_URL", &server.url())], "");
    let said = String::from_utf8_lossy(&output.stderr);
    is_harmless(&said, &SECRETS)?;
    is_harmless(&said, &[OWN_SECRET])?;
    let names = said.contains("GetCallerIdentity of the caller in us-east-1 failed: ");
    match output.status.code() {
        Some(1) if names && said.contains("error: ") => Ok(server.asked() > 0),
        code => Err(format!("exit {code:?}: {said}")),
    }
}

/// The program in a folder with one manifest and this shared configuration, with these variables and a Region.
pub(super) fn program(arguments: &[&str], variables: &[(&str, &str)], config: &str) -> Output {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("role.yaml"), ROLE).expect("a file can be written");
    fs::write(path("config"), config).expect("a file can be written");
    let mut run = Command::new(env!("CARGO_BIN_EXE_hubform"));
    run.args(arguments).current_dir(folder.path()).env_clear().env("HOME", folder.path());
    run.envs([("AWS_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .env("AWS_CONFIG_FILE", path("config"));
    run.envs(variables.iter().copied()).output().expect("the program starts")
}

/// Keys of the environment.
pub(super) const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "trial"), ("AWS_SECRET_ACCESS_KEY", OWN_SECRET)];

const ROLE: &str = "apiVersion: hubform.dev/v1
kind: Environment
metadata: {name: dev}
---
apiVersion: hubform.dev/v1
kind: Role
metadata: {name: models}
";
