//! What a plan must not do: touch what is not ours, lose what is protected, change what cannot change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    ChangeKind, Request,
    diff::{ChangeCause, PropertyDiff, ResourceDiff},
    observe::{ObservedStack, belongs},
    types,
};
use crate::{
    cloud::{Stack, Tagged},
    diagnostic::{Code, Diagnostic, did_you_mean, first_of},
    render::{Identity, StackSpec},
};

/// A manifest as messages name it, with its place.
pub(super) fn subject(spec: &StackSpec) -> String {
    format!("{} ({})", spec.identity.manifest(), spec.origins.manifest)
}

/// A finding if the stack is not this manifest's and nobody said that it may be taken over.
pub(super) fn foreign(request: &Request<'_>, spec: &StackSpec, observed: &ObservedStack) -> Option<Diagnostic> {
    // Names are not enough: another repository may have chosen the same ones.
    let adopted = request.adopt.contains(&spec.identity.manifest());
    (!adopted && !is_ours(spec, observed)).then(|| whose(spec, observed))
}

/// What a plan says where it takes a stack over.
pub(super) fn taken_over(spec: &StackSpec, observed: &ObservedStack) -> Option<String> {
    let before = match (observed.tagged(), &observed.owner) {
        _ if is_ours(spec, observed) => return None,
        (Some(_), Some(owner)) => format!("the owner {owner}"),
        (Some(tagged), None) => {
            format!("{} of `{}`, without an owner", tagged.manifest(), tagged.environment)
        }
        (None, _) => "nobody known to hubform".to_owned(),
    };
    Some(format!("taken over: this stack belongs to {before}, and will belong to this environment"))
}

/// All three tags and the owner are this manifest's.
fn is_ours(spec: &StackSpec, observed: &ObservedStack) -> bool {
    let owner = &spec.envelope.owner;
    same_manifest(spec, observed) && owner.is_some() && *owner == observed.owner
}

fn same_manifest(spec: &StackSpec, observed: &ObservedStack) -> bool {
    observed.tagged().is_some_and(|tagged| Tagged::read(&spec.envelope.tags) == Some(tagged))
}

/// What gives this environment's stacks other names.
const OTHER_NAMES: &str =
    "give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none)";

fn whose(spec: &StackSpec, observed: &ObservedStack) -> Diagnostic {
    let stack = &spec.identity.stack;
    let taken = format!("{} becomes the stack `{stack}`, but in {}", subject(spec), stack.target);
    match observed.tagged() {
        Some(_) if same_manifest(spec, observed) => owned_elsewhere(spec, &taken, observed.owner.as_deref()),
        Some(tagged) => {
            let (theirs, environment) = (tagged.manifest(), tagged.environment);
            let message = format!("{taken} that stack belongs to {theirs} of the environment `{environment}`");
            Diagnostic::new(Code::OtherOwner, message)
                .help("give one of the two environments another `prefix`, or the manifest another name")
        }
        None => {
            Diagnostic::new(Code::ForeignStack, format!("{taken} a stack of that name exists that is not hubform's"))
                .help(format!("delete that stack, or {OTHER_NAMES}"))
        }
    }
}

fn owned_elsewhere(spec: &StackSpec, taken: &str, theirs: Option<&str>) -> Diagnostic {
    let manifest = spec.identity.manifest();
    let ours = spec.envelope.owner.as_deref().map_or("is unset".to_owned(), |owner| format!("is {owner}"));
    let (message, help) = match theirs {
        Some(theirs) => (
            format!("{taken} that stack's owner is {theirs}, and this environment's {ours}"),
            format!(
                "if the lock was lost, `hubform lock --owner {theirs}` reclaims everything; if another repository uses \
                 these names, {OTHER_NAMES}; `apply --adopt {manifest}` takes over this stack alone"
            ),
        ),
        None => (
            format!("{taken} that stack has no owner id, as of hubform 0.1, and this environment's {ours}"),
            format!("if it is yours, `apply --adopt {manifest}` takes it over; else {OTHER_NAMES}"),
        ),
    };
    Diagnostic::new(Code::OwnedElsewhere, message).help(help)
}

/// Findings about an update. What is protected now stays so while its protection is turned off.
pub(super) fn update(request: &Request<'_>, spec: &StackSpec, live: &Stack, diffs: &[ResourceDiff]) -> Vec<Diagnostic> {
    // CloudFormation would refuse a new type after a while; it would rename an endpoint gladly, and callers would lose it.
    let mut found: Vec<Diagnostic> = diffs.iter().filter_map(|diff| unchangeable(spec, diff)).collect();
    let lost = diffs.iter().filter(|diff| types::is_protected(&diff.resource_type)).filter_map(lost);
    // An edit that turns protection off and loses something in one go is the mistake protection is there for.
    if (spec.envelope.protect || live.termination_protection) && !is_allowed(request, &spec.identity) {
        found.extend(lost.map(|what| protected(&subject(spec), &what, &spec.identity)));
    }
    found
}

fn unchangeable(spec: &StackSpec, diff: &ResourceDiff) -> Option<Diagnostic> {
    // What follows from another resource's change is that one's finding.
    let known = diff.properties.iter().filter(|property| !matches!(property.cause, ChangeCause::Resource(_)));
    let mut refused = known.filter_map(|property| match &property.cause {
        ChangeCause::Type => Some(retyped(spec, diff)),
        _ if types::identity(&diff.resource_type).is_some_and(|name| property.edit.path == name.into()) => {
            Some(renamed(spec, property))
        }
        _ => None,
    });
    refused.next()
}

fn retyped(spec: &StackSpec, diff: &ResourceDiff) -> Diagnostic {
    let (id, now) = (&diff.logical_id, &diff.resource_type);
    Diagnostic::new(Code::TypeChanged, format!("{} would make `{id}` a resource of another type, {now}", subject(spec)))
        .help("CloudFormation refuses that; choose another logical id")
}

fn renamed(spec: &StackSpec, property: &PropertyDiff) -> Diagnostic {
    let name = |value: &Option<Value>| value.as_ref().map_or("another name".to_owned(), ToString::to_string);
    let (before, after) = (name(&property.edit.before), name(&property.edit.after));
    let message = format!("{} would rename its endpoint from {before} to {after}: another endpoint", subject(spec));
    Diagnostic::new(Code::EndpointRenamed, message).help(
        "leave the name as it is, or give the manifest another `metadata.name`: the new endpoint then runs beside \
         the old one until that is destroyed",
    )
}

/// A phrase for a resource that goes, or becomes another; also where it only may, for no gate keeps it from that.
fn lost(diff: &ResourceDiff) -> Option<String> {
    let id = &diff.logical_id;
    match (diff.kind, diff.replacement().rank()) {
        (ChangeKind::Remove, _) => Some(format!("`{id}` would be removed")),
        (ChangeKind::Add, _) | (ChangeKind::Modify, 0) => None,
        (ChangeKind::Modify, 1) => Some(format!("`{id}` may be replaced")),
        (ChangeKind::Modify, _) => Some(format!("`{id}` would be replaced")),
    }
}

/// The user's word for a protected manifest.
pub(super) fn is_allowed(request: &Request<'_>, identity: &Identity) -> bool {
    request.allow.contains(&identity.manifest())
}

/// What the user allowed, or let take over, for manifests that are not there.
pub(super) fn allowed_nothing(request: &Request<'_>) -> Vec<Diagnostic> {
    let wanted: Vec<String> = request.specs.iter().map(|spec| spec.identity.manifest()).collect();
    let ours = request.observation.stacks.iter().filter(|observed| belongs(request.environments, observed));
    let standing = ours.filter_map(ObservedStack::tagged).map(|tagged| tagged.manifest());
    let known: Vec<String> = wanted.iter().cloned().chain(standing).collect();
    let unknown = |option, names: &BTreeSet<String>, known: &[String]| {
        let unknown = names.iter().filter(|name| !known.contains(name));
        unknown.map(|name| no_such_manifest(option, name, known)).collect::<Vec<_>>()
    };
    let several = request.adopt.iter().filter(|adopted| wanted.iter().filter(|name| name == adopted).count() > 1);
    let several = several.map(|adopted| adopts_several(adopted)).collect();
    [unknown("--allow", request.allow, &known), unknown("--adopt", request.adopt, &wanted), several].concat()
}

fn adopts_several(adopted: &str) -> Diagnostic {
    let message = format!("`--adopt {adopted}` names manifests of several environments");
    Diagnostic::new(Code::NoSuchManifest, message).help("act on one environment at a time, with `--environment NAME`")
}

/// A finding about a manifest that an option names and nobody wrote.
pub fn no_such_manifest(option: &str, name: &str, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NoSuchManifest, format!("`{option} {name}` names no manifest in scope"));
    match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None if known.is_empty() => diagnostic.help("no manifest in scope becomes a stack"),
        None => diagnostic.help(format!("write kind and name; in scope {}", in_scope(known))),
    }
}

/// Manifests that a message names.
const NAMED: usize = 5;

fn in_scope(known: &[String]) -> String {
    let names: BTreeSet<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{verb} {}", first_of(&names, NAMED))
}

/// A finding about something protected.
pub(super) fn protected(subject: &str, what: &str, identity: &Identity) -> Diagnostic {
    Diagnostic::new(Code::Protected, format!("{subject} is protected, and {what}"))
        .help(format!("if that is intended, pass `--allow {}`", identity.manifest()))
}
