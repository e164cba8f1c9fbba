//! A scalable target steps aside while the endpoint moves.
//!
//! SageMaker refuses to change the instance type of a variant, or to remove it, while a scalable target is registered
//! for it (AWS documentation, "Update endpoints that use automatic scaling", D). So the target and what belongs to it go
//! first, then the endpoint moves, then they come back. Whether the same holds of shadow variants is not documented; they
//! are taken for variants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::template::{Template, references, text_of, type_of},
    Aside, BodyWithValues, Detour, Entangled,
};

const TARGET: &str = "AWS::ApplicationAutoScaling::ScalableTarget";
const ENDPOINT: &str = "AWS::SageMaker::Endpoint";
/// As people are told.
pub(super) const WHAT: &str = "the scalable target";
const CONFIG: &str = "AWS::SageMaker::EndpointConfig";

/// See the module.
pub(super) struct ScalableTarget;

impl Detour for ScalableTarget {
    fn needed(
        &self,
        live: BodyWithValues<'_>,
        wanted: BodyWithValues<'_>,
        is_out: bool,
    ) -> Result<Option<Aside>, Entangled> {
        let moved = moved(&variants(live), &variants(wanted));
        if moved.is_empty() {
            return Ok(None);
        }
        let concerned = |side: BodyWithValues<'_>| -> BTreeSet<String> {
            let targets = targets(side.template).filter(|target| moved.iter().any(|variant| target.scales(variant)));
            targets.map(|target| target.id).collect()
        };
        let registered = concerned(live);
        if registered.is_empty() && !is_out {
            return Ok(None);
        }
        let live = with_dependants(live.template, registered.clone())?;
        let still_there = live.iter().filter(|id| wanted.template.resource(id).is_some()).cloned();
        let returning: BTreeSet<String> = concerned(wanted).into_iter().chain(still_there).collect();
        if live.is_empty() && returning.is_empty() {
            return Ok(None);
        }
        let wanted = with_dependants(wanted.template, returning)?;
        let (purpose, why) = (purpose(&moved), moved.iter().map(refused).collect());
        // What is registered is the target: alarms that stay behind are in nobody's way.
        Ok(Some(Aside { what: WHAT, live, clears: registered, wanted, purpose, why }))
    }
}

/// A variant of an endpoint, both by what they are called in their template and configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct VariantKey {
    /// The logical id of the endpoint.
    endpoint: String,
    name: String,
}

/// A variant that moves to other instances, or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MovedVariant {
    variant: VariantKey,
    /// What it shall run on; none where it goes.
    to: Option<String>,
}

fn purpose(moved: &[MovedVariant]) -> String {
    let targets: BTreeSet<&str> = moved.iter().filter_map(|moved| moved.to.as_deref()).collect();
    match targets.into_iter().collect::<Vec<_>>().as_slice() {
        [] => "remove the variant".to_owned(),
        [one] if !one.starts_with(['{', '[']) => format!("move the endpoint to {one}"),
        _ => "move the endpoint to other instances".to_owned(),
    }
}

fn refused(moved: &MovedVariant) -> String {
    let what = if moved.to.is_some() { "to change the instance type of" } else { "to remove" };
    let name = &moved.variant.name;
    format!("SageMaker refuses {what} variant {name} while a scalable target is registered for it")
}

/// The variants of each endpoint, with what they run on.
fn variants(side: BodyWithValues<'_>) -> BTreeMap<VariantKey, String> {
    let of_endpoint = |(endpoint, properties): (&str, &Value)| {
        let configs = configs(side.template, &properties["EndpointConfigName"]);
        let lists = configs.into_iter().flat_map(|config| {
            ["ProductionVariants", "ShadowProductionVariants"].map(|list| config[list].as_array()).into_iter().flatten()
        });
        let named = lists.flatten().filter_map(|variant| {
            let name = text_of(&variant["VariantName"])?;
            Some((VariantKey { endpoint: endpoint.to_owned(), name }, instances(side, variant)))
        });
        named.collect::<Vec<_>>()
    };
    side.template.of_type(ENDPOINT).flat_map(of_endpoint).collect()
}

/// The configuration that an endpoint refers to; all of them where that cannot be read.
fn configs<'a>(template: &'a Template, name: &Value) -> Vec<&'a Value> {
    let referred = references(name);
    let is_it = |id: &str| referred.iter().any(|reference| reference.target == id);
    let (own, others): (Vec<_>, Vec<_>) = template.of_type(CONFIG).partition(|(id, _)| is_it(id));
    let chosen = if own.is_empty() { others } else { own };
    chosen.into_iter().map(|(_, config)| config).collect()
}

fn instances(side: BodyWithValues<'_>, variant: &Value) -> String {
    let value = if variant["InstancePools"].is_null() { &variant["InstanceType"] } else { &variant["InstancePools"] };
    let parameter = value.get("Ref").and_then(Value::as_str);
    let given = parameter.and_then(|name| side.values.get(name)).cloned();
    given.or_else(|| text_of(value)).unwrap_or_else(|| value.to_string())
}

fn moved(live: &BTreeMap<VariantKey, String>, wanted: &BTreeMap<VariantKey, String>) -> Vec<MovedVariant> {
    let other = live.iter().filter(|(variant, instances)| wanted.get(*variant) != Some(*instances));
    other.map(|(variant, _)| MovedVariant { variant: variant.clone(), to: wanted.get(variant).cloned() }).collect()
}

/// A scalable target, and what it scales as far as that can be read.
struct ScaledTarget {
    id: String,
    endpoint: Option<String>,
    variant: Option<String>,
}

impl ScaledTarget {
    /// What cannot be read may be any.
    fn scales(&self, MovedVariant { variant: VariantKey { endpoint, name }, .. }: &MovedVariant) -> bool {
        self.variant.as_ref().is_none_or(|own| own == name) && self.endpoint.as_ref().is_none_or(|own| own == endpoint)
    }
}

fn targets(template: &Template) -> impl Iterator<Item = ScaledTarget> {
    let of_variant = |properties: &Value| {
        text_of(&properties["ScalableDimension"]).is_none_or(|text| text.starts_with("sagemaker:variant:"))
            && text_of(&properties["ServiceNamespace"]).is_none_or(|text| text == "sagemaker")
    };
    let targets = template.of_type(TARGET).filter(move |(_, properties)| of_variant(properties));
    targets.map(|(id, properties)| {
        let resource = &properties["ResourceId"];
        ScaledTarget { id: id.to_owned(), endpoint: endpoint_of(template, resource), variant: variant_of(resource) }
    })
}

/// The endpoint that a resource id refers to, or names as its template does.
fn endpoint_of(template: &Template, resource_id: &Value) -> Option<String> {
    let referred = references(resource_id);
    let written =
        text_of(resource_id).and_then(|text| Some(text.strip_prefix("endpoint/")?.split('/').next()?.to_owned()));
    let is_it = |(id, properties): &(&str, &Value)| {
        referred.iter().any(|reference| reference.target == *id)
            || written.is_some() && text_of(&properties["EndpointName"]) == written
    };
    template.of_type(ENDPOINT).find(is_it).map(|(id, _)| id.to_owned())
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
                return Err(Entangled { resource: id.to_owned(), to: reference.target.to_owned() });
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
