//! `Scaling`: how many, by what, when.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::{Code, Path};
use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::form::form;
use crate::manifest::value::{Duration, Percent};
use crate::service::{Problem, schedule};

/// How many instances, by which metric, on which schedule.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Scaling {
    /// At least this many.
    #[schemars(extend("x-supported" = {"minimum": 1, "what": "`min: 0`"}))]
    pub min: Option<u32>,
    /// At most this many; without it, or equal to `min`, the count is fixed.
    #[schemars(range(min = 1))]
    pub max: Option<u32>,
    /// The count at creation.
    #[schemars(range(min = 1))]
    pub initial: Option<u32>,
    /// The metric to keep near a value.
    pub target: Option<TargetTracking>,
    /// How long to wait after a change.
    pub cooldown: Option<Cooldown>,
    /// Limits by time.
    pub schedules: Vec<Schedule>,
    /// Steps by alarm.
    #[schemars(extend("x-later" = "step scaling"))]
    pub steps: Option<serde_json::Value>,
    /// Scaling by forecast.
    #[schemars(extend("x-later" = "predictive scaling"))]
    pub predictive: Option<serde_json::Value>,
}

/// A metric and the value to keep it near; exactly one field is set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("oneOf" = [
    {"required": ["concurrentRequestsPerInstance"]}, {"required": ["invocationsPerInstance"]}, {"required": ["cpu"]},
    {"required": ["gpu"]}, {"required": ["metric"]}, {"required": ["concurrentRequestsPerCopy"]},
    {"required": ["invocationsPerCopy"]}, {"required": ["backlogPerInstance"]}, {"required": ["requestsPerTarget"]},
    {"required": ["provisionedConcurrencyUtilization"]}
]))]
pub struct TargetTracking {
    /// Requests in flight per instance.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub concurrent_requests_per_instance: Option<f64>,
    /// Requests in flight per copy of a component.
    #[schemars(extend("exclusiveMinimum" = 0, "x-later" = "scaling of component copies"))]
    pub concurrent_requests_per_copy: Option<f64>,
    /// Requests per minute and instance.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub invocations_per_instance: Option<f64>,
    /// Requests per minute and copy of a component.
    #[schemars(extend("exclusiveMinimum" = 0, "x-later" = "scaling of component copies"))]
    pub invocations_per_copy: Option<f64>,
    /// Waiting requests per instance of an async endpoint.
    #[schemars(extend("exclusiveMinimum" = 0, "x-later" = "scaling by backlog"))]
    pub backlog_per_instance: Option<f64>,
    /// Requests per target of a load balancer.
    #[schemars(extend("exclusiveMinimum" = 0, "x-later" = "scaling of fleets"))]
    pub requests_per_target: Option<f64>,
    /// Use of provisioned concurrency of a serverless endpoint.
    #[schemars(extend("x-later" = "scaling of serverless endpoints"))]
    pub provisioned_concurrency_utilization: Option<Percent>,
    /// Use of the whole instance's processors.
    #[schemars(extend("x-between" = ["1%", "100%"]))]
    pub cpu: Option<Percent>,
    /// Use of the whole instance's GPUs.
    #[schemars(extend("x-between" = ["1%", "100%"]))]
    pub gpu: Option<Percent>,
    /// A metric of one's own.
    pub metric: Option<Metric>,
}

/// A CloudWatch metric and the value to keep it near.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// CloudWatch namespace.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// Metric name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Dimensions, name to value.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// How values of a period become one.
    pub statistic: Statistic,
    /// The value to keep it near.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub value: f64,
}

/// How values of a period become one, in CloudWatch's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub enum Statistic {
    /// Mean.
    Average,
    /// Smallest.
    Minimum,
    /// Largest.
    Maximum,
    /// How many.
    SampleCount,
    /// Total.
    Sum,
}

/// How long to wait after a change before the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cooldown {
    /// After removing instances.
    pub r#in: Option<Duration>,
    /// After adding instances.
    pub out: Option<Duration>,
}

/// Limits that change by time; exactly one of `cron`, `at`, `rate`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{"required": ["cron"]}, {"required": ["at"]}, {"required": ["rate"]}]))]
pub struct Schedule {
    /// Name, unique in its list.
    #[schemars(extend("x-form" = "name"))]
    pub name: String,
    /// The six fields of an AWS cron expression, without `cron()`.
    #[schemars(extend("x-form" = "cron"))]
    pub cron: Option<String>,
    /// One moment, `yyyy-mm-ddThh:mm:ss`.
    #[schemars(extend("x-form" = "moment"))]
    pub at: Option<String>,
    /// Every so often, such as `1 day`.
    #[schemars(extend("x-form" = "rate"))]
    pub rate: Option<String>,
    /// Time zone of the IANA database, such as `Europe/Paris`; UTC when not given.
    #[schemars(extend("x-form" = "time-zone"))]
    pub timezone: Option<String>,
    /// At least this many from then on.
    #[schemars(extend("x-supported" = {"minimum": 1, "what": "`min: 0`"}))]
    pub min: Option<u32>,
    /// At most this many from then on.
    #[schemars(range(min = 1))]
    pub max: Option<u32>,
}

impl Rules for Scaling {
    fn check(&self, at: &mut RuleCheck<'_>) {
        in_order(self.min, self.max, at);
        if let Some(initial) = self.initial {
            let low = self.min.is_some_and(|min| initial < min);
            if low || self.max.or(self.min).is_some_and(|max| initial > max) {
                let said = |name: &str, bound: Option<u32>| bound.map(|bound| format!("`{name}` is {bound}"));
                let bounds: Vec<_> = [said("min", self.min), said("max", self.max)].into_iter().flatten().collect();
                let message = format!("`initial` is {initial}: {}", bounds.join(", "));
                at.report("initial", Code::OutOfRange, message);
            }
        }
        at.each("schedules", &self.schedules);
        for (index, schedule) in self.schedules.iter().enumerate() {
            if self.schedules[..index].iter().any(|earlier| earlier.name == schedule.name) {
                let message = format!("there are two schedules `{}`", schedule.name);
                at.report(Path::from("schedules").item(index).at("name"), Code::DuplicateName, message);
            }
        }
    }
}

impl Rules for Schedule {
    fn check(&self, at: &mut RuleCheck<'_>) {
        in_order(self.min, self.max, at);
        if self.min.is_none() && self.max.is_none() {
            at.report("", Code::MissingField, "a schedule needs `min`, `max` or both");
        }
        refuse(at, "cron", self.cron.as_ref(), schedule::cron);
        refuse(at, "cron", self.cron.as_ref(), schedule::never);
        refuse(at, "rate", self.rate.as_ref(), schedule::rate);
        refuse(at, "at", self.at.as_ref(), schedule::moment);
        let zones = self.timezone.iter().filter_map(|zone| schedule::time_zone(zone));
        zones.for_each(|problem| at.refuse("timezone", Code::UnknownTimeZone, problem));
        // "…when setting a scheduled action by using an at or cron expression" (PutScheduledAction, Timezone, D).
        if self.rate.is_some() && self.timezone.is_some() {
            at.report("timezone", Code::FixedCount, "`timezone` has no effect with `rate`");
        }
    }
}

/// A field whose form is already refused gets no second finding.
fn refuse<P: IntoIterator<Item = Problem>>(
    at: &mut RuleCheck<'_>,
    field: &'static str,
    text: Option<&String>,
    problems: fn(&str) -> P,
) {
    let name = if field == "at" { "moment" } else { field };
    let Some(text) = text.filter(|text| form(name).is_none_or(|form| (form.fits)(text))) else { return };
    problems(text).into_iter().for_each(|problem| at.refuse(field, Code::BadSchedule, problem));
}

fn in_order(min: Option<u32>, max: Option<u32>, at: &mut RuleCheck<'_>) {
    if let Some((min, max)) = min.zip(max).filter(|(min, max)| min > max) {
        at.report("max", Code::OutOfRange, format!("`max` is {max}, below `min`, {min}"));
    }
}
