//! How a bad world looks through the ports to AWS: the exact messages, and how often the SDK asked.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use expect_test::{Expect, expect};
use hubform::{
    aws::{AwsAccounts, Limits, profile_region},
    cloud::{Accounts, CloudResult, Connection, Target},
};

const HTML: &str = "<!DOCTYPE html><html><head><title>Blocked by the proxy</title></head><body>no<br></body></html>";

/// A server on the loopback that knows only prepared answers, and counts.
struct World {
    url: String,
    requests: Arc<AtomicUsize>,
}

fn answering(status: &str, headers: &str, body: &str) -> World {
    saying(&[&http(status, headers, body)])
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// Answers in turn; the last one again and again.
fn saying(answers: &[&str]) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let turn = counter.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            let _ = reply(stream, &answers[turn]);
        }
    });
    World { url, requests }
}

fn reply(stream: TcpStream, answer: &str) -> std::io::Result<()> {
    hear(&stream)?;
    (&stream).write_all(answer.as_bytes())
}

/// Reads one request.
fn hear(stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.take(length).read_to_end(&mut Vec::new()).map(drop)
}

fn xml(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>7f1d</RequestId></ErrorResponse>"
    )
}

fn refusing(status: &str, code: &str, message: &str) -> World {
    answering(status, "Content-Type: text/xml\r\nx-amzn-RequestId: 7f1d\r\n", &xml(code, message))
}

fn target(role: Option<&str>) -> Target {
    Target { account: None, region: "us-east-1".to_owned(), assume_role: role.map(str::to_owned) }
}

fn within<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(future)
}

async fn connect(url: &str, role: Option<&str>) -> Connection {
    let keys = aws_sdk_sts::config::Credentials::new("world", "world", None, None, "world");
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region("us-east-1")
        .endpoint_url(url)
        .credentials_provider(keys)
        .empty_test_environment();
    let accounts = AwsAccounts::with_config(config.load().await);
    accounts.at(&target(role)).await.expect("connecting asks nobody")
}

fn told<T>(answer: CloudResult<T>) -> String {
    match answer {
        Ok(_) => "it worked".to_owned(),
        Err(error) => {
            let id = error.request_id.as_deref().map(|id| format!(" [{id}]")).unwrap_or_default();
            format!("{error}{id}{}", if error.kind.is_transient() { " (again later)" } else { "" })
        }
    }
}

/// Asks for a stack in each world; says what came of it, and after how many requests.
fn check(worlds: &[World], role: Option<&str>, expect: Expect) {
    let mut lines = String::new();
    for world in worlds {
        let said = within(async { told(connect(&world.url, role).await.stacks.describe_stack("web").await) });
        let said = said.strip_prefix("DescribeStacks of web in us-east-1 failed: ").unwrap_or(&said);
        let said = said.replace(&world.url, "URL").replace("(os error 61)", "(os error 111)");
        let _ = writeln!(lines, "{}x {said}", world.requests.load(Ordering::Relaxed));
    }
    expect.assert_eq(&lines);
}

#[test]
fn a_page_instead_of_an_answer() {
    let html = "Content-Type: text/html\r\n";
    let incomplete = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>web</StackName></member>\
                      </Stacks></DescribeStacksResult></DescribeStacksResponse>";
    let worlds = [
        answering("200 OK", html, HTML),
        answering("403 Forbidden", html, HTML),
        answering("503 Service Unavailable", html, HTML),
        answering("404 Not Found", "", ""),
        answering("200 OK", "Content-Type: text/xml\r\n", "<DescribeStacksResponse><Desc"),
        answering("200 OK", "x-amzn-RequestId: 7f1d\r\n", incomplete),
    ];
    check(
        &worlds,
        None,
        expect![[r#"
            1x not an answer from AWS: HTTP 200 of text/html, titled "Blocked by the proxy"
            1x not an answer from AWS: HTTP 403 of text/html, titled "Blocked by the proxy"
            1x AWS failed (HTTP 503 of text/html, titled "Blocked by the proxy") (again later)
            1x not an answer from AWS: HTTP 404 of unknown type
            1x not an answer from AWS: HTTP 200 of text/xml
            1x not an answer from AWS: it has no StackId [7f1d]
        "#]],
    );
}

#[test]
fn an_answer_without_an_end_breaks_off() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = hear(&stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>");
            while stream.write_all(&[b'x'; 1 << 16]).is_ok() {
                counter.fetch_add(1 << 16, Ordering::Relaxed);
            }
        }
    });
    let said = within(async { told(connect(&url, None).await.stacks.describe_stack("web").await) });
    assert!(said.contains("it is longer than 16 MiB"), "{said}");
    let (sent, most) = (sent.load(Ordering::Relaxed), 4 * (16 << 20) + (64 << 20));
    assert!(sent < most, "{sent} bytes were taken");
}

#[test]
fn refusals() {
    let worlds = [
        refusing("400 Bad Request", "Throttling", "Rate exceeded"),
        refusing("503 Slow", "RequestLimitExceeded", "Request limit exceeded."),
        refusing("400 Bad Request", "LimitExceededException", "Limit exceeded"),
        refusing("500 Internal", "InternalFailure", "try again"),
        refusing("403 Forbidden", "ExpiredToken", "The security token is expired"),
        refusing("403 Forbidden", "AccessDenied", "User: x may not y"),
    ];
    check(
        &worlds,
        None,
        expect![[r#"
            1x AWS asked to slow down (Rate exceeded) [7f1d] (again later)
            1x AWS asked to slow down (Request limit exceeded.) [7f1d] (again later)
            1x a quota of the account is exhausted: Limit exceeded [7f1d]
            1x AWS failed (InternalFailure: try again) [7f1d] (again later)
            1x no valid AWS credentials: The security token is expired [7f1d]
            1x access denied: User: x may not y [7f1d]
        "#]],
    );
}

#[test]
fn a_role_that_cannot_be_assumed() {
    let message = "User: x is not authorized to perform: sts:AssumeRole on resource: y";
    let worlds = [
        refusing("403 Forbidden", "AccessDenied", message),
        refusing("400 Bad Request", "Throttling", "Rate exceeded"),
        answering("200 OK", "Content-Type: text/html\r\n", HTML),
    ];
    check(
        &worlds,
        Some("arn:aws:iam::123456789012:role/deployer"),
        expect![[r#"
            1x access denied: User: x is not authorized to perform: sts:AssumeRole on resource: y
            1x AWS asked to slow down (Rate exceeded) (again later)
            1x not an answer from AWS: HTTP 200 of text/html, titled "Blocked by the proxy"
        "#]],
    );
}

#[test]
fn a_change_set_is_read_to_its_last_page() {
    let page = |logical_id: &str, next: &str| {
        let body = format!(
            "<DescribeChangeSetResponse><DescribeChangeSetResult><ChangeSetName>n</ChangeSetName>\
             <ChangeSetId>c</ChangeSetId><StackId>s</StackId><CreationTime>2026-11-23T09:00:00Z</CreationTime>\
             <Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes><member>\
             <ResourceChange><Action>Add</Action><LogicalResourceId>{logical_id}</LogicalResourceId>\
             <ResourceType>AWS::IAM::Role</ResourceType></ResourceChange></member></Changes>{next}\
             </DescribeChangeSetResult></DescribeChangeSetResponse>"
        );
        http("200 OK", "Content-Type: text/xml\r\n", &body)
    };
    let world = saying(&[&page("One", "<NextToken>more</NextToken>"), &page("Two", "")]);
    let set = within(async { connect(&world.url, None).await.stacks.describe_change_set("c").await });
    let set = set.expect("the answers are well formed").expect("it exists");
    let changed: Vec<&str> = set.changes.iter().map(|change| change.logical_id.as_str()).collect();
    assert_eq!((changed, world.requests.load(Ordering::Relaxed)), (vec!["One", "Two"], 2));
}

#[test]
fn nobody_to_talk_to() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free").local_addr().expect("it is bound");
    let nobody = |url: &str| World { url: url.to_owned(), requests: Arc::default() };
    let worlds =
        [nobody(&format!("http://{free}")), saying(&[""]), saying(&["nonsense\r\n\r\n"]), nobody("not a url: secret")];
    check(
        &worlds,
        None,
        expect![[r#"
            0x no answer: tcp connect error: Connection refused (os error 111) (again later)
            1x no answer: connection closed before message completed (again later)
            1x not an answer from AWS: invalid HTTP version parsed
            0x the request cannot be made: failed to apply endpoint `URL`: endpoint is not a valid URI: invalid uri character
        "#]],
    );
}

/// Not a test by itself: what `told_with` runs in a process with another environment.
#[test]
#[ignore = "no test by itself: those below run it as a process of its own, because an environment is a whole process's"]
fn ask_as_the_environment_says() {
    let said = within(async {
        let region = profile_region(None).await;
        let within = std::env::var("WITHIN").ok().and_then(|millis| millis.parse().ok());
        let credentials = within.map_or(Limits::default().credentials, Duration::from_millis);
        let accounts = AwsAccounts::new(None).with_limits(Limits { credentials, ..Limits::default() });
        let connection = accounts.at(&target(None)).await.expect("connecting asks nobody");
        format!("{region:?}: {}", told(connection.identity.caller().await))
    });
    let path = std::env::var_os("TOLD").expect("the parent says where to write");
    fs::write(path, said).expect("the folder is there");
}

/// Asks who the caller is in a process with these variables and this shared configuration file.
fn told_with(variables: &[(&str, &str)], config: &str) -> String {
    let home = tempfile::tempdir().expect("a folder can be made");
    let (told, file) = (home.path().join("told"), home.path().join("config"));
    fs::write(&file, config).expect("a file can be written");
    let mut child = Command::new(std::env::current_exe().expect("the test knows itself"));
    child.args(["--exact", "world::ask_as_the_environment_says", "--ignored", "--quiet"]);
    child.env_clear().env("HOME", home.path()).env("AWS_CONFIG_FILE", &file).env("TOLD", &told);
    child.env("AWS_SHARED_CREDENTIALS_FILE", home.path().join("none")).env("AWS_EC2_METADATA_DISABLED", "true");
    let output = child.envs(variables.iter().copied()).output().expect("the test can run itself");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    fs::read_to_string(&told).expect("the child wrote it") + "\n"
}

#[test]
fn no_credentials() {
    let process = "[default]\nregion = eu-west-1\ncredential_process = false\n";
    let sso = "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n\
               [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.invalid/start\n";
    let told = [
        told_with(&[], ""),
        told_with(&[("AWS_PROFILE", "nobody")], ""),
        told_with(&[], process),
        told_with(&[("AWS_REGION", "eu-central-1")], sso),
    ];
    expect![[r#"
        None: GetCallerIdentity of the caller in us-east-1 failed: no valid AWS credentials: none in the environment, the profile, or the metadata of this machine
        None: GetCallerIdentity of the caller in us-east-1 failed: no valid AWS credentials: none in the environment, the profile, or the metadata of this machine
        Some("eu-west-1"): GetCallerIdentity of the caller in us-east-1 failed: no valid AWS credentials: Error retrieving credentials: external process exited with code exit status: 1. Stderr:
        Some("eu-central-1"): GetCallerIdentity of the caller in us-east-1 failed: no valid AWS credentials: failed to load the cached SSO token
    "#]].assert_eq(&told.concat());
}

#[test]
fn a_process_that_hangs_is_named_and_not_waited_for_long() {
    let config = "[profile corp]\nsource_profile = base\nrole_arn = arn:aws:iam::123456789012:role/x\n\
                  [profile base]\ncredential_process = /bin/sleep 5\n";
    let told = told_with(&[("AWS_PROFILE", "corp"), ("WITHIN", "300")], config);
    let why = "the credential_process of the profile `base` gave none for 0.3 seconds";
    assert!(told.ends_with(&format!("no valid AWS credentials: {why}\n")), "{told}");
    let limits = Limits::default();
    assert!(limits.credentials < limits.attempt, "the call would be named in place of the process");
}

#[test]
fn the_environment_is_the_sdks() {
    let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
                    <Arn>arn:aws:iam::123456789012:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let world = answering("200 OK", "Content-Type: text/xml\r\n", identity);
    let keys = [("AWS_ACCESS_KEY_ID", "world"), ("AWS_SECRET_ACCESS_KEY", "world")];
    let profile = format!("[profile there]\nregion = us-west-2\nendpoint_url = {}\n", world.url);
    let told = told_with(&[keys[0], keys[1], ("AWS_PROFILE", "there")], &profile);
    assert_eq!((told.as_str(), world.requests.load(Ordering::Relaxed)), ("Some(\"us-west-2\"): it worked\n", 1));
    let told = told_with(&[keys[0], keys[1], ("AWS_ENDPOINT_URL", &world.url)], "");
    assert_eq!((told.as_str(), world.requests.load(Ordering::Relaxed)), ("None: it worked\n", 2));
    // What hubform decides itself is not asked of the environment, where the SDK would stop the process over it.
    for wrong in [("AWS_RETRY_MODE", "zz"), ("AWS_MAX_ATTEMPTS", "0"), ("AWS_MAX_ATTEMPTS", "-1")] {
        let told = told_with(&[keys[0], keys[1], ("AWS_ENDPOINT_URL", &world.url), wrong], "");
        assert_eq!(told, "None: it worked\n", "{wrong:?}");
    }
    let told = told_with(&[keys[0], keys[1], ("AWS_ENDPOINT_URL", "")], "");
    assert!(told.contains("GetCallerIdentity of the caller in us-east-1 failed"), "{told}");
}
