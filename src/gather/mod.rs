//! What resolving and planning need of the world is fetched, through the ports, before anything is decided.
//!
//! No change to anything happens here. A plan without changes takes the pages of DescribeStacks, one identity call
//! per target and one look per named role; bodies are fetched only where a digest does not settle the question.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cloud::{Accounts, CloudErrorKind, CloudResult, Connection, RoleDescription, Stack, StackStatus, Target},
    diagnostic::{Code, Diagnostic, Diagnostics},
    plan::{Observation, ObservedStack, Owner},
    resolve::NamedRole,
};

/// The account behind each target.
pub async fn identities(
    accounts: &dyn Accounts,
    targets: impl IntoIterator<Item = &Target>,
) -> CloudResult<BTreeMap<Target, String>> {
    let mut found = BTreeMap::new();
    for target in targets {
        if !found.contains_key(target) {
            let connection = accounts.at(target).await?;
            found.insert(target.clone(), connection.identity.caller().await?.account);
        }
    }
    Ok(found)
}

/// Every stack of the targets, with the bodies that `wants_body` asks for.
pub async fn observe(
    accounts: &dyn Accounts,
    targets: &BTreeSet<Target>,
    wants_body: &dyn Fn(&Target, &Stack) -> bool,
) -> CloudResult<Observation> {
    let mut observation = Observation::default();
    for target in targets {
        let connection = accounts.at(target).await?;
        for stack in stacks(&connection).await? {
            let body = match wants_body(target, &stack) {
                true => Some(connection.stacks.get_template(&stack.id).await?),
                false => None,
            };
            let change_set = match stack.status {
                StackStatus::ReviewInProgress if Owner::read(&stack.tags).is_none() => {
                    first_change_set(&connection, &stack.id).await?
                }
                _ => None,
            };
            observation.stacks.push(ObservedStack { stack, target: target.clone(), body, change_set });
        }
    }
    Ok(observation)
}

async fn stacks(connection: &Connection) -> CloudResult<Vec<Stack>> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let page = connection.stacks.describe_stacks(from).await?;
        all.extend(page.items);
        from = page.next;
        if from.is_none() {
            return Ok(all);
        }
    }
}

async fn first_change_set(connection: &Connection, stack: &str) -> CloudResult<Option<crate::cloud::ChangeSet>> {
    match connection.stacks.list_change_sets(stack).await?.first() {
        Some(summary) => connection.stacks.describe_change_set(&summary.id).await,
        None => Ok(None),
    }
}

/// Looks every named role up once, and says which cannot be used.
pub async fn check_roles(accounts: &dyn Accounts, roles: &[NamedRole]) -> CloudResult<Diagnostics> {
    let mut seen: BTreeMap<&str, Result<Option<RoleDescription>, String>> = BTreeMap::new();
    let mut found = Diagnostics::new();
    for role in roles {
        if !seen.contains_key(role.arn.as_str()) {
            let connection = accounts.at(&role.target).await?;
            let name = role.arn.rsplit('/').next().unwrap_or(&role.arn);
            let answer = match connection.iam.get_role(name).await {
                Ok(answer) => Ok(answer),
                Err(error) => match error.kind {
                    CloudErrorKind::AccessDenied(why) => Err(why),
                    _ => return Err(error),
                },
            };
            seen.insert(&role.arn, answer);
        }
        found.extend(judge(role, &seen[role.arn.as_str()]));
    }
    Ok(found)
}

fn judge(role: &NamedRole, answer: &Result<Option<RoleDescription>, String>) -> Option<Diagnostic> {
    match answer {
        Ok(Some(found)) if found.trusts("sagemaker.amazonaws.com") => None,
        Ok(Some(_)) => {
            let message = format!("sagemaker.amazonaws.com may not assume the role `{}`", role.arn);
            let help = "add it to the role's trust policy, or leave `role` out and hubform makes one";
            Some(Diagnostic::new(Code::RoleTrust, message).at(role.span).help(help))
        }
        Ok(None) => {
            let message = format!("the role `{}` does not exist", role.arn);
            let help = "leave `role` out and hubform makes one";
            Some(Diagnostic::new(Code::RoleMissing, message).at(role.span).help(help))
        }
        Err(why) => {
            let message = format!("the role `{}` cannot be looked up: {why}", role.arn);
            let mut diagnostic = Diagnostic::new(Code::RoleMissing, message).at(role.span);
            diagnostic.severity = crate::diagnostic::Severity::Warning;
            Some(diagnostic.help("allow iam:GetRole, so that a wrong role is found before anything is made"))
        }
    }
}
