//! A rendered stack: everything a plan needs to know of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    cloud::{Capability, StackRef, Tags},
    diagnostic::{Path, Position},
    resolve::{Choice, EndpointCheck, ParameterValue},
};

/// One stack as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct StackSpec {
    /// Where it lives and what it is called.
    pub stack: StackRef,
    /// The environment it belongs to.
    pub environment: String,
    /// Whose it is: the output `HubformOwner`; none where the lock does not say, as for `render`.
    pub owner: Option<String>,
    /// The manifest's kind, as `Endpoint`.
    pub kind: String,
    /// The manifest's name.
    pub name: String,
    /// The body: canonical compact JSON, with the digest among its outputs.
    pub body: Arc<str>,
    /// The digest of everything that makes an update; stands in the output `HubformDigest`.
    pub digest: String,
    /// Parameters by name.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Stack tags, the three of ownership included.
    pub tags: Tags,
    /// What the body needs acknowledged.
    pub capabilities: BTreeSet<Capability>,
    /// The role CloudFormation acts with.
    pub role_arn: Option<String>,
    /// Topics for stack events.
    pub notification_arns: Vec<String>,
    /// Protected: DeleteStack is refused, and so are steps that delete or replace what matters.
    pub protect: bool,
    /// Stacks whose outputs this one takes, or that must stand before it.
    pub needs: BTreeSet<StackRef>,
    /// The endpoint to ask whether it really runs what the stack made.
    pub endpoint: Option<EndpointCheck>,
    /// What hubform chose, with reasons.
    pub choices: Vec<Choice>,
    /// Properties set by `overrides`, as `LogicalId/Properties/…`.
    pub overridden: BTreeSet<Path>,
    /// Where each property came from.
    pub origins: Origins,
}

/// Where properties came from: the longest known prefix wins, else the manifest itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origins {
    /// The manifest.
    pub manifest: Position,
    /// By path, as `EndpointConfig/Properties/ProductionVariants/0/InstanceType` or just `EndpointConfig`.
    pub properties: BTreeMap<Path, Origin>,
}

/// A field of a manifest and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The field, as `spec.hardware.instances[0]`.
    pub field: String,
    /// Its place.
    pub position: Position,
}

impl Origins {
    /// The origin of a path, or of the nearest known place above it.
    pub fn of(&self, path: &Path) -> Option<&Origin> {
        path.upward().find_map(|place| self.properties.get(place))
    }

    /// The position of a path; the manifest's own where nothing nearer is known.
    pub fn position(&self, path: &Path) -> &Position {
        self.of(path).map_or(&self.manifest, |origin| &origin.position)
    }
}

/// The key under which a plan keeps a body: sha-256 of its bytes, in hex.
pub fn body_digest(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
