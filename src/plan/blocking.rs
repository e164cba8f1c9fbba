//! Stacks that a request needs and that somebody's operation still runs on. What runs is never planned upon.

use std::collections::BTreeSet;

use super::{Request, destroy::has_other_prefix, graph, guard, observe};
use crate::cloud::{StackRef, StackStatus};

/// One stack to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocking {
    /// The stack.
    pub stack: StackRef,
    /// Where it stands.
    pub status: StackStatus,
    /// Its manifest, as `Endpoint/chat`.
    pub manifest: String,
}

/// What an apply waits for: ours, among what is chosen and what that needs.
pub(super) fn blocking(request: &Request<'_>) -> Vec<Blocking> {
    let specs = observe::by_stack(request.specs);
    let needed: BTreeSet<StackRef> = graph::with_needs(request.chosen, &specs).into_keys().collect();
    running(request, &needed)
}

/// What a destroy waits for: ours, among what is chosen.
pub(super) fn blocking_to_destroy(request: &Request<'_>) -> Vec<Blocking> {
    running(request, request.chosen)
}

fn running(request: &Request<'_>, needed: &BTreeSet<StackRef>) -> Vec<Blocking> {
    let specs = observe::by_stack(request.specs);
    let observed = observe::index(request.observation);
    let found = observed.into_iter().filter(|(stack, found)| needed.contains(stack) && found.stack.status.is_running());
    let ours = found
        .filter(|(stack, found)| specs.get(stack).is_none_or(|spec| guard::foreign(request, spec, found).is_none()));
    let ours = ours.filter(|(stack, found)| specs.contains_key(stack) || !has_other_prefix(request, found));
    let blocking = ours.filter_map(|(stack, found)| {
        let owner = found.tagged()?;
        let manifest = owner.manifest();
        Some(Blocking { stack, status: found.stack.status.clone(), manifest })
    });
    blocking.collect()
}
