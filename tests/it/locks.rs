//! Many runs at once over one lock file: whatever one of them chose is in it afterwards.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use hubform::{diagnostic::FileId, resolve::Lock};

const ROUNDS: usize = 6;
const FOLDERS: [&str; 2] = ["one", "two"];

/// A folder with an environment of its name and an endpoint.
fn folder(root: &Path, name: &str) {
    let folder = root.join(name);
    fs::create_dir(&folder).expect("a folder can be made");
    let head = |kind: &str| format!("apiVersion: hubform.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n");
    let environment = head("Environment") + "spec: {targets: [{region: us-east-1}]}\n";
    fs::write(folder.join("environment.yaml"), environment).expect("it can be written");
    let endpoint = head("Endpoint") + "spec: {model: BAAI/bge-small-en-v1.5}\n";
    fs::write(folder.join("endpoint.yaml"), endpoint).expect("it can be written");
}

fn start(root: &Path, folder: &str, arguments: &[&str]) -> Child {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hubform"));
    run.args(["lock", folder]).args(arguments).current_dir(root).env_remove("CI").env("HUBFORM_LOCK", "shared.lock");
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Eight runs at once, four in each folder.
fn eight(root: &Path, arguments: &[&str]) {
    let runs: Vec<Child> = (0..8).map(|number| start(root, FOLDERS[number % 2], arguments)).collect();
    for run in runs {
        let ended = run.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

fn is_whole(path: &Path) {
    let text = fs::read_to_string(path).expect("it was written");
    let lock = Lock::parse(FileId(0), &text).expect("hubform wrote it");
    for name in FOLDERS {
        let choices = &lock.environments.get(name).unwrap_or_else(|| panic!("{name} is lost\n{text}")).choices;
        let made = choices.get(&format!("Endpoint/{name}@default")).and_then(|servings| servings.get("AllTraffic"));
        assert!(made.is_some_and(|made| made.len() > 3) && lock.owner(name).is_some(), "{name} lost some\n{text}");
    }
}

#[test]
fn eight_at_once_over_one_lock_lose_nothing() {
    let root = tempfile::tempdir().expect("there is a place for temporary folders");
    FOLDERS.iter().for_each(|name| folder(root.path(), name));
    let lock = root.path().join("shared.lock");
    for _ in 0..ROUNDS {
        let _ = fs::remove_file(&lock);
        eight(root.path(), &[]);
        is_whole(&lock);
    }
    assert_eq!(fs::read_dir(root.path()).expect("it is a folder").count(), 3, "nothing else is left");
    fs::remove_file(&lock).expect("it is there");
    for _ in 0..2 {
        let _ = fs::remove_dir_all(root.path().join("imagined"));
        eight(root.path(), &["--sandbox", "--sandbox-state", "imagined"]);
        let kept: Vec<_> = fs::read_dir(root.path().join("imagined/locks")).expect("it was made").flatten().collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        is_whole(&kept[0].path());
    }
}

#[test]
fn an_imagined_account_changes_no_owner_of_the_real_ones() {
    let root = tempfile::tempdir().expect("there is a place for temporary folders");
    folder(root.path(), "one");
    for words in [["--sandbox", "--new-owner"].as_slice(), &["--sandbox", "--owner", "aaaaaaaaaaaaaaaa"]] {
        let ended = start(root.path(), "one", words).wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(2), "{words:?}");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(said.contains("leave out `--sandbox`"), "{said}");
    }
    assert!(!root.path().join("shared.lock").exists());
}
