//! CloudFormation's resource types: what may be given, what must be, and what a change does.
//!
//! The facts are those of the resource provider schemas as `tools/resource_types.py` writes them down, which also
//! describes the format.

use std::collections::BTreeMap;

use super::property_path::PropertyPath;
use super::shape::{ObjectShape, Property, ValueKind};
use crate::diagnostic::{Part, Path};

/// What a change of a property does to the physical resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Replacement {
    /// It is updated in place.
    Never,
    /// It may be replaced; the service decides.
    Conditional,
    /// It is replaced.
    Always,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandlerKind {
    /// Making it.
    Create,
    /// Changing it in place.
    Update,
    /// Removing it.
    Delete,
}

/// A resource type of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceType {
    /// `AWS::SageMaker::Endpoint`.
    pub name: String,
    /// Properties whose change replaces the resource.
    pub create_only: Vec<PropertyPath>,
    /// Properties whose change may replace it.
    pub conditional_create_only: Vec<PropertyPath>,
    /// What the service sets and a template may not.
    pub read_only: Vec<PropertyPath>,
    /// What the service accepts and never shows.
    pub write_only: Vec<PropertyPath>,
    pub(super) top: ObjectShape,
    pub(super) shapes: BTreeMap<String, ObjectShape>,
    pub(super) identifier: Vec<PropertyPath>,
    pub(super) attributes: Vec<String>,
    pub(super) tags: Option<String>,
    pub(super) tags_create_only: bool,
    pub(super) handlers: BTreeMap<HandlerKind, Option<u32>>,
    pub(super) deletes_first: bool,
}

impl ResourceType {
    /// The top-level properties, by name.
    pub fn properties(&self) -> &BTreeMap<String, Property> {
        &self.top.properties
    }

    /// The top-level properties that must be given.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.top.required()
    }

    /// Must the top-level property be given?
    pub fn is_required(&self, property: &str) -> bool {
        self.top.properties.get(property).is_some_and(|property| property.required)
    }

    /// May a property of this name be at the top level?
    pub fn knows(&self, property: &str) -> bool {
        self.top.open || self.top.properties.contains_key(property)
    }

    /// The named shape of an object somewhere below, as [`ValueKind::Object`] refers to it.
    pub fn shape(&self, name: &str) -> Option<&ObjectShape> {
        self.shapes.get(name)
    }

    /// The kinds of value that `path` (`ProductionVariants/0/InstanceType`) accepts; none where it leads nowhere.
    pub fn kinds(&self, path: impl Into<Path>) -> Vec<&ValueKind> {
        let path = path.into();
        let [top, below @ ..] = path.parts() else { return Vec::new() };
        let Some(first) = top.key().and_then(|name| self.top.properties.get(name)) else { return Vec::new() };
        below.iter().fold(first.kinds.iter().collect(), |kinds, part| {
            kinds.into_iter().flat_map(|kind| self.below(kind, part)).collect()
        })
    }

    fn below<'a>(&'a self, kind: &'a ValueKind, part: &Part) -> &'a [ValueKind] {
        match kind {
            ValueKind::Array(items) => items,
            ValueKind::Object(Some(shape)) => {
                let property = self.shapes.get(shape).and_then(|shape| shape.properties.get(part.key()?));
                property.map_or(&[], |property| &property.kinds)
            }
            _ => &[],
        }
    }

    /// What a change at `path` does. A change below a create-only place counts as one of it, and so does one above,
    /// where the whole that contains it was exchanged. A type without an update handler is always replaced.
    pub fn replacement_on(&self, path: impl Into<Path>) -> Replacement {
        let path = path.into();
        let touched = |paths: &[PropertyPath]| paths.iter().any(|known| known.touches(&path));
        if self.has(HandlerKind::Update) == Some(false) || touched(&self.create_only) {
            Replacement::Always
        } else if touched(&self.conditional_create_only) {
            Replacement::Conditional
        } else {
            Replacement::Never
        }
    }

    /// May `path` not be given because the service sets it? What is create-only as well may be given.
    pub fn is_read_only(&self, path: impl Into<Path>) -> bool {
        let path = path.into();
        let creatable = |known: &PropertyPath| self.create_only.contains(known);
        self.read_only.iter().any(|known| known.contains(&path) && !creatable(known))
    }

    /// Is `path` taken and never shown, so that drift of it cannot be seen?
    pub fn is_write_only(&self, path: impl Into<Path>) -> bool {
        let path = path.into();
        self.write_only.iter().any(|known| known.contains(&path))
    }

    /// The names that `Fn::GetAtt` takes; `*` in a name stands for any text.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Does `Fn::GetAtt` take this name?
    pub fn has_attribute(&self, name: &str) -> bool {
        self.attributes.iter().any(|known| matches(known, name))
    }

    /// The properties that identify the physical resource. One is what `Ref` returns; of several `Ref` joins or
    /// chooses, type by type; none where the type is not in the registry proper.
    pub fn primary_identifier(&self) -> &[PropertyPath] {
        &self.identifier
    }

    /// The property that holds tags, where the type can be tagged.
    pub fn tags_property(&self) -> Option<&str> {
        self.tags.as_deref()
    }

    /// Does a change of tags replace the resource?
    pub fn tags_create_only(&self) -> bool {
        let replaced = |tags: &str| self.replacement_on(Path::default().at(tags)) == Replacement::Always;
        self.tags_create_only || self.tags_property().is_some_and(replaced)
    }

    /// Is there such a handler? `None` where the schema lists none at all.
    pub fn has(&self, handler: HandlerKind) -> Option<bool> {
        (!self.handlers.is_empty()).then(|| self.handlers.contains_key(&handler))
    }

    /// How long the handler may take, in minutes, where the schema says.
    pub fn timeout_minutes(&self, handler: HandlerKind) -> Option<u32> {
        self.handlers.get(&handler).copied().flatten()
    }

    /// Does a replacement remove the old resource before it makes the new one?
    pub fn deletes_before_create(&self) -> bool {
        self.deletes_first
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            let Some(rest) = name.strip_prefix(before) else { return false };
            (0..=rest.len()).any(|end| rest.is_char_boundary(end) && matches(after, &rest[end..]))
        }
    }
}
