//! How phases end, and what follows them: the stack's own statuses. (M, R, D)

use super::{
    account::AccountState,
    operation::{OperationPhase, RunningOperation},
    outputs::LiveResources,
    stack::{Record, StackState},
    steps::About,
    template::list,
    value::EvalScope,
};
use crate::cloud::{ResourceStatus, StackStatus};

impl AccountState {
    /// Nothing is left to do in the phase.
    pub(crate) fn finish_phase(&mut self, number: usize, operation: &mut RunningOperation) {
        match operation.phase {
            OperationPhase::Create | OperationPhase::Update => self.finish_forward(number, operation),
            OperationPhase::CreateRollback => self.finish_removal(number, operation, "ROLLBACK"),
            OperationPhase::Delete => self.finish_removal(number, operation, "DELETE"),
            OperationPhase::Cleanup => self.finish_with(number, operation, StackStatus::UpdateComplete, None),
            OperationPhase::Rollback => self.finish_rollback(number, operation),
            OperationPhase::RollbackCleanup => {
                self.finish_with(number, operation, StackStatus::UpdateRollbackComplete, None)
            }
            OperationPhase::Over => {}
        }
    }

    fn finish_with(
        &mut self,
        number: usize,
        operation: &mut RunningOperation,
        status: StackStatus,
        reason: Option<String>,
    ) {
        self.set_status(number, status, reason);
        operation.phase = OperationPhase::Over;
    }

    /// The resources are done, or in rollback-disabled mode have failed; now the outputs.
    fn finish_forward(&mut self, number: usize, operation: &mut RunningOperation) {
        if operation.failed.is_empty() && operation.trouble.is_none() {
            match self.put_out(number, operation) {
                Ok(()) => return self.land(number, operation),
                Err(trouble) => operation.trouble = Some(trouble),
            }
        }
        if !operation.disable_rollback {
            return self.turn_back(number, operation);
        }
        let reason = summary(operation, "");
        let creating = operation.phase == OperationPhase::Create;
        self.accept_version(number, operation);
        let status = if creating { StackStatus::CreateFailed } else { StackStatus::UpdateFailed };
        self.finish_with(number, operation, status, Some(reason));
    }

    fn put_out(&mut self, number: usize, operation: &mut RunningOperation) -> Result<(), String> {
        let stack = &self.stacks[number];
        let Some(version) = Self::goal(stack, operation) else { return Ok(()) };
        let template = version.template();
        let pseudo = stack.pseudo(&version.submission);
        let scope = EvalScope::new(&template, &version.submission.parameters, pseudo)?;
        let live = LiveResources::new(self, number);
        let outputs = self.outputs(number, &scope, &live)?;
        operation.imports.append(&mut live.imported.borrow_mut());
        let imports = std::mem::take(&mut operation.imports);
        self.publish(number, outputs, imports);
        Ok(())
    }

    /// The cleanup status comes after every successful update, even with nothing to clean up. (R)
    fn land(&mut self, number: usize, operation: &mut RunningOperation) {
        if operation.phase == OperationPhase::Create {
            self.accept_version(number, operation);
            return self.finish_with(number, operation, StackStatus::CreateComplete, None);
        }
        let removed = self.removed(number, operation);
        self.accept_version(number, operation);
        let replaced = replaced(&self.stacks[number], operation);
        operation.doomed.extend(removed.into_iter().chain(replaced));
        self.set_status(number, StackStatus::UpdateCompleteCleanupInProgress, None);
        operation.phase = OperationPhase::Cleanup;
        self.begin_phase(number, operation);
    }

    /// The resources that the new version no longer has.
    fn removed(&mut self, number: usize, operation: &RunningOperation) -> Vec<Record> {
        let records = &mut self.stacks[number].records;
        let gone: Vec<String> = records.keys().filter(|id| !operation.nodes.contains_key(*id)).cloned().collect();
        gone.iter().filter_map(|id| records.remove(id)).collect()
    }

    /// The version walked towards becomes the stack's, and its records take their policies and edges from it.
    fn accept_version(&mut self, number: usize, operation: &mut RunningOperation) {
        let stack = &mut self.stacks[number];
        if let Some(next) = operation.next.take() {
            stack.version = Some(next);
        }
        let template = stack.template();
        for (id, record) in &mut stack.records {
            if let Some(declared) = template.resources.get(id) {
                record.depends_on.clone_from(&declared.edges);
                record.deletion_policy = declared.deletion_policy;
                record.replace_policy = declared.replace_policy;
            }
        }
    }

    /// The phase after a failed one, or after a deletion that imports forbid.
    pub(crate) fn turn_back(&mut self, number: usize, operation: &mut RunningOperation) {
        match operation.phase {
            OperationPhase::Delete => {
                // (O: back to the previous resting status, with the export as the reason)
                let (status, reason) = (operation.origin.clone(), operation.trouble.take());
                self.finish_with(number, operation, status, reason);
            }
            OperationPhase::Create => {
                let reason = summary(operation, " Rollback requested by user.");
                self.turn_to(
                    number,
                    operation,
                    OperationPhase::CreateRollback,
                    StackStatus::RollbackInProgress,
                    reason,
                );
            }
            _ => {
                let reason = summary(operation, "");
                self.turn_to(
                    number,
                    operation,
                    OperationPhase::Rollback,
                    StackStatus::UpdateRollbackInProgress,
                    reason,
                );
            }
        }
    }

    /// A rollback has an operation id of its own. (C)
    fn turn_to(
        &mut self,
        number: usize,
        operation: &mut RunningOperation,
        phase: OperationPhase,
        status: StackStatus,
        reason: String,
    ) {
        let token = self.stacks[number].operations.last().and_then(|last| last.token.clone());
        self.log_operation(number, token);
        self.set_status(number, status, Some(reason));
        if phase == OperationPhase::CreateRollback {
            // (R: DeletionTime is set as soon as a creation rolls back)
            self.stacks[number].deleted_at = Some(self.now);
            self.forget_unborn(number, operation);
        }
        operation.phase = phase;
        self.begin_phase(number, operation);
    }

    /// A resource that failed before it had a physical id only reports that it is gone. (K)
    fn forget_unborn(&mut self, number: usize, operation: &RunningOperation) {
        let template = self.stacks[number].template();
        for (logical_id, _) in &operation.failed {
            if self.stacks[number].records.contains_key(logical_id) {
                continue;
            }
            let declared = operation.next.as_ref().map_or_else(|| template.clone(), |next| next.template());
            let Some(declared) = declared.resources.get(logical_id) else { continue };
            let about = About { logical_id, resource_type: &declared.resource_type, physical_id: None };
            self.emit(number, about, ResourceStatus::DeleteComplete, None);
        }
    }

    fn finish_rollback(&mut self, number: usize, operation: &mut RunningOperation) {
        if !operation.failed.is_empty() {
            let reason = summary(operation, "");
            let unrestored = replaced(&self.stacks[number], operation);
            operation.doomed.extend(unrestored);
            self.stacks[number].leftovers.append(&mut operation.doomed);
            return self.finish_with(number, operation, StackStatus::UpdateRollbackFailed, Some(reason));
        }
        let created = operation.saved.iter().filter(|(_, before)| before.is_none()).map(|(id, _)| id);
        let records = &mut self.stacks[number].records;
        let created: Vec<Record> = created.filter_map(|id| records.remove(id)).collect();
        operation.doomed.extend(created);
        self.set_status(number, StackStatus::UpdateRollbackCompleteCleanupInProgress, None);
        operation.phase = OperationPhase::RollbackCleanup;
        self.begin_phase(number, operation);
    }

    /// The end of a deletion, requested or of a rollback.
    fn finish_removal(&mut self, number: usize, operation: &mut RunningOperation, verb: &str) {
        let failed = !operation.failed.is_empty();
        let status = StackStatus::from(format!("{verb}_{}", if failed { "FAILED" } else { "COMPLETE" }).as_str());
        let reason = failed.then(|| summary(operation, ""));
        let deleted = status.is_deleted();
        self.finish_with(number, operation, status, reason);
        if deleted {
            self.bury(number);
        }
    }

    /// The stack is found by its id only, for 90 days. (D, M)
    fn bury(&mut self, number: usize) {
        self.publish(number, Default::default(), Default::default());
        let place = self.stacks[number].place.clone();
        let stack = &mut self.stacks[number];
        stack.deleted_at = Some(self.now);
        stack.change_sets.clear();
        if let Some(live) = self.index.live.get_mut(&place) {
            live.remove(&stack.name);
        }
    }
}

/// The old physical resources behind replacements.
fn replaced(stack: &StackState, operation: &RunningOperation) -> Vec<Record> {
    let before = operation.saved.values().flatten();
    let stands =
        |old: &&Record| stack.records.get(&old.logical_id).is_some_and(|now| now.physical_id != old.physical_id);
    let policy = |old: &Record| {
        let declared = stack.records.get(&old.logical_id).map_or(old.replace_policy, |now| now.replace_policy);
        Record { replace_policy: declared, ..old.clone() }
    };
    before.filter(stands).map(policy).collect()
}

/// `The following resource(s) failed to create: [A, B].`, or the stack's own trouble.
fn summary(operation: &RunningOperation, tail: &str) -> String {
    let named = |verb: &str| {
        let ids: Vec<&str> =
            operation.failed.iter().filter(|(_, known)| known == verb).map(|(id, _)| id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("The following resource(s) failed to {verb}: [{}].", list(ids)))
    };
    let named: Vec<String> = ["create", "update", "delete"].into_iter().filter_map(named).collect();
    let goes_on = !named.is_empty() || !tail.is_empty();
    let ended = |sentence: &String| match goes_on && !sentence.ends_with('.') {
        true => format!("{sentence}."),
        false => sentence.clone(),
    };
    let parts: Vec<String> = operation.trouble.iter().map(ended).chain(named).collect();
    format!("{}{tail}", parts.join(" "))
}
