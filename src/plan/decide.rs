//! The last question before an operation: does what the plan was made upon still hold?
//!
//! A pure function of the step, what is observed now, and the values that other stacks have put out since.

use std::collections::BTreeMap;

use super::{Observed, Operation, Step, Submission, observe::same_tags};
use crate::{
    cloud::{OUTPUT_DIGEST, Stack, StackRef},
    render::ParameterValue,
};

/// What to do about an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Carry it out; what is sent, where a body is, has its parameters filled in as literals.
    Run(Option<Box<Submission>>),
    /// There is nothing to do, and why.
    Skip(String),
    /// The plan does not hold any more, and why.
    Stop(String),
}

/// Judges operation `index` of a step; the index after the last one means [`Step::restore`].
///
/// `now` is the stack as it was just described, and `values` the outputs of every stack the step needs: those that
/// landed since, and those that the plan keeps.
pub fn decide(
    step: &Step,
    index: usize,
    now: Option<&Stack>,
    values: &BTreeMap<(StackRef, String), String>,
) -> Decision {
    let now = now.filter(|stack| !stack.status.is_deleted());
    let Some(operation) = step.operations.get(index).or(step.restore.as_ref()) else {
        return Decision::Stop("the plan has no such operation".to_owned());
    };
    if matches!(operation, Operation::Delete { .. }) && now.is_none() {
        return Decision::Skip("it is already gone".to_owned());
    }
    if let Some(stale) = stale(&expected(step, index), now) {
        return Decision::Stop(stale);
    }
    let Some(submission) = operation.submission() else { return Decision::Run(None) };
    match fill(submission, values) {
        Err(missing) => Decision::Stop(missing),
        Ok(filled) if step.predicate && now.is_some_and(|now| is_already(&filled, now)) => {
            Decision::Skip("the values it takes are those it runs with".to_owned())
        }
        Ok(filled) => Decision::Run(Some(Box::new(filled))),
    }
}

enum Expected<'a> {
    Nothing,
    AsObserved(&'a Observed),
    Landed { id: Option<&'a str>, digest: &'a str },
    Between { id: Option<&'a str>, step: &'a Step },
    Standing { id: Option<&'a str> },
}

fn expected(step: &Step, index: usize) -> Expected<'_> {
    let id = step.observed.as_ref().map(|observed| observed.id.as_str());
    if index >= step.operations.len() {
        return match step.restore {
            Some(Operation::Protect { .. }) => Expected::Standing { id },
            _ => Expected::Between { id, step },
        };
    }
    let start = step.observed.as_ref().map_or(Expected::Nothing, Expected::AsObserved);
    step.operations[..index].iter().fold(start, |before, operation| match operation {
        Operation::Protect { .. } => before,
        Operation::Delete { .. } => Expected::Nothing,
        Operation::Create { submission, .. } => Expected::Landed { id: None, digest: &submission.digest },
        Operation::Update { submission, .. } => Expected::Landed { id, digest: &submission.digest },
    })
}

fn stale(expected: &Expected<'_>, now: Option<&Stack>) -> Option<String> {
    let same = |id: Option<&str>, now: &Stack| id.is_none_or(|id| id == now.id);
    match (expected, now) {
        (Expected::Nothing, None) => None,
        (Expected::Nothing, Some(now)) => {
            Some(format!("a stack of this name has been created since, in {}", now.status))
        }
        (_, None) => Some("the stack has been deleted since the plan was made".to_owned()),
        (Expected::AsObserved(then), Some(now)) => moved(then, now),
        (Expected::Landed { id, digest }, Some(now)) => {
            let landed = now.status.landed() && now.outputs.get(OUTPUT_DIGEST).is_some_and(|d| d == digest);
            let text = "what the previous operation made is not what runs now";
            (!same(*id, now) || !landed).then(|| format!("{text}; the stack is in {}", now.status))
        }
        (Expected::Between { id, step }, Some(now)) if same(*id, now) && now.status.is_updatable() => {
            let ours = now.outputs.get(OUTPUT_DIGEST).is_some_and(|digest| step.between.contains_key(digest));
            (!ours).then(|| "somebody else has changed the stack since, which is not undone".to_owned())
        }
        (Expected::Between { .. }, Some(now)) => {
            Some(format!("the stack is in {}, where nothing can be put back", now.status))
        }
        // Not while it is being deleted, says the CloudFormation user guide ("Protect CloudFormation stacks from being
        // deleted", D); in every other status.
        (Expected::Standing { id }, Some(now)) => (!same(*id, now) || now.status.is_running())
            .then(|| format!("the stack is in {}, where its protection cannot be changed", now.status)),
    }
}

fn moved(then: &Observed, now: &Stack) -> Option<String> {
    if then.id != now.id {
        return Some("the stack was deleted and created again since the plan was made".to_owned());
    }
    if then.status != now.status {
        return Some(format!("the stack was in {} when the plan was made and is in {} now", then.status, now.status));
    }
    let changed_at = now.changed_at();
    (then.changed_at != changed_at).then(|| format!("somebody updated the stack at {changed_at}, after the plan"))
}

/// The submission with the values it takes from other stacks filled in.
///
/// # Errors
///
/// A sentence that says which stack has not put out what.
pub fn fill(submission: &Submission, values: &BTreeMap<(StackRef, String), String>) -> Result<Submission, String> {
    let mut filled = submission.clone();
    for value in filled.parameters.values_mut() {
        if let ParameterValue::Output { stack, key } = value {
            let found = values.get(&(stack.clone(), key.clone()));
            let missing = || format!("the stack `{stack}` has no output `{key}`");
            *value = ParameterValue::Literal(found.ok_or_else(missing)?.clone());
        }
    }
    Ok(filled)
}

fn is_already(filled: &Submission, now: &Stack) -> bool {
    let same_value = |(name, value): (&String, &ParameterValue)| match value {
        ParameterValue::Literal(text) => now.parameters.get(name) == Some(text),
        ParameterValue::Output { .. } => false,
    };
    now.status.is_plainly_complete()
        && now.outputs.get(OUTPUT_DIGEST) == Some(&filled.digest)
        && filled.parameters.iter().all(same_value)
        && same_tags(&filled.tags, &now.tags)
}
