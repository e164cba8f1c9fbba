//! A template as the plan reads it: resources, what they refer to, and the body with parts taken out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{
    catalog::is_function,
    diagnostic::{Path, Trail},
    render::{body_digest, from_yaml, with_digest, without_stamps},
};

/// A parsed body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template(pub(super) Value);

/// One place where a value refers to a parameter or resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateReference<'a> {
    /// Where the referring function stands, as `ProductionVariants/0/ModelName`.
    pub(super) path: Path,
    /// The parameter or resource.
    pub(super) target: &'a str,
    /// The attribute, for `Fn::GetAtt`.
    pub(super) attribute: Option<&'a str>,
}

/// A stack that another one says it needs: in its own target, unless it says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NeededStack<'a> {
    pub(super) name: &'a str,
    pub(super) region: Option<&'a str>,
    /// None where the manifests did not say any.
    pub(super) account: Option<&'a str>,
}

impl<'a> NeededStack<'a> {
    fn read(need: &'a Value) -> Option<Self> {
        match need {
            Value::String(name) => Some(Self { name, region: None, account: None }),
            _ => Some(Self {
                name: need["Name"].as_str()?,
                region: Some(need["Region"].as_str()?),
                account: need["Account"].as_str(),
            }),
        }
    }
}

impl Template {
    /// Parses JSON, or YAML as somebody may have submitted it by hand.
    pub(super) fn parse(body: &str) -> Result<Self, String> {
        let tree = match serde_json::from_str(body) {
            Ok(tree) => tree,
            Err(_) => from_yaml(body)?,
        };
        let template = Self(tree);
        if template.section("Resources").next().is_none() {
            return Err("it has no resources".to_owned());
        }
        Ok(template)
    }

    /// The entries of a section, none where it is missing.
    pub(super) fn section<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0[name].as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Logical ids with their resources.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Resources")
    }

    /// Logical ids and properties of the resources of one type.
    pub(super) fn of_type<'a>(&'a self, resource_type: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let wanted = move |(_, resource): &(&str, &Value)| type_of(resource) == resource_type;
        self.resources().filter(wanted).map(|(id, resource)| (id, &resource["Properties"]))
    }

    pub(super) fn resource(&self, id: &str) -> Option<&Value> {
        self.0["Resources"].get(id)
    }

    /// The value of an output; null where there is none.
    pub(super) fn output(&self, key: &str) -> &Value {
        &self.0["Outputs"][key]["Value"]
    }

    /// The default of a parameter, as text.
    pub(super) fn default_of(&self, parameter: &str) -> Option<String> {
        text_of(&self.0["Parameters"][parameter]["Default"])
    }

    /// Is the value of this parameter never to be shown?
    pub(super) fn hides(&self, parameter: &str) -> bool {
        text_of(&self.0["Parameters"][parameter]["NoEcho"]).is_some_and(|flag| flag == "true")
    }

    /// The stacks that the stack said it needs when it was applied.
    pub(super) fn needs(&self) -> impl Iterator<Item = NeededStack<'_>> {
        let needs = self.0["Metadata"]["Hubform"]["Needs"].as_array();
        needs.into_iter().flatten().filter_map(NeededStack::read)
    }

    /// Whose the stack is, as it was said when it was applied.
    pub(super) fn owner(&self) -> Option<&str> {
        self.0["Metadata"]["Hubform"]["Owner"].as_str()
    }

    /// The body without what only says when and by whom it was applied.
    pub(super) fn unstamped(&self) -> Value {
        let mut tree = without_stamps(self.0.clone());
        drop_empty(&mut tree, "Outputs");
        tree
    }

    /// The body without these resources, and without what names them only in passing.
    pub(super) fn without(&self, ids: &BTreeSet<String>) -> Self {
        let mut tree = self.0.clone();
        if let Some(resources) = section_mut(&mut tree, "Resources") {
            resources.retain(|id, _| !ids.contains(id));
            resources.values_mut().for_each(|resource| forget_order(resource, ids));
        }
        if let Some(outputs) = section_mut(&mut tree, "Outputs") {
            outputs.retain(|_, output| !references(output).iter().any(|found| ids.contains(found.target)));
        }
        Self(tree)
    }

    /// The body with those parameters of another whose values are never shown: while they are declared, CloudFormation
    /// keeps their values.
    pub(super) fn with_hidden(&self, of: &Self) -> Self {
        let mut tree = self.0.clone();
        for (name, parameter) in of.section("Parameters").filter(|(name, _)| of.hides(name)) {
            if tree["Parameters"].get(name).is_none() {
                tree["Parameters"][name] = parameter.clone();
            }
        }
        Self(tree)
    }

    /// The body with these resources beside its own, or in their place.
    pub(super) fn with(mut self, resources: BTreeMap<String, Value>) -> Self {
        if let Some(own) = section_mut(&mut self.0, "Resources") {
            own.extend(resources);
        }
        self
    }

    /// The body's text with a digest of its own among the outputs, and that digest.
    pub(super) fn stamp(self) -> (String, String) {
        let body = self.unstamped();
        let digest = body_digest(&body.to_string());
        (with_digest(body, &digest).to_string(), digest)
    }

    /// The body's text, as compact JSON.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }
}

/// The type of a resource; empty where it has none.
pub(super) fn type_of(resource: &Value) -> &str {
    resource["Type"].as_str().unwrap_or_default()
}

/// A scalar as CloudFormation takes it.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Everything that a value refers to.
pub(super) fn references(value: &Value) -> Vec<TemplateReference<'_>> {
    let mut found = Vec::new();
    walk(&Trail::Top, value, &mut found);
    found
}

fn walk<'a>(path: &Trail<'_>, value: &'a Value, found: &mut Vec<TemplateReference<'a>>) {
    match value {
        Value::Object(members) if is_function(value) => {
            for (function, argument) in members {
                call(path, function, argument, found);
            }
        }
        Value::Object(members) => members.iter().for_each(|(name, value)| walk(&path.at(name), value, found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| walk(&path.item(at), item, found));
        }
        _ => {}
    }
}

fn call<'a>(path: &Trail<'_>, function: &str, argument: &'a Value, found: &mut Vec<TemplateReference<'a>>) {
    let mut add = |target: &'a str, attribute| {
        found.push(TemplateReference { path: path.path(), target, attribute });
    };
    match (function, argument) {
        ("Ref", Value::String(target)) => add(target, None),
        ("Fn::GetAtt", Value::String(text)) => dotted(text, &mut add),
        ("Fn::GetAtt", Value::Array(parts)) => {
            if let (Some(target), attribute) = (parts.first().and_then(Value::as_str), parts.get(1)) {
                add(target, Some(attribute.and_then(Value::as_str).unwrap_or_default()));
            }
        }
        ("Fn::Sub", Value::String(text)) => placeholders(text).for_each(|name| dotted(name, &mut add)),
        ("Fn::Sub", Value::Array(parts)) => {
            let local = parts.get(1).and_then(Value::as_object);
            let outside = |name: &&str| !local.is_some_and(|local| local.contains_key(*name));
            let text = parts.first().and_then(Value::as_str).unwrap_or_default();
            placeholders(text).filter(outside).for_each(|name| dotted(name, &mut add));
            inside(path, local.into_iter().flat_map(Map::values), found);
        }
        (_, argument) => inside(path, std::iter::once(argument), found),
    }
}

fn dotted<'a>(name: &'a str, add: &mut impl FnMut(&'a str, Option<&'a str>)) {
    match name.split_once('.') {
        Some((target, attribute)) => add(target, Some(attribute)),
        None => add(name, None),
    }
}

/// What stands below a function is part of the value at the function's own place.
fn inside<'a>(path: &Trail<'_>, values: impl Iterator<Item = &'a Value>, found: &mut Vec<TemplateReference<'a>>) {
    for value in values {
        let below = references(value);
        found.extend(below.into_iter().map(|reference| TemplateReference { path: path.path(), ..reference }));
    }
}

/// The names in `${…}`; `${!…}` stands for itself.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("${").skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.trim()).filter(|name| !name.starts_with('!'))
}

fn section_mut<'a>(tree: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    tree.get_mut(name).and_then(Value::as_object_mut)
}

fn forget_order(resource: &mut Value, ids: &BTreeSet<String>) {
    let gone = |id: &Value| id.as_str().is_some_and(|id| ids.contains(id));
    let Some(resource) = resource.as_object_mut() else { return };
    let empty = match resource.get_mut("DependsOn") {
        Some(Value::Array(items)) => {
            items.retain(|id| !gone(id));
            items.is_empty()
        }
        Some(one) => gone(one),
        None => false,
    };
    if empty {
        resource.remove("DependsOn");
    }
}

fn drop_empty(tree: &mut Value, section: &str) {
    let empty = section_mut(tree, section).is_some_and(|entries| entries.is_empty());
    if let (true, Some(tree)) = (empty, tree.as_object_mut()) {
        tree.remove(section);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_submitted_as_yaml_is_the_same_as_in_json() {
        let yaml = "Resources:\n  A: {Type: T, Properties: {B: !GetAtt C.Arn, D: !Ref C}}\n  C: {Type: T}\n";
        let json = r#"{"Resources": {"A": {"Type": "T", "Properties": {"B": {"Fn::GetAtt": ["C", "Arn"]},
            "D": {"Ref": "C"}}}, "C": {"Type": "T"}}}"#;
        assert_eq!(Template::parse(yaml), Template::parse(json));
    }
}
