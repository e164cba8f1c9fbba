//! A change set: what CloudFormation says an update would do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Tags, Timestamp, wire::wire_enum};

wire_enum! {
    /// How far the computation of a change set has come.
    ChangeSetStatus {
        CreatePending = "CREATE_PENDING",
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateComplete = "CREATE_COMPLETE",
        Failed = "FAILED",
        DeletePending = "DELETE_PENDING",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteComplete = "DELETE_COMPLETE",
        DeleteFailed = "DELETE_FAILED",
    }
}

impl ChangeSetStatus {
    /// Is it still being computed?
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::CreatePending | Self::CreateInProgress)
    }
}

wire_enum! {
    /// Whether a change set may be carried out.
    ExecutionStatus {
        Unavailable = "UNAVAILABLE",
        Available = "AVAILABLE",
        InProgress = "EXECUTE_IN_PROGRESS",
        Complete = "EXECUTE_COMPLETE",
        Failed = "EXECUTE_FAILED",
        /// The stack moved on.
        Obsolete = "OBSOLETE",
    }
}

wire_enum! {
    /// What happens to a resource.
    ChangeAction {
        Add = "Add",
        Modify = "Modify",
        Remove = "Remove",
        Import = "Import",
        Dynamic = "Dynamic",
    }
}

wire_enum! {
    /// Whether a modified resource becomes another physical resource.
    Replacement {
        False = "False",
        Conditional = "Conditional",
        True = "True",
    }
}

impl Replacement {
    /// How bad: 0 in place, 1 perhaps, 2 surely. What is not known counts as surely.
    pub fn rank(&self) -> u8 {
        match self {
            Self::False => 0,
            Self::Conditional => 1,
            Self::True | Self::Other(_) => 2,
        }
    }
}

wire_enum! {
    /// Which part of the resource a detail speaks of.
    ChangeAttribute {
        Properties = "Properties",
        Metadata = "Metadata",
        CreationPolicy = "CreationPolicy",
        UpdatePolicy = "UpdatePolicy",
        DeletionPolicy = "DeletionPolicy",
        UpdateReplacePolicy = "UpdateReplacePolicy",
        Tags = "Tags",
    }
}

wire_enum! {
    /// Whether changing the property makes another physical resource.
    Recreation {
        Never = "Never",
        Conditionally = "Conditionally",
        Always = "Always",
    }
}

wire_enum! {
    /// Whether the new value is known before execution.
    ChangeEvaluation {
        Static = "Static",
        Dynamic = "Dynamic",
    }
}

/// Why a resource is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeDetail {
    /// The part of the resource.
    pub attribute: ChangeAttribute,
    /// The top-level property, for `Properties`.
    pub name: Option<String>,
    /// What changing it does.
    pub recreation: Recreation,
    /// Is the new value known?
    pub evaluation: ChangeEvaluation,
    /// The parameter or `LogicalId.Attribute` that caused it.
    pub causing_entity: Option<String>,
    /// `DirectModification`, `ResourceAttribute`, `ResourceReference`, `ParameterReference` or `Automatic`.
    pub source: Option<String>,
}

/// One resource of a change set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happens.
    pub action: ChangeAction,
    /// The logical id.
    pub logical_id: String,
    /// The physical id, if it exists already.
    pub physical_id: Option<String>,
    /// The resource type.
    pub resource_type: String,
    /// For `Modify`.
    pub replacement: Option<Replacement>,
    /// The attributes that change.
    pub scope: Vec<ChangeAttribute>,
    /// Why.
    pub details: Vec<ChangeDetail>,
}

/// What DescribeChangeSet says, all pages joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// The ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// How far it is.
    pub status: ChangeSetStatus,
    /// May it be executed?
    pub execution_status: ExecutionStatus,
    /// Why it failed.
    pub status_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The stack tags it carries.
    pub tags: Tags,
    /// The parameter values it carries.
    pub parameters: BTreeMap<String, String>,
    /// What it would do.
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// Failed because there was nothing to change: a good answer in the form of a failure.
    pub fn is_empty_update(&self) -> bool {
        let reason = self.status_reason.as_deref().unwrap_or_default();
        self.status == ChangeSetStatus::Failed
            && (reason.starts_with("The submitted information didn't contain changes.")
                || reason.starts_with("No updates are to be performed."))
    }

    /// Complete and waiting to be executed.
    pub fn is_executable(&self) -> bool {
        self.status == ChangeSetStatus::CreateComplete && self.execution_status == ExecutionStatus::Available
    }

    /// Still being computed.
    pub fn is_pending(&self) -> bool {
        self.status.is_pending()
    }
}

/// What ListChangeSets says of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSetSummary {
    /// The ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// How far it is.
    pub status: ChangeSetStatus,
}
