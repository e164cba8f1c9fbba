//! Words of the walk's findings: how fields, types and quantities are called.

use std::borrow::Cow;

use serde_json::Value;

use super::form::{Form, form};
use super::secret::shown;
use super::tree::{MapEntry, YamlNode};
use crate::diagnostic::{Span, listed};

/// A field as messages name it, and the place of its key.
#[derive(Clone, Copy)]
pub(super) struct FieldName<'a> {
    pub(super) name: Name<'a>,
    pub(super) key: Span,
}

#[derive(Clone, Copy)]
pub(super) enum Name<'a> {
    Document,
    Field(&'a str),
    ItemOf(Option<&'a str>),
}

impl Name<'_> {
    /// Without its article.
    pub(super) fn bare(&self) -> String {
        let name = self.to_string();
        ["the ", "an "].iter().find_map(|article| name.strip_prefix(article)).unwrap_or(&name).to_owned()
    }
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Document => f.write_str("the document"),
            Name::Field(key) => write!(f, "`{}`", shown(key)),
            Name::ItemOf(Some(key)) => write!(f, "an item of `{}`", shown(key)),
            Name::ItemOf(None) => f.write_str("an item"),
        }
    }
}

impl<'a> FieldName<'a> {
    pub(super) fn field(entry: &'a MapEntry) -> Self {
        FieldName { name: Name::Field(&entry.key), key: entry.key_span }
    }

    pub(super) fn item(&self, node: &YamlNode) -> Self {
        let of = match self.name {
            Name::Document => None,
            Name::Field(key) => Some(key),
            Name::ItemOf(key) => key,
        };
        FieldName { name: Name::ItemOf(of), key: node.span }
    }
}

pub(super) fn expectation(schema: &Value) -> Cow<'static, str> {
    if let Some(form) = schema.get("x-form").and_then(Value::as_str).and_then(form) {
        return form.expects.into();
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return format!("`{word}`").into();
    }
    let of = |kind: &str| match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        _ => "a map",
    };
    match schema.get("type") {
        Some(Value::String(kind)) => of(kind).into(),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).map(of).collect::<Vec<_>>().join(" or ").into()
        }
        _ => "a value".into(),
    }
}

pub(super) fn unit_help(text: &str, form: &Form) -> Option<String> {
    let written = |number: &str| ticked(form.units.iter().map(|unit| format!("{number}{unit}")), "or");
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let decimal = [("KB", "KiB"), ("MB", "MiB"), ("GB", "GiB"), ("TB", "TiB")];
    if bare && !form.units.is_empty() {
        return Some(format!("write {}", written(text)));
    }
    let (unit, binary) = decimal.iter().find(|(unit, _)| form.name == "size" && text.ends_with(unit))?;
    Some(format!("write `{}{binary}`", shown(text.trim_end_matches(unit))))
}

/// Words as in "`a`, `b` or `c`".
pub(crate) fn ticked<T: std::fmt::Display>(words: impl IntoIterator<Item = T>, last: &str) -> String {
    listed(words.into_iter().map(|word| format!("`{word}`")), last)
}
