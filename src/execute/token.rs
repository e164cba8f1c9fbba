//! Two things under two names. An *intent* is what is to be done to a stack as it was observed: the same in any
//! process, it names change sets, so that one which outlived its process is found again and read. A *request token* is
//! an intent, the plan's nonce and a count: CloudFormation remembers tokens beyond a stack's deletion, so no two
//! requests may share one, while the same request sent again must not get another.

use sha2::{Digest, Sha256};

use crate::cloud::{StackRef, Timestamp};

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intent<'a> {
    /// The stack.
    pub(super) stack: &'a StackRef,
    /// Its id and when it last changed, as observed; none for a new one.
    pub(super) base: Option<(&'a str, Timestamp)>,
    /// What is sent, values of other stacks filled in; empty where nothing is.
    pub(super) sent: &'a str,
    /// Which operation, as `update 2`.
    pub(super) operation: &'a str,
}

/// What tokens and change sets of ours begin with.
pub(super) const PREFIX: &str = "hubform-";

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// That a change set is computed.
    ChangeSet,
    /// That the stack changes.
    Operation,
}

impl Intent<'_> {
    /// Its name, which is also a change set's: `hubform-` and 40 hex digits.
    pub(super) fn name(&self) -> String {
        let (id, changed_at) = match self.base {
            Some((id, Timestamp(at))) => (id, at.to_string()),
            None => ("new", String::new()),
        };
        let Self { stack, sent, operation, .. } = self;
        digest(&["1", &stack.name, &stack.target.region, id, &changed_at, sent, operation])
    }
}

/// The token of one request. Its call may be sent again; whatever else is asked for counts as another attempt.
pub(super) fn request(intent: &str, nonce: &str, attempt: u32, asks: Asks) -> String {
    digest(&["request", intent, nonce, &attempt.to_string(), &format!("{asks:?}")])
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Target;

    #[test]
    fn an_intent_changes_with_the_observation_and_with_nothing_else() {
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        let stack = StackRef { target, name: "a".into() };
        let of = |base| Intent { stack: &stack, base, sent: "d", operation: "update" }.name();
        let seen = of(Some(("arn", Timestamp(7))));
        assert_eq!(seen, of(Some(("arn", Timestamp(7)))));
        assert_ne!(seen, of(Some(("arn", Timestamp(8)))));
        assert_ne!(seen, of(None));
        assert!(seen.len() <= 128 && seen.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }

    #[test]
    fn a_token_is_of_one_plan_and_one_attempt() {
        let tokens = [
            request("i", "n", 1, Asks::Operation),
            request("i", "n", 1, Asks::ChangeSet),
            request("i", "n", 2, Asks::Operation),
            request("i", "another", 1, Asks::Operation),
            request("j", "n", 1, Asks::Operation),
        ];
        assert_eq!(tokens[0], request("i", "n", 1, Asks::Operation));
        assert_eq!(std::collections::BTreeSet::from(tokens.clone()).len(), tokens.len());
    }
}
