//! A serving's model as SageMaker has it: one container, its environment, and where in a network it runs.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::Document,
    resolve::{
        Resolver, container,
        model::Weights,
        serving::Serving,
        settings::Placed,
        view::{DataView, ModelView, logical_id},
    },
};

pub(super) fn resolve(
    context: &mut Resolver<'_>,
    serving: &Serving<'_>,
    network: &Placed,
    document: &Document,
) -> ModelView {
    let environment = container::environment(context, serving);
    check_environment(context, &environment, document);
    let data = match &serving.served.weights {
        Weights::S3 { uri, archive, .. } => Some(DataView { uri: uri.clone(), archive: *archive }),
        Weights::Hub { .. } => None,
    };
    ModelView {
        id: ModelView::id_of(serving.name),
        location_output: logical_id("ModelLocation", serving.name),
        image: serving.container.uri.clone(),
        environment,
        data,
        vpc: network.vpc.clone(),
        isolated: network.isolated,
    }
}

/// Limits of a container's environment: 100 variables, 1,024 bytes each, 32 KiB together.
fn check_environment(context: &mut Resolver<'_>, variables: &BTreeMap<String, String>, document: &Document) {
    let total: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    let long = variables.iter().find(|(name, value)| name.len() > 1024 || value.len() > 1024);
    let problem = match long {
        Some((name, _)) => format!("`{name}` is longer than 1,024 bytes"),
        None if variables.len() > 100 => format!("{} variables are more than 100", variables.len()),
        None if total > 32 * 1024 => format!("{total} bytes are more than 32 KiB"),
        None => return,
    };
    let message = format!("SageMaker rejects this container's environment: {problem}");
    let span = document.origin.span("/spec/model");
    context.report(Diagnostic::new(Code::EnvironmentTooLarge, message).at(span));
}
