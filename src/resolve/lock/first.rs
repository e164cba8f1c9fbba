//! Locks of format 1, which hubform 0.1 wrote: what a choice followed from was an English sentence.
//!
//! The sentences are known, so they are read back into inputs. What is not understood becomes a pin without inputs,
//! which holds until it is upgraded: nothing moves because a file was rewritten.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{LOCK_FORMAT, Lock, LockedModel, Pinned, Scalar, Servings};
use crate::{diagnostic::Span, manifest::plain::PlainYaml};

/// The one serving that 0.1 knew.
const SERVING: &str = "AllTraffic";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(default)]
    models: BTreeMap<String, LockedModel>,
    #[serde(default)]
    choices: BTreeMap<String, BTreeMap<String, FirstPinned>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstPinned {
    value: String,
    follows: String,
}

/// The lock, with all its choices unclaimed.
pub(super) fn read(tree: &PlainYaml) -> Result<Lock, (String, Span)> {
    let first: First = tree.typed()?;
    let serving = |choices: BTreeMap<String, FirstPinned>| -> Servings {
        let choices = choices.into_iter().map(|(what, pinned)| upgraded(&what, pinned)).collect();
        BTreeMap::from([(SERVING.to_owned(), choices)])
    };
    let unclaimed = first.choices.into_iter().map(|(manifest, choices)| (manifest, serving(choices))).collect();
    Ok(Lock { format: LOCK_FORMAT, environments: BTreeMap::new(), unclaimed, models: first.models })
}

/// A choice by its name of today, with its inputs.
fn upgraded(what: &str, pinned: FirstPinned) -> (String, Pinned) {
    let (name, labels): (&str, &[(&str, &str)]) = match what {
        "start-up timeout" => ("startup-timeout", &[("model ", "model"), ("engine ", "engine")]),
        "inference AMI" => ("inference-ami", &[("CUDA ", "cuda"), ("", "family")]),
        "initial count" => ("initial-count", &[]),
        "tensor parallel" => ("tensor-parallel", &[("model ", "model"), ("instance ", "instance")]),
        "context" => {
            ("context", &[("model ", "model"), ("instance ", "instance"), ("tensor parallel ", "tensor-parallel")])
        }
        "engine" => ("engine", &[("task ", "task")]),
        "image" => ("image", &[("engine ", "engine"), ("on ", "accelerator")]),
        "volume" => ("volume", &[("model ", "model")]),
        "instance" => (
            "instance",
            &[
                ("model ", "model"),
                ("engine ", "engine"),
                ("region ", "region"),
                ("tensor parallel ", "tensor-parallel"),
                ("context ", "context"),
                ("quantization ", "quantization"),
            ],
        ),
        "scaling target" => ("scaling-target", &[("", "accelerated")]),
        other => (other, &[]),
    };
    let mut from = inputs(&pinned.follows, labels).unwrap_or_default();
    if name == "instance" && !from.is_empty() {
        for said in ["tensor-parallel", "context", "quantization"] {
            from.entry(said.to_owned()).or_insert(Scalar::Absent);
        }
    }
    (name.to_owned(), Pinned { value: value(name, pinned.value), from })
}

/// The inputs of a sentence, each part by its label; none where a part has none of them.
fn inputs(sentence: &str, labels: &[(&str, &str)]) -> Option<BTreeMap<String, Scalar>> {
    let mut from = BTreeMap::new();
    for part in sentence.split(", ") {
        let (name, text) = labels.iter().find_map(|(label, name)| Some((*name, part.strip_prefix(label)?)))?;
        from.insert(name.to_owned(), input(name, text)?);
    }
    Some(from)
}

fn input(name: &str, text: &str) -> Option<Scalar> {
    Some(match (name, text) {
        ("accelerator", "processors") => "cpu".into(),
        ("accelerator", "GPUs") => "gpu".into(),
        ("accelerator", "Neuron") => "neuron".into(),
        ("accelerated", "an accelerator") => true.into(),
        ("accelerated", "no accelerator") => false.into(),
        ("accelerator" | "accelerated", _) => return None,
        ("tensor-parallel" | "context", text) => text.parse::<u64>().ok()?.into(),
        (_, text) => text.into(),
    })
}

/// Numbers become numbers; `60` of `cpu 60%`, `8` of `8 concurrent requests per instance`.
fn value(name: &str, text: String) -> Scalar {
    let number = match name {
        "tensor-parallel" | "context" | "initial-count" => text.parse::<f64>().ok(),
        "scaling-target" => text.split_whitespace().find_map(|word| word.trim_end_matches('%').parse().ok()),
        _ => None,
    };
    number.map_or(Scalar::Text(text), Scalar::from)
}
