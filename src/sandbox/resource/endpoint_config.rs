//! SageMaker's endpoint configurations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Failure, Handled, Handler, Made, Site, Variant, iam, model, naming, text};
use crate::{catalog::Catalog, service::arn::Arn};

pub(super) const TYPE: &str = "AWS::SageMaker::EndpointConfig";

/// What an endpoint runs on.
pub(super) struct EndpointConfig;

impl Handler for EndpointConfig {
    /// Makes a configuration: its models must exist, and its instances be offered in the Region. (M, S)
    fn create(&self, site: &mut Site<'_>, _kind: &str, properties: &Value) -> Handled<Made> {
        check_key(site, properties)?;
        if let Some(role) = text(properties, "ExecutionRoleArn") {
            iam::check_assumable(site, role, "sagemaker.amazonaws.com")?;
        }
        let variants = ["ProductionVariants", "ShadowProductionVariants"];
        let variants = variants.iter().filter_map(|name| properties[*name].as_array()).flatten();
        variants.into_iter().try_for_each(|variant| check_variant(site, variant))?;
        let name = naming::name(site, TYPE, properties);
        let arn = arn(site, &name);
        let attributes = naming::attributes(site, TYPE, properties, &name, &arn);
        site.put(TYPE, &arn, &name, arn.clone(), properties.clone())?;
        Ok(Made { physical_id: arn.clone(), reference: arn, attributes, settles_in: site.seconds("create", 1, 4) })
    }
}

/// A key encrypts volumes in its own Region. (D; the words are not recorded)
fn check_key(site: &Site<'_>, properties: &Value) -> Handled<()> {
    let Some(key) = text(properties, "KmsKeyId") else { return Ok(()) };
    match Arn::parse(key) {
        Some(arn) if arn.service != "kms" || arn.region != site.place.region => {
            Err(Failure::invalid(format!("Could not use KMS key {key} to encrypt volumes in {}", site.place.region)))
        }
        _ => Ok(()),
    }
}

fn check_variant(site: &Site<'_>, variant: &Value) -> Handled<()> {
    if let Some(model) = text(variant, "ModelName")
        && !model::exists(site, model)
    {
        let arn = site.sagemaker_arn("model", model);
        return Err(Failure::not_found(format!("Could not find model \"{arn}\".")));
    }
    // (O: a variant with a model and managed instance scaling is refused)
    if variant.get("ManagedInstanceScaling").is_some() && variant.get("ModelName").is_some() {
        return Err(Failure::invalid("ManagedInstanceScaling cannot be used on a variant that has a ModelName"));
    }
    let offered = |kind: &str| Catalog::embedded().hosts_endpoints(kind, &site.place.region);
    match instance_types(variant).iter().find(|kind| !offered(kind)) {
        Some(kind) => Err(Failure::invalid(format!(
            "The instance type {kind} is not available for endpoints in {}",
            site.place.region
        ))),
        None => Ok(()),
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

fn arn(site: &Site<'_>, name: &str) -> String {
    site.sagemaker_arn("endpoint-config", name)
}

/// The configuration of this name.
///
/// # Errors
/// When there is none.
pub(super) fn find<'s>(site: &'s Site<'_>, name: &str) -> Handled<&'s Value> {
    let arn = arn(site, name);
    let missing = || Failure::not_found(format!("Could not find endpoint configuration \"{arn}\"."));
    site.object(TYPE, &arn).map(|object| &object.properties).ok_or_else(missing)
}

/// The fleets a configuration asks for. Where it ranks instance types, the first that `has` allows.
pub(super) fn fleets(config: &Value, has: &mut dyn FnMut(&str) -> bool) -> Result<BTreeMap<String, Variant>, String> {
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
        fleets.insert(name, Variant { instance_type, count });
    }
    Ok(fleets)
}
