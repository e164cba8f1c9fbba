//! A role of its own stack, with what everything that names it needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{Context, DesiredStack, Field, access::Access, hatch, references::Place, settings};
use crate::{
    diagnostic::Path,
    manifest::{Document, Kind, Role, Setting},
};

/// The stack of a `Role`.
pub(super) fn resolve(context: &mut Context<'_>, document: &Document, spec: &Role, access: Access) -> DesiredStack {
    let place = Place::new(&document.origin, "/spec");
    let values = values(context, spec, &access, &place);
    let environment = context.scope.set.environment.name.clone();
    let description = format!("Execution role {} of environment {environment}, made by hubform.", document.name);
    let origins = origins(&place);
    let (role_arn, notification_arns) = settings::service(context);
    DesiredStack {
        stack: context.stack(Kind::Role, &document.name),
        owner: context.owner(),
        kind: Kind::Role.name().to_owned(),
        name: document.name.clone(),
        template: "role.yaml.tera",
        values: json!({ "description": description, "access": values }),
        parameters: BTreeMap::new(),
        tags: settings::tags(context, document),
        role_arn,
        notification_arns,
        protect: context.scope.set.environment.protect,
        needs: BTreeSet::new(),
        endpoint: None,
        choices: Vec::new(),
        hatch: hatch::resolve(document, &spec.overrides, &spec.resources, &spec.outputs),
        origins,
        fetched: Arc::default(),
        span: document.origin.span("/metadata/name"),
        environment,
    }
}

/// What the role template sees: the access needed, and what the manifest adds.
pub(super) fn values(context: &mut Context<'_>, spec: &Role, access: &Access, place: &Place<'_>) -> Value {
    let mut values = access.values();
    if let Some(policies) = &spec.managed_policies {
        values["managed_policies"] = context.cfn_list(policies, &place.at("managedPolicies"));
    }
    let own = place.at("permissionsBoundary");
    let boundary = match &spec.permissions_boundary {
        Some(Setting::Off) => None,
        Some(Setting::On(boundary)) => Some((boundary.clone(), own)),
        None => {
            let above = settings::of_environment(context, "permissionsBoundary").unwrap_or(own);
            context.settings.settings.permissions_boundary.clone().map(|boundary| (boundary, above))
        }
    };
    if let Some((boundary, at)) = boundary {
        values["permissions_boundary"] = context.cfn(&boundary, &at);
    }
    if !spec.statements.is_empty() {
        values["statements"] = spec.statements.iter().cloned().map(Value::Object).collect();
    }
    let trust = spec.trust.iter().enumerate();
    let trust: Vec<_> = trust.map(|(at, who)| context.substituted(who, &place.at("trust").item(at))).collect();
    values["principals"] = principals(&trust);
    values
}

/// SageMaker, and whoever else is trusted: services apart from ARNs and accounts, as IAM wants them.
fn principals(trust: &[String]) -> Value {
    let (arns, services): (Vec<_>, Vec<_>) = trust.iter().partition(|who| is_account(who));
    let services: BTreeSet<_> = services.into_iter().map(String::as_str).chain(["sagemaker.amazonaws.com"]).collect();
    let mut principals = json!({ "Service": services });
    if !arns.is_empty() {
        principals["AWS"] = json!(arns);
    }
    principals
}

/// ARNs and account numbers; everything else is a service.
fn is_account(principal: &str) -> bool {
    principal.starts_with("arn:") || principal.bytes().all(|b| b.is_ascii_digit())
}

fn origins(place: &Place<'_>) -> BTreeMap<Path, Field> {
    [
        ("Role/Properties/ManagedPolicyArns", "managedPolicies"),
        ("Role/Properties/PermissionsBoundary", "permissionsBoundary"),
        ("Role/Properties/Policies", "statements"),
        ("Role/Properties/AssumeRolePolicyDocument", "trust"),
    ]
    .into_iter()
    .filter(|(_, field)| place.exists(field))
    .map(|(path, field)| (path.into(), place.at(field).field()))
    .collect()
}
