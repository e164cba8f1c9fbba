//! How a model is laid out on its instance: devices that share one copy, the longest context, the dtype.

use super::Chosen;
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::{
        Resolver,
        chooser::{ChoiceKind, Chooser, Fresh},
        engine::Sizing,
        image, judge,
        model::Served,
        pinned,
        references::FieldPlace,
        sizing::{Devices, Needs},
    },
};

/// From this compute capability on, a GPU has bfloat16.
const BFLOAT16: (u32, u32) = (8, 0);

/// What the instance settles; what is none is left to the engine.
#[derive(Debug, Clone, Default)]
pub(in crate::resolve) struct Fit {
    /// Devices that share one copy.
    pub(in crate::resolve) tensor_parallel: Option<u32>,
    /// The longest context, in tokens.
    pub(in crate::resolve) context: Option<u64>,
    /// What replaces the weights' own dtype, where the manifest sets none.
    pub(in crate::resolve) dtype: Option<&'static str>,
}

/// Checks that the model fits on the instance, by the engine's rule, and settles what the manifest leaves open.
pub(in crate::resolve) fn fit(
    context: &mut Resolver<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
) -> Option<Fit> {
    let fit = match served.engine.sizing {
        Sizing::Decoder => Decoder::on(context, served, chosen)?.fit(context, chooser)?,
        Sizing::Encoder => {
            judge::encoder(context, served, chosen)?;
            Fit::default()
        }
        Sizing::None => Fit::default(),
    };
    Some(Fit { dtype: half_where_needed(served, chosen), ..fit })
}

/// Older GPUs have no bfloat16, and not every engine falls back by itself.
fn half_where_needed(served: &Served<'_>, chosen: &Chosen<'_>) -> Option<&'static str> {
    let half = served.engine.half.filter(|_| served.spec.dtype.is_none())?;
    let gpu = chosen.facts?.accelerator.as_ref()?;
    let old = gpu.cuda_compute_capability.is_some_and(|has| has < BFLOAT16);
    (old && served.facts.as_ref()?.dtype.as_deref() == Some("bfloat16")).then_some(half)
}

/// A decoder on the devices of an instance.
struct Decoder<'s> {
    served: &'s Served<'s>,
    chosen: &'s Chosen<'s>,
    devices: Devices,
    needs: Needs,
}

impl<'s> Decoder<'s> {
    /// Refuses an instance that is not known to have devices.
    fn on(context: &mut Resolver<'_>, served: &'s Served<'s>, chosen: &'s Chosen<'s>) -> Option<Self> {
        let accelerator = chosen.facts.and_then(|instance| instance.accelerator.as_ref());
        let Some(devices) = accelerator.and_then(Devices::of) else {
            let message = format!("`{}` needs a GPU, and `{}` is not known to have one", served.engine, chosen.name);
            let place = chosen.place.as_ref().unwrap_or(&served.place);
            context.report(Diagnostic::new(Code::WrongAccelerator, message).at(place.span()).help(image::GPU));
            return None;
        };
        let needs = served.facts.as_ref().map(|model| Needs::of(model, &served.spec)).unwrap_or_default();
        Some(Self { served, chosen, devices, needs })
    }

    fn fit(&self, context: &mut Resolver<'_>, chooser: &mut Chooser) -> Option<Fit> {
        let heads_known = self.served.facts.is_some() && self.needs.divides(self.devices.count).is_some();
        let degree = match (self.chosen.tensor_parallel.or(self.served.spec.tensor_parallel), heads_known) {
            (Some(wanted), _) => self.check_degree(context, wanted, heads_known)?,
            (None, true) => self.widest(context, chooser)?,
            (None, false) => self.all_devices(context, chooser)?,
        };
        judge::decoder(context, self.served, self.chosen, self.needs.judge(self.devices, degree), self.devices)?;
        let tokens = self.context_length(context, chooser, degree)?;
        Some(Fit { tensor_parallel: Some(degree), context: tokens, dtype: None })
    }

    fn check_degree(&self, context: &mut Resolver<'_>, wanted: u32, heads_known: bool) -> Option<u32> {
        let (name, count) = (&self.chosen.name, self.devices.count);
        if wanted <= count && (!heads_known || self.needs.divides(wanted) == Some(true)) {
            return Some(wanted);
        }
        let finding =
            |message| Diagnostic::new(Code::TensorParallel, message).at(self.served.place.at("tensorParallel").span());
        context.report(match heads_known {
            false => finding(format!("`tensorParallel` is {wanted}, but `{name}` has {count}")),
            true => finding(format!(
                "tensor parallel {wanted} does not work for `{}` on `{name}`: it has {count} devices, and the model {} heads, {} for keys and values",
                self.served.weights.name(),
                number(self.needs.heads),
                number(self.needs.kv_heads),
            ))
            .help(format!("{} works", self.needs.widest(self.devices))),
        });
        None
    }

    /// The most devices that the model's heads divide by.
    fn widest(&self, context: &mut Resolver<'_>, chooser: &mut Chooser) -> Option<u32> {
        let count = self.devices.count;
        let divides = |degree: u64| u32::try_from(degree).is_ok_and(|it| self.needs.divides(it) == Some(true));
        let most =
            pinned::count(count.into(), " (the instance's devices)").and(" by which the model's heads divide", divides);
        let value = chooser.choose(context, ChoiceKind::TENSOR_PARALLEL, most, |_| {
            let reason = match count {
                1 => "the instance has one device".to_owned(),
                count => format!("the most of {count} devices that the model's heads divide by"),
            };
            Some(Fresh::new(self.needs.widest(self.devices), reason))
        })?;
        value.count()?.try_into().ok()
    }

    /// For a model whose heads are not known.
    fn all_devices(&self, context: &mut Resolver<'_>, chooser: &mut Chooser) -> Option<u32> {
        let count = self.devices.count;
        if count == 1 {
            return Some(1);
        }
        let most = pinned::count(count.into(), " (the instance's devices)");
        let value = chooser.choose(context, ChoiceKind::TENSOR_PARALLEL, most, |_| {
            let reason = "all devices of the instance; it is unknown whether the model's heads divide by them";
            Some(Fresh::new(count, reason))
        })?;
        value.count()?.try_into().ok()
    }

    /// Outer `None`: it does not fit. Inner `None`: the engine's own default.
    fn context_length(&self, context: &mut Resolver<'_>, chooser: &mut Chooser, degree: u32) -> Option<Option<u64>> {
        let longest = self.needs.longest_context(self.devices, degree);
        if let Some(wanted) = self.chosen.context.or(self.served.spec.context) {
            judge::positions(context, self.served, wanted, self.place_of_context().span())?;
            if let Some(longest) = longest.filter(|longest| wanted > *longest) {
                self.refuse_context(context, wanted, longest)?;
            }
            return Some(Some(wanted));
        }
        let (Some(positions), Some(longest)) = (self.needs.positions(), longest) else { return Some(None) };
        if longest >= positions {
            return Some(None);
        }
        chooser.know("tensor-parallel", degree);
        let value = chooser.choose(context, ChoiceKind::CONTEXT, pinned::count(u64::MAX, ""), |_| {
            let reason = format!("the model supports {positions} tokens; no more than this fits, by estimate");
            Some(Fresh::new(longest, reason))
        });
        Some(value.and_then(|value| value.count()))
    }

    fn refuse_context(&self, context: &mut Resolver<'_>, wanted: u64, longest: u64) -> Option<()> {
        let Self { served, chosen, .. } = self;
        let message = format!("a context of {wanted} tokens does not fit on `{}`, by estimate", chosen.name);
        let help = format!("up to {longest} tokens fit; or use an instance with more memory");
        judge::refuse(context, served, message, self.place_of_context().span(), help)
    }

    fn place_of_context(&self) -> FieldPlace<'s> {
        let of_instance = self.chosen.place.as_ref().filter(|_| self.chosen.context.is_some());
        of_instance.map_or_else(|| self.served.place.at("context"), |place| place.at("context"))
    }
}

fn number(count: Option<u32>) -> String {
    count.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string())
}
