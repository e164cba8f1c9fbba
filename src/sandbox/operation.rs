//! An operation on a stack: phases that walk its resources.
//!
//! A phase is a graph of nodes, one per resource. A node whose predecessors are done is *released*: its task is
//! decided by comparing evaluated properties; without a task it is over at once and silently. Else it begins (the first
//! event), acts (the handler's call, which returns the physical id) and settles (the last event). Nodes without an edge
//! between them run concurrently. Deletion walks the graph backwards. (D, R)
//!
//! | operation | phases |
//! | --- | --- |
//! | create | Create; after a failure CreateRollback |
//! | update | Update, Cleanup; after a failure Rollback, RollbackCleanup |
//! | delete | Delete |

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    account::AccountState,
    ids,
    outputs::LiveResources,
    queue::{Due, DueAction},
    reference::ResourceReference,
    stack::{Record, StackState, StackVersion},
    value::{EvalScope, Evaluated, Lookup, mark},
};
use crate::cloud::{ExecutionStatus, StackStatus};

/// A phase of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum OperationPhase {
    Create,
    CreateRollback,
    Update,
    Cleanup,
    Rollback,
    RollbackCleanup,
    Delete,
    /// Nothing is left to do.
    Over,
}

impl OperationPhase {
    pub(crate) fn deletes(self) -> bool {
        matches!(self, Self::CreateRollback | Self::Cleanup | Self::RollbackCleanup | Self::Delete)
    }

    /// Does the phase continue after a failure?
    pub(crate) fn is_cleanup(self) -> bool {
        matches!(self, Self::Cleanup | Self::RollbackCleanup)
    }
}

/// The task on one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Task {
    Undecided,
    Create(serde_json::Value),
    Update(serde_json::Value),
    Replace(serde_json::Value),
    Restore(Box<Record>),
    Delete(Box<Record>),
}

/// The progress of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NodeProgress {
    Waiting,
    Released,
    Begun,
    Over,
}

/// One resource in a phase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OperationNode {
    pub(crate) logical_id: String,
    pub(crate) waits: usize,
    pub(crate) dependents: Vec<String>,
    pub(crate) progress: NodeProgress,
    pub(crate) task: Task,
    pub(crate) stuck: bool,
}

/// An operation that runs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunningOperation {
    pub(crate) phase: OperationPhase,
    pub(crate) disable_rollback: bool,
    pub(crate) nodes: BTreeMap<String, OperationNode>,
    /// Nodes that are not over.
    pub(crate) open: usize,
    /// The version an update leads to.
    pub(crate) next: Option<StackVersion>,
    /// Resources before this operation touched them; none for those that did not exist.
    pub(crate) saved: BTreeMap<String, Option<Record>>,
    /// Physical resources that have been replaced or rolled back.
    pub(crate) doomed: Vec<Record>,
    /// What failed in this phase, cancelled ones included, with the verb: `create`.
    pub(crate) failed: Vec<(String, String)>,
    /// A failure of the stack itself.
    pub(crate) trouble: Option<String>,
    pub(crate) imports: BTreeSet<String>,
    /// The status to fall back to when a deletion is cancelled.
    pub(crate) origin: StackStatus,
    /// The change set that is being executed.
    pub(crate) change_set: Option<String>,
}

impl RunningOperation {
    pub(crate) fn new(
        phase: OperationPhase,
        disable_rollback: bool,
        origin: StackStatus,
        change_set: Option<String>,
    ) -> Self {
        Self {
            phase,
            disable_rollback,
            nodes: BTreeMap::new(),
            open: 0,
            next: None,
            saved: BTreeMap::new(),
            doomed: Vec::new(),
            failed: Vec::new(),
            trouble: None,
            imports: BTreeSet::new(),
            origin,
            change_set,
        }
    }

    fn is_forward(&self) -> bool {
        matches!(self.phase, OperationPhase::Create | OperationPhase::Update)
    }

    /// Lays out the nodes; `edges` are pairs of (what waits, for what).
    fn lay_out(&mut self, nodes: Vec<(String, String, Task)>, edges: impl Iterator<Item = (String, String)>) {
        self.failed.clear();
        self.open = nodes.len();
        self.nodes = nodes
            .into_iter()
            .map(|(key, logical_id, task)| {
                let (waits, dependents, progress) = (0, Vec::new(), NodeProgress::Waiting);
                (key, OperationNode { logical_id, waits, dependents, progress, task, stuck: false })
            })
            .collect();
        for (waiting, first) in edges {
            if !self.nodes.contains_key(&waiting) {
                continue;
            }
            if let Some(node) = self.nodes.get_mut(&first) {
                node.dependents.push(waiting.clone());
                self.nodes.entry(waiting).and_modify(|node| node.waits += 1);
            }
        }
    }

    /// The node is over; returns those that waited for nothing else.
    pub(crate) fn close(&mut self, key: &str) -> Vec<String> {
        let Some(node) = self.nodes.get_mut(key) else { return Vec::new() };
        node.progress = NodeProgress::Over;
        self.open -= 1;
        let dependents = std::mem::take(&mut node.dependents);
        dependents.into_iter().filter(|dependent| self.is_free(dependent)).collect()
    }

    fn is_free(&mut self, key: &str) -> bool {
        let Some(node) = self.nodes.get_mut(key) else { return false };
        node.waits = node.waits.saturating_sub(1);
        node.waits == 0 && node.progress == NodeProgress::Waiting
    }

    /// Gives up everything that waits for a node, directly or not.
    pub(crate) fn abandon_dependents(&mut self, key: &str) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        for dependent in std::mem::take(&mut node.dependents) {
            if self.nodes.get(&dependent).is_some_and(|node| node.progress == NodeProgress::Waiting) {
                self.close_silently(&dependent);
                self.abandon_dependents(&dependent);
            }
        }
    }

    pub(crate) fn close_silently(&mut self, key: &str) {
        if let Some(node) = self.nodes.get_mut(key)
            && node.progress != NodeProgress::Over
        {
            node.progress = NodeProgress::Over;
            self.open -= 1;
        }
    }
}

/// Asks for imports only; the first that is missing.
struct Exports<'a> {
    state: &'a AccountState,
    stack: &'a StackState,
    missing: RefCell<Option<String>>,
}

impl Lookup for Exports<'_> {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<serde_json::Value> {
        Ok(mark(reference))
    }

    fn import(&self, name: &str) -> Evaluated<serde_json::Value> {
        let found = self.state.import(self.stack, name);
        if let Err(reason) = &found {
            self.missing.borrow_mut().get_or_insert_with(|| reason.clone());
        }
        found
    }
}

impl AccountState {
    /// Begins an operation with its first phase.
    pub(crate) fn start(&mut self, number: usize, operation: RunningOperation) {
        let mut operation = Box::new(operation);
        self.begin_phase(number, &mut operation);
        self.stacks[number].operation = Some(operation);
    }

    /// Does what is due.
    pub(crate) fn work(&mut self, number: usize, what: DueAction) {
        let Some(mut operation) = self.stacks[number].operation.take() else { return };
        match what {
            DueAction::Begin(key) => self.begin_node(number, &mut operation, &key),
            DueAction::Act(key) => self.act(number, &mut operation, &key),
            DueAction::Settle(key) => self.settle(number, &mut operation, &key),
            DueAction::Finish => self.finish_phase(number, &mut operation),
            DueAction::TurnBack => self.turn_back(number, &mut operation),
            DueAction::ChangeSet(_) => {}
        }
        if operation.phase == OperationPhase::Over {
            self.end_operation(number, &operation);
        } else {
            self.stacks[number].operation = Some(operation);
        }
    }

    /// The executed change set frees its name, and is found by id. (D: execution deletes all change sets of the
    /// stack; R: describable as EXECUTE_COMPLETE, the stack's deletion notwithstanding; K: EXECUTE_FAILED)
    fn end_operation(&mut self, number: usize, operation: &RunningOperation) {
        let stack = &mut self.stacks[number];
        let executed = operation.change_set.as_ref().and_then(|name| stack.change_sets.remove(name));
        if let Some(mut stored) = executed {
            let landed = stack.status.landed();
            stored.execution = if landed { ExecutionStatus::Complete } else { ExecutionStatus::Failed };
            stack.executed.insert(stored.id.clone(), stored);
        }
    }

    /// Lays out the nodes of the operation's phase and releases those that wait for nothing.
    pub(crate) fn begin_phase(&mut self, number: usize, operation: &mut RunningOperation) {
        self.stacks[number].serial += 1;
        if operation.phase == OperationPhase::Delete && operation.trouble.is_some() {
            return self.schedule(number, DueAction::TurnBack, "turn", 1000, 2000);
        }
        if operation.phase.deletes() {
            self.lay_out_deletion(number, operation);
        } else {
            self.lay_out_walk(number, operation);
            operation.trouble = operation.trouble.take().or_else(|| self.missing_export(number, operation));
            if operation.is_forward() && operation.trouble.is_some() {
                return self.stop(number, operation);
            }
        }
        let free = |node: &&OperationNode| node.waits == 0;
        let keys: Vec<String> =
            operation.nodes.iter().filter(|(_, node)| free(node)).map(|(key, _)| key.clone()).collect();
        self.release(number, operation, keys);
    }

    /// The version a phase leads to.
    pub(crate) fn goal<'a>(stack: &'a StackState, operation: &'a RunningOperation) -> Option<&'a StackVersion> {
        match operation.phase {
            OperationPhase::Update => operation.next.as_ref(),
            _ => stack.version.as_ref(),
        }
    }

    fn lay_out_walk(&mut self, number: usize, operation: &mut RunningOperation) {
        let stack = &self.stacks[number];
        let Some(version) = Self::goal(stack, operation) else { return };
        let template = version.template();
        let pseudo = stack.pseudo(&version.submission);
        let Ok(scope) = EvalScope::new(&template, &version.submission.parameters, pseudo) else { return };
        let nodes = scope.present().map(|(id, _)| (id.to_owned(), id.to_owned(), Task::Undecided)).collect();
        let edges: Vec<(String, String)> = scope
            .present()
            .flat_map(|(id, declared)| declared.edges.iter().map(move |edge| (id.to_owned(), edge.clone())))
            .collect();
        operation.lay_out(nodes, edges.into_iter());
    }

    /// An import without an export, which is checked before the first resource. (K; R: no resource event)
    fn missing_export(&self, number: usize, operation: &RunningOperation) -> Option<String> {
        let stack = &self.stacks[number];
        let version = Self::goal(stack, operation).filter(|_| operation.is_forward())?;
        let template = version.template();
        let pseudo = stack.pseudo(&version.submission);
        let scope = EvalScope::new(&template, &version.submission.parameters, pseudo).ok()?;
        let exports = Exports { state: self, stack, missing: RefCell::default() };
        for (_, declared) in scope.present() {
            // What else does not work out is found when its turn comes.
            let _ = super::value::properties(&scope, declared, &exports);
        }
        exports.missing.into_inner()
    }

    /// What is deleted, in reverse order of dependency. (D)
    fn lay_out_deletion(&mut self, number: usize, operation: &mut RunningOperation) {
        let records: Vec<Record> = match operation.phase.is_cleanup() {
            true => std::mem::take(&mut operation.doomed),
            false => {
                let leftovers = std::mem::take(&mut self.stacks[number].leftovers);
                self.stacks[number].records.values().cloned().chain(leftovers).collect()
            }
        };
        let key = |record: &Record| format!("{} {}", record.logical_id, record.physical_id);
        let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for record in &records {
            keys.entry(&record.logical_id).or_default().push(key(record));
        }
        let edges: Vec<(String, String)> = records
            .iter()
            .flat_map(|record| {
                let needed = record.depends_on.iter().filter_map(|edge| keys.get(edge.as_str())).flatten();
                needed.map(|needed| (needed.clone(), key(record)))
            })
            .collect();
        let nodes = records
            .iter()
            .map(|record| (key(record), record.logical_id.clone(), Task::Delete(Box::new(record.clone()))))
            .collect();
        operation.lay_out(nodes, edges.into_iter());
    }

    /// Decides the tasks of nodes that wait for nothing, and of those that this releases.
    pub(crate) fn release(&mut self, number: usize, operation: &mut RunningOperation, keys: Vec<String>) {
        let mut ready: std::collections::VecDeque<String> = keys.into();
        let serial = self.stacks[number].serial;
        while let Some(key) = ready.pop_front() {
            match self.decide(number, operation, &key) {
                Ok(Some(task)) => {
                    if let Some(node) = operation.nodes.get_mut(&key) {
                        node.task = task;
                        node.progress = NodeProgress::Released;
                    }
                    self.schedule(number, DueAction::Begin(key.clone()), &key, 200, 1200);
                }
                Ok(None) => ready.extend(operation.close(&key)),
                Err(reason) => {
                    operation.trouble.get_or_insert(reason);
                    self.stop(number, operation);
                }
            }
            if self.stacks[number].serial != serial {
                return;
            }
        }
        self.finish_if_done(number, operation);
    }

    pub(crate) fn finish_if_done(&mut self, number: usize, operation: &RunningOperation) {
        if operation.open == 0 {
            self.schedule(number, DueAction::Finish, "finish", 200, 900);
        }
    }

    /// Queues something, from `low` to `high` milliseconds from now.
    pub(crate) fn schedule(&mut self, number: usize, what: DueAction, about: &str, low: u64, high: u64) {
        let stack = &self.stacks[number];
        let step = format!("{what:?}");
        let count = stack.serial.to_string();
        let wait = ids::millis(self.settings.seed, &[&stack.id, &count, &step, about], low, high);
        self.schedule_in(number, what, wait);
    }

    pub(crate) fn schedule_in(&mut self, number: usize, what: DueAction, wait: Duration) {
        let wait = wait.mul_f64(self.faults.slowness());
        let due = Due { stack: number, serial: self.stacks[number].serial, what };
        self.queue.put(self.now.plus(wait), due);
    }

    /// A node's task; none where the evaluated properties are unchanged.
    fn decide(&self, number: usize, operation: &mut RunningOperation, key: &str) -> Result<Option<Task>, String> {
        let Some(node) = operation.nodes.get(key) else { return Ok(None) };
        match (&node.task, operation.phase) {
            (Task::Delete(record), _) => Ok(Some(Task::Delete(record.clone()))),
            (_, OperationPhase::Rollback) => {
                let before = operation.saved.get(key).cloned().flatten();
                Ok(before.map(|record| Task::Restore(Box::new(record))))
            }
            _ => self.decide_forward(number, operation, key),
        }
    }

    /// A value that cannot be evaluated is a failure of the template, not of the resource.
    fn decide_forward(
        &self,
        number: usize,
        operation: &mut RunningOperation,
        key: &str,
    ) -> Result<Option<Task>, String> {
        let stack = &self.stacks[number];
        let record = stack.records.get(key);
        let Some(version) = Self::goal(stack, operation) else { return Ok(None) };
        let template = version.template();
        let tags = version.submission.tags.clone();
        let pseudo = stack.pseudo(&version.submission);
        let scope = EvalScope::new(&template, &version.submission.parameters, pseudo)?;
        let live = LiveResources::new(self, number);
        let properties = super::value::properties(&scope, &template.resources[key], &live)?;
        operation.imports.append(&mut live.imported.borrow_mut());
        let Some(record) = record else { return Ok(Some(Task::Create(properties))) };
        let before = stack
            .version
            .as_ref()
            .and_then(|before| before.template().resources.get(key).map(|old| old.metadata.clone()));
        let metadata = before.is_some_and(|before| before != template.resources[key].metadata);
        Ok(super::resource::needed(record, properties, &tags, metadata))
    }
}
