//! What a plan must not do: touch what is not ours, lose what is protected, change what cannot change.

use serde_json::Value;

use super::{
    ChangeKind, Request,
    diff::{Cause, PropertyDiff, ResourceDiff},
    observe::{ObservedStack, Owner, TAG_ENVIRONMENT, TAG_KIND, TAG_NAME},
};
use crate::{
    cloud::{Replacement, Stack},
    diagnostic::{Code, Diagnostic, did_you_mean},
    render::StackSpec,
};

const PROTECTED: [&str; 5] = [
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::Cluster",
    "AWS::IAM::Role",
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
];

/// A manifest as messages name it, with its place.
pub(super) fn subject(spec: &StackSpec) -> String {
    format!("{}/{} ({})", spec.kind, spec.name, spec.origins.manifest)
}

/// A finding if the stack is not this manifest's.
pub(super) fn foreign(spec: &StackSpec, observed: &ObservedStack) -> Option<Diagnostic> {
    let tags = observed.tags();
    let ours = |key| tags.contains_key(key) && tags.get(key) == spec.tags.get(key);
    if [TAG_ENVIRONMENT, TAG_KIND, TAG_NAME].into_iter().all(ours) {
        return None;
    }
    let taken = format!("{} becomes the stack `{}`, but in {}", subject(spec), spec.stack.name, spec.stack.target);
    Some(match observed.owner() {
        Some(Owner { environment, kind, name }) => {
            let message = format!("{taken} that one belongs to {kind}/{name} of the environment `{environment}`");
            Diagnostic::new(Code::OtherOwner, message)
                .help("give one of the two environments another `prefix`, or the manifest another name")
        }
        None => {
            Diagnostic::new(Code::ForeignStack, format!("{taken} a stack of that name exists that is not hubform's"))
                .help("delete or rename that stack, or give the environment another `prefix`")
        }
    })
}

/// Findings about an update. What is protected now stays so while its protection is turned off.
pub(super) fn update(request: &Request<'_>, spec: &StackSpec, live: &Stack, diffs: &[ResourceDiff]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = diffs.iter().filter_map(|diff| unchangeable(spec, diff)).collect();
    let lost = diffs.iter().filter(|diff| PROTECTED.contains(&diff.resource_type.as_str())).filter_map(lost);
    if (spec.protect || live.termination_protection) && !is_allowed(request, &spec.kind, &spec.name) {
        found.extend(lost.map(|what| protected(&subject(spec), &what, &spec.kind, &spec.name)));
    }
    found
}

fn unchangeable(spec: &StackSpec, diff: &ResourceDiff) -> Option<Diagnostic> {
    let known = diff.properties.iter().filter(|property| !matches!(property.cause, Cause::Resource(_)));
    let mut refused = known.filter_map(|property| match &property.cause {
        Cause::Type => Some(retyped(spec, diff)),
        _ if diff.resource_type == PROTECTED[0] && property.edit.path == "EndpointName" => {
            Some(renamed(spec, property))
        }
        _ => None,
    });
    refused.next()
}

fn retyped(spec: &StackSpec, diff: &ResourceDiff) -> Diagnostic {
    let (id, now) = (&diff.logical_id, &diff.resource_type);
    Diagnostic::new(Code::TypeChanged, format!("{} would make `{id}` a resource of another type, {now}", subject(spec)))
        .help("CloudFormation refuses that; use another logical id")
}

fn renamed(spec: &StackSpec, property: &PropertyDiff) -> Diagnostic {
    let name = |value: &Option<Value>| value.as_ref().map_or("another name".to_owned(), ToString::to_string);
    let (before, after) = (name(&property.edit.before), name(&property.edit.after));
    let message = format!("{} would rename its endpoint from {before} to {after}: another endpoint", subject(spec));
    Diagnostic::new(Code::EndpointRenamed, message).help(
        "leave the name as it is, or give the manifest another `metadata.name`: the new endpoint then stands beside \
         the old one until that is destroyed",
    )
}

/// A phrase for a resource that goes, or becomes another for a reason known now.
fn lost(diff: &ResourceDiff) -> Option<String> {
    let id = &diff.logical_id;
    let certain = |property: &PropertyDiff| {
        let known = matches!(property.cause, Cause::Written | Cause::Input(_));
        property.replacement == Replacement::True || (known && property.replacement.rank() > 0)
    };
    match diff.kind {
        ChangeKind::Remove => Some(format!("`{id}` would be removed")),
        ChangeKind::Modify if diff.at_worst() == Replacement::True || diff.properties.iter().any(certain) => {
            Some(format!("`{id}` would be replaced"))
        }
        _ => None,
    }
}

/// The user's word for a protected manifest.
pub(super) fn is_allowed(request: &Request<'_>, kind: &str, name: &str) -> bool {
    request.allow.contains(&format!("{kind}/{name}"))
}

/// What the user allowed for manifests that are not there.
pub(super) fn allowed_nothing(request: &Request<'_>) -> Vec<Diagnostic> {
    let name = |kind: &str, name: &str| format!("{kind}/{name}");
    let wanted = request.specs.iter().map(|spec| name(&spec.kind, &spec.name));
    let standing = request.observation.stacks.iter().filter_map(ObservedStack::owner);
    let known: Vec<String> = wanted.chain(standing.map(|owner| name(owner.kind, owner.name))).collect();
    let unknown = request.allow.iter().filter(|allowed| !known.contains(allowed));
    unknown.map(|allowed| no_such_manifest("--allow", allowed, &known)).collect()
}

/// A finding about a manifest that an option names and nobody wrote.
pub fn no_such_manifest(option: &str, name: &str, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NoSuchManifest, format!("`{option} {name}` names no manifest in scope"));
    match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None => diagnostic.help("write kind and name, as `Endpoint/chat`"),
    }
}

/// A finding about something protected.
pub(super) fn protected(subject: &str, what: &str, kind: &str, name: &str) -> Diagnostic {
    Diagnostic::new(Code::Protected, format!("{subject} is protected, and {what}"))
        .help(format!("if that is meant, say `--allow {kind}/{name}`"))
}
