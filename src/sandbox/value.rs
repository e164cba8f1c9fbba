//! Evaluating a template's values: parameters, conditions, properties; the functions are in `intrinsics`.
//!
//! Values of resources come from a [`Lookup`]: during an operation the live resources, in a change set marks
//! in place of values not known yet. A mark passes through text functions unchanged.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    parameters,
    place::AccountRegion,
    reference::{self, ResourceReference, function},
    template::{Declared, ParsedTemplate},
};
use crate::cloud::Tags;

pub(crate) type Evaluated<T> = Result<T, String>;

/// Values of resources and of other stacks.
pub(crate) trait Lookup {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<Value>;
    fn import(&self, name: &str) -> Evaluated<Value>;
}

/// Where a template is evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Pseudo {
    pub(crate) place: AccountRegion,
    pub(crate) stack_id: String,
    pub(crate) stack_name: String,
    pub(crate) notification_arns: Vec<String>,
}

/// Begins and ends a mark; neither occurs in a template's text.
pub(crate) const MARK: char = '\u{1}';
const MARK_END: char = '\u{2}';

/// A mark in place of a value not known yet.
pub(crate) fn mark(reference: &ResourceReference) -> Value {
    let attribute = reference.attribute.as_deref().map(|name| format!(".{name}")).unwrap_or_default();
    Value::String(format!("{MARK}{}{attribute}{MARK_END}", reference.name))
}

/// The references behind the marks in a value.
pub(crate) fn marks(value: &Value, found: &mut Vec<ResourceReference>) {
    match value {
        Value::String(text) => {
            let inner = text.split(MARK).skip(1).filter_map(|rest| rest.split(MARK_END).next());
            found.extend(inner.map(reference::variable));
        }
        Value::Array(items) => items.iter().for_each(|item| marks(item, found)),
        Value::Object(members) => members.values().for_each(|member| marks(member, found)),
        _ => {}
    }
}

pub(crate) fn is_marked(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(MARK))
}

/// A template with its parameters and conditions evaluated.
pub(crate) struct EvalScope<'a> {
    pub(crate) template: &'a ParsedTemplate,
    pub(crate) parameters: BTreeMap<String, Value>,
    pub(crate) conditions: BTreeMap<String, bool>,
    pub(crate) pseudo: Pseudo,
}

impl<'a> EvalScope<'a> {
    /// # Errors
    /// The text of a `ValidationError`, when parameters or conditions cannot be evaluated.
    pub(crate) fn new(
        template: &'a ParsedTemplate,
        given: &BTreeMap<String, String>,
        pseudo: Pseudo,
    ) -> Evaluated<Self> {
        let parameters = parameters::values(&template.parameters, given)?;
        let mut scope = Self { template, parameters, conditions: BTreeMap::new(), pseudo };
        for name in template.conditions.keys() {
            scope.decide(name, &mut Vec::new())?;
        }
        scope.check_presence()?;
        Ok(scope)
    }

    /// Parameters as DescribeStacks shows them: `NoEcho` ones as asterisks.
    pub(crate) fn shown_parameters(
        template: &ParsedTemplate,
        given: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        parameters::shown(&template.parameters, given)
    }

    /// Is the resource's or output's condition true?
    pub(crate) fn holds(&self, condition: Option<&str>) -> bool {
        condition.is_none_or(|name| self.conditions.get(name).copied().unwrap_or(false))
    }

    /// The resources whose conditions are true.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&'a str, &'a Declared)> + '_ {
        let all = self.template.resources.iter().map(|(id, declared)| (id.as_str(), declared));
        all.filter(|(_, declared)| self.holds(declared.condition.as_deref()))
    }

    pub(crate) fn is_present(&self, id: &str) -> bool {
        self.template.resources.get(id).is_some_and(|declared| self.holds(declared.condition.as_deref()))
    }

    /// A resource that is absent may be named only in a branch that is not taken. (D)
    fn check_presence(&self) -> Evaluated<()> {
        let outputs = self.template.outputs.values().filter(|output| self.holds(output.condition.as_deref()));
        let resources = self.present().map(|(_, declared)| ("Resources", &declared.properties));
        for (block, value) in resources.chain(outputs.map(|output| ("Outputs", &output.value))) {
            let named = self.references(value);
            let absent = |name: &str| self.template.resources.contains_key(name) && !self.is_present(name);
            if let Some(reference) = named.into_iter().find(|reference| absent(&reference.name)) {
                return Err(format!(
                    "Template format error: Unresolved resource dependencies [{}] in the {block} block of the template",
                    reference.name
                ));
            }
        }
        Ok(())
    }

    /// What a value refers to in the branches that are taken.
    pub(crate) fn references(&self, value: &Value) -> Vec<ResourceReference> {
        reference::taken(value, &|name| self.conditions.get(name).copied())
    }

    fn decide(&mut self, name: &str, under: &mut Vec<String>) -> Evaluated<bool> {
        if let Some(known) = self.conditions.get(name) {
            return Ok(*known);
        }
        let Some(value) = self.template.conditions.get(name) else {
            return Err(format!(
                "Template format error: Unresolved dependencies [{name}]. Cannot reference resources in the Conditions \
                 block of the template"
            ));
        };
        if under.iter().any(|outer| outer == name) {
            return Err(format!("Template error: circular dependency between conditions: [{}]", under.join(", ")));
        }
        under.push(name.to_owned());
        let holds = self.truth(value, under)?;
        under.pop();
        self.conditions.insert(name.to_owned(), holds);
        Ok(holds)
    }

    fn truth(&mut self, value: &Value, under: &mut Vec<String>) -> Evaluated<bool> {
        if let Some(name) = value.get("Condition").and_then(Value::as_str) {
            return self.decide(name, under);
        }
        let malformed = || {
            "Template error: every condition must be built of Fn::And, Fn::Or, Fn::Not, Fn::Equals and \
                            Condition"
                .to_owned()
        };
        let (name, argument) = function(value).ok_or_else(malformed)?;
        let parts = argument.as_array().ok_or_else(malformed)?;
        match (name, parts.as_slice()) {
            ("Fn::Equals", [left, right]) => Ok(self.text(left, &NoResources)? == self.text(right, &NoResources)?),
            ("Fn::Not", [one]) => Ok(!self.truth(one, under)?),
            ("Fn::And", parts) if (2..=10).contains(&parts.len()) => {
                parts.iter().try_fold(true, |all, part| Ok(self.truth(part, under)? && all))
            }
            ("Fn::Or", parts) if (2..=10).contains(&parts.len()) => {
                parts.iter().try_fold(false, |any, part| Ok(self.truth(part, under)? || any))
            }
            _ => Err(malformed()),
        }
    }

    /// A property, evaluated; `AWS::NoValue` leaves nothing.
    pub(crate) fn value(&self, value: &Value, lookup: &dyn Lookup) -> Evaluated<Option<Value>> {
        if let Some((name, argument)) = function(value) {
            return self.call(name, argument, lookup);
        }
        Ok(Some(match value {
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.value(item, lookup).transpose());
                Value::Array(items.collect::<Evaluated<_>>()?)
            }
            Value::Object(members) => {
                let members = members.iter().filter_map(|(name, member)| {
                    let member = self.value(member, lookup).transpose()?;
                    Some(member.map(|member| (name.clone(), member)))
                });
                Value::Object(members.collect::<Evaluated<Map<_, _>>>()?)
            }
            scalar => scalar.clone(),
        }))
    }

    pub(crate) fn needed(&self, value: &Value, lookup: &dyn Lookup) -> Evaluated<Value> {
        let evaluated = self.value(value, lookup)?;
        evaluated.ok_or_else(|| "Template error: AWS::NoValue cannot be used in a function".to_owned())
    }

    /// A value as text; scalars only.
    pub(crate) fn text(&self, value: &Value, lookup: &dyn Lookup) -> Evaluated<String> {
        match self.needed(value, lookup)? {
            Value::String(text) => Ok(text),
            Value::Bool(truth) => Ok(truth.to_string()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(format!("Template error: text was expected, not {other}")),
        }
    }
}

/// Properties of a resource, evaluated.
pub(crate) fn properties(scope: &EvalScope<'_>, declared: &Declared, lookup: &dyn Lookup) -> Evaluated<Value> {
    Ok(scope.value(&declared.properties, lookup)?.unwrap_or_else(|| Value::Object(Map::new())))
}

/// What a handler is given: the properties with the stack's tags among its own, which win.
pub(crate) fn with_tags(properties: &Value, tags_property: Option<&str>, tags: &Tags) -> Value {
    let (Some(name), false) = (tags_property, tags.is_empty()) else { return properties.clone() };
    let mut merged = properties.clone();
    let Some(members) = merged.as_object_mut() else { return merged };
    match members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(items) => {
            let own: Vec<Value> = items.iter().filter_map(|item| item.get("Key").cloned()).collect();
            let inherited = tags.iter().filter(|(key, _)| !own.iter().any(|known| known == *key));
            items.extend(inherited.map(|(key, value)| serde_json::json!({"Key": key, "Value": value})));
        }
        Value::Object(map) => {
            for (key, value) in tags {
                map.entry(key).or_insert_with(|| Value::String(value.clone()));
            }
        }
        _ => {}
    }
    merged
}

/// Conditions may not name resources. (D)
struct NoResources;

impl Lookup for NoResources {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<Value> {
        Err(format!(
            "Template format error: Unresolved dependencies [{}]. Cannot reference resources in the Conditions block of \
             the template",
            reference.name
        ))
    }

    fn import(&self, _: &str) -> Evaluated<Value> {
        Err("Template error: Cannot use Fn::ImportValue in Conditions.".to_owned())
    }
}
