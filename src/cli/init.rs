//! `hubform init`: a first environment and a first endpoint, ready to be planned.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Exit, Host, Refusal, args};
use crate::files::{Disk, Files};

pub(super) fn run(host: &mut Host, args: &args::Init) -> Result<Exit> {
    let files = Disk { from: host.folder.clone() };
    let name = args.name.clone().unwrap_or_else(|| slug(&args.model));
    let folder_name = args.folder.file_name().map(|name| slug(&name.to_string_lossy())).unwrap_or_else(|| "dev".into());
    let texts =
        [("environment.yaml", environment(&folder_name)), (&format!("{name}.yaml"), endpoint(&name, &args.model))];
    if let Some((file, _)) = texts.iter().find(|(file, _)| files.exists(&args.folder.join(file))) {
        let message = format!("`{}` exists already", args.folder.join(file).display());
        anyhow::bail!(Refusal::new(message, "choose another folder or `--name`"));
    }
    for (file, text) in &texts {
        let path = args.folder.join(file);
        files.write(&path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
        writeln!(host.output, "wrote {}", path.display())?;
    }
    let folder = if args.folder == Path::new(".") { String::new() } else { format!(" {}", args.folder.display()) };
    writeln!(host.output, "next: hubform plan{folder} --sandbox")?;
    Ok(Exit::Done)
}

fn environment(name: &str) -> String {
    let prefix: String = name.chars().take(12).collect();
    let prefix = prefix.trim_end_matches('-');
    let prefix = if prefix == name { String::new() } else { format!("  prefix: {prefix}\n") };
    format!(
        "# Where everything in this folder goes.\napiVersion: hubform/v1\nkind: Environment\nmetadata:\n  name: {name}\n\
         spec:\n{prefix}  targets:\n    - region: us-east-1\n"
    )
}

fn endpoint(name: &str, model: &str) -> String {
    format!("apiVersion: hubform/v1\nkind: Endpoint\nmetadata:\n  name: {name}\nspec:\n  model: {model}\n")
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
