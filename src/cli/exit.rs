//! How a run ends: the one table of exit codes. Help shows it, README is held to it.

use std::process::ExitCode;

use crate::execute::{Failure, FailureKind, Outcome, StepResult};

/// How a run ends; the numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing to do, or applied already.
    Done,
    /// Something failed in the world.
    Failed,
    /// The input cannot be carried out, or must not be.
    Refused,
    /// There is something to do; only when asked for.
    Pending,
    /// What was approved no longer holds; nothing was done about it.
    Stale,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// Every way to end, with its number and what it means.
    pub const ALL: [(Self, u8, &'static str); 6] = [
        (Self::Done, 0, "done, nothing to do, or applied already"),
        (Self::Failed, 1, "something failed in the world"),
        (Self::Refused, 2, "refused: the input, protection, a policy or limit, or nobody to ask"),
        (Self::Pending, 3, "changes are pending, with `plan --detailed-exitcode`"),
        (Self::Stale, 4, "what was approved no longer holds: the account moved, or a change set does more"),
        (Self::Interrupted, 130, "interrupted"),
    ];

    /// The process's exit code.
    pub fn code(self) -> u8 {
        Self::ALL.into_iter().find(|(exit, ..)| *exit == self).map_or(1, |(_, code, _)| code)
    }

    /// How an apply or destroy ends. A failure of the world outweighs a plan that does not hold any more.
    pub fn of(outcome: &Outcome) -> Self {
        if outcome.succeeded() {
            return Self::Done;
        }
        if outcome.interrupted {
            return Self::Interrupted;
        }
        let failures = outcome.results.iter().filter_map(|(_, result)| match result {
            StepResult::Failed(failure) => Some(of_failure(failure)),
            _ => None,
        });
        failures.min_by_key(|exit| exit.code()).unwrap_or(Self::Failed)
    }

    /// The table, as help shows it.
    pub fn table() -> String {
        let lines = Self::ALL.map(|(_, code, means)| format!("  {code:>3}  {means}"));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

fn of_failure(failure: &Failure) -> Exit {
    match failure.kind {
        FailureKind::Stale | FailureKind::Gate => Exit::Stale,
        FailureKind::WrongAccount => Exit::Refused,
        _ => Exit::Failed,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{StackRef, Target};

    #[test]
    fn a_failure_of_the_world_outweighs_a_stale_plan() {
        let of = |kinds: &[FailureKind], interrupted: bool| {
            let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
            let result = |kind: &FailureKind| {
                let (operation, message) = ("update".to_owned(), String::new());
                let failure = Failure {
                    kind: *kind,
                    operation,
                    status: None,
                    message,
                    cause: None,
                    rollback: vec![],
                    endpoint: None,
                    notes: vec![],
                };
                let stack = StackRef { target: target.clone(), name: "a".into() };
                (stack, StepResult::Failed(Box::new(failure)))
            };
            Exit::of(&Outcome { results: kinds.iter().map(result).collect(), interrupted }).code()
        };
        assert_eq!(of(&[], false), 0);
        assert_eq!(of(&[FailureKind::RolledBack, FailureKind::Stale], false), 1);
        assert_eq!(of(&[FailureKind::WrongAccount], false), 2);
        assert_eq!(of(&[FailureKind::Stale, FailureKind::Gate], false), 4);
        assert_eq!(of(&[FailureKind::Stale], true), 130);
    }

    #[test]
    fn every_code_is_there_once() {
        let codes: std::collections::BTreeSet<u8> =
            Exit::ALL.iter().map(|(exit, code, _)| exit.code().min(*code)).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
    }
}
