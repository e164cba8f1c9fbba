//! What is loaded, and what becomes of owners and locks.

use std::collections::BTreeMap;

use clap::Parser as _;

use super::*;
use crate::cli::args::{Cli, Verb};
use crate::{
    cli::{Refusal, locks},
    files::{Disk, Files},
    resolve::OwnerPolicy,
};

const ENDPOINT: &str =
    "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: e}\nspec: {model: BAAI/bge-small-en-v1.5}\n";
const ENVIRONMENT: &str = "apiVersion: hubform.dev/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {}\n";

pub(super) fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let disk = Disk { from: folder.path().into() };
    for (name, text) in files {
        disk.write(Path::new(name), text.as_bytes()).expect("a file can be written");
    }
    folder
}

/// What `plan` loads, as on a real account or with the folder of an imagined one.
fn loaded(folder: &Path, sandbox: Option<&Path>, arguments: &[&str]) -> Result<(Loaded, LoadOptions)> {
    let words = ["hubform", "plan", "--region", "us-east-1"].iter().chain(arguments);
    let Verb::Plan(plan) = Cli::try_parse_from(words)?.verb else { unreachable!("it says plan") };
    let mut host = Host { folder: folder.into(), variables: BTreeMap::new(), ..Host::of_process() };
    let lock_overlay = sandbox.map(Path::to_path_buf);
    let options = LoadOptions {
        region_needed: sandbox.is_none(),
        lock_overlay,
        owner: OwnerPolicy::Made,
        ..LoadOptions::default()
    };
    let mut loaded = load(&mut host, &plan.planning.selection, &options)?;
    loaded.keep_locks(&mut host, &plan.planning.selection, &options)?;
    Ok((loaded, options))
}

fn owner(folder: &Path, sandbox: Option<&Path>) -> String {
    let owners = loaded(folder, sandbox, &[]).expect("it can be loaded").0.owners();
    owners.into_values().next().expect("one was made")
}

#[test]
fn a_real_account_needs_an_environment_or_a_lock() {
    let bare = repository(&[("e.yaml", ENDPOINT)]);
    let refused = loaded(bare.path(), None, &[]).err().and_then(|error| error.downcast::<Refusal>().ok());
    assert_eq!(refused, Some(Refusal::nobodys()));
    for other in [("environment.yaml", ENVIRONMENT), ("hubform.lock", "format: 2\n")] {
        let there = repository(&[("e.yaml", ENDPOINT), other]);
        let made = owner(there.path(), None);
        assert!(crate::resolve::is_owner(&made) && owner(there.path(), None) == made);
    }
}

#[test]
fn where_nothing_may_be_chosen_no_owner_is_made_either() {
    let there = repository(&[("e.yaml", ENDPOINT), ("environment.yaml", ENVIRONMENT)]);
    let (locked, _) = loaded(there.path(), None, &["--locked"]).expect("findings are no failure");
    assert!(locked.diagnostics.iter().any(|found| found.message.contains("no owner id")));
    assert!(locked.owners().is_empty() && !there.path().join("hubform.lock").exists());
}

#[test]
fn folders_that_share_an_imagined_account_are_two_owners_and_write_nothing_beside_them() {
    let (one, two) = (repository(&[("a/e.yaml", ENDPOINT), ("b/e.yaml", ENDPOINT)]), tempfile::tempdir());
    let shared = two.expect("a folder can be made");
    let [a, b] = ["a", "b"].map(|name| owner(&one.path().join(name), Some(shared.path())));
    assert_ne!(a, b);
    assert_eq!(owner(&one.path().join("a"), Some(shared.path())), a);
    assert!(!one.path().join("a/hubform.lock").exists());
    let own = [".hubform/sandbox"; 2].map(|folder| owner(&one.path().join("a"), Some(Path::new(folder))));
    assert_eq!(own[0], own[1], "its folder was not there the first time");
}

#[test]
fn a_locked_run_on_an_imagined_account_keeps_its_owner() {
    let protected = ENVIRONMENT.replace("spec: {}", "spec: {protect: true}");
    let there = repository(&[("e.yaml", ENDPOINT), ("environment.yaml", &protected)]);
    let sandbox = Some(Path::new(".hubform/sandbox"));
    assert_eq!(owner(there.path(), sandbox), owner(there.path(), sandbox));
}

#[test]
fn an_owner_beside_the_environment_is_also_that_of_an_imagined_account() {
    let there = repository(&[("e.yaml", ENDPOINT), ("environment.yaml", ENVIRONMENT)]);
    let sandbox = Some(Path::new(session::USUAL_FOLDER));
    let imagined = owner(there.path(), sandbox);
    assert_eq!(owner(there.path(), None), imagined, "who played there before locks the same one");
    let other = "format: 2\nenvironments: {dev: {owner: a0000000000000e2}}\n";
    std::fs::write(there.path().join("hubform.lock"), other).expect("it can be written");
    assert_eq!(owner(there.path(), sandbox), "a0000000000000e2");
}

#[test]
fn two_runs_at_once_keep_both_choices_and_refuse_to_choose_between_two() {
    let other = ENDPOINT.replace("{name: e}", "{name: f}");
    let there = repository(&[
        ("one/environment.yaml", ENVIRONMENT),
        ("one/e.yaml", ENDPOINT),
        ("two/environment.yaml", ENVIRONMENT),
        ("two/e.yaml", &other),
        ("three/environment.yaml", ENVIRONMENT),
        ("three/e.yaml", &ENDPOINT.replace("BAAI/bge-small-en-v1.5", "Qwen/Qwen3-0.6B")),
    ]);
    let path = there.path().join("shared.lock");
    let run = |folder: &str| {
        let words = ["hubform", "plan", folder, "--region", "us-east-1", "--lock", "shared.lock"];
        let Verb::Plan(plan) = Cli::try_parse_from(words).expect("it is a command").verb else { unreachable!() };
        let mut host = Host { folder: there.path().into(), variables: BTreeMap::new(), ..Host::of_process() };
        let options = LoadOptions { owner: OwnerPolicy::Made, ..LoadOptions::default() };
        let loaded = load(&mut host, &plan.planning.selection, &options).expect("it can be loaded");
        (loaded, host, plan.planning.selection, options)
    };
    let [one, two, three] = ["one", "two", "three"].map(run);
    let ends = [one, two, three].map(|(mut loaded, mut host, selection, options)| {
        let (_, found) = loaded.keep_locks(&mut host, &selection, &options).expect("it can be written");
        (loaded.owners().into_values().next(), found, std::fs::read(&path).expect("it was written"))
    });
    let [(first, clean, _), (second, kept, before), (_, refused, after)] = ends;
    assert!(clean.is_empty() && kept.is_empty() && first == second, "the first owner holds");
    assert_eq!(before, after, "nothing is overwritten");
    let lock = locks::parse(&path, &after, &mut SourceMap::default()).expect("hubform wrote it");
    let choices = &lock.environments["dev"].choices;
    assert_eq!(choices.keys().collect::<Vec<_>>(), ["Endpoint/e@default", "Endpoint/f@default"]);
    let said: Vec<_> = refused.iter().map(|found| (found.code, found.message.as_str())).collect();
    let (code, message) = *said.first().expect("e has two models");
    expect_test::expect!["another run changed `shared.lock` meanwhile: the engine of Endpoint/e@default in `dev`, tei (from model BAAI/bge-small-en-v1.5, task feature-extraction) there and vllm (from model Qwen/Qwen3-0.6B, task text-generation) here"].assert_eq(message);
    assert!(said.iter().all(|(each, _)| *each == code) && code == Code::LockRace);
}

#[test]
fn another_region_keeps_the_owner_and_no_choice() {
    let text = ENVIRONMENT.replace("spec: {}", "spec: {targets: [{region: eu-west-1}]}");
    let there = repository(&[("e.yaml", ENDPOINT), ("environment.yaml", &text)]);
    let made = owner(there.path(), None);
    let text = std::fs::read(there.path().join("hubform.lock")).expect("it was written");
    let lock = locks::parse(Path::new("hubform.lock"), &text, &mut SourceMap::default()).expect("hubform wrote it");
    assert!(lock.owner("dev") == Some(&made) && lock.environments["dev"].choices.is_empty());
}
