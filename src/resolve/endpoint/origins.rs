//! Which field each property of an endpoint's stack comes from.

use std::collections::BTreeMap;

use crate::resolve::{
    Context, Field,
    references::Place,
    serving::Serving,
    settings,
    view::{AlarmView, EndpointView, ModelView, ScalerView},
};

/// Fields by the property they become.
pub(super) fn of<'a>(
    context: &Context<'a>,
    view: &EndpointView,
    servings: &[Serving<'a>],
    place: &Place<'a>,
    of_mode: Vec<(&'static str, Place<'a>)>,
) -> BTreeMap<String, Field> {
    let written = |field: &str| settings::written(context, place, field);
    let mut rows = Rows::default();
    let config = "EndpointConfig/Properties";
    rows.add(format!("{config}/DataCaptureConfig"), place.at("capture"));
    rows.add(format!("{config}/DataCaptureConfig/DestinationS3Uri"), place.at("capture").at("s3"));
    rows.add(format!("{config}/KmsKeyId"), written("encryption"));
    rows.add("Endpoint/Properties/DeploymentConfig", written("rollout"));
    rows.add("Endpoint/Properties/EndpointName", place.at("name"));
    rows.add("ExecutionRole", written("role"));
    // Of alarms and scalers also where there are none: what says so is why one is removed.
    for id in servings.iter().flat_map(|serving| AlarmView::ids(serving.name)) {
        rows.add(id, written("alarms"));
    }
    for (at, (serving, model)) in servings.iter().zip(&view.models).enumerate() {
        rows.model(model, serving, place, &written);
        rows.variant(&format!("{config}/ProductionVariants/{at}"), serving, place, &written);
    }
    // Of several, the first stands for what replaces the whole configuration.
    for instance in servings.iter().rev().filter_map(|serving| serving.chosen.place.clone()) {
        rows.add(config, instance);
    }
    for (path, place) in of_mode {
        rows.add(path, place);
    }
    rows.0
}

#[derive(Default)]
struct Rows(BTreeMap<String, Field>);

impl Rows {
    fn add(&mut self, path: impl Into<String>, place: Place<'_>) {
        self.0.insert(path.into(), place.field());
    }

    fn model<'a>(
        &mut self,
        ModelView { id, .. }: &ModelView,
        serving: &Serving<'a>,
        endpoint: &Place<'a>,
        written: &dyn Fn(&str) -> Place<'a>,
    ) {
        let place = &serving.served.place;
        let container = format!("{id}/Properties/PrimaryContainer");
        self.add(id, place.clone());
        self.add(format!("{container}/ModelDataSource"), place.at("s3"));
        self.add(format!("{id}/Properties/VpcConfig"), written("network"));
        self.add(format!("{id}/Properties/EnableNetworkIsolation"), endpoint.at("network").at("isolated"));
        if place.exists("image") {
            self.add(format!("{container}/Image"), place.at("image"));
        }
        for name in serving.served.spec.env.keys() {
            self.add(format!("{container}/Environment/{name}"), place.at("env").at(name));
        }
    }

    fn variant<'a>(
        &mut self,
        variant: &str,
        serving: &Serving<'a>,
        endpoint: &Place<'a>,
        written: &dyn Fn(&str) -> Place<'a>,
    ) {
        let timeouts = written("timeouts");
        self.add(format!("{variant}/RoutingConfig"), endpoint.at("routing"));
        self.add(format!("{variant}/ContainerStartupHealthCheckTimeoutInSeconds"), timeouts.at("startup"));
        self.add(format!("{variant}/ModelDataDownloadTimeoutInSeconds"), timeouts.at("download"));
        self.add(format!("{variant}/VariantInstanceProvisionTimeoutInSeconds"), timeouts.at("provision"));
        if let Some(instance) = &serving.chosen.place {
            self.add(format!("{variant}/InstanceType"), instance.clone());
        }
        let Some(count) = &serving.count_place else { return };
        self.add(format!("{variant}/InitialInstanceCount"), count.clone());
        let [target, policy] = ScalerView::ids(serving.name);
        self.add(&target, count.clone());
        self.add(format!("{target}/Properties/MinCapacity"), count.at("min"));
        self.add(format!("{target}/Properties/MaxCapacity"), count.at("max"));
        self.add(format!("{target}/Properties/ScheduledActions"), count.at("schedules"));
        self.add(policy, count.at("target"));
    }
}
