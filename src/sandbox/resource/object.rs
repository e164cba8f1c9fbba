//! What exists in the account, beside and beneath the stacks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::naming;
use crate::{cloud::EndpointStatus, sandbox::place::AccountRegion};

/// Something that exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) account: String,
    /// Empty for what belongs to no Region.
    pub(crate) region: String,
    pub(crate) resource_type: String,
    pub(crate) physical_id: String,
    pub(crate) name: String,
    pub(crate) arn: String,
    /// The stack that made it.
    pub(crate) stack: Option<usize>,
    /// Kept for the types that are asked about.
    pub(crate) properties: Value,
    /// Keys of objects that depend on this one.
    pub(crate) users: BTreeSet<String>,
    pub(crate) state: ObjectState,
}

/// What some types have beyond their properties.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) enum ObjectState {
    #[default]
    Plain,
    Endpoint(EndpointState),
}

impl ObjectState {
    pub(crate) fn endpoint(&self) -> Option<&EndpointState> {
        match self {
            Self::Endpoint(state) => Some(state),
            Self::Plain => None,
        }
    }

    pub(super) fn endpoint_mut(&mut self) -> Option<&mut EndpointState> {
        match self {
            Self::Endpoint(state) => Some(state),
            Self::Plain => None,
        }
    }
}

/// What an endpoint runs, and what it is changing to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndpointState {
    pub(crate) status: EndpointStatus,
    pub(crate) config_name: String,
    pub(crate) failure_reason: Option<String>,
    pub(crate) variants: BTreeMap<String, Fleet>,
    pub(crate) pending: Option<PendingFleets>,
}

/// One variant's fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fleet {
    pub(crate) instance_type: String,
    pub(crate) count: u64,
}

/// What an endpoint will run when it settles, or why it will not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PendingFleets {
    pub(crate) config_name: String,
    pub(crate) variants: BTreeMap<String, Fleet>,
    /// It returns to the old configuration without a reason.
    pub(crate) silent_rollback: bool,
    /// An instance type without capacity.
    pub(crate) shortage: Option<String>,
}

/// Types whose names are one account's, not one Region's.
pub(crate) fn is_global(kind: &str) -> bool {
    ["AWS::IAM::", "AWS::CloudFront::", "AWS::Route53::"].iter().any(|prefix| kind.starts_with(prefix))
        || kind == "AWS::S3::Bucket"
}

impl Object {
    pub(crate) fn key(place: &AccountRegion, kind: &str, physical_id: &str) -> String {
        let region = if is_global(kind) { "" } else { &place.region };
        format!("{}/{region}/{kind}/{physical_id}", place.account)
    }

    /// Does something of this type exist under the name the properties give? False where they give none.
    pub(crate) fn taken(
        objects: &BTreeMap<String, Self>,
        place: &AccountRegion,
        kind: &str,
        properties: &Value,
    ) -> bool {
        let physical_id = naming::given_physical_id(place, kind, properties);
        physical_id.is_some_and(|id| objects.contains_key(&Self::key(place, kind, &id)))
    }

    /// What it is doing, in a few words.
    pub(crate) fn summary(&self) -> String {
        let Some(endpoint) = self.state.endpoint() else { return self.name.clone() };
        let fleets: Vec<String> = endpoint
            .variants
            .iter()
            .map(|(name, variant)| match variant.instance_type.is_empty() {
                true => format!("{name}: serverless"),
                false => format!("{name}: {} x {}", variant.count, variant.instance_type),
            })
            .collect();
        format!("{} on {} ({})", endpoint.status, endpoint.config_name, fleets.join(", "))
    }
}
