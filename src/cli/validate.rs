//! `hubform validate`: everything that can be known without an account.

use anyhow::Result;

use super::{
    Exit, Host,
    args::{Format, Selection},
    format,
    load::load,
    read::LoadOptions,
    tell,
};

pub(super) fn run(host: &mut Host, selection: &Selection) -> Result<Exit> {
    let loaded = load(host, selection, &LoadOptions::default())?;
    tell(host, selection, &loaded)?;
    let stacks = loaded.specs.len();
    let environments = loaded.read.scopes.iter().filter(|scope| scope.index == 0);
    let documents: usize = environments.map(|scope| scope.set.documents.len()).sum();
    if format(host, selection) != Format::Json {
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        writeln!(host.output, "valid: {}, {}", count(documents, "manifest"), count(stacks, "stack"))?;
    }
    Ok(Exit::Done)
}
