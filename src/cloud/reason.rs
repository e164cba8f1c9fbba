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
            _ if says(&["cancelled", "canceled"]) => Self::Cancelled,
            _ if says(&["insufficient capacity", "insufficientinstancecapacity", "capacityerror"]) => Self::Capacity,
            Some("ServiceLimitExceeded") => Self::Quota,
            _ if says(&["service limit", "resourcelimitexceeded", "quota"]) => Self::Quota,
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
}
