//! What to do about a failure, chosen here and nowhere else.

use crate::{
    cloud::{CloudError, CloudErrorKind, Reason, StackStatus, handler_error_code},
    execute::{Failure, FailureKind},
};

/// What the user can do, where there is something to say; one or two sentences.
pub fn advice(failure: &Failure) -> Option<String> {
    let text = match failure.kind {
        FailureKind::RolledBack | FailureKind::RollbackFailed | FailureKind::DeleteFailed => return of_stack(failure),
        FailureKind::SilentRollback => {
            "SageMaker went back to the old configuration without telling CloudFormation. Its CloudWatch log group \
             /aws/sagemaker/Endpoints/<endpoint> says why the new one did not start; change the manifest and apply \
             again."
        }
        FailureKind::EndpointUnhealthy => {
            "Read the endpoint's log group /aws/sagemaker/Endpoints/<endpoint> in CloudWatch; a container that never \
             answers /ping is the usual cause."
        }
        FailureKind::Stale => {
            "Nothing was done to it after this. Plan again: hubform apply shows what would happen now."
        }
        FailureKind::Gate => {
            "Read the change set in the CloudFormation console. If what it says is fine, plan again; if the plan \
             says less again, that is a bug in hubform."
        }
        FailureKind::Refused => {
            "The service refused the request before anything changed; its words name what to correct."
        }
        FailureKind::QuotaExceeded => {
            "This is a quota of CloudFormation in the account and Region. Service Quotas in the AWS console, service \
             AWS CloudFormation, takes requests for more; deleting stacks helps at once."
        }
        FailureKind::AccessDenied => {
            "The identity hubform runs as needs this action in its policy. Permission boundaries and service control \
             policies can deny it as well."
        }
        FailureKind::NoCredentials => {
            "Sign in again (aws sso login), set AWS_PROFILE, or check that the credentials have not expired."
        }
        FailureKind::ClockSkew => {
            "Set this machine's clock: requests are signed with its time, and AWS takes five minutes of difference at most."
        }
        FailureKind::Unreachable => {
            "Check network, proxy and the AWS Health Dashboard. Running operations go on in AWS; apply again to go on \
             watching."
        }
        FailureKind::WrongAccount => {
            "Use the credentials of the planned account, or plan again with these. Nothing was done in any account."
        }
        FailureKind::Leftover => {
            "Remove what is named above by hand, once nothing uses it any more; CloudFormation does not try \
             again."
        }
    };
    Some(text.to_owned())
}

fn of_stack(failure: &Failure) -> Option<String> {
    let reason = failure.cause.as_ref().map_or("", |cause| &cause.reason);
    let about_cause = match Reason::read(reason) {
        Reason::Quota => Some(quota(reason)),
        Reason::Capacity => Some(
            "AWS has no such instance free just now. Try again later, name other instance types in the Hardware, or \
             use another Region."
                .to_owned(),
        ),
        Reason::AccessDenied => Some(
            "Give the role named in the message the action it names; without a service role CloudFormation acts with \
             your own permissions."
                .to_owned(),
        ),
        Reason::AlreadyExists => Some(
            "Something outside this stack has that name. Delete it, or choose another name in the manifest.".to_owned(),
        ),
        Reason::Throttled => {
            Some("A service below CloudFormation was asked too often. Apply again; nothing is wrong.".to_owned())
        }
        Reason::NotStabilized => Some(
            "It was made and never became healthy. For an endpoint, its CloudWatch log group says why the container \
             did not start."
                .to_owned(),
        ),
        Reason::Cancelled | Reason::Other => None,
    };
    let sentences: Vec<String> = about_cause.into_iter().chain(about_status(failure).map(str::to_owned)).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn about_status(failure: &Failure) -> Option<&'static str> {
    match failure.status.as_ref()? {
        StackStatus::RollbackComplete => Some("The next apply removes the empty stack and creates it again."),
        StackStatus::UpdateRollbackFailed => Some(
            "The stack is stuck: fix what kept it from rolling back, then continue the rollback in the CloudFormation \
             console.",
        ),
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
            "set this machine's clock; requests are signed with its time, and AWS takes five minutes of difference"
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
    use crate::execute::Cause;

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
            aftermath: Vec::new(),
        }
    }

    #[test]
    fn advice_names_the_quota_and_what_becomes_of_the_stack() {
        let reason = "message: \"The account-level service limit 'ml.g5.xlarge for endpoint usage' is 0 Instances\"";
        let text = advice(&failed(reason, StackStatus::RollbackComplete)).expect("advice");
        assert!(text.starts_with("The quota `ml.g5.xlarge for endpoint usage` is too low"), "{text}");
        assert!(text.ends_with("removes the empty stack and creates it again."), "{text}");
        assert_eq!(advice(&failed("odd", StackStatus::UpdateRollbackComplete)), None);
    }
}
