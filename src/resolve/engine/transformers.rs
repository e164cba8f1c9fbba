//! The Hugging Face inference toolkit: whatever a pipeline of Transformers does.

use super::{Engine, Platform, Sizing, Variables, location};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{
        hardware::Fit,
        model::{Served, Weights},
    },
};

pub(super) static ENGINE: Engine = Engine {
    word: manifest::Engine::Transformers,
    tasks: &["automatic-speech-recognition"],
    platforms: &[
        Platform { on: ImageAccelerator::Cpu, images: "huggingface", capability: None, broken: None },
        Platform {
            on: ImageAccelerator::Gpu,
            images: "huggingface",
            capability: None,
            broken: Some((
                "the GPU images of `transformers` are reported to fail at start (PyTorch 2.3 to 2.6, July 2026)",
                "take a CPU instance, or an `image` of your own",
            )),
        },
    ],
    sizing: Sizing::Encoder,
    flags: None,
    environment,
    half: None,
    startup: None,
};

/// Weights from S3 it finds by itself.
fn environment(served: &Served<'_>, _: &Fit) -> Variables {
    let mut set = match served.weights {
        Weights::Hub { .. } => location(served, "HF_MODEL_ID", "HF_MODEL_REVISION"),
        Weights::S3 { .. } => Variables::new(),
    };
    served.task.clone().map(|task| set.insert("HF_TASK".to_owned(), task));
    let trust = served.spec.trust_remote_code.filter(|trust| *trust);
    trust.map(|_| set.insert("HF_TRUST_REMOTE_CODE".to_owned(), "true".to_owned()));
    set
}
