//! How long a start may take, how large its volume is, and which instance answers.

use super::*;

fn timed(model: &str, instance: &str) -> TestRun {
    endpoint(&format!("model: {{hub: {model}}}\nhardware: {instance}"))
}

#[test]
fn encoders_have_ten_minutes_to_start() {
    timed("BAAI/bge-m3", "ml.m5.xlarge").only("start-up timeout").choices(expect![[r#"
        start-up timeout = 10m (an encoder is up within minutes)
    "#]]);
    timed("Qwen/Qwen3-Embedding-8B", "ml.g6e.xlarge").only("start-up timeout").choices(expect![[r#"
        start-up timeout = 10m (an encoder is up within minutes)
    "#]]);
}

#[test]
fn other_models_have_time_by_their_size() {
    let timeout = |model: &str| timed(model, "ml.p5.48xlarge").only("start-up timeout");
    timeout("mistralai/Mistral-Nemo-Instruct-2407").choices(expect![[r#"
        start-up timeout = 15m (enough to fetch and load up to 13 billion parameters)
    "#]]);
    timeout("Qwen/Qwen3-14B").choices(expect![[r#"
        start-up timeout = 30m (enough to fetch and load up to 70 billion parameters)
    "#]]);
    timeout("Qwen/Qwen3-32B").choices(expect![[r#"
        start-up timeout = 30m (enough to fetch and load up to 70 billion parameters)
    "#]]);
    timeout("Qwen/Qwen2.5-72B-Instruct").choices(expect![[r#"
        start-up timeout = 1h (the longest SageMaker waits; the model is large, or of unknown size)
    "#]]);
}

#[test]
fn thirteen_and_seventy_billion_are_the_bounds() {
    let run = timed("Qwen/Qwen3-8B", "ml.p5.48xlarge");
    let lock = run.lock_after();
    let sized = |parameters: u64| {
        let mut lock = Lock { models: lock.models.clone(), ..Lock::default() };
        lock.models.values_mut().for_each(|model| model.parameters = Some(parameters));
        run.clone().lock(lock).stack().envelope.choices.into_iter().find(|choice| choice.what == "start-up timeout")
    };
    let time = |parameters: u64| sized(parameters).expect("it is chosen").value;
    assert_eq!((time(13_000_000_000), time(13_000_000_001)), ("15m".to_owned(), "30m".to_owned()));
    assert_eq!((time(70_000_000_000), time(70_000_000_001)), ("30m".to_owned(), "1h".to_owned()));
}

#[test]
fn a_model_of_unknown_size_has_the_most_time() {
    let unknown = timed("acme/house, task: text-generation, engine: vllm", "ml.g5.xlarge");
    unknown.only("start-up timeout").choices(expect![[r#"
        start-up timeout = 1h (the longest SageMaker waits; the model is large, or of unknown size)
    "#]]);
}

#[test]
fn times_that_are_said_are_taken_from_the_endpoint_else_from_its_environment() {
    let said = "timeouts: {startup: 7m, download: 8m, provision: 9m}";
    encoder(said).variant(expect![[r#"
        count: 1
        instance: "ml.m5.xlarge"
        model: "Model"
        name: "AllTraffic"
        provision_timeout: 540
        startup_timeout: 420
    "#]]);
    encoder("").environment("defaults: {timeouts: {startup: 20m}}").variant(expect![[r#"
        count: 1
        instance: "ml.m5.xlarge"
        model: "Model"
        name: "AllTraffic"
        startup_timeout: 1200
    "#]]);
    let partly = encoder("timeouts: {provision: 9m}").environment("defaults: {timeouts: {startup: 20m}}");
    partly.only("start-up timeout").choices(expect![[r#"
        start-up timeout = 10m (an encoder is up within minutes)
    "#]]);
}

#[test]
fn weights_from_s3_may_be_fetched_as_long_as_the_start_takes_unless_said() {
    let from_s3 = "model: {s3: 's3://b/m/', task: feature-extraction, engine: tei}\nhardware: ml.m5.xlarge";
    endpoint(from_s3).variant(expect![[r#"
        count: 1
        download_timeout: 600
        instance: "ml.m5.xlarge"
        model: "Model"
        name: "AllTraffic"
        startup_timeout: 600
    "#]]);
    endpoint(&format!("{from_s3}\ntimeouts: {{download: 30m}}")).variant(expect![[r#"
        count: 1
        download_timeout: 1800
        instance: "ml.m5.xlarge"
        model: "Model"
        name: "AllTraffic"
        startup_timeout: 600
    "#]]);
}

#[test]
fn from_ten_gib_of_weights_on_a_volume_is_made_for_them() {
    let image = "engine: custom, image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    let volume = |model: &str| timed(&format!("{model}, {image}"), "ml.m5.24xlarge").only("volume");
    volume("mistralai/Ministral-3-8B-Instruct-2512").choices(expect![[""]]);
    volume("microsoft/Phi-4-multimodal-instruct").choices(expect![[r#"
        volume = 50GiB (twice the weights, and 30 GiB for the image)
    "#]]);
    volume("Qwen/Qwen3-32B").choices(expect![[r#"
        volume = 152GiB (twice the weights, and 30 GiB for the image)
    "#]]);
    volume("deepseek-ai/DeepSeek-V3.1").choices(expect![[r#"
        volume = 512GiB (twice the weights, and 30 GiB for the image)
    "#]]);
}

#[test]
fn local_disks_take_no_volume() {
    timed("Qwen/Qwen3-32B", "ml.g5.48xlarge").only("volume").choices(expect![[""]]);
    timed("Qwen/Qwen3-8B", "{instances: [ml.g5.xlarge], volume: 100GiB}").findings(expect![[r#"
        error HF2030 3:49: `ml.g5.xlarge` has local disks, so SageMaker gives it no volume | remove `volume`
    "#]]);
}

#[test]
fn a_volume_that_is_said_is_taken() {
    timed("BAAI/bge-m3", "{instances: [ml.m5.xlarge], volume: 100GiB}").variant(expect![[r#"
        count: 1
        instance: "ml.m5.xlarge"
        model: "Model"
        name: "AllTraffic"
        startup_timeout: 600
        volume: 100
    "#]]);
}

#[test]
fn routing_is_taken_as_said() {
    encoder("routing: random").routing(expect![[r#"
        strategy: "random"
    "#]]);
    encoder("routing: least-outstanding").routing(expect![[r#"
        strategy: "least-outstanding"
    "#]]);
    encoder("routing: {strategy: prefix-aware, prefixLength: 2048, concurrencyThreshold: 8}").routing(expect![[r#"
        concurrency_threshold: 8
        prefix_length: 2048
        strategy: "prefix-aware"
    "#]]);
}
