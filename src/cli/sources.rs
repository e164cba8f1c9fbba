//! Which files a run reads: those named, and the whole environment they belong to.

use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, SourceMap, shown},
    files::{Files, LARGEST, manifests_below, normal},
    manifest::{EnvironmentSet, SourceText, environments, parse},
};

/// What was read, and what of it was named.
pub(super) struct ReadManifests {
    pub(super) sources: SourceMap,
    pub(super) sets: Vec<EnvironmentSet>,
    pub(super) diagnostics: Diagnostics,
    /// Documents of other API groups that were passed over.
    pub(super) skipped: usize,
    pub(super) named: NamedPaths,
    /// Every environment that is written, chosen or not: its folder and its name.
    pub(super) written: Vec<(PathBuf, String)>,
}

/// What was named: files, folders, standard input.
#[derive(Debug, Default)]
pub(super) struct NamedPaths {
    files: BTreeSet<PathBuf>,
    folders: Vec<PathBuf>,
}

impl NamedPaths {
    /// Was this file named, or a folder above it?
    pub(super) fn covers(&self, file: &Path) -> bool {
        let file = normal(file);
        self.files.contains(&file) || self.folders.iter().any(|folder| is_below(&file, folder))
    }
}

fn is_below(file: &Path, folder: &Path) -> bool {
    match folder.as_os_str().is_empty() {
        true => !file.is_absolute() && !file.starts_with(".."),
        false => file.starts_with(folder),
    }
}

/// Reads everything that the named paths belong to.
pub(super) fn read(
    files: &dyn Files,
    input: &mut dyn Read,
    paths: &[PathBuf],
    choice: Option<&str>,
) -> Result<ReadManifests> {
    let mut gathering = Gathering { files, inputs: Vec::new(), seen: BTreeSet::new(), named: NamedPaths::default() };
    for path in paths {
        gathering.named_path(path, input)?;
    }
    for folder in gathering.environment_folders() {
        gathering.folder(&folder)?;
    }
    loop {
        let read = gathering.parse(choice);
        let folders = included(&read.sets);
        let before = gathering.inputs.len();
        for folder in folders {
            gathering.folder(&folder)?;
        }
        if gathering.inputs.len() == before {
            let mut read = read;
            read.diagnostics.extend(read.sets.iter().flat_map(|set| gathering.told_outside(set)));
            return Ok(ReadManifests { named: gathering.named, ..read });
        }
    }
}

fn included(sets: &[EnvironmentSet]) -> BTreeSet<PathBuf> {
    let of = |set: &EnvironmentSet| {
        let folder = set.environment.folder.clone();
        set.environment.spec.include.iter().map(move |path| normal(&folder.join(path))).collect::<Vec<_>>()
    };
    sets.iter().flat_map(of).collect()
}

struct Gathering<'a> {
    files: &'a dyn Files,
    inputs: Vec<SourceText>,
    seen: BTreeSet<PathBuf>,
    named: NamedPaths,
}

impl Gathering<'_> {
    fn named_path(&mut self, path: &Path, input: &mut dyn Read) -> Result<()> {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            input.take(LARGEST + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
            self.named.files.insert(path.into());
            self.inputs.push(SourceText { name: "-".to_owned(), bytes, named: true });
            return Ok(());
        }
        let path = normal(path);
        if self.files.is_folder(&or_here(&path)) {
            self.named.folders.push(path.clone());
            return self.folder(&path);
        }
        if !self.files.exists(&path) {
            bail!("no such file or folder: `{}`", path.display());
        }
        self.named.files.insert(path.clone());
        self.file(&path, true)
    }

    fn folder(&mut self, folder: &Path) -> Result<()> {
        let here = or_here(folder);
        let found = manifests_below(self.files, &here)
            .with_context(|| format!("cannot read the folder `{}`", here.display()))?;
        found.iter().try_for_each(|path| self.file(&normal(path), false))
    }

    fn file(&mut self, path: &Path, named: bool) -> Result<()> {
        if !self.seen.insert(self.files.real(path)) {
            return Ok(());
        }
        let bytes = match self.files.read(path) {
            // Refused by its size alone, so what it holds does not matter.
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => vec![b' '; usize::try_from(LARGEST)? + 1],
            read => read.with_context(|| format!("cannot read `{}`", path.display()))?,
        };
        self.inputs.push(SourceText { name: path.display().to_string(), bytes, named });
        Ok(())
    }

    /// For each named path the nearest folder, its own or above, that has an `environment.yaml`; up to the
    /// repository's root.
    fn environment_folders(&self) -> BTreeSet<PathBuf> {
        let files = self.named.files.iter().filter(|path| *path != Path::new("-"));
        let starts = files.map(|path| path.parent().unwrap_or(Path::new("")).to_path_buf());
        starts.chain(self.named.folders.iter().cloned()).filter_map(|start| self.nearest(&start)).collect()
    }

    fn nearest(&self, start: &Path) -> Option<PathBuf> {
        let mut folder = start.to_path_buf();
        for _ in 0..64 {
            let here = or_here(&folder);
            if ["environment.yaml", "environment.yml"].iter().any(|name| self.files.exists(&here.join(name))) {
                return Some(folder);
            }
            if self.files.exists(&here.join(".git")) || !self.files.is_folder(&here) {
                return None;
            }
            folder = above(&folder)?;
        }
        None
    }

    /// A word about each folder that an environment includes from outside its repository.
    fn told_outside(&self, set: &EnvironmentSet) -> Vec<Diagnostic> {
        let Some(origin) = &set.environment.origin else { return Vec::new() };
        let (roots, of) = self.roots(&set.environment.folder);
        let outside = |path: &Path| {
            let real = self.files.real(&or_here(path));
            !roots.iter().any(|root| real.starts_with(root))
        };
        let include = set.environment.spec.include.iter().enumerate();
        let outside = include.filter(|(_, path)| outside(&normal(&set.environment.folder.join(path))));
        let told = outside.map(|(at, path)| {
            let message = format!("`{}` is outside {of}", shown(path));
            let help = "it is read, but no review of this repository shows its changes";
            let span = origin.span(crate::diagnostic::Path::from("/spec/include").item(at));
            Diagnostic::new(Code::OutsideInclude, message).at(span).help(help)
        });
        told.collect()
    }

    /// The folder that holds `.git`, above an environment's; without one, that folder and what was named. In words, too.
    fn roots(&self, folder: &Path) -> (Vec<PathBuf>, &'static str) {
        let own = self.files.real(&or_here(folder));
        if let Some(root) = own.ancestors().find(|above| self.files.exists(&above.join(".git"))) {
            return (vec![root.to_path_buf()], "the repository");
        }
        let files = self.named.files.iter().filter(|path| *path != Path::new("-"));
        let files = files.map(|path| path.parent().unwrap_or(Path::new("")));
        let named = files.chain(self.named.folders.iter().map(PathBuf::as_path));
        let roots = named.map(|path| self.files.real(&or_here(path))).chain([own]).collect();
        (roots, "the folder of what was named, and no repository is known")
    }

    fn parse(&self, choice: Option<&str>) -> ReadManifests {
        let mut sources = SourceMap::default();
        let (manifests, mut diagnostics) = parse(self.inputs.clone(), &mut sources);
        let (skipped, written) = (manifests.skipped, manifests.written());
        let (sets, found) = environments(manifests, choice);
        diagnostics.extend(found);
        ReadManifests { sources, sets, diagnostics, skipped, named: NamedPaths::default(), written }
    }
}

fn or_here(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_path_buf() }
}

/// The folder above, by name; `..` above what has no name left.
fn above(folder: &Path) -> Option<PathBuf> {
    if folder == Path::new("/") {
        return None;
    }
    let last = folder.components().next_back();
    match last {
        Some(std::path::Component::Normal(_)) => Some(folder.parent().unwrap_or(Path::new("")).to_path_buf()),
        _ => Some(folder.join("..")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_folders_cover_what_is_below_them() {
        let named = NamedPaths { files: [PathBuf::from("a/x.yaml")].into(), folders: vec![PathBuf::from("b")] };
        assert!(named.covers(Path::new("./a/x.yaml")) && named.covers(Path::new("b/c/y.yaml")));
        assert!(!named.covers(Path::new("a/y.yaml")) && !named.covers(Path::new("bc/y.yaml")));
        let here = NamedPaths { files: BTreeSet::new(), folders: vec![PathBuf::new()] };
        assert!(here.covers(Path::new("b/c/y.yaml")) && !here.covers(Path::new("../y.yaml")));
    }
}
