//! Manifests to rendered stacks: the part that every verb but a few begins with.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    args::Selection,
    host::Host,
    sources::{self, Named},
};
use crate::{
    catalog::Catalog,
    cloud::{StackRef, Target},
    diagnostic::{Code, Diagnostic, Diagnostics, SourceMap},
    files::{Disk, Files, LARGEST},
    manifest::{EnvironmentSet, Substitutions, substitute},
    plan,
    render::{StackSpec, Templates, render},
    resolve::{DesiredStack, Lock, Resolved, Scope, resolve},
};

/// The Region where nothing says one and nothing real happens.
const USUAL_REGION: &str = "us-east-1";

/// Everything that was read, resolved and rendered, and what was found wrong on the way.
pub(super) struct Loaded {
    pub(super) sources: SourceMap,
    pub(super) scopes: Vec<Scope>,
    /// Without its stacks, which were rendered.
    pub(super) resolved: Resolved,
    pub(super) specs: Vec<StackSpec>,
    pub(super) diagnostics: Diagnostics,
    /// Stacks of what was named.
    pub(super) chosen: BTreeSet<StackRef>,
    /// Environments whose own manifest was named.
    pub(super) whole: BTreeSet<String>,
    pub(super) skipped: usize,
    /// Sentences about the run itself, told once.
    pub(super) notes: Vec<String>,
    lock_files: Vec<LockFile>,
}

/// Where the lock of a scope is kept, and what stood there.
struct LockFile {
    path: PathBuf,
    committed: Lock,
    overlay: Lock,
    /// Another Region than the environment's own was asked for: what is chosen for it is not kept.
    visiting: bool,
}

impl LockFile {
    fn before(&self, wants: &Wants) -> Lock {
        if wants.lock_overlay.is_some() { self.overlay.clone() } else { self.committed.clone() }
    }
}

/// How a verb wants it loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct Wants {
    /// The Region of the caller's AWS profile.
    pub(super) profile_region: Option<String>,
    /// Refuse to go on without a Region that somebody said.
    pub(super) region_needed: bool,
    /// The accounts behind the credentials, where they are known.
    pub(super) accounts: BTreeMap<Target, String>,
    /// Where locks of an imagined account are kept: laid over those beside the environments.
    pub(super) lock_overlay: Option<PathBuf>,
    /// Choose again what is pinned for this manifest; for all where it is empty.
    pub(super) upgrade: Option<String>,
    /// Missing choices are no errors here.
    pub(super) unlocked: bool,
}

/// Reads, resolves and renders.
pub(super) fn load(host: &mut Host, selection: &Selection, wants: &Wants) -> Result<Loaded> {
    let files = Disk { from: host.folder.clone() };
    let choice = selection.environment.clone().or_else(|| host.variable("HUBFORM_ENVIRONMENT").map(str::to_owned));
    let paths = selection.all_paths();
    if paths.iter().any(|path| path == Path::new("-")) {
        keep_input(host)?;
    }
    let read = sources::read(&files, &mut host.input, &paths, choice.as_deref())?;
    if paths.iter().any(|path| path == Path::new("-")) {
        host.input = Box::new(std::io::Cursor::new(host.kept_input.clone().unwrap_or_default()));
    }
    let mut notes = Vec::new();
    let mut diagnostics = read.diagnostics;
    let (mut scopes, mut lock_files) = (Vec::new(), Vec::new());
    for set in read.sets {
        let (target, target_name) = target(host, selection, wants, &set, &mut notes)?;
        let path = lock_file(host, selection, &set);
        let committed = read_lock(&files, &path, &mut diagnostics);
        let overlay = wants.lock_overlay.as_ref().map_or_else(Lock::default, |folder| {
            read_lock(&files, &overlay_file(folder, &set.environment.name), &mut diagnostics)
        });
        let mut lock = committed.clone().overlaid(overlay.clone());
        if let Some(name) = &wants.upgrade {
            lock.forget(Some(name.as_str()).filter(|name| !name.is_empty()));
        }
        let own = set.environment.targets().into_iter().next().and_then(|target| target.region);
        let visiting = own.is_some_and(|own| own != target.region);
        let account = target.account.clone().or_else(|| wants.accounts.get(&target).cloned());
        let locked = !wants.unlocked && locked(host, selection, &set);
        scopes.push(Scope { set, target, target_name, account, lock, locked });
        lock_files.push(LockFile { path, committed, overlay, visiting });
    }
    let own;
    let catalog = match host.tables.is_empty() {
        true => Catalog::embedded(),
        false => {
            own = Catalog::with_tables(host.tables.clone())?;
            &own
        }
    };
    let (mut resolved, found) = resolve(&scopes, catalog);
    diagnostics.extend(found);
    diagnostics.extend(wants.upgrade.as_deref().and_then(|name| upgrades_nothing(name, &resolved)));
    let whole = whole(&scopes, &read.named);
    let chosen = chosen(&whole, &resolved, &read.named, &read.sources);
    let stacks = std::mem::take(&mut resolved.stacks);
    let (specs, found) = render_all(host, selection, &files, &scopes, stacks, &read.sources)?;
    diagnostics.extend(found);
    let diagnostics = diagnostics.sorted();
    let (sources, skipped) = (read.sources, read.skipped);
    Ok(Loaded { sources, scopes, resolved, specs, diagnostics, chosen, whole, skipped, notes, lock_files })
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

fn target(
    host: &Host,
    selection: &Selection,
    wants: &Wants,
    set: &EnvironmentSet,
    notes: &mut Vec<String>,
) -> Result<(Target, String)> {
    let written = set.environment.targets().into_iter().next().unwrap_or_default();
    let said = selection
        .region
        .clone()
        .or_else(|| host.variable("HUBFORM_REGION").map(str::to_owned))
        .or_else(|| written.region.clone())
        .or_else(|| host.variable("AWS_REGION").map(str::to_owned))
        .or_else(|| host.variable("AWS_DEFAULT_REGION").map(str::to_owned))
        .or_else(|| wants.profile_region.clone());
    let region = match said {
        Some(region) => region,
        None if wants.region_needed => anyhow::bail!(super::Refusal::no_region(&set.environment.name)),
        None => {
            let note = format!("no Region is said anywhere; this takes {USUAL_REGION}");
            if !notes.contains(&note) {
                notes.push(note);
            }
            USUAL_REGION.to_owned()
        }
    };
    let name = written.name().to_owned();
    let substitutions = Substitutions {
        account: written.account.as_deref(),
        region: &region,
        target: &name,
        environment: &set.environment.name,
    };
    let assume_role = written.assume_role.as_ref().map(|arn| substitute(arn, &substitutions));
    Ok((Target { account: written.account.clone(), region: region.clone(), assume_role }, name.clone()))
}

fn lock_file(host: &Host, selection: &Selection, set: &EnvironmentSet) -> PathBuf {
    let said = selection.lock.clone().or_else(|| host.variable("HUBFORM_LOCK").map(PathBuf::from));
    said.unwrap_or_else(|| set.environment.folder.join("hubform.lock"))
}

fn locked(host: &Host, selection: &Selection, set: &EnvironmentSet) -> bool {
    let said = host.variable("HUBFORM_LOCKED").map(|value| value != "0" && value != "false");
    selection.locked || said.unwrap_or_else(|| host.variable("CI").is_some() || set.environment.protect)
}

fn read_lock(files: &dyn Files, path: &Path, diagnostics: &mut Diagnostics) -> Lock {
    let bytes = match files.read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Lock::default(),
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", path.display());
            let help = "make it readable, or restore it from git; it is not replaced while it cannot be read";
            diagnostics.push(Diagnostic::new(Code::LockUnreadable, message).help(help));
            return Lock::default();
        }
    };
    Lock::parse(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|error| {
        let message = format!("cannot use `{}`: {error}", path.display());
        diagnostics.push(Diagnostic::new(Code::LockUnreadable, message));
        Lock::default()
    })
}

fn overlay_file(folder: &Path, environment: &str) -> PathBuf {
    folder.join(format!("{environment}.hubform.lock"))
}

fn render_all(
    host: &Host,
    selection: &Selection,
    files: &dyn Files,
    scopes: &[Scope],
    mut stacks: Vec<DesiredStack>,
    sources: &SourceMap,
) -> Result<(Vec<StackSpec>, Diagnostics)> {
    let said = selection.templates.clone().or_else(|| host.variable("HUBFORM_TEMPLATES").map(PathBuf::from));
    let mut by_folder: BTreeMap<Option<PathBuf>, BTreeSet<&str>> = BTreeMap::new();
    for scope in scopes {
        let environment = &scope.set.environment;
        let own = environment.spec.templates.as_ref().map(|path| environment.folder.join(path));
        by_folder.entry(said.clone().or(own)).or_default().insert(&environment.name);
    }
    let (mut specs, mut diagnostics) = (Vec::new(), Diagnostics::new());
    for (folder, environments) in by_folder {
        let own;
        let templates = match &folder {
            None => Templates::embedded(),
            Some(folder) => {
                own = Templates::with(&read_templates(files, folder)?)
                    .with_context(|| format!("cannot use the templates in `{}`", folder.display()))?;
                &own
            }
        };
        let theirs = stacks.extract_if(.., |stack| environments.contains(stack.environment.as_str()));
        let (rendered, found) = render(theirs.collect(), templates, sources);
        specs.extend(rendered);
        diagnostics.extend(found);
    }
    Ok((specs, diagnostics))
}

fn read_templates(files: &dyn Files, folder: &Path) -> Result<BTreeMap<String, String>> {
    let failed = || format!("cannot read the templates in `{}`", folder.display());
    let mut found = BTreeMap::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in files.list(&folder).with_context(failed)? {
            let (path, name) = (folder.join(&entry.name), format!("{prefix}{}", entry.name.display()));
            if entry.folder {
                folders.push((path, format!("{name}/")));
            } else if name.ends_with(".tera") {
                let text = String::from_utf8(files.read(&path).with_context(failed)?);
                found.insert(name, text.with_context(|| format!("`{}` is not UTF-8", path.display()))?);
            }
        }
    }
    Ok(found)
}

/// A finding where nothing that hubform chooses for has the name.
fn upgrades_nothing(name: &str, resolved: &Resolved) -> Option<Diagnostic> {
    let known: Vec<String> = resolved.stacks.iter().map(|stack| format!("{}/{}", stack.kind, stack.name)).collect();
    let manifest = name.split('@').next().unwrap_or(name);
    let named = |known: &String| known == manifest || known.split_once('/').is_some_and(|(_, own)| own == manifest);
    (!name.is_empty() && !known.iter().any(named)).then(|| plan::no_such_manifest("--upgrade", name, &known))
}

/// The environments whose own manifest was named.
fn whole(scopes: &[Scope], named: &Named) -> BTreeSet<String> {
    scopes
        .iter()
        .map(|scope| &scope.set.environment)
        .filter(|environment| environment.origin.as_ref().is_some_and(|origin| named.covers(&origin.path)))
        .map(|environment| environment.name.clone())
        .collect()
}

/// The stacks of manifests that were named, and all of whole environments.
fn chosen(whole: &BTreeSet<String>, resolved: &Resolved, named: &Named, sources: &SourceMap) -> BTreeSet<StackRef> {
    let is_chosen = |stack: &&crate::resolve::DesiredStack| {
        whole.contains(&stack.environment) || named.covers(Path::new(sources.name(stack.span.file)))
    };
    resolved.stacks.iter().filter(is_chosen).map(|stack| stack.stack.clone()).collect()
}

impl Loaded {
    /// Writes what was chosen anew; answers the files that changed.
    pub(super) fn write_locks(&self, host: &Host, wants: &Wants) -> Result<Vec<PathBuf>> {
        let files = Disk { from: host.folder.clone() };
        let mut wanted: BTreeMap<PathBuf, (Lock, bool)> = BTreeMap::new();
        for ((scope, lock), file) in self.scopes.iter().zip(&self.resolved.locks).zip(&self.lock_files) {
            let (path, lock) = match &wants.lock_overlay {
                Some(folder) => (overlay_file(folder, &scope.set.environment.name), lock.beyond(&file.committed)),
                None => (file.path.clone(), lock.clone()),
            };
            let (whole, changed) = wanted.entry(path).or_default();
            *changed |= !file.visiting && lock != file.before(wants);
            *whole = std::mem::take(whole).united(lock);
        }
        let mut written = Vec::new();
        for (path, (lock, changed)) in wanted {
            if changed {
                let failed = || format!("cannot write `{}`", path.display());
                files.write(&path, lock.text().as_bytes()).with_context(failed)?;
                written.push(path);
            }
        }
        Ok(written)
    }

    /// Every target in scope.
    pub(super) fn targets(&self) -> BTreeSet<Target> {
        self.scopes.iter().map(|scope| scope.target.clone()).collect()
    }
}
