//! Ids and ARNs: written out, or taken from a parameter or an export.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// An id or ARN.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "ValuesText")]
pub enum Value {
    /// As written, perhaps with placeholders.
    Literal(String),
    /// Name of a Systems Manager parameter, perhaps with placeholders.
    Ssm(String),
    /// Name of a CloudFormation export, perhaps with placeholders.
    Export(String),
}

/// A list of ids or ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ValueList {
    /// One by one.
    List(Vec<Value>),
    /// All from one parameter or export with a list; never a literal.
    One(#[schemars(with = "ValueSource")] Value),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ValuesText {
    Literal(String),
    Elsewhere(ValueSource),
}

/// Where a value is taken from; exactly one field is set.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{"required": ["ssm"]}, {"required": ["export"]}]))]
struct ValueSource {
    /// Name of a Systems Manager parameter.
    #[schemars(extend("x-form" = "parameter"))]
    ssm: Option<String>,
    /// Name of a CloudFormation export.
    #[schemars(extend("x-form" = "export"))]
    export: Option<String>,
}

impl From<ValuesText> for Value {
    fn from(written: ValuesText) -> Self {
        match written {
            ValuesText::Literal(text) => Value::Literal(text),
            ValuesText::Elsewhere(ValueSource { ssm: Some(name), .. }) => Value::Ssm(name),
            ValuesText::Elsewhere(ValueSource { export, .. }) => Value::Export(export.unwrap_or_default()),
        }
    }
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "x-form": "id" }, generator.subschema_for::<ValueSource>()] })
    }
}
