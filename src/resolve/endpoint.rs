//! An `Endpoint` in mode realtime: one model on instances of one type, put together from its parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Context, DesiredStack, EndpointCheck, Field, NamedRole, ParameterValue,
    access::{Access, Bucket, Grant},
    alarms,
    chooser::{Chooser, Fresh, What},
    container,
    hardware::{self, Chosen},
    hatch,
    image::{self, Container},
    judge,
    model::{self, Served, Weights},
    pinned,
    references::{Place, find, inherited},
    role, rollout, scaling, settings,
};
use crate::{
    cloud::StackRef,
    diagnostic::{Code, Diagnostic, Path},
    manifest::{
        Capture, CaptureContent, Document, Duration, Endpoint, Engine, Kind, Reference, Role, Routing, RoutingStrategy,
        Setting, Size, Timeouts,
    },
};

/// Seconds that SageMaker waits for a container, as in the schema of `timeouts`.
const STARTUP: std::ops::RangeInclusive<u64> = 60..=3600;
/// GiB that a volume may have, as in the schema of `hardware`.
const VOLUME: std::ops::RangeInclusive<u64> = 1..=512;

/// An endpoint's stack, and what it asks of others.
pub(super) struct Resolved {
    pub(super) stack: DesiredStack,
    /// The `Role` manifest it names, and what it needs of it.
    pub(super) shared: Option<(String, Access)>,
    pub(super) named_role: Option<NamedRole>,
}

/// The parts that most of the others look at.
struct Parts<'a> {
    served: Served<'a>,
    chosen: Chosen<'a>,
    container: Container,
    fit: Option<hardware::Fit>,
    endpoint_name: String,
    count: scaling::Count,
    count_place: Option<Place<'a>>,
}

/// Resolves an endpoint; nothing, with findings, where it cannot be.
pub(super) fn resolve<'a>(context: &mut Context<'a>, document: &'a Document, spec: &'a Endpoint) -> Option<Resolved> {
    let place = Place::new(&document.origin, "/spec");
    let span = document.origin.span("/metadata/name");
    let mut chooser = Chooser::new(context, Kind::Endpoint.name(), &document.name, span);
    let resolved = with_chooser(context, &mut chooser, document, spec, &place);
    chooser.report_missing(context);
    let mut resolved = resolved?;
    resolved.stack.choices = chooser.choices;
    Some(resolved)
}

fn with_chooser<'a>(
    context: &mut Context<'a>,
    chooser: &mut Chooser,
    document: &'a Document,
    spec: &'a Endpoint,
    place: &Place<'a>,
) -> Option<Resolved> {
    let parts = parts(context, chooser, document, spec, place);
    if parts.is_none() {
        check_role(context, spec, place);
    }
    let parts = parts?;
    let network = settings::network(context, spec.network.as_ref(), place.at("network"));
    refuse_isolated_hub(context, &parts, network.isolated, place);
    let key = settings::key(context, spec.encryption.as_ref(), place.at("encryption"));
    let capture =
        spec.capture.as_ref().map(|capture| capture_values(context, capture, key.as_ref(), &place.at("capture")));
    let access = access(&parts, key.as_ref(), capture.as_ref(), network.vpc.is_some());
    let owner = role_owner(context, spec, access, place)?;

    let alarms =
        alarms::resolve(context, default_of(context, spec.alarms.as_ref(), place, "alarms"), &parts.endpoint_name);
    let wanted = default_of(context, spec.rollout.as_ref(), place, "rollout");
    let own = alarms.as_ref().map_or(0, |alarms| 1 + usize::from(!alarms["latency"].is_null()));
    let heir = spec.rollout.is_none().then_some(document);
    let rollout = rollout::resolve(context, wanted, heir, &parts.chosen, parts.count.min, own)?;
    let variant = variant(context, chooser, &parts, spec, place);
    if parts.served.engine == Engine::Vllm
        && parts.served.spec.dtype.is_none()
        && let Some(dtype) = container::half_where_needed(&parts.served, &parts.chosen)
    {
        chooser.settle("dtype", &dtype, format!("the GPU of `{}` has no bfloat16", parts.chosen.name));
    }
    if key.is_some() && has_local_disk(&parts.chosen) {
        let reason = format!("`{}` has local disks, which a key does not reach", parts.chosen.name);
        chooser.settle("volume key", "none", reason);
    }

    let environment = context.scope.set.environment.name.clone();
    let watched = alarms.is_some() || rollout["alarms"].as_array().is_some_and(|names| !names.is_empty());
    let mut values = json!({
        "description": format!("Endpoint {} of environment {environment}, made by hubform.", document.name),
        "endpoint_name": parts.endpoint_name,
        "role": owner.values,
        "model": model_values(context, &parts, &network, document),
        "variant": variant,
        "rollout": rollout,
        "watched": watched,
    });
    let mut put = |name: &str, value: Option<Value>| value.map(|value| values[name] = value);
    put("alarms", alarms);
    put("capture", capture);
    put("scaling", parts.count.scaler.clone());
    put("kms_key", key.filter(|_| !has_local_disk(&parts.chosen)).map(|(key, _)| key));

    let (role_arn, notification_arns) = settings::service(context);
    let stack = DesiredStack {
        stack: context.stack(Kind::Endpoint, &document.name),
        owner: context.owner(),
        kind: Kind::Endpoint.name().to_owned(),
        name: document.name.clone(),
        template: "endpoint.yaml.tera",
        values,
        parameters: owner.parameters,
        tags: settings::tags(context, document),
        role_arn,
        notification_arns,
        protect: context.scope.set.environment.protect,
        needs: owner.needs,
        endpoint: Some(EndpointCheck {
            endpoint: parts.endpoint_name.clone(),
            config_output: "EndpointConfigName".to_owned(),
        }),
        choices: Vec::new(),
        hatch: hatch::resolve(document, &spec.overrides, &spec.resources, &spec.outputs),
        origins: origins(context, &parts, place),
        fetched: Arc::default(),
        span: document.origin.span("/metadata/name"),
        environment,
    };
    Some(Resolved { stack, shared: owner.shared, named_role: owner.named })
}

fn parts<'a>(
    context: &mut Context<'a>,
    chooser: &mut Chooser,
    document: &'a Document,
    spec: &'a Endpoint,
    place: &Place<'a>,
) -> Option<Parts<'a>> {
    let own = spec.hardware.as_ref().map(|reference| (reference, place.at("hardware")));
    let hardware = hardware::wanted(context, own);
    let names_instance =
        hardware.as_ref().is_none_or(|found| found.as_ref().is_some_and(|found| found.spec.instances.is_some()));
    let own = spec.scaling.as_ref().map(|reference| (reference, place.at("scaling")));
    let scaling = scaling::wanted(context, own);
    let served = model::resolve(context, chooser, spec.model.as_ref()?, place.at("model"), names_instance);
    let (hardware, scaling, served) = (hardware?, scaling?, served?);
    let chosen = hardware::resolve(context, chooser, hardware, &served)?;
    chooser.know("instance", chosen.name.as_str());
    let container = image::resolve(context, chooser, &served, &chosen)?;
    let fit = match served.engine {
        Engine::Vllm => Some(hardware::fit(context, chooser, &served, &chosen)?),
        _ => {
            judge::encoder(context, &served, &chosen)?;
            None
        }
    };
    let endpoint_name = endpoint_name(context, document, spec);
    let (count, count_place) = scaling::resolve(context, chooser, scaling, &chosen, &endpoint_name)?;
    Some(Parts { served, chosen, container, fit, endpoint_name, count, count_place })
}

fn endpoint_name(context: &Context<'_>, document: &Document, spec: &Endpoint) -> String {
    spec.name.clone().unwrap_or_else(|| context.stack(Kind::Endpoint, &document.name).name)
}

/// Finds a role that dangles where the rest is not worth resolving.
fn check_role<'a>(context: &mut Context<'a>, spec: &'a Endpoint, place: &Place<'a>) {
    if let Some((Setting::On(reference @ Reference::Name(_)), place)) =
        default_of(context, spec.role.as_ref(), place, "role")
    {
        find(context, reference, place);
    }
}

/// A setting of the endpoint, else the environment's default for it, with its place.
fn default_of<'a, T: Inherited>(
    context: &Context<'a>,
    own: Option<&'a T>,
    place: &Place<'a>,
    field: &str,
) -> Option<(&'a T, Place<'a>)> {
    if let Some(own) = own {
        return Some((own, place.at(field)));
    }
    inherited(context, field, T::of)
}

/// A setting that an Environment's `defaults` may give.
trait Inherited {
    fn of(defaults: &crate::manifest::Defaults) -> Option<&Self>;
}

macro_rules! inherited {
    ($($type:ty = $field:ident,)*) => {$(
        impl Inherited for $type {
            fn of(defaults: &crate::manifest::Defaults) -> Option<&Self> {
                defaults.$field.as_ref()
            }
        }
    )*};
}

inherited! {
    crate::manifest::Rollout = rollout,
    Setting<crate::manifest::Alarms> = alarms,
    Setting<Reference<Role>> = role,
    Timeouts = timeouts,
}

fn refuse_isolated_hub(context: &mut Context<'_>, parts: &Parts<'_>, isolated: bool, place: &Place<'_>) {
    if isolated && matches!(parts.served.weights, Weights::Hub { .. }) {
        let message = "an isolated container has no way to the Hub, and its model is there";
        let help = "copy the weights to S3 and say `s3:`, or leave `isolated` out";
        let span = place.at("network").at("isolated").span();
        context.report(Diagnostic::new(Code::IsolatedHub, message).at(span).help(help));
    }
}

fn has_local_disk(chosen: &Chosen<'_>) -> bool {
    local_disk(chosen) == Some(true)
}

/// None where nobody says.
fn local_disk(chosen: &Chosen<'_>) -> Option<bool> {
    chosen.facts.and_then(|instance| instance.local_nvme_gb).map(|size| size > 0)
}

fn capture_values(
    context: &mut Context<'_>,
    capture: &Capture,
    key: Option<&(Value, Value)>,
    place: &Place<'_>,
) -> Value {
    let content = capture.content.clone().unwrap_or_else(|| vec![CaptureContent::Input, CaptureContent::Output]);
    let modes: BTreeSet<_> = content
        .iter()
        .map(|side| match side {
            CaptureContent::Input => "Input",
            CaptureContent::Output => "Output",
        })
        .collect();
    let mut values = json!({
        "percent": capture.percent.0.round() as u32,
        "uri": context.substituted(&capture.s3, &place.at("s3")),
        "modes": modes,
    });
    if let Some((key, _)) = key {
        values["kms_key"] = key.clone();
    }
    if let Some(types) = &capture.types {
        let mut header = json!({});
        let mut put = |name: &str, list: &[String]| {
            if !list.is_empty() {
                header[name] = json!(list);
            }
        };
        put("CsvContentTypes", &types.csv);
        put("JsonContentTypes", &types.json);
        if header.as_object().is_some_and(|header| !header.is_empty()) {
            values["types"] = header;
        }
    }
    values
}

fn access(parts: &Parts<'_>, key: Option<&(Value, Value)>, capture: Option<&Value>, network: bool) -> Access {
    let mut access = Access { network, ..Access::default() };
    access.repositories.extend(parts.container.repository.clone());
    let from_s3 = match &parts.served.weights {
        Weights::S3 { bucket, archive, .. } => access.reads.insert(Grant::to_read(bucket, *archive)),
        Weights::Hub { .. } => false,
    };
    let written = capture.and_then(|capture| capture["uri"].as_str()).and_then(Bucket::parse);
    access.writes.extend(written.map(|bucket| Grant::to_write(&bucket)));
    if let Some((_, arn)) = key.filter(|_| from_s3 || capture.is_some() || !has_local_disk(&parts.chosen)) {
        access.add_key(arn.clone());
    }
    access
}

/// Who owns the execution role, and how the template reaches it.
struct Owner {
    values: Value,
    parameters: BTreeMap<String, ParameterValue>,
    needs: BTreeSet<StackRef>,
    shared: Option<(String, Access)>,
    named: Option<NamedRole>,
}

fn role_owner<'a>(context: &mut Context<'a>, spec: &'a Endpoint, access: Access, place: &Place<'a>) -> Option<Owner> {
    let mut owner =
        Owner { values: Value::Null, parameters: BTreeMap::new(), needs: BTreeSet::new(), shared: None, named: None };
    let wanted = default_of(context, spec.role.as_ref(), place, "role");
    let (own, place) = match wanted {
        Some((Setting::On(Reference::Arn(arn)), place)) => {
            let arn = context.substituted(arn, &place);
            let target = context.scope.target.clone();
            owner.named = Some(NamedRole { target, arn: arn.clone(), span: place.span() });
            owner.values = json!({ "arn": arn });
            return Some(owner);
        }
        Some((Setting::On(reference), place)) => (Some(reference), place),
        _ => (None, place.clone()),
    };
    let spec = match own {
        Some(Reference::Name(name)) => {
            find(context, own?, place)?;
            let stack = context.stack(Kind::Role, name);
            owner.values = json!({ "parameter": true, "arn": { "Ref": "RoleArn" } });
            owner.needs.insert(stack.clone());
            owner.parameters.insert("RoleArn".to_owned(), ParameterValue::Output { stack, key: "RoleArn".to_owned() });
            owner.shared = Some((name.clone(), access));
            return Some(owner);
        }
        Some(Reference::Inline(role)) => (**role).clone(),
        _ => Role::default(),
    };
    let values = role::values(context, &spec, &access, &place);
    owner.values = json!({ "access": values, "arn": { "Fn::GetAtt": ["ExecutionRole", "Arn"] } });
    Some(owner)
}

fn model_values(
    context: &mut Context<'_>,
    parts: &Parts<'_>,
    network: &settings::Placed,
    document: &Document,
) -> Value {
    let environment = container::environment(context, &parts.served, &parts.chosen, parts.fit.as_ref());
    check_environment(context, &environment, document);
    let mut values = json!({
        "image": parts.container.uri,
        "environment": environment,
        "isolated": network.isolated,
    });
    if let Some(vpc) = &network.vpc {
        values["vpc"] = vpc.clone();
    }
    if let Weights::S3 { uri, archive, .. } = &parts.served.weights {
        values["location"] = uri.clone().into();
        values["data"] = match archive {
            true => json!({ "uri": uri, "type": "S3Object", "compression": "Gzip" }),
            false => json!({ "uri": uri, "type": "S3Prefix", "compression": "None" }),
        };
    }
    values
}

/// Limits of a container's environment: 100 variables, 1,024 bytes each, 32 KiB together.
fn check_environment(context: &mut Context<'_>, variables: &BTreeMap<String, String>, document: &Document) {
    let total: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    let long = variables.iter().find(|(name, value)| name.len() > 1024 || value.len() > 1024);
    let problem = match long {
        Some((name, _)) => format!("`{name}` is longer than 1,024 bytes"),
        None if variables.len() > 100 => format!("{} variables are more than 100", variables.len()),
        None if total > 32 * 1024 => format!("{total} bytes are more than 32 KiB"),
        None => return,
    };
    let message = format!("SageMaker does not take this container's environment: {problem}");
    let span = document.origin.span("/spec/model");
    context.report(Diagnostic::new(Code::EnvironmentTooLarge, message).at(span));
}

fn variant(
    context: &mut Context<'_>,
    chooser: &mut Chooser,
    parts: &Parts<'_>,
    spec: &Endpoint,
    place: &Place<'_>,
) -> Value {
    let timeouts = default_of(context, spec.timeouts.as_ref(), place, "timeouts").map(|(t, _)| *t).unwrap_or_default();
    let startup = match timeouts.startup {
        Some(startup) => startup.0,
        None => startup_timeout(context, chooser, parts),
    };
    let mut values = json!({
        "instance": parts.chosen.name,
        "count": parts.count.initial,
        "startup_timeout": startup,
    });
    let mut put = |name: &str, value: Option<Value>| value.map(|value| values[name] = value);
    put("ami", parts.container.ami.clone().map(Value::from));
    put("provision_timeout", timeouts.provision.map(|wait| wait.0.into()));
    put("routing", spec.routing.as_ref().map(routing));
    if matches!(parts.served.weights, Weights::S3 { .. }) {
        put("download_timeout", Some(timeouts.download.map_or(startup, |wait| wait.0).into()));
    }
    put("volume", volume(context, chooser, parts).map(Value::from));
    values
}

/// From experience with these engines: an encoder is up in minutes, a large model takes most of an hour.
fn startup_timeout(context: &mut Context<'_>, chooser: &mut Chooser, parts: &Parts<'_>) -> u64 {
    let billions = parts.served.facts.as_ref().and_then(|facts| Some(facts.parameters? as f64 / 1e9));
    let (minutes, reason) = match (parts.served.engine, billions) {
        (Engine::Tei, _) => (10, "an encoder is up within minutes"),
        (_, Some(size)) if size <= 13.0 => (15, "enough to fetch and load up to 13 billion parameters"),
        (_, Some(size)) if size <= 70.0 => (30, "enough to fetch and load up to 70 billion parameters"),
        _ => (60, "the longest SageMaker waits; the model is large, or its size is not known"),
    };
    let today = Duration(minutes * 60);
    let bounds = pinned::time(STARTUP);
    let chosen =
        chooser.choose(context, What::STARTUP_TIMEOUT, bounds, |_| Some(Fresh::new(today.to_string(), reason)));
    chosen.and_then(|text| text.text()?.parse().ok()).unwrap_or(today).0
}

fn volume(context: &mut Context<'_>, chooser: &mut Chooser, parts: &Parts<'_>) -> Option<u64> {
    if let Some((size, place)) = &parts.chosen.volume {
        if has_local_disk(&parts.chosen) {
            let message = format!("`{}` has local disks, and SageMaker gives it no volume", parts.chosen.name);
            let help = "leave `volume` out";
            context.report(Diagnostic::new(Code::VolumeOnLocalDisk, message).at(place.span()).help(help));
        }
        return Some(*size);
    }
    if local_disk(&parts.chosen) != Some(false) {
        return None;
    }
    let gib = parts.served.facts.as_ref()?.weight_bytes? >> 30;
    if gib < 10 {
        return None;
    }
    let today = Size((gib * 2 + 30).min(512) << 30);
    let chosen = chooser.choose(context, What::VOLUME, pinned::size(VOLUME), |_| {
        Some(Fresh::new(today.to_string(), "twice the weights, and 30 GiB for the image"))
    });
    Some(chosen.and_then(|text| text.text()?.parse().ok()).unwrap_or(today).0 >> 30)
}

fn routing(routing: &Routing) -> Value {
    match routing {
        Routing::Strategy(RoutingStrategy::Random) => json!({ "RoutingStrategy": "RANDOM" }),
        Routing::Strategy(RoutingStrategy::LeastOutstanding) => {
            json!({ "RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS" })
        }
        Routing::PrefixAware(prefix) => json!({
            "RoutingStrategy": "PREFIX_AWARE",
            "PrefixAwareRoutingConfig": {
                "PrefixLength": prefix.prefix_length,
                "ConcurrencyThreshold": prefix.concurrency_threshold,
            },
        }),
    }
}

/// Which field each property comes from.
fn origins<'a>(context: &Context<'a>, parts: &Parts<'_>, place: &Place<'a>) -> BTreeMap<Path, Field> {
    let written = |field: &str| settings::written(context, place, field);
    let config = "EndpointConfig/Properties";
    let variant = format!("{config}/ProductionVariants/0");
    let model = &parts.served.place;
    let mut rows = vec![
        ("Model".to_owned(), model.clone()),
        ("Model/Properties/PrimaryContainer/ModelDataSource".to_owned(), model.at("s3")),
        ("Model/Properties/VpcConfig".to_owned(), written("network")),
        ("Model/Properties/EnableNetworkIsolation".to_owned(), place.at("network").at("isolated")),
        (format!("{config}/DataCaptureConfig"), place.at("capture")),
        (format!("{config}/DataCaptureConfig/DestinationS3Uri"), place.at("capture").at("s3")),
        (format!("{config}/KmsKeyId"), written("encryption")),
        (format!("{variant}/RoutingConfig"), place.at("routing")),
        (format!("{variant}/ContainerStartupHealthCheckTimeoutInSeconds"), written("timeouts").at("startup")),
        (format!("{variant}/ModelDataDownloadTimeoutInSeconds"), written("timeouts").at("download")),
        (format!("{variant}/VariantInstanceProvisionTimeoutInSeconds"), written("timeouts").at("provision")),
        ("Endpoint/Properties/DeploymentConfig".to_owned(), written("rollout")),
        ("Endpoint/Properties/EndpointName".to_owned(), place.at("name")),
        ("ErrorAlarm".to_owned(), written("alarms")),
        ("LatencyAlarm".to_owned(), written("alarms")),
        ("ExecutionRole".to_owned(), written("role")),
    ];
    if model.exists("image") {
        rows.push(("Model/Properties/PrimaryContainer/Image".to_owned(), model.at("image")));
    }
    for name in parts.served.spec.env.keys() {
        rows.push((format!("Model/Properties/PrimaryContainer/Environment/{name}"), model.at("env").at(name)));
    }
    if let Some(instance) = &parts.chosen.place {
        rows.push((format!("{variant}/InstanceType"), instance.clone()));
        rows.push((config.to_owned(), instance.clone()));
    }
    if let Some(count) = &parts.count_place {
        rows.extend([
            (format!("{variant}/InitialInstanceCount"), count.clone()),
            ("ScalableTarget".to_owned(), count.clone()),
            ("ScalableTarget/Properties/MinCapacity".to_owned(), count.at("min")),
            ("ScalableTarget/Properties/MaxCapacity".to_owned(), count.at("max")),
            ("ScalableTarget/Properties/ScheduledActions".to_owned(), count.at("schedules")),
            ("TrackingPolicy".to_owned(), count.at("target")),
        ]);
    }
    rows.into_iter().map(|(path, place)| (Path::read(&path), place.field())).collect()
}
