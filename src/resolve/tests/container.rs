//! What the container reads: the model, where it listens, the engine's flags, the manifest's own variables.

use super::*;

fn vllm(model: &str) -> TestRun {
    endpoint(&format!("model: {{hub: Qwen/Qwen3-8B{model}}}\nhardware: ml.g6e.xlarge"))
}

fn tei(model: &str) -> TestRun {
    endpoint(&format!("model: {{hub: BAAI/bge-m3{model}}}\nhardware: ml.m5.xlarge"))
}

#[test]
fn each_engine_is_told_its_model_in_its_own_words() {
    vllm("").variables(expect![[r#"
        SM_VLLM_HOST: "0.0.0.0"
        SM_VLLM_MODEL: "Qwen/Qwen3-8B"
        SM_VLLM_REVISION: "b968826d9c46dd6066d109eabc6255188de91218"
        SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
    "#]]);
    tei("").variables(expect![[r#"
        HF_MODEL_ID: "BAAI/bge-m3"
        HF_MODEL_REVISION: "5617a9f61b028005a4858fdac845db406aefb181"
    "#]]);
    endpoint("model: {hub: openai/whisper-large-v3}\nhardware: ml.m5.4xlarge").variables(expect![[r#"
        HF_MODEL_ID: "openai/whisper-large-v3"
        HF_MODEL_REVISION: "06f233fe06e710322aca913c1bc4249a0d71fce1"
        HF_TASK: "automatic-speech-recognition"
    "#]]);
    let image = "image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    tei(&format!(", engine: custom, {image}")).variables(expect![[r#"
        HF_MODEL_ID: "BAAI/bge-m3"
        HF_MODEL_REVISION: "5617a9f61b028005a4858fdac845db406aefb181"
    "#]]);
}

#[test]
fn weights_from_s3_are_where_sagemaker_puts_them() {
    let from_s3 = |more: &str| endpoint(&format!("model: {{s3: 's3://b/m/', {more}}}\nhardware: ml.g6e.xlarge"));
    from_s3("task: text-generation, engine: vllm, context: 8192").variables(expect![[r#"
        SM_VLLM_HOST: "0.0.0.0"
        SM_VLLM_MAX_MODEL_LEN: "8192"
        SM_VLLM_MODEL: "/opt/ml/model"
        SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
    "#]]);
    from_s3("task: feature-extraction, engine: tei").variables(expect![[r#"
        HF_MODEL_ID: "/opt/ml/model"
    "#]]);
    from_s3("task: fill-mask, engine: transformers").variables(expect![[r#"
        HF_TASK: "fill-mask"
    "#]]);
}

#[test]
fn fields_of_the_model_become_flags_of_vllm() {
    vllm(", revision: v1, context: 8192, dtype: half, quantization: fp8, tensorParallel: 1, trustRemoteCode: true")
        .variables(expect![[r#"
            SM_VLLM_DTYPE: "half"
            SM_VLLM_HOST: "0.0.0.0"
            SM_VLLM_MAX_MODEL_LEN: "8192"
            SM_VLLM_MODEL: "Qwen/Qwen3-8B"
            SM_VLLM_QUANTIZATION: "fp8"
            SM_VLLM_REVISION: "v1"
            SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
            SM_VLLM_TRUST_REMOTE_CODE: "true"
        "#]]);
    vllm(", trustRemoteCode: false, revision: v1").variables(expect![[r#"
        SM_VLLM_HOST: "0.0.0.0"
        SM_VLLM_MODEL: "Qwen/Qwen3-8B"
        SM_VLLM_REVISION: "v1"
        SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
    "#]]);
}

#[test]
fn of_those_fields_tei_has_the_number_format_and_transformers_the_trust() {
    tei(", dtype: float16, revision: v1, trustRemoteCode: true").variables(expect![[r#"
        DTYPE: "float16"
        HF_MODEL_ID: "BAAI/bge-m3"
        HF_MODEL_REVISION: "v1"
    "#]]);
    tei(", engine: transformers, dtype: float16, revision: v1, trustRemoteCode: true").variables(expect![[r#"
        HF_MODEL_ID: "BAAI/bge-m3"
        HF_MODEL_REVISION: "v1"
        HF_TASK: "feature-extraction"
        HF_TRUST_REMOTE_CODE: "true"
    "#]]);
}

#[test]
fn flags_are_spelled_as_the_image_reads_them_and_lists_become_json() {
    vllm(", revision: v1, args: {max-num-seqs: 64, Served_Model_Name: chat, override: {a: [1, 2]}, eager: true}")
        .variables(expect![[r#"
            SM_VLLM_EAGER: "true"
            SM_VLLM_HOST: "0.0.0.0"
            SM_VLLM_MAX_NUM_SEQS: "64"
            SM_VLLM_MODEL: "Qwen/Qwen3-8B"
            SM_VLLM_OVERRIDE: "{\"a\":[1,2]}"
            SM_VLLM_REVISION: "v1"
            SM_VLLM_SERVED_MODEL_NAME: "chat"
            SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
        "#]]);
    tei(", revision: v1, args: {max-batch-tokens: 16384}").variables(expect![[r#"
        HF_MODEL_ID: "BAAI/bge-m3"
        HF_MODEL_REVISION: "v1"
        MAX_BATCH_TOKENS: "16384"
    "#]]);
}

#[test]
fn a_flag_that_hubform_sets_is_refused_with_the_field_for_it() {
    let vllms = ["model", "max_model", "tensor-parallel-size", "q", "host", "trust-remote-code"]
        .map(|flag| vllm(&format!(", args: {{{flag}: x}}")));
    findings(
        &vllms,
        expect![[r#"
            error HF2040 2:45: `model` is set by hubform | set `hub` or `s3` in the model instead: hubform uses it to check what fits
            error HF2040 2:49: `max_model` is set by hubform | set `context` in the model instead: hubform uses it to check what fits
            error HF2040 2:60: `tensor-parallel-size` is set by hubform | set `tensorParallel` in the model instead: hubform uses it to check what fits
            error HF2040 2:41: `q` is set by hubform | set `quantization` in the model instead: hubform uses it to check what fits
            error HF2040 2:44: `host` is set by hubform | remove it; SageMaker reaches the server only where hubform puts it
            error HF2040 2:57: `trust-remote-code` is set by hubform | set `trustRemoteCode` in the model instead: hubform uses it to check what fits
        "#]],
    );
    let teis = ["model-id", "HF_MODEL_REVISION", "dtype"].map(|flag| tei(&format!(", args: {{{flag}: x}}")));
    findings(
        &teis,
        expect![[r#"
            error HF2040 2:46: `model-id` is set by hubform | set `hub` or `s3` in the model instead: hubform uses it to check what fits
            error HF2040 2:55: `HF_MODEL_REVISION` is set by hubform | set `revision` in the model instead: hubform uses it to check what fits
            error HF2040 2:43: `dtype` is set by hubform | set `dtype` in the model instead: hubform uses it to check what fits
        "#]],
    );
}

#[test]
fn transformers_and_custom_have_no_flags() {
    tei(", engine: transformers, args: {max-batch: 1}").findings(expect![[r#"
        error HF2016 2:69: `max-batch`: this engine has no flags | set its variables in `env`
    "#]]);
}

#[test]
fn variables_of_the_manifest_come_last_and_win() {
    tei(", revision: v1, args: {max-batch-tokens: 1}, env: {MAX_BATCH_TOKENS: 2, HF_MODEL_ID: other/one}").variables(
        expect![[r#"
            HF_MODEL_ID: "other/one"
            HF_MODEL_REVISION: "v1"
            MAX_BATCH_TOKENS: "2"
        "#]],
    );
}

#[test]
fn a_hundred_variables_are_taken_and_one_more_is_not() {
    // Two are hubform's own: the model and its revision.
    let with = |count: usize| {
        let env: Vec<_> = (0..count).map(|at| format!("V{at}: x")).collect();
        tei(&format!(", env: {{{}}}", env.join(", ")))
    };
    with(98).is_fine();
    with(99).findings(expect![[r#"
        error HF2029 2:10: SageMaker rejects this container's environment: 101 variables are more than 100
    "#]]);
}

#[test]
fn a_value_of_1024_bytes_is_taken_and_one_more_is_not() {
    let with = |length: usize| vllm(&format!(", args: {{served-model-name: {}}}", "x".repeat(length)));
    with(1024).is_fine();
    with(1025).findings(expect![[r#"
        error HF2029 2:10: SageMaker rejects this container's environment: `SM_VLLM_SERVED_MODEL_NAME` is longer than 1,024 bytes
    "#]]);
}

#[test]
fn all_variables_together_take_32_kib() {
    // HF_MODEL_ID and HF_MODEL_REVISION take 79 bytes, each of these 1,000 but the last.
    let with = |last: usize| {
        let mut env: Vec<_> = (10..42).map(|at| format!("V{at}: {}", "x".repeat(997))).collect();
        env.push(format!("V99: {}", "x".repeat(last)));
        tei(&format!(", env: {{{}}}", env.join(", ")))
    };
    with(686).is_fine();
    with(687).findings(expect![[r#"
        error HF2029 2:10: SageMaker rejects this container's environment: 32769 bytes are more than 32 KiB
    "#]]);
}

/// An image of AWS's by repository and tag.
fn of_aws(image: &str) -> String {
    format!("image: '763104351884.dkr.ecr.us-east-1.amazonaws.com/{image}'")
}

#[test]
fn words_and_bounds_are_errors_only_for_the_version_that_is_listed() {
    let set = "context: 8192, args: {tokenizer-mode: fast, max-num-seqs: 0}, dtype: fp16";
    let other = of_aws("huggingface-vllm:0.22.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04");
    vllm(&format!(", {set}")).findings(expect![[r#"
        error HF2070 2:69: vllm 0.25.1 does not know `tokenizer-mode: fast` | values are `auto`, `hf`, `slow`, `mistral`, `deepseek_v32`, `deepseek_v4`
        error HF2072 2:89: `max-num-seqs` must be a whole number of at least 1, not `0` | write a number such as `8`
        error HF2070 2:100: vllm does not know `dtype: fp16` | did you mean `float16`?
    "#]]);
    vllm(&format!(", {set}, {other}")).findings(expect![[r#"
        error HF2070 2:100: vllm does not know `dtype: fp16` | did you mean `float16`?
        warning HF2071 2:69: vllm 0.25.1 does not know `tokenizer-mode: fast` | hubform knows the values of 0.25.1, and the image has 0.22.1; values are `auto`, `hf`, `slow`, `mistral`, `deepseek_v32`, `deepseek_v4`
        warning HF2071 2:89: `max-num-seqs` must be a whole number of at least 1 in vllm 0.25.1, not `0` | hubform knows the values of 0.25.1, and the image has 0.22.1; write a number such as `8`
    "#]]);
    vllm(&format!(", {set}, image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1")).findings(expect![[r#"
        error HF2070 2:100: vllm does not know `dtype: fp16` | did you mean `float16`?
        warning HF2071 2:69: vllm 0.25.1 does not know `tokenizer-mode: fast` | hubform knows the values of 0.25.1, and `image` may be another version; values are `auto`, `hf`, `slow`, `mistral`, `deepseek_v32`, `deepseek_v4`
        warning HF2071 2:89: `max-num-seqs` must be a whole number of at least 1 in vllm 0.25.1, not `0` | hubform knows the values of 0.25.1, and `image` may be another version; write a number such as `8`
    "#]]);
}

#[test]
fn only_the_context_is_auto_and_only_small_units_have_decimals() {
    let env = |name: &str, value: &str| vllm(&format!(", env: {{SM_VLLM_{name}: '{value}'}}"));
    findings(
        &["auto", "Auto", "-1", "1.5k", "2K"].map(|value| env("MAX_MODEL_LEN", value)),
        expect![[r#"
            warning HF2074 2:60: `SM_VLLM_MAX_MODEL_LEN` replaces what hubform sets | set `context` in the model instead: hubform uses it for its checks
            warning HF2074 2:60: `SM_VLLM_MAX_MODEL_LEN` replaces what hubform sets | set `context` in the model instead: hubform uses it for its checks
            warning HF2074 2:60: `SM_VLLM_MAX_MODEL_LEN` replaces what hubform sets | set `context` in the model instead: hubform uses it for its checks
            warning HF2074 2:60: `SM_VLLM_MAX_MODEL_LEN` replaces what hubform sets | set `context` in the model instead: hubform uses it for its checks
            warning HF2074 2:60: `SM_VLLM_MAX_MODEL_LEN` replaces what hubform sets | set `context` in the model instead: hubform uses it for its checks
        "#]],
    );
    findings(
        &[env("MAX_NUM_BATCHED_TOKENS", "auto"), env("MAX_NUM_BATCHED_TOKENS", "1.5K"), env("MAX_MODEL_LEN", "-2")],
        expect![[r#"
            error HF2072 2:69: `SM_VLLM_MAX_NUM_BATCHED_TOKENS` must be a whole number of at least 1, not `auto` | write a number such as `8192`
            error HF2072 2:69: `SM_VLLM_MAX_NUM_BATCHED_TOKENS` must be a whole number of at least 1, not `1.5K` | write a number such as `1500`
            error HF2072 2:60: `SM_VLLM_MAX_MODEL_LEN` must be a whole number of at least 0, or `auto`, not `-2` | write a number such as `8192`
            warning HF2074 2:60: `SM_VLLM_MAX_MODEL_LEN` replaces what hubform sets | set `context` in the model instead: hubform uses it for its checks
        "#]],
    );
}

#[test]
fn an_unknown_task_is_an_error_only_where_no_code_of_the_models_own_may_serve_it() {
    let task = |weights: &str, more: &str| {
        endpoint(&format!("model: {{{weights}, task: text-clasification{more}}}\nhardware: ml.m5.xlarge"))
    };
    let (hub, s3) = ("hub: BAAI/bge-m3", "s3: 's3://b/m/'");
    findings(
        &[
            task(hub, ", engine: transformers"),
            task(hub, ", engine: transformers, trustRemoteCode: true"),
            task(s3, ", engine: transformers"),
            task(hub, ", engine: tei"),
            task(hub, ", engine: custom, image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"),
        ],
        expect![[r#"
            error HF2082 2:35: transformers 5.5.3 does not know `task: text-clasification` | did you mean `text-classification`?
            warning HF2083 2:35: transformers 5.5.3 does not know `task: text-clasification` | only code of the model's own can serve it; did you mean `text-classification`?
            warning HF2083 2:34: transformers 5.5.3 does not know `task: text-clasification` | only code of the model's own can serve it; did you mean `text-classification`?
            warning HF2083 2:35: `text-clasification` is not a task of the Hub | did you mean `text-classification`?
            warning HF2083 2:35: `text-clasification` is not a task of the Hub | did you mean `text-classification`?
        "#]],
    );
}

#[test]
fn the_port_of_tei_has_no_effect_and_that_of_its_metrics_is_a_port() {
    tei(", env: {PORT: '9000', PROMETHEUS_PORT: '70000'}").findings(expect![[r#"
        error HF2072 2:66: `PROMETHEUS_PORT` must be a whole number from 0 to 65535, not `70000` | write a number such as `9000`
        warning HF2074 2:41: `PORT` has no effect: the image starts the server with a flag for it | remove it
    "#]]);
    tei(", env: {PROMETHEUS_PORT: '65535'}").is_fine();
}
