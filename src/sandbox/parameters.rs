//! A template's parameters: their values and checks.
//!
//! Not checked: `AllowedPattern`. Values from the SSM store are imagined: they follow from the parameter's name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ids, template::list, value::Evaluated};

/// Bytes of a parameter's value. (D)
const VALUE_BYTES: usize = 4096;

/// Every parameter's value, checked.
pub(crate) fn values(
    declared: &Map<String, Value>,
    given: &BTreeMap<String, String>,
) -> Evaluated<BTreeMap<String, Value>> {
    let unknown: Vec<&str> = given.keys().map(String::as_str).filter(|name| !declared.contains_key(*name)).collect();
    if !unknown.is_empty() {
        return Err(format!("Parameters: [{}] do not exist in the template", list(unknown)));
    }
    let missing = declared.iter().filter(|(name, parameter)| chosen(parameter, given.get(*name)).is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        return Err(format!("Parameters: [{}] must have values", list(missing)));
    }
    let value = |(name, parameter): (&String, &Value)| {
        let text = chosen(parameter, given.get(name)).unwrap_or_default();
        check(name, parameter, &text)?;
        Ok((name.clone(), typed(parameter["Type"].as_str().unwrap_or_default(), &text)))
    };
    declared.iter().map(value).collect()
}

/// The value of one that is declared and has a value.
pub(crate) fn value(declared: &Map<String, Value>, given: &BTreeMap<String, String>, name: &str) -> Option<String> {
    chosen(declared.get(name)?, given.get(name))
}

/// As they are shown: `NoEcho` ones as asterisks.
pub(crate) fn shown(declared: &Map<String, Value>, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let hidden = |parameter: &Value| matches!(&parameter["NoEcho"], Value::Bool(true)) || parameter["NoEcho"] == "true";
    let show = |(name, parameter): (&String, &Value)| {
        let text = chosen(parameter, given.get(name))?;
        Some((name.clone(), if hidden(parameter) { "****".to_owned() } else { text }))
    };
    declared.iter().filter_map(show).collect()
}

fn chosen(parameter: &Value, given: Option<&String>) -> Option<String> {
    given.cloned().or_else(|| scalar(&parameter["Default"]))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn check(name: &str, parameter: &Value, text: &str) -> Evaluated<()> {
    if text.len() > VALUE_BYTES {
        return Err(format!("Parameter {name} failed to satisfy constraint: it is longer than {VALUE_BYTES} bytes"));
    }
    let allowed = parameter["AllowedValues"].as_array();
    if allowed.is_some_and(|allowed| !allowed.iter().filter_map(scalar).any(|value| value == text)) {
        return Err(format!("Parameter '{name}' must be one of AllowedValues"));
    }
    let bound = |key: &str| scalar(&parameter[key]).and_then(|bound| bound.parse::<f64>().ok());
    let length = text.chars().count() as f64;
    if bound("MinLength").is_some_and(|least| length < least) || bound("MaxLength").is_some_and(|most| length > most) {
        return Err(format!("Parameter '{name}' has a length that is out of its bounds"));
    }
    if parameter["Type"] != "Number" {
        return Ok(());
    }
    let number: f64 = text.parse().map_err(|_| format!("Parameter '{name}' must be a number."))?;
    match bound("MinValue").is_some_and(|least| number < least) || bound("MaxValue").is_some_and(|most| number > most) {
        true => Err(format!("Parameter '{name}' must be a number within its bounds")),
        false => Ok(()),
    }
}

fn typed(kind: &str, text: &str) -> Value {
    if let Some(inner) = kind.strip_prefix("AWS::SSM::Parameter::Value<").and_then(|rest| rest.strip_suffix('>')) {
        return typed(inner, &stored(inner, text));
    }
    match kind == "CommaDelimitedList" || kind.starts_with("List<") {
        true => text.split(',').map(|item| Value::String(item.trim().to_owned())).collect(),
        false => Value::String(text.to_owned()),
    }
}

/// The imagined value of an SSM parameter.
fn stored(kind: &str, name: &str) -> String {
    let id = |prefix: &str| format!("{prefix}-{}", ids::hex(0, &["ssm", name], 17));
    match kind {
        _ if kind.contains("Image::Id") => id("ami"),
        _ if kind.contains("Subnet::Id") => id("subnet"),
        _ if kind.contains("SecurityGroup::Id") => id("sg"),
        _ if kind.contains("VPC::Id") => id("vpc"),
        _ => format!("imagined value of {name}"),
    }
}
