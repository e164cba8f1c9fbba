//! What IAM refuses of policies, whoever sends them.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Account, role, template};
use crate::cloud::{ResourceStatus, StackStatus};

/// Why the stack of these resources fails; empty where it does not.
fn why(resources: Value) -> String {
    let account = Account::new();
    account.created("s", &template(resources));
    let failed = account.events("s").into_iter().find(|event| event.status == ResourceStatus::CreateFailed);
    let reason = failed.and_then(|event| event.reason).unwrap_or_default();
    reason
        .split_once('"')
        .and_then(|(_, rest)| rest.rsplit_once("\" (Req"))
        .map_or(reason.clone(), |(it, _)| it.to_owned())
}

fn check(resources: Value, expect: Expect) {
    expect.assert_eq(&why(resources));
}

fn with(members: Value) -> Value {
    let mut role = role();
    for (name, value) in members.as_object().expect("a map") {
        role["Properties"][name] = value.clone();
    }
    role
}

/// A document of this many characters.
fn document_of(characters: usize) -> Value {
    let of = |resource: String| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{resource}") }
        ] })
    };
    let frame = of(String::new()).to_string().len();
    of("x".repeat(characters - frame))
}

#[test]
fn inline_policies_of_a_role_are_counted_together() {
    let policies = |sizes: [usize; 2]| {
        let named = sizes.map(|size| json!({ "PolicyName": format!("p{size}"), "PolicyDocument": document_of(size) }));
        json!({ "Role": with(json!({ "Policies": named })) })
    };
    check(policies([5_000, 5_240]), expect![""]);
    check(
        policies([5_000, 5_241]),
        expect![
            "Maximum policy size of 10240 bytes exceeded for role s-Role-6uHOKRCFCxeH (Service: Iam, Status Code: 409)"
        ],
    );
    let beside = |size: usize| {
        let put = json!({ "Type": "AWS::IAM::Policy", "Properties": {
            "PolicyName": "more", "Roles": [{ "Ref": "Role" }], "PolicyDocument": document_of(size) } });
        let own = json!([{ "PolicyName": "own", "PolicyDocument": document_of(5_000) }]);
        json!({ "Role": with(json!({ "Policies": own })), "More": put })
    };
    check(beside(5_240), expect![""]);
    check(
        beside(5_241),
        expect![
            "Maximum policy size of 10240 bytes exceeded for role s-Role-6uHOKRCFCxeH (Service: Iam, Status Code: 409)"
        ],
    );
}

#[test]
fn trust_managed_policies_and_their_number_have_limits() {
    let trust = |roles: usize| {
        let arns: Vec<String> =
            (0..roles).map(|at| format!("arn:aws:iam::123456789012:role/some-role-{at:02}")).collect();
        let statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": arns } });
        json!({ "Role": with(json!({ "AssumeRolePolicyDocument": { "Statement": [statement] } })) })
    };
    check(trust(40), expect![""]);
    check(trust(50), expect!["Cannot exceed quota for ACLSizePerRole: 2048 (Service: Iam, Status Code: 409)"]);
    let managed = |size| json!({ "P": { "Type": "AWS::IAM::ManagedPolicy", "Properties": { "PolicyDocument": document_of(size) } } });
    check(managed(6_144), expect![""]);
    check(managed(6_145), expect!["Cannot exceed quota for PolicySize: 6144 (Service: Iam, Status Code: 409)"]);
    let attached = |count: usize| {
        let arns: Vec<String> = (0..count).map(|at| format!("arn:aws:iam::aws:policy/p{at}")).collect();
        json!({ "Role": with(json!({ "ManagedPolicyArns": arns })) })
    };
    check(attached(10), expect![""]);
    check(attached(11), expect!["Cannot exceed quota for PoliciesPerRole: 10 (Service: Iam, Status Code: 409)"]);
}

#[test]
fn policies_of_other_accounts_cannot_be_attached() {
    check(json!({ "Role": with(json!({ "PermissionsBoundary": "arn:aws:iam::123456789012:policy/b" })) }), expect![""]);
    check(
        json!({ "Role": with(json!({ "PermissionsBoundary": "arn:aws:iam::999999999999:policy/b" })) }),
        expect![
            "Policy arn:aws:iam::999999999999:policy/b does not exist or is not attachable. (Service: Iam, Status Code: 404)"
        ],
    );
    check(
        json!({ "Role": with(json!({ "ManagedPolicyArns": ["arn:aws:iam::123456789012:role/b"] })) }),
        expect![
            "Policy arn:aws:iam::123456789012:role/b does not exist or is not attachable. (Service: Iam, Status Code: 404)"
        ],
    );
}

#[test]
fn an_inline_policy_of_its_own_is_held_to_the_same() {
    let put = |kind: &str, owner: Value, document: Value| {
        let mut properties = json!({ "PolicyName": "more", "PolicyDocument": document });
        properties.as_object_mut().expect("a map").extend(owner.as_object().expect("a map").clone());
        let own = json!([{ "PolicyName": "own", "PolicyDocument": document_of(5_000) }]);
        json!({ "Role": with(json!({ "Policies": own })), "More": { "Type": kind, "Properties": properties } })
    };
    let of_role = |document| put("AWS::IAM::RolePolicy", json!({ "RoleName": { "Ref": "Role" } }), document);
    let wrong =
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "allow", "Action": "*", "Resource": "*" }] });
    check(of_role(document_of(5_240)), expect![""]);
    check(
        of_role(document_of(5_241)),
        expect![
            "Maximum policy size of 10240 bytes exceeded for role s-Role-6uHOKRCFCxeH (Service: Iam, Status Code: 409)"
        ],
    );
    check(of_role(wrong.clone()), expect!["Syntax errors in policy. (Service: Iam, Status Code: 400)"]);
    for (kind, owner) in [("AWS::IAM::UserPolicy", "UserName"), ("AWS::IAM::GroupPolicy", "GroupName")] {
        let of = |document| put(kind, json!({ owner: "somebody" }), document);
        check(of(document_of(5_000)), expect![""]);
        check(of(wrong.clone()), expect!["Syntax errors in policy. (Service: Iam, Status Code: 400)"]);
    }
}

#[test]
fn a_role_counts_what_was_put_into_it_until_that_is_gone() {
    let role = |size| with(json!({ "Policies": [{ "PolicyName": "own", "PolicyDocument": document_of(size) }] }));
    let put = json!({ "Type": "AWS::IAM::RolePolicy", "Properties": {
        "PolicyName": "more", "RoleName": { "Ref": "Role" }, "PolicyDocument": document_of(5_240) } });
    let account = Account::new();
    account.created("s", &template(json!({ "Role": role(5_000), "More": put })));
    account.updated("s", &template(json!({ "Role": role(5_001), "More": put })));
    assert_eq!(account.status("s"), StackStatus::UpdateRollbackComplete);
    account.updated("s", &template(json!({ "Role": role(5_000) })));
    account.updated("s", &template(json!({ "Role": role(10_000) })));
    assert_eq!(account.status("s"), StackStatus::UpdateComplete);
}
