//! A fortune as its template sees it.

use schemars::JsonSchema;
use serde::Serialize;

use super::ExecutionRole;

/// A state machine that tells a fortune.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FortuneView {
    /// What it tells.
    pub text: String,
    /// The role that it runs with.
    pub role: ExecutionRole,
}
