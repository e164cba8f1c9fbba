//! Findings for a model that does not fit on the instance, or where that is unknown.
//!
//! What surely or by estimate fails is an error, unless the manifest's own flags move the memory: then it warns. What
//! is not known refuses to be chosen for; on a named instance it warns, unless the manifest says the numbers itself.

use super::{
    LockedModel, Resolver,
    hardware::{Chosen, offer},
    model::{Served, Weights},
    sizing::{self, Devices, FitVerdict, Misfit, MissingFact},
};
use crate::diagnostic::{Code, Diagnostic, Span};

impl MissingFact {
    /// As in "… is not known".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Weights => "what its weights take",
            Self::Quantized => "what its weights take once they are quantized",
            Self::Heads => "how many devices its heads divide by",
            Self::Cache => "what its cache takes per token",
            Self::Positions => "the longest context it was made for",
        }
    }
}

/// Refuses what does not fit; warns where that is unknown.
pub(super) fn decoder(
    context: &mut Resolver<'_>,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
    verdict: FitVerdict,
    devices: Devices,
) -> Option<()> {
    match verdict {
        FitVerdict::Fits => Some(()),
        FitVerdict::Misfit(why) => misfit(context, served, chosen, why),
        FitVerdict::Unknown(what) => {
            let context_said = chosen.context.or(served.spec.context).is_some();
            let degree_said = chosen.tensor_parallel.or(served.spec.tensor_parallel).is_some() || devices.count == 1;
            if !(context_said && degree_said) {
                let say = if degree_said { "`context`" } else { "`context` and `tensorParallel`" };
                not_judged(context, served, chosen, what.words(), &format!("; if you know that it fits, set {say}"));
            }
            Some(())
        }
    }
}

fn misfit(context: &mut Resolver<'_>, served: &Served<'_>, chosen: &Chosen<'_>, why: Misfit) -> Option<()> {
    let why = match why {
        Misfit::Weights { needs, has } => {
            format!(", by estimate: its weights need {:.1} GiB; {:.1} GiB are available", gib(needs), gib(has))
        }
        Misfit::Surely { least, has } => {
            format!(": its weights need at least {:.1} GiB; its devices have {:.1} GiB", gib(least), gib(has))
        }
        Misfit::Heads { tensor_parallel } => format!(": its heads do not divide by {tensor_parallel} devices"),
        Misfit::Context => ", by estimate: its weights leave no room for a context of 1,024 tokens".to_owned(),
    };
    let message = format!("`{}` does not fit on `{}`{why}", served.weights.name(), chosen.name);
    let place = chosen.place.as_ref().unwrap_or(&served.place);
    let help = offer(context, served).unwrap_or_else(|| "use an instance with more device memory".to_owned());
    refuse(context, served, message, place.span(), help)
}

/// An error, or a warning where the manifest's own flags share the memory out.
pub(super) fn refuse(
    context: &mut Resolver<'_>,
    served: &Served<'_>,
    message: String,
    span: Span,
    help: String,
) -> Option<()> {
    let moves = |flag: &&String| served.engine.flags.as_ref().is_some_and(|flags| flags.moves_memory(flag));
    let Some(flag) = served.spec.args.keys().find(moves) else {
        context.report(Diagnostic::new(Code::DoesNotFit, message).at(span).help(help));
        return None;
    };
    let help = format!("hubform cannot judge `{flag}` in `args`; without it, {help}");
    context.report(Diagnostic::new(Code::TightMemory, message).at(span).help(help));
    Some(())
}

/// Says that nothing was judged.
pub(super) fn not_judged(
    context: &mut Resolver<'_>,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
    unknown: &str,
    way_out: &str,
) {
    let (model, place) = (served.weights.name(), chosen.place.as_ref().unwrap_or(&served.place));
    let message = format!("cannot tell whether `{model}` fits on `{}`: {unknown} is unknown", chosen.name);
    let help = format!("it is deployed all the same; if it does not fit, it will not start{way_out}");
    context.report(Diagnostic::new(Code::NotJudged, message).at(place.span()).help(help));
}

/// Encoders and speech models on the instance that was named: refused where the weights alone are too large, warned
/// of where it may be tight or, of one from the Hub, where nothing is known.
pub(super) fn encoder(context: &mut Resolver<'_>, served: &Served<'_>, chosen: &Chosen<'_>) -> Option<()> {
    let Some(place) = &chosen.place else { return Some(()) };
    let facts = served.facts.as_ref();
    let instance = chosen.facts;
    let gpu = instance.and_then(|instance| instance.accelerator.as_ref());
    let (needed, has, what): (fn(&LockedModel) -> Option<u64>, _, _) = match gpu {
        None => (sizing::cpu_memory, instance.and_then(|instance| Some(instance.memory_mib? << 20)), "main memory"),
        Some(gpu) => {
            (sizing::single_device_memory, Devices::of(gpu).map(|devices| devices.memory_each), "device memory")
        }
    };
    let (Some(needs), Some(least), Some(has)) = (facts.and_then(needed), facts.and_then(sizing::least_memory), has)
    else {
        if matches!(served.weights, Weights::Hub { .. }) {
            not_judged(context, served, chosen, "its size", "");
        }
        return Some(());
    };
    let (model, help) =
        (served.weights.name(), "use an instance with more, or remove `instances` and hubform chooses one");
    if least > has {
        let message = format!(
            "`{model}` does not fit on `{}`: its weights need {:.1} GiB; there are {:.1} GiB of {what}",
            chosen.name,
            gib(least),
            gib(has),
        );
        context.report(Diagnostic::new(Code::DoesNotFit, message).at(place.span()).help(help));
        return None;
    }
    if needs > has {
        let message = format!(
            "`{model}` may need {:.1} GiB of {what}, by estimate, and `{}` has {:.1} GiB",
            gib(needs),
            chosen.name,
            gib(has),
        );
        context.report(Diagnostic::new(Code::TightMemory, message).at(place.span()).help(help));
    }
    Some(())
}

/// Refuses a context that the model has no positions for; warns where the manifest says how it gets more.
pub(super) fn positions(context: &mut Resolver<'_>, served: &Served<'_>, wanted: u64, span: Span) -> Option<()> {
    let Some(has) = served.facts.as_ref().and_then(|facts| facts.max_positions).filter(|has| wanted > *has) else {
        return Some(());
    };
    let message =
        format!("a context of {wanted} tokens is longer than that of `{}`, {has} tokens", served.weights.name());
    if let Some(name) = stretched_by(served) {
        let help = format!("hubform cannot judge `{name}`; without it, the engine accepts up to {has}");
        context.report(Diagnostic::new(Code::ContextStretched, message).at(span).help(help));
        return Some(());
    }
    let stretch = "or stretch it by `hf-overrides` in `args` (rope scaling), if the model allows it";
    let help = format!("set `context: {has}` or less; {stretch}");
    context.report(Diagnostic::new(Code::ContextTooLong, message).at(span).help(help));
    None
}

/// The flag or variable that makes the engine accept more.
fn stretched_by<'s>(served: &'s Served<'_>) -> Option<&'s str> {
    const PARTS: [&str; 3] = ["rope", "max_position_embeddings", "model_max_length"];
    let (spec, flags) = (&served.spec, served.engine.flags.as_ref()?);
    let stretches = |flag: &str, value: &str| {
        flags.stretches(flag) && PARTS.iter().any(|part| flag.contains(part) || value.contains(part))
    };
    let by_flag = spec.args.iter().find(|(flag, value)| stretches(flag, &value.to_string())).map(|(flag, _)| flag);
    let by_variable = spec.env.iter().find(|(name, value)| {
        let on = matches!(value.trim().to_lowercase().as_str(), "1" | "true");
        served.engine.long_context == Some(name) && on
            || flags.of_variable(name).is_some_and(|flag| stretches(&flag, value))
    });
    by_flag.or(by_variable.map(|(name, _)| name)).map(String::as_str)
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}
