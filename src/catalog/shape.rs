//! Objects as the schemas describe them, and what is wrong with a value that should be one.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::resource_type::ResourceType;
use crate::diagnostic::Path;

/// A kind of JSON value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// An object, of a named [`ObjectShape`] where the schema gives one.
    Object(Option<String>),
    /// A list, with the kinds of its items; no kinds where the schema gives none.
    Array(Vec<ValueKind>),
    /// Anything.
    Any,
}

/// One property of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The kinds of value it takes.
    pub kinds: Vec<ValueKind>,
    /// It must be given.
    pub required: bool,
}

/// The properties of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectShape {
    /// By name.
    pub properties: BTreeMap<String, Property>,
    /// Other names are allowed too.
    pub open: bool,
}

impl ObjectShape {
    /// The properties that must be given.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().filter(|(_, property)| property.required).map(|(name, _)| name.as_str())
    }
}

/// What is wrong at one place of a resource's properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The place: `ProductionVariants/0/InstanceType`.
    pub path: Path,
    /// What is wrong.
    pub problem: ViolationKind,
}

/// What can be wrong with properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViolationKind {
    /// A required property is not there.
    Missing,
    /// The schema has no property of this name.
    Unknown,
    /// The service sets it; a template may not.
    ReadOnly,
    /// The value is of another kind than all of these.
    Kind(Vec<ValueKind>),
}

impl ResourceType {
    /// Everything structural that is wrong with the properties of a resource. Intrinsic functions fit everywhere,
    /// and scalars are taken for each other where CloudFormation converts them.
    pub fn misfits(&self, properties: &Value) -> Vec<Violation> {
        let mut found = Vec::new();
        self.check_object(&self.top, properties, &Path::default(), &mut found);
        found
    }

    fn check_object(&self, shape: &ObjectShape, value: &Value, path: &Path, found: &mut Vec<Violation>) {
        let Some(members) = value.as_object() else { return };
        let missing = shape.required().filter(|name| !members.contains_key(*name)).map(|name| path.at(name));
        for path in missing.filter(|path| !self.is_read_only(path)) {
            found.push(Violation { path, problem: ViolationKind::Missing });
        }
        for (name, value) in members {
            let place = path.at(name);
            match shape.properties.get(name) {
                _ if self.is_read_only(&place) => {
                    found.push(Violation { path: place, problem: ViolationKind::ReadOnly })
                }
                Some(property) => self.check(&property.kinds, value, &place, found),
                None if shape.open => {}
                None => found.push(Violation { path: place, problem: ViolationKind::Unknown }),
            }
        }
    }

    fn check(&self, kinds: &[ValueKind], value: &Value, path: &Path, found: &mut Vec<Violation>) {
        if is_function(value) {
            return;
        }
        let fitting: Vec<&ValueKind> = kinds.iter().filter(|kind| kind.takes(value)).collect();
        match (fitting.as_slice(), value) {
            ([], _) if !kinds.is_empty() => {
                found.push(Violation { path: path.clone(), problem: ViolationKind::Kind(kinds.to_vec()) });
            }
            ([ValueKind::Object(Some(name))], _) => {
                if let Some(shape) = self.shapes.get(name) {
                    self.check_object(shape, value, path, found);
                }
            }
            ([ValueKind::Array(items)], Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.check(items, value, &path.item(index), found);
                }
            }
            _ => {}
        }
    }
}

impl ValueKind {
    fn takes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _) | (Self::Object(_), Value::Object(_)) | (Self::Array(_), Value::Array(_)) => true,
            (Self::Object(_) | Self::Array(_), _) | (_, Value::Object(_) | Value::Array(_) | Value::Null) => false,
            (Self::String, _) => true,
            (Self::Integer, Value::Number(number)) => !number.is_f64() || number.as_f64().is_some_and(is_whole),
            (Self::Integer, Value::String(text)) => text.parse::<i64>().is_ok(),
            (Self::Number, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => true,
            (Self::Number, Value::String(text)) => text.parse::<f64>().is_ok(),
            (Self::Boolean, Value::String(text)) => {
                text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
            }
            _ => false,
        }
    }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0
}

/// `{"Ref": …}` or `{"Fn::…": …}`: its value is not known from the template.
pub fn is_function(value: &Value) -> bool {
    let only = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.keys().next());
    only.is_some_and(|key| key == "Ref" || key.starts_with("Fn::"))
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Object(_) => "object",
            Self::Array(_) => "array",
            Self::Any => "any",
        })
    }
}
