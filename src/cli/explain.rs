//! `hubform explain`: a code and its page.

use anyhow::{Result, bail};

use super::{Exit, Host, Refusal, args};
use crate::diagnostic::Code;

pub(super) fn run(host: &mut Host, args: &args::ExplainArgs) -> Result<Exit> {
    let Some(text) = &args.code else {
        for code in Code::ALL {
            writeln!(host.output, "{}  {}", code.number(), code.title())?;
        }
        return Ok(Exit::Done);
    };
    match Code::find(text) {
        Some(code) => write!(host.output, "{}: {}\n\n{}", code.number(), code.title(), code.page())?,
        None => bail!(Refusal::new(format!("unknown code `{text}`"), "`hubform explain` lists them")),
    }
    Ok(Exit::Done)
}
