//! What is printed where nobody reads on, and where the command line or the names of files hold secrets.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use hubform::cli::run;

use crate::support::{Captured, copy, quiet_host, root};

/// A pipe whose reader takes so many bytes and goes.
struct Pipe(usize);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.min(bytes.len()) {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            taken => {
                self.0 -= taken;
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a command in a folder; its exit code and what it says on standard error.
fn run_with(folder: &Path, words: &[&str], output: Box<dyn Write + Send>) -> (u8, String) {
    let errors = Captured::default();
    let mut host = quiet_host(folder, output, &errors);
    let exit = run(&mut host, ["hubform"].iter().chain(words).map(Into::into)).code();
    (exit, errors.text())
}

fn said(folder: &Path, words: &[&str]) -> (u8, String) {
    let output = Captured::default();
    let (exit, errors) = run_with(folder, words, Box::new(output.clone()));
    (exit, output.text() + &errors)
}

/// A folder with a manifest that is sound, and one that is not.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    copy(&root().join("stacks/shortest"), folder.path());
    let broken = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: e}\nspec: {modell: a/b}\n";
    fs::create_dir(folder.path().join("broken")).expect("it is ours");
    fs::write(folder.path().join("broken/e.yaml"), broken).expect("it is ours");
    folder
}

#[test]
fn a_closed_pipe_ends_quietly_with_the_exit_of_the_work() {
    let folder = folder();
    let commands: [(&[&str], u8); 18] = [
        (&["--help"], 0),
        (&["schema"], 0),
        (&["schema", "Endpoint"], 0),
        (&["explain", "HF1001"], 0),
        (&["completions", "bash"], 0),
        (&["templates", "eject", "own"], 0),
        (&["validate", "embeddings.yaml"], 0),
        (&["validate", "broken", "-o", "json"], 2),
        (&["render", "embeddings.yaml"], 0),
        (&["render", "embeddings.yaml", "-o", "json"], 0),
        (&["render", "embeddings.yaml", "-d", "out"], 0),
        (&["lock", "embeddings.yaml"], 0),
        (&["init", "new"], 0),
        (&["--sandbox", "plan", "embeddings.yaml"], 0),
        (&["--sandbox", "plan", "embeddings.yaml", "--detailed-exitcode"], 3),
        (&["--sandbox", "--sandbox-speed", "1000000", "apply", "embeddings.yaml", "--yes"], 0),
        (&["--sandbox", "status", "embeddings.yaml"], 0),
        (&["--sandbox", "--sandbox-speed", "1000000", "destroy", "embeddings.yaml", "--yes"], 0),
    ];
    let clean = || {
        for made in ["own", "out", "new"] {
            let _ = fs::remove_dir_all(folder.path().join(made));
        }
    };
    for (words, wanted) in commands {
        for pipe in [None, Some(0), Some(1), Some(700)] {
            let output: Box<dyn Write + Send> = match pipe {
                Some(taken) => Box::new(Pipe(taken)),
                None => Box::new(Captured::default()),
            };
            let (exit, errors) = run_with(folder.path(), words, output);
            assert!(!errors.contains("error: "), "{words:?}, closed after {pipe:?} bytes: {errors}");
            assert_eq!(exit, wanted, "{words:?}, closed after {pipe:?} bytes: {errors}");
            clean();
        }
    }
}

fn token() -> String {
    format!("hf_{}", "a1B2".repeat(9))
}

#[test]
fn a_token_on_the_command_line_is_not_repeated() {
    let (folder, token) = (folder(), token());
    let flag = format!("--{token}");
    let ssm = format!("a/{token}");
    let commands: [&[&str]; 22] = [
        &[&token],
        &["validate", &token],
        &["validate", &flag],
        &["plan", "-o", &token],
        &["plan", &format!("-o={token}")],
        &["--sandbox-speed", &token, "plan"],
        &["--sandbox-state", &token, &token],
        &["apply", "--concurrency", &token],
        &["apply", "--progress", &token],
        &["apply", "--allow", &token, "--yes", "--sandbox", "embeddings.yaml", "--sandbox-speed", "100000"],
        &["destroy", &token, &token],
        &["status", "--region", &token, "--sandbox"],
        &["validate", "embeddings.yaml", "--region", &token],
        &["validate", "embeddings.yaml", "--environment", &token],
        &["validate", "embeddings.yaml", "--lock", &token],
        &["validate", "embeddings.yaml", "--templates", &token],
        &["lock", "embeddings.yaml", "--owner", &token],
        &["lock", "embeddings.yaml", "--upgrade", &token],
        &["schema", &token],
        &["explain", &token],
        &["completions", &token],
        &["init", "new", "--name", &token, "--model", &ssm],
    ];
    for words in commands {
        let (_, text) = said(folder.path(), words);
        assert!(!text.contains(&token), "{words:?}: {text}");
    }
}

#[test]
fn a_token_in_the_name_of_a_file_or_folder_is_not_repeated() {
    let (folder, token) = (folder(), token());
    let named = folder.path().join(&token);
    copy(&folder.path().join("broken"), &named);
    fs::copy(named.join("e.yaml"), named.join(format!("{token}.yaml"))).expect("it is ours");
    let file = format!("{token}/{token}.yaml");
    let sound = format!("{token}-sound");
    copy(&root().join("stacks/shortest"), &folder.path().join(&sound));
    let commands: [&[&str]; 13] = [
        &["validate", &token],
        &["validate", &file],
        &["validate", &token, "-o", "json"],
        &["validate", &file, "-o", "json"],
        &["render", &token],
        &["render", &sound, "-d", &format!("{token}-out")],
        &["templates", "eject", &format!("{token}-own")],
        &["templates", "eject", &format!("{token}-own")],
        &["init", &format!("{token}-new")],
        &["init", &format!("{token}-new")],
        &["lock", &sound],
        &["--sandbox", "plan", &sound],
        &["--sandbox", "--sandbox-state", &format!("{token}-state"), "plan", &sound],
    ];
    for words in commands {
        let (_, text) = said(folder.path(), words);
        assert!(!text.contains(&token), "{words:?}: {text}");
    }
}

#[test]
fn init_writes_no_token() {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    let (exit, text) = said(folder.path(), &["init", "new", "--model", &format!("a/{}", token())]);
    assert_eq!(exit, 2, "{text}");
    assert!(text.contains("`--model` holds a Hugging Face token") && !folder.path().join("new").exists(), "{text}");
}

#[test]
fn a_token_in_the_name_of_a_protected_folder_is_in_no_command_to_copy() {
    let (folder, token) = (folder(), token());
    let (exit, text) = said(folder.path(), &["init", &format!("prod-{token}")]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("next: hubform lock") && !text.contains(&token), "{text}");
}
