//! Which environment each document belongs to, and what that makes of it.
//!
//! A document belongs to the nearest environment in its own folder or above. A folder that an environment
//! includes counts as that environment's own: documents in it belong to every environment that includes it, and
//! no longer to one further up. Including a folder that has an environment of its own takes over what that one
//! includes, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::document::{
    Document, DocumentOrigin, Draft, EnvironmentSet, Header, Manifests, ResolvedEnvironment, SpecState,
};
use super::folder::Folder;
use super::kind::{Environment, Kind, Spec};
use super::read::{patches, read};
use super::secret::shown;
use super::tree::{MapEntry, YamlNode};
use super::wording::ticked;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean, first_of};

/// The name and prefix of what has no environment.
const DEFAULT: &str = "default";
/// Environments that one message names.
const MOST_SHOWN: usize = 10;
/// Characters that the prefix of stacks may have.
pub const LONGEST_PREFIX: usize = 12;
const PROTECTED: [&str; 3] = ["prod", "prd", "live"];

/// Sorts documents into environments, merges patches (RFC 7396) and checks what they change. `choice` keeps the
/// environments of that name alone.
///
/// Folders are read from the names of inputs; an included folder holds what the caller has read of it.
pub fn environments(manifests: Manifests, choice: Option<&str>) -> (Vec<EnvironmentSet>, Diagnostics) {
    let mut findings = Diagnostics::new();
    let (written, drafts): (Vec<_>, Vec<_>) =
        manifests.drafts.into_iter().partition(|d| d.header.kind == Kind::Environment);
    let places = FolderIndex::new(&written, &mut findings);
    unknown_choice(choice, &written, &mut findings);
    let chosen = |place: &EnvironmentFolders<'_>| choice.is_none_or(|name| name == place.draft.header.name);
    let crowded = several_in_one_folder(&places, chosen, &mut findings);

    let owned: Vec<_> = drafts.iter().map(|draft| (draft, places.owners(draft))).collect();
    let mut members: Vec<Vec<&Draft>> = vec![Vec::new(); places.all.len()];
    for (draft, owners) in &owned {
        owners.iter().for_each(|owner| members[*owner].push(draft));
    }
    let mut sets = Vec::new();
    let settled = |place: &EnvironmentFolders<'_>| chosen(place) && !crowded.contains(&place.folder);
    for (index, place) in places.all.iter().enumerate().filter(|(_, place)| settled(place)) {
        if let Some(environment) = resolve(place.draft, &mut findings) {
            sets.push(gather(environment, members[index].iter().copied(), &mut findings));
        }
    }
    let alone: Vec<_> = owned.iter().filter(|(_, owners)| owners.is_empty()).map(|(draft, _)| *draft).collect();
    let wanted = choice.is_none_or(|name| name == DEFAULT);
    if wanted && (!alone.is_empty() || places.all.is_empty()) {
        sets.push(gather(default(manifests.folder), alone.into_iter(), &mut findings));
    }
    refuse_twins(&mut sets, &mut findings);
    (sets, findings)
}

/// What a name begins with that makes an environment protected, unless its manifest says otherwise.
pub fn protecting(name: &str) -> Option<&'static str> {
    PROTECTED.into_iter().find(|start| name.starts_with(start))
}

impl Manifests {
    /// Every environment that is written, chosen or not: its folder and its name.
    pub fn written(&self) -> Vec<(PathBuf, String)> {
        let written = self.drafts.iter().filter(|draft| draft.header.kind == Kind::Environment);
        written.map(|draft| (draft.header.origin.folder().to_owned(), draft.header.name.clone())).collect()
    }

    /// Folders that belong to the environments read so far: their own and those they include, without what those
    /// include in turn. What lies in them must be read, too, before [`environments`] can say what is there.
    pub fn folders(&self) -> BTreeSet<PathBuf> {
        let written = self.drafts.iter().filter(|draft| draft.header.kind == Kind::Environment);
        let folders = written.flat_map(|draft| {
            let own = Folder::new(draft.header.origin.folder());
            let included: Vec<_> = included(&draft.header.origin.tree).map(|(path, _)| own.join(path)).collect();
            std::iter::once(own).chain(included)
        });
        folders.map(|folder| PathBuf::from(folder.to_string())).collect()
    }
}

/// What an environment includes, as written, with its places.
fn included(environment: &YamlNode) -> impl Iterator<Item = (&str, Span)> {
    let list = environment.get("spec").and_then(|spec| spec.value.get("include"));
    let items = list.and_then(|list| list.value.items()).unwrap_or_default();
    items.iter().filter_map(|item| Some((item.text()?, item.span)))
}

/// An environment and the folders that are its own.
struct EnvironmentFolders<'a> {
    draft: &'a Draft,
    folder: Folder,
    included: BTreeSet<Folder>,
}

struct FolderIndex<'a> {
    all: Vec<EnvironmentFolders<'a>>,
    /// Indices by the folders that are a place's own.
    owning: HashMap<Folder, BTreeSet<usize>>,
    /// The most `..` that one of those begins with.
    ups: usize,
}

impl<'a> FolderIndex<'a> {
    fn new(written: &'a [Draft], findings: &mut Diagnostics) -> Self {
        let folder = |draft: &Draft| Folder::new(draft.header.origin.folder());
        let mut places: Vec<_> = written
            .iter()
            .map(|draft| EnvironmentFolders { draft, folder: folder(draft), included: BTreeSet::new() })
            .collect();
        let includes = Includes::new(&places);
        for place in &mut places {
            includes.follow(&place.folder, &mut vec![place.folder.clone()], &mut place.included, findings);
        }
        let mut owning: HashMap<Folder, BTreeSet<usize>> = HashMap::new();
        for (index, place) in places.iter().enumerate() {
            for folder in std::iter::once(&place.folder).chain(&place.included) {
                owning.entry(folder.clone()).or_default().insert(index);
            }
        }
        let ups = owning.keys().map(Folder::ups).max().unwrap_or(0);
        Self { all: places, owning, ups }
    }

    /// Indices of the environments a document belongs to.
    fn owners(&self, draft: &Draft) -> BTreeSet<usize> {
        let folder = Folder::new(draft.header.origin.folder());
        folder.upwards(self.ups).find_map(|folder| self.owning.get(&folder).cloned()).unwrap_or_default()
    }
}

/// What each folder with an environment includes.
struct Includes(BTreeMap<Folder, Vec<(Folder, Diagnostic)>>);

impl Includes {
    fn new(places: &[EnvironmentFolders<'_>]) -> Self {
        let mut includes: BTreeMap<Folder, Vec<_>> = BTreeMap::new();
        for place in places {
            for (path, span) in included(&place.draft.header.origin.tree) {
                let cycle = Diagnostic::new(Code::IncludeCycle, "environments include each other").at(span);
                includes.entry(place.folder.clone()).or_default().push((place.folder.join(path), cycle));
            }
        }
        Self(includes)
    }

    fn follow(&self, from: &Folder, way: &mut Vec<Folder>, into: &mut BTreeSet<Folder>, findings: &mut Diagnostics) {
        for (to, cycle) in self.0.get(from).into_iter().flatten() {
            if let Some(start) = way.iter().position(|folder| folder == to) {
                let loop_of = way[start..].iter().chain([to]).map(|folder| folder.to_string());
                let finding = cycle.clone().help(loop_of.collect::<Vec<_>>().join(" → "));
                if way[start..].iter().min() == Some(&way[start]) {
                    findings.push(finding);
                }
            } else if into.insert(to.clone()) {
                way.push(to.clone());
                self.follow(to, way, into, findings);
                way.pop();
            }
        }
    }
}

fn unknown_choice(choice: Option<&str>, written: &[Draft], findings: &mut Diagnostics) {
    let names = || written.iter().map(|draft| draft.header.name.as_str());
    let Some(choice) = choice.filter(|choice| !names().any(|name| name == *choice)) else { return };
    if written.is_empty() && choice == DEFAULT {
        return;
    }
    let finding = Diagnostic::new(Code::UnknownEnvironment, format!("there is no environment `{}`", shown(choice)));
    let help = match did_you_mean(choice, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if written.is_empty() => "there are no environments here".to_owned(),
        None => {
            let names: BTreeSet<_> = names().collect();
            format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, some(names))
        }
    };
    findings.push(finding.help(help));
}

/// Reports folders with several environments, and answers which they are: what is in them belongs to neither.
fn several_in_one_folder(
    places: &FolderIndex<'_>,
    chosen: impl Fn(&EnvironmentFolders<'_>) -> bool,
    findings: &mut Diagnostics,
) -> BTreeSet<Folder> {
    let mut folders: BTreeMap<&Folder, Vec<&EnvironmentFolders<'_>>> = BTreeMap::new();
    for place in places.all.iter().filter(|place| chosen(place)) {
        folders.entry(&place.folder).or_default().push(place);
    }
    let mut crowded = BTreeSet::new();
    for (folder, places) in folders.into_iter().filter(|(_, places)| places.len() > 1) {
        crowded.insert(folder.clone());
        let names: BTreeSet<_> = places.iter().map(|place| place.draft.header.name.as_str()).collect();
        let spans = places.iter().map(|place| place.draft.header.origin.span("/metadata/name")).take(MOST_SHOWN);
        let same = names.len() == 1;
        let finding = if same {
            Diagnostic::new(Code::DuplicateDocument, format!("there are two environments {}", ticked(names, "and")))
        } else {
            let message = format!("this folder has the environments {}", some(names));
            Diagnostic::new(Code::SeveralEnvironments, message).help("select one with `--environment NAME`")
        };
        findings.push(spans.fold(finding, Diagnostic::at));
    }
    crowded
}

/// Refuses environments of one name and lets go of all of them: everything after this tells them apart by name.
fn refuse_twins(sets: &mut Vec<EnvironmentSet>, findings: &mut Diagnostics) {
    let mut by_name: BTreeMap<String, Vec<&ResolvedEnvironment>> = BTreeMap::new();
    for set in &*sets {
        by_name.entry(set.environment.name.clone()).or_default().push(&set.environment);
    }
    by_name.retain(|_, twins| twins.len() > 1);
    for (name, twins) in &by_name {
        let spans = twins.iter().filter_map(|twin| Some(twin.origin.as_ref()?.span("/metadata/name")));
        let message = match twins.iter().all(|twin| twin.origin.is_some()) {
            true => format!("there are two environments `{name}`"),
            false => format!("the environment `{name}` has the name used for manifests without one"),
        };
        let help = "rename one, or run on one at a time";
        let finding = spans.fold(Diagnostic::new(Code::DuplicateDocument, message), Diagnostic::at);
        findings.push(finding.help(help));
    }
    let names: BTreeSet<String> = by_name.into_keys().collect();
    sets.retain(|set| !names.contains(&set.environment.name));
}

/// Names, as many as one reads.
fn some(names: BTreeSet<&str>) -> String {
    match names.len() <= MOST_SHOWN {
        true => ticked(names, "and"),
        false => first_of(names.iter().map(|name| format!("`{name}`")), MOST_SHOWN),
    }
}

fn resolve(draft: &Draft, findings: &mut Diagnostics) -> Option<ResolvedEnvironment> {
    let Header { name, labels, origin, .. } = &draft.header;
    findings.extend(several_targets(origin));
    let SpecState::Done(Spec::Environment(spec)) = &draft.reading else { return None };
    if spec.prefix.is_none() && name.len() > LONGEST_PREFIX {
        let message = format!("`{name}` has more than {LONGEST_PREFIX} characters, so `prefix` must be set");
        let finding = Diagnostic::new(Code::PrefixNeeded, message).at(origin.span("/metadata/name"));
        findings.push(
            finding.help("add `prefix` to `spec`; generated names begin with it, and have 63 characters at most"),
        );
    }
    Some(ResolvedEnvironment {
        name: name.clone(),
        prefix: spec.prefix.clone().unwrap_or_else(|| name.clone()),
        folder: origin.folder().to_owned(),
        protect: spec.protect.unwrap_or_else(|| protecting(name).is_some()),
        labels: labels.clone(),
        spec: Environment::clone(spec),
        origin: Some(origin.clone()),
    })
}

/// The one rule that refuses several targets: everything after it handles each by itself.
fn several_targets(environment: &DocumentOrigin) -> Option<Diagnostic> {
    let finding = || Diagnostic::new(Code::NotYetSupported, "not yet supported: several targets");
    environment.has("/spec/targets/1").then(|| finding().at(environment.key_span("/spec/targets")))
}

fn default(folder: PathBuf) -> ResolvedEnvironment {
    ResolvedEnvironment {
        name: DEFAULT.to_owned(),
        prefix: DEFAULT.to_owned(),
        folder,
        protect: false,
        labels: BTreeMap::new(),
        spec: Environment::default(),
        origin: None,
    }
}

fn gather<'a>(
    environment: ResolvedEnvironment,
    members: impl Iterator<Item = &'a Draft>,
    findings: &mut Diagnostics,
) -> EnvironmentSet {
    let mut set = EnvironmentSet { environment, documents: Vec::new(), refused: BTreeSet::new() };
    let mut seen: BTreeMap<(Kind, String), DocumentOrigin> = BTreeMap::new();
    for draft in members {
        let Header { kind, name, origin, .. } = &draft.header;
        if let Some(first) = seen.get(&(*kind, name.clone())).filter(|_| !name.is_empty()) {
            findings.push(duplicate(*kind, name, first, origin));
            continue;
        }
        seen.insert((*kind, name.clone()), origin.clone());
        match document(draft, set.environment.origin.as_ref(), findings) {
            Some(document) => set.documents.push(document),
            None => drop(set.refused.insert((*kind, name.clone()))),
        }
    }
    dangling_patches(&set.environment, &seen, findings);
    set
}

fn duplicate(kind: Kind, name: &str, first: &DocumentOrigin, second: &DocumentOrigin) -> Diagnostic {
    let message = format!("there are two manifests `{kind}/{name}`");
    let finding = Diagnostic::new(Code::DuplicateDocument, message).label(second.span("/metadata/name"), "again here");
    finding.label(first.span("/metadata/name"), "first here")
}

fn document(draft: &Draft, environment: Option<&DocumentOrigin>, findings: &mut Diagnostics) -> Option<Document> {
    let (header, spec) = match &draft.reading {
        SpecState::Refused => return None,
        SpecState::Done(spec) => (draft.header.clone(), spec.clone()),
        SpecState::Deferred => {
            let mut header = patched(&draft.header, environment);
            let spec = read(&mut header, findings)?;
            (header, spec)
        }
    };
    let Header { kind, name, labels, annotations, origin } = header;
    Some(Document { kind, name, labels, annotations, spec, origin })
}

fn patched(header: &Header, environment: Option<&DocumentOrigin>) -> Header {
    let environment = environment.map(|origin| &*origin.tree);
    let ours =
        environment.into_iter().flat_map(patches).filter(|p| p.kind == header.kind.name() && p.name == header.name);
    let tree = ours.fold((*header.origin.tree).clone(), |tree, patch| with_spec(&tree, patch.spec));
    Header { origin: DocumentOrigin { tree: Arc::new(tree), ..header.origin.clone() }, ..header.clone() }
}

/// The document with a patch merged into its `spec`.
fn with_spec(document: &YamlNode, patch: &YamlNode) -> YamlNode {
    let spec = MapEntry { key: "spec".into(), key_span: patch.span, value: patch.clone() };
    let wrapper = YamlNode { span: patch.span, content: super::tree::Content::Map(Arc::new([spec])) };
    document.merged(&wrapper)
}

fn dangling_patches(
    environment: &ResolvedEnvironment,
    seen: &BTreeMap<(Kind, String), DocumentOrigin>,
    findings: &mut Diagnostics,
) {
    let Some(origin) = &environment.origin else { return };
    for patch in patches(&origin.tree) {
        let Some(kind) = Kind::find(patch.kind).filter(|kind| *kind != Kind::Environment) else { continue };
        if seen.contains_key(&(kind, patch.name.to_owned())) {
            continue;
        }
        let names = || seen.keys().filter(|(k, _)| *k == kind).map(|(_, name)| name.as_str());
        let message = format!("this environment has no {kind} `{}`", shown(patch.name));
        let finding = Diagnostic::new(Code::DanglingPatch, message).at(patch.name_span);
        findings.push(match did_you_mean(patch.name, names()) {
            Some(name) => finding.help(format!("did you mean `{name}`?")),
            None => finding.help("check that its folder is in `include` or on the command line"),
        });
    }
}
