//! The steps of one node: begin, act, settle, fail.

use super::{
    account::AccountState,
    catalog_of,
    faults::Blow,
    ids,
    operation::{NodeProgress, OperationPhase, RunningOperation, Task},
    queue::DueAction,
    resource::{self, HandlerFailure, HandlerSite},
    stack::{DeletionPolicy, Record, StoredEvent},
    value::with_tags,
};
use crate::{
    catalog::HandlerKind,
    cloud::{ResourceStatus, Tags},
};

const REPLACING: &str = "Requested update requires the creation of a new physical resource; hence creating one.";
const INITIATED: &str = "Resource creation Initiated";
const CREATION_CANCELLED: &str = "Resource creation cancelled";
const UPDATE_CANCELLED: &str = "Resource update cancelled";
/// Minutes a handler may take where its schema does not say.
const USUAL_TIMEOUT: u32 = 120;

impl AccountState {
    pub(crate) fn emit(&mut self, number: usize, about: About<'_>, status: ResourceStatus, reason: Option<String>) {
        let stack = &mut self.stacks[number];
        let event = StoredEvent {
            at: self.now,
            logical_id: about.logical_id.to_owned(),
            resource_type: about.resource_type.to_owned(),
            physical_id: about.physical_id.map(str::to_owned),
            status: status.clone(),
            reason,
            operation: stack.operations.len().saturating_sub(1),
        };
        stack.events.push(event);
    }

    /// The resource as its task knows it, with the physical id from before the task.
    fn about(&self, number: usize, operation: &RunningOperation, key: &str) -> (String, String, Option<String>) {
        let Some(node) = operation.nodes.get(key) else { return Default::default() };
        let stack = &self.stacks[number];
        let current = match &node.task {
            Task::Delete(record) => Some(record.as_ref()),
            _ => stack.records.get(&node.logical_id),
        };
        let declared = || {
            let version = Self::goal(stack, operation)?;
            version.template().resources.get(&node.logical_id).map(|declared| declared.resource_type.clone())
        };
        let resource_type = current.map(|record| record.resource_type.clone()).or_else(declared).unwrap_or_default();
        (node.logical_id.clone(), resource_type, current.map(|record| record.physical_id.clone()))
    }

    fn say(
        &mut self,
        number: usize,
        operation: &RunningOperation,
        key: &str,
        status: ResourceStatus,
        reason: Option<String>,
    ) {
        let (logical_id, resource_type, physical_id) = self.about(number, operation, key);
        let about =
            About { logical_id: &logical_id, resource_type: &resource_type, physical_id: physical_id.as_deref() };
        self.emit(number, about, status, reason);
    }

    /// The first event of a node.
    pub(crate) fn begin_node(&mut self, number: usize, operation: &mut RunningOperation, key: &str) {
        let Some(node) = operation.nodes.get_mut(key) else { return };
        node.progress = NodeProgress::Begun;
        let (status, reason) = match &node.task {
            Task::Undecided => return,
            Task::Create(_) => (ResourceStatus::CreateInProgress, None),
            Task::Update(_) | Task::Restore(_) => (ResourceStatus::UpdateInProgress, None),
            Task::Replace(_) => (ResourceStatus::UpdateInProgress, Some(REPLACING.to_owned())),
            Task::Delete(record) if self.keeps(number, operation.phase, record) => {
                return self.skip(number, operation, key);
            }
            Task::Delete(_) => (ResourceStatus::DeleteInProgress, None),
        };
        self.say(number, operation, key, status, reason);
        self.schedule(number, DueAction::Act(key.to_owned()), key, 700, 2000);
    }

    /// Is the physical resource left where it is? (D: DeletionPolicy on removal, UpdateReplacePolicy on replacement,
    /// where the record of a replaced one carries the latter as its own)
    fn keeps(&self, number: usize, phase: OperationPhase, record: &Record) -> bool {
        let fresh = matches!(phase, OperationPhase::CreateRollback | OperationPhase::RollbackCleanup);
        let replaced = phase == OperationPhase::Cleanup && self.stacks[number].records.contains_key(&record.logical_id);
        match if replaced { record.replace_policy } else { record.deletion_policy } {
            DeletionPolicy::Retain => true,
            DeletionPolicy::RetainExceptOnCreate => !fresh,
            DeletionPolicy::Delete | DeletionPolicy::Snapshot => false,
        }
    }

    fn skip(&mut self, number: usize, operation: &mut RunningOperation, key: &str) {
        self.say(number, operation, key, ResourceStatus::DeleteSkipped, None);
        self.drop_record(number, operation, key);
        self.complete(number, operation, key);
    }

    /// Drops from the stack what it deleted or left behind.
    fn drop_record(&mut self, number: usize, operation: &RunningOperation, key: &str) {
        let Some(Task::Delete(record)) = operation.nodes.get(key).map(|node| &node.task) else { return };
        let records = &mut self.stacks[number].records;
        if records.get(&record.logical_id).is_some_and(|current| current.physical_id == record.physical_id) {
            records.remove(&record.logical_id);
        }
    }

    fn complete(&mut self, number: usize, operation: &mut RunningOperation, key: &str) {
        let free = operation.close(key);
        self.release(number, operation, free);
    }

    pub(crate) fn site(&mut self, number: usize, logical_id: &str) -> HandlerSite<'_> {
        let stack = &self.stacks[number];
        HandlerSite {
            seed: self.settings.seed,
            place: stack.place.clone(),
            stack: number,
            stack_id: stack.id.clone(),
            stack_name: stack.name.clone(),
            logical_id: logical_id.to_owned(),
            run: format!("{}.{}", stack.operations.len(), stack.serial),
            now: self.now,
            objects: &mut self.objects,
            faults: &mut self.faults,
        }
    }

    /// The handler's call.
    pub(crate) fn act(&mut self, number: usize, operation: &mut RunningOperation, key: &str) {
        self.remember(number, operation, key);
        let Some(node) = operation.nodes.get(key) else { return };
        let (task, logical_id) = (node.task.clone(), node.logical_id.clone());
        let wait = match &task {
            Task::Undecided => return,
            Task::Create(properties) => self.act_create(number, operation, &logical_id, properties, false),
            Task::Update(properties) => self.act_update(number, operation, &logical_id, properties),
            Task::Replace(properties) => self.act_create(number, operation, &logical_id, properties, true),
            Task::Restore(record) => self.act_restore(number, operation, record),
            Task::Delete(record) => self.act_delete(number, operation.phase, record),
        };
        match wait {
            Ok(mut wait) => {
                if self.strike(number, Blow::Stuck, &logical_id).is_some() {
                    wait = self.timeout(number, operation, key);
                    operation.nodes.entry(key.to_owned()).and_modify(|node| node.stuck = true);
                }
                self.schedule_in(number, DueAction::Settle(key.to_owned()), wait);
            }
            Err(failure) => self.fail_by(number, operation, key, failure),
        }
    }

    fn strike(&mut self, number: usize, blow: Blow, logical_id: &str) -> Option<String> {
        self.faults.strike(blow, &self.stacks[number].name, logical_id)
    }

    fn struck(&mut self, number: usize, blow: Blow, logical_id: &str) -> Result<(), HandlerFailure> {
        match self.strike(number, blow, logical_id) {
            Some(reason) => Err(HandlerFailure::injected(reason)),
            None => Ok(()),
        }
    }

    /// How long the type's handler would try.
    fn timeout(&self, number: usize, operation: &RunningOperation, key: &str) -> std::time::Duration {
        let (_, resource_type, _) = self.about(number, operation, key);
        let handler = match operation.nodes.get(key).map(|node| &node.task) {
            Some(Task::Create(_) | Task::Replace(_)) => HandlerKind::Create,
            Some(Task::Delete(_)) => HandlerKind::Delete,
            _ => HandlerKind::Update,
        };
        let minutes = catalog_of(&resource_type).and_then(|kind| kind.timeout_minutes(handler));
        std::time::Duration::from_secs(u64::from(minutes.unwrap_or(USUAL_TIMEOUT)) * 60)
    }

    fn act_create(
        &mut self,
        number: usize,
        operation: &mut RunningOperation,
        logical_id: &str,
        properties: &serde_json::Value,
        replaces: bool,
    ) -> Result<std::time::Duration, HandlerFailure> {
        let old = self.stacks[number].records.get(logical_id).cloned().filter(|_| replaces);
        // (C, O: a rollback-disabled stack refuses replacements)
        if replaces && operation.disable_rollback {
            return Err(HandlerFailure::plain("Replacement type updates not supported on stack with disable-rollback"));
        }
        self.struck(number, Blow::Fail, logical_id)?;
        let stack = &self.stacks[number];
        let Some(version) = Self::goal(stack, operation) else { return Ok(Default::default()) };
        let template = version.template();
        let tags = version.submission.tags.clone();
        let Some(declared) = template.resources.get(logical_id) else { return Ok(Default::default()) };
        let kind = declared.resource_type.as_str();
        resource::check(logical_id, kind, properties)?;
        let mut site = self.site(number, logical_id);
        if let Some(old) = old.as_ref().filter(|_| catalog_of(kind).is_some_and(|kind| kind.deletes_before_create())) {
            resource::end(&mut site, old);
        }
        let given = with_tags(properties, catalog_of(kind).and_then(|kind| kind.tags_property()), &tags);
        let made = resource::create(&mut site, kind, &given, old.as_ref())?;
        let record = Record {
            logical_id: logical_id.to_owned(),
            resource_type: kind.to_owned(),
            physical_id: made.physical_id,
            reference: made.reference,
            attributes: made.attributes,
            properties: properties.clone(),
            tags: taken_tags(kind, &tags),
            status: ResourceStatus::CreateInProgress,
            depends_on: declared.edges.clone(),
            deletion_policy: declared.deletion_policy,
            replace_policy: declared.replace_policy,
        };
        let about = About { logical_id, resource_type: kind, physical_id: Some(&record.physical_id) };
        let status = if replaces { ResourceStatus::UpdateInProgress } else { ResourceStatus::CreateInProgress };
        self.emit(number, about, status, Some(INITIATED.to_owned()));
        self.stacks[number].records.insert(logical_id.to_owned(), record);
        Ok(made.settles_in)
    }

    fn act_update(
        &mut self,
        number: usize,
        operation: &mut RunningOperation,
        logical_id: &str,
        properties: &serde_json::Value,
    ) -> Result<std::time::Duration, HandlerFailure> {
        let Some(record) = self.stacks[number].records.get(logical_id).cloned() else { return Ok(Default::default()) };
        self.struck(number, Blow::Fail, logical_id)?;
        resource::check(logical_id, &record.resource_type, properties)?;
        let tags = Self::goal(&self.stacks[number], operation).map(|version| version.submission.tags.clone());
        let given = given(&record.resource_type, properties, &tags.unwrap_or_default());
        resource::update(&mut self.site(number, logical_id), &record, &given)
    }

    /// Taking a resource back: where it was replaced, the old physical one still exists.
    fn act_restore(
        &mut self,
        number: usize,
        operation: &mut RunningOperation,
        old: &Record,
    ) -> Result<std::time::Duration, HandlerFailure> {
        let logical_id = old.logical_id.as_str();
        self.struck(number, Blow::RollbackFail, logical_id)?;
        let Some(current) = self.stacks[number].records.get(logical_id).cloned() else { return Ok(Default::default()) };
        let given = given(&old.resource_type, &old.properties, &old.tags);
        if current.physical_id == old.physical_id {
            return resource::update(&mut self.site(number, logical_id), &current, &given);
        }
        operation.doomed.push(current);
        let mut site = self.site(number, logical_id);
        let mut restored = old.clone();
        let mut wait = std::time::Duration::from_millis(500);
        if !resource::exists(&site, old) {
            let made = resource::create(&mut site, &old.resource_type, &given, None)?;
            wait = made.settles_in;
            restored = Record {
                physical_id: made.physical_id,
                reference: made.reference,
                attributes: made.attributes,
                ..restored
            };
        }
        self.stacks[number].records.insert(logical_id.to_owned(), restored);
        Ok(wait)
    }

    fn act_delete(
        &mut self,
        number: usize,
        phase: OperationPhase,
        record: &Record,
    ) -> Result<std::time::Duration, HandlerFailure> {
        self.struck(number, Blow::DeleteFail, &record.logical_id)?;
        if matches!(phase, OperationPhase::CreateRollback | OperationPhase::RollbackCleanup) {
            self.struck(number, Blow::RollbackFail, &record.logical_id)?;
        }
        resource::begin_delete(&mut self.site(number, &record.logical_id), record)
    }

    /// The handler finds the resource settled, or gives up.
    pub(crate) fn settle(&mut self, number: usize, operation: &mut RunningOperation, key: &str) {
        let Some(node) = operation.nodes.get(key) else { return };
        let (task, logical_id, stuck) = (node.task.clone(), node.logical_id.clone(), node.stuck);
        let outcome = match stuck {
            true => Err(HandlerFailure::not_stabilized("Exceeded attempts to wait")),
            false => self.settle_task(number, operation, &task, &logical_id),
        };
        match outcome {
            Err(failure) => self.fail_by(number, operation, key, failure),
            Ok(status) => {
                self.say(number, operation, key, status.clone(), None);
                if status == ResourceStatus::DeleteComplete {
                    self.drop_record(number, operation, key);
                } else if let Some(record) = self.stacks[number].records.get_mut(&logical_id) {
                    record.status = status;
                }
                self.complete(number, operation, key);
            }
        }
    }

    fn settle_task(
        &mut self,
        number: usize,
        operation: &RunningOperation,
        task: &Task,
        logical_id: &str,
    ) -> Result<ResourceStatus, HandlerFailure> {
        let record = self.stacks[number].records.get(logical_id).cloned();
        match (task, record) {
            (Task::Delete(record), _) => {
                resource::end(&mut self.site(number, logical_id), record);
                Ok(ResourceStatus::DeleteComplete)
            }
            (Task::Create(_), Some(record)) => {
                resource::settle(&mut self.site(number, logical_id), &record)?;
                Ok(ResourceStatus::CreateComplete)
            }
            (Task::Update(properties), Some(record)) => {
                let tags = Self::goal(&self.stacks[number], operation).map(|version| version.submission.tags.clone());
                let tags = taken_tags(&record.resource_type, &tags.unwrap_or_default());
                let changed = Record { properties: properties.clone(), tags, ..record };
                self.settle_change(number, changed)
            }
            (Task::Restore(old), Some(current)) => {
                let restored = match current.physical_id == old.physical_id {
                    true => Record { attributes: current.attributes, ..old.as_ref().clone() },
                    false => current,
                };
                self.settle_change(number, restored)
            }
            (_, Some(record)) => {
                resource::settle(&mut self.site(number, logical_id), &record)?;
                Ok(ResourceStatus::UpdateComplete)
            }
            (_, None) => Ok(ResourceStatus::UpdateComplete),
        }
    }

    fn settle_change(&mut self, number: usize, mut record: Record) -> Result<ResourceStatus, HandlerFailure> {
        let mut site = self.site(number, &record.logical_id);
        resource::settle(&mut site, &record)?;
        resource::refresh(&site, &mut record);
        self.stacks[number].records.insert(record.logical_id.clone(), record);
        Ok(ResourceStatus::UpdateComplete)
    }

    fn fail_by(&mut self, number: usize, operation: &mut RunningOperation, key: &str, failure: HandlerFailure) {
        let stack = &self.stacks[number];
        let token = ids::uuid(self.settings.seed, &[&stack.id, key, &stack.events.len().to_string()]);
        self.fail(number, operation, key, failure.reason(&token));
    }

    /// A node has failed; what that means for the others depends on the phase.
    pub(crate) fn fail(&mut self, number: usize, operation: &mut RunningOperation, key: &str, reason: String) {
        let verb = self.say_failed(number, operation, key, reason);
        let logical_id = operation.nodes.get(key).map(|node| node.logical_id.clone()).unwrap_or_default();
        operation.failed.push((logical_id, verb));
        if operation.phase.is_cleanup() {
            return self.complete(number, operation, key);
        }
        operation.close_silently(key);
        operation.abandon_dependents(key);
        let forward = matches!(operation.phase, OperationPhase::Create | OperationPhase::Update);
        if operation.phase == OperationPhase::Rollback || (forward && !operation.disable_rollback) {
            self.cancel_others(number, operation);
            let what = if forward { DueAction::TurnBack } else { DueAction::Finish };
            return self.schedule(number, what, "failed", 500, 1500);
        }
        self.finish_if_done(number, operation);
    }

    fn say_failed(&mut self, number: usize, operation: &mut RunningOperation, key: &str, reason: String) -> String {
        self.remember(number, operation, key);
        let (verb, status) = match operation.nodes.get(key).map(|node| &node.task) {
            Some(Task::Create(_)) => ("create", ResourceStatus::CreateFailed),
            Some(Task::Delete(_)) => ("delete", ResourceStatus::DeleteFailed),
            _ => ("update", ResourceStatus::UpdateFailed),
        };
        self.say(number, operation, key, status.clone(), Some(reason));
        let logical_id = operation.nodes.get(key).map(|node| node.logical_id.clone()).unwrap_or_default();
        if let Some(record) = self.stacks[number].records.get_mut(&logical_id) {
            record.status = status;
        }
        verb.to_owned()
    }

    /// Keeps the resource as it is before an update touches it, for the way back.
    fn remember(&self, number: usize, operation: &mut RunningOperation, key: &str) {
        if operation.phase == OperationPhase::Update
            && let Some(node) = operation.nodes.get(key)
        {
            let before = || self.stacks[number].records.get(&node.logical_id).cloned();
            operation.saved.entry(node.logical_id.clone()).or_insert_with(before);
        }
    }

    /// The template fails as a whole: reported by the stack when it turns back, not by a resource. (R; for updates O:
    /// serverless/serverless pull request 3935, aws-amplify/amplify-js issue 6367)
    pub(crate) fn stop(&mut self, number: usize, operation: &mut RunningOperation) {
        self.cancel_others(number, operation);
        let what = if operation.disable_rollback { DueAction::Finish } else { DueAction::TurnBack };
        self.schedule(number, what, "stopped", 500, 1500);
    }

    /// In rollback mode the others in flight are cancelled, and what has not begun never does. (D)
    fn cancel_others(&mut self, number: usize, operation: &mut RunningOperation) {
        self.stacks[number].serial += 1;
        let keys: Vec<String> = operation.nodes.keys().cloned().collect();
        for key in keys {
            let node = &operation.nodes[&key];
            if node.progress == NodeProgress::Begun {
                let reason = if matches!(node.task, Task::Create(_)) { CREATION_CANCELLED } else { UPDATE_CANCELLED };
                let logical_id = node.logical_id.clone();
                let verb = self.say_failed(number, operation, &key, reason.to_owned());
                operation.failed.push((logical_id, verb));
            }
            operation.close_silently(&key);
        }
    }
}

/// What an event is about.
pub(crate) struct About<'a> {
    pub(crate) logical_id: &'a str,
    pub(crate) resource_type: &'a str,
    pub(crate) physical_id: Option<&'a str>,
}

/// Stack tags, where the type supports them.
fn taken_tags(resource_type: &str, tags: &Tags) -> Tags {
    let taggable = catalog_of(resource_type).is_some_and(|kind| kind.tags_property().is_some());
    if taggable { tags.clone() } else { Tags::new() }
}

fn given(resource_type: &str, properties: &serde_json::Value, tags: &Tags) -> serde_json::Value {
    with_tags(properties, catalog_of(resource_type).and_then(|kind| kind.tags_property()), tags)
}
