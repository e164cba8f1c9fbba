//! What is known of an image that a manifest names. Whose tables have its repository knows which engine it is, for what
//! and for which devices; in an account that is not AWS's the name is somebody's own, and hubform only warns.

use super::{Arch, tag_of, words};
use crate::{
    catalog::{AcceleratorKind, EngineVersion, ImageAccelerator, KnownImage},
    diagnostic::{Code, Diagnostic},
    resolve::{Resolver, access::Repository, hardware::Chosen, model::Served, references::FieldPlace},
};

const WAY_OUT: &str = "remove `image` and hubform chooses one, or set `engine: custom` to run it as it is";

/// A named image, what it should serve, and where it is written.
struct NamedImage<'s> {
    repository: &'s Repository,
    served: &'s Served<'s>,
    chosen: &'s Chosen<'s>,
    place: &'s FieldPlace<'s>,
    /// Is the account one of those that AWS keeps its images in?
    is_official: bool,
}

/// Refuses what is known to serve nothing so. The version of what is known exactly.
pub(super) fn check(
    context: &mut Resolver<'_>,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
    (uri, repository, place): (&str, Option<&Repository>, &FieldPlace<'_>),
) -> Option<EngineVersion> {
    let repository = repository?;
    let all: Vec<KnownImage> = context.catalog.images_in(&repository.name).cloned().collect();
    let tag = tag_of(uri).unwrap_or_default();
    let exact: Vec<&KnownImage> = all.iter().filter(|image| image.tag == tag).collect();
    let version = exact.iter().find(|image| served.engine.reads_as(&image.engine)).map(|image| image.version.clone());
    if served.engine.is_in_image() {
        return None;
    }
    let is_official = context.catalog.is_registry(&repository.account);
    let named = NamedImage { repository, served, chosen, place, is_official };
    let is_exact = !exact.is_empty();
    let like = if is_exact { exact } else { all.iter().collect() };
    if like.is_empty() {
        named.unknown(context);
    } else if named.is_of_engine(context, &like) {
        // A tag of somebody's own may be for any device.
        if is_official || is_exact {
            named.check_device(context, &like, tag);
        }
        named.check_account(context, &like);
    }
    version
}

impl NamedImage<'_> {
    /// One of AWS's that no table has. One of the user's own may be anything.
    fn unknown(&self, context: &mut Resolver<'_>) {
        let name = &self.repository.name;
        if self.is_official && name.contains("training") {
            self.refuse(context, format!("`{name}` is for training, not for serving"));
        } else if self.is_official {
            let engine = self.served.engine;
            let message = format!("hubform does not know `{name}`, nor whether it reads the variables of `{engine}`");
            context.report(Diagnostic::new(Code::UnknownImage, message).at(self.place.span()).help(WAY_OUT));
        }
    }

    fn is_of_engine(&self, context: &mut Resolver<'_>, like: &[&KnownImage]) -> bool {
        let engine = self.served.engine;
        if like.iter().any(|image| image.serves && engine.reads_as(&image.engine)) {
            return true;
        }
        let name = &self.repository.name;
        self.refuse(
            context,
            match like.iter().find(|image| image.serves) {
                None => format!("`{name}` is for training, not for serving"),
                Some(image) => {
                    format!("`{name}` has images of `{}`, which do not read the variables of `{engine}`", image.engine)
                }
            },
        );
        false
    }

    fn check_device(&self, context: &mut Resolver<'_>, like: &[&KnownImage], tag: &str) {
        let Some(facts) = self.chosen.facts.filter(|facts| facts.arch != Some(Arch::Arm64)) else { return };
        let on = match facts.accelerator.as_ref().map(|accelerator| accelerator.kind) {
            None => ImageAccelerator::Cpu,
            Some(AcceleratorKind::Gpu) => ImageAccelerator::Gpu,
            Some(AcceleratorKind::Neuron) => ImageAccelerator::Neuron,
            Some(AcceleratorKind::Gaudi | AcceleratorKind::Qualcomm) => return,
        };
        let said = |device: &str| tag.split('-').any(|part| part == device);
        let fits = |image: &&KnownImage| {
            let other = match image.accelerator {
                ImageAccelerator::Cpu => said("gpu"),
                ImageAccelerator::Gpu => said("cpu"),
                ImageAccelerator::Neuron => false,
            };
            image.accelerator == on && !other
        };
        if !like.iter().any(fits) {
            let built = like.iter().map(|image| image.accelerator).find(|built| *built != on).unwrap_or(on);
            let (name, instance) = (&self.repository.name, &self.chosen.name);
            let message = format!(
                "this image of `{name}` runs {}, but `{instance}` is for images that run {}",
                words(built),
                words(on)
            );
            self.refuse(context, message);
        }
    }

    /// An account's registry in one Region is not another Region's.
    fn check_account(&self, context: &mut Resolver<'_>, like: &[&KnownImage]) {
        let region = context.region();
        if !self.is_official || self.repository.region != region {
            return;
        }
        let mut accounts: Vec<_> = like.iter().filter_map(|image| context.catalog.account_of(image, region)).collect();
        accounts.dedup();
        if let Some(account) = accounts.first().filter(|_| !accounts.contains(&self.repository.account.as_str())) {
            let message = format!("in {region}, `{}` is in account {account}, not in this one", self.repository.name);
            self.refuse(context, message);
        }
    }

    /// An error, or a warning of what is in nobody's account that hubform knows.
    fn refuse(&self, context: &mut Resolver<'_>, message: String) {
        let code = if self.is_official { Code::OtherImage } else { Code::UnknownImage };
        context.report(Diagnostic::new(code, message).at(self.place.span()).help(WAY_OUT));
    }
}
