//! The changes of a change set: two templates and the live resources compared.
//!
//! Written on its own: it shares nothing with `plan` but the resource-type table, because a law compares the two.
//!
//! A property is compared by value where its new value is known, else by form, with marks for resources. Such a change
//! is Static. So is a reference to a resource that is surely replaced. (R: seven recordings) A reference to a resource
//! that may be replaced or is new, or to an attribute of one that is modified in place, is Dynamic: the value may stay
//! the same. (R, D: the user guide's example change sets) `Ref` of a
//! resource modified in place is known, and causes no change. (M, R)
//!
//! A changed parameter gives two details: the reference, Static, and beside it the modification, Dynamic. (D, R)

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    graph,
    reference::{self, ResourceReference},
    stack::Record,
    template::Declared,
    value::{EvalScope, Evaluated, Lookup, mark, marks, properties},
};
use crate::{
    catalog::{self, Catalog, ResourceType},
    cloud::{Change, ChangeAction, ChangeAttribute, ChangeDetail, ChangeEvaluation, Recreation, Replacement, Tags},
    diagnostic::Path,
};

/// What differs.
pub(crate) struct Difference {
    /// By logical id.
    pub(crate) changes: Vec<Change>,
    /// Do outputs differ? They alone make a change set with no changes, which applies. (K)
    pub(crate) outputs: bool,
}

pub(crate) type Imports<'a> = dyn Fn(&str) -> Evaluated<Value> + 'a;

/// What happens to a resource, as far as it matters to references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Modified,
    MayBeReplaced,
    Replaced,
}

/// Every resource is a mark: the form of a value.
struct Formal<'a> {
    imports: &'a Imports<'a>,
}

impl Lookup for Formal<'_> {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<Value> {
        Ok(mark(reference))
    }

    fn import(&self, name: &str) -> Evaluated<Value> {
        (self.imports)(name)
    }
}

/// Resources that stay as they are have values, others are marks.
struct Foreseen<'a> {
    records: &'a BTreeMap<String, Record>,
    fates: &'a BTreeMap<&'a str, Fate>,
    imports: &'a Imports<'a>,
}

impl Lookup for Foreseen<'_> {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<Value> {
        let record = self.records.get(&reference.name);
        let known = match (self.fates.get(reference.name.as_str()), &reference.attribute) {
            (Some(Fate::Kept), Some(attribute)) => record.and_then(|record| record.attribute(attribute)),
            (Some(Fate::Kept | Fate::Modified), None) => record.map(|record| Value::String(record.reference.clone())),
            _ => None,
        };
        Ok(known.unwrap_or_else(|| mark(reference)))
    }

    fn import(&self, name: &str) -> Evaluated<Value> {
        (self.imports)(name)
    }
}

/// Compares what is deployed with what is wanted.
///
/// # Errors
/// A value that cannot be evaluated, in the service's words.
pub(crate) fn compare(
    records: &BTreeMap<String, Record>,
    old: &EvalScope<'_>,
    new: &EvalScope<'_>,
    tags: &Tags,
    imports: &Imports<'_>,
) -> Evaluated<Difference> {
    let mut fates = BTreeMap::new();
    let mut changes = Vec::new();
    let order = graph::order(&new.template.resources).unwrap_or_default();
    for id in order.into_iter().filter(|id| new.is_present(id)) {
        let declared = &new.template.resources[id];
        let Some(record) = records.get(id) else {
            changes.push(plain(ChangeAction::Add, id, &declared.resource_type, None));
            continue;
        };
        let foreseen = Foreseen { records, fates: &fates, imports };
        let comparison = Comparison { record, declared, old, new, tags, foreseen: &foreseen };
        let change = comparison.change()?;
        fates.insert(id, fate(change.as_ref()));
        changes.extend(change);
    }
    let removed = records.iter().filter(|(id, _)| !new.is_present(id));
    changes.extend(
        removed.map(|(id, record)| {
            plain(ChangeAction::Remove, id, &record.resource_type, Some(record.physical_id.clone()))
        }),
    );
    changes.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    let formal = Formal { imports };
    let outputs = outputs(old, &formal)? != outputs(new, &formal)?;
    Ok(Difference { changes, outputs })
}

fn fate(change: Option<&Change>) -> Fate {
    match change.and_then(|change| change.replacement.as_ref()) {
        None => Fate::Kept,
        Some(Replacement::False) => Fate::Modified,
        Some(Replacement::Conditional) => Fate::MayBeReplaced,
        Some(Replacement::True | Replacement::Other(_)) => Fate::Replaced,
    }
}

fn plain(action: ChangeAction, id: &str, resource_type: &str, physical_id: Option<String>) -> Change {
    Change {
        action,
        logical_id: id.to_owned(),
        physical_id,
        resource_type: resource_type.to_owned(),
        replacement: None,
        scope: Vec::new(),
        details: Vec::new(),
    }
}

/// An output's value and export name, in form.
type FormalOutput = (Option<Value>, Option<Value>);

fn outputs(scope: &EvalScope<'_>, formal: &Formal<'_>) -> Evaluated<BTreeMap<String, FormalOutput>> {
    let present = scope.template.outputs.iter().filter(|(_, output)| scope.holds(output.condition.as_deref()));
    present
        .map(|(key, output)| {
            let export = output.export.as_ref().map(|name| scope.value(name, formal)).transpose()?.flatten();
            Ok((key.clone(), (scope.value(&output.value, formal)?, export)))
        })
        .collect()
}

/// One resource, before and after.
struct Comparison<'a, 'b> {
    record: &'a Record,
    declared: &'a Declared,
    old: &'a EvalScope<'b>,
    new: &'a EvalScope<'b>,
    tags: &'a Tags,
    foreseen: &'a Foreseen<'a>,
}

impl Comparison<'_, '_> {
    fn change(&self) -> Evaluated<Option<Change>> {
        let kind = Catalog::embedded().resource_type(&self.record.resource_type);
        let mut details = self.property_details(kind)?;
        let taggable = kind.is_some_and(|kind| kind.tags_property().is_some());
        if taggable && self.record.tags != *self.tags {
            details.push(self.tag_detail(kind));
        }
        if self.metadata_differs()? {
            let causes = self.changed_parameters(Some(&self.declared.metadata));
            details.extend(static_details(causes, &detail(ChangeAttribute::Metadata, None, Recreation::Never)));
        }
        if details.is_empty() {
            return Ok(None);
        }
        let worst = details.iter().map(replacement_by).max_by_key(Replacement::rank).unwrap_or(Replacement::False);
        let mut change = plain(
            ChangeAction::Modify,
            &self.record.logical_id,
            &self.record.resource_type,
            Some(self.record.physical_id.clone()),
        );
        change.scope =
            details.iter().map(|detail| detail.attribute.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        change.replacement = Some(worst);
        change.details = details;
        Ok(Some(change))
    }

    fn tag_detail(&self, kind: Option<&ResourceType>) -> ChangeDetail {
        let replaces = kind.is_some_and(ResourceType::tags_create_only);
        let recreation = if replaces { Recreation::Always } else { Recreation::Never };
        detail(ChangeAttribute::Tags, None, recreation)
    }

    fn metadata_differs(&self) -> Evaluated<bool> {
        let formal = Formal { imports: self.foreseen.imports };
        let before = self.old.template.resources.get(&self.record.logical_id);
        let before = before.map(|before| self.old.value(&before.metadata, &formal)).transpose()?.flatten();
        let after = self.new.value(&self.declared.metadata, &formal)?;
        Ok(before.unwrap_or(Value::Null) != after.unwrap_or(Value::Null))
    }

    fn property_details(&self, kind: Option<&ResourceType>) -> Evaluated<Vec<ChangeDetail>> {
        let formal = Formal { imports: self.foreseen.imports };
        let foreseen = properties(self.new, self.declared, self.foreseen)?;
        let new_form = properties(self.new, self.declared, &formal)?;
        let old_form = match self.old.template.resources.get(&self.record.logical_id) {
            Some(before) => properties(self.old, before, &formal)?,
            None => Value::Null,
        };
        let names: BTreeSet<&String> = [&self.record.properties, &foreseen]
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|map| map.keys())
            .collect();
        let mut details = Vec::new();
        for name in names {
            let unknown = unknown_places(foreseen.get(name), name);
            let (before, after) = match unknown.is_empty() {
                true => (self.record.properties.get(name), foreseen.get(name)),
                false => (old_form.get(name), new_form.get(name)),
            };
            let changed = changed_places(before, after, name);
            if !changed.is_empty() {
                let causes = self.changed_parameters(self.declared.properties.get(name));
                let changed = detail(attribute(kind, name), Some(name), worst(kind, changed.iter()));
                details.extend(static_details(causes, &changed));
            }
            details.extend(self.caused_details(kind, name, &unknown));
        }
        Ok(details)
    }

    /// One detail for each resource whose unknown value the property uses.
    fn caused_details(
        &self,
        kind: Option<&ResourceType>,
        name: &str,
        unknown: &[(String, ResourceReference)],
    ) -> Vec<ChangeDetail> {
        let causes: BTreeSet<&ResourceReference> = unknown.iter().map(|(_, cause)| cause).collect();
        let one = |cause: &ResourceReference| {
            let places = unknown.iter().filter(|(_, other)| other == cause).map(|(place, _)| place);
            let (source, entity) = match &cause.attribute {
                Some(attribute) => ("ResourceAttribute", format!("{}.{attribute}", cause.name)),
                None => ("ResourceReference", cause.name.clone()),
            };
            let evaluation = match self.foreseen.fates.get(cause.name.as_str()) {
                Some(Fate::Replaced) => ChangeEvaluation::Static,
                _ => ChangeEvaluation::Dynamic,
            };
            ChangeDetail {
                evaluation,
                causing_entity: Some(entity),
                source: Some(source.to_owned()),
                ..detail(attribute(kind, name), Some(name), worst(kind, places))
            }
        };
        causes.into_iter().map(one).collect()
    }

    fn changed_parameters(&self, text: Option<&Value>) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut conditions = BTreeSet::new();
        if let Some(text) = text {
            named_parameters(self.new, text, &mut names, &mut conditions);
        }
        names.retain(|name| self.old.parameters.get(name) != self.new.parameters.get(name));
        names
    }
}

/// The parameters a text names, itself or through the conditions it chooses by.
fn named_parameters(scope: &EvalScope<'_>, text: &Value, names: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
    let references = reference::all(text).into_iter().filter(|reference| reference.attribute.is_none());
    names.extend(references.map(|reference| reference.name).filter(|name| scope.parameters.contains_key(name)));
    let mut conditions = Vec::new();
    named_conditions(text, &mut conditions);
    for name in conditions {
        if seen.insert(name.clone())
            && let Some(condition) = scope.template.conditions.get(&name)
        {
            named_parameters(scope, condition, names, seen);
        }
    }
}

fn named_conditions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named_conditions(item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                let name = if key == "Fn::If" { member.get(0) } else { Some(member).filter(|_| key == "Condition") };
                found.extend(name.and_then(Value::as_str).map(str::to_owned));
                named_conditions(member, found);
            }
        }
        _ => {}
    }
}

fn detail(attribute: ChangeAttribute, name: Option<&str>, recreation: Recreation) -> ChangeDetail {
    ChangeDetail {
        name: name.filter(|_| attribute == ChangeAttribute::Properties).map(str::to_owned),
        attribute,
        recreation,
        evaluation: ChangeEvaluation::Static,
        causing_entity: None,
        source: Some("DirectModification".to_owned()),
    }
}

/// Where parameters are the cause, they are named, and the modification itself is left open.
fn static_details(causes: BTreeSet<String>, changed: &ChangeDetail) -> Vec<ChangeDetail> {
    if causes.is_empty() {
        return vec![changed.clone()];
    }
    let named = |parameter: String| ChangeDetail {
        causing_entity: Some(parameter),
        source: Some("ParameterReference".to_owned()),
        ..changed.clone()
    };
    let open = ChangeDetail { evaluation: ChangeEvaluation::Dynamic, ..changed.clone() };
    causes.into_iter().map(named).chain([open]).collect()
}

fn attribute(kind: Option<&ResourceType>, name: &str) -> ChangeAttribute {
    match kind.and_then(ResourceType::tags_property) == Some(name) {
        true => ChangeAttribute::Tags,
        false => ChangeAttribute::Properties,
    }
}

/// Replacement by a detail: certain only when the change is certain.
fn replacement_by(detail: &ChangeDetail) -> Replacement {
    match (&detail.recreation, &detail.evaluation) {
        (Recreation::Never, _) => Replacement::False,
        (Recreation::Always, ChangeEvaluation::Static) => Replacement::True,
        _ => Replacement::Conditional,
    }
}

fn worst<'a>(kind: Option<&ResourceType>, places: impl Iterator<Item = &'a String>) -> Recreation {
    let on = |place: &String| kind.map_or(catalog::Replacement::Never, |kind| kind.replacement_on(Path::read(place)));
    match places.map(on).max() {
        Some(catalog::Replacement::Always) => Recreation::Always,
        Some(catalog::Replacement::Conditional) => Recreation::Conditionally,
        Some(catalog::Replacement::Never) | None => Recreation::Never,
    }
}

/// The places in which two values differ, as deep as possible: `ProductionVariants/0/InstanceType`.
pub(crate) fn changed_places(before: Option<&Value>, after: Option<&Value>, place: &str) -> Vec<String> {
    let below = |key: &dyn std::fmt::Display| format!("{place}/{key}");
    match (before, after) {
        _ if before == after => Vec::new(),
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            keys.into_iter().flat_map(|key| changed_places(before.get(key), after.get(key), &below(key))).collect()
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            let pairs = before.iter().zip(after).enumerate();
            pairs.flat_map(|(index, (one, two))| changed_places(Some(one), Some(two), &below(&index))).collect()
        }
        _ => vec![place.to_owned()],
    }
}

/// Where a value has marks, and for what.
fn unknown_places(value: Option<&Value>, place: &str) -> Vec<(String, ResourceReference)> {
    match value {
        Some(Value::Object(members)) => {
            members.iter().flat_map(|(key, member)| unknown_places(Some(member), &format!("{place}/{key}"))).collect()
        }
        Some(Value::Array(items)) => {
            let items = items.iter().enumerate();
            items.flat_map(|(index, item)| unknown_places(Some(item), &format!("{place}/{index}"))).collect()
        }
        Some(scalar) => {
            let mut found = Vec::new();
            marks(scalar, &mut found);
            found.into_iter().map(|reference| (place.to_owned(), reference)).collect()
        }
        None => Vec::new(),
    }
}
