//! YAML as it was written: scalars with the text typed, maps in order, a span for every key and value.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::diagnostic::{Part, Path, Span};

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct YamlNode {
    pub(super) span: Span,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Scalar(YamlScalar),
    List(Arc<[YamlNode]>),
    Map(Arc<[MapEntry]>),
}

/// One field of a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MapEntry {
    pub(super) key: Box<str>,
    pub(super) key_span: Span,
    pub(super) value: YamlNode,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct YamlScalar {
    pub(super) text: Box<str>,
    pub(super) sense: Sense,
}

/// What a scalar means in YAML 1.2.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sense {
    Null,
    Bool(bool),
    Number(Number),
    Text,
    /// Text that other readers of YAML take for something else.
    Odd(Oddity),
}

/// Why a plain scalar is easily misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    /// `yes`, `no`, `on`, `off`: text here, booleans in YAML 1.1.
    Word(bool),
    /// `0777`: octal in YAML 1.1, decimal in 1.2.
    LeadingZero,
    /// `1:30`: a number to base 60 in YAML 1.1.
    Sexagesimal,
    /// `1_000`, `0b11`: numbers in YAML 1.1.
    OldNumber,
    /// `.inf`, `.nan`, or a number too large for any type.
    NotFinite,
}

impl YamlNode {
    /// The field of a map.
    pub(super) fn get(&self, key: &str) -> Option<&MapEntry> {
        self.entries()?.iter().find(|entry| &*entry.key == key)
    }

    pub(super) fn entries(&self) -> Option<&[MapEntry]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[YamlNode]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(YamlScalar {
                text,
                sense: Sense::Text | Sense::Odd(Oddity::Word(_) | Oddity::Sexagesimal),
            }) => Some(text),
            _ => None,
        }
    }

    /// In a word, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match &self.content {
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Scalar(scalar) => match &scalar.sense {
                Sense::Null => "nothing",
                Sense::Bool(_) => "a boolean",
                Sense::Number(_) | Sense::Odd(Oddity::LeadingZero | Oddity::NotFinite) => "a number",
                Sense::Text | Sense::Odd(_) => "text",
            },
        }
    }

    /// As JSON; what is easily misread stays text.
    pub(super) fn json(&self) -> Value {
        match &self.content {
            Content::List(items) => Value::Array(items.iter().map(YamlNode::json).collect()),
            Content::Map(entries) => {
                Value::Object(entries.iter().map(|e| (e.key.to_string(), e.value.json())).collect::<Map<_, _>>())
            }
            Content::Scalar(scalar) => scalar.json(),
        }
    }

    /// The longest part of a path that exists: its value, its entry where that is in a map, and whether it is the
    /// whole path.
    pub(super) fn nearest(&self, path: &Path) -> (&YamlNode, Option<&MapEntry>, bool) {
        let mut at = (self, None);
        for part in path.parts() {
            let next = match &at.0.content {
                Content::Map(_) => at.0.get(&part.text()).map(|entry| (&entry.value, Some(entry))),
                Content::List(items) => part.index().and_then(|index| items.get(index)).map(|node| (node, None)),
                Content::Scalar(_) => None,
            };
            match next {
                Some(next) => at = next,
                None => return (at.0, at.1, false),
            }
        }
        (at.0, at.1, true)
    }

    /// This tree with an RFC 7396 merge patch applied; what the patch brings keeps the patch's spans.
    pub(super) fn merged(&self, patch: &YamlNode) -> YamlNode {
        let (Content::Map(old), Content::Map(new)) = (&self.content, &patch.content) else {
            return match &patch.content {
                Content::Map(_) => YamlNode { content: Content::Map(Arc::new([])), ..self.clone() }.merged(patch),
                _ => patch.clone(),
            };
        };
        let find = |key: &str| new.iter().find(|entry| &*entry.key == key);
        let kept = old.iter().filter_map(|entry| match find(&entry.key) {
            None => Some(entry.clone()),
            Some(change) if change.value.is_null() => None,
            Some(change) => Some(MapEntry { value: entry.value.merged(&change.value), ..change_key(entry, change) }),
        });
        let added = new.iter().filter(|entry| self.get(&entry.key).is_none() && !entry.value.is_null());
        let nothing = |entry: &MapEntry| YamlNode { span: entry.value.span, content: Content::Map(Arc::new([])) };
        let added = added.map(|entry| MapEntry { value: nothing(entry).merged(&entry.value), ..entry.clone() });
        YamlNode { span: self.span, content: Content::Map(kept.chain(added).collect()) }
    }

    fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(YamlScalar { sense: Sense::Null, .. }))
    }
}

/// Where a type of ours could not be read.
pub(super) fn path_of(error: &serde_path_to_error::Path) -> Path {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Map { key } => Some(Part::Key(key.as_str().into())),
        Segment::Seq { index } => Some(Part::Index(*index)),
        _ => None,
    };
    error.iter().filter_map(part).collect()
}

/// A key stays where its document has it while both sides are maps, else it is where the patch has it.
fn change_key(old: &MapEntry, change: &MapEntry) -> MapEntry {
    if old.value.entries().is_some() && change.value.entries().is_some() { old.clone() } else { change.clone() }
}

impl YamlScalar {
    pub(super) fn json(&self) -> Value {
        match &self.sense {
            Sense::Null => Value::Null,
            Sense::Bool(value) => Value::Bool(*value),
            Sense::Number(number) => Value::Number(number.clone()),
            Sense::Text | Sense::Odd(_) => Value::String(self.text.to_string()),
        }
    }
}
