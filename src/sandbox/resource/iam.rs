//! IAM's roles and policies.
//!
//! Words of refusals (O): a role's inline policies, serverless#2508; ACLSizePerRole, kubeflow#6687; PoliciesPerRole,
//! eks-hybrid#741; PolicySize, LBHackney-IT/Data-Platform#2116; what cannot be attached, moto#6482. How CloudFormation
//! says them: eks-hybrid#741 and cfn-lint#3751, without the request's id. That a size is refused in the words of
//! eks-hybrid#741 is concluded from it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    CreatedResource, Handled, HandlerFailure, HandlerSite, Object, ResourceHandler, generic::GenericHandler, naming,
    text,
};
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
pub(super) const ROLE_POLICY: &str = "AWS::IAM::RolePolicy";
pub(super) const USER_POLICY: &str = "AWS::IAM::UserPolicy";
pub(super) const GROUP_POLICY: &str = "AWS::IAM::GroupPolicy";
pub(super) const MANAGED_POLICY: &str = "AWS::IAM::ManagedPolicy";

/// A role, and who may assume it.
pub(super) struct RoleHandler;

impl ResourceHandler for RoleHandler {
    /// Makes a role. IAM takes its time until others can see it. (K)
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        let name = naming::name(site, ROLE, properties);
        check_role(site, properties, &name, &[])?;
        let path = text(properties, "Path").unwrap_or("/");
        let arn = site.arn("iam", &format!("role{path}{name}"));
        site.put(ROLE, &name, &name, arn.clone(), properties.clone())?;
        let id = format!("AROA{}", ids::upper(site.seed, &site.drawing("role id"), 17));
        let attributes = Map::from_iter([("Arn".to_owned(), arn.into()), ("RoleId".to_owned(), id.into())]);
        Ok(CreatedResource {
            physical_id: name.clone(),
            reference: name,
            attributes,
            settles_in: site.seconds("create", 12, 22),
        })
    }

    /// A role with attached policies cannot be deleted. (K)
    fn begin_delete(&self, site: &mut HandlerSite<'_>, record: &Record) -> Handled<Duration> {
        let attached = site.object(ROLE, &record.physical_id).is_some_and(|role| !role.users.is_empty());
        match attached {
            true => {
                Err(HandlerFailure::new("ResourceConflict", "Cannot delete entity, must detach all policies first."))
            }
            false => Ok(site.seconds("delete", 1, 4)),
        }
    }

    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        let attached = site.object(ROLE, &record.physical_id).map(|role| role.users.clone()).unwrap_or_default();
        let beside: Vec<Value> = attached.iter().filter_map(|key| site.objects.get(key)).map(document_of).collect();
        check_role(site, properties, &record.physical_id, &beside)?;
        Ok(site.seconds("update", 2, 6))
    }
}

fn document_of(policy: &Object) -> Value {
    policy.properties["PolicyDocument"].clone()
}

/// Everything that IAM refuses of a role, with the inline policies that other resources put into it.
fn check_role(site: &HandlerSite<'_>, properties: &Value, name: &str, beside: &[Value]) -> Handled<()> {
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
    let refused = |said: String| HandlerFailure::invalid(format!("{said} (Service: Iam, Status Code: 400)"));
    policy::document(document, whose).map_err(refused)
}

fn within_inline(size: usize, role: &str) -> Handled<()> {
    within(size, INLINE_LIMIT, || format!("Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {role}"))
}

fn within(size: usize, limit: usize, words: impl Fn() -> String) -> Handled<()> {
    match size > limit {
        true => {
            Err(HandlerFailure::new("ServiceLimitExceeded", format!("{} (Service: Iam, Status Code: 409)", words())))
        }
        false => Ok(()),
    }
}

/// A policy is attached in its own account, or is AWS's. Which exist is not known here. (K)
fn attachable(site: &HandlerSite<'_>, arn: &str) -> Handled<()> {
    let ours = |arn: &Arn<'_>| arn.account == site.place.account || arn.account == "aws";
    let is_policy = |arn: &Arn<'_>| {
        arn.service == "iam"
            && arn.partition == site.place.partition()
            && arn.resource.starts_with("policy/")
            && ours(arn)
    };
    match Arn::parse(arn).filter(is_policy) {
        Some(_) => Ok(()),
        None => Err(HandlerFailure::not_found(format!(
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
        None => Err(HandlerFailure::invalid(format!(
            "1 validation error detected: Value '{arn}' at 'executionRoleArn' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: ^arn:aws[a-z\\-]*:iam::\\d{{12}}:role/?[a-zA-Z_0-9+=,.@\\-_/]+$"
        ))),
    }
}

/// A role of this account that is named must exist and trust the service. Roles of other accounts are not known.
pub(super) fn check_assumable(site: &HandlerSite<'_>, arn: &str, service: &str) -> Handled<()> {
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
        false => Err(HandlerFailure::invalid(format!(
            "Could not assume role {arn}. Please ensure that the role exists and allows principal '{service}' to assume \
             the role."
        ))),
    }
}

/// Does a statement apply where the service acts for this account? The key is that of the resource it acts for; other
/// conditions are not judged (IAM User Guide, "AWS global condition context keys", D).
fn is_for(statement: &Value, account: &str) -> bool {
    match &statement["Condition"]["StringEquals"]["aws:SourceAccount"] {
        Value::Null => true,
        Value::Array(accounts) => accounts.iter().any(|one| one == account),
        one => one == account,
    }
}

fn roles(properties: &Value) -> Vec<String> {
    let names = properties["Roles"].as_array().into_iter().flatten().chain(properties.get("RoleName"));
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// An inline policy in roles.
pub(super) struct PolicyHandler;

impl ResourceHandler for PolicyHandler {
    /// Makes an inline policy in roles that exist.
    fn create(&self, site: &mut HandlerSite<'_>, _kind: &str, properties: &Value) -> Handled<CreatedResource> {
        check_roles(site, properties)?;
        check_inline(site, properties, None)?;
        let id = ids::mixed(site.seed, &site.drawing("policy"), 12);
        let stack: String = site.stack_name.chars().take(5).collect();
        let logical: String = site.logical_id.chars().take(4).collect();
        let physical_id = format!("{stack}-{logical}-{id}");
        let name = text(properties, "PolicyName").unwrap_or_default().to_owned();
        site.put(POLICY, &physical_id, &name, String::new(), properties.clone())?;
        attach(site, POLICY, &physical_id, &roles(properties));
        let attributes = Map::from_iter([("Id".to_owned(), physical_id.clone().into())]);
        let settles_in = site.seconds("create", 8, 16);
        Ok(CreatedResource { reference: physical_id.clone(), physical_id, attributes, settles_in })
    }

    /// Moves a policy to the roles that it names now.
    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        check_roles(site, properties)?;
        check_inline(site, properties, Some(record))?;
        detach(site, record);
        attach(site, POLICY, &record.physical_id, &roles(properties));
        Ok(site.seconds("update", 8, 16))
    }

    /// Removes a deleted policy from its roles.
    fn end(&self, site: &mut HandlerSite<'_>, record: &Record) {
        detach(site, record);
    }
}

/// An inline policy in one role.
pub(super) struct RolePolicyHandler;

impl ResourceHandler for RolePolicyHandler {
    fn create(&self, site: &mut HandlerSite<'_>, kind: &str, properties: &Value) -> Handled<CreatedResource> {
        check_roles(site, properties)?;
        check_inline(site, properties, None)?;
        let made = GenericHandler.create(site, kind, properties)?;
        if let Some(object) = site.object_mut(kind, &made.physical_id) {
            object.properties = properties.clone();
        }
        attach(site, kind, &made.physical_id, &roles(properties));
        Ok(made)
    }

    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        check_inline(site, properties, Some(record))?;
        GenericHandler.update(site, record, properties)
    }

    fn end(&self, site: &mut HandlerSite<'_>, record: &Record) {
        detach(site, record);
    }
}

/// An inline policy in users or groups, whose limits are not checked.
pub(super) struct InlinePolicyHandler;

impl ResourceHandler for InlinePolicyHandler {
    fn create(&self, site: &mut HandlerSite<'_>, kind: &str, properties: &Value) -> Handled<CreatedResource> {
        malformed(&properties["PolicyDocument"], Whose::Identity)?;
        GenericHandler.create(site, kind, properties)
    }

    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        malformed(&properties["PolicyDocument"], Whose::Identity)?;
        GenericHandler.update(site, record, properties)
    }
}

fn check_roles(site: &HandlerSite<'_>, properties: &Value) -> Handled<()> {
    match roles(properties).iter().find(|name| site.object(ROLE, name).is_none()) {
        Some(name) => Err(HandlerFailure::not_found(format!("The role with name {name} cannot be found."))),
        None => Ok(()),
    }
}

/// The document of an inline policy, and what its roles have with it.
fn check_inline(site: &HandlerSite<'_>, properties: &Value, own: Option<&Record>) -> Handled<()> {
    malformed(&properties["PolicyDocument"], Whose::Identity)?;
    let own = own.map(|record| site.key(&record.resource_type, &record.physical_id));
    for name in roles(properties) {
        let Some(role) = site.object(ROLE, &name) else { continue };
        let others = role
            .users
            .iter()
            .filter(|key| Some(*key) != own.as_ref())
            .filter_map(|key| site.objects.get(key))
            .map(document_of);
        let inside = role.properties["Policies"].as_array().into_iter().flatten();
        let inside: usize = inside.map(|policy| characters(&policy["PolicyDocument"])).sum();
        let others: usize = others.map(|document| characters(&document)).sum();
        within_inline(inside + others + characters(&properties["PolicyDocument"]), &name)?;
    }
    Ok(())
}

/// A managed policy.
pub(super) struct ManagedPolicyHandler;

impl ResourceHandler for ManagedPolicyHandler {
    fn create(&self, site: &mut HandlerSite<'_>, kind: &str, properties: &Value) -> Handled<CreatedResource> {
        check_managed(properties)?;
        GenericHandler.create(site, kind, properties)
    }

    fn update(&self, site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
        check_managed(properties)?;
        GenericHandler.update(site, record, properties)
    }
}

fn check_managed(properties: &Value) -> Handled<()> {
    let document = &properties["PolicyDocument"];
    malformed(document, Whose::Identity)?;
    within(characters(document), MANAGED_LIMIT, || format!("Cannot exceed quota for PolicySize: {MANAGED_LIMIT}"))
}

fn attach(site: &mut HandlerSite<'_>, kind: &str, policy: &str, roles: &[String]) {
    let key = site.key(kind, policy);
    for role in roles {
        if let Some(object) = site.object_mut(ROLE, role) {
            object.users.insert(key.clone());
        }
    }
}

fn detach(site: &mut HandlerSite<'_>, policy: &Record) {
    let Record { resource_type, physical_id, .. } = policy;
    let key = site.key(resource_type, physical_id);
    let attached = site.object(resource_type, physical_id).map(|object| roles(&object.properties)).unwrap_or_default();
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
