//! JSON Schema of each kind, from its Rust type: for editors, and for the walk that checks manifests.
//!
//! Beyond the standard words, types say: `x-form` (a form of text), `x-between` (bounds of a quantity), `x-text`
//! (any scalar, as typed), `x-tags` (keys and values become tags; of `labels`, those without `/`), `x-raw` (read
//! later), `x-ignored` (anything; ignored), `x-inner` (applies to items or values), `x-later` (known,
//! but nothing carries it out yet), `x-supported` (what is carried out so far; more is refused
//! where values are read if it says `what`, else by a rule). Editors ignore them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::form::form;
use super::kind::Kind;

/// The API group and version of every manifest.
pub const API_VERSION: &str = "hubform.dev/v1";

/// What a manifest is called.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
pub(super) struct Metadata {
    /// Unique per kind within an environment.
    #[schemars(extend("x-form" = "name"))]
    pub(super) name: String,
    /// Become tags, but for those whose key has a `/`.
    #[serde(default)]
    #[schemars(extend("x-tags" = "labels"))]
    pub(super) labels: BTreeMap<String, String>,
    /// Free text.
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
}

/// What Kubernetes keeps in `metadata`: accepted, so that a manifest may come from a cluster, and ignored.
const IGNORED: [&str; 12] = [
    "namespace",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "finalizers",
    "managedFields",
    "ownerReferences",
    "selfLink",
];

static SCHEMAS: LazyLock<BTreeMap<Kind, Value>> =
    LazyLock::new(|| Kind::ALL.iter().map(|kind| (*kind, generate(*kind))).collect());

/// JSON Schema (2020-12) of a whole document of this kind.
pub fn schema(kind: Kind) -> &'static Value {
    &SCHEMAS[&kind]
}

fn generate(kind: Kind) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let spec = kind.subschema(&mut generator);
    let metadata = generator.subschema_for::<Metadata>();
    let mut definitions = generator.take_definitions(true);
    let ignored = json!({ "description": "Kubernetes' own; ignored.", "x-ignored": true });
    for field in IGNORED {
        definitions["Metadata"]["properties"][field] = ignored.clone();
    }
    let needs_spec = definitions[kind.name()].get("required").or(definitions[kind.name()].get("oneOf")).is_some();
    let mut required = vec!["apiVersion", "kind", "metadata"];
    required.extend(needs_spec.then_some("spec"));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name(),
        "description": kind.about(),
        "type": "object",
        "properties": {
            "apiVersion": { "type": "string", "const": API_VERSION },
            "kind": { "type": "string", "const": kind.name() },
            "metadata": metadata,
            "spec": spec,
            "status": ignored,
        },
        "required": required,
        "additionalProperties": false,
        "$defs": definitions,
    });
    tidy(&mut schema);
    schema
}

fn tidy(schema: &mut Value) {
    let Value::Object(words) = schema else { return };
    words.remove("default");
    apply_inner(words);
    forbid_null(words);
    settle_form(words);
    settle_numbers(words);
    if words.contains_key("properties") && !words.contains_key("additionalProperties") {
        words.insert("additionalProperties".to_owned(), false.into());
    }
    if let (Some(_), Some(Value::String(text))) = (words.get("x-later").cloned(), words.get_mut("description")) {
        text.push_str(" Not yet supported.");
    }
    for (word, value) in words.iter_mut() {
        match (word.as_str(), value) {
            ("properties" | "$defs", Value::Object(named)) => named.values_mut().for_each(tidy),
            ("items" | "additionalProperties", inner) => tidy(inner),
            ("anyOf" | "oneOf", Value::Array(branches)) => branches.iter_mut().for_each(tidy),
            _ => {}
        }
    }
}

fn apply_inner(words: &mut Map<String, Value>) {
    let Some(Value::Object(more)) = words.remove("x-inner") else { return };
    let at = if words.contains_key("items") { "items" } else { "additionalProperties" };
    if let Some(Value::Object(inner)) = words.get_mut(at) {
        inner.extend(more);
    } else {
        words.insert(at.to_owned(), Value::Object(more));
    }
}

/// An absent field is left out, not empty.
fn forbid_null(words: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = words.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            words.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = words.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(branches)) = words.get_mut("anyOf") else { return };
    branches.retain(|branch| branch.get("type").is_none_or(|one| one != "null"));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        words.remove("anyOf");
        for (word, value) in only {
            words.entry(word).or_insert(value);
        }
    }
}

fn settle_form(words: &mut Map<String, Value>) {
    if let Some(form) = words.get("x-form").and_then(Value::as_str).and_then(form) {
        words.insert("pattern".to_owned(), form.pattern.into());
        words.insert("minLength".to_owned(), 1.into());
        form.longest.map(|longest| words.insert("maxLength".to_owned(), longest.into()));
    }
    if words.contains_key("x-text") {
        words.insert("type".to_owned(), json!(["string", "number", "boolean"]));
    }
}

fn settle_numbers(words: &mut Map<String, Value>) {
    let most: u64 = match words.remove("format").as_ref().and_then(Value::as_str) {
        Some("uint32") => u32::MAX.into(),
        Some("uint64") => 1 << 53,
        _ => return,
    };
    words.entry("maximum").or_insert(most.into());
}
