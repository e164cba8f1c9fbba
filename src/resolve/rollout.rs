//! How an endpoint moves to a new configuration.

use serde_json::{Value, json};

use super::{Context, hardware::Chosen, references::Place};
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Rollout, RolloutSize, RolloutStrategy},
};

/// Seconds that alarms are watched after each shift when nobody says, where there are alarms.
const BAKE: u64 = 300;
/// Alarms that SageMaker lets watch a roll-out at most.
const ALARM_LIMIT: usize = 10;
/// The share that moves first, or in each step, when nobody says.
const STEP_PERCENT: u32 = 25;

/// What the template sees.
pub(super) fn resolve(
    context: &mut Context<'_>,
    wanted: Option<(&Rollout, Place<'_>)>,
    chosen: &Chosen<'_>,
    min: u32,
    own_alarms: usize,
) -> Option<Value> {
    let default = Rollout::default();
    let (rollout, place) = match wanted {
        Some((rollout, place)) => (rollout, Some(place)),
        None => (&default, None),
    };
    let accelerated = chosen.facts.is_some_and(|instance| instance.accelerator.is_some());
    let strategy = rollout.strategy.unwrap_or(match (accelerated, min) {
        (true, 2..) => RolloutStrategy::Rolling,
        _ => RolloutStrategy::AllAtOnce,
    });
    if let Some(place) = &place {
        check(context, rollout, strategy, place, min)?;
    }
    let alarms = rollout.alarms.len() + own_alarms;
    if let Some(place) = place.filter(|_| alarms > ALARM_LIMIT) {
        let message = format!("{alarms} alarms would watch the roll-out, and SageMaker takes {ALARM_LIMIT}");
        let help = format!("{own_alarms} of them are hubform's own; `alarms: none` turns these off");
        context.report(Diagnostic::new(Code::OutOfRange, message).at(place.at("alarms").span()).help(help));
    }
    let bake = rollout.bake.map_or(if alarms > 0 { BAKE } else { 0 }, |bake| bake.0);
    let mut values = match strategy {
        RolloutStrategy::Rolling => json!({ "rolling": rolling(rollout, min, bake) }),
        _ => json!({ "blue_green": blue_green(rollout, strategy, bake) }),
    };
    values["alarms"] = json!(rollout.alarms);
    Some(values)
}

fn check(
    context: &mut Context<'_>,
    rollout: &Rollout,
    strategy: RolloutStrategy,
    place: &Place<'_>,
    min: u32,
) -> Option<()> {
    if strategy == RolloutStrategy::AllAtOnce {
        return Some(());
    }
    if min < 2 {
        let message = format!("this roll-out needs at least two instances, and `min` is {min}");
        let help = "say `scaling: {min: 2}`, or `strategy: all-at-once`";
        let place = if rollout.strategy.is_some() { place.at("strategy") } else { place.clone() };
        context.report(Diagnostic::new(Code::RolloutInstances, message).at(place.span()).help(help));
        return None;
    }
    let too_many = matches!(rollout.size, Some(RolloutSize::Count(count)) if count * 2 > min);
    let half = matches!(rollout.size, Some(RolloutSize::Percent(percent)) if percent.0 > 50.0);
    let few = match (strategy, rollout.size) {
        (RolloutStrategy::Linear, Some(RolloutSize::Percent(percent))) => percent.0 < 10.0,
        (RolloutStrategy::Rolling, Some(RolloutSize::Percent(percent))) => percent.0 < 5.0,
        _ => false,
    };
    if too_many || half || few {
        let range = match strategy {
            RolloutStrategy::Canary => "at most 50%",
            RolloutStrategy::Linear => "10% to 50%",
            _ => "5% to 50%",
        };
        let message = format!("a step may move {range} of the instances, judged by `min`, which is {min}");
        context.report(Diagnostic::new(Code::RolloutSize, message).at(place.at("size").span()));
        return None;
    }
    Some(())
}

fn blue_green(rollout: &Rollout, strategy: RolloutStrategy, bake: u64) -> Value {
    let size = rollout.size.map_or_else(|| percent(STEP_PERCENT), sized);
    let routing = match strategy {
        RolloutStrategy::Canary => json!({ "Type": "CANARY", "WaitIntervalInSeconds": bake, "CanarySize": size }),
        RolloutStrategy::Linear => json!({ "Type": "LINEAR", "WaitIntervalInSeconds": bake, "LinearStepSize": size }),
        _ => json!({ "Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": bake }),
    };
    let mut policy = json!({ "TrafficRoutingConfiguration": routing });
    if let Some(drain) = rollout.drain {
        policy["TerminationWaitInSeconds"] = drain.0.into();
    }
    with_timeout(policy, rollout)
}

/// A quarter of the smallest fleet in each batch, by count: a share of few instances could be less than one.
fn rolling(rollout: &Rollout, min: u32, bake: u64) -> Value {
    let size = rollout.size.map_or_else(|| json!({ "Type": "INSTANCE_COUNT", "Value": (min / 4).max(1) }), sized);
    with_timeout(json!({ "MaximumBatchSize": size, "WaitIntervalInSeconds": bake }), rollout)
}

fn with_timeout(mut policy: Value, rollout: &Rollout) -> Value {
    if let Some(timeout) = rollout.timeout {
        policy["MaximumExecutionTimeoutInSeconds"] = timeout.0.into();
    }
    policy
}

fn sized(size: RolloutSize) -> Value {
    match size {
        RolloutSize::Count(count) => json!({ "Type": "INSTANCE_COUNT", "Value": count }),
        RolloutSize::Percent(share) => percent(share.0.round() as u32),
    }
}

fn percent(value: u32) -> Value {
    json!({ "Type": "CAPACITY_PERCENT", "Value": value })
}
