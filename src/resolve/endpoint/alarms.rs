//! What is watched, and who is notified.

use crate::{
    manifest::{Alarms, Setting},
    resolve::{
        Resolver,
        references::FieldPlace,
        view::{AlarmView, Number, Watched},
    },
    service::arn,
};

/// The share of requests answered with a server error that alarms by default, in percent.
const ERROR_PERCENT: f64 = 5.0;

/// The alarms of an endpoint's variants; none where they are turned off.
pub(super) fn resolve<'n>(
    context: &mut Resolver<'_>,
    wanted: Option<(&Setting<Alarms>, FieldPlace<'_>)>,
    endpoint: &str,
    variants: impl IntoIterator<Item = &'n str>,
) -> Vec<AlarmView> {
    let default = Alarms::default();
    let (alarms, place) = match wanted {
        Some((Setting::Off, _)) => return Vec::new(),
        Some((Setting::On(alarms), place)) => (alarms, Some(place)),
        None => (&default, None),
    };
    let topics = alarms.notify.as_ref().zip(place);
    let notify = topics.map(|(topics, place)| context.givens(topics, &arn::ALARM_TOPIC, &place.at("notify")));
    let [errors, latency] = watched(alarms, endpoint);
    let of_variant = |variant: &'n str| {
        let [errors_id, latency_id] = AlarmView::ids(variant);
        let view = |(id, (watches, description)): (String, (Watched, String))| AlarmView {
            id,
            variant: variant.to_owned(),
            watches,
            description,
            notify: notify.clone(),
        };
        let both = [errors.clone().map(|it| (errors_id, it)), latency.clone().map(|it| (latency_id, it))];
        both.into_iter().flatten().map(view).collect::<Vec<_>>()
    };
    variants.into_iter().flat_map(of_variant).collect()
}

/// What is watched on each variant: errors always, latency where a limit is set. With the descriptions.
fn watched(alarms: &Alarms, endpoint: &str) -> [Option<(Watched, String)>; 2] {
    let percent = alarms.error_rate.map_or(ERROR_PERCENT, |rate| rate.0);
    let errors = (
        Watched::Errors { percent: Number(percent) },
        format!("More than {percent}% of the requests to {endpoint} are answered with a server error."),
    );
    let latency = alarms.latency_p99.map(|latency| {
        let description = format!("The slowest 1% of the answers of {endpoint} take longer than {latency}.");
        (Watched::Latency { microseconds: latency.0 * 1000 }, description)
    });
    [Some(errors), latency]
}
