//! What is in the account, as it was gathered, and whose it is.

use std::collections::BTreeMap;

use super::{Observed, PlannedEnvironment, template::Template};
use crate::{
    cloud::{
        ChangeSet, OUTPUT_DIGEST, OUTPUT_OWNER, Stack, StackEvent, StackRef, StackStatus, Tagged, Tags, Target,
        own_tags,
    },
    render::{Identity, StackSpec},
    resolve::outputs,
};

/// What is in the accounts that a plan is made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// Every stack of every target in scope, ours or not.
    pub stacks: Vec<ObservedStack>,
}

/// One stack, and what was fetched beyond its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedStack {
    /// Its description.
    pub stack: Stack,
    /// Where it was found.
    pub target: Target,
    /// Its body as it was submitted; fetched only where [`wants_body`] or [`wants_body_to_destroy`] says so.
    pub body: Option<String>,
    /// For a stack in `REVIEW_IN_PROGRESS`, which has no tags of its own: a change set of it.
    pub change_set: Option<ChangeSet>,
    /// For a stack in `UPDATE_ROLLBACK_FAILED`: what could not be brought back, by its events.
    pub not_rolled_back: Vec<StackEvent>,
    /// Whose it is: the output, else what its template says, or its change set's; none where nothing says so.
    pub owner: Option<String>,
}

/// Must its template be asked whose a stack is? Only one that carries the three tags can be ours, and one that is
/// whole says it by an output, or has no owner.
pub fn wants_owner(tags: &Tags, observed: &Stack) -> bool {
    let silent = !observed.outputs.contains_key(OUTPUT_OWNER) && !observed.status.is_updatable();
    silent && !observed.status.is_deleted() && Tagged::read(tags).is_some()
}

/// Whose a template says its stack is.
pub fn owner_in(body: &str) -> Option<String> {
    Template::parse(body).ok()?.owner().map(str::to_owned)
}

/// Does it belong to one of these environments: by its three tags, by where it lives, and by its owner?
pub fn belongs(environments: &[PlannedEnvironment], observed: &ObservedStack) -> bool {
    let Some(tagged) = observed.tagged() else { return false };
    let mut here = environments.iter().filter(|e| e.name == tagged.environment && e.target == observed.target);
    here.any(|environment| environment.owner.is_some() && environment.owner == observed.owner)
}

/// The stacks that belong to these environments, and who they are.
pub fn ours<'a>(
    environments: &[PlannedEnvironment],
    observation: &'a Observation,
) -> Vec<(Identity, &'a ObservedStack)> {
    let ours = observation.stacks.iter().filter(|observed| belongs(environments, observed));
    ours.filter_map(|observed| Some((observed.identity()?, observed))).collect()
}

/// Stacks that carry the tags of one of these environments, but another owner or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StacksElsewhere {
    /// The environment whose name they carry.
    pub environment: String,
    /// Where they are.
    pub target: Target,
    /// Whose they say they are.
    pub owner: Option<String>,
    /// Their names, in order.
    pub stacks: Vec<String>,
}

/// What stands beside these environments under their names: of another repository, or theirs from before the lock was
/// lost. Nobody but a person can tell which.
pub fn elsewhere(environments: &[PlannedEnvironment], observation: &Observation) -> Vec<StacksElsewhere> {
    let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for observed in observation.stacks.iter().filter(|observed| !belongs(environments, observed)) {
        let Some(tagged) = observed.tagged() else { continue };
        let mut named = environments.iter().filter(|e| e.name == tagged.environment && e.target == observed.target);
        if named.next().is_some() && !observed.stack.status.is_deleted() {
            let key = (tagged.environment.to_owned(), observed.target.clone(), observed.owner.clone());
            found.entry(key).or_default().push(observed.stack.name.clone());
        }
    }
    let group = |((environment, target, owner), mut stacks): (_, Vec<String>)| {
        stacks.sort();
        StacksElsewhere { environment, target, owner, stacks }
    };
    found.into_iter().map(group).collect()
}

/// May it, as far as its description says?
pub fn may_belong(environments: &[PlannedEnvironment], target: &Target, observed: &Stack) -> bool {
    let Some(tagged) = Tagged::read(&observed.tags) else { return false };
    let said = observed.outputs.get(OUTPUT_OWNER);
    let mut here = environments.iter().filter(|e| e.name == tagged.environment && e.target == *target);
    here.any(|environment| said.is_none() || said == environment.owner.as_ref())
}

/// Must the body of a stack be fetched before a plan? Not where the digest says that it is what is wanted. Of one that is
/// stuck it says what an apply left out.
pub fn wants_body(spec: &StackSpec, observed: &Stack) -> bool {
    may_be_between(&observed.status) && !digest_holds(spec, observed)
}

/// May its body be one between two phases?
pub(super) fn may_be_between(status: &StackStatus) -> bool {
    status.is_updatable() || matches!(status, StackStatus::UpdateFailed | StackStatus::UpdateRollbackFailed)
}

/// Must the body of one of our stacks be fetched before it, or what it needs, is destroyed?
pub fn wants_body_to_destroy(spec: Option<&StackSpec>, observed: &Stack) -> bool {
    let has_body = !observed.status.is_leftover() && !observed.status.is_deleted();
    has_body && !spec.is_some_and(|spec| digest_holds(spec, observed))
}

/// Was what is wanted the last thing applied, and did it land?
pub(super) fn digest_holds(spec: &StackSpec, observed: &Stack) -> bool {
    observed.status.is_plainly_complete()
        && observed.outputs.get(OUTPUT_DIGEST) == Some(&spec.digest)
        && observed.outputs.get(OUTPUT_OWNER) == spec.envelope.owner.as_ref()
}

impl ObservedStack {
    /// How everything names it.
    pub fn reference(&self) -> StackRef {
        StackRef { target: self.target.clone(), name: self.stack.name.clone() }
    }

    /// The endpoint that it put out, if it made one.
    pub fn endpoint_name(&self) -> Option<&str> {
        self.stack.outputs.get(outputs::ENDPOINT_NAME).map(String::as_str)
    }

    /// Its tags; those of its change set where it is a shell that has none.
    pub(super) fn tags(&self) -> &Tags {
        match &self.change_set {
            Some(change_set) if self.stack.status == StackStatus::ReviewInProgress => &change_set.tags,
            _ => &self.stack.tags,
        }
    }

    /// What is going on: an operation, or a change set that somebody is about to make the stack with.
    pub(super) fn runs(&self) -> Option<String> {
        let status = &self.stack.status;
        match &self.change_set {
            Some(set) if *status == StackStatus::ReviewInProgress && set.is_pending() => {
                Some("a change set is being computed".to_owned())
            }
            _ => status.is_running().then(|| status.to_string()),
        }
    }

    pub(super) fn tagged(&self) -> Option<Tagged<'_>> {
        Tagged::read(self.tags())
    }

    /// Who it is, by its tags.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.tagged().map(|tagged| Identity::read(self.reference(), tagged))
    }

    pub(super) fn as_planned_upon(&self) -> Observed {
        let stack = &self.stack;
        Observed {
            id: stack.id.clone(),
            status: stack.status.clone(),
            changed_at: stack.changed_at(),
            outputs: stack.outputs.clone(),
            protected: stack.termination_protection,
            owner: self.owner.clone(),
        }
    }
}

/// Live stacks by name; those that are gone do not count.
pub(super) fn index(observation: &Observation) -> BTreeMap<StackRef, &ObservedStack> {
    let live = observation.stacks.iter().filter(|observed| !observed.stack.status.is_deleted());
    live.map(|observed| (observed.reference(), observed)).collect()
}

/// What is wanted, by stack.
pub fn by_stack(specs: &[StackSpec]) -> BTreeMap<&StackRef, &StackSpec> {
    specs.iter().map(|spec| (&spec.identity.stack, spec)).collect()
}

/// Equal apart from tags that only AWS sets.
pub(super) fn same_tags(one: &Tags, other: &Tags) -> bool {
    own_tags(one).eq(own_tags(other))
}
