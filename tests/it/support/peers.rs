//! Programs of other people that hubform is measured against: independent AWS servers and the CloudFormation
//! linter. Each is installed by the test run from its pinned list in `tests/peers` into an environment of its own
//! under `target/peers`, named by the list's digest, so that it is made once and again only when the list changes.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use sha2::{Digest, Sha256};

const SKIP: &str = "HUBFORM_SKIP_PEERS";

/// A Python with one list of packages.
pub(crate) struct Environment {
    home: PathBuf,
}

/// The environment of `tests/peers/<name>.txt`, installed if it is not there. None only where skipping was asked
/// for, which is printed; panics where the packages cannot be had.
pub(crate) fn environment(name: &str) -> Option<Environment> {
    if std::env::var_os(SKIP).is_some_and(|value| value == "1") {
        say(&format!("skipped: what needs {name}, because {SKIP}=1"));
        return None;
    }
    match installed(name) {
        Ok(home) => Some(Environment { home }),
        Err(error) => panic!("cannot install {name} from PyPI: {error}\nset {SKIP}=1 to do without it"),
    }
}

impl Environment {
    /// A command that runs this environment's Python.
    pub(crate) fn python(&self) -> Command {
        let own = venv_python(&self.home);
        if own.exists() {
            return Command::new(own);
        }
        let mut command = Command::new(system_python());
        command.env("PYTHONPATH", self.home.join("site"));
        command
    }
}

/// Writes a line past the test harness's capture.
pub(crate) fn say(line: &str) {
    use io::Write;
    writeln!(io::stderr(), "{line}").expect("standard error can be written");
}

fn installed(name: &str) -> io::Result<PathBuf> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/peers/{name}.txt"));
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers");
    fs::create_dir_all(&peers)?;
    let home = peers.join(format!("{name}-{}", digest(&fs::read(&list)?)));
    let held = File::create(peers.join(format!("{name}.lock")))?;
    held.lock()?;
    if !home.exists() {
        let draft = peers.join(format!("{name}.partial"));
        if draft.exists() {
            fs::remove_dir_all(&draft)?;
        }
        install(&list, &draft)?;
        fs::rename(&draft, &home)?;
    }
    Ok(home)
}

fn digest(list: &[u8]) -> String {
    Sha256::digest(list).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// In a virtual environment; where Python comes without one, beside it.
fn install(list: &Path, home: &Path) -> io::Result<()> {
    let made = run(Command::new(system_python()).args(["-m", "venv"]).arg(home));
    let mut pip = match made {
        Ok(_) => Command::new(venv_python(home)),
        Err(_) => Command::new(system_python()),
    };
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
        .arg(list);
    if made.is_err() {
        let _ = fs::remove_dir_all(home);
        pip.arg("--target").arg(home.join("site"));
    }
    run(&mut pip).map(drop)
}

fn run(command: &mut Command) -> io::Result<Output> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?}: {}\n{told}", output.status)))
}

fn system_python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

fn venv_python(home: &Path) -> PathBuf {
    if cfg!(windows) { home.join("Scripts/python.exe") } else { home.join("bin/python") }
}

/// Runs cfn-lint once over all these templates. The error is every finding, one in a line.
pub(crate) fn lint(files: &[PathBuf]) -> Result<(), String> {
    let Some(environment) = environment("cfn-lint") else { return Ok(()) };
    let mut command = environment.python();
    let main = "import sys; from cfnlint.runner import main; sys.exit(main())";
    command.args(["-c", main, "--format", "parseable", "--"]).args(files);
    let output = command.output().map_err(|error| format!("cannot run cfn-lint: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{told}{failed}"))
}

#[cfg(feature = "aws")]
pub(crate) use server::Server;

#[cfg(feature = "aws")]
mod server {
    use std::{
        fs::File,
        io::{BufRead, BufReader},
        path::Path,
        process::{Child, Stdio},
    };

    use super::environment;

    /// A running peer. It ends when this is dropped, and also when the test process dies in any other way, since
    /// it lives no longer than its standard input.
    pub(crate) struct Server {
        child: Child,
        port: u16,
    }

    impl Server {
        /// Starts the peer `name` on a port of its choice; none where peers are skipped.
        pub(crate) fn start(name: &str) -> Option<Self> {
            let environment = environment(name)?;
            let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers/serve.py");
            let mut child = environment
                .python()
                .arg(script)
                .arg(name)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(File::create(&log).expect("the log can be written"))
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
            let mut line = String::new();
            let said = BufReader::new(child.stdout.take().expect("it was piped")).read_line(&mut line);
            let port = said.ok().and_then(|_| line.trim().parse().ok());
            let port = port.unwrap_or_else(|| panic!("{name} did not start; see {}", log.display()));
            Some(Self { child, port })
        }

        /// Where it listens.
        pub(crate) fn url(&self) -> String {
            format!("http://127.0.0.1:{}", self.port)
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
