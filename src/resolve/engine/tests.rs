use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use serde_json::json;

use super::{advice, by_name, by_task, choosable_names, of};
use crate::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::SourceMap,
    manifest::{self, Engine, Reference, SourceText, Spec, environments, parse},
    resolve::{Facts, Scope, resolve, view::View},
};

/// The embedded tables, and images of the engine that nobody has.
fn catalog() -> Catalog {
    let images = json!({"engine": "fake", "images": [{"version": "1.0", "scope": "inference", "accelerator": "cpu",
        "repository": "fake", "tag": "1.0-cpu", "registries": "r8", "verified": "sdk"}]});
    let tables = BTreeMap::from([("containers/fake.json".to_owned(), images.to_string())]);
    Catalog::with_tables(tables).expect("a well-formed table")
}

/// An endpoint with this spec, after parsing served by another engine where one is said.
fn scope(spec: &str, engine: Option<Engine>) -> Scope {
    let text = format!("apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {{name: oracle}}\nspec: {{{spec}}}\n");
    let input = SourceText { name: "oracle.yaml".into(), bytes: text.into(), named: true };
    let (manifests, unread) = parse(vec![input], &mut SourceMap::default());
    assert!(unread.is_empty(), "{unread:?}");
    let mut set = environments(manifests, None).0.remove(0);
    if let Spec::Endpoint(spec) = &mut set.documents[0].spec
        && let Some(Reference::Inline(model)) = &mut spec.model
    {
        model.engine = engine.or(model.engine);
    }
    Scope::new(set, Target { account: None, region: "us-east-1".into(), assume_role: None })
}

/// Findings, choices and the container's variables.
fn check(scope: Scope, expect: Expect) {
    let (resolved, findings) = resolve(&[scope], &Facts::known(), &catalog());
    let mut text: String = findings
        .into_iter()
        .map(|it| format!("{}: {} | {}\n", it.code.number(), it.message, it.help.unwrap_or_default()))
        .collect();
    for stack in &resolved.stacks {
        text.extend(stack.envelope.choices.iter().map(|it| format!("{} {}: {}\n", it.what, it.value, it.reason)));
        if let View::Endpoint(view) = &stack.view {
            text.extend(view.models.iter().map(|model| format!("{}\n", json!(model.environment))));
        }
    }
    expect.assert_eq(&text);
}

#[test]
fn a_new_engine_is_a_file_a_row_and_a_word() {
    check(
        scope("model: {hub: BAAI/bge-m3, task: fortune-telling, args: {crystal-balls: 2}}", None),
        expect![[r#"
            HF2083: `BAAI/bge-m3` is made for `feature-extraction`, but `task` is `fortune-telling` | remove `task`, or use a model made for it
            revision 5617a9f61b028005a4858fdac845db406aefb181: newest commit known on 2026-11-25; listed by 6 public sources, the last in 2026-10
            engine fake: serves the task fortune-telling
            instance ml.c7i.xlarge: cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price
            image fake:1.0-cpu: newest listed by the SageMaker SDK
            start-up timeout 1m: there is nothing to start
            {"FAKE_CRYSTAL_BALLS":"2","FAKE_REVISION":"5617a9f61b028005a4858fdac845db406aefb181","FAKE_WEIGHTS":"BAAI/bge-m3"}
        "#]],
    );
}

#[test]
fn what_a_new_engine_cannot_do_is_refused_by_its_row() {
    check(
        scope("model: {hub: BAAI/bge-m3, engine: fake, args: {weights: a}}", None),
        expect![[r#"
            HF2040: `weights` is set by hubform | set `hub` or `s3` in the model instead: hubform uses it to check what fits
            revision 5617a9f61b028005a4858fdac845db406aefb181: newest commit known on 2026-11-25; listed by 6 public sources, the last in 2026-10
            instance ml.c7i.xlarge: cheapest in us-east-1 that fits the model by estimate; 0.214 USD/h, seen 2025-01-26; 4 of that size have no known price
            image fake:1.0-cpu: newest listed by the SageMaker SDK
            start-up timeout 1m: there is nothing to start
            {"FAKE_REVISION":"5617a9f61b028005a4858fdac845db406aefb181","FAKE_WEIGHTS":"BAAI/bge-m3"}
        "#]],
    );
}

#[test]
fn a_new_engine_runs_only_where_its_row_has_images() {
    let on = |instance| scope(&format!("model: {{hub: BAAI/bge-m3, engine: fake}}, hardware: {instance}"), None);
    check(
        on("ml.g6.xlarge"),
        expect![[r#"
            HF2011: `fake` does not run on the accelerators of `ml.g6.xlarge` | use an x86 instance type such as ml.c7i.xlarge
        "#]],
    );
    check(
        on("ml.inf2.xlarge"),
        expect![[r#"
            HF2011: `fake` does not run on the accelerators of `ml.inf2.xlarge` | use an x86 instance type such as ml.c7i.xlarge
        "#]],
    );
}

#[test]
fn an_engine_without_a_row_is_a_finding() {
    check(
        scope("model: {hub: BAAI/bge-m3}", Some(Engine::Sglang)),
        expect![[r#"
            HF1040: not yet supported: the engine `sglang` | 
        "#]],
    );
    let all = [Engine::Sglang, Engine::Lmi, Engine::LlamaCpp, Engine::Tgi, Engine::NeuronVllm, Engine::NeuronTgi];
    assert!(all.into_iter().all(|word| of(word).is_none()));
}

#[test]
fn every_row_is_found_by_its_word_and_tasks() {
    for engine in super::ENGINES {
        assert!(of(engine.word).is_some_and(|found| found.word == engine.word));
        for task in engine.tasks {
            assert!(by_task(task).is_some_and(|found| found.word == engine.word), "{task} has two engines");
        }
        assert_eq!(by_name(&engine.to_string()).is_some(), !engine.tasks.is_empty(), "{engine}");
    }
    assert!(by_name("tie").is_none() && by_task("").is_none());
    assert_eq!(manifest::Engine::LlamaCpp.to_string(), "llama-cpp");
}

#[test]
fn texts_follow_from_the_table() {
    expect!["`fake`, `tei`, `transformers` or `vllm`"].assert_eq(&choosable_names());
    expect!["set `engine: vllm`, `tei`, `transformers`, `fake`, or `custom` with `image`"].assert_eq(&advice());
}

#[test]
fn every_spelling_of_the_model_is_hubforms() {
    let fields = |engine, flag| of(engine).and_then(|row| row.flags.as_ref()).and_then(|flags| flags.fields_of(flag));
    for flag in ["model", "MODEL", "mod", "revision", "rev", "Revisio", "dt", "q", "max_model", "tensor", "h"] {
        assert!(fields(Engine::Vllm, flag).is_some(), "{flag}");
    }
    for flag in ["port", "PORT", "ho", "no-trust-remote-code", "no_headless", "root_path", "ssl-key"] {
        assert!(fields(Engine::Vllm, flag).is_some(), "{flag}");
    }
    for flag in ["model-id", "model_id", "hf-model-id", "HF_MODEL_ID", "hf_model_revision", "revision"] {
        assert!(fields(Engine::Tei, flag).is_some(), "{flag}");
    }
    for flag in ["no-enable-prefix-caching", "node-rank", "seed", "runner"] {
        assert_eq!(fields(Engine::Vllm, flag), None, "{flag}");
    }
    for flag in ["", "model-impl", "dtypes", "tp", "code-revision", "max-num-seqs", "served-model-name"] {
        assert_eq!(fields(Engine::Vllm, flag), None, "{flag}");
    }
    assert_eq!(fields(Engine::Tei, "max-batch-tokens"), None);
}

#[test]
fn words_are_those_of_the_images_that_are_chosen() {
    let catalog = Catalog::embedded();
    for engine in super::ENGINES {
        for platform in engine.platforms {
            let newest = catalog.newest_image(platform.images, platform.on);
            assert!(
                newest.is_none_or(|image| image.version.as_str() == engine.version),
                "{engine}: look its words up again"
            );
        }
    }
}

#[test]
fn no_flag_that_hubform_sets_begins_as_another_does() {
    for engine in super::ENGINES {
        let Some(flags) = &engine.flags else { continue };
        for (flag, _) in flags.takes {
            let field = flags.owned.iter().any(|(owned, _)| owned == flag);
            assert!(field || flags.fields_of(flag).is_none(), "{engine}: {flag}");
        }
    }
}

#[test]
fn variables_are_flags_where_the_image_makes_them_so() {
    let flag = |engine, name: &str| of(engine).and_then(|row| row.flags.as_ref()?.of_variable(name));
    assert_eq!(flag(Engine::Vllm, "SM_VLLM_MAX_MODEL_LEN").as_deref(), Some("max-model-len"));
    assert_eq!(flag(Engine::Vllm, "MAX_MODEL_LEN"), None);
    assert_eq!(flag(Engine::Tei, "POOLING").as_deref(), Some("pooling"));
    assert_eq!(flag(Engine::Tei, "pooling").or(flag(Engine::Tei, "RUST_LOG")), None);
    let key = |engine, name| of(engine).is_some_and(|row| row.is_key(name));
    assert!(key(Engine::Vllm, "SM_VLLM_API_KEY") && key(Engine::Vllm, "VLLM_API_KEY") && key(Engine::Tei, "API_KEY"));
    assert!(!key(Engine::Vllm, "API_KEY") && !key(Engine::Custom, "API_KEY"));
}

#[test]
fn numbers_are_read_as_vllm_reads_them() {
    let read = ["1k", "1K", "25.6k", "16384", "2M", "-1"].map(super::scaled);
    assert_eq!(read, [1000, 1024, 25_600, 16_384, 2 << 20, -1].map(Some));
    assert!(
        ["", "k", "1kk", "16,384", "95%", "1.5", "-1k", "é", "1.5K", ".5k", "1.k"]
            .into_iter()
            .all(|text| super::scaled(text).is_none())
    );
}
