//! `hubform apply`: the plan, the question, the work.

use std::num::NonZeroUsize;

use anyhow::Result;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    Exit, Host, Refusal, args,
    args::{Acting, Format, Globals, Planning},
    ask, context, format,
    plan::{PlanningRequest, Prepared, prepare, show},
    progress::{ProgressMode, is_live, tell, watched},
    signals::{self, Signals},
};
use crate::{
    execute::{self, Event, Outcome, Settings},
    plan::Purpose,
    report,
};

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::ApplyArgs) -> Result<Exit> {
    let purpose = Purpose::Apply { validate: args.validate, waits: !args.acting.no_wait };
    let asked = PlanningRequest { planning: &args.planning, adopt: &args.adopting.adopt, purpose };
    let prepared = prepare(host, globals, asked).await?;
    show(host, &args.planning, &prepared)?;
    let verb = Confirmation { name: "apply", question: "Carry out this plan?" };
    confirmed(host, &args.planning, &args.acting, prepared, verb).await
}

/// What a verb that acts is called, and what it asks first.
pub(super) struct Confirmation {
    pub(super) name: &'static str,
    pub(super) question: &'static str,
}

/// Asks where something is to be done, then carries the plan out and says how it ended.
pub(super) async fn confirmed(
    host: &mut Host,
    args: &Planning,
    acting: &Acting,
    prepared: Prepared,
    verb: Confirmation,
) -> Result<Exit> {
    if !prepared.plan.is_empty() && !acting.yes {
        if !host.interactive {
            prepared.session.close()?;
            anyhow::bail!(Refusal::needs_yes(verb.name));
        }
        if !ask(host, verb.question)? {
            writeln!(host.errors, "Nothing was done.")?;
            prepared.session.close()?;
            return Ok(Exit::Refused);
        }
    }
    let began = prepared.session.clock.now();
    let (signals, interrupts) = signals::hear();
    let outcome = carry_out(host, args, acting, &prepared, (&signals, interrupts)).await?;
    let took = prepared.session.clock.now().since(began);
    let context = context(host, prepared.session.label());
    let text = match format(host, &args.selection) {
        Format::Json => format!("{}\n", report::outcome::json(&outcome, took, &context)),
        _ => report::outcome::human(&outcome, &prepared.plan, took, &context),
    };
    let written = host.output.write_all(text.as_bytes()).and_then(|()| host.output.flush());
    let closed = prepared.session.close();
    unwritten(host, written.err())?;
    closed?;
    Ok(Exit::of(&outcome))
}

/// What was done is done, whether or not it could be told.
fn unwritten(host: &mut Host, trouble: Option<std::io::Error>) -> Result<()> {
    match trouble {
        Some(error) => Ok(writeln!(host.errors, "note: the outcome could not be written: {error}")?),
        None => Ok(()),
    }
}

async fn carry_out(
    host: &mut Host,
    args: &Planning,
    acting: &Acting,
    prepared: &Prepared,
    (signals, interrupts): (&Signals, UnboundedReceiver<()>),
) -> Result<Outcome> {
    let format = format(host, &args.selection);
    let said = host.variable("HUBFORM_CONCURRENCY").and_then(|count| count.parse().ok());
    let progress = acting.progress.map_or_else(|| progress_of(host), Ok)?;
    let concurrency = acting.concurrency.or(said).map_or(Settings::default().concurrency, NonZeroUsize::get);
    let stacks = prepared.plan.steps.iter().filter(|step| !step.is_idle()).count();
    let rows = host.terminal.filter(|_| is_live(host, progress, format)).map(|terminal| terminal.height);
    let draw = watched(stacks, rows);
    let settings = Settings { concurrency, draw, ..Settings::default() };
    let mut teller = tell(host, progress, format, prepared.session.label());
    let mut report = |event: &Event| teller.hear(event);
    let session = &prepared.session;
    let plan = prepared.plan.clone();
    let outcome = execute::execute(plan, &*session.accounts, &*session.clock, settings, interrupts, &mut report).await;
    signals.over(Exit::of(&outcome));
    let trouble = teller.close(host, outcome.interrupted);
    unwritten(host, trouble)?;
    Ok(outcome)
}

/// What `HUBFORM_PROGRESS` says.
fn progress_of(host: &Host) -> Result<ProgressMode> {
    let Some(said) = host.variable("HUBFORM_PROGRESS") else { return Ok(ProgressMode::default()) };
    let known = <ProgressMode as clap::ValueEnum>::from_str(said, true);
    let message = format!("unknown HUBFORM_PROGRESS `{said}`");
    Ok(known.map_err(|_| Refusal::new(message, "use auto, live, plain or none"))?)
}
