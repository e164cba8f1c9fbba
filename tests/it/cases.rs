//! The folders of `tests/cases`: manifests, a script, and the transcript it must give.
//!
//! A case's folder is the root of a repository: it has an empty `.git`.
//!
//! A line of `script.txt` is a verb of hubform with its arguments, or one of these, which act on the case's folder,
//! its imagined account or the next command:
//!
//! ```text
//! # words                     kept in the transcript
//! set NAME=VALUE              a variable for all commands that follow; without a value it is unset
//! answer WORD                 the next command runs on a terminal and is answered with this
//! width COLUMNS               wrap at
//! only ID...                  of templates that the next command renders, only these resources
//! tail COUNT                  of what the next command says, only so many lines at the end
//! kill TEXT                   the next command's process is killed as soon as it has said this
//! stdin FILE                  the next command reads this file as standard input
//! replace FILE: OLD => NEW    every OLD in a file becomes NEW, which may be nothing; it must be there
//! copy FILE FILE, remove FILE, show FILE
//! append FILE COUNT TEXT      so many times to the end of a file; `\n` is a line break, `%` the number
//! catalog FOLDER              tables in this folder replace the embedded ones
//! fault WORDS                 see the sandbox's faults
//! advance TIME                simulated time passes
//! inventory                   what exists in the account
//! calls                       how often each operation was called since the last time
//! stranger NAME               somebody else makes a stack of this name
//! meddle NAME                 somebody else begins an update of this stack
//! disown NAME                 this stack loses its owner, as if hubform 0.1 had made it
//! shell NAME                  somebody else makes a change set for a new stack of this name, and no more
//! ```
//!
//! `HUBFORM_UPDATE=1` writes transcripts instead of comparing them. Read each before it is committed.
//! `HUBFORM_CASES=life/` plays those cases alone whose path contains this.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use hubform::{
    cli::{Host, run},
    sandbox::{Fault, Pace, Sandbox, SandboxSettings},
};

use crate::support::{self, Captured};

/// Items a page holds in cases, so that every listing has several.
const PAGE_SIZE: usize = 5;

#[test]
fn every_case_gives_its_transcript() {
    let update = std::env::var_os("HUBFORM_UPDATE").is_some();
    let played = played();
    assert!(!played.is_empty(), "there are no cases");
    let failures: Vec<String> = played.iter().filter_map(|case| case.compare(update).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases differ\n\n{}", failures.len(), played.len(), failures.join("\n"));
}

/// A case that was played to its end.
pub(crate) struct Played {
    folder: PathBuf,
    transcript: String,
    /// The templates of every command that was not refused, by stack name and body.
    pub(crate) templates: BTreeSet<(String, String)>,
}

/// All cases, played once for all tests.
pub(crate) fn played() -> &'static [Played] {
    static PLAYED: OnceLock<Vec<Played>> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let cases = folders();
        let next = Mutex::new(cases.iter());
        let played = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    while let Some(case) = { next.lock().expect("no worker panics while it holds this").next() } {
                        played.lock().expect("as above").push(play(case));
                    }
                });
            }
        });
        let mut played = played.into_inner().expect("as above");
        played.sort_by(|a, b| a.folder.cmp(&b.folder));
        played
    })
}

/// Every folder below `tests/cases` with a script.
pub(crate) fn folders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![support::root().join("tests/cases")];
    while let Some(folder) = open.pop() {
        if folder.join("script.txt").exists() {
            found.push(folder);
            continue;
        }
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        open.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    let wanted = std::env::var("HUBFORM_CASES").unwrap_or_default();
    found.retain(|folder| folder.to_string_lossy().contains(&wanted));
    found.sort();
    found
}

/// A script that cannot be played, or a command that panics, fails its own case alone.
fn play(case: &Path) -> Played {
    std::panic::catch_unwind(|| Case::new(case).play(case)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let transcript = format!("panicked: {}\n", text.unwrap_or_default());
        Played { folder: case.to_path_buf(), transcript, templates: BTreeSet::new() }
    })
}

impl Played {
    fn compare(&self, update: bool) -> Result<(), String> {
        let path = self.folder.join("expected.txt");
        if update {
            return fs::write(&path, &self.transcript).map_err(|error| format!("{}: {error}", path.display()));
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if expected == self.transcript {
            return Ok(());
        }
        let name = self.folder.strip_prefix(support::root()).unwrap_or(&self.folder).display();
        let difference = similar::TextDiff::from_lines(expected.as_str(), self.transcript.as_str());
        Err(format!("{}", difference.unified_diff().context_radius(3).header(&format!("{name}/expected.txt"), "now")))
    }
}

/// What unwinds a process that is killed: everything it waits for is dropped, and nothing is awaited.
struct Killed;

/// An output that kills its process once it has said something.
struct Deadly {
    said: Captured,
    text: String,
}

impl io::Write for Deadly {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.said.write(bytes)?;
        if self.said.text().contains(&self.text) {
            std::panic::resume_unwind(Box::new(Killed));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A case while it is played.
struct Case {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    variables: BTreeMap<String, String>,
    tables: BTreeMap<String, String>,
    answer: Option<String>,
    stdin: Option<PathBuf>,
    tail: Option<usize>,
    kill: Option<String>,
    only: Vec<String>,
    transcript: String,
    templates: BTreeSet<(String, String)>,
    random: fastrand::Rng,
}

impl Case {
    fn new(case: &Path) -> Self {
        let folder = tempfile::tempdir().expect("there is a place for temporary folders");
        support::copy(case, folder.path());
        fs::write(folder.path().join(".git"), "").expect("the case's folder can be made a repository");
        // What the repository has as an example a case may use as it is.
        if fs::read_to_string(case.join("script.txt")).is_ok_and(|script| script.contains("stacks/")) {
            support::copy(&support::root().join("stacks"), &folder.path().join("stacks"));
        }
        let settings = SandboxSettings { page_size: PAGE_SIZE, ..SandboxSettings::default() };
        Self {
            folder,
            sandbox: Sandbox::new(settings, Pace::Stepped),
            variables: BTreeMap::from([("HUBFORM_SANDBOX".to_owned(), "1".to_owned())]),
            tables: BTreeMap::new(),
            answer: None,
            stdin: None,
            tail: None,
            kill: None,
            only: Vec::new(),
            transcript: String::new(),
            templates: BTreeSet::new(),
            random: fastrand::Rng::with_seed(1),
        }
    }

    fn play(mut self, case: &Path) -> Played {
        let script = fs::read_to_string(case.join("script.txt")).expect("a case has a script");
        for line in script.lines() {
            let line = line.trim_end();
            self.say(&if line.is_empty() || line.starts_with('#') { line.to_owned() } else { format!("> {line}") });
            if !line.is_empty() && !line.starts_with('#') {
                let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
                self.line(word, rest.trim(), line);
            }
        }
        Played { folder: case.to_path_buf(), transcript: self.transcript, templates: self.templates }
    }

    fn say(&mut self, text: &str) {
        self.transcript.push_str(text);
        if !text.ends_with('\n') {
            self.transcript.push('\n');
        }
    }

    fn line(&mut self, word: &str, rest: &str, line: &str) {
        match word {
            "set" => self.set(rest),
            "answer" => self.answer = Some(rest.to_owned()),
            "only" => self.only = rest.split_whitespace().map(str::to_owned).collect(),
            "kill" => self.kill = Some(rest.to_owned()),
            "tail" => self.tail = Some(rest.parse().expect("tail COUNT")),
            "width" => self.set(&format!("COLUMNS={rest}")),
            "stdin" => self.stdin = Some(self.folder.path().join(rest)),
            "replace" => self.replace(rest),
            "copy" => self.copy(rest),
            "append" => self.append(rest),
            "remove" => fs::remove_file(self.folder.path().join(rest)).expect("a file to remove is there"),
            "show" => {
                let text = fs::read_to_string(self.folder.path().join(rest)).expect("a file to show is there");
                self.say(&text);
            }
            "catalog" => self.tables = support::texts_below(&self.folder.path().join(rest)),
            "fault" => self.fault(rest),
            "advance" => self.sandbox.advance(support::duration(rest)),
            "inventory" => self.inventory(),
            "calls" => self.calls(),
            "stranger" => support::stranger(&self.sandbox, rest),
            "meddle" => support::meddle(&self.sandbox, rest),
            "disown" => support::disown(&self.sandbox, rest),
            "shell" => support::shell(&self.sandbox, rest),
            _ => self.command(line),
        }
    }

    fn set(&mut self, rest: &str) {
        match rest.split_once('=') {
            Some((name, value)) => self.variables.insert(name.to_owned(), value.to_owned()),
            None => self.variables.remove(rest),
        };
    }

    fn replace(&mut self, rest: &str) {
        let (file, change) = rest.split_once(": ").expect("replace FILE: OLD => NEW");
        let (old, new) = change.split_once(" =>").expect("replace FILE: OLD => NEW");
        let new = new.strip_prefix(' ').unwrap_or(new);
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path).expect("the file is there");
        let (old, new) = (old.replace("\\n", "\n"), new.replace("\\n", "\n"));
        assert!(text.contains(&old), "`{old}` is not in {file}");
        fs::write(path, text.replace(&old, &new)).expect("the file can be written");
    }

    fn copy(&mut self, rest: &str) {
        let (from, to) = rest.split_once(' ').expect("copy FILE FILE");
        let to = self.folder.path().join(to);
        fs::create_dir_all(to.parent().expect("it is in the case's folder")).expect("a folder can be made");
        fs::copy(self.folder.path().join(from), to).expect("a file can be copied");
    }

    fn append(&mut self, rest: &str) {
        let mut words = rest.splitn(3, ' ');
        let mut word = || words.next().expect("append FILE COUNT TEXT");
        let path = self.folder.path().join(word());
        let count = word().parse::<usize>().expect("a count of repetitions");
        let text = word().replace("\\n", "\n");
        let mut whole = fs::read(&path).unwrap_or_default();
        for number in 1..=count {
            whole.extend(text.replace('%', &number.to_string()).bytes());
        }
        fs::write(path, whole).expect("the file can be written");
    }

    fn fault(&mut self, rest: &str) {
        match rest.parse::<Fault>() {
            Ok(fault) => self.sandbox.inject(fault),
            Err(error) => panic!("fault {rest}: {error}"),
        }
    }

    fn inventory(&mut self) {
        let items = self.sandbox.inventory();
        if items.is_empty() {
            self.say("nothing");
        }
        for item in items {
            let owner = item.owner_stack.unwrap_or_else(|| "nobody".to_owned());
            let summary = if item.summary.is_empty() { String::new() } else { format!(", {}", item.summary) };
            self.say(&format!("{} {} of {owner}{summary}", item.resource_type, item.physical_id));
        }
    }

    fn calls(&mut self) {
        for (operation, count) in self.sandbox.calls() {
            self.say(&format!("{count:>5} {operation}"));
        }
        self.sandbox.reset_calls();
    }

    fn command(&mut self, line: &str) {
        let words = support::words(line);
        let answer = self.answer.take();
        let input: Box<dyn io::BufRead> = match (&answer, self.stdin.take()) {
            (Some(answer), _) => Box::new(io::Cursor::new(format!("{answer}\n"))),
            (None, Some(file)) => Box::new(io::Cursor::new(fs::read(file).expect("standard input is there"))),
            (None, None) => Box::new(io::empty()),
        };
        let kill = self.kill.take();
        let (exit, text) = self.run(&words, input, answer.is_some(), kill.as_deref());
        if !text.is_empty() {
            let text = self.tail.take().map_or(text.clone(), |count| last_lines(&text, count));
            let text = resources(&text, &std::mem::take(&mut self.only));
            self.say(&text);
        }
        match exit {
            None => self.say("[killed]"),
            Some(0) => {}
            Some(exit) => self.say(&format!("[exit {exit}]")),
        }
        assert!(kill.is_none() || exit.is_none(), "it ended before it said `{}`", kill.unwrap_or_default());
        if matches!(exit, Some(0 | 3)) {
            self.keep_templates(&words);
        }
    }

    /// The exit code, none for a process that was killed, and what it said.
    fn run(
        &mut self,
        words: &[String],
        input: Box<dyn io::BufRead>,
        interactive: bool,
        kill: Option<&str>,
    ) -> (Option<u8>, String) {
        let said = Captured(Arc::new(Mutex::new(Vec::new())));
        let output: Box<dyn io::Write + Send> = match kill {
            Some(text) => Box::new(Deadly { said: said.clone(), text: text.to_owned() }),
            None => Box::new(said.clone()),
        };
        let mut host = Host {
            variables: self.variables.clone(),
            folder: self.folder.path().to_path_buf(),
            input,
            kept_input: None,
            output,
            errors: Box::new(said.clone()),
            terminal: None,
            terminal_size: || None,
            interactive,
            sandbox: Some(self.sandbox.clone()),
            tables: self.tables.clone(),
            aside: false,
            random: self.random.fork(),
        };
        let words = words.iter().map(std::ffi::OsString::from);
        let work = || run(&mut host, std::iter::once("hubform".into()).chain(words)).code();
        let exit = match std::panic::catch_unwind(AssertUnwindSafe(work)) {
            Ok(exit) => Some(exit),
            Err(payload) if payload.is::<Killed>() => None,
            Err(payload) => std::panic::resume_unwind(payload),
        };
        (exit, said.text().replace(&*self.folder.path().to_string_lossy(), "CASE"))
    }

    /// Renders what a command was about, for the linter.
    fn keep_templates(&mut self, words: &[String]) {
        const TAKEN: [&str; 5] = ["--region", "--environment", "--lock", "--templates", "-f"];
        let Some((verb, rest)) = words.split_first() else { return };
        if !["plan", "apply", "render", "validate"].contains(&verb.as_str()) || rest.iter().any(|word| word == "-") {
            return;
        }
        let folder = tempfile::tempdir().expect("there is a place for temporary folders");
        let mut again = vec!["render".to_owned(), "-d".to_owned(), folder.path().to_string_lossy().into_owned()];
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            if TAKEN.contains(&word.as_str()) {
                again.extend([word.clone(), rest.next().cloned().unwrap_or_default()]);
            } else if word == "-o"
                || word == "--output"
                || word == "--allow"
                || word == "--adopt"
                || word == "--concurrency"
                || word == "-d"
            {
                rest.next();
            } else if !word.starts_with('-') {
                again.push(word.clone());
            }
        }
        self.run(&again, Box::new(io::empty()), false, None);
        self.templates.extend(support::texts_below(folder.path()));
    }
}

/// Of a template in YAML the resources with these ids; everything where there are none.
fn resources(text: &str, ids: &[String]) -> String {
    let mut kept = ids.is_empty();
    let mut out = String::new();
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        kept = match depth {
            _ if ids.is_empty() => true,
            0 => line.starts_with('#'),
            2 => ids.iter().any(|id| line.trim() == format!("{id}:")),
            _ => kept,
        };
        if kept {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    let left_out = lines.len().saturating_sub(count);
    format!("({left_out} lines before)\n{}", lines[left_out..].join("\n"))
}

#[test]
fn times_in_scripts_are_read() {
    assert_eq!(support::duration("1h30m"), Duration::from_secs(5400));
    assert_eq!(support::words("plan 'a b' c"), ["plan", "a b", "c"]);
}
