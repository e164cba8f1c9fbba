//! Outputs of the templates that code reads, by name.

/// The endpoint's name.
pub const ENDPOINT_NAME: &str = "EndpointName";
/// The name of the configuration that the endpoint runs.
pub const ENDPOINT_CONFIG_NAME: &str = "EndpointConfigName";
