//! What a run goes by: manifests, where their stacks go, what was locked and whose it is. Nothing is decided yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};

use super::{
    Refusal,
    args::Selection,
    host::Host,
    locks::{self, Claim, LockFile, overlay_file},
    owners,
    sources::{self, NamedPaths, ReadManifests},
};
use crate::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::{Diagnostics, SourceMap},
    files::{Disk, LARGEST},
    manifest::{self, EnvironmentSet, Substitutions, substitute},
    resolve::{LOCK_FORMAT, Lock, Locked, OwnerPolicy, Scope},
};

/// The Region where nothing says one and nothing real happens.
const USUAL_REGION: &str = "us-east-1";

/// How a verb wants it loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadOptions {
    /// The Region of the caller's AWS profile.
    pub(super) profile_region: Option<String>,
    /// Refuse to go on without a Region that somebody said.
    pub(super) region_needed: bool,
    /// Where locks of an imagined account are kept: laid over those beside the environments.
    pub(super) lock_overlay: Option<PathBuf>,
    /// Choose again what is pinned for this manifest; for all where it is empty.
    pub(super) upgrade: Option<String>,
    /// Missing choices are no errors here.
    pub(super) unlocked: bool,
    /// Say also what would be chosen today in place of what is pinned, unless nothing may be chosen.
    pub(super) today: bool,
    /// What becomes of owners.
    pub(super) owner: OwnerPolicy,
}

/// What was read.
pub(super) struct ReadInputs {
    pub(super) sources: SourceMap,
    pub(super) scopes: Vec<Scope>,
    /// Of each scope.
    pub(super) lock_files: Vec<LockFile>,
    pub(super) diagnostics: Diagnostics,
    pub(super) named: NamedPaths,
    pub(super) skipped: usize,
    /// Sentences about the run itself, told once.
    pub(super) notes: Vec<String>,
    /// Tables of this run's own, in place of the embedded ones.
    tables: Option<Catalog>,
}

impl ReadInputs {
    /// What everything is resolved with, and planned with.
    pub(super) fn catalog(&self) -> &Catalog {
        self.tables.as_ref().unwrap_or_else(|| Catalog::embedded())
    }

    /// Every target in scope.
    pub(super) fn targets(&self) -> BTreeSet<Target> {
        self.scopes.iter().map(|scope| scope.target.clone()).collect()
    }
}

/// Reads everything that was named and what belongs to it.
pub(super) fn read(host: &mut Host, selection: &Selection, options: &LoadOptions) -> Result<ReadInputs> {
    let files = Disk { from: host.folder.clone() };
    let ReadManifests { sources, sets, diagnostics, skipped, named, written } = manifests(host, selection, &files)?;
    let claims = claims(host, selection, &sets, &written);
    let (scopes, lock_files, notes) = Default::default();
    let read = ReadInputs { sources, scopes, lock_files, diagnostics, named, skipped, notes, tables: None };
    let mut reader = ScopeReader { host, selection, options, files, claims, locks: BTreeMap::new(), read };
    for set in sets {
        reader.environment(Arc::new(set))?;
    }
    let ScopeReader { host, mut read, .. } = reader;
    read.tables = (!host.tables.is_empty()).then(|| Catalog::with_tables(host.tables.clone())).transpose()?;
    Ok(read)
}

fn manifests(host: &mut Host, selection: &Selection, files: &Disk) -> Result<ReadManifests> {
    let choice = selection.environment.clone().or_else(|| host.variable("HUBFORM_ENVIRONMENT").map(str::to_owned));
    let paths = selection.all_paths();
    let from_input = paths.iter().any(|path| path == Path::new("-"));
    if from_input {
        keep_input(host)?;
    }
    let reading = sources::read(files, &mut host.input, &paths, choice.as_deref())?;
    if from_input {
        host.input = Box::new(std::io::Cursor::new(host.kept_input.clone().unwrap_or_default()));
    }
    Ok(reading)
}

struct ScopeReader<'a> {
    host: &'a mut Host,
    selection: &'a Selection,
    options: &'a LoadOptions,
    files: Disk,
    claims: BTreeMap<PathBuf, Arc<Claim>>,
    /// Those that were read, by path.
    locks: BTreeMap<PathBuf, Arc<Lock>>,
    read: ReadInputs,
}

impl ScopeReader<'_> {
    /// A scope for each target of an environment; lock and owner are those of all its targets.
    fn environment(&mut self, set: Arc<EnvironmentSet>) -> Result<()> {
        let written = set.environment.targets();
        let targets = written.iter().map(|written| self.target(&set, written)).collect::<Result<Vec<_>>>()?;
        let file = self.lock_file(&set, is_visiting(&written, &targets));
        let mut lock = self.lock(&file, &set.environment.name);
        let locked = if self.options.unlocked { None } else { locked(self.host, self.selection, &set) };
        let settled = owners::settle(self.host, &self.files, self.options, &set, &file, locked, &mut lock)?;
        self.read.diagnostics.extend(settled);
        let today = self.options.today && locked.is_none();
        let is_committed = file.committed.environment(&set.environment.name).is_some();
        let lock_file = if is_committed { file.path.clone() } else { file.kept.clone() };
        for (index, target) in targets.into_iter().enumerate() {
            let (set, lock, lock_file) = (Arc::clone(&set), lock.clone(), lock_file.clone());
            self.read.scopes.push(Scope { set, index, target, lock, lock_file, locked, today });
            self.read.lock_files.push(file.clone());
        }
        Ok(())
    }

    fn target(&mut self, set: &EnvironmentSet, written: &manifest::Target) -> Result<Target> {
        let environment = &set.environment.name;
        let region = self.region(environment, written)?;
        let substitutions =
            Substitutions { account: written.account.as_deref(), region: &region, target: written.name(), environment };
        let assume_role = written.assume_role.as_ref().map(|arn| substitute(arn, &substitutions));
        Ok(Target { account: written.account.clone(), region, assume_role })
    }

    fn region(&mut self, environment: &str, written: &manifest::Target) -> Result<String> {
        let Self { host, selection, options, read, .. } = self;
        let variable = |name| host.variable(name).map(str::to_owned);
        let said = (selection.region.clone())
            .or_else(|| variable("HUBFORM_REGION"))
            .or_else(|| written.region.clone())
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| options.profile_region.clone());
        match said {
            Some(region) => Ok(region),
            None if options.region_needed => anyhow::bail!(Refusal::no_region(environment)),
            None => {
                let note = format!("no Region configured; using {USUAL_REGION}");
                if !read.notes.contains(&note) {
                    read.notes.push(note);
                }
                Ok(USUAL_REGION.to_owned())
            }
        }
    }

    fn lock_file(&mut self, set: &EnvironmentSet, visiting: bool) -> LockFile {
        let path = lock_path(self.host, self.selection, set);
        let claims = self.claims.get(&path).cloned().unwrap_or_default();
        let committed = self.lock_at(&path, &claims);
        let kept = self.options.lock_overlay.as_ref().map(|folder| overlay_file(&self.files, folder, &path));
        let overlay = kept.as_ref().map(|kept| self.lock_at(kept, &claims)).unwrap_or_default();
        LockFile { kept: kept.unwrap_or_else(|| path.clone()), path, committed, overlay, visiting, claims }
    }

    fn lock_at(&mut self, path: &Path, claims: &Claim) -> Arc<Lock> {
        let ReadInputs { sources, diagnostics, .. } = &mut self.read;
        let read = || Arc::new(locks::read(&self.files, path, claims, sources, diagnostics));
        self.locks.entry(path.to_path_buf()).or_insert_with(read).clone()
    }

    /// What is pinned for an environment, without what is to be chosen again.
    fn lock(&self, file: &LockFile, environment: &str) -> Lock {
        let mut lock = Lock::clone(&file.committed).overlaid(Lock::clone(&file.overlay));
        lock.format = LOCK_FORMAT;
        if let Some(name) = self.options.upgrade.as_deref() {
            lock.forget(environment, Some(name).filter(|name| !name.is_empty()));
            // Facts of models are shared by all environments of a file.
            if name.is_empty() && lock.environments.keys().all(|known| file.claims.names.contains(known)) {
                lock.models.clear();
            }
        }
        lock
    }
}

/// Is some target another Region than its own?
fn is_visiting(written: &[manifest::Target], targets: &[Target]) -> bool {
    let mut both = written.iter().zip(targets);
    both.any(|(written, target)| written.region.as_ref().is_some_and(|own| *own != target.region))
}

/// Standard input is read once, however often it is looked at.
fn keep_input(host: &mut Host) -> Result<()> {
    if host.kept_input.is_none() {
        let mut bytes = Vec::new();
        let limited = &mut host.input.as_mut().take(LARGEST + 1);
        limited.read_to_end(&mut bytes).context("cannot read standard input")?;
        host.kept_input = Some(bytes.clone());
        host.input = Box::new(std::io::Cursor::new(bytes));
    }
    Ok(())
}

fn lock_path(host: &Host, selection: &Selection, set: &EnvironmentSet) -> PathBuf {
    let said = selection.lock.clone().or_else(|| host.variable("HUBFORM_LOCK").map(PathBuf::from));
    said.unwrap_or_else(|| set.environment.folder.join("hubform.lock"))
}

fn locked(host: &Host, selection: &Selection, set: &EnvironmentSet) -> Option<Locked> {
    let said = host.variable("HUBFORM_LOCKED").map(|value| value != "0" && value != "false");
    Locked::of(selection.locked, said, host.variable("CI").is_some(), &set.environment)
}

/// For each lock file, the environments of the folders that share it.
fn claims(
    host: &Host,
    selection: &Selection,
    sets: &[EnvironmentSet],
    written: &[(PathBuf, String)],
) -> BTreeMap<PathBuf, Arc<Claim>> {
    let mut by_folder: BTreeMap<&Path, Vec<&String>> = BTreeMap::new();
    for (folder, name) in written {
        by_folder.entry(folder).or_default().push(name);
    }
    let (mut claims, mut seen): (BTreeMap<PathBuf, Claim>, BTreeSet<(PathBuf, PathBuf)>) = Default::default();
    for set in sets {
        let (path, environment) = (lock_path(host, selection, set), &set.environment);
        let known = claims.entry(path.clone()).or_default();
        known.names.insert(environment.name.clone());
        known.and_others |= path != environment.folder.join("hubform.lock");
        for folder in [environment.folder.clone(), path.parent().unwrap_or(Path::new("")).to_path_buf()] {
            let names = by_folder.get(folder.as_path()).filter(|_| seen.insert((path.clone(), folder.clone())));
            known.names.extend(names.into_iter().flatten().map(|name| (*name).clone()));
        }
    }
    claims.into_iter().map(|(path, claims)| (path, Arc::new(claims))).collect()
}
