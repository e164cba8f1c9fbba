//! The kinds of manifests: one type and one line here each.

mod endpoint;
mod environment;
#[cfg(test)]
mod fortune;
mod hardware;
mod model;
mod role;
mod scaling;

#[cfg(test)]
pub use endpoint::FakeSettings;
pub use endpoint::{
    Alarms, AsyncInference, Capture, CaptureContent, CaptureTypes, Component, Endpoint, Mode, Network, NotifyAsync,
    PrefixAware, PrefixAwareStrategy, Probe, Rollout, RolloutSize, RolloutStrategy, Routing, RoutingStrategy,
    Serverless, Shadow, Timeouts, Variant,
};
pub use environment::{
    Artifacts, Budget, DEFAULT_TARGET, Defaults, Encryption, Environment, Patch, Settings, Target, Vpc,
};
#[cfg(test)]
pub use fortune::Fortune;
pub(super) use hardware::sagemaker_spelling;
pub use hardware::{AcceleratorName, Hardware, Objective, Purchase, RankedInstance, Reservation};
pub use model::{Adapter, Engine, Model, Staging, StagingPlace, Token};
pub use role::Role;
pub use scaling::{Cooldown, Metric, Scaling, Schedule, Statistic, TargetTracking};

use super::check::{RuleCheck, Rules};

macro_rules! kinds {
    ($($(#[$on:meta])* $kind:ident $doc:literal,)*) => {
        /// What a manifest is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $doc] $(#[$on])* $kind,)*
        }

        /// The content of a manifest, by kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Spec {
            $(#[doc = $doc] $(#[$on])* $kind(Box<$kind>),)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Kind] = &[$($(#[$on])* Kind::$kind,)*];

            /// As written in `kind:`.
            pub fn name(self) -> &'static str {
                match self { $($(#[$on])* Kind::$kind => stringify!($kind),)* }
            }

            /// One sentence about it.
            pub fn about(self) -> &'static str {
                match self { $($(#[$on])* Kind::$kind => $doc,)* }
            }

            pub(super) fn subschema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $($(#[$on])* Kind::$kind => generator.subschema_for::<$kind>(),)* }
            }

            pub(super) fn deserialize(
                self,
                value: serde_json::Value,
            ) -> Result<Spec, serde_path_to_error::Error<serde_json::Error>> {
                match self {
                    $($(#[$on])* Kind::$kind => {
                        serde_path_to_error::deserialize(value).map(|spec| Spec::$kind(Box::new(spec)))
                    })*
                }
            }
        }

        impl Spec {
            /// The kind this is the content of.
            pub fn kind(&self) -> Kind {
                match self { $($(#[$on])* Spec::$kind(_) => Kind::$kind,)* }
            }

            pub(super) fn check(&self, at: &mut RuleCheck<'_>) {
                match self { $($(#[$on])* Spec::$kind(spec) => spec.check(at),)* }
            }
        }
    };
}

kinds! {
    Environment "Where manifests are deployed: account, Region, network, encryption, prefix, defaults, guard rails.",
    Model "Which weights at which revision, for which task, served by which engine and how.",
    Hardware "Which instances a manifest runs on.",
    Scaling "How many instances, by which metric, on which schedule.",
    Role "An IAM role with the statements that the manifests using it need.",
    Endpoint "A SageMaker endpoint.",
    #[cfg(test)]
    Fortune "A state machine that tells a fortune.",
}

/// Kinds of the language that this release does not know how to deploy.
pub(super) const LATER: [&str; 3] = ["Fleet", "Training", "Batch"];

impl Kind {
    /// The kind written like this, exactly.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
