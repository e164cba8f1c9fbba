//! What the flags of vLLM take: `EngineArgs` in vllm/engine/arg_utils.py and `FrontendArgs` in
//! vllm/entrypoints/openai/cli_args.py of 0.25.1, with bounds and words from vllm/config. A flag that takes free text, a path,
//! JSON, or just stands there is not listed.

use super::super::{Takes, Words, words::FORMATS};

pub(super) static TAKES: &[(&str, Takes)] = &[
    ("all2all-backend", Takes::Word(&ALL2ALL)),
    ("api-server-count", Takes::Whole(1)),
    ("block-size", Takes::Whole(1)),
    ("chat-template-content-format", Takes::Word(&CHAT_FORMAT)),
    ("config-format", Takes::Word(&CONFIG_FORMAT)),
    ("convert", Takes::Word(&CONVERT)),
    ("cpu-distributed-timeout-seconds", Takes::Whole(i64::MIN)),
    ("cpu-offload-gb", Takes::Number(0.0)),
    ("data-parallel-rank", Takes::Whole(0)),
    ("data-parallel-size", Takes::Whole(1)),
    ("data-parallel-size-local", Takes::Whole(0)),
    ("dbo-decode-token-threshold", Takes::Whole(0)),
    ("dbo-prefill-token-threshold", Takes::Whole(0)),
    ("decode-context-parallel-size", Takes::Whole(1)),
    ("distributed-timeout-seconds", Takes::Whole(i64::MIN)),
    ("dtype", Takes::Word(&DTYPE)),
    ("gpu-memory-utilization", Takes::Share),
    ("kv-cache-dtype", Takes::Word(&KV_CACHE)),
    ("kv-cache-memory-bytes", Takes::Scaled(i64::MIN)),
    ("kv-cache-metrics-sample", Takes::Number(0.0)),
    ("kv-offloading-size", Takes::Number(f64::MIN)),
    ("load-format", Takes::Word(&LOAD_FORMAT)),
    ("logprobs-mode", Takes::Word(&LOGPROBS)),
    ("long-prefill-token-threshold", Takes::Whole(0)),
    ("lora-dtype", Takes::Word(&LORA_DTYPE)),
    ("mamba-block-size", Takes::Whole(1)),
    ("mamba-cache-dtype", Takes::Word(&MAMBA_DTYPE)),
    ("mamba-cache-mode", Takes::Word(&MAMBA_MODE)),
    ("mamba-ssm-cache-dtype", Takes::Word(&MAMBA_DTYPE)),
    ("max-cpu-loras", Takes::Whole(i64::MIN)),
    ("max-cudagraph-capture-size", Takes::Whole(i64::MIN)),
    ("max-log-len", Takes::Whole(i64::MIN)),
    ("max-logprobs", Takes::Whole(-1)),
    ("max-long-partial-prefills", Takes::Whole(1)),
    ("max-lora-rank", Takes::Word(&LORA_RANK)),
    ("max-loras", Takes::Whole(1)),
    ("max-model-len", Takes::Length),
    ("max-num-batched-tokens", Takes::Scaled(1)),
    ("max-num-partial-prefills", Takes::Whole(1)),
    ("max-num-seqs", Takes::Whole(1)),
    ("max-parallel-loading-workers", Takes::Whole(1)),
    ("mm-encoder-fp8-scale-save-margin", Takes::Number(0.0)),
    ("mm-ipc-gpu-memory-gb", Takes::Number(0.0)),
    ("mm-processor-cache-gb", Takes::Number(0.0)),
    ("mm-shm-cache-max-object-size-mb", Takes::Whole(0)),
    ("model-impl", Takes::Word(&MODEL_IMPL)),
    ("moe-backend", Takes::Word(&MOE_BACKEND)),
    ("nnodes", Takes::Whole(1)),
    ("node-rank", Takes::Whole(0)),
    ("num-gpu-blocks-override", Takes::Whole(i64::MIN)),
    ("offload-group-size", Takes::Whole(0)),
    ("offload-num-in-group", Takes::Whole(1)),
    ("offload-prefetch-step", Takes::Whole(1)),
    ("pipeline-parallel-size", Takes::Whole(1)),
    ("prefill-context-parallel-size", Takes::Whole(1)),
    ("prefill-schedule-interval", Takes::Whole(1)),
    ("prefix-caching-hash-algo", Takes::Word(&HASH)),
    ("quantization", Takes::Word(&QUANTIZATION)),
    ("reasoning-parser", Takes::Word(&REASONING_PARSER)),
    ("renderer-num-workers", Takes::Whole(i64::MIN)),
    ("runner", Takes::Word(&RUNNER)),
    ("safetensors-prefetch-block-size", Takes::Scaled(i64::MIN)),
    ("safetensors-prefetch-num-threads", Takes::Whole(0)),
    ("scheduling-policy", Takes::Word(&SCHEDULING)),
    ("seed", Takes::Whole(i64::MIN)),
    ("shutdown-timeout", Takes::Whole(i64::MIN)),
    ("spec-tokens", Takes::Whole(i64::MIN)),
    ("stream-interval", Takes::Whole(1)),
    ("tensor-parallel-size", Takes::Whole(1)),
    ("tokenizer-mode", Takes::Word(&TOKENIZER_MODE)),
    ("tool-call-parser", Takes::Word(&TOOL_PARSER)),
    ("ubatch-size", Takes::Whole(0)),
    ("uvicorn-log-level", Takes::Word(&LOG_LEVEL)),
    ("video-pruning-rate", Takes::Number(0.0)),
    ("watermark", Takes::Number(0.0)),
];

/// Defaults of a list of words.
const NOTHING: Words =
    Words { list: &[], older: &[], meant: &[], settled: false, needs: &[], way_out: "", plugin: None };

/// `ModelDType`; `check_if_supports_dtype` in vllm/platforms/cuda.py.
static DTYPE: Words = Words {
    list: &["auto", "half", "float16", "bfloat16", "float", "float32"],
    meant: FORMATS,
    settled: true,
    needs: &[("bfloat16", (8, 0))],
    way_out: "use `half`",
    ..NOTHING
};

/// `QuantizationMethods`, and `get_min_capability` of each beside it, which vllm/config/vllm.py checks against the GPU;
/// older: of the list at commit 0034007 (August 2025).
static QUANTIZATION: Words = Words {
    list: &[
        "awq",
        "auto_awq",
        "fp8",
        "fbgemm_fp8",
        "fp_quant",
        "modelopt",
        "modelopt_fp4",
        "modelopt_mxfp8",
        "modelopt_mixed",
        "auto_gptq",
        "gptq",
        "gptq_marlin",
        "awq_marlin",
        "humming",
        "compressed-tensors",
        "bitsandbytes",
        "experts_int8",
        "quark",
        "moe_wna16",
        "torchao",
        "inc",
        "mxfp4",
        "gpt_oss_mxfp4",
        "deepseek_v4_fp8",
        "online",
        "fp8_per_tensor",
        "fp8_per_block",
        "fp8_per_channel",
        "int8_per_channel_weight_only",
        "mxfp8",
    ],
    older: &[
        "aqlm",
        "auto-round",
        "bitblas",
        "deepgemm_fp8",
        "deepspeedfp",
        "gguf",
        "gptq_bitblas",
        "gptq_marlin_24",
        "hqq",
        "ipex",
        "marlin",
        "neuron_quant",
        "ptpc_fp8",
        "qqq",
        "tpu_int8",
    ],
    meant: &[
        ("int4", "awq"),
        ("fp4", "modelopt_fp4"),
        ("nvfp4", "modelopt_fp4"),
        ("bnb", "bitsandbytes"),
        ("compressed_tensors", "compressed-tensors"),
    ],
    needs: &[
        ("auto_awq", (7, 5)),
        ("awq", (7, 5)),
        ("awq_marlin", (7, 5)),
        ("experts_int8", (8, 0)),
        ("fbgemm_fp8", (8, 0)),
        ("fp8", (7, 5)),
        ("fp_quant", (10, 0)),
        ("gpt_oss_mxfp4", (8, 0)),
        ("humming", (7, 5)),
        ("modelopt", (8, 9)),
        ("modelopt_fp4", (7, 5)),
        ("modelopt_mixed", (7, 5)),
        ("modelopt_mxfp8", (8, 0)),
        ("mxfp4", (8, 0)),
        ("online", (7, 5)),
        ("torchao", (7, 5)),
    ],
    way_out: "use another quantization",
    ..NOTHING
};

/// `CacheDType`.
static KV_CACHE: Words = Words {
    list: &[
        "auto",
        "float16",
        "bfloat16",
        "fp8",
        "fp8_e4m3",
        "fp8_e5m2",
        "fp8_inc",
        "fp8_ds_mla",
        "turboquant_k8v4",
        "turboquant_4bit_nc",
        "turboquant_k3v4_nc",
        "turboquant_3bit_nc",
        "int4_per_token_head",
        "int8_per_token_head",
        "fp8_per_token_head",
        "nvfp4",
    ],
    meant: &[("fp16", "float16"), ("bf16", "bfloat16"), ("e4m3", "fp8_e4m3"), ("e5m2", "fp8_e5m2")],
    ..NOTHING
};

/// `MambaDType`.
static MAMBA_DTYPE: Words = Words { list: &["auto", "float32", "float16", "bfloat16"], meant: FORMATS, ..NOTHING };

/// `LoRADType`.
static LORA_DTYPE: Words = Words { list: &["auto", "float16", "bfloat16"], meant: FORMATS, ..NOTHING };

/// `MaxLoRARanks`.
static LORA_RANK: Words = Words { list: &["1", "8", "16", "32", "64", "128", "256", "320", "512"], ..NOTHING };

/// `LoadFormats`.
static LOAD_FORMAT: Words = Words {
    list: &[
        "auto",
        "hf",
        "bitsandbytes",
        "dummy",
        "fastsafetensors",
        "instanttensor",
        "mistral",
        "modelexpress",
        "npcache",
        "pt",
        "runai_streamer",
        "runai_streamer_sharded",
        "safetensors",
        "sharded_state",
        "tensorizer",
    ],
    older: &["gguf"],
    meant: &[("st", "safetensors"), ("bnb", "bitsandbytes"), ("bin", "pt"), ("pytorch", "pt")],
    ..NOTHING
};

/// `TokenizerMode`.
static TOKENIZER_MODE: Words =
    Words { list: &["auto", "hf", "slow", "mistral", "deepseek_v32", "deepseek_v4"], older: &["custom"], ..NOTHING };

/// `RunnerOption`.
static RUNNER: Words = Words {
    list: &["auto", "generate", "pooling", "draft"],
    meant: &[("embed", "pooling"), ("generation", "generate"), ("pool", "pooling")],
    ..NOTHING
};

/// `ConvertOption`.
static CONVERT: Words = Words { list: &["auto", "none", "embed", "classify"], older: &["reward"], ..NOTHING };

/// `ConfigFormat`.
static CONFIG_FORMAT: Words = Words { list: &["auto", "hf", "mistral"], ..NOTHING };

/// `ModelImpl`.
static MODEL_IMPL: Words = Words { list: &["auto", "vllm", "transformers", "terratorch"], ..NOTHING };

/// `SchedulerPolicy`.
static SCHEDULING: Words = Words { list: &["fcfs", "priority"], ..NOTHING };

/// `All2AllBackend`.
static ALL2ALL: Words = Words {
    list: &[
        "naive",
        "pplx",
        "deepep_high_throughput",
        "deepep_low_latency",
        "deepep_v2",
        "mori_high_throughput",
        "mori_low_latency",
        "nixl_ep",
        "allgather_reducescatter",
        "flashinfer_all2allv",
        "flashinfer_nvlink_two_sided",
        "flashinfer_nvlink_one_sided",
    ],
    ..NOTHING
};

/// `MoEBackend`.
static MOE_BACKEND: Words = Words {
    list: &[
        "auto",
        "triton",
        "deep_gemm",
        "deep_gemm_mega_moe",
        "cutlass",
        "flashinfer_trtllm",
        "flashinfer_cutlass",
        "flashinfer_cutedsl",
        "flashinfer_b12x",
        "marlin",
        "humming",
        "triton_unfused",
        "aiter",
        "flydsl",
        "hpc",
        "emulation",
    ],
    ..NOTHING
};

/// `LogprobsMode`.
static LOGPROBS: Words =
    Words { list: &["raw_logits", "raw_logprobs", "processed_logits", "processed_logprobs"], ..NOTHING };

/// `PrefixCachingHashAlgo`.
static HASH: Words = Words { list: &["sha256", "sha256_cbor", "xxhash", "xxhash_cbor"], ..NOTHING };

/// `MambaCacheMode`.
static MAMBA_MODE: Words = Words { list: &["all", "align", "none"], ..NOTHING };

/// `ChatTemplateContentFormatOption`.
static CHAT_FORMAT: Words = Words { list: &["auto", "string", "openai"], ..NOTHING };

/// `uvicorn_log_level` in vllm/entrypoints/openai/cli_args.py.
static LOG_LEVEL: Words = Words { list: &["critical", "error", "warning", "info", "debug", "trace"], ..NOTHING };

/// `_TOOL_PARSERS_TO_REGISTER` in vllm/tool_parsers.
static TOOL_PARSER: Words = Words {
    list: &[
        "apertus",
        "cohere_command3",
        "cohere_command4",
        "deepseek_v3",
        "deepseek_v31",
        "deepseek_v32",
        "deepseek_v4",
        "ernie45",
        "functiongemma",
        "gemma4",
        "gigachat3",
        "glm45",
        "glm47",
        "granite",
        "granite-20b-fc",
        "granite4",
        "hermes",
        "hunyuan_a13b",
        "hy_v3",
        "internlm",
        "jamba",
        "kimi_k2",
        "lfm2",
        "llama3_json",
        "llama4_json",
        "llama4_pythonic",
        "longcat",
        "mimo",
        "minicpm5",
        "minimax_m2",
        "minimax_m3",
        "mistral",
        "olmo3",
        "openai",
        "phi4_mini_json",
        "poolside_v1",
        "pythonic",
        "qwen3_coder",
        "qwen3_xml",
        "seed_oss",
        "step3",
        "step3p5",
        "xlam",
    ],
    plugin: Some("tool-parser-plugin"),
    meant: &[("llama3", "llama3_json"), ("llama4", "llama4_pythonic"), ("qwen3", "hermes"), ("qwen", "hermes")],
    ..NOTHING
};

/// `_REASONING_PARSERS_TO_REGISTER` in vllm/reasoning.
static REASONING_PARSER: Words = Words {
    list: &[
        "cohere_command3",
        "cohere_command4",
        "deepseek_r1",
        "deepseek_v3",
        "deepseek_v4",
        "ernie45",
        "gemma4",
        "glm45",
        "glm47",
        "granite",
        "holo2",
        "hunyuan_a13b",
        "hy_v3",
        "kimi_k2",
        "mimo",
        "minimax_m2",
        "minimax_m2_append_think",
        "minimax_m3",
        "mistral",
        "nemotron_v3",
        "olmo3",
        "openai_gptoss",
        "poolside_v1",
        "qwen3",
        "seed_oss",
        "step3",
        "step3p5",
    ],
    plugin: Some("reasoning-parser-plugin"),
    older: &["qwen3_thinking"],
    ..NOTHING
};
