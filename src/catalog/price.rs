//! What an instance costs per hour on SageMaker: observed where a source has it, else estimated from EC2's price.

use std::collections::HashMap;

use super::CatalogError;
use super::csv::{self, CsvRow};
use super::instance::Instance;
use super::tables::{Table, Tables};

const SAGEMAKER: &str = "prices-sagemaker.csv";
const OBSERVED: &str = "prices-sagemaker-observed.csv";
const EC2: &str = "prices-ec2.csv";
const RATIOS: &str = "prices-sagemaker-ratio.csv";

/// The ratio's row for what endpoints and training cost over EC2.
const COMPONENT: &str = "endpoint/training";

/// A price in US dollars per instance and hour.
#[derive(Debug, Clone, PartialEq)]
pub enum Price {
    /// SageMaker's own price.
    Listed {
        /// US dollars per hour.
        usd_per_hour: f64,
        /// Keys of the sources, with semicolons between.
        source: String,
        /// The newest day it was observed, where a source says; sometimes only a year.
        observed: Option<String>,
    },
    /// EC2's on-demand price times what SageMaker adds in the same family.
    Estimated {
        /// US dollars per hour.
        usd_per_hour: f64,
        /// EC2's price in US dollars per hour.
        ec2_usd_per_hour: f64,
        /// The middle of the ratios observed in the family.
        ratio: f64,
    },
    /// Nobody knows.
    Unknown,
}

impl Price {
    /// The number, listed or estimated.
    pub fn usd_per_hour(&self) -> Option<f64> {
        match self {
            Self::Listed { usd_per_hour, .. } | Self::Estimated { usd_per_hour, .. } => Some(*usd_per_hour),
            Self::Unknown => None,
        }
    }
}

/// Instance type and source, or family and size class.
type Pair = (String, String);

#[derive(Debug)]
struct Listed {
    usd_per_hour: f64,
    regions: Vec<String>,
    source: String,
}

#[derive(Debug)]
pub(super) struct Prices {
    listed: HashMap<String, Listed>,
    observed: HashMap<Pair, String>,
    ec2: HashMap<String, Vec<(String, f64)>>,
    ratios: HashMap<Pair, f64>,
}

impl Prices {
    pub(super) fn of(&self, instance: &Instance, region: &str) -> Price {
        let listed = instance.sagemaker.as_ref().and_then(|name| self.listed(name, region));
        listed.or_else(|| self.estimated(instance, region)).unwrap_or(Price::Unknown)
    }

    fn listed(&self, name: &str, region: &str) -> Option<Price> {
        let listed = self.listed.get(name).filter(|listed| listed.regions.iter().any(|known| known == region))?;
        let days = listed.source.split(';').filter_map(|key| self.observed.get(&(name.to_owned(), key.to_owned())));
        Some(Price::Listed {
            usd_per_hour: listed.usd_per_hour,
            source: listed.source.clone(),
            observed: days.max().cloned(),
        })
    }

    fn estimated(&self, instance: &Instance, region: &str) -> Option<Price> {
        instance.sagemaker.as_ref()?;
        let (class, other) = if instance.size() == "xlarge" { ("xlarge", "other") } else { ("other", "xlarge") };
        let of_class = |class: &str| self.ratios.get(&(instance.family.clone(), class.to_owned())).copied();
        // Sizes differ only where there are accelerators: there `xlarge` has a ratio of its own.
        let of_family = || of_class(other).filter(|_| instance.accelerator.is_none());
        let ratio = of_class(class).or_else(of_family)?;
        let (_, ec2_usd_per_hour) = *self.ec2.get(&instance.ec2)?.iter().find(|(known, _)| known == region)?;
        Some(Price::Estimated { usd_per_hour: ec2_usd_per_hour * ratio, ec2_usd_per_hour, ratio })
    }
}

impl Table for Prices {
    const FILES: &'static [&'static str] = &[SAGEMAKER, OBSERVED, EC2, RATIOS];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let ratios = csv::read(RATIOS, &tables.text(RATIOS)?, ratio)?;
        Ok(Self {
            listed: csv::read(SAGEMAKER, &tables.text(SAGEMAKER)?, listed)?.into_iter().collect(),
            observed: observed(tables)?,
            ec2: ec2(tables)?,
            ratios: ratios.into_iter().flatten().collect(),
        })
    }
}

fn listed(row: &CsvRow<'_>) -> Result<(String, Listed), CatalogError> {
    let regions = row.list("regions")?.map(str::to_owned).collect();
    Ok((
        row.text("instance_type")?,
        Listed { usd_per_hour: row.number("usd_h")?, regions, source: row.text("sources")? },
    ))
}

/// The newest day per instance type and source.
fn observed(tables: &Tables) -> Result<HashMap<Pair, String>, CatalogError> {
    let mut days: HashMap<Pair, String> = HashMap::new();
    csv::read(OBSERVED, &tables.text(OBSERVED)?, |row| {
        let day = row.cell("date")?;
        if day.starts_with(|first: char| first.is_ascii_digit()) {
            let newest = days.entry((row.text("instance_type")?, row.text("source")?)).or_default();
            if newest.as_str() < day {
                *newest = day.to_owned();
            }
        }
        Ok(())
    })?;
    Ok(days)
}

fn ec2(tables: &Tables) -> Result<HashMap<String, Vec<(String, f64)>>, CatalogError> {
    let mut prices: HashMap<String, Vec<(String, f64)>> = HashMap::new();
    csv::read(EC2, &tables.text(EC2)?, |row| {
        if let Some(price) = row.known("on_demand_usd_h")? {
            let name = row.cell("instance_type")?;
            prices.entry(name.to_owned()).or_default().push((row.text("region")?, price));
        }
        Ok(())
    })?;
    Ok(prices)
}

fn ratio(row: &CsvRow<'_>) -> Result<Option<(Pair, f64)>, CatalogError> {
    if row.cell("component")? != COMPONENT {
        return Ok(None);
    }
    let (low, high): (f64, f64) = (row.number("ratio_min")?, row.number("ratio_max")?);
    Ok(Some(((row.text("family")?, row.text("size_class")?), f64::midpoint(low, high))))
}
