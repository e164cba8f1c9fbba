//! `overrides`, `resources` and `outputs` are worked into a body.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    cloud::{OUTPUT_DIGEST, OUTPUT_OWNER, OUTPUT_VERSION},
    diagnostic::{Code, Diagnostic, Diagnostics, Path, Span, did_you_mean},
    resolve::{DesiredStack, view::Verbatim},
};

/// Applies the escape hatch; answers the paths that `overrides` set.
pub(super) fn apply(body: &mut Map<String, Value>, stack: &DesiredStack) -> Result<BTreeSet<Path>, Diagnostics> {
    let (mut found, mut set) = (Diagnostics::new(), BTreeSet::new());
    let resources = section(body, "Resources");
    for (id, Verbatim(resource)) in &stack.hatch.resources {
        add(resources, "resources", id, resource, stack, &mut found);
    }
    for (id, Verbatim(patch)) in &stack.hatch.overrides {
        match resources.get_mut(id) {
            Some(resource) => {
                let before = resource.clone();
                change(resource, id, patch, stack, &mut set, &mut found);
                refuse_ours(&before, resource, id, stack, &mut found);
            }
            None => found.push(unknown(id, resources, span(stack, "overrides", id))),
        }
    }
    let outputs = section(body, "Outputs");
    for (name, Verbatim(output)) in &stack.hatch.outputs {
        if [OUTPUT_DIGEST, OUTPUT_OWNER, OUTPUT_VERSION].contains(&name.as_str()) {
            let finding = Diagnostic::new(Code::LogicalIdTaken, format!("the output `{name}` is hubform's own"));
            found.push(finding.at(span(stack, "outputs", name)).help("choose another name"));
            continue;
        }
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
    section: &'static str,
    id: &str,
    value: &Value,
    stack: &DesiredStack,
    found: &mut Diagnostics,
) {
    if into.contains_key(id) {
        let message = format!("the template already has `{id}`");
        let help = "choose another name; to change what is there, use `overrides`";
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
    set: &mut BTreeSet<Path>,
    found: &mut Diagnostics,
) {
    let Value::Array(_) = patch else {
        json_patch::merge(resource, patch);
        leaves(patch, Path::default().at(id), set);
        return;
    };
    let applied = serde_json::from_value::<json_patch::Patch>(patch.clone())
        .map_err(|error| error.to_string())
        .and_then(|patch| {
            set.extend(
                patch.0.iter().map(|operation| Path::default().at(id).join(Path::read(operation.path().as_str()))),
            );
            json_patch::patch(resource, &patch).map_err(|error| error.to_string())
        });
    if let Err(why) = applied {
        let message = format!("the patch of `{id}` does not apply: {why}");
        found.push(Diagnostic::new(Code::PatchFailed, message).at(span(stack, "overrides", id)));
    }
}

/// Refuses changes to what scaling, alarms and the checks after a deployment find things by.
fn refuse_ours(before: &Value, after: &Value, id: &str, stack: &DesiredStack, found: &mut Diagnostics) {
    let endpoint = |resource: &Value| resource.pointer("/Properties/EndpointName").cloned();
    let names = |resource: &Value| -> Vec<Value> {
        let variants = resource.pointer("/Properties/ProductionVariants").and_then(Value::as_array);
        variants.into_iter().flatten().map(|variant| variant["VariantName"].clone()).collect()
    };
    let (message, help) = if !after.is_object() || after["Type"].is_null() {
        (
            format!("the override of `{id}` leaves no resource with a `Type`"),
            "an override may change parts of a resource, not remove it",
        )
    } else if before["Type"] != after["Type"] {
        (format!("the override of `{id}` sets its `Type`"), "add your own resource in `resources`")
    } else if before["Type"] == "AWS::SageMaker::Endpoint" && endpoint(before) != endpoint(after) {
        (format!("the override of `{id}` sets the endpoint's name"), "use `spec.name`")
    } else if before["Type"] == "AWS::SageMaker::EndpointConfig" && !names(after).starts_with(&names(before)) {
        let help = "scaling, alarms and checks depend on this name; keep it";
        (format!("the override of `{id}` changes a variant's name"), help)
    } else {
        return;
    };
    found.push(Diagnostic::new(Code::OverrideRefused, message).at(span(stack, "overrides", id)).help(help));
}

fn leaves(patch: &Value, path: Path, set: &mut BTreeSet<Path>) {
    match patch {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, path.at(key), set)),
        _ => drop(set.insert(path)),
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

fn span(stack: &DesiredStack, section: &'static str, id: &str) -> Span {
    stack.hatch.spans.get(&place(section, id)).copied().unwrap_or(stack.span)
}

/// As `overrides/ID`.
pub(super) fn place(section: &'static str, id: &str) -> Path {
    Path::from(section).at(id)
}
