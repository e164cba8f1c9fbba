//! Updates that a service refuses in one: something is taken out, the rest moves, and it comes back.
//!
//! What has to step aside, and why, each [`Detour`] says for itself; they are tried in order. The rest is the same for
//! all: `passage` lays the phases out, `mark` lets any later run know what is out, `put_back` tells what the way back
//! restores.

use std::collections::{BTreeMap, BTreeSet};

use super::template::Template;

mod mark;
mod passage;
mod put_back;
mod scalable_target;

pub use mark::Unfinished;
pub(super) use mark::{Before, Resumed};
pub(super) use passage::Passage;

/// Something that is in the way of an update.
pub(super) trait Detour: Sync {
    /// What has to be out for the update, or stay out where an earlier run took it out; none where nothing has.
    ///
    /// # Errors
    ///
    /// Who refers to what has to go, and cannot do without it.
    fn needed(
        &self,
        live: BodyWithValues<'_>,
        wanted: BodyWithValues<'_>,
        is_out: bool,
    ) -> Result<Option<Aside>, Entangled>;
}

/// Tried in this order.
static DETOURS: [&dyn Detour; 1] = [&scalable_target::ScalableTarget];

/// The first detour that the update needs, if any.
pub(super) fn needed(
    live: BodyWithValues<'_>,
    wanted: BodyWithValues<'_>,
    is_out: bool,
) -> Result<Option<Aside>, Entangled> {
    for detour in DETOURS {
        if let Some(aside) = detour.needed(live, wanted, is_out)? {
            return Ok(Some(aside));
        }
    }
    Ok(None)
}

/// One body with the parameter values it has, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyWithValues<'a> {
    pub(super) template: &'a Template,
    pub(super) values: &'a BTreeMap<String, String>,
}

/// What steps aside, with the words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aside {
    /// What it is, as `the scalable target`.
    pub(super) what: &'static str,
    /// Logical ids in the body that runs; empty where an earlier run took them out already.
    pub(super) live: BTreeSet<String>,
    /// Those of them that have to be gone before the next phase; the others may be left behind.
    pub(super) clears: BTreeSet<String>,
    /// Logical ids in the body wanted; empty where nothing comes back.
    pub(super) wanted: BTreeSet<String>,
    /// What the phase between does, as `move the endpoint to ml.g6.xlarge`.
    pub(super) purpose: String,
    /// Why it cannot be one update.
    pub(super) why: Vec<String>,
}

/// A resource that refers to what has to step aside and cannot do without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entangled {
    /// Who refers.
    pub(super) resource: String,
    /// To what.
    pub(super) to: String,
}
