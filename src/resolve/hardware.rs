//! Which instance: the one named, checked; or the smallest that fits, the cheapest first.

use super::{
    Context, LockedModel,
    chooser::{Chooser, Fresh, What},
    judge,
    model::Served,
    pinned,
    references::{Found, Place, find, inherited},
    sizing::{self, Devices, Needs, Unknown, Verdict},
};
use crate::{
    catalog::{Accelerator, AcceleratorKind, Arch, Instance, Price},
    diagnostic::{Code, Diagnostic},
    manifest::{Engine, Hardware, Reference},
};

/// The instance a model runs on.
pub(super) struct Chosen<'a> {
    /// In SageMaker's spelling.
    pub(super) name: String,
    pub(super) facts: Option<&'a Instance>,
    /// Where it was written; none where it was chosen.
    pub(super) place: Option<Place<'a>>,
    /// What the manifest says is different on this instance.
    pub(super) tensor_parallel: Option<u32>,
    pub(super) context: Option<u64>,
    /// In GiB.
    pub(super) volume: Option<(u64, Place<'a>)>,
}

/// A candidate with its price.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranked {
    name: String,
    price: Price,
    memory_mib: Option<u64>,
}

/// The `Hardware` of an endpoint, its own or the environment's, if any.
pub(super) fn wanted<'a>(
    context: &mut Context<'a>,
    own: Option<(&'a Reference<Hardware>, Place<'a>)>,
) -> Option<Option<Found<'a, Hardware>>> {
    let inherited = inherited(context, "hardware", |defaults| defaults.hardware.as_ref());
    match own.or(inherited) {
        Some((reference, place)) => find(context, reference, place).map(Some),
        None => Some(None),
    }
}

/// The named instance where there is one, else the best by price.
pub(super) fn resolve<'a>(
    context: &mut Context<'a>,
    chooser: &mut Chooser,
    wanted: Option<Found<'a, Hardware>>,
    served: &Served<'_>,
) -> Option<Chosen<'a>> {
    let volume = wanted.as_ref().and_then(|found| Some((found.spec.volume?.0 >> 30, found.place.at("volume"))));
    let named = wanted.as_ref().and_then(|found| Some((found.spec.instances.as_ref()?.first()?.clone(), found)));
    let Some((instance, found)) = named else {
        return choose(context, chooser, served, volume);
    };
    let place = if found.place.exists("instances") { found.place.at("instances").item(0) } else { found.place.clone() };
    check_offered(context, &instance.kind, &place)?;
    Some(Chosen {
        facts: context.catalog.instance(&instance.kind),
        name: instance.kind,
        place: Some(place),
        tensor_parallel: instance.tensor_parallel,
        context: instance.context,
        volume,
    })
}

fn check_offered(context: &mut Context<'_>, name: &str, place: &Place<'_>) -> Option<()> {
    let (catalog, region) = (context.catalog, context.region());
    if catalog.hosts_endpoints(name, region) {
        return Some(());
    }
    let retired = name.starts_with("ml.p2.") || name.starts_with("ml.p3.");
    let regions = catalog.endpoint_regions(name);
    let help = match (catalog.instance(name).is_some(), regions) {
        _ if retired => "p2 and p3 are retired; g5, g6 or p4d take their place".to_owned(),
        (false, _) => {
            let names = catalog.instances().filter_map(|instance| instance.sagemaker.as_deref());
            match crate::diagnostic::did_you_mean(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "there is no such instance type".to_owned(),
            }
        }
        (true, []) => "it is not available for endpoints in any Region".to_owned(),
        (true, regions) => format!("it is offered in {}", some_of(regions)),
    };
    let message =
        format!("`{name}` is not available for endpoints in {region}, by the price list of {}", catalog.collected());
    context.report(Diagnostic::new(Code::InstanceNotOffered, message).at(place.span()).help(help));
    None
}

fn some_of(regions: &[String]) -> String {
    match regions.len() {
        0..=6 => regions.join(", "),
        more => format!("{} and {} more Regions", regions[..5].join(", "), more - 5),
    }
}

fn choose<'a>(
    context: &mut Context<'a>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    volume: Option<(u64, Place<'a>)>,
) -> Option<Chosen<'a>> {
    if served.engine == Engine::Custom {
        let message = "no instance is named, and hubform cannot choose one for your own image";
        let help = "say `hardware: {instances: [ml.…]}`";
        let place = served.place.at("engine");
        context.report(Diagnostic::new(Code::InstanceMissing, message).at(place.span()).help(help));
        return None;
    }
    let Some(model) = &served.facts else {
        let message =
            format!("no instance is named, and hubform does not know the size of `{}`", served.weights.name());
        let help = "say `hardware: {instances: [ml.…]}`";
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
    let name = chooser.choose(context, What::INSTANCE, offered, |context| best(context, served, model));
    let name = name.and_then(|name| name.text().map(str::to_owned));
    if name.is_none() {
        nothing_chosen(context, served, model);
    }
    let name = name?;
    let facts = context.catalog.instance(&name);
    Some(Chosen { facts, name, place: None, tensor_parallel: None, context: None, volume })
}

fn nothing_chosen(context: &mut Context<'_>, served: &Served<'_>, model: &LockedModel) {
    let name = served.weights.name();
    let (code, message, help) = match unknown(served, model) {
        Some(unknown) => (
            Code::InstanceMissing,
            format!("no instance is named, and none is chosen for `{name}`: {} is not known", unknown.words()),
            match unknown {
                Unknown::Positions => "say `context`, or `hardware: {instances: [ml.…]}`",
                _ => "say `hardware: {instances: [ml.…]}`",
            },
        ),
        None => (
            Code::NothingFits,
            format!("nothing in {} is known to hold `{name}`", context.region()),
            "name an instance type in `hardware`, or deploy to another Region",
        ),
    };
    context.report(Diagnostic::new(code, message).at(served.place.span()).help(help));
}

/// What is not known of the model, so that no instance can be chosen for it.
fn unknown(served: &Served<'_>, model: &LockedModel) -> Option<Unknown> {
    match served.engine {
        Engine::Vllm => {
            let needs = Needs::of(model, &served.spec);
            let open = needs.positions().is_none() && served.spec.context.is_none();
            needs.unknown().or(open.then_some(Unknown::Positions))
        }
        _ => model.parameters.is_none().then_some(Unknown::Weights),
    }
}

fn best(context: &mut Context<'_>, served: &Served<'_>, model: &LockedModel) -> Option<Fresh> {
    let spec = &served.spec;
    let said = (spec.tensor_parallel, spec.context, &spec.quantization);
    let key = format!("{} {} {said:?}", served.weights.name(), engine_name(served.engine));
    if !context.ranked.contains_key(&key) {
        let ranked = rank(context, served, model);
        context.ranked.insert(key.clone(), ranked);
    }
    let ranked = context.ranked.get(&key)?;
    let reason = why(ranked, context.region())?;
    Some(Fresh::new(ranked.first()?.name.clone(), reason))
}

/// Why the first is taken. What has no price might be cheaper, unless it is larger.
fn why(ranked: &[Ranked], region: &str) -> Option<String> {
    let first = ranked.first()?;
    if first.price == Price::Unknown {
        return Some(format!(
            "smallest in {region} that holds the model by estimate; no price is known of any that does"
        ));
    }
    let price = price_text(&first.price);
    let unpriced = |other: &&Ranked| other.price == Price::Unknown && other.memory_mib <= first.memory_mib;
    let others = match ranked.iter().filter(unpriced).count() {
        0 => String::new(),
        1 => "; 1 as small has no known price".to_owned(),
        count => format!("; {count} as small have no known price"),
    };
    Some(format!("cheapest in {region} that holds the model by estimate; {price}{others}"))
}

/// The best instance for the model in words, where one is known to hold it.
pub(super) fn offer(context: &Context<'_>, served: &Served<'_>) -> Option<String> {
    let ranked = rank(context, served, served.facts.as_ref()?);
    let first = ranked.first()?;
    let price = price_text(&first.price);
    let best = if first.price == Price::Unknown { "smallest" } else { "cheapest" };
    Some(format!("`{}` is the {best} that holds it ({price})", first.name))
}

fn rank(context: &Context<'_>, served: &Served<'_>, model: &LockedModel) -> Vec<Ranked> {
    let (catalog, region) = (context.catalog, context.region());
    let mut candidates: Vec<_> = catalog
        .instances()
        .filter(|instance| {
            instance.endpoint_usable && instance.current_generation == Some(true) && instance.family != "t2"
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
    let at_most = |needs: Option<u64>, has: Option<u64>| needs.zip(has).is_some_and(|(needs, has)| needs <= has);
    match (served.engine, &instance.accelerator) {
        (Engine::Vllm, Some(gpu)) => {
            modern(gpu, (8, 0))
                && unknown(served, model).is_none()
                && devices(gpu).is_some_and(|devices| {
                    let (needs, spec) = (Needs::of(model, &served.spec), &served.spec);
                    let degree = spec.tensor_parallel.unwrap_or(devices.count);
                    degree <= devices.count
                        && needs.judge(devices, degree) == Verdict::Fits
                        && at_most(spec.context.or(Some(0)), needs.longest_context(devices, degree))
                })
        }
        (Engine::Tei | Engine::Transformers, None) => {
            instance.arch == Some(Arch::X86_64)
                && at_most(sizing::cpu_memory(model), instance.memory_mib.map(|mib| mib << 20))
        }
        (Engine::Tei, Some(gpu)) => {
            let fits = |devices: Devices| {
                devices.count == 1 && at_most(sizing::single_device_memory(model), Some(devices.memory_each))
            };
            modern(gpu, (7, 5)) && devices(gpu).is_some_and(fits)
        }
        _ => false,
    }
}

fn modern(gpu: &Accelerator, capability: (u32, u32)) -> bool {
    gpu.kind == AcceleratorKind::Gpu
        && gpu.fraction.is_none_or(|share| share >= 1.0)
        && gpu.cuda_compute_capability.is_some_and(|has| has >= capability)
}

/// The devices of an accelerator, where their memory is known.
pub(super) fn devices(accelerator: &Accelerator) -> Option<Devices> {
    let memory_each = accelerator.memory_mib_each? << 20;
    Some(Devices { count: accelerator.count.max(1), memory_each })
}

/// A price in words, with what it rests on.
pub(super) fn price_text(price: &Price) -> String {
    match price {
        Price::Listed { usd_per_hour, observed, .. } => {
            let seen = observed.as_deref().map(|day| format!(", seen {day}")).unwrap_or_default();
            format!("{usd_per_hour} USD/h{seen}")
        }
        Price::Estimated { usd_per_hour, .. } => format!("about {usd_per_hour:.2} USD/h, estimated from EC2's price"),
        Price::Unknown => "price unknown".to_owned(),
    }
}

/// The engine as manifests spell it.
pub(super) fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Vllm => "vllm",
        Engine::Tei => "tei",
        Engine::Transformers => "transformers",
        Engine::Custom => "custom",
        Engine::Sglang => "sglang",
        Engine::Lmi => "lmi",
        Engine::LlamaCpp => "llama-cpp",
        Engine::Tgi => "tgi",
        Engine::NeuronVllm => "neuron-vllm",
        Engine::NeuronTgi => "neuron-tgi",
    }
}

/// How many devices share one copy, and how long the context may be: for vLLM only.
pub(super) struct Fit {
    pub(super) tensor_parallel: u32,
    pub(super) context: Option<u64>,
}

/// Checks that the model fits on the instance, and settles tensor parallel and context.
pub(super) fn fit(
    context: &mut Context<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
) -> Option<Fit> {
    let gpu = chosen.facts.and_then(|instance| instance.accelerator.as_ref());
    let Some(devices) = gpu.and_then(devices) else {
        needs_gpu(context, served, chosen);
        return None;
    };
    let wanted = chosen.tensor_parallel.or(served.spec.tensor_parallel);
    let Some(model) = &served.facts else {
        let tensor_parallel = unknown_degree(context, chooser, served, chosen, devices, wanted)?;
        judge::llm(context, served, chosen, Verdict::Unknown(Unknown::Weights), devices)?;
        return Some(Fit { tensor_parallel, context: chosen.context.or(served.spec.context) });
    };
    let needs = Needs::of(model, &served.spec);
    let tensor_parallel = match needs.divides(devices.count) {
        None => unknown_degree(context, chooser, served, chosen, devices, wanted)?,
        Some(_) => degree(context, chooser, served, model, chosen, devices, wanted)?,
    };
    judge::llm(context, served, chosen, needs.judge(devices, tensor_parallel), devices)?;
    let tokens = context_length(context, chooser, served, model, chosen, devices, tensor_parallel)?;
    Some(Fit { tensor_parallel, context: tokens })
}

fn needs_gpu(context: &mut Context<'_>, served: &Served<'_>, chosen: &Chosen<'_>) {
    let engine = engine_name(served.engine);
    let message = format!("`{engine}` needs a GPU, and `{}` is not known to have one", chosen.name);
    let place = chosen.place.as_ref().unwrap_or(&served.place);
    let help = "name a g5, g6, g6e or p instance type";
    context.report(Diagnostic::new(Code::WrongAccelerator, message).at(place.span()).help(help));
}

/// Of a model whose heads are not known: what is said, else all devices.
fn unknown_degree(
    context: &mut Context<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
    devices: Devices,
    wanted: Option<u32>,
) -> Option<u32> {
    if let Some(wanted) = wanted {
        if wanted <= devices.count {
            return Some(wanted);
        }
        let message =
            format!("tensor parallel {wanted} needs as many devices, and `{}` has {}", chosen.name, devices.count);
        let place = served.place.at("tensorParallel");
        context.report(Diagnostic::new(Code::TensorParallel, message).at(place.span()));
        return None;
    }
    if devices.count == 1 {
        return Some(1);
    }
    let most = pinned::count(devices.count.into(), " (the instance's devices)");
    let value = chooser.choose(context, What::TENSOR_PARALLEL, most, |_| {
        let reason = "all devices of the instance; whether the model's heads divide by them is not known";
        Some(Fresh::new(devices.count, reason))
    })?;
    value.count()?.try_into().ok()
}

fn degree(
    context: &mut Context<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    model: &LockedModel,
    chosen: &Chosen<'_>,
    devices: Devices,
    wanted: Option<u32>,
) -> Option<u32> {
    let needs = Needs::of(model, &served.spec);
    if let Some(wanted) = wanted {
        if wanted <= devices.count && needs.divides(wanted) == Some(true) {
            return Some(wanted);
        }
        let message = format!(
            "tensor parallel {wanted} does not work for `{}` on `{}`: it has {} devices, and the model {} heads, {} for keys and values",
            served.weights.name(),
            chosen.name,
            devices.count,
            number(model.heads),
            number(model.kv_heads),
        );
        let help = format!("{} works", needs.widest(devices));
        let place = served.place.at("tensorParallel");
        context.report(Diagnostic::new(Code::TensorParallel, message).at(place.span()).help(help));
        return None;
    }
    let divides = |degree: u64| u32::try_from(degree).is_ok_and(|degree| needs.divides(degree) == Some(true));
    let most = pinned::count(devices.count.into(), " (the instance's devices)")
        .and(" by which the model's heads divide", divides);
    let value = chooser.choose(context, What::TENSOR_PARALLEL, most, |_| {
        let value = needs.widest(devices);
        let reason = match devices.count {
            1 => "the instance has one device".to_owned(),
            count => format!("the most of {count} devices that the model's heads divide by"),
        };
        Some(Fresh::new(value, reason))
    })?;
    value.count()?.try_into().ok()
}

fn number(count: Option<u32>) -> String {
    count.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string())
}

/// Outer `None`: it does not fit. Inner `None`: the engine's own default.
fn context_length(
    context: &mut Context<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    model: &LockedModel,
    chosen: &Chosen<'_>,
    devices: Devices,
    tensor_parallel: u32,
) -> Option<Option<u64>> {
    let longest = Needs::of(model, &served.spec).longest_context(devices, tensor_parallel);
    if let Some(wanted) = chosen.context.or(served.spec.context) {
        let Some(longest) = longest.filter(|longest| wanted > *longest) else {
            return Some(Some(wanted));
        };
        let message = format!("a context of {wanted} tokens does not fit on `{}`, by estimate", chosen.name);
        let help = format!("up to {longest} tokens fit; or take an instance with more memory");
        let place = if chosen.context.is_some() { chosen.place.clone() } else { Some(served.place.at("context")) };
        let place = place.unwrap_or_else(|| served.place.clone());
        judge::refuse(context, served, message, place.span(), help)?;
        return Some(Some(wanted));
    }
    let (Some(positions), Some(longest)) = (model.max_positions, longest) else { return Some(None) };
    if longest >= positions {
        return Some(None);
    }
    chooser.know("tensor-parallel", tensor_parallel);
    let value = chooser.choose(context, What::CONTEXT, pinned::count(u64::MAX, ""), |_| {
        let reason = format!("the model takes {positions} tokens; more than these do not fit there, by estimate");
        Some(Fresh::new(longest, reason))
    });
    Some(value.and_then(|value| value.count()))
}
