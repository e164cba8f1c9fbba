//! The outline that a body must have before anything is written into it: sections, resources, outputs.
//!
//! What a team's template renders to is the team's word, so whatever does not hold here is a finding, never a panic.

use serde_json::{Map, Value};

/// Sections that must be maps.
const SECTIONS: [&str; 7] = ["Metadata", "Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs"];
/// Sections whose every entry is a map.
const OF_MAPS: [&str; 4] = ["Parameters", "Mappings", "Resources", "Outputs"];

/// What does not hold, and the key it was written under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misshapen {
    pub(super) why: String,
    /// None where something is missing.
    pub(super) key: Option<String>,
    /// Is it a key of the body itself?
    pub(super) top: bool,
}

/// Takes the body out of a rendered tree.
pub(super) fn body(tree: Value) -> Result<Map<String, Value>, Misshapen> {
    let missing = |why: String| Misshapen { why, key: None, top: true };
    let Value::Object(body) = tree else {
        return Err(missing(format!("it is {}, not a map", kind(&tree))));
    };
    for name in SECTIONS {
        match body.get(name) {
            None if name == "Resources" => return Err(missing("it has no `Resources`".to_owned())),
            None => {}
            Some(Value::Object(entries)) if OF_MAPS.contains(&name) => entries_of(name, entries)?,
            Some(Value::Object(_)) => {}
            Some(other) => {
                let why = format!("`{name}` is {}, not a map", kind(other));
                return Err(Misshapen { why, key: Some(name.to_owned()), top: true });
            }
        }
    }
    Ok(body)
}

fn entries_of(section: &str, entries: &Map<String, Value>) -> Result<(), Misshapen> {
    for (id, entry) in entries {
        let why = match entry {
            Value::Object(resource)
                if section == "Resources" && !resource.get("Type").is_some_and(Value::is_string) =>
            {
                format!("the resource `{id}` has no `Type`")
            }
            Value::Object(_) => continue,
            other => format!("`{id}` in `{section}` is {}, not a map", kind(other)),
        };
        return Err(Misshapen { why, key: Some(id.clone()), top: false });
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
