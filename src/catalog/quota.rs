//! Codes of Service Quotas, by use and instance type.

use super::CatalogError;
use super::csv;
use super::instance::ec2_spelling;
use super::tables::{Table, Tables};

const QUOTAS: &str = "quotas.csv";

/// A quota of Service Quotas. Its value is the account's and is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// `sagemaker`.
    pub service: String,
    /// What it limits: `endpoint`, `training-job`, `processing-job`.
    pub kind: String,
    /// Which instance type it limits; none for quotas of a whole family or account.
    pub instance: Option<String>,
    /// `ml.g6.xlarge for endpoint usage`.
    pub name: String,
    /// `L-54106F23`.
    pub code: String,
}

#[derive(Debug)]
pub(super) struct Quotas(Vec<Quota>);

impl Quotas {
    pub(super) fn get(&self, kind: &str, instance: &str) -> Option<&Quota> {
        let wanted = ec2_spelling(instance);
        let limits = |quota: &&Quota| quota.instance.as_deref().is_some_and(|name| ec2_spelling(name) == wanted);
        self.0.iter().filter(|quota| quota.kind == kind).find(limits)
    }
}

impl Table for Quotas {
    const FILES: &'static [&'static str] = &[QUOTAS];

    fn load(tables: &Tables) -> Result<Self, CatalogError> {
        let quotas = csv::read(QUOTAS, &tables.text(QUOTAS)?, |row| {
            Ok(Quota {
                service: row.text("service")?,
                kind: row.text("kind")?,
                instance: row.known_text("instance_type")?,
                name: row.text("quota_name")?,
                code: row.text("quota_code")?,
            })
        })?;
        Ok(Self(quotas))
    }
}
