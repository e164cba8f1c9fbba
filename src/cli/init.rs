//! `hubform init`: a first environment, its lock with the owner, and a first endpoint, ready to be planned.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result};

use super::{Exit, Host, Refusal, args, sources, told};
use crate::{
    catalog::Catalog,
    diagnostic::{secret, shown},
    files::{Disk, Files, normal},
    manifest::EnvironmentSet,
    resolve::Lock,
};

pub(super) fn run(host: &mut Host, args: &args::Init) -> Result<Exit> {
    let files = Disk { from: host.folder.clone() };
    let name = args.name.clone().unwrap_or_else(|| slug(&args.model));
    refuse_what_cannot_be(&name, &args.model)?;
    let texts = [
        ("environment.yaml", environment(&name_of(&files, &args.folder))),
        (&format!("{name}.yaml"), endpoint(&name, &args.model)),
    ];
    let manifest = args.folder.join(texts[1].0);
    if files.exists(&manifest) {
        let message = format!("`{}` exists already", manifest.display());
        anyhow::bail!(Refusal::new(message, "choose another folder or `--name`"));
    }
    for (file, text) in &texts {
        let path = args.folder.join(file);
        if files.exists(&path) {
            writeln!(host.output, "kept {}", told(&path))?;
            continue;
        }
        files.write(&path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
        writeln!(host.output, "wrote {}", told(&path))?;
    }
    write_owner(host, &files, &args.folder)?;
    let folder = match args.folder.to_string_lossy() {
        here if here == "." => String::new(),
        plain if plain.chars().all(|c| c.is_alphanumeric() || "_-./~".contains(c)) => format!(" {plain}"),
        odd => format!(" '{odd}'"),
    };
    writeln!(host.output, "next: hubform plan{} --sandbox", shown(&folder))?;
    Ok(Exit::Done)
}

/// The environment is called as its folder really is; `.` is a folder too.
fn name_of(files: &dyn Files, folder: &Path) -> String {
    let real = match files.exists(folder) {
        true => files.real(folder),
        false => folder.to_path_buf(),
    };
    let name = real.file_name().map_or("dev".to_owned(), |name| slug(&name.to_string_lossy()));
    name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Writes the lock with an owner for the folder's environment, unless it has one.
fn write_owner(host: &mut Host, files: &dyn Files, folder: &Path) -> Result<()> {
    let read = sources::read(files, &mut std::io::empty(), &[folder.to_path_buf()], None)?;
    let path = folder.join("hubform.lock");
    let own = |set: &&EnvironmentSet| set.environment.origin.is_some() && set.environment.folder == normal(folder);
    for name in read.sets.iter().filter(own).map(|set| &set.environment.name) {
        let text =
            if files.exists(&path) { String::from_utf8_lossy(&files.read(&path)?).into_owned() } else { String::new() };
        let mut lock = match text.is_empty() {
            true => Lock::default(),
            false => Lock::parse(&text, &BTreeSet::from([name.clone()]))
                .with_context(|| format!("cannot use `{}`", path.display()))?,
        };
        if lock.owner(name).is_none() {
            lock.set_owner(name, host.new_id());
            files.write(&path, lock.text().as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
            writeln!(host.output, "wrote {}; commit it, it says whose the stacks are", told(&path))?;
        }
    }
    Ok(())
}

fn refuse_what_cannot_be(name: &str, model: &str) -> Result<()> {
    if slug(name) != name {
        let help = format!("names are lower-case letters, digits and `-`, at most 40; say `--name {}`", slug(name));
        anyhow::bail!(Refusal::new(format!("no manifest can be called `{name}`"), help));
    }
    if let Some((_, secret)) = secret::find(model).first() {
        let help = "the model's id is public, and goes into a file; whatever was meant, revoke the token if it is one";
        anyhow::bail!(Refusal::new(format!("`--model` holds {}", secret.describe()), help));
    }
    let is_plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !model.split_once('/').is_some_and(|(organisation, name)| is_plain(organisation) && is_plain(name)) {
        let known = Catalog::embedded().models_named(model);
        let help = match known.first() {
            Some(id) => format!("did you mean `{id}`?"),
            None => "ids have the organisation first, as `BAAI/bge-small-en-v1.5`".to_owned(),
        };
        anyhow::bail!(Refusal::new(format!("`{model}` is no id of the Hugging Face Hub"), help));
    }
    Ok(())
}

fn environment(name: &str) -> String {
    let prefix: String = name.chars().take(12).collect();
    let prefix = prefix.trim_end_matches('-');
    let prefix = if prefix == name { String::new() } else { format!("  prefix: {prefix}\n") };
    format!(
        "# Where everything in this folder goes.\napiVersion: hubform.dev/v1\nkind: Environment\nmetadata:\n  name: {name}\n\
         spec:\n{prefix}  targets:\n    - region: us-east-1\n"
    )
}

fn endpoint(name: &str, model: &str) -> String {
    format!("apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata:\n  name: {name}\nspec:\n  model: {model}\n")
}

/// A name that manifests may have, made from any text.
fn slug(text: &str) -> String {
    let last = text.rsplit('/').next().unwrap_or(text).to_lowercase();
    let plain: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let trimmed = plain.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let cut: String = trimmed.chars().take(40).collect();
    let name = cut.trim_end_matches('-').to_owned();
    if name.is_empty() { "dev".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::Disk;

    #[test]
    fn an_environment_is_called_as_its_folder_really_is() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let own = folder.path().join("Team_Search.v2");
        std::fs::create_dir_all(own.join("deep")).expect("a folder can be made");
        let files = Disk { from: own.clone() };
        for path in [".", "deep/..", "./deep/../", own.to_str().expect("it is text")] {
            assert_eq!(name_of(&files, Path::new(path)), "team-search-v2", "{path}");
        }
        assert_eq!((name_of(&files, Path::new("new/")), name_of(&files, Path::new("/"))), ("new".into(), "dev".into()));
    }

    #[test]
    fn names_come_from_anything() {
        assert_eq!(slug("BAAI/bge-small-en-v1.5"), "bge-small-en-v1-5");
        assert_eq!(slug("7B"), "b");
        assert_eq!(slug("…"), "dev");
    }
}
