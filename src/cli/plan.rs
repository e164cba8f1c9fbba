//! `hubform plan`: what `apply` would do. `apply` and `destroy` begin with the same story.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;

use super::{
    Exit, Host, Refusal, args,
    args::{Format, Globals, Planning, Selection},
    context, format,
    load::{Loaded, load_asking},
    owners::Owner,
    read::Wants,
    session::{self, Session},
    tell, tell_errors, tell_findings, telling,
};
use crate::{
    diagnostic::Diagnostics,
    gather::{self, Asking},
    plan::{self, Blocking, Plan, PlannedEnvironment, Request},
    report,
    resolve::{Questions, Scope, ask_roles, judge_roles},
};

pub(super) async fn run(host: &mut Host, globals: &Globals, args: &args::Plan) -> Result<Exit> {
    let Some(prepared) = prepare(host, globals, &args.planning, &args.adopting.adopt, Purpose::Plan).await? else {
        return Ok(Exit::Refused);
    };
    show(host, &args.planning, &prepared)?;
    if format(host, &args.planning.selection) == Format::Human {
        let text = report::plan::not_asked(&prepared.plan, &context(host, None));
        host.output.write_all(text.as_bytes())?;
    }
    let pending = !prepared.plan.is_empty();
    prepared.session.close()?;
    Ok(if pending && args.detailed_exitcode { Exit::Pending } else { Exit::Done })
}

/// How often stacks are looked at that another run left going, and how often that is said.
const RUNNING_INTERVAL: Duration = Duration::from_secs(10);
const SAID_INTERVAL: Duration = Duration::from_secs(60);

/// What the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be read.
    Plan,
    /// To be carried out.
    Apply {
        /// With the service's own checks of new stacks.
        validate: bool,
        /// For what still runs, instead of refusing.
        waits: bool,
    },
    /// To delete what is named.
    Destroy {
        /// As for applying.
        waits: bool,
    },
}

/// A plan and the account it was made for.
pub(super) struct Prepared {
    pub(super) session: Session,
    pub(super) plan: Plan,
}

/// Loads, asks and plans. Nothing, after the findings were told, where something stops the run.
pub(super) async fn prepare(
    host: &mut Host,
    globals: &Globals,
    args: &Planning,
    adopt: &[String],
    purpose: Purpose,
) -> Result<Option<Prepared>> {
    let (selection, wants) = (&args.selection, wants(host, globals, purpose).await?);
    let loaded = load_asking(host, selection, &wants).await?;
    if loaded.diagnostics.has_errors() {
        tell(host, selection, &loaded)?;
        return Ok(None);
    }
    let session = session::open(host, globals)?;
    let mut loaded = with_accounts(host, selection, &wants, &session, loaded).await?;
    let stops = match purpose.destroys() {
        true => tell_errors(host, selection, &loaded)?,
        false => {
            tell(host, selection, &loaded)?
                || refuses_roles(host, selection, &session, &mut loaded).await?
                || refuses_locks(host, selection, &wants, &mut loaded)?
        }
    };
    if stops {
        return Ok(None);
    }
    let (plan, found) = observe_and_plan(host, &loaded, &session, (args, adopt), purpose).await?;
    if tell_findings(host, selection, &found, &loaded)? {
        return Ok(None);
    }
    refuse_doubtful(&plan)?;
    Ok(Some(Prepared { session, plan }))
}

async fn wants(host: &Host, globals: &Globals, purpose: Purpose) -> Result<Wants> {
    let sandbox = session::sandbox_folder(host, globals);
    Ok(Wants {
        profile_region: session::profile_region(host, globals).await?,
        region_needed: sandbox.is_none(),
        lock_overlay: sandbox.filter(|_| host.sandbox.is_none()),
        unlocked: purpose.destroys(),
        today: purpose == Purpose::Plan,
        owner: if purpose.destroys() { Owner::Known } else { Owner::Made },
        ..Wants::default()
    })
}

/// Learns whose account each target is, and resolves again where that was missing.
async fn with_accounts(
    host: &mut Host,
    selection: &Selection,
    wants: &Wants,
    session: &Session,
    mut loaded: Loaded,
) -> Result<Loaded> {
    busy(host, Some(&loaded.read.targets()))?;
    let identified = identify(session.asking(&telling(host)), &mut loaded).await;
    busy(host, None)?;
    identified?;
    // Nobody is left to ask: what is open now would be a finding.
    if loaded.resolved.questions.is_empty() { Ok(loaded) } else { loaded.closed().again(host, selection, wants) }
}

/// Asks whose account each target is. Refuses where an environment names another one than the credentials are for.
pub(super) async fn identify(asking: Asking<'_>, loaded: &mut Loaded) -> Result<()> {
    let questions = Questions { accounts: loaded.read.targets(), ..Questions::default() };
    loaded.facts.extend(gather::facts(asking, &questions).await?);
    for scope in &loaded.read.scopes {
        let (wanted, found) = (&scope.target.account, loaded.facts.accounts.get(&scope.target));
        if let (Some(wanted), Some(found)) = (wanted, found)
            && wanted != found
        {
            let environment = &scope.set.environment.name;
            let message =
                format!("environment `{environment}` is for account {wanted}, and the credentials are for {found}");
            anyhow::bail!(Refusal::new(message, "use the credentials of that account, or say `assumeRole`"));
        }
    }
    Ok(())
}

/// Looks named roles up, and tells of those that cannot be used.
async fn refuses_roles(host: &mut Host, selection: &Selection, session: &Session, loaded: &mut Loaded) -> Result<bool> {
    let questions = ask_roles(&loaded.resolved.named_roles, &loaded.facts);
    loaded.facts.extend(gather::facts(session.asking(&telling(host)), &questions).await?);
    let found = judge_roles(&loaded.resolved.named_roles, &loaded.facts);
    tell_findings(host, selection, &found, loaded)
}

fn refuses_locks(host: &mut Host, selection: &Selection, wants: &Wants, loaded: &mut Loaded) -> Result<bool> {
    let (_, found) = loaded.keep_locks(host, selection, wants)?;
    tell_findings(host, selection, &found, loaded)
}

async fn observe_and_plan(
    host: &mut Host,
    loaded: &Loaded,
    session: &Session,
    asked: (&Planning, &[String]),
    purpose: Purpose,
) -> Result<(Plan, Diagnostics)> {
    busy(host, Some(&loaded.read.targets()))?;
    let nonce = host.new_id();
    let made = make(host, loaded, session, asked, (purpose, &nonce)).await;
    busy(host, None)?;
    made
}

fn refuse_doubtful(plan: &Plan) -> Result<()> {
    let doubts = plan::audit(plan);
    if doubts.is_empty() {
        return Ok(());
    }
    let message = format!("the plan failed its audit: {}", doubts.join("; "));
    anyhow::bail!(Refusal::new(message, "nothing was done; this is a fault of hubform, please report it"))
}

/// On a terminal, says what is being waited for; with nothing, takes it back.
fn busy(host: &mut Host, targets: Option<&BTreeSet<crate::cloud::Target>>) -> Result<()> {
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

/// The environments in scope, as plans know them.
pub(super) fn environments(loaded: &Loaded) -> Vec<PlannedEnvironment> {
    let planned = |scope: &Scope| {
        let name = scope.set.environment.name.clone();
        let (owner, target) = (scope.lock.owner(&name).map(str::to_owned), scope.target.clone());
        let account = loaded.facts.accounts.get(&target).cloned().unwrap_or_default();
        PlannedEnvironment { name, owner, target, account }
    };
    loaded.read.scopes.iter().map(planned).collect()
}

async fn make(
    host: &mut Host,
    loaded: &Loaded,
    session: &Session,
    (args, adopt): (&Planning, &[String]),
    (purpose, nonce): (Purpose, &str),
) -> Result<(Plan, Diagnostics)> {
    let environments = environments(loaded);
    let specs: std::collections::BTreeMap<_, _> = loaded
        .specs
        .iter()
        .map(|spec| ((&spec.identity.stack.target, spec.identity.stack.name.as_str()), spec))
        .collect();
    let targets = loaded.read.targets();
    let wants_body = |target: &crate::cloud::Target, stack: &crate::cloud::Stack| {
        let spec = specs.get(&(target, stack.name.as_str())).copied();
        match purpose {
            Purpose::Destroy { .. } => {
                plan::may_belong(&environments, target, stack) && plan::wants_body_to_destroy(spec, stack)
            }
            _ => spec.is_some_and(|spec| plan::wants_body(spec, stack)),
        }
    };
    let allow: BTreeSet<String> = args.allow.iter().cloned().collect();
    let adopt: BTreeSet<String> = adopt.iter().cloned().collect();
    let mut said = None;
    loop {
        let observation = gather::observe(session.asking(&telling(host)), &targets, &wants_body).await?;
        let mut chosen = loaded.chosen.clone();
        if purpose.destroys() {
            chosen.extend(plan::left_of(&loaded.whole, &environments, &observation));
        }
        let request = Request {
            environments: &environments,
            specs: &loaded.specs,
            chosen: &chosen,
            observation: &observation,
            allow: &allow,
            adopt: &adopt,
            validate: matches!(purpose, Purpose::Apply { validate: true, .. }),
            catalog: loaded.read.catalog(),
            nonce,
        };
        let blocking = match purpose {
            Purpose::Plan => Vec::new(),
            Purpose::Apply { .. } => plan::blocking(&request),
            Purpose::Destroy { .. } => plan::blocking_to_destroy(&request),
        };
        if blocking.is_empty() {
            return Ok(if purpose.destroys() { plan::destroy(&request) } else { plan::plan(&request) });
        }
        wait(host, session, args, purpose, &blocking, &mut said).await?;
    }
}

impl Purpose {
    fn destroys(self) -> bool {
        matches!(self, Self::Destroy { .. })
    }

    fn waits(self) -> bool {
        matches!(self, Self::Apply { waits: true, .. } | Self::Destroy { waits: true })
    }
}

/// What was last said of what is waited for, and when.
type Said = Option<(crate::cloud::Timestamp, Vec<Blocking>)>;

/// Another run, perhaps one that was killed, left operations going; planned is upon what they come to.
async fn wait(
    host: &mut Host,
    session: &Session,
    args: &Planning,
    purpose: Purpose,
    blocking: &[Blocking],
    said: &mut Said,
) -> Result<()> {
    if !purpose.waits() {
        let message = report::waiting::human(blocking);
        anyhow::bail!(Refusal::new(message, "leave `--no-wait` out to wait for that"));
    }
    let now = session.clock.now();
    let again = said.as_ref().is_none_or(|(at, before)| before != blocking || now.since(*at) >= SAID_INTERVAL);
    if again {
        busy(host, None)?;
        match format(host, &args.selection) {
            Format::Json => {
                let label = session.label();
                host.output.write_all(report::waiting::json_lines(blocking, label).as_bytes())?;
            }
            _ => writeln!(host.errors, "waiting: {}", report::waiting::human(blocking))?,
        }
        host.output.flush()?;
        host.errors.flush()?;
        *said = Some((now, blocking.to_vec()));
    }
    session.clock.sleep_until(now.plus(RUNNING_INTERVAL)).await;
    Ok(())
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
