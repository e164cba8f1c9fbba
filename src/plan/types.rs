//! What a resource type means to us, beyond what CloudFormation's schema says of it. One table; the audit keeps its own.

use std::time::Duration;

/// One row.
struct Meaning {
    resource_type: &'static str,
    /// Losing it is what protection is there for: it serves, or others run with it.
    protected: bool,
    /// The property whose change makes it another one to those who call it, though CloudFormation replaces it gladly.
    identity: Option<&'static str>,
    /// A new one makes an endpoint start a second fleet beside the first.
    starts_fleet: bool,
    /// About how long it takes CloudFormation to make or change one, in seconds; a guess that only orders what is ready.
    seconds: u64,
}

const NOTHING: Meaning =
    Meaning { resource_type: "", protected: false, identity: None, starts_fleet: false, seconds: 30 };

static MEANINGS: [Meaning; 7] = [
    Meaning { resource_type: "AWS::AutoScaling::AutoScalingGroup", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::ElasticLoadBalancingV2::LoadBalancer", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::IAM::Role", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::SageMaker::Cluster", protected: true, ..NOTHING },
    Meaning {
        resource_type: "AWS::SageMaker::Endpoint",
        protected: true,
        identity: Some("EndpointName"),
        // With a GPU it takes minutes to pull the image and load the model.
        seconds: 8 * 60,
        ..NOTHING
    },
    Meaning { resource_type: "AWS::SageMaker::EndpointConfig", starts_fleet: true, ..NOTHING },
    Meaning { resource_type: "AWS::SageMaker::Model", starts_fleet: true, ..NOTHING },
];

fn of(resource_type: &str) -> &'static Meaning {
    MEANINGS.iter().find(|meaning| meaning.resource_type == resource_type).unwrap_or(&NOTHING)
}

/// May it only be lost where the user allows it?
pub(super) fn is_protected(resource_type: &str) -> bool {
    of(resource_type).protected
}

/// The property that says which one it is to those who call it.
pub(super) fn identity(resource_type: &str) -> Option<&'static str> {
    of(resource_type).identity
}

/// Does an endpoint start a second fleet when this is replaced?
pub(super) fn starts_fleet(resource_type: &str) -> bool {
    of(resource_type).starts_fleet
}

/// How long an operation takes that changes resources of these types: as long as the slowest.
pub(super) fn estimate<'a>(resource_types: impl Iterator<Item = &'a str>) -> Duration {
    Duration::from_secs(resource_types.map(|name| of(name).seconds).max().unwrap_or(NOTHING.seconds))
}
