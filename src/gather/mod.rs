//! What resolving and planning need of the world is fetched, through the ports, before anything is decided.
//!
//! No change to anything happens here. A plan without changes takes the pages of DescribeStacks, one identity call
//! per target and one look per named role; bodies are fetched only where a digest does not settle the question. A call
//! that is throttled is made again after a pause, for some minutes.

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

/// Calls of one question that are throttled before its answer is given up.
const TRIES: u32 = 10;
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
    let mut found = BTreeMap::new();
    for target in targets {
        if !found.contains_key(target) {
            let connection = accounts.at(target).await?;
            found.insert(target.clone(), patiently(clock, async || connection.identity.caller().await).await?.account);
        }
    }
    Ok(found)
}

/// Every stack of the targets, with the bodies that `wants_body` asks for.
pub async fn observe(
    accounts: &dyn Accounts,
    clock: &dyn Clock,
    targets: &BTreeSet<Target>,
    wants_body: &dyn Fn(&Target, &Stack) -> bool,
) -> CloudResult<Observation> {
    let mut observation = Observation::default();
    for target in targets {
        let connection = accounts.at(target).await?;
        for stack in stacks(&connection, clock).await? {
            let body = match wants_body(target, &stack) {
                true => Some(patiently(clock, async || connection.stacks.get_template(&stack.id).await).await?),
                false => None,
            };
            let change_set = match stack.status {
                StackStatus::ReviewInProgress => first_change_set(&connection, clock, &stack.id).await?,
                _ => None,
            };
            let owner = owner(&connection, clock, &stack, body.as_deref(), change_set.as_ref()).await?;
            observation.stacks.push(ObservedStack { stack, target: target.clone(), body, change_set, owner });
        }
    }
    Ok(observation)
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

/// Looks every named role up once, and says which cannot be used.
pub async fn check_roles(accounts: &dyn Accounts, clock: &dyn Clock, roles: &[NamedRole]) -> CloudResult<Diagnostics> {
    let mut seen: BTreeMap<&str, Result<Option<RoleDescription>, String>> = BTreeMap::new();
    let mut found = Diagnostics::new();
    for role in roles {
        if !seen.contains_key(role.arn.as_str()) {
            let connection = accounts.at(&role.target).await?;
            let name = role.arn.rsplit('/').next().unwrap_or(&role.arn);
            let answer = match patiently(clock, async || connection.iam.get_role(name).await).await {
                Ok(answer) => Ok(answer),
                Err(error) => match error.kind {
                    CloudErrorKind::AccessDenied(why) => Err(why),
                    _ => return Err(error),
                },
            };
            seen.insert(&role.arn, answer);
        }
        found.extend(judge(role, &seen[role.arn.as_str()]));
    }
    Ok(found)
}

fn judge(role: &NamedRole, answer: &Result<Option<RoleDescription>, String>) -> Option<Diagnostic> {
    match answer {
        Ok(Some(found)) if found.trusts("sagemaker.amazonaws.com") => None,
        Ok(Some(_)) => {
            let message = format!("sagemaker.amazonaws.com may not assume the role `{}`", role.arn);
            let help = "add it to the role's trust policy, or leave `role` out and hubform makes one";
            Some(Diagnostic::new(Code::RoleTrust, message).at(role.span).help(help))
        }
        Ok(None) => {
            let message = format!("the role `{}` does not exist", role.arn);
            let help = "leave `role` out and hubform makes one";
            Some(Diagnostic::new(Code::RoleMissing, message).at(role.span).help(help))
        }
        Err(why) => {
            let message = format!("the role `{}` cannot be looked up: {why}", role.arn);
            let mut diagnostic = Diagnostic::new(Code::RoleMissing, message).at(role.span);
            diagnostic.severity = crate::diagnostic::Severity::Warning;
            Some(diagnostic.help("allow iam:GetRole, so that a wrong role is found before anything is made"))
        }
    }
}
