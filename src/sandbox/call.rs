//! Calls that change the account, as written to the journal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{faults::Fault, place::AccountRegion};
use crate::cloud::{Capability, ChangeSetIds, Tags, Timestamp};

/// The body and options of CreateStack or CreateChangeSet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StackRequest {
    pub(crate) body: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: Tags,
    pub(crate) capabilities: BTreeSet<Capability>,
    pub(crate) role_arn: Option<String>,
    pub(crate) notification_arns: Vec<String>,
}

/// A call that changes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Mutation {
    CreateStack {
        name: String,
        submission: StackRequest,
        disable_rollback: bool,
        termination_protection: bool,
        token: String,
    },
    CreateChangeSet {
        stack: String,
        name: String,
        create: bool,
        submission: StackRequest,
        #[serde(default)]
        previous: BTreeSet<String>,
        token: String,
    },
    ExecuteChangeSet {
        change_set: String,
        disable_rollback: bool,
        token: String,
    },
    DeleteChangeSet {
        change_set: String,
    },
    DeleteStack {
        stack: String,
        token: String,
    },
    Protect {
        stack: String,
        on: bool,
    },
    Inject {
        fault: Fault,
    },
    /// A fault refused this call.
    Refuse {
        operation: String,
    },
    /// A fault lost the answer of the call before.
    Lose {
        operation: String,
    },
    /// Time passed, and something came due in it.
    Tick,
}

impl Mutation {
    /// The API operation; empty where there is none.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::CreateStack { .. } => "CreateStack",
            Self::CreateChangeSet { .. } => "CreateChangeSet",
            Self::ExecuteChangeSet { .. } => "ExecuteChangeSet",
            Self::DeleteChangeSet { .. } => "DeleteChangeSet",
            Self::DeleteStack { .. } => "DeleteStack",
            Self::Protect { .. } => "UpdateTerminationProtection",
            Self::Inject { .. } | Self::Refuse { .. } | Self::Lose { .. } | Self::Tick => "",
        }
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JournalEntry {
    pub(crate) at: Timestamp,
    pub(crate) place: AccountRegion,
    pub(crate) call: Mutation,
}

/// The answer to a call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MutationOutcome {
    Nothing,
    Stack(String),
    ChangeSet(ChangeSetIds),
}

impl MutationOutcome {
    pub(crate) fn stack(self) -> String {
        match self {
            Self::Stack(id) => id,
            Self::ChangeSet(ids) => ids.stack,
            Self::Nothing => String::new(),
        }
    }

    pub(crate) fn change_set(self) -> ChangeSetIds {
        match self {
            Self::ChangeSet(ids) => ids,
            Self::Stack(stack) => ChangeSetIds { change_set: String::new(), stack },
            Self::Nothing => ChangeSetIds { change_set: String::new(), stack: String::new() },
        }
    }
}
