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
