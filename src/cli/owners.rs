//! Whose an environment is: the owner id in its lock, taken, made or put in as the verb wants it.

use std::path::Path;

use anyhow::Result;

use super::{
    Refusal,
    host::Host,
    locks::{self, LockFile, overlay_file},
    read::LoadOptions,
    session,
};
use crate::{
    diagnostic::{Code, Diagnostic, SourceMap},
    files::Files,
    manifest::EnvironmentSet,
    resolve::{Lock, Locked, OwnerAction, OwnerFacts},
};

/// Sees to it that the environment has an owner, where the verb needs one.
pub(super) fn settle(
    host: &mut Host,
    files: &dyn Files,
    options: &LoadOptions,
    set: &EnvironmentSet,
    file: &LockFile,
    locked: Option<Locked>,
    lock: &mut Lock,
) -> Result<Option<Diagnostic>> {
    let environment = &set.environment;
    let facts = OwnerFacts {
        known: lock.owner(&environment.name).is_some(),
        locked: locked.is_some(),
        imagined: options.lock_overlay.is_some(),
        unwritten: options.region_needed && environment.origin.is_none() && !files.exists(&file.path),
    };
    let owner = match options.owner.decide(facts) {
        OwnerAction::Keep => return Ok(None),
        OwnerAction::Missing => return Ok(Some(missing(set, locked))),
        OwnerAction::Refuse => anyhow::bail!(Refusal::nobodys()),
        OwnerAction::Put(owner) => owner,
        OwnerAction::Make => imagined(files, file, &environment.name).unwrap_or_else(|| host.new_id()),
        OwnerAction::Renew => host.new_id(),
    };
    lock.set_owner(&environment.name, owner);
    Ok(None)
}

/// The owner that the environment has in the usual imagined account: who played there before locks the same one.
fn imagined(files: &dyn Files, file: &LockFile, environment: &str) -> Option<String> {
    let path = overlay_file(files, Path::new(session::USUAL_FOLDER), &file.path);
    let lock = locks::parse(&path, &files.read(&path).ok()?, &mut SourceMap::default()).ok()?;
    lock.owner(environment).map(str::to_owned)
}

fn missing(set: &EnvironmentSet, locked: Option<Locked>) -> Diagnostic {
    let (name, why) = (&set.environment.name, locked.map(|why| format!(" {why}")).unwrap_or_default());
    let message = format!("the lock has no owner id for the environment `{name}`, and none may be created{why}");
    let finding = Diagnostic::new(Code::LockMissing, message).help("run `hubform lock` and commit hubform.lock");
    match &set.environment.origin {
        Some(origin) => finding.at(origin.span("/metadata/name")),
        None => finding,
    }
}
