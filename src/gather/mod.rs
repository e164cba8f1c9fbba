//! What resolving and planning need of the world is fetched, through the ports, before anything is decided.
//!
//! No change to anything happens here, and nothing is judged: `facts` and `models` answer what resolving asked, `observe`
//! tells what stands there. Targets are asked side by side, and of each twenty things at once. A plan without
//! changes takes the pages of DescribeStacks, one identity call per target and one look per named role. Bodies are
//! fetched where a digest does not settle what runs, or where a stack with our tags has no output that says whose it is;
//! of a shell, its change set; of a stack whose
//! rollback failed, the events of that. A call that is throttled is made again after a pause, for some minutes, and one that
//! meets faults twice; whoever asks hears of it. A listing without an end is an error.

mod facts;
mod side_by_side;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    clock::Clock,
    cloud::{
        Accounts, ChangeSet, CloudError, CloudErrorKind, CloudResult, Connection, EndpointDescription, OUTPUT_OWNER,
        PageToken, Pages, Patience, Retrying, Stack, StackEvent, StackStatus, Tagged, Target, Timestamp, Trouble,
        not_rolled_back,
    },
    plan::{Observation, ObservedStack, owner_in, wants_owner},
};

pub use facts::{facts, models};
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
        let not_rolled_back = match stack.status {
            StackStatus::UpdateRollbackFailed if Tagged::read(&stack.tags).is_some() => {
                stuck_on(asking, connection, target, &stack).await?
            }
            _ => Vec::new(),
        };
        Ok(ObservedStack { stack, target: target.clone(), body, change_set, not_rolled_back, owner })
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

/// What the last rollback could not bring back. Events that may not be read say nothing.
async fn stuck_on(
    asking: Asking<'_>,
    connection: &Connection,
    target: &Target,
    stack: &Stack,
) -> CloudResult<Vec<StackEvent>> {
    let (mut events, mut from, mut pages) = (Vec::new(), None::<PageToken>, Pages::default());
    loop {
        let call = async || connection.stacks.describe_stack_events(&stack.id, from.clone()).await;
        let page = match asking.patiently(call).await {
            Ok(page) => page,
            Err(CloudError { kind: CloudErrorKind::AccessDenied(_) | CloudErrorKind::NotFound, .. }) => break,
            Err(error) => return Err(error),
        };
        let began = page.items.iter().any(StackEvent::begins_rollback);
        events.extend(page.items);
        from = pages.lead(page.next, ("DescribeStackEvents", &stack.name, target))?;
        if began || from.is_none() {
            break;
        }
    }
    events.reverse();
    Ok(not_rolled_back(&events).into_iter().cloned().collect())
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

/// Answers about what has a name in a target.
type ByTargetAndName<'a, T> = BTreeMap<(&'a Target, &'a str), T>;

/// Endpoints by target and name; none where there is none.
pub async fn endpoints<'a>(
    asking: Asking<'_>,
    names: impl IntoIterator<Item = (&'a Target, &'a str)>,
) -> CloudResult<ByTargetAndName<'a, Option<EndpointDescription>>> {
    let describe = async |connection: &Connection, name: &str| {
        asking.patiently(async || connection.sagemaker.describe_endpoint(name).await).await
    };
    in_targets(asking, names, describe).await
}

/// Asks about each name, the targets side by side and of each target so many at once.
async fn in_targets<'a, T>(
    asking: Asking<'_>,
    names: impl IntoIterator<Item = (&'a Target, &'a str)>,
    ask: impl AsyncFn(&Connection, &str) -> CloudResult<T>,
) -> CloudResult<ByTargetAndName<'a, T>> {
    let mut by_target: BTreeMap<&Target, Vec<&str>> = BTreeMap::new();
    for (target, name) in names {
        by_target.entry(target).or_default().push(name);
    }
    let ask = &ask;
    let of_target = |(target, names): (&'a Target, Vec<&'a str>)| async move {
        let connection = &asking.accounts.at(target).await?;
        let one = |name| async move { Ok(((target, name), ask(connection, name).await?)) };
        side_by_side(AT_ONCE, names.into_iter().map(one)).await
    };
    Ok(side_by_side(AT_ONCE, by_target.into_iter().map(of_target)).await?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
