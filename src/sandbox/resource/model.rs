//! SageMaker's models.

use serde_json::Value;

use super::{CreatedResource, Handled, HandlerFailure, HandlerSite, ResourceHandler, iam, naming, text};

pub(super) const TYPE: &str = "AWS::SageMaker::Model";

/// A model: images, and where weights are.
pub(super) struct ModelHandler;

impl ResourceHandler for ModelHandler {
    /// Makes a model: its role must exist and trust SageMaker, its images be where SageMaker can pull them. (M, D)
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        if let Some(role) = text(properties, "ExecutionRoleArn") {
            iam::check_assumable(site, role, "sagemaker.amazonaws.com")?;
        }
        check_containers(site, properties)?;
        let name = naming::name(site, TYPE, properties);
        let arn = site.sagemaker_arn("model", &name);
        let attributes = naming::attributes(site, TYPE, properties, &name, &arn);
        site.put(TYPE, &arn, &name, arn.clone(), properties.clone())?;
        Ok(CreatedResource {
            physical_id: arn.clone(),
            reference: arn,
            attributes,
            settles_in: site.seconds("create", 1, 4),
        })
    }
}

/// Containers by the place that SageMaker names in a refusal.
fn containers(properties: &Value) -> Vec<(String, &Value)> {
    let primary = properties.get("PrimaryContainer").map(|container| ("primaryContainer".to_owned(), container));
    let several = properties["Containers"].as_array().into_iter().flatten();
    let several = several.enumerate().map(|(at, container)| (format!("containers.{}.member", at + 1), container));
    primary.into_iter().chain(several).collect()
}

fn check_containers(site: &HandlerSite<'_>, properties: &Value) -> Handled<()> {
    let containers = containers(properties);
    if containers.is_empty() {
        return Err(HandlerFailure::invalid("A model needs PrimaryContainer, Containers or InferenceExecutionConfig"));
    }
    for (place, container) in &containers {
        check_image(site, container)?;
        check_environment(place, &container["Environment"], MOST_VARIABLES)?;
    }
    // (M; the words are not recorded)
    let bytes: usize = containers.iter().map(|(_, container)| environment_bytes(&container["Environment"])).sum();
    match bytes > ENVIRONMENT_BYTES {
        true => {
            Err(HandlerFailure::invalid(format!("The environment has {bytes} bytes, more than {ENVIRONMENT_BYTES}")))
        }
        false => Ok(()),
    }
}

/// An image is in ECR in the Region of the model, or in a registry that is reached through the VPC. (M; O: the words,
/// sagemaker-python-sdk#4700 and sagemaker-pytorch-inference-toolkit#7)
pub(super) fn check_image(site: &HandlerSite<'_>, container: &Value) -> Handled<()> {
    let Some(image) = text(container, "Image") else { return Ok(()) };
    if container["ImageConfig"]["RepositoryAccessMode"] == "Vpc" {
        return Ok(());
    }
    let own = &site.place.region;
    let host = image.split('/').next().unwrap_or_default();
    match host.split('.').collect::<Vec<_>>().as_slice() {
        [account, "dkr", "ecr", region, ..] if account.len() == 12 && region == own => Ok(()),
        [_, "dkr", "ecr", region, ..] if region != own => Err(HandlerFailure::invalid(format!(
            "Region of \"{image}\" does not match expected region of {own}. Cross region ECR image pulls are not allowed."
        ))),
        _ => Err(HandlerFailure::invalid(format!(
            "Using non-ECR image \"{image}\" without Vpc repository access mode is not supported."
        ))),
    }
}

/// Variables of a container. (M)
const MOST_VARIABLES: usize = 100;
/// Bytes of a variable's name, and of its value. (M)
const LONGEST_VARIABLE: usize = 1024;
/// Bytes of all names and values of a model. (M)
const ENVIRONMENT_BYTES: usize = 32 * 1024;

fn variables(environment: &Value) -> impl Iterator<Item = (&str, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    environment.as_object().into_iter().flatten().map(move |(name, value)| (name.as_str(), text(value)))
}

fn environment_bytes(environment: &Value) -> usize {
    variables(environment).map(|(name, value)| name.len() + value.len()).sum()
}

/// Refuses an environment. (M; O: the words about a value, sagemaker-sparkml-serving-container#12, which are without
/// the value here; the others follow their form)
pub(super) fn check_environment(place: &str, environment: &Value, most: usize) -> Handled<()> {
    let refuse = |constraint: String| {
        let start = format!("1 validation error detected: Value at '{place}.environment' failed to satisfy constraint");
        Err(HandlerFailure::invalid(format!("{start}: {constraint}")))
    };
    let length = format!("Member must have length less than or equal to {LONGEST_VARIABLE}");
    let named = |name: &str| {
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        plain && !name.is_empty() && name.len() <= LONGEST_VARIABLE && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    if variables(environment).count() > most {
        return refuse(format!("Member must have length less than or equal to {most}"));
    }
    if variables(environment).any(|(name, _)| !named(name)) {
        let pattern = "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*";
        return refuse(format!("Map keys must satisfy constraint: [{length}, {pattern}]"));
    }
    if variables(environment).any(|(_, value)| value.len() > LONGEST_VARIABLE) {
        let rest = "Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [\\S\\s]*";
        return refuse(format!("Map value must satisfy constraint: [{length}, {rest}]"));
    }
    Ok(())
}

/// Is there a model of this name?
pub(super) fn exists(site: &HandlerSite<'_>, name: &str) -> bool {
    site.object(TYPE, &site.sagemaker_arn("model", name)).is_some()
}
