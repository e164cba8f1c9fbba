//! SageMaker's endpoint configurations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{CreatedResource, Fleet, Handled, HandlerFailure, HandlerSite, ResourceHandler, iam, model, naming, text};
use crate::{catalog::Catalog, service::arn::Arn};

pub(super) const TYPE: &str = "AWS::SageMaker::EndpointConfig";

/// Where variants are, and what SageMaker calls the place in a refusal.
const LISTS: [(&str, &str); 2] =
    [("ProductionVariants", "productionVariants"), ("ShadowProductionVariants", "shadowProductionVariants")];

/// Numbers of a variant, with the least and the most. (M)
const BOUNDS: [(&str, u64, u64); 5] = [
    ("InitialInstanceCount", 1, u64::MAX),
    ("VolumeSizeInGB", 1, 512),
    ("ModelDataDownloadTimeoutInSeconds", 60, 3600),
    ("ContainerStartupHealthCheckTimeoutInSeconds", 60, 3600),
    ("VariantInstanceProvisionTimeoutInSeconds", 300, 3600),
];

/// An endpoint configuration.
pub(super) struct EndpointConfigHandler;

impl ResourceHandler for EndpointConfigHandler {
    /// Makes a configuration: its models must exist, and its instances be offered in the Region. (M, S)
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        check_key(site, properties)?;
        if let Some(role) = text(properties, "ExecutionRoleArn") {
            iam::check_assumable(site, role, "sagemaker.amazonaws.com")?;
        }
        for (list, place) in LISTS {
            for (at, variant) in properties[list].as_array().into_iter().flatten().enumerate() {
                check_variant(site, &format!("{place}.{}.member", at + 1), variant)?;
            }
        }
        let name = naming::name(site, TYPE, properties);
        let arn = arn(site, &name);
        let attributes = naming::attributes(site, TYPE, properties, &name, &arn);
        site.put(TYPE, &arn, &name, arn.clone(), properties.clone())?;
        Ok(CreatedResource {
            physical_id: arn.clone(),
            reference: arn,
            attributes,
            settles_in: site.seconds("create", 1, 4),
        })
    }
}

/// A key encrypts volumes in its own Region. (D; the words are not recorded)
fn check_key(site: &HandlerSite<'_>, properties: &Value) -> Handled<()> {
    let Some(key) = text(properties, "KmsKeyId") else { return Ok(()) };
    match Arn::parse(key) {
        Some(arn) if arn.service != "kms" || arn.region != site.place.region => Err(HandlerFailure::invalid(format!(
            "Could not use KMS key {key} to encrypt volumes in {}",
            site.place.region
        ))),
        _ => Ok(()),
    }
}

/// A value that the API does not take. (O: the form, sagemaker-python-sdk#1623)
fn invalid(value: impl std::fmt::Display, place: &str, name: &str, constraint: &str) -> HandlerFailure {
    let (first, rest) = name.split_at(1);
    let member = format!("{place}.{}{rest}", first.to_lowercase());
    HandlerFailure::invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

fn check_bounds(place: &str, variant: &Value) -> Handled<()> {
    for (name, least, most) in BOUNDS {
        let Some(value) = number(&variant[name]) else { continue };
        let bound = match value {
            _ if value < least => format!("greater than or equal to {least}"),
            _ if value > most => format!("less than or equal to {most}"),
            _ => continue,
        };
        return Err(invalid(value, place, name, &format!("Member must have value {bound}")));
    }
    Ok(())
}

fn check_variant(site: &HandlerSite<'_>, place: &str, variant: &Value) -> Handled<()> {
    check_bounds(place, variant)?;
    if let Some(model) = text(variant, "ModelName")
        && !model::exists(site, model)
    {
        let arn = site.sagemaker_arn("model", model);
        return Err(HandlerFailure::not_found(format!("Could not find model \"{arn}\".")));
    }
    // (O: a variant with a model and managed instance scaling is refused)
    if variant.get("ManagedInstanceScaling").is_some() && variant.get("ModelName").is_some() {
        return Err(HandlerFailure::invalid("ManagedInstanceScaling cannot be used on a variant that has a ModelName"));
    }
    instance_types(variant).iter().try_for_each(|kind| check_instance(site, place, kind))
}

/// The type must exist (O: the words, sagemaker-python-sdk#1623, here without the list), and host endpoints in this
/// Region. (D; the words are not recorded)
fn check_instance(site: &HandlerSite<'_>, place: &str, kind: &str) -> Handled<()> {
    let region = &site.place.region;
    let catalog = Catalog::embedded();
    match kind.starts_with("ml.") && catalog.instance(kind).is_some() {
        false => Err(invalid(kind, place, "InstanceType", "Member must satisfy enum value set")),
        true if catalog.hosts_endpoints(kind, region) => Ok(()),
        true => {
            Err(HandlerFailure::invalid(format!("The instance type {kind} is not available for endpoints in {region}")))
        }
    }
}

/// The instance types a variant may run on, the preferred one first.
pub(super) fn instance_types(variant: &Value) -> Vec<String> {
    if let Some(one) = text(variant, "InstanceType") {
        return vec![one.to_owned()];
    }
    let mut pools: Vec<(u64, &str)> = variant["InstancePools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pool| Some((number(&pool["Priority"]).unwrap_or(u64::MAX), text(pool, "InstanceType")?)))
        .collect();
    pools.sort_by_key(|(priority, _)| *priority);
    pools.into_iter().map(|(_, kind)| kind.to_owned()).collect()
}

pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn arn(site: &HandlerSite<'_>, name: &str) -> String {
    site.sagemaker_arn("endpoint-config", name)
}

/// The configuration of this name.
///
/// # Errors
/// When there is none.
pub(super) fn find<'s>(site: &'s HandlerSite<'_>, name: &str) -> Handled<&'s Value> {
    let arn = arn(site, name);
    let missing = || HandlerFailure::not_found(format!("Could not find endpoint configuration \"{arn}\"."));
    site.object(TYPE, &arn).map(|object| &object.properties).ok_or_else(missing)
}

/// The fleets a configuration asks for. Where it ranks instance types, the first that `has` allows.
pub(super) fn fleets(config: &Value, has: &mut dyn FnMut(&str) -> bool) -> Result<BTreeMap<String, Fleet>, String> {
    let variants = config["ProductionVariants"].as_array().into_iter().flatten();
    let mut fleets = BTreeMap::new();
    for variant in variants {
        let types = instance_types(variant);
        let first = types.first().cloned().unwrap_or_default();
        let instance_type = match types.into_iter().find(|kind| has(kind)) {
            Some(kind) => kind,
            None if first.is_empty() => first,
            None => return Err(first),
        };
        let count = number(&variant["InitialInstanceCount"]).unwrap_or(1);
        let name = text(variant, "VariantName").unwrap_or("AllTraffic").to_owned();
        fleets.insert(name, Fleet { instance_type, count });
    }
    Ok(fleets)
}
