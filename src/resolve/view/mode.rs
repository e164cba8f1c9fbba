//! What only endpoints of one mode have, as their template sees it.

use schemars::JsonSchema;
use serde::Serialize;

/// Parts of single modes; of each there is one at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct ModeView {}
