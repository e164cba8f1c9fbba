//! Which container image, and which AMI its CUDA needs below it.
//!
//! For CUDA 13 the sources disagree: the SageMaker SDK 3.27.0 sets `gpu-4-1`, one set of guides ran vLLM on
//! `gpu-3-1`. hubform takes `gpu-4-1`: of the documented values it alone has a driver (580) that lists CUDA 13.0.
//! For CUDA 12.9 it takes `gpu-3-1`: the default AMI's driver fails on g5, and `gpu-4-1` is reported to leave the
//! endpoint creating for ever (aws/deep-learning-containers#6187).

use super::{
    Context,
    access::Repository,
    chooser::{Chooser, Fresh, What},
    hardware::{Chosen, engine_name},
    model::Served,
    pinned,
    references::Place,
};
use crate::{
    catalog::{AcceleratorKind, Arch, Image, ImageAccelerator, Verified},
    diagnostic::{Code, Diagnostic},
    manifest::Engine,
};

const CUDA_13_AMI: &str = "al2023-ami-sagemaker-inference-gpu-4-1";
/// Families that the SageMaker SDK 3.27.0 gives it to.
const CUDA_13_FAMILIES: [&str; 9] = ["g4dn", "g5", "g6", "g6e", "p4d", "p4de", "p5", "p5e", "p5en"];
const CUDA_12_9_AMI: &str = "al2-ami-sagemaker-inference-gpu-3-1";

/// The image a model runs in.
pub(super) struct Container {
    /// The full URI.
    pub(super) uri: String,
    /// Its repository, where it is one of ECR's.
    pub(super) repository: Option<Repository>,
    /// The AMI below it; none for the service's default.
    pub(super) ami: Option<String>,
}

/// The manifest's image, or the newest verified one of the engine; and its AMI.
pub(super) fn resolve(
    context: &mut Context<'_>,
    chooser: &mut Chooser,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
) -> Option<Container> {
    if let Some(image) = &served.spec.image {
        let place = served.place.at("image");
        let uri = context.substituted(image, &place);
        let repository = Repository::parse(&uri);
        check_region(context, repository.as_ref(), &place);
        refuse_public(context, &uri, &place);
        let ami = tag_of(&uri).and_then(cuda_of).and_then(|cuda| ami(context, chooser, cuda, chosen));
        return Some(Container { uri, repository, ami });
    }
    let accelerator = accelerator(context, served, chosen)?;
    let name = catalog_name(served.engine, accelerator);
    chooser.know("accelerator", input(accelerator));
    let catalog = context.catalog;
    let known = pinned::text("from a repository that hubform knows for its engine and devices", |value| {
        value.split_once(':').is_some_and(|(repository, tag)| {
            is_tag(tag) && catalog.images(name, accelerator).any(|image| image.repository == repository)
        })
    });
    let value = chooser.choose(context, What::IMAGE, known, |context| {
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
    warn_broken(context, served, accelerator);
    let ami = image.cuda.and_then(|cuda| ami(context, chooser, cuda, chosen));
    Some(Container { repository: Repository::parse(&uri), uri, ami })
}

/// The catalogue's row of a pinned image; for one it no longer has, its newest sibling's registries with the old tag.
fn pinned_image(context: &Context<'_>, name: &str, accelerator: ImageAccelerator, value: &str) -> Option<Image> {
    let (repository, tag) = value.split_once(':')?;
    let mut known = context.catalog.images(name, accelerator);
    if let Some(image) = known.find(|image| image.repository == repository && image.tag == tag) {
        return Some(image.clone());
    }
    let sibling = context.catalog.images(name, accelerator).filter(|image| image.repository == repository).last()?;
    Some(Image { tag: tag.to_owned(), cuda: cuda_of(tag), ..sibling.clone() })
}

/// What registries take for a tag: 128 letters, digits and `_.-`, of which the first is no `.` and no `-`.
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

fn catalog_name(engine: Engine, accelerator: ImageAccelerator) -> &'static str {
    match (engine, accelerator) {
        (Engine::Tei, ImageAccelerator::Cpu) => "huggingface-tei-cpu",
        (Engine::Tei, _) => "huggingface-tei",
        (Engine::Vllm, _) => "huggingface-vllm",
        _ => "huggingface",
    }
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
            "newest that the SageMaker SDK and the containers' repository agree on".to_owned()
        }
        _ => "newest that the SageMaker SDK names".to_owned(),
    }
}

fn accelerator(context: &mut Context<'_>, served: &Served<'_>, chosen: &Chosen<'_>) -> Option<ImageAccelerator> {
    let kind = chosen.facts.and_then(|instance| instance.accelerator.as_ref()).map(|a| a.kind);
    let arm = chosen.facts.is_some_and(|instance| instance.arch == Some(Arch::Arm64));
    match (kind, served.engine) {
        (None, _) if arm => {
            let message = format!("`{}` is an Arm machine, and there is no image for it", chosen.name);
            refuse(context, served, chosen, message, "name an x86 instance type such as ml.c7i.xlarge");
            None
        }
        (None, Engine::Vllm) => {
            let message = format!("`vllm` needs a GPU, and `{}` has none", chosen.name);
            refuse(context, served, chosen, message, "name a g5, g6, g6e or p instance type");
            None
        }
        (None, _) => Some(ImageAccelerator::Cpu),
        (Some(AcceleratorKind::Gpu), _) => Some(ImageAccelerator::Gpu),
        (Some(_), engine) => {
            let message = format!("`{}` does not run on the accelerators of `{}`", engine_name(engine), chosen.name);
            refuse(context, served, chosen, message, "Neuron engines are not supported yet; name a GPU instance type");
            None
        }
    }
}

fn refuse(context: &mut Context<'_>, served: &Served<'_>, chosen: &Chosen<'_>, message: String, help: &str) {
    let place = chosen.place.as_ref().unwrap_or(&served.place);
    context.report(Diagnostic::new(Code::WrongAccelerator, message).at(place.span()).help(help));
}

fn no_image(context: &mut Context<'_>, served: &Served<'_>, accelerator: ImageAccelerator) {
    let engine = engine_name(served.engine);
    let message = format!("no image of `{engine}` {} is known in {}", words(accelerator), context.region());
    let help = "say `image:` with one of your own, or deploy to another Region";
    context.report(Diagnostic::new(Code::ImageMissing, message).at(served.place.span()).help(help));
}

fn warn_broken(context: &mut Context<'_>, served: &Served<'_>, accelerator: ImageAccelerator) {
    if served.engine == Engine::Transformers && accelerator == ImageAccelerator::Gpu {
        let message = "the GPU images of `transformers` are reported to fail at start (PyTorch 2.3 to 2.6, July 2026)";
        let help = "take a CPU instance, or an `image` of your own";
        context.report(Diagnostic::new(Code::BrokenImage, message).at(served.place.span()).help(help));
    }
}

fn check_region(context: &mut Context<'_>, repository: Option<&Repository>, place: &Place<'_>) {
    let Some(repository) = repository.filter(|repository| repository.region != context.region()) else { return };
    let message = format!("the image is in {}, and SageMaker pulls only from its own Region", repository.region);
    let help = format!("copy it to a repository in {}; `${{region}}` in `image` keeps it right", context.region());
    context.report(Diagnostic::new(Code::ImageRegion, message).at(place.span()).help(help));
}

/// Registries that SageMaker cannot reach; one of the user's own, inside the VPC, it can.
const PUBLIC: [&str; 6] = ["docker.io", "public.ecr.aws", "ghcr.io", "quay.io", "nvcr.io", "registry.hub.docker.com"];

fn refuse_public(context: &mut Context<'_>, uri: &str, place: &Place<'_>) {
    let host = uri.split_once('/').map_or("", |(host, _)| host);
    if host.contains(['.', ':']) && !PUBLIC.contains(&host) {
        return;
    }
    let message = "the image is in a public registry, and SageMaker pulls only from ECR in its own Region";
    let help = format!("copy it to a repository in {}", context.region());
    context.report(Diagnostic::new(Code::ImageRegion, message).at(place.span()).help(help));
}

fn ami(context: &mut Context<'_>, chooser: &mut Chooser, cuda: (u32, u32), chosen: &Chosen<'_>) -> Option<String> {
    let instance = chosen.facts?;
    instance.accelerator.as_ref().filter(|accelerator| accelerator.kind == AcceleratorKind::Gpu)?;
    let (name, reason) = match cuda {
        (13.., _) => (CUDA_13_AMI, cuda_13(&instance.family)),
        (12, 9) => (CUDA_12_9_AMI, "the image has CUDA 12.9, which the default AMI's driver fails on".to_owned()),
        _ => return None,
    };
    chooser.know("cuda", format!("{}.{}", cuda.0, cuda.1));
    chooser.know("family", instance.family.as_str());
    // No list: which there are grows without hubform.
    let known = pinned::text("a name of letters, digits and `-`", |name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    let chosen = chooser.choose(context, What::AMI, known, |_| Some(Fresh::new(name, reason)))?;
    chosen.text().map(str::to_owned)
}

fn cuda_13(family: &str) -> String {
    let why = "the image has CUDA 13, and of the documented AMIs only this one has a driver for it";
    match CUDA_13_FAMILIES.contains(&family) {
        true => why.to_owned(),
        false => format!("{why}; the SageMaker SDK, where this is from, does not list {family}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{cuda_of, tag_of};

    #[test]
    fn cuda_is_read_from_tags() {
        assert_eq!(cuda_of("0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04"), Some((13, 0)));
        assert_eq!(cuda_of("2.0.1-tei1.8.2-cpu-py310-ubuntu22.04"), None);
        let uri = "registry:5000/voice/custom:custom-cu129@sha256:00";
        assert_eq!(tag_of(uri).and_then(cuda_of), Some((12, 9)));
    }
}
