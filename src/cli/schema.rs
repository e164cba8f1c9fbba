//! `hubform schema`: what editors check manifests with.

use anyhow::{Result, bail};

use super::{Exit, Host, Refusal, args};
use crate::{diagnostic::did_you_mean, manifest};

pub(super) fn run(host: &mut Host, args: &args::Schema) -> Result<Exit> {
    let Some(name) = &args.kind else {
        for kind in manifest::Kind::ALL {
            writeln!(host.output, "{:<12} {}", kind.name(), kind.about())?;
        }
        return Ok(Exit::Done);
    };
    let found = manifest::Kind::ALL.iter().find(|kind| kind.name().eq_ignore_ascii_case(name));
    let Some(kind) = found else {
        let names: Vec<_> = manifest::Kind::ALL.iter().map(|kind| kind.name()).collect();
        let help = match did_you_mean(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names.join(", ")),
        };
        bail!(Refusal::new(format!("there is no kind `{name}`"), help));
    };
    writeln!(host.output, "{}", serde_json::to_string_pretty(manifest::schema(*kind))?)?;
    Ok(Exit::Done)
}
