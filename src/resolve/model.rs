//! Which weights, for which task, served by which engine.

use std::borrow::Cow;

use super::{
    Choice, LockedModel, Resolver,
    access::S3Prefix,
    chooser::{ChoiceKind, Chooser, Fresh},
    engine::{self, EngineRow},
    pinned,
    references::{FieldPlace, Referenced, find},
    task,
};
use crate::{
    catalog::{Commit, Gated, is_commit},
    diagnostic::{Code, Diagnostic},
    hub::{self, MAIN, ModelAt},
    manifest::{Model, Reference},
};

/// A model with everything about it that was decided.
pub(super) struct Served<'a> {
    pub(super) spec: Cow<'a, Model>,
    pub(super) place: FieldPlace<'a>,
    pub(super) weights: Weights,
    pub(super) facts: Option<LockedModel>,
    pub(super) task: Option<String>,
    pub(super) engine: &'static EngineRow,
}

/// Where the weights are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Weights {
    /// On the Hub, fetched when the container starts.
    Hub {
        /// The id.
        id: String,
        /// Branch, tag or commit.
        revision: Option<String>,
    },
    /// In S3, put in place by SageMaker.
    S3 {
        /// The location.
        uri: String,
        /// Bucket and prefix.
        bucket: S3Prefix,
        /// One archive, not a prefix.
        archive: bool,
    },
}

impl Weights {
    /// How people name it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Hub { id, .. } => id,
            Self::S3 { uri, .. } => uri,
        }
    }
}

/// Finds the model, its facts, its task and its engine. `has_instance`: is an instance type named?
pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    chooser: &mut Chooser,
    reference: &'a Reference<Model>,
    place: FieldPlace<'a>,
    has_instance: bool,
) -> Option<Served<'a>> {
    let Referenced { spec, place, .. } = find(context, reference, place)?;
    let mut weights = weights(context, &spec, &place)?;
    let Known { facts, newest } = known(context, chooser, &weights, &spec, &place, has_instance)?;
    pin(context, chooser, &mut weights, facts.as_ref(), newest.as_ref());
    chooser.know("model", weights.name());
    let task = spec.task.clone().or_else(|| facts.as_ref().map(|facts| facts.task.clone()));
    chooser.know("task", task.as_deref());
    let engine = engine(context, chooser, &spec, task.as_deref(), &place)?;
    chooser.know("engine", engine.to_string());
    Some(Served { spec, place, weights, facts, task, engine })
}

fn weights(context: &mut Resolver<'_>, spec: &Model, place: &FieldPlace<'_>) -> Option<Weights> {
    if let Some(id) = &spec.hub {
        return Some(Weights::Hub { id: id.clone(), revision: spec.revision.clone() });
    }
    let uri = context.substituted(spec.s3.as_ref()?, &place.at("s3"));
    let bucket = S3Prefix::parse(&uri)?;
    let archive = !uri.ends_with('/');
    Some(Weights::S3 { uri, bucket, archive })
}

/// What is known of a model, and the newest commit of its main branch.
#[derive(Default)]
struct Known {
    facts: Option<LockedModel>,
    newest: Option<Commit>,
}

/// `None`: cannot go on. Where it can though nothing is known, no more findings are needed.
fn known(
    context: &mut Resolver<'_>,
    chooser: &mut Chooser,
    weights: &Weights,
    spec: &Model,
    place: &FieldPlace<'_>,
    has_instance: bool,
) -> Option<Known> {
    let Weights::Hub { id, revision } = weights else {
        return said_enough(context, weights, spec, place, has_instance).then(Known::default);
    };
    let asked = ModelAt { id: id.clone(), revision: revision.clone().unwrap_or_else(|| MAIN.to_owned()) };
    let locked = context.scope.lock.model(id, &asked.revision).cloned();
    // The lock answers first; what it does not keep is in the table.
    let found = match &locked {
        Some(_) => hub::Model::in_table(context.catalog, &asked),
        None => context.model(asked.clone())?,
    };
    let newest = found.as_ref().and_then(|found| found.commit.clone());
    warn_unpinned(context, weights, locked.as_ref(), newest.as_ref(), place);
    let Some(found) = found else {
        let is_enough = locked.is_some() || said_enough(context, weights, spec, place, has_instance);
        return is_enough.then_some(Known { facts: locked, newest });
    };
    if !may_be_fetched(context, id, found.gated, place) {
        return None;
    }
    if context.scope.locked.is_some() && locked.is_none() {
        chooser.miss(format!("facts of the model ({id})"));
    }
    let facts = locked.unwrap_or_else(|| to_lock(found, revision.as_deref()));
    if context.scope.locked.is_none() {
        context.lock_after.set_model(id, &asked.revision, facts.clone());
    }
    Some(Known { facts: Some(facts), newest })
}

fn to_lock(found: hub::Model, revision: Option<&str>) -> LockedModel {
    LockedModel {
        commit: match revision {
            Some(revision) => Some(revision.to_owned()).filter(|revision| is_commit(revision)),
            None => found.commit.map(|commit| commit.id),
        },
        task: found.task,
        parameters: found.parameters,
        dtype: found.dtype,
        weight_bytes: found.weight_bytes,
        heads: found.heads,
        kv_heads: found.kv_heads,
        kv_bytes_per_token: found.kv_bytes_per_token,
        max_positions: found.max_positions,
        license: found.license,
    }
}

fn may_be_fetched(context: &mut Resolver<'_>, id: &str, gated: Gated, place: &FieldPlace<'_>) -> bool {
    match gated {
        Gated::No => true,
        Gated::Yes => {
            let message = format!("`{id}` is gated: the Hub serves it only to accounts that accepted its terms");
            let help = "copy the weights to S3 and set `s3:`; hubform cannot use a Hub token yet";
            context.report(Diagnostic::new(Code::GatedModel, message).at(place.at("hub").span()).help(help));
            false
        }
        Gated::Unknown => {
            let message = format!("`{id}` may be gated: hubform does not know");
            let help = "if it is, the container cannot fetch it and the endpoint fails to start";
            context.report(Diagnostic::new(Code::GatingUnknown, message).at(place.at("hub").span()).help(help));
            true
        }
    }
}

/// A model without a revision is fetched at the commit in the lock, and the plan says where that is from.
fn pin(
    context: &Resolver<'_>,
    chooser: &mut Chooser,
    weights: &mut Weights,
    facts: Option<&LockedModel>,
    newest: Option<&Commit>,
) {
    let Weights::Hub { id, revision: revision @ None } = weights else { return };
    let Some(commit) = facts.and_then(|facts| facts.commit.clone()) else { return };
    let pinned = context.scope.lock.model(id, MAIN).is_some();
    let same = newest.filter(|newest| newest.id == commit);
    chooser.choices.push(Choice {
        what: "revision".to_owned(),
        value: commit.clone(),
        reason: same.map_or_else(|| "chosen before".to_owned(), |newest| source(context, newest)),
        pinned,
        today: newest.filter(|_| same.is_none()).map(|newest| format!("{} ({})", newest.id, source(context, newest))),
    });
    *revision = Some(commit);
}

fn source(context: &Resolver<'_>, commit: &Commit) -> String {
    let seen = commit.seen.as_deref().map(|month| format!(", the last in {month}")).unwrap_or_default();
    let sources = match commit.sources {
        1 => "listed by 1 public source".to_owned(),
        count => format!("listed by {count} public sources"),
    };
    format!("newest commit known on {}; {sources}{seen}", context.catalog.models_collected())
}

fn warn_unpinned(
    context: &mut Resolver<'_>,
    weights: &Weights,
    locked: Option<&LockedModel>,
    newest: Option<&Commit>,
    place: &FieldPlace<'_>,
) {
    let Weights::Hub { id, revision } = weights else { return };
    let pinned = match (revision, locked) {
        (Some(revision), _) => is_commit(revision),
        (None, Some(locked)) => locked.commit.is_some(),
        (None, None) => newest.is_some(),
    };
    if pinned {
        return;
    }
    let at = revision.as_deref().unwrap_or(MAIN);
    let message = format!("`{id}` is not pinned: instances started later may fetch other weights");
    let mut help = format!("set `revision:` to the commit that `{at}` has on the Hub now, all 40 digits");
    if newest.is_some() && revision.is_none() {
        help.push_str("; or `hubform lock --upgrade`, which pins the newest commit that hubform knows");
    }
    let place = place.at(if revision.is_some() { "revision" } else { "hub" });
    context.report(Diagnostic::new(Code::NotPinned, message).at(place.span()).help(help));
}

fn said_enough(
    context: &mut Resolver<'_>,
    weights: &Weights,
    spec: &Model,
    place: &FieldPlace<'_>,
    has_instance: bool,
) -> bool {
    let missing: Vec<_> = [
        (spec.task.is_none(), "`task`"),
        (spec.engine.is_none(), "`engine`"),
        (!has_instance, "an instance type in `hardware`"),
    ]
    .into_iter()
    .filter_map(|(missing, what)| missing.then_some(what))
    .collect();
    // Where only an instance is missing, that is reported where instances are chosen.
    if spec.task.is_some() && spec.engine.is_some() {
        return true;
    }
    let message = format!("hubform knows nothing about `{}` and cannot choose for it", weights.name());
    let mut help = match missing.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("set {} and {last}", most.join(", ")),
        _ => format!("set {}", missing.concat()),
    };
    if let (Weights::Hub { id, .. }, Some(name)) = (weights, weights.name().rsplit('/').next())
        && let Some(near) = context.catalog.models_named(name).first().filter(|near| *near != id)
    {
        help.push_str(&format!("; or did you mean `{near}`?"));
    }
    if let Some(near) = spec.task.as_deref().and_then(task::near) {
        help.push_str(&format!("; and did you mean the task `{near}`?"));
    }
    let place = place.at(if spec.hub.is_some() { "hub" } else { "s3" });
    context.report(Diagnostic::new(Code::UnknownModel, message).at(place.span()).help(help));
    false
}

fn engine(
    context: &mut Resolver<'_>,
    chooser: &mut Chooser,
    spec: &Model,
    task: Option<&str>,
    place: &FieldPlace<'_>,
) -> Option<&'static EngineRow> {
    if let Some(word) = spec.engine {
        let Some(engine) = engine::of(word) else {
            let message = format!("not yet supported: the engine `{word}`");
            context.report(Diagnostic::new(Code::NotYetSupported, message).at(place.at("engine").span()));
            return None;
        };
        if engine.is_in_image() && spec.image.is_none() {
            let message = format!("the engine `{engine}` needs an `image`");
            context.report(Diagnostic::new(Code::ImageMissing, message).at(place.at("engine").span()));
            return None;
        }
        return Some(engine);
    }
    let task = task.unwrap_or_default();
    let expects = format!("an engine that hubform chooses: {}", engine::choosable_names());
    let known = pinned::text(&expects, |name| engine::by_name(name).is_some());
    let value = chooser.choose(context, ChoiceKind::ENGINE, known, |_| {
        Some(Fresh::new(engine::by_task(task)?.to_string(), format!("serves the task {task}")))
    });
    let named = value.as_ref().and_then(|value| engine::by_name(value.text()?));
    if named.is_none() {
        let message = format!("hubform has no default engine for the task `{task}`");
        let near = task::near(task).map(|near| format!("did you mean the task `{near}`? Else "));
        let help = format!("{}{}", near.unwrap_or_default(), engine::advice());
        context.report(Diagnostic::new(Code::EngineMissing, message).at(place.span()).help(help));
    }
    named
}
