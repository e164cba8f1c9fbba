//! An IAM role as its template sees it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Given, Givens, Verbatim};
use crate::resolve::access::{Grant, List, Repository};

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
    /// Services that may assume it.
    pub services: Vec<String>,
    /// Accounts and ARNs that may assume it.
    pub accounts: Vec<String>,
    /// ARNs of managed policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_policies: Option<Givens>,
    /// Its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Given>,
    /// Image repositories to pull from.
    pub repositories: Vec<Repository>,
    /// Objects to read.
    pub reads: Vec<Grant>,
    /// Buckets to list.
    pub lists: Vec<List>,
    /// Where objects are written.
    pub writes: Vec<Grant>,
    /// Keys to use.
    pub keys: Vec<Given>,
    /// Network interfaces in a VPC?
    pub network: bool,
    /// Statements of the manifest's own.
    pub statements: Vec<Verbatim>,
}
