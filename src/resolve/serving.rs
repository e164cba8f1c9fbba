//! One model, served: model × engine × hardware × scaling × container, for any kind that serves it.
//!
//! A variant of an endpoint is one serving; components, shadows, fleets and batch jobs will be, too. Each makes its
//! choices under its own name in the lock, and nothing here knows what is made of them.

use super::{
    Resolver,
    chooser::Chooser,
    hardware::{self, Chosen, Fit},
    image::{self, Container},
    model::{self, Served},
    references::FieldPlace,
    scaling::{self, Count},
    task,
};
use crate::manifest::{Hardware, Model, Reference, Scaling};

/// What is to be served, as it was written.
pub(super) struct ServingSpec<'a> {
    /// Whose choices in the lock, and whose parts in a body: `AllTraffic` where there is only one.
    pub(super) name: &'a str,
    pub(super) model: (&'a Reference<Model>, FieldPlace<'a>),
    /// Its own; none for the environment's.
    pub(super) hardware: Option<(&'a Reference<Hardware>, FieldPlace<'a>)>,
    /// Its own; none for the environment's.
    pub(super) scaling: Option<(&'a Reference<Scaling>, FieldPlace<'a>)>,
}

/// A model with everything about serving it that was decided.
pub(super) struct Serving<'a> {
    pub(super) name: &'a str,
    pub(super) served: Served<'a>,
    pub(super) chosen: Chosen<'a>,
    pub(super) container: Container,
    pub(super) fit: Fit,
    pub(super) count: Count,
    /// Where the count was written.
    pub(super) count_place: Option<FieldPlace<'a>>,
}

/// Decides how a model is served; nothing, with findings, where it cannot be.
pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    chooser: &mut Chooser,
    wanted: ServingSpec<'a>,
) -> Option<Serving<'a>> {
    let hardware = hardware::wanted(context, wanted.hardware);
    let names_instance =
        hardware.as_ref().is_none_or(|found| found.as_ref().is_some_and(|found| found.spec.instances.is_some()));
    let scaling = scaling::wanted(context, wanted.scaling);
    let (model, place) = wanted.model;
    let served = model::resolve(context, chooser, model, place, names_instance);
    let (hardware, scaling, served) = (hardware?, scaling?, served?);
    task::check(context, &served);
    let chosen = hardware::resolve(context, chooser, hardware, &served)?;
    chooser.know("instance", chosen.name.as_str());
    hardware::warn_idle(context, &served, &chosen);
    let container = image::resolve(context, chooser, &served, &chosen)?;
    let fit = hardware::fit(context, chooser, &served, &chosen)?;
    let (count, count_place) = scaling::resolve(context, chooser, scaling, &chosen)?;
    Some(Serving { name: wanted.name, served, chosen, container, fit, count, count_place })
}

impl Serving<'_> {
    /// Does its instance have disks that no key reaches and no volume takes the place of? None where unknown.
    pub(super) fn local_disk(&self) -> Option<bool> {
        self.chosen.facts.and_then(|instance| instance.local_nvme_gb).map(|size| size > 0)
    }
}
