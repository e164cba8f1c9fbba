//! What several tests need.

pub(crate) mod peers;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use hubform::{
    cloud::{ChangeSetType, CreateChangeSet, CreateStack, ExecuteChangeSet, StackOptions, Target},
    sandbox::Sandbox,
};

/// The folder of the package.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A writer that keeps what it is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Captured(pub(crate) Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics while writing")).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies a folder and everything below it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

/// The files below a folder by their path from it.
pub(crate) fn texts_below(folder: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(&below).expect("the folder is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below").to_string_lossy().into_owned();
                texts.insert(name, fs::read_to_string(&path).expect("a table is text"));
            }
        }
    }
    texts
}

/// Reads `1h30m`.
pub(crate) fn duration(text: &str) -> Duration {
    let seconds = text.parse::<hubform::manifest::Duration>().expect("a time such as 10m").0;
    Duration::from_secs(seconds)
}

/// A command line's words; single quotes hold one together.
pub(crate) fn words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate();
    quoted
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// Makes a change set for a new stack that is not hubform's, and leaves it there.
pub(crate) fn shell(sandbox: &Sandbox, name: &str) {
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let request = CreateChangeSet {
        stack: name.to_owned(),
        name: "theirs".to_owned(),
        kind: ChangeSetType::Create,
        body: STRANGE.to_owned(),
        parameters: BTreeMap::new(),
        previous: Default::default(),
        tags: BTreeMap::new(),
        capabilities: Default::default(),
        options: StackOptions::default(),
        token: format!("stranger-{name}"),
    };
    at_once(async {
        let connection = sandbox.accounts().at(&target).await.expect("the sandbox is always there");
        connection.stacks.create_change_set(request).await.expect("the name is free");
    });
    sandbox.advance(Duration::from_secs(600));
}

/// What needs no waiting, within a runtime too.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("an imagined account waits for nothing"),
    }
}

const STRANGE: &str = r#"{"Resources":{"Queue":{"Type":"AWS::SQS::Queue"}}}"#;

/// Makes a stack that is not hubform's, with one resource.
pub(crate) fn stranger(sandbox: &Sandbox, name: &str) {
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let request = CreateStack {
        name: name.to_owned(),
        body: STRANGE.to_owned(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        capabilities: Default::default(),
        options: StackOptions::default(),
        disable_rollback: false,
        termination_protection: false,
        token: format!("stranger-{name}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    runtime.block_on(async {
        let connection = sandbox.accounts().at(&target).await.expect("the sandbox is always there");
        connection.stacks.create_stack(request).await.expect("the name is free");
    });
    sandbox.advance(Duration::from_secs(600));
}

/// Takes the owner out of a stack, so that it stands as hubform 0.1 left it.
pub(crate) fn disown(sandbox: &Sandbox, name: &str) {
    update(sandbox, name, "disown", |body| {
        for section in ["/Outputs", "/Metadata/Hubform"] {
            let entries = body.pointer_mut(section).and_then(serde_json::Value::as_object_mut);
            entries.expect("hubform made it").retain(|key, _| !key.contains("Owner"));
        }
    });
    sandbox.advance(Duration::from_secs(3600));
}

/// Begins an update of a stack by somebody else: one resource more, and nobody waits for it.
pub(crate) fn meddle(sandbox: &Sandbox, name: &str) {
    update(sandbox, name, "meddle", |body| {
        body["Resources"]["Meddled"] = serde_json::json!({ "Type": "AWS::SQS::Queue" });
    });
}

fn update(sandbox: &Sandbox, name: &str, how: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    runtime.block_on(async {
        let stacks = sandbox.accounts().at(&target).await.expect("the sandbox is always there").stacks;
        let stack = stacks.describe_stack(name).await.expect("no fault is due").expect("the stack is there");
        let body = stacks.get_template(name).await.expect("it has a body");
        let mut body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
        change(&mut body);
        let request = CreateChangeSet {
            stack: name.to_owned(),
            name: how.to_owned(),
            kind: ChangeSetType::Update,
            body: body.to_string(),
            parameters: stack.parameters,
            previous: Default::default(),
            tags: stack.tags,
            capabilities: stack.capabilities,
            options: StackOptions::default(),
            token: how.to_owned(),
        };
        let change_set = stacks.create_change_set(request).await.expect("it can be made").change_set;
        sandbox.advance(Duration::from_secs(60));
        let token = format!("{how}-now");
        let request = ExecuteChangeSet { change_set, disable_rollback: false, token };
        stacks.execute_change_set(request).await.expect("it can be carried out");
    });
}

/// A host without variables or a terminal, and with nobody to ask.
pub(crate) fn quiet_host(folder: &Path, output: Box<dyn io::Write + Send>, errors: &Captured) -> hubform::cli::Host {
    hubform::cli::Host {
        variables: BTreeMap::new(),
        folder: folder.to_path_buf(),
        input: Box::new(io::empty()),
        kept_input: None,
        output,
        errors: Box::new(errors.clone()),
        terminal: None,
        terminal_size: || None,
        interactive: false,
        sandbox: None,
        tables: BTreeMap::new(),
        aside: false,
        random: fastrand::Rng::with_seed(1),
    }
}

/// Runs a command on an imagined account; its exit code, and all that it says.
pub(crate) fn run_quietly(folder: &Path, sandbox: &Sandbox, words: &[&str]) -> (u8, String) {
    let said = Captured::default();
    let mut host = quiet_host(folder, Box::new(said.clone()), &said);
    host.variables.insert("HUBFORM_SANDBOX".to_owned(), "1".to_owned());
    host.sandbox = Some(sandbox.clone());
    let exit = hubform::cli::run(&mut host, ["hubform"].iter().chain(words).map(Into::into)).code();
    (exit, said.text())
}
