//! Keeping the account in a folder, determinism, and time.

use std::{path::Path, rc::Rc, time::Duration};

use super::{Account, endpoint, now};
use crate::{
    clock::Clock,
    cloud::{StackStatus, Timestamp},
    sandbox::{
        Pace, Sandbox, SandboxSettings, StateError,
        state::{BEGINNING, compaction},
    },
};

fn open(path: &Path) -> Account {
    Account::of(Sandbox::open(path, SandboxSettings::default(), Pace::Stepped).expect("an account"))
}

/// Everything an observer could see.
fn view(account: &Account) -> String {
    format!("{:#?}\n{}\n{:#?}", account.stack("s"), account.story("s"), account.sandbox.inventory())
}

#[test]
fn an_account_that_was_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = Account::with(SandboxSettings::default());
    whole.create("s", &endpoint("tei:1", "ml.m5.xlarge", true)).expect("accepted");
    let account = open(folder.path());
    account.create("s", &endpoint("tei:1", "ml.m5.xlarge", true)).expect("accepted");
    for step in 0..40 {
        for one in [&whole, &account] {
            one.sandbox.advance(Duration::from_secs(10));
        }
        assert_eq!(view(&whole), view(&account), "at step {step}");
    }
    // Dropped without saving: the journal alone has it, up to the time of the last call that it keeps.
    account.delete("nobody").expect("no failure");
    drop(account);
    let account = open(folder.path());
    assert_eq!(view(&whole), view(&account));
    account.sandbox.save().expect("saved");
    drop(account);
    let account = open(folder.path());
    account.tokens.set(whole.tokens.get());
    assert_eq!(view(&whole), view(&account));
    for one in [&whole, &account] {
        one.sandbox.advance(Duration::from_secs(3600));
        one.updated("s", &endpoint("tei:2", "ml.m5.xlarge", true));
        assert_eq!(one.status("s"), StackStatus::UpdateComplete);
    }
    assert_eq!(view(&whole), view(&account));
}

/// The names of what a folder has, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_kill_between_any_two_changes_of_the_folder_loses_nothing() {
    for made in 0..=3 {
        let folder = tempfile::tempdir().expect("a folder");
        let account = open(folder.path());
        account.create("s", &endpoint("tei:1", "ml.m5.xlarge", true)).expect("accepted");
        let before = view(&account);
        for change in &compaction(1)[..made] {
            change.make(folder.path(), &account.sandbox.core().state).expect("made");
        }
        std::fs::write(folder.path().join(".account.json.7-0.tmp"), "{").expect("written");
        drop(account);
        let number = if made < 2 { 1 } else { 2 };
        for _ in 0..2 {
            let account = open(folder.path());
            assert_eq!(view(&account), before, "after {made} changes");
            assert_eq!(names(folder.path()), ["account.json", &format!("calls-{number}.jsonl"), "lock"]);
        }
        let account = open(folder.path());
        account.sandbox.save().expect("saved");
        drop(account);
        assert_eq!(view(&open(folder.path())), before);
    }
}

#[test]
fn files_of_the_user_in_the_folder_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let theirs = ["calls-mine.jsonl", "prompts.jsonl"];
    theirs.iter().for_each(|name| std::fs::write(folder.path().join(name), "{}").expect("written"));
    for _ in 0..2 {
        let account = open(folder.path());
        account.sandbox.save().expect("saved");
    }
    assert!(theirs.iter().all(|name| names(folder.path()).iter().any(|found| found == name)));
}

#[test]
fn a_kill_while_an_account_is_made_leaves_an_account() {
    for made in 0..=2 {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
        for change in &BEGINNING[..made] {
            change.make(folder.path(), &empty.core().state).expect("made");
        }
        std::fs::write(folder.path().join(".account.json.7-0.tmp"), "{").expect("written");
        let account = open(folder.path());
        account.create("s", &endpoint("tei:1", "ml.m5.xlarge", false)).expect("accepted");
        assert_eq!(names(folder.path()), ["account.json", "calls-1.jsonl", "lock"]);
        drop(account);
        assert_eq!(open(folder.path()).status("s"), StackStatus::CreateInProgress);
    }
}

#[test]
fn a_half_written_line_is_the_call_that_was_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let account = open(folder.path());
    account.create("s", &endpoint("tei:1", "ml.m5.xlarge", false)).expect("accepted");
    drop(account);
    let journal = folder.path().join("calls-1.jsonl");
    let mut text = std::fs::read(&journal).expect("a journal");
    text.extend_from_slice(b"{\"at\":17");
    std::fs::write(&journal, text).expect("written");
    let account = open(folder.path());
    assert_eq!(account.status("s"), StackStatus::CreateInProgress);
    account.deleted("nobody");
    drop(account);
    assert_eq!(open(folder.path()).status("s"), StackStatus::CreateComplete);
}

#[test]
fn one_process_at_a_time_and_one_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let account = open(folder.path());
    let second = Sandbox::open(folder.path(), SandboxSettings::default(), Pace::Stepped);
    assert!(matches!(second, Err(StateError::Locked(_))));
    drop(account);
    std::fs::write(folder.path().join("account.json"), "{\"format\": 99}").expect("written");
    let other = Sandbox::open(folder.path(), SandboxSettings::default(), Pace::Stepped);
    assert!(matches!(other, Err(StateError::Format { problem, .. }) if problem == "its format is 99"));
}

#[test]
fn a_lost_snapshot_is_no_new_account_and_a_draft_of_the_dead_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let account = open(folder.path());
    account.create("s", &endpoint("tei:1", "ml.m5.xlarge", false)).expect("accepted");
    drop(account);
    let draft = folder.path().join(".account.json.7-0.tmp");
    std::fs::write(&draft, "{").expect("written");
    drop(open(folder.path()));
    assert!(!draft.exists());
    std::fs::remove_file(folder.path().join("account.json")).expect("removed");
    let lost = Sandbox::open(folder.path(), SandboxSettings::default(), Pace::Stepped);
    assert!(matches!(lost, Err(StateError::Format { problem, .. }) if problem.contains("a journal of its account")));
}

#[test]
fn the_seed_decides_and_unrelated_calls_shift_nothing() {
    let run = |seed: u64, noise: bool| {
        let account = Account::with(SandboxSettings { seed, ..SandboxSettings::default() });
        if noise {
            account.create("other", &endpoint("tei:9", "ml.m5.large", false)).expect("accepted");
        }
        let mut request = account.request("s", &endpoint("tei:1", "ml.m5.xlarge", false));
        request.token = "fixed".into();
        request.body = request.body.replace("\"chat\"", "\"talk\"");
        now(account.connection.stacks.create_stack(request)).expect("accepted");
        account.sandbox.advance(Duration::from_secs(3600));
        format!("{:#?}", account.events("s"))
    };
    assert_eq!(run(1, false), run(1, true));
    assert_ne!(run(1, false), run(2, false));
}

#[test]
fn a_stepped_clock_jumps_to_the_earliest_sleeper() {
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    let clock: Rc<dyn Clock> = sandbox.clock();
    let start = clock.now();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let order = std::cell::RefCell::new(Vec::new());
    let sleeper = async |seconds: u64, rounds: u64| {
        for _ in 0..rounds {
            let until = clock.now().plus(Duration::from_secs(seconds));
            clock.sleep_until(until).await;
            order.borrow_mut().push((seconds, clock.now().since(start).as_secs()));
        }
    };
    runtime.block_on(async {
        tokio::join!(sleeper(5, 3), sleeper(7, 2));
    });
    assert_eq!(*order.borrow(), [(5, 5), (7, 7), (5, 10), (7, 14), (5, 15)]);
    let dropped = clock.sleep_until(Timestamp(0));
    drop(dropped);
    assert_eq!(clock.now(), start.plus(Duration::from_secs(15)));
}

#[test]
fn a_scaled_clock_hurries() {
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Scaled(100_000.0));
    let clock = sandbox.clock();
    let start = clock.now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(clock.sleep_until(start.plus(Duration::from_secs(3600))));
    assert!(clock.now().since(start) >= Duration::from_secs(3600));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_no_account() {
    for name in ["account.json", "lock", "calls-1.jsonl"] {
        let folder = tempfile::tempdir().expect("a folder");
        drop(open(folder.path()));
        let path = folder.path().join(name);
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
        let opened = Sandbox::open(folder.path(), SandboxSettings::default(), Pace::Stepped);
        assert!(matches!(opened, Err(StateError::Io { .. })), "{name}");
    }
}
