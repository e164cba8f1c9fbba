//! ARNs, and what the ARN in a field must be: one row per field.
//!
//! Form: IAM User Guide, "Identify AWS resources with Amazon Resource Names" (D).

use crate::diagnostic::shown;

use super::Problem;

/// The six parts of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn` and so on.
    pub partition: &'a str,
    /// As `sns`.
    pub service: &'a str,
    /// Empty for what is in none.
    pub region: &'a str,
    /// Empty for what is in none; `aws` for what is AWS's own.
    pub account: &'a str,
    /// The rest, as `role/serving`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, service, region, account, resource] => {
                Some(Self { partition, service, region, account, resource })
            }
            _ => None,
        }
    }
}

/// Where something is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'a> {
    /// The Region.
    pub region: &'a str,
    /// The account, where it is known.
    pub account: Option<&'a str>,
}

impl Location<'_> {
    /// The partition of the Region (botocore's endpoints, M).
    pub fn partition(&self) -> &'static str {
        let known = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("eusc-", "aws-eusc"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-isof-", "aws-iso-f"),
        ];
        known.iter().find(|(prefix, _)| self.region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
    }
}

/// Whose Region or account an ARN must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The target's.
    Own,
    /// The target's, or AWS itself.
    OwnOrAws,
    /// Anybody's.
    Any,
    /// None.
    None,
}

/// What a field accepts in place of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Else {
    /// Nothing.
    Nothing,
    /// Text that is not an ARN and does not begin like this.
    Id { not: &'static str },
}

/// What the text in a field must be.
#[derive(Debug)]
pub struct ArnField {
    /// With its article.
    what: &'static str,
    /// The services it may be of; none where the field accepts no ARN.
    services: &'static [&'static str],
    /// What the resource begins with; anything where there is none.
    resources: &'static [&'static str],
    region: Whose,
    account: Whose,
    or: Else,
}

const TOPIC: ArnField = ArnField {
    what: "the ARN of a standard SNS topic",
    services: &["sns"],
    resources: &[],
    region: Whose::Own,
    account: Whose::Any,
    or: Else::Nothing,
};
const ROLE: ArnField = ArnField {
    what: "the ARN of an IAM role",
    services: &["iam"],
    resources: &["role/"],
    region: Whose::None,
    account: Whose::Own,
    or: Else::Nothing,
};
const POLICY: ArnField = ArnField {
    what: "the ARN of an IAM policy",
    services: &["iam"],
    resources: &["policy/"],
    region: Whose::None,
    account: Whose::OwnOrAws,
    or: Else::Nothing,
};

/// `alarms.notify`. An alarm in one Region cannot notify a topic in another ("Invalid region … specified. Only … is supported",
/// O); a topic in another account it can (CloudWatch User Guide, D). A FIFO topic rejects messages without a group (SNS
/// API, Publish, D), and CloudWatch names none; that it refuses the ARN is reported, and documented nowhere.
pub const ALARM_TOPIC: ArnField = TOPIC;
/// `notifications`. CloudFormation's API says "Amazon SNS topic ARNs" and no more (M); the rule for alarms is assumed to
/// hold here.
pub const STACK_TOPIC: ArnField = TOPIC;
/// `encryption.kmsKey`. A key is used in its own Region, a replica of a multi-Region key too, and may be of another
/// account (KMS Developer Guide, D).
pub const KEY: ArnField = ArnField {
    what: "the id or ARN of a KMS key",
    services: &["kms"],
    resources: &["key/", "alias/"],
    region: Whose::Own,
    account: Whose::Any,
    or: Else::Id { not: "s3://" },
};
/// `permissionsBoundary`: "an AWS managed policy or a customer managed policy" (IAM API, PutRolePermissionsBoundary, D),
/// which are of the account or AWS's own.
pub const BOUNDARY: ArnField = POLICY;
/// `managedPolicies`, as the boundary.
pub const MANAGED_POLICY: ArnField = POLICY;
/// `role`. One in another account is reported where roles are looked up.
pub const EXECUTION_ROLE: ArnField = ArnField { account: Whose::Any, ..ROLE };
/// `serviceRole`: a role is passed to a service within its own account (IAM User Guide, "Grant a user permissions to
/// pass a role to an AWS service", D).
pub const SERVICE_ROLE: ArnField = ROLE;
/// `assumeRole`: it leads into its own account, which is the target's.
pub const ASSUMED_ROLE: ArnField = ROLE;
/// `trust` (IAM User Guide, "AWS JSON policy elements: Principal", D).
pub const PRINCIPAL: ArnField = ArnField {
    what: "the ARN of a role, a user or an account's root",
    services: &["iam", "sts"],
    resources: &["role/", "user/", "root", "assumed-role/", "federated-user/"],
    region: Whose::None,
    account: Whose::Any,
    or: Else::Id { not: "s3://" },
};
/// `subnets`: ids alone (SageMaker API, VpcConfig: `[-0-9a-zA-Z]+`, M).
pub const SUBNET: ArnField = ArnField { what: "the id of a subnet", or: Else::Id { not: "sg-" }, ..ID };
/// `securityGroups`, as subnets.
pub const SECURITY_GROUP: ArnField =
    ArnField { what: "the id of a security group", or: Else::Id { not: "subnet-" }, ..ID };

const ID: ArnField = ArnField {
    what: "an id",
    services: &[],
    resources: &[],
    region: Whose::None,
    account: Whose::None,
    or: Else::Nothing,
};

impl ArnField {
    /// What is wrong with a text in this field, placeholders replaced.
    pub fn check(&self, text: &str, target: Location<'_>) -> Option<Problem> {
        if text.starts_with("{{resolve:") || text.contains("${") {
            return None;
        }
        let refuse = || Problem::new(format!("this must be {}, not `{}`", self.what, shown(text)));
        let Some(arn) = Arn::parse(text) else {
            return match self.or {
                Else::Id { not } if !text.starts_with(not) => None,
                _ => Some(refuse()),
            };
        };
        let resource = self.resources.is_empty() || self.resources.iter().any(|begin| arn.resource.starts_with(begin));
        if !self.services.contains(&arn.service) || !resource {
            return Some(match self.services {
                [] => refuse().help("write only the id"),
                _ => refuse(),
            });
        }
        // `TOPIC:UUID` is a subscription (SNS Developer Guide, D).
        if arn.service == "sns" && arn.resource.contains(':') {
            return Some(refuse().help("this names a subscription; write only its topic"));
        }
        if arn.service == "sns" && arn.resource.ends_with(".fifo") {
            return Some(refuse().help("alarms and stacks cannot notify FIFO topics; use a standard one"));
        }
        self.place(text, &arn, target)
    }

    /// Must the account be known to judge this text?
    pub fn asks_account(&self, text: &str) -> bool {
        let own = matches!(self.account, Whose::Own | Whose::OwnOrAws);
        own && Arn::parse(text).is_some_and(|arn| arn.account.len() == 12)
    }

    fn place(&self, text: &str, arn: &Arn<'_>, target: Location<'_>) -> Option<Problem> {
        let text = shown(text);
        let Location { region, account } = target;
        let partition = target.partition();
        if arn.partition != partition {
            let message = format!("`{text}` is in partition {}, and {region} is in {partition}", arn.partition);
            return Some(Problem::new(message));
        }
        match self.region {
            Whose::Own if arn.region != region => {
                let message = format!("`{text}` is in {}, but this is deployed to {region}", of_none(arn.region));
                return Some(Problem::new(message).help(format!("use one in {region}; `${{region}}` inserts it")));
            }
            Whose::None if !arn.region.is_empty() => {
                return Some(Problem::new(format!("`{text}` names a Region, but ARNs of IAM have none")));
            }
            _ => {}
        }
        let allowed = match self.account {
            Whose::OwnOrAws if arn.account == "aws" => true,
            Whose::Own | Whose::OwnOrAws => account.is_none_or(|account| arn.account == account),
            Whose::Any | Whose::None => true,
        };
        if allowed && is_account(arn.account) {
            return None;
        }
        Some(match account.filter(|_| !allowed) {
            Some(account) => {
                let message =
                    format!("`{text}` is in account {}, but this is deployed to {account}", of_none(arn.account));
                Problem::new(message).help(format!("use one in {account}; `${{account}}` inserts it"))
            }
            None => Problem::new(format!("`{text}` names no account")),
        })
    }
}

fn is_account(text: &str) -> bool {
    text == "aws" || text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn of_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { shown(text) }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const HERE: Location<'_> = Location { region: "eu-west-1", account: Some("123456789012") };

    fn check(field: &ArnField, texts: &[&str], expect: Expect) {
        let told = |problem: Problem| match problem.help {
            Some(help) => format!("{} ({help})\n", problem.message),
            None => format!("{}\n", problem.message),
        };
        let told: String = texts.iter().filter_map(|text| field.check(text, HERE)).map(told).collect();
        expect.assert_eq(&told);
    }

    #[test]
    fn right_ones_pass() {
        check(
            &ALARM_TOPIC,
            &["arn:aws:sns:eu-west-1:123456789012:ops", "arn:aws:sns:eu-west-1:999999999999:ops"],
            expect![""],
        );
        check(&KEY, &["1234abcd-12ab", "arn:aws:kms:eu-west-1:999999999999:key/mrk-1", "alias/x"], expect![""]);
        check(
            &BOUNDARY,
            &["arn:aws:iam::123456789012:policy/team/b", "arn:aws:iam::aws:policy/PowerUserAccess"],
            expect![""],
        );
        check(&EXECUTION_ROLE, &["arn:aws:iam::999999999999:role/a/b", "arn:aws:iam::${account}:role/x"], expect![""]);
        check(&PRINCIPAL, &["lambda.amazonaws.com", "123456789012", "arn:aws:iam::999999999999:root"], expect![""]);
        check(&SUBNET, &["subnet-1"], expect![""]);
        assert_eq!(Location { region: "cn-north-1", account: None }.partition(), "aws-cn");
    }

    #[test]
    fn others_are_refused_by_what_they_say() {
        let topics = [
            "ops",
            "arn:aws:sns:us-west-2:123456789012:ops",
            "arn:aws:sns:eu-west-1:123456789012:ops.fifo",
            "arn:aws:sns:eu-west-1:123456789012:ops:5f1b",
            "arn:aws:lambda:eu-west-1:123456789012:function:page",
            "arn:aws-cn:sns:eu-west-1:123456789012:ops",
            "arn:aws:sns:eu-west-1::ops",
        ];
        check(
            &ALARM_TOPIC,
            &topics,
            expect![[r#"
                this must be the ARN of a standard SNS topic, not `ops`
                `arn:aws:sns:us-west-2:123456789012:ops` is in us-west-2, but this is deployed to eu-west-1 (use one in eu-west-1; `${region}` inserts it)
                this must be the ARN of a standard SNS topic, not `arn:aws:sns:eu-west-1:123456789012:ops.fifo` (alarms and stacks cannot notify FIFO topics; use a standard one)
                this must be the ARN of a standard SNS topic, not `arn:aws:sns:eu-west-1:123456789012:ops:5f1b` (this names a subscription; write only its topic)
                this must be the ARN of a standard SNS topic, not `arn:aws:lambda:eu-west-1:123456789012:function:page`
                `arn:aws-cn:sns:eu-west-1:123456789012:ops` is in partition aws-cn, and eu-west-1 is in aws
                `arn:aws:sns:eu-west-1::ops` names no account
            "#]],
        );
        let keys = ["arn:aws:kms:us-east-1:123456789012:key/1", "arn:aws:iam::123456789012:role/x"];
        check(
            &KEY,
            &keys,
            expect![[r#"
                `arn:aws:kms:us-east-1:123456789012:key/1` is in us-east-1, but this is deployed to eu-west-1 (use one in eu-west-1; `${region}` inserts it)
                this must be the id or ARN of a KMS key, not `arn:aws:iam::123456789012:role/x`
            "#]],
        );
        let policies = [
            "arn:aws:iam::999999999999:policy/b",
            "arn:aws:iam::123456789012:role/b",
            "arn:aws:iam:eu-west-1:123456789012:policy/b",
            "AdministratorAccess",
        ];
        check(
            &BOUNDARY,
            &policies,
            expect![[r#"
                `arn:aws:iam::999999999999:policy/b` is in account 999999999999, but this is deployed to 123456789012 (use one in 123456789012; `${account}` inserts it)
                this must be the ARN of an IAM policy, not `arn:aws:iam::123456789012:role/b`
                `arn:aws:iam:eu-west-1:123456789012:policy/b` names a Region, but ARNs of IAM have none
                this must be the ARN of an IAM policy, not `AdministratorAccess`
            "#]],
        );
        check(
            &EXECUTION_ROLE,
            &["arn:aws:iam::123456789012:user/x", "arn:aws:iam::12:role/x"],
            expect![[r#"
                this must be the ARN of an IAM role, not `arn:aws:iam::123456789012:user/x`
                `arn:aws:iam::12:role/x` names no account
            "#]],
        );
        check(
            &SERVICE_ROLE,
            &["arn:aws:iam::999999999999:role/x"],
            expect![[r#"
                `arn:aws:iam::999999999999:role/x` is in account 999999999999, but this is deployed to 123456789012 (use one in 123456789012; `${account}` inserts it)
            "#]],
        );
        check(
            &PRINCIPAL,
            &["arn:aws:sns:eu-west-1:123456789012:ops"],
            expect![[r#"
                this must be the ARN of a role, a user or an account's root, not `arn:aws:sns:eu-west-1:123456789012:ops`
            "#]],
        );
        check(
            &SUBNET,
            &["sg-1", "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-1"],
            expect![[r#"
                this must be the id of a subnet, not `sg-1`
                this must be the id of a subnet, not `arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-1` (write only the id)
            "#]],
        );
        check(
            &SECURITY_GROUP,
            &["subnet-1"],
            expect![[r#"
                this must be the id of a security group, not `subnet-1`
            "#]],
        );
    }
}
