//! `Hardware`: which instances.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::value::{Duration, Size};

/// Which instances, ranked, or what to choose them by.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("not" = {"required": ["instances", "accelerator"]}))]
pub struct Hardware {
    /// Instance types; the first with capacity is used.
    #[schemars(length(min = 1), extend("x-supported" = {"maxItems": 1, "what": "several ranked instance types"}))]
    pub instances: Option<Vec<RankedInstance>>,
    /// Device to choose an instance type by.
    #[schemars(extend("x-later" = "choosing by `accelerator`"))]
    pub accelerator: Option<AcceleratorName>,
    /// What to prefer among instance types with that device.
    #[schemars(extend("x-later" = "`objective`"))]
    pub objective: Option<Objective>,
    /// How many devices.
    #[schemars(range(min = 1), extend("x-later" = "`accelerators`"))]
    pub accelerators: Option<u32>,
    /// How capacity is bought.
    pub purchase: Option<Purchase>,
    /// What was reserved.
    #[schemars(extend("x-later" = "a reservation"))]
    pub reservation: Option<Reservation>,
    /// How long to wait for capacity.
    #[schemars(extend("x-later" = "`maxWait`"))]
    pub max_wait: Option<Duration>,
    /// Size of the volume, on instance types without local disks.
    #[schemars(extend("x-between" = ["1GiB", "512GiB"]))]
    pub volume: Option<Size>,
    /// Elastic Fabric Adapter.
    #[schemars(extend("x-later" = "`efa`"))]
    pub efa: Option<bool>,
    /// Placement strategy of a fleet.
    #[schemars(extend("x-later" = "`placement`"))]
    pub placement: Option<String>,
    /// Family of machine images of a fleet.
    #[schemars(extend("x-later" = "`amiFamily`"))]
    pub ami_family: Option<String>,
}

/// An instance type and what is different on it.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedInstance {
    /// In SageMaker's spelling, `ml.g6.xlarge`.
    pub kind: String,
    /// Devices that share one copy here.
    pub tensor_parallel: Option<u32>,
    /// Longest context here, in tokens.
    pub context: Option<u64>,
    /// Sequences at once here; Neuron only.
    pub batch_size: Option<u32>,
}

/// A device, or a kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AcceleratorName {
    /// NVIDIA L4.
    NvidiaL4,
    /// NVIDIA A10G.
    NvidiaA10g,
    /// NVIDIA L40S.
    NvidiaL40s,
    /// NVIDIA A100.
    NvidiaA100,
    /// NVIDIA H100.
    NvidiaH100,
    /// NVIDIA H200.
    NvidiaH200,
    /// NVIDIA B200.
    NvidiaB200,
    /// AWS Inferentia2.
    Inferentia2,
    /// AWS Trainium.
    Trainium1,
    /// AWS Trainium2.
    Trainium2,
    /// No device, x86.
    Cpu,
    /// No device, Arm.
    Graviton,
    /// Whatever fits.
    Any,
}

/// What to prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Lowest price.
    Cost,
    /// Shortest answers.
    Latency,
    /// Most answers.
    Throughput,
}

/// How capacity is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purchase {
    /// As needed.
    OnDemand,
    /// From a reservation.
    #[schemars(extend("x-later" = "`purchase: reserved`"))]
    Reserved,
    /// Spot capacity.
    #[schemars(extend("x-later" = "`purchase: spot`"))]
    Spot,
    /// A capacity block.
    #[schemars(extend("x-later" = "`purchase: capacity-block`"))]
    CapacityBlock,
}

/// What was reserved.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reservation {
    /// Id or ARN.
    Id(String),
    /// A capacity block and its time.
    Block {
        /// Id of the block.
        id: String,
        /// When it starts, RFC 3339.
        start: String,
        /// When it ends, RFC 3339.
        end: String,
    },
}

impl RankedInstance {
    /// An instance type without differences, in either spelling.
    pub fn new(kind: &str) -> Self {
        Self { kind: sagemaker_spelling(kind), tensor_parallel: None, context: None, batch_size: None }
    }
}

/// `g6.xlarge` and `ml.g6.xlarge` both as `ml.g6.xlarge`.
pub(in crate::manifest) fn sagemaker_spelling(kind: &str) -> String {
    if kind.starts_with("ml.") { kind.to_owned() } else { format!("ml.{kind}") }
}

/// An entry of `instances` as written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum InstanceText {
    /// The type alone.
    Kind(#[schemars(extend("x-form" = "instance"))] String),
    /// The type and what is different on it.
    Map(InstanceMap),
}

/// An instance type and what is different on it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InstanceMap {
    /// Instance type.
    #[schemars(extend("x-form" = "instance"))]
    r#type: String,
    /// Devices that share one copy here.
    #[schemars(range(min = 1))]
    tensor_parallel: Option<u32>,
    /// Longest context here, in tokens.
    #[schemars(range(min = 1))]
    context: Option<u64>,
    /// Sequences at once here; Neuron only.
    #[schemars(range(min = 1), extend("x-later" = "`batchSize` (Neuron only)"))]
    batch_size: Option<u32>,
}

impl<'de> Deserialize<'de> for RankedInstance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match InstanceText::deserialize(deserializer)? {
            InstanceText::Kind(kind) => RankedInstance::new(&kind),
            InstanceText::Map(map) => RankedInstance {
                kind: sagemaker_spelling(&map.r#type),
                tensor_parallel: map.tensor_parallel,
                context: map.context,
                batch_size: map.batch_size,
            },
        })
    }
}

impl JsonSchema for RankedInstance {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instance".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        InstanceText::json_schema(generator)
    }
}

impl Rules for Hardware {
    fn check(&self, _: &mut RuleCheck<'_>) {}
}
