//! `Fortune`: in tests only, to measure what one more kind costs.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Role;
use super::role::in_place;
use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::value::{Reference, Setting};

/// A state machine that tells a fortune.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Fortune {
    /// What it tells.
    pub text: String,
    /// Execution role.
    pub role: Option<Setting<Reference<Role>>>,
}

impl Rules for Fortune {
    fn check(&self, at: &mut RuleCheck<'_>) {
        at.inside("role", self.role.as_ref());
        in_place(self.role.as_ref(), at);
    }
}
