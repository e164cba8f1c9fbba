//! Checks that need only the request. (M, D)

use std::collections::BTreeSet;

use super::{
    call::StackRequest,
    template::{ParsedTemplate, list},
};
use crate::cloud::{Capability, CloudErrorKind};

type LimitCheck = Result<(), CloudErrorKind>;

const TAGS: usize = 50;
const TOPICS: usize = 5;

/// Types that need `CAPABILITY_IAM`, with the property that makes it `CAPABILITY_NAMED_IAM`. (D)
const IAM: [(&str, Option<&str>); 8] = [
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserToGroupAddition", None),
];

fn constraint(field: &str, rule: &str) -> CloudErrorKind {
    CloudErrorKind::Validation(format!(
        "1 validation error detected: Value at '{field}' failed to satisfy constraint: {rule}"
    ))
}

/// `[a-zA-Z][-a-zA-Z0-9]*`, 128 characters: stacks and change sets.
pub(crate) fn name(field: &str, name: &str) -> LimitCheck {
    let pattern = "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*";
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic()) && is_plain(name);
    match fits {
        _ if name.len() > 128 => Err(constraint(field, "Member must have length less than or equal to 128")),
        true => Ok(()),
        false => Err(constraint(field, pattern)),
    }
}

/// `[a-zA-Z0-9][-a-zA-Z0-9]*`, 128 characters.
pub(crate) fn token(token: &str) -> LimitCheck {
    let fits = token.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_plain(token) && token.len() <= 128;
    match fits {
        true => Ok(()),
        false => Err(constraint(
            "clientRequestToken",
            "Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]* and have at most 128 characters",
        )),
    }
}

fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Tags and topics.
pub(crate) fn submission(submission: &StackRequest) -> LimitCheck {
    if submission.tags.len() > TAGS {
        return Err(constraint("tags", "Member must have length less than or equal to 50"));
    }
    if submission.notification_arns.len() > TOPICS {
        return Err(constraint("notificationARNs", "Member must have length less than or equal to 5"));
    }
    let bad = |key: &str, value: &str| {
        key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 || key.starts_with("aws:")
    };
    match submission.tags.iter().find(|(key, value)| bad(key, value)) {
        Some((key, _)) => Err(CloudErrorKind::Validation(format!("Invalid tag: {key}"))),
        None => Ok(()),
    }
}

/// Capabilities that the template needs must be acknowledged. (R: the text)
pub(crate) fn capabilities(template: &ParsedTemplate, given: &BTreeSet<Capability>) -> LimitCheck {
    let mut needed = None;
    for declared in template.resources.values() {
        let Some((_, name)) = IAM.iter().find(|(kind, _)| *kind == declared.resource_type) else { continue };
        let named = name.is_some_and(|name| declared.properties.get(name).is_some());
        needed = needed.max(Some(if named { Capability::NamedIam } else { Capability::Iam }));
    }
    let enough = match &needed {
        None => true,
        Some(Capability::NamedIam) => given.contains(&Capability::NamedIam),
        Some(_) => given.contains(&Capability::Iam) || given.contains(&Capability::NamedIam),
    };
    match needed.filter(|_| !enough) {
        None => Ok(()),
        Some(capability) => Err(CloudErrorKind::InsufficientCapabilities(format!(
            "Requires capabilities : [{}]",
            list([capability.as_str()])
        ))),
    }
}
