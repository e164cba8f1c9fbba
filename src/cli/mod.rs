//! One file per verb, one shape for all: load, ask, act, report. Meaning is given to arguments here; decisions are not.

mod args;
mod bodies;
mod exit;
mod host;
mod load;
mod locks;
mod owners;
mod read;
mod session;
mod sources;

mod apply;
mod completions;
mod destroy;
mod explain;
mod init;
mod lock;
mod plan;
mod progress;
mod render;
mod schema;
mod signals;
mod status;
mod templates;
mod validate;

use std::{cell::RefCell, ffi::OsString, io::Write};

use anyhow::Result;
use clap::Parser;

pub use args::Cli;
pub use exit::Exit;
pub use host::{Host, Terminal};
pub use progress::ProgressMode;

use args::{Format, Selection, Verb};
use load::Loaded;

use crate::{
    cloud::{Retrying, Timestamp},
    diagnostic::shown,
    plan::Blocking,
    report,
    resolve::WrongAccount,
};

/// Input that cannot be carried out, for which there is no place in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Refusal {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }

    fn no_region(environment: &str) -> Self {
        Self::new(
            format!("no Region configured for environment `{environment}`"),
            "set `targets: [{region: …}]` in the Environment, `--region`, `AWS_REGION`, or a Region in the AWS profile",
        )
    }

    fn nobodys() -> Self {
        Self::new(
            "no Environment or lock file says who owns these stacks",
            "run `hubform init` to write both, or `hubform lock` for a lock alone, and commit what it writes",
        )
    }

    #[cfg(not(feature = "aws"))]
    fn no_aws() -> Self {
        Self::new(
            "this build of hubform has no AWS support",
            "add `--sandbox` to use an imagined account, or build with default features",
        )
    }

    fn wrong_account(wrong: &WrongAccount<'_>) -> Self {
        let WrongAccount { environment, wanted, found } = wrong;
        Self::new(
            format!("environment `{environment}` is for account {wanted}, but the credentials are for {found}"),
            "use credentials of that account, or set `assumeRole`",
        )
    }

    fn blocked(blocking: &[Blocking]) -> Self {
        Self::new(report::waiting::human(blocking), "leave out `--no-wait` to wait for it")
    }

    fn doubtful(doubts: &[String]) -> Self {
        Self::new(
            format!("the plan fails hubform's own audit: {}", doubts.join("; ")),
            "nothing was done; please report this bug",
        )
    }

    fn needs_yes(verb: &str) -> Self {
        Self::new(
            format!("`{verb}` asks before it acts, and input is not a terminal"),
            "add `--yes` to skip the question",
        )
    }
}

/// The run is over: findings that stop it were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("findings stop the run")]
struct Stopped;

/// Runs a command line, the program's name first.
pub fn run(host: &mut Host, arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(host, &error),
    };
    until_closed(host);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(host, cli)),
        Err(error) => Err(error.into()),
    };
    let exit = ended.unwrap_or_else(|error| failed(host, &error));
    let flushed = host.output.flush().and(host.errors.flush());
    match flushed {
        Err(_) if exit == Exit::Done => Exit::Failed,
        _ => exit,
    }
}

async fn dispatch(host: &mut Host, cli: Cli) -> Result<Exit> {
    let globals = &cli.globals;
    match cli.verb {
        Verb::Init(args) => init::run(host, &args),
        Verb::Validate(args) => validate::run(host, &args),
        Verb::Render(args) => render::run(host, &args),
        Verb::Plan(args) => plan::run(host, globals, &args).await,
        Verb::Apply(args) => apply::run(host, globals, &args).await,
        Verb::Destroy(args) => destroy::run(host, globals, &args).await,
        Verb::Status(args) => status::run(host, globals, &args).await,
        Verb::Lock(args) => lock::run(host, globals, &args).await,
        Verb::Schema(args) => schema::run(host, &args),
        Verb::Templates(args) => templates::run(host, &args),
        Verb::Explain(args) => explain::run(host, &args),
        Verb::Completions(args) => completions::run(host, &args),
    }
}

fn usage(host: &mut Host, error: &clap::Error) -> Exit {
    let text = match host.colour() {
        true => error.render().ansi().to_string(),
        false => error.render().to_string(),
    };
    let text = crate::diagnostic::secret::mask(&text);
    // Help and version are answers; everything else is a complaint. Nobody is left to tell if writing fails.
    match error.use_stderr() {
        true => {
            let _ = write!(host.errors, "{text}");
            Exit::Refused
        }
        false => {
            let _ = write!(host.output, "{text}");
            Exit::Done
        }
    }
}

/// A closed pipe is no failure: the reader had enough, and the work goes on without words.
fn until_closed(host: &mut Host) {
    let output = std::mem::replace(&mut host.output, Box::new(std::io::sink()));
    host.output = Box::new(UntilClosed(output));
    let errors = std::mem::replace(&mut host.errors, Box::new(std::io::sink()));
    host.errors = Box::new(UntilClosed(errors));
}

struct UntilClosed<W>(W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// The chain of causes, once, at the edge.
fn failed(host: &mut Host, error: &anyhow::Error) -> Exit {
    if error.is::<Stopped>() {
        return Exit::Refused;
    }
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
    let mut text = format!("error: {}\n", shown(&host.without_own_secrets(&error.to_string())));
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because {}\n", shown(&host.without_own_secrets(&cause.to_string()))));
    }
    let call = error.chain().find_map(|cause| cause.downcast_ref::<crate::cloud::CloudError>());
    if let Some(id) = call.and_then(|call| call.request_id.as_deref()) {
        text.push_str(&format!("  request id: {id}\n"));
    }
    let help = refusal.and_then(|refusal| refusal.help.clone()).or_else(|| report::world_advice(error));
    if let Some(help) = help {
        text.push_str(&format!("  help: {help}\n"));
    }
    let _ = host.errors.write_all(text.as_bytes());
    if refusal.is_some() || call.is_none() { Exit::Refused } else { Exit::Failed }
}

fn format(host: &Host, selection: &Selection) -> Format {
    let said = match host.variable("HUBFORM_OUTPUT") {
        Some("json") => Format::Json,
        Some("markdown") => Format::Markdown,
        _ => Format::Human,
    };
    selection.output.unwrap_or(said)
}

/// A path as it may be shown.
fn told(path: &std::path::Path) -> String {
    shown(&path.display().to_string()).replace('\n', "\\n")
}

/// How reports are written on this host.
fn context<'a>(host: &Host, label: Option<&'a str>) -> report::Context<'a> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| host.variable(name)).unwrap_or("UTF-8");
    let unicode = locale.to_uppercase().replace('-', "").contains("UTF8");
    report::Context { width: host.width(), color: host.colour(), unicode, label }
}

/// Tells everything and stops, where something stops the run; else nothing yet.
fn stop_at_errors(host: &mut Host, selection: &Selection, loaded: &Loaded) -> Result<()> {
    if loaded.diagnostics.has_errors() { tell(host, selection, loaded) } else { Ok(()) }
}

/// Whose the stacks are stands in the lock: without it every answer would be "nothing".
fn stop_at_lost_lock(host: &mut Host, selection: &Selection, loaded: &Loaded) -> Result<()> {
    if loaded.lock_is_lost() { tell_errors(host, selection, loaded) } else { Ok(()) }
}

/// Tells only what stops the run: what is to go need not be warned of.
fn tell_errors(host: &mut Host, selection: &Selection, loaded: &Loaded) -> Result<()> {
    let errors = loaded.diagnostics.iter().filter(|found| found.severity == crate::diagnostic::Severity::Error);
    let errors = errors.cloned().collect();
    tell_findings(host, selection, &errors, loaded)
}

/// Tells what was found in the manifests.
///
/// # Errors
/// Something stops the run.
fn tell(host: &mut Host, selection: &Selection, loaded: &Loaded) -> Result<()> {
    for note in &loaded.read.notes {
        writeln!(host.errors, "note: {note}")?;
    }
    if loaded.read.skipped > 0 {
        let documents = if loaded.read.skipped == 1 { "document that is" } else { "documents that are" };
        writeln!(host.errors, "note: skipped {} {documents} not hubform's", loaded.read.skipped)?;
    }
    if loaded.diagnostics.is_empty() && loaded.read.scopes.iter().all(|scope| scope.set.documents.is_empty()) {
        writeln!(host.errors, "note: no manifests found; `hubform init` writes a first one")?;
    }
    tell_findings(host, selection, &loaded.diagnostics, loaded)
}

fn tell_findings(
    host: &mut Host,
    selection: &Selection,
    diagnostics: &crate::diagnostic::Diagnostics,
    loaded: &Loaded,
) -> Result<()> {
    let context = context(host, None);
    match format(host, selection) {
        Format::Json => {
            let text = report::diagnostics::json_lines(diagnostics, &loaded.read.sources, &context);
            host.output.write_all(text.as_bytes())?;
        }
        _ => {
            let text = report::diagnostics::human(diagnostics, &loaded.read.sources, &context);
            host.errors.write_all(text.as_bytes())?;
        }
    }
    if diagnostics.has_errors() { anyhow::bail!(Stopped) } else { Ok(()) }
}

/// Notes calls that have not worked for a while, on standard error. On a terminal the line that says what is read stands
/// there.
fn telling(host: &mut Host) -> impl Fn(&Retrying, Timestamp) {
    let start = if host.interactive && host.terminal.is_some() { "\r\u{1b}[K" } else { "" };
    let errors = RefCell::new(&mut host.errors);
    move |call, now| {
        let text = shown(&report::retrying(call, now));
        // Nobody is left to tell if writing fails.
        let _ = writeln!(errors.borrow_mut(), "{start}note: {text}");
    }
}

/// Asks, on standard error; only `yes` and `y` are yes.
fn ask(host: &mut Host, question: &str) -> Result<bool> {
    write!(host.errors, "{question} [y/N] ")?;
    host.errors.flush()?;
    let mut answer = String::new();
    host.input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use expect_test::{Expect, expect};

    use super::*;
    use crate::cloud::{CloudError, CloudErrorKind, Target};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics while writing").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn check(kinds: impl IntoIterator<Item = CloudErrorKind>, expect: Expect) {
        let said = Kept::default();
        let mut host = Host { errors: Box::new(said.clone()), ..Host::of_process() };
        for kind in kinds {
            let target = Target { account: None, region: "eu-west-1".to_owned(), assume_role: None };
            let (subject, request_id) = ("chat".to_owned(), Some("7f1d".to_owned()));
            let error = CloudError { operation: "DescribeStacks", subject, target, kind, request_id };
            assert_eq!(
                failed(&mut host, &anyhow::Error::new(error).context("cannot look at the stacks")),
                Exit::Failed
            );
        }
        let said = said.0.lock().expect("nobody panics while writing").clone();
        expect.assert_eq(&String::from_utf8_lossy(&said));
    }

    #[test]
    fn a_bad_world_is_told_with_its_operation_and_a_way_out() {
        use CloudErrorKind::{NoCredentials, Unreachable, Unreadable};
        check(
            [
                NoCredentials("no profile has any".to_owned()),
                Unreachable("dns error".to_owned()),
                Unreadable("HTTP 200 of text/html, titled \"Blocked by the proxy\"".to_owned()),
            ],
            expect![[r#"
                error: cannot look at the stacks
                  because DescribeStacks of chat in eu-west-1 failed: no valid AWS credentials: no profile has any
                  request id: 7f1d
                  help: sign in (aws sso login), set AWS_PROFILE, or add --sandbox to try it in an imagined account
                error: cannot look at the stacks
                  because DescribeStacks of chat in eu-west-1 failed: no answer: dns error
                  request id: 7f1d
                  help: check the network, the proxy, and AWS_ENDPOINT_URL if it is set
                error: cannot look at the stacks
                  because DescribeStacks of chat in eu-west-1 failed: not an answer from AWS: HTTP 200 of text/html, titled "Blocked by the proxy"
                  request id: 7f1d
                  help: something between here and AWS answered, perhaps a proxy's sign-in page
            "#]],
        );
    }
}
