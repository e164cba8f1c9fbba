//! IAM's roles and inline policies.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Failure, Handled, Handler, Made, Site, naming, text};
use crate::{
    cloud::RoleDescription,
    sandbox::{ids, stack::Record},
};

pub(super) const ROLE: &str = "AWS::IAM::Role";
pub(super) const POLICY: &str = "AWS::IAM::Policy";

/// A role, and who may assume it.
pub(super) struct Role;

impl Handler for Role {
    /// Makes a role. IAM takes its time until others can see it. (K)
    fn create(&self, site: &mut Site<'_>, _kind: &str, properties: &Value) -> Handled<Made> {
        check_trust(properties)?;
        let name = naming::name(site, ROLE, properties);
        let path = text(properties, "Path").unwrap_or("/");
        let arn = site.arn("iam", &format!("role{path}{name}"));
        site.put(ROLE, &name, &name, arn.clone(), properties.clone())?;
        let id = format!("AROA{}", ids::upper(site.seed, &site.drawing("role id"), 17));
        let attributes = Map::from_iter([("Arn".to_owned(), arn.into()), ("RoleId".to_owned(), id.into())]);
        Ok(Made { physical_id: name.clone(), reference: name, attributes, settles_in: site.seconds("create", 12, 22) })
    }

    /// Policies that others attached hold a role. (K)
    fn begin_delete(&self, site: &mut Site<'_>, record: &Record) -> Handled<Duration> {
        let attached = site.object(ROLE, &record.physical_id).is_some_and(|role| !role.users.is_empty());
        match attached {
            true => Err(Failure::new("ResourceConflict", "Cannot delete entity, must detach all policies first.")),
            false => Ok(site.seconds("delete", 1, 4)),
        }
    }

    fn update(&self, site: &mut Site<'_>, _record: &Record, properties: &Value) -> Handled<Duration> {
        check_trust(properties).map(|()| site.seconds("update", 2, 6))
    }
}

/// A trust policy names who may assume the role.
pub(super) fn check_trust(properties: &Value) -> Handled<()> {
    match &properties["AssumeRolePolicyDocument"]["Statement"] {
        Value::Array(statements) if !statements.is_empty() => Ok(()),
        Value::Object(_) => Ok(()),
        _ => Err(Failure::invalid("The trust policy has no statement (Service: Iam, Error MalformedPolicyDocument)")),
    }
}

/// A role of this account that is named must exist and trust the service. Roles of other accounts are not known.
pub(super) fn check_assumable(site: &Site<'_>, arn: &str, service: &str) -> Handled<()> {
    let inside = format!(":iam::{}:role/", site.place.account);
    let Some((_, path)) = arn.split_once(&inside) else { return Ok(()) };
    let role = site.object(ROLE, path.rsplit('/').next().unwrap_or(path));
    let trusted = role.is_some_and(|role| {
        let mut trust = role.properties["AssumeRolePolicyDocument"].clone();
        if let Some(statements) = trust["Statement"].as_array_mut() {
            statements.retain(|statement| is_for(statement, &site.place.account));
        }
        RoleDescription { name: String::new(), arn: String::new(), trust }.trusts(service)
    });
    match trusted {
        true => Ok(()),
        false => Err(Failure::invalid(format!(
            "Could not assume role {arn}. Please ensure that the role exists and allows principal '{service}' to assume \
             the role."
        ))),
    }
}

/// Does a statement hold where the service acts for this account? The key is that of the resource it acts for; of the
/// other conditions none is judged (IAM User Guide, "AWS global condition context keys", D).
fn is_for(statement: &Value, account: &str) -> bool {
    match &statement["Condition"]["StringEquals"]["aws:SourceAccount"] {
        Value::Null => true,
        Value::Array(accounts) => accounts.iter().any(|one| one == account),
        one => one == account,
    }
}

fn roles(properties: &Value) -> Vec<String> {
    let names = properties["Roles"].as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// An inline policy in roles.
pub(super) struct Policy;

impl Handler for Policy {
    /// Makes an inline policy in roles that exist.
    fn create(&self, site: &mut Site<'_>, _kind: &str, properties: &Value) -> Handled<Made> {
        check_roles(site, properties)?;
        let id = ids::mixed(site.seed, &site.drawing("policy"), 12);
        let stack: String = site.stack_name.chars().take(5).collect();
        let logical: String = site.logical_id.chars().take(4).collect();
        let physical_id = format!("{stack}-{logical}-{id}");
        let name = text(properties, "PolicyName").unwrap_or_default().to_owned();
        site.put(POLICY, &physical_id, &name, String::new(), properties.clone())?;
        attach(site, &physical_id, &roles(properties));
        let attributes = Map::from_iter([("Id".to_owned(), physical_id.clone().into())]);
        let settles_in = site.seconds("create", 8, 16);
        Ok(Made { reference: physical_id.clone(), physical_id, attributes, settles_in })
    }

    /// Moves a policy to the roles it now names.
    fn update(&self, site: &mut Site<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        check_roles(site, properties)?;
        detach(site, &record.physical_id);
        attach(site, &record.physical_id, &roles(properties));
        Ok(site.seconds("update", 8, 16))
    }

    /// A deleted policy leaves its roles.
    fn end(&self, site: &mut Site<'_>, record: &Record) {
        detach(site, &record.physical_id);
    }
}

fn check_roles(site: &Site<'_>, properties: &Value) -> Handled<()> {
    match roles(properties).iter().find(|name| site.object(ROLE, name).is_none()) {
        Some(name) => Err(Failure::not_found(format!("The role with name {name} cannot be found."))),
        None => Ok(()),
    }
}

fn attach(site: &mut Site<'_>, policy: &str, roles: &[String]) {
    let key = site.key(POLICY, policy);
    for role in roles {
        if let Some(object) = site.object_mut(ROLE, role) {
            object.users.insert(key.clone());
        }
    }
}

fn detach(site: &mut Site<'_>, policy: &str) {
    let key = site.key(POLICY, policy);
    let attached = site.object(POLICY, policy).map(|object| roles(&object.properties)).unwrap_or_default();
    for role in attached {
        if let Some(object) = site.object_mut(ROLE, &role) {
            object.users.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_for;

    #[test]
    fn a_service_assumes_a_role_for_the_account_that_the_condition_names() {
        let when = |account| json!({ "Condition": { "StringEquals": { "aws:SourceAccount": account } } });
        let [ours, theirs] = ["111111111111", "222222222222"];
        assert!(
            is_for(&when(json!(ours)), ours) && is_for(&when(json!([theirs, ours])), ours) && is_for(&json!({}), ours)
        );
        assert!(!is_for(&when(json!(theirs)), ours) && !is_for(&when(json!([theirs])), ours));
    }
}
