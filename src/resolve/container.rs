//! What each engine reads from its environment: the model, where it listens, its own flags.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Context,
    hardware::{Chosen, Fit},
    model::{Served, Weights},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::Engine,
};

/// Where SageMaker puts weights from S3.
const LOCAL: &str = "/opt/ml/model";
/// From this compute capability on, a GPU has bfloat16.
const BFLOAT16: (u32, u32) = (8, 0);

/// The container's environment, the manifest's own variables last.
pub(super) fn environment(
    context: &mut Context<'_>,
    served: &Served<'_>,
    chosen: &Chosen<'_>,
    fit: Option<&Fit>,
) -> BTreeMap<String, String> {
    let mut variables = match served.engine {
        Engine::Vllm => vllm(served, chosen, fit),
        Engine::Tei => tei(served),
        Engine::Transformers => transformers(served),
        _ => custom(served),
    };
    for (flag, value) in &served.spec.args {
        if let Some(field) = field_of(served.engine, flag) {
            refuse_flag(context, served, flag, field);
            continue;
        }
        match spelled(served.engine, flag) {
            Some(name) => variables.insert(name, text(value)),
            None => no_flags(context, served, flag),
        };
    }
    variables.extend(served.spec.env.clone());
    variables
}

fn vllm(served: &Served<'_>, chosen: &Chosen<'_>, fit: Option<&Fit>) -> BTreeMap<String, String> {
    let spec = &served.spec;
    let (model, revision) = location(&served.weights);
    let mut set = BTreeMap::from([
        ("SM_VLLM_MODEL".to_owned(), model.to_owned()),
        ("SM_VLLM_HOST".to_owned(), "0.0.0.0".to_owned()),
    ]);
    let mut put = |flag: &str, value: Option<String>| {
        value.map(|value| set.insert(format!("SM_VLLM_{flag}"), value));
    };
    put("REVISION", revision.map(str::to_owned));
    put("TENSOR_PARALLEL_SIZE", fit.map(|fit| fit.tensor_parallel.to_string()));
    put("MAX_MODEL_LEN", fit.and_then(|fit| fit.context).map(|tokens| tokens.to_string()));
    put("DTYPE", spec.dtype.clone().or_else(|| half_where_needed(served, chosen)));
    put("QUANTIZATION", spec.quantization.clone());
    put("TRUST_REMOTE_CODE", spec.trust_remote_code.filter(|trust| *trust).map(|_| "true".to_owned()));
    set
}

/// Older GPUs have no bfloat16, and vLLM stops at start instead of falling back.
pub(super) fn half_where_needed(served: &Served<'_>, chosen: &Chosen<'_>) -> Option<String> {
    let gpu = chosen.facts?.accelerator.as_ref()?;
    let old = gpu.cuda_compute_capability.is_some_and(|has| has < BFLOAT16);
    (old && served.facts.as_ref()?.dtype.as_deref() == Some("bfloat16")).then(|| "half".to_owned())
}

fn tei(served: &Served<'_>) -> BTreeMap<String, String> {
    let (model, revision) = location(&served.weights);
    let mut set = BTreeMap::from([("HF_MODEL_ID".to_owned(), model.to_owned())]);
    revision.map(|revision| set.insert("HF_MODEL_REVISION".to_owned(), revision.to_owned()));
    served.spec.dtype.clone().map(|dtype| set.insert("DTYPE".to_owned(), dtype));
    set
}

fn transformers(served: &Served<'_>) -> BTreeMap<String, String> {
    let mut set = BTreeMap::new();
    if let Weights::Hub { id, revision } = &served.weights {
        set.insert("HF_MODEL_ID".to_owned(), id.clone());
        revision.clone().map(|revision| set.insert("HF_MODEL_REVISION".to_owned(), revision));
    }
    served.task.clone().map(|task| set.insert("HF_TASK".to_owned(), task));
    let trust = served.spec.trust_remote_code.filter(|trust| *trust);
    trust.map(|_| set.insert("HF_TRUST_REMOTE_CODE".to_owned(), "true".to_owned()));
    set
}

fn custom(served: &Served<'_>) -> BTreeMap<String, String> {
    let (model, revision) = location(&served.weights);
    let mut set = BTreeMap::from([("HF_MODEL_ID".to_owned(), model.to_owned())]);
    revision.map(|revision| set.insert("HF_MODEL_REVISION".to_owned(), revision.to_owned()));
    set
}

fn location(weights: &Weights) -> (&str, Option<&str>) {
    match weights {
        Weights::Hub { id, revision } => (id, revision.as_deref()),
        Weights::S3 { .. } => (LOCAL, None),
    }
}

/// An engine's flag as its image spells it.
fn spelled(engine: Engine, flag: &str) -> Option<String> {
    let upper = flag.replace('-', "_").to_uppercase();
    match engine {
        Engine::Vllm => Some(format!("SM_VLLM_{upper}")),
        Engine::Tei => Some(upper),
        _ => None,
    }
}

/// Flags of vLLM that hubform sets, and the fields they are set by. Its image makes each variable a flag with two
/// dashes, and vLLM's parser takes such a flag by its beginning, too, unless several flags begin so (Python's argparse):
/// no beginning of these is a flag of its own, so all are refused.
const OF_VLLM: [(&str, &str); 8] = [
    ("model", "hub` or `s3"),
    ("revision", "revision"),
    ("dtype", "dtype"),
    ("tensor-parallel-size", "tensorParallel"),
    ("max-model-len", "context"),
    ("quantization", "quantization"),
    ("trust-remote-code", "trustRemoteCode"),
    ("host", ""),
];

/// Those of TEI: its image reads the `HF_` variables and puts them into the others (`sagemaker-entrypoint.sh`).
const OF_TEI: [(&str, &str); 5] = [
    ("hf-model-id", "hub` or `s3"),
    ("model-id", "hub` or `s3"),
    ("hf-model-revision", "revision"),
    ("revision", "revision"),
    ("dtype", "dtype"),
];

/// The field that a flag is set by, where hubform sets it.
fn field_of(engine: Engine, flag: &str) -> Option<&'static str> {
    let flag = flag.replace('_', "-").to_lowercase();
    let own = |own: &'static [(&str, &str)], is: &dyn Fn(&str) -> bool| {
        own.iter().find(|(name, _)| is(name)).map(|(_, field)| *field)
    };
    match engine {
        Engine::Vllm => own(&OF_VLLM, &|name| !flag.is_empty() && name.starts_with(&flag)),
        Engine::Tei => own(&OF_TEI, &|name| name == flag),
        _ => None,
    }
}

fn refuse_flag(context: &mut Context<'_>, served: &Served<'_>, flag: &str, field: &str) {
    let message = format!("`{flag}` is set by hubform");
    let help = match field {
        "" => "leave it out; SageMaker reaches the server only where hubform puts it".to_owned(),
        field => format!("say `{field}` in the model instead: hubform judges by it what fits"),
    };
    let place = served.place.at("args").at(flag);
    context.report(Diagnostic::new(Code::OwnFlag, message).at(place.span()).help(help));
}

fn no_flags(context: &mut Context<'_>, served: &Served<'_>, flag: &str) -> Option<String> {
    let message = format!("`{flag}`: this engine has no flags of its own");
    let place = served.place.at("args").at(flag);
    context.report(Diagnostic::new(Code::NoFlags, message).at(place.span()).help("set its variables in `env`"));
    None
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_model_is_hubforms() {
        for flag in ["model", "MODEL", "mod", "revision", "rev", "Revisio", "dt", "q", "max_model", "tensor", "h"] {
            assert!(field_of(Engine::Vllm, flag).is_some(), "{flag}");
        }
        for flag in ["model-id", "model_id", "hf-model-id", "HF_MODEL_ID", "hf_model_revision", "revision"] {
            assert!(field_of(Engine::Tei, flag).is_some(), "{flag}");
        }
        for flag in ["", "model-impl", "dtypes", "tp", "code-revision", "max-num-seqs", "served-model-name"] {
            assert_eq!(field_of(Engine::Vllm, flag), None, "{flag}");
        }
        assert_eq!(field_of(Engine::Tei, "max-batch-tokens"), None);
    }
}
