//! What every body carries, and what is derived from it: metadata, capabilities, digest, and the text for people.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::spec::hex;
use crate::{
    cloud::{Capability, OUTPUT_DIGEST, OUTPUT_OWNER, OUTPUT_VERSION, StackOptions, StackRef, Tags, Target},
    manifest::emit,
    resolve::{DesiredStack, Envelope},
};

/// The largest body that CloudFormation accepts in a request, in bytes.
pub const BODY_LIMIT: usize = 51_200;

/// Grows whenever a digest means something else.
const DIGEST_FORMAT: u32 = 2;

/// IAM resources and the property that names each: with a name of one's own, CAPABILITY_NAMED_IAM is needed.
const IAM_RESOURCES: [(&str, Option<&str>); 8] = [
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserToGroupAddition", None),
];

/// Writes who the stack is into its `Metadata`, from which deletion order is read when the manifests are gone, and
/// whose it is among its outputs too. An owner is not a tag, because a tag would touch every resource.
pub(super) fn stamp_identity(body: &mut Map<String, Value>, stack: &DesiredStack) {
    let DesiredStack { identity, envelope, .. } = stack;
    let needs: Vec<_> = envelope.needs.iter().map(|need| needed(need, &identity.stack.target)).collect();
    let mut own = json!({ "Kind": identity.kind, "Name": identity.name, "Needs": needs });
    if let Some(owner) = &envelope.owner {
        own["Owner"] = json!(owner);
        let outputs = body.entry("Outputs").or_insert_with(|| json!({}));
        outputs[OUTPUT_OWNER] = json!({ "Value": owner });
    }
    let metadata = body.entry("Metadata").or_insert_with(|| json!({}));
    if let Value::Object(metadata) = metadata {
        metadata.insert("Hubform".to_owned(), own);
    }
}

/// A stack that is needed: by its name, and where it is in another target by account and Region, too.
fn needed(need: &StackRef, own: &Target) -> Value {
    match need.target == *own {
        true => json!(need.name),
        false => json!({ "Name": need.name, "Account": need.target.account, "Region": need.target.region }),
    }
}

/// What a digest is made of, in the order of its keys.
#[derive(Serialize)]
struct Digested<'a> {
    body: &'a Map<String, Value>,
    format: u32,
    notifications: &'a [String],
    parameters: Value,
    role: Option<&'a str>,
    tags: &'a Tags,
}

/// The digest of everything that makes an update, the body without its stamps included. Termination protection is
/// switched without one.
pub(super) fn digest(body: &Map<String, Value>, envelope: &Envelope) -> String {
    let StackOptions { role_arn, notification_arns } = &envelope.options;
    let all = Digested {
        body,
        format: DIGEST_FORMAT,
        notifications: notification_arns,
        parameters: json!(envelope.parameters),
        role: role_arn.as_deref(),
        tags: &envelope.tags,
    };
    let text = serde_json::to_vec(&all).expect("text keys and plain values are JSON");
    hex(&Sha256::digest(&text))[..32].to_owned()
}

/// The body with its digest and this version among its outputs.
pub fn with_digest(mut body: Value, digest: &str) -> Value {
    body["Outputs"][OUTPUT_DIGEST] = json!({ "Value": digest });
    body["Outputs"][OUTPUT_VERSION] = json!({ "Value": env!("CARGO_PKG_VERSION") });
    body
}

/// The body without digest and version: what is compared when the digest does not settle it.
pub fn without_stamps(mut body: Value) -> Value {
    if let Some(Value::Object(outputs)) = body.get_mut("Outputs") {
        outputs.remove(OUTPUT_DIGEST);
        outputs.remove(OUTPUT_VERSION);
    }
    body
}

/// What a body needs acknowledged, and nothing more.
pub fn capabilities(body: &Value) -> BTreeSet<Capability> {
    let mut needed = BTreeSet::new();
    let resources = body["Resources"].as_object().into_iter().flatten();
    for (_, resource) in resources {
        let kind = resource["Type"].as_str().unwrap_or_default();
        if let Some((_, name)) = IAM_RESOURCES.iter().find(|(iam, _)| *iam == kind) {
            let named = name.is_some_and(|name| !resource["Properties"][name].is_null());
            needed.insert(if named { Capability::NamedIam } else { Capability::Iam });
        }
    }
    if needed.contains(&Capability::NamedIam) {
        needed.remove(&Capability::Iam);
    }
    if !body["Transform"].is_null() || mentions_transform(body) {
        needed.insert(Capability::AutoExpand);
    }
    needed
}

fn mentions_transform(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| key == "Fn::Transform" || mentions_transform(value)),
        Value::Array(items) => items.iter().any(mentions_transform),
        _ => false,
    }
}

/// A body as people read it: sections and attributes in the order they are usually written in.
pub fn yaml(body: &str) -> String {
    let tree: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    emit::yaml(&tree, &usual_order)
}

const SECTIONS: [&str; 6] =
    ["AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Resources", "Outputs"];
const ATTRIBUTES: [&str; 4] = ["Type", "DependsOn", "Description", "Properties"];

fn usual_order(depth: usize, key: &str) -> usize {
    let first: &[&str] = match depth {
        0 => &SECTIONS,
        2 => &ATTRIBUTES,
        _ => &[],
    };
    first.iter().position(|known| *known == key).unwrap_or(first.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_others_misread_is_quoted() {
        let body = json!({ "A": ["on", "0777", "1:30", "2010-09-09", "~", "10", "it's", "plain", "", true, 10] });
        let text = yaml(&body.to_string());
        assert_eq!(
            text,
            "A:\n- 'on'\n- '0777'\n- '1:30'\n- '2010-09-09'\n- '~'\n- '10'\n- it's\n- plain\n- ''\n- true\n- 10\n"
        );
    }

    #[test]
    fn keys_that_others_misread_are_quoted() {
        assert_eq!(yaml(&json!({ "NO": "a", "Y": "b", "Z": "c" }).to_string()), "'NO': a\n'Y': b\nZ: c\n");
    }

    #[test]
    fn what_is_needed_elsewhere_says_where() {
        let target = |region: &str| Target { account: None, region: region.into(), assume_role: None };
        let need = StackRef { target: target("us-east-1"), name: "dev-role-a".into() };
        assert_eq!(needed(&need, &target("us-east-1")), json!("dev-role-a"));
        let elsewhere = json!({ "Name": "dev-role-a", "Account": null, "Region": "us-east-1" });
        assert_eq!(needed(&need, &target("eu-west-1")), elsewhere);
    }

    #[test]
    fn capabilities_follow_from_the_body() {
        let body =
            |properties: Value| json!({ "Resources": { "R": { "Type": "AWS::IAM::Role", "Properties": properties } } });
        assert_eq!(capabilities(&body(json!({}))), BTreeSet::from([Capability::Iam]));
        assert_eq!(capabilities(&body(json!({ "RoleName": "x" }))), BTreeSet::from([Capability::NamedIam]));
        assert_eq!(capabilities(&json!({ "Resources": { "Q": { "Type": "AWS::SQS::Queue" } } })), BTreeSet::new());
    }
}
