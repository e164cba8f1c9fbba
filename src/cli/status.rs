//! `hubform status`: what stands in the account, and whether each endpoint runs what its stack made.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    Exit, Host,
    args::{Format, Globals, Selection},
    context, format,
    load::load,
    read::Wants,
    session, tell, tell_errors, telling,
};
use crate::{
    cloud::{Stack, Tagged, Target},
    gather, plan, report,
    resolve::{Check, Identity},
};

pub(super) async fn run(host: &mut Host, globals: &Globals, selection: &Selection) -> Result<Exit> {
    let sandbox = session::sandbox_folder(host, globals);
    let wants = Wants {
        profile_region: session::profile_region(host, globals).await?,
        region_needed: sandbox.is_none(),
        lock_overlay: sandbox.filter(|_| host.sandbox.is_none()),
        unlocked: true,
        ..Wants::default()
    };
    let mut loaded = load(host, selection, &wants)?;
    if loaded.read.scopes.is_empty() {
        tell(host, selection, &loaded)?;
        return Ok(Exit::Refused);
    }
    if loaded.lock_is_lost() {
        // Whose the stacks are stands in the lock: without it every answer would be "nothing".
        tell_errors(host, selection, &loaded)?;
        return Ok(Exit::Refused);
    }
    let session = session::open(host, globals)?;
    let targets = loaded.read.targets();
    super::plan::identify(session.asking(&telling(host)), &mut loaded).await?;
    let environments = super::plan::environments(&loaded);
    let specs: BTreeMap<_, _> = loaded
        .specs
        .iter()
        .map(|spec| ((&spec.identity.stack.target, spec.identity.stack.name.as_str()), spec))
        .collect();
    let wants_body = |target: &Target, stack: &Stack| {
        let spec = specs.get(&(target, stack.name.as_str()));
        plan::may_belong(&environments, target, stack)
            && spec.map_or(plan::may_be_between(&stack.status), |spec| plan::wants_body(spec, stack))
    };
    let observation = gather::observe(session.asking(&telling(host)), &targets, &wants_body).await?;
    let mut rows = Vec::new();
    for observed in &observation.stacks {
        let tagged = Tagged::read(&observed.stack.tags).filter(|_| plan::belongs(&environments, observed));
        let Some(tagged) = tagged else { continue };
        let identity = Identity::read(observed.reference(), tagged);
        let check = Check::of_stack(&observed.stack.outputs).pop();
        let endpoint = match &check {
            Some(check) => gather::endpoint(session.asking(&telling(host)), &observed.target, check.endpoint()).await?,
            None => None,
        };
        let spec = specs.get(&(&observed.target, observed.stack.name.as_str()));
        let wide = spec.and_then(|spec| plan::Wide::read(spec, observed));
        rows.push(report::status::Row::new(identity, observed, endpoint, wide));
    }
    let elsewhere = plan::elsewhere(&environments, &observation);
    let context = context(host, session.label());
    let text = match format(host, selection) {
        Format::Json => format!("{}\n", report::status::json(&rows, &elsewhere, &context)),
        _ => report::status::human(&rows, &elsewhere, &context),
    };
    host.output.write_all(text.as_bytes())?;
    let healthy = rows.iter().all(report::status::Row::is_healthy);
    session.close()?;
    Ok(if healthy { Exit::Done } else { Exit::Failed })
}
