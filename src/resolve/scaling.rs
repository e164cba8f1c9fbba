//! How many instances, and who decides it: the manifest, or a scalable target.

use super::{
    Resolver,
    chooser::{ChoiceKind, Chooser, Fresh},
    hardware::Chosen,
    pinned,
    references::{FieldPlace, Referenced, find, inherited},
    view::{self, DimensionView, ScheduleView},
};
use crate::{
    catalog::AcceleratorKind,
    diagnostic::{Code, Diagnostic},
    manifest::{Metric, Reference, Scaling, Schedule, Statistic, TargetTracking},
    service::{is_burstable, schedule::single_spaced},
};

/// Default seconds to wait after removing instances: new ones take minutes to start.
const COOLDOWN_IN: u64 = 300;
/// Default seconds to wait after adding instances.
const COOLDOWN_OUT: u64 = 60;
/// The default target: use of processors, in percent.
const DEFAULT_CPU: f64 = 60.0;
/// The default target: requests in flight per accelerated instance.
const DEFAULT_CONCURRENCY: f64 = 8.0;

/// How many instances there are.
pub(super) struct Count {
    /// The count at creation.
    pub(super) initial: u32,
    /// At least so many: what "at least two instances" is judged by.
    pub(super) min: u32,
    /// What moves it; none where it is fixed.
    pub(super) scaler: Option<Scaler>,
}

/// What moves a count: between which bounds, by the clock, and to hold which metric.
pub(super) struct Scaler {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) schedules: Vec<ScheduleView>,
    pub(super) metric: view::ScalingMetric,
    pub(super) target: f64,
    /// In seconds.
    pub(super) cooldown_in: u64,
    /// In seconds.
    pub(super) cooldown_out: u64,
}

/// The metric of target tracking, and its target value.
struct Tracked {
    metric: view::ScalingMetric,
    target: f64,
}

/// Settles the count of a serving.
pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    chooser: &mut Chooser,
    wanted: Option<Referenced<'a, Scaling>>,
    chosen: &Chosen<'_>,
) -> Option<(Count, Option<FieldPlace<'a>>)> {
    let Some(found) = wanted else {
        return Some((Count { initial: 1, min: 1, scaler: None }, None));
    };
    let (spec, place) = (&found.spec, &found.place);
    let min = spec.min.unwrap_or(1);
    let max = spec.max.unwrap_or(min);
    check_bounds(context, spec, place, min, max)?;
    if max == min {
        warn_unused(context, spec, place);
        let initial = spec.initial.unwrap_or(min);
        return Some((Count { initial, min, scaler: None }, Some(place.clone())));
    }
    refuse_burstable(context, place, chosen)?;
    let initial = initial(context, chooser, spec, min, max);
    let Tracked { metric, target } = metric(context, chooser, spec, place, chosen)?;
    let cooldown = spec.cooldown.unwrap_or_default();
    let scaler = Scaler {
        min,
        max,
        schedules: schedules(context, &spec.schedules, place, min, max),
        metric,
        target,
        cooldown_in: cooldown.r#in.map_or(COOLDOWN_IN, |wait| wait.0),
        cooldown_out: cooldown.out.map_or(COOLDOWN_OUT, |wait| wait.0),
    };
    Some((Count { initial, min, scaler: Some(scaler) }, Some(place.clone())))
}

/// The `Scaling` of an endpoint, its own or the environment's, if any.
pub(super) fn wanted<'a>(
    context: &mut Resolver<'a>,
    own: Option<(&'a Reference<Scaling>, FieldPlace<'a>)>,
) -> Option<Option<Referenced<'a, Scaling>>> {
    let inherited = inherited(context, "scaling", |defaults| defaults.scaling.as_ref());
    match own.or(inherited) {
        Some((reference, place)) => find(context, reference, place).map(Some),
        None => Some(None),
    }
}

fn check_bounds(context: &mut Resolver<'_>, spec: &Scaling, place: &FieldPlace<'_>, min: u32, max: u32) -> Option<()> {
    let initial = spec.initial.unwrap_or(min);
    let (message, field) = if max < min {
        (format!("`max` is {max}, below `min`, {min}"), "max")
    } else if !(min..=max).contains(&initial) {
        (format!("`initial` is {initial}, but must be {min} to {max}"), "initial")
    } else {
        return Some(());
    };
    context.report(Diagnostic::new(Code::ScalingBounds, message).at(place.at(field).span()));
    None
}

fn refuse_burstable(context: &mut Resolver<'_>, place: &FieldPlace<'_>, chosen: &Chosen<'_>) -> Option<()> {
    if !is_burstable(&chosen.name) {
        return Some(());
    }
    let message = format!("`{}` is burstable, and SageMaker does not scale burstable instances", chosen.name);
    let finding = Diagnostic::new(Code::Burstable, message).at(place.at("max").span());
    let finding = match &chosen.place {
        Some(instance) => finding.label(instance.span(), "the instance type"),
        None => finding,
    };
    context.report(finding.help("remove `max`, or use another instance type"));
    None
}

fn warn_unused(context: &mut Resolver<'_>, spec: &Scaling, place: &FieldPlace<'_>) {
    let unused = [(spec.target.is_some(), "target"), (!spec.schedules.is_empty(), "schedules")];
    for (_, field) in unused.into_iter().filter(|(set, _)| *set) {
        let message = format!("`{field}` has no effect: without `max` above `min` the count is fixed");
        context.report(Diagnostic::new(Code::FixedCount, message).at(place.at(field).span()).help("set `max`"));
    }
}

fn initial(context: &mut Resolver<'_>, chooser: &mut Chooser, spec: &Scaling, min: u32, max: u32) -> u32 {
    let wanted = spec.initial.unwrap_or(1).clamp(min, max);
    let said = match spec.initial {
        Some(_) => "as the manifest says",
        None if min > 1 => "autoscaling starts from `min`",
        None => "autoscaling starts from one",
    };
    let bounds = pinned::count(u64::MAX, "").and("", |count| u32::try_from(count).is_ok());
    let pinned = chooser.choose(context, ChoiceKind::INITIAL_COUNT, bounds, |_| {
        Some(Fresh::new(wanted, format!("{said}; it applies only when the endpoint is created")))
    });
    pinned.and_then(|count| count.count()?.try_into().ok()).unwrap_or(wanted)
}

fn metric(
    context: &mut Resolver<'_>,
    chooser: &mut Chooser,
    spec: &Scaling,
    place: &FieldPlace<'_>,
    chosen: &Chosen<'_>,
) -> Option<Tracked> {
    let Some(target) = &spec.target else { return default_metric(context, chooser, chosen) };
    if let Some(target) = target.concurrent_requests_per_instance {
        return Some(Tracked { metric: view::ScalingMetric::ConcurrentRequestsPerInstance, target });
    }
    if let Some(target) = target.invocations_per_instance {
        return Some(Tracked { metric: view::ScalingMetric::InvocationsPerInstance, target });
    }
    if let Some(metric) = &target.metric {
        return Some(Tracked { metric: own(metric), target: metric.value });
    }
    utilization(context, target, place, chosen)
}

fn default_metric(context: &mut Resolver<'_>, chooser: &mut Chooser, chosen: &Chosen<'_>) -> Option<Tracked> {
    let cores = chosen.facts.filter(|instance| instance.accelerator.is_none()).and_then(|instance| instance.vcpus);
    let accelerated = chosen.facts.is_some_and(|instance| instance.accelerator.is_some());
    chooser.know("accelerated", cores.is_none());
    let bounds = pinned::above_zero(if cores.is_some() { 100.0 } else { f64::INFINITY });
    let value = chooser.choose(context, ChoiceKind::SCALING_TARGET, bounds, |_| {
        let start = if accelerated { "for accelerators" } else { "where the hardware is unknown" };
        Some(match cores {
            Some(_) => Fresh::new(DEFAULT_CPU, "usual for processors"),
            None => Fresh::new(DEFAULT_CONCURRENCY, format!("a cautious start {start}; measure, then set your own")),
        })
    })?;
    Some(match cores {
        Some(cores) => {
            let percent = value.number().unwrap_or(DEFAULT_CPU);
            chooser.show_as(format!("cpu {percent}%"));
            Tracked { metric: view::ScalingMetric::Cpu, target: percent * f64::from(cores) }
        }
        None => {
            let target = value.number().unwrap_or(DEFAULT_CONCURRENCY);
            chooser.show_as(format!("{target} concurrent requests per instance"));
            Tracked { metric: view::ScalingMetric::ConcurrentRequestsPerInstance, target }
        }
    })
}

fn own(metric: &Metric) -> view::ScalingMetric {
    let dimension = |(name, value): (&String, &String)| DimensionView { name: name.clone(), value: value.clone() };
    view::ScalingMetric::Custom {
        namespace: metric.namespace.clone(),
        name: metric.name.clone(),
        dimensions: metric.dimensions.iter().map(dimension).collect(),
        statistic: statistic(metric.statistic),
    }
}

fn statistic(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Average => "Average",
        Statistic::Minimum => "Minimum",
        Statistic::Maximum => "Maximum",
        Statistic::SampleCount => "SampleCount",
        Statistic::Sum => "Sum",
    }
}

/// SageMaker's utilization is a sum over cores or devices, so the target of the whole instance is multiplied.
fn utilization(
    context: &mut Resolver<'_>,
    target: &TargetTracking,
    place: &FieldPlace<'_>,
    chosen: &Chosen<'_>,
) -> Option<Tracked> {
    let gpus = || {
        let accelerator = chosen.facts?.accelerator.as_ref()?;
        (accelerator.kind == AcceleratorKind::Gpu).then_some(accelerator.count)
    };
    let (percent, units, metric, field) = match (target.cpu, target.gpu) {
        (Some(cpu), _) => (cpu, chosen.facts.and_then(|instance| instance.vcpus), view::ScalingMetric::Cpu, "cpu"),
        (None, Some(gpu)) => (gpu, gpus(), view::ScalingMetric::Gpu, "gpu"),
        (None, None) => return None,
    };
    let Some(units) = units else {
        let device = field.to_uppercase();
        let message = format!("`{field}` cannot be a target on `{}`: its {device} count is unknown", chosen.name);
        let help = "use another target, such as `invocationsPerInstance`";
        let place = place.at("target").at(field);
        context.report(Diagnostic::new(Code::TargetWithoutDevice, message).at(place.span()).help(help));
        return None;
    };
    Some(Tracked { metric, target: percent.0 * f64::from(units) })
}

fn schedules(
    context: &mut Resolver<'_>,
    schedules: &[Schedule],
    place: &FieldPlace<'_>,
    min: u32,
    max: u32,
) -> Vec<ScheduleView> {
    for (at, schedule) in schedules.iter().enumerate() {
        let (low, high) = (schedule.min.unwrap_or(min), schedule.max.unwrap_or(max));
        if high < low {
            let message = format!("from then on `max` is {high}, below `min`, {low}");
            let place = place.at("schedules").item(at);
            context.report(Diagnostic::new(Code::ScalingBounds, message).at(place.span()));
        }
    }
    schedules.iter().map(schedule).collect()
}

fn schedule(schedule: &Schedule) -> ScheduleView {
    let cron = schedule.cron.as_deref().map(single_spaced);
    let forms = [("cron", &cron), ("at", &schedule.at), ("rate", &schedule.rate)];
    let when = forms.into_iter().find_map(|(form, text)| text.as_ref().map(|text| format!("{form}({text})")));
    ScheduleView {
        name: schedule.name.clone(),
        when: when.unwrap_or_default(),
        timezone: schedule.timezone.clone(),
        min: schedule.min,
        max: schedule.max,
    }
}
