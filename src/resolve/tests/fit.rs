//! Does it fit: degree, context and memory, on the instance that was named.

use super::*;

fn on(instance: &str, model: &str) -> TestRun {
    endpoint(&format!("model: {{hub: {model}}}\nhardware: {instance}"))
}

#[test]
fn all_devices_share_a_copy_as_far_as_the_heads_divide() {
    let degree = |instance, model| on(instance, model).only("tensor parallel");
    degree("ml.g5.xlarge", "Qwen/Qwen3-8B").choices(expect![[r#"
        tensor parallel = 1 (the instance has one device)
    "#]]);
    degree("ml.g5.12xlarge", "Qwen/Qwen3-8B").choices(expect![[r#"
        tensor parallel = 4 (the most of 4 devices that the model's heads divide by)
    "#]]);
    degree("ml.g5.48xlarge", "Qwen/Qwen3-8B").choices(expect![[r#"
        tensor parallel = 8 (the most of 8 devices that the model's heads divide by)
    "#]]);
    degree("ml.g5.48xlarge", "Qwen/Qwen2.5-7B-Instruct").choices(expect![[r#"
        tensor parallel = 4 (the most of 8 devices that the model's heads divide by)
    "#]]);
    degree("ml.g5.12xlarge", "HuggingFaceTB/SmolLM2-135M-Instruct").choices(expect![[r#"
        tensor parallel = 3 (the most of 4 devices that the model's heads divide by)
    "#]]);
}

#[test]
fn a_degree_that_is_said_is_no_choice() {
    on("ml.g5.12xlarge", "Qwen/Qwen3-8B, tensorParallel: 2").only("tensor parallel").choices(expect![[""]]);
    on("{instances: [{type: ml.g5.12xlarge, tensorParallel: 1}]}", "Qwen/Qwen3-8B, tensorParallel: 2").variables(
        expect![[r#"
            SM_VLLM_HOST: "0.0.0.0"
            SM_VLLM_MAX_MODEL_LEN: "27648"
            SM_VLLM_MODEL: "Qwen/Qwen3-8B"
            SM_VLLM_REVISION: "b968826d9c46dd6066d109eabc6255188de91218"
            SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
        "#]],
    );
}

#[test]
fn a_degree_by_which_heads_or_devices_do_not_divide_is_refused() {
    on("ml.g5.12xlarge", "Qwen/Qwen3-8B, tensorParallel: 3").findings(expect![[r#"
        error HF2012 2:47: tensor parallel 3 does not work for `Qwen/Qwen3-8B` on `ml.g5.12xlarge`: it has 4 devices, and the model 32 heads, 8 for keys and values | 4 works
    "#]]);
    on("ml.g5.12xlarge", "Qwen/Qwen3-8B, tensorParallel: 4").is_fine();
    on("ml.g5.12xlarge", "Qwen/Qwen3-8B, tensorParallel: 8").findings(expect![[r#"
        error HF2012 2:47: tensor parallel 8 does not work for `Qwen/Qwen3-8B` on `ml.g5.12xlarge`: it has 4 devices, and the model 32 heads, 8 for keys and values | 4 works
    "#]]);
    // wrong: the degree stands in the third line.
    on("{instances: [{type: ml.g5.12xlarge, tensorParallel: 3}]}", "Qwen/Qwen3-8B").findings(expect![[r#"
        error HF2012 2:10: tensor parallel 3 does not work for `Qwen/Qwen3-8B` on `ml.g5.12xlarge`: it has 4 devices, and the model 32 heads, 8 for keys and values | 4 works
    "#]]);
}

#[test]
fn where_heads_are_not_known_all_devices_are_taken_and_more_than_there_are_refused() {
    let unknown = "acme/house, task: text-generation, engine: vllm";
    on("ml.g5.xlarge", unknown).only("tensor parallel").choices(expect![[""]]);
    on("ml.g5.12xlarge", unknown).only("tensor parallel").choices(expect![[r#"
        tensor parallel = 4 (all devices of the instance; it is unknown whether the model's heads divide by them)
    "#]]);
    on("ml.g5.12xlarge", &format!("{unknown}, tensorParallel: 3")).variables(expect![[r#"
        SM_VLLM_HOST: "0.0.0.0"
        SM_VLLM_MODEL: "acme/house"
        SM_VLLM_TENSOR_PARALLEL_SIZE: "3"
    "#]]);
    on("ml.g5.12xlarge", &format!("{unknown}, tensorParallel: 5")).findings(expect![[r#"
        error HF2012 2:81: `tensorParallel` is 5, but `ml.g5.12xlarge` has 4
        warning HF2005 2:16: `acme/house` is not pinned: instances started later may fetch other weights | set `revision:` to the commit that `main` has on the Hub now, all 40 digits
    "#]]);
}

#[test]
fn of_a_model_whose_heads_for_keys_are_not_known_the_degree_is_a_guess() {
    on("ml.g5.48xlarge", "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5").check(expect![[r#"
        warning HF2042 3:13: cannot tell whether `nvidia/Llama-3_3-Nemotron-Super-49B-v1_5` fits on `ml.g5.48xlarge`: what its cache takes per token is unknown | it is deployed all the same; if it does not fit, it will not start; if you know that it fits, set `context` and `tensorParallel`
        Endpoint/chat as default-endpoint-chat
          revision = 420ba7d28211abf116b8b103ab700d92619daf98 (newest commit known on 2026-11-25; listed by 5 public sources, the last in 2026-10)
          engine = vllm (serves the task text-generation)
          image = huggingface-vllm:0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04 (newest listed by both the SageMaker SDK and the containers' repository)
          inference AMI = al2023-ami-sagemaker-inference-gpu-4-1 (the image has CUDA 13; of the documented AMIs only this one has a driver for it)
          tensor parallel = 8 (all devices of the instance; it is unknown whether the model's heads divide by them)
          start-up timeout = 30m (enough to fetch and load up to 70 billion parameters)
    "#]]);
    on("ml.g5.48xlarge", "nvidia/Llama-3_3-Nemotron-Super-49B-v1_5, tensorParallel: 3").findings(expect![[r#"
        error HF2010 3:13: `nvidia/Llama-3_3-Nemotron-Super-49B-v1_5` does not fit on `ml.g5.48xlarge`: its heads do not divide by 3 devices | use an instance with more device memory
    "#]]);
}

#[test]
fn weights_that_take_more_than_their_share_are_refused_with_what_holds_them() {
    on("ml.g5.xlarge", "Qwen/Qwen3-14B").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
    "#]]);
    // Eighty in a hundred of its 22.4 GiB are 17.9.
    on("ml.g5.xlarge", "Qwen/Qwen3.5-9B").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3.5-9B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 18.0 GiB; 17.9 GiB are available | `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
    "#]]);
    on("ml.g5.xlarge", "zai-org/GLM-4-9B-0414").is_fine();
    on("ml.g5.12xlarge", "Qwen/Qwen2.5-72B-Instruct").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen2.5-72B-Instruct` does not fit on `ml.g5.12xlarge`, by estimate: its weights need 135.4 GiB; 71.5 GiB are available | `ml.g7e.12xlarge` is the cheapest that fits it (10.3576 USD/h, seen 2026-09-01)
    "#]]);
}

#[test]
fn a_model_that_nothing_in_the_region_holds_is_refused_without_an_offer() {
    on("ml.g4dn.xlarge", "zai-org/GLM-5").region("eu-west-3").findings(expect![[r#"
        error HF2010 3:13: `zai-org/GLM-5` does not fit on `ml.g4dn.xlarge`, by estimate: its weights need 1404.2 GiB; 12.8 GiB are available | use an instance with more device memory
    "#]]);
}

#[test]
fn half_the_degree_is_half_the_memory() {
    on("ml.g5.12xlarge", "Qwen/Qwen3-32B, tensorParallel: 2").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-32B` does not fit on `ml.g5.12xlarge`, by estimate: its weights need 61.0 GiB; 35.8 GiB are available | `ml.g7e.12xlarge` is the cheapest that fits it (10.3576 USD/h, seen 2026-09-01)
    "#]]);
}

#[test]
fn wide_numbers_take_twice_the_memory() {
    on("ml.g5.xlarge", "Qwen/Qwen3-4B").is_fine();
    on("ml.g5.xlarge", "Qwen/Qwen3-8B, dtype: bfloat16").is_fine();
    on("ml.g5.xlarge", "Qwen/Qwen3-8B, dtype: float32").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-8B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 30.5 GiB; 17.9 GiB are available | `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
    "#]]);
}

#[test]
fn a_context_is_lowered_to_what_fits_and_left_to_the_engine_where_all_of_it_does() {
    on("ml.g5.xlarge", "Qwen/Qwen3-8B").only("context").choices(expect![[r#"
        context = 27648 (the model supports 40960 tokens; no more than this fits, by estimate)
    "#]]);
    on("ml.g6e.xlarge", "Qwen/Qwen3-8B").only("context").choices(expect![[""]]);
}

#[test]
fn a_context_that_is_said_is_refused_from_the_first_token_that_does_not_fit() {
    on("ml.g5.xlarge", "Qwen/Qwen3-8B, context: 27648").is_fine();
    on("ml.g5.xlarge", "Qwen/Qwen3-8B, context: 27649").findings(expect![[r#"
        error HF2010 2:40: a context of 27649 tokens does not fit on `ml.g5.xlarge`, by estimate | up to 27648 tokens fit; or use an instance with more memory
    "#]]);
    on("{instances: [{type: ml.g5.xlarge, context: 27649}]}", "Qwen/Qwen3-8B, context: 8192").findings(expect![[r#"
        error HF2010 3:56: a context of 27649 tokens does not fit on `ml.g5.xlarge`, by estimate | up to 27648 tokens fit; or use an instance with more memory
    "#]]);
    on("{instances: [{type: ml.g5.xlarge, context: 8192}]}", "Qwen/Qwen3-8B, context: 27649").is_fine();
}

#[test]
fn weights_that_leave_no_room_for_a_context_of_1024_tokens_are_refused() {
    let run = on("ml.g5.xlarge", "Qwen/Qwen3-8B");
    let caching = |bytes_per_token: u64| {
        let mut lock = Lock { models: run.lock_after().models, ..Lock::default() };
        lock.models.values_mut().for_each(|model| model.kv_bytes_per_token = Some(bytes_per_token));
        run.clone().lock(lock)
    };
    // Nine tenths of 22,888 MiB, less the weights and 1 GiB for activations.
    let room = 21_599_826_739 - 16_381_470_720 - (1 << 30);
    caching(room / 1024).only("context").choices(expect![[r#"
        context = 1024 (the model supports 40960 tokens; no more than this fits, by estimate)
    "#]]);
    caching(room / 1024 + 1).findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-8B` does not fit on `ml.g5.xlarge`, by estimate: its weights leave no room for a context of 1,024 tokens | `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
    "#]]);
}

#[test]
fn flags_that_share_the_memory_out_turn_errors_into_warnings() {
    let flags = [
        "cpu-offload-gb",
        "gpu_memory_utilization",
        "KV-CACHE-DTYPE",
        "kv-cache-memory-bytes",
        "pipeline-parallel-size",
    ];
    let runs = flags.map(|flag| on("ml.g5.xlarge", &format!("Qwen/Qwen3-14B, args: {{{flag}: 1}}")));
    findings(
        &runs,
        expect![[r#"
            warning HF2041 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | hubform cannot judge `cpu-offload-gb` in `args`; without it, `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
            warning HF2041 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | hubform cannot judge `gpu_memory_utilization` in `args`; without it, `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
            error HF2070 2:55: vllm 0.25.1 does not know `KV-CACHE-DTYPE: 1` | values are `auto`, `float16`, `bfloat16`, `fp8`, `fp8_e4m3`, `fp8_e5m2`, `fp8_inc`, `fp8_ds_mla`, `turboquant_k8v4`, `turboquant_4bit_nc`, `turboquant_k3v4_nc`, `turboquant_3bit_nc`, `int4_per_token_head`, `int8_per_token_head`, `fp8_per_token_head`, `nvfp4`
            warning HF2041 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | hubform cannot judge `KV-CACHE-DTYPE` in `args`; without it, `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
            warning HF2041 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | hubform cannot judge `kv-cache-memory-bytes` in `args`; without it, `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
            warning HF2041 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | hubform cannot judge `pipeline-parallel-size` in `args`; without it, `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
        "#]],
    );
    on("ml.g5.xlarge", "Qwen/Qwen3-8B, context: 27649, args: {cpu-offload-gb: 1}").findings(expect![[r#"
        warning HF2041 2:40: a context of 27649 tokens does not fit on `ml.g5.xlarge`, by estimate | hubform cannot judge `cpu-offload-gb` in `args`; without it, up to 27648 tokens fit; or use an instance with more memory
    "#]]);
    on("ml.g5.xlarge", "Qwen/Qwen3-14B, args: {max-num-seqs: 1}").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g5.xlarge`, by estimate: its weights need 27.5 GiB; 17.9 GiB are available | `ml.g6e.xlarge` is the cheapest that fits it (2.6054 USD/h, seen 2026)
    "#]]);
}

#[test]
fn what_is_not_known_is_not_judged_unless_the_manifest_says_the_numbers() {
    on("ml.g6e.xlarge", "openai/gpt-oss-20b").findings(expect![[r#"
        warning HF2042 3:13: cannot tell whether `openai/gpt-oss-20b` fits on `ml.g6e.xlarge`: what its weights take is unknown | it is deployed all the same; if it does not fit, it will not start; if you know that it fits, set `context`
    "#]]);
    on("ml.g6e.xlarge", "openai/gpt-oss-20b, context: 8192").is_fine();
    on("ml.g6e.12xlarge", "openai/gpt-oss-20b, context: 8192").findings(expect![[r#"
        warning HF2042 3:13: cannot tell whether `openai/gpt-oss-20b` fits on `ml.g6e.12xlarge`: what its weights take is unknown | it is deployed all the same; if it does not fit, it will not start; if you know that it fits, set `context` and `tensorParallel`
    "#]]);
    on("ml.g6e.12xlarge", "openai/gpt-oss-20b, context: 8192, tensorParallel: 4").is_fine();
    on("ml.g6e.xlarge", "Qwen/Qwen3-8B, quantization: awq").findings(expect![[r#"
        warning HF2042 3:13: cannot tell whether `Qwen/Qwen3-8B` fits on `ml.g6e.xlarge`: what its weights take once they are quantized is unknown | it is deployed all the same; if it does not fit, it will not start; if you know that it fits, set `context`
    "#]]);
}

#[test]
fn what_cannot_fit_whatever_its_weights_take_is_refused_though_they_are_not_known() {
    on("ml.g5.xlarge", "openai/gpt-oss-120b, context: 8192").findings(expect![[r#"
        error HF2010 3:13: `openai/gpt-oss-120b` does not fit on `ml.g5.xlarge`: its weights need at least 54.4 GiB; its devices have 22.4 GiB | use an instance with more device memory
    "#]]);
    on("ml.g5.12xlarge", "openai/gpt-oss-120b, context: 8192, tensorParallel: 4").is_fine();
    on("ml.g5.xlarge", "Qwen/Qwen3-32B, quantization: fp8, context: 8192").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-32B` does not fit on `ml.g5.xlarge`: its weights need at least 30.5 GiB; its devices have 22.4 GiB | use an instance with more device memory
    "#]]);
    on("ml.g5.xlarge", "Qwen/Qwen3-32B, quantization: awq, context: 8192").is_fine();
}

#[test]
fn older_gpus_have_no_bfloat16_and_take_half() {
    on("ml.g4dn.xlarge", "Qwen/Qwen3-4B").only("dtype").choices(expect![[r#"
        dtype = half (the GPU of `ml.g4dn.xlarge` has no bfloat16)
    "#]]);
    on("ml.g4dn.xlarge", "Qwen/Qwen3-4B, dtype: half").only("dtype").choices(expect![[""]]);
    on("ml.g4dn.xlarge", "microsoft/phi-2").only("dtype").choices(expect![[""]]);
    on("ml.g5.xlarge", "Qwen/Qwen3-4B").only("dtype").choices(expect![[""]]);
}

#[test]
fn an_encoder_is_warned_of_where_memory_may_be_tight_and_refused_where_it_surely_is() {
    on("ml.m5.large", "BAAI/bge-m3").is_fine();
    on("ml.c5.large", "BAAI/bge-m3").findings(expect![[r#"
        warning HF2041 3:13: `BAAI/bge-m3` may need 6.2 GiB of main memory, by estimate, and `ml.c5.large` has 4.0 GiB | use an instance with more, or remove `instances` and hubform chooses one
    "#]]);
    on("ml.c5.large", "intfloat/e5-mistral-7b-instruct").findings(expect![[r#"
        error HF2010 3:13: `intfloat/e5-mistral-7b-instruct` does not fit on `ml.c5.large`: its weights need 13.2 GiB; there are 4.0 GiB of main memory | use an instance with more, or remove `instances` and hubform chooses one
    "#]]);
    on("ml.g4dn.xlarge", "intfloat/e5-mistral-7b-instruct").findings(expect![[r#"
        warning HF2041 3:13: `intfloat/e5-mistral-7b-instruct` may need 20.9 GiB of device memory, by estimate, and `ml.g4dn.xlarge` has 16.0 GiB | use an instance with more, or remove `instances` and hubform chooses one
    "#]]);
    on("ml.g5.xlarge", "intfloat/e5-mistral-7b-instruct").is_fine();
    on("ml.g4dn.xlarge", "Qwen/Qwen3-14B, engine: tei").findings(expect![[r#"
        error HF2010 3:13: `Qwen/Qwen3-14B` does not fit on `ml.g4dn.xlarge`: its weights need 27.5 GiB; there are 16.0 GiB of device memory | use an instance with more, or remove `instances` and hubform chooses one
        warning HF2083 2:40: hubform does not know `tei` to serve `text-generation` | `vllm` serves it; remove `engine` and hubform chooses it
    "#]]);
}

#[test]
fn an_encoder_of_unknown_size_is_not_judged() {
    on("ml.m5.xlarge", "nvidia/parakeet-tdt-0.6b-v3").findings(expect![[r#"
        warning HF2042 3:13: cannot tell whether `nvidia/parakeet-tdt-0.6b-v3` fits on `ml.m5.xlarge`: its size is unknown | it is deployed all the same; if it does not fit, it will not start
    "#]]);
    endpoint("model: {s3: 's3://b/bge/', task: feature-extraction, engine: tei}\nhardware: ml.m5.xlarge").is_fine();
}
