//! `Endpoint`: a SageMaker endpoint.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::role::in_place;
use super::{Encryption, Hardware, Model, Role, Scaling, Vpc};
use crate::diagnostic::{Code, Path};
use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::secret::shown;
use crate::manifest::value::{Duration, Latency, Percent, Reference, Setting, Size, ValueList};

/// A SageMaker endpoint.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("oneOf" = [{"required": ["model"]}, {"required": ["variants"]}, {"required": ["components"]}]))]
pub struct Endpoint {
    /// How it answers.
    pub mode: Option<Mode>,
    /// The one model it serves.
    pub model: Option<Reference<Model>>,
    /// Several models that share the traffic.
    #[schemars(extend("x-later" = "several variants"))]
    pub variants: Vec<Variant>,
    /// Several models that share the instances.
    #[schemars(extend("x-later" = "inference components"))]
    pub components: Vec<Component>,
    /// A model that sees a copy of the traffic.
    #[schemars(extend("x-later" = "a shadow variant"))]
    pub shadow: Option<Shadow>,
    /// Instances.
    pub hardware: Option<Reference<Hardware>>,
    /// How many.
    pub scaling: Option<Reference<Scaling>>,
    /// Settings of a serverless endpoint.
    #[schemars(extend("x-later" = "serverless endpoints"))]
    pub serverless: Option<Serverless>,
    /// Settings of an async endpoint.
    #[schemars(extend("x-later" = "async endpoints"))]
    pub r#async: Option<AsyncInference>,
    /// Settings of a mode that exists in tests only.
    #[cfg(test)]
    pub fake: Option<FakeSettings>,
    /// How it moves to a new configuration.
    pub rollout: Option<Rollout>,
    /// Alarms; `none` for none.
    pub alarms: Option<Setting<Alarms>>,
    /// What is recorded of requests and answers.
    pub capture: Option<Capture>,
    /// Monitoring schedules.
    #[schemars(extend("x-later" = "monitoring"))]
    pub monitor: Option<serde_json::Value>,
    /// Which instance answers.
    pub routing: Option<Routing>,
    /// Subnets and security groups; `none` turns off the environment's.
    pub network: Option<Setting<Network>>,
    /// Key for data at rest; `none` turns off the environment's.
    pub encryption: Option<Setting<Encryption>>,
    /// Execution role; `none` turns off the environment's, so that one is generated.
    pub role: Option<Setting<Reference<Role>>>,
    /// Start-up timeouts.
    pub timeouts: Option<Timeouts>,
    /// A request to send after a deployment.
    #[schemars(extend("x-later" = "a probe"))]
    pub probe: Option<Probe>,
    /// The endpoint's own name when clients need a stable one.
    #[schemars(extend("x-form" = "endpoint-name"))]
    pub name: Option<String>,
    /// Patches of rendered resources by logical id.
    #[schemars(extend("x-inner" = {"type": ["object", "array"]}))]
    pub overrides: BTreeMap<String, serde_json::Value>,
    /// Whole resources by logical id.
    #[schemars(extend("x-inner" = {"type": "object"}))]
    pub resources: BTreeMap<String, serde_json::Value>,
    /// Whole outputs by name.
    #[schemars(extend("x-inner" = {"type": "object"}))]
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// How an endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// At once, from instances that are always there.
    Realtime,
    /// At once, from capacity that comes with the request.
    #[schemars(extend("x-later" = "serverless endpoints"))]
    Serverless,
    /// Later, into S3.
    #[schemars(extend("x-later" = "async endpoints"))]
    Async,
    /// Nobody's: what one more mode costs is measured by it.
    #[cfg(test)]
    Fake,
}

/// Settings of a mode that exists in tests only.
#[cfg(test)]
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct FakeSettings {
    /// S3 location of answers.
    #[schemars(extend("x-form" = "s3"))]
    pub answers: String,
}

/// One of several models that share the traffic.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Variant {
    /// Name of the variant.
    #[schemars(extend("x-form" = "name"))]
    pub name: String,
    /// What it serves.
    pub model: Reference<Model>,
    /// Instances.
    pub hardware: Option<Reference<Hardware>>,
    /// How many.
    pub scaling: Option<Reference<Scaling>>,
    /// Share of the traffic, relative to the others.
    #[schemars(range(min = 0))]
    pub weight: Option<f64>,
}

/// One of several models that share the instances.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Component {
    /// Name of the component.
    #[schemars(extend("x-form" = "name"))]
    pub name: String,
    /// What it serves.
    pub model: Reference<Model>,
    /// How many copies when nothing scales them.
    pub copies: Option<u32>,
    /// Devices per copy.
    #[schemars(range(min = 1))]
    pub accelerators: Option<u32>,
    /// Processors per copy.
    #[schemars(range(min = 0.25))]
    pub cpus: Option<f64>,
    /// Memory reserved per copy.
    pub memory: Option<Size>,
    /// How many copies.
    pub scaling: Option<Reference<Scaling>>,
}

/// A model that sees a copy of the traffic.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Shadow {
    /// What it serves.
    pub model: Reference<Model>,
    /// Instances.
    pub hardware: Option<Reference<Hardware>>,
    /// How many.
    pub scaling: Option<Reference<Scaling>>,
    /// Share of the traffic that is copied.
    pub sample: Option<Percent>,
}

/// Settings of a serverless endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Serverless {
    /// Memory, 1 to 6 GiB.
    pub memory: Option<Size>,
    /// Requests at once.
    #[schemars(range(min = 1, max = 200))]
    pub concurrency: Option<u32>,
    /// Requests at once that are always ready.
    #[schemars(range(min = 1, max = 200))]
    pub provisioned: Option<u32>,
}

/// Settings of an async endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct AsyncInference {
    /// S3 location of answers.
    #[schemars(extend("x-form" = "s3"))]
    pub output: String,
    /// S3 location of failures.
    #[schemars(extend("x-form" = "s3"))]
    pub failures: Option<String>,
    /// Topics notified of each answer.
    pub notify: Option<NotifyAsync>,
    /// Requests at once per instance.
    #[schemars(range(min = 1, max = 1000))]
    pub concurrency: Option<u32>,
}

/// Topics notified of each answer.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct NotifyAsync {
    /// Topic for answers.
    pub success: Option<crate::manifest::value::Value>,
    /// Topic for failures.
    pub error: Option<crate::manifest::value::Value>,
}

/// How an endpoint moves to a new configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Rollout {
    /// All at once, in two steps, in equal steps, or instance by instance.
    pub strategy: Option<RolloutStrategy>,
    /// How much moves in a step: a percentage or a count of instances.
    pub size: Option<RolloutSize>,
    /// How long alarms are watched after each step.
    #[schemars(extend("x-between" = ["0s", "3600s"]))]
    pub bake: Option<Duration>,
    /// How long the old fleet stays.
    #[schemars(extend("x-between" = ["0s", "3600s"]))]
    pub drain: Option<Duration>,
    /// When the whole is given up.
    #[schemars(extend("x-between" = ["600s", "28800s"]))]
    pub timeout: Option<Duration>,
    /// Names of existing alarms that roll it back, besides the generated ones.
    #[schemars(length(max = 10), inner(length(min = 1)))]
    pub alarms: Vec<String>,
}

/// How traffic moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutStrategy {
    /// At once.
    AllAtOnce,
    /// A part first, then the rest.
    Canary,
    /// In equal steps.
    Linear,
    /// Instance by instance, without a second fleet.
    Rolling,
}

/// How much moves in a step.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RolloutSize {
    /// Instances.
    Count(#[schemars(range(min = 1))] u32),
    /// Share of the fleet.
    Percent(#[schemars(extend("x-between" = ["1%", "100%"]))] Percent),
}

/// What is watched.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Alarms {
    /// The 99th percentile of the model's latency.
    #[serde(rename = "latencyP99")]
    #[schemars(extend("x-between" = ["1ms", "3600s"]))]
    pub latency_p99: Option<Latency>,
    /// Share of requests answered with a server error.
    #[schemars(extend("x-between" = ["0.001%", "100%"]))]
    pub error_rate: Option<Percent>,
    /// ARNs of SNS topics to notify.
    pub notify: Option<ValueList>,
}

/// What is recorded of requests and answers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Capture {
    /// Share of requests.
    #[schemars(extend("x-between" = ["0%", "100%"]))]
    pub percent: Percent,
    /// Where to.
    #[schemars(extend("x-form" = "s3"))]
    pub s3: String,
    /// Requests, answers, or both (when not given).
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub content: Option<Vec<CaptureContent>>,
    /// Content types that are kept as text.
    pub types: Option<CaptureTypes>,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureContent {
    /// The request.
    Input,
    /// The answer.
    Output,
}

/// Content types that are kept as text; all others become base64.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CaptureTypes {
    /// Kept as CSV.
    #[schemars(inner(length(min = 1)))]
    pub csv: Vec<String>,
    /// Kept as JSON.
    #[schemars(inner(length(min = 1)))]
    pub json: Vec<String>,
}

/// Which instance answers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Routing {
    /// By a strategy without settings.
    Strategy(RoutingStrategy),
    /// By the beginning of the prompt.
    PrefixAware(PrefixAware),
}

/// A routing strategy without settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoutingStrategy {
    /// Any.
    Random,
    /// The one with the fewest requests in flight.
    LeastOutstanding,
}

/// Requests with the same beginning go to the same instance.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrefixAware {
    /// Says so.
    pub strategy: PrefixAwareStrategy,
    /// How many characters count.
    #[schemars(range(min = 1024, max = 65536))]
    pub prefix_length: u32,
    /// Requests in flight from which another instance is used.
    #[schemars(range(min = 1, max = 1024))]
    pub concurrency_threshold: u32,
}

/// The routing strategy with settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrefixAwareStrategy {
    /// By the beginning of the prompt.
    PrefixAware,
}

/// Where an endpoint is in a network.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// No way out of the container at all.
    pub isolated: Option<bool>,
    /// Subnet ids.
    pub subnets: Option<ValueList>,
    /// Security group ids.
    pub security_groups: Option<ValueList>,
}

/// How long steps of a start may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Timeouts {
    /// Downloading the weights from S3.
    #[schemars(extend("x-between" = ["60s", "3600s"]))]
    pub download: Option<Duration>,
    /// From the start of the container to its first healthy answer.
    #[schemars(extend("x-between" = ["60s", "3600s"]))]
    pub startup: Option<Duration>,
    /// Waiting for capacity.
    #[schemars(extend("x-between" = ["300s", "3600s"]))]
    pub provision: Option<Duration>,
}

/// A request to send after a deployment.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// What to send.
    pub payload: Option<serde_json::Value>,
    /// File with what to send.
    pub file: Option<String>,
    /// Its content type.
    pub content_type: Option<String>,
    /// Route inside the container.
    pub route: Option<String>,
    /// Component to ask.
    pub component: Option<String>,
    /// What the answer must contain.
    pub expect: Option<serde_json::Value>,
    /// How long the answer may take.
    pub within: Option<Duration>,
}

impl Rules for Endpoint {
    fn check(&self, at: &mut RuleCheck<'_>) {
        at.inside("model", self.model.as_ref());
        at.inside("hardware", self.hardware.as_ref());
        at.inside("scaling", self.scaling.as_ref());
        at.inside("rollout", self.rollout.as_ref());
        at.inside("capture", self.capture.as_ref());
        at.inside("network", self.network.as_ref());
        at.inside("role", self.role.as_ref());
        in_place(self.role.as_ref(), at);
        hatch(&self.resources, &self.outputs, at);
    }
}

impl Rules for Capture {
    fn check(&self, at: &mut RuleCheck<'_>) {
        whole(at, "percent", self.percent);
    }
}

fn whole(at: &mut RuleCheck<'_>, field: &'static str, percent: Percent) {
    if percent.0.fract() != 0.0 {
        at.report(
            field,
            Code::InvalidValue,
            format!("SageMaker accepts only whole percentages here, not {}%", percent.0),
        );
    }
}

impl Rules for Rollout {
    fn check(&self, at: &mut RuleCheck<'_>) {
        use RolloutStrategy::{AllAtOnce, Canary, Linear, Rolling};
        if let Some(RolloutSize::Percent(size)) = self.size {
            whole(at, "size", size);
        }
        let Some(strategy) = self.strategy else { return };
        if strategy == AllAtOnce && self.size.is_some() {
            at.report_key("size", Code::Conflict, "an all-at-once rollout has no `size`", "remove `size`");
        }
        if strategy == Rolling && self.drain.is_some() {
            let help = "remove `drain`, or choose another strategy";
            at.report_key("drain", Code::Conflict, "a rolling rollout keeps no old fleet", help);
        }
        let (name, least, most) = match strategy {
            AllAtOnce => return,
            Canary => ("canary", 0.0, 50.0),
            Linear => ("linear", 10.0, 50.0),
            Rolling => ("rolling", 5.0, 50.0),
        };
        if let Some(RolloutSize::Percent(Percent(size))) = self.size
            && !(least..=most).contains(&size)
        {
            let message = format!("a step of a {name} rollout is between {least}% and {most}%");
            at.report("size", Code::OutOfRange, message);
        }
    }
}

const MOST_SUBNETS: usize = 16;
const MOST_SECURITY_GROUPS: usize = 5;

impl Rules for Network {
    fn check(&self, at: &mut RuleCheck<'_>) {
        if self.subnets.is_some() != self.security_groups.is_some() {
            at.report("", Code::MissingField, "`subnets` and `securityGroups` must be set together");
        }
        count(at, "subnets", self.subnets.as_ref(), MOST_SUBNETS);
        count(at, "securityGroups", self.security_groups.as_ref(), MOST_SECURITY_GROUPS);
    }
}

impl Rules for Vpc {
    fn check(&self, at: &mut RuleCheck<'_>) {
        count(at, "subnets", Some(&self.subnets), MOST_SUBNETS);
        count(at, "securityGroups", Some(&self.security_groups), MOST_SECURITY_GROUPS);
    }
}

fn count(at: &mut RuleCheck<'_>, field: &'static str, values: Option<&ValueList>, most: usize) {
    if let Some(ValueList::List(values)) = values
        && !(1..=most).contains(&values.len())
    {
        at.report(field, Code::OutOfRange, format!("`{field}` must have 1 to {most} values"));
    }
}

const LONGEST_LOGICAL_ID: usize = 255;

/// Rules of what is added to a template as it is.
pub(super) fn hatch(resources: &Added, outputs: &Added, at: &mut RuleCheck<'_>) {
    for (field, added, needed) in [("resources", resources, "Type"), ("outputs", outputs, "Value")] {
        for (id, body) in added {
            let place = Path::from(field).at(id);
            if id.is_empty() || id.len() > LONGEST_LOGICAL_ID || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
                let message = format!("`{}` is not a valid logical id", shown(id));
                at.report_key(&place, Code::InvalidValue, message, "use letters and digits only");
            }
            if body.get(needed).is_none() {
                at.report(&place, Code::MissingField, format!("`{}` needs `{needed}`", shown(id)));
            }
        }
    }
}

type Added = BTreeMap<String, serde_json::Value>;
