//! `hubform render`: the templates that would be sent.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::{Exit, Host, Refusal, args, args::Format, format, load::load, read::LoadOptions, tell, told};
use crate::{
    files::{Disk, Files},
    render::{StackSpec, yaml},
};

/// How many bodies one thread writes at a time.
const BATCH: usize = 64;

pub(super) fn run(host: &mut Host, args: &args::RenderArgs) -> Result<Exit> {
    let loaded = load(host, &args.selection, &LoadOptions::default())?;
    tell(host, &args.selection, &loaded)?;
    let specs: Vec<_> = loaded.specs.iter().filter(|spec| loaded.chosen.contains(&spec.identity.stack)).collect();
    let json = format(host, &args.selection) == Format::Json;
    match &args.directory {
        Some(folder) => {
            refuse_twins(&specs)?;
            let files = Disk { from: host.folder.clone() };
            let ending = if json { "json" } else { "yaml" };
            for (spec, text) in texts(&specs, json) {
                let path = folder.join(format!("{}.{ending}", spec.identity.stack.name));
                let failed = || format!("cannot write `{}`", path.display());
                files.write(&path, text.as_bytes()).with_context(failed)?;
                writeln!(host.output, "{}", told(&path))?;
            }
        }
        None => {
            for (spec, text) in texts(&specs, json) {
                let head = if json { String::new() } else { format!("---\n# {}\n", spec.identity.stack.name) };
                write!(host.output, "{head}{text}")?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Stacks of one name in different accounts or Regions would overwrite each other's file.
fn refuse_twins(specs: &[&StackSpec]) -> Result<()> {
    let mut seen: BTreeMap<&str, &StackSpec> = BTreeMap::new();
    for spec in specs {
        if let Some(first) = seen.insert(&spec.identity.stack.name, spec) {
            let message = format!(
                "two stacks are named `{}`, in {} and {}",
                spec.identity.stack.name, first.identity.stack.target, spec.identity.stack.target
            );
            anyhow::bail!(Refusal::new(message, "render each environment into a folder of its own"));
        }
    }
    Ok(())
}

/// The bodies as they are shown; a batch at a time on all processors, so that no more than a batch is held.
fn texts<'a>(specs: &'a [&'a StackSpec], json: bool) -> impl Iterator<Item = (&'a StackSpec, String)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    specs.chunks(BATCH * workers).flat_map(move |batch| {
        std::thread::scope(|scope| {
            let work = |part: &[&'a StackSpec]| part.iter().map(|spec| (*spec, text(spec, json))).collect::<Vec<_>>();
            let parts: Vec<_> = batch.chunks(BATCH).map(|part| scope.spawn(move || work(part))).collect();
            let done = parts.into_iter().flat_map(|part| part.join().expect("writing YAML does not panic"));
            done.collect::<Vec<_>>()
        })
    })
}

fn text(spec: &StackSpec, json: bool) -> String {
    if json { format!("{}\n", spec.body) } else { yaml(&spec.body) }
}
