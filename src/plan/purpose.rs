//! What a plan is made for, and what follows from it: which bodies are read, which stacks are acted on, what is waited
//! for.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Blocking, Observation, Plan, PlannedEnvironment, Request,
    blocking::{blocking, blocking_to_destroy},
    destroy::{destroy, left_of},
    observe::{by_stack, may_be_between, may_belong, wants_body, wants_body_to_destroy},
    planner::plan,
};
use crate::{
    clock::look_interval,
    cloud::{Stack, StackRef, Target, Timestamp},
    diagnostic::Diagnostics,
    render::StackSpec,
    resolve::{Facts, Scope},
};

/// What an account is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To see what stands there.
    Status,
    /// To read what would be done.
    Plan,
    /// To do it.
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

impl Purpose {
    /// Is anything deleted on purpose?
    pub fn destroys(self) -> bool {
        matches!(self, Self::Destroy { .. })
    }

    /// Does the service check new stacks first?
    pub fn validates(self) -> bool {
        matches!(self, Self::Apply { validate: true, .. })
    }

    /// Which bodies must be read: where a digest says what runs, none is.
    pub fn bodies<'a>(
        self,
        environments: &'a [PlannedEnvironment],
        specs: &'a [StackSpec],
    ) -> impl Fn(&Target, &Stack) -> bool + 'a {
        let specs = by_stack(specs);
        move |target, stack| {
            let spec = specs.get(&StackRef { target: target.clone(), name: stack.name.clone() }).copied();
            let may_be_ours = || may_belong(environments, target, stack);
            match self {
                Self::Plan | Self::Apply { .. } => spec.is_some_and(|spec| wants_body(spec, stack)),
                // What a stack needs stands in its body alone once its manifest is gone.
                Self::Destroy { .. } => may_be_ours() && wants_body_to_destroy(spec, stack),
                // So does what an earlier run left out.
                Self::Status => {
                    may_be_ours() && spec.map_or(may_be_between(&stack.status), |spec| wants_body(spec, stack))
                }
            }
        }
    }

    /// The stacks that are acted on. With an environment as a whole go also those that no manifest describes any more.
    pub fn chosen(
        self,
        named: &BTreeSet<StackRef>,
        whole: &BTreeSet<String>,
        environments: &[PlannedEnvironment],
        observation: &Observation,
    ) -> BTreeSet<StackRef> {
        let left = self.destroys().then(|| left_of(whole, environments, observation));
        named.iter().cloned().chain(left.into_iter().flatten()).collect()
    }

    /// Makes the plan.
    pub fn plan(self, request: &Request<'_>) -> (Plan, Diagnostics) {
        if self.destroys() { destroy(request) } else { plan(request) }
    }

    fn blocking(self, request: &Request<'_>) -> Vec<Blocking> {
        match self {
            Self::Status | Self::Plan => Vec::new(),
            Self::Apply { .. } => blocking(request),
            Self::Destroy { .. } => blocking_to_destroy(request),
        }
    }

    fn waits(self) -> bool {
        matches!(self, Self::Apply { waits: true, .. } | Self::Destroy { waits: true })
    }
}

/// The targets of a run's environments, with the accounts behind them.
pub fn environments(scopes: &[Scope], facts: &Facts) -> Vec<PlannedEnvironment> {
    let planned = |scope: &Scope| {
        let (name, target) = (scope.set.environment.name.clone(), scope.target.clone());
        let account = facts.accounts.get(&target).cloned().unwrap_or_default();
        PlannedEnvironment { owner: scope.lock.owner(&name).map(str::to_owned), name, target, account }
    };
    scopes.iter().map(planned).collect()
}

/// How often it is said what is waited for.
const SAID: Duration = Duration::from_secs(60);

/// Another run, perhaps one that was killed, left operations going; planned is upon what they come to.
#[derive(Debug, Clone, Default)]
pub struct WaitState {
    since: Option<Timestamp>,
    /// What was last said, and when.
    said: Option<(Timestamp, Vec<Blocking>)>,
}

/// What comes after a look at the accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterLook {
    /// Nothing is in the way of a plan.
    Plan,
    /// These are in the way, and nobody wants to wait for them.
    Refuse(Vec<Blocking>),
    /// These are in the way: another look then.
    Wait {
        /// They, where it is time to say so.
        say: Option<Vec<Blocking>>,
        /// When to look again.
        until: Timestamp,
    },
}

impl WaitState {
    /// Judges what was seen.
    pub fn after_look(&mut self, purpose: Purpose, request: &Request<'_>, now: Timestamp) -> AfterLook {
        self.judge(purpose.waits(), purpose.blocking(request), now)
    }

    fn judge(&mut self, waits: bool, blocking: Vec<Blocking>, now: Timestamp) -> AfterLook {
        if blocking.is_empty() {
            return AfterLook::Plan;
        }
        if !waits {
            return AfterLook::Refuse(blocking);
        }
        let since = *self.since.get_or_insert(now);
        let is_due = self.said.as_ref().is_none_or(|(at, before)| *before != blocking || now.since(*at) >= SAID);
        let say = is_due.then(|| self.said.insert((now, blocking)).1.clone());
        AfterLook::Wait { say, until: now.plus(look_interval(now.since(since))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::StackStatus;

    fn update_of(name: &str) -> Vec<Blocking> {
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        let stack = StackRef { target, name: name.into() };
        vec![Blocking { stack, status: StackStatus::UpdateInProgress, manifest: format!("Endpoint/{name}") }]
    }

    /// The looks at an operation that runs this long, in milliseconds, and how many were told of.
    fn looks(runs: i64) -> (Vec<i64>, usize) {
        let (mut waiting, mut now, mut looks, mut said) = (WaitState::default(), Timestamp(0), Vec::new(), 0);
        loop {
            looks.push(now.0);
            let blocking = if now.0 < runs { update_of("chat") } else { Vec::new() };
            match waiting.judge(true, blocking, now) {
                AfterLook::Plan => return (looks, said),
                AfterLook::Refuse(_) => unreachable!("it waits"),
                AfterLook::Wait { say, until } => (now, said) = (until, said + usize::from(say.is_some())),
            }
        }
    }

    #[test]
    fn what_ends_soon_is_seen_soon_and_what_lasts_costs_few_looks() {
        assert_eq!(looks(600), (vec![0, 250, 500, 750], 1));
        let (quarter, said) = looks(900_000);
        assert!(quarter.len() < 140 && (13..=15).contains(&said), "{} looks, said {said} times", quarter.len());
        assert!(quarter.windows(2).all(|two| (250..=10_000).contains(&(two[1] - two[0]))));
    }

    #[test]
    fn it_is_said_again_when_something_else_is_in_the_way() {
        let mut waiting = WaitState::default();
        let mut says = |name, at| match waiting.judge(true, update_of(name), Timestamp(at)) {
            AfterLook::Wait { say, .. } => say.is_some(),
            _ => false,
        };
        let times = [("a", 0), ("a", 59_999), ("a", 60_000), ("b", 61_000), ("b", 90_000)];
        assert_eq!(times.map(|(name, at)| says(name, at)), [true, false, true, true, false]);
    }

    #[test]
    fn who_does_not_wait_is_refused_and_without_a_hindrance_nobody_waits() {
        let judge = |waits, blocking| WaitState::default().judge(waits, blocking, Timestamp(0));
        assert_eq!(judge(false, update_of("a")), AfterLook::Refuse(update_of("a")));
        assert_eq!([true, false].map(|waits| judge(waits, Vec::new())), [AfterLook::Plan, AfterLook::Plan]);
    }
}
