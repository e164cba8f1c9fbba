//! Statements of IAM policies: what IAM accepts, and its words about the rest.
//!
//! Grammar: IAM User Guide, "Grammar of the IAM JSON policy language" and the pages of each element; ARNs of six fields:
//! IAM Access Analyzer, "Policy check reference", Missing ARN field (D). IAM itself accepts some shorter ones, such as
//! `arn:aws:fdsasf`; they are refused here all the same.
//!
//! Words of refusals (O): syntax errors, cfn-lint#3751; no actions, aws-cdk#7615; no resources, and what is no ARN,
//! trussworks/terraform-aws-s3-anti-virus#28 and #21; a principal, terraform-provider-aws#10419; a resource in a trust
//! policy, external-dns#3085; a Sid, carthage_cache#22 and cfn-lint#3973; colons, kappa#111. Those about the vendor of an
//! action or a resource, about Regions and unknown operators, and what is accepted of services and condition keys: the
//! policies in moto's `tests/test_iam/test_iam_policies.py` (O). Those about a missing principal are K.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Problem;
use crate::diagnostic::{Path, did_you_mean, shown};

/// Names of the statements that hubform itself writes into the policy of a role.
pub const OWN_SIDS: [&str; 9] = [
    "ActionsWithoutAResource",
    "DescribeNetworks",
    "GrantKeysToServices",
    "ManageNetworkInterfaces",
    "PullImages",
    "ReadModels",
    "UseKeys",
    "WriteLogs",
    "WriteObjects",
];

const ELEMENTS: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
const PRINCIPALS: [&str; 2] = ["Principal", "NotPrincipal"];
const EFFECTS: [&str; 2] = ["Allow", "Deny"];

/// Operators of conditions, without their prefixes and `IfExists` (IAM User Guide, "Condition operators", D).
const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

const SYNTAX: &str = "Syntax errors in policy.";

/// Something in a statement that IAM rejects.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementFault {
    /// Where, within the statement.
    pub path: Path,
    /// Is it the key there, and not its value?
    pub key: bool,
    /// What is wrong.
    pub problem: Problem,
    /// IAM's words, as far as they are known.
    pub said: String,
}

/// Whose policy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// What an identity may do; it has no principal.
    Identity,
    /// Who may assume a role; it names nothing.
    Trust,
}

/// What IAM refuses of one statement of a role's policy.
pub fn statement(statement: &Map<String, Value>) -> Vec<StatementFault> {
    StatementCheck { members: statement, policy: PolicyKind::Identity, faults: Vec::new() }.check()
}

/// What IAM answers to a whole document. Functions of a template have been worked out.
///
/// # Errors
/// Its words.
pub fn document(document: &Value, policy: PolicyKind) -> Result<(), String> {
    let version = document.get("Version");
    if version.is_some_and(|version| version != "2012-10-17" && version != "2008-10-17") {
        return Err(SYNTAX.to_owned());
    }
    let statements = match &document["Statement"] {
        Value::Array(statements) if !statements.is_empty() => statements.clone(),
        one @ Value::Object(_) => vec![one.clone()],
        _ => return Err(SYNTAX.to_owned()),
    };
    let mut sids = BTreeSet::new();
    for statement in &statements {
        let Some(members) = statement.as_object() else { return Err(SYNTAX.to_owned()) };
        let faults = StatementCheck { members, policy, faults: Vec::new() }.check();
        if let Some(fault) = faults.into_iter().next() {
            return Err(fault.said);
        }
        if members.get("Sid").and_then(Value::as_str).is_some_and(|sid| !sid.is_empty() && !sids.insert(sid.to_owned()))
        {
            return Err(TWICE.to_owned());
        }
    }
    Ok(())
}

/// What policies may contain (IAM API, PutRolePolicy, PolicyDocument: `[\u0009\u000A\u000D\u0020-\u00FF]+`, M). The words are
/// those of any failed pattern of the API; for a policy nobody reported them.
const CHARACTERS: &str = "The specified value for policyDocument is invalid. It must satisfy regular expression pattern: \
                          [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";

/// IAM's words about two statements of one name.
const TWICE: &str = "Statement IDs (SID) in a single policy must be unique.";

struct StatementCheck<'s> {
    members: &'s Map<String, Value>,
    policy: PolicyKind,
    faults: Vec<StatementFault>,
}

impl StatementCheck<'_> {
    fn check(mut self) -> Vec<StatementFault> {
        let meant = self.elements();
        self.sid();
        self.effect(&meant);
        self.one_of("Action", "NotAction", "actions", &meant, action);
        match self.policy {
            PolicyKind::Identity => self.one_of("Resource", "NotResource", "resources", &meant, resource),
            PolicyKind::Trust => self.principal(),
        }
        self.condition();
        self.characters();
        self.faults
    }

    fn characters(&mut self) {
        let members: Vec<(&String, &Value)> = self.members.iter().collect();
        for (key, value) in members {
            if let Some(odd) = odd_character(key).or_else(|| odd_in(value)) {
                let message =
                    format!("IAM accepts only characters up to U+00FF in a policy, not `{odd}` (U+{:04X})", odd as u32);
                self.fault(Path::default().at(key), Problem::new(message), CHARACTERS);
            }
        }
    }

    fn fault(&mut self, path: impl Into<Path>, problem: Problem, said: impl Into<String>) {
        self.faults.push(StatementFault { path: path.into(), key: false, problem, said: said.into() });
    }

    fn key_fault(&mut self, path: impl Into<Path>, problem: Problem, said: impl Into<String>) {
        self.faults.push(StatementFault { path: path.into(), key: true, problem, said: said.into() });
    }

    /// Refuses elements that there are none of; answers those that were meant.
    fn elements(&mut self) -> BTreeSet<&'static str> {
        let mut meant = BTreeSet::new();
        let (takes, other): (Vec<&str>, &[&str]) = match self.policy {
            PolicyKind::Identity => (ELEMENTS.to_vec(), &PRINCIPALS),
            PolicyKind::Trust => (
                ELEMENTS.into_iter().filter(|name| !name.ends_with("Resource")).chain(PRINCIPALS).collect(),
                &["Resource", "NotResource"],
            ),
        };
        for key in self.members.keys().filter(|key| !takes.contains(&key.as_str())) {
            if other.contains(&key.as_str()) {
                let (message, said) = match self.policy {
                    PolicyKind::Identity => (
                        format!("a role's own policy has no `{key}`: it applies to the role itself"),
                        "Policy document should not specify a principal.",
                    ),
                    PolicyKind::Trust => (format!("a trust policy has no `{key}`"), "Has prohibited field Resource"),
                };
                let help = "set who may assume the role in `trust`";
                self.key_fault(Path::default().at(key), Problem::new(message).help(help), said);
                continue;
            }
            let problem = Problem::new(format!("`{}` is not an element of a statement", shown(key)));
            let near = did_you_mean(key, takes.iter().copied());
            let problem = match near {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem
                    .help("elements are Sid, Effect, Action or NotAction, Resource or NotResource, and Condition"),
            };
            meant.extend(ELEMENTS.into_iter().filter(|name| Some(*name) == near));
            self.key_fault(Path::default().at(key), problem, SYNTAX);
        }
        meant
    }

    fn sid(&mut self) {
        let Some(sid) = self.members.get("Sid").filter(|sid| !is_function(sid)) else { return };
        match sid.as_str() {
            Some(sid) if sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {}
            Some(sid) => {
                let problem = Problem::new(format!("a Sid has only letters and digits, not `{}`", shown(sid)));
                let plain: String = sid.chars().filter(char::is_ascii_alphanumeric).collect();
                let said = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                            expression [0-9A-Za-z]*";
                self.fault("Sid", problem.help(format!("write `{plain}`, or remove it")), said);
            }
            None => self.fault("Sid", Problem::new("a Sid must be text: letters and digits"), SYNTAX),
        }
    }

    fn effect(&mut self, meant: &BTreeSet<&str>) {
        match self.members.get("Effect") {
            Some(effect) if is_function(effect) || EFFECTS.iter().any(|one| effect == one) => {}
            Some(effect) => {
                let text = effect.as_str().unwrap_or_default();
                let problem = Problem::new(format!("`Effect` must be Allow or Deny, not `{}`", shown(text)));
                let problem = match did_you_mean(text, EFFECTS) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                };
                self.fault("Effect", problem, SYNTAX);
            }
            None if meant.contains("Effect") => {}
            None => {
                self.fault("", Problem::new("the statement has no `Effect`").help("set it to Allow or Deny"), SYNTAX)
            }
        }
    }

    /// Exactly one of an element and its negation, with one text or a list of them.
    fn one_of(
        &mut self,
        name: &'static str,
        negated: &'static str,
        what: &str,
        meant: &BTreeSet<&str>,
        check: fn(&str) -> Option<(Problem, String)>,
    ) {
        let values = match (self.members.get(name), self.members.get(negated)) {
            (Some(_), Some(_)) => {
                let problem = Problem::new(format!("`{name}` and `{negated}` cannot be combined"));
                return self.key_fault(negated, problem, SYNTAX);
            }
            (None, None) if meant.contains(name) || meant.contains(negated) => return,
            (None, None) => {
                let problem = Problem::new(format!("the statement has neither `{name}` nor `{negated}`"));
                return self.fault("", problem, format!("Policy statement must contain {what}."));
            }
            (Some(value), None) => (name, value.clone()),
            (None, Some(value)) => (negated, value.clone()),
        };
        self.texts(values.0, &values.1, what, check);
    }

    fn texts(&mut self, name: &'static str, value: &Value, what: &str, check: fn(&str) -> Option<(Problem, String)>) {
        let mut each = |at: Path, value: &Value| match value {
            _ if is_function(value) => {}
            Value::String(text) => {
                if let Some((problem, said)) = check(text) {
                    self.fault(at, problem, said);
                }
            }
            _ => self.fault(at, Problem::new(format!("`{name}` must be text or a list of texts")), SYNTAX),
        };
        match value {
            Value::Array(items) if items.is_empty() => {
                let said = format!("Policy statement must contain {what}.");
                self.fault(name, Problem::new(format!("`{name}` is empty")), said);
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| each(Path::default().at(name).item(at), item));
            }
            one => each(name.into(), one),
        }
    }

    fn principal(&mut self) {
        let has = |name: &&str| self.members.contains_key(*name);
        match PRINCIPALS.iter().filter(|name| has(name)).count() {
            1 => {}
            _ => self.fault(
                "",
                Problem::new("a trust policy names who may assume the role"),
                "Missing required field Principal",
            ),
        }
    }

    fn condition(&mut self) {
        let Some(condition) = self.members.get("Condition").filter(|condition| !is_function(condition)) else { return };
        let Some(operators) = condition.as_object() else {
            let problem =
                Problem::new("`Condition` must be a map of operators, such as `StringEquals: {aws:SourceAccount: …}`");
            return self.fault("Condition", problem, SYNTAX);
        };
        for (operator, keys) in operators.clone() {
            let place = Path::from("Condition").at(&operator);
            if let Some(problem) = no_operator(&operator) {
                self.key_fault(place, problem, SYNTAX);
                continue;
            }
            if is_function(&keys) {
                continue;
            }
            let Some(keys) = keys.as_object() else {
                let message = format!("`{operator}` must be a map of condition keys, such as `aws:SourceAccount`");
                self.fault(place, Problem::new(message), SYNTAX);
                continue;
            };
            keys.iter().for_each(|(key, value)| self.compared(&place, key, value));
        }
    }

    fn compared(&mut self, place: &Path, key: &str, value: &Value) {
        let place = place.at(key);
        let plain = |value: &Value| value.is_string() || value.is_boolean() || value.is_number() || is_function(value);
        let fits = match value {
            Value::Array(items) => items.iter().all(plain),
            one => plain(one),
        };
        if !fits {
            self.fault(place, Problem::new("the value of a condition key must be text or a list of texts"), SYNTAX);
        }
    }
}

/// IAM's words about what no service's name precedes.
const PREFIX: &str = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

fn no_operator(operator: &str) -> Option<Problem> {
    let plain = ["ForAllValues:", "ForAnyValue:"].iter().find_map(|set| operator.strip_prefix(set)).unwrap_or(operator);
    // "You can add IfExists to the end of any condition operator name except the Null condition". (D)
    let plain = plain.strip_suffix("IfExists").filter(|plain| *plain != "Null").unwrap_or(plain);
    if OPERATORS.contains(&plain) {
        return None;
    }
    let problem = Problem::new(format!("`{}` is not a condition operator", shown(operator)));
    let near = did_you_mean(plain, OPERATORS);
    Some(match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("operators are StringEquals, StringLike, ArnLike, Bool, IpAddress and others"),
    })
}

/// The first character of a value, or of a key in it, that no policy may have.
fn odd_in(value: &Value) -> Option<char> {
    match value {
        Value::String(text) => odd_character(text),
        Value::Array(items) => items.iter().find_map(odd_in),
        Value::Object(members) => members.iter().find_map(|(key, value)| odd_character(key).or_else(|| odd_in(value))),
        _ => None,
    }
}

fn odd_character(text: &str) -> Option<char> {
    text.chars().find(|c| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
}

/// `*`, or a service and an action with one colon between.
fn action(text: &str) -> Option<(Problem, String)> {
    let help = "write it as `s3:GetObject`, `s3:Get*` or `*`";
    let refuse = |said: &str| {
        let problem = Problem::new(format!("an action must be a service and a name, not `{}`", shown(text)));
        Some((problem.help(help), said.to_owned()))
    };
    let is_service = |service: &str| {
        !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*?-_".contains(&byte))
    };
    match text.split(':').collect::<Vec<_>>().as_slice() {
        // Neither guide nor report says what IAM does with `*:*`; scanners of policies look for it, so it is accepted.
        ["*"] | ["*", "*"] => None,
        [service, name] if is_service(service) && is_name(name) => None,
        [_, _] | [_] => refuse(PREFIX),
        _ => refuse("Actions/Condition can contain only one colon."),
    }
}

/// `*`, or an ARN of six fields.
fn resource(text: &str) -> Option<(Problem, String)> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        ["*"] => return None,
        ["arn", partition, service, region, account, resource]
            if is_partition(partition) && !service.is_empty() && !resource.is_empty() =>
        {
            return vendor(text, service).or_else(|| global(text, service, region, account));
        }
        _ => {}
    }
    let problem = Problem::new(format!("a resource must be an ARN or `*`, not `{}`", shown(text)));
    let bucket = text.strip_prefix("s3://").map(|path| format!("write `arn:aws:s3:::{}`", shown(path)));
    let help = bucket.unwrap_or_else(|| "an ARN has six parts: `arn:aws:s3:::bucket/*`".to_owned());
    Some((problem.help(help), format!("Resource {text} must be in ARN format or \"*\".")))
}

/// The service of a resource is spelled out.
fn vendor(text: &str, service: &str) -> Option<(Problem, String)> {
    let message = format!("the service of a resource cannot have wildcards: `{}`", shown(text));
    let said = "Resource vendor must be fully qualified and cannot contain regexes.";
    service
        .contains(['*', '?'])
        .then(|| (Problem::new(message).help("write one ARN for each service, or `*` for everything"), said.to_owned()))
}

/// IAM has no Regions, and a bucket's name none either; access points of S3 have Region and account. Whether IAM refuses
/// wildcards there is not documented, so they are accepted.
fn global(text: &str, service: &str, region: &str, account: &str) -> Option<(Problem, String)> {
    let said = match service {
        _ if region.is_empty() || region.contains(['*', '?']) => return None,
        "iam" => format!("IAM resource {text} cannot contain region information."),
        "s3" if account.is_empty() => format!("Resource {text} can not contain region information."),
        _ => return None,
    };
    let plain = text.replacen(&format!(":{service}:{region}:"), &format!(":{service}::"), 1);
    let problem = Problem::new(format!("the ARN of this resource has no Region: `{}`", shown(text)));
    Some((problem.help(format!("write `{}`", shown(&plain))), said))
}

fn is_partition(text: &str) -> bool {
    text == "aws" || text.starts_with("aws-") || text.contains(['*', '?'])
}

/// A function of CloudFormation, whose value is unknown here.
fn is_function(value: &Value) -> bool {
    let Some(members) = value.as_object().filter(|members| members.len() == 1) else { return false };
    members.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(statements: Value, expect: Expect) {
        let statements = statements.as_array().expect("a list").clone();
        let mut told = String::new();
        for written in &statements {
            for StatementFault { path, key, problem, said } in statement(written.as_object().expect("a map")) {
                let key = if key { " (key)" } else { "" };
                told +=
                    &format!("{}{key}: {} | {}\n", path.pointer(), problem.message, problem.help.unwrap_or_default());
                told += &format!("    {said}\n");
            }
        }
        expect.assert_eq(&told);
    }

    #[test]
    fn right_statements_pass() {
        let right = json!([
            { "Sid": "ReadPrompts2", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme/*" },
            { "Effect": "Deny", "NotAction": ["iam:*", "execute-api:Invoke"], "NotResource": ["*"] },
            { "Effect": "Allow", "Action": "*", "Resource": { "Fn::Sub": "arn:${AWS::Partition}:s3:::acme/*" } },
            { "Effect": "Allow", "Action": ["S3:get*"], "Resource": ["arn:aws-cn:s3:::b", { "Ref": "Topic" }],
              "Condition": {
                  "StringLike": { "s3:prefix": ["a/*", "b/*"] },
                  "ForAllValues:StringEqualsIfExists": { "aws:TagKeys": "team" },
                  "Bool": { "aws:SecureTransport": true },
                  "NumericLessThan": { "s3:max-keys": 10 },
                  "Null": { "aws:TokenIssueTime": "true" },
              } },
        ]);
        check(right, expect![""]);
    }

    #[test]
    fn what_iam_refuses_is_found_at_its_place() {
        let wrong = json!([
            { "Sid": "read-prompts", "Effect": "allow", "Action": "s3", "Resource": "acme-prompts" },
            { "Action": "s3:GetObject", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:GetObject", "NotAction": "s3:PutObject", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:GetObject" },
            { "Effect": "Allow", "Resource": "*" },
            { "effect": "Allow", "action": "s3:GetObject", "resources": "*" },
            { "Effect": "Allow", "Action": [], "Resource": [] },
            { "Effect": "Allow", "Action": ["s3:Get:Object", "s3:", ":Get", 3], "Resource": ["s3://acme/x", "arn:aws:s3", "arn::s3:::b"] },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*", "Who": "me" },
            { "Effect": "Grant", "Action": "s3:GetObject", "Resource": { "bucket": "b" }, "Condition": [] },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {
                "StringEqual": { "aws:x": "y" }, "NullIfExists": { "aws:x": "y" },
                "StringLike": "y", "ArnLike": { "aws:PrincipalArn": { "a": "b" } } } },
        ]);
        check(
            wrong,
            expect![[r#"
                /Sid: a Sid has only letters and digits, not `read-prompts` | write `readprompts`, or remove it
                    Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*
                /Effect: `Effect` must be Allow or Deny, not `allow` | did you mean `Allow`?
                    Syntax errors in policy.
                /Action: an action must be a service and a name, not `s3` | write it as `s3:GetObject`, `s3:Get*` or `*`
                    Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.
                /Resource: a resource must be an ARN or `*`, not `acme-prompts` | an ARN has six parts: `arn:aws:s3:::bucket/*`
                    Resource acme-prompts must be in ARN format or "*".
                : the statement has no `Effect` | set it to Allow or Deny
                    Syntax errors in policy.
                /NotAction (key): `Action` and `NotAction` cannot be combined | 
                    Syntax errors in policy.
                : the statement has neither `Resource` nor `NotResource` | 
                    Policy statement must contain resources.
                : the statement has neither `Action` nor `NotAction` | 
                    Policy statement must contain actions.
                /action (key): `action` is not an element of a statement | did you mean `Action`?
                    Syntax errors in policy.
                /effect (key): `effect` is not an element of a statement | did you mean `Effect`?
                    Syntax errors in policy.
                /resources (key): `resources` is not an element of a statement | did you mean `Resource`?
                    Syntax errors in policy.
                /Action: `Action` is empty | 
                    Policy statement must contain actions.
                /Resource: `Resource` is empty | 
                    Policy statement must contain resources.
                /Action/0: an action must be a service and a name, not `s3:Get:Object` | write it as `s3:GetObject`, `s3:Get*` or `*`
                    Actions/Condition can contain only one colon.
                /Action/1: an action must be a service and a name, not `s3:` | write it as `s3:GetObject`, `s3:Get*` or `*`
                    Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.
                /Action/2: an action must be a service and a name, not `:Get` | write it as `s3:GetObject`, `s3:Get*` or `*`
                    Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.
                /Action/3: `Action` must be text or a list of texts | 
                    Syntax errors in policy.
                /Resource/0: a resource must be an ARN or `*`, not `s3://acme/x` | write `arn:aws:s3:::acme/x`
                    Resource s3://acme/x must be in ARN format or "*".
                /Resource/1: a resource must be an ARN or `*`, not `arn:aws:s3` | an ARN has six parts: `arn:aws:s3:::bucket/*`
                    Resource arn:aws:s3 must be in ARN format or "*".
                /Resource/2: a resource must be an ARN or `*`, not `arn::s3:::b` | an ARN has six parts: `arn:aws:s3:::bucket/*`
                    Resource arn::s3:::b must be in ARN format or "*".
                /Principal (key): a role's own policy has no `Principal`: it applies to the role itself | set who may assume the role in `trust`
                    Policy document should not specify a principal.
                /Who (key): `Who` is not an element of a statement | elements are Sid, Effect, Action or NotAction, Resource or NotResource, and Condition
                    Syntax errors in policy.
                /Effect: `Effect` must be Allow or Deny, not `Grant` | 
                    Syntax errors in policy.
                /Resource: `Resource` must be text or a list of texts | 
                    Syntax errors in policy.
                /Condition: `Condition` must be a map of operators, such as `StringEquals: {aws:SourceAccount: …}` | 
                    Syntax errors in policy.
                /Condition/ArnLike/aws:PrincipalArn: the value of a condition key must be text or a list of texts | 
                    Syntax errors in policy.
                /Condition/NullIfExists (key): `NullIfExists` is not a condition operator | operators are StringEquals, StringLike, ArnLike, Bool, IpAddress and others
                    Syntax errors in policy.
                /Condition/StringEqual (key): `StringEqual` is not a condition operator | did you mean `StringEquals`?
                    Syntax errors in policy.
                /Condition/StringLike: `StringLike` must be a map of condition keys, such as `aws:SourceAccount` | 
                    Syntax errors in policy.
            "#]],
        );
    }

    #[test]
    fn what_iam_was_seen_to_accept_passes() {
        let right = json!([
            { "Effect": "Allow", "Action": "s3.s:ListBucket", "Resource": "arn:aws:s3:::b" },
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b",
              "Condition": { "StringEqualsIfExists": { "a": "asf" }, "DateGreaterThan": { "a": [] } } },
            { "Effect": "Allow", "Action": "s3:*", "Resource": [
                "arn:aws:iam:::user/b", "arn:aws:ec2:us-east-1::b", "arn:aws:s3:us-east-1:111122223333:accesspoint/a",
                "arn:aws:dynamodb:*:*:table/MyTable" ] },
        ]);
        check(right, expect![""]);
    }

    #[test]
    fn wildcards_for_a_service_and_regions_of_buckets_and_roles_are_refused() {
        let resources =
            ["arn:aws:*:*:*:x", "arn:aws:s?:::x", "arn:aws:s3:us-east-1::b", "arn:aws:iam:us-east-1::user/b"];
        let wrong = json!([
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": resources },
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:${AWS::Partition}:s3:::b" },
        ]);
        check(
            wrong,
            expect![[r#"
            /Resource/0: the service of a resource cannot have wildcards: `arn:aws:*:*:*:x` | write one ARN for each service, or `*` for everything
                Resource vendor must be fully qualified and cannot contain regexes.
            /Resource/1: the service of a resource cannot have wildcards: `arn:aws:s?:::x` | write one ARN for each service, or `*` for everything
                Resource vendor must be fully qualified and cannot contain regexes.
            /Resource/2: the ARN of this resource has no Region: `arn:aws:s3:us-east-1::b` | write `arn:aws:s3:::b`
                Resource arn:aws:s3:us-east-1::b can not contain region information.
            /Resource/3: the ARN of this resource has no Region: `arn:aws:iam:us-east-1::user/b` | write `arn:aws:iam:::user/b`
                IAM resource arn:aws:iam:us-east-1::user/b cannot contain region information.
            /Resource: a resource must be an ARN or `*`, not `arn:${AWS::Partition}:s3:::b` | an ARN has six parts: `arn:aws:s3:::bucket/*`
                Resource arn:${AWS::Partition}:s3:::b must be in ARN format or "*".
        "#]],
        );
    }

    #[test]
    fn documents_are_held_to_the_same() {
        let said = |value: Value, policy| document(&value, policy).err();
        let allow = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } });
        assert_eq!(said(json!({ "Version": "2012-10-17", "Statement": allow }), PolicyKind::Trust), None);
        assert_eq!(
            said(json!({ "Version": "2017-10-12", "Statement": allow }), PolicyKind::Trust).as_deref(),
            Some(SYNTAX)
        );
        assert_eq!(said(json!({ "Statement": [] }), PolicyKind::Identity).as_deref(), Some(SYNTAX));
        let read = json!({ "Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" });
        assert_eq!(said(json!({ "Statement": [read, read] }), PolicyKind::Identity).as_deref(), Some(TWICE));
        let words = said(json!({ "Statement": [allow] }), PolicyKind::Identity);
        assert_eq!(words.as_deref(), Some("Policy document should not specify a principal."));
    }
}
