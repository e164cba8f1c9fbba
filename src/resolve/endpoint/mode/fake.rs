//! A mode that nobody has, to measure what one more costs: answers go to S3, and nothing is rolled out.

use super::{Common, Shape, only};
use crate::{
    manifest::Endpoint,
    resolve::{
        Context,
        access::{Bucket, Grant, Need},
        references::Place,
        view::{FakeView, ModeView},
    },
};

pub(super) fn shape<'a>(context: &mut Context<'_>, spec: &'a Endpoint, place: &Place<'a>) -> Option<Shape<'a>> {
    let servings = vec![only(context, spec, place)?];
    let place = place.at("fake").at("answers");
    let fake = spec.fake.as_ref().map(|fake| FakeView { uri: context.substituted(&fake.answers, &place) });
    let answers = fake.as_ref().and_then(|fake| Bucket::parse(&fake.uri));
    Some(Shape {
        servings,
        needs: answers.map(|answers| Need::WriteS3(Grant::to_write(&answers))).into_iter().collect(),
        without: &[Common::Rollout],
        own: ModeView { fake },
        origins: vec![("EndpointConfig/Properties/FakeConfig", place)],
    })
}
