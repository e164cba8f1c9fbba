//! What an endpoint serves and what only its mode has: checked once, so that everything behind it serves what is there.
//!
//! A mode is its word in the manifest language, a file here and its arm in [`EndpointShape::of`]; where its template sees more
//! than all modes have, a part of [`ModeView`].

#[cfg(test)]
mod fake;
mod realtime;
#[cfg(test)]
mod tests;

use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::{Endpoint, Mode},
    resolve::{
        Resolver,
        access::Need,
        references::FieldPlace,
        serving::ServingSpec,
        view::{ALL_TRAFFIC, ModeView},
    },
};

/// An endpoint by what answers its requests.
#[derive(Default)]
pub(super) struct EndpointShape<'a> {
    /// At least one.
    pub(super) servings: Vec<ServingSpec<'a>>,
    /// What else its role is needed for.
    pub(super) needs: Vec<Need>,
    /// Common parts that it does not have.
    pub(super) without: &'static [Common],
    /// What only its mode has.
    pub(super) own: ModeView,
    /// Which field each property of that comes from.
    pub(super) origins: Vec<(&'static str, FieldPlace<'a>)>,
}

/// A part that endpoints have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Common {
    Alarms,
    Capture,
    Network,
    Rollout,
}

impl<'a> EndpointShape<'a> {
    /// The shape of a manifest's endpoint. Nothing that can be served is a finding.
    pub(super) fn of(context: &mut Resolver<'_>, spec: &'a Endpoint, place: &FieldPlace<'a>) -> Option<Self> {
        let shape = match spec.mode.unwrap_or(Mode::Realtime) {
            Mode::Realtime => realtime::shape(context, spec, place),
            #[cfg(test)]
            Mode::Fake => fake::shape(context, spec, place),
            Mode::Serverless | Mode::Async => not_yet(context, "this mode", &place.at("mode")),
        }?;
        shape.without.iter().for_each(|part| part.refuse(context, place));
        Some(shape)
    }

    /// Has it what the environment may give, too?
    pub(super) fn has(&self, part: Common) -> bool {
        !self.without.contains(&part)
    }
}

impl Common {
    fn field(self) -> &'static str {
        match self {
            Self::Alarms => "alarms",
            Self::Capture => "capture",
            Self::Network => "network",
            Self::Rollout => "rollout",
        }
    }

    fn refuse(self, context: &mut Resolver<'_>, place: &FieldPlace<'_>) {
        let field = self.field();
        if place.exists(field) {
            let finding = Diagnostic::new(Code::Conflict, format!("an endpoint in this mode has no `{field}`"));
            context.report(finding.at(place.at(field).span()).help("remove it"));
        }
    }
}

/// The one model of an endpoint.
fn only<'a>(context: &mut Resolver<'_>, spec: &'a Endpoint, place: &FieldPlace<'a>) -> Option<ServingSpec<'a>> {
    let Some(model) = &spec.model else {
        return not_yet(context, "an endpoint without `model`", place);
    };
    Some(ServingSpec {
        name: ALL_TRAFFIC,
        model: (model, place.at("model")),
        hardware: spec.hardware.as_ref().map(|hardware| (hardware, place.at("hardware"))),
        scaling: spec.scaling.as_ref().map(|scaling| (scaling, place.at("scaling"))),
    })
}

fn not_yet<T>(context: &mut Resolver<'_>, what: &str, place: &FieldPlace<'_>) -> Option<T> {
    let finding = Diagnostic::new(Code::NotYetSupported, format!("not yet supported: {what}")).at(place.span());
    context.report(finding.help("set `model`, in mode `realtime`"));
    None
}
