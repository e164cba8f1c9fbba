//! An IAM role as its template sees it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Given, Givens, Verbatim};

/// A role in a stack of its own.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RoleStackView {
    /// The stack's description.
    pub description: String,
    /// The role.
    pub access: RoleView,
}

/// A role: who may assume it, and what it may do.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RoleView {
    /// Services that use it: they may assume it for the account it is in.
    pub users: Vec<String>,
    /// Other services that may assume it, from the manifest.
    pub services: Vec<String>,
    /// Accounts and ARNs that may assume it.
    pub accounts: Vec<String>,
    /// ARNs of managed policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_policies: Option<Givens>,
    /// Its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Given>,
    /// Statements: those that its users need, then the manifest's own.
    pub statements: Vec<PolicyStatement>,
}

/// A statement of a policy, in IAM's words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PolicyStatement {
    /// Made from needs.
    Needed(Statement),
    /// The manifest's own.
    Own(Verbatim),
}

/// A statement made from needs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Its name.
    #[serde(skip_serializing_if = "str::is_empty")]
    sid: &'static str,
    /// `Allow`.
    effect: &'static str,
    /// What is allowed.
    #[serde(serialize_with = "one_or_list")]
    #[schemars(with = "OneOrList")]
    action: Vec<&'static str>,
    /// For what.
    resource: Resources,
    /// Under which condition: operator, key and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

/// A condition of a statement: the keys and values of each operator.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Condition(BTreeMap<&'static str, BTreeMap<&'static str, Compared>>);

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
enum Compared {
    Flag(bool),
    Texts(Vec<String>),
}

/// Resources of a statement. A list that may grow is one also where it holds one, so that a plan shows what is added.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Resources {
    /// Always this one.
    One(Given),
    /// As many as are needed.
    Each(Vec<Given>),
}

impl Statement {
    /// Allows actions for resources.
    pub fn allow(sid: &'static str, actions: &[&'static str], resource: Resources) -> Self {
        Self { sid, effect: "Allow", action: actions.to_vec(), resource, condition: None }
    }

    /// Its name; empty where it has none.
    #[cfg(test)]
    pub fn sid(&self) -> &'static str {
        self.sid
    }

    /// The same under a condition.
    pub fn when(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }
}

impl Condition {
    fn one(operator: &'static str, key: &'static str, compared: Compared) -> Self {
        Self(BTreeMap::from([(operator, BTreeMap::from([(key, compared)]))]))
    }

    /// What is listed is below one of these, in the form of policies.
    pub fn below<'p>(prefixes: impl IntoIterator<Item = &'p str>) -> Self {
        let prefixes = prefixes.into_iter().map(str::to_owned).collect();
        Self::one("StringLike", "s3:prefix", Compared::Texts(prefixes))
    }

    /// A service of AWS is granted it.
    pub fn for_aws() -> Self {
        Self::one("Bool", "kms:GrantIsForAWSResource", Compared::Flag(true))
    }
}

/// One, or several.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum OneOrList {
    One(String),
    List(Vec<String>),
}

/// One is written as itself, as people do.
fn one_or_list<S: Serializer>(items: &[&'static str], serializer: S) -> Result<S::Ok, S::Error> {
    match items {
        [one] => one.serialize(serializer),
        items => items.serialize(serializer),
    }
}
