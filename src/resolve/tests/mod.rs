//! A test for each rule that this room decides: manifests in; findings, choices and what templates see out, as text.
//!
//! A [`TestRun`] is what a test resolves: with the embedded catalogue, an empty lock and in us-east-1 unless the test says
//! otherwise. `Run::resolved` is the only place that makes a scope, [`PARTS`] the only one that knows where templates
//! find something. Manifests that do not read are a fault of the test. In each the spec comes first, so that its first
//! line is the second of its file.

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

use std::sync::Arc;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::{Choice, DesiredStack, Facts, Lock, Locked, Pinned, Resolved, Scalar, Scope, resolve};
use crate::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::{Diagnostic, Diagnostics, Label, SourceMap},
    manifest::{EnvironmentSet, SourceText, environments, parse},
};

/// What is resolved, and what is shown of it.
#[derive(Debug, Clone, Default)]
struct TestRun {
    /// Name and text of each file.
    files: Vec<(String, String)>,
    /// Where further manifests are written: a path that ends with `/`, or nothing.
    folder: String,
    region: Option<String>,
    account: Option<String>,
    lock: Lock,
    locked: Option<Locked>,
    today: bool,
    /// Names of the choices that are shown; all where it is empty.
    only: Vec<String>,
    /// Manifests may have findings of their own, which are not shown.
    unread: bool,
}

/// An endpoint `chat` with this spec.
fn endpoint(spec: &str) -> TestRun {
    TestRun::default().and("Endpoint", "chat", spec)
}

/// The same of an encoder on processors, for what is not about the model.
fn encoder(spec: &str) -> TestRun {
    endpoint(&format!("{spec}\nmodel: {{hub: BAAI/bge-m3}}\nhardware: ml.m5.xlarge"))
}

/// The same of an LLM on a GPU.
fn llm(spec: &str) -> TestRun {
    endpoint(&format!("{spec}\nmodel: {{hub: Qwen/Qwen3-8B}}\nhardware: ml.g6e.xlarge"))
}

/// What a test adds.
impl TestRun {
    fn and(self, kind: &str, name: &str, spec: &str) -> Self {
        self.labelled(kind, name, "", spec)
    }

    /// Another manifest that has metadata besides its name, as `, labels: {…}`.
    fn labelled(mut self, kind: &str, name: &str, metadata: &str, spec: &str) -> Self {
        let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
        let spec = if spec.is_empty() { "spec: {}\n".to_owned() } else { format!("spec:\n{spec}") };
        let text = format!("{spec}apiVersion: hubform.dev/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\n");
        self.files.push((format!("{}{name}.yaml", self.folder), text));
        self
    }

    /// The environment `dev` around all.
    fn environment(self, spec: &str) -> Self {
        self.and("Environment", "dev", spec)
    }

    fn within(self, folder: &str) -> Self {
        Self { folder: format!("{folder}/"), ..self }
    }

    fn region(self, region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..self }
    }

    fn account(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }

    fn lock(self, lock: Lock) -> Self {
        Self { lock, ..self }
    }

    /// A choice for `chat` in the lock, made from these inputs.
    fn pinned(mut self, what: &str, value: impl Into<Scalar>, from: &[(&str, &str)]) -> Self {
        let from = from.iter().map(|(input, then)| ((*input).to_owned(), (*then).into())).collect();
        let environment = self.lock.environments.entry("default".to_owned()).or_default();
        let servings = environment.choices.entry("Endpoint/chat@default".to_owned()).or_default();
        let pins = servings.entry("AllTraffic".to_owned()).or_default();
        pins.insert(what.to_owned(), Pinned { value: value.into(), from });
        self
    }

    fn locked(self, why: Locked) -> Self {
        Self { locked: Some(why), ..self }
    }

    /// The question what would be chosen today.
    fn today(self) -> Self {
        Self { today: true, ..self }
    }

    fn only(self, choices: &str) -> Self {
        Self { only: choices.split(", ").map(str::to_owned).collect(), ..self }
    }

    fn unread(self) -> Self {
        Self { unread: true, ..self }
    }
}

/// What comes of it.
impl TestRun {
    fn resolved(&self) -> (Resolved, Diagnostics, SourceMap) {
        let mut sources = SourceMap::default();
        let input = |(name, text): &(String, String)| SourceText {
            name: name.clone(),
            bytes: text.as_bytes().to_vec(),
            named: true,
        };
        let (manifests, mut unread) = parse(self.files.iter().map(input).collect(), &mut sources);
        let (sets, more) = environments(manifests, None);
        unread.extend(more);
        assert_eq!(unread.is_empty(), !self.unread, "as the manifests read:\n{}", said(unread, &sources));
        let scopes: Vec<_> = sets.into_iter().flat_map(|set| self.scopes(set)).collect();
        let account = |scope: &Scope| Some((scope.target.clone(), self.account.clone()?));
        let facts = Facts { accounts: scopes.iter().filter_map(account).collect(), ..Facts::known() };
        let (resolved, findings) = resolve(&scopes, &facts, Catalog::embedded());
        (resolved, findings.sorted(), sources)
    }

    fn scopes(&self, set: EnvironmentSet) -> impl Iterator<Item = Scope> {
        let set = Arc::new(set);
        let targets = set.environment.targets().into_iter().enumerate();
        targets.map(move |(index, own)| {
            let region = self.region.clone().or(own.region).unwrap_or_else(|| "us-east-1".to_owned());
            let target = Target { account: own.account, region, assume_role: own.assume_role };
            let (lock, locked, today) = (self.lock.clone(), self.locked, self.today);
            Scope { index, lock, locked, today, ..Scope::new(Arc::clone(&set), target) }
        })
    }

    /// Findings, one a line.
    fn findings(&self, expect: Expect) {
        findings([self], expect);
    }

    /// No finding at all.
    fn is_fine(&self) {
        let (_, found, sources) = self.resolved();
        assert_eq!(said(found, &sources), "");
    }

    /// Choices of the first stack, one a line.
    fn choices(&self, expect: Expect) {
        let wanted = |choice: &&Choice| self.only.is_empty() || self.only.contains(&choice.what);
        expect.assert_eq(&self.stack().envelope.choices.iter().filter(wanted).map(chosen).collect::<String>());
    }

    /// Findings, and each stack with its choices.
    fn check(&self, expect: Expect) {
        let (resolved, found, sources) = self.resolved();
        let mut text = said(found, &sources);
        for stack in &resolved.stacks {
            text += &format!("{} as {}\n", stack.identity.manifest(), stack.identity.stack.name);
            text.extend(stack.envelope.choices.iter().map(|choice| format!("  {}", chosen(choice))));
        }
        expect.assert_eq(&text);
    }

    /// The first stack by kind and name: an endpoint where there is one.
    fn stack(&self) -> DesiredStack {
        let (resolved, found, sources) = self.resolved();
        let stack = resolved.stacks.into_iter().min_by_key(|stack| stack.identity.manifest());
        stack.unwrap_or_else(|| panic!("nothing resolves:\n{}", said(found, &sources)))
    }

    /// The lock of the first environment afterwards.
    fn lock_after(&self) -> Lock {
        self.resolved().0.locks.into_values().next().expect("there is an environment")
    }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident = $($pointer:literal)or+,)*) => {
        /// What a template sees: by name, where it stands.
        const PARTS: &[(&str, &[&str])] = &[$((stringify!($name), &[$($pointer),+]),)*];

        impl TestRun {
            $($(#[$doc])* fn $name(&self, expect: Expect) {
                expect.assert_eq(&part(&self.stack(), stringify!($name)));
            })*
        }
    };
}

parts! {
    alarms = "/alarms",
    capture = "/capture",
    /// The container's variables.
    variables = "/models/0/environment",
    image = "/models/0/image",
    isolated = "/models/0/isolated",
    vpc = "/models/0/vpc",
    /// Weights in S3.
    weights = "/models/0/data",
    /// The key of the volume.
    key = "/volume_key",
    role = "/role" or "/access",
    /// What a role of this stack is allowed.
    access = "/role/statements" or "/access/statements",
    boundary = "/role/permissions_boundary" or "/access/permissions_boundary",
    rollout = "/rollout",
    /// How much moves in a step.
    size = "/rollout/size",
    /// The scaler.
    scaling = "/scalers/0",
    /// The value that the scaler keeps its metric near.
    aim = "/scalers/0/target",
    schedules = "/scalers/0/schedules",
    variant = "/variants/0",
    count = "/variants/0/count",
    instance = "/variants/0/instance",
    routing = "/variants/0/routing",
}

impl TestRun {
    /// For what a role of this stack is allowed some action.
    fn allowed(&self, action: &str, expect: Expect) {
        let view = serde_json::to_value(&self.stack().view).expect("a view is plain");
        let statements = ["/role/statements", "/access/statements"].iter().find_map(|at| view.pointer(at)?.as_array());
        let allows = |it: &&Value| {
            it["Action"] == action || it["Action"].as_array().is_some_and(|all| all.contains(&action.into()))
        };
        let found = statements.into_iter().flatten().find(allows);
        let text = found.map_or("nothing".to_owned(), |it| match &it["Condition"] {
            Value::Null => it["Resource"].to_string(),
            condition => format!("{} {condition}", it["Resource"]),
        });
        expect.assert_eq(&text);
    }
}

/// A part as text: a line for each key or statement, or one for the whole.
fn part(stack: &DesiredStack, name: &str) -> String {
    let (_, pointers) = PARTS.iter().find(|(known, _)| *known == name).expect("it is a part");
    let view = serde_json::to_value(&stack.view).expect("a view is plain");
    let lines = |lines: &mut dyn Iterator<Item = String>| lines.map(|line| line + "\n").collect();
    match pointers.iter().find_map(|pointer| view.pointer(pointer)) {
        Some(Value::Object(map)) => {
            let shown = map.iter().filter(|(key, _)| *key != "statements");
            lines(&mut shown.map(|(key, value)| format!("{key}: {value}")))
        }
        Some(Value::Array(items)) if name == "access" => lines(&mut items.iter().map(Value::to_string)),
        Some(Value::Null) | None => "nothing".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// Findings of several runs.
fn findings<'a>(runs: impl IntoIterator<Item = &'a TestRun>, expect: Expect) {
    let text = runs.into_iter().map(|run| {
        let (_, found, sources) = run.resolved();
        said(found, &sources)
    });
    expect.assert_eq(&text.collect::<String>());
}

fn said(findings: Diagnostics, sources: &SourceMap) -> String {
    findings.into_iter().map(|finding| one(&finding, sources)).collect()
}

/// `error HF2001 2:7: message | help`, with every place, and the file's name where it is not the first.
fn one(finding: &Diagnostic, sources: &SourceMap) -> String {
    let place = |label: &Label| {
        let at = sources.position(label.span);
        let file = if label.span.file.0 == 0 { String::new() } else { format!("{} ", at.file) };
        let text = if label.text.is_empty() { String::new() } else { format!(" ({})", label.text) };
        format!(" {file}{}:{}{text}", at.line, at.column)
    };
    let severity = format!("{:?}", finding.severity).to_lowercase();
    let places: Vec<_> = finding.labels.iter().map(place).collect();
    let help = finding.help.as_ref().map(|help| format!(" | {help}")).unwrap_or_default();
    format!("{severity} {}{}: {}{help}\n", finding.code.number(), places.join(","), finding.message)
}

/// `engine = tei (serves the task …)`, with whether it was pinned and what it would be today.
fn chosen(choice: &Choice) -> String {
    let Choice { what, value, reason, pinned, today } = choice;
    let pinned = if *pinned { " [pinned]" } else { "" };
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let today = today.as_ref().map(|today| format!(" | today {today}")).unwrap_or_default();
    format!("{what} = {value}{pinned}{reason}{today}\n")
}
