//! What a container is started with: the variables of its engine, the manifest's flags, and its own variables.

use serde_json::Value;

use super::{Context, engine::Variables, hardware::Fit, model::Served};
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::ticked,
};

/// The container's environment, the manifest's own variables last.
pub(super) fn environment(context: &mut Context<'_>, served: &Served<'_>, fit: &Fit) -> Variables {
    let mut variables = (served.engine.environment)(served, fit);
    for (flag, value) in &served.spec.args {
        let Some(flags) = &served.engine.flags else {
            no_flags(context, served, flag);
            continue;
        };
        match flags.fields_of(flag) {
            Some(fields) => refuse_flag(context, served, flag, fields),
            None => {
                variables.insert(flags.variable(flag), text(value));
            }
        }
    }
    variables.extend(served.spec.env.clone());
    variables
}

fn refuse_flag(context: &mut Context<'_>, served: &Served<'_>, flag: &str, fields: &[&str]) {
    let message = format!("`{flag}` is set by hubform");
    let help = match fields {
        [] => "leave it out; SageMaker reaches the server only where hubform puts it".to_owned(),
        fields => format!("say {} in the model instead: hubform judges by it what fits", ticked(fields, "or")),
    };
    let place = served.place.at("args").at(flag);
    context.report(Diagnostic::new(Code::OwnFlag, message).at(place.span()).help(help));
}

fn no_flags(context: &mut Context<'_>, served: &Served<'_>, flag: &str) {
    let message = format!("`{flag}`: this engine has no flags of its own");
    let place = served.place.at("args").at(flag);
    context.report(Diagnostic::new(Code::NoFlags, message).at(place.span()).help("set its variables in `env`"));
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
