//! What a container is started with: the variables of its engine, the manifest's flags, and its own variables.

use super::{Resolver, arguments, engine::Variables, serving::Serving};
use crate::{
    diagnostic::{Code, Diagnostic},
    manifest::ticked,
};

/// The container's environment, the manifest's own variables last.
pub(super) fn environment(context: &mut Resolver<'_>, serving: &Serving<'_>) -> Variables {
    let served = &serving.served;
    let mut variables = (served.engine.environment)(served, &serving.fit);
    arguments::check(context, serving, &variables);
    for (flag, value) in &served.spec.args {
        let Some(flags) = &served.engine.flags else {
            no_flags(context, serving, flag);
            continue;
        };
        match flags.fields_of(flag) {
            Some(fields) => refuse_flag(context, serving, flag, fields),
            None if flags.is_key(flag) => {
                arguments::refuse_key(context, flag, &served.place.at("args").at(flag));
            }
            None => {
                let text = arguments::listed(context, serving, flag, value);
                variables.insert(flags.variable(flag), text.unwrap_or_else(|| arguments::text(value)));
            }
        }
    }
    variables.extend(served.spec.env.clone());
    variables
}

fn refuse_flag(context: &mut Resolver<'_>, serving: &Serving<'_>, flag: &str, fields: &[&str]) {
    let message = format!("`{flag}` is set by hubform");
    let help = match fields {
        [] => "remove it; SageMaker reaches the server only where hubform puts it".to_owned(),
        fields => format!("set {} in the model instead: hubform uses it to check what fits", ticked(fields, "or")),
    };
    let place = serving.served.place.at("args").at(flag);
    context.report(Diagnostic::new(Code::OwnFlag, message).at(place.span()).help(help));
}

fn no_flags(context: &mut Resolver<'_>, serving: &Serving<'_>, flag: &str) {
    let message = format!("`{flag}`: this engine has no flags");
    let place = serving.served.place.at("args").at(flag);
    context.report(Diagnostic::new(Code::NoFlags, message).at(place.span()).help("set its variables in `env`"));
}
