//! A call that did not work: what was attempted, on what, where, and why.

use super::{StackStatus, Target, Trouble};

/// The answer of a port.
pub type CloudResult<T> = Result<T, CloudError>;

/// One failed call to AWS.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation} of {subject} in {target} failed: {kind}")]
pub struct CloudError {
    /// The API operation, as `CreateStack`.
    pub operation: &'static str,
    /// The stack, change set, endpoint or role it was about.
    pub subject: String,
    /// Where.
    pub target: Target,
    /// What went wrong.
    pub kind: CloudErrorKind,
    /// AWS's request id, for a support case.
    pub request_id: Option<String>,
}

/// What can go wrong with a call, in the terms decisions are made in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudErrorKind {
    /// No such stack, change set, endpoint or role.
    #[error("it does not exist")]
    NotFound,
    /// The name is taken.
    #[error("it exists already")]
    AlreadyExists,
    /// UpdateStack had nothing to do.
    #[error("there is nothing to update")]
    NoUpdates,
    /// The stack is busy or in a state that refuses the operation.
    #[error("the stack is in {0}")]
    WrongState(StackStatus),
    /// A change set that is not executable, or no longer.
    #[error("the change set is in the wrong state: {0}")]
    InvalidChangeSetStatus(String),
    /// Asked to slow down; worth another try later.
    #[error("AWS asked to slow down ({0})")]
    Throttled(String),
    /// A quota of the account; trying again cannot help.
    #[error("a quota of the account is exhausted: {0}")]
    LimitExceeded(String),
    /// The template may do more than was acknowledged.
    #[error("the template needs capabilities that were not given: {0}")]
    InsufficientCapabilities(String),
    /// The same request token was used for another request.
    #[error("the request token was used for another request")]
    TokenAlreadyExists,
    /// DeleteStack on a protected stack.
    #[error("termination protection is on")]
    TerminationProtection,
    /// A template or request the service refuses.
    #[error("{0}")]
    Validation(String),
    /// The caller may not.
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// No credentials, or ones that expired.
    #[error("no valid AWS credentials: {0}")]
    NoCredentials(String),
    /// The request was signed at another time than AWS has.
    #[error("this machine's clock differs from AWS's: {0}")]
    ClockSkew(String),
    /// No answer.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// An answer that is not the service's, such as a proxy's HTML page.
    #[error("not an answer from AWS: {0}")]
    Unreadable(String),
    /// The service failed; worth another try later.
    #[error("AWS failed ({0})")]
    ServiceFault(String),
    /// Any other code.
    #[error("{code}: {message}")]
    Other {
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
    },
}

impl CloudErrorKind {
    /// Is the same call worth sending again after a while?
    pub fn is_transient(&self) -> bool {
        Trouble::of(self).is_some()
    }

    /// May the call have been accepted all the same? Its answer was lost, was none of AWS's, or says that what was
    /// asked for is already going on.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::TokenAlreadyExists | Self::InvalidChangeSetStatus(_) => true,
            Self::WrongState(status) => status.is_running(),
            other => other.is_transient(),
        }
    }

    /// Reads CloudFormation's catch-all: the text of a `ValidationError`.
    pub fn from_validation_text(text: &str) -> Self {
        let state = || {
            let after = text.split_once(" is in ").or_else(|| text.split_once("non-terminal ["))?.1;
            let end = after.find(|c: char| !(c.is_ascii_uppercase() || c == '_'))?;
            let (status, rest) = after.split_at(end);
            let named = rest.trim_start_matches(']').starts_with(" state") && !status.is_empty();
            named.then(|| StackStatus::from(status))
        };
        let subjects = ["Stack with id ", "Stack [", "ChangeSet ["];
        if subjects.iter().any(|subject| text.starts_with(subject)) && text.contains("does not exist") {
            Self::NotFound
        } else if text.starts_with("No updates are to be performed") {
            Self::NoUpdates
        } else if text.contains("cannot be deleted while TerminationProtection is enabled") {
            Self::TerminationProtection
        } else {
            state().map_or_else(|| Self::Validation(text.to_owned()), Self::WrongState)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catch_all_is_told_apart() {
        let read = CloudErrorKind::from_validation_text;
        assert_eq!(read("Stack with id x does not exist"), CloudErrorKind::NotFound);
        assert_eq!(read("No updates are to be performed."), CloudErrorKind::NoUpdates);
        assert_eq!(
            read("Stack:arn:aws:x is in ROLLBACK_COMPLETE state and can not be updated."),
            CloudErrorKind::WrongState(StackStatus::RollbackComplete)
        );
        for other in
            ["Template error: x", "Parameter p does not exist in the template", "the role is in USE by a stack"]
        {
            assert_eq!(read(other), CloudErrorKind::Validation(other.into()));
        }
    }
}
