//! SECURITY.md says what is so: the actions that are asked of IAM are the calls that are made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use hubform::sandbox::{Pace, Sandbox, SandboxSettings};

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

/// A folder of cases, and what is said in it: verbs, which succeed but after `fails`, or `edit FILE OLD NEW`.
type Story = (&'static str, &'static [&'static [&'static str]]);

/// What leads to every call that there is.
const STORIES: [Story; 4] = [
    (
        "life/calls",
        &[
            &["plan", "."],
            &["apply", ".", "--yes"],
            &["status", "."],
            &["edit", "a.yaml", "team: search", "team: other"],
            &["plan", "."],
            &["apply", ".", "--yes"],
            &["destroy", ".", "--yes"],
        ],
    ),
    (
        "ownership/shells",
        &[
            &["fails", "apply", ".", "--yes", "--validate"],
            &["fails", "status", "."],
            &["plan", "."],
            &["destroy", ".", "--yes"],
            &["fails", "apply", ".", "--yes", "--validate"],
            &["edit", "search.yaml", "Colour: blue", "DelaySeconds: 5"],
            &["apply", ".", "--yes", "--validate"],
            &["edit", "search.yaml", "DelaySeconds: 5", "Colour: blue"],
            &["fails", "apply", ".", "--yes", "--validate"],
        ],
    ),
    (
        "life/named-role",
        &[
            &["lock", "roles", "--owner", "5eed5eed5eed5eed"],
            &["apply", "roles", "--yes"],
            &["plan", "search.yaml"],
            &["apply", "search.yaml", "--yes"],
            &["status", "search.yaml"],
            &["destroy", "search.yaml", "--yes"],
        ],
    ),
    (
        "ownership/protection-lost",
        &[
            &["lock", "."],
            &["apply", ".", "--yes"],
            &["edit", "environment.yaml", "us-east-1}]", "us-east-1}]\n  protect: false"],
            &["apply", ".", "--yes"],
            &["edit", "environment.yaml", "false", "true"],
            &["apply", ".", "--yes"],
            &["destroy", ".", "--yes", "--allow", "Endpoint/search"],
        ],
    ),
];

/// Calls that are listed and that no story meets, and why.
const UNMET: [(&str, &[&str], &str); 3] = [
    ("sts:AssumeRole", &VERBS, "it is asked by the adapters before the first call; the sandbox has no roles to assume"),
    (
        "cloudformation:ListStacks",
        &["plan", "status"],
        "DescribeStacks without a name requires this permission as well (API reference, DescribeStacks, StackName)",
    ),
    (
        "cloudformation:DescribeStackEvents",
        &["plan", "status"],
        "stories have no faults; the case field/rollback-failed-cause has one after which both read events",
    ),
];

/// The calls that each verb makes, all stories together.
fn calls_made() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut made: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (case, story) in STORIES {
        let folder = tempfile::tempdir().expect("there is a place for temporary folders");
        copy(&root().join("tests/cases").join(case), folder.path());
        let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
        for words in story {
            if let ["edit", file, old, new] = *words {
                let path = folder.path().join(file);
                let text = fs::read_to_string(&path).expect("it is there");
                assert!(text.contains(old), "{case}: {file} has no `{old}` now");
                fs::write(path, text.replace(old, new)).expect("it is ours");
                continue;
            }
            let (fails, words) = match words {
                ["fails", words @ ..] => (true, words),
                words => (false, *words),
            };
            sandbox.reset_calls();
            let (exit, text) = run_quietly(folder.path(), &sandbox, words);
            assert_eq!(exit, u8::from(fails), "{case}: {words:?}: {text}");
            made.entry(words[0]).or_default().extend(sandbox.calls().into_keys());
        }
    }
    made
}

#[test]
fn each_verb_makes_the_calls_that_are_listed_for_it_and_no_others() {
    let (listed, made) = (listed(), calls_made());
    for verb in VERBS {
        let call = |action: &str| action.split_once(':').map(|(_, call)| call.to_owned());
        let said = listed.iter().filter(|(_, verbs)| verbs.contains(&verb)).map(|(action, _)| action);
        let unmet = UNMET.iter().filter(|(_, verbs, _)| verbs.contains(&verb)).map(|(action, ..)| *action);
        let said: BTreeSet<String> = said.filter_map(|action| call(action)).collect();
        let met: BTreeSet<String> = made[verb].iter().cloned().chain(unmet.filter_map(call)).collect();
        assert_eq!(said, met, "{verb}: SECURITY.md says the first, and the second is so");
    }
}
