//! What is pinned stays while its inputs do, must hold by the rules, and must be there where nothing may be chosen.

use super::*;

const BGE: &str = "model: {hub: BAAI/bge-m3}";

#[test]
fn what_was_chosen_is_kept_the_next_time() {
    let first = endpoint(BGE);
    let lock = first.lock_after();
    let second = first.lock(lock.clone());
    second.choices(expect![[r#"
        revision = 5617a9f61b028005a4858fdac845db406aefb181 [pinned] (newest commit known on 2026-11-25; listed by 6 public sources, the last in 2026-10)
        engine = tei [pinned]
        instance = ml.c7i.xlarge [pinned]
        image = tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04 [pinned]
        start-up timeout = 10m [pinned]
    "#]]);
    assert_eq!(second.lock_after(), lock);
}

#[test]
fn each_choice_records_what_it_was_made_from() {
    let lock = llm("scaling: {max: 2}").lock_after();
    let choices = &lock.environments["default"].choices["Endpoint/chat@default"]["AllTraffic"];
    let line = |(what, pinned): (&String, &Pinned)| {
        let from: Vec<_> = pinned.from.iter().map(|(input, then)| format!("{input} {then}")).collect();
        format!("{what}: {}\n", from.join(", "))
    };
    expect![[r#"
        engine: model Qwen/Qwen3-8B, task text-generation
        image: accelerator gpu, engine vllm
        inference-ami: cuda 13.0, family g6e
        initial-count: 
        scaling-target: accelerated true
        startup-timeout: engine vllm, model Qwen/Qwen3-8B
        tensor-parallel: instance ml.g6e.xlarge, model Qwen/Qwen3-8B
    "#]]
    .assert_eq(&choices.iter().map(line).collect::<String>());
}

#[test]
fn a_pin_is_kept_whatever_would_be_chosen_today_and_that_is_said_when_asked() {
    let run = endpoint(BGE).pinned("instance", "ml.m5.4xlarge", &[("model", "BAAI/bge-m3")]);
    run.clone().only("instance").choices(expect![[r#"
        instance = ml.m5.4xlarge [pinned]
    "#]]);
    run.today().only("instance").choices(expect![[r#"
        instance = ml.m5.4xlarge [pinned] (chosen before) | today ml.c7i.xlarge (cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price)
    "#]]);
}

#[test]
fn a_pin_whose_input_changed_is_chosen_again() {
    let from = |region: &str| endpoint(BGE).pinned("instance", "ml.m5.4xlarge", &[("region", region)]).only("instance");
    from("us-east-1").choices(expect![[r#"
        instance = ml.m5.4xlarge [pinned]
    "#]]);
    from("us-west-2").choices(expect![[r#"
        instance = ml.c7i.xlarge (cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price)
    "#]]);
}

#[test]
fn a_pin_that_breaks_a_rule_is_refused_whichever_it_is() {
    let broken = |what: &str, value: Scalar, run: &TestRun| {
        let (_, findings, sources) = run.clone().pinned(what, value, &[]).resolved();
        let found = findings.into_iter().filter(|finding| finding.code.number() == "HF2050").collect();
        said(found, &sources)
    };
    let (encoder, llm) =
        (endpoint(BGE), endpoint("model: {hub: Qwen/Qwen3-8B}\nhardware: ml.g5.12xlarge\nscaling: {max: 2}"));
    let large = endpoint(
        "model: {hub: Qwen/Qwen3-32B, engine: custom, image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1-cu130'}\nhardware: ml.m5.24xlarge",
    );
    let small = endpoint("model: {hub: Qwen/Qwen3-8B}\nhardware: ml.g5.xlarge");
    let processors = endpoint(&format!("{BGE}\nscaling: {{max: 2}}\nhardware: ml.m5.xlarge"));
    let said = [
        broken("engine", "sglang".into(), &encoder),
        broken("instance", "ml.g5.nano".into(), &encoder),
        broken("image", "elsewhere:1".into(), &encoder),
        broken("image", "tei-cpu:".into(), &encoder),
        broken("inference-ami", "no ami".into(), &llm),
        broken("tensor-parallel", 3u64.into(), &llm),
        broken("tensor-parallel", 8u64.into(), &llm),
        broken("context", 0u64.into(), &small),
        broken("initial-count", 0u64.into(), &llm),
        broken("scaling-target", 0u64.into(), &llm),
        broken("scaling-target", 101u64.into(), &processors),
        broken("startup-timeout", "59s".into(), &encoder),
        broken("startup-timeout", "3601s".into(), &encoder),
        broken("volume", "513GiB".into(), &large),
    ];
    expect![[r#"
        error HF2050 5:18: `hubform.lock` pins `sglang` as the engine, which must be an engine that hubform chooses: `fake`, `tei`, `transformers` or `vllm` | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, engine; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 5:18: `hubform.lock` pins `ml.g5.nano` as the instance, which must be an instance type that hosts endpoints in us-east-1 | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, instance; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 5:18: `hubform.lock` pins `elsewhere:1` as the image, which must be from a repository that hubform knows for its engine and devices | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, image; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 5:18: `hubform.lock` pins `tei-cpu:` as the image, which must be from a repository that hubform knows for its engine and devices | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, image; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 7:18: `hubform.lock` pins `no ami` as the inference AMI, which must be a name of letters, digits and `-` | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, inference-ami; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 7:18: `hubform.lock` pins `3` as the tensor parallel, which must be a whole number from 1 to 4 (the instance's devices) by which the model's heads divide | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, tensor-parallel; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 7:18: `hubform.lock` pins `8` as the tensor parallel, which must be a whole number from 1 to 4 (the instance's devices) by which the model's heads divide | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, tensor-parallel; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 6:18: `hubform.lock` pins `0` as the context, which must be a whole number of at least 1 | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, context; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 7:18: `hubform.lock` pins `0` as the initial count, which must be a whole number of at least 1 | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, initial-count; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 7:18: `hubform.lock` pins `0` as the scaling target, which must be a number above 0 | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, scaling-target; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 7:18: `hubform.lock` pins `101` as the scaling target, which must be a number above 0, 100 at most | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, scaling-target; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 5:18: `hubform.lock` pins `59s` as the start-up timeout, which must be a time from 1m to 1h | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, startup-timeout; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 5:18: `hubform.lock` pins `3601s` as the start-up timeout, which must be a time from 1m to 1h | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, startup-timeout; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
        error HF2050 6:18: `hubform.lock` pins `513GiB` as the volume, which must be a size from 1GiB to 512GiB | it is under environments, default, choices, Endpoint/chat@default, AllTraffic, volume; restore it from git, or `hubform lock --upgrade Endpoint/chat` chooses again
    "#]].assert_eq(&said.concat());
}

#[test]
fn a_pin_at_the_edge_of_its_rule_holds() {
    let holds = |what: &str, value: Scalar, run: &TestRun| {
        let run = run.clone().pinned(what, value, &[]);
        run.is_fine();
        assert!(run.stack().envelope.choices.iter().any(|choice| choice.pinned), "{what}");
    };
    let (encoder, llm) =
        (endpoint(BGE), endpoint("model: {hub: Qwen/Qwen3-8B}\nhardware: ml.g5.12xlarge\nscaling: {max: 2}"));
    holds("startup-timeout", "60s".into(), &encoder);
    holds("startup-timeout", "3600s".into(), &encoder);
    holds("tensor-parallel", 4u64.into(), &llm);
    holds("tensor-parallel", 1u64.into(), &llm);
    holds("initial-count", 1u64.into(), &llm);
}

#[test]
fn a_broken_pin_stays_in_the_lock_until_somebody_mends_it() {
    let run = endpoint(BGE).pinned("startup-timeout", "59s", &[]);
    let after = run.lock_after();
    let pin = &after.environments["default"].choices["Endpoint/chat@default"]["AllTraffic"]["startup-timeout"];
    assert_eq!(pin.value, Scalar::from("59s"));
}

#[test]
fn an_image_that_the_table_no_longer_has_is_kept_and_its_tag_says_the_cuda() {
    let run = endpoint("model: {hub: Qwen/Qwen3-8B}\nhardware: ml.g6e.xlarge");
    run.clone()
        .pinned("image", "huggingface-vllm:0.1.0-gpu-cu129", &[])
        .only("image, inference AMI")
        .choices(expect![[r#"
            image = huggingface-vllm:0.1.0-gpu-cu129 [pinned]
            inference AMI = al2-ami-sagemaker-inference-gpu-3-1 (the image has CUDA 12.9, which the default AMI's driver fails on)
        "#]]);
    run.pinned("image", "huggingface-vllm:0.1.0-gpu-cu129", &[])
        .image(expect![[r#""763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-vllm:0.1.0-gpu-cu129""#]]);
}

#[test]
fn a_commit_in_the_lock_is_kept_and_the_newer_one_said() {
    let run = endpoint(BGE);
    let mut lock = run.lock_after();
    lock.models.values_mut().for_each(|model| model.commit = Some("0".repeat(40)));
    run.lock(lock).only("revision").choices(expect![[r#"
        revision = 0000000000000000000000000000000000000000 [pinned] (chosen before) | today 5617a9f61b028005a4858fdac845db406aefb181 (newest commit known on 2026-11-25; listed by 6 public sources, the last in 2026-10)
    "#]]);
}

#[test]
fn where_nothing_may_be_chosen_all_that_is_missing_is_told_at_once() {
    let reasons = [Locked::Asked, Locked::Ci, Locked::Protected(None), Locked::Protected(Some("prod"))];
    findings(
        &reasons.map(|why| encoder("").locked(why)),
        expect![[r#"
            error HF2031 7:18: the lock has no facts of the model (BAAI/bge-m3), engine (tei), image (tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04), start-up timeout (10m) for `Endpoint/chat@default`, and hubform may not choose because of `--locked` | the values in brackets are what hubform would choose; run `hubform lock` and commit hubform.lock
            error HF2031 7:18: the lock has no facts of the model (BAAI/bge-m3), engine (tei), image (tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04), start-up timeout (10m) for `Endpoint/chat@default`, and hubform may not choose because `CI` is set | the values in brackets are what hubform would choose; run `hubform lock` and commit hubform.lock
            error HF2031 7:18: the lock has no facts of the model (BAAI/bge-m3), engine (tei), image (tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04), start-up timeout (10m) for `Endpoint/chat@default`, and hubform may not choose because the environment is protected | the values in brackets are what hubform would choose; run `hubform lock` and commit hubform.lock
            error HF2031 7:18: the lock has no facts of the model (BAAI/bge-m3), engine (tei), image (tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04), start-up timeout (10m) for `Endpoint/chat@default`, and hubform may not choose because the environment is protected, as its name begins with `prod` | the values in brackets are what hubform would choose; run `hubform lock` and commit hubform.lock
        "#]],
    );
    endpoint(BGE).locked(Locked::Asked).findings(expect![[r#"
        error HF2031 5:18: the lock has no facts of the model (BAAI/bge-m3), engine (tei), instance (ml.c7i.xlarge), image (tei-cpu:2.0.1-tei1.8.2-cpu-py310-ubuntu22.04), start-up timeout (10m) for `Endpoint/chat@default`, and hubform may not choose because of `--locked` | the values in brackets are what hubform would choose; run `hubform lock` and commit hubform.lock
    "#]]);
}

#[test]
fn where_nothing_may_be_chosen_what_is_pinned_is_enough() {
    let run = endpoint(BGE);
    let lock = run.lock_after();
    run.lock(lock).locked(Locked::Ci).is_fine();
}

#[test]
fn where_nothing_may_be_chosen_nothing_is_added_to_the_lock() {
    let run = endpoint(BGE).locked(Locked::Asked);
    assert_eq!(run.lock_after(), Lock::default());
}

#[test]
fn two_environments_with_one_owner_are_refused() {
    let mut lock = Lock::default();
    lock.set_owner("dev", "00000000000000e1".to_owned());
    lock.set_owner("trial", "00000000000000e1".to_owned());
    let folders = ["dev", "trial"].into_iter();
    let run = folders.fold(TestRun::default(), |run, name| run.within(name).and("Environment", name, "")).lock(lock);
    run.findings(expect![[r#"
        error HF2052 4:18, trial/trial.yaml 4:18: the environments `dev` and `trial` have the same owner id, 00000000000000e1: each would treat the other's stacks as its own | one was copied with its lock; `hubform lock trial --new-owner` gives it an owner of its own
    "#]]);
    let mut lock = run.lock.clone();
    lock.set_owner("trial", "00000000000000e2".to_owned());
    run.lock(lock).is_fine();
}

#[test]
fn an_initial_count_that_is_pinned_stays_whatever_the_manifest_says_later() {
    let run = encoder("scaling: {max: 4, initial: 3}").pinned("initial-count", 2u64, &[]);
    run.count(expect!["2"]);
    run.clone().today().only("initial count").choices(expect![[r#"
        initial count = 2 [pinned] (chosen before) | today 3 (as the manifest says; it applies only when the endpoint is created)
    "#]]);
}

#[test]
fn the_owner_of_the_environment_stands_in_the_lock() {
    let mut lock = Lock::default();
    lock.set_owner("default", "00000000000000e1".to_owned());
    assert_eq!(encoder("").lock(lock).stack().envelope.owner.as_deref(), Some("00000000000000e1"));
    assert_eq!(encoder("").stack().envelope.owner, None);
}
