//! Manifests to rendered stacks: the part that every verb but a few begins with.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    Refusal,
    args::Selection,
    host::Host,
    session,
    sources::{self, Named},
};
use crate::{
    catalog::Catalog,
    cloud::{StackRef, Target},
    diagnostic::{Code, Diagnostic, Diagnostics, SourceMap},
    files::{Disk, Files, LARGEST},
    manifest::{EnvironmentSet, ResolvedEnvironment, Substitutions, protecting, substitute},
    plan,
    render::{StackSpec, Templates, body_digest, render},
    resolve::{DesiredStack, LOCK_FORMAT, Lock, LockError, Locked, Resolved, Scope, resolve},
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
    /// Tables of this run's own, in place of the embedded ones.
    tables: Option<Catalog>,
}

/// Where the lock of a scope is kept, and what stood there.
struct LockFile {
    /// Beside the environment, or where `--lock` says.
    path: PathBuf,
    /// Where it is written: there, or in the folder of an imagined account.
    kept: PathBuf,
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
    /// Say also what would be chosen today in place of what is pinned, unless nothing may be chosen.
    pub(super) today: bool,
    /// What becomes of owners.
    pub(super) owner: Owner,
    /// Owners that this run made already, by lock file and environment.
    pub(super) owners: BTreeMap<(PathBuf, String), String>,
}

/// What a verb does about owner ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Owner {
    /// Takes what the lock says.
    #[default]
    Known,
    /// Makes one where there is none.
    Made,
    /// Puts this one in.
    Said(String),
    /// Makes another.
    New,
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
        let names = sharing(&path, &set, &read.written);
        let committed = read_lock(&files, &path, &names, &mut diagnostics);
        let kept = wants.lock_overlay.as_ref().map_or(path.clone(), |folder| overlay_file(&files, folder, &path));
        let overlay = match wants.lock_overlay {
            Some(_) => read_lock(&files, &kept, &names, &mut diagnostics),
            None => Lock::default(),
        };
        let mut lock = committed.clone().overlaid(overlay.clone());
        lock.format = LOCK_FORMAT;
        if let Some(name) = wants.upgrade.as_deref() {
            lock.forget(&set.environment.name, Some(name).filter(|name| !name.is_empty()));
            // Facts of models are shared by all environments of a file.
            if name.is_empty() && lock.environments.keys().all(|known| names.contains(known)) {
                lock.models.clear();
            }
        }
        let own = set.environment.targets().into_iter().next().and_then(|target| target.region);
        let visiting = own.is_some_and(|own| own != target.region);
        let account = target.account.clone().or_else(|| wants.accounts.get(&target).cloned());
        let locked = if wants.unlocked { None } else { locked(host, selection, &set) };
        let file = LockFile { path, kept, committed, overlay, visiting };
        diagnostics.extend(settle_owner(host, &files, wants, &set, &file, locked, &mut lock)?);
        let today = wants.today && locked.is_none();
        let lock_file =
            if file.committed.environment(&set.environment.name).is_some() { &file.path } else { &file.kept };
        let lock_file = lock_file.clone();
        scopes.push(Scope { set, target, target_name, account, lock, lock_file, locked, today });
        lock_files.push(file);
    }
    let tables = (!host.tables.is_empty()).then(|| Catalog::with_tables(host.tables.clone())).transpose()?;
    let (mut resolved, found) = resolve(&scopes, tables.as_ref().unwrap_or_else(|| Catalog::embedded()));
    diagnostics.extend(found);
    diagnostics.extend(wants.upgrade.as_deref().and_then(|name| upgrades_nothing(name, &resolved)));
    let whole = whole(&scopes, &read.named);
    let chosen = chosen(&whole, &resolved, &read.named, &read.sources);
    let stacks = std::mem::take(&mut resolved.stacks);
    let (specs, found) = render_all(host, selection, &files, &scopes, stacks, &read.sources)?;
    diagnostics = with_bodies(diagnostics, found);
    let diagnostics = diagnostics.sorted();
    let (sources, skipped) = (read.sources, read.skipped);
    Ok(Loaded { sources, scopes, resolved, specs, diagnostics, chosen, whole, skipped, notes, lock_files, tables })
}

/// Findings with those about bodies, without what is the same: a dynamic reference that is told where it is written.
fn with_bodies(mut diagnostics: Diagnostics, bodies: Diagnostics) -> Diagnostics {
    let of =
        |found: &Diagnostic| found.labels.first().filter(|_| found.code == Code::DynamicReference).map(|l| l.span.file);
    let told: BTreeSet<_> = diagnostics.iter().filter_map(of).collect();
    diagnostics.extend(bodies.into_iter().filter(|found| of(found).is_none_or(|file| !told.contains(&file))));
    diagnostics
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
        None if wants.region_needed => anyhow::bail!(Refusal::no_region(&set.environment.name)),
        None => {
            let note = format!("no Region is set; using {USUAL_REGION}");
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

fn locked(host: &Host, selection: &Selection, set: &EnvironmentSet) -> Option<Locked> {
    let said = host.variable("HUBFORM_LOCKED").map(|value| value != "0" && value != "false");
    match said {
        _ if selection.locked => Some(Locked::Asked),
        Some(said) => said.then_some(Locked::Asked),
        None if host.variable("CI").is_some() => Some(Locked::Ci),
        None => set.environment.protect.then(|| Locked::Protected(protected_by(&set.environment))),
    }
}

/// What the name of a protected environment begins with, where no manifest protects it.
fn protected_by(environment: &ResolvedEnvironment) -> Option<&'static str> {
    let is_said = environment.origin.as_ref().is_some_and(|origin| origin.says("protect"));
    protecting(&environment.name).filter(|_| !is_said)
}

/// The environments whose choices a lock of format 1 may hold: this one and the others of its folder.
fn sharing(path: &Path, set: &EnvironmentSet, written: &[(PathBuf, String)]) -> BTreeSet<String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let others = written.iter().filter(|(own, _)| *own == set.environment.folder || own == folder);
    others.map(|(_, name)| name.clone()).chain([set.environment.name.clone()]).collect()
}

/// Sees to it that the environment has an owner, where the verb needs one.
fn settle_owner(
    host: &mut Host,
    files: &dyn Files,
    wants: &Wants,
    set: &EnvironmentSet,
    file: &LockFile,
    locked: Option<Locked>,
    lock: &mut Lock,
) -> Result<Option<Diagnostic>> {
    let environment = &set.environment;
    let key = (file.kept.clone(), environment.name.clone());
    let owner = match &wants.owner {
        Owner::Known => return Ok(None),
        Owner::Made if lock.owner(&environment.name).is_some() => return Ok(None),
        Owner::Said(owner) => owner.clone(),
        Owner::Made if locked.is_some() && wants.lock_overlay.is_none() => return Ok(Some(owner_missing(set, locked))),
        Owner::Made if wants.region_needed && environment.origin.is_none() && !files.exists(&file.path) => {
            anyhow::bail!(Refusal::nobodys());
        }
        Owner::Made | Owner::New => match wants.owners.get(&key) {
            Some(made) => made.clone(),
            None if wants.owner == Owner::Made => {
                imagined_owner(files, file, &environment.name).unwrap_or_else(|| host.new_id())
            }
            None => host.new_id(),
        },
    };
    lock.set_owner(&environment.name, owner);
    Ok(None)
}

/// The owner that the environment has in the usual imagined account: who played there before locks the same one.
fn imagined_owner(files: &dyn Files, file: &LockFile, environment: &str) -> Option<String> {
    let path = overlay_file(files, Path::new(session::USUAL_FOLDER), &file.path);
    let lock = Lock::parse(&String::from_utf8_lossy(&files.read(&path).ok()?), &BTreeSet::new()).ok()?;
    lock.owner(environment).map(str::to_owned)
}

fn owner_missing(set: &EnvironmentSet, locked: Option<Locked>) -> Diagnostic {
    let (name, why) = (&set.environment.name, locked.map(|why| format!(" {why}")).unwrap_or_default());
    let message = format!("the lock has no owner id for the environment `{name}`; nothing may be chosen{why}");
    let finding = Diagnostic::new(Code::LockMissing, message).help("`hubform lock` makes it; then commit hubform.lock");
    match &set.environment.origin {
        Some(origin) => finding.at(origin.span("/metadata/name")),
        None => finding,
    }
}

fn read_lock(files: &dyn Files, path: &Path, environments: &BTreeSet<String>, diagnostics: &mut Diagnostics) -> Lock {
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
    Lock::parse(&String::from_utf8_lossy(&bytes), environments).unwrap_or_else(|error| {
        let message = format!("cannot use `{}`: {error}", path.display());
        diagnostics.push(match error {
            LockError::Conflict { .. } => Diagnostic::new(Code::LockConflict, message)
                .help("keep the lines of both sides, of one choice the one that is deployed; then `hubform lock`"),
            _ => Diagnostic::new(Code::LockUnreadable, message),
        });
        Lock::default()
    })
}

/// Where an imagined account keeps what belongs to a lock file: by that file's path, seen from the account's folder,
/// so that two folders that share the account are two owners, and one that is moved with it stays the same.
fn overlay_file(files: &dyn Files, folder: &Path, lock: &Path) -> PathBuf {
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

impl Loaded {
    /// Writes what was chosen anew, and owners; answers the files that changed.
    pub(super) fn write_locks(&self, host: &Host, wants: &Wants) -> Result<Vec<PathBuf>> {
        let files = Disk { from: host.folder.clone() };
        let mut changed: BTreeMap<&Path, Lock> = BTreeMap::new();
        for (scope, (lock, file)) in self.scopes.iter().zip(self.resolved.locks.iter().zip(&self.lock_files)) {
            // What is kept for an imagined account is nobody's to commit.
            if scope.locked.is_some() && wants.lock_overlay.is_none() {
                continue;
            }
            let whole = changed.entry(&file.kept).or_insert_with(|| self.kept_before(file, wants));
            let lock = if wants.lock_overlay.is_some() { lock.beyond(&file.committed) } else { lock.clone() };
            adopt(whole, &lock, &scope.set.environment.name, file.visiting);
        }
        let before = |path: &Path| self.lock_files.iter().find(|file| file.kept == path).map(|file| file.before(wants));
        let mut written = Vec::new();
        for (path, lock) in changed {
            if before(path).as_ref() != Some(&lock) {
                let failed = || format!("cannot write `{}`", path.display());
                files.write(path, lock.text().as_bytes()).with_context(failed)?;
                written.push(path.to_path_buf());
            }
        }
        Ok(written)
    }

    /// What stays of a file: everything, but facts of models where all of it is chosen again.
    fn kept_before(&self, file: &LockFile, wants: &Wants) -> Lock {
        let mut before = Lock { format: LOCK_FORMAT, ..file.before(wants) };
        let is_here = |name: &String| {
            let mut here = self.scopes.iter().zip(&self.lock_files).filter(|(_, other)| other.kept == file.kept);
            here.any(|(scope, _)| scope.set.environment.name == *name)
        };
        if wants.upgrade.as_deref() == Some("") && before.environments.keys().all(is_here) {
            before.models.clear();
        }
        before
    }

    /// Owners by lock file and environment.
    pub(super) fn owners(&self) -> BTreeMap<(PathBuf, String), String> {
        let owners = self.scopes.iter().zip(&self.lock_files).filter_map(|(scope, file)| {
            let name = &scope.set.environment.name;
            Some(((file.kept.clone(), name.clone()), scope.lock.owner(name)?.to_owned()))
        });
        owners.collect()
    }

    /// The owner that stood in the lock beside the environment before this run.
    pub(super) fn owner_before(&self, environment: &str) -> Option<&str> {
        let files = self.scopes.iter().zip(&self.lock_files);
        let mut own = files.filter(|(scope, _)| scope.set.environment.name == environment);
        own.find_map(|(_, file)| file.committed.owner(environment))
    }

    /// What everything was resolved with, and is planned with.
    pub(super) fn catalog(&self) -> &Catalog {
        self.tables.as_ref().unwrap_or_else(|| Catalog::embedded())
    }

    /// Is there a lock that cannot be read?
    pub(super) fn lock_is_lost(&self) -> bool {
        self.diagnostics.iter().any(|found| matches!(found.code, Code::LockUnreadable | Code::LockConflict))
    }

    /// Every target in scope.
    pub(super) fn targets(&self) -> BTreeSet<Target> {
        self.scopes.iter().map(|scope| scope.target.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Verb};

    const ENDPOINT: &str =
        "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: e}\nspec: {model: BAAI/bge-small-en-v1.5}\n";
    const ENVIRONMENT: &str = "apiVersion: hubform.dev/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {}\n";

    fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let disk = Disk { from: folder.path().into() };
        for (name, text) in files {
            disk.write(Path::new(name), text.as_bytes()).expect("a file can be written");
        }
        folder
    }

    /// What `plan` loads, as on a real account or with the folder of an imagined one.
    fn loaded(folder: &Path, sandbox: Option<&Path>, arguments: &[&str]) -> Result<(Loaded, Wants)> {
        let words = ["hubform", "plan", "--region", "us-east-1"].iter().chain(arguments);
        let Verb::Plan(plan) = Cli::try_parse_from(words)?.verb else { unreachable!("it says plan") };
        let mut host = Host { folder: folder.into(), variables: BTreeMap::new(), ..Host::of_process() };
        let lock_overlay = sandbox.map(Path::to_path_buf);
        let wants = Wants { region_needed: sandbox.is_none(), lock_overlay, owner: Owner::Made, ..Wants::default() };
        let loaded = load(&mut host, &plan.planning.selection, &wants)?;
        loaded.write_locks(&host, &wants)?;
        Ok((loaded, wants))
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
    fn another_region_keeps_the_owner_and_no_choice() {
        let text = ENVIRONMENT.replace("spec: {}", "spec: {targets: [{region: eu-west-1}]}");
        let there = repository(&[("e.yaml", ENDPOINT), ("environment.yaml", &text)]);
        let made = owner(there.path(), None);
        let text = std::fs::read_to_string(there.path().join("hubform.lock")).expect("it was written");
        let lock = Lock::parse(&text, &BTreeSet::new()).expect("hubform wrote it");
        assert!(lock.owner("dev") == Some(&made) && lock.environments["dev"].choices.is_empty());
    }
}
