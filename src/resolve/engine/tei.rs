//! Text Embeddings Inference: encoders, on processors or one GPU.

use super::{EngineRow, Flags, Platform, Sizing, Takes, Variables, Words, location, words::FORMATS};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: EngineRow = EngineRow {
    word: manifest::Engine::Tei,
    tasks: &["feature-extraction"],
    // Its README, "Supported models": embeddings, sparse ones (SPLADE, of models that fill masks), re-rankers, sequence
    // classification.
    serves: &["feature-extraction", "sentence-similarity", "fill-mask", "text-classification", "text-ranking"],
    version: "1.8.2",
    task_words: None,
    uses: &["dtype"],
    // `Device::new_cuda(0)` in backends/candle, and text-embeddings-inference#87 and #349.
    one_device: true,
    variables: &[],
    keys: &[],
    long_context: None,
    platforms: &[
        Platform {
            on: ImageAccelerator::Cpu,
            images: "huggingface-tei-cpu",
            also: &[],
            capability: None,
            broken: None,
        },
        Platform {
            on: ImageAccelerator::Gpu,
            images: "huggingface-tei",
            also: &[],
            capability: Some((7, 5)),
            broken: None,
        },
    ],
    sizing: Sizing::Encoder,
    flags: Some(FLAGS),
    environment,
    half: None,
    startup: Some((10, "an encoder is up within minutes")),
};

/// The image reads the `HF_` variables and puts them into the others, and starts the server with `--port 8080`
/// (`sagemaker-entrypoint.sh` of v1.8.2). Flags, and the variables that clap reads for them: `router/src/main.rs` there.
const FLAGS: Flags = Flags {
    prefix: "",
    owned: &[
        ("hf-model-id", &["hub", "s3"]),
        ("model-id", &["hub", "s3"]),
        ("hf-model-revision", &["revision"]),
        ("revision", &["revision"]),
        ("dtype", &["dtype"]),
        ("hostname", &[]),
        ("port", &[]),
        ("uds-path", &[]),
    ],
    fixed: &["port"],
    keys: &["api-key"],
    abbreviates: false,
    memory: &[],
    takes: &[
        ("dtype", Takes::Word(&DTYPE)),
        ("pooling", Takes::Word(&POOLING)),
        ("max-batch-requests", Takes::Whole(1)),
        ("max-batch-tokens", Takes::Whole(1)),
        ("max-client-batch-size", Takes::Whole(1)),
        ("max-concurrent-requests", Takes::Whole(1)),
        ("payload-limit", Takes::Whole(1)),
        ("prometheus-port", Takes::Port),
        ("tokenization-workers", Takes::Whole(1)),
    ],
    several: &[],
    stretch: &[],
};

/// `backends/src/dtype.rs`: bfloat16 is the Python backend's, and both images are built with others (`Dockerfile`:
/// ort, candle, mkl; `Dockerfile-cuda-all`: candle-cuda).
static DTYPE: Words = Words {
    list: &["float16", "float32"],
    meant: FORMATS,
    settled: true,
    older: &[],
    needs: &[],
    way_out: "",
    plugin: None,
};

/// `Pool` in `backends/core/src/lib.rs`, as clap spells it.
static POOLING: Words = Words {
    list: &["cls", "mean", "splade", "last-token"],
    meant: &[("last", "last-token"), ("lasttoken", "last-token"), ("average", "mean"), ("avg", "mean")],
    settled: true,
    older: &[],
    needs: &[],
    way_out: "",
    plugin: None,
};

fn environment(served: &Served<'_>, _: &Fit) -> Variables {
    let mut set = location(served, "HF_MODEL_ID", "HF_MODEL_REVISION");
    served.spec.dtype.clone().map(|dtype| set.insert("DTYPE".to_owned(), dtype));
    set
}
