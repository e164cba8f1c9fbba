//! What resolving knows of the world, and what it lacked.
//!
//! Resolving asks by going as far as it can. Where [`Facts`] that may still grow have no answer, that is one of the
//! [`Questions`] and not yet a finding; what hangs on it is left out, and the rest is resolved as ever. So what a part
//! needs to know is said where it is used, once. A caller that may ask answers the questions and resolves again, until
//! none is left. [`Facts::known`] are for callers that do not ask. The lock answers before any of this.

use std::collections::{BTreeMap, BTreeSet};

use super::{Resolver, references::FieldPlace};
use crate::{
    cloud::{RoleDescription, Target},
    diagnostic::{Code, Diagnostic},
    hub::{Model, ModelAt},
};

/// The answers so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The account behind the credentials of each target.
    pub accounts: BTreeMap<Target, String>,
    /// The Hub's answers about models; none where it knows nothing.
    pub models: BTreeMap<ModelAt, Option<Model>>,
    /// What came of looking roles up, by where they are to be used and by ARN.
    pub roles: BTreeMap<(Target, String), LookedUp>,
    /// What is missing may still be asked.
    pub open: bool,
}

/// What came of looking a role up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookedUp {
    /// It is there.
    Found(RoleDescription),
    /// It is not.
    Missing,
    /// The caller may not, and the service's words.
    Denied(String),
}

/// What is to be asked before it can be decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Targets: which account is behind the credentials?
    pub accounts: BTreeSet<Target>,
    /// Models that the lock does not know: to be asked of the Hub.
    pub models: BTreeSet<ModelAt>,
    /// Roles by where they are to be used and by ARN: is there one, and who may assume it?
    pub roles: BTreeSet<(Target, String)>,
}

impl Facts {
    /// What is known without asking anybody: what is written, what is locked, and for models the catalogue's table.
    pub fn known() -> Self {
        Self::default()
    }

    /// Nothing yet, and everything may be asked.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// These, and no more questions.
    pub fn closed(self) -> Self {
        Self { open: false, ..self }
    }

    /// Takes more answers in.
    pub fn extend(&mut self, more: Facts) {
        self.accounts.extend(more.accounts);
        self.models.extend(more.models);
        self.roles.extend(more.roles);
    }

    /// The account of a target, as it is written, else as it was answered.
    pub(super) fn account<'a>(&'a self, target: &'a Target) -> Option<&'a str> {
        target.account.as_ref().or_else(|| self.accounts.get(target)).map(String::as_str)
    }
}

impl Questions {
    /// Is there nothing to ask?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'a> Resolver<'a> {
    /// The account, for `${account}` at a place.
    pub(super) fn account(&mut self, place: &FieldPlace<'_>) -> Option<&'a str> {
        let target = &self.scope.target;
        let known = self.facts.account(target);
        match known {
            Some(_) => {}
            None if self.facts.open => {
                self.questions.accounts.insert(target.clone());
            }
            None => {
                let message = "`${account}` cannot be replaced: the account is unknown here";
                let help = "set `targets: [{account: \"123456789012\", …}]` in the Environment";
                self.report(Diagnostic::new(Code::AccountUnknown, message).at(place.span()).help(help));
            }
        }
        known
    }

    /// The Hub's answer about a model that is not locked. Outer `None`: ask first.
    pub(super) fn model(&mut self, asked: ModelAt) -> Option<Option<Model>> {
        match self.facts.models.get(&asked) {
            Some(answer) => Some(answer.clone()),
            None if self.facts.open => {
                self.questions.models.insert(asked);
                None
            }
            None => Some(Model::in_table(self.catalog, &asked)),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::{
        catalog::Catalog,
        diagnostic::SourceMap,
        manifest::{SourceText, environments, parse},
        resolve::{Lock, Scope, resolve},
    };

    const ENDPOINT: &str = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: e}\nspec:\n  model: {hub: Qwen/Qwen3-0.6B}\n  \
         role: \"arn:aws:iam::${account}:role/serving\"\n  rollout: {alarms: [a]}\n";

    fn scopes(manifests: &str, lock: &Lock) -> Vec<Scope> {
        let input = SourceText { name: "e.yaml".into(), bytes: manifests.into(), named: true };
        let sets = environments(parse(vec![input], &mut SourceMap::default()).0, None).0;
        let scope = |set| Scope { lock: lock.clone(), ..Scope::new(set, target()) };
        sets.into_iter().map(scope).collect()
    }

    fn target() -> Target {
        Target { account: None, region: "us-east-1".into(), assume_role: None }
    }

    /// Whoever may ask anything, and answers as an account and the table would: each round of questions, then findings
    /// and roles.
    fn asked(manifests: &str, lock: &Lock, mut facts: Facts) -> String {
        let (scopes, catalog, mut told) = (scopes(manifests, lock), Catalog::embedded(), String::new());
        loop {
            let (resolved, found) = resolve(&scopes, &facts, catalog);
            let Questions { accounts, models, .. } = &resolved.questions;
            if resolved.questions.is_empty() {
                let found = found.into_iter().map(|found| format!("{}: {}\n", found.code.number(), found.message));
                let roles = resolved.named_roles.iter().map(|role| format!("role {}\n", role.arn));
                return told + &found.chain(roles).collect::<String>();
            }
            told.extend(accounts.iter().map(|target| format!("whose is {target}?\n")));
            told.extend(models.iter().map(|model| format!("what is {} at {}?\n", model.id, model.revision)));
            facts.accounts.extend(accounts.iter().map(|target| (target.clone(), "111122223333".to_owned())));
            facts.models.extend(models.iter().map(|model| (model.clone(), Model::in_table(catalog, model))));
        }
    }

    fn check(manifests: &str, lock: &Lock, facts: Facts, expect: Expect) {
        expect.assert_eq(&asked(manifests, lock, facts));
    }

    #[test]
    fn what_is_missing_is_asked_and_then_known() {
        check(
            ENDPOINT,
            &Lock::default(),
            Facts::open(),
            expect![[r#"
            what is Qwen/Qwen3-0.6B at main?
            whose is us-east-1?
            role arn:aws:iam::111122223333:role/serving
        "#]],
        );
    }

    #[test]
    fn what_nobody_may_ask_is_a_finding() {
        check(
            ENDPOINT,
            &Lock::default(),
            Facts::known(),
            expect![[r#"
            HF2023: `${account}` cannot be replaced: the account is unknown here
            role arn:aws:iam::${account}:role/serving
        "#]],
        );
        check(
            ENDPOINT,
            &Lock::default(),
            Facts::open().closed(),
            expect![[r#"
            HF2023: `${account}` cannot be replaced: the account is unknown here
            role arn:aws:iam::${account}:role/serving
        "#]],
        );
    }

    #[test]
    fn the_lock_answers_first() {
        let plain = ENDPOINT.replace("${account}", "111122223333");
        let (resolved, _) = resolve(&scopes(&plain, &Lock::default()), &Facts::known(), Catalog::embedded());
        check(
            &plain,
            &resolved.locks["default"],
            Facts::open(),
            expect![[r#"
            role arn:aws:iam::111122223333:role/serving
        "#]],
        );
    }

    #[test]
    fn a_model_that_the_hub_does_not_know_is_a_finding_once_it_was_asked() {
        let nobodys = ENDPOINT.replace("Qwen/Qwen3-0.6B", "nobody/nothing").replace("${account}", "111122223333");
        check(
            &nobodys,
            &Lock::default(),
            Facts::open(),
            expect![[r#"
                what is nobody/nothing at main?
                HF2005: `nobody/nothing` is not pinned: instances started later may fetch other weights
                HF2002: hubform knows nothing about `nobody/nothing` and cannot choose for it
            "#]],
        );
    }
}
