//! A SageMaker endpoint, as far as its truth about itself is asked.

use serde::{Deserialize, Serialize};

use super::wire::wire_enum;

wire_enum! {
    /// Where an endpoint stands.
    EndpointStatus {
        OutOfService = "OutOfService",
        Creating = "Creating",
        Updating = "Updating",
        SystemUpdating = "SystemUpdating",
        RollingBack = "RollingBack",
        InService = "InService",
        Deleting = "Deleting",
        Failed = "Failed",
        UpdateRollbackFailed = "UpdateRollbackFailed",
    }
}

/// What DescribeEndpoint says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDescription {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The configuration it really runs: after a silent rollback not the one its stack made.
    pub config_name: String,
    /// Where it stands.
    pub status: EndpointStatus,
    /// Why it failed.
    pub failure_reason: Option<String>,
}
