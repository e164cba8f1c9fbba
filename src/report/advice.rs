//! What to do about a failure, chosen here and nowhere else.

use crate::{
    cloud::{CloudError, CloudErrorKind, Reason, StackRef, StackStatus, handler_error_code, stuck_rollback},
    execute::{Failure, FailureKind},
};

/// What the user can do, where there is something to say; one or two sentences.
pub fn advice(stack: &StackRef, failure: &Failure) -> Option<String> {
    let logs = format!("/aws/sagemaker/Endpoints/{}", failure.endpoint.as_deref().unwrap_or("<endpoint>"));
    let text = match failure.kind {
        FailureKind::RolledBack | FailureKind::RollbackFailed | FailureKind::DeleteFailed => {
            return of_stack(stack, failure);
        }
        FailureKind::SilentRollback => {
            return Some(format!(
                "SageMaker went back to the old configuration without telling CloudFormation. The log group {logs} in \
                 CloudWatch says why the new one did not start."
            ));
        }
        FailureKind::EndpointUnhealthy => {
            return Some(format!(
                "Read the log group {logs} in CloudWatch; usually the container does not answer /ping."
            ));
        }
        FailureKind::Stale => "Nothing else was changed. Plan again.",
        FailureKind::Gate => {
            "Read the change set in the CloudFormation console and plan again. A plan that says less than the change \
             set a second time is a bug in hubform."
        }
        FailureKind::Refused => {
            "The service refused the request before anything changed; its message names what to correct."
        }
        FailureKind::QuotaExceeded => {
            "This is a quota of CloudFormation in this account and Region. Ask for more in Service Quotas, service AWS \
             CloudFormation; deleting stacks helps at once."
        }
        FailureKind::AccessDenied => {
            "The identity that hubform runs as lacks this action; permission boundaries and service control policies \
             can deny it, too."
        }
        FailureKind::NoCredentials => {
            "Sign in again (aws sso login), set AWS_PROFILE, or check that the credentials have not expired."
        }
        FailureKind::ClockSkew => {
            "Set this machine's clock: AWS refuses requests that are signed more than five minutes off."
        }
        FailureKind::Unreachable => {
            "Check network, proxy and the AWS Health Dashboard. What runs continues in AWS; apply again to follow it."
        }
        FailureKind::WrongAccount => {
            "Use credentials of the planned account, or plan again with these. Nothing was changed."
        }
        FailureKind::Leftover => {
            "CloudFormation does not retry: once nothing uses what is named above, delete it yourself."
        }
    };
    Some(text.to_owned())
}

fn of_stack(stack: &StackRef, failure: &Failure) -> Option<String> {
    let causes = failure.rollback.iter().chain(&failure.cause).map(|cause| cause.reason.as_str());
    let mut sentences: Vec<String> = Vec::new();
    for sentence in causes.filter_map(|reason| about(Reason::read(reason), reason, failure.endpoint.as_deref())) {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences.extend(about_status(failure).map(str::to_owned));
    let text = sentences.join(" ");
    let lines: Vec<String> = match failure.status {
        Some(StackStatus::UpdateRollbackFailed) => {
            let skipped: Vec<_> =
                failure.rollback.iter().map(|cause| (&*cause.logical_id, &*cause.resource_type)).collect();
            let mut way = stuck_rollback(stack, &skipped);
            if let Some(first) = way.first_mut() {
                // It begins a sentence here.
                *first = first.replacen("fix", "Fix", 1);
            }
            Some(text).filter(|text| !text.is_empty()).into_iter().chain(way).collect()
        }
        _ => vec![text],
    };
    Some(lines.join("\n")).filter(|text| !text.is_empty())
}

/// What to do about a kind of cause, for endpoints and all else.
fn about(reason: Reason, text: &str, endpoint: Option<&str>) -> Option<String> {
    let logs = format!("log group /aws/sagemaker/Endpoints/{}", endpoint.unwrap_or("<endpoint>"));
    Some(match reason {
        Reason::Quota => quota(text),
        Reason::PolicySize => {
            "IAM does not raise this limit. Write fewer statements, or give the endpoint a role of its \
                               own."
                .to_owned()
        }
        Reason::Capacity => {
            "AWS has no such instance available now. Try later, or another instance type or Region.".to_owned()
        }
        Reason::Container => format!("The {logs} in CloudWatch says why the container did not start."),
        Reason::Image => {
            "Check that the image exists in this Region, and that the repository's policy lets this account \
                          and the model's role pull it."
                .to_owned()
        }
        Reason::Weights => {
            "Check that the key exists, that the bucket is in this Region, and that the model's role may \
                            read it and use the bucket's KMS key."
                .to_owned()
        }
        Reason::Archive if text.contains("too large") => {
            "Use an instance type with more memory, or weights that are not compressed.".to_owned()
        }
        Reason::Archive => {
            "Check that the object is a valid tar.gz archive; SageMaker cannot extract one with symbolic links."
                .to_owned()
        }
        Reason::Role => {
            "Check that the role exists and that its trust policy lets sagemaker.amazonaws.com assume it.".to_owned()
        }
        Reason::Busy => "Wait until it has settled; an endpoint accepts one change at a time.".to_owned(),
        Reason::AccessDenied => "Give the role named in the message the action it names; without a service role \
                                 CloudFormation acts with your own permissions."
            .to_owned(),
        Reason::AlreadyExists => {
            "Something outside this stack already has that name. Delete it, or choose another name in the manifest."
                .to_owned()
        }
        Reason::Throttled => "A service behind CloudFormation was throttled. Apply again.".to_owned(),
        Reason::NotStabilized if endpoint.is_some() => {
            format!("It was created but never became healthy; the {logs} in CloudWatch says why.")
        }
        Reason::NotStabilized => "It was created but never became healthy.".to_owned(),
        Reason::Cancelled | Reason::Other => return None,
    })
}

fn about_status(failure: &Failure) -> Option<&'static str> {
    match failure.status.as_ref()? {
        StackStatus::RollbackComplete => Some("The next apply removes the empty stack and creates it again."),
        StackStatus::RollbackFailed | StackStatus::CreateFailed => {
            Some("What is left of the stack can only be deleted; resources named above may still bill.")
        }
        StackStatus::DeleteFailed => Some("Fix what kept the resource, then destroy again."),
        _ => None,
    }
}

fn quota(reason: &str) -> String {
    let named = reason.split(['\'', '"']).find(|part| part.starts_with("ml.") && part.contains(" for "));
    let what = match named {
        Some(name) => format!("The quota `{name}`"),
        None if handler_error_code(reason) == Some("ServiceLimitExceeded") => "A service quota".to_owned(),
        None => "A quota of the account".to_owned(),
    };
    format!(
        "{what} is too low in this account and Region. Ask for more in Service Quotas (the AWS console, or aws \
         service-quotas request-service-quota-increase)."
    )
}

/// What the user can do about a call that failed before anything was carried out.
pub fn world_advice(error: &anyhow::Error) -> Option<String> {
    let error = error.chain().find_map(|cause| cause.downcast_ref::<CloudError>())?;
    let text = match &error.kind {
        CloudErrorKind::NoCredentials(_) => {
            "sign in (aws sso login), set AWS_PROFILE, or add --sandbox to try it in an imagined account"
        }
        CloudErrorKind::ClockSkew(_) => {
            "set this machine's clock: AWS refuses requests that are signed more than five minutes off"
        }
        CloudErrorKind::AccessDenied(_) => "the caller's policy must allow this operation",
        CloudErrorKind::Unreachable(_) => "check the network, the proxy, and AWS_ENDPOINT_URL if it is set",
        CloudErrorKind::Unreadable(_) => "something between here and AWS answered, perhaps a proxy's sign-in page",
        CloudErrorKind::Throttled(_) | CloudErrorKind::ServiceFault(_) => "try again in a minute",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cloud::Target, execute::Cause};

    fn failed(reason: &str, status: StackStatus) -> Failure {
        let cause = Cause {
            logical_id: "Endpoint".into(),
            resource_type: "AWS::SageMaker::Endpoint".into(),
            reason: reason.into(),
            position: None,
            field: None,
        };
        Failure {
            kind: FailureKind::RolledBack,
            operation: "create".into(),
            status: Some(status),
            message: String::new(),
            cause: Some(cause),
            rollback: Vec::new(),
            endpoint: Some("chat".into()),
            notes: Vec::new(),
        }
    }

    fn advised(failure: &Failure) -> Option<String> {
        let target = Target { account: None, region: "eu-west-1".into(), assume_role: None };
        advice(&StackRef { target, name: "dev-chat".into() }, failure)
    }

    #[test]
    fn advice_names_the_quota_and_what_becomes_of_the_stack() {
        let reason = "message: \"The account-level service limit 'ml.g5.xlarge for endpoint usage' is 0 Instances\"";
        let text = advised(&failed(reason, StackStatus::RollbackComplete)).expect("advice");
        assert!(text.starts_with("The quota `ml.g5.xlarge for endpoint usage` is too low"), "{text}");
        assert!(text.ends_with("removes the empty stack and creates it again."), "{text}");
        assert_eq!(advised(&failed("odd", StackStatus::UpdateRollbackComplete)), None);
    }

    #[test]
    fn one_code_stands_for_many_causes_and_the_words_tell_them_apart() {
        let said = |words: &str| {
            let reason = format!("message: \"{words}\" (RequestToken: x, HandlerErrorCode: GeneralServiceException)");
            advised(&failed(&reason, StackStatus::UpdateRollbackComplete)).unwrap_or_default()
        };
        let ping = said("The primary container for production variant a did not pass the ping health check.");
        assert!(ping.contains("/aws/sagemaker/Endpoints/chat "), "{ping}");
        assert!(said("Requested image a/b not found.").contains("repository's policy"));
        assert!(said("Could not find model data at s3://b/k.").contains("KMS key"));
        let archive = said("Failed to extract model data archive from URL 's3://b/k'. Please ensure it is valid.");
        assert!(archive.contains("tar.gz") && !archive.contains("KMS"), "{archive}");
        let large = said("Failed to extract model data archive. The model data archive is too large.");
        assert!(large.contains("more memory"), "{large}");
        let policy = said("Maximum policy size of 10240 bytes exceeded for role r");
        assert!(policy.contains("fewer statements") && !policy.contains("Service Quotas"), "{policy}");
        assert!(said("Cannot exceed quota for PolicySize: 6144").contains("fewer statements"));
        assert!(said("Could not assume role arn:aws:iam::1:role/r.").contains("trust policy"));
    }
}
