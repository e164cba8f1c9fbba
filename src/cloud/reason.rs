//! The service's prose, read once.

/// What the reason of an event or a status means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A sibling failed first; this is no cause.
    Cancelled,
    /// A limit of the account, not of the moment.
    Quota,
    /// No instance of that type to be had just now.
    Capacity,
    /// Somebody lacks a permission.
    AccessDenied,
    /// The thing exists already under that name.
    AlreadyExists,
    /// A downstream service asked to slow down.
    Throttled,
    /// It was created but never became healthy.
    NotStabilized,
    /// Anything else; the text says it.
    Other,
}

impl Reason {
    /// Reads a status reason.
    pub fn read(text: &str) -> Self {
        let lower = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        match handler_error_code(text) {
            _ if CANCELLED.iter().any(|words| text.trim_end_matches('.') == *words) => Self::Cancelled,
            _ if says(&["insufficient capacity", "insufficientinstancecapacity", "capacityerror"]) => Self::Capacity,
            Some("ServiceLimitExceeded") => Self::Quota,
            _ if says(QUOTA) => Self::Quota,
            Some("AccessDenied") => Self::AccessDenied,
            _ if says(&["accessdenied", "is not authorized to perform"]) => Self::AccessDenied,
            Some("AlreadyExists") => Self::AlreadyExists,
            _ if says(&["already exist"]) => Self::AlreadyExists,
            Some("Throttling") => Self::Throttled,
            _ if says(&["rate exceeded"]) => Self::Throttled,
            Some("NotStabilized") => Self::NotStabilized,
            _ => Self::Other,
        }
    }
}

/// What CloudFormation says of a sibling, and nothing else. (R: creation; D: update; K: deletion)
const CANCELLED: [&str; 3] =
    ["Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled"];

/// How services say that a limit of the account is reached, in lower case. (O: SageMaker's; K: EC2's, IAM's, others')
const QUOTA: &[&str] = &[
    "the account-level service limit ",
    "resourcelimitexceeded",
    "vcpulimitexceeded",
    "than your current vcpu limit",
    "limitexceededexception",
    "servicequotaexceeded",
    "service quota exceeded",
    "cannot exceed quota for ",
];

/// The code in `HandlerErrorCode: X` or `Error Code: X` inside a reason.
pub fn handler_error_code(text: &str) -> Option<&str> {
    let after = ["HandlerErrorCode: ", "Error Code: "].iter().find_map(|mark| text.split_once(mark))?.1;
    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
    Some(&after[..end]).filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_apart() {
        let quota = "Resource handler returned message: \"The account-level service limit 'ml.g5.xlarge for endpoint \
                     usage' is 0 Instances\" (RequestToken: x, HandlerErrorCode: ServiceLimitExceeded)";
        assert_eq!(Reason::read(quota), Reason::Quota);
        assert_eq!(handler_error_code(quota), Some("ServiceLimitExceeded"));
        assert_eq!(Reason::read("Resource creation cancelled"), Reason::Cancelled);
        assert_eq!(Reason::read("Unable to provision: insufficient capacity"), Reason::Capacity);
        assert_eq!(Reason::read("no such image"), Reason::Other);
    }

    #[test]
    fn words_that_a_failure_only_quotes_decide_nothing() {
        let quoted = "Resource handler returned message: \"the image 'team/cancelled-quota:1' does not exist\" \
                      (RequestToken: x, HandlerErrorCode: InvalidRequest)";
        assert_eq!(Reason::read(quoted), Reason::Other);
        assert_eq!(Reason::read("The job was cancelled by the quota-keeper"), Reason::Other);
        assert_eq!(Reason::read("Cannot exceed quota for PoliciesPerRole: 10"), Reason::Quota);
    }
}
