//! Two bodies become changes, resource by resource, as CloudFormation's change sets would list them.
//!
//! What somebody wrote differently is judged by the resource-type table as it is, and so is what takes something from
//! a resource that is surely replaced: that changes for sure as well. What takes something from a resource that may
//! be replaced, or an attribute of one that changes in place, may come out the same: there a create-only property
//! makes the replacement conditional. `Ref` to a resource changed in place changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Allowed, ChangeKind, Gate, PropertyChange, ResourceChange,
    edit::{Edit, edits},
    inputs::InputChange,
    template::{Template, TemplateReference, references, type_of},
};
use crate::{
    catalog::{self, Catalog},
    cloud::Replacement,
    diagnostic::Path,
    render::StackSpec,
};

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    /// The body that runs.
    pub(super) live: &'a Template,
    /// The body wanted.
    pub(super) wanted: &'a Template,
    /// Parameters of the wanted body whose value changes.
    pub(super) inputs: &'a BTreeMap<String, InputChange>,
    /// The stack tags that change, before and after.
    pub(super) tags: Option<&'a (Value, Value)>,
    /// The resource types.
    pub(super) catalog: &'a Catalog,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ResourceDiff {
    pub(super) logical_id: String,
    pub(super) resource_type: String,
    pub(super) kind: ChangeKind,
    /// Empty for a resource of which only a policy or the order changes.
    pub(super) properties: Vec<PropertyDiff>,
}

/// What happens to one property.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PropertyDiff {
    pub(super) edit: Edit,
    pub(super) cause: ChangeCause,
    pub(super) replacement: Replacement,
}

/// Why a property changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChangeCause {
    /// It is written differently.
    Written,
    /// The resource is of another type.
    Type,
    /// Stack tags change.
    Tags,
    /// A parameter has another value; where from, if another stack feeds it.
    Input(Option<String>),
    /// A parameter gets a value that only another stack's operation will tell: this output's.
    Later(String),
    /// The resource of this logical id changes.
    Resource(String),
}

/// Everything that an update from one body to the other does, by logical id.
pub(super) fn diff(sides: &Sides<'_>) -> Vec<ResourceDiff> {
    let ids: BTreeSet<&str> = sides.live.resources().chain(sides.wanted.resources()).map(|(id, _)| id).collect();
    let mut found: BTreeMap<&str, ResourceDiff> =
        ids.into_iter().filter_map(|id| Some((id, direct(sides, id)?))).collect();
    propagate(sides, &mut found);
    found.into_values().collect()
}

fn direct(sides: &Sides<'_>, id: &str) -> Option<ResourceDiff> {
    let (kind, resource, properties) = match (sides.live.resource(id), sides.wanted.resource(id)) {
        (None, Some(resource)) => (ChangeKind::Add, resource, Vec::new()),
        (Some(resource), None) => (ChangeKind::Remove, resource, Vec::new()),
        (Some(live), Some(wanted)) => {
            let properties = modified(sides, live, wanted);
            if properties.is_empty() && live == wanted {
                return None;
            }
            (ChangeKind::Modify, wanted, properties)
        }
        (None, None) => return None,
    };
    let resource_type = type_of(resource).to_owned();
    Some(ResourceDiff { logical_id: id.to_owned(), resource_type, kind, properties })
}

fn modified(sides: &Sides<'_>, live: &Value, wanted: &Value) -> Vec<PropertyDiff> {
    let resource_type = type_of(wanted);
    if type_of(live) != resource_type {
        let edit =
            Edit { path: "Type".into(), before: Some(live["Type"].clone()), after: Some(wanted["Type"].clone()) };
        return vec![PropertyDiff { edit, cause: ChangeCause::Type, replacement: Replacement::True }];
    }
    let mut found: Vec<PropertyDiff> = edits(&live["Properties"], &wanted["Properties"])
        .into_iter()
        .map(|edit| written(sides, resource_type, edit))
        .collect();
    let fed = fed(sides, resource_type, &wanted["Properties"]);
    found.extend(fed.filter(|change| !is_written(&found, &change.edit.path)).collect::<Vec<_>>());
    found.extend(sides.tags.and_then(|tags| tagged(sides.catalog, resource_type, tags)));
    if live["Metadata"] != wanted["Metadata"] {
        let edit = Edit { path: "Metadata".into(), before: None, after: None };
        found.push(PropertyDiff { edit, cause: ChangeCause::Written, replacement: Replacement::False });
    }
    found
}

fn written(sides: &Sides<'_>, resource_type: &str, edit: Edit) -> PropertyDiff {
    let replacement = static_replacement(on_change(sides.catalog, resource_type, &edit.path));
    PropertyDiff { edit, cause: ChangeCause::Written, replacement }
}

/// What changes because parameters do.
fn fed(sides: &Sides<'_>, resource_type: &str, properties: &Value) -> impl Iterator<Item = PropertyDiff> {
    let changed = |reference: TemplateReference<'_>| Some((sides.inputs.get(reference.target)?, reference.path));
    let fed = move |(input, path): (&InputChange, Path)| {
        let table = on_change(sides.catalog, resource_type, &path);
        let (cause, replacement) = match &input.later {
            None => (ChangeCause::Input(input.because.clone()), static_replacement(table)),
            Some(from) => (ChangeCause::Later(from.clone()), dynamic_replacement(table)),
        };
        let whole = path.value_in(properties).is_some_and(|value| value.get("Ref").is_some());
        let shown = |value: &Option<String>| value.clone().filter(|_| whole).map(Value::String);
        let edit = Edit { before: shown(&input.before), after: shown(&input.after), path };
        PropertyDiff { edit, cause, replacement }
    };
    references(properties).into_iter().filter_map(changed).map(fed)
}

/// Is this place, or the whole it is in, written differently anyway?
fn is_written(properties: &[PropertyDiff], path: &Path) -> bool {
    properties.iter().any(|known| known.cause == ChangeCause::Written && path.is_within(&known.edit.path))
}

fn tagged(catalog: &Catalog, resource_type: &str, tags: &(Value, Value)) -> Option<PropertyDiff> {
    let facts = catalog.resource_type(resource_type)?;
    facts.tags_property()?;
    let replacement = if facts.tags_create_only() { Replacement::True } else { Replacement::False };
    let edit = Edit { path: "Tags".into(), before: Some(tags.0.clone()), after: Some(tags.1.clone()) };
    Some(PropertyDiff { edit, cause: ChangeCause::Tags, replacement })
}

/// Adds what changes because something it refers to changes, until nothing is added or becomes worse any more.
fn propagate<'a>(sides: &Sides<'a>, found: &mut BTreeMap<&'a str, ResourceDiff>) {
    let links = links(sides);
    let mut moved = true;
    while moved {
        moved = false;
        for (id, link) in &links {
            moved |= follow(sides, found, id, link);
        }
    }
}

/// What a link does to the resource that refers; whether that is news.
fn follow<'a>(
    sides: &Sides<'a>,
    found: &mut BTreeMap<&'a str, ResourceDiff>,
    id: &'a str,
    link: &TemplateReference<'_>,
) -> bool {
    let Some(target) = found.get(link.target).filter(|target| !target.is_quiet()) else { return false };
    let fate = target.replacement();
    if link.attribute.is_none() && fate == Replacement::False {
        return false;
    }
    let resource_type = sides.wanted.resource(id).map_or("", type_of);
    let table = on_change(sides.catalog, resource_type, &link.path);
    let replacement = if fate == Replacement::True { static_replacement(table) } else { dynamic_replacement(table) };
    let entry = found.entry(id).or_insert_with(|| ResourceDiff {
        logical_id: id.to_owned(),
        resource_type: resource_type.to_owned(),
        kind: ChangeKind::Modify,
        properties: Vec::new(),
    });
    entry.changes_with(link, replacement)
}

/// References of resources that stay to resources that stay.
fn links<'a>(sides: &Sides<'a>) -> Vec<(&'a str, TemplateReference<'a>)> {
    let stays = |id: &str| sides.live.resource(id).is_some() && sides.wanted.resource(id).is_some();
    let staying = sides.wanted.resources().filter(|(id, _)| stays(id));
    let links = staying.flat_map(|(id, resource)| {
        references(&resource["Properties"]).into_iter().map(move |reference| (id, reference))
    });
    links.filter(|(id, link)| *id != link.target && stays(link.target)).collect()
}

impl ResourceDiff {
    /// Notes what a link does to a property, unless something as bad is known of it; whether that is news.
    fn changes_with(&mut self, link: &TemplateReference<'_>, replacement: Replacement) -> bool {
        if is_written(&self.properties, &link.path) {
            return false;
        }
        let cause = ChangeCause::Resource(link.target.to_owned());
        let same = |known: &&mut PropertyDiff| known.edit.path == link.path && known.cause == cause;
        match self.properties.iter_mut().find(same) {
            Some(known) if known.replacement.rank() >= replacement.rank() => return false,
            Some(known) => known.replacement = replacement,
            None => {
                let edit = Edit { path: link.path.clone(), before: None, after: None };
                self.properties.push(PropertyDiff { edit, cause, replacement });
            }
        }
        true
    }

    /// Only a policy or the order changes, which no change set lists.
    pub(super) fn is_quiet(&self) -> bool {
        self.kind == ChangeKind::Modify && self.properties.is_empty()
    }

    /// Is it replaced?
    pub(super) fn replacement(&self) -> Replacement {
        worst(self.properties.iter().map(|property| property.replacement.clone()))
    }

    fn announce(&self, spec: &StackSpec) -> ResourceChange {
        let properties = self.properties.iter().map(|property| property.announce(&self.logical_id, spec)).collect();
        ResourceChange {
            logical_id: self.logical_id.clone(),
            resource_type: self.resource_type.clone(),
            kind: self.kind,
            replacement: self.replacement(),
            properties,
        }
    }
}

impl PropertyDiff {
    fn announce(&self, logical_id: &str, spec: &StackSpec) -> PropertyChange {
        let place = Path::from_iter([logical_id, "Properties"]).join(&self.edit.path);
        let because = match &self.cause {
            ChangeCause::Written | ChangeCause::Type | ChangeCause::Tags => None,
            ChangeCause::Input(from) => from.clone(),
            ChangeCause::Later(from) => Some(from.clone()),
            ChangeCause::Resource(id) => Some(id.clone()),
        };
        let origin = spec.origins.of(&place).filter(|_| self.cause == ChangeCause::Written);
        PropertyChange {
            path: self.edit.path.clone(),
            before: self.edit.before.clone(),
            after: self.edit.after.clone(),
            replacement: self.replacement.clone(),
            because,
            overridden: is_overridden(&place, spec),
            position: origin.map(|origin| origin.position.clone()),
        }
    }
}

/// The changes as a plan lists them.
pub(super) fn announce(diffs: &[ResourceDiff], spec: &StackSpec) -> Vec<ResourceChange> {
    diffs.iter().filter(|diff| !diff.is_quiet()).map(|diff| diff.announce(spec)).collect()
}

/// What a change set for these differences may do.
pub(super) fn gate(diffs: &[ResourceDiff]) -> Gate {
    let allowed = |diff: &ResourceDiff| Allowed { kind: diff.kind, replacement: diff.replacement() };
    Gate { allowed: diffs.iter().map(|diff| (diff.logical_id.clone(), allowed(diff))).collect() }
}

fn is_overridden(place: &Path, spec: &StackSpec) -> bool {
    place.upward().any(|place| spec.overridden.contains(place))
}

fn worst(all: impl Iterator<Item = Replacement>) -> Replacement {
    all.max_by_key(Replacement::rank).unwrap_or(Replacement::False)
}

/// What is not in the table may be replaced.
fn on_change(catalog: &Catalog, resource_type: &str, path: &Path) -> catalog::Replacement {
    let facts = catalog.resource_type(resource_type);
    facts.map_or(catalog::Replacement::Conditional, |facts| facts.replacement_on(path))
}

fn static_replacement(table: catalog::Replacement) -> Replacement {
    match table {
        catalog::Replacement::Never => Replacement::False,
        catalog::Replacement::Conditional => Replacement::Conditional,
        catalog::Replacement::Always => Replacement::True,
    }
}

fn dynamic_replacement(table: catalog::Replacement) -> Replacement {
    match table {
        catalog::Replacement::Never => Replacement::False,
        catalog::Replacement::Conditional | catalog::Replacement::Always => Replacement::Conditional,
    }
}
