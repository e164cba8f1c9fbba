//! `hubform lock`: every choice and the owner into hubform.lock; with `--upgrade`, choices are made again.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Exit, Host, Refusal, args,
    args::Globals,
    load::{Loaded, load_asking},
    read::LoadOptions,
    session, tell, tell_findings, told,
};
use crate::resolve::OwnerPolicy;

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::LockArgs) -> Result<Exit> {
    // Whose an environment is stands beside it, also for imagined accounts.
    let names_owner = args.owner.is_some() || args.new_owner;
    if names_owner && host.sandbox.is_none() && session::sandbox_folder(host, globals).is_some() {
        let message = "an imagined account uses the owner id in hubform.lock";
        anyhow::bail!(Refusal::new(message, "leave out `--sandbox` to change the owner of the real stacks"));
    }
    let options = LoadOptions {
        lock_overlay: session::sandbox_folder(host, globals).filter(|_| host.sandbox.is_none() && !names_owner),
        upgrade: args.upgrade.clone(),
        unlocked: true,
        owner: owner(args),
        ..LoadOptions::default()
    };
    let named = args.upgrade.as_deref().filter(|name| !name.is_empty());
    if let Some(path) = named.filter(|name| host.folder.join(name).exists()) {
        let message = format!("`--upgrade` takes the name of a manifest, and `{path}` is a path");
        anyhow::bail!(Refusal::new(
            message,
            format!("run `hubform lock {path} --upgrade` to upgrade everything in it")
        ));
    }
    let mut loaded = load_asking(host, &args.selection, &options).await?;
    if !loaded.resolved.questions.is_empty() {
        loaded = loaded.closed().again(host, &args.selection, &options)?;
    }
    if let Some(name) = named.filter(|name| !has_manifest(&loaded, name)) {
        let message = format!("no manifest is named `{name}`");
        anyhow::bail!(Refusal::new(message, "use a name such as `chat` or `Endpoint/chat`, after the path"));
    }
    refuse_several(args, &loaded)?;
    tell(host, &args.selection, &loaded)?;
    let (written, found) = loaded.keep_locks(host, &args.selection, &options)?;
    for path in &written {
        writeln!(host.output, "wrote {}", told(path))?;
    }
    tell_findings(host, &args.selection, &found, &loaded)?;
    if written.is_empty() && !names_owner {
        let whose = if options.lock_overlay.is_some() { " for the imagined account" } else { "" };
        writeln!(host.output, "every choice is already pinned{whose}")?;
    }
    if names_owner {
        for ((_, environment), owner) in loaded.owners() {
            let before = loaded.owner_before(&environment);
            writeln!(host.output, "{}", ownership(&environment, before, &owner))?;
        }
    }
    Ok(Exit::Done)
}

/// What became of an environment's owner, and what that means. Whether stacks carry the id is for the account to say.
fn ownership(environment: &str, before: Option<&str>, owner: &str) -> String {
    match before {
        Some(before) if before == owner => format!("the owner of `{environment}` is already {owner}"),
        Some(before) => format!(
            "the owner of `{environment}` is now {owner}; it was {before}, and stacks that carry that are no longer its \
             own: `hubform status` lists them"
        ),
        None => format!(
            "the owner of `{environment}` is now {owner}; `hubform status` lists the stacks under its name, and their owners"
        ),
    }
}

fn owner(args: &args::LockArgs) -> OwnerPolicy {
    match &args.owner {
        Some(owner) => OwnerPolicy::Said(owner.clone()),
        None if args.new_owner => OwnerPolicy::New,
        None => OwnerPolicy::Made,
    }
}

/// An owner is one environment's.
fn refuse_several(args: &args::LockArgs, loaded: &Loaded) -> Result<()> {
    let names: BTreeSet<_> = loaded.read.scopes.iter().map(|scope| scope.set.environment.name.as_str()).collect();
    if names.len() < 2 || (args.owner.is_none() && !args.new_owner) {
        return Ok(());
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("an owner id belongs to one environment, and this selects {}", names.join(", "));
    anyhow::bail!(Refusal::new(message, "name the folder of one, or use `--environment NAME`"))
}

/// Is there a manifest of this name? `chat`, `Endpoint/chat` and `Endpoint/chat@default` are one's names.
fn has_manifest(loaded: &Loaded, name: &str) -> bool {
    let name = name.split('@').next().unwrap_or(name);
    let mut documents = loaded.read.scopes.iter().flat_map(|scope| &scope.set.documents);
    documents.any(|document| document.name == name || format!("{}/{}", document.kind, document.name) == name)
}
