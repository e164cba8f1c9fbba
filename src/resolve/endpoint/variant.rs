//! A production variant: a serving on its instances, with what they start with.

use std::ops::RangeInclusive;

use super::has_local_disk;
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Duration, Endpoint, Routing, RoutingStrategy, Size},
    resolve::{
        Resolver,
        chooser::{ChoiceKind, Chooser, Fresh},
        model::Weights,
        pinned,
        references::{FieldPlace, default_of},
        scaling::Scaler,
        serving::Serving,
        settings::EncryptionKey,
        view::{ModelView, Number, RoutingView, ScalerView, VariantView},
    },
};

/// Seconds that SageMaker waits for a container, as in the schema of `timeouts`.
const STARTUP: RangeInclusive<u64> = 60..=3600;
/// GiB that a volume may have, as in the schema of `hardware`.
const VOLUME: RangeInclusive<u64> = 1..=512;

pub(super) fn resolve(
    context: &mut Resolver<'_>,
    chooser: &mut Chooser,
    serving: &Serving<'_>,
    key: Option<&EncryptionKey>,
    (spec, place): (&Endpoint, &FieldPlace<'_>),
) -> VariantView {
    let timeouts = default_of(context, spec.timeouts.as_ref(), place, "timeouts").map(|(t, _)| *t).unwrap_or_default();
    let startup_timeout = match timeouts.startup {
        Some(startup) => startup.0,
        None => startup_timeout(context, chooser, serving),
    };
    let from_s3 = matches!(serving.served.weights, Weights::S3 { .. });
    let variant = VariantView {
        name: serving.name.to_owned(),
        model: ModelView::id_of(serving.name),
        instance: serving.chosen.name.clone(),
        count: serving.count.initial,
        volume: volume(context, chooser, serving),
        ami: serving.container.ami.clone(),
        download_timeout: from_s3.then(|| timeouts.download.map_or(startup_timeout, |wait| wait.0)),
        startup_timeout,
        provision_timeout: timeouts.provision.map(|wait| wait.0),
        routing: spec.routing.as_ref().map(routing),
    };
    if let Some(dtype) = serving.fit.dtype {
        chooser.settle("dtype", dtype, format!("the GPU of `{}` has no bfloat16", serving.chosen.name));
    }
    if key.is_some() && has_local_disk(serving) {
        let reason = format!("`{}` has local disks, which a key does not encrypt", serving.chosen.name);
        chooser.settle("volume key", "none", reason);
    }
    variant
}

/// What moves the count of a variant.
pub(super) fn scaler(serving: &Serving<'_>) -> Option<ScalerView> {
    let Scaler { min, max, schedules, metric, target, cooldown_in, cooldown_out } = serving.count.scaler.as_ref()?;
    let [id, policy_id] = ScalerView::ids(serving.name);
    Some(ScalerView {
        id,
        policy_id,
        variant: serving.name.to_owned(),
        min: *min,
        max: *max,
        schedules: schedules.clone(),
        metric: metric.clone(),
        target: Number(*target),
        cooldown_in: *cooldown_in,
        cooldown_out: *cooldown_out,
    })
}

/// From experience with these engines: an encoder is up in minutes, a large model takes most of an hour.
fn startup_timeout(context: &mut Resolver<'_>, chooser: &mut Chooser, serving: &Serving<'_>) -> u64 {
    let billions = serving.served.facts.as_ref().and_then(|facts| Some(facts.parameters? as f64 / 1e9));
    let (minutes, reason) = match (serving.served.engine.startup, billions) {
        (Some(known), _) => known,
        (_, Some(size)) if size <= 13.0 => (15, "enough to fetch and load up to 13 billion parameters"),
        (_, Some(size)) if size <= 70.0 => (30, "enough to fetch and load up to 70 billion parameters"),
        _ => (60, "the longest SageMaker waits; the model is large, or of unknown size"),
    };
    let today = Duration(minutes * 60);
    let bounds = pinned::time(STARTUP);
    let chosen =
        chooser.choose(context, ChoiceKind::STARTUP_TIMEOUT, bounds, |_| Some(Fresh::new(today.to_string(), reason)));
    chosen.and_then(|text| text.text()?.parse().ok()).unwrap_or(today).0
}

fn volume(context: &mut Resolver<'_>, chooser: &mut Chooser, serving: &Serving<'_>) -> Option<u64> {
    if let Some((size, place)) = &serving.chosen.volume {
        if has_local_disk(serving) {
            let message = format!("`{}` has local disks, so SageMaker gives it no volume", serving.chosen.name);
            let help = "remove `volume`";
            context.report(Diagnostic::new(Code::VolumeOnLocalDisk, message).at(place.span()).help(help));
        }
        return Some(*size);
    }
    if serving.local_disk() != Some(false) {
        return None;
    }
    let gib = serving.served.facts.as_ref()?.weight_bytes? >> 30;
    if gib < 10 {
        return None;
    }
    let today = Size((gib * 2 + 30).min(512) << 30);
    let chosen = chooser.choose(context, ChoiceKind::VOLUME, pinned::size(VOLUME), |_| {
        Some(Fresh::new(today.to_string(), "twice the weights, and 30 GiB for the image"))
    });
    Some(chosen.and_then(|text| text.text()?.parse().ok()).unwrap_or(today).0 >> 30)
}

fn routing(routing: &Routing) -> RoutingView {
    match routing {
        Routing::Strategy(RoutingStrategy::Random) => RoutingView::Random,
        Routing::Strategy(RoutingStrategy::LeastOutstanding) => RoutingView::LeastOutstanding,
        Routing::PrefixAware(prefix) => RoutingView::PrefixAware {
            prefix_length: prefix.prefix_length,
            concurrency_threshold: prefix.concurrency_threshold,
        },
    }
}
