//! Settings that can be turned off by name.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

/// A setting that would be inherited, or `none`, which turns it off.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting<T> {
    /// Written `none`.
    Off,
    /// Its value.
    On(T),
}

impl<T> Setting<T> {
    /// The value, unless turned off.
    pub fn on(&self) -> Option<&T> {
        match self {
            Setting::Off => None,
            Setting::On(value) => Some(value),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value == "none" {
            return Ok(Setting::Off);
        }
        T::deserialize(value).map(Setting::On).map_err(D::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrNone", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "const": "none" }, generator.subschema_for::<T>()] })
    }
}
