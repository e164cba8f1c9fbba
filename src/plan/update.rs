//! The operations of one update: usually one, more where it takes a detour.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    Between, Operation, Submission,
    detour::{self, Before, BodyWithValues, Entangled, Passage, Resumed},
    diff::{ResourceDiff, Sides, diff, gate},
    inputs::InputChange,
    observe::same_tags,
    template::Template,
};
use crate::{
    catalog::Catalog,
    cloud::{OUTPUT_DIGEST, Stack, StackOptions, Tags, is_masked, own_tags},
    render::{Envelope, ParameterValue, StackSpec, body_digest},
};

/// Both sides of an update.
pub(super) struct Update<'a> {
    pub(super) spec: &'a StackSpec,
    pub(super) observed: &'a Stack,
    pub(super) live: &'a Template,
    pub(super) wanted: &'a Template,
    pub(super) inputs: &'a BTreeMap<String, InputChange>,
    pub(super) catalog: &'a Catalog,
}

/// What an update comes to.
pub(super) struct UpdatePlan {
    pub(super) operations: Vec<Operation>,
    pub(super) restore: Option<Operation>,
    /// See [`super::Step::between`].
    pub(super) between: BTreeMap<String, Between>,
    /// What an earlier run left out or changed.
    pub(super) aside: BTreeSet<String>,
    pub(super) diffs: Vec<ResourceDiff>,
    pub(super) reasons: Vec<String>,
    pub(super) bodies: Vec<Arc<str>>,
}

/// The stack tags that change, before and after.
type ChangedTags = Option<(Value, Value)>;

impl Update<'_> {
    /// The operations, in order.
    pub(super) fn planned(&self) -> Result<UpdatePlan, Entangled> {
        let (before, after) = self.values();
        let live = BodyWithValues { template: self.live, values: &before };
        let wanted = BodyWithValues { template: self.wanted, values: &after };
        let resumed = Resumed::read(self.live);
        // The body that runs may be one between two phases: then what is out belongs to this update too.
        let aside = detour::needed(live, wanted, resumed.is_some())?;
        let diffs = self.diff(self.live, self.wanted, self.inputs, &self.changed_tags());
        let mut plan = UpdatePlan {
            operations: Vec::new(),
            restore: None,
            between: BTreeMap::new(),
            aside: BTreeSet::new(),
            diffs,
            reasons: Vec::new(),
            bodies: vec![self.spec.body.clone()],
        };
        match (aside, resumed) {
            // One update is one rollback, so there is no second unless a service refuses the first.
            (None, None) => plan.update(submission(self.spec), gate(&plan.diffs), None),
            (aside, resumed) => Passage::new(self, aside.as_ref(), resumed, &mut plan).go(),
        }
        Ok(plan)
    }

    /// The stack as it runs, where no detour was begun.
    pub(super) fn origin(&self) -> Before {
        Before {
            template: self.live.clone(),
            digest: self.observed.outputs.get(OUTPUT_DIGEST).cloned().unwrap_or_default(),
            parameters: self.observed.parameters.clone(),
            tags: own(&self.observed.tags),
        }
    }

    /// What the way back to the origin does, from a body with these values and tags.
    pub(super) fn back(
        &self,
        from: &Template,
        values: &BTreeMap<String, String>,
        tags: &Tags,
        origin: &Before,
    ) -> Vec<ResourceDiff> {
        let changed = origin.parameters.iter().filter(|(name, value)| values.get(*name) != Some(*value));
        let change = |(name, value): (&String, &String)| {
            let (before, after) = (values.get(name).cloned(), Some(value.clone()));
            (name.clone(), InputChange { before, after, ..InputChange::default() })
        };
        let inputs = changed.map(change).collect();
        self.diff(from, &origin.template, &inputs, &tags_between(tags, &origin.tags))
    }

    pub(super) fn diff(
        &self,
        live: &Template,
        wanted: &Template,
        inputs: &BTreeMap<String, InputChange>,
        tags: &ChangedTags,
    ) -> Vec<ResourceDiff> {
        diff(&Sides { live, wanted, inputs, tags: tags.as_ref(), catalog: self.catalog })
    }

    /// A body sent with the parameters and tags that run.
    pub(super) fn before(&self, (body, digest): (String, String)) -> Submission {
        self.with_values(body, digest, &self.observed.parameters, own(&self.observed.tags))
    }

    /// The body before the detour, with the parameters and tags it had. A value that is never shown stays what it is.
    pub(super) fn restored(&self, origin: &Before, body: String) -> Submission {
        self.with_values(body, origin.digest.clone(), &origin.parameters, origin.tags.clone())
    }

    fn with_values(&self, body: String, digest: String, values: &BTreeMap<String, String>, tags: Tags) -> Submission {
        // A `NoEcho` value is never shown and so cannot be sent again.
        let (masked, shown): (Vec<_>, Vec<_>) = values.iter().partition(|(_, value)| is_masked(value));
        Submission {
            body,
            digest,
            parameters: shown.into_iter().map(|(name, text)| (name.clone(), literal(text))).collect(),
            previous: masked.into_iter().map(|(name, _)| name.clone()).collect(),
            tags,
            // The old body may need what the new one does not, and the other way round.
            capabilities: self.observed.capabilities.union(&self.spec.capabilities).cloned().collect(),
            options: StackOptions {
                notification_arns: self.observed.notification_arns.clone(),
                ..self.spec.envelope.options.clone()
            },
            ..submission(self.spec)
        }
    }

    /// A body sent with the parameters and tags wanted. What only the body before hides is kept for the way back.
    pub(super) fn after(&self, (body, digest): (String, String)) -> Submission {
        let dropped =
            |name: &&str| self.live.hides(name) && !self.wanted.section("Parameters").any(|(n, _)| n == *name);
        let hidden = self.live.section("Parameters").map(|(name, _)| name).filter(dropped);
        Submission { body, digest, previous: hidden.map(str::to_owned).collect(), ..submission(self.spec) }
    }

    pub(super) fn changed_tags(&self) -> ChangedTags {
        tags_between(&self.observed.tags, &self.spec.envelope.tags)
    }

    /// Parameter values before and after, as far as they are known.
    pub(super) fn values(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let before = self.observed.parameters.clone();
        let mut after = before.clone();
        for (name, input) in self.inputs {
            after.remove(name);
            after.extend(input.after.clone().map(|value| (name.clone(), value)));
        }
        (before, after)
    }
}

fn literal(text: &str) -> ParameterValue {
    ParameterValue::Literal(text.to_owned())
}

/// Everything that is wanted, as it is sent.
pub(super) fn submission(spec: &StackSpec) -> Submission {
    let Envelope { parameters, tags, options, protect, .. } = &spec.envelope;
    Submission {
        body: body_digest(&spec.body),
        digest: spec.digest.clone(),
        parameters: parameters.clone(),
        previous: BTreeSet::new(),
        tags: tags.clone(),
        capabilities: spec.capabilities.clone(),
        options: options.clone(),
        termination_protection: *protect,
    }
}

/// Are tags, service role and topics as they shall be? A service role cannot be taken away again.
pub(super) fn settings_hold(spec: &StackSpec, observed: &Stack) -> bool {
    let StackOptions { role_arn, notification_arns } = &spec.envelope.options;
    same_tags(&spec.envelope.tags, &observed.tags)
        && (role_arn.is_none() || *role_arn == observed.role_arn)
        && same_topics(notification_arns, &observed.notification_arns)
}

/// Equal in any order.
pub(super) fn same_topics(one: &[String], other: &[String]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect::<BTreeSet<_>>()
}

fn tags_between(before: &Tags, after: &Tags) -> ChangedTags {
    let (before, after) = (own(before), own(after));
    let only = |tags: &Tags, other: &Tags| -> Value {
        let differs = tags.iter().filter(|(key, value)| other.get(*key) != Some(value));
        Value::Object(differs.map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect::<Map<_, _>>())
    };
    (before != after).then(|| (only(&before, &after), only(&after, &before)))
}

pub(super) fn own(tags: &Tags) -> Tags {
    own_tags(tags).map(|(key, value)| (key.clone(), value.clone())).collect()
}
