//! What a value refers to: `Ref`, `Fn::GetAtt`, and both inside `Fn::Sub`.

use serde_json::Value;

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourceReference {
    /// A resource, parameter or pseudo parameter.
    pub(crate) name: String,
    /// For `Fn::GetAtt`.
    pub(crate) attribute: Option<String>,
}

/// One piece of the text of `Fn::Sub`.
#[derive(Debug, PartialEq)]
pub(crate) enum SubPiece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// The single function of `{"Fn::X": argument}` or `{"Ref": argument}`.
pub(crate) fn function(value: &Value) -> Option<(&str, &Value)> {
    let (name, argument) = value.as_object().filter(|object| object.len() == 1)?.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// Everything a value refers to, all branches of `Fn::If` included.
pub(crate) fn all(value: &Value) -> Vec<ResourceReference> {
    let mut found = Vec::new();
    collect(value, &|_| None, &mut found);
    found
}

/// What a value refers to when `Fn::If` takes the branches that `decide` says.
pub(crate) fn taken(value: &Value, decide: &dyn Fn(&str) -> Option<bool>) -> Vec<ResourceReference> {
    let mut found = Vec::new();
    collect(value, decide, &mut found);
    found
}

fn collect(value: &Value, decide: &dyn Fn(&str) -> Option<bool>, found: &mut Vec<ResourceReference>) {
    match function(value) {
        Some(("Ref", Value::String(name))) => found.push(ResourceReference { name: name.clone(), attribute: None }),
        Some(("Fn::GetAtt", argument)) => found.extend(get_att(argument)),
        Some(("Fn::Sub", argument)) => collect_sub(argument, decide, found),
        Some(("Fn::If", Value::Array(parts))) if parts.len() == 3 => {
            let choice = parts[0].as_str().and_then(decide);
            if choice != Some(false) {
                collect(&parts[1], decide, found);
            }
            if choice != Some(true) {
                collect(&parts[2], decide, found);
            }
        }
        _ => match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, decide, found)),
            Value::Object(members) => members.values().for_each(|member| collect(member, decide, found)),
            _ => {}
        },
    }
}

fn collect_sub(argument: &Value, decide: &dyn Fn(&str) -> Option<bool>, found: &mut Vec<ResourceReference>) {
    let (text, own) = match argument {
        Value::Array(parts) => (parts.first(), parts.get(1).and_then(Value::as_object)),
        other => (Some(other), None),
    };
    for piece in pieces(text.and_then(Value::as_str).unwrap_or_default()) {
        if let SubPiece::Variable(name) = piece
            && own.is_none_or(|own| !own.contains_key(name))
        {
            found.push(variable(name));
        }
    }
    for value in own.into_iter().flat_map(|own| own.values()) {
        collect(value, decide, found);
    }
}

/// `X` or `X.Attribute` inside `Fn::Sub`.
pub(crate) fn variable(name: &str) -> ResourceReference {
    match name.split_once('.') {
        Some((name, attribute)) => ResourceReference { name: name.to_owned(), attribute: Some(attribute.to_owned()) },
        None => ResourceReference { name: name.to_owned(), attribute: None },
    }
}

/// The argument of `Fn::GetAtt`, in both spellings.
pub(crate) fn get_att(argument: &Value) -> Option<ResourceReference> {
    match argument {
        Value::String(text) => Some(variable(text)).filter(|reference| reference.attribute.is_some()),
        Value::Array(parts) => {
            let name = parts.first()?.as_str()?.to_owned();
            let attribute: Option<Vec<&str>> = parts[1..].iter().map(Value::as_str).collect();
            Some(ResourceReference { name, attribute: Some(attribute?.join(".")) })
        }
        _ => None,
    }
}

/// The text of `Fn::Sub` in pieces; `${!X}` is the text `${X}`.
pub(crate) fn pieces(text: &str) -> Vec<SubPiece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let (inner, end) = (&rest[start + 2..start + length], start + length + 1);
        found.push(SubPiece::Text(&rest[..start]));
        if inner.starts_with('!') {
            found.push(SubPiece::Text("${"));
            found.push(SubPiece::Text(&rest[start + 3..end]));
        } else {
            found.push(SubPiece::Variable(inner.trim()));
        }
        rest = &rest[end..];
    }
    found.push(SubPiece::Text(rest));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_in_every_spelling() {
        let value = json!({
            "A": {"Ref": "One"},
            "B": [{"Fn::GetAtt": "Two.Arn"}, {"Fn::GetAtt": ["Three", "Outputs", "X"]}],
            "C": {"Fn::Sub": "x ${Four} ${!Five} ${Six.Arn}"},
            "D": {"Fn::Sub": ["${Own}${Seven}", {"Own": {"Ref": "Eight"}}]},
            "E": {"Fn::If": ["Yes", {"Ref": "Nine"}, {"Ref": "Ten"}]},
        });
        let names = |found: Vec<ResourceReference>| {
            let name = |reference: ResourceReference| match reference.attribute {
                Some(attribute) => format!("{}.{attribute}", reference.name),
                None => reference.name,
            };
            found.into_iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(all(&value)), "One Two.Arn Three.Outputs.X Four Six.Arn Seven Eight Nine Ten");
        assert!(!names(taken(&value, &|_| Some(true))).contains("Ten"));
    }
}
