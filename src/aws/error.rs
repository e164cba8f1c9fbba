//! One call to AWS, and every way in which it can fail.

use std::{error::Error, future::Future};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudformation::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::DispatchFailure, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{convert::Unreadable, limit::LONGEST};
use crate::cloud::{CloudError, CloudErrorKind, CloudResult, Target};

/// Where calls go, so that their failures can say it.
#[derive(Debug, Clone)]
pub(super) struct CallSite {
    target: Target,
}

impl CallSite {
    pub(super) fn new(target: Target) -> Self {
        Self { target }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Waits for the answer of `operation` on `subject` and reads it.
    pub(super) async fn ask<O, E, T>(
        &self,
        operation: &'static str,
        subject: &str,
        sent: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        read: impl FnOnce(O) -> Result<T, Unreadable>,
    ) -> CloudResult<T>
    where
        O: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
    {
        let sent = sent.await;
        let request_id = sent.request_id().map(str::to_owned);
        let answer = match sent {
            Ok(answer) => read(answer).map_err(|Unreadable(why)| CloudErrorKind::Unreadable(why)),
            Err(error) => Err(kind(&error)),
        };
        answer.map_err(|kind| {
            let (subject, target) = (subject.to_owned(), self.target.clone());
            CloudError { operation, subject, target, kind, request_id }
        })
    }
}

/// An answer about something that may not exist.
pub(super) async fn if_found<T>(answer: impl Future<Output = CloudResult<T>>) -> CloudResult<Option<T>> {
    match answer.await {
        Err(CloudError { kind: CloudErrorKind::NotFound, .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

fn kind<E: Error + ProvideErrorMetadata + 'static>(error: &SdkError<E, HttpResponse>) -> CloudErrorKind {
    match error {
        SdkError::ServiceError(fault) => match fault.err().code() {
            Some(code) => said(code, fault.err().message().unwrap_or_default(), fault.raw().status().as_u16()),
            None => foreign(fault.raw()),
        },
        SdkError::ResponseError(fault) if fault.raw().body().bytes().is_some() => foreign(fault.raw()),
        SdkError::ResponseError(_) if causes(error).contains(TOO_LONG) => CloudErrorKind::Unreadable(too_long()),
        SdkError::ResponseError(_) => CloudErrorKind::Unreachable(format!("the answer broke off: {}", causes(error))),
        SdkError::TimeoutError(_) => CloudErrorKind::Unreachable(causes(error)),
        SdkError::DispatchFailure(failure) => unsent(failure, error),
        other => credentials(other).unwrap_or_else(|| unsendable(other)),
    }
}

/// A code and a message, as the services say them.
fn said(code: &str, message: &str, status: u16) -> CloudErrorKind {
    use CloudErrorKind as Kind;
    let text = || if message.is_empty() { code.to_owned() } else { message.to_owned() };
    match code.strip_suffix("Exception").unwrap_or(code) {
        "ValidationError" => Kind::from_validation_text(message),
        "Validation" => Kind::Validation(text()),
        "ChangeSetNotFound" | "StackNotFound" | "NoSuchEntity" | "ResourceNotFound" => Kind::NotFound,
        "AlreadyExists" | "EntityAlreadyExists" => Kind::AlreadyExists,
        "InsufficientCapabilities" => Kind::InsufficientCapabilities(text()),
        "TokenAlreadyExists" => Kind::TokenAlreadyExists,
        "InvalidChangeSetStatus" => Kind::InvalidChangeSetStatus(text()),
        "LimitExceeded" | "ResourceLimitExceeded" => Kind::LimitExceeded(text()),
        "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" => Kind::AccessDenied(text()),
        "RequestTimeTooSkewed" | "RequestExpired" => Kind::ClockSkew(text()),
        "SignatureDoesNotMatch" | "InvalidSignature" if SKEWED.iter().any(|start| message.starts_with(start)) => {
            Kind::ClockSkew(text())
        }
        "RequestTimeout" => Kind::Unreachable(text()),
        code if THROTTLES.contains(&code) => Kind::Throttled(text()),
        code if REFUSED_CREDENTIALS.contains(&code) => Kind::NoCredentials(text()),
        _ if status >= 500 && message.is_empty() => Kind::ServiceFault(code.to_owned()),
        _ if status >= 500 => Kind::ServiceFault(format!("{code}: {message}")),
        _ => Kind::Other { code: code.to_owned(), message: message.to_owned() },
    }
}

/// Throttling codes without `Exception` at the end (the SDK's list, aws-runtime 1.10, without `LimitExceeded`).
const THROTTLES: [&str; 8] = [
    "Throttling",
    "Throttled",
    "RequestThrottled",
    "TooManyRequests",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "SlowDown",
];

/// Codes that mean the credentials are no good (botocore 1.44.5, common errors of the Query protocol).
const REFUSED_CREDENTIALS: [&str; 9] = [
    "ExpiredToken",
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "InvalidSignature",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "InvalidAccessKeyId",
];

/// How a complaint about a signature begins when it is the time that is wrong (IAM User Guide, "Troubleshoot Signature
/// Version 4 signed requests", D).
const SKEWED: [&str; 2] = ["Signature expired", "Signature not yet current"];

/// What the limit on answers says.
const TOO_LONG: &str = "length limit exceeded";

fn too_long() -> String {
    format!("it is longer than {} MiB", LONGEST >> 20)
}

/// An answer in which no service speaks: a proxy, a captive portal, a load balancer without its service.
fn foreign(response: &HttpResponse) -> CloudErrorKind {
    let status = response.status().as_u16();
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    let form = response.headers().get("content-type").unwrap_or("unknown type");
    let title = title(&body).map(|title| format!(", titled \"{title}\"")).unwrap_or_default();
    let text = format!("HTTP {status} of {form}{title}");
    match status {
        429 => CloudErrorKind::Throttled(text),
        500..=504 => CloudErrorKind::ServiceFault(text),
        _ => CloudErrorKind::Unreadable(text),
    }
}

fn title(body: &str) -> Option<String> {
    let lower = body.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    let words: Vec<&str> = body[start..end].split_whitespace().collect();
    Some(words.join(" ").chars().take(80).collect()).filter(|title: &String| !title.is_empty())
}

/// The request never left, or nobody took it.
fn unsent(failure: &DispatchFailure, error: &(dyn Error + 'static)) -> CloudErrorKind {
    if let Some(kind) = credentials(error) {
        kind
    } else if causes(error).contains("message head is too large") {
        CloudErrorKind::Unreadable("its headers have no end".to_owned())
    } else if failure.is_io() || failure.is_timeout() || failure.as_other().is_some() {
        CloudErrorKind::Unreachable(causes(error))
    } else if causes(error).contains("invalid HTTP") {
        CloudErrorKind::Unreadable(causes(error))
    } else {
        unsendable(error)
    }
}

fn unsendable(error: &(dyn Error + 'static)) -> CloudErrorKind {
    CloudErrorKind::Other { code: "the request cannot be made".to_owned(), message: causes(error) }
}

/// If the search for credentials failed: as the answer of STS where that is the reason.
fn credentials(error: &(dyn Error + 'static)) -> Option<CloudErrorKind> {
    let found = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
    let of_role = chain(found).find_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
    Some(match (found, of_role) {
        (_, Some(refused)) => kind(refused),
        (CredentialsError::CredentialsNotLoaded(_), _) => CloudErrorKind::NoCredentials(
            "none in the environment, the profile, or the metadata of this machine".to_owned(),
        ),
        _ => CloudErrorKind::NoCredentials(causes(found)),
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (**error).source())
}

/// What an error says and why, from the outside in, without the SDK's names for its own layers and without the
/// request, which may hold secrets.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for text in chain(error).map(ToString::to_string) {
        let text = text.split(" to request `").next().unwrap_or_default().trim();
        if !LAYERS.contains(&text) && !said.iter().any(|outer| outer.ends_with(text)) {
            said.push(text.to_owned());
        }
    }
    said.join(": ")
}

/// How the SDK and its HTTP client call themselves when they pass an error on.
const LAYERS: [&str; 8] = [
    "dispatch failure",
    "response error",
    "io error",
    "other",
    "client error (Connect)",
    "client error (SendRequest)",
    "an error occurred while loading credentials",
    "an error occurred while loading an access token",
];

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(answers: &[(&str, &str, u16)], expect: Expect) {
        let lines = answers.iter().map(|(code, message, status)| {
            let kind = said(code, message, *status);
            format!("{code} {status} => {kind:?}{}\n", if kind.is_transient() { " (again later)" } else { "" })
        });
        expect.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn codes_become_kinds() {
        check(
            &[
                ("ValidationError", "Stack with id nobody does not exist", 400),
                ("ValidationError", "Stack:arn:aws:x is in ROLLBACK_COMPLETE state and can not be updated.", 400),
                ("ValidationError", "Template format error: JSON not well-formed.", 400),
                ("ValidationException", "Could not find endpoint \"x\".", 400),
                ("AlreadyExistsException", "Stack [x] already exists", 400),
                ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]", 400),
                ("TokenAlreadyExistsException", "", 400),
                ("ChangeSetNotFound", "ChangeSet [x] does not exist", 404),
                ("InvalidChangeSetStatus", "ChangeSet [x] cannot be executed in its current status", 400),
                ("LimitExceededException", "Limit for stack has been exceeded", 400),
                ("NoSuchEntity", "The role with name x cannot be found.", 404),
                ("AccessDenied", "User: x is not authorized to perform: y", 403),
                ("AccessDeniedException", "", 400),
                ("ExpiredToken", "The security token included in the request is expired", 403),
                ("ExpiredTokenException", "expired", 400),
                ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
                ("RequestTimeTooSkewed", "The difference is too large.", 403),
                ("SignatureDoesNotMatch", "Signature expired: 20261125T1 is now earlier than 20261125T2", 403),
                ("SignatureDoesNotMatch", "The request signature we calculated does not match", 403),
                ("RequestTimeout", "", 400),
                ("Throttling", "Rate exceeded", 400),
                ("ThrottlingException", "Rate exceeded", 400),
                ("RequestLimitExceeded", "", 503),
                ("InternalFailure", "try later", 500),
                ("ServiceUnavailable", "", 503),
                ("SomethingNew", "who knows", 400),
            ],
            expect![[r#"
                ValidationError 400 => NotFound
                ValidationError 400 => WrongState(RollbackComplete)
                ValidationError 400 => Validation("Template format error: JSON not well-formed.")
                ValidationException 400 => Validation("Could not find endpoint \"x\".")
                AlreadyExistsException 400 => AlreadyExists
                InsufficientCapabilitiesException 400 => InsufficientCapabilities("Requires capabilities : [CAPABILITY_NAMED_IAM]")
                TokenAlreadyExistsException 400 => TokenAlreadyExists
                ChangeSetNotFound 404 => NotFound
                InvalidChangeSetStatus 400 => InvalidChangeSetStatus("ChangeSet [x] cannot be executed in its current status")
                LimitExceededException 400 => LimitExceeded("Limit for stack has been exceeded")
                NoSuchEntity 404 => NotFound
                AccessDenied 403 => AccessDenied("User: x is not authorized to perform: y")
                AccessDeniedException 400 => AccessDenied("AccessDeniedException")
                ExpiredToken 403 => NoCredentials("The security token included in the request is expired")
                ExpiredTokenException 400 => NoCredentials("expired")
                InvalidClientTokenId 403 => NoCredentials("The security token included in the request is invalid.")
                RequestTimeTooSkewed 403 => ClockSkew("The difference is too large.")
                SignatureDoesNotMatch 403 => ClockSkew("Signature expired: 20261125T1 is now earlier than 20261125T2")
                SignatureDoesNotMatch 403 => NoCredentials("The request signature we calculated does not match")
                RequestTimeout 400 => Unreachable("RequestTimeout") (again later)
                Throttling 400 => Throttled("Rate exceeded") (again later)
                ThrottlingException 400 => Throttled("Rate exceeded") (again later)
                RequestLimitExceeded 503 => Throttled("RequestLimitExceeded") (again later)
                InternalFailure 500 => ServiceFault("InternalFailure: try later") (again later)
                ServiceUnavailable 503 => ServiceFault("ServiceUnavailable") (again later)
                SomethingNew 400 => Other { code: "SomethingNew", message: "who knows" }
            "#]],
        );
    }

    #[test]
    fn a_page_is_known_by_its_title() {
        assert_eq!(title("<HTML><Title>\n Sign  in\n</title>").as_deref(), Some("Sign in"));
        assert_eq!(title("<html>"), None);
    }
}
