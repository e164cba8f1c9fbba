//! Which instance: the one named, checked; or the smallest that fits, the cheapest first. And how the model is laid out
//! on it.

mod choose;
mod fit;
mod idle;

use choose::choose;
pub(super) use choose::{Ranked, offer};
pub(super) use fit::{Fit, fit};
pub(super) use idle::warn as warn_idle;

use super::{
    Resolver,
    chooser::Chooser,
    model::Served,
    references::{FieldPlace, Referenced, find, inherited},
};
use crate::{
    catalog::Instance,
    diagnostic::{Code, Diagnostic},
    manifest::{Hardware, Reference},
};

/// The instance a model runs on.
pub(super) struct Chosen<'a> {
    /// In SageMaker's spelling.
    pub(super) name: String,
    pub(super) facts: Option<&'a Instance>,
    /// Where it was written; none where it was chosen.
    pub(super) place: Option<FieldPlace<'a>>,
    /// What the manifest sets for this instance.
    pub(super) tensor_parallel: Option<u32>,
    pub(super) context: Option<u64>,
    /// In GiB.
    pub(super) volume: Option<(u64, FieldPlace<'a>)>,
}

/// The `Hardware` of an endpoint, its own or the environment's, if any.
pub(super) fn wanted<'a>(
    context: &mut Resolver<'a>,
    own: Option<(&'a Reference<Hardware>, FieldPlace<'a>)>,
) -> Option<Option<Referenced<'a, Hardware>>> {
    let inherited = inherited(context, "hardware", |defaults| defaults.hardware.as_ref());
    match own.or(inherited) {
        Some((reference, place)) => find(context, reference, place).map(Some),
        None => Some(None),
    }
}

/// The named instance where there is one, else the best by price.
pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    chooser: &mut Chooser,
    wanted: Option<Referenced<'a, Hardware>>,
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

fn check_offered(context: &mut Resolver<'_>, name: &str, place: &FieldPlace<'_>) -> Option<()> {
    let (catalog, region) = (context.catalog, context.region());
    if catalog.hosts_endpoints(name, region) {
        return Some(());
    }
    let retired = name.starts_with("ml.p2.") || name.starts_with("ml.p3.");
    let regions = catalog.endpoint_regions(name);
    let help = match (catalog.instance(name).is_some(), regions) {
        _ if retired => "p2 and p3 are retired; use g5, g6 or p4d".to_owned(),
        (false, _) => {
            let names = catalog.instances().filter_map(|instance| instance.sagemaker.as_deref());
            match crate::diagnostic::did_you_mean(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "no such instance type".to_owned(),
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
