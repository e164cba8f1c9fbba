//! What CloudFormation cannot answer, asked when a step's operations are over: its checks, one after the other.
//!
//! Does the endpoint run the configuration its stack made? After a failed update of its fleet SageMaker goes back to the
//! old configuration and says `InService`, while the stack may say complete.

use std::{rc::Rc, time::Duration};

use super::{Answer, Call, Failure, FailureKind, Machine, failure, pace, track::State};
use crate::{
    cloud::{CloudResult, EndpointDescription, EndpointStatus},
    plan::Action,
    render::Check,
};

/// A scaling activity makes an endpoint `Updating` for a few minutes at a time.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
const QUESTION: &str = "ask the endpoint what it runs";

impl Machine {
    /// The operations are over: the checks are asked, if the step has any. One that stays as it is keeps its turn
    /// in its lane while it is asked, so that thousands of them do not come all at once.
    pub(super) fn check_or_finish(&mut self, index: usize) {
        let plan = Rc::clone(&self.plan);
        let step = &plan.steps[index];
        if !step.operations.is_empty() {
            self.give_turn_back(index);
        }
        if step.action == Action::Delete {
            return self.succeed(index, false);
        }
        self.begin_check(index, 0);
    }

    fn begin_check(&mut self, index: usize, check: usize) {
        let checks = &self.plan.steps[index].checks;
        if check >= checks.len() {
            return self.succeed(index, !checks.is_empty());
        }
        self.tracks[index].state = State::Asking { check, since: self.now };
        self.ask_check(index);
    }

    /// Asks the check at hand, again or for the first time.
    pub(super) fn ask_check(&mut self, index: usize) {
        match self.check_at_hand(index) {
            Some(Check::Runs { endpoint, .. }) => self.ask(index, Call::DescribeEndpoint(endpoint)),
            None => self.succeed(index, true),
        }
    }

    fn check_at_hand(&self, index: usize) -> Option<Check> {
        match self.tracks[index].state {
            State::Asking { check, .. } => self.plan.steps[index].checks.get(check).cloned(),
            _ => None,
        }
    }

    /// The answer to [`Check::Runs`].
    pub(super) fn endpoint_described(&mut self, index: usize, result: CloudResult<Answer>) {
        let endpoint = match result {
            Ok(Answer::Endpoint(Some(endpoint))) => endpoint,
            Ok(_) => return self.unhealthy(index, "the stack is complete, but its endpoint does not exist".into()),
            Err(error) => return self.fail_where_it_stands(index, failure::of_call(QUESTION, &error)),
        };
        match endpoint.status {
            EndpointStatus::InService => self.compare(index, &endpoint),
            EndpointStatus::Creating
            | EndpointStatus::Updating
            | EndpointStatus::SystemUpdating
            | EndpointStatus::RollingBack
                if self.asked_for(index) < PATIENCE =>
            {
                self.give_turn_back(index);
                let pause = pace::pause(self.asked_for(index), self.asked(self.target_of(index)));
                self.alarms.insert((self.now.plus(pause), index));
            }
            _ => {
                let reason = endpoint.failure_reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                self.unhealthy(index, format!("the endpoint {} is {}{reason}", endpoint.name, endpoint.status));
            }
        }
    }

    fn asked_for(&self, index: usize) -> Duration {
        match self.tracks[index].state {
            State::Asking { since, .. } => self.now.since(since),
            _ => Duration::ZERO,
        }
    }

    /// How many endpoints of a target are asked at once.
    fn asked(&self, target: usize) -> usize {
        let asks = |index: &&usize| {
            self.target_of(**index) == target && matches!(self.tracks[**index].state, State::Asking { .. })
        };
        self.active.iter().filter(asks).count()
    }

    fn compare(&mut self, index: usize, endpoint: &EndpointDescription) {
        let (Some(check), State::Asking { check: at, .. }) = (self.check_at_hand(index), &self.tracks[index].state)
        else {
            return;
        };
        let (at, Check::Runs { config_output, .. }) = (*at, &check);
        let observed = self.plan.steps[index].observed.as_ref().map(|observed| &observed.outputs);
        let described = self.tracks[index].stack.as_ref().map(|stack| &stack.outputs);
        let Some(made) = described.or(observed).and_then(|outputs| check.made(outputs)).cloned() else {
            let text = format!("the stack has no output {config_output}, so nothing says what must run");
            return self.unhealthy(index, text);
        };
        if same_config(&made, &endpoint.config_name) {
            return self.begin_check(index, at + 1);
        }
        let (name, runs) = (&endpoint.name, &endpoint.config_name);
        let text = format!("the endpoint {name} runs {runs}, its stack made {}", config_name(&made));
        self.fail_where_it_stands(index, failure::plain(FailureKind::SilentRollback, QUESTION, text));
    }

    fn unhealthy(&mut self, index: usize, text: String) {
        self.fail_where_it_stands(index, failure::plain(FailureKind::EndpointUnhealthy, QUESTION, text));
    }

    fn fail_where_it_stands(&mut self, index: usize, mut failure: Failure) {
        failure.status = self.tracks[index].status.clone();
        self.fail(index, failure);
    }
}

/// Is the configuration a stack made, by name or ARN, the one that runs? SageMaker writes names into ARNs in lower
/// case. (K)
pub fn same_config(made: &str, runs: &str) -> bool {
    match made.starts_with("arn:") {
        true => config_name(made).eq_ignore_ascii_case(runs),
        false => made == runs,
    }
}

fn config_name(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}
