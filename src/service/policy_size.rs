//! How large policies may be.
//!
//! IAM User Guide, "IAM and AWS STS quotas" (D): white space is not counted. The inline policies of a role together and
//! a managed policy have fixed limits; a trust policy and the number of managed policies have quotas that an account can
//! have raised, up to a maximum.

use serde_json::{Map, Value};

use super::arn::Location;

/// Characters of all inline policies of a role together.
pub const INLINE_LIMIT: usize = 10_240;
/// Characters of a trust policy, unless the account was given more.
pub const TRUST_LIMIT: usize = 2_048;
/// Characters of a trust policy in any account.
pub const TRUST_MOST: usize = 8_192;
/// Characters of a managed policy.
pub const MANAGED_LIMIT: usize = 6_144;
/// Managed policies of a role, unless the account was given more.
pub const ATTACHED_LIMIT: usize = 10;
/// Managed policies of a role in any account.
pub const ATTACHED_MOST: usize = 25;

/// The characters of a document that IAM counts.
pub fn characters(document: &Value) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// A document as IAM gets it in this place, as far as that is known: account, Region and partition are filled in, and
/// functions that only a stack works out stay as they are written, about as long as what they stand for.
pub fn worked_out(document: &Value, target: Location<'_>) -> Value {
    match document {
        Value::Object(members) => match (members.get("Fn::Sub"), members.get("Ref")) {
            (Some(Value::String(text)), _) => filled(text, target).into(),
            (_, Some(Value::String(name))) => filled(&format!("${{{name}}}"), target).into(),
            _ => members
                .iter()
                .map(|(key, value)| (key.clone(), worked_out(value, target)))
                .collect::<Map<_, _>>()
                .into(),
        },
        Value::Array(items) => items.iter().map(|item| worked_out(item, target)).collect(),
        other => other.clone(),
    }
}

fn filled(text: &str, target: Location<'_>) -> String {
    let known = [
        ("${AWS::Partition}", target.partition()),
        ("${AWS::Region}", target.region),
        ("${AWS::AccountId}", target.account.unwrap_or("000000000000")),
        ("${!", "${"),
    ];
    known.into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_known_is_filled_in_and_white_space_is_not_counted() {
        let document =
            json!({ "a b": [{ "Fn::Sub": "arn:${AWS::Partition}:s3:::x/${!y}" }, { "Ref": "AWS::Region" }] });
        let target = Location { region: "cn-north-1", account: None };
        let out = worked_out(&document, target);
        assert_eq!(out, json!({ "a b": ["arn:aws-cn:s3:::x/${y}", "cn-north-1"] }));
        assert_eq!(characters(&out), r#"{"ab":["arn:aws-cn:s3:::x/${y}","cn-north-1"]}"#.len());
    }
}
