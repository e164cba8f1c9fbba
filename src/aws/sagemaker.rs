//! SageMaker's endpoints.

use aws_sdk_sagemaker::{Client, operation::describe_endpoint::DescribeEndpointOutput};

use super::{
    convert::{Read, required, text},
    error::CallSite,
};
use crate::cloud::{CloudErrorKind, EndpointDescription, Reply, SageMaker};

/// SageMaker in one account and Region.
pub(super) struct SageMakerClient {
    client: Client,
    site: CallSite,
}

impl SageMakerClient {
    pub(super) fn new(client: Client, site: CallSite) -> Self {
        Self { client, site }
    }
}

impl SageMaker for SageMakerClient {
    fn describe_endpoint<'a>(&'a self, name: &str) -> Reply<'a, Option<EndpointDescription>> {
        let name = name.to_owned();
        Box::pin(async move {
            let sent = self.client.describe_endpoint().endpoint_name(&name).send();
            match self.site.ask("DescribeEndpoint", &name, sent, endpoint).await {
                Err(error) if is_missing(&error.kind) => Ok(None),
                answer => answer.map(Some),
            }
        })
    }
}

/// SageMaker has no code of its own for an endpoint that does not exist.
fn is_missing(kind: &CloudErrorKind) -> bool {
    match kind {
        CloudErrorKind::NotFound => true,
        CloudErrorKind::Validation(text) => text.starts_with("Could not find endpoint"),
        _ => false,
    }
}

fn endpoint(from: DescribeEndpointOutput) -> Read<EndpointDescription> {
    Ok(EndpointDescription {
        name: required(from.endpoint_name, "EndpointName")?,
        arn: required(from.endpoint_arn, "EndpointArn")?,
        config_name: required(from.endpoint_config_name, "EndpointConfigName")?,
        status: required(from.endpoint_status, "EndpointStatus")?.as_str().into(),
        failure_reason: text(from.failure_reason),
    })
}
