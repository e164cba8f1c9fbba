//! vLLM: language models, one over several GPUs.

mod flags;

use super::{EngineRow, Flags, Platform, Sizing, Variables, location};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: EngineRow = EngineRow {
    word: manifest::Engine::Vllm,
    tasks: &["text-generation", "image-text-to-text"],
    // docs/models/supported_models.md: generation, pooling (embed, classify, score, token classification), transcription.
    serves: &[
        "any-to-any",
        "audio-text-to-text",
        "automatic-speech-recognition",
        "feature-extraction",
        "image-text-to-text",
        "sentence-similarity",
        "text-classification",
        "text-generation",
        "text-ranking",
        "token-classification",
        "video-text-to-text",
    ],
    version: "0.25.1",
    task_words: None,
    uses: &["context", "dtype", "quantization", "tensorParallel", "trustRemoteCode"],
    one_device: false,
    variables: &[],
    // vllm/envs.py.
    keys: &["VLLM_API_KEY"],
    // `_get_and_verify_max_len` in vllm/config/model.py.
    long_context: Some("VLLM_ALLOW_LONG_MAX_MODEL_LEN"),
    platforms: &[Platform {
        on: ImageAccelerator::Gpu,
        images: "huggingface-vllm",
        // AWS's own: the same variables (Deep Learning Containers, "vLLM on SageMaker AI").
        also: &["vllm"],
        capability: Some((8, 0)),
        broken: None,
    }],
    sizing: Sizing::Decoder,
    flags: Some(FLAGS),
    environment,
    half: Some("half"),
    startup: None,
};

/// The image makes each variable a flag with two dashes, and vLLM's parser also accepts abbreviations,
/// unless several flags begin so (Python's argparse): no beginning of the owned ones is a flag of its own, so all are
/// refused.
const FLAGS: Flags = Flags {
    prefix: "SM_VLLM_",
    owned: &[
        ("model", &["hub", "s3"]),
        ("revision", &["revision"]),
        ("dtype", &["dtype"]),
        ("tensor-parallel-size", &["tensorParallel"]),
        ("max-model-len", &["context"]),
        ("quantization", &["quantization"]),
        ("trust-remote-code", &["trustRemoteCode"]),
        ("host", &[]),
        // SageMaker asks on port 8080, without TLS, below no path: "Custom Inference Code with Hosting Services".
        ("port", &[]),
        ("uds", &[]),
        ("root-path", &[]),
        ("ssl-keyfile", &[]),
        ("ssl-certfile", &[]),
        ("headless", &[]),
        ("grpc", &[]),
    ],
    fixed: &[],
    keys: &["api-key"],
    abbreviates: true,
    memory: &[
        "cpu-offload-gb",
        "gpu-memory-utilization",
        "kv-cache-dtype",
        "kv-cache-memory-bytes",
        "pipeline-parallel-size",
    ],
    takes: flags::TAKES,
    // Those with `nargs="+"`; what takes JSON, like `allowed-origins`, is none. The entrypoint of 0.25.1 hands on a text.
    several: &[
        "allowed-media-domains",
        "cpu-offload-params",
        "cudagraph-capture-sizes",
        "device-ids",
        "ignore-patterns",
        "kv-cache-dtype-skip-layers",
        "logits-processors",
        "lora-modules",
        "lora-target-modules",
        "numa-bind-cpus",
        "numa-bind-nodes",
        "offload-params",
        "served-model-name",
    ],
    stretch: &["hf-overrides", "rope-scaling"],
};

fn environment(served: &Served<'_>, fit: &Fit) -> Variables {
    let spec = &served.spec;
    let mut set = location(served, "SM_VLLM_MODEL", "SM_VLLM_REVISION");
    let mut put = |flag: &str, value: Option<String>| {
        value.map(|value| set.insert(FLAGS.variable(flag), value));
    };
    put("host", Some("0.0.0.0".to_owned()));
    put("tensor-parallel-size", fit.tensor_parallel.map(|degree| degree.to_string()));
    put("max-model-len", fit.context.map(|tokens| tokens.to_string()));
    put("dtype", spec.dtype.clone().or(fit.dtype.map(str::to_owned)));
    put("quantization", spec.quantization.clone());
    put("trust-remote-code", spec.trust_remote_code.filter(|trust| *trust).map(|_| "true".to_owned()));
    set
}
