//! Regions, and where SageMaker hosts which instance type.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::CatalogError;
use super::csv;
use super::image::REGISTRIES;
use super::tables::{Table, Tables};

const REGIONS: &str = "regions.csv";
const ENDPOINTS: &str = "regions-sagemaker-endpoint.json";

/// Families that still have a hosting price and take no new endpoints.
const RETIRED: [&str; 3] = ["ml.p2.", "ml.p3.", "ml.p3dn."];

/// A Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// `eu-west-1`.
    pub name: String,
    /// `aws`, `aws-cn`, `aws-us-gov` and so on.
    pub partition: String,
    /// `Europe (Ireland)`.
    pub title: String,
    /// `amazonaws.com`; not known for the isolated partitions.
    pub dns_suffix: Option<String>,
    /// Does SageMaker have an endpoint there?
    pub sagemaker: bool,
}

#[derive(Debug)]
pub(super) struct Regions(pub(super) BTreeMap<String, Region>);

#[derive(Deserialize)]
struct Suffixes {
    urlsuffix: HashMap<String, String>,
}

impl Table for Regions {
    const FILES: &'static [&'static str] = &[REGIONS, REGISTRIES];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let Suffixes { urlsuffix } = json(REGISTRIES, &tables.text(REGISTRIES)?)?;
        let regions = csv::read(REGIONS, &tables.text(REGIONS)?, |row| {
            let partition = row.text("partition")?;
            Ok(Region {
                name: row.text("region")?,
                title: row.text("name")?,
                dns_suffix: urlsuffix.get(&partition).cloned(),
                sagemaker: row.flag("sagemaker_endpoint_in_botocore")?,
                partition,
            })
        })?;
        Ok(Self(regions.into_iter().map(|region| (region.name.clone(), region)).collect()))
    }
}

/// Instance type, as SageMaker spells it, to the Regions that host it.
#[derive(Debug)]
pub(super) struct EndpointRegions(pub(super) HashMap<String, Vec<String>>);

impl Table for EndpointRegions {
    const FILES: &'static [&'static str] = &[ENDPOINTS];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let mut regions: HashMap<String, Vec<String>> = json(ENDPOINTS, &tables.text(ENDPOINTS)?)?;
        regions.retain(|name, _| !RETIRED.iter().any(|family| name.starts_with(family)));
        Ok(Self(regions))
    }
}

pub(super) fn json<'a, T: Deserialize<'a>>(table: &str, text: &'a str) -> Result<T, CatalogError> {
    serde_json::from_str(text).map_err(|error| CatalogError::new(table, Some(error.line()), error.to_string()))
}
