//! What templates see: a typed view for each kind that becomes a stack.
//!
//! A view speaks of models, instances and counts; CloudFormation's words are the template's. Where the service has a
//! list there is a list, and each part carries its logical ids, made once ([`logical_id`]) and used by the template
//! and by origins alike. Only [`Given`], [`Statement`] and [`Verbatim`] are in CloudFormation's and IAM's own form,
//! because they are computed or written by users, not laid out; `| value` puts them into a body.
//!
//! The docs of these types are what `hubform schema --view KIND` prints and docs/templates.md is made from: a team's
//! own templates are written against them.

mod endpoint;
#[cfg(test)]
mod fortune;
mod given;
mod ids;
mod mode;
mod role;

use serde::Serialize;

use crate::manifest::Kind;

pub use endpoint::{
    AlarmView, CaptureView, DataView, DimensionView, EndpointView, ExecutionRole, ModelView, RolloutView, RoutingView,
    ScalerView, ScalingMetric, ScheduleView, StepSize, Strategy, VariantView, VpcView, Watched,
};
#[cfg(test)]
pub use fortune::FortuneView;
pub use given::{Given, Givens, Number, Verbatim};
pub use ids::{ALL_TRAFFIC, logical_id};
#[cfg(test)]
pub use mode::FakeView;
pub use mode::ModeView;
pub use role::{Condition, PolicyStatement, Resources, RoleStackView, RoleView, Statement};

macro_rules! views {
    ($($(#[$on:meta])* $kind:ident($view:ty) $template:literal,)*) => {
        /// What the template of a stack sees.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum View {
            $(#[doc = concat!("For `", $template, "`.")] $(#[$on])* $kind(Box<$view>),)*
        }

        impl View {
            /// Kinds that have a view.
            pub const KINDS: &'static [Kind] = &[$($(#[$on])* Kind::$kind,)*];

            /// The template that is rendered with it.
            pub fn template(&self) -> &'static str {
                match self { $($(#[$on])* Self::$kind(_) => $template,)* }
            }

            /// JSON Schema (2020-12) of a kind's view, where it has one.
            pub fn schema(kind: Kind) -> Option<schemars::Schema> {
                let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
                match kind {
                    $($(#[$on])* Kind::$kind => Some(settings.into_generator().into_root_schema_for::<$view>()),)*
                    _ => None,
                }
            }
        }
    };
}

views! {
    Endpoint(EndpointView) "endpoint.yaml.tera",
    Role(RoleStackView) "role.yaml.tera",
    #[cfg(test)]
    Fortune(FortuneView) "fortune.yaml.tera",
}
