//! The program itself against a peer: it applies, and stops where somebody else was quicker.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
};

use hubform::cloud::DeleteStack;

use super::subject;
use crate::support::peers::Server;

const ROLE: &str = "apiVersion: hubform.dev/v1
kind: Environment
metadata: {name: dev}
---
apiVersion: hubform.dev/v1
kind: Role
metadata: {name: models, labels: {team: one}}
";

#[test]
fn what_moved_since_the_plan_ends_with_4() {
    let Some(peer) = Server::start("moto") else { return };
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    fs::write(folder.path().join("role.yaml"), ROLE).expect("a file can be written");
    let made = apply(folder.path(), &peer.url());
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let (again, unchanged) = (apply(folder.path(), &peer.url()), "1 unchanged");
    assert!(again.status.success() && String::from_utf8_lossy(&again.stdout).contains(unchanged), "{again:?}");
    fs::write(folder.path().join("role.yaml"), ROLE.replace("one", "two")).expect("a file can be written");
    // The plan asks who is asking, and so does the work once it begins: in between the stack goes.
    let between = before_the_second("Action=GetCallerIdentity", &peer.url(), delete);
    let moved = apply(folder.path(), &between);
    let said = String::from_utf8_lossy(&moved.stdout);
    assert!(moved.status.code() == Some(4) && said.contains("has been deleted"), "{:?}\n{said}", moved.status);
}

fn apply(folder: &Path, url: &str) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hubform"));
    run.args(["apply", "--yes", "."]).current_dir(folder).env_clear().env("HOME", folder);
    run.envs([("AWS_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_ENDPOINT_URL", url)]);
    run.envs([("AWS_ACCESS_KEY_ID", "contract"), ("AWS_SECRET_ACCESS_KEY", "contract")]);
    run.output().expect("the program starts")
}

/// What somebody else does meanwhile.
fn delete(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let stacks = subject::ports(url).await.stacks;
        let request = DeleteStack { stack: "dev-role-models".to_owned(), role_arn: None, token: "other".to_owned() };
        stacks.delete_stack(request).await.expect("it can be deleted");
    });
}

/// A server that passes everything on to another, and does something before it passes on a certain request for the
/// second time.
fn before_the_second(request: &'static str, url: &str, act: fn(&str)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let own = format!("http://{}", listener.local_addr().expect("it is bound"));
    let url = url.to_owned();
    std::thread::spawn(move || {
        let mut times = 0;
        for stream in listener.incoming().flatten() {
            let Ok(heard) = hear(&stream) else { continue };
            times += usize::from(String::from_utf8_lossy(&heard).contains(request));
            if times == 2 {
                times += 1;
                act(&url);
            }
            let _ = pass_on(&stream, &heard, &url);
        }
    });
    own
}

fn pass_on(mut stream: &TcpStream, heard: &[u8], url: &str) -> std::io::Result<()> {
    let mut other = TcpStream::connect(url.trim_start_matches("http://"))?;
    other.write_all(heard)?;
    let mut answer = Vec::new();
    other.read_to_end(&mut answer)?;
    stream.write_all(&answer)
}

/// One request, which asks for the connection to be closed after it.
fn hear(stream: &TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut heard, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        heard.extend(line.into_bytes());
    }
    heard.extend(b"Connection: close\r\n\r\n");
    reader.take(length).read_to_end(&mut heard)?;
    Ok(heard)
}
