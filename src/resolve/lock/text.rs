//! The file's text: one line for each choice and each model, so that a change is a line in a diff.

use serde::Serialize;
use serde_json::Value;

use super::{Lock, LockedEnvironment};
use crate::manifest::emit;

const HEAD: &str = "# Whose these environments are, and the choices that hubform made and keeps. Commit this file.\n\
    # A choice is made again only when what it was made from changes, or by `hubform lock --upgrade [NAME]`.\n";

/// The first line that git wrote where it could not merge, counted from one.
pub(super) fn conflict(text: &str) -> Option<usize> {
    let is_marker = |line: &str| ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|marker| line.starts_with(marker));
    text.lines().position(|line| is_marker(line) || line == "=======").map(|at| at + 1)
}

pub(super) fn write(lock: &Lock) -> String {
    let mut out = format!("{HEAD}format: {}\n", lock.format);
    out.push_str(if lock.environments.is_empty() { "environments: {}\n" } else { "environments:\n" });
    for (name, environment) in &lock.environments {
        out.push_str(&format!("  {}:{}\n", scalar(name), if is_empty(environment) { " {}" } else { "" }));
        write_environment(&mut out, environment);
    }
    out.push_str(if lock.models.is_empty() { "models: {}\n" } else { "models:\n" });
    for (id, model) in &lock.models {
        out.push_str(&format!("  {}: {}\n", scalar(id), flow_of(model)));
    }
    out
}

fn is_empty(environment: &LockedEnvironment) -> bool {
    environment.owner.is_none() && environment.choices.is_empty()
}

fn write_environment(out: &mut String, environment: &LockedEnvironment) {
    if let Some(owner) = &environment.owner {
        out.push_str(&format!("    owner: {}\n", scalar(owner)));
    }
    if !environment.choices.is_empty() {
        out.push_str("    choices:\n");
    }
    for (manifest, servings) in &environment.choices {
        out.push_str(&format!("      {}:\n", scalar(manifest)));
        for (serving, choices) in servings {
            out.push_str(&format!("        {}:\n", scalar(serving)));
            for (what, pinned) in choices {
                out.push_str(&format!("          {}: {}\n", scalar(what), flow_of(pinned)));
            }
        }
    }
}

fn flow_of(value: &impl Serialize) -> String {
    flow(&serde_json::to_value(value).unwrap_or_default(), &["value", "from", "commit", "task"])
}

/// A value on one line; of a map, these keys first.
fn flow(value: &Value, first: &[&str]) -> String {
    match value {
        Value::Object(map) => {
            let rank = |key: &str| first.iter().position(|known| *known == key).unwrap_or(first.len());
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
            let member = |(key, value): (&String, &Value)| format!("{}: {}", scalar(key), flow(value, &[]));
            format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// Text as it may stand between braces; between quotes where YAML would read something else.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/@:+-".contains(c);
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let by_rule = emit::scalar(text);
    match by_rule != text || begins_well && text.chars().all(is_plain) && !text.ends_with(':') {
        true => by_rule,
        false => Value::from(text).to_string(),
    }
}
