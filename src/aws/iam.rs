//! IAM's roles.

use aws_sdk_iam::{Client, operation::get_role::GetRoleOutput};

use super::{
    convert::{Read, Unreadable, required},
    error::{CallSite, if_found},
};
use crate::cloud::{Iam, Reply, RoleDescription};

/// IAM in one account.
pub(super) struct IamClient {
    client: Client,
    site: CallSite,
}

impl IamClient {
    pub(super) fn new(client: Client, site: CallSite) -> Self {
        Self { client, site }
    }
}

impl Iam for IamClient {
    fn get_role<'a>(&'a self, name: &str) -> Reply<'a, Option<RoleDescription>> {
        let name = name.to_owned();
        Box::pin(async move {
            let sent = self.client.get_role().role_name(&name).send();
            if_found(self.site.ask("GetRole", &name, sent, role)).await
        })
    }
}

fn role(from: GetRoleOutput) -> Read<RoleDescription> {
    let role = required(from.role, "Role")?;
    let document = percent_decoded(&required(role.assume_role_policy_document, "AssumeRolePolicyDocument")?)
        .ok_or_else(|| Unreadable("its trust policy is not text".to_owned()))?;
    let trust = serde_json::from_str(&document)
        .map_err(|error| Unreadable(format!("its trust policy is not JSON: {error}")))?;
    Ok(RoleDescription { name: role.role_name, arn: role.arn, trust })
}

/// Undoes the RFC 3986 encoding in which IAM sends policies.
fn percent_decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let digits = (byte == b'%').then(|| after.split_first_chunk::<2>()).flatten();
        match digits.and_then(|(digits, after)| Some((hex(*digits)?, after))) {
            Some((decoded, after)) => (bytes.push(decoded), rest = after),
            None => (bytes.push(byte), rest = after),
        };
    }
    String::from_utf8(bytes).ok()
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn policies_are_decoded() {
        assert_eq!(percent_decoded("%7B%22a%22%3A%20%22%C3%A9%22%7D").as_deref(), Some("{\"a\": \"é\"}"));
        assert_eq!(percent_decoded("100% {\"a\": 1}%2").as_deref(), Some("100% {\"a\": 1}%2"));
        assert_eq!(percent_decoded("%ff"), None);
    }
}
