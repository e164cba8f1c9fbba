//! Roles that manifests name by ARN: which are to be looked up, and whether they can be used.

use std::collections::BTreeSet;

use super::{Facts, LookedUp, Questions};
use crate::{
    cloud::{RoleDescription, Target},
    diagnostic::{Code, Diagnostic, Diagnostics, Severity, Span},
};

/// A role that exists, or should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRole {
    /// Where the stack that uses it goes.
    pub target: Target,
    /// Its ARN.
    pub arn: String,
    /// The services that must be able to assume it, as `sagemaker.amazonaws.com`.
    pub principals: BTreeSet<&'static str>,
    /// Where it was written.
    pub span: Span,
}

/// The roles to look up, each once, when accounts are known. IAM answers about the account that the credentials are for,
/// and about no other; nor can a role be passed to a service of another account (IAM User Guide, "Grant a user
/// permissions to pass a role to an AWS service", D).
pub fn ask_roles(roles: &[NamedRole], facts: &Facts) -> Questions {
    let own = roles.iter().filter(|role| role.elsewhere(facts).is_none());
    let open = own.map(NamedRole::key).filter(|key| !facts.roles.contains_key(key));
    Questions { roles: open.collect::<BTreeSet<_>>(), ..Questions::default() }
}

/// Reports which roles cannot be used; none that was not looked up.
pub fn judge_roles(roles: &[NamedRole], facts: &Facts) -> Diagnostics {
    roles.iter().filter_map(|role| role.judged(facts)).collect()
}

impl NamedRole {
    fn key(&self) -> (Target, String) {
        (self.target.clone(), self.arn.clone())
    }

    /// The account that it is in and the one that it is to be used in, where they differ.
    fn elsewhere<'a>(&'a self, facts: &'a Facts) -> Option<(&'a str, &'a str)> {
        let theirs = self.arn.split(':').nth(4).filter(|account| !account.is_empty())?;
        let ours = facts.account(&self.target)?;
        (theirs != ours).then_some((theirs, ours))
    }

    fn judged(&self, facts: &Facts) -> Option<Diagnostic> {
        let arn = &self.arn;
        if let Some((theirs, ours)) = self.elsewhere(facts) {
            let message = format!("the role `{arn}` is in account {theirs}, not in {ours}");
            let help = "SageMaker accepts only roles of the endpoint's own account";
            return Some(Diagnostic { severity: Severity::Warning, ..self.missing(message, help) });
        }
        match facts.roles.get(&self.key())? {
            LookedUp::Found(found) => self.untrusted(found),
            LookedUp::Missing => {
                let help = "remove `role` and hubform creates one";
                Some(self.missing(format!("the role `{arn}` does not exist"), help))
            }
            LookedUp::Denied(why) => {
                let message = format!("the role `{arn}` cannot be looked up: {why}");
                let help = "allow iam:GetRole, so that a wrong role is found before anything is created";
                Some(Diagnostic { severity: Severity::Warning, ..self.missing(message, help) })
            }
        }
    }

    fn missing(&self, message: String, help: &str) -> Diagnostic {
        Diagnostic::new(Code::RoleMissing, message).at(self.span).help(help)
    }

    fn untrusted(&self, found: &RoleDescription) -> Option<Diagnostic> {
        let barred: Vec<&str> = self.principals.iter().copied().filter(|service| !found.trusts(service)).collect();
        let message = format!("{} may not assume the role `{}`", barred.join(" and "), self.arn);
        let help = "add it to the role's trust policy, or remove `role` and hubform creates one";
        (!barred.is_empty()).then(|| Diagnostic::new(Code::RoleTrust, message).at(self.span).help(help))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;
    use crate::diagnostic::FileId;

    const ARN: &str = "arn:aws:iam::111122223333:role/serving";

    fn target() -> Target {
        Target { account: None, region: "eu-west-1".into(), assume_role: None }
    }

    fn role(principals: &'static [&'static str]) -> NamedRole {
        NamedRole {
            target: target(),
            arn: ARN.into(),
            principals: principals.iter().copied().collect(),
            span: Span { file: FileId(0), start: 0, end: 0 },
        }
    }

    fn trusting(services: &[&str]) -> LookedUp {
        let trust =
            json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": services}}]});
        LookedUp::Found(RoleDescription { name: "serving".into(), arn: ARN.into(), trust })
    }

    /// What is asked of a role, and what is said of it after this answer.
    fn check(account: &str, principals: &'static [&'static str], answer: LookedUp, expect: Expect) {
        let role = [role(principals)];
        let mut facts = Facts { accounts: [(target(), account.to_owned())].into(), ..Facts::open() };
        let questions = ask_roles(&role, &facts);
        let mut told = format!("asks for {}\n", questions.roles.len());
        assert_eq!(judge_roles(&role, &facts).is_empty(), !questions.is_empty(), "what is asked is not judged yet");
        facts.roles.extend(questions.roles.into_iter().map(|key| (key, answer.clone())));
        assert!(ask_roles(&role, &facts).is_empty(), "nothing is asked twice");
        for found in judge_roles(&role, &facts) {
            told += &format!("{:?}: {}\n", found.severity, found.message);
        }
        expect.assert_eq(&told);
    }

    #[test]
    fn every_service_that_uses_a_role_must_be_trusted() {
        const BOTH: &[&str] = &["sagemaker.amazonaws.com", "lambda.amazonaws.com"];
        check(
            "111122223333",
            BOTH,
            trusting(BOTH),
            expect![[r#"
            asks for 1
        "#]],
        );
        check(
            "111122223333",
            BOTH,
            trusting(&BOTH[..1]),
            expect![[r#"
            asks for 1
            Error: lambda.amazonaws.com may not assume the role `arn:aws:iam::111122223333:role/serving`
        "#]],
        );
        check(
            "111122223333",
            BOTH,
            trusting(&[]),
            expect![[r#"
            asks for 1
            Error: lambda.amazonaws.com and sagemaker.amazonaws.com may not assume the role `arn:aws:iam::111122223333:role/serving`
        "#]],
        );
    }

    #[test]
    fn only_what_is_certain_stops_a_plan() {
        check(
            "111122223333",
            &[],
            LookedUp::Missing,
            expect![[r#"
            asks for 1
            Error: the role `arn:aws:iam::111122223333:role/serving` does not exist
        "#]],
        );
        check(
            "111122223333",
            &[],
            LookedUp::Denied("no".into()),
            expect![[r#"
            asks for 1
            Warning: the role `arn:aws:iam::111122223333:role/serving` cannot be looked up: no
        "#]],
        );
        check(
            "000000000000",
            &[],
            LookedUp::Missing,
            expect![[r#"
                asks for 0
                Warning: the role `arn:aws:iam::111122223333:role/serving` is in account 111122223333, not in 000000000000
            "#]],
        );
    }
}
