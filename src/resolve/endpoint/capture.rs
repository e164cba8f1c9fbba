//! What is recorded of requests and answers.

use crate::{
    manifest::{Capture, CaptureContent, CaptureTypes},
    resolve::{Resolver, references::FieldPlace, settings::EncryptionKey, view::CaptureView},
};

pub(super) fn resolve(
    context: &mut Resolver<'_>,
    capture: &Capture,
    key: Option<&EncryptionKey>,
    place: &FieldPlace<'_>,
) -> CaptureView {
    let has = |side| capture.content.as_ref().is_none_or(|content| content.contains(&side));
    let CaptureTypes { csv, json } = capture.types.clone().unwrap_or_default();
    CaptureView {
        percent: capture.percent.0.round() as u32,
        uri: context.substituted(&capture.s3, &place.at("s3")),
        requests: has(CaptureContent::Input),
        answers: has(CaptureContent::Output),
        key: key.map(|key| key.id.clone()),
        csv,
        json,
    }
}
