//! `hubform init`: a first environment and a first endpoint, ready to be planned.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Exit, Host, Refusal, args};
use crate::{
    catalog::Catalog,
    files::{Disk, Files},
};

pub(super) fn run(host: &mut Host, args: &args::Init) -> Result<Exit> {
    let files = Disk { from: host.folder.clone() };
    let name = args.name.clone().unwrap_or_else(|| slug(&args.model));
    refuse_what_cannot_be(&name, &args.model)?;
    let folder_name = args.folder.file_name().map(|name| slug(&name.to_string_lossy())).unwrap_or_else(|| "dev".into());
    let texts =
        [("environment.yaml", environment(&folder_name)), (&format!("{name}.yaml"), endpoint(&name, &args.model))];
    let manifest = args.folder.join(texts[1].0);
    if files.exists(&manifest) {
        let message = format!("`{}` exists already", manifest.display());
        anyhow::bail!(Refusal::new(message, "choose another folder or `--name`"));
    }
    for (file, text) in &texts {
        let path = args.folder.join(file);
        if files.exists(&path) {
            writeln!(host.output, "kept {}", path.display())?;
            continue;
        }
        files.write(&path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
        writeln!(host.output, "wrote {}", path.display())?;
    }
    let folder = if args.folder == Path::new(".") { String::new() } else { format!(" {}", args.folder.display()) };
    writeln!(host.output, "next: hubform plan{folder} --sandbox")?;
    Ok(Exit::Done)
}

fn refuse_what_cannot_be(name: &str, model: &str) -> Result<()> {
    if slug(name) != name {
        let help = format!("names are lower-case letters, digits and `-`, at most 40; say `--name {}`", slug(name));
        anyhow::bail!(Refusal::new(format!("no manifest can be called `{name}`"), help));
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
    use super::slug;

    #[test]
    fn names_come_from_anything() {
        assert_eq!(slug("BAAI/bge-small-en-v1.5"), "bge-small-en-v1-5");
        assert_eq!(slug("7B"), "b");
        assert_eq!(slug("…"), "dev");
    }
}
