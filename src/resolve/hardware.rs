//! Which instance: the one named, checked; or the smallest that fits, the cheapest first.

use super::{
    Context, LockedModel,
    chooser::{Chooser, Fresh, What},
    model::Served,
    references::{Found, Place, find, inherited},
    sizing::{self, Devices, Misfit},
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
    let place = if found.place.exists("instances") { found.place.at("instances/0") } else { found.place.clone() };
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
        (true, []) => "SageMaker hosts no endpoints on it anywhere".to_owned(),
        (true, regions) => format!("it is offered in {}", some_of(regions)),
    };
    let message = format!("`{name}` hosts no endpoints in {region}, by the price list of {}", catalog.collected());
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
    let name = chooser.choose(context, What::INSTANCE, |context| best(context, served, model));
    let name = name.and_then(|name| name.text().map(str::to_owned));
    if name.is_none() {
        let message = format!("nothing in {} is known to hold `{}`", context.region(), served.weights.name());
        let help = "name an instance type in `hardware`, or deploy to another Region";
        context.report(Diagnostic::new(Code::NothingFits, message).at(served.place.span()).help(help));
    }
    let name = name?;
    let facts = context.catalog.instance(&name);
    Some(Chosen { facts, name, place: None, tensor_parallel: None, context: None, volume })
}

fn best(context: &mut Context<'_>, served: &Served<'_>, model: &LockedModel) -> Option<Fresh> {
    let spec = &served.spec;
    let said = (spec.tensor_parallel, spec.context, &spec.quantization);
    let key = format!("{} {} {said:?}", served.weights.name(), engine_name(served.engine));
    if !context.ranked.contains_key(&key) {
        let ranked = rank(context, served, model);
        context.ranked.insert(key.clone(), ranked);
    }
    let first = context.ranked.get(&key)?.first()?;
    let price = price_text(&first.price);
    let reason = format!("cheapest in {} that holds the model by estimate; {price}", context.region());
    Some(Fresh::new(first.name.clone(), reason))
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
        .map(|(instance, name)| (instance.memory_mib, Ranked { price: catalog.sagemaker_price(&name, region), name }))
        .collect();
    candidates.sort_by(|(a_memory, a), (b_memory, b)| {
        let price = |ranked: &Ranked| ranked.price.usd_per_hour().unwrap_or(f64::INFINITY);
        price(a).total_cmp(&price(b)).then(a_memory.cmp(b_memory)).then_with(|| a.name.cmp(&b.name))
    });
    candidates.into_iter().map(|(_, ranked)| ranked).collect()
}

fn suits(instance: &Instance, served: &Served<'_>, model: &LockedModel) -> bool {
    let memory = instance.memory_mib.unwrap_or(0) << 20;
    match (served.engine, &instance.accelerator) {
        (Engine::Vllm, Some(gpu)) => {
            modern(gpu, (8, 0))
                && devices(gpu).is_some_and(|devices| {
                    let degree = served.spec.tensor_parallel.unwrap_or(devices.count);
                    let short = |longest: u64| served.spec.context.is_some_and(|wanted| wanted > longest);
                    degree <= devices.count
                        && sizing::llm_fits(model, devices, degree).is_ok()
                        && !sizing::longest_context(model, devices, degree).is_some_and(short)
                })
        }
        (Engine::Tei | Engine::Transformers, None) => {
            instance.arch == Some(Arch::X86_64) && memory >= sizing::cpu_memory(model)
        }
        (Engine::Tei, Some(gpu)) => {
            let fits =
                |devices: Devices| devices.count == 1 && devices.memory_each >= sizing::single_device_memory(model);
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
        return Some(Fit { tensor_parallel, context: chosen.context.or(served.spec.context) });
    };
    let tensor_parallel = degree(context, chooser, served, model, chosen, devices, wanted)?;
    if served.spec.quantization.is_none() {
        refuse_misfit(context, served, chosen, sizing::llm_fits(model, devices, tensor_parallel))?;
    }
    let tokens = context_length(context, chooser, served, model, chosen, devices, tensor_parallel)?;
    Some(Fit { tensor_parallel, context: tokens })
}

/// Warns where an encoder or a speech model may not fit on the instance that was named; answers nothing.
pub(super) fn warn_tight(context: &mut Context<'_>, served: &Served<'_>, chosen: &Chosen<'_>) -> Option<Fit> {
    let (model, instance, place) = (served.facts.as_ref()?, chosen.facts?, chosen.place.as_ref()?);
    if !matches!(served.engine, Engine::Tei | Engine::Transformers) {
        return None;
    }
    let (needs, has, what) = match &instance.accelerator {
        None => (sizing::cpu_memory(model), instance.memory_mib? << 20, "main memory"),
        Some(gpu) => (sizing::single_device_memory(model), devices(gpu)?.memory_each, "memory on its device"),
    };
    if needs > has {
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let message = format!(
            "`{}` may need {:.1} GiB of {what}, by estimate, and `{}` has {:.1} GiB",
            served.weights.name(),
            gib(needs),
            chosen.name,
            gib(has),
        );
        let help = "take an instance with more, or leave `instances` out and hubform chooses one";
        context.report(Diagnostic::new(Code::TightMemory, message).at(place.span()).help(help));
    }
    None
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
    let value = chooser.choose(context, What::TENSOR_PARALLEL, |_| {
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
    if let Some(wanted) = wanted {
        if wanted <= devices.count && sizing::divides(model, wanted) {
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
        let help = format!("{} works", sizing::widest(model, devices));
        let place = served.place.at("tensorParallel");
        context.report(Diagnostic::new(Code::TensorParallel, message).at(place.span()).help(help));
        return None;
    }
    let value = chooser.choose(context, What::TENSOR_PARALLEL, |_| {
        let value = sizing::widest(model, devices);
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

fn refuse_misfit(
    context: &mut Context<'_>,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
    fits: Result<(), Misfit>,
) -> Option<()> {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let why = match fits {
        Ok(()) => return Some(()),
        Err(Misfit::Weights { needs, has }) => {
            format!("its weights take {:.1} GiB and may take {:.1} GiB there", gib(needs), gib(has))
        }
        Err(Misfit::Heads { tensor_parallel }) => format!("its heads do not divide by {tensor_parallel} devices"),
        Err(Misfit::Context) => "its weights leave no room for a context of 1,024 tokens".to_owned(),
    };
    let message = format!("`{}` does not fit on `{}`, by estimate: {why}", served.weights.name(), chosen.name);
    let place = chosen.place.as_ref().unwrap_or(&served.place);
    let model = served.facts.as_ref()?;
    let help = match rank(context, served, model).first() {
        Some(first) => format!("`{}` is the cheapest that holds it ({})", first.name, price_text(&first.price)),
        None => "quantize the model, or deploy to a Region with larger instances".to_owned(),
    };
    context.report(Diagnostic::new(Code::DoesNotFit, message).at(place.span()).help(help));
    None
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
    let longest = sizing::longest_context(model, devices, tensor_parallel);
    let quantized = served.spec.quantization.is_some();
    if let Some(wanted) = chosen.context.or(served.spec.context) {
        let Some(longest) = longest.filter(|longest| wanted > *longest && !quantized) else {
            return Some(Some(wanted));
        };
        let message = format!("a context of {wanted} tokens does not fit on `{}`, by estimate", chosen.name);
        let help = format!("up to {longest} tokens fit; or take an instance with more memory");
        let place = if chosen.context.is_some() { chosen.place.clone() } else { Some(served.place.at("context")) };
        let place = place.unwrap_or_else(|| served.place.clone());
        context.report(Diagnostic::new(Code::DoesNotFit, message).at(place.span()).help(help));
        return None;
    }
    let (Some(positions), Some(longest)) = (model.max_positions, longest) else { return Some(None) };
    if longest >= positions || quantized {
        return Some(None);
    }
    chooser.know("tensor-parallel", tensor_parallel);
    let value = chooser.choose(context, What::CONTEXT, |_| {
        let reason = format!("the model takes {positions} tokens; more than these do not fit there, by estimate");
        Some(Fresh::new(longest, reason))
    });
    Some(value.and_then(|value| value.count()))
}
