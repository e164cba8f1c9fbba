//! At once, from instances that are always there: what all modes have is all it has.

use super::{Shape, only};
use crate::{
    manifest::Endpoint,
    resolve::{Context, references::Place},
};

pub(super) fn shape<'a>(context: &mut Context<'_>, spec: &'a Endpoint, place: &Place<'a>) -> Option<Shape<'a>> {
    Some(Shape { servings: vec![only(context, spec, place)?], ..Shape::default() })
}
