//! Where a call is made and a stack lives: an account, and a Region of it. Every call carries its own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One Region of one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct AccountRegion {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl AccountRegion {
    /// The AWS partition of the Region.
    pub(crate) fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// As written in keys of the state.
impl fmt::Display for AccountRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}
