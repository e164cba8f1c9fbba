//! Container images by engine, the registries that hold them, and the AMIs that run them.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::CatalogError;
use super::csv;
use super::instance::{pair, parse_pair};
use super::region::{Region, json};
use super::tables::{Table, Tables};
use super::version::EngineVersion;

pub(super) const REGISTRIES: &str = "containers/registries.json";
const AMIS: &str = "containers/inference-ami-versions.csv";
const AMI_REPORTS: &str = "containers/inference-ami-reports.csv";

/// What an image is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageAccelerator {
    /// Processors only.
    Cpu,
    /// NVIDIA GPUs.
    Gpu,
    /// Inferentia and Trainium.
    Neuron,
}

/// Who has seen the image, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verified {
    /// The SageMaker SDK names it and the public list of deep learning containers has its tag.
    #[serde(rename = "sdk+dlc-repo")]
    SdkAndRepository,
    /// The SageMaker SDK names it.
    #[serde(rename = "sdk")]
    Sdk,
    /// The public list has its tag.
    #[serde(rename = "dlc-repo")]
    Repository,
    /// Composed by a rule seen on a sibling.
    #[serde(rename = "pattern")]
    Pattern,
    /// Composed only.
    #[serde(rename = "none")]
    Nobody,
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `huggingface-vllm`.
    pub engine: String,
    /// The engine's version.
    pub version: EngineVersion,
    /// What it is built for.
    pub accelerator: ImageAccelerator,
    /// The repository in each registry.
    pub repository: String,
    /// The full tag.
    pub tag: String,
    /// The set of registries that hold it.
    pub registries: String,
    /// Who has seen it.
    pub verified: Verified,
    /// CUDA, major and minor, where the source says.
    pub cuda: Option<(u32, u32)>,
    /// `pytorch2.6.0`, where the engine has one image per framework.
    pub framework: Option<String>,
}

/// An image that a table names, whatever it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownImage {
    /// The table's engine: `huggingface-vllm`.
    pub engine: String,
    /// The engine's version.
    pub version: EngineVersion,
    /// Does it serve models, or is it for training?
    pub serves: bool,
    /// What it is built for.
    pub accelerator: ImageAccelerator,
    /// The repository in each registry.
    pub repository: String,
    /// The full tag.
    pub tag: String,
    /// The set of registries that hold it.
    pub registries: String,
}

/// A value of a production variant's `InferenceAmiVersion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferenceAmi {
    /// The value.
    pub name: String,
    /// What it drives.
    pub accelerator: ImageAccelerator,
    /// `nvidia 580`.
    pub driver: String,
    /// The CUDA version it documents, major and minor.
    pub cuda: Option<(u32, u32)>,
    /// The host's CUDA compatibility libraries are not mounted into the container.
    pub cuda_compat_mount_disabled: bool,
}

/// What a source says of an AMI for images of some CUDA versions. Sources disagree: a row each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmiReport {
    /// The first CUDA version it is about, major and minor.
    pub cuda_from: (u32, u32),
    /// The last; none where it is about all that follow.
    pub cuda_to: Option<(u32, u32)>,
    /// The AMI; none for the service's default.
    pub ami: Option<String>,
    /// Containers start on it.
    pub works: bool,
    /// The instance families it is about, where that is said; else empty.
    pub families: Vec<String>,
    /// Who says so.
    pub source: Option<String>,
    /// When, as a day or a month.
    pub observed: Option<String>,
}

impl AmiReport {
    /// Is it about this CUDA version?
    pub fn is_about(&self, cuda: (u32, u32)) -> bool {
        self.cuda_from <= cuda && self.cuda_to.is_none_or(|last| cuda <= last)
    }
}

#[derive(Deserialize)]
struct EngineFile {
    engine: String,
    images: Vec<ImageRow>,
}

#[derive(Deserialize)]
struct ImageRow {
    version: String,
    scope: String,
    accelerator: ImageAccelerator,
    repository: String,
    tag: String,
    registries: String,
    verified: Verified,
    cuda: Option<String>,
    framework: Option<String>,
}

pub(super) fn engine_file(engine: &str) -> String {
    format!("containers/{engine}.json")
}

/// The inference images of one engine's table, oldest first.
pub(super) fn load_engine(tables: &Tables, file: &str) -> Result<Vec<Image>, CatalogError> {
    let EngineFile { engine, images } = json(file, &tables.text(file)?)?;
    let rows = images.into_iter().filter(|row| row.scope == "inference");
    let mut images: Vec<Image> = rows.map(|row| image(file, &engine, row)).collect::<Result<_, _>>()?;
    images.sort_by_cached_key(|image| (image.version.clone(), EngineVersion::new(image.tag.clone())));
    Ok(images)
}

/// All images of one engine's table.
pub(super) fn load_known(tables: &Tables, file: &str) -> Result<Vec<KnownImage>, CatalogError> {
    let EngineFile { engine, images } = json(file, &tables.text(file)?)?;
    let known = |row: ImageRow| KnownImage {
        engine: engine.clone(),
        version: EngineVersion::new(row.version),
        serves: row.scope != "training",
        accelerator: row.accelerator,
        repository: row.repository,
        tag: row.tag,
        registries: row.registries,
    };
    Ok(images.into_iter().map(known).collect())
}

fn image(file: &str, engine: &str, row: ImageRow) -> Result<Image, CatalogError> {
    let cuda = match &row.cuda {
        None => None,
        Some(text) => Some(
            parse_pair(text)
                .ok_or_else(|| CatalogError::new(file, None, format!("{}: cuda cannot be {text:?}", row.tag)))?,
        ),
    };
    Ok(Image {
        engine: engine.to_owned(),
        version: EngineVersion::new(row.version),
        accelerator: row.accelerator,
        repository: row.repository,
        tag: row.tag,
        registries: row.registries,
        verified: row.verified,
        cuda,
        framework: row.framework,
    })
}

/// The newest image of the better of the two trusted ranks; what only a pattern suggests is never chosen.
pub(super) fn newest<'a>(images: impl Iterator<Item = &'a Image>) -> Option<&'a Image> {
    images
        .filter(|image| image.verified <= Verified::Sdk)
        .enumerate()
        .max_by_key(|(index, image)| (Reverse(image.verified), *index))
        .map(|(_, image)| image)
}

/// Which account holds a set's images in which Region.
#[derive(Debug, Deserialize)]
pub(super) struct Registries {
    sets: HashMap<String, HashMap<String, String>>,
    uri: String,
}

impl Registries {
    pub(super) fn account(&self, set: &str, region: &str) -> Option<&str> {
        self.sets.get(set)?.get(region).map(String::as_str)
    }

    pub(super) fn holds(&self, account: &str) -> bool {
        self.sets.values().flat_map(HashMap::values).any(|of| of == account)
    }

    pub(super) fn uri(&self, image: &Image, region: &Region) -> Option<String> {
        let account = self.sets.get(&image.registries)?.get(&region.name)?;
        let suffix = region.dns_suffix.as_ref()?;
        let filled = self.uri.replace("{account}", account).replace("{region}", &region.name);
        let filled = filled.replace("{urlsuffix}", suffix);
        Some(filled.replace("{repository}", &image.repository).replace("{tag}", &image.tag))
    }
}

impl Table for Registries {
    const FILES: &'static [&'static str] = &[REGISTRIES];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        json(REGISTRIES, &tables.text(REGISTRIES)?)
    }
}

#[derive(Debug)]
pub(super) struct InferenceAmis(pub(super) Vec<InferenceAmi>);

impl Table for InferenceAmis {
    const FILES: &'static [&'static str] = &[AMIS];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let amis = csv::read(AMIS, &tables.text(AMIS)?, |row| {
            let accelerator = match row.cell("accelerator")? {
                "gpu" => ImageAccelerator::Gpu,
                "neuron" => ImageAccelerator::Neuron,
                other => return Err(row.error(format!("accelerator cannot be {other:?}"))),
            };
            Ok(InferenceAmi {
                name: row.text("ami")?,
                accelerator,
                driver: row.text("driver")?,
                cuda: pair(row, "cuda")?,
                cuda_compat_mount_disabled: row.flag("cuda_compat_mount_disabled")?,
            })
        })?;
        Ok(Self(amis))
    }
}

#[derive(Debug)]
pub(super) struct AmiReports(pub(super) Vec<AmiReport>);

impl Table for AmiReports {
    const FILES: &'static [&'static str] = &[AMI_REPORTS];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let reports = csv::read(AMI_REPORTS, &tables.text(AMI_REPORTS)?, |row| {
            Ok(AmiReport {
                cuda_from: pair(row, "cuda_from")?.ok_or_else(|| row.error("cuda_from is empty"))?,
                cuda_to: pair(row, "cuda_to")?,
                ami: row.known_text("ami")?,
                works: row.flag("works")?,
                families: row.list("families")?.map(str::to_owned).collect(),
                source: row.known_text("source")?,
                observed: row.known_text("observed")?,
            })
        })?;
        Ok(Self(reports))
    }
}
