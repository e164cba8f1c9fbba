//! Which ready stack starts first: the one with the longest estimated way to the end behind it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    manifest::Kind,
    plan::{Plan, Step},
};

/// An endpoint with a GPU takes minutes to pull its image and load its model.
const ENDPOINT: Duration = Duration::from_secs(8 * 60);
/// Roles and the like.
const OTHER: Duration = Duration::from_secs(30);

/// Who waits for whom, and how long the way to the end is.
#[derive(Debug)]
pub(super) struct Order {
    /// By step: the steps that need it.
    pub(super) dependants: Vec<Vec<usize>>,
    /// By step: those it needs, as far as they are in the plan and do something.
    pub(super) needs: Vec<Vec<usize>>,
    /// By step: its own estimate and the longest of its dependants'.
    pub(super) path: Vec<Duration>,
}

impl Order {
    pub(super) fn of(plan: &Plan) -> Self {
        // Backwards, because the last part of a shared role stands behind the step it belongs to.
        let index: BTreeMap<_, _> =
            plan.steps.iter().enumerate().rev().map(|(i, step)| (&step.identity.stack, i)).collect();
        let needs_of = |step: &Step| -> Vec<usize> {
            let waits = !step.operations.is_empty();
            step.needs.iter().filter(|_| waits).filter_map(|need| index.get(need).copied()).collect()
        };
        let needs: Vec<_> = plan.steps.iter().map(needs_of).collect();
        let mut dependants = vec![Vec::new(); needs.len()];
        for (step, needed) in needs.iter().enumerate() {
            needed.iter().for_each(|need| dependants[*need].push(step));
        }
        let mut path: Vec<_> = plan.steps.iter().map(estimate).collect();
        for step in (0..path.len()).rev() {
            let behind = dependants[step].iter().map(|after| path[*after]).max();
            path[step] += behind.unwrap_or_default();
        }
        Self { dependants, needs, path }
    }
}

fn estimate(step: &Step) -> Duration {
    let one = if step.identity.kind == Kind::Endpoint { ENDPOINT } else { OTHER };
    one * u32::try_from(step.operations.len()).unwrap_or(u32::MAX)
}
