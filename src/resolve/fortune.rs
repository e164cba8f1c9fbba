//! A kind in tests only, to measure what one more kind costs.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    DesiredStack, Envelope, Hatch, ResolvedStack, Resolver,
    access::Access,
    execution_role,
    references::FieldPlace,
    view::{FortuneView, View},
};
use crate::manifest::{Document, Fortune};

pub(super) fn resolve<'a>(
    context: &mut Resolver<'a>,
    document: &'a Document,
    spec: &'a Fortune,
) -> Option<ResolvedStack> {
    let place = FieldPlace::new(&document.origin, "/spec");
    let mut access = Access::default();
    access.users.insert("states.amazonaws.com");
    let source = execution_role::resolve(context, spec.role.as_ref(), access, &place)?;
    let text = context.substituted(&spec.text, &place.at("text"));
    let stack = DesiredStack {
        identity: context.identity(document),
        envelope: Envelope { parameters: source.parameters, needs: source.needs, ..context.envelope(document) },
        view: View::Fortune(Box::new(FortuneView { text, role: source.role })),
        hatch: Hatch::default(),
        origins: BTreeMap::from([("Fortune/Properties/Definition".into(), place.at("text").field())]),
        fetched: Arc::default(),
        span: document.origin.span("/metadata/name"),
    };
    Some(ResolvedStack { stack, shared: source.shared, named_role: source.named })
}
