//! Desired and observed stacks become a [`Plan`]: a value, complete, printable, that decides everything.
//!
//! Pure. The diff judges replacement by the resource-type table, the graph orders stacks, `recover` turns a status
//! into the next operation, the gate says what an update may do, the guard what protection forbids, and the audit
//! re-reads the finished plan as a stranger.

mod audit;
mod beyond;
mod blocking;
mod capacity;
mod decide;
mod destroy;
mod detour;
mod diff;
mod edit;
mod gate;
mod grants;
mod graph;
mod guard;
mod inputs;
mod model;
mod observe;
mod outlook;
mod planner;
mod purpose;
mod recover;
mod shared;
mod template;
mod types;
mod update;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use audit::audit;
pub use beyond::Wide;
pub use blocking::Blocking;
pub use decide::{Decision, decide, fill};
pub use destroy::destroy;
pub use detour::Unfinished;
pub use gate::judge;
pub use guard::no_such_manifest;
pub use model::{
    Action, After, Allowed, Between, ChangeKind, FORMAT, Gate, Half, Observed, Operation, Phase, Plan,
    PlannedEnvironment, PropertyChange, ResourceChange, Step, Submission,
};
pub use observe::{
    Observation, ObservedStack, StacksElsewhere, belongs, by_stack, elsewhere, may_belong, ours, owner_in, wants_body,
    wants_body_to_destroy, wants_owner,
};
pub use planner::plan;
pub use purpose::{AfterLook, Purpose, WaitState, environments};

use crate::{catalog::Catalog, cloud::StackRef, render::StackSpec};

/// What a plan is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The environments in scope, in the order they are shown.
    pub environments: &'a [PlannedEnvironment],
    /// Every stack of those environments as it should be.
    pub specs: &'a [StackSpec],
    /// The stacks that are acted on; a plan adds what they need, destroying adds nothing.
    pub chosen: &'a BTreeSet<StackRef>,
    /// What is in the accounts.
    pub observation: &'a Observation,
    /// The protected manifests that may be deleted or replaced, as `Endpoint/chat`.
    pub allow: &'a BTreeSet<String>,
    /// The manifests that may take over a stack of somebody else, as `Endpoint/chat`.
    pub adopt: &'a BTreeSet<String>,
    /// Ask the service for its own pre-deployment checks of new stacks first.
    pub validate: bool,
    /// For the resource types.
    pub catalog: &'a Catalog,
    /// An id that no other plan has.
    pub nonce: &'a str,
}
