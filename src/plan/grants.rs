//! What roles grant: a body that grants what two bodies do.
//!
//! Two bodies are joined statement by statement, each taken as a whole: what either allows is allowed, and only what
//! both deny is denied. A `Sid` grants nothing and has to be unique within its policy (IAM User Guide, "IAM JSON
//! policy elements: Sid", D), so it is left out where another statement has it. Of two permissions boundaries the
//! wanted one holds, because a role has one at most; where only one side has a boundary there is none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::template::{Template, references, type_of};
use crate::{
    render::BODY_LIMIT,
    service::policy_size::{ATTACHED_LIMIT, INLINE_LIMIT, TRUST_LIMIT},
};

const ROLE: &str = "AWS::IAM::Role";
/// Policies that are resources of their own.
const POLICIES: [&str; 3] = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"];

/// What two bodies grant together.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Joined {
    /// The wanted body grants everything that the live one does.
    Covered,
    /// The wanted body, with all that the live one grants beside it.
    Wide(Template),
    /// They cannot be joined, and why.
    Impossible(String),
}

/// The wanted body with what the live one grants beside it.
pub(super) fn joined(live: &Template, wanted: &Template) -> Joined {
    match wide(live, wanted) {
        Ok(wide) if same_grants(&wide, wanted) => Joined::Covered,
        Ok(wide) => match too_large(&wide, live, wanted) {
            Some(why) => Joined::Impossible(why),
            None => Joined::Wide(wide),
        },
        Err(why) => Joined::Impossible(why),
    }
}

/// Are they equal but for the order of statements and policies, and for names of statements?
pub(super) fn same_grants(one: &Template, other: &Template) -> bool {
    normal(one) == normal(other)
}

fn wide(live: &Template, wanted: &Template) -> Result<Template, String> {
    let (mut changed, mut dropped) = (BTreeMap::new(), BTreeSet::new());
    let ids: BTreeSet<&str> = live.resources().chain(wanted.resources()).map(|(id, _)| id).collect();
    for id in ids {
        match (live.resource(id), wanted.resource(id)) {
            (Some(runs), Some(wants)) if type_of(runs) == type_of(wants) => {
                changed.extend(resource(runs, wants)?.map(|joined| (id.to_owned(), joined)));
            }
            (Some(only), None) | (None, Some(only)) if POLICIES.contains(&type_of(only)) => match of_one_side(only) {
                Some(kept) => drop(changed.insert(id.to_owned(), kept)),
                None => drop(dropped.insert(id.to_owned())),
            },
            _ => {}
        }
    }
    referred(live, wanted, &mut changed)?;
    Ok(wanted.without(&dropped).with(changed))
}

/// A role or policy that both bodies have; none for everything else.
fn resource(live: &Value, wanted: &Value) -> Result<Option<Value>, String> {
    let (runs, wants) = (&live["Properties"], &wanted["Properties"]);
    let mut properties = wants.clone();
    let mut put = |name: &str, value: Option<Value>| match (value, properties.as_object_mut()) {
        (Some(value), _) => properties[name] = value,
        (None, Some(properties)) => drop(properties.remove(name)),
        (None, None) => {}
    };
    match type_of(wanted) {
        ROLE => {
            put("AssumeRolePolicyDocument", document(&runs[TRUST], &wants[TRUST])?);
            put("Policies", inline(&runs["Policies"], &wants["Policies"])?);
            put("ManagedPolicyArns", list(&runs["ManagedPolicyArns"], &wants["ManagedPolicyArns"])?);
            match (is_given(&runs[BOUNDARY]), is_given(&wants[BOUNDARY])) {
                (true, true) if runs[BOUNDARY] != wants[BOUNDARY] => {
                    return Err("their permissions boundaries differ".to_owned());
                }
                (true, _) => {}
                (false, _) => put(BOUNDARY, None),
            }
        }
        kind if POLICIES.contains(&kind) => {
            put("PolicyDocument", document(&runs["PolicyDocument"], &wants["PolicyDocument"])?);
            put("Roles", list(&runs["Roles"], &wants["Roles"])?);
        }
        _ => return Ok(None),
    }
    let mut joined = wanted.clone();
    joined["Properties"] = properties;
    Ok(Some(joined))
}

const TRUST: &str = "AssumeRolePolicyDocument";
const BOUNDARY: &str = "PermissionsBoundary";

/// A policy that stands on one side only: what it allows. None where it only denies.
fn of_one_side(policy: &Value) -> Option<Value> {
    let mut kept = policy.clone();
    kept["Properties"]["PolicyDocument"] = allowing(&policy["Properties"]["PolicyDocument"])?;
    Some(kept)
}

fn allowing(document: &Value) -> Option<Value> {
    let all = statements(document);
    let kept: Vec<Value> = all.iter().filter(|statement| !denies(statement)).map(|s| (*s).clone()).collect();
    match kept.len() == all.len() {
        true => Some(document.clone()),
        false if kept.is_empty() => None,
        false => Some(with_statements(document, kept)),
    }
}

fn inline(live: &Value, wanted: &Value) -> Result<Option<Value>, String> {
    let (live, wanted) = (by_name(live)?, by_name(wanted)?);
    let mut joined: Vec<Value> = Vec::new();
    for (name, wants) in &wanted {
        let document = match live.iter().find(|(other, _)| other == name) {
            Some((_, runs)) => document(runs, wants)?,
            None => allowing(wants),
        };
        joined.extend(document.map(|document| json!({ "PolicyName": name, "PolicyDocument": document })));
    }
    for (name, runs) in live.iter().filter(|(name, _)| !wanted.iter().any(|(other, _)| other == name)) {
        let kept = allowing(runs);
        joined.extend(kept.map(|document| json!({ "PolicyName": name, "PolicyDocument": document })));
    }
    Ok((!joined.is_empty()).then(|| joined.into()))
}

/// Inline policies as names and documents, in their order.
fn by_name(policies: &Value) -> Result<Vec<(Value, Value)>, String> {
    let items = items(policies)?;
    Ok(items.iter().map(|policy| (policy["PolicyName"].clone(), policy["PolicyDocument"].clone())).collect())
}

/// Both documents in one; none where nothing is left.
fn document(live: &Value, wanted: &Value) -> Result<Option<Value>, String> {
    if live["Version"] != wanted["Version"] && is_given(live) && is_given(wanted) && live != wanted {
        return Err("their policies are of different versions".to_owned());
    }
    let (runs, wants) = (statements(live), statements(wanted));
    let has = |all: &[&Value], one: &Value| all.iter().any(|other| unnamed(other) == unnamed(one));
    let kept = wants.iter().filter(|statement| !denies(statement) || has(&runs, statement));
    let mut joined: Vec<Value> = kept.map(|statement| (*statement).clone()).collect();
    for more in runs.iter().filter(|statement| !denies(statement) && !has(&wants, statement)) {
        let taken = joined.iter().any(|known| !known["Sid"].is_null() && known["Sid"] == more["Sid"]);
        joined.push(if taken { unnamed(more) } else { (*more).clone() });
    }
    let whole = joined.len() == wants.len() && joined.iter().eq(wants.iter().copied());
    let base = if is_given(wanted) { wanted } else { live };
    match joined.is_empty() && !wants.is_empty() {
        true => Ok(None),
        false if whole => Ok(is_given(wanted).then(|| wanted.clone())),
        false => Ok(Some(with_statements(base, joined))),
    }
}

/// Every item of either, the wanted ones first.
fn list(live: &Value, wanted: &Value) -> Result<Option<Value>, String> {
    let (live, mut joined) = (items(live)?, items(wanted)?);
    let more: Vec<Value> = live.into_iter().filter(|item| !joined.contains(item)).collect();
    joined.extend(more);
    Ok((!joined.is_empty()).then(|| joined.into()))
}

fn items(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        value if !is_given(value) => Ok(Vec::new()),
        _ => Err("a function assembles a list in it".to_owned()),
    }
}

fn is_given(value: &Value) -> bool {
    !value.is_null() && value["Ref"] != "AWS::NoValue"
}

pub(super) fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut document = document.clone();
    document["Statement"] = statements.into();
    document
}

fn denies(statement: &Value) -> bool {
    statement["Effect"] == "Deny"
}

fn unnamed(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Some(members) = statement.as_object_mut() {
        members.remove("Sid");
    }
    statement
}

/// What the joined resources refer to and the wanted body does not have any more stays with them.
fn referred(live: &Template, wanted: &Template, changed: &mut BTreeMap<String, Value>) -> Result<(), String> {
    let mut open: Vec<Value> = changed.values().cloned().collect();
    while let Some(resource) = open.pop() {
        let order = items(&resource["DependsOn"]).unwrap_or_else(|_| vec![resource["DependsOn"].clone()]);
        let before = order.iter().filter_map(Value::as_str).map(str::to_owned);
        let needed: Vec<String> =
            references(&resource).iter().map(|found| found.target.to_owned()).chain(before).collect();
        for id in needed {
            let known = wanted.resource(&id).is_some() || changed.contains_key(&id) || id.starts_with("AWS::");
            if known || wanted.section("Parameters").any(|(parameter, _)| parameter == id) {
                continue;
            }
            let Some(kept) = live.resource(&id) else {
                return Err(format!("what runs refers to `{id}`, which is no longer wanted"));
            };
            changed.insert(id, kept.clone());
            open.push(kept.clone());
        }
        let condition = resource["Condition"].as_str();
        if condition.is_some_and(|name| !wanted.section("Conditions").any(|(known, _)| known == name)) {
            return Err("what runs has a condition that is no longer wanted".to_owned());
        }
    }
    Ok(())
}

/// Why the joined body is more than IAM or CloudFormation takes; a quota that one side passes by itself was raised.
fn too_large(wide: &Template, live: &Template, wanted: &Template) -> Option<String> {
    let body = wide.text().len();
    if body > BODY_LIMIT {
        return Some(format!("together they are a template of {body} bytes, and CloudFormation takes {BODY_LIMIT}"));
    }
    type Measure = fn(&Template) -> usize;
    let limits: [(Measure, usize, &str); 3] = [
        (inline_size, INLINE_LIMIT, "characters of inline policies"),
        (trust_size, TRUST_LIMIT, "characters of a trust policy"),
        (managed_count, ATTACHED_LIMIT, "managed policies"),
    ];
    limits.into_iter().find_map(|(measure, limit, what)| {
        let limit = limit.max(measure(live)).max(measure(wanted));
        let size = measure(wide);
        (size > limit).then(|| format!("together they are {size} {what}, and IAM takes {limit}"))
    })
}

/// An estimate where functions stand for text: they count as they are written.
fn inline_size(template: &Template) -> usize {
    let own = template.of_type(ROLE).flat_map(|(_, role)| role["Policies"].as_array().into_iter().flatten());
    let others = ["AWS::IAM::Policy", "AWS::IAM::RolePolicy"].into_iter().flat_map(|kind| template.of_type(kind));
    let others = others.map(|(_, policy)| characters(&policy["PolicyDocument"]));
    own.map(|policy| characters(&policy["PolicyDocument"])).chain(others).sum()
}

fn trust_size(template: &Template) -> usize {
    template.of_type(ROLE).map(|(_, role)| characters(&role[TRUST])).max().unwrap_or(0)
}

fn managed_count(template: &Template) -> usize {
    let counts = template.of_type(ROLE).map(|(_, role)| role["ManagedPolicyArns"].as_array().map_or(0, Vec::len));
    counts.max().unwrap_or(0)
}

/// Without white space, which IAM does not count; `Fn::Sub` counts as its text.
fn characters(document: &Value) -> usize {
    let written = plain(document).to_string();
    written.chars().filter(|c| !c.is_whitespace()).count()
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("Fn::Sub") {
            Some(Value::String(text)) => {
                let known = [("${AWS::Partition}", "aws"), ("${AWS::AccountId}", "000000000000")];
                known.into_iter().fold(text.clone(), |text, (name, value)| text.replace(name, value)).into()
            }
            _ => members.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>().into(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// The body with everything sorted whose order means nothing.
fn normal(template: &Template) -> Value {
    let mut tree = template.unstamped();
    let resources = tree.get_mut("Resources").and_then(Value::as_object_mut);
    for resource in resources.into_iter().flat_map(Map::values_mut) {
        let kind = type_of(resource).to_owned();
        if kind != ROLE && !POLICIES.contains(&kind.as_str()) {
            continue;
        }
        let Some(properties) = resource.get_mut("Properties") else { continue };
        for name in [TRUST, "PolicyDocument"] {
            properties.get_mut(name).into_iter().for_each(sort_statements);
        }
        for policy in properties.get_mut("Policies").and_then(Value::as_array_mut).into_iter().flatten() {
            policy.get_mut("PolicyDocument").into_iter().for_each(sort_statements);
        }
        for name in ["Policies", "ManagedPolicyArns", "Roles"] {
            properties.get_mut(name).and_then(Value::as_array_mut).into_iter().for_each(|items| sort(items));
        }
    }
    tree
}

fn sort_statements(document: &mut Value) {
    let mut sorted: Vec<Value> = statements(document).into_iter().map(unnamed).collect();
    sort(&mut sorted);
    if document.is_object() {
        document["Statement"] = sorted.into();
    }
}

fn sort(items: &mut [Value]) {
    items.sort_by_key(Value::to_string);
}
