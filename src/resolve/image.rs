//! Which container image, and which AMI its CUDA needs below it.

mod named;

use super::{
    Resolver,
    access::Repository,
    chooser::{ChoiceKind, Chooser, Fresh},
    engine::Platform,
    hardware::Chosen,
    model::Served,
    pinned,
    references::FieldPlace,
};
use crate::{
    catalog::{
        AcceleratorKind, AmiReport, Arch, Catalog, EngineVersion, Image, ImageAccelerator, InferenceAmi, Verified,
    },
    diagnostic::{Code, Diagnostic},
};

const X86: &str = "use an x86 instance type such as ml.c7i.xlarge";
/// The way out where an engine needs a GPU.
pub(super) const GPU: &str = "use a g5, g6, g6e or p instance type";

/// The image a model runs in.
pub(super) struct Container {
    /// The full URI.
    pub(super) uri: String,
    /// Its repository, where it is one of ECR's.
    pub(super) repository: Option<Repository>,
    /// The engine's version in it, where a table says.
    pub(super) version: Option<EngineVersion>,
    /// The AMI below it; none for the service's default.
    pub(super) ami: Option<String>,
}

/// The manifest's image, or the newest verified one of the engine; and its AMI.
pub(super) fn resolve(
    context: &mut Resolver<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
) -> Option<Container> {
    if let Some(image) = &served.spec.image {
        let place = served.place.at("image");
        let uri = context.substituted(image, &place);
        let repository = Repository::parse(&uri);
        check_region(context, repository.as_ref(), &place);
        refuse_other_registry(context, &uri, &place);
        let ami = tag_of(&uri).and_then(cuda_of).and_then(|cuda| ami(context, chooser, cuda, chosen));
        let version = named::check(context, served, chosen, (&uri, repository.as_ref(), &place));
        return Some(Container { uri, repository, version, ami });
    }
    let platform = platform(context, served, chosen)?;
    let (name, accelerator) = (platform.images, platform.on);
    chooser.know("accelerator", input(accelerator));
    let catalog = context.catalog;
    let known = pinned::text("from a repository that hubform knows for its engine and devices", |value| {
        value.split_once(':').is_some_and(|(repository, tag)| {
            is_tag(tag) && catalog.images(name, accelerator).any(|image| image.repository == repository)
        })
    });
    let value = chooser.choose(context, ChoiceKind::IMAGE, known, |context| {
        let image = context.catalog.newest_image(name, accelerator)?;
        Some(Fresh::new(format!("{}:{}", image.repository, image.tag), why(image)))
    });
    let value = value.as_ref().and_then(|value| value.text());
    let found = value.and_then(|value| pinned_image(context, name, accelerator, value));
    let uri = found.as_ref().and_then(|image| context.catalog.image_uri(image, context.region()));
    let (Some(image), Some(uri)) = (found, uri) else {
        no_image(context, served, accelerator);
        return None;
    };
    if let Some((message, help)) = platform.broken {
        context.report(Diagnostic::new(Code::BrokenImage, message).at(served.place.span()).help(help));
    }
    let ami = image.cuda.and_then(|cuda| ami(context, chooser, cuda, chosen));
    let known = context.catalog.images(name, accelerator).find(|known| known.tag == image.tag);
    let version = known.map(|known| known.version.clone());
    Some(Container { repository: Repository::parse(&uri), uri, version, ami })
}

/// The catalogue's row of a pinned image; for one it no longer has, its newest sibling's registries with the old tag.
fn pinned_image(context: &Resolver<'_>, name: &str, accelerator: ImageAccelerator, value: &str) -> Option<Image> {
    let (repository, tag) = value.split_once(':')?;
    let mut known = context.catalog.images(name, accelerator);
    if let Some(image) = known.find(|image| image.repository == repository && image.tag == tag) {
        return Some(image.clone());
    }
    let sibling = context.catalog.images(name, accelerator).filter(|image| image.repository == repository).last()?;
    Some(Image { tag: tag.to_owned(), cuda: cuda_of(tag), ..sibling.clone() })
}

/// What registries accept as a tag: 128 letters, digits and `_.-`, of which the first is no `.` and no `-`.
fn is_tag(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with(['.', '-'])
}

/// `(13, 0)` of `…-cu130-…`.
fn cuda_of(tag: &str) -> Option<(u32, u32)> {
    tag.split('-').find_map(|part| {
        let digits = part.strip_prefix("cu")?;
        let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

/// `3` of `registry:5000/voice:3@sha256:…`.
fn tag_of(uri: &str) -> Option<&str> {
    let name = uri.split('@').next()?;
    name.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag)
}

fn words(accelerator: ImageAccelerator) -> &'static str {
    match accelerator {
        ImageAccelerator::Cpu => "on processors",
        ImageAccelerator::Gpu => "on GPUs",
        ImageAccelerator::Neuron => "on Neuron",
    }
}

fn input(accelerator: ImageAccelerator) -> &'static str {
    match accelerator {
        ImageAccelerator::Cpu => "cpu",
        ImageAccelerator::Gpu => "gpu",
        ImageAccelerator::Neuron => "neuron",
    }
}

fn why(image: &Image) -> String {
    match image.verified {
        Verified::SdkAndRepository => {
            "newest listed by both the SageMaker SDK and the containers' repository".to_owned()
        }
        _ => "newest listed by the SageMaker SDK".to_owned(),
    }
}

/// The engine's images for the devices of the instance.
fn platform(context: &mut Resolver<'_>, served: &Served<'_>, chosen: &Chosen<'_>) -> Option<&'static Platform> {
    let (engine, instance) = (served.engine, &chosen.name);
    let accelerator = chosen.facts.and_then(|facts| facts.accelerator.as_ref()).map(|accelerator| accelerator.kind);
    let arm = chosen.facts.is_some_and(|facts| facts.arch == Some(Arch::Arm64));
    let on = match accelerator {
        None => Some(ImageAccelerator::Cpu),
        Some(AcceleratorKind::Gpu) => Some(ImageAccelerator::Gpu),
        Some(AcceleratorKind::Neuron) => Some(ImageAccelerator::Neuron),
        Some(AcceleratorKind::Gaudi | AcceleratorKind::Qualcomm) => None,
    };
    let found = on.and_then(|on| engine.platform(on));
    let (message, help) = match (accelerator, found) {
        (None, _) if arm => (format!("`{instance}` is an Arm machine, for which there is no image"), X86),
        (_, Some(platform)) => return Some(platform),
        (None, None) => (format!("`{engine}` needs a GPU, and `{instance}` has none"), GPU),
        (Some(_), None) => {
            let neuron = "Neuron engines are not supported yet; use a GPU instance type";
            let help = engine.platform(ImageAccelerator::Gpu).map_or(X86, |_| neuron);
            (format!("`{engine}` does not run on the accelerators of `{instance}`"), help)
        }
    };
    let place = chosen.place.as_ref().unwrap_or(&served.place);
    context.report(Diagnostic::new(Code::WrongAccelerator, message).at(place.span()).help(help));
    None
}

fn no_image(context: &mut Resolver<'_>, served: &Served<'_>, accelerator: ImageAccelerator) {
    let engine = served.engine;
    let message = format!("no image of `{engine}` {} is known in {}", words(accelerator), context.region());
    let help = "set `image:` to one of your own, or deploy to another Region";
    context.report(Diagnostic::new(Code::ImageMissing, message).at(served.place.span()).help(help));
}

fn check_region(context: &mut Resolver<'_>, repository: Option<&Repository>, place: &FieldPlace<'_>) {
    let Some(repository) = repository.filter(|repository| repository.region != context.region()) else { return };
    let message = format!("the image is in {}, but SageMaker pulls only from its own Region", repository.region);
    let help = format!("copy it to a repository in {}; `${{region}}` in `image` keeps it right", context.region());
    context.report(Diagnostic::new(Code::ImageRegion, message).at(place.span()).help(help));
}

/// SageMaker pulls from ECR, unless the model's `ImageConfig` says `RepositoryAccessMode: Vpc` (SageMaker API, D), for
/// which there is no field: only an override can set it.
fn refuse_other_registry(context: &mut Resolver<'_>, uri: &str, place: &FieldPlace<'_>) {
    if Repository::parse(uri).is_some() || overrides_image_config(context) {
        return;
    }
    let host = uri.split_once('/').map_or("", |(host, _)| host);
    let whose = match host.contains(['.', ':']) {
        true => format!("the registry `{host}`"),
        false => "Docker Hub".to_owned(),
    };
    let message = format!("the image is in {whose}, but SageMaker pulls only from ECR in its own Region");
    let help = format!("copy it to a repository in {}", context.region());
    context.report(Diagnostic::new(Code::ImageRegion, message).at(place.span()).help(help));
}

fn overrides_image_config(context: &Resolver<'_>) -> bool {
    context
        .documents
        .values()
        .any(|document| document.origin.raw()["spec"]["overrides"].to_string().contains("ImageConfig"))
}

fn ami(context: &mut Resolver<'_>, chooser: &mut Chooser, cuda: (u32, u32), chosen: &Chosen<'_>) -> Option<String> {
    let instance = chosen.facts?;
    instance.accelerator.as_ref().filter(|accelerator| accelerator.kind == AcceleratorKind::Gpu)?;
    chooser.know("cuda", format!("{}.{}", cuda.0, cuda.1));
    chooser.know("family", instance.family.as_str());
    // No list: which there are grows without hubform.
    let known = pinned::text("a name of letters, digits and `-`", |name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    let chosen = chooser.choose(context, ChoiceKind::AMI, known, |context| {
        let ami = ami_for(context.catalog, cuda)?;
        Some(Fresh::new(ami.name.as_str(), why_ami(context.catalog, ami, cuda, &instance.family)))
    })?;
    chosen.text().map(str::to_owned)
}

/// Where the service's default AMI is said to fail below a CUDA version: of those that are said to work the one with the
/// newest driver. For CUDA 13 the sources disagree (the SageMaker SDK sets `gpu-4-1`, others ran vLLM on `gpu-3-1`), and of
/// the documented values `gpu-4-1` alone has a driver that lists CUDA 13.0.
fn ami_for(catalog: &Catalog, cuda: (u32, u32)) -> Option<&InferenceAmi> {
    catalog.ami_reports(cuda).find(|report| report.ami.is_none() && !report.works)?;
    let works = |ami: &&InferenceAmi| said_of(catalog, ami, cuda).any(|report| report.works);
    catalog.inference_amis().iter().filter(works).max_by_key(|ami| ami.cuda)
}

fn said_of<'c>(catalog: &'c Catalog, ami: &'c InferenceAmi, cuda: (u32, u32)) -> impl Iterator<Item = &'c AmiReport> {
    catalog.ami_reports(cuda).filter(|report| report.ami.as_ref() == Some(&ami.name))
}

fn why_ami(catalog: &Catalog, ami: &InferenceAmi, cuda: (u32, u32), family: &str) -> String {
    let (major, minor) = cuda;
    let drives = |other: &InferenceAmi| other.cuda.is_some_and(|(newest, _)| newest >= major);
    if catalog.inference_amis().iter().any(|other| other != ami && drives(other)) {
        return format!("the image has CUDA {major}.{minor}, which the default AMI's driver fails on");
    }
    let why = format!("the image has CUDA {major}; of the documented AMIs only this one has a driver for it");
    let mut listed = said_of(catalog, ami, cuda).flat_map(|report| &report.families);
    match listed.any(|listed| listed == family) {
        true => why,
        false => format!("{why}; the SageMaker SDK, the source of this, does not list {family}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{ami_for, cuda_of, tag_of, why_ami};
    use crate::catalog::Catalog;

    #[test]
    fn cuda_is_read_from_tags() {
        assert_eq!(cuda_of("0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04"), Some((13, 0)));
        assert_eq!(cuda_of("2.0.1-tei1.8.2-cpu-py310-ubuntu22.04"), None);
        let uri = "registry:5000/voice/custom:custom-cu129@sha256:00";
        assert_eq!(tag_of(uri).and_then(cuda_of), Some((12, 9)));
    }

    #[test]
    fn an_ami_is_chosen_by_what_is_said_of_it() {
        let catalog = Catalog::embedded();
        let newest = "al2023-ami-sagemaker-inference-gpu-4-1";
        let chosen = [
            ((12, 8), None),
            ((12, 9), Some("al2-ami-sagemaker-inference-gpu-3-1")),
            ((13, 0), Some(newest)),
            ((13, 2), Some(newest)),
        ];
        for (cuda, name) in chosen {
            assert_eq!(ami_for(catalog, cuda).map(|ami| ami.name.as_str()), name, "{cuda:?}");
        }
        let why = |cuda, family| ami_for(catalog, cuda).map(|ami| why_ami(catalog, ami, cuda, family));
        let only = "the image has CUDA 13; of the documented AMIs only this one has a driver for it";
        assert_eq!(why((13, 0), "g6"), Some(only.to_owned()));
        let elsewhere = format!("{only}; the SageMaker SDK, the source of this, does not list g7e");
        assert_eq!(why((13, 0), "g7e"), Some(elsewhere));
        let fails = "the image has CUDA 12.9, which the default AMI's driver fails on";
        assert_eq!(why((12, 9), "g5"), Some(fails.to_owned()));
    }
}
