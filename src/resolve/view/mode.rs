//! What only endpoints of one mode have, as their template sees it.

use schemars::JsonSchema;
use serde::Serialize;

/// Parts of single modes; of each there is one at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct ModeView {
    /// Of the mode in tests only.
    #[cfg(test)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fake: Option<FakeView>,
}

/// Where the answers of a mode in tests only go.
#[cfg(test)]
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FakeView {
    /// `s3://…`.
    pub uri: String,
}
