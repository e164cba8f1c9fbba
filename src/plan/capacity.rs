//! How many more instances an endpoint needs while it moves to another configuration.

use serde_json::Value;

use super::{
    diff::ResourceDiff,
    template::{Template, text_of},
    types,
};

/// A sentence, where an endpoint moves or may move.
pub(super) fn room(wanted: &Template, diffs: &[ResourceDiff]) -> Option<String> {
    let rank = |id: &str| diffs.iter().find(|diff| diff.logical_id == id).map_or(0, |diff| diff.replacement().rank());
    let configs = wanted.of_type("AWS::SageMaker::EndpointConfig").filter(|(id, _)| rank(id) > 0);
    let moves = |id: &str| diffs.iter().any(|diff| diff.logical_id == id && !diff.properties.is_empty());
    let (_, endpoint) = wanted.of_type("AWS::SageMaker::Endpoint").find(|(id, _)| moves(id))?;
    let batch = &endpoint["DeploymentConfig"]["RollingUpdatePolicy"]["MaximumBatchSize"];
    let variants = configs.filter_map(|(_, config)| config["ProductionVariants"].as_array()).flatten();
    let needed: Vec<String> = variants.filter_map(|variant| needed(variant, batch)).collect();
    let surely = |diff: &ResourceDiff| types::starts_fleet(&diff.resource_type) && diff.replacement().rank() == 2;
    let needs = if diffs.iter().any(surely) { "needs" } else { "may need" };
    let scaled = text_of(&endpoint["RetainAllVariantProperties"]).is_some_and(|flag| flag == "true");
    let least = if scaled { "at least " } else { "" };
    (!needed.is_empty()).then(|| format!("{needs} room for {least}{} more while it moves", needed.join(" and ")))
}

/// As `2 ml.g5.xlarge`: all of a variant's instances again, or as many as roll at once.
fn needed(variant: &Value, batch: &Value) -> Option<String> {
    let instance = text_of(&variant["InstanceType"])?;
    let count: u64 = text_of(&variant["InitialInstanceCount"])?.parse().ok()?;
    let size: Option<u64> = text_of(&batch["Value"]).and_then(|size| size.parse().ok());
    let at_once = match (batch["Type"].as_str(), size) {
        (Some("INSTANCE_COUNT"), Some(size)) => size.min(count),
        (Some("CAPACITY_PERCENT"), Some(percent)) => (count * percent.min(100)).div_ceil(100).max(1),
        _ => count,
    };
    Some(format!("{at_once} {instance}"))
}
