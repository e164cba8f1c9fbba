//! `overrides`, `resources` and `outputs` are worked into a body.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean},
    resolve::DesiredStack,
};

/// Applies the escape hatch; answers the paths that `overrides` set.
pub(super) fn apply(body: &mut Map<String, Value>, stack: &DesiredStack) -> Result<BTreeSet<String>, Diagnostics> {
    let (mut found, mut set) = (Diagnostics::new(), BTreeSet::new());
    let resources = section(body, "Resources");
    for (id, resource) in &stack.hatch.resources {
        add(resources, "resources", id, resource, stack, &mut found);
    }
    for (id, patch) in &stack.hatch.overrides {
        match resources.get_mut(id) {
            Some(resource) => change(resource, id, patch, stack, &mut set, &mut found),
            None => found.push(unknown(id, resources, span(stack, "overrides", id))),
        }
    }
    let outputs = section(body, "Outputs");
    for (name, output) in &stack.hatch.outputs {
        add(outputs, "outputs", name, output, stack, &mut found);
    }
    if found.is_empty() { Ok(set) } else { Err(found) }
}

fn section<'a>(body: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let section = body.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !section.is_object() {
        *section = Value::Object(Map::new());
    }
    section.as_object_mut().expect("it was made an object above")
}

fn add(
    into: &mut Map<String, Value>,
    section: &str,
    id: &str,
    value: &Value,
    stack: &DesiredStack,
    found: &mut Diagnostics,
) {
    if into.contains_key(id) {
        let message = format!("the template has a `{id}` already");
        let help = "choose another name; `overrides` changes what is there";
        found.push(Diagnostic::new(Code::LogicalIdTaken, message).at(span(stack, section, id)).help(help));
        return;
    }
    into.insert(id.to_owned(), value.clone());
}

fn change(
    resource: &mut Value,
    id: &str,
    patch: &Value,
    stack: &DesiredStack,
    set: &mut BTreeSet<String>,
    found: &mut Diagnostics,
) {
    let Value::Array(_) = patch else {
        json_patch::merge(resource, patch);
        leaves(patch, id, set);
        return;
    };
    let applied = serde_json::from_value::<json_patch::Patch>(patch.clone())
        .map_err(|error| error.to_string())
        .and_then(|patch| {
            set.extend(patch.0.iter().map(|operation| format!("{id}{}", operation.path())));
            json_patch::patch(resource, &patch).map_err(|error| error.to_string())
        });
    if let Err(why) = applied {
        let message = format!("the patch of `{id}` does not apply: {why}");
        found.push(Diagnostic::new(Code::PatchFailed, message).at(span(stack, "overrides", id)));
    }
}

fn leaves(patch: &Value, path: &str, set: &mut BTreeSet<String>) {
    match patch {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), set)),
        _ => {
            set.insert(path.to_owned());
        }
    }
}

fn unknown(id: &str, resources: &Map<String, Value>, span: Span) -> Diagnostic {
    let ids: Vec<_> = resources.keys().map(String::as_str).collect();
    let help = match did_you_mean(id, ids.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? There are {}", ids.join(", ")),
        None => format!("there are {}", ids.join(", ")),
    };
    Diagnostic::new(Code::UnknownLogicalId, format!("the template has no resource `{id}`")).at(span).help(help)
}

fn span(stack: &DesiredStack, section: &str, id: &str) -> Span {
    stack.hatch.spans.get(&format!("{section}/{id}")).copied().unwrap_or(stack.span)
}
