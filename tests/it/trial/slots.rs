//! Where text goes: every place of a kind's JSON Schema that takes text of the user's choice, found by walking it.

use std::fmt;

use hubform::manifest::{Kind, schema};
use serde_json::Value;

use super::grow::is_free;

/// A step from a document's root towards a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A field of that name.
    Field(String),
    /// What a map holds under a key of the user's choice.
    Value,
    /// Such a key itself.
    Key,
    /// An item of a list.
    Item,
    /// One of several alternatives.
    Branch(usize),
    /// Texts and keys anywhere inside what no schema describes.
    Anything,
}

/// A place for text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    pub(super) way: Vec<Step>,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        self.way.iter().try_for_each(|step| match step {
            Step::Field(name) => write!(f, "/{name}"),
            Step::Value => f.write_str("/*"),
            Step::Key => f.write_str("/key"),
            Step::Item => f.write_str("/-"),
            Step::Branch(_) => Ok(()),
            Step::Anything => f.write_str("/**"),
        })
    }
}

/// Every slot of every kind, but for fields that are ignored or not supported yet.
pub(super) fn slots() -> Vec<Slot> {
    let mut slots = Vec::new();
    for kind in Kind::ALL {
        let root = schema(*kind);
        let mut walk = Walk { kind: *kind, root, open: Vec::new(), way: Vec::new(), slots: &mut slots };
        for field in ["metadata", "spec"] {
            walk.step(Step::Field(field.to_owned()), &root["properties"][field]);
        }
    }
    slots
}

struct Walk<'s> {
    kind: Kind,
    root: &'s Value,
    /// Definitions on the way, so that none is entered twice.
    open: Vec<&'s str>,
    way: Vec<Step>,
    slots: &'s mut Vec<Slot>,
}

impl<'s> Walk<'s> {
    fn step(&mut self, step: Step, schema: &'s Value) {
        self.way.push(step);
        self.at(schema);
        self.way.pop();
    }

    fn leaf(&mut self, step: Option<Step>) {
        let way = self.way.iter().cloned().chain(step).collect();
        self.slots.push(Slot { kind: self.kind, way });
    }

    fn at(&mut self, schema: &'s Value) {
        if is_aside(schema) {
            return;
        }
        if let Some(pointer) = schema["$ref"].as_str() {
            if !self.open.contains(&pointer) {
                self.open.push(pointer);
                self.at(definition(self.root, schema));
                self.open.pop();
            }
        } else if let Some(branches) = branches(schema) {
            for (number, branch) in branches.iter().enumerate() {
                self.step(Step::Branch(number), branch);
            }
        } else if schema.get("const").is_some() || schema.get("enum").is_some() {
        } else if takes(schema, "string") {
            if is_free(schema) {
                self.leaf(None);
            }
        } else if takes(schema, "object") && schema.get("properties").is_some() {
            let fields = schema["properties"].as_object().expect("JSON Schema has it so");
            fields.iter().for_each(|(name, schema)| self.step(Step::Field(name.clone()), schema));
        } else if takes(schema, "object") && schema["additionalProperties"].is_object() {
            self.leaf(Some(Step::Key));
            self.step(Step::Value, &schema["additionalProperties"]);
        } else if takes(schema, "array") && !takes(schema, "object") {
            self.step(Step::Item, &schema["items"]);
        } else if schema.get("type").is_none() || takes(schema, "object") {
            self.leaf(Some(Step::Anything));
        }
    }
}

/// Known and passed over, not carried out yet, or read as something else later.
fn is_aside(schema: &Value) -> bool {
    ["x-ignored", "x-later", "x-raw"].iter().any(|word| schema.get(word).is_some())
}

/// What a reference within the schema leads to; the schema itself where it is none.
pub(super) fn definition<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let pointer = schema["$ref"].as_str().and_then(|pointer| pointer.strip_prefix('#'));
    pointer.map_or(schema, |pointer| root.pointer(pointer).expect("references lead somewhere"))
}

/// The alternatives of a union; a `oneOf` that speaks of fields alone is none.
pub(super) fn branches(schema: &Value) -> Option<&Vec<Value>> {
    let branches = schema.get("anyOf").or(schema.get("oneOf"))?.as_array()?;
    branches.iter().any(|branch| branch.get("required").is_none()).then_some(branches)
}

/// Does it take values of this type? What says none takes all.
pub(super) fn takes(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    }
}
