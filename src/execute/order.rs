//! Who waits for whom, and which ready stack starts first: the one with the longest estimated way to the end behind it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::plan::{After, Plan, Step};

/// What must have landed of another step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) step: usize,
    /// How many of its operations; none where it is all of them, and its checks.
    pub(super) operations: Option<usize>,
}

/// Who waits for whom, and how long the way to the end is.
#[derive(Debug)]
pub(super) struct Order {
    /// By step: those that wait for something of it.
    pub(super) dependants: Vec<BTreeSet<usize>>,
    /// By step: what must have landed before its first operation.
    pub(super) needs: Vec<Vec<Wait>>,
    /// By step and operation: what must have landed besides.
    after: Vec<BTreeMap<usize, Vec<Wait>>>,
    /// By step: its own estimate and the longest of those that need it.
    pub(super) path: Vec<Duration>,
}

impl Order {
    pub(super) fn of(plan: &Plan) -> Self {
        let index: BTreeMap<_, _> = plan.steps.iter().enumerate().map(|(i, step)| (&step.identity.stack, i)).collect();
        let needs_of = |step: &Step| -> Vec<Wait> {
            let acts = !step.operations.is_empty();
            let needed = step.needs.iter().filter(|_| acts).filter_map(|need| index.get(need).copied());
            needed.map(|step| Wait { step, operations: plan.steps[step].until_others() }).collect()
        };
        let after_of = |step: &Step| -> BTreeMap<usize, Vec<Wait>> {
            let waits = step.operations.iter().map(|operation| operation.after()).enumerate();
            let wait = |after: &After| {
                let step = index.get(&after.stack).copied()?;
                let landed = after.operation + 1;
                Some(Wait { step, operations: (landed < plan.steps[step].operations.len()).then_some(landed) })
            };
            let waits = waits.filter(|(_, after)| !after.is_empty());
            waits.map(|(at, after)| (at, after.iter().filter_map(wait).collect())).collect()
        };
        let needs: Vec<Vec<Wait>> = plan.steps.iter().map(needs_of).collect();
        let after: Vec<_> = plan.steps.iter().map(after_of).collect();
        let path = paths(plan, &needs);
        let mut dependants = vec![BTreeSet::new(); needs.len()];
        for (step, needs) in needs.iter().enumerate() {
            for wait in needs.iter().chain(after[step].values().flatten()) {
                dependants[wait.step].insert(step);
            }
        }
        Self { dependants, needs, after, path }
    }

    /// What an operation waits for besides what its step needs.
    pub(super) fn after(&self, step: usize, operation: usize) -> &[Wait] {
        self.after[step].get(&operation).map_or(&[], Vec::as_slice)
    }
}

/// Steps stand behind those they need, so each has its way when theirs is asked for.
fn paths(plan: &Plan, needs: &[Vec<Wait>]) -> Vec<Duration> {
    let mut path: Vec<_> = plan.steps.iter().map(Step::estimate).collect();
    for step in (0..path.len()).rev() {
        let own = path[step];
        for wait in &needs[step] {
            let through = plan.steps[wait.step].estimate() + own;
            path[wait.step] = path[wait.step].max(through);
        }
    }
    path
}
