//! Whose an execution role is: made with what acts by it, shared with others, or named by ARN.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    NamedRole, ParameterValue, Resolver,
    access::Access,
    outputs::ROLE_ARN,
    references::{FieldPlace, default_of, find},
    role,
    view::ExecutionRole,
};
use crate::{
    cloud::StackRef,
    manifest::{Kind, Reference, Role, Setting},
    service::arn,
};

/// The execution role, and what it asks of others.
pub(super) struct RoleSource {
    pub(super) role: ExecutionRole,
    pub(super) parameters: BTreeMap<String, ParameterValue>,
    pub(super) needs: BTreeSet<StackRef>,
    /// The `Role` manifest it is, and what it is needed for.
    pub(super) shared: Option<(String, Access)>,
    pub(super) named: Option<NamedRole>,
}

impl RoleSource {
    fn of(role: ExecutionRole) -> Self {
        Self { role, parameters: BTreeMap::new(), needs: BTreeSet::new(), shared: None, named: None }
    }
}

pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    own: Option<&'a Setting<Reference<Role>>>,
    access: Access,
    place: &FieldPlace<'a>,
) -> Option<RoleSource> {
    let (reference, place) = match default_of(context, own, place, "role") {
        Some((Setting::On(reference), place)) => (reference, place),
        Some((Setting::Off, _)) | None => return Some(made(context, &Role::default(), access, place)),
    };
    match reference {
        Reference::Arn(arn) => {
            let arn = context.arn(arn, &arn::EXECUTION_ROLE, &place);
            let target = context.scope.target.clone();
            let named = NamedRole { target, arn: arn.clone(), principals: access.users, span: place.span() };
            Some(RoleSource { named: Some(named), ..RoleSource::of(ExecutionRole::Arn { arn }) })
        }
        Reference::Name(name) => {
            find(context, reference, place)?;
            let stack = context.stack(Kind::Role, name);
            let arn = ParameterValue::Output { stack: stack.clone(), key: ROLE_ARN.to_owned() };
            Some(RoleSource {
                parameters: BTreeMap::from([(ROLE_ARN.to_owned(), arn)]),
                needs: BTreeSet::from([stack]),
                shared: Some((name.clone(), access)),
                ..RoleSource::of(ExecutionRole::Parameter)
            })
        }
        Reference::Inline(role) => Some(made(context, role, access, &place)),
        // Short forms of models and hardware, which no role has.
        Reference::HubId(_) | Reference::InstanceType(_) => Some(made(context, &Role::default(), access, &place)),
    }
}

fn made(context: &mut Resolver<'_>, spec: &Role, access: Access, place: &FieldPlace<'_>) -> RoleSource {
    RoleSource::of(ExecutionRole::Own(role::view(context, spec, &access, place)))
}

/// Finds a role that dangles where the rest is not worth resolving.
pub(super) fn check<'a>(context: &mut Resolver<'a>, own: Option<&'a Setting<Reference<Role>>>, place: &FieldPlace<'a>) {
    if let Some((Setting::On(reference @ Reference::Name(_)), place)) = default_of(context, own, place, "role") {
        find(context, reference, place);
    }
}
