//! IAM's roles and inline policies.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Failure, Handled, Handler, Made, Object, Site, generic::Generic, naming, text};
use crate::{
    cloud::RoleDescription,
    sandbox::{ids, stack::Record},
    service::{
        arn::Arn,
        policy::{self, PolicyKind as Whose},
        policy_size::{ATTACHED_LIMIT, INLINE_LIMIT, MANAGED_LIMIT, TRUST_LIMIT, characters},
    },
};

pub(super) const ROLE: &str = "AWS::IAM::Role";
pub(super) const POLICY: &str = "AWS::IAM::Policy";
pub(super) const MANAGED_POLICY: &str = "AWS::IAM::ManagedPolicy";

/// A role, and who may assume it.
pub(super) struct Role;

impl Handler for Role {
    /// Makes a role. IAM takes its time until others can see it. (K)
    fn create(&self, site: &mut Site<'_>, _kind: &str, properties: &Value) -> Handled<Made> {
        let name = naming::name(site, ROLE, properties);
        check_role(site, properties, &name, &[])?;
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

    fn update(&self, site: &mut Site<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        let attached = site.object(ROLE, &record.physical_id).map(|role| role.users.clone()).unwrap_or_default();
        let beside: Vec<Value> = attached.iter().filter_map(|key| site.objects.get(key)).map(document_of).collect();
        check_role(site, properties, &record.physical_id, &beside)?;
        Ok(site.seconds("update", 2, 6))
    }
}

fn document_of(policy: &Object) -> Value {
    policy.properties["PolicyDocument"].clone()
}

/// Everything that IAM refuses of a role, with the inline policies that other resources put into it. (O: the words)
fn check_role(site: &Site<'_>, properties: &Value, name: &str, beside: &[Value]) -> Handled<()> {
    let trust = &properties["AssumeRolePolicyDocument"];
    malformed(trust, Whose::Trust)?;
    within(characters(trust), TRUST_LIMIT, || format!("Cannot exceed quota for ACLSizePerRole: {TRUST_LIMIT}"))?;
    let own = properties["Policies"].as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
    let documents: Vec<&Value> = own.chain(beside).collect();
    documents.iter().try_for_each(|document| malformed(document, Whose::Identity))?;
    within_inline(documents.into_iter().map(characters).sum(), name)?;
    let managed: Vec<&str> =
        properties["ManagedPolicyArns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let words = || format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_LIMIT}");
    within(managed.len(), ATTACHED_LIMIT, words)?;
    managed.into_iter().chain(text(properties, "PermissionsBoundary")).try_for_each(|arn| attachable(site, arn))
}

fn malformed(document: &Value, whose: Whose) -> Handled<()> {
    let words = |said: String| format!("{said} (Service: Iam, Status Code: 400, Error Code: MalformedPolicyDocument)");
    policy::document(document, whose).map_err(|said| Failure::invalid(words(said)))
}

fn within_inline(size: usize, role: &str) -> Handled<()> {
    within(size, INLINE_LIMIT, || format!("Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {role}"))
}

fn within(size: usize, limit: usize, words: impl Fn() -> String) -> Handled<()> {
    match size > limit {
        true => Err(Failure::new("ServiceLimitExceeded", format!("{} (Service: Iam, Status Code: 409)", words()))),
        false => Ok(()),
    }
}

/// A policy is attached in its own account, or is AWS's. Which exist is not known here. (K)
fn attachable(site: &Site<'_>, arn: &str) -> Handled<()> {
    let ours = |arn: &Arn<'_>| arn.account == site.place.account || arn.account == "aws";
    let is_policy = |arn: &Arn<'_>| {
        arn.service == "iam"
            && arn.partition == site.place.partition()
            && arn.resource.starts_with("policy/")
            && ours(arn)
    };
    match Arn::parse(arn).filter(is_policy) {
        Some(_) => Ok(()),
        None => Err(Failure::not_found(format!(
            "Policy {arn} does not exist or is not attachable. (Service: Iam, Status Code: 404)"
        ))),
    }
}

/// What is passed as a role must be one. (M: the pattern of RoleArn)
fn check_role_arn(arn: &str) -> Handled<()> {
    let is_role = |arn: &Arn<'_>| {
        arn.service == "iam" && arn.region.is_empty() && arn.account.len() == 12 && arn.resource.starts_with("role/")
    };
    match Arn::parse(arn).filter(is_role) {
        Some(_) => Ok(()),
        None => Err(Failure::invalid(format!(
            "1 validation error detected: Value '{arn}' at 'executionRoleArn' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: ^arn:aws[a-z\\-]*:iam::\\d{{12}}:role/?[a-zA-Z_0-9+=,.@\\-_/]+$"
        ))),
    }
}

/// A role of this account that is named must exist and trust the service. Roles of other accounts are not known.
pub(super) fn check_assumable(site: &Site<'_>, arn: &str, service: &str) -> Handled<()> {
    check_role_arn(arn)?;
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
        check_inline(site, properties, "")?;
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
        check_inline(site, properties, &record.physical_id)?;
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

/// The document of an inline policy, and what its roles have with it.
fn check_inline(site: &Site<'_>, properties: &Value, own: &str) -> Handled<()> {
    malformed(&properties["PolicyDocument"], Whose::Identity)?;
    let own = site.key(POLICY, own);
    for name in roles(properties) {
        let Some(role) = site.object(ROLE, &name) else { continue };
        let others =
            role.users.iter().filter(|key| **key != own).filter_map(|key| site.objects.get(key)).map(document_of);
        let inside = role.properties["Policies"].as_array().into_iter().flatten();
        let inside: usize = inside.map(|policy| characters(&policy["PolicyDocument"])).sum();
        let others: usize = others.map(|document| characters(&document)).sum();
        within_inline(inside + others + characters(&properties["PolicyDocument"]), &name)?;
    }
    Ok(())
}

/// A managed policy.
pub(super) struct ManagedPolicy;

impl Handler for ManagedPolicy {
    fn create(&self, site: &mut Site<'_>, kind: &str, properties: &Value) -> Handled<Made> {
        check_managed(properties)?;
        Generic.create(site, kind, properties)
    }

    fn update(&self, site: &mut Site<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        check_managed(properties)?;
        Generic.update(site, record, properties)
    }
}

fn check_managed(properties: &Value) -> Handled<()> {
    let document = &properties["PolicyDocument"];
    malformed(document, Whose::Identity)?;
    within(characters(document), MANAGED_LIMIT, || format!("Cannot exceed quota for PolicySize: {MANAGED_LIMIT}"))
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
