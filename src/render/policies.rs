//! How large the policies of a body are once CloudFormation has filled them in.
//!
//! The limits are in [`policy_size`]. A shared role grows with each manifest that uses it, and IAM rejects the update
//! of a role in use as it rejects a new one; so every body is checked, whatever its origin.

use serde_json::{Map, Value};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Path},
    manifest::Kind,
    resolve::DesiredStack,
    service::{
        arn::Location,
        policy_size::{
            ATTACHED_LIMIT, ATTACHED_MOST, INLINE_LIMIT, MANAGED_LIMIT, TRUST_LIMIT, TRUST_MOST, characters, worked_out,
        },
    },
};

/// From this share of a limit on there is a warning, in percent.
const NEAR: usize = 80;

/// Something that IAM limits.
struct Measured {
    path: Path,
    what: String,
    size: usize,
    limit: usize,
    /// What the account's quota can be raised to; the limit itself where it is fixed.
    most: usize,
    unit: &'static str,
    help: &'static str,
}

/// Findings about policies that are too large, and warnings about those that soon are.
pub(super) fn check(body: &Map<String, Value>, stack: &DesiredStack) -> Diagnostics {
    let empty = Map::new();
    let resources = body.get("Resources").and_then(Value::as_object).unwrap_or(&empty);
    let mut found = Diagnostics::new();
    for (id, resource) in resources {
        match resource["Type"].as_str() {
            Some("AWS::IAM::Role") => role(resources, id, stack).into_iter().for_each(|it| it.judge(stack, &mut found)),
            Some("AWS::IAM::ManagedPolicy") => managed(id, resource, stack).judge(stack, &mut found),
            _ => {}
        }
    }
    found
}

fn role(resources: &Map<String, Value>, id: &str, stack: &DesiredStack) -> Vec<Measured> {
    let size = |document: &Value| characters(&worked_out(document, target(stack)));
    let properties = &resources[id]["Properties"];
    let own = properties["Policies"].as_array().into_iter().flatten();
    let beside = resources.values().filter(|resource| puts_into(resource, id)).map(|resource| &resource["Properties"]);
    let inline = own.chain(beside).map(|policy| size(&policy["PolicyDocument"])).sum();
    let place = Path::default().at(id).at("Properties");
    let attached = properties["ManagedPolicyArns"].as_array().map_or(0, Vec::len);
    vec![
        Measured {
            path: place.at("Policies"),
            what: format!("the inline policies of `{id}` have"),
            size: inline,
            limit: INLINE_LIMIT,
            most: INLINE_LIMIT,
            unit: "characters",
            help: help(stack),
        },
        Measured {
            path: place.at("AssumeRolePolicyDocument"),
            what: format!("the trust policy of `{id}` has"),
            size: size(&properties["AssumeRolePolicyDocument"]),
            limit: TRUST_LIMIT,
            most: TRUST_MOST,
            unit: "characters",
            help: "name fewer in `trust`, or have IAM's quota raised in Service Quotas",
        },
        Measured {
            path: place.at("ManagedPolicyArns"),
            what: format!("`{id}` has"),
            size: attached,
            limit: ATTACHED_LIMIT,
            most: ATTACHED_MOST,
            unit: "managed policies",
            help: "attach fewer, or have IAM's quota raised in Service Quotas",
        },
    ]
}

fn managed(id: &str, resource: &Value, stack: &DesiredStack) -> Measured {
    Measured {
        path: Path::default().at(id).at("Properties"),
        what: format!("the managed policy `{id}` has"),
        size: characters(&worked_out(&resource["Properties"]["PolicyDocument"], target(stack))),
        limit: MANAGED_LIMIT,
        most: MANAGED_LIMIT,
        unit: "characters",
        help: "split it into several",
    }
}

/// Does the resource put an inline policy into this role?
fn puts_into(resource: &Value, role: &str) -> bool {
    let properties = &resource["Properties"];
    let is_role = |value: &Value| value["Ref"] == role;
    match resource["Type"].as_str() {
        Some("AWS::IAM::Policy") => properties["Roles"].as_array().is_some_and(|roles| roles.iter().any(is_role)),
        Some("AWS::IAM::RolePolicy") => is_role(&properties["RoleName"]),
        _ => false,
    }
}

fn help(stack: &DesiredStack) -> &'static str {
    match stack.identity.kind == Kind::Role {
        true => "remove `role` in some manifests, so that each gets its own role, or share several roles",
        false => "write fewer `statements`, or put some into a managed policy and name it in `managedPolicies`",
    }
}

fn target(stack: &DesiredStack) -> Location<'_> {
    let target = &stack.identity.stack.target;
    Location { region: &target.region, account: target.account.as_deref() }
}

impl Measured {
    fn verdict(&self) -> Option<(Code, String)> {
        let &Self { size, limit, most, unit, .. } = self;
        let adjustable = most > limit;
        // A count does not grow with each manifest, as sizes do.
        let near = unit == "characters" && size * 100 >= limit * NEAR;
        match size {
            _ if size > most && adjustable => Some((Code::PolicyTooLarge, format!("at most {most}"))),
            _ if size > most => Some((Code::PolicyTooLarge, limit.to_string())),
            _ if adjustable && (size > limit || near) => Some((Code::PolicyNearLimit, format!("{limit} by default"))),
            _ if near => Some((Code::PolicyNearLimit, limit.to_string())),
            _ => None,
        }
    }

    fn judge(self, stack: &DesiredStack, found: &mut Diagnostics) {
        let Some((code, allowed)) = self.verdict() else { return };
        let Self { path, what, size, unit, help, .. } = self;
        let message = format!("{what} {size} {unit}; IAM allows {allowed}");
        let added = path.parts().first().and_then(|id| stack.hatch.spans.get(&Path::from("resources").at(&id.text())));
        let origin = path.upward().find_map(|place| stack.origins.get(place)).map(|field| field.span);
        let span = added.copied().or(origin).unwrap_or(stack.span);
        found.push(Diagnostic::new(code, message).at(span).help(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(size: usize, limit: usize, most: usize, unit: &'static str) -> Option<(Code, String)> {
        Measured { path: Path::default(), what: String::new(), size, limit, most, unit, help: "" }.verdict()
    }

    #[test]
    fn what_a_raised_quota_allows_is_a_warning_and_what_none_allows_an_error() {
        let trust = |size| verdict(size, TRUST_LIMIT, TRUST_MOST, "characters");
        assert_eq!(trust(1_638), None);
        assert_eq!(trust(2_049), Some((Code::PolicyNearLimit, "2048 by default".to_owned())));
        assert_eq!(trust(8_192), Some((Code::PolicyNearLimit, "2048 by default".to_owned())));
        assert_eq!(trust(8_193), Some((Code::PolicyTooLarge, "at most 8192".to_owned())));
        let attached = |count| verdict(count, ATTACHED_LIMIT, ATTACHED_MOST, "managed policies");
        assert_eq!(attached(10), None);
        assert_eq!(attached(25), Some((Code::PolicyNearLimit, "10 by default".to_owned())));
        assert_eq!(attached(26), Some((Code::PolicyTooLarge, "at most 25".to_owned())));
        let inline = |size| verdict(size, INLINE_LIMIT, INLINE_LIMIT, "characters");
        assert_eq!(inline(10_240), Some((Code::PolicyNearLimit, "10240".to_owned())));
        assert_eq!(inline(10_241), Some((Code::PolicyTooLarge, "10240".to_owned())));
    }
}
