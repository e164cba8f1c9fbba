//! Manifests to rendered stacks: the part that every verb but a few begins with.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    Refusal,
    args::Selection,
    host::Host,
    locks::{self, Heirs, LockFile},
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
    resolve::{DesiredStack, LOCK_FORMAT, Lock, Locked, Resolved, Scope, resolve},
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
    pub(super) lock_files: Vec<LockFile>,
    /// Tables of this run's own, in place of the embedded ones.
    tables: Option<Catalog>,
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
    let mut sources = read.sources;
    let heirs = heirs(host, selection, &read.sets, &read.written);
    let mut known: BTreeMap<PathBuf, Lock> = BTreeMap::new();
    for set in read.sets {
        let (target, target_name) = target(host, selection, wants, &set, &mut notes)?;
        let path = lock_file(host, selection, &set);
        let heirs = heirs.get(&path).cloned().unwrap_or_default();
        let mut lock_at = |path: &Path| {
            let read = || locks::read(&files, path, &heirs, &mut sources, &mut diagnostics);
            known.entry(path.to_path_buf()).or_insert_with(read).clone()
        };
        let committed = lock_at(&path);
        let kept = wants.lock_overlay.as_ref().map_or(path.clone(), |folder| overlay_file(&files, folder, &path));
        let overlay = if wants.lock_overlay.is_some() { lock_at(&kept) } else { Lock::default() };
        let mut lock = committed.clone().overlaid(overlay.clone());
        lock.format = LOCK_FORMAT;
        if let Some(name) = wants.upgrade.as_deref() {
            lock.forget(&set.environment.name, Some(name).filter(|name| !name.is_empty()));
            // Facts of models are shared by all environments of a file.
            if name.is_empty() && lock.environments.keys().all(|known| heirs.names.contains(known)) {
                lock.models.clear();
            }
        }
        let own = set.environment.targets().into_iter().next().and_then(|target| target.region);
        let visiting = own.is_some_and(|own| own != target.region);
        let account = target.account.clone().or_else(|| wants.accounts.get(&target).cloned());
        let locked = if wants.unlocked { None } else { locked(host, selection, &set) };
        let file = LockFile { path, kept, committed, overlay, visiting, heirs };
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
    let chosen = chosen(&whole, &resolved, &read.named, &sources);
    let stacks = std::mem::take(&mut resolved.stacks);
    let (specs, found) = render_all(host, selection, &files, &scopes, stacks, &sources)?;
    diagnostics = with_bodies(diagnostics, found);
    let diagnostics = diagnostics.sorted();
    let skipped = read.skipped;
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

/// For each lock file, the environments of the folders that share it.
fn heirs(
    host: &Host,
    selection: &Selection,
    sets: &[EnvironmentSet],
    written: &[(PathBuf, String)],
) -> BTreeMap<PathBuf, Heirs> {
    let mut heirs: BTreeMap<PathBuf, Heirs> = BTreeMap::new();
    for set in sets {
        let (path, environment) = (lock_file(host, selection, set), &set.environment);
        let folder = path.parent().unwrap_or(Path::new(""));
        let others = written.iter().filter(|(own, _)| *own == environment.folder || own == folder);
        let names: Vec<_> = others.map(|(_, name)| name.clone()).chain([environment.name.clone()]).collect();
        let and_others = path != environment.folder.join("hubform.lock");
        let known = heirs.entry(path).or_default();
        known.names.extend(names);
        known.and_others |= and_others;
    }
    heirs
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
    let lock = locks::parse(&path, &files.read(&path).ok()?, &mut SourceMap::default()).ok()?;
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
        let theirs = stacks.extract_if(.., |stack| environments.contains(stack.identity.environment.as_str()));
        let (rendered, found) = render(theirs.collect(), templates, sources);
        specs.extend(rendered);
        diagnostics.extend(found);
    }
    Ok((specs, diagnostics))
}

/// Files and folders that a folder of templates may hold.
const MOST_BESIDE: usize = 10_000;

fn read_templates(files: &dyn Files, folder: &Path) -> Result<BTreeMap<String, String>> {
    let failed = || format!("cannot read the templates in `{}`", folder.display());
    let mut found = BTreeMap::new();
    let (mut folders, mut looked) = (vec![(folder.to_path_buf(), String::new())], 0);
    while let Some((folder, prefix)) = folders.pop() {
        for entry in files.list(&folder).with_context(failed)? {
            looked += 1;
            if looked > MOST_BESIDE {
                let message = format!("more than {MOST_BESIDE} files and folders are in it");
                anyhow::bail!(Refusal::new(failed(), format!("{message}; name the folder of the templates alone")));
            }
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
    let known: Vec<String> = resolved.stacks.iter().map(|stack| stack.identity.manifest()).collect();
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
        whole.contains(&stack.identity.environment) || named.covers(Path::new(sources.name(stack.span.file)))
    };
    resolved.stacks.iter().filter(is_chosen).map(|stack| stack.identity.stack.clone()).collect()
}

impl Loaded {
    /// What everything was resolved with, and is planned with.
    pub(super) fn catalog(&self) -> &Catalog {
        self.tables.as_ref().unwrap_or_else(|| Catalog::embedded())
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
        let mut loaded = load(&mut host, &plan.planning.selection, &wants)?;
        loaded.keep_locks(&mut host, &plan.planning.selection, &wants)?;
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
    fn two_runs_at_once_keep_both_choices_and_refuse_to_choose_between_two() {
        let other = ENDPOINT.replace("{name: e}", "{name: f}");
        let there = repository(&[
            ("one/environment.yaml", ENVIRONMENT),
            ("one/e.yaml", ENDPOINT),
            ("two/environment.yaml", ENVIRONMENT),
            ("two/e.yaml", &other),
            ("three/environment.yaml", ENVIRONMENT),
            ("three/e.yaml", &ENDPOINT.replace("BAAI/bge-small-en-v1.5", "Qwen/Qwen3-0.6B")),
        ]);
        let path = there.path().join("shared.lock");
        let run = |folder: &str| {
            let words = ["hubform", "plan", folder, "--region", "us-east-1", "--lock", "shared.lock"];
            let Verb::Plan(plan) = Cli::try_parse_from(words).expect("it is a command").verb else { unreachable!() };
            let mut host = Host { folder: there.path().into(), variables: BTreeMap::new(), ..Host::of_process() };
            let wants = Wants { owner: Owner::Made, ..Wants::default() };
            let loaded = load(&mut host, &plan.planning.selection, &wants).expect("it can be loaded");
            (loaded, host, plan.planning.selection, wants)
        };
        let [one, two, three] = ["one", "two", "three"].map(run);
        let ends = [one, two, three].map(|(mut loaded, mut host, selection, wants)| {
            let (_, found) = loaded.keep_locks(&mut host, &selection, &wants).expect("it can be written");
            (loaded.owners().into_values().next(), found, std::fs::read(&path).expect("it was written"))
        });
        let [(first, clean, _), (second, kept, before), (_, refused, after)] = ends;
        assert!(clean.is_empty() && kept.is_empty() && first == second, "the first owner holds");
        assert_eq!(before, after, "nothing is overwritten");
        let lock = locks::parse(&path, &after, &mut SourceMap::default()).expect("hubform wrote it");
        let choices = &lock.environments["dev"].choices;
        assert_eq!(choices.keys().collect::<Vec<_>>(), ["Endpoint/e@default", "Endpoint/f@default"]);
        let said: Vec<_> = refused.iter().map(|found| (found.code, found.message.as_str())).collect();
        let (code, message) = *said.first().expect("e has two models");
        expect_test::expect!["another run changed `shared.lock` meanwhile: the engine of Endpoint/e@default in `dev`, tei (from model BAAI/bge-small-en-v1.5, task feature-extraction) there and vllm (from model Qwen/Qwen3-0.6B, task text-generation) here"].assert_eq(message);
        assert!(said.iter().all(|(each, _)| *each == code) && code == Code::LockRace);
    }

    #[test]
    fn another_region_keeps_the_owner_and_no_choice() {
        let text = ENVIRONMENT.replace("spec: {}", "spec: {targets: [{region: eu-west-1}]}");
        let there = repository(&[("e.yaml", ENDPOINT), ("environment.yaml", &text)]);
        let made = owner(there.path(), None);
        let text = std::fs::read(there.path().join("hubform.lock")).expect("it was written");
        let lock = locks::parse(Path::new("hubform.lock"), &text, &mut SourceMap::default()).expect("hubform wrote it");
        assert!(lock.owner("dev") == Some(&made) && lock.environments["dev"].choices.is_empty());
    }
}
