//! What resolving leaves: stacks as they are wanted, with every decision made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    Envelope, Identity,
    view::{Verbatim, View},
};
use crate::{
    cloud::StackRef,
    diagnostic::{Path, Span},
};

/// One stack as it is wanted, before it is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredStack {
    /// Who it is.
    pub identity: Identity,
    /// What goes with its body.
    pub envelope: Envelope,
    /// What its template sees.
    pub view: View,
    /// The escape hatch.
    pub hatch: Hatch,
    /// Fields by the property they become, as `EndpointConfig/Properties/ProductionVariants/0/InstanceType`.
    pub origins: BTreeMap<Path, ManifestField>,
    /// The dynamic references that `{ssm: …}` became in its environment: a body has no others.
    pub fetched: Arc<BTreeSet<String>>,
    /// The manifest.
    pub span: Span,
}

/// Changes and additions in CloudFormation's own words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hatch {
    /// Patches by logical id: a map is a merge patch, a list is a JSON Patch.
    pub overrides: BTreeMap<String, Verbatim>,
    /// Whole resources by logical id.
    pub resources: BTreeMap<String, Verbatim>,
    /// Whole outputs by name.
    pub outputs: BTreeMap<String, Verbatim>,
    /// Where each of them was written: `overrides/ID`, `resources/ID`, `outputs/NAME`.
    pub spans: BTreeMap<Path, Span>,
}

/// A field of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestField {
    /// Its path in the document.
    pub path: Path,
    /// Its place.
    pub span: Span,
}

/// The value of a stack parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ParameterValue {
    /// Known now.
    Literal(String),
    /// Known when the other stack has run.
    Output {
        /// The stack that has it.
        stack: StackRef,
        /// The output's name.
        key: String,
    },
}

/// Something hubform chose for the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// What was chosen, as `instance`.
    pub what: String,
    /// The choice.
    pub value: String,
    /// Why this and not another; empty where it is pinned and the run did not ask.
    pub reason: String,
    /// It stood in the lock already.
    pub pinned: bool,
    /// What would be chosen today, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<String>,
}
