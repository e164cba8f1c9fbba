//! `Environment`: where, for everything in its folder and below.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::role::in_place;
use super::{Alarms, Hardware, Kind, Role, Rollout, Scaling, Timeouts};
use crate::diagnostic::{Code, Path};
use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::secret::shown;
use crate::manifest::value::{Reference, Setting, Value, ValueList};
use crate::manifest::wording::ticked;

/// Where manifests are deployed, and what they inherit.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// First part of every generated name; defaults to the environment's name.
    #[schemars(extend("x-form" = "prefix"))]
    pub prefix: Option<String>,
    /// Accounts and Regions; without any, the credentials and Region of the shell.
    #[schemars(extend("x-supported" = {"maxItems": 1}))]
    pub targets: Vec<Target>,
    /// Names of targets that are deployed one after the other.
    #[schemars(extend("x-later" = "an order of targets"))]
    pub order: Vec<String>,
    /// Defaults for all targets.
    #[serde(flatten)]
    pub settings: Settings,
    /// What the environment may cost.
    #[schemars(extend("x-later" = "a budget"))]
    pub budget: Option<Budget>,
    /// Refuse what deletes or replaces; defaults to whether the name starts with `prod`, `prd` or `live`.
    pub protect: Option<bool>,
    /// Rules that plans are judged by.
    #[schemars(extend("x-later" = "policies"))]
    pub policies: Option<serde_json::Value>,
    /// Folder with templates that replace the embedded ones, relative to the manifest.
    pub templates: Option<String>,
    /// Folders whose manifests belong to this environment too, relative to the manifest.
    pub include: Vec<String>,
    /// Changes to manifests of this environment, merged in before they are read.
    pub patches: Vec<Patch>,
    /// Deploy through a CloudFormation stack set.
    #[schemars(extend("x-later" = "stack sets"))]
    pub stack_set: Option<serde_json::Value>,
}

/// The name of a target that has none.
pub const DEFAULT_TARGET: &str = "default";

/// One account and Region.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// Name of the target, for `${target}` and the lock; `default` when not given.
    #[schemars(extend("x-form" = "name"))]
    pub name: Option<String>,
    /// Account id, twelve digits in quotes.
    #[schemars(extend("x-form" = "account"))]
    pub account: Option<String>,
    /// Region, such as `eu-west-1`.
    #[schemars(extend("x-form" = "region"))]
    pub region: Option<String>,
    /// ARN of the role to assume before every call.
    #[schemars(extend("x-form" = "arn"))]
    pub assume_role: Option<String>,
    /// What differs in this target.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What an environment sets for all its targets, or a target for itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Subnets and security groups of what is deployed.
    pub network: Option<Vpc>,
    /// Key that encrypts what is deployed.
    pub encryption: Option<Encryption>,
    /// Where files for deployments lie.
    pub artifacts: Option<Artifacts>,
    /// ARNs of SNS topics notified of stack events.
    #[schemars(extend("x-inner" = {"x-form": "arn"}))]
    pub notifications: Option<Vec<String>>,
    /// ARN of the role that CloudFormation acts with; once set it can be changed, not removed.
    #[schemars(extend("x-form" = "arn"))]
    pub service_role: Option<String>,
    /// Permissions boundary of every generated role.
    pub permissions_boundary: Option<Value>,
    /// Tags of every stack.
    #[schemars(extend("x-tags" = true))]
    pub tags: Option<BTreeMap<String, String>>,
    /// Defaults for manifests.
    pub defaults: Option<Defaults>,
}

/// A place in a network.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vpc {
    /// Subnet ids.
    pub subnets: ValueList,
    /// Security group ids.
    pub security_groups: ValueList,
}

/// How data at rest is encrypted.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    /// Id or ARN of a KMS key.
    pub kms_key: Value,
}

/// Where files for deployments lie.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifacts {
    /// An S3 bucket that exists.
    #[schemars(extend("x-form" = "bucket"))]
    pub bucket: String,
}

/// Defaults for manifests.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Defaults {
    /// Instances.
    pub hardware: Option<Reference<Hardware>>,
    /// How many.
    pub scaling: Option<Reference<Scaling>>,
    /// How an endpoint moves to a new configuration.
    pub rollout: Option<Rollout>,
    /// Alarms; `none` for none.
    pub alarms: Option<Setting<Alarms>>,
    /// Execution role.
    pub role: Option<Setting<Reference<Role>>>,
    /// Start-up timeouts.
    pub timeouts: Option<Timeouts>,
}

/// What an environment may cost.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Budget {
    /// At most this per month, such as `5000 USD`.
    #[schemars(extend("x-form" = "money"))]
    pub monthly: String,
}

/// A merge patch (RFC 7396) for one manifest.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Patch {
    /// Kind of the manifest.
    pub kind: String,
    /// Its `metadata.name`.
    pub name: String,
    /// Merged into its `spec`; `null` removes a field.
    #[schemars(extend("x-raw" = true))]
    pub spec: serde_json::Map<String, serde_json::Value>,
}

impl Target {
    /// The target's name, `default` when none is given.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(DEFAULT_TARGET)
    }
}

impl Settings {
    /// These settings with gaps filled from `outer`; tags and defaults one by one, all else as a whole.
    pub fn or(self, outer: &Settings) -> Settings {
        let outer = outer.clone();
        Settings {
            network: self.network.or(outer.network),
            encryption: self.encryption.or(outer.encryption),
            artifacts: self.artifacts.or(outer.artifacts),
            notifications: self.notifications.or(outer.notifications),
            service_role: self.service_role.or(outer.service_role),
            permissions_boundary: self.permissions_boundary.or(outer.permissions_boundary),
            tags: both(self.tags, outer.tags, |mut outer, own| {
                outer.extend(own);
                outer
            }),
            defaults: both(self.defaults, outer.defaults, |outer, own| own.or(outer)),
        }
    }
}

impl Defaults {
    /// These defaults with gaps filled from `outer`.
    fn or(self, outer: Defaults) -> Defaults {
        Defaults {
            hardware: self.hardware.or(outer.hardware),
            scaling: self.scaling.or(outer.scaling),
            rollout: self.rollout.or(outer.rollout),
            alarms: self.alarms.or(outer.alarms),
            role: self.role.or(outer.role),
            timeouts: self.timeouts.or(outer.timeouts),
        }
    }
}

fn both<T>(own: Option<T>, outer: Option<T>, join: impl FnOnce(T, T) -> T) -> Option<T> {
    match (own, outer) {
        (Some(own), Some(outer)) => Some(join(outer, own)),
        (own, outer) => own.or(outer),
    }
}

impl Rules for Environment {
    fn check(&self, at: &mut RuleCheck<'_>) {
        self.settings.check(at);
        at.each("targets", &self.targets);
        for (index, patch) in self.patches.iter().enumerate() {
            let place = Path::from("patches").item(index).at("kind");
            let known = || Kind::ALL.iter().filter(|kind| **kind != Kind::Environment).map(|kind| kind.name());
            if !known().any(|kind| kind == patch.kind) {
                let message = format!("`{}` is not a kind that patches apply to", shown(&patch.kind));
                let help = format!("kinds are {}", ticked(known(), "and"));
                at.report_key(place, Code::UnknownKind, message, &help);
            }
        }
    }
}

impl Rules for Target {
    fn check(&self, at: &mut RuleCheck<'_>) {
        self.settings.check(at);
    }
}

impl Rules for Settings {
    fn check(&self, at: &mut RuleCheck<'_>) {
        at.inside("network", self.network.as_ref());
        at.inside("defaults", self.defaults.as_ref());
    }
}

impl Rules for Defaults {
    fn check(&self, at: &mut RuleCheck<'_>) {
        at.inside("hardware", self.hardware.as_ref());
        at.inside("scaling", self.scaling.as_ref());
        at.inside("rollout", self.rollout.as_ref());
        at.inside("role", self.role.as_ref());
        in_place(self.role.as_ref(), at);
    }
}
