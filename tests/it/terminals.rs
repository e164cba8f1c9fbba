//! The binary on terminals that misbehave. What a terminal is or does not do never stops the work.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::support;

/// Applies the quickstart on such a terminal; how it ended, and what stands afterwards.
fn apply(terminal: &str, variables: &[(&str, &str)], speed: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    support::copy(&support::root().join("stacks/quickstart"), folder.path());
    let python = support::root().join("tests/it/peers/terminal.py");
    let program = env!("CARGO_BIN_EXE_hubform");
    let mut run = Command::new("python3");
    run.arg(python).args(terminal.split(' ')).arg("--").arg(program);
    run.args(["--sandbox", "--sandbox-speed", speed, "apply", "--yes", "."]);
    let ended = said(run.env_remove("CI").env("TERM", "xterm").envs(variables.iter().copied()), folder.path());
    let status = said(Command::new(program).args(["--sandbox", "status", "."]), folder.path());
    (ended.trim().to_owned(), status)
}

fn said(command: &mut Command, folder: &Path) -> String {
    let output = command.current_dir(folder).stdin(Stdio::null()).output().expect("the program starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Fast enough that all is over in a second.
const FAST: &str = "900";

#[test]
fn no_terminal_stops_the_work() {
    let dumb = [("TERM", "dumb")];
    let ci = [("CI", "1"), ("HUBFORM_LOCKED", "0")];
    let trials: [(&str, &[(&str, &str)]); 8] = [
        ("0 0 read", &[]),
        ("0 80 read", &[]),
        ("24 0 read", &[]),
        ("1 1 read", &[]),
        ("24 80 read --resize 0 80", &[]),
        ("24 80 read", &dumb),
        ("24 80 read", &ci),
        // Nobody takes what is written: all is done, and then an interrupt ends the telling.
        ("24 80 ignore --interrupt 3", &[]),
    ];
    for (terminal, variables) in trials {
        let (ended, status) = apply(terminal, variables, FAST);
        assert_eq!(ended, "0", "on {terminal} {variables:?}\n{status}");
        assert_eq!(status.matches("CREATE_COMPLETE").count(), 3, "on {terminal}\n{status}");
    }
}

#[test]
fn an_interrupt_is_heard_whatever_the_terminal_does() {
    for terminal in ["0 0 read --interrupt 0.5", "24 80 ignore --interrupt 0.5", "24 80 read --interrupt 0.5"] {
        let (ended, status) = apply(terminal, &[], "15");
        assert_eq!(ended, "130", "on {terminal}\n{status}");
        assert!(status.matches("CREATE_COMPLETE").count() < 3, "something was not begun any more\n{status}");
    }
}
