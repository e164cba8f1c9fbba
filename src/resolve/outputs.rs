//! Outputs of the templates that code reads, by name.

/// The endpoint's name.
pub const ENDPOINT_NAME: &str = "EndpointName";
/// A role's ARN; the parameter for it in another stack has the same name.
pub const ROLE_ARN: &str = "RoleArn";
/// The name of the configuration that the endpoint runs.
pub const ENDPOINT_CONFIG_NAME: &str = "EndpointConfigName";
