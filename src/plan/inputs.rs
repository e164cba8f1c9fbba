//! Parameter values: what a stack runs with, what it shall run with, and what only another stack will tell.

use std::collections::BTreeMap;

use super::{observe::digest_holds, template::Template};
use crate::{
    cloud::{Stack, StackRef, is_masked},
    render::{ParameterValue, StackSpec},
};

/// A parameter whose value changes, or may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct InputChange {
    /// The value that runs; none where it is not known or not to be shown.
    pub(super) before: Option<String>,
    /// The value wanted; none where it is known only later or not to be shown.
    pub(super) after: Option<String>,
    /// The output it comes from, as `prod-role-llm.RoleArn`, where another stack feeds it.
    pub(super) because: Option<String>,
    /// That output, where its value is known only when the other stack has run.
    pub(super) later: Option<String>,
}

/// What outputs of other stacks are going to be, where that is known.
pub(super) trait Outlook {
    /// The value an output has when the plan has been carried out.
    fn value(&self, stack: &StackRef, key: &str) -> Option<&str>;
}

/// Does the stack run with the parameter values it shall have? Asked only where the digest holds.
pub(super) fn values_hold(spec: &StackSpec, observed: &Stack, outlook: &impl Outlook) -> bool {
    spec.parameters.iter().all(|(name, value)| {
        let runs = observed.parameters.get(name).map(String::as_str);
        match value {
            ParameterValue::Literal(text) => runs == Some(text) || runs.is_some_and(is_masked),
            ParameterValue::Output { stack, key } => runs.is_some() && runs == outlook.value(stack, key),
        }
    })
}

/// The parameters of the wanted body whose value changes, or may.
pub(super) fn changed(
    spec: &StackSpec,
    observed: &Stack,
    wanted: &Template,
    outlook: &impl Outlook,
) -> BTreeMap<String, InputChange> {
    let masked_holds = digest_holds(spec, observed);
    let change = |(name, _): (&str, _)| {
        let runs = observed.parameters.get(name);
        let mut change = next(spec, wanted, name, outlook);
        let same = change.later.is_none() && change.after.as_ref() == runs;
        let masked = runs.is_some_and(|value| is_masked(value));
        if same || (masked && masked_holds && change.later.is_none()) {
            return None;
        }
        change.before = runs.filter(|_| !masked).cloned();
        if wanted.hides(name) {
            (change.before, change.after) = (None, None);
        }
        Some((name.to_owned(), change))
    };
    wanted.section("Parameters").filter_map(change).collect()
}

fn next(spec: &StackSpec, wanted: &Template, name: &str, outlook: &impl Outlook) -> InputChange {
    match spec.parameters.get(name) {
        None => InputChange { after: wanted.default_of(name), ..InputChange::default() },
        Some(ParameterValue::Literal(text)) => InputChange { after: Some(text.clone()), ..InputChange::default() },
        Some(ParameterValue::Output { stack, key }) => {
            let after = outlook.value(stack, key).map(str::to_owned);
            let from = Some(format!("{}.{key}", stack.name));
            InputChange { later: from.clone().filter(|_| after.is_none()), because: from, after, before: None }
        }
    }
}
