//! A stack as the account keeps it.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    call::StackRequest, ids, operation::RunningOperation, place::AccountRegion, template::ParsedTemplate, value::Pseudo,
};
use crate::cloud::{
    Change, ChangeSetStatus, ExecutionStatus, ResourceStatus, StackEvent, StackStatus, Tags, Timestamp,
};

pub(crate) const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// A body and the options submitted with it, parsed once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StackVersion {
    pub(crate) submission: StackRequest,
    #[serde(skip)]
    template: OnceCell<Rc<ParsedTemplate>>,
}

impl StackVersion {
    pub(crate) fn new(submission: StackRequest, template: ParsedTemplate) -> Self {
        let cell = OnceCell::new();
        let _ = cell.set(Rc::new(template));
        Self { submission, template: cell }
    }

    /// Bodies are parsed when they are accepted, so a kept one parses again.
    pub(crate) fn template(&self) -> Rc<ParsedTemplate> {
        self.template.get_or_init(|| Rc::new(ParsedTemplate::parse(&self.submission.body).unwrap_or_default())).clone()
    }
}

/// One resource of a stack as it was last made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    pub(crate) physical_id: String,
    /// What `Ref` returns.
    pub(crate) reference: String,
    pub(crate) attributes: Map<String, Value>,
    /// Evaluated properties, without stack tags.
    pub(crate) properties: Value,
    /// Stack tags it carries.
    pub(crate) tags: Tags,
    pub(crate) status: ResourceStatus,
    pub(crate) depends_on: BTreeSet<String>,
    pub(crate) deletion_policy: DeletionPolicy,
    pub(crate) replace_policy: DeletionPolicy,
}

/// What happens to a physical resource that leaves its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum DeletionPolicy {
    #[default]
    Delete,
    Retain,
    RetainExceptOnCreate,
    Snapshot,
}

/// One event, without what all events of its stack share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredEvent {
    pub(crate) at: Timestamp,
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    pub(crate) physical_id: Option<String>,
    pub(crate) status: ResourceStatus,
    pub(crate) reason: Option<String>,
    /// Which of the stack's operations.
    pub(crate) operation: usize,
}

/// A started operation, which its events refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoggedOperation {
    pub(crate) id: String,
    pub(crate) token: Option<String>,
}

/// A change set.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredChangeSet {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) create: bool,
    pub(crate) version: StackVersion,
    pub(crate) status: ChangeSetStatus,
    pub(crate) execution: ExecutionStatus,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) changes: Vec<Change>,
    pub(crate) token: String,
    pub(crate) fingerprint: String,
}

/// The use of a request token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpentToken {
    /// Of the whole request.
    pub(crate) fingerprint: String,
    /// The id of the stack that it made or changed.
    pub(crate) stack: String,
}

/// A stack.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StackState {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) place: AccountRegion,
    pub(crate) status: StackStatus,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
    /// None in review.
    pub(crate) version: Option<StackVersion>,
    pub(crate) outputs: BTreeMap<String, String>,
    /// Export name to output key.
    pub(crate) exports: BTreeMap<String, String>,
    pub(crate) imports: BTreeSet<String>,
    pub(crate) termination_protection: bool,
    pub(crate) records: BTreeMap<String, Record>,
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) operations: Vec<LoggedOperation>,
    pub(crate) operation: Option<Box<RunningOperation>>,
    /// Physical resources of a rollback that failed, which a deletion still removes.
    pub(crate) leftovers: Vec<Record>,
    /// Counts phases, so that what was due in an abandoned one is ignored.
    pub(crate) serial: u32,
    pub(crate) change_sets: BTreeMap<String, StoredChangeSet>,
    /// By id: change sets that were executed, whose names are free again.
    pub(crate) executed: BTreeMap<String, StoredChangeSet>,
    /// Every change set it ever had: id to name.
    pub(crate) change_set_names: BTreeMap<String, String>,
}

impl StackState {
    pub(crate) fn template(&self) -> Rc<ParsedTemplate> {
        self.version.as_ref().map(StackVersion::template).unwrap_or_default()
    }

    /// A change set by its id, executed ones included.
    pub(crate) fn change_set(&self, id: &str) -> Option<&StoredChangeSet> {
        let waiting = self.change_set_names.get(id).and_then(|name| self.change_sets.get(name));
        waiting.filter(|stored| stored.id == id).or_else(|| self.executed.get(id))
    }

    pub(crate) fn tags(&self) -> Tags {
        self.version.as_ref().map(|version| version.submission.tags.clone()).unwrap_or_default()
    }

    pub(crate) fn pseudo(&self, submission: &StackRequest) -> Pseudo {
        Pseudo {
            place: self.place.clone(),
            stack_id: self.id.clone(),
            stack_name: self.name.clone(),
            notification_arns: submission.notification_arns.clone(),
        }
    }

    pub(crate) fn event(&self, seed: u64, index: usize) -> StackEvent {
        let event = &self.events[index];
        let operation = self.operations.get(event.operation);
        let id = match event.resource_type.as_str() {
            STACK_TYPE if event.logical_id == self.name => ids::uuid(seed, &[&self.id, "event", &index.to_string()]),
            _ => {
                let tail = ids::hex(seed, &[&self.id, "event", &index.to_string()], 12);
                format!("{}-{}-{tail}", event.logical_id, event.status)
            }
        };
        StackEvent {
            id,
            stack_id: self.id.clone(),
            logical_id: event.logical_id.clone(),
            physical_id: event.physical_id.clone(),
            resource_type: event.resource_type.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
            at: event.at,
            token: operation.and_then(|operation| operation.token.clone()),
            operation_id: operation.map(|operation| operation.id.clone()),
        }
    }
}
