//! What is paid for or written and changes nothing: devices beyond the one that an engine uses, fields that it does not read.

use super::Chosen;
use crate::{
    catalog::{Accelerator, Instance},
    diagnostic::{Code, Diagnostic},
    resolve::{Resolver, engine::TUNING, model::Served, references::FieldPlace},
};

/// Warns of both.
pub(in crate::resolve) fn warn(context: &mut Resolver<'_>, served: &Served<'_>, chosen: &Chosen<'_>) {
    fields(context, served, chosen);
    devices(context, served, chosen);
}

fn fields(context: &mut Resolver<'_>, served: &Served<'_>, chosen: &Chosen<'_>) {
    let spec = &served.spec;
    let said = |field: &str| match field {
        "context" => spec.context.is_some(),
        "dtype" => spec.dtype.is_some(),
        "quantization" => spec.quantization.is_some(),
        "tensorParallel" => spec.tensor_parallel.is_some(),
        _ => spec.trust_remote_code == Some(true),
    };
    let of_model = TUNING.into_iter().filter(|field| said(field)).map(|field| (field, served.place.at(field)));
    let of_instance = [("context", chosen.context.is_some()), ("tensorParallel", chosen.tensor_parallel.is_some())];
    let of_instance = of_instance.into_iter().filter(|(_, said)| *said);
    let of_instance = of_instance.filter_map(|(field, _)| Some((field, chosen.place.as_ref()?.at(field))));
    for (field, place) in of_model.chain(of_instance).filter(|(field, _)| !served.engine.uses(field)) {
        unused(context, served, field, &place);
    }
}

fn unused(context: &mut Resolver<'_>, served: &Served<'_>, field: &str, place: &FieldPlace<'_>) {
    let engine = served.engine;
    let message = format!("`{field}` has no effect: the engine `{engine}` does not use it");
    let help = match engine.is_in_image() {
        true => "remove it, and set in `env` what your image reads",
        false => "remove it",
    };
    context.report(Diagnostic::new(Code::UnusedField, message).at(place.span()).help(help));
}

fn devices(context: &mut Resolver<'_>, served: &Served<'_>, chosen: &Chosen<'_>) {
    let gpu = chosen.facts.and_then(|instance| instance.accelerator.as_ref()).filter(|gpu| gpu.count > 1);
    let Some(gpu) = gpu.filter(|_| served.engine.one_device) else { return };
    let message = format!("`{}` uses 1 of the {} devices of `{}`", served.engine, gpu.count, chosen.name);
    let single = single(context, gpu).map(|name| format!("`{name}` has one such device; "));
    let help = format!("{}use more instances if one device is too slow", single.unwrap_or_default());
    let place = chosen.place.as_ref().unwrap_or(&served.place);
    context.report(Diagnostic::new(Code::IdleDevices, message).at(place.span()).help(help));
}

/// The smallest instance in the Region with one such device, whole.
fn single(context: &Resolver<'_>, device: &Accelerator) -> Option<String> {
    let alone = |instance: &&Instance| {
        instance.endpoint_usable
            && instance.accelerator.as_ref().is_some_and(|gpu| {
                gpu.name == device.name && gpu.count == 1 && gpu.fraction.is_none_or(|share| share >= 1.0)
            })
    };
    let offered = |instance: &&Instance| {
        instance.sagemaker.as_deref().is_some_and(|name| context.catalog.hosts_endpoints(name, context.region()))
    };
    let all = context.catalog.instances().filter(alone).filter(offered);
    all.min_by_key(|instance| (instance.memory_mib, instance.vcpus))?.sagemaker.clone()
}
