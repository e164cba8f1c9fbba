//! An endpoint as its template sees it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Given, Givens, ModeView, Number, RoleView, logical_id};

/// A SageMaker endpoint with everything in its stack.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EndpointView {
    /// The stack's description.
    pub description: String,
    /// The endpoint's name.
    pub endpoint_name: String,
    /// The role that SageMaker acts with.
    pub role: ExecutionRole,
    /// The models, each in its container.
    pub models: Vec<ModelView>,
    /// Production variants.
    pub variants: Vec<VariantView>,
    /// What moves the counts of variants; a variant that is not here has a fixed count.
    pub scalers: Vec<ScalerView>,
    /// Alarms that notify people and roll back a rollout.
    pub alarms: Vec<AlarmView>,
    /// How it moves to a new configuration; none where its mode has no steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutView>,
    /// What is recorded of requests and answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureView>,
    /// The key of the instances' volumes; none without encryption, and where an instance has disks of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_key: Option<Given>,
    /// What only its mode has.
    #[serde(flatten)]
    pub own: ModeView,
}

/// The execution role, by where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum ExecutionRole {
    /// Made in this stack.
    Own(RoleView),
    /// Made in another stack: the parameter `RoleArn`.
    Parameter,
    /// An existing one.
    Arn {
        /// Its ARN.
        arn: String,
    },
}

/// A model in its container.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ModelView {
    /// Its logical id.
    pub id: String,
    /// The output that says where its weights are, where they are in S3.
    pub location_output: String,
    /// The image's full URI.
    pub image: String,
    /// The container's environment.
    pub environment: BTreeMap<String, String>,
    /// Weights that SageMaker fetches from S3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataView>,
    /// Where in a network it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcView>,
    /// Without any network.
    pub isolated: bool,
}

impl ModelView {
    /// The logical id of a serving's model.
    pub fn id_of(serving: &str) -> String {
        logical_id("Model", serving)
    }
}

/// Weights in S3.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DataView {
    /// `s3://…`.
    pub uri: String,
    /// One compressed archive; else everything below a prefix.
    pub archive: bool,
}

/// A place in a network.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VpcView {
    /// Subnet ids.
    pub subnets: Givens,
    /// Security group ids.
    pub security_groups: Givens,
}

/// A production variant: one model on instances of one type.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VariantView {
    /// Its name; `AllTraffic` where it is the only one.
    pub name: String,
    /// The logical id of its model.
    pub model: String,
    /// The instance type.
    pub instance: String,
    /// Instances at creation.
    pub count: u32,
    /// Size of each instance's volume, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<u64>,
    /// The inference AMI below the container; none for the service's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ami: Option<String>,
    /// Seconds that fetching weights from S3 may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_timeout: Option<u64>,
    /// Seconds that the container may take until it answers health checks.
    pub startup_timeout: u64,
    /// Seconds that providing an instance may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provision_timeout: Option<u64>,
    /// Which instance answers; none for the service's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing: Option<RoutingView>,
}

/// Which instance answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "strategy", rename_all = "kebab-case")]
pub enum RoutingView {
    /// Any.
    Random,
    /// The one with the fewest requests in flight.
    LeastOutstanding,
    /// The one that had a prompt with the same beginning.
    PrefixAware {
        /// Characters that are compared.
        prefix_length: u32,
        /// Requests in flight beyond which another instance is used.
        concurrency_threshold: u32,
    },
}

/// A scalable target and its policy: how many instances a variant has.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScalerView {
    /// The target's logical id.
    pub id: String,
    /// The policy's logical id.
    pub policy_id: String,
    /// The variant's name.
    pub variant: String,
    /// Instances at the least.
    pub min: u32,
    /// Instances at the most.
    pub max: u32,
    /// Other bounds by the clock.
    pub schedules: Vec<ScheduleView>,
    /// What is held at `target`.
    pub metric: ScalingMetric,
    /// The value the metric is held at.
    pub target: Number,
    /// Seconds to wait after removing instances.
    pub cooldown_in: u64,
    /// Seconds to wait after adding instances.
    pub cooldown_out: u64,
}

impl ScalerView {
    /// The logical ids of a serving's scalable target and its policy.
    pub fn ids(serving: &str) -> [String; 2] {
        ["ScalableTarget", "TrackingPolicy"].map(|part| logical_id(part, serving))
    }
}

/// Bounds from a time on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScheduleView {
    /// Its name.
    pub name: String,
    /// `cron(…)`, `at(…)` or `rate(…)`.
    pub when: String,
    /// The time zone of `when`; none for UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Instances at the least from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Instances at the most from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// What target tracking looks at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ScalingMetric {
    /// Requests in flight per instance.
    ConcurrentRequestsPerInstance,
    /// Requests a minute per instance.
    InvocationsPerInstance,
    /// Use of processors: the sum over all of an instance, in percent of one.
    Cpu,
    /// Use of GPUs: the sum over all of an instance, in percent of one.
    Gpu,
    /// A CloudWatch metric of the user's own.
    Custom {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its dimensions, in the order of their names.
        dimensions: Vec<DimensionView>,
        /// `Average`, `Minimum`, `Maximum`, `SampleCount` or `Sum`.
        statistic: &'static str,
    },
}

/// A dimension of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DimensionView {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An alarm on a variant.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AlarmView {
    /// Its logical id.
    pub id: String,
    /// The variant's name.
    pub variant: String,
    /// What it watches.
    #[serde(flatten)]
    pub watches: Watched,
    /// Its description, for people.
    pub description: String,
    /// Topics to notify; none where empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Givens>,
}

impl AlarmView {
    /// The logical ids of a variant's alarms, on errors and on latency.
    pub fn ids(variant: &str) -> [String; 2] {
        ["ErrorAlarm", "LatencyAlarm"].map(|part| logical_id(part, variant))
    }
}

/// What an alarm watches, and from where on it alarms.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "watches", rename_all = "kebab-case")]
pub enum Watched {
    /// Requests answered with a server error.
    Errors {
        /// Of all requests.
        percent: Number,
    },
    /// The 99th percentile of the model's latency.
    Latency {
        /// How long it takes.
        microseconds: u64,
    },
}

/// How an endpoint moves to a new configuration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RolloutView {
    /// In which way.
    pub strategy: Strategy,
    /// How much moves at once; none where all does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<StepSize>,
    /// Seconds that alarms are watched after each step.
    pub bake: u64,
    /// Seconds that the old fleet stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<u64>,
    /// Seconds after which the whole is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Existing alarms that also trigger a rollback.
    pub alarms: Vec<String>,
}

/// How traffic moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// At once, to a second fleet.
    AllAtOnce,
    /// A part first, then the rest, to a second fleet.
    Canary,
    /// In equal steps, to a second fleet.
    Linear,
    /// In batches of instances, without a second fleet.
    Rolling,
}

/// How much moves in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepSize {
    /// Instances.
    Count(u32),
    /// Share of the fleet.
    Percent(u32),
}

/// What is recorded of requests and answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CaptureView {
    /// Share of the requests.
    pub percent: u32,
    /// `s3://…`, where records go.
    pub uri: String,
    /// Requests are recorded.
    pub requests: bool,
    /// Answers are recorded.
    pub answers: bool,
    /// The key that records are encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Given>,
    /// Content types kept as CSV.
    pub csv: Vec<String>,
    /// Content types kept as JSON.
    pub json: Vec<String>,
}
