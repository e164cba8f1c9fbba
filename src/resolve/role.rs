//! A role of its own stack, with what everything that names it needs.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    DesiredStack, ManifestField, Resolver,
    access::Access,
    hatch,
    references::FieldPlace,
    settings,
    view::{PolicyStatement, RoleStackView, RoleView, Verbatim, View},
};
use crate::{
    diagnostic::Path,
    manifest::{Document, Role, Setting},
    service::arn,
};

/// The stack of a `Role`.
pub(super) fn resolve(context: &mut Resolver<'_>, document: &Document, spec: &Role, access: Access) -> DesiredStack {
    let place = FieldPlace::new(&document.origin, "/spec");
    let access = view(context, spec, &access, &place);
    let description = context.description("Execution role", document);
    let origins = origins(&place);
    DesiredStack {
        identity: context.identity(document),
        envelope: context.envelope(document),
        view: View::Role(Box::new(RoleStackView { description, access })),
        hatch: hatch::resolve(document, &spec.overrides, &spec.resources, &spec.outputs),
        origins,
        fetched: Arc::default(),
        span: document.origin.span("/metadata/name"),
    }
}

/// The access needed, and what the manifest adds.
pub(super) fn view(context: &mut Resolver<'_>, spec: &Role, access: &Access, place: &FieldPlace<'_>) -> RoleView {
    let managed_policies = spec
        .managed_policies
        .as_ref()
        .map(|policies| context.givens(policies, &arn::MANAGED_POLICY, &place.at("managedPolicies")));
    let own = place.at("permissionsBoundary");
    let boundary = match &spec.permissions_boundary {
        Some(Setting::Off) => None,
        Some(Setting::On(boundary)) => Some((boundary.clone(), own)),
        None => {
            let above = settings::of_environment(context, "permissionsBoundary").unwrap_or(own);
            context.settings.settings.permissions_boundary.clone().map(|boundary| (boundary, above))
        }
    };
    let permissions_boundary = boundary.map(|(boundary, at)| context.given(&boundary, &arn::BOUNDARY, &at));
    let trust = spec.trust.iter().enumerate();
    let trust: Vec<_> = trust.map(|(at, who)| context.arn(who, &arn::PRINCIPAL, &place.at("trust").item(at))).collect();
    let (accounts, mut services): (Vec<_>, Vec<_>) = trust.into_iter().partition(|who| is_account(who));
    services.sort();
    services.dedup();
    let needed = access.statements().into_iter().map(PolicyStatement::Needed);
    let own = spec.statements.iter().cloned().map(|statement| PolicyStatement::Own(Verbatim(statement.into())));
    RoleView {
        users: access.users.iter().map(|&user| user.to_owned()).collect(),
        services,
        accounts,
        managed_policies,
        permissions_boundary,
        statements: needed.chain(own).collect(),
    }
}

/// ARNs and account numbers; everything else is a service.
fn is_account(principal: &str) -> bool {
    principal.starts_with("arn:") || principal.bytes().all(|b| b.is_ascii_digit())
}

fn origins(place: &FieldPlace<'_>) -> BTreeMap<Path, ManifestField> {
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
