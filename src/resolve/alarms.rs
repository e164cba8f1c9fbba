//! What is watched, and who is told.

use serde_json::{Value, json};

use super::{Context, references::Place};
use crate::manifest::{Alarms, Setting};

/// The share of requests answered with a server error that alarms when nobody says, in percent.
const ERROR_PERCENT: f64 = 5.0;

/// What the template sees; none where alarms are turned off.
pub(super) fn resolve(
    context: &mut Context<'_>,
    wanted: Option<(&Setting<Alarms>, Place<'_>)>,
    endpoint: &str,
) -> Option<Value> {
    let default = Alarms::default();
    let (alarms, place) = match wanted {
        Some((Setting::Off, _)) => return None,
        Some((Setting::On(alarms), place)) => (alarms, Some(place)),
        None => (&default, None),
    };
    let percent = alarms.error_rate.map_or(ERROR_PERCENT, |rate| rate.0);
    let mut values = json!({ "error": {
        "percent": whole(percent),
        "description": format!("More than {percent}% of the requests to {endpoint} are answered with a server error."),
    } });
    if let Some(latency) = alarms.latency_p99 {
        values["latency"] = json!({
            "microseconds": latency.0 * 1000,
            "description": format!("The slowest 1% of the answers of {endpoint} take longer than {latency}."),
        });
    }
    if let (Some(topics), Some(place)) = (&alarms.notify, place) {
        values["notify"] = context.cfn_list(topics, &place.at("notify"));
    }
    Some(values)
}

/// A number without a fraction is written as one.
pub(super) fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 { json!(number as i64) } else { json!(number) }
}
