//! Application Auto Scaling's targets and policies, as far as SageMaker is scaled by them.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    CreatedResource, Handled, HandlerFailure, HandlerSite, ResourceHandler, endpoint, endpoint_config::number, ids,
    naming, text,
};
use crate::{
    cloud::EndpointStatus,
    sandbox::stack::Record,
    service::{is_burstable, schedule},
};

pub(super) const TARGET: &str = "AWS::ApplicationAutoScaling::ScalableTarget";
pub(super) const POLICY: &str = "AWS::ApplicationAutoScaling::ScalingPolicy";

/// What of a variant can be scaled. (M)
const DIMENSIONS: [&str; 2] =
    ["sagemaker:variant:DesiredInstanceCount", "sagemaker:variant:DesiredProvisionedConcurrency"];
const NAMESPACE: &str = "sagemaker";

fn target_id(resource_id: &str, dimension: &str, namespace: &str) -> String {
    format!("{resource_id}|{dimension}|{namespace}")
}

/// Is the variant of the endpoint registered?
pub(super) fn is_registered(site: &HandlerSite<'_>, endpoint: &str, variant: &str) -> bool {
    let resource_id = format!("endpoint/{endpoint}/variant/{variant}");
    DIMENSIONS.iter().any(|dimension| site.object(TARGET, &target_id(&resource_id, dimension, NAMESPACE)).is_some())
}

/// A scalable target.
pub(super) struct ScalableTargetHandler;

impl ResourceHandler for ScalableTargetHandler {
    /// Registers something scalable: an endpoint's variant must be in service. (D)
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        check_bounds(properties)?;
        check_schedules(properties)?;
        let part = |name: &str| text(properties, name).unwrap_or_default();
        let (resource_id, dimension, namespace) =
            (part("ResourceId"), part("ScalableDimension"), part("ServiceNamespace"));
        if namespace == NAMESPACE && resource_id.starts_with("endpoint/") {
            check_variant(site, resource_id)?;
        }
        let id = target_id(resource_id, dimension, namespace);
        site.put(TARGET, &id, resource_id, String::new(), properties.clone())?;
        let attributes = Map::from_iter([("Id".to_owned(), id.clone().into())]);
        Ok(CreatedResource {
            reference: id.clone(),
            physical_id: id,
            attributes,
            settles_in: site.seconds("create", 1, 4),
        })
    }

    fn update(&self, site: &mut HandlerSite<'_>, _record: &Record, properties: &Value) -> Handled<Duration> {
        check_bounds(properties)?;
        check_schedules(properties)?;
        Ok(site.seconds("update", 2, 8))
    }

    fn end(&self, site: &mut HandlerSite<'_>, record: &Record) {
        end_target(site, &record.physical_id);
    }
}

/// The bounds of a target, and of each action of its own. (D; the words are not recorded)
fn check_bounds(properties: &Value) -> Handled<()> {
    let actions = properties["ScheduledActions"].as_array().into_iter().flatten();
    for bounds in actions.map(|action| &action["ScalableTargetAction"]).chain([properties]) {
        if let (Some(min), Some(max)) = (number(&bounds["MinCapacity"]), number(&bounds["MaxCapacity"]))
            && min > max
        {
            return Err(HandlerFailure::invalid("Maximum capacity cannot be less than minimum capacity"));
        }
    }
    Ok(())
}

/// When the actions of a target run. (D; the words are not recorded)
fn check_schedules(properties: &Value) -> Handled<()> {
    for action in properties["ScheduledActions"].as_array().into_iter().flatten() {
        let said = text(action, "Schedule").unwrap_or_default();
        let zone = text(action, "Timezone").and_then(schedule::time_zone);
        if let Some(problem) = schedule::expression(said).or(zone) {
            let name = text(action, "ScheduledActionName").unwrap_or_default();
            return Err(HandlerFailure::invalid(format!("Invalid scheduled action {name}: {}", problem.message)));
        }
    }
    Ok(())
}

/// A variant that serves, and on what can be scaled. (D; the words are not recorded)
fn check_variant(site: &HandlerSite<'_>, resource_id: &str) -> Handled<()> {
    let parts: Vec<&str> = resource_id.split('/').collect();
    let ["endpoint", endpoint, "variant", variant] = parts.as_slice() else {
        return Err(HandlerFailure::invalid(format!(
            "The resource id {resource_id} is not endpoint/NAME/variant/NAME"
        )));
    };
    let state = endpoint::find(site, endpoint).filter(|state| state.status == EndpointStatus::InService);
    match state.and_then(|state| state.variants.get(*variant)) {
        None => Err(HandlerFailure::not_found(format!(
            "No scalable resource {resource_id} was found: there is no such variant in service"
        ))),
        Some(fleet) if is_burstable(&fleet.instance_type) => {
            Err(HandlerFailure::invalid(format!("{} is burstable and cannot be scaled", fleet.instance_type)))
        }
        Some(_) => Ok(()),
    }
}

/// A scaling policy.
pub(super) struct ScalingPolicyHandler;

impl ResourceHandler for ScalingPolicyHandler {
    /// Attaches a policy to a target that is registered.
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        let part = |name: &str| text(properties, name).unwrap_or_default();
        let target = match text(properties, "ScalingTargetId") {
            Some(id) => id.to_owned(),
            None => target_id(part("ResourceId"), part("ScalableDimension"), part("ServiceNamespace")),
        };
        if site.object(TARGET, &target).is_none() {
            return Err(HandlerFailure::not_found(format!("No scalable target registered for {target}")));
        }
        let name = text(properties, "PolicyName").map_or_else(|| naming::name(site, POLICY, properties), str::to_owned);
        let uuid = ids::uuid(0, &[&site.place.account, &site.place.region, &target]);
        let mut parts = target.split('|');
        let (resource, namespace) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        let tail = format!("scalingPolicy:{uuid}:resource/{namespace}/{resource}:policyName/{name}");
        let arn = site.arn("autoscaling", &tail);
        site.put(POLICY, &arn, &name, arn.clone(), properties.clone())?;
        let key = site.key(POLICY, &arn);
        if let Some(object) = site.object_mut(TARGET, &target) {
            object.users.insert(key);
        }
        let attributes = Map::from_iter([("Arn".to_owned(), arn.clone().into())]);
        Ok(CreatedResource {
            reference: arn.clone(),
            physical_id: arn,
            attributes,
            settles_in: site.seconds("create", 1, 4),
        })
    }
}

/// A target's policies are removed with it. (D)
fn end_target(site: &mut HandlerSite<'_>, id: &str) {
    let key = site.key(TARGET, id);
    let users = site.objects.remove(&key).map(|object| object.users).unwrap_or_default();
    for policy in users {
        site.objects.remove(&policy);
    }
}

/// Deregisters the targets of a variant.
pub(super) fn deregister(site: &mut HandlerSite<'_>, endpoint: &str, variant: &str) {
    let resource_id = format!("endpoint/{endpoint}/variant/{variant}");
    for dimension in DIMENSIONS {
        end_target(site, &target_id(&resource_id, dimension, NAMESPACE));
    }
}
