//! SECURITY.md says what is so: the actions that are asked of IAM are the calls that are made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use hubform::sandbox::{Pace, Sandbox, Settings};

use crate::support::{copy, root, run_quietly};

const VERBS: [&str; 4] = ["plan", "status", "apply", "destroy"];

/// What SECURITY.md lists, by action: for which verbs.
fn listed() -> BTreeMap<String, BTreeSet<&'static str>> {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("it is there");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let verbs = VERBS.iter().enumerate().filter(|(at, _)| cells[at + 2] == "yes").map(|(_, verb)| *verb);
        let action = cells[1].split('`').nth(1).expect("it begins with an action");
        (action.to_owned(), verbs.collect())
    };
    rows.map(row).collect()
}

#[test]
fn the_actions_listed_are_the_calls_of_the_adapters() {
    let files = [("stacks", "cloudformation"), ("iam", "iam"), ("sagemaker", "sagemaker"), ("identity", "sts")];
    let mut made = BTreeSet::new();
    for file in fs::read_dir(root().join("src/aws")).expect("it is there").flatten() {
        let name = file.path().file_stem().expect("it has a name").to_string_lossy().into_owned();
        let text: String = fs::read_to_string(file.path()).expect("it is text").split_whitespace().collect();
        let service = files.iter().find(|(known, _)| *known == name).map(|(_, service)| service);
        for call in text.split(".ask(\"").skip(1) {
            let service = service.unwrap_or_else(|| panic!("say here which service {name}.rs calls"));
            made.insert(format!("{service}:{}", call.split('"').next().expect("there is a first part")));
        }
        if text.contains("AssumeRoleProvider::builder") {
            made.insert("sts:AssumeRole".to_owned());
        }
    }
    assert!(made.len() > 10, "the calls were not found: {made:?}");
    assert_eq!(listed().into_keys().collect::<BTreeSet<_>>(), made);
}

#[test]
fn no_verb_makes_a_call_that_is_not_listed_for_it() {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    copy(&root().join("stacks/quickstart"), folder.path());
    let sandbox = Sandbox::new(Settings::default(), Pace::Stepped);
    let listed = listed();
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let change = ["replace", "ml.g6.xlarge", "ml.g5.xlarge"];
    let story: [&[&str]; 8] = [
        &["plan", "."],
        &["apply", ".", "--yes"],
        &["status", "."],
        &change,
        &["plan", "."],
        &["apply", ".", "--yes"],
        &["status", "."],
        &["destroy", ".", "--yes"],
    ];
    for words in story {
        if words[0] == "replace" {
            let path = folder.path().join("hardware.yaml");
            let text = fs::read_to_string(&path).expect("it is there");
            assert!(text.contains(words[1]), "the example has another instance now");
            fs::write(path, text.replace(words[1], words[2])).expect("it is ours");
            continue;
        }
        sandbox.reset_calls();
        let (exit, text) = run_quietly(folder.path(), &sandbox, words);
        assert_eq!(exit, 0, "{words:?}: {text}");
        seen.entry(words[0]).or_default().extend(sandbox.calls().into_keys());
    }
    for (verb, calls) in seen {
        assert!(calls.len() > 1, "{verb} was not counted: {calls:?}");
        let allowed = |call: &String| {
            listed.iter().any(|(action, verbs)| verbs.contains(verb) && action.ends_with(&format!(":{call}")))
        };
        let more: Vec<_> = calls.iter().filter(|call| !allowed(call)).collect();
        assert!(more.is_empty(), "{verb} makes {more:?}, and SECURITY.md does not say so");
    }
}
