//! Reads a body, and refuses what CloudFormation refuses before it starts.
//!
//! Order of the checks: size, syntax, sections, references (D); parameters and capabilities follow in
//! `parameters` and `limits`. Every refusal is the text of a `ValidationError` (R, unless marked as our own).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    graph,
    reference::{self, ResourceReference},
    stack::DeletionPolicy,
};
use crate::catalog::Catalog;

/// Bytes of an inline body. (D)
const BODY_BYTES: usize = 51_200;
/// Resources, and parameters, outputs and mappings, of a template. (D)
const RESOURCES: usize = 500;
const OTHERS: usize = 200;
/// Characters of a name. (D)
const NAME_CHARS: usize = 255;

const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
];

const ATTRIBUTES: [&str; 9] = [
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

pub(crate) const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// A parsed body.
#[derive(Debug, Default)]
pub(crate) struct ParsedTemplate {
    pub(crate) parameters: Map<String, Value>,
    pub(crate) mappings: Map<String, Value>,
    pub(crate) conditions: Map<String, Value>,
    pub(crate) resources: BTreeMap<String, Declared>,
    pub(crate) outputs: BTreeMap<String, TemplateOutput>,
}

/// A resource as declared.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) resource_type: String,
    pub(crate) properties: Value,
    pub(crate) metadata: Value,
    pub(crate) condition: Option<String>,
    /// The resources it refers to or waits for; there are no other edges. (D)
    pub(crate) edges: BTreeSet<String>,
    pub(crate) deletion_policy: DeletionPolicy,
    pub(crate) replace_policy: DeletionPolicy,
}

/// An output as declared.
#[derive(Debug, PartialEq)]
pub(crate) struct TemplateOutput {
    pub(crate) value: Value,
    pub(crate) export: Option<Value>,
    pub(crate) condition: Option<String>,
}

type TemplateResult<T> = Result<T, String>;

impl ParsedTemplate {
    pub(crate) fn parse(body: &str) -> TemplateResult<Self> {
        if body.len() > BODY_BYTES {
            return Err(format!(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have \
                 length less than or equal to {BODY_BYTES}"
            ));
        }
        let root: Value = serde_json::from_str(body).map_err(|error| {
            format!("Template format error: JSON not well-formed. (line {}, column {})", error.line(), error.column())
        })?;
        let Value::Object(root) = root else {
            return Err("Template format error: unsupported structure.".to_owned());
        };
        let template = Self::read(root)?;
        template.check_references()?;
        graph::order(&template.resources)
            .map_err(|cycle| format!("Circular dependency between resources: [{}]", cycle.join(", ")))?;
        Ok(template)
    }

    fn read(root: Map<String, Value>) -> TemplateResult<Self> {
        check_sections(&root)?;
        let parameters = section(&root, "Parameters", OTHERS)?;
        let mappings = section(&root, "Mappings", OTHERS)?;
        let conditions = section(&root, "Conditions", usize::MAX)?;
        let declared = section(&root, "Resources", RESOURCES)?;
        if declared.is_empty() {
            return Err("Template format error: At least one Resources member must be defined.".to_owned());
        }
        let resources = declared.into_iter().map(|(id, value)| read_resource(&id, value).map(|read| (id, read)));
        let outputs = section(&root, "Outputs", OTHERS)?;
        let outputs = outputs.into_iter().map(|(key, value)| read_output(&key, &value).map(|read| (key, read)));
        let mut template = Self {
            parameters,
            mappings,
            conditions,
            resources: resources.collect::<TemplateResult<_>>()?,
            outputs: outputs.collect::<TemplateResult<_>>()?,
        };
        template.check_types()?;
        template.find_edges();
        Ok(template)
    }

    /// All types are named at once, as the service does.
    fn check_types(&self) -> TemplateResult<()> {
        let known = |name: &str| name.starts_with("Custom::") || Catalog::embedded().resource_type(name).is_some();
        let unknown: BTreeSet<&str> = self
            .resources
            .values()
            .map(|declared| declared.resource_type.as_str())
            .filter(|name| !known(name))
            .collect();
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(format!("Template format error: Unrecognized resource types: [{}]", list(unknown))),
        }
    }

    fn find_edges(&mut self) {
        let ids: BTreeSet<String> = self.resources.keys().cloned().collect();
        for declared in self.resources.values_mut() {
            let referred = reference::all(&declared.properties);
            let resources = referred.into_iter().map(|reference| reference.name).filter(|name| ids.contains(name));
            declared.edges.extend(resources);
        }
    }

    fn check_references(&self) -> TemplateResult<()> {
        for declared in self.resources.values() {
            self.check_condition(declared.condition.as_deref(), "Resources")?;
            self.check_all("Resources", reference::all(&declared.properties))?;
            let waits = declared.edges.iter().filter(|id| !self.resources.contains_key(*id));
            unresolved("Resources", waits.cloned().collect())?;
        }
        for output in self.outputs.values() {
            self.check_condition(output.condition.as_deref(), "Outputs")?;
            self.check_all("Outputs", reference::all(&output.value))?;
        }
        Ok(())
    }

    fn check_all(&self, block: &str, references: Vec<ResourceReference>) -> TemplateResult<()> {
        let known = |reference: &&ResourceReference| {
            self.resources.contains_key(&reference.name)
                || reference.attribute.is_none()
                    && (self.parameters.contains_key(&reference.name) || PSEUDO.contains(&reference.name.as_str()))
        };
        let unknown = references.iter().filter(|reference| !known(reference));
        unresolved(block, unknown.map(|reference| reference.name.clone()).collect())?;
        references.iter().try_for_each(|reference| self.check_attribute(reference))
    }

    fn check_attribute(&self, reference: &ResourceReference) -> TemplateResult<()> {
        let Some(attribute) = &reference.attribute else { return Ok(()) };
        let Some(declared) = self.resources.get(&reference.name) else { return Ok(()) };
        let Some(kind) = Catalog::embedded().resource_type(&declared.resource_type) else { return Ok(()) };
        match kind.has_attribute(attribute) {
            true => Ok(()),
            false => Err(format!(
                "Template error: resource {} does not support attribute type {attribute} in Fn::GetAtt",
                reference.name
            )),
        }
    }

    fn check_condition(&self, name: Option<&str>, block: &str) -> TemplateResult<()> {
        match name.filter(|name| !self.conditions.contains_key(*name)) {
            Some(name) => Err(format!(
                "Template format error: Unresolved condition dependency {name} in the {block} block of the template"
            )),
            None => Ok(()),
        }
    }
}

fn check_sections(root: &Map<String, Value>) -> TemplateResult<()> {
    if root.contains_key("Transform") {
        return Err("Template error: the imagined account runs no macros, so Transform cannot be used".to_owned());
    }
    let unknown: Vec<&str> = root.keys().map(String::as_str).filter(|key| !SECTIONS.contains(key)).collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(format!("Invalid template property or properties [{}]", list(unknown))),
    }
}

fn section(root: &Map<String, Value>, name: &str, limit: usize) -> TemplateResult<Map<String, Value>> {
    let members = match root.get(name) {
        None => return Ok(Map::new()),
        Some(Value::Object(members)) => members.clone(),
        Some(_) => return Err(format!("Template format error: {name} must be an object.")),
    };
    if members.len() > limit {
        return Err(format!(
            "Template format error: Number of {}, {}, is greater than maximum allowed, {limit}",
            name.to_lowercase(),
            members.len()
        ));
    }
    match members.keys().find(|key| !is_name(key) && name != "Mappings" && name != "Conditions") {
        Some(key) => {
            Err(format!("Template format error: {} name {key} is non alphanumeric.", name.trim_end_matches('s')))
        }
        None => Ok(members),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_CHARS && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn read_resource(id: &str, value: Value) -> TemplateResult<Declared> {
    let place = format!("[/Resources/{id}]");
    let Value::Object(mut members) = value else {
        return Err(format!("Template format error: {place} Every Resources object must be an object."));
    };
    if let Some(key) = members.keys().find(|key| !ATTRIBUTES.contains(&key.as_str())) {
        return Err(format!("Invalid template resource property '{key}'"));
    }
    let Some(resource_type) = members.get("Type").and_then(Value::as_str).map(str::to_owned) else {
        return Err(format!("Template format error: {place} Every Resources object must contain a Type member."));
    };
    let properties = match members.remove("Properties").unwrap_or_else(|| Value::Object(Map::new())) {
        Value::Object(properties) => Value::Object(properties),
        _ => return Err(format!("Template format error: {place} Properties must be an object.")),
    };
    Ok(Declared {
        resource_type,
        properties,
        metadata: members.remove("Metadata").unwrap_or(Value::Null),
        condition: members.get("Condition").and_then(Value::as_str).map(str::to_owned),
        edges: depends_on(members.get("DependsOn"), &place)?,
        deletion_policy: policy(members.get("DeletionPolicy"), &place)?,
        replace_policy: policy(members.get("UpdateReplacePolicy"), &place)?,
    })
}

fn depends_on(value: Option<&Value>, place: &str) -> TemplateResult<BTreeSet<String>> {
    let text = |value: &Value| {
        let name = value.as_str().map(str::to_owned);
        name.ok_or_else(|| format!("Template format error: {place} DependsOn must be a string or a list of strings."))
    };
    match value {
        None => Ok(BTreeSet::new()),
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(other) => text(other).map(|name| BTreeSet::from([name])),
    }
}

fn policy(value: Option<&Value>, place: &str) -> TemplateResult<DeletionPolicy> {
    match value.map(|value| value.as_str().unwrap_or_default()) {
        None | Some("Delete") => Ok(DeletionPolicy::Delete),
        Some("Retain") => Ok(DeletionPolicy::Retain),
        Some("RetainExceptOnCreate") => Ok(DeletionPolicy::RetainExceptOnCreate),
        Some("Snapshot") => Ok(DeletionPolicy::Snapshot),
        Some(other) => Err(format!("Template format error: {place} Unrecognized DeletionPolicy {other}.")),
    }
}

fn read_output(key: &str, value: &Value) -> TemplateResult<TemplateOutput> {
    let Some(inner) = value.get("Value").filter(|inner| !inner.is_null()) else {
        return Err(format!(
            "Template format error: [/Outputs/{key}] Every Outputs member must contain a Value object"
        ));
    };
    Ok(TemplateOutput {
        value: inner.clone(),
        export: value.get("Export").and_then(|export| export.get("Name")).cloned(),
        condition: value.get("Condition").and_then(Value::as_str).map(str::to_owned),
    })
}

fn unresolved(block: &str, names: BTreeSet<String>) -> TemplateResult<()> {
    match names.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "Template format error: Unresolved resource dependencies [{}] in the {block} block of the template",
            list(names.iter().map(String::as_str))
        )),
    }
}

pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
