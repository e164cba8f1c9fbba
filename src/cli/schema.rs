//! `hubform schema`: what editors check manifests with, and what templates are written against.

use anyhow::{Result, bail};

use super::{Exit, Host, Refusal, args};
use crate::{
    diagnostic::did_you_mean,
    manifest::{self, Kind},
    resolve::view::View,
};

pub(super) fn run(host: &mut Host, args: &args::SchemaArgs) -> Result<Exit> {
    let kinds = if args.view { View::KINDS } else { Kind::ALL };
    let Some(name) = &args.kind else {
        for kind in kinds {
            writeln!(host.output, "{:<12} {}", kind.name(), kind.about())?;
        }
        return Ok(Exit::Done);
    };
    let Some(kind) = Kind::ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(name)) else {
        bail!(Refusal::new(format!("unknown kind `{name}`"), instead(name, kinds)));
    };
    let schema = match args.view {
        false => manifest::schema(*kind).clone(),
        true => match View::schema(*kind) {
            Some(schema) => schema.to_value(),
            None => {
                bail!(Refusal::new(
                    format!("`{kind}` has no stack of its own, so it has no template"),
                    instead("", kinds)
                ))
            }
        },
    };
    writeln!(host.output, "{}", serde_json::to_string_pretty(&schema)?)?;
    Ok(Exit::Done)
}

fn instead(name: &str, kinds: &[Kind]) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("kinds are {}", names.join(", ")),
    }
}
