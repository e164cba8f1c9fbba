//! A mode in tests only, to measure what one more costs: answers go to S3, and nothing is rolled out.

use super::{Common, EndpointShape, only};
use crate::{
    manifest::Endpoint,
    resolve::{
        Resolver,
        access::{Grant, Need, S3Prefix},
        references::FieldPlace,
        view::{FakeView, ModeView},
    },
};

pub(super) fn shape<'a>(
    context: &mut Resolver<'_>,
    spec: &'a Endpoint,
    place: &FieldPlace<'a>,
) -> Option<EndpointShape<'a>> {
    let servings = vec![only(context, spec, place)?];
    let place = place.at("fake").at("answers");
    let fake = spec.fake.as_ref().map(|fake| FakeView { uri: context.substituted(&fake.answers, &place) });
    let answers = fake.as_ref().and_then(|fake| S3Prefix::parse(&fake.uri));
    Some(EndpointShape {
        servings,
        needs: answers.map(|answers| Need::WriteS3(Grant::to_write(&answers))).into_iter().collect(),
        without: &[Common::Rollout],
        own: ModeView { fake },
        origins: vec![("EndpointConfig/Properties/FakeConfig", place)],
    })
}
