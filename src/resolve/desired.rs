//! What resolving leaves: stacks as they are wanted, with every decision made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    cloud::{StackRef, Tags},
    diagnostic::{Path, Span},
};

/// One stack as it is wanted, before it is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredStack {
    /// Where it lives and what it is called.
    pub stack: StackRef,
    /// The environment it belongs to.
    pub environment: String,
    /// Whose it is; none where the lock does not say.
    pub owner: Option<String>,
    /// The manifest's kind, as `Endpoint`.
    pub kind: String,
    /// The manifest's name.
    pub name: String,
    /// The template that renders it, as `endpoint.yaml.tera`.
    pub template: &'static str,
    /// What the template sees.
    pub values: Value,
    /// Parameters by name.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Stack tags, the three of ownership included.
    pub tags: Tags,
    /// The role CloudFormation acts with.
    pub role_arn: Option<String>,
    /// Topics for stack events.
    pub notification_arns: Vec<String>,
    /// Protected: see [`crate::render::StackSpec::protect`].
    pub protect: bool,
    /// Stacks that must stand before this one.
    pub needs: BTreeSet<StackRef>,
    /// The endpoint to ask afterwards.
    pub endpoint: Option<EndpointCheck>,
    /// What hubform chose, with reasons.
    pub choices: Vec<Choice>,
    /// The escape hatch.
    pub hatch: Hatch,
    /// Fields by the property they become, as `EndpointConfig/Properties/ProductionVariants/0/InstanceType`.
    pub origins: BTreeMap<Path, Field>,
    /// The dynamic references that `{ssm: …}` became in its environment: a body holds no others.
    pub fetched: Arc<BTreeSet<String>>,
    /// The manifest.
    pub span: Span,
}

/// Changes and additions in CloudFormation's own words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hatch {
    /// Patches by logical id: a map is a merge patch, a list is a JSON Patch.
    pub overrides: BTreeMap<String, Value>,
    /// Whole resources by logical id.
    pub resources: BTreeMap<String, Value>,
    /// Whole outputs by name.
    pub outputs: BTreeMap<String, Value>,
    /// Where each of them was written: `overrides/ID`, `resources/ID`, `outputs/NAME`.
    pub spans: BTreeMap<Path, Span>,
}

/// A field of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
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

/// The one question whose answer CloudFormation does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointCheck {
    /// The endpoint's name.
    pub endpoint: String,
    /// The output that names the configuration it must run.
    pub config_output: String,
}

/// Something hubform chose for the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// What was chosen, as `instance`.
    pub what: String,
    /// The choice.
    pub value: String,
    /// Why this and not another; empty where it is pinned and nobody asked.
    pub reason: String,
    /// It stood in the lock already.
    pub pinned: bool,
    /// What would be chosen today, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<String>,
}
