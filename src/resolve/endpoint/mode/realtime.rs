//! At once, from instances that are always there: what all modes have is all it has.

use super::{EndpointShape, only};
use crate::{
    manifest::Endpoint,
    resolve::{Resolver, references::FieldPlace},
};

pub(super) fn shape<'a>(
    context: &mut Resolver<'_>,
    spec: &'a Endpoint,
    place: &FieldPlace<'a>,
) -> Option<EndpointShape<'a>> {
    Some(EndpointShape { servings: vec![only(context, spec, place)?], ..EndpointShape::default() })
}
