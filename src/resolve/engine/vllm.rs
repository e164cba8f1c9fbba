//! vLLM: language models, one over several GPUs.

use super::{Engine, Flags, Platform, Sizing, Variables, location};
use crate::{
    catalog::ImageAccelerator,
    manifest,
    resolve::{hardware::Fit, model::Served},
};

pub(super) static ENGINE: Engine = Engine {
    word: manifest::Engine::Vllm,
    tasks: &["text-generation", "image-text-to-text"],
    platforms: &[Platform {
        on: ImageAccelerator::Gpu,
        images: "huggingface-vllm",
        capability: Some((8, 0)),
        broken: None,
    }],
    sizing: Sizing::Decoder,
    flags: Some(FLAGS),
    environment,
    half: Some("half"),
    startup: None,
};

/// The image makes each variable a flag with two dashes, and vLLM's parser takes such a flag by its beginning, too,
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
    ],
    abbreviates: true,
    memory: &[
        "cpu-offload-gb",
        "gpu-memory-utilization",
        "kv-cache-dtype",
        "kv-cache-memory-bytes",
        "pipeline-parallel-size",
    ],
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
