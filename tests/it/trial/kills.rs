//! Real processes, killed and interrupted at random moments of random lives.
//!
//! A life is a role and four endpoints, two of them scaled, that are made, changed (where a scaled one moves, in three
//! phases) and destroyed. Each of the three is disturbed, perhaps twice, and then said again until it ends by itself.
//! What stands afterwards is what stands after a life that nobody disturbed, which is played inside this process. In
//! half of the lives the environment is nobody's at first: its owner, which bodies and digests hold, is made amid the
//! blows, and the other life is of whoever the lock says then.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::process::ExitStatusExt,
    panic::{self, AssertUnwindSafe},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use hubform::{
    cloud::Target,
    diagnostic::FileId,
    resolve::Lock,
    sandbox::{Pace, Sandbox, SandboxSettings},
};

use super::run::{Figures, is_usual, seeds};
use crate::support::{run_quietly, texts_below};

/// Simulated seconds in a second: what takes a quarter of an hour there is over in less than one here.
const SPEED: &str = "2500";
/// A run is disturbed within this time, if it has not ended before.
const LONGEST: u64 = 700;
const OWNER: &str = "5eed5eed5eed5eed";
const SIZES: [&str; 3] = ["ml.c7i.large", "ml.c7i.xlarge", "ml.c7i.2xlarge"];

/// What a life is of: for each endpoint its instance type and label, before and after.
#[derive(Debug, Clone)]
struct Life {
    before: Vec<(&'static str, u32)>,
    after: Vec<(&'static str, u32)>,
}

impl Life {
    fn random(rng: &mut Rng) -> Self {
        let before: Vec<_> = (0..4).map(|_| (SIZES[rng.usize(..SIZES.len())], 0)).collect();
        let moved = |(size, label): (&'static str, u32), rng: &mut Rng| match rng.u8(..3) {
            0 => (size, label + 1),
            1 => (size, label),
            _ => (SIZES[rng.usize(..SIZES.len())], label),
        };
        let mut after: Vec<_> = before.iter().map(|one| moved(*one, rng)).collect();
        let at = SIZES.iter().position(|size| *size == before[0].0).unwrap_or(0);
        after[0].0 = SIZES[(at + 1) % SIZES.len()];
        Self { before, after }
    }
}

/// Writes the manifests; the first two endpoints are scaled.
fn write(folder: &Path, endpoints: &[(&str, u32)]) {
    let head = |kind: &str, name: &str| format!("apiVersion: hubform.dev/v1\nkind: {kind}\nmetadata: {{name: {name}");
    let mut text = head("Environment", "dev") + "}\nspec: {targets: [{region: us-east-1}]}\n---\n";
    text += &(head("Role", "shared") + "}\nspec: {}\n");
    for (number, (size, label)) in endpoints.iter().enumerate() {
        text += &format!("---\n{}, labels: {{try: t{label}}}}}\n", head("Endpoint", &format!("e{number}")));
        text += &format!("spec:\n  model: BAAI/bge-small-en-v1.5\n  hardware: {size}\n  role: shared\n");
        if number < 2 {
            text += "  scaling: {min: 1, max: 3, target: {invocationsPerInstance: 100}}\n";
        }
    }
    fs::write(folder.join("environment.yaml"), text).expect("a manifest can be written");
}

/// A folder whose environment is this owner's already, or nobody's.
fn folder(life: &Life, owner: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    write(folder.path(), &life.before);
    if let Some(owner) = owner {
        let lock = format!("format: 2\nenvironments: {{dev: {{owner: {owner}}}}}\n");
        fs::write(folder.path().join("hubform.lock"), lock).expect("a lock can be written");
    }
    folder
}

/// The one owner that the locks of a folder have.
fn owner(folder: &Path) -> Result<String, String> {
    let locks = texts_below(folder).into_iter().filter(|(file, _)| file.ends_with(".lock"));
    let owners = locks.filter_map(|(_, text)| Lock::parse(FileId(0), &text).ok()?.owner("dev").map(str::to_owned));
    let owners: BTreeSet<String> = owners.collect();
    match owners.len() {
        1 => Ok(owners.into_iter().collect()),
        _ => Err(format!("the locks have the owners {owners:?}")),
    }
}

/// What stands in an account, without what each run draws anew.
fn view(sandbox: &Sandbox) -> Vec<String> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for item in sandbox.inventory() {
        *counted.entry(format!("{} of {:?}", item.resource_type, item.owner_stack)).or_default() += 1;
    }
    let items = counted.into_iter().map(|(item, count)| format!("{count} {item}"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    runtime.block_on(stacks(sandbox)).into_iter().chain(items).collect()
}

/// Each stack with its digest, and its whole body with all logical ids.
async fn stacks(sandbox: &Sandbox) -> Vec<String> {
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let stacks = sandbox.accounts().at(&target).await.expect("the sandbox is always there").stacks;
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = stacks.describe_stacks(from).await.expect("no fault is due");
        for stack in page.items {
            let body = stacks.get_template(&stack.name).await.expect("it has a body");
            let output = |(key, value): (&String, &String)| match key.starts_with("Hubform") {
                true => format!("{key}={value}"),
                false => key.clone(),
            };
            let outputs: Vec<_> = stack.outputs.iter().map(output).collect();
            found.push(format!("{} {} {:?} {outputs:?} {body}", stack.name, stack.status, stack.tags));
        }
        from = page.next;
        if from.is_none() {
            found.sort();
            return found;
        }
    }
}

const STEPS: [(&str, &[&str]); 3] = [
    ("create", &["apply", "--yes", "."]),
    ("update", &["apply", "--yes", "."]),
    ("destroy", &["destroy", "--yes", "."]),
];

/// A life of this owner that nobody disturbs; what stands after each of its steps.
fn undisturbed(life: &Life, owner: &str) -> Vec<Vec<String>> {
    let folder = folder(life, Some(owner));
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    let step = |(name, words): &(&str, &[&str])| {
        if *name == "update" {
            write(folder.path(), &life.after);
        }
        let (code, said) = run_quietly(folder.path(), &sandbox, words);
        assert_eq!(code, 0, "{name}: {said}");
        let view = view(&sandbox);
        assert_eq!(view.is_empty(), *name == "destroy", "{view:?}");
        view
    };
    STEPS.iter().map(step).collect()
}

fn hubform(folder: &Path, words: &[&str]) -> Command {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hubform"));
    run.args(["--sandbox", "--sandbox-speed", SPEED]).args(words).current_dir(folder).env_remove("CI");
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    run
}

/// What a process is disturbed with.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Kill,
    Interrupt,
    Twice(Duration),
}

impl Blow {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..4) {
            0 | 1 => Self::Kill,
            2 => Self::Interrupt,
            _ => Self::Twice(Duration::from_millis(rng.u64(..80))),
        }
    }

    fn fall(self, child: &mut Child) {
        let interrupt = |child: &Child| {
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
        };
        match self {
            Self::Kill => drop(child.kill()),
            Self::Interrupt => interrupt(child),
            Self::Twice(between) => {
                interrupt(child);
                thread::sleep(between);
                interrupt(child);
            }
        }
    }
}

/// Starts a command and disturbs it after this time; how it ended.
fn disturbed(folder: &Path, words: &[&str], after: Duration, blow: Blow) -> ExitStatus {
    let mut child = hubform(folder, words).spawn().expect("the program starts");
    let until = Instant::now() + after;
    while Instant::now() < until {
        if let Some(ended) = child.try_wait().expect("it is our child") {
            return ended;
        }
        thread::sleep(Duration::from_millis(1));
    }
    blow.fall(&mut child);
    child.wait().expect("it is our child")
}

fn live(seed: u64, figures: &Mutex<Figures>) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed);
    let life = Life::random(&mut rng);
    let folder = folder(&life, rng.bool().then_some(OWNER));
    let here = folder.path();
    let mut wanted: Option<Vec<Vec<String>>> = None;
    for (at, (name, words)) in STEPS.iter().enumerate() {
        if *name == "update" {
            write(here, &life.after);
        }
        for _ in 0..rng.usize(1..3) {
            let (after, blow) = (Duration::from_millis(rng.u64(..LONGEST)), Blow::random(&mut rng));
            let ended = disturbed(here, words, after, blow);
            let mut figures = figures.lock().expect("nobody panics while holding this");
            figures.tried += 1;
            figures.reached += usize::from(ended.signal().is_some() || ended.code() == Some(130));
            if !matches!((ended.signal(), ended.code()), (Some(2 | 9), _) | (_, Some(0 | 130))) {
                return Err(format!("{name} ended with {ended} upon {blow:?} after {after:?}"));
            }
        }
        again(here, name, words)?;
        if wanted.is_none() {
            wanted = Some(undisturbed(&life, &owner(here)?));
        }
        stands(here, name, wanted.as_ref().map_or(&[], |wanted| &wanted[at]))?;
    }
    Ok(())
}

/// The same command again, until it says that all is done.
fn again(folder: &Path, name: &str, words: &[&str]) -> Result<(), String> {
    let mut run = hubform(folder, words);
    let ended = run.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("the program starts");
    match ended.status.success() {
        true => Ok(()),
        false => {
            let said = [&ended.stdout[..], &ended.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
            Err(format!("{name} again ended with {}\n{}", ended.status, said.concat()))
        }
    }
}

/// Is all as it would be, with nothing left of what was killed?
fn stands(folder: &Path, name: &str, wanted: &[String]) -> Result<(), String> {
    if name != "destroy" {
        let ended = hubform(folder, &["plan", "--detailed-exitcode", "."]).status().expect("the program starts");
        if ended.code() != Some(0) {
            return Err(format!("after {name}, plan ends with {ended}"));
        }
    }
    let state = folder.join(".hubform/sandbox");
    let sandbox =
        Sandbox::open(&state, SandboxSettings::default(), Pace::Stepped).map_err(|error| error.to_string())?;
    let found = view(&sandbox);
    if found != *wanted {
        let all = |view: &[String]| view.join("\n");
        let (wanted, found) = (all(wanted), all(&found));
        let difference = similar::TextDiff::from_lines(&wanted, &found);
        return Err(format!("after {name}\n{}", difference.unified_diff().header("undisturbed", "disturbed")));
    }
    for (file, text) in texts_below(folder) {
        if file.ends_with(".tmp") {
            return Err(format!("after {name}, {file} is left"));
        }
        if file.ends_with(".lock") && Lock::parse(FileId(0), &text).is_err() {
            return Err(format!("after {name}, {file} is no lock\n{text}"));
        }
    }
    Ok(())
}

#[test]
fn a_life_that_was_killed_ends_as_one_that_was_not() {
    let (figures, next) = (Mutex::new(Figures::default()), Mutex::new(seeds(10)));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(seed) = { next.lock().expect("nobody panics while holding this").next() } {
                    let lived = panic::catch_unwind(AssertUnwindSafe(|| live(seed, &figures)));
                    if let Err(why) = lived.unwrap_or_else(|_| Err("it panicked, as told above".to_owned())) {
                        figures.lock().expect("as above").failures.push(format!("HUBFORM_SEED={seed}: {why}"));
                    }
                }
            });
        }
    });
    let figures = figures.into_inner().expect("as above");
    figures.tell("kills", "kills and interrupts", "of a process that was still at work");
    assert!(!is_usual() || figures.reached * 3 > figures.tried, "hardly any process was still alive");
}
