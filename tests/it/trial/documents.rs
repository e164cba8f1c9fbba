//! Every example of the repository, broken: trees changed where they have a shape, texts where they have bytes, locks
//! and an imagined account's state likewise. `validate` ends each time, with findings that have a place or with nothing
//! to find; neither their number nor the length of one is without bound, and they show no secret and nothing that steers
//! a terminal. `render`, played for some, ends well or with what it refuses, of which the same holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use fastrand::Rng;
use hubform::cli::run;
use serde_json::Value;

use super::{
    draw::{one, percent},
    mutate,
    run::{Figures, is_usual, play, quietly, steers},
};
use crate::support::{Captured, copy, quiet_host, root};

const COUNT: u64 = 700;
const STATES: u64 = 60;
/// Different findings that the usual seeds meet at least.
const CODES: usize = 55;
/// Findings of one run, and bytes that one of them takes, at most.
const MOST_FINDINGS: usize = 20_000;
const LONGEST_FINDING: usize = 24_000;

#[test]
fn whatever_is_in_a_folder_is_answered() {
    let corpus = Corpus::read();
    let root = tempfile::tempdir().expect("there is a place for temporary folders");
    // So deep that what it includes from folders above is not there.
    let folder = root.path().join("a/b/c/d");
    let (mut figures, mut codes) = (Figures::default(), BTreeSet::new());
    play(COUNT, &mut figures, |rng, _, figures| {
        let files = corpus.broken(rng);
        figures.tried += files.0.len();
        let found = answered(&folder, &files, rng).map_err(|told| format!("{told}\nof {}", files.text()))?;
        figures.reached += usize::from(!found.is_empty());
        codes.extend(found);
        Ok(())
    });
    figures.tell("documents", "files", &format!("runs with findings of {} kinds", codes.len()));
    assert!(codes.len() >= CODES || !is_usual(), "only {} kinds of findings were met", codes.len());
}

#[test]
fn whatever_an_imagined_account_holds_is_answered() {
    let began = tempfile::tempdir().expect("there is a place for temporary folders");
    fs::copy(root().join("stacks/shortest/embeddings.yaml"), began.path().join("e.yaml")).expect("it is there");
    let quick = ["--sandbox", "--sandbox-speed", "100000"];
    let words = |more: &[&'static str]| [&quick[..], more].concat();
    let lock = said(began.path(), &words(&["lock", "e.yaml"]));
    assert_eq!(lock.exit, 0, "{}", lock.text);
    let apply = said(began.path(), &words(&["apply", "e.yaml", "--yes"]));
    assert_eq!(apply.exit, 0, "{}", apply.text);
    let state = below(&began.path().join(".hubform/sandbox"), &[""]);
    let mut figures = Figures::default();
    play(STATES, &mut figures, |rng, _, figures| {
        let there = tempfile::tempdir().expect("there is a place for temporary folders");
        copy(began.path(), there.path());
        let file = one(rng, &state);
        let text = mutate::bytes(fs::read(file).expect("it was just written"), rng);
        fs::write(there.path().join(file.strip_prefix(began.path()).expect("it is below")), text).expect("it is ours");
        figures.tried += 1;
        let answer = quietly(|| said(there.path(), &["--sandbox", "plan", "e.yaml"]))?;
        figures.reached += usize::from(answer.exit != 0);
        match answer.exit {
            0..=2 => plain(&answer.text),
            other => Err(format!("exit {other}: {}", answer.text)),
        }
    });
    figures.tell("states", "states of an account", "refused");
}

/// Files by name, and a secret in one of them.
struct Files(BTreeMap<String, Vec<u8>>, Option<String>);

impl Files {
    fn text(&self) -> String {
        self.0.iter().map(|(name, bytes)| format!("{name}:\n{}\n", String::from_utf8_lossy(bytes))).collect()
    }
}

/// Every example, by the folder that it belongs to.
struct Corpus {
    folders: Vec<BTreeMap<String, String>>,
    documents: Vec<Value>,
}

impl Corpus {
    fn read() -> Self {
        let mut folders: BTreeMap<PathBuf, BTreeMap<String, String>> = BTreeMap::new();
        for path in ["tests/cases", "stacks", "src/manifest/examples"] {
            for file in below(&root().join(path), &["yaml", "lock"]) {
                let Ok(text) = fs::read_to_string(&file) else { continue };
                let folder = file.parent().expect("a file is in a folder").to_path_buf();
                let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
                folders.entry(folder).or_default().insert(name, text);
            }
        }
        let texts = folders.values().flatten().filter(|(name, _)| name.ends_with(".yaml"));
        let documents = texts.flat_map(|(_, text)| mutate::documents(text)).collect();
        Self { folders: folders.into_values().collect(), documents }
    }

    /// A folder with something broken in it.
    fn broken(&self, rng: &mut Rng) -> Files {
        let folder = one(rng, &self.folders);
        let names: Vec<&String> = folder.keys().collect();
        let broken = *one(rng, &names);
        let mut secret = None;
        let mut of = |name: &String, text: &String, rng: &mut Rng| {
            if name != broken {
                return text.clone().into_bytes();
            }
            let mut text = text.clone();
            if percent(rng, 75) {
                let mut documents = mutate::documents(&text);
                let changes = rng.usize(1..4);
                (0..changes).for_each(|_| mutate::tree(&mut documents, &self.documents, rng));
                secret = percent(rng, 10).then(|| mutate::plant(&mut documents, rng)).flatten();
                text = super::style::file(documents.iter(), rng);
            }
            if percent(rng, 45) { mutate::bytes(text.into_bytes(), rng) } else { text.into_bytes() }
        };
        let files = folder.iter().map(|(name, text)| (name.clone(), of(name, text, rng))).collect();
        Files(files, secret)
    }
}

struct Answer {
    exit: u8,
    text: String,
}

/// What a command says in a folder.
fn said(folder: &Path, words: &[&str]) -> Answer {
    let said = Captured::default();
    let mut host = quiet_host(folder, Box::new(said.clone()), &said);
    let exit = run(&mut host, ["hubform"].iter().chain(words).map(Into::into)).code();
    Answer { exit, text: said.text() }
}

/// Validates the files; the codes that are found.
fn answered(folder: &Path, files: &Files, rng: &mut Rng) -> Result<BTreeSet<String>, String> {
    let Files(files, secret) = files;
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("it is ours");
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).expect("it is ours"));
    let locked: &[&str] = if percent(rng, 10) { &["--locked"] } else { &[] };
    let json = quietly(|| said(folder, &[&["validate", ".", "-o", "json"], locked].concat()))?;
    let mut codes = BTreeSet::new();
    let (mut findings, mut errors) = (0, 0);
    for line in json.text.lines().filter(|line| line.starts_with('{')) {
        let finding: Value = serde_json::from_str(line).map_err(|error| format!("{error} in {line}"))?;
        if finding["type"] != "diagnostic" {
            continue;
        }
        findings += 1;
        errors += usize::from(finding["severity"] == "error");
        codes.insert(finding["code"].as_str().unwrap_or_default().to_owned());
        if line.len() > LONGEST_FINDING {
            return Err(format!("a finding takes {} bytes: {}", line.len(), &finding["message"]));
        }
        placed(&finding, files)?;
    }
    // What cannot be read at all, such as a folder's name, is refused without a finding.
    let refused = json.text.lines().any(|line| line.starts_with("error: "));
    if json.exit != if errors > 0 || refused { 2 } else { 0 } || findings > MOST_FINDINGS {
        return Err(format!("exit {} with {errors} errors of {findings} findings: {}", json.exit, json.text));
    }
    let mut texts = vec![json.text];
    if percent(rng, 40) {
        texts.push(quietly(|| said(folder, &["validate", "."]))?.text);
    }
    if percent(rng, 30) {
        let bodies = quietly(|| said(folder, &[&["render", "."], locked].concat()))?;
        match bodies.exit {
            0 if errors == 0 && !refused => {}
            2 if errors > 0 || refused => texts.push(bodies.text),
            exit => return Err(format!("render: exit {exit}, where validate has {errors} errors: {}", bodies.text)),
        }
    }
    for text in texts {
        plain(&text)?;
        if secret.as_ref().is_some_and(|secret| text.contains(secret)) {
            return Err(format!("a secret is shown: {text}"));
        }
    }
    Ok(codes)
}

/// Findings of a lock, whose words name the file and the line.
const OF_LOCKS: [&str; 2] = ["HF2032", "HF2051"];

/// Is every label of the finding in a file, and is there one?
fn placed(finding: &Value, files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let labels = finding["labels"].as_array().expect("it is a list");
    if labels.is_empty() && !OF_LOCKS.contains(&finding["code"].as_str().unwrap_or_default()) {
        return Err(format!("{finding} has no place"));
    }
    labels.iter().try_for_each(|label| {
        let outside = || Err(format!("{finding} is outside of its file"));
        let name = label["file"].as_str().unwrap_or_default();
        let Some(bytes) = files.get(name) else { return outside() };
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<&str> = text.split('\n').collect();
        let number = |field: &str| usize::try_from(label[field].as_u64().unwrap_or_default()).expect("it is small");
        let line = number("line").checked_sub(1).and_then(|at| lines.get(at));
        match line {
            Some(line) if (1..=line.chars().count() + 1).contains(&number("column")) => Ok(()),
            _ => outside(),
        }
    })
}

/// Nothing but text and line breaks.
fn plain(text: &str) -> Result<(), String> {
    match steers(text) {
        Some(c) => Err(format!("{c:?} is printed: {text:?}")),
        None => Ok(()),
    }
}

/// Files below a folder with one of these endings.
fn below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
