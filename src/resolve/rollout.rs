//! How an endpoint moves to a new configuration.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{Context, hardware::Chosen, references::Place};
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Document, Duration, Rollout, RolloutSize, RolloutStrategy},
};

/// Seconds that alarms are watched after each shift when nobody says, where there are alarms.
const BAKE: u64 = 300;
/// Alarms that SageMaker lets watch a roll-out at most.
const ALARM_LIMIT: usize = 10;
/// The share that moves first, or in each step, when nobody says.
const STEP_PERCENT: u32 = 25;

/// Seconds that SageMaker gives a roll-out when nobody says: the most it gives.
const TIMEOUT: u64 = 28_800;

/// What the template sees. `heir`: whose roll-out it is where the environment gives it.
pub(super) fn resolve(
    context: &mut Context<'_>,
    wanted: Option<(&Rollout, Place<'_>)>,
    heir: Option<&Document>,
    chosen: &Chosen<'_>,
    min: u32,
    own_alarms: usize,
) -> Option<Value> {
    let wanted = wanted.map(|(rollout, place)| (Cow::Borrowed(rollout), place));
    let wanted = wanted.map(|(rollout, place)| match heir.filter(|_| needs_two(&rollout) && min < 2) {
        Some(heir) => (left_out(context, &rollout, &place, heir), place),
        None => (rollout, place),
    });
    let (rollout, place) = match wanted {
        Some((rollout, place)) => (rollout, Some(place)),
        None => (Cow::Owned(Rollout::default()), None),
    };
    let strategy = effective(&rollout, chosen, min);
    if let Some(place) = &place {
        check(context, &rollout, strategy, place, min)?;
    }
    let alarms = rollout.alarms.len() + own_alarms;
    let bake = rollout.bake.map_or(if alarms > 0 { BAKE } else { 0 }, |bake| bake.0);
    if let Some(place) = &place {
        check_alarms(context, alarms, own_alarms, place);
        check_time(context, &rollout, steps(&rollout, strategy, min), bake, place);
    }
    let mut values = match strategy {
        RolloutStrategy::Rolling => json!({ "rolling": rolling(&rollout, min, bake) }),
        _ => json!({ "blue_green": blue_green(&rollout, strategy, min, bake) }),
    };
    values["alarms"] = json!(rollout.alarms);
    Some(values)
}

fn effective(rollout: &Rollout, chosen: &Chosen<'_>, min: u32) -> RolloutStrategy {
    let accelerated = chosen.facts.is_some_and(|instance| instance.accelerator.is_some());
    rollout.strategy.unwrap_or(match (accelerated, min) {
        (true, 2..) => RolloutStrategy::Rolling,
        _ => RolloutStrategy::AllAtOnce,
    })
}

fn needs_two(rollout: &Rollout) -> bool {
    rollout.strategy.is_some_and(|strategy| strategy != RolloutStrategy::AllAtOnce)
}

/// The default in place of an inherited roll-out in steps; its alarms watch all the same.
fn left_out<'r>(context: &mut Context<'_>, rollout: &Rollout, place: &Place<'_>, heir: &Document) -> Cow<'r, Rollout> {
    let message = format!("the environment's roll-out needs two instances, and `{}` may have only one", heir.name);
    let finding = Diagnostic::new(Code::RolloutLeftOut, message)
        .label(heir.origin.span("/metadata/name"), "it is updated all at once instead")
        .label(place.span(), "left out here");
    context.report(finding.help("say `scaling: {min: 2}`, or the endpoint's own `rollout: {strategy: all-at-once}`"));
    Cow::Owned(Rollout { alarms: rollout.alarms.clone(), ..Rollout::default() })
}

fn check_alarms(context: &mut Context<'_>, alarms: usize, own: usize, place: &Place<'_>) {
    if alarms > ALARM_LIMIT {
        let message = format!("{alarms} alarms would watch the roll-out, and SageMaker takes {ALARM_LIMIT}");
        let help = format!("{own} of them are hubform's own; `alarms: none` turns these off");
        context.report(Diagnostic::new(Code::OutOfRange, message).at(place.at("alarms").span()).help(help));
    }
}

/// How often a step is waited for, judged by the smallest fleet.
fn steps(rollout: &Rollout, strategy: RolloutStrategy, min: u32) -> u64 {
    let size = rollout.size.map_or_else(|| default_size(strategy, min), sized);
    let value = size["Value"].as_u64().unwrap_or(1).max(1);
    let whole = if size["Type"] == "INSTANCE_COUNT" { u64::from(min) } else { 100 };
    match strategy {
        RolloutStrategy::AllAtOnce => 1,
        RolloutStrategy::Canary => 2,
        _ => whole.div_ceil(value),
    }
}

fn check_time(context: &mut Context<'_>, rollout: &Rollout, steps: u64, bake: u64, place: &Place<'_>) {
    let drain = rollout.drain.map_or(0, |drain| drain.0);
    let (takes, limit) = (steps * bake + drain, rollout.timeout.map_or(TIMEOUT, |timeout| timeout.0));
    if takes < limit {
        return;
    }
    let message = format!(
        "the waits alone take {}: {steps} × {} and {} at the end; the roll-out is given up after {}",
        Duration(takes),
        Duration(bake),
        Duration(drain),
        Duration(limit),
    );
    let help = match rollout.timeout {
        Some(Duration(TIMEOUT)) | None => "make `size` larger, or `bake` and `drain` shorter",
        Some(_) => "raise `timeout`, make `size` larger, or `bake` and `drain` shorter",
    };
    context.report(Diagnostic::new(Code::RolloutTooLong, message).at(place.span()).help(help));
}

fn check(
    context: &mut Context<'_>,
    rollout: &Rollout,
    strategy: RolloutStrategy,
    place: &Place<'_>,
    min: u32,
) -> Option<()> {
    check_effective(context, rollout, strategy, place);
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
        let help = format!("say a count of at most {}, or a percentage within that range", min / 2);
        context.report(Diagnostic::new(Code::RolloutSize, message).at(place.at("size").span()).help(help));
        return None;
    }
    Some(())
}

/// What the strategy that was not written has no use for; for a written one this is refused where manifests are read.
fn check_effective(context: &mut Context<'_>, rollout: &Rollout, strategy: RolloutStrategy, place: &Place<'_>) {
    let (field, name) = match strategy {
        RolloutStrategy::AllAtOnce if rollout.size.is_some() => ("size", "all-at-once"),
        RolloutStrategy::Rolling if rollout.drain.is_some() => ("drain", "rolling"),
        _ => return,
    };
    if rollout.strategy.is_none() {
        let message = format!("`{field}` does nothing: without `strategy` this endpoint takes `{name}`");
        let help = format!("say another `strategy`, or leave `{field}` out");
        context.report(Diagnostic::new(Code::Conflict, message).at(place.at(field).span()).help(help));
    }
}

fn blue_green(rollout: &Rollout, strategy: RolloutStrategy, min: u32, bake: u64) -> Value {
    let size = rollout.size.map_or_else(|| default_size(strategy, min), sized);
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

/// A quarter of the fleet; by count where it is small, since a share of few instances could be less than one.
fn default_size(strategy: RolloutStrategy, min: u32) -> Value {
    match strategy {
        RolloutStrategy::Canary | RolloutStrategy::Linear if min >= 4 => percent(STEP_PERCENT),
        _ => json!({ "Type": "INSTANCE_COUNT", "Value": (min / 4).max(1) }),
    }
}

fn rolling(rollout: &Rollout, min: u32, bake: u64) -> Value {
    let size = rollout.size.map_or_else(|| default_size(RolloutStrategy::Rolling, min), sized);
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
