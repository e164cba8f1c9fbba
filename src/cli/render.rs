//! `hubform render`: the templates that would be sent.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::{
    Exit, Host, Refusal, args,
    args::Format,
    format,
    load::{Wants, load},
    tell,
};
use crate::{
    files::{Disk, Files},
    render::{StackSpec, yaml},
};

pub(super) fn run(host: &mut Host, args: &args::Render) -> Result<Exit> {
    let loaded = load(host, &args.selection, &Wants::default())?;
    if tell(host, &args.selection, &loaded)? {
        return Ok(Exit::Refused);
    }
    let specs = loaded.specs.iter().filter(|spec| loaded.chosen.contains(&spec.stack));
    let json = format(host, &args.selection) == Format::Json;
    match &args.directory {
        Some(folder) => {
            refuse_twins(specs.clone())?;
            let files = Disk { from: host.folder.clone() };
            for spec in specs {
                let ending = if json { "json" } else { "yaml" };
                let path = folder.join(format!("{}.{ending}", spec.stack.name));
                let failed = || format!("cannot write `{}`", path.display());
                files.write(&path, text(spec, json).as_bytes()).with_context(failed)?;
                writeln!(host.output, "{}", path.display())?;
            }
        }
        None => {
            for spec in specs {
                let head = if json { String::new() } else { format!("---\n# {}\n", spec.stack.name) };
                write!(host.output, "{head}{}", text(spec, json))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Stacks of one name in different accounts or Regions would overwrite each other's file.
fn refuse_twins<'a>(specs: impl Iterator<Item = &'a StackSpec>) -> Result<()> {
    let mut seen: BTreeMap<&str, &StackSpec> = BTreeMap::new();
    for spec in specs {
        if let Some(first) = seen.insert(&spec.stack.name, spec) {
            let message = format!(
                "two stacks are called `{}`, in {} and {}",
                spec.stack.name, first.stack.target, spec.stack.target
            );
            anyhow::bail!(Refusal::new(message, "render each environment into a folder of its own"));
        }
    }
    Ok(())
}

fn text(spec: &StackSpec, json: bool) -> String {
    if json { format!("{}\n", spec.body) } else { yaml(&spec.body) }
}
