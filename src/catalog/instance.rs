//! Instance types, with SageMaker's and EC2's spelling of the same hardware joined.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::CatalogError;
use super::csv::{self, CsvRow};
use super::tables::{Table, Tables};

const EC2: &str = "ec2-instances.csv";
const SAGEMAKER: &str = "sagemaker-instances.csv";
const NEURON: &str = "neuron-instances.csv";

/// Processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// 64-bit Intel or AMD.
    X86_64,
    /// 64-bit Arm: Graviton, Grace.
    Arm64,
}

/// What sort of accelerator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcceleratorKind {
    /// NVIDIA, or AMD in the g4ad family.
    Gpu,
    /// Inferentia and Trainium.
    Neuron,
    /// Intel Gaudi.
    Gaudi,
    /// Qualcomm AI 100.
    Qualcomm,
}

/// The accelerators of one instance, all alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Accelerator {
    /// What sort.
    pub kind: AcceleratorKind,
    /// As the EC2 API writes it: `L4`, `A10G`, `Inferentia2`.
    pub name: String,
    /// How many devices (chips for Neuron).
    pub count: u32,
    /// MiB per device as the EC2 API reports it, which for some GPUs is below the marketing size.
    pub memory_mib_each: Option<u64>,
    /// MiB over all devices.
    pub memory_mib_total: Option<u64>,
    /// CUDA compute capability, major and minor.
    pub cuda_compute_capability: Option<(u32, u32)>,
    /// Physical Neuron cores over all chips.
    pub neuron_cores: Option<u32>,
    /// The share of one GPU where the instance has less than a whole one.
    pub fraction: Option<f64>,
}

/// An instance type. What the facts leave open is `None`, never zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// `ml.g6.xlarge`, where SageMaker has the type.
    pub sagemaker: Option<String>,
    /// `g6.xlarge`: the spelling without `ml.`.
    pub ec2: String,
    /// `g6`.
    pub family: String,
    /// Virtual CPUs.
    pub vcpus: Option<u32>,
    /// Main memory in MiB.
    pub memory_mib: Option<u64>,
    /// Processor architecture.
    pub arch: Option<Arch>,
    /// Does AWS count it to the current generation?
    pub current_generation: Option<bool>,
    /// `None` on types without accelerators, and on the few without a description (see [`Instance::is_described`]).
    pub accelerator: Option<Accelerator>,
    /// Local NVMe storage in GB; zero where there is none.
    pub local_nvme_gb: Option<u32>,
    /// Degrees of tensor parallelism that the Neuron documentation lists for the type; empty elsewhere.
    pub tensor_parallel_degrees: Vec<u32>,
    /// In the endpoint API's enumeration, and priced for hosting in at least one Region.
    pub endpoint_usable: bool,
}

impl Instance {
    /// Is the hardware known? The retired P2 types have a name and nothing else.
    pub fn is_described(&self) -> bool {
        self.vcpus.is_some()
    }

    /// `xlarge` of `g6.xlarge`.
    pub fn size(&self) -> &str {
        self.ec2.rsplit_once('.').map_or("", |(_, size)| size)
    }
}

/// All instance types, EC2's in the order of its table, then those that only SageMaker has.
#[derive(Debug)]
pub(super) struct Instances {
    all: Vec<Instance>,
    by_ec2: HashMap<String, usize>,
}

impl Instances {
    pub(super) fn get(&self, name: &str) -> Option<&Instance> {
        let instance = self.by_ec2.get(ec2_spelling(name)).map(|index| &self.all[*index])?;
        (instance.sagemaker.is_some() || !name.starts_with("ml.")).then_some(instance)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Instance> {
        self.all.iter()
    }

    fn push(&mut self, instance: Instance) {
        self.by_ec2.insert(instance.ec2.clone(), self.all.len());
        self.all.push(instance);
    }

    fn join(&mut self, row: &CsvRow<'_>) -> Result<(), CatalogError> {
        let ec2 = row.cell("ec2_type")?;
        if !self.by_ec2.contains_key(ec2) {
            let (ec2, family) = (ec2.to_owned(), row.text("family")?);
            let described = hardware(row)?;
            self.push(Instance { ec2, family, ..described });
        }
        let instance = &mut self.all[self.by_ec2[row.cell("ec2_type")?]];
        instance.sagemaker = Some(row.text("instance_type")?);
        instance.endpoint_usable = row.flag("endpoint_usable")?;
        Ok(())
    }

    fn set_degrees(&mut self, row: &CsvRow<'_>) -> Result<(), CatalogError> {
        let degrees: Result<_, _> = row.list("tensor_parallel_degrees")?.map(str::parse).collect();
        let degrees = degrees.map_err(|_| row.error("tensor_parallel_degrees are not numbers"))?;
        if let Some(index) = self.by_ec2.get(row.cell("instance_type")?) {
            self.all[*index].tensor_parallel_degrees = degrees;
        }
        Ok(())
    }
}

impl Table for Instances {
    const FILES: &'static [&'static str] = &[EC2, SAGEMAKER, NEURON];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let mut instances = Self { all: Vec::new(), by_ec2: HashMap::new() };
        for instance in csv::read(EC2, &tables.text(EC2)?, ec2)? {
            instances.push(instance);
        }
        csv::read(SAGEMAKER, &tables.text(SAGEMAKER)?, |row| instances.join(row))?;
        csv::read(NEURON, &tables.text(NEURON)?, |row| instances.set_degrees(row))?;
        Ok(instances)
    }
}

/// `g6.xlarge` of `ml.g6.xlarge` and of itself.
pub(super) fn ec2_spelling(name: &str) -> &str {
    name.strip_prefix("ml.").unwrap_or(name)
}

fn ec2(row: &CsvRow<'_>) -> Result<Instance, CatalogError> {
    let mut instance = hardware(row)?;
    instance.ec2 = row.text("instance_type")?;
    instance.family = row.text("family")?;
    instance.current_generation = row.known_flag("current_generation")?;
    instance.local_nvme_gb = row.known("local_nvme_gb")?;
    if let Some(accelerator) = &mut instance.accelerator {
        accelerator.memory_mib_each = row.known("accelerator_memory_mib_each")?;
        accelerator.fraction = row.known("gpu_partition")?;
        accelerator.cuda_compute_capability = pair(row, "cuda_compute_capability")?;
    }
    Ok(instance)
}

/// The columns that both tables have; names stay empty.
fn hardware(row: &CsvRow<'_>) -> Result<Instance, CatalogError> {
    Ok(Instance {
        sagemaker: None,
        ec2: String::new(),
        family: String::new(),
        vcpus: row.known("vcpus")?,
        memory_mib: row.known("memory_mib")?,
        arch: arch(row)?,
        current_generation: None,
        accelerator: accelerator(row)?,
        local_nvme_gb: None,
        tensor_parallel_degrees: Vec::new(),
        endpoint_usable: false,
    })
}

fn arch(row: &CsvRow<'_>) -> Result<Option<Arch>, CatalogError> {
    match row.cell("arch")? {
        "" => Ok(None),
        "x86_64" => Ok(Some(Arch::X86_64)),
        "arm64" => Ok(Some(Arch::Arm64)),
        other => Err(row.error(format!("arch cannot be {other:?}"))),
    }
}

fn accelerator(row: &CsvRow<'_>) -> Result<Option<Accelerator>, CatalogError> {
    let kind = match row.cell("accelerator_kind")? {
        "" | "none" => return Ok(None),
        "gpu" => AcceleratorKind::Gpu,
        "neuron" => AcceleratorKind::Neuron,
        "gaudi" => AcceleratorKind::Gaudi,
        "qualcomm" => AcceleratorKind::Qualcomm,
        other => return Err(row.error(format!("accelerator_kind cannot be {other:?}"))),
    };
    Ok(Some(Accelerator {
        kind,
        name: row.text("accelerator_name")?,
        count: row.number("accelerator_count")?,
        memory_mib_each: None,
        memory_mib_total: row.known("accelerator_memory_mib_total")?,
        cuda_compute_capability: None,
        neuron_cores: row.known("neuron_cores")?,
        fraction: None,
    }))
}

/// A cell such as `12.9`, read as two numbers.
pub(super) fn pair(row: &CsvRow<'_>, column: &str) -> Result<Option<(u32, u32)>, CatalogError> {
    match row.cell(column)? {
        "" => Ok(None),
        text => match parse_pair(text) {
            Some(pair) => Ok(Some(pair)),
            None => Err(row.error(format!("{column} cannot be {text:?}"))),
        },
    }
}

pub(super) fn parse_pair(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
