//! Change sets: their checks, their life, and what executing one starts. (M, R)

use std::collections::{BTreeMap, BTreeSet};

use super::{
    account::AccountState,
    call::StackRequest,
    diff, ids, limits,
    operation::{OperationPhase, RunningOperation},
    parameters,
    place::AccountRegion,
    queue::{Due, DueAction},
    resource::{Object, early},
    stack::{StackState, StackVersion, StoredChangeSet},
    submit::{Accepted, USER, fingerprint, invalid},
    template::{ParsedTemplate, list},
    value::EvalScope,
};
use crate::cloud::{Change, ChangeSetIds, ChangeSetStatus, CloudErrorKind, ExecutionStatus, StackStatus};

/// The start of the reason, by which callers recognise it. (R)
const NO_CHANGES: &str =
    "The submitted information didn't contain changes. Submit different information to create a change set.";
impl AccountState {
    pub(crate) fn create_change_set(
        &mut self,
        place: &AccountRegion,
        name_or_id: &str,
        name: String,
        create: bool,
        submission: StackRequest,
        token: String,
    ) -> Accepted<ChangeSetIds> {
        limits::name("changeSetName", &name)?;
        limits::token(&token)?;
        limits::submission(&submission)?;
        let found = self.find(place, name_or_id).filter(|number| !self.stacks[*number].status.is_deleted());
        let fingerprint = fingerprint(&submission, if create { "CREATE" } else { "UPDATE" });
        if let Some(stored) = found.and_then(|number| self.stacks[number].change_sets.get(&name)) {
            let stack = self.stacks[found.unwrap_or_default()].id.clone();
            return match (stored.token == token, stored.fingerprint == fingerprint) {
                (true, true) => Ok(ChangeSetIds { change_set: stored.id.clone(), stack }),
                (true, false) => Err(CloudErrorKind::TokenAlreadyExists),
                (false, _) => Err(CloudErrorKind::AlreadyExists),
            };
        }
        let stack_name = found.map_or(name_or_id, |number| &self.stacks[number].name).to_owned();
        // The change set that this token made is gone.
        if self.known_token(place, &stack_name, None, &token, &fingerprint).is_some() {
            return Err(CloudErrorKind::TokenAlreadyExists);
        }
        self.check_change_set(found, name_or_id, &name, create)?;
        let stack_id = found.map_or("", |number| &self.stacks[number].id);
        let template = self.check(place, stack_id, &stack_name, &submission)?;
        if let Some(number) = found {
            check_resource_types(&self.stacks[number], &template)?;
        }
        let number = match found {
            Some(number) => number,
            None => self.add_reviewed(place, stack_name)?,
        };
        let version = StackVersion::new(submission, template);
        Ok(self.store_change_set(number, name, create, version, token, fingerprint))
    }

    /// Parameters that keep the value the stack runs with. (M: UsePreviousValue; O: the texts)
    pub(crate) fn with_previous(
        &self,
        place: &AccountRegion,
        stack: &str,
        create: bool,
        mut submission: StackRequest,
        previous: &BTreeSet<String>,
    ) -> Accepted<StackRequest> {
        if create && !previous.is_empty() {
            return Err(invalid("Cannot specify UsePreviousValue on Parameters when ChangeSetType is CREATE"));
        }
        let running = self.find(place, stack).and_then(|number| self.stacks[number].version.as_ref());
        for name in previous {
            let value = running.and_then(|version| {
                parameters::value(&version.template().parameters, &version.submission.parameters, name)
            });
            let value = value.ok_or_else(|| {
                invalid(format!(
                    "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter \
                     key not in the previous template"
                ))
            })?;
            submission.parameters.insert(name.clone(), value);
        }
        Ok(submission)
    }

    /// The stack that a CREATE change set makes. (M, D)
    fn add_reviewed(&mut self, place: &AccountRegion, name: String) -> Accepted<usize> {
        limits::name("stackName", &name)?;
        let number = self.add_stack(place, name)?;
        self.log_operation(number, None);
        self.set_status(number, StackStatus::ReviewInProgress, Some(USER.to_owned()));
        Ok(number)
    }

    /// Type and status must fit each other. (R: the texts)
    fn check_change_set(&self, found: Option<usize>, stack: &str, name: &str, create: bool) -> Accepted<()> {
        let Some(found) = found.map(|number| &self.stacks[number]) else {
            return if create { Ok(()) } else { Err(invalid(format!("Stack [{stack}] does not exist"))) };
        };
        if found.change_sets.len() >= self.settings.change_set_limit {
            let text = format!("ChangeSet limit exceeded for stack {}", found.name);
            return Err(CloudErrorKind::LimitExceeded(text));
        }
        let review = found.status == StackStatus::ReviewInProgress;
        if create && !review {
            let text =
                format!("Stack [{stack}] already exists and cannot be created again with the changeSet [{name}].");
            return Err(invalid(text));
        }
        let failed = matches!(found.status, StackStatus::CreateFailed | StackStatus::UpdateFailed);
        match create || found.status.is_updatable() || failed {
            true => Ok(()),
            false => Err(not_updatable(found)),
        }
    }

    fn store_change_set(
        &mut self,
        number: usize,
        name: String,
        create: bool,
        version: StackVersion,
        token: String,
        fingerprint: String,
    ) -> ChangeSetIds {
        let changes = self.compare(number, &version);
        let stack = &self.stacks[number];
        let count = stack.change_set_names.len().to_string();
        let seed = self.settings.seed;
        let uuid = ids::uuid(seed, &[&stack.id, "change set", &count]);
        let AccountRegion { account, region } = &stack.place;
        let id = format!("arn:{}:cloudformation:{region}:{account}:changeSet/{name}/{uuid}", stack.place.partition());
        let stack_id = stack.id.clone();
        let wait = ids::millis(seed, &[&id, "computed"], 1500, 4000);
        let (changes, reason) = match changes {
            Ok(changes) => (changes, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let stored = StoredChangeSet {
            id: id.clone(),
            name: name.clone(),
            create,
            version,
            status: ChangeSetStatus::CreateInProgress,
            execution: ExecutionStatus::Unavailable,
            reason,
            created_at: self.now,
            changes,
            token,
            fingerprint,
        };
        self.spend(number, &stored.token, stored.fingerprint.clone());
        let stack = &mut self.stacks[number];
        stack.change_set_names.insert(id.clone(), name.clone());
        stack.change_sets.insert(name, stored);
        self.index.change_sets.insert(id.clone(), number);
        let due = Due { stack: number, serial: 0, what: DueAction::ChangeSet(id.clone()) };
        self.queue.put(self.now.plus(wait), due);
        ChangeSetIds { change_set: id, stack: stack_id }
    }

    /// The changes of the change set.
    ///
    /// # Errors
    /// Why it fails: nothing to change, a value that cannot be evaluated, a check before deployment.
    fn compare(&self, number: usize, version: &StackVersion) -> Result<Vec<Change>, String> {
        let stack = &self.stacks[number];
        let template = version.template();
        let pseudo = stack.pseudo(&version.submission);
        let scope = EvalScope::new(&template, &version.submission.parameters, pseudo)?;
        let old_template = stack.template();
        let old_submission = stack.version.as_ref().map_or(&version.submission, |old| &old.submission);
        let old_pseudo = stack.pseudo(old_submission);
        let nothing = BTreeMap::new();
        let old_parameters = if stack.version.is_some() { &old_submission.parameters } else { &nothing };
        let old_scope = EvalScope::new(&old_template, old_parameters, old_pseudo)?;
        let imports = |name: &str| self.import(stack, name);
        let difference = diff::compare(&stack.records, &old_scope, &scope, &version.submission.tags, &imports)?;
        if difference.changes.is_empty() && !difference.outputs && stack.version.is_some() {
            return Err(NO_CHANGES.to_owned());
        }
        if self.settings.early_validation {
            let exists = |resource_type: &str, properties: &serde_json::Value| {
                Object::taken(&self.objects, &stack.place, resource_type, properties)
            };
            early::check(&scope, &difference.changes, &imports, &exists)?;
        }
        Ok(difference.changes)
    }

    /// A change set has been computed.
    pub(crate) fn finish_change_set(&mut self, number: usize, id: &str) {
        let stack = &mut self.stacks[number];
        let (busy, updated_at) = (stack.operation.is_some(), stack.updated_at);
        let review = stack.status == StackStatus::ReviewInProgress;
        let Some(stored) = stack.change_sets.values_mut().find(|stored| stored.id == id) else { return };
        if stored.status != ChangeSetStatus::CreateInProgress {
            return;
        }
        if stored.reason.is_some() {
            stored.status = ChangeSetStatus::Failed;
        } else {
            stored.status = ChangeSetStatus::CreateComplete;
            let since = updated_at.is_some_and(|at| at >= stored.created_at);
            let moved_on = busy || since || stored.create != review;
            stored.execution = if moved_on { ExecutionStatus::Obsolete } else { ExecutionStatus::Available };
        }
    }

    pub(crate) fn execute_change_set(&mut self, id: &str, disable_rollback: bool, token: String) -> Accepted<()> {
        limits::token(&token)?;
        let number = *self.index.change_sets.get(id).ok_or(CloudErrorKind::NotFound)?;
        let fingerprint = ids::fingerprint(&["execute", id, &disable_rollback.to_string()]);
        let stack = &self.stacks[number];
        if let Some(known) = self.known_token(&stack.place, &stack.name, Some(number), &token, &fingerprint) {
            return known.map(|_| ());
        }
        let stored = stack.change_set(id).ok_or(CloudErrorKind::NotFound)?;
        check_executable(stack, stored, disable_rollback)?;
        let (name, create) = (stored.name.clone(), stored.create);
        let version = self.claim_change_set(number, &name);
        self.spend(number, &token, fingerprint);
        if create {
            // (R: a stack that a change set makes has the time of an update from its creation on)
            self.stacks[number].updated_at = Some(self.now);
            self.stacks[number].version = Some(version);
            self.begin_create(number, disable_rollback, token, Some(name));
        } else {
            self.begin_update(number, version, disable_rollback, token, name);
        }
        Ok(())
    }

    /// Executing one change set deletes the others of the stack. (D)
    fn claim_change_set(&mut self, number: usize, name: &str) -> StackVersion {
        let stack = &mut self.stacks[number];
        let pending = |stored: &StoredChangeSet| stored.status == ChangeSetStatus::CreateInProgress;
        stack.change_sets.retain(|key, stored| key == name || pending(stored));
        let stored = stack.change_sets.get_mut(name).expect("it was just found");
        stored.execution = ExecutionStatus::InProgress;
        let submission = stored.version.submission.clone();
        let template = ParsedTemplate::parse(&submission.body).unwrap_or_default();
        StackVersion::new(submission, template)
    }

    fn begin_update(
        &mut self,
        number: usize,
        version: StackVersion,
        disable_rollback: bool,
        token: String,
        name: String,
    ) {
        let origin = self.stacks[number].status.clone();
        self.stacks[number].updated_at = Some(self.now);
        self.log_operation(number, Some(token));
        self.set_status(number, StackStatus::UpdateInProgress, Some(USER.to_owned()));
        let mut operation = RunningOperation::new(OperationPhase::Update, disable_rollback, origin, Some(name));
        operation.next = Some(version);
        self.start(number, operation);
    }

    pub(crate) fn delete_change_set(&mut self, id: &str) -> Accepted<()> {
        let number = *self.index.change_sets.get(id).ok_or(CloudErrorKind::NotFound)?;
        let stack = &mut self.stacks[number];
        stack.executed.remove(id);
        let Some(name) = stack.change_set_names.get(id) else { return Ok(()) };
        match stack.change_sets.get(name).filter(|stored| stored.id == id).map(|stored| &stored.execution) {
            Some(ExecutionStatus::InProgress) => Err(CloudErrorKind::InvalidChangeSetStatus(format!(
                "The change set {name} cannot be deleted while it is being executed"
            ))),
            Some(_) => {
                stack.change_sets.remove(name);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl StoredChangeSet {
    pub(crate) fn is_ready(&self) -> bool {
        self.status != ChangeSetStatus::CreateInProgress
    }
}

fn check_executable(stack: &StackState, stored: &StoredChangeSet, disable_rollback: bool) -> Accepted<()> {
    if stored.status != ChangeSetStatus::CreateComplete || stored.execution != ExecutionStatus::Available {
        return Err(CloudErrorKind::InvalidChangeSetStatus(format!(
            "ChangeSet [{}] cannot be executed in its current status of [{}], execution status [{}]",
            stored.id, stored.status, stored.execution
        )));
    }
    // The rollback-disabled states take only rollback-disabled updates. (O, C)
    let failed = matches!(stack.status, StackStatus::CreateFailed | StackStatus::UpdateFailed);
    let fits = if stored.create { stack.status == StackStatus::ReviewInProgress } else { stack.status.is_updatable() };
    match fits || (!stored.create && failed && disable_rollback) {
        true => Ok(()),
        false => Err(not_updatable(stack)),
    }
}

fn not_updatable(stack: &StackState) -> CloudErrorKind {
    invalid(format!("Stack:{} is in {} state and can not be updated.", stack.id, stack.status))
}

/// A logical id keeps its type. (K)
fn check_resource_types(stack: &StackState, template: &ParsedTemplate) -> Accepted<()> {
    let changed = stack.records.iter().filter(|(id, record)| {
        template.resources.get(*id).is_some_and(|declared| declared.resource_type != record.resource_type)
    });
    let changed: Vec<&str> = changed.map(|(id, _)| id.as_str()).collect();
    match changed.is_empty() {
        true => Ok(()),
        false => Err(CloudErrorKind::Validation(format!(
            "Update of resource type is not permitted. The new template modifies resource type of the following \
             resources: [{}]",
            list(changed)
        ))),
    }
}
