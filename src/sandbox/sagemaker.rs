//! The SageMaker port.

use super::Client;
use crate::cloud::{EndpointDescription, Reply, SageMaker};

impl SageMaker for Client {
    fn describe_endpoint<'a>(&'a self, name: &str) -> Reply<'a, Option<EndpointDescription>> {
        let wanted = name.to_owned();
        self.ask("DescribeEndpoint", name, |core, place| Ok(core.state.describe_endpoint(place, &wanted)))
    }
}
