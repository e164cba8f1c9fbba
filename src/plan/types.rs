//! What a resource type means to us, beyond what CloudFormation's schema says of it. One table; the audit keeps its own.

/// One row.
struct Meaning {
    resource_type: &'static str,
    /// Losing it is what protection is there for: it serves, or others run with it.
    protected: bool,
    /// The property whose change makes it another one to those who call it, though CloudFormation replaces it gladly.
    identity: Option<&'static str>,
    /// A new one makes an endpoint start a second fleet beside the first.
    starts_fleet: bool,
}

const NOTHING: Meaning = Meaning { resource_type: "", protected: false, identity: None, starts_fleet: false };

static MEANINGS: [Meaning; 7] = [
    Meaning { resource_type: "AWS::AutoScaling::AutoScalingGroup", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::ElasticLoadBalancingV2::LoadBalancer", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::IAM::Role", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::SageMaker::Cluster", protected: true, ..NOTHING },
    Meaning { resource_type: "AWS::SageMaker::Endpoint", protected: true, identity: Some("EndpointName"), ..NOTHING },
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
