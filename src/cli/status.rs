//! `hubform status`: what stands in the account, and whether each endpoint runs what its stack made.

use anyhow::Result;

use super::{
    Exit, Host,
    args::{Format, Globals, Selection},
    context, format,
    load::load,
    plan::{identify, options},
    session, stop_at_lost_lock, tell, telling,
};
use crate::{
    gather,
    plan::{self, Purpose},
    report::status::{StatusRow, human, json},
};

pub(super) async fn run(host: &mut Host, globals: &Globals, selection: &Selection) -> Result<Exit> {
    let options = options(host, globals, Purpose::Status).await?;
    let mut loaded = load(host, selection, &options)?;
    stop_at_lost_lock(host, selection, &loaded)?;
    if loaded.read.scopes.is_empty() {
        tell(host, selection, &loaded)?;
        return Ok(Exit::Refused);
    }
    let session = session::open(host, globals)?;
    identify(session.asking(&telling(host)), &mut loaded).await?;
    let environments = plan::environments(&loaded.read.scopes, &loaded.facts);
    let bodies = Purpose::Status.bodies(&environments, &loaded.specs);
    let observation = gather::observe(session.asking(&telling(host)), &loaded.read.targets(), &bodies).await?;
    let ours = plan::ours(&environments, &observation);
    let names = ours.iter().filter_map(|(_, observed)| Some((&observed.target, observed.endpoint_name()?)));
    let endpoints = gather::endpoints(session.asking(&telling(host)), names).await?;
    let specs = plan::by_stack(&loaded.specs);
    let rows = ours.into_iter().map(|(identity, observed)| {
        let endpoint = observed.endpoint_name().and_then(|name| endpoints.get(&(&observed.target, name)).cloned());
        let wide = specs.get(&identity.stack).and_then(|spec| plan::Wide::read(spec, observed));
        StatusRow::new(identity, observed, endpoint.flatten(), wide)
    });
    let rows: Vec<StatusRow> = rows.collect();
    let elsewhere = plan::elsewhere(&environments, &observation);
    let context = context(host, session.label());
    let text = match format(host, selection) {
        Format::Json => format!("{}\n", json(&rows, &elsewhere, &context)),
        _ => human(&rows, &elsewhere, &context),
    };
    host.output.write_all(text.as_bytes())?;
    session.close()?;
    Ok(if rows.iter().all(StatusRow::is_healthy) { Exit::Done } else { Exit::Failed })
}
