//! Which weights, at which revision, for which task, by which engine.

use super::*;

#[test]
fn a_gated_model_is_refused_because_no_token_reaches_the_container() {
    endpoint("model: {hub: meta-llama/Llama-3.1-8B-Instruct}").findings(expect![[r#"
        error HF2003 2:16: `meta-llama/Llama-3.1-8B-Instruct` is gated: the Hub serves it only to accounts that accepted its terms | copy the weights to S3 and set `s3:`; hubform cannot use a Hub token yet
    "#]]);
}

#[test]
fn where_gating_is_not_known_it_warns_and_goes_on() {
    endpoint("model: {hub: black-forest-labs/FLUX.1-schnell, engine: transformers}\nhardware: ml.m5.24xlarge")
        .findings(expect![[r#"
            warning HF2004 2:16: `black-forest-labs/FLUX.1-schnell` may be gated: hubform does not know | if it is, the container cannot fetch it and the endpoint fails to start
        "#]]);
}

#[test]
fn a_model_without_a_revision_is_fetched_at_the_newest_commit_that_is_known() {
    endpoint("model: {hub: Qwen/Qwen3-8B}").only("revision").choices(expect![[r#"
        revision = b968826d9c46dd6066d109eabc6255188de91218 (newest commit known on 2026-11-25; listed by 9 public sources, the last in 2026-10)
    "#]]);
    endpoint("model: {hub: Qwen/Qwen3-8B}").variables(expect![[r#"
        SM_VLLM_HOST: "0.0.0.0"
        SM_VLLM_MAX_MODEL_LEN: "27648"
        SM_VLLM_MODEL: "Qwen/Qwen3-8B"
        SM_VLLM_REVISION: "b968826d9c46dd6066d109eabc6255188de91218"
        SM_VLLM_TENSOR_PARALLEL_SIZE: "1"
    "#]]);
}

#[test]
fn a_revision_that_is_said_is_no_choice_and_is_pinned_only_by_all_forty_digits() {
    let commit = "b968826d9c46dd6066d109eabc6255188de91218";
    let at = |revision: &str| {
        endpoint(&format!("model: {{hub: Qwen/Qwen3-8B, revision: {revision}}}\nhardware: ml.g6e.xlarge"))
    };
    at(commit).is_fine();
    at(commit).only("revision").choices(expect![[""]]);
    at(&format!("\"{}\"", &commit[..39])).findings(expect![[r#"
        warning HF2005 2:41: `Qwen/Qwen3-8B` is not pinned: instances started later may fetch other weights | set `revision:` to the commit that `b968826d9c46dd6066d109eabc6255188de9121` has on the Hub now, all 40 digits
    "#]]);
    at("main").findings(expect![[r#"
        warning HF2005 2:41: `Qwen/Qwen3-8B` is not pinned: instances started later may fetch other weights | set `revision:` to the commit that `main` has on the Hub now, all 40 digits
    "#]]);
}

#[test]
fn a_known_model_without_a_known_commit_is_warned_of() {
    endpoint("model: {hub: distil-whisper/distil-large-v3}").findings(expect![[r#"
        warning HF2005 2:16: `distil-whisper/distil-large-v3` is not pinned: instances started later may fetch other weights | set `revision:` to the commit that `main` has on the Hub now, all 40 digits
    "#]]);
}

#[test]
fn a_commit_that_appeared_since_is_offered_where_the_lock_has_none() {
    let old = endpoint("model: {hub: BAAI/bge-m3}");
    let mut lock = old.lock_after();
    lock.models.values_mut().for_each(|model| model.commit = None);
    old.lock(lock).findings(expect![[r#"
        warning HF2005 2:16: `BAAI/bge-m3` is not pinned: instances started later may fetch other weights | set `revision:` to the commit that `main` has on the Hub now, all 40 digits; or `hubform lock --upgrade`, which pins the newest commit that hubform knows
    "#]]);
}

/// A model that nobody knows, at a commit.
fn house(more: &str, besides: &str) -> TestRun {
    endpoint(&format!("model: {{hub: acme/house, revision: '{}'{more}}}{besides}", "0".repeat(40)))
}

#[test]
fn of_an_unknown_model_task_and_engine_must_be_said() {
    house("", "").findings(expect![[r#"
        error HF2002 2:16: hubform knows nothing about `acme/house` and cannot choose for it | set `task`, `engine` and an instance type in `hardware`
    "#]]);
    house("", "\nhardware: ml.g5.xlarge").findings(expect![[r#"
        error HF2002 2:16: hubform knows nothing about `acme/house` and cannot choose for it | set `task` and `engine`
    "#]]);
    house(", task: text-generation", "\nhardware: ml.g5.xlarge").findings(expect![[r#"
        error HF2002 2:16: hubform knows nothing about `acme/house` and cannot choose for it | set `engine`
    "#]]);
    house(", engine: vllm", "\nhardware: ml.g5.xlarge").findings(expect![[r#"
        error HF2002 2:16: hubform knows nothing about `acme/house` and cannot choose for it | set `task`
    "#]]);
    endpoint("model: {s3: 's3://b/house/'}\nhardware: ml.g5.xlarge").findings(expect![[r#"
        error HF2002 2:15: hubform knows nothing about `s3://b/house/` and cannot choose for it | set `task` and `engine`
    "#]]);
}

#[test]
fn an_unknown_model_whose_task_and_engine_are_said_needs_an_instance_too() {
    house(", task: text-generation, engine: vllm", "").findings(expect![[r#"
        error HF2008 2:16: no instance type is set, and hubform does not know the size of `acme/house` | set `hardware: {instances: [ml.…]}`
    "#]]);
    endpoint("model: {s3: 's3://b/house/', task: text-generation, engine: vllm}").findings(expect![[r#"
        error HF2008 2:15: no instance type is set, and hubform does not know the size of `s3://b/house/` | set `hardware: {instances: [ml.…]}`
    "#]]);
}

#[test]
fn an_unknown_model_of_which_enough_is_said_is_deployed_and_not_judged() {
    house(", task: text-generation, engine: vllm", "\nhardware: ml.g5.xlarge")
        .check(expect![[r#"
            warning HF2042 3:13: cannot tell whether `acme/house` fits on `ml.g5.xlarge`: what its weights take is unknown | it is deployed all the same; if it does not fit, it will not start; if you know that it fits, set `context`
            Endpoint/chat as default-endpoint-chat
              image = huggingface-vllm:0.25.1-transformers5.10.2-gpu-py312-cu130-ubuntu22.04 (newest listed by both the SageMaker SDK and the containers' repository)
              inference AMI = al2023-ami-sagemaker-inference-gpu-4-1 (the image has CUDA 13; of the documented AMIs only this one has a driver for it)
              start-up timeout = 1h (the longest SageMaker waits; the model is large, or of unknown size)
        "#]]);
}

#[test]
fn a_known_name_under_another_organisation_is_offered() {
    endpoint("model: {hub: acme/Qwen3-8B}").findings(expect![[r#"
        error HF2002 2:16: hubform knows nothing about `acme/Qwen3-8B` and cannot choose for it | set `task`, `engine` and an instance type in `hardware`; or did you mean `Qwen/Qwen3-8B`?
        warning HF2005 2:16: `acme/Qwen3-8B` is not pinned: instances started later may fetch other weights | set `revision:` to the commit that `main` has on the Hub now, all 40 digits
    "#]]);
}

#[test]
fn what_only_the_lock_knows_of_a_model_is_taken_from_there() {
    let noted = endpoint("model: {hub: BAAI/bge-m3}").lock_after();
    let known = noted.models["BAAI/bge-m3@main"].clone();
    let mut lock = Lock::default();
    lock.set_model("acme/house", "main", known);
    endpoint("model: {hub: acme/house}").lock(lock).check(expect![[r#"
        Endpoint/chat as default-endpoint-chat
          revision = 5617a9f61b028005a4858fdac845db406aefb181 [pinned] (chosen before)
          engine = tei (serves the task feature-extraction)
          instance = ml.c7i.xlarge (cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price)
          image = tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04 (newest listed by the SageMaker SDK)
          start-up timeout = 10m (an encoder is up within minutes)
    "#]]);
}

#[test]
fn the_lock_is_believed_before_the_table() {
    let old = llm("");
    let mut lock = old.lock_after();
    lock.models.values_mut().for_each(|model| model.task = "feature-extraction".to_owned());
    old.lock(lock).only("engine").choices(expect![[r#"
        engine = tei (serves the task feature-extraction)
    "#]]);
}

#[test]
fn what_the_table_knows_is_noted_in_the_lock_unless_nothing_may_be_chosen() {
    let run = endpoint("model: {hub: BAAI/bge-m3}");
    assert_eq!(run.lock_after().models.keys().collect::<Vec<_>>(), ["BAAI/bge-m3@main"]);
    assert!(run.locked(Locked::Asked).lock_after().models.is_empty());
}

#[test]
fn embeddings_are_served_by_tei() {
    endpoint("model: {hub: BAAI/bge-m3}").only("engine").choices(expect![[r#"
        engine = tei (serves the task feature-extraction)
    "#]]);
}

#[test]
fn text_and_text_about_images_are_generated_by_vllm() {
    endpoint("model: {hub: Qwen/Qwen3-8B}").only("engine").choices(expect![[r#"
        engine = vllm (serves the task text-generation)
    "#]]);
    endpoint("model: {hub: Qwen/Qwen2.5-VL-7B-Instruct}").only("engine").choices(expect![[r#"
        engine = vllm (serves the task image-text-to-text)
    "#]]);
}

#[test]
fn speech_is_recognised_by_transformers() {
    endpoint("model: {hub: openai/whisper-large-v3}").only("engine").choices(expect![[r#"
        engine = transformers (serves the task automatic-speech-recognition)
    "#]]);
}

#[test]
fn for_other_tasks_no_engine_is_chosen() {
    endpoint("model: {hub: google-bert/bert-base-uncased, task: fill-mask}").findings(expect![[r#"
        error HF2006 2:10: hubform has no default engine for the task `fill-mask` | set `engine: vllm`, `tei`, `transformers`, `fake`, or `custom` with `image`
    "#]]);
    endpoint("model: {hub: sentence-transformers/all-mpnet-base-v2}").findings(expect![[r#"
        error HF2006 2:10: hubform has no default engine for the task `sentence-similarity` | set `engine: vllm`, `tei`, `transformers`, `fake`, or `custom` with `image`
    "#]]);
}

#[test]
fn a_task_that_is_said_outweighs_the_table() {
    let run = endpoint("model: {hub: sentence-transformers/all-mpnet-base-v2, task: feature-extraction}");
    run.only("engine").choices(expect![[r#"
        engine = tei (serves the task feature-extraction)
    "#]]);
}

#[test]
fn an_engine_that_is_said_is_no_choice() {
    endpoint("model: {hub: BAAI/bge-m3, engine: transformers}").only("engine").choices(expect![[""]]);
}

#[test]
fn weights_in_s3_are_a_prefix_or_one_archive() {
    let at = |s3: &str| {
        endpoint(&format!("model: {{s3: '{s3}', task: feature-extraction, engine: tei}}\nhardware: ml.m5.xlarge"))
    };
    at("s3://b/bge/").weights(expect![[r#"
        archive: false
        uri: "s3://b/bge/"
    "#]]);
    at("s3://b/bge.tar.gz").weights(expect![[r#"
        archive: true
        uri: "s3://b/bge.tar.gz"
    "#]]);
    at("s3://b/bge/").allowed("s3:GetObject", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/bge/*"}]"#]]);
    at("s3://b/bge.tar.gz")
        .allowed("s3:GetObject", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/bge.tar.gz"}]"#]]);
    at("s3://b/").allowed("s3:GetObject", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/*"}]"#]]);
}

#[test]
fn prefixes_are_listed_and_archives_are_not() {
    let at = |s3: &str| {
        endpoint(&format!("model: {{s3: '{s3}', task: feature-extraction, engine: tei}}\nhardware: ml.m5.xlarge"))
    };
    at("s3://b/bge/").allowed(
        "s3:ListBucket",
        expect![[r#"{"Fn::Sub":"arn:${AWS::Partition}:s3:::b"} {"StringLike":{"s3:prefix":["bge/*"]}}"#]],
    );
    at("s3://b/bge.tar.gz").allowed("s3:ListBucket", expect!["nothing"]);
    at("s3://b/").allowed("s3:ListBucket", expect![[r#"{"Fn::Sub":"arn:${AWS::Partition}:s3:::b"}"#]]);
}
