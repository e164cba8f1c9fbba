//! What will happen, for somebody who has never seen a plan: each stack, what changes in it and why, what is
//! replaced, what hubform chose, and one line that sums it up.

mod human;
mod markdown;
mod words;

use serde_json::{Value, json};

use super::{Context, FORMAT};
use crate::{
    diagnostic::{
        Path,
        secret::{HIDDEN, is_secret_name, mask},
    },
    plan::{Action, Plan},
};

pub use human::{human, not_asked};
pub use markdown::markdown;

/// For programs: the plan as a value, with counts.
///
/// # Errors
///
/// None that a plan of this program can cause.
pub fn json(plan: &Plan, context: &Context<'_>) -> serde_json::Result<Value> {
    let Counts { create, update, recreate, delete, keep, replace } = Counts::of(plan);
    let summary = json!({"create": create, "update": update, "recreate": recreate, "delete": delete,
                         "unchanged": keep, "replacing": replace});
    Ok(json!({"format": FORMAT, "type": "plan", "imagined": context.label, "summary": summary,
              "endpointsAsked": false, "plan": without_secrets(serde_json::to_value(plan)?)}))
}

/// Secrets masked in every text, bodies included; values behind names that say secret are hidden.
pub(in crate::report) fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => match text.starts_with('{').then(|| serde_json::from_str::<Value>(&text)) {
            Some(Ok(body)) => Value::String(without_secrets(body).to_string()),
            _ => Value::String(mask(&text).into_owned()),
        },
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        Value::Object(members) => {
            let hides =
                members.get("path").and_then(Value::as_str).is_some_and(|path| is_secret_path(&Path::read(path)));
            let hidden = |key: &str, value: &Value| {
                let by_path = hides && matches!(key, "before" | "after");
                (by_path || is_secret_name(key)) && value.is_string()
            };
            let shown = |(key, value): (String, Value)| {
                let value = if hidden(&key, &value) { Value::from(HIDDEN) } else { without_secrets(value) };
                (key, value)
            };
            Value::Object(members.into_iter().map(shown).collect())
        }
        other => other,
    }
}

/// Does a path such as `PrimaryContainer/Environment/DB_PASSWORD` lead to a secret, by its name?
fn is_secret_path(path: &Path) -> bool {
    path.name().is_some_and(is_secret_name)
}

/// How many stacks have which action, and how many updates replace a resource for sure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    create: usize,
    update: usize,
    recreate: usize,
    delete: usize,
    keep: usize,
    replace: usize,
}

impl Counts {
    fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for step in &plan.steps {
            let count = match step.action {
                Action::Keep => &mut counts.keep,
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::Recreate => &mut counts.recreate,
                Action::Delete => &mut counts.delete,
            };
            *count += 1;
            counts.replace += usize::from(step.action == Action::Update && words::replaces(step));
        }
        counts
    }

    /// As `3 to create, 1 to update (1 replaces a resource), 0 to delete, 2 unchanged`.
    fn sentence(&self) -> String {
        let replaces = match self.replace {
            0 => String::new(),
            1 => " (1 replaces resources)".to_owned(),
            n => format!(" ({n} replace resources)"),
        };
        let recreate = if self.recreate > 0 { format!("{} to recreate, ", self.recreate) } else { String::new() };
        let (create, update, delete, keep) = (self.create, self.update, self.delete, self.keep);
        format!("{create} to create, {update} to update{replaces}, {recreate}{delete} to delete, {keep} unchanged")
    }
}

#[cfg(test)]
mod tests;
