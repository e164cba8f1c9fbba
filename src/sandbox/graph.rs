//! Which resource waits for which.

use std::collections::{BTreeMap, BTreeSet};

use super::template::Declared;

/// The resources in an order in which each comes after what it depends on; by name where that leaves a choice.
///
/// # Errors
/// The resources that lie on a cycle or behind one.
pub(crate) fn order(resources: &BTreeMap<String, Declared>) -> Result<Vec<&str>, Vec<&str>> {
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, declared) in resources {
        let edges = declared.edges.iter().filter(|edge| resources.contains_key(*edge));
        missing.insert(id, edges.clone().count());
        edges.for_each(|edge| dependents.entry(edge).or_default().push(id));
    }
    let mut ready: BTreeSet<&str> = missing.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    let mut ordered = Vec::with_capacity(resources.len());
    while let Some(id) = ready.pop_first() {
        ordered.push(id);
        for dependent in dependents.get(id).into_iter().flatten() {
            let count = missing.entry(dependent).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                ready.insert(dependent);
            }
        }
    }
    if ordered.len() == resources.len() {
        return Ok(ordered);
    }
    let done: BTreeSet<&str> = ordered.into_iter().collect();
    Err(resources.keys().map(String::as_str).filter(|id| !done.contains(id)).collect())
}
