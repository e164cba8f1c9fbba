//! `hubform completions`: a script for the user's shell.

use anyhow::Result;
use clap::CommandFactory;

use super::{Exit, Host, args};

pub(super) fn run(host: &mut Host, args: &args::CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::Cli::command(), "hubform", &mut script);
    host.output.write_all(&script)?;
    Ok(Exit::Done)
}
