//! SageMaker's models.

use serde_json::Value;

use super::{Failure, Handled, Handler, Made, Site, iam, naming, text};

pub(super) const TYPE: &str = "AWS::SageMaker::Model";

/// What is served: images and where weights are.
pub(super) struct Model;

impl Handler for Model {
    /// Makes a model: its role must exist and trust SageMaker, its images be where SageMaker can pull them. (M, D)
    fn create(&self, site: &mut Site<'_>, _kind: &str, properties: &Value) -> Handled<Made> {
        if let Some(role) = text(properties, "ExecutionRoleArn") {
            iam::check_assumable(site, role, "sagemaker.amazonaws.com")?;
        }
        let several = properties["Containers"].as_array().into_iter().flatten();
        let containers: Vec<&Value> = properties.get("PrimaryContainer").into_iter().chain(several).collect();
        if containers.is_empty() {
            return Err(Failure::invalid("A model needs PrimaryContainer, Containers or InferenceExecutionConfig"));
        }
        containers.into_iter().try_for_each(|container| check_image(site, container))?;
        let name = naming::name(site, TYPE, properties);
        let arn = site.sagemaker_arn("model", &name);
        let attributes = naming::attributes(site, TYPE, properties, &name, &arn);
        site.put(TYPE, &arn, &name, arn.clone(), properties.clone())?;
        Ok(Made { physical_id: arn.clone(), reference: arn, attributes, settles_in: site.seconds("create", 1, 4) })
    }
}

/// The image must be in ECR in the same Region, or in a registry reached through the VPC. (M)
fn check_image(site: &Site<'_>, container: &Value) -> Handled<()> {
    let Some(image) = text(container, "Image") else { return Ok(()) };
    if container["ImageConfig"]["RepositoryAccessMode"] == "Vpc" {
        return Ok(());
    }
    let host = image.split('/').next().unwrap_or_default();
    let parts: Vec<&str> = host.split('.').collect();
    match parts.as_slice() {
        [account, "dkr", "ecr", region, ..] if account.len() == 12 && *region == site.place.region => Ok(()),
        [_, "dkr", "ecr", region, ..] => Err(Failure::invalid(format!(
            "The image {image} is in {region}; a model's image must be in the Region of the model, {}",
            site.place.region
        ))),
        _ => Err(Failure::invalid(format!(
            "Using non-ECR image \"{image}\" without Vpc repository access mode is not supported."
        ))),
    }
}

/// Is there a model of this name?
pub(super) fn exists(site: &Site<'_>, name: &str) -> bool {
    site.object(TYPE, &site.sagemaker_arn("model", name)).is_some()
}
