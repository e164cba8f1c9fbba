//! A stack as CloudFormation describes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{StackStatus, Target, Timestamp, wire::wire_enum};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The tags that are not AWS's own, which nobody else can set.
pub fn own_tags(tags: &Tags) -> impl Iterator<Item = (&String, &String)> {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:"))
}

/// Does a parameter's value stand there as asterisks? So CloudFormation shows what is `NoEcho`.
pub fn is_masked(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte == b'*')
}

/// What CloudFormation is told with a body, apart from what enters it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackOptions {
    /// The role CloudFormation acts with.
    pub role_arn: Option<String>,
    /// Topics for stack events.
    pub notification_arns: Vec<String>,
}

wire_enum! {
    /// What the caller says it knows a template may do.
    Capability {
        Iam = "CAPABILITY_IAM",
        NamedIam = "CAPABILITY_NAMED_IAM",
        AutoExpand = "CAPABILITY_AUTO_EXPAND",
    }
}

/// A stack, wherever it lives: how everything in hubform names one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StackRef {
    /// The account and Region.
    pub target: Target,
    /// The stack's name.
    pub name: String,
}

impl std::fmt::Display for StackRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.name)
    }
}

/// What DescribeStacks says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// The ARN, which still finds the stack for 90 days after its deletion.
    pub id: String,
    /// The name.
    pub name: String,
    /// Where it stands.
    pub status: StackStatus,
    /// Why, where the service says.
    pub status_reason: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the last update began; absent before the first, but for a stack that a change set made.
    pub updated_at: Option<Timestamp>,
    /// When its deletion began, also where that failed, or the roll-back of its creation.
    pub deleted_at: Option<Timestamp>,
    /// Parameter values; those with `NoEcho` are asterisks.
    pub parameters: BTreeMap<String, String>,
    /// Output values.
    pub outputs: BTreeMap<String, String>,
    /// Tags on the stack itself.
    pub tags: Tags,
    /// Capabilities of the last operation.
    pub capabilities: BTreeSet<Capability>,
    /// The role CloudFormation acts with, as an ARN.
    pub role_arn: Option<String>,
    /// Topics for stack events.
    pub notification_arns: Vec<String>,
    /// Is DeleteStack refused?
    pub termination_protection: bool,
}

impl Stack {
    /// When something was last begun on it: its creation, the roll-back of that, an update, or a deletion that failed.
    pub fn changed_at(&self) -> Timestamp {
        [self.updated_at, self.deleted_at].into_iter().flatten().fold(self.created_at, Timestamp::max)
    }
}

/// What ListStacks says: enough to see that a stack moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSummary {
    /// The ARN.
    pub id: String,
    /// The name.
    pub name: String,
    /// Where it stands.
    pub status: StackStatus,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// The twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}
