//!  value`.|Values that a template inserts unchanged, with `| value`.| value`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// An id or ARN as CloudFormation gets it: text, or a function that returns one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Given {
    /// As it is; perhaps a dynamic reference to a parameter.
    Text(String),
    /// What another stack exports.
    Export {
        /// The export's name.
        #[serde(rename = "Fn::ImportValue")]
        name: String,
    },
    /// Text in which `${…}` is replaced.
    Sub {
        /// The text.
        #[serde(rename = "Fn::Sub")]
        text: String,
    },
}

impl Given {
    /// Everything, in a policy.
    pub fn anything() -> Self {
        Self::Text("*".to_owned())
    }

    /// The text, unless it is a function.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Export { .. } | Self::Sub { .. } => None,
        }
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A list of ids or ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Givens {
    /// One by one.
    List(Vec<Given>),
    /// All from one value, at its commas.
    Split {
        /// A comma, and the value.
        #[serde(rename = "Fn::Split")]
        at: (&'static str, Given),
    },
}

/// Something that a user wrote in CloudFormation's or IAM's own words: hubform does not look into it to decide.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Verbatim(pub serde_json::Value);

/// A number that is written without a fraction where it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.0.fract() == 0.0 && self.0.abs() < 1e15;
        if whole { serializer.serialize_i64(self.0 as i64) } else { serializer.serialize_f64(self.0) }
    }
}

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number" })
    }
}
