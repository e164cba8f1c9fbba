//! Request tokens: the same intent on the same observed stack gives the same token in any process, so that an
//! operation which outlived its process is recognised as ours.

use sha2::{Digest, Sha256};

use crate::cloud::{StackRef, Timestamp};

/// What a token is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intent<'a> {
    /// The stack.
    pub(super) stack: &'a StackRef,
    /// Its id and when it last changed, as observed; none for a new one.
    pub(super) basis: Option<(&'a str, Timestamp)>,
    /// What is sent, values of other stacks filled in; empty where nothing is.
    pub(super) sent: &'a str,
    /// Which operation, as `update 2`.
    pub(super) operation: &'a str,
}

/// What tokens and change sets of ours begin with.
pub(super) const PREFIX: &str = "hubform-";

/// A name CloudFormation takes for request tokens and for change sets: `hubform-` and 40 hex digits.
pub(super) fn token(intent: Intent<'_>) -> String {
    let (id, changed_at) = match intent.basis {
        Some((id, Timestamp(at))) => (id, at.to_string()),
        None => ("new", String::new()),
    };
    let parts = ["1", &intent.stack.name, &intent.stack.target.region, id, &changed_at, intent.sent];
    let mut hash = Sha256::new();
    for part in parts.into_iter().chain([intent.operation]) {
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
    fn a_token_changes_with_the_observation_and_with_nothing_else() {
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        let stack = StackRef { target, name: "a".into() };
        let of = |basis| token(Intent { stack: &stack, basis, sent: "d", operation: "update" });
        let seen = of(Some(("arn", Timestamp(7))));
        assert_eq!(seen, of(Some(("arn", Timestamp(7)))));
        assert_ne!(seen, of(Some(("arn", Timestamp(8)))));
        assert_ne!(seen, of(None));
        assert!(seen.len() <= 128 && seen.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }
}
