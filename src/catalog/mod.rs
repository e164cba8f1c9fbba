//! Facts about AWS and Hugging Face that need no network: instance types, Regions, prices, images, models, quotas
//! and CloudFormation's resource types.
//!
//! The tables are text in `data/`, refreshed by the scripts in `tools/`, embedded compressed and decoded one by one
//! when first asked. A [`Catalog`] is a value: [`Catalog::embedded`] is the one that ships, and
//! [`Catalog::with_tables`] exchanges some of its tables. What no source says is `None` or `Unknown`, never zero.

mod choices;
mod csv;
mod image;
mod instance;
mod model;
mod price;
mod property_path;
mod quota;
mod region;
mod resource_type;
mod resource_types;
mod shape;
mod tables;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

pub use image::{AmiReport, Image, ImageAccelerator, InferenceAmi, KnownImage, Verified};
pub use instance::{Accelerator, AcceleratorKind, Arch, Instance};
pub use model::{Commit, Gated, ModelFacts, is_commit, is_plain};
pub use price::Price;
pub use property_path::PropertyPath;
pub use quota::Quota;
pub use region::Region;
pub use resource_type::{HandlerKind, Replacement, ResourceType};
pub use shape::{ObjectShape, Property, ValueKind, Violation, ViolationKind, is_function};
pub use version::EngineVersion;

use choices::Choices;
use image::{AmiReports, InferenceAmis, Registries};
use instance::{Instances, ec2_spelling};
use model::Models;
use price::Prices;
use quota::Quotas;
use region::{EndpointRegions, Regions};
use resource_types::ResourceTypes;
use tables::{Lazy, Table, Tables};

/// A table that replaces an embedded one cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogError {
    /// The table's file name.
    pub table: String,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// What is wrong there.
    pub problem: String,
}

impl CatalogError {
    fn new(table: &str, line: Option<usize>, problem: impl Into<String>) -> Self {
        Self { table: table.to_owned(), line, problem: problem.into() }
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.table, self.problem),
            None => write!(f, "{}: {}", self.table, self.problem),
        }
    }
}

impl std::error::Error for CatalogError {}

/// All tables.
#[derive(Debug)]
pub struct Catalog {
    tables: Tables,
    collected: Lazy<Collected>,
    instances: Lazy<Instances>,
    regions: Lazy<Regions>,
    endpoint_regions: Lazy<EndpointRegions>,
    prices: Lazy<Prices>,
    engines: BTreeMap<String, OnceLock<Vec<Image>>>,
    known_images: OnceLock<Vec<KnownImage>>,
    registries: Lazy<Registries>,
    amis: Lazy<InferenceAmis>,
    ami_reports: Lazy<AmiReports>,
    models: Lazy<Models>,
    quotas: Lazy<Quotas>,
    choices: Lazy<Choices>,
    resource_types: ResourceTypes,
}

impl Catalog {
    /// The tables that ship with this build.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Catalog> = OnceLock::new();
        EMBEDDED.get_or_init(|| Self::new(Tables::default()).unwrap_or_else(|error| panic!("embedded table: {error}")))
    }

    /// The embedded tables with some exchanged: file name in the data folder (`prices-sagemaker.csv`,
    /// `containers/huggingface-tei-cpu.json`) to text. An error names the file and the line.
    pub fn with_tables(replaced: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        let catalog = Self::new(Tables::replacing(replaced)?)?;
        catalog.check()?;
        Ok(catalog)
    }

    fn new(tables: Tables) -> Result<Self, CatalogError> {
        Ok(Self {
            resource_types: ResourceTypes::new(&tables)?,
            engines: engine_files(&tables).map(|file| (file.to_owned(), OnceLock::new())).collect(),
            known_images: OnceLock::new(),
            collected: Lazy::default(),
            instances: Lazy::default(),
            regions: Lazy::default(),
            endpoint_regions: Lazy::default(),
            prices: Lazy::default(),
            registries: Lazy::default(),
            amis: Lazy::default(),
            ami_reports: Lazy::default(),
            models: Lazy::default(),
            quotas: Lazy::default(),
            choices: Lazy::default(),
            tables,
        })
    }

    fn check(&self) -> Result<(), CatalogError> {
        self.collected.check(&self.tables)?;
        self.instances.check(&self.tables)?;
        self.regions.check(&self.tables)?;
        self.endpoint_regions.check(&self.tables)?;
        self.prices.check(&self.tables)?;
        self.registries.check(&self.tables)?;
        self.amis.check(&self.tables)?;
        self.ami_reports.check(&self.tables)?;
        self.models.check(&self.tables)?;
        self.quotas.check(&self.tables)?;
        self.choices.check(&self.tables)?;
        for (file, images) in self.engines.iter().filter(|(file, _)| self.tables.replacement(file).is_some()) {
            let _ = images.set(image::load_engine(&self.tables, file)?);
        }
        Ok(())
    }

    /// The day the facts were collected: `2026-11-22`. Prices carry their own days.
    pub fn collected(&self) -> &str {
        &self.collected.get(&self.tables).day
    }

    /// The day the table of models was collected, or extended last.
    pub fn models_collected(&self) -> &str {
        self.collected.get(&self.tables).of(model::MODELS)
    }

    /// An instance type in either spelling, `ml.g6.xlarge` or `g6.xlarge`.
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instances.get(&self.tables).get(name)
    }

    /// All instance types, those of EC2 and of SageMaker.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.get(&self.tables).iter()
    }

    /// Can an endpoint run on this type (either spelling) in this Region? Never on P2 and P3.
    pub fn hosts_endpoints(&self, instance: &str, region: &str) -> bool {
        self.endpoint_regions(instance).iter().any(|known| known == region)
    }

    /// The Regions with a hosting price for the type, in order of name.
    pub fn endpoint_regions(&self, instance: &str) -> &[String] {
        let name = format!("ml.{}", ec2_spelling(instance));
        self.endpoint_regions.get(&self.tables).0.get(&name).map_or(&[], Vec::as_slice)
    }

    /// What SageMaker asks for the type (either spelling) in the Region.
    pub fn sagemaker_price(&self, instance: &str, region: &str) -> Price {
        let prices = self.prices.get(&self.tables);
        self.instance(instance).map_or(Price::Unknown, |instance| prices.of(instance, region))
    }

    /// All Regions, in order of name.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.get(&self.tables).0.values()
    }

    /// A Region by name.
    pub fn region(&self, name: &str) -> Option<&Region> {
        self.regions.get(&self.tables).0.get(name)
    }

    /// The inference images of an engine (`huggingface-vllm`), oldest first.
    pub fn images(&self, engine: &str, accelerator: ImageAccelerator) -> impl Iterator<Item = &Image> {
        self.engine(engine).iter().filter(move |image| image.accelerator == accelerator)
    }

    fn engine(&self, engine: &str) -> &[Image] {
        let Some((file, images)) = self.engines.get_key_value(&image::engine_file(engine)) else { return &[] };
        images.get_or_init(|| {
            image::load_engine(&self.tables, file).unwrap_or_else(|error| panic!("embedded table: {error}"))
        })
    }

    /// The images of a repository, of whatever table and for whatever purpose.
    pub fn images_in<'s>(&'s self, repository: &'s str) -> impl Iterator<Item = &'s KnownImage> {
        let load =
            |file| image::load_known(&self.tables, file).unwrap_or_else(|error| panic!("embedded table: {error}"));
        let all = self.known_images.get_or_init(|| self.engines.keys().flat_map(|file| load(file)).collect());
        all.iter().filter(move |image| image.repository == repository)
    }

    /// The account that holds an image in a Region, where one is known.
    pub fn account_of(&self, image: &KnownImage, region: &str) -> Option<&str> {
        self.registries.get(&self.tables).account(&image.registries, region)
    }

    /// Is it one of the accounts that AWS keeps these images in?
    pub fn is_registry(&self, account: &str) -> bool {
        self.registries.get(&self.tables).holds(account)
    }

    /// The newest image that both the SDK and the public list of containers name, else the newest that the SDK names.
    pub fn newest_image(&self, engine: &str, accelerator: ImageAccelerator) -> Option<&Image> {
        image::newest(self.images(engine, accelerator))
    }

    /// Where the image is pulled from in a Region; `None` where no registry there holds it.
    pub fn image_uri(&self, image: &Image, region: &str) -> Option<String> {
        self.registries.get(&self.tables).uri(image, self.region(region)?)
    }

    /// The documented values of `InferenceAmiVersion`.
    pub fn inference_amis(&self) -> &[InferenceAmi] {
        &self.amis.get(&self.tables).0
    }

    /// What is said of AMIs below images with this CUDA version.
    pub fn ami_reports(&self, cuda: (u32, u32)) -> impl Iterator<Item = &AmiReport> {
        self.ami_reports.get(&self.tables).0.iter().filter(move |report| report.is_about(cuda))
    }

    /// What is known of a model, by its id on the Hub.
    pub fn model(&self, hub_id: &str) -> Option<&ModelFacts> {
        self.models.get(&self.tables).get(hub_id)
    }

    /// All models.
    pub fn models(&self) -> impl Iterator<Item = &ModelFacts> {
        self.models.get(&self.tables).iter()
    }

    /// Hub ids that end in a bare name, whatever its case: `gpt2` gives `openai-community/gpt2`.
    pub fn models_named(&self, short: &str) -> Vec<&str> {
        self.models.get(&self.tables).named(short)
    }

    /// The quota of a use (`endpoint`, `training-job`) of an instance type, in either spelling.
    pub fn quota(&self, kind: &str, instance: &str) -> Option<&Quota> {
        self.quotas.get(&self.tables).get(kind, instance)
    }

    /// The inputs that a choice is recorded with in the lock, by name.
    pub fn inputs_of(&self, choice: &str) -> &[String] {
        self.choices.get(&self.tables).inputs(choice)
    }

    /// A type of CloudFormation's registry in us-east-1. Every `Custom::` type is the custom resource.
    pub fn resource_type(&self, name: &str) -> Option<&ResourceType> {
        self.resource_types.get(name)
    }

    /// The names of all types, in order.
    pub fn resource_type_names(&self) -> &[String] {
        self.resource_types.names(&self.tables)
    }
}

fn engine_files(tables: &Tables) -> impl Iterator<Item = &str> {
    let is_engine =
        |name: &&str| name.starts_with("containers/") && name.ends_with(".json") && *name != image::REGISTRIES;
    tables.names().filter(is_engine)
}

/// A day for all tables, and later ones of single tables.
#[derive(Debug)]
struct Collected {
    day: String,
    later: BTreeMap<String, String>,
}

impl Collected {
    fn of(&self, table: &str) -> &str {
        self.later.get(table).unwrap_or(&self.day)
    }
}

impl Table for Collected {
    const FILES: &'static [&'static str] = &["collected.txt"];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let text = tables.text("collected.txt")?;
        let mut lines = text.lines();
        let day = lines.next().unwrap_or_default().trim().to_owned();
        let later = lines.filter_map(|line| line.trim().split_once(' '));
        Ok(Self { day, later: later.map(|(table, day)| (table.to_owned(), day.to_owned())).collect() })
    }
}
