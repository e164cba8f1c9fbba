//! `hubform templates eject`: the embedded templates, to be made a team's own.

use anyhow::{Context as _, Result};

use super::{Exit, Host, Refusal, args, args::TemplatesAction, told};
use crate::{
    files::{Disk, Files},
    render::EMBEDDED,
};

pub(super) fn run(host: &mut Host, args: &args::TemplatesArgs) -> Result<Exit> {
    let TemplatesAction::Eject { folder } = &args.action;
    let files = Disk { from: host.folder.clone() };
    if let Some((name, _)) = EMBEDDED.iter().find(|(name, _)| files.exists(&folder.join(name))) {
        let message = format!("`{}` already exists", folder.join(name).display());
        anyhow::bail!(Refusal::new(message, "choose another folder, or delete it first"));
    }
    for (name, text) in EMBEDDED {
        let path = folder.join(name);
        files.write(&path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
        writeln!(host.output, "{}", told(&path))?;
    }
    writeln!(host.errors, "Keep those you change and delete the others; `--templates {}` uses them.", told(folder))?;
    Ok(Exit::Done)
}
