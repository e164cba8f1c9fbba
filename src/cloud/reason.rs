//! The service's prose, read once.

/// What the reason of an event or a status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A sibling failed first; this is no cause.
    Cancelled,
    /// A limit of the account, not of the moment.
    Quota,
    /// A policy is larger than IAM allows in any account.
    PolicySize,
    /// No instance of that type to be had just now.
    Capacity,
    /// The container does not start, or does not answer.
    Container,
    /// The image is missing, or may not be pulled.
    Image,
    /// The weights are missing, or may not be read.
    Weights,
    /// The archive of the weights cannot be unpacked.
    Archive,
    /// The model's role is missing, or does not trust SageMaker.
    Role,
    /// It is being changed already.
    Busy,
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
    /// Reads a status reason: its wording first, since one code stands for many causes.
    pub fn read(text: &str) -> Self {
        if CANCELLED.contains(&text.trim_end_matches('.')) {
            return Self::Cancelled;
        }
        let lower = text.to_lowercase();
        let worded = WORDINGS.iter().find(|(_, words)| words.split('…').all(|part| lower.contains(part)));
        let coded = || {
            let code = handler_error_code(text)?;
            CODES.iter().find(|(_, known)| *known == code)
        };
        worded.or_else(coded).map_or(Self::Other, |(reason, _)| *reason)
    }
}

/// What CloudFormation says of a sibling, and nothing else. (R: creation; D: update; K: deletion)
const CANCELLED: [&str; 3] =
    ["Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled"];

/// What services say, in lower case, with `…` for what lies between; the first that fits counts. Weights and images
/// stand before roles, because SageMaker advises on the role with either.
const WORDINGS: &[(Reason, &str)] = &[
    // Before quotas, whose words the second has. (O: amplify-cli 1699; for `PolicySize` K)
    (Reason::PolicySize, "maximum policy size of "),
    (Reason::PolicySize, "cannot exceed quota for policysize"),
    // (O: amazon-sagemaker-examples 307, sagemaker-custom-project-templates 51; K: EC2's, IAM's, others')
    (Reason::Quota, "the account-level service limit "),
    (Reason::Quota, "resourcelimitexceeded"),
    (Reason::Quota, "vcpulimitexceeded"),
    (Reason::Quota, "than your current vcpu limit"),
    (Reason::Quota, "limitexceededexception"),
    (Reason::Quota, "servicequotaexceeded"),
    (Reason::Quota, "service quota exceeded"),
    (Reason::Quota, "cannot exceed quota for "),
    // (O: deep-learning-containers 6673, rse-grand-challenge 2631, amazon-sagemaker-feedback 99)
    (Reason::Capacity, "unable to provision requested ml compute capacity"),
    (Reason::Capacity, "is temporarily unavailable in supported availability zones"),
    (Reason::Capacity, "insufficient capacity"),
    (Reason::Capacity, "insufficientinstancecapacity"),
    (Reason::Capacity, "capacityerror"),
    // (O: amazon-sagemaker-examples 379, terraform-provider-aws 8713; comfyui-on-amazon-sagemaker 2)
    (Reason::Container, "did not pass the ping health check"),
    (Reason::Container, "cannotstartcontainererror"),
    (Reason::Container, "ensure the model container for …starts correctly"),
    // (O: sagemaker-python-sdk 1835; easy-amazon-sagemaker-deployments 4; sagemaker-tensorflow-training-toolkit 294;
    // amazon-sagemaker-examples 195, 1476)
    (Reason::Image, "make sure all images included in the model"),
    (Reason::Image, "requested image…not found"),
    (Reason::Image, "cannot find the requested image"),
    (Reason::Image, "the image '…does not exist"),
    (Reason::Image, "ecr image \"…is invalid"),
    // (O: cvat-on-aws-china 3; llm-sagemaker-sample 2; deep-learning-containers 569; sagemaker-python-sdk 879)
    (Reason::Weights, "failed to download model data"),
    (Reason::Weights, "could not access model data at "),
    (Reason::Weights, "could not find model data at "),
    (Reason::Archive, "failed to extract model data archive"),
    (Reason::Archive, "model data archive is too large"),
    // (O: predictive-maintenance-using-machine-learning 3; sagemaker-python-sdk 35, 43; bentoml 892)
    (Reason::Role, "could not assume role "),
    (Reason::Role, "was unable to assume the role"),
    (Reason::Role, "the execution role arn …sts:assumerole"),
    (Reason::Role, "unable to perform: sts:assumerole on the role"),
    // (K)
    (Reason::Busy, "cannot update in-progress endpoint"),
    (Reason::AccessDenied, "accessdenied"),
    (Reason::AccessDenied, "is not authorized to perform"),
    (Reason::AlreadyExists, "already exist"),
    (Reason::Throttled, "rate exceeded"),
];

/// What a resource handler's code means where its words say nothing more. (D: the codes of CloudFormation's registry)
const CODES: &[(Reason, &str)] = &[
    (Reason::Quota, "ServiceLimitExceeded"),
    (Reason::AccessDenied, "AccessDenied"),
    (Reason::AlreadyExists, "AlreadyExists"),
    (Reason::Throttled, "Throttling"),
    (Reason::NotStabilized, "NotStabilized"),
];

/// The code in `HandlerErrorCode: X` or `Error Code: X` inside a reason.
pub fn handler_error_code(text: &str) -> Option<&str> {
    let after = ["HandlerErrorCode: ", "Error Code: "].iter().find_map(|mark| text.split_once(mark))?.1;
    let end = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
    Some(&after[..end]).filter(|code| !code.is_empty())
}

/// What a resource handler said, and what stands around it: `code GeneralServiceException, request 5f0c…`. Where nothing
/// does, the text is all.
pub fn spoken(text: &str) -> (&str, Option<String>) {
    let whole = (text, None);
    let Some(said) = text.strip_prefix("Resource handler returned message: \"") else { return whole };
    let Some((message, rest)) = said.rsplit_once("\" (RequestToken: ") else { return whole };
    let Some((token, code)) = rest.strip_suffix(')').and_then(|rest| rest.split_once(", HandlerErrorCode: ")) else {
        return whole;
    };
    (message, Some(format!("code {code}, request {token}")))
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
        let (said, around) = spoken(quota);
        assert!(said.starts_with("The account-level") && said.ends_with("is 0 Instances"), "{said}");
        assert_eq!(around.as_deref(), Some("code ServiceLimitExceeded, request x"));
        assert_eq!(spoken("no such image"), ("no such image", None));
        assert_eq!(Reason::read("odd (RequestToken: x, HandlerErrorCode: NotStabilized)"), Reason::NotStabilized);
    }

    #[test]
    fn what_sagemaker_was_seen_to_say_of_an_endpoint_is_known() {
        let seen = [
            (
                "The primary container for production variant AllTraffic did not pass the ping health check. Please check \
              CloudWatch logs for this endpoint.",
                Reason::Container,
            ),
            (
                "CannotStartContainerError. Please ensure the model container for variant a starts correctly when invoked \
              with 'docker run <image> serve'",
                Reason::Container,
            ),
            (
                "Please make sure all images included in the model for the production variant AllTraffic exist, and that \
              the execution role used to create the model has permissions to access them.",
                Reason::Image,
            ),
            ("The image '763104351884.dkr.ecr.eu-west-1.amazonaws.com/a:1' does not exist.", Reason::Image),
            ("Requested image 1.dkr.ecr.us-west-2.amazonaws.com/a not found.", Reason::Image),
            (
                "Failed to download model data for container \"container_1\" from URL: \"s3://b/m.tar.gz\". Please ensure \
              that there is an object located at the URL and that the role passed to CreateModel has permissions to \
              download the object.",
                Reason::Weights,
            ),
            (
                "Could not access model data at s3://b/m/. Please ensure that the role \"arn:aws:iam::1:role/r\" exists \
              and that its trust relationship policy allows the action \"sts:AssumeRole\"",
                Reason::Weights,
            ),
            (
                "Failed to extract model data archive for container \"container_1\" from URL \"s3://b/m.tar.gz\".",
                Reason::Archive,
            ),
            (
                "Could not assume role arn:aws:iam::1:role/r. Please ensure that the role exists and allows principal \
              'sagemaker.amazonaws.com' to assume the role.",
                Reason::Role,
            ),
            (
                "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.",
                Reason::Capacity,
            ),
            (
                "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML \
              instance type.",
                Reason::Capacity,
            ),
            (
                "EC2InsufficientCapacityError: Instance type 'ml.g5.48xlarge' is temporarily unavailable in supported \
              availability zones [euw1-az1].",
                Reason::Capacity,
            ),
        ];
        for (text, reason) in seen {
            let code = format!("Resource handler returned message: \"{text}\" (HandlerErrorCode: NotStabilized)");
            assert_eq!([Reason::read(text), Reason::read(&code)], [reason, reason], "{text}");
        }
    }

    #[test]
    fn words_that_a_failure_only_quotes_decide_nothing() {
        let quoted = "Resource handler returned message: \"the image 'team/cancelled-quota:1' does not exist\" \
                      (RequestToken: x, HandlerErrorCode: InvalidRequest)";
        assert_eq!(Reason::read(quoted), Reason::Image);
        assert_eq!(Reason::read("The job was cancelled by the quota-keeper"), Reason::Other);
        assert_eq!(Reason::read("Cannot exceed quota for PoliciesPerRole: 10"), Reason::Quota);
        let coded = "Maximum policy size of 10240 bytes exceeded for role r (HandlerErrorCode: ServiceLimitExceeded)";
        assert_eq!(Reason::read(coded), Reason::PolicySize);
        assert_eq!(Reason::read("Cannot exceed quota for PolicySize: 6144"), Reason::PolicySize);
    }
}
