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

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::Lock) -> Result<Exit> {
    // Whose an environment is stands beside it, also for imagined accounts.
    let names_owner = args.owner.is_some() || args.new_owner;
    if names_owner && host.sandbox.is_none() && session::sandbox_folder(host, globals).is_some() {
        let message = "an imagined account takes the owner that stands in hubform.lock";
        anyhow::bail!(Refusal::new(
            message,
            "leave `--sandbox` out, if the owner of the real stacks is meant to change"
        ));
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
        let message = format!("`{path}` is a path, and `--upgrade` takes the name of a manifest");
        anyhow::bail!(Refusal::new(message, format!("write `hubform lock {path} --upgrade` for all that is there")));
    }
    let mut loaded = load_asking(host, &args.selection, &options).await?;
    if !loaded.resolved.questions.is_empty() {
        loaded = loaded.closed().again(host, &args.selection, &options)?;
    }
    if let Some(name) = named.filter(|name| !has_manifest(&loaded, name)) {
        let message = format!("there is no manifest `{name}` here");
        anyhow::bail!(Refusal::new(message, "say a name such as `chat` or `Endpoint/chat`, and the path before it"));
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
        writeln!(host.output, "every choice is pinned already{whose}")?;
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
        Some(before) if before == owner => format!("the owner of `{environment}` is {owner} already"),
        Some(before) => format!(
            "the owner of `{environment}` is {owner}, and was {before}: stacks that carry {before} are no longer its \
             own; `hubform status` says what stands under its name"
        ),
        None => format!(
            "the owner of `{environment}` is {owner}; `hubform status` says what stands under its name, and whose it is"
        ),
    }
}

fn owner(args: &args::Lock) -> OwnerPolicy {
    match &args.owner {
        Some(owner) => OwnerPolicy::Said(owner.clone()),
        None if args.new_owner => OwnerPolicy::New,
        None => OwnerPolicy::Made,
    }
}

/// An owner is one environment's.
fn refuse_several(args: &args::Lock, loaded: &Loaded) -> Result<()> {
    let names: BTreeSet<_> = loaded.read.scopes.iter().map(|scope| scope.set.environment.name.as_str()).collect();
    if names.len() < 2 || (args.owner.is_none() && !args.new_owner) {
        return Ok(());
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("an owner is one environment's, and here are {}", names.join(", "));
    anyhow::bail!(Refusal::new(message, "name the folder of one, or say `--environment NAME`"))
}

/// Is there a manifest of this name? `chat`, `Endpoint/chat` and `Endpoint/chat@default` are one's names.
fn has_manifest(loaded: &Loaded, name: &str) -> bool {
    let name = name.split('@').next().unwrap_or(name);
    let mut documents = loaded.read.scopes.iter().flat_map(|scope| &scope.set.documents);
    documents.any(|document| document.name == name || format!("{}/{}", document.kind, document.name) == name)
}
