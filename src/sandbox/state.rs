//! Keeping the account in a folder: a snapshot, and a journal of the calls since.
//!
//! The account follows from its calls, so the journal holds calls, one line each, written before the call is
//! answered: a process killed at any moment loses at most the call it was in. `save` writes a new snapshot and
//! begins a new journal. A snapshot names its journal by number, and an account begins with a snapshot, so a journal
//! without one means that the snapshot was lost. One process holds the folder at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{account::AccountState, call::JournalEntry, settings::SandboxSettings};
use crate::files::{only_regular, owner_only, read_up_to, replace, sweep};

/// The format of snapshot and journal.
const FORMAT: u32 = 3;
const SNAPSHOT: &str = "account.json";
const LOCK: &str = "lock";
/// Bytes of the largest snapshot or journal that is read.
const MOST: u64 = 1 << 30;
const NOTICE: &str = "an imagined AWS account: nothing in this folder exists or costs anything";

/// Why the folder of an account could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("the imagined account in {0} is in use by another process")]
    Locked(PathBuf),
    /// It cannot be read or written.
    #[error("cannot {what} {path}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It was written by another version of hubform, or by something else.
    #[error("{path} is not an imagined account of format {FORMAT}: {problem}; delete its folder to start over")]
    Format {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Serialize)]
struct SnapshotOut<'a> {
    notice: &'a str,
    format: u32,
    generation: u64,
    state: &'a AccountState,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
struct SnapshotIn {
    generation: u64,
    state: AccountState,
}

/// The open journal of an account, and the lock on its folder.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    generation: u64,
    file: File,
    _lock: File,
}

/// Loads the account kept in `folder`, or begins one there.
pub(crate) fn open(folder: &Path, settings: SandboxSettings) -> Result<(AccountState, Journal), StateError> {
    make_folder(folder).map_err(io_error("create", folder))?;
    let lock = lock(folder)?;
    sweep(&folder.join(SNAPSHOT));
    let (generation, mut state) = load(folder, &settings)?;
    sweep_journals(folder, generation);
    let path = journal_path(folder, generation);
    let replayed = replay(&path, &mut state)?;
    let SandboxSettings { seed, start, .. } = state.settings;
    let settings = SandboxSettings { seed, start, ..settings };
    let changed = state.settings != settings;
    state.settings = settings;
    let file = appending(&path)?;
    file.set_len(replayed).map_err(io_error("write", &path))?;
    let mut journal = Journal { folder: folder.to_owned(), generation, file, _lock: lock };
    // A journal is replayed under the settings of its snapshot.
    if changed {
        journal.compact(&state)?;
    }
    Ok((state, journal))
}

fn lock(folder: &Path) -> Result<File, StateError> {
    let path = folder.join(LOCK);
    let file = appending(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::Locked(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(StateError::Io { what: "lock", path, source }),
    }
}

fn load(folder: &Path, settings: &SandboxSettings) -> Result<(u64, AccountState), StateError> {
    let path = folder.join(SNAPSHOT);
    let text = match read_up_to(&path, MOST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && has_journal(folder) => {
            let problem = "it is gone, and a journal of its account is left";
            return Err(StateError::Format { path, problem: problem.to_owned() });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let state = AccountState::new(settings.clone());
            BEGINNING.iter().try_for_each(|change| change.make(folder, &state))?;
            return Ok((1, state));
        }
        Err(source) => return Err(StateError::Io { what: "read", path, source }),
    };
    let bad = |problem: String| StateError::Format { path: path.clone(), problem };
    let head: Head = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    if head.format != FORMAT {
        return Err(bad(format!("its format is {}", head.format)));
    }
    let SnapshotIn { generation, mut state } = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    state.reindex();
    Ok((generation, state))
}

/// The folder is the user's choice and may hold files of theirs: a journal is what has a journal's name.
fn journals(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_journal_name)).map(|entry| entry.path())
}

fn is_journal_name(name: &str) -> bool {
    let number = name.strip_prefix("calls-").and_then(|rest| rest.strip_suffix(".jsonl"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Is there a journal, which never precedes the first snapshot?
fn has_journal(folder: &Path) -> bool {
    journals(folder).next().is_some()
}

/// Removes the journals of other snapshots, which a killed process left. One that cannot be removed does no harm.
fn sweep_journals(folder: &Path, generation: u64) {
    let own = journal_path(folder, generation);
    journals(folder).filter(|path| *path != own).for_each(|path| drop(fs::remove_file(path)));
}

/// Replays the journal; returns how many bytes of it are whole lines.
fn replay(path: &Path, state: &mut AccountState) -> Result<u64, StateError> {
    let text = match read_up_to(path, MOST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(StateError::Io { what: "read", path: path.to_owned(), source }),
    };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let bad = |line: usize, problem: String| StateError::Format {
        path: path.to_owned(),
        problem: format!("line {}: {problem}", line + 1),
    };
    for (number, line) in text[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        let entry: JournalEntry = serde_json::from_slice(line).map_err(|error| bad(number, error.to_string()))?;
        state.replay(entry).map_err(|error| bad(number, error.to_string()))?;
    }
    Ok(whole as u64)
}

impl Journal {
    pub(crate) fn append(&mut self, entry: &JournalEntry) -> Result<(), StateError> {
        let path = journal_path(&self.folder, self.generation);
        let mut line = serde_json::to_vec(entry).map_err(|error| io_error("write", &path)(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(io_error("write", &path))
    }

    /// Writes a snapshot and begins a new journal.
    pub(crate) fn compact(&mut self, state: &AccountState) -> Result<(), StateError> {
        let [journal, snapshot, sweep] = compaction(self.generation);
        journal.make(&self.folder, state)?;
        let generation = self.generation + 1;
        let file = appending(&journal_path(&self.folder, generation))?;
        snapshot.make(&self.folder, state)?;
        (self.generation, self.file) = (generation, file);
        sweep.make(&self.folder, state)
    }
}

/// A change of the folder. A process may be killed between any two; `open` reads what is left then.
#[derive(Debug, Clone, Copy)]
pub(super) enum FolderChange {
    /// An empty journal of this number.
    Journal(u64),
    /// A snapshot that names the journal of this number.
    Snapshot(u64),
    /// The journals of other numbers are removed.
    Sweep(u64),
}

/// The changes that make an account.
pub(super) const BEGINNING: [FolderChange; 2] = [FolderChange::Snapshot(1), FolderChange::Journal(1)];

/// The changes that make the next snapshot. The old journal is removed once no snapshot names it.
pub(super) fn compaction(generation: u64) -> [FolderChange; 3] {
    let next = generation + 1;
    [FolderChange::Journal(next), FolderChange::Snapshot(next), FolderChange::Sweep(next)]
}

impl FolderChange {
    pub(super) fn make(self, folder: &Path, state: &AccountState) -> Result<(), StateError> {
        match self {
            Self::Journal(generation) => {
                let path = journal_path(folder, generation);
                appending(&path)?.set_len(0).map_err(io_error("write", &path))
            }
            Self::Snapshot(generation) => write_snapshot(folder, generation, state),
            Self::Sweep(generation) => {
                sweep_journals(folder, generation);
                Ok(())
            }
        }
    }
}

fn write_snapshot(folder: &Path, generation: u64, state: &AccountState) -> Result<(), StateError> {
    let path = folder.join(SNAPSHOT);
    let snapshot = SnapshotOut { notice: NOTICE, format: FORMAT, generation, state };
    let text = serde_json::to_vec(&snapshot).map_err(|error| io_error("write", &path)(error.into()))?;
    replace(&path, &text, owner_only()).map_err(io_error("write", &path))
}

/// The account has the environment of containers in clear text, so only its owner may read it.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Opens a file to append to, which only its owner may read.
fn appending(path: &Path) -> Result<File, StateError> {
    // To open a pipe would wait for somebody who reads it.
    only_regular(path).map_err(io_error("open", path))?;
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.create(true).append(true).open(path).map_err(io_error("open", path))
}

fn journal_path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("calls-{generation}.jsonl"))
}

fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io { what, path, source }
}
