//! The lock files of a run: what stood in them, and what is written back.
//!
//! Between the reading and the writing another run may have written. So what stands there by then is read again, with
//! nobody else in the file, and only what this run changed is changed. Where both changed the same, nothing is written;
//! where another run changed something else of these environments, or made their owner first, this one begins again upon
//! that.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};

use super::{
    args::Selection,
    host::Host,
    load::{Loaded, load_with},
    read::LoadOptions,
};
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, SourceMap, Span},
    files::{Disk, Files},
    render::body_digest,
    resolve::{Clash, LOCK_FORMAT, Lock, OwnerPolicy},
};

/// Where the lock of a scope is kept, and what stood there.
#[derive(Debug, Clone)]
pub(super) struct LockFile {
    /// Beside the environment, or where `--lock` says.
    pub(super) path: PathBuf,
    /// Where it is written: there, or in the folder of an imagined account.
    pub(super) kept: PathBuf,
    pub(super) committed: Arc<Lock>,
    pub(super) overlay: Arc<Lock>,
    /// Another Region than the environment's own was asked for: what is chosen for it is not kept.
    pub(super) visiting: bool,
    pub(super) claims: Arc<Claim>,
}

/// Whose the choices of a lock of format 1 are.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// The environments of the folders that share the lock.
    pub(super) names: BTreeSet<String>,
    /// Others may read it too, because `--lock` says where it is: for them the choices stay unclaimed.
    pub(super) and_others: bool,
}

impl Claim {
    fn settle(&self, mut lock: Lock) -> Lock {
        lock.claim(&self.names);
        if !self.and_others {
            lock.unclaimed.clear();
        }
        lock
    }
}

impl LockFile {
    pub(super) fn before(&self, options: &LoadOptions) -> &Lock {
        if options.lock_overlay.is_some() { &self.overlay } else { &self.committed }
    }
}

/// Reads a lock file; where it cannot be used that is a finding.
pub(super) fn read(
    files: &dyn Files,
    path: &Path,
    claims: &Claim,
    sources: &mut SourceMap,
    findings: &mut Diagnostics,
) -> Lock {
    let read = match files.read(path) {
        Ok(bytes) => parse(path, &bytes, sources),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Lock::default()),
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            let help = "make it readable, or restore it from git; it is not written until then";
            Err(Diagnostics::from_iter([Diagnostic::new(Code::LockUnreadable, message).help(help)]))
        }
    };
    claims.settle(read.unwrap_or_else(|found| {
        findings.extend(found);
        Lock::default()
    }))
}

/// The lock that these bytes are.
pub(super) fn parse(path: &Path, bytes: &[u8], sources: &mut SourceMap) -> Result<Lock, Diagnostics> {
    let text = String::from_utf8_lossy(bytes);
    let file = sources.add(path.display().to_string(), text.as_ref());
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to() as u32;
        let finding = Diagnostic::new(Code::LockUnreadable, "this lock is not UTF-8 from here on");
        return Err(Diagnostics::from_iter([finding.at(Span { file, start: at, end: at })]));
    }
    Lock::parse(file, &text)
}

/// Where an imagined account keeps what belongs to a lock file: by that file's path, seen from the account's folder,
/// so that two folders that share the account are two owners, and one that is moved with it stays the same.
pub(super) fn overlay_file(files: &dyn Files, folder: &Path, lock: &Path) -> PathBuf {
    let (from, to) = (real(files, folder), real(files, lock));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| std::path::Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(common)).collect();
    let of = to.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    folder.join("locks").join(format!("{of}-{}.lock", &body_digest(&way.to_string_lossy())[..8]))
}

/// What a path leads to, also where its end is not there yet.
fn real(files: &dyn Files, path: &Path) -> PathBuf {
    let mut there = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let mut missing = PathBuf::new();
    while !files.exists(there) {
        let Some(name) = there.file_name() else { break };
        missing = Path::new(name).join(missing);
        there = there.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    }
    let real = files.real(there);
    if missing.as_os_str().is_empty() { real } else { real.join(missing) }
}

/// Takes over what a lock says of one environment; of a visit to another Region the owner alone.
fn adopt(whole: &mut Lock, lock: &Lock, environment: &str, visiting: bool) {
    let Some(own) = lock.environment(environment) else { return };
    if visiting {
        if let Some(owner) = &own.owner {
            whole.set_owner(environment, owner.clone());
        }
        return;
    }
    whole.environments.insert(environment.to_owned(), own.clone());
    whole.models.extend(lock.models.clone());
}

/// What became of a file that was to be changed.
enum Ended {
    Written,
    AsItWas,
    /// Written, with what another run changed of these environments meanwhile.
    Joined,
    /// It cannot be used any more, or was changed otherwise.
    Refused(Diagnostics),
    /// Another run said otherwise already, as the owner of a new environment: what it says holds.
    Owned,
}

/// Of an owner that both runs made, the first one's holds.
fn clashed(path: &Path, clashes: &[Clash], made: bool) -> Ended {
    let found = clashes.iter().filter(|clash| !made || !clash.is_new_owner()).map(|clash| {
        let message = format!("another run changed `{}` meanwhile: {clash}", path.display());
        Diagnostic::new(Code::LockRace, message).help("nothing was written; run it again")
    });
    let found: Diagnostics = found.collect();
    if found.is_empty() { Ended::Owned } else { Ended::Refused(found) }
}

impl Loaded {
    /// Writes what was chosen anew, and owners; answers the files that changed, and what stood in the way.
    pub(super) fn keep_locks(
        &mut self,
        host: &mut Host,
        selection: &Selection,
        options: &LoadOptions,
    ) -> Result<(Vec<PathBuf>, Diagnostics)> {
        let files = Disk { from: host.folder.clone() };
        let (mut written, mut findings) = (Vec::new(), Diagnostics::new());
        loop {
            let mut again = false;
            for (path, lock) in self.changed_locks(options) {
                match self.keep(&files, &path, &lock, options)? {
                    Ended::Written => written.push(path),
                    Ended::Joined => {
                        written.push(path);
                        again = true;
                    }
                    Ended::AsItWas => {}
                    Ended::Refused(found) => findings.extend(found),
                    Ended::Owned => again = true,
                }
            }
            if !again || !findings.is_empty() {
                return Ok((written, findings));
            }
            let facts = std::mem::take(&mut self.facts).closed();
            *self = load_with(host, selection, options, facts)?;
            if self.diagnostics.has_errors() {
                return Ok((written, std::mem::take(&mut self.diagnostics)));
            }
        }
    }

    /// The locks as this run would have them, where it changes something.
    fn changed_locks(&self, options: &LoadOptions) -> Vec<(PathBuf, Lock)> {
        let mut changed: BTreeMap<&Path, Lock> = BTreeMap::new();
        for (scope, file) in self.read.scopes.iter().zip(&self.read.lock_files) {
            let (environment, lock) = (&scope.set.environment.name, &self.resolved.locks[&scope.set.environment.name]);
            // What is kept for an imagined account is nobody's to commit.
            if scope.locked.is_some() && options.lock_overlay.is_none() {
                continue;
            }
            let whole = changed.entry(&file.kept).or_insert_with(|| self.kept_before(file, options));
            let lock = if options.lock_overlay.is_some() { lock.beyond(&file.committed) } else { lock.clone() };
            adopt(whole, &lock, environment, file.visiting);
        }
        let changed = changed.into_iter().filter(|(path, lock)| self.lock_file(path).before(options) != lock);
        changed.map(|(path, lock)| (path.to_path_buf(), lock)).collect()
    }

    fn lock_file(&self, kept: &Path) -> &LockFile {
        self.read.lock_files.iter().find(|file| file.kept == kept).expect("only locks that were read are written")
    }

    /// What stays of a file: everything, but facts of models where all of it is chosen again.
    fn kept_before(&self, file: &LockFile, options: &LoadOptions) -> Lock {
        let mut before = Lock { format: LOCK_FORMAT, ..file.before(options).clone() };
        let is_here = |name: &String| {
            let mut here =
                self.read.scopes.iter().zip(&self.read.lock_files).filter(|(_, other)| other.kept == file.kept);
            here.any(|(scope, _)| scope.set.environment.name == *name)
        };
        if options.upgrade.as_deref() == Some("") && before.environments.keys().all(is_here) {
            before.models.clear();
        }
        before
    }

    /// Writes one lock upon what stands in its file by now.
    fn keep(&mut self, files: &dyn Files, path: &Path, lock: &Lock, options: &LoadOptions) -> Result<Ended> {
        let file = self.lock_file(path);
        let (base, claims, made) =
            (file.before(options).clone(), file.claims.clone(), options.owner == OwnerPolicy::Made);
        let here = self.read.scopes.iter().zip(&self.read.lock_files).filter(|(_, other)| other.kept == *path);
        let own: Vec<String> = here.map(|(scope, _)| scope.set.environment.name.clone()).collect();
        let mut ended = Ended::AsItWas;
        let written = files.change(path, &mut |bytes| {
            let there = match bytes.is_empty() {
                true => Ok(base.clone()),
                false => parse(path, bytes, &mut self.read.sources).map(|there| claims.settle(there)),
            };
            let (result, text) = match there.map(|there| lock.merged(&base, &there)) {
                Ok(Ok(merged)) => {
                    let same = own.iter().all(|name| merged.environment(name) == lock.environment(name));
                    let text = merged.text().into_bytes();
                    match (same, text == bytes) {
                        (true, true) => (Ended::AsItWas, None),
                        (true, false) => (Ended::Written, Some(text)),
                        (false, true) => (Ended::Owned, None),
                        (false, false) => (Ended::Joined, Some(text)),
                    }
                }
                Ok(Err(clashes)) => (clashed(path, &clashes, made), None),
                Err(unreadable) => (Ended::Refused(unreadable), None),
            };
            ended = result;
            text
        });
        written.with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(ended)
    }

    /// Owners by lock file and environment.
    pub(super) fn owners(&self) -> BTreeMap<(PathBuf, String), String> {
        let owners = self.read.scopes.iter().zip(&self.read.lock_files).filter_map(|(scope, file)| {
            let name = &scope.set.environment.name;
            Some(((file.kept.clone(), name.clone()), scope.lock.owner(name)?.to_owned()))
        });
        owners.collect()
    }

    /// The owner that stood in the lock beside the environment before this run.
    pub(super) fn owner_before(&self, environment: &str) -> Option<&str> {
        let files = self.read.scopes.iter().zip(&self.read.lock_files);
        let mut own = files.filter(|(scope, _)| scope.set.environment.name == environment);
        own.find_map(|(_, file)| file.committed.owner(environment))
    }

    /// Is there a lock that cannot be read?
    pub(super) fn lock_is_lost(&self) -> bool {
        self.diagnostics.iter().any(|found| matches!(found.code, Code::LockUnreadable | Code::LockConflict))
    }
}
