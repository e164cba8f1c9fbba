//! What a role that runs allows beyond what is wanted of it: it was widened, or others still hold it wide.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    grants::{self, Joined},
    observe::ObservedStack,
    template::{Template, text_of},
};
use crate::{diagnostic::listed, render::StackSpec};

/// So many are named, and of the others the number.
const MOST: usize = 4;

/// A role that grants all that is wanted of it, and more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wide {
    /// The resources that it allows and no manifest needs, with the actions where only those are too many; empty where
    /// what is too much is something else, as a condition or who may take the role.
    pub allows: Vec<String>,
}

impl Wide {
    /// Compares a stack without an endpoint, as it runs, with what is wanted; none where it is not wide.
    pub fn read(spec: &StackSpec, observed: &ObservedStack) -> Option<Self> {
        let body = observed.body.as_deref().filter(|_| spec.envelope.checks.is_empty())?;
        let (live, wanted) = (Template::parse(body).ok()?, Template::parse(&spec.body).ok()?);
        match grants::joined(&live, &wanted) {
            Joined::Wide(wide) => Self::of(&live, &wanted, &wide),
            Joined::Covered | Joined::Impossible(_) => None,
        }
    }

    /// The same, where both bodies are joined already.
    pub(super) fn of(live: &Template, wanted: &Template, joined: &Template) -> Option<Self> {
        grants::same_grants(joined, live).then(|| Self { allows: beyond(&allowed(live), &allowed(wanted)) })
    }

    /// As `wide now: it still allows s3:::old, which no manifest needs`.
    pub fn sentence(&self) -> String {
        let more = self.allows.len().saturating_sub(MOST);
        let mut names: Vec<String> = self.allows.iter().take(MOST).cloned().collect();
        names.extend((more > 0).then(|| format!("{more} more")));
        match names.is_empty() {
            true => "still wide: it grants more than any manifest needs".to_owned(),
            false => format!("still wide: it allows {}, which no manifest needs", listed(names, "and")),
        }
    }
}

/// Resource and action of everything allowed; a managed policy is a resource without an action.
type GrantedActions = BTreeSet<(String, String)>;

fn beyond(live: &GrantedActions, wanted: &GrantedActions) -> Vec<String> {
    let more: Vec<&(String, String)> = live.difference(wanted).collect();
    let resources: BTreeSet<&String> = more.iter().map(|(resource, _)| resource).collect();
    let told = |resource: &String| {
        if !wanted.iter().any(|(known, _)| known == resource) {
            return resource.clone();
        }
        let actions = more.iter().filter(|(of, _)| of == resource).map(|(_, action)| action.clone());
        format!("{} on {resource}", listed(actions, "and"))
    };
    resources.into_iter().map(told).collect()
}

fn allowed(template: &Template) -> GrantedActions {
    let mut found = GrantedActions::new();
    for (_, resource) in template.resources() {
        let properties = &resource["Properties"];
        let inline = properties["Policies"].as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
        let documents = inline.chain([&properties["PolicyDocument"]]);
        for statement in documents.flat_map(grants::statements).filter(|statement| statement["Effect"] == "Allow") {
            for resource in one_or_more(&statement["Resource"]) {
                let name = name(resource);
                found.extend(one_or_more(&statement["Action"]).map(|action| (name.clone(), self::name(action))));
            }
        }
        let managed = properties["ManagedPolicyArns"].as_array().into_iter().flatten();
        found.extend(managed.map(|arn| (name(arn), String::new())));
    }
    found
}

fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Value::Array(items) => (Some(items), None),
        Value::Null => (None, None),
        one => (None, Some(one)),
    };
    many.into_iter().flatten().chain(one)
}

/// Without the start that is the same for all of a partition.
fn name(value: &Value) -> String {
    let substituted = value.get("Fn::Sub").unwrap_or(value);
    let text = text_of(substituted).unwrap_or_else(|| value.to_string());
    text.strip_prefix("arn:${AWS::Partition}:").map(str::to_owned).unwrap_or(text)
}
