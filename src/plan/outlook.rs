//! What outputs of stacks are going to be once a plan has been carried out, as far as that is known before.

use std::collections::BTreeMap;

use super::{
    diff::ResourceDiff,
    inputs::{InputChange, Outlook},
    observe::ObservedStack,
    template::{Template, TemplateReference, references, text_of},
};
use crate::cloud::{Replacement, StackRef};

/// Outputs by stack: those of a stack that changes as it was said, all others as they were observed.
pub(super) struct KnownOutputs<'a> {
    observed: &'a BTreeMap<StackRef, &'a ObservedStack>,
    changing: BTreeMap<StackRef, BTreeMap<String, String>>,
}

impl<'a> KnownOutputs<'a> {
    pub(super) fn new(observed: &'a BTreeMap<StackRef, &'a ObservedStack>) -> Self {
        Self { observed, changing: BTreeMap::new() }
    }

    /// Says that a stack changes and which of its outputs are known all the same.
    pub(super) fn change(&mut self, stack: &StackRef, known: BTreeMap<String, String>) {
        self.changing.insert(stack.clone(), known);
    }
}

impl Outlook for KnownOutputs<'_> {
    fn value(&self, stack: &StackRef, key: &str) -> Option<&str> {
        let outputs = match self.changing.get(stack) {
            Some(known) => known,
            None => &self.observed.get(stack)?.stack.outputs,
        };
        outputs.get(key).map(String::as_str)
    }
}

/// The outputs that an update cannot change: literal ones, and those that refer only to what keeps its identity. The
/// physical id and the ARN of a resource stay when it changes in place; other attributes may not.
pub(super) fn surviving(
    (live, wanted): (&Template, &Template),
    diffs: &[ResourceDiff],
    inputs: &BTreeMap<String, InputChange>,
    observed: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let diffs: BTreeMap<&str, &ResourceDiff> = diffs.iter().map(|diff| (diff.logical_id.as_str(), diff)).collect();
    let stays = |reference: &TemplateReference<'_>| {
        let same = matches!(reference.attribute, None | Some("Arn"));
        let kept = |diff: &&ResourceDiff| diff.is_quiet() || (same && diff.replacement() == Replacement::False);
        !inputs.contains_key(reference.target) && diffs.get(reference.target).is_none_or(kept)
    };
    let value = |(key, _): (&str, _)| {
        let wanted = wanted.output(key);
        let known = match text_of(wanted) {
            Some(text) => Some(text),
            None if live.output(key) == wanted && references(wanted).iter().all(stays) => observed.get(key).cloned(),
            None => None,
        };
        Some((key.to_owned(), known?))
    };
    wanted.section("Outputs").filter_map(value).collect()
}

/// The outputs of a new stack that are literal.
pub(super) fn literal_outputs(wanted: &Template) -> BTreeMap<String, String> {
    let literal = |(key, _): (&str, _)| Some((key.to_owned(), text_of(wanted.output(key))?));
    wanted.section("Outputs").filter_map(literal).collect()
}
