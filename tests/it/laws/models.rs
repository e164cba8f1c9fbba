//! Every model of the tables: it is pinned where a commit is known, and nothing is chosen for it upon what is not known.

use hubform::{catalog::Catalog, catalog::ModelFacts, resolve::Lock};

use super::account::compile;

fn alone(model: &ModelFacts) -> Vec<(String, String)> {
    let manifest = format!(
        "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {{name: a}}\nspec: {{model: \"{}\"}}\n",
        model.id
    );
    vec![("a.yaml".to_owned(), manifest)]
}

/// Do the tables say all that an instance is chosen upon?
fn is_known(model: &ModelFacts) -> bool {
    let plain = matches!(model.dtype.as_deref(), Some("float32" | "float16" | "bfloat16"));
    let parameters = model.params.or(model.params_hub).is_some();
    match model.task.as_str() {
        "text-generation" | "image-text-to-text" => {
            let weights = model.weight_bytes.is_some() || plain && parameters;
            weights && model.kv_bytes_per_token_16bit.is_some() && model.max_positions.is_some()
        }
        _ => parameters,
    }
}

#[test]
fn a_model_alone_is_pinned_and_sized_by_what_is_known_or_refused() {
    let (mut deployed, mut unknown) = (0, 0);
    for model in Catalog::embedded().models() {
        match compile(&alone(model), &Lock::default(), Catalog::embedded()) {
            Ok(wanted) => {
                assert!(is_known(model), "an instance is chosen for {}", model.id);
                let commit = model.commit.as_ref().map(|commit| commit.id.as_str());
                let body = &wanted.specs[0].body;
                assert!(commit.is_none_or(|commit| body.contains(commit)), "{} is not pinned", model.id);
                assert!(commit.is_some() || !body.contains("REVISION"), "{} has an invented commit", model.id);
                deployed += 1;
            }
            Err(found) => unknown += usize::from(found.iter().any(|one| one.code.number() == "HF2008")),
        }
    }
    assert!(deployed > 80 && unknown > 8, "{deployed} are deployed, {unknown} are unknown");
}
