//! Text Embeddings Inference: encoders, on processors or one GPU.

use super::{Engine, Flags, Platform, Sizing, Variables, location};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: Engine = Engine {
    word: manifest::Engine::Tei,
    tasks: &["feature-extraction"],
    platforms: &[
        Platform { on: ImageAccelerator::Cpu, images: "huggingface-tei-cpu", capability: None, broken: None },
        Platform { on: ImageAccelerator::Gpu, images: "huggingface-tei", capability: Some((7, 5)), broken: None },
    ],
    sizing: Sizing::Encoder,
    flags: Some(FLAGS),
    environment,
    half: None,
    startup: Some((10, "an encoder is up within minutes")),
};

/// The image reads the `HF_` variables and puts them into the others (`sagemaker-entrypoint.sh`).
const FLAGS: Flags = Flags {
    prefix: "",
    owned: &[
        ("hf-model-id", &["hub", "s3"]),
        ("model-id", &["hub", "s3"]),
        ("hf-model-revision", &["revision"]),
        ("revision", &["revision"]),
        ("dtype", &["dtype"]),
    ],
    abbreviates: false,
    memory: &[],
};

fn environment(served: &Served<'_>, _: &Fit) -> Variables {
    let mut set = location(served, "HF_MODEL_ID", "HF_MODEL_REVISION");
    served.spec.dtype.clone().map(|dtype| set.insert("DTYPE".to_owned(), dtype));
    set
}
