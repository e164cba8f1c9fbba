//! How an endpoint moves to a new configuration.

use std::borrow::Cow;

use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Document, Duration, Rollout, RolloutSize, RolloutStrategy},
    resolve::{
        Resolver,
        references::FieldPlace,
        serving::Serving,
        view::{RolloutView, StepSize, Strategy},
    },
};

/// Seconds that alarms are watched after each shift by default, where there are alarms.
const BAKE: u64 = 300;
/// The most alarms of a rollout.
const ALARM_LIMIT: usize = 10;
/// The share that moves first, or in each step, by default.
const STEP_PERCENT: u32 = 25;

/// SageMaker's default time limit of a rollout in seconds, which is also the longest.
const TIMEOUT: u64 = 28_800;

/// The rollout of an endpoint. `inherited_by`: the endpoint, where the environment sets it.
pub(super) fn resolve(
    context: &mut Resolver<'_>,
    wanted: Option<(&Rollout, FieldPlace<'_>)>,
    inherited_by: Option<&Document>,
    servings: &[Serving<'_>],
    own_alarms: usize,
) -> Option<RolloutView> {
    // What is right for the smallest fleet is right for all.
    let min = servings.iter().map(|serving| serving.count.min).min().unwrap_or(1);
    let wanted = wanted.map(|(rollout, place)| (Cow::Borrowed(rollout), place));
    let wanted = wanted.map(|(rollout, place)| match inherited_by.filter(|_| needs_two(&rollout) && min < 2) {
        Some(inherited_by) => (left_out(context, &rollout, &place, inherited_by), place),
        None => (rollout, place),
    });
    let (rollout, place) = match wanted {
        Some((rollout, place)) => (rollout, Some(place)),
        None => (Cow::Owned(Rollout::default()), None),
    };
    let strategy = effective(&rollout, servings, min);
    if let Some(place) = &place {
        check(context, &rollout, strategy, place, min)?;
    }
    let alarms = rollout.alarms.len() + own_alarms;
    let bake = rollout.bake.map_or(if alarms > 0 { BAKE } else { 0 }, |bake| bake.0);
    if let Some(place) = &place {
        check_alarms(context, alarms, own_alarms, place);
        check_time(context, &rollout, steps(&rollout, strategy, min), bake, place);
    }
    Some(RolloutView {
        strategy: match strategy {
            RolloutStrategy::AllAtOnce => Strategy::AllAtOnce,
            RolloutStrategy::Canary => Strategy::Canary,
            RolloutStrategy::Linear => Strategy::Linear,
            RolloutStrategy::Rolling => Strategy::Rolling,
        },
        size: (strategy != RolloutStrategy::AllAtOnce).then(|| size(&rollout, strategy, min)),
        bake,
        drain: rollout.drain.map(|drain| drain.0),
        timeout: rollout.timeout.map(|timeout| timeout.0),
        alarms: rollout.alarms.clone(),
    })
}

fn effective(rollout: &Rollout, servings: &[Serving<'_>], min: u32) -> RolloutStrategy {
    let has_accelerator =
        |serving: &Serving<'_>| serving.chosen.facts.is_some_and(|instance| instance.accelerator.is_some());
    let accelerated = servings.iter().any(has_accelerator);
    rollout.strategy.unwrap_or(match (accelerated, min) {
        (true, 2..) => RolloutStrategy::Rolling,
        _ => RolloutStrategy::AllAtOnce,
    })
}

fn needs_two(rollout: &Rollout) -> bool {
    rollout.strategy.is_some_and(|strategy| strategy != RolloutStrategy::AllAtOnce)
}

/// The default in place of an inherited rollout in steps; its alarms still watch.
fn left_out<'r>(
    context: &mut Resolver<'_>,
    rollout: &Rollout,
    place: &FieldPlace<'_>,
    inherited_by: &Document,
) -> Cow<'r, Rollout> {
    let message =
        format!("the environment's rollout needs two instances, and `{}` may have only one", inherited_by.name);
    let finding = Diagnostic::new(Code::RolloutLeftOut, message)
        .label(inherited_by.origin.span("/metadata/name"), "it is updated all at once instead")
        .label(place.span(), "not used here");
    context.report(finding.help("set `scaling: {min: 2}`, or `rollout: {strategy: all-at-once}` in the endpoint"));
    Cow::Owned(Rollout { alarms: rollout.alarms.clone(), ..Rollout::default() })
}

fn check_alarms(context: &mut Resolver<'_>, alarms: usize, own: usize, place: &FieldPlace<'_>) {
    if alarms > ALARM_LIMIT {
        let message = format!("{alarms} alarms would watch the rollout; SageMaker allows {ALARM_LIMIT}");
        let help = format!("{own} of them are hubform's own; `alarms: none` turns those off");
        context.report(Diagnostic::new(Code::OutOfRange, message).at(place.at("alarms").span()).help(help));
    }
}

/// How often a step is waited for, judged by the smallest fleet.
fn steps(rollout: &Rollout, strategy: RolloutStrategy, min: u32) -> u64 {
    let (whole, step) = match size(rollout, strategy, min) {
        StepSize::Count(count) => (min, count),
        StepSize::Percent(percent) => (100, percent),
    };
    match strategy {
        RolloutStrategy::AllAtOnce => 1,
        RolloutStrategy::Canary => 2,
        RolloutStrategy::Linear | RolloutStrategy::Rolling => u64::from(whole.div_ceil(step.max(1))),
    }
}

fn check_time(context: &mut Resolver<'_>, rollout: &Rollout, steps: u64, bake: u64, place: &FieldPlace<'_>) {
    let drain = rollout.drain.map_or(0, |drain| drain.0);
    let (takes, limit) = (steps * bake + drain, rollout.timeout.map_or(TIMEOUT, |timeout| timeout.0));
    if takes < limit {
        return;
    }
    let message = format!(
        "the waits alone take {}: {steps} × {} and {} at the end; the rollout times out after {}",
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
    context: &mut Resolver<'_>,
    rollout: &Rollout,
    strategy: RolloutStrategy,
    place: &FieldPlace<'_>,
    min: u32,
) -> Option<()> {
    check_effective(context, rollout, strategy, place);
    if strategy == RolloutStrategy::AllAtOnce {
        return Some(());
    }
    if min < 2 {
        let message = format!("this rollout needs at least two instances, and `min` is {min}");
        let help = "set `scaling: {min: 2}`, or `strategy: all-at-once`";
        let place = if rollout.strategy.is_some() { place.at("strategy") } else { place.clone() };
        context.report(Diagnostic::new(Code::RolloutInstances, message).at(place.span()).help(help));
        return None;
    }
    let too_many = matches!(rollout.size, Some(RolloutSize::Count(count)) if u64::from(count) * 2 > min.into());
    let half = matches!(rollout.size, Some(RolloutSize::Percent(percent)) if percent.0 > 50.0);
    let few = match (strategy, rollout.size) {
        (RolloutStrategy::Linear, Some(RolloutSize::Percent(percent))) => percent.0 < 10.0,
        (RolloutStrategy::Rolling, Some(RolloutSize::Percent(percent))) => percent.0 < 5.0,
        (RolloutStrategy::Linear, Some(RolloutSize::Count(count))) => u64::from(count) * 10 < min.into(),
        (RolloutStrategy::Rolling, Some(RolloutSize::Count(count))) => u64::from(count) * 20 < min.into(),
        _ => false,
    };
    if too_many || half || few {
        let range = match strategy {
            RolloutStrategy::Canary => "at most 50%",
            RolloutStrategy::Linear => "10% to 50%",
            _ => "5% to 50%",
        };
        let message = format!("a step may move {range} of the instances, counted by `min`, which is {min}");
        let fewest = match strategy {
            RolloutStrategy::Linear => min.div_ceil(10),
            RolloutStrategy::Rolling => min.div_ceil(20),
            _ => 1,
        };
        let counts = if fewest < min / 2 { format!("{fewest} to {}", min / 2) } else { fewest.to_string() };
        let help = format!("use a count of {counts}, or a percentage within that range");
        context.report(Diagnostic::new(Code::RolloutSize, message).at(place.at("size").span()).help(help));
        return None;
    }
    Some(())
}

/// What the strategy that was not written has no use for; for a written one this is refused where manifests are read.
fn check_effective(context: &mut Resolver<'_>, rollout: &Rollout, strategy: RolloutStrategy, place: &FieldPlace<'_>) {
    let (field, name) = match strategy {
        RolloutStrategy::AllAtOnce if rollout.size.is_some() => ("size", "all-at-once"),
        RolloutStrategy::Rolling if rollout.drain.is_some() => ("drain", "rolling"),
        _ => return,
    };
    if rollout.strategy.is_none() {
        let message = format!("`{field}` has no effect: without `strategy` this endpoint uses `{name}`");
        let help = format!("set another `strategy`, or remove `{field}`");
        context.report(Diagnostic::new(Code::Conflict, message).at(place.at(field).span()).help(help));
    }
}

fn size(rollout: &Rollout, strategy: RolloutStrategy, min: u32) -> StepSize {
    match rollout.size {
        Some(RolloutSize::Count(count)) => StepSize::Count(count),
        Some(RolloutSize::Percent(share)) => StepSize::Percent(share.0.round() as u32),
        None => default_size(strategy, min),
    }
}

/// A quarter of the fleet; by count where it is small, since a share of few instances could be less than one.
fn default_size(strategy: RolloutStrategy, min: u32) -> StepSize {
    match strategy {
        RolloutStrategy::Canary | RolloutStrategy::Linear if min >= 4 => StepSize::Percent(STEP_PERCENT),
        _ => StepSize::Count((min / 4).max(1)),
    }
}
