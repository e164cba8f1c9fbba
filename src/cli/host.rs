//! The shell around a run, as a value: variables, folder, terminal. Nothing else in hubform looks at them.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    path::PathBuf,
};

use crate::{diagnostic::secret::HIDDEN, sandbox::Sandbox};

/// Everything a run gets from outside.
pub struct Host {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// The folder relative paths start from.
    pub folder: PathBuf,
    /// Standard input.
    pub input: Box<dyn BufRead>,
    /// What was read of it, once somebody did.
    pub kept_input: Option<Vec<u8>>,
    /// Standard output: what was asked for.
    pub output: Box<dyn Write + Send>,
    /// Standard error: findings, progress, questions.
    pub errors: Box<dyn Write>,
    /// The terminal behind standard output, where there is one.
    pub terminal: Option<Terminal>,
    /// What size that terminal has at the moment, in columns and rows.
    pub terminal_size: fn() -> Option<(u16, u16)>,
    /// Is standard input a terminal, so that a question can be answered?
    pub interactive: bool,
    /// An account that is there already: with `--sandbox` this one is used and no state is kept on disk.
    pub sandbox: Option<Sandbox>,
    /// Catalogue tables in place of the embedded ones, by file name.
    pub tables: BTreeMap<String, String>,
    /// Whoever reads the output may be slow or gone, so that progress is written aside from the work.
    pub aside: bool,
    /// Where ids come from that nobody else may have made.
    pub random: fastrand::Rng,
}

fn size_of_output() -> Option<(u16, u16)> {
    terminal_size::terminal_size_of(io::stdout()).map(|(columns, rows)| (columns.0, rows.0))
}

/// A terminal that is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Host {
    /// The real one.
    pub fn of_process() -> Self {
        use std::io::IsTerminal;
        let terminal = || {
            // Whose size nobody knows, or is nothing, has no room for a table.
            let (width, height) = size_of_output().unwrap_or((80, 0));
            Terminal { width, height }
        };
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            folder: std::env::current_dir().unwrap_or_default(),
            input: Box::new(io::BufReader::new(io::stdin())),
            kept_input: None,
            output: Box::new(io::stdout()),
            errors: Box::new(io::stderr()),
            terminal: io::stdout().is_terminal().then(terminal),
            terminal_size: size_of_output,
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            sandbox: None,
            tables: BTreeMap::new(),
            aside: true,
            random: fastrand::Rng::new(),
        }
    }

    /// A new id of 16 hex digits.
    pub fn new_id(&mut self) -> String {
        format!("{:016x}", self.random.u64(..))
    }

    /// A text without the secrets that this process was given, which services quote in what they complain of.
    pub(super) fn without_own_secrets(&self, text: &str) -> String {
        let own = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];
        let secrets = own.into_iter().filter_map(|name| self.variable(name)).filter(|secret| secret.len() >= 8);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }

    /// A variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// May output be coloured? Only on a terminal, and not where `NO_COLOR` is set.
    pub fn colour(&self) -> bool {
        self.terminal.is_some() && self.variable("NO_COLOR").is_none() && self.variable("TERM") != Some("dumb")
    }

    /// Columns to wrap at.
    pub fn width(&self) -> usize {
        let said = self.variable("COLUMNS").and_then(|columns| columns.parse().ok());
        self.terminal.map(|terminal| usize::from(terminal.width)).or(said).unwrap_or(100).max(40)
    }
}
