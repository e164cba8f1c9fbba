//! The plan as a value.
//!
//! Order comes in two grains. A [`Step`] needs other stacks before its first operation; what they do until one of their
//! own operations waits is what it needs of them. An [`Operation`] may wait for operations of other steps besides
//! ([`After`]): so a shared role is widened, its users move, and it is narrowed, in two steps and not in three. A step
//! whose next operation waits takes no turn, and one that waits in vain ends where it stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::types;
use crate::{
    cloud::{Capability, Replacement, StackOptions, StackRef, StackStatus, Tags, Target, Timestamp},
    diagnostic::{Path, Position},
    render::{Check, Choice, Identity, Origins, ParameterValue},
};

/// The format of a written plan; others are refused by name.
pub const FORMAT: u32 = 2;

/// Everything `apply` will do, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// See [`FORMAT`].
    pub format: u32,
    /// Tells the requests of this plan from those of any other, whatever they ask for.
    pub nonce: String,
    /// The environments in scope, in the order they are shown.
    pub environments: Vec<PlannedEnvironment>,
    /// Every body once, by digest of its bytes.
    pub bodies: BTreeMap<String, Arc<str>>,
    /// One per stack in scope, those without anything to do included; each after those it needs.
    pub steps: Vec<Step>,
    /// Stacks of ours that no manifest describes any more, as their tags name them. Nothing happens to them.
    pub left_behind: Vec<Identity>,
    /// The protected manifests whose deletion or replacement the user allowed, as `Endpoint/chat`.
    #[serde(default)]
    pub allowed: BTreeSet<String>,
    /// The manifests that may take over a stack of somebody else, as `Endpoint/chat`.
    #[serde(default)]
    pub adopted: BTreeSet<String>,
}

/// One environment and the account its plan was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedEnvironment {
    /// Its name.
    pub name: String,
    /// Its owner id; without one nothing that stands is its own.
    #[serde(default)]
    pub owner: Option<String>,
    /// Where its stacks live.
    pub target: Target,
    /// The account the credentials led to when the plan was made; `apply` refuses another.
    pub account: String,
}

/// One stack and what happens to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The stack.
    #[serde(flatten)]
    pub identity: Identity,
    /// What happens, in one word.
    pub action: Action,
    /// The stack as it was when the plan was made; none where there is none.
    pub observed: Option<Observed>,
    /// Stacks that must be ready before the first operation: see [`Step::until_others`].
    pub needs: BTreeSet<StackRef>,
    /// What is done, in order; empty where nothing is.
    pub operations: Vec<Operation>,
    /// Put in place when an operation fails and rolls back while something is out: the body as it was before the
    /// detour began, or the protection that was turned off.
    pub restore: Option<Operation>,
    /// By digest, the bodies that run while something is out: those between two phases, and the one an earlier run left.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub between: BTreeMap<String, Between>,
    /// What an earlier run took out or changed on a detour that it did not finish, by logical id.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aside: BTreeSet<String>,
    /// For a role that others share: stacks out of this plan that hold it wide, because they use it and do not run
    /// what is wanted. While there are any it is not narrowed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<StackRef>,
    /// Takes values of stacks that this plan changes: it may change as announced, or not at all.
    pub predicate: bool,
    /// What changes, resource by resource.
    pub changes: Vec<ResourceChange>,
    /// Why this action, where it is not obvious; sentences for people.
    pub reasons: Vec<String>,
    /// What hubform chose for the user.
    pub choices: Vec<Choice>,
    /// Asked when the stack has settled, and also when there is nothing to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Where each property came from.
    pub origins: Origins,
}

/// What is out while a body runs, in the words that failures use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Between {
    /// As `the scalable target`.
    pub out: String,
    /// What [`Step::restore`] puts back from here, as `ScalableTarget and TrackingPolicy`; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<String>,
}

/// What happens to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing.
    Keep,
    /// It is made.
    Create,
    /// It changes.
    Update,
    /// What is left of a failed creation goes, then it is made.
    Recreate,
    /// It goes.
    Delete,
}

/// What a plan was made upon; another state at execution makes the plan stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The stack's ARN.
    pub id: String,
    /// Where it stood.
    pub status: StackStatus,
    /// When it last changed: the start of its last update, else its creation.
    pub changed_at: Timestamp,
    /// Its output values.
    pub outputs: BTreeMap<String, String>,
    /// Is DeleteStack refused?
    #[serde(default)]
    pub protected: bool,
    /// Whose it was.
    #[serde(default)]
    pub owner: Option<String>,
}

/// One call that changes a stack, and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "operation")]
pub enum Operation {
    /// CreateStack; with `validate`, a change set of type CREATE that is read and executed.
    Create {
        /// What is sent.
        submission: Submission,
        /// Ask the service for its own pre-deployment checks first.
        validate: bool,
    },
    /// A change set that passes the gate, executed.
    Update {
        /// What is sent.
        submission: Submission,
        /// What the change set may do.
        gate: Gate,
        /// Which of several updates this is.
        phase: Option<Phase>,
        /// What it does to what a shared role grants, where it does only half of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        half: Option<Half>,
        /// What must have landed before it begins, besides what the step needs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        after: Vec<After>,
    },
    /// DeleteStack.
    Delete {
        /// The role CloudFormation acts with.
        role_arn: Option<String>,
    },
    /// UpdateTerminationProtection.
    Protect {
        /// On or off.
        on: bool,
    },
}

/// An operation of another step that must have landed. With the last of a step its checks must have passed too, and a
/// step without operations is its checks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct After {
    /// The stack of that step.
    pub stack: StackRef,
    /// The operation, from zero.
    pub operation: usize,
}

/// What an update does to what a shared role grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    /// To all that runs or is wanted, before those who use the role move.
    Widen,
    /// To what is wanted, after them.
    Narrow,
}

/// One of several updates that make one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// From one.
    pub number: usize,
    /// How many.
    pub of: usize,
    /// What this one does, as `take the scalable target out`.
    pub purpose: String,
    /// What it removes that has to be gone before the next phase can begin, by logical id.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub clears: BTreeSet<String>,
}

/// What is sent to CloudFormation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// Key into [`Plan::bodies`].
    pub body: String,
    /// The value of the body's output `HubformDigest`.
    pub digest: String,
    /// Parameters by name.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Parameters that keep the value they have, because it is never shown.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub previous: BTreeSet<String>,
    /// Stack tags.
    pub tags: Tags,
    /// Capabilities acknowledged.
    pub capabilities: BTreeSet<Capability>,
    /// Service role, topics.
    #[serde(flatten)]
    pub options: StackOptions,
    /// Only at creation; later by [`Operation::Protect`].
    pub termination_protection: bool,
}

/// What a change set may do at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// By logical id; what is not named may not change.
    pub allowed: BTreeMap<String, Allowed>,
}

/// What may happen to one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allowed {
    /// Added, modified or removed.
    pub kind: ChangeKind,
    /// At worst.
    pub replacement: Replacement,
}

/// Added, modified or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A new resource.
    Add,
    /// A resource that stays, perhaps as another physical one.
    Modify,
    /// A resource that goes.
    Remove,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// The logical id.
    pub logical_id: String,
    /// The resource type.
    pub resource_type: String,
    /// Added, modified or removed.
    pub kind: ChangeKind,
    /// For a modified one: is it replaced?
    pub replacement: Replacement,
    /// The properties that change.
    pub properties: Vec<PropertyChange>,
}

/// What happens to one property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyChange {
    /// The path below `Properties`, as `ProductionVariants/0/InstanceType`; `Tags` for stack tags.
    pub path: Path,
    /// The value that runs; none where there is none, or it is unknown.
    pub before: Option<Value>,
    /// The value wanted; none where there is none, or it is known only later.
    pub after: Option<Value>,
    /// What this change alone does to the resource.
    pub replacement: Replacement,
    /// The resource or stack output whose change causes this one; none where the manifest changed.
    pub because: Option<String>,
    /// Set by `overrides`.
    pub overridden: bool,
    /// Where the wanted value was written.
    pub position: Option<Position>,
}

impl Plan {
    /// Is there anything to do?
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(Step::is_idle)
    }

    /// The step of a stack.
    pub fn step(&self, stack: &StackRef) -> Option<&Step> {
        self.steps.iter().find(|step| step.identity.stack == *stack)
    }

    /// The account that a target led to when the plan was made.
    pub fn account(&self, target: &Target) -> Option<&str> {
        self.environments.iter().find(|e| e.target == *target).map(|e| e.account.as_str())
    }
}

impl PlannedEnvironment {
    /// Is it a stack of this environment, by where it lives and what it says?
    pub fn has(&self, identity: &Identity) -> bool {
        self.name == identity.environment && self.target == identity.stack.target
    }
}

impl Step {
    /// About how long its operations take.
    pub fn estimate(&self) -> Duration {
        let one = types::estimate(self.changes.iter().map(|change| change.resource_type.as_str()));
        one * u32::try_from(self.operations.len()).unwrap_or(u32::MAX)
    }

    /// Does nothing happen to the stack?
    pub fn is_idle(&self) -> bool {
        self.operations.is_empty()
    }

    /// How many operations are done before one waits for others; who needs the stack needs only these. None where
    /// none waits, so that all of the step is needed, its checks included.
    pub fn until_others(&self) -> Option<usize> {
        self.operations.iter().position(|operation| !operation.after().is_empty())
    }
}

impl Operation {
    /// What is sent, where a body is.
    pub fn submission(&self) -> Option<&Submission> {
        match self {
            Self::Create { submission, .. } | Self::Update { submission, .. } => Some(submission),
            Self::Delete { .. } | Self::Protect { .. } => None,
        }
    }

    /// What must have landed before it begins, besides what its step needs.
    pub fn after(&self) -> &[After] {
        match self {
            Self::Update { after, .. } => after,
            Self::Create { .. } | Self::Delete { .. } | Self::Protect { .. } => &[],
        }
    }

    /// An update in one piece that waits for nobody.
    pub fn update(submission: Submission, gate: Gate) -> Self {
        Self::Update { submission, gate, phase: None, half: None, after: Vec::new() }
    }
}
