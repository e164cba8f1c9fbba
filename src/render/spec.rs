//! A rendered stack: everything a plan needs to know of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    cloud::Capability,
    diagnostic::{Path, Position},
    resolve::{Envelope, Identity},
};

/// One stack as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct StackSpec {
    /// Who it is.
    pub identity: Identity,
    /// What goes with its body.
    pub envelope: Envelope,
    /// The body: canonical compact JSON, with the digest among its outputs.
    pub body: Arc<str>,
    /// The digest of everything that makes an update; also the output `HubformDigest`.
    pub digest: String,
    /// What the body needs acknowledged.
    pub capabilities: BTreeSet<Capability>,
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

/// A field of a manifest and its place.
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
