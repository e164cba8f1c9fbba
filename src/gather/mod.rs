//! What resolving and planning need of the world is fetched, through the ports, before anything is decided.
//!
//! No change to anything happens here. Targets are asked side by side, and within each the bodies, twenty at once. A
//! plan without changes takes the pages of DescribeStacks, one identity call per target and one look per named role.
//! Bodies are fetched where a digest does not settle what runs, or where a stack with our tags has no output that says
//! whose it is; of a shell, its change set. A call that is throttled is made again after a pause, for some minutes, and
//! one that meets faults twice; whoever asks hears of it. A listing without an end is an error.

mod side_by_side;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    clock::Clock,
    cloud::{
        Accounts, ChangeSet, CloudError, CloudErrorKind, CloudResult, Connection, EndpointDescription, OUTPUT_OWNER,
        PageToken, Pages, Patience, Retrying, RoleDescription, Stack, StackStatus, Target, Timestamp, Trouble,
    },
    diagnostic::{Code, Diagnostic, Diagnostics},
    plan::{Observation, ObservedStack, owner_in, wants_owner},
    resolve::NamedRole,
};

use side_by_side::side_by_side;

/// Calls of one question that are throttled before its answer is given up.
const THROTTLE_TRIES: u32 = 10;
/// Calls of one question that meet faults or no answer before it is given up.
const FAULT_TRIES: u32 = 3;
/// Calls of one target on their way at once.
const AT_ONCE: usize = 20;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whom to ask, and who hears that something is asked again.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The accounts.
    pub accounts: &'a dyn Accounts,
    /// Their time.
    pub clock: &'a dyn Clock,
    /// Is told of calls that have not worked for a while.
    pub told: &'a dyn Fn(&Retrying, Timestamp),
}

impl<'a> Asking<'a> {
    /// Nobody hears.
    pub fn quietly(accounts: &'a dyn Accounts, clock: &'a dyn Clock) -> Self {
        Self { accounts, clock, told: &|_, _| {} }
    }

    /// Asks again while AWS asks to slow down, fails or does not answer, each time after a longer pause.
    async fn patiently<T>(&self, call: impl AsyncFn() -> CloudResult<T>) -> CloudResult<T> {
        let since = self.clock.now();
        let mut patience = Patience::new(since);
        let (mut throttles, mut faults, mut pause) = (0, 0, FIRST_PAUSE);
        loop {
            let answer = call().await;
            let failed = answer.as_ref().err().and_then(|error| Some((error, Trouble::of(&error.kind)?)));
            let Some((error, trouble)) = failed else { return answer };
            let (count, most) = match trouble {
                Trouble::Throttled => (&mut throttles, THROTTLE_TRIES),
                Trouble::NoAnswer | Trouble::Fault => (&mut faults, FAULT_TRIES),
            };
            *count += 1;
            if *count >= most {
                return answer;
            }
            let now = self.clock.now();
            if patience.tells(trouble, now) {
                let (operation, subject, target) =
                    (error.operation.to_owned(), error.subject.clone(), error.target.clone());
                (self.told)(&Retrying { operation, subject, target, trouble, since, tries: *count + 1, most }, now);
            }
            self.clock.sleep_until(now.plus(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The account behind each target.
pub async fn identities(
    asking: Asking<'_>,
    targets: impl IntoIterator<Item = &Target>,
) -> CloudResult<BTreeMap<Target, String>> {
    let targets: BTreeSet<&Target> = targets.into_iter().collect();
    let ask = |target: &Target| {
        let target = target.clone();
        async move {
            let connection = asking.accounts.at(&target).await?;
            let caller = asking.patiently(async || connection.identity.caller().await).await?;
            Ok((target, caller.account))
        }
    };
    Ok(side_by_side(AT_ONCE, targets.into_iter().map(ask)).await?.into_iter().collect())
}

/// Every stack of the targets, with the bodies that `wants_body` asks for.
pub async fn observe(
    asking: Asking<'_>,
    targets: &BTreeSet<Target>,
    wants_body: &dyn Fn(&Target, &Stack) -> bool,
) -> CloudResult<Observation> {
    let one = |target| observe_one(asking, target, wants_body);
    let found = side_by_side(AT_ONCE, targets.iter().map(one)).await?;
    Ok(Observation { stacks: found.into_iter().flatten().collect() })
}

async fn observe_one(
    asking: Asking<'_>,
    target: &Target,
    wants_body: &dyn Fn(&Target, &Stack) -> bool,
) -> CloudResult<Vec<ObservedStack>> {
    let connection = &asking.accounts.at(target).await?;
    let look = |stack: Stack| async move {
        let body = match wants_body(target, &stack) {
            true => Some(asking.patiently(async || connection.stacks.get_template(&stack.id).await).await?),
            false => None,
        };
        let change_set = match stack.status {
            StackStatus::ReviewInProgress => first_change_set(asking, connection, &stack.id).await?,
            _ => None,
        };
        let owner = owner(asking, connection, &stack, body.as_deref(), change_set.as_ref()).await?;
        Ok(ObservedStack { stack, target: target.clone(), body, change_set, owner })
    };
    side_by_side(AT_ONCE, stacks(asking, connection, target).await?.into_iter().map(look)).await
}

/// Whose a stack is: by its output, else by its template, or by that of its change set where it has none of its own.
/// A template that cannot be read says nothing.
async fn owner(
    asking: Asking<'_>,
    connection: &Connection,
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
        (None, Some(set)) => asking.patiently(async || connection.stacks.get_change_set_template(&set.id).await).await,
        (None, None) => asking.patiently(async || connection.stacks.get_template(&stack.id).await).await,
    };
    match answer {
        Ok(body) => Ok(owner_in(&body)),
        Err(error) => match error.kind {
            CloudErrorKind::NotFound | CloudErrorKind::Validation(_) | CloudErrorKind::AccessDenied(_) => Ok(None),
            _ => Err(error),
        },
    }
}

async fn stacks(asking: Asking<'_>, connection: &Connection, target: &Target) -> CloudResult<Vec<Stack>> {
    let (mut all, mut from, mut pages) = (Vec::new(), None::<PageToken>, Pages::default());
    loop {
        let page = asking.patiently(async || connection.stacks.describe_stacks(from.clone()).await).await?;
        all.extend(page.items);
        from = pages.lead(page.next, ("DescribeStacks", "all stacks", target))?;
        if from.is_none() {
            return Ok(all);
        }
    }
}

async fn first_change_set(asking: Asking<'_>, connection: &Connection, stack: &str) -> CloudResult<Option<ChangeSet>> {
    let all = asking.patiently(async || connection.stacks.list_change_sets(stack).await).await?;
    // One that is being computed says most: somebody is at work.
    match all.iter().find(|summary| summary.status.is_pending()).or(all.first()) {
        Some(summary) => asking.patiently(async || connection.stacks.describe_change_set(&summary.id).await).await,
        None => Ok(None),
    }
}

/// An endpoint, by name.
pub async fn endpoint(asking: Asking<'_>, target: &Target, name: &str) -> CloudResult<Option<EndpointDescription>> {
    let connection = asking.accounts.at(target).await?;
    asking.patiently(async || connection.sagemaker.describe_endpoint(name).await).await
}

/// Looks every named role up once in each target whose account it names, and says which cannot be used.
pub async fn check_roles(
    asking: Asking<'_>,
    roles: &[NamedRole],
    account_of: &BTreeMap<Target, String>,
) -> CloudResult<Diagnostics> {
    let wanted: BTreeSet<(&Target, &str)> = roles.iter().map(|role| (&role.target, role.arn.as_str())).collect();
    let look = |(target, arn): (&Target, &str)| {
        let (target, arn) = (target.clone(), arn.to_owned());
        async move {
            let answer = look_up(asking, &target, &arn, account_of.get(&target)).await?;
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
async fn look_up(asking: Asking<'_>, target: &Target, arn: &str, account: Option<&String>) -> CloudResult<Looked> {
    let named = arn.split(':').nth(4).filter(|named| !named.is_empty());
    if let (Some(named), Some(account)) = (named, account)
        && named != account
    {
        return Ok(Looked::Elsewhere(named.to_owned(), account.clone()));
    }
    let connection = asking.accounts.at(target).await?;
    let name = arn.rsplit('/').next().unwrap_or(arn);
    match asking.patiently(async || connection.iam.get_role(name).await).await {
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

#[cfg(test)]
mod tests;
