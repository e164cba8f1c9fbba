//! `hubform render`: the templates that would be sent.

use anyhow::{Context as _, Result};

use super::{
    Exit, Host, args,
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

fn text(spec: &StackSpec, json: bool) -> String {
    if json { format!("{}\n", spec.body) } else { yaml(&spec.body) }
}
