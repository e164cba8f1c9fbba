//! `hubform lock`: every choice into hubform.lock; with `--upgrade`, made again.

use anyhow::Result;

use super::{
    Exit, Host, args,
    args::Globals,
    load::{Wants, load},
    session, tell,
};

pub(super) fn run(host: &mut Host, globals: &Globals, args: &args::Lock) -> Result<Exit> {
    let wants = Wants {
        lock_overlay: session::sandbox_folder(host, globals).filter(|_| host.sandbox.is_none()),
        upgrade: args.upgrade.clone(),
        unlocked: true,
        ..Wants::default()
    };
    let loaded = load(host, &args.selection, &wants)?;
    if tell(host, &args.selection, &loaded)? {
        return Ok(Exit::Refused);
    }
    let written = loaded.write_locks(host, &wants)?;
    for path in &written {
        writeln!(host.output, "wrote {}", path.display())?;
    }
    if written.is_empty() {
        writeln!(host.output, "every choice is pinned already")?;
    }
    Ok(Exit::Done)
}
