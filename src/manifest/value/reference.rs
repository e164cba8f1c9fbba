//! References to other manifests, and what may replace them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use crate::manifest::kind::{Hardware, Kind, Model, Role, Scaling, sagemaker_spelling};

/// A field that refers to another manifest by a string, or has it inline as a map.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference<T> {
    /// `metadata.name` of a manifest of the kind in the same environment.
    Name(String),
    /// Id on the Hugging Face Hub, with a `/`. Models only.
    HubId(String),
    /// Instance type in SageMaker's spelling. Hardware only.
    InstanceType(String),
    /// ARN, perhaps with placeholders. Roles only.
    Arn(String),
    /// Written in place.
    Inline(Box<T>),
}

/// A kind that other manifests refer to.
pub trait Referable: DeserializeOwned + JsonSchema {
    /// The kind.
    const KIND: Kind;
    /// Name of the form its strings have.
    const FORM: &'static str;

    /// What a string means.
    fn refer(text: String) -> Reference<Self> {
        Reference::Name(text)
    }
}

impl Referable for Model {
    const KIND: Kind = Kind::Model;
    const FORM: &'static str = "model";

    fn refer(text: String) -> Reference<Self> {
        if text.contains('/') { Reference::HubId(text) } else { Reference::Name(text) }
    }
}

impl Referable for Hardware {
    const KIND: Kind = Kind::Hardware;
    const FORM: &'static str = "hardware";

    fn refer(text: String) -> Reference<Self> {
        if text.contains('.') { Reference::InstanceType(sagemaker_spelling(&text)) } else { Reference::Name(text) }
    }
}

impl Referable for Scaling {
    const KIND: Kind = Kind::Scaling;
    const FORM: &'static str = "reference";
}

impl Referable for Role {
    const KIND: Kind = Kind::Role;
    const FORM: &'static str = "role";

    fn refer(text: String) -> Reference<Self> {
        if text.starts_with("arn:") { Reference::Arn(text) } else { Reference::Name(text) }
    }
}

impl<T> Reference<T> {
    /// The manifest named, if one is.
    pub fn name(&self) -> Option<&str> {
        match self {
            Reference::Name(name) => Some(name),
            _ => None,
        }
    }

    /// What is written in place, if anything.
    pub fn inline(&self) -> Option<&T> {
        match self {
            Reference::Inline(spec) => Some(spec),
            _ => None,
        }
    }
}

impl<'de, T: Referable> Deserialize<'de> for Reference<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(T::refer(text)),
            map => T::deserialize(map).map(|spec| Reference::Inline(Box::new(spec))).map_err(D::Error::custom),
        }
    }
}

impl<T: Referable> JsonSchema for Reference<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("ReferenceTo{}", T::KIND).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "x-form": T::FORM }, generator.subschema_for::<T>()] })
    }
}
