//! An `Endpoint`: its shape is checked, each serving is decided, and both become the view of its stack.
//!
//! One file per part, and in `mode` one per mode. What a part needs of another stack or of the world (a shared role, a
//! named one) is handed up.

mod alarms;
mod capture;
mod mode;
mod model;
mod origins;
mod rollout;
mod variant;

use std::sync::Arc;

use super::{
    Check, DesiredStack, Envelope, ResolvedStack, Resolver,
    access::{Access, Grant, Need, S3Prefix},
    arguments,
    chooser::Chooser,
    execution_role, hatch,
    model::Weights,
    references::{FieldPlace, default_of},
    serving::{self, Serving, ServingSpec},
    settings::{self, EncryptionKey, Placed},
    view::{AlarmView, CaptureView, EndpointView, RolloutView, View},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Document, Endpoint, Kind},
};

use mode::{Common, EndpointShape};

/// Resolves an endpoint; nothing, with findings, where it cannot be.
pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    document: &'a Document,
    spec: &'a Endpoint,
) -> Option<ResolvedStack> {
    let place = FieldPlace::new(&document.origin, "/spec");
    let mut shape = EndpointShape::of(context, spec, &place)?;
    let wanted = std::mem::take(&mut shape.servings);
    let mut choosers: Vec<_> = wanted.iter().map(|wanted| chooser(context, document, wanted)).collect();
    let servings: Vec<_> = wanted
        .into_iter()
        .zip(&mut choosers)
        .map(|(wanted, chooser)| serving::resolve(context, chooser, wanted))
        .collect();
    let made = match servings.into_iter().collect::<Option<Vec<_>>>() {
        Some(servings) => build(context, (document, spec, &place), shape, &servings, &mut choosers),
        None => {
            execution_role::check(context, spec.role.as_ref(), &place);
            None
        }
    };
    choosers.iter().for_each(|chooser| chooser.report_missing(context));
    let mut made = made?;
    made.stack.envelope.choices = choosers.into_iter().flat_map(|chooser| chooser.choices).collect();
    Some(made)
}

fn chooser(context: &Resolver<'_>, document: &Document, wanted: &ServingSpec<'_>) -> Chooser {
    let span = document.origin.span("/metadata/name");
    Chooser::new(context, (Kind::Endpoint, &document.name), wanted.name, span)
}

/// What endpoints have apart from what they serve.
struct Parts {
    name: String,
    network: Placed,
    key: Option<EncryptionKey>,
    capture: Option<CaptureView>,
    role: execution_role::RoleSource,
    alarms: Vec<AlarmView>,
    rollout: Option<RolloutView>,
}

fn parts<'a>(
    context: &mut Resolver<'a>,
    (document, spec, place): (&'a Document, &'a Endpoint, &FieldPlace<'a>),
    shape: &EndpointShape<'a>,
    servings: &[Serving<'a>],
) -> Option<Parts> {
    let name = spec.name.clone().unwrap_or_else(|| context.stack(Kind::Endpoint, &document.name).name);
    let network = match shape.has(Common::Network) {
        true => settings::network(context, spec.network.as_ref(), place.at("network")),
        false => Placed::default(),
    };
    refuse_isolated_hub(context, servings, network.isolated, place);
    warn_hub_through_vpc(context, servings, network.vpc.is_some() && !network.isolated);
    let key = settings::key(context, spec.encryption.as_ref(), place.at("encryption"));
    let capture = spec.capture.as_ref().filter(|_| shape.has(Common::Capture));
    let capture = capture.map(|capture| capture::resolve(context, capture, key.as_ref(), &place.at("capture")));
    let mut access = access(servings, key.as_ref(), capture.as_ref(), network.vpc.is_some());
    access.add(shape.needs.iter().cloned());
    let role = execution_role::resolve(context, spec.role.as_ref(), access, place)?;
    let mut alarms = Vec::new();
    if shape.has(Common::Alarms) {
        let wanted = default_of(context, spec.alarms.as_ref(), place, "alarms");
        alarms = alarms::resolve(context, wanted, &name, servings.iter().map(|serving| serving.name));
    }
    let mut rollout = None;
    if shape.has(Common::Rollout) {
        let wanted = default_of(context, spec.rollout.as_ref(), place, "rollout");
        let inherited_by = spec.rollout.is_none().then_some(document);
        rollout = Some(rollout::resolve(context, wanted, inherited_by, servings, alarms.len())?);
    }
    Some(Parts { name, network, key, capture, role, alarms, rollout })
}

/// Puts the stack together.
fn build<'a>(
    context: &mut Resolver<'a>,
    (document, spec, place): (&'a Document, &'a Endpoint, &FieldPlace<'a>),
    shape: EndpointShape<'a>,
    servings: &[Serving<'a>],
    choosers: &mut [Chooser],
) -> Option<ResolvedStack> {
    let parts = parts(context, (document, spec, place), &shape, servings)?;
    let key = parts.key.as_ref();
    let pairs = servings.iter().zip(choosers.iter_mut());
    let variants = pairs.map(|(serving, chooser)| variant::resolve(context, chooser, serving, key, (spec, place)));
    let variants = variants.collect();
    let models = servings.iter().map(|serving| model::resolve(context, serving, &parts.network, document)).collect();
    let view = EndpointView {
        description: context.description("Endpoint", document),
        endpoint_name: parts.name.clone(),
        role: parts.role.role,
        models,
        variants,
        scalers: servings.iter().filter_map(variant::scaler).collect(),
        alarms: parts.alarms,
        rollout: parts.rollout,
        capture: parts.capture,
        volume_key: parts.key.filter(|_| !servings.iter().any(has_local_disk)).map(|key| key.id),
        own: shape.own,
    };
    let stack = DesiredStack {
        identity: context.identity(document),
        envelope: Envelope {
            parameters: parts.role.parameters,
            needs: parts.role.needs,
            checks: vec![Check::runs(parts.name)],
            ..context.envelope(document)
        },
        hatch: hatch::resolve(document, &spec.overrides, &spec.resources, &spec.outputs),
        origins: origins::of(context, &view, servings, place, shape.origins),
        fetched: Arc::default(),
        span: document.origin.span("/metadata/name"),
        view: View::Endpoint(Box::new(view)),
    };
    Some(ResolvedStack { stack, shared: parts.role.shared, named_role: parts.role.named })
}

fn refuse_isolated_hub(context: &mut Resolver<'_>, servings: &[Serving<'_>], isolated: bool, place: &FieldPlace<'_>) {
    if isolated && servings.iter().any(|serving| matches!(serving.served.weights, Weights::Hub { .. })) {
        let message = "an isolated container cannot reach the Hub, where its model is";
        let help = "copy the weights to S3 and set `s3:`, or remove `isolated`";
        let span = place.at("network").at("isolated").span();
        context.report(Diagnostic::new(Code::IsolatedHub, message).at(span).help(help));
    }
}

/// With a VPC, a container has the ways of its subnets and no other ("Give SageMaker AI Hosted Endpoints Access to
/// Resources in Your Amazon VPC", SageMaker Developer Guide, D).
fn warn_hub_through_vpc(context: &mut Resolver<'_>, servings: &[Serving<'_>], in_vpc: bool) {
    for serving in servings.iter().filter(|serving| in_vpc && arguments::fetches_from_hub(serving)) {
        let message = "the container fetches its model from the Hub through the network's subnets";
        let help = "they need internet access, such as a NAT gateway; or copy the weights to S3 and set `s3:`";
        let span = serving.served.place.at("hub").span();
        context.report(Diagnostic::new(Code::HubThroughVpc, message).at(span).help(help));
    }
}

/// SageMaker accepts no key for volumes where an instance has disks of its own.
fn has_local_disk(serving: &Serving<'_>) -> bool {
    serving.local_disk() == Some(true)
}

fn access(
    servings: &[Serving<'_>],
    key: Option<&EncryptionKey>,
    capture: Option<&CaptureView>,
    network: bool,
) -> Access {
    let mut access = Access::of_sagemaker();
    for serving in servings {
        access.add(serving.container.repository.clone().map(Need::PullImage));
        if let Weights::S3 { bucket, archive, .. } = &serving.served.weights {
            access.add([Need::ReadS3(Grant::to_read(bucket, *archive))]);
        }
    }
    let written = capture.and_then(|capture| S3Prefix::parse(&capture.uri));
    access.add(written.map(|bucket| Need::WriteS3(Grant::to_write(&bucket))));
    let used = access.reads() || capture.is_some() || !servings.iter().any(has_local_disk);
    access.add(key.filter(|_| used).map(|key| Need::UseKey(key.arn.clone())));
    access.add(network.then_some(Need::JoinVpc));
    access
}
