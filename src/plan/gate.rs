//! What a change set may do, and whether it keeps to that.
//!
//! "May be replaced" is permission for "is replaced": the service may know for sure what a plan could only fear.

use super::{Allowed, ChangeKind, Gate};
use crate::cloud::{self, ChangeAction, ChangeSet, Replacement};

/// Where a change set does more than was announced, in sentences. Doing less is fine.
pub fn judge(gate: &Gate, change_set: &ChangeSet) -> Vec<String> {
    change_set.changes.iter().filter_map(|change| breach(gate, change)).collect()
}

fn breach(gate: &Gate, change: &cloud::Change) -> Option<String> {
    let who = format!("{} ({})", change.logical_id, change.resource_type);
    // An action we cannot name could do anything.
    let Some(kind) = kind(&change.action) else {
        return Some(format!("{who} has the action `{}`, which no plan announces", change.action));
    };
    match gate.allowed.get(&change.logical_id) {
        // What nobody read in the plan nobody approved.
        None => Some(format!("{who} would be {}, which the plan does not announce", done(kind))),
        Some(allowed) if allowed.kind != kind => {
            Some(format!("{who} would be {}; the plan said {}", done(kind), done(allowed.kind)))
        }
        Some(allowed) if kind == ChangeKind::Modify => worse(allowed, change).map(|what| format!("{who} {what}")),
        Some(_) => None,
    }
}

fn worse(allowed: &Allowed, change: &cloud::Change) -> Option<String> {
    // A change set that does not say counts as the worst.
    let would = change.replacement.as_ref().unwrap_or(&Replacement::True).rank();
    if would == 0 || allowed.replacement.rank() > 0 {
        return None;
    }
    let would = if would == 1 { "may be replaced" } else { "would be replaced" };
    Some(format!("{would}; the plan said it changes in place"))
}

fn kind(action: &ChangeAction) -> Option<ChangeKind> {
    match action {
        ChangeAction::Add => Some(ChangeKind::Add),
        ChangeAction::Modify => Some(ChangeKind::Modify),
        ChangeAction::Remove => Some(ChangeKind::Remove),
        ChangeAction::Import | ChangeAction::Dynamic | ChangeAction::Other(_) => None,
    }
}

fn done(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Add => "added",
        ChangeKind::Modify => "changed",
        ChangeKind::Remove => "removed",
    }
}
