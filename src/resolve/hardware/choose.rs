//! The instance where none is named: of those known to hold the model the cheapest, and of those without a price the
//! smallest.

use super::Chosen;
use crate::{
    catalog::{Instance, Price},
    diagnostic::{Code, Diagnostic},
    resolve::{
        LockedModel, Resolver,
        chooser::{ChoiceKind, Chooser, Fresh},
        engine::Sizing,
        model::Served,
        pinned,
        references::FieldPlace,
        sizing::{self, Devices, FitVerdict, MissingFact, Needs},
    },
    service::is_burstable,
};

/// A candidate with its price.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::resolve) struct Ranked {
    name: String,
    price: Price,
    memory_mib: Option<u64>,
}

/// The best by price of those known to hold the model.
pub(super) fn choose<'a>(
    context: &mut Resolver<'a>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    volume: Option<(u64, FieldPlace<'a>)>,
) -> Option<Chosen<'a>> {
    if served.engine.sizing == Sizing::None {
        let what = if served.engine.is_in_image() { "your own image" } else { "its engine" };
        let message = format!("no instance type is set, and hubform cannot choose one for {what}");
        let help = "set `hardware: {instances: [ml.…]}`";
        let place = served.place.at("engine");
        context.report(Diagnostic::new(Code::InstanceMissing, message).at(place.span()).help(help));
        return None;
    }
    let Some(model) = &served.facts else {
        let message =
            format!("no instance type is set, and hubform does not know the size of `{}`", served.weights.name());
        let help = "set `hardware: {instances: [ml.…]}`";
        let place = served.place.at(if served.spec.hub.is_some() { "hub" } else { "s3" });
        context.report(Diagnostic::new(Code::InstanceMissing, message).at(place.span()).help(help));
        return None;
    };
    let spec = &served.spec;
    chooser.know("tensor-parallel", spec.tensor_parallel);
    chooser.know("context", spec.context);
    chooser.know("quantization", spec.quantization.clone());
    let (catalog, region) = (context.catalog, context.region());
    let offered = format!("an instance type that hosts endpoints in {region}");
    let offered = pinned::text(&offered, |name| catalog.hosts_endpoints(name, region));
    let name = chooser.choose(context, ChoiceKind::INSTANCE, offered, |context| best(context, served, model));
    let name = name.and_then(|name| name.text().map(str::to_owned));
    if name.is_none() {
        nothing_chosen(context, served, model);
    }
    let name = name?;
    let facts = context.catalog.instance(&name);
    Some(Chosen { facts, name, place: None, tensor_parallel: None, context: None, volume })
}

fn nothing_chosen(context: &mut Resolver<'_>, served: &Served<'_>, model: &LockedModel) {
    let name = served.weights.name();
    let (code, message, help) = match unknown(served, model) {
        Some(unknown) => (
            Code::InstanceMissing,
            format!(
                "no instance type is set, and hubform cannot choose one for `{name}`: {} is unknown",
                unknown.words()
            ),
            match unknown {
                MissingFact::Positions => "set `context`, or `hardware: {instances: [ml.…]}`",
                _ => "set `hardware: {instances: [ml.…]}`",
            },
        ),
        None => (
            Code::NothingFits,
            format!("no instance type in {} is known to fit `{name}`", context.region()),
            "set an instance type in `hardware`, or deploy to another Region",
        ),
    };
    context.report(Diagnostic::new(code, message).at(served.place.span()).help(help));
}

/// What is not known of the model, so that no instance can be chosen for it.
fn unknown(served: &Served<'_>, model: &LockedModel) -> Option<MissingFact> {
    match served.engine.sizing {
        Sizing::Decoder => {
            let needs = Needs::of(model, &served.spec);
            let open = needs.positions().is_none() && served.spec.context.is_none();
            needs.unknown().or(open.then_some(MissingFact::Positions))
        }
        Sizing::Encoder | Sizing::None => model.parameters.is_none().then_some(MissingFact::Weights),
    }
}

fn best(context: &mut Resolver<'_>, served: &Served<'_>, model: &LockedModel) -> Option<Fresh> {
    let spec = &served.spec;
    let said = (spec.tensor_parallel, spec.context, &spec.quantization);
    let key = format!("{} {} {said:?}", served.weights.name(), served.engine);
    if !context.ranked.contains_key(&key) {
        let ranked = rank(context, served, model);
        context.ranked.insert(key.clone(), ranked);
    }
    let ranked = context.ranked.get(&key)?;
    let reason = why(ranked, context.region())?;
    Some(Fresh::new(ranked.first()?.name.clone(), reason))
}

/// Why the first is chosen. What has no price might be cheaper, unless it is larger.
fn why(ranked: &[Ranked], region: &str) -> Option<String> {
    let first = ranked.first()?;
    if first.price == Price::Unknown {
        return Some(format!("smallest in {region} that fits the model by estimate; none of them has a known price"));
    }
    let price = price_text(&first.price);
    let unpriced = |other: &&Ranked| other.price == Price::Unknown && other.memory_mib <= first.memory_mib;
    let others = match ranked.iter().filter(unpriced).count() {
        0 => String::new(),
        1 => "; 1 of that size has no known price".to_owned(),
        count => format!("; {count} of that size have no known price"),
    };
    Some(format!("cheapest in {region} that fits the model by estimate; {price}{others}"))
}

/// The best instance for the model in words, where one is known to hold it.
pub(in crate::resolve) fn offer(context: &Resolver<'_>, served: &Served<'_>) -> Option<String> {
    let ranked = rank(context, served, served.facts.as_ref()?);
    let first = ranked.first()?;
    let price = price_text(&first.price);
    let best = if first.price == Price::Unknown { "smallest" } else { "cheapest" };
    Some(format!("`{}` is the {best} that fits it ({price})", first.name))
}

fn rank(context: &Resolver<'_>, served: &Served<'_>, model: &LockedModel) -> Vec<Ranked> {
    let (catalog, region) = (context.catalog, context.region());
    let mut candidates: Vec<_> = catalog
        .instances()
        .filter(|instance| {
            instance.endpoint_usable && instance.current_generation == Some(true) && !is_burstable(&instance.family)
        })
        .filter(|instance| suits(instance, served, model))
        .filter_map(|instance| instance.sagemaker.clone().map(|name| (instance, name)))
        .filter(|(_, name)| catalog.hosts_endpoints(name, region))
        .map(|(instance, name)| Ranked {
            price: catalog.sagemaker_price(&name, region),
            name,
            memory_mib: instance.memory_mib,
        })
        .collect();
    // What has no price comes last.
    candidates.sort_by(|a, b| {
        let price = |ranked: &Ranked| ranked.price.usd_per_hour().unwrap_or(f64::INFINITY);
        let memory = |ranked: &Ranked| ranked.memory_mib.unwrap_or(u64::MAX);
        price(a).total_cmp(&price(b)).then(memory(a).cmp(&memory(b))).then_with(|| a.name.cmp(&b.name))
    });
    candidates
}

/// Is the instance known to hold the model? What is not known of either does not suit.
fn suits(instance: &Instance, served: &Served<'_>, model: &LockedModel) -> bool {
    let devices = instance.accelerator.as_ref().and_then(Devices::of);
    served.engine.takes(instance)
        && match (served.engine.sizing, &instance.accelerator) {
            (Sizing::Decoder, Some(_)) => devices.is_some_and(|devices| hold_decoder(devices, served, model)),
            (Sizing::Encoder, Some(_)) => devices.is_some_and(|devices| hold_encoder(devices, model)),
            (Sizing::Encoder, None) => at_most(sizing::cpu_memory(model), instance.memory_mib.map(|mib| mib << 20)),
            (Sizing::Decoder, None) | (Sizing::None, _) => false,
        }
}

fn hold_encoder(devices: Devices, model: &LockedModel) -> bool {
    devices.count == 1 && at_most(sizing::single_device_memory(model), Some(devices.memory_each))
}

fn hold_decoder(devices: Devices, served: &Served<'_>, model: &LockedModel) -> bool {
    let (needs, spec) = (Needs::of(model, &served.spec), &served.spec);
    let degree = spec.tensor_parallel.unwrap_or(devices.count);
    unknown(served, model).is_none()
        && degree <= devices.count
        && needs.judge(devices, degree) == FitVerdict::Fits
        && at_most(spec.context.or(Some(0)), needs.longest_context(devices, degree))
}

fn at_most(needs: Option<u64>, has: Option<u64>) -> bool {
    needs.zip(has).is_some_and(|(needs, has)| needs <= has)
}

/// A price in words, with what it rests on.
fn price_text(price: &Price) -> String {
    match price {
        Price::Listed { usd_per_hour, observed, .. } => {
            let seen = observed.as_deref().map(|day| format!(", seen {day}")).unwrap_or_default();
            format!("{usd_per_hour} USD/h{seen}")
        }
        Price::Estimated { usd_per_hour, .. } => format!("about {usd_per_hour:.2} USD/h, estimated from EC2's price"),
        Price::Unknown => "price unknown".to_owned(),
    }
}
