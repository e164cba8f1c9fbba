//! `hubform apply`: the plan, the question, the work.

use anyhow::Result;
use tokio::sync::mpsc;

use super::{
    Exit, Host, Refusal, args,
    args::{Acting, Format, Globals, Planning},
    ask, context, format,
    plan::{Prepared, Purpose, prepare, show},
};
use crate::{
    execute::{self, Event, Outcome, Settings},
    report::{
        self,
        progress::{Listener, Live, Ndjson, Plain},
    },
};

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::Apply) -> Result<Exit> {
    let purpose = Purpose::Apply { validate: args.validate, waits: !args.acting.no_wait };
    let Some(prepared) = prepare(host, globals, &args.planning, &args.adopting.adopt, purpose).await? else {
        return Ok(Exit::Refused);
    };
    show(host, &args.planning, &prepared)?;
    let verb = Verb { name: "apply", question: "Carry out this plan?" };
    confirmed(host, &args.planning, &args.acting, prepared, verb).await
}

/// How a verb that acts is named.
pub(super) struct Verb {
    pub(super) name: &'static str,
    pub(super) question: &'static str,
}

/// Asks where something is to be done, then carries the plan out and says how it ended.
pub(super) async fn confirmed(
    host: &mut Host,
    args: &Planning,
    acting: &Acting,
    prepared: Prepared,
    verb: Verb,
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
    let outcome = carry_out(host, args, acting, &prepared).await?;
    let took = prepared.session.clock.now().since(began);
    let context = context(host, prepared.session.label());
    let text = match format(host, &args.selection) {
        Format::Json => format!("{}\n", report::outcome::json(&outcome, took, &context)),
        _ => report::outcome::human(&outcome, &prepared.plan, took, &context),
    };
    host.output.write_all(text.as_bytes())?;
    prepared.session.close()?;
    Ok(Exit::of(&outcome))
}

/// Where lines are written, the resources of so many stacks are told; where there are more, only those that fail.
const TOLD: usize = 10;

async fn carry_out(host: &mut Host, args: &Planning, acting: &Acting, prepared: &Prepared) -> Result<Outcome> {
    let context = context(host, prepared.session.label());
    let format = format(host, &args.selection);
    let said = host.variable("HUBFORM_CONCURRENCY").and_then(|count| count.parse().ok());
    let concurrency = acting.concurrency.or(said).unwrap_or(Settings::default().concurrency).max(1);
    let terminal = host.terminal.filter(|_| format == Format::Human && !prepared.plan.is_empty());
    let stacks = prepared.plan.steps.iter().filter(|step| !step.is_idle()).count();
    let told = if stacks <= TOLD { stacks } else { 0 };
    let draw = terminal.map_or(told, |terminal| usize::from(terminal.height));
    let settings = Settings { concurrency, draw, ..Settings::default() };
    let lines = u16::try_from(stacks + 2).unwrap_or(u16::MAX);
    let mut listener: Box<dyn Listener + '_> = match (format, terminal) {
        (Format::Json, _) => Box::new(Ndjson::new(&mut host.output, context.label)),
        (_, Some(terminal)) => {
            let rows = lines.min(terminal.height.saturating_sub(2));
            Box::new(Live::on_terminal(&mut host.output, rows, &context)?)
        }
        _ => Box::new(Plain::new(&mut host.output, &context)),
    };
    let (stop, interrupts) = mpsc::unbounded_channel();
    let watcher = tokio::spawn(watch_signals(stop));
    let mut trouble = None;
    let mut report = |event: &Event| {
        if let Err(error) = listener.hear(event) {
            trouble.get_or_insert(error);
        }
    };
    let session = &prepared.session;
    let plan = prepared.plan.clone();
    let outcome = execute::execute(plan, &*session.accounts, &*session.clock, settings, interrupts, &mut report).await;
    watcher.abort();
    let closed = listener.close();
    drop(listener);
    if let Some(error) = trouble.or(closed.err()) {
        writeln!(host.errors, "note: progress could not be shown: {error}")?;
    }
    Ok(outcome)
}

/// Each interrupt is passed on; SIGTERM and SIGHUP count as two, which means leave at once.
async fn watch_signals(stop: mpsc::UnboundedSender<()>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return;
        };
        loop {
            let times = tokio::select! {
                _ = tokio::signal::ctrl_c() => 1,
                _ = terminate.recv() => 2,
                _ = hang_up.recv() => 2,
            };
            for _ in 0..times {
                // Nobody listens any more when the work is over.
                let _ = stop.send(());
            }
        }
    }
    #[cfg(not(unix))]
    while tokio::signal::ctrl_c().await.is_ok() {
        // Nobody listens any more when the work is over.
        let _ = stop.send(());
    }
}
