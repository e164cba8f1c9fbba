//! SageMaker's endpoints.
//!
//! An endpoint is Creating until its resource settles, Updating while a new fleet is brought up beside the old one,
//! and always knows the configuration it really runs. Times are drawn within what people report: three to five
//! minutes on processors, six to ten with accelerators (O); a rollout adds its own waits (M).

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    CreatedResource, EndpointState, Fleet, Handled, HandlerFailure, HandlerSite, ObjectState, ResourceHandler, alarm,
    endpoint_config, endpoint_config::number, naming, object::PendingFleets, scaling, text,
};
use crate::{catalog::Catalog, cloud::EndpointStatus, sandbox::stack::Record};

pub(super) const TYPE: &str = "AWS::SageMaker::Endpoint";

pub(super) fn arn(site: &HandlerSite<'_>, name: &str) -> String {
    site.sagemaker_arn("endpoint", name)
}

/// The endpoint of this name.
pub(super) fn find<'s>(site: &'s HandlerSite<'_>, name: &str) -> Option<&'s EndpointState> {
    site.object(TYPE, &arn(site, name))?.state.endpoint()
}

/// An endpoint.
pub(super) struct EndpointHandler;

impl ResourceHandler for EndpointHandler {
    /// Begins an endpoint: the configuration must exist and the quota allow it.
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        let config_name = text(properties, "EndpointConfigName").unwrap_or_default().to_owned();
        let pending = prepare(site, &config_name)?;
        let name = naming::name(site, TYPE, properties);
        let arn = arn(site, &name);
        let attributes = naming::attributes(site, TYPE, properties, &name, &arn);
        let settles_in = provisioning(site, &pending.variants);
        site.put(TYPE, &arn, &name, arn.clone(), properties.clone())?;
        let state = EndpointState {
            status: EndpointStatus::Creating,
            config_name,
            failure_reason: None,
            variants: pending.variants.clone(),
            pending: Some(pending),
        };
        if let Some(object) = site.object_mut(TYPE, &arn) {
            object.state = ObjectState::Endpoint(state);
        }
        Ok(CreatedResource { physical_id: arn.clone(), reference: arn, attributes, settles_in })
    }

    /// Begins an update. The configuration that it runs already changes no fleet.
    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        let Some(state) = site.object(TYPE, &record.physical_id).and_then(|object| object.state.endpoint().cloned())
        else {
            return Err(HandlerFailure::not_found(format!("Could not find endpoint \"{}\".", record.physical_id)));
        };
        let config_name = text(properties, "EndpointConfigName").unwrap_or_default();
        if config_name == state.config_name {
            set(site, record, EndpointState { status: EndpointStatus::InService, pending: None, ..state });
            return Ok(site.seconds("update", 3, 8));
        }
        check_alarms(site, properties)?;
        let mut pending = prepare(site, config_name)?;
        refuse_scaled(site, record, &state, &pending.variants)?;
        retain_counts(properties, &state.variants, &mut pending.variants);
        let name = endpoint_name(site, record);
        pending.silent_rollback = site.faults.silent_rollback(&name);
        let wait = provisioning(site, &pending.variants) + rollout(&properties["DeploymentConfig"], &pending.variants);
        set(site, record, EndpointState { status: EndpointStatus::Updating, pending: Some(pending), ..state });
        Ok(wait)
    }

    /// The fleet is up, or there was no capacity. After a failed update the endpoint runs on as before, without a
    /// reason of its own. (O: silent rollback)
    fn settle(&self, site: &mut HandlerSite<'_>, record: &Record) -> Handled<()> {
        let Some(state) = site.object_mut(TYPE, &record.physical_id).and_then(|object| object.state.endpoint_mut())
        else {
            return Err(HandlerFailure::not_found(format!("Could not find endpoint \"{}\".", record.physical_id)));
        };
        let creating = state.status == EndpointStatus::Creating;
        state.status = EndpointStatus::InService;
        let Some(pending) = state.pending.take() else { return Ok(()) };
        if pending.shortage.is_some() {
            let reason = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. \
                          Please retry using a different ML instance type or after some time.";
            if creating {
                state.status = EndpointStatus::Failed;
                state.failure_reason = Some(reason.to_owned());
            }
            return Err(HandlerFailure::not_stabilized(reason));
        }
        if !pending.silent_rollback {
            state.config_name = pending.config_name;
            state.variants = pending.variants;
        }
        Ok(())
    }

    /// Components must be deleted first. (O)
    fn begin_delete(&self, site: &mut HandlerSite<'_>, record: &Record) -> Handled<Duration> {
        let wait = site.seconds("delete", 20, 60);
        let Some(object) = site.object_mut(TYPE, &record.physical_id) else { return Ok(wait) };
        if !object.users.is_empty() {
            return Err(HandlerFailure::invalid("The endpoint still has inference components; delete them first"));
        }
        if let Some(state) = object.state.endpoint_mut() {
            state.status = EndpointStatus::Deleting;
        }
        Ok(wait)
    }

    /// Deleting an endpoint deregisters its scalable targets. (O)
    fn end(&self, site: &mut HandlerSite<'_>, record: &Record) {
        let name = endpoint_name(site, record);
        let variants = find(site, &name).map(|state| state.variants.keys().cloned().collect::<Vec<_>>());
        for variant in variants.unwrap_or_default() {
            scaling::deregister(site, &name, &variant);
        }
    }
}

/// What the configuration asks for; a quota refuses at once, a shortage only after the wait. (O)
fn prepare(site: &mut HandlerSite<'_>, config_name: &str) -> Handled<PendingFleets> {
    let config = endpoint_config::find(site, config_name)?.clone();
    let wanted = endpoint_config::fleets(&config, &mut |_| true).unwrap_or_default();
    if let Some(kind) = wanted.values().map(|fleet| &fleet.instance_type).find(|kind| site.faults.no_quota(kind)) {
        return Err(HandlerFailure::new(
            "ServiceLimitExceeded",
            format!(
                "The account-level service limit '{kind} for endpoint usage' is 0 Instances, with current utilization of 0 \
             Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for \
             this quota."
            ),
        ));
    }
    let (variants, shortage) = match endpoint_config::fleets(&config, &mut |kind| !site.faults.no_capacity(kind)) {
        Ok(variants) => (variants, None),
        Err(kind) => (wanted, Some(kind)),
    };
    Ok(PendingFleets { config_name: config_name.to_owned(), variants, silent_rollback: false, shortage })
}

/// How long until a fleet answers.
fn provisioning(site: &HandlerSite<'_>, variants: &BTreeMap<String, Fleet>) -> Duration {
    let accelerated = |kind: &str| Catalog::embedded().instance(kind).is_some_and(|known| known.accelerator.is_some());
    match variants.values().any(|fleet| accelerated(&fleet.instance_type)) {
        true => site.seconds("provision", 360, 600),
        false => site.seconds("provision", 180, 300),
    }
}

fn endpoint_name(site: &HandlerSite<'_>, record: &Record) -> String {
    site.object(TYPE, &record.physical_id).map(|object| object.name.clone()).unwrap_or_default()
}

fn set(site: &mut HandlerSite<'_>, record: &Record, state: EndpointState) {
    if let Some(object) = site.object_mut(TYPE, &record.physical_id) {
        object.state = ObjectState::Endpoint(state);
    }
}

/// An alarm that an update is to roll back on must exist. (D)
fn check_alarms(site: &HandlerSite<'_>, properties: &Value) -> Handled<()> {
    let alarms = properties["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"].as_array();
    let names = alarms.into_iter().flatten().filter_map(|alarm| text(alarm, "AlarmName"));
    let missing: Vec<&str> = names.filter(|name| !alarm::exists(site, name)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(HandlerFailure::invalid(format!("CloudWatch alarms [{}] were not found", missing.join(", ")))),
    }
}

/// A variant that is registered for scaling keeps its instance type, and stays. (D, O)
fn refuse_scaled(
    site: &HandlerSite<'_>,
    record: &Record,
    state: &EndpointState,
    wanted: &BTreeMap<String, Fleet>,
) -> Handled<()> {
    let endpoint = endpoint_name(site, record);
    let same =
        |name: &str, fleet: &Fleet| wanted.get(name).is_some_and(|wanted| wanted.instance_type == fleet.instance_type);
    let held = state.variants.iter().filter(|(name, fleet)| !same(name, fleet));
    let held: Vec<&str> =
        held.map(|(name, _)| name.as_str()).filter(|name| scaling::is_registered(site, &endpoint, name)).collect();
    match held.is_empty() {
        true => Ok(()),
        false => Err(HandlerFailure::invalid(format!(
            "The variant(s) \"[{}]\" must be deregistered as a scalable target with AWS Auto Scaling before they can be \
             removed or have their instance type updated.",
            held.join(", ")
        ))),
    }
}

/// `RetainAllVariantProperties` keeps the counts a scaler has set, unless they are excluded. (M)
fn retain_counts(properties: &Value, now: &BTreeMap<String, Fleet>, wanted: &mut BTreeMap<String, Fleet>) {
    let retain = matches!(&properties["RetainAllVariantProperties"], Value::Bool(true))
        || properties["RetainAllVariantProperties"] == "true";
    let excluded = properties["ExcludeRetainedVariantProperties"].as_array().into_iter().flatten();
    let mut excluded = excluded.filter_map(|item| text(item, "VariantPropertyType"));
    if !retain || excluded.any(|kind| kind == "DesiredInstanceCount") {
        return;
    }
    for (name, fleet) in wanted {
        if let Some(now) = now.get(name) {
            fleet.count = now.count;
        }
    }
}

/// The waits of a rollout, beside the time to provision. (M)
fn rollout(config: &Value, variants: &BTreeMap<String, Fleet>) -> Duration {
    let seconds = |value: &Value| number(value).unwrap_or(0);
    let count = variants.values().map(|fleet| fleet.count).max().unwrap_or(1).max(1);
    let steps = |size: &Value| {
        let value = seconds(&size["Value"]).max(1);
        if size["Type"] == "CAPACITY_PERCENT" { 100u64.div_ceil(value) } else { count.div_ceil(value) }
    };
    let rolling = &config["RollingUpdatePolicy"];
    if rolling.is_object() {
        let wait = seconds(&rolling["WaitIntervalInSeconds"]);
        return Duration::from_secs(steps(&rolling["MaximumBatchSize"]) * (wait + 60));
    }
    let routing = &config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"];
    let wait = seconds(&routing["WaitIntervalInSeconds"]);
    let baking = match routing["Type"].as_str() {
        Some("CANARY") => wait * 2,
        Some("LINEAR") => wait * steps(&routing["LinearStepSize"]),
        _ => wait,
    };
    Duration::from_secs(baking + seconds(&config["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"]))
}
