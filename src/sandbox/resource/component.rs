//! SageMaker's inference components: models on an endpoint that has only instances.

use serde_json::Value;

use super::{CreatedResource, Handled, HandlerFailure, HandlerSite, ResourceHandler, endpoint, model, naming, text};
use crate::{cloud::EndpointStatus, sandbox::stack::Record};

pub(super) const TYPE: &str = "AWS::SageMaker::InferenceComponent";

/// Variables of a component's container. (M)
const MOST_VARIABLES: usize = 16;

/// An inference component.
pub(super) struct ComponentHandler;

impl ResourceHandler for ComponentHandler {
    /// Makes an inference component on an endpoint that serves.
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        let container = &properties["Specification"]["Container"];
        model::check_image(site, container)?;
        model::check_environment("specification.container", &container["Environment"], MOST_VARIABLES)?;
        let endpoint_name = text(properties, "EndpointName").unwrap_or_default();
        let endpoint_arn = endpoint::arn(site, endpoint_name);
        if endpoint::find(site, endpoint_name).is_none_or(|state| state.status != EndpointStatus::InService) {
            return Err(HandlerFailure::not_found(format!("Could not find endpoint \"{endpoint_arn}\" in service.")));
        }
        let name = naming::name(site, TYPE, properties);
        let arn = site.sagemaker_arn("inference-component", &name);
        let attributes = naming::attributes(site, TYPE, properties, &name, &arn);
        site.put(TYPE, &arn, &name, arn.clone(), properties.clone())?;
        let key = site.key(TYPE, &arn);
        if let Some(object) = site.object_mut(endpoint::TYPE, &endpoint_arn) {
            object.users.insert(key);
        }
        Ok(CreatedResource {
            physical_id: arn.clone(),
            reference: arn,
            attributes,
            settles_in: site.seconds("create", 240, 420),
        })
    }

    /// Removes a deleted component from its endpoint.
    fn end(&self, site: &mut HandlerSite<'_>, record: &Record) {
        let key = site.key(TYPE, &record.physical_id);
        let endpoint = record.properties["EndpointName"].as_str().map(|name| endpoint::arn(site, name));
        if let Some(object) = endpoint.and_then(|arn| site.object_mut(endpoint::TYPE, &arn)) {
            object.users.remove(&key);
        }
    }
}
