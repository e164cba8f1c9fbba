//! A test for each rule that this room decides: manifests in; findings, choices and what templates see out, as text.
//!
//! A [`Run`] is what one test resolves, and the only place that knows how: the embedded catalogue, an empty lock and
//! us-east-1 unless the test says otherwise. Manifests that do not read are a fault of the test. Lines count from the
//! spec's first line, which is the file's first too.

mod access;
mod alarms;
mod container;
mod environment;
mod fit;
mod hardware;
mod image;
mod lock;
mod models;
mod network;
mod references;
mod rollout;
mod scaling;
mod startup;

use std::path::Path;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::{Choice, DesiredStack, Lock, Locked, Pinned, Resolved, Scalar, Scope, resolve};
use crate::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::{Diagnostic, Diagnostics, SourceMap},
    manifest::{Input, environments, parse},
};

/// What is resolved.
#[derive(Debug, Clone, Default)]
struct Run {
    /// Name and text of each manifest's file.
    files: Vec<(String, String)>,
    /// Where further manifests are written: a path that ends with `/`, or nothing.
    folder: String,
    region: Option<String>,
    account: Option<String>,
    lock: Lock,
    locked: Option<Locked>,
    today: bool,
}

/// An endpoint `chat` with this spec.
fn endpoint(spec: &str) -> Run {
    Run::default().and("Endpoint", "chat", spec)
}

/// An endpoint of an encoder with ten instances' worth of room, cheap to resolve: what is not about models goes here.
fn encoder(spec: &str) -> Run {
    endpoint(&format!("{spec}\nmodel: {{hub: BAAI/bge-m3}}\nhardware: ml.m5.xlarge"))
}

/// An endpoint of an LLM on one GPU.
fn llm(spec: &str) -> Run {
    endpoint(&format!("{spec}\nmodel: {{hub: Qwen/Qwen3-8B}}\nhardware: ml.g6e.xlarge"))
}

impl Run {
    /// With another manifest.
    fn and(self, kind: &str, name: &str, spec: &str) -> Self {
        self.labelled(kind, name, "", spec)
    }

    /// With another manifest that has metadata besides its name.
    fn labelled(mut self, kind: &str, name: &str, metadata: &str, spec: &str) -> Self {
        let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
        // The spec comes first, so that places in it are those of the test's text.
        let spec = if spec.is_empty() { "spec: {}\n".to_owned() } else { format!("spec:\n{spec}") };
        let text = format!("{spec}apiVersion: hubform.dev/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\n");
        self.files.push((format!("{}{name}.yaml", self.folder), text));
        self
    }

    /// With further manifests in this folder.
    fn within(mut self, folder: &str) -> Self {
        self.folder = format!("{folder}/");
        self
    }

    /// In the environment `dev` with this spec.
    fn environment(self, spec: &str) -> Self {
        self.and("Environment", "dev", spec)
    }

    fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    fn lock(mut self, lock: Lock) -> Self {
        self.lock = lock;
        self
    }

    /// With a choice for `chat` in the lock, made from these inputs.
    fn pinned(mut self, what: &str, value: impl Into<Scalar>, from: &[(&str, Scalar)]) -> Self {
        let from = from.iter().map(|(input, then)| ((*input).to_owned(), then.clone())).collect();
        let environment = self.lock.environments.entry("default".to_owned()).or_default();
        let servings = environment.choices.entry("Endpoint/chat@default".to_owned()).or_default();
        let pins = servings.entry("AllTraffic".to_owned()).or_default();
        pins.insert(what.to_owned(), Pinned { value: value.into(), from });
        self
    }

    fn locked(mut self, why: Locked) -> Self {
        self.locked = Some(why);
        self
    }

    /// Asking also what would be chosen today.
    fn today(mut self) -> Self {
        self.today = true;
        self
    }

    /// Resolves: the one place that makes a scope.
    fn resolved(&self) -> (Resolved, Diagnostics, SourceMap) {
        let mut sources = SourceMap::default();
        let input = |(name, text): &(String, String)| Input {
            name: name.clone(),
            bytes: text.as_bytes().to_vec(),
            named: true,
        };
        let (manifests, mut unread) = parse(self.files.iter().map(input).collect(), &mut sources);
        let (sets, more) = environments(manifests, None);
        unread.extend(more);
        assert!(unread.is_empty(), "the test's manifests do not read:\n{}", said(unread, &sources));
        let scopes = sets.into_iter().map(|set| {
            let own = set.environment.targets().remove(0);
            let region = self.region.clone().or(own.region.clone()).unwrap_or_else(|| "us-east-1".to_owned());
            let account = self.account.clone().or(own.account.clone());
            Scope {
                target_name: own.name().to_owned(),
                target: Target { account: own.account, region, assume_role: own.assume_role },
                set,
                account,
                lock: self.lock.clone(),
                lock_file: "hubform.lock".into(),
                locked: self.locked,
                today: self.today,
            }
        });
        let (resolved, findings) = resolve(&scopes.collect::<Vec<_>>(), Catalog::embedded());
        (resolved, findings.sorted(), sources)
    }

    /// Findings, one a line.
    fn findings(&self, expect: Expect) {
        findings([self], expect);
    }

    /// Resolves without any finding.
    fn is_fine(&self) {
        let (_, found, sources) = self.resolved();
        assert_eq!(said(found, &sources), "");
    }

    /// The choices of these names, in order; of all names where none is said.
    fn choices(&self, names: &[&str], expect: Expect) {
        let wanted = |what: &str| names.is_empty() || names.contains(&what);
        let stack = self.stack();
        let choices = stack.choices.iter().filter(|choice| wanted(&choice.what));
        expect.assert_eq(&choices.map(chosen).collect::<String>());
    }

    /// Findings, and each stack with its choices.
    fn check(&self, expect: Expect) {
        let (resolved, found, sources) = self.resolved();
        let mut text = said(found, &sources);
        for stack in &resolved.stacks {
            text += &format!("{}/{} as {}\n", stack.kind, stack.name, stack.stack.name);
            text.extend(stack.choices.iter().map(|choice| format!("  {}", chosen(choice))));
        }
        expect.assert_eq(&text);
    }

    /// Something that the template of the stack sees.
    fn shows(&self, part: Part, expect: Expect) {
        expect.assert_eq(&lines(&part.of(&self.stack())));
    }

    /// The first stack by kind and name: an endpoint where there is one.
    fn stack(&self) -> DesiredStack {
        let (resolved, found, sources) = self.resolved();
        let stack = resolved.stacks.into_iter().min_by_key(|stack| (stack.kind.clone(), stack.name.clone()));
        stack.unwrap_or_else(|| panic!("nothing resolves:\n{}", said(found, &sources)))
    }

    /// The lock afterwards.
    fn lock_after(&self) -> Lock {
        self.resolved().0.locks.remove(0)
    }
}

/// What templates see of a stack: the one place that knows where it stands.
#[derive(Debug, Clone, Copy)]
enum Part {
    Alarms,
    Capture,
    /// The container's variables.
    Variables,
    Image,
    Key,
    Network,
    /// What the role of the stack is allowed.
    Access,
    Role,
    Rollout,
    Scaling,
    Variant,
    Weights,
}

impl Part {
    fn of(self, stack: &DesiredStack) -> Value {
        let values = &stack.values;
        let model = &values["model"];
        match self {
            Self::Alarms => values["alarms"].clone(),
            Self::Capture => values["capture"].clone(),
            Self::Variables => model["environment"].clone(),
            Self::Image => model["image"].clone(),
            Self::Key => values["kms_key"].clone(),
            Self::Network => serde_json::json!({ "isolated": model["isolated"], "vpc": model["vpc"] }),
            Self::Access if stack.kind == "Role" => values["access"].clone(),
            Self::Access => values["role"]["access"].clone(),
            Self::Role => values["role"].clone(),
            Self::Rollout => values["rollout"].clone(),
            Self::Scaling => values["scaling"].clone(),
            Self::Variant => values["variant"].clone(),
            Self::Weights => model["data"].clone(),
        }
    }
}

/// A line for each key, or one for the whole.
fn lines(value: &Value) -> String {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| format!("{key}: {value}\n")).collect(),
        Value::Null => "nothing\n".to_owned(),
        other => format!("{other}\n"),
    }
}

/// Findings of several runs.
fn findings<'a>(runs: impl IntoIterator<Item = &'a Run>, expect: Expect) {
    let text = runs.into_iter().map(|run| {
        let (_, found, sources) = run.resolved();
        said(found, &sources)
    });
    expect.assert_eq(&text.collect::<String>());
}

/// `engine = tei (serves the task …)`, with whether it was pinned and what it would be today.
fn chosen(choice: &Choice) -> String {
    let Choice { what, value, reason, pinned, today } = choice;
    let pinned = if *pinned { " [pinned]" } else { "" };
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let today = today.as_ref().map(|today| format!(" | today {today}")).unwrap_or_default();
    format!("{what} = {value}{pinned}{reason}{today}\n")
}

fn said(findings: Diagnostics, sources: &SourceMap) -> String {
    findings.into_iter().map(|finding| one(&finding, sources)).collect()
}

/// `error HF2001 2:7: message | help`, with more places after the first, and the file's name where it is not the first.
fn one(finding: &Diagnostic, sources: &SourceMap) -> String {
    let severity = format!("{:?}", finding.severity).to_lowercase();
    let place = |label: &crate::diagnostic::Label| {
        let at = sources.position(label.span);
        let file = if label.span.file.0 == 0 { "" } else { Path::new(&at.file).to_str().expect("the test named it") };
        let text = if label.text.is_empty() { String::new() } else { format!(" ({})", label.text) };
        format!(" {file}{}{}:{}{text}", if file.is_empty() { "" } else { " " }, at.line, at.column)
    };
    let places: Vec<_> = finding.labels.iter().map(place).collect();
    let help = finding.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
    format!("{severity} {}{}: {}{help}\n", finding.code.number(), places.join(","), finding.message)
}
