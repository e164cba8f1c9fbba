//! What is asked once a stack has settled, because CloudFormation does not have the answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outputs;

/// One question. What else could be asked (an inference component, a target group, a probe) is a variant of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "check")]
pub enum Check {
    /// Does the endpoint run the configuration that its stack made?
    Runs {
        /// The endpoint's name.
        endpoint: String,
        /// The output that names the configuration.
        config_output: String,
    },
}

impl Check {
    /// The question about an endpoint of our templates.
    pub fn runs(endpoint: String) -> Self {
        Self::Runs { endpoint, config_output: outputs::ENDPOINT_CONFIG_NAME.to_owned() }
    }

    /// The questions about a live stack, by its outputs, whether or not it has a manifest.
    pub fn of_stack(outputs: &BTreeMap<String, String>) -> Vec<Self> {
        outputs.get(outputs::ENDPOINT_NAME).cloned().map(Self::runs).into_iter().collect()
    }

    /// What the stack made, by its outputs, and must run.
    pub fn made<'a>(&self, outputs: &'a BTreeMap<String, String>) -> Option<&'a String> {
        match self {
            Self::Runs { config_output, .. } => outputs.get(config_output),
        }
    }

    /// The endpoint that is asked.
    pub fn endpoint(&self) -> &str {
        match self {
            Self::Runs { endpoint, .. } => endpoint,
        }
    }
}
