//! Answers have an end: what is longer than any answer of AWS breaks off.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextMut, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use http_body_util::Limited;

/// Bytes of one answer. A page of stacks or changes has at most 1 MB, a template 1,000,000 bytes.
pub(super) const LONGEST: usize = 16 << 20;

/// Puts the limit on each answer before it is read.
#[derive(Debug)]
pub(super) struct LimitAnswers;

#[dyn_dispatch_hint]
impl Intercept for LimitAnswers {
    fn name(&self) -> &'static str {
        "limit answers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(whole, LONGEST));
        Ok(())
    }
}
