//! Before anything else: do the credentials lead to the account the plan was made for?

use super::{Answer, Failure, FailureKind, Machine, StepResult, failure, track::State};
use crate::cloud::CloudResult;

impl Machine {
    pub(super) fn check_account(&mut self, target: usize, result: CloudResult<Answer>) {
        let wanted = self.plan.account(&self.targets[target]);
        let failure = match result {
            Ok(Answer::Identity(caller)) => wanted.filter(|account| *account != caller.account).map(|account| {
                let text = format!(
                    "the plan was made for account {account}, but these credentials are for {}",
                    caller.account
                );
                failure::plain(FailureKind::WrongAccount, "check the account", text)
            }),
            Ok(_) => None,
            Err(error) => Some(failure::of_call("check the account", &error)),
        };
        if let Some(failure) = failure {
            self.refuse_all(target, failure);
        }
        self.unchecked = self.unchecked.map(|left| left.saturating_sub(1));
        if self.unchecked == Some(0) {
            self.open();
        }
    }

    /// Nothing is done anywhere: the first step of the target has the failure, all others are blocked by it.
    pub(super) fn refuse_all(&mut self, target: usize, failure: Failure) {
        let waiting = |index: &usize| self.tracks[*index].state == State::Waiting;
        let mut steps: Vec<usize> = (0..self.tracks.len()).filter(waiting).collect();
        let Some(at) = steps.iter().position(|index| self.target_of[*index] == target) else { return };
        let first = steps.remove(at);
        self.finish(first, StepResult::Failed(Box::new(failure)));
        let by = self.plan.steps[first].identity.stack.clone();
        for index in steps {
            self.finish(index, StepResult::Blocked { by: by.clone() });
        }
    }
}
