//! The Hugging Face inference toolkit: whatever a pipeline of Transformers does.

use super::{EngineRow, Platform, Sizing, Variables, Words, location};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{
        hardware::Fit,
        model::{Served, Weights},
    },
};

pub(super) static ENGINE: EngineRow = EngineRow {
    word: manifest::Engine::Transformers,
    tasks: &["automatic-speech-recognition"],
    serves: &[],
    version: "5.5.3",
    task_words: Some(&TASKS),
    uses: &["trustRemoteCode"],
    // Its model server starts a worker for each device (Multi Model Server, `default_workers_per_model`).
    one_device: false,
    variables: &[
        ("HF_MODEL_ID", &["hub", "s3"]),
        ("HF_MODEL_REVISION", &["revision"]),
        ("HF_TASK", &["task"]),
        ("HF_TRUST_REMOTE_CODE", &["trustRemoteCode"]),
        // Where the model server listens (sagemaker-inference-toolkit, `environment.py`).
        ("SAGEMAKER_BIND_TO_PORT", &[]),
    ],
    keys: &[],
    long_context: None,
    platforms: &[
        Platform { on: ImageAccelerator::Cpu, images: "huggingface", also: &[], capability: None, broken: None },
        Platform {
            on: ImageAccelerator::Gpu,
            images: "huggingface",
            also: &[],
            capability: None,
            broken: Some((
                "the GPU images of `transformers` are reported to fail at start (PyTorch 2.3 to 2.6, July 2026)",
                "use a CPU instance, or your own `image`",
            )),
        },
    ],
    sizing: Sizing::Encoder,
    flags: None,
    environment,
    half: None,
    startup: None,
};

/// `SUPPORTED_TASKS` and `TASK_ALIASES` in transformers/pipelines/__init__.py of 5.5.3 (`older`: of 4.51.3, and
/// `conversational` of those before), to which the toolkit hands `HF_TASK` as it is; and `text-to-image`, which it gives
/// to Diffusers (sagemaker-huggingface-inference-toolkit, `handler_service.py`).
static TASKS: Words = Words {
    list: &[
        "any-to-any",
        "audio-classification",
        "automatic-speech-recognition",
        "depth-estimation",
        "document-question-answering",
        "feature-extraction",
        "fill-mask",
        "image-classification",
        "image-feature-extraction",
        "image-segmentation",
        "image-text-to-text",
        "keypoint-matching",
        "mask-generation",
        "ner",
        "object-detection",
        "sentiment-analysis",
        "table-question-answering",
        "text-classification",
        "text-generation",
        "text-to-audio",
        "text-to-image",
        "text-to-speech",
        "token-classification",
        "video-classification",
        "zero-shot-audio-classification",
        "zero-shot-classification",
        "zero-shot-image-classification",
        "zero-shot-object-detection",
    ],
    older: &[
        "conversational",
        "image-to-image",
        "image-to-text",
        "question-answering",
        "summarization",
        "text2text-generation",
        "translation",
        "visual-question-answering",
        "vqa",
    ],
    meant: &[("asr", "automatic-speech-recognition"), ("tts", "text-to-speech"), ("embeddings", "feature-extraction")],
    settled: false,
    needs: &[],
    way_out: "",
    plugin: None,
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
