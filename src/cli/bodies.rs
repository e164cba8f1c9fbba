//! Stacks to bodies, with the templates that each environment says.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{Refusal, args::Selection, host::Host, read::ReadInputs};
use crate::{
    diagnostic::Diagnostics,
    files::{Disk, Files},
    render::{StackSpec, Templates, render},
    resolve::DesiredStack,
};

/// Renders every stack with the templates of its environment.
pub(super) fn render_all(
    host: &Host,
    selection: &Selection,
    read: &ReadInputs,
    mut stacks: Vec<DesiredStack>,
) -> Result<(Vec<StackSpec>, Diagnostics)> {
    let files = Disk { from: host.folder.clone() };
    let said = selection.templates.clone().or_else(|| host.variable("HUBFORM_TEMPLATES").map(PathBuf::from));
    let mut by_folder: BTreeMap<Option<PathBuf>, BTreeSet<&str>> = BTreeMap::new();
    for scope in &read.scopes {
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
                own = Templates::with(&read_templates(&files, folder)?)
                    .with_context(|| format!("cannot use the templates in `{}`", folder.display()))?;
                &own
            }
        };
        let theirs = stacks.extract_if(.., |stack| environments.contains(stack.identity.environment.as_str()));
        let (rendered, found) = render(theirs.collect(), templates, &read.sources);
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
                let message = format!("it has more than {MOST_BESIDE} files and folders");
                anyhow::bail!(Refusal::new(failed(), format!("{message}; pass a folder with the templates alone")));
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
