//! An update of an endpoint whose instance count belongs to a scalable target, when it takes several updates.
//!
//! SageMaker refuses to change the instance type of a variant, or to remove it, while a scalable target is registered
//! for it (AWS documentation, "Update endpoints that use automatic scaling"). So the target and what belongs to it go
//! first, then the endpoint moves, then they come back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::template::{Template, references, text_of, type_of};

const TARGET: &str = "AWS::ApplicationAutoScaling::ScalableTarget";

/// What to take out of the two bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scaler {
    /// Logical ids in the body that runs; empty where an earlier run took them out already.
    pub(super) live: BTreeSet<String>,
    /// Logical ids in the body wanted; empty where no scaler comes back.
    pub(super) wanted: BTreeSet<String>,
    /// The variants that move or go, as they were and as they shall be.
    pub(super) variants: Vec<Moved>,
}

/// A variant that moves to other instances, or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) name: String,
    pub(super) before: String,
    pub(super) after: Option<String>,
}

/// A resource that refers to a scaler and cannot do without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entangled {
    pub(super) resource: String,
    pub(super) scaler: String,
}

/// One body with the parameter values it has, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Valued<'a> {
    pub(super) template: &'a Template,
    pub(super) values: &'a BTreeMap<String, String>,
}

/// What has to be taken out, or stay out, for the update, if anything has.
pub(super) fn scaler(live: Valued<'_>, wanted: Valued<'_>, is_out: bool) -> Result<Option<Scaler>, Entangled> {
    let variants = moved(&variants(live), &variants(wanted));
    if variants.is_empty() {
        return Ok(None);
    }
    let names: BTreeSet<&str> = variants.iter().map(|moved| moved.name.as_str()).collect();
    let targets = |side: Valued<'_>| -> BTreeSet<String> {
        let concerned =
            |(_, variant): &(String, Option<String>)| variant.as_deref().is_none_or(|variant| names.contains(variant));
        targets(side.template).filter(concerned).map(|(id, _)| id).collect()
    };
    let registered = targets(live);
    if registered.is_empty() && !is_out {
        return Ok(None);
    }
    let live = with_dependants(live.template, registered)?;
    let still_there = live.iter().filter(|id| wanted.template.resource(id).is_some()).cloned();
    let returning: BTreeSet<String> = targets(wanted).into_iter().chain(still_there).collect();
    if live.is_empty() && returning.is_empty() {
        return Ok(None);
    }
    let wanted = with_dependants(wanted.template, returning)?;
    Ok(Some(Scaler { live, wanted, variants }))
}

/// Variants by name, with what they run on.
fn variants(side: Valued<'_>) -> BTreeMap<String, String> {
    let configs = side.template.of_type("AWS::SageMaker::EndpointConfig");
    let lists = configs.filter_map(|(_, properties)| properties["ProductionVariants"].as_array());
    let named = |variant: &Value| Some((text_of(&variant["VariantName"])?, instances(side, variant)));
    lists.flatten().filter_map(named).collect()
}

fn instances(side: Valued<'_>, variant: &Value) -> String {
    let value = if variant["InstancePools"].is_null() { &variant["InstanceType"] } else { &variant["InstancePools"] };
    let parameter = value.get("Ref").and_then(Value::as_str);
    let given = parameter.and_then(|name| side.values.get(name)).cloned();
    given.or_else(|| text_of(value)).unwrap_or_else(|| value.to_string())
}

fn moved(live: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> Vec<Moved> {
    let other = live.iter().filter(|(name, instances)| wanted.get(*name) != Some(*instances));
    other
        .map(|(name, before)| Moved { name: name.clone(), before: before.clone(), after: wanted.get(name).cloned() })
        .collect()
}

/// Scalable targets of variants, each with the variant's name where it can be read.
fn targets(template: &Template) -> impl Iterator<Item = (String, Option<String>)> {
    let of_variant = |properties: &Value| {
        text_of(&properties["ScalableDimension"]).is_none_or(|text| text.starts_with("sagemaker:variant:"))
            && text_of(&properties["ServiceNamespace"]).is_none_or(|text| text == "sagemaker")
    };
    let targets = template.of_type(TARGET).filter(move |(_, properties)| of_variant(properties));
    targets.map(|(id, properties)| (id.to_owned(), variant_of(&properties["ResourceId"])))
}

/// The name after `/variant/` at the end of a resource id, however that is put together.
fn variant_of(resource_id: &Value) -> Option<String> {
    let text = match resource_id {
        Value::String(text) => text.as_str(),
        Value::Object(_) => last_text(resource_id)?,
        _ => return None,
    };
    let (_, name) = text.rsplit_once("/variant/").or_else(|| Some(("", text.strip_prefix("variant/")?)))?;
    (!name.contains("${") && !name.is_empty()).then(|| name.to_owned())
}

fn last_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(items) => items.iter().rev().find(|item| !item.is_object()).and_then(last_text),
        Value::Object(members) => {
            let function = members.get("Fn::Sub").or_else(|| members.get("Fn::Join"))?;
            match function {
                Value::Array(parts) if members.contains_key("Fn::Join") => last_text(parts.get(1)?),
                Value::Array(parts) => last_text(parts.first()?),
                other => last_text(other),
            }
        }
        _ => None,
    }
}

/// These resources and all that refer to them, over any number of steps.
fn with_dependants(template: &Template, targets: BTreeSet<String>) -> Result<BTreeSet<String>, Entangled> {
    let mut found = targets;
    loop {
        let mut more = Vec::new();
        for (id, resource) in template.resources().filter(|(id, _)| !found.contains(*id)) {
            let refers = references(&resource["Properties"]);
            let Some(reference) = refers.iter().find(|reference| found.contains(reference.target)) else { continue };
            if !belongs(type_of(resource)) {
                return Err(Entangled { resource: id.to_owned(), scaler: reference.target.to_owned() });
            }
            more.push(id.to_owned());
        }
        if more.is_empty() {
            return Ok(found);
        }
        found.extend(more);
    }
}

fn belongs(resource_type: &str) -> bool {
    let alarms = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"];
    resource_type.starts_with("AWS::ApplicationAutoScaling::") || alarms.contains(&resource_type)
}
