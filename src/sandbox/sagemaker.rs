//! The SageMaker port.

use super::Place;
use crate::cloud::{EndpointDescription, Reply, SageMaker};

impl SageMaker for Place {
    fn describe_endpoint<'a>(&'a self, name: &str) -> Reply<'a, Option<EndpointDescription>> {
        let wanted = name.to_owned();
        self.ask("DescribeEndpoint", name, |core, region| Ok(core.state.describe_endpoint(region, &wanted)))
    }
}
