//! What resolving and planning need of the world is fetched, through the ports, before anything is decided.
//!
//! No change to anything happens here. Targets are asked side by side, and within each the bodies, twenty at once. A
//! plan without changes takes the pages of DescribeStacks, one identity call per target and one look per named role.
//! Bodies are fetched where a digest does not settle what runs, or where a stack with our tags has no output that says
//! whose it is; of a shell, its change set. A call that is throttled is made again after a pause, for some minutes.

mod side_by_side;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    clock::Clock,
    cloud::{
        Accounts, ChangeSet, CloudError, CloudErrorKind, CloudResult, Connection, PageToken, RoleDescription, Stack,
        StackStatus, Target,
    },
    diagnostic::{Code, Diagnostic, Diagnostics},
    plan::{OUTPUT_OWNER, Observation, ObservedStack, owner_in, wants_owner},
    resolve::NamedRole,
};

use side_by_side::side_by_side;

/// Calls of one question that are throttled before its answer is given up.
const TRIES: u32 = 10;
/// Calls of one target on their way at once.
const AT_ONCE: usize = 20;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Asks again while AWS asks to slow down, each time after a longer pause.
async fn patiently<T>(clock: &dyn Clock, call: impl AsyncFn() -> CloudResult<T>) -> CloudResult<T> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match call().await {
            Err(CloudError { kind: CloudErrorKind::Throttled(_), .. }) => {
                clock.sleep_until(clock.now().plus(pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
    call().await
}

/// The account behind each target.
pub async fn identities(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    targets: impl IntoIterator<Item = &Target>,
) -> CloudResult<BTreeMap<Target, String>> {
    let targets: BTreeSet<&Target> = targets.into_iter().collect();
    let ask = |target: &Target| {
        let target = target.clone();
        async move {
            let connection = accounts.at(&target).await?;
            let caller = patiently(clock, async || connection.identity.caller().await).await?;
            Ok((target, caller.account))
        }
    };
    Ok(side_by_side(AT_ONCE, targets.into_iter().map(ask)).await?.into_iter().collect())
}

/// Every stack of the targets, with the bodies that `wants_body` asks for.
pub async fn observe(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    targets: &BTreeSet<Target>,
    wants_body: &dyn Fn(&Target, &Stack) -> bool,
) -> CloudResult<Observation> {
    let one = |target| observe_one(accounts, clock, target, wants_body);
    let found = side_by_side(AT_ONCE, targets.iter().map(one)).await?;
    Ok(Observation { stacks: found.into_iter().flatten().collect() })
}

async fn observe_one(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    target: &Target,
    wants_body: &dyn Fn(&Target, &Stack) -> bool,
) -> CloudResult<Vec<ObservedStack>> {
    let connection = &accounts.at(target).await?;
    let look = |stack: Stack| async move {
        let body = match wants_body(target, &stack) {
            true => Some(patiently(clock, async || connection.stacks.get_template(&stack.id).await).await?),
            false => None,
        };
        let change_set = match stack.status {
            StackStatus::ReviewInProgress => first_change_set(connection, clock, &stack.id).await?,
            _ => None,
        };
        let owner = owner(connection, clock, &stack, body.as_deref(), change_set.as_ref()).await?;
        Ok(ObservedStack { stack, target: target.clone(), body, change_set, owner })
    };
    side_by_side(AT_ONCE, stacks(connection, clock).await?.into_iter().map(look)).await
}

/// Whose a stack is: by its output, else by its template, or by that of its change set where it has none of its own.
/// A template that cannot be read says nothing.
async fn owner(
    connection: &Connection,
    clock: &dyn Clock,
    stack: &Stack,
    body: Option<&str>,
    change_set: Option<&ChangeSet>,
) -> CloudResult<Option<String>> {
    if let Some(owner) = stack.outputs.get(OUTPUT_OWNER) {
        return Ok(Some(owner.clone()));
    }
    if !wants_owner(change_set.map_or(&stack.tags, |change_set| &change_set.tags), stack) {
        return Ok(None);
    }
    let answer = match (body, change_set) {
        (Some(body), _) => return Ok(owner_in(body)),
        (None, Some(set)) => patiently(clock, async || connection.stacks.get_change_set_template(&set.id).await).await,
        (None, None) => patiently(clock, async || connection.stacks.get_template(&stack.id).await).await,
    };
    match answer {
        Ok(body) => Ok(owner_in(&body)),
        Err(error) => match error.kind {
            CloudErrorKind::NotFound | CloudErrorKind::Validation(_) | CloudErrorKind::AccessDenied(_) => Ok(None),
            _ => Err(error),
        },
    }
}

async fn stacks(connection: &Connection, clock: &dyn Clock) -> CloudResult<Vec<Stack>> {
    let (mut all, mut from): (Vec<Stack>, Option<PageToken>) = (Vec::new(), None);
    loop {
        let page = patiently(clock, async || connection.stacks.describe_stacks(from.clone()).await).await?;
        all.extend(page.items);
        from = page.next;
        if from.is_none() {
            return Ok(all);
        }
    }
}

async fn first_change_set(connection: &Connection, clock: &dyn Clock, stack: &str) -> CloudResult<Option<ChangeSet>> {
    let all = patiently(clock, async || connection.stacks.list_change_sets(stack).await).await?;
    // One that is being computed says most: somebody is at work.
    match all.iter().find(|summary| summary.status.is_pending()).or(all.first()) {
        Some(summary) => patiently(clock, async || connection.stacks.describe_change_set(&summary.id).await).await,
        None => Ok(None),
    }
}

/// Looks every named role up once in each target whose account it names, and says which cannot be used.
pub async fn check_roles(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    roles: &[NamedRole],
    account_of: &BTreeMap<Target, String>,
) -> CloudResult<Diagnostics> {
    let wanted: BTreeSet<(&Target, &str)> = roles.iter().map(|role| (&role.target, role.arn.as_str())).collect();
    let look = |(target, arn): (&Target, &str)| {
        let (target, arn) = (target.clone(), arn.to_owned());
        async move {
            let answer = look_up(accounts, clock, &target, &arn, account_of.get(&target)).await?;
            Ok(((target, arn), answer))
        }
    };
    let seen: BTreeMap<(Target, String), Looked> =
        side_by_side(AT_ONCE, wanted.into_iter().map(look)).await?.into_iter().collect();
    let judged = roles.iter().filter_map(|role| judge(role, &seen[&(role.target.clone(), role.arn.clone())]));
    Ok(judged.collect())
}

/// What came of looking a role up.
enum Looked {
    Found(RoleDescription),
    Missing,
    /// The caller may not, and the service's words.
    Denied(String),
    /// It is of the first account, the credentials are for the second.
    Elsewhere(String, String),
}

/// IAM answers about the account that the credentials are for, and about no other; nor can a role be passed to a service
/// of another account (IAM User Guide, "Grant a user permissions to pass a role to an AWS service", D).
async fn look_up(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    target: &Target,
    arn: &str,
    account: Option<&String>,
) -> CloudResult<Looked> {
    let named = arn.split(':').nth(4).filter(|named| !named.is_empty());
    if let (Some(named), Some(account)) = (named, account)
        && named != account
    {
        return Ok(Looked::Elsewhere(named.to_owned(), account.clone()));
    }
    let connection = accounts.at(target).await?;
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match patiently(clock, async || connection.iam.get_role(name).await).await {
        Ok(Some(found)) => Ok(Looked::Found(found)),
        Ok(None) => Ok(Looked::Missing),
        Err(CloudError { kind: CloudErrorKind::AccessDenied(why), .. }) => Ok(Looked::Denied(why)),
        Err(error) => Err(error),
    }
}

fn judge(role: &NamedRole, answer: &Looked) -> Option<Diagnostic> {
    match answer {
        Looked::Found(found) if found.trusts("sagemaker.amazonaws.com") => None,
        Looked::Found(_) => {
            let message = format!("sagemaker.amazonaws.com may not assume the role `{}`", role.arn);
            let help = "add it to the role's trust policy, or leave `role` out and hubform makes one";
            Some(Diagnostic::new(Code::RoleTrust, message).at(role.span).help(help))
        }
        Looked::Missing => {
            let message = format!("the role `{}` does not exist", role.arn);
            let help = "leave `role` out and hubform makes one";
            Some(Diagnostic::new(Code::RoleMissing, message).at(role.span).help(help))
        }
        Looked::Denied(why) => {
            let message = format!("the role `{}` cannot be looked up: {why}", role.arn);
            let mut diagnostic = Diagnostic::new(Code::RoleMissing, message).at(role.span);
            diagnostic.severity = crate::diagnostic::Severity::Warning;
            Some(diagnostic.help("allow iam:GetRole, so that a wrong role is found before anything is made"))
        }
        Looked::Elsewhere(theirs, ours) => {
            let arn = &role.arn;
            let message = format!("the role `{arn}` is in account {theirs} and cannot be looked up from {ours}");
            let mut diagnostic = Diagnostic::new(Code::RoleMissing, message).at(role.span);
            diagnostic.severity = crate::diagnostic::Severity::Warning;
            Some(diagnostic.help("SageMaker takes only roles of the account that the endpoint is in"))
        }
    }
}
