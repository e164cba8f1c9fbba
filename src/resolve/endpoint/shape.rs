//! What shape an endpoint has: checked once, so that everything behind it serves what is there.

use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Endpoint, Mode},
    resolve::{Context, references::Place, serving::Wanted, view::ALL_TRAFFIC},
};

/// An endpoint by what answers its requests.
pub(super) enum Shape<'a> {
    /// Variants on instances that are always there.
    Realtime {
        /// At least one.
        variants: Vec<Wanted<'a>>,
    },
}

impl<'a> Shape<'a> {
    /// The shape that a manifest says. What says nothing that can be served is a finding.
    pub(super) fn of(context: &mut Context<'_>, spec: &'a Endpoint, place: &Place<'a>) -> Option<Self> {
        match spec.mode {
            None | Some(Mode::Realtime) => {}
            Some(Mode::Serverless | Mode::Async) => return not_yet(context, "this mode", &place.at("mode")),
        }
        let Some(model) = &spec.model else {
            return not_yet(context, "an endpoint without `model`", place);
        };
        let only = Wanted {
            name: ALL_TRAFFIC,
            model: (model, place.at("model")),
            hardware: spec.hardware.as_ref().map(|hardware| (hardware, place.at("hardware"))),
            scaling: spec.scaling.as_ref().map(|scaling| (scaling, place.at("scaling"))),
        };
        Some(Self::Realtime { variants: vec![only] })
    }
}

fn not_yet<T>(context: &mut Context<'_>, what: &str, place: &Place<'_>) -> Option<T> {
    let finding = Diagnostic::new(Code::NotYetSupported, format!("not yet supported: {what}")).at(place.span());
    context.report(finding.help("say `model`, in mode `realtime`"));
    None
}
