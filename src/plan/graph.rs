//! The graph of stacks: what is in scope, in which order, and what waits for what.

use std::collections::{BTreeMap, BTreeSet};

use crate::{cloud::StackRef, render::StackSpec};

/// For each stack those that must come before it.
pub(super) type Edges = BTreeMap<StackRef, BTreeSet<StackRef>>;

/// The chosen stacks and all they need, with edges among them.
pub(super) fn with_needs(chosen: &BTreeSet<StackRef>, specs: &BTreeMap<&StackRef, &StackSpec>) -> Edges {
    let mut edges = Edges::new();
    let mut open: Vec<&StackRef> = chosen.iter().collect();
    while let Some(stack) = open.pop() {
        let Some(spec) = specs.get(stack).filter(|_| !edges.contains_key(stack)) else { continue };
        let needs = spec.envelope.needs.iter().filter(|need| specs.contains_key(need) && *need != stack);
        edges.insert(stack.clone(), needs.clone().cloned().collect());
        open.extend(needs);
    }
    edges
}

/// Every stack after those it needs; among those that could come next, the one with the lowest rank. Should there be
/// a cycle, its members come last, in their rank.
pub(super) fn order<K: Ord>(edges: &Edges, rank: impl Fn(&StackRef) -> K) -> Vec<StackRef> {
    let mut missing: BTreeMap<&StackRef, usize> = edges.iter().map(|(stack, needs)| (stack, needs.len())).collect();
    let dependants = dependants(edges);
    let free = |stack: &&StackRef| edges[*stack].is_empty();
    let mut ready: BTreeSet<(K, &StackRef)> = edges.keys().filter(free).map(|stack| (rank(stack), stack)).collect();
    let mut ordered = Vec::with_capacity(edges.len());
    while let Some((_, stack)) = ready.pop_first() {
        missing.remove(stack);
        ordered.push(stack.clone());
        for dependant in dependants.get(stack).into_iter().flatten() {
            if let Some(count) = missing.get_mut(dependant) {
                *count -= 1;
                if *count == 0 {
                    ready.insert((rank(dependant), dependant));
                }
            }
        }
    }
    let mut cyclic: Vec<&StackRef> = missing.into_keys().collect();
    cyclic.sort_by_key(|stack| rank(stack));
    ordered.extend(cyclic.into_iter().cloned());
    ordered
}

/// For each stack those that need it.
pub(super) fn dependants(edges: &Edges) -> BTreeMap<&StackRef, BTreeSet<&StackRef>> {
    let mut found: BTreeMap<&StackRef, BTreeSet<&StackRef>> = BTreeMap::new();
    for (stack, needs) in edges {
        for need in needs {
            found.entry(need).or_default().insert(stack);
        }
    }
    found
}
