//! `hubform plan`: what `apply` would do. `apply` and `destroy` begin with the same story.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Exit, Host, Refusal, args,
    args::{Format, Globals, Planning, Selection},
    context, format,
    load::{Loaded, load_asking},
    read::LoadOptions,
    session::{self, Session},
    stop_at_errors, tell, tell_errors, tell_findings, telling,
};
use crate::{
    cloud::Target,
    gather::{self, Asking},
    plan::{self, AfterLook, Blocking, Observation, Plan, PlannedEnvironment, Purpose, Request, WaitState},
    report,
    resolve::{OwnerPolicy, Questions, ask_roles, judge_roles, wrong_account},
};

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::PlanArgs) -> Result<Exit> {
    let asked = PlanningRequest { planning: &args.planning, adopt: &args.adopting.adopt, purpose: Purpose::Plan };
    let prepared = prepare(host, globals, asked).await?;
    show(host, &args.planning, &prepared)?;
    if format(host, &args.planning.selection) == Format::Human {
        let text = report::plan::not_asked(&prepared.plan, &context(host, None));
        host.output.write_all(text.as_bytes())?;
    }
    let pending = !prepared.plan.is_empty();
    prepared.session.close()?;
    Ok(if pending && args.detailed_exitcode { Exit::Pending } else { Exit::Done })
}

/// What a verb that plans was asked.
#[derive(Clone, Copy)]
pub(super) struct PlanningRequest<'a> {
    pub(super) planning: &'a Planning,
    pub(super) adopt: &'a [String],
    pub(super) purpose: Purpose,
}

/// A plan and the account it was made for.
pub(super) struct Prepared {
    pub(super) session: Session,
    pub(super) plan: Plan,
}

/// Loads, asks, gathers, resolves, renders, observes, plans and audits. What stops the run was told when this fails.
pub(super) async fn prepare(host: &mut Host, globals: &Globals, asked: PlanningRequest<'_>) -> Result<Prepared> {
    let (selection, options) = (&asked.planning.selection, options(host, globals, asked.purpose).await?);
    let loaded = load_asking(host, selection, &options).await?;
    stop_at_errors(host, selection, &loaded)?;
    let session = session::open(host, globals)?;
    let mut loaded = with_accounts(host, selection, &options, &session, loaded).await?;
    settle(host, asked, &options, &session, &mut loaded).await?;
    let wanted = PlanInputs::new(host, asked, &loaded);
    let observation = observe(host, &session, &wanted).await?;
    let (plan, found) = wanted.with_request(&observation, |request| asked.purpose.plan(request));
    tell_findings(host, selection, &found, &loaded)?;
    refuse_doubtful(&plan)?;
    Ok(Prepared { session, plan })
}

/// How a verb on an account loads.
pub(super) async fn options(host: &Host, globals: &Globals, purpose: Purpose) -> Result<LoadOptions> {
    let sandbox = session::sandbox_folder(host, globals);
    let makes = matches!(purpose, Purpose::Plan | Purpose::Apply { .. });
    Ok(LoadOptions {
        profile_region: session::profile_region(host, globals).await?,
        region_needed: sandbox.is_none(),
        lock_overlay: sandbox.filter(|_| host.sandbox.is_none()),
        unlocked: !makes,
        today: purpose == Purpose::Plan,
        owner: if makes { OwnerPolicy::Made } else { OwnerPolicy::Known },
        ..LoadOptions::default()
    })
}

/// Learns whose account each target is, and resolves again where that was missing.
async fn with_accounts(
    host: &mut Host,
    selection: &Selection,
    options: &LoadOptions,
    session: &Session,
    mut loaded: Loaded,
) -> Result<Loaded> {
    busy(host, Some(&loaded.read.targets()))?;
    let identified = identify(session.asking(&telling(host)), &mut loaded).await;
    busy(host, None)?;
    identified?;
    // Nobody is left to ask: what is open now would be a finding.
    if loaded.resolved.questions.is_empty() { Ok(loaded) } else { loaded.closed().again(host, selection, options) }
}

/// Asks whose account each target is. Refuses where an environment names another one than the credentials are for.
pub(super) async fn identify(asking: Asking<'_>, loaded: &mut Loaded) -> Result<()> {
    let questions = Questions { accounts: loaded.read.targets(), ..Questions::default() };
    loaded.facts.extend(gather::facts(asking, &questions).await?);
    match wrong_account(&loaded.read.scopes, &loaded.facts) {
        Some(wrong) => anyhow::bail!(Refusal::wrong_account(&wrong)),
        None => Ok(()),
    }
}

/// Tells what was found; for stacks that stay, looks named roles up and writes down what was chosen.
async fn settle(
    host: &mut Host,
    asked: PlanningRequest<'_>,
    options: &LoadOptions,
    session: &Session,
    loaded: &mut Loaded,
) -> Result<()> {
    let selection = &asked.planning.selection;
    if asked.purpose.destroys() {
        return tell_errors(host, selection, loaded);
    }
    tell(host, selection, loaded)?;
    let questions = ask_roles(&loaded.resolved.named_roles, &loaded.facts);
    loaded.facts.extend(gather::facts(session.asking(&telling(host)), &questions).await?);
    tell_findings(host, selection, &judge_roles(&loaded.resolved.named_roles, &loaded.facts), loaded)?;
    let (_, found) = loaded.keep_locks(host, selection, options)?;
    tell_findings(host, selection, &found, loaded)
}

/// Everything that a plan goes by, but for what stands in the accounts.
struct PlanInputs<'a> {
    asked: PlanningRequest<'a>,
    loaded: &'a Loaded,
    environments: Vec<PlannedEnvironment>,
    allow: BTreeSet<String>,
    adopt: BTreeSet<String>,
    nonce: String,
}

impl<'a> PlanInputs<'a> {
    fn new(host: &mut Host, asked: PlanningRequest<'a>, loaded: &'a Loaded) -> Self {
        let environments = plan::environments(&loaded.read.scopes, &loaded.facts);
        let (allow, adopt) = (asked.planning.allow.iter().cloned(), asked.adopt.iter().cloned());
        Self { asked, loaded, environments, allow: allow.collect(), adopt: adopt.collect(), nonce: host.new_id() }
    }

    fn with_request<T>(&self, observation: &Observation, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let Self { loaded, environments, .. } = self;
        let purpose = self.asked.purpose;
        ask(&Request {
            environments,
            specs: &loaded.specs,
            chosen: &purpose.chosen(&loaded.chosen, &loaded.whole, environments, observation),
            observation,
            allow: &self.allow,
            adopt: &self.adopt,
            validate: purpose.validates(),
            catalog: loaded.read.catalog(),
            nonce: &self.nonce,
        })
    }
}

/// What stands in the accounts, once nothing is in the way of a plan.
async fn observe(host: &mut Host, session: &Session, wanted: &PlanInputs<'_>) -> Result<Observation> {
    let PlanInputs { asked, loaded, environments, .. } = wanted;
    let (targets, bodies) = (loaded.read.targets(), asked.purpose.bodies(environments, &loaded.specs));
    let mut waiting = WaitState::default();
    busy(host, Some(&targets))?;
    loop {
        let seen = gather::observe(session.asking(&telling(host)), &targets, &bodies).await;
        let seen = seen.or_else(|error| busy(host, None).and(Err(error.into())))?;
        let now = session.clock.now();
        match wanted.with_request(&seen, |request| waiting.after_look(asked.purpose, request, now)) {
            AfterLook::Plan => break busy(host, None).and(Ok(seen)),
            AfterLook::Refuse(blocking) => {
                busy(host, None)?;
                anyhow::bail!(Refusal::blocked(&blocking));
            }
            AfterLook::Wait { say, until } => {
                say.map_or(Ok(()), |blocking| say_waiting(host, session, &asked.planning.selection, &blocking))?;
                session.clock.sleep_until(until).await;
            }
        }
    }
}

fn say_waiting(host: &mut Host, session: &Session, selection: &Selection, blocking: &[Blocking]) -> Result<()> {
    busy(host, None)?;
    match format(host, selection) {
        Format::Json => {
            let lines = report::waiting::json_lines(blocking, session.label());
            host.output.write_all(lines.as_bytes())?;
        }
        _ => writeln!(host.errors, "waiting: {}", report::waiting::human(blocking))?,
    }
    host.output.flush()?;
    Ok(host.errors.flush()?)
}

fn refuse_doubtful(plan: &Plan) -> Result<()> {
    let doubts = plan::audit(plan);
    if doubts.is_empty() { Ok(()) } else { anyhow::bail!(Refusal::doubtful(&doubts)) }
}

/// On a terminal, says what is being waited for; with nothing, takes it back.
fn busy(host: &mut Host, targets: Option<&BTreeSet<Target>>) -> Result<()> {
    if !host.interactive || host.terminal.is_none() {
        return Ok(());
    }
    match targets {
        Some(targets) => {
            let regions: BTreeSet<_> = targets.iter().map(|target| target.region.as_str()).collect();
            write!(host.errors, "reading stacks in {} …", Vec::from_iter(regions).join(", "))?;
        }
        None => write!(host.errors, "\r\u{1b}[K")?,
    }
    Ok(host.errors.flush()?)
}

/// Prints the plan.
pub(super) fn show(host: &mut Host, args: &Planning, prepared: &Prepared) -> Result<()> {
    let context = context(host, prepared.session.label());
    let text = match format(host, &args.selection) {
        Format::Human => report::plan::human(&prepared.plan, &context),
        Format::Json => format!("{}\n", report::plan::json(&prepared.plan, &context)?),
        Format::Markdown => report::plan::markdown(&prepared.plan, &context),
    };
    host.output.write_all(text.as_bytes())?;
    Ok(host.output.flush()?)
}
