//! Which field each property of an endpoint's stack comes from.

use std::collections::BTreeMap;

use crate::{
    diagnostic::Path,
    resolve::{
        ManifestField, Resolver,
        references::FieldPlace,
        serving::Serving,
        settings,
        view::{AlarmView, EndpointView, ModelView, ScalerView},
    },
};

/// Fields by the property they become.
pub(super) fn of<'a>(
    context: &Resolver<'a>,
    view: &EndpointView,
    servings: &[Serving<'a>],
    place: &FieldPlace<'a>,
    of_mode: Vec<(&'static str, FieldPlace<'a>)>,
) -> BTreeMap<Path, ManifestField> {
    let written = |field: &str| settings::written(context, place, field);
    let mut rows = Rows::default();
    let config = Path::from("EndpointConfig/Properties");
    let capture = config.at("DataCaptureConfig");
    rows.add(capture.at("DestinationS3Uri"), place.at("capture").at("s3"));
    rows.add(capture, place.at("capture"));
    rows.add(config.at("KmsKeyId"), written("encryption"));
    rows.add("Endpoint/Properties/DeploymentConfig", written("rollout"));
    rows.add("Endpoint/Properties/EndpointName", place.at("name"));
    rows.add("ExecutionRole", written("role"));
    // Of alarms and scalers also where there are none: what says so is why one is removed.
    for id in servings.iter().flat_map(|serving| AlarmView::ids(serving.name)) {
        rows.add(Path::default().at(&id), written("alarms"));
    }
    for (at, (serving, model)) in servings.iter().zip(&view.models).enumerate() {
        rows.model(model, serving, place, &written);
        rows.variant(&config.at("ProductionVariants").item(at), serving, place, &written);
    }
    // Of several, the first stands for what replaces the whole configuration.
    if let Some(instance) = servings.iter().find_map(|serving| serving.chosen.place.clone()) {
        rows.add(config, instance);
    }
    for (path, place) in of_mode {
        rows.add(path, place);
    }
    rows.0
}

#[derive(Default)]
struct Rows(BTreeMap<Path, ManifestField>);

impl Rows {
    fn add(&mut self, path: impl Into<Path>, place: FieldPlace<'_>) {
        self.0.insert(path.into(), place.field());
    }

    fn model<'a>(
        &mut self,
        ModelView { id, .. }: &ModelView,
        serving: &Serving<'a>,
        endpoint: &FieldPlace<'a>,
        written: &dyn Fn(&str) -> FieldPlace<'a>,
    ) {
        let place = &serving.served.place;
        let model = Path::default().at(id);
        let properties = model.at("Properties");
        let container = properties.at("PrimaryContainer");
        self.add(model, place.clone());
        self.add(container.at("ModelDataSource"), place.at("s3"));
        self.add(properties.at("VpcConfig"), written("network"));
        self.add(properties.at("EnableNetworkIsolation"), endpoint.at("network").at("isolated"));
        if place.exists("image") {
            self.add(container.at("Image"), place.at("image"));
        }
        let flags = serving.served.engine.flags.as_ref();
        for (flag, flags) in serving.served.spec.args.keys().zip(flags.into_iter().cycle()) {
            self.add(container.at("Environment").at(&flags.variable(flag)), place.at("args").at(flag));
        }
        for name in serving.served.spec.env.keys() {
            self.add(container.at("Environment").at(name), place.at("env").at(name));
        }
    }

    fn variant<'a>(
        &mut self,
        variant: &Path,
        serving: &Serving<'a>,
        endpoint: &FieldPlace<'a>,
        written: &dyn Fn(&str) -> FieldPlace<'a>,
    ) {
        let timeouts = written("timeouts");
        self.add(variant.at("RoutingConfig"), endpoint.at("routing"));
        self.add(variant.at("ContainerStartupHealthCheckTimeoutInSeconds"), timeouts.at("startup"));
        self.add(variant.at("ModelDataDownloadTimeoutInSeconds"), timeouts.at("download"));
        self.add(variant.at("VariantInstanceProvisionTimeoutInSeconds"), timeouts.at("provision"));
        if let Some(instance) = &serving.chosen.place {
            self.add(variant.at("InstanceType"), instance.clone());
        }
        let Some(count) = &serving.count_place else { return };
        self.add(variant.at("InitialInstanceCount"), count.clone());
        let [target, policy] = ScalerView::ids(serving.name).map(|id| Path::default().at(&id));
        let properties = target.at("Properties");
        self.add(target, count.clone());
        self.add(properties.at("MinCapacity"), count.at("min"));
        self.add(properties.at("MaxCapacity"), count.at("max"));
        self.add(properties.at("ScheduledActions"), count.at("schedules"));
        self.add(policy, count.at("target"));
    }
}
