//! `Role`: an IAM role of its own stack.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::endpoint::hatch;
use crate::diagnostic::{Code, Path};
use crate::manifest::check::{RuleCheck, Rules};
use crate::manifest::secret::shown;
use crate::manifest::value::{Reference, Setting, Value, ValueList};
use crate::service::Problem;
use crate::service::policy::{self, StatementFault};

/// An IAM role with the statements that the manifests naming it need, and more.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Role {
    /// Statements beyond the generated ones, in IAM's words.
    pub statements: Vec<serde_json::Map<String, serde_json::Value>>,
    /// ARNs of managed policies to attach.
    pub managed_policies: Option<ValueList>,
    /// Permissions boundary; `none` turns off the environment's.
    pub permissions_boundary: Option<Setting<Value>>,
    /// Services (`lambda.amazonaws.com`) and ARNs that may assume the role besides SageMaker.
    #[schemars(extend("x-inner" = {"x-form": "principal"}))]
    pub trust: Vec<String>,
    /// Patches of rendered resources by logical id.
    #[schemars(extend("x-inner" = {"type": ["object", "array"]}))]
    pub overrides: BTreeMap<String, serde_json::Value>,
    /// Whole resources by logical id.
    #[schemars(extend("x-inner" = {"type": "object"}))]
    pub resources: BTreeMap<String, serde_json::Value>,
    /// Whole outputs by name.
    #[schemars(extend("x-inner" = {"type": "object"}))]
    pub outputs: BTreeMap<String, serde_json::Value>,
}

impl Rules for Role {
    fn check(&self, at: &mut RuleCheck<'_>) {
        self.check_statements(at);
        hatch(&self.resources, &self.outputs, at);
    }
}

impl Role {
    fn check_statements(&self, at: &mut RuleCheck<'_>) {
        let mut sids: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, statement) in self.statements.iter().enumerate() {
            let place = Path::from("statements").item(index);
            for StatementFault { path, key, problem, .. } in policy::statement(statement) {
                at.refuse_at(place.join(path), key, Code::BadStatement, problem);
            }
            let Some(sid) = statement.get("Sid").and_then(|sid| sid.as_str()).filter(|sid| !sid.is_empty()) else {
                continue;
            };
            let problem = if policy::OWN_SIDS.contains(&sid) {
                Problem::new(format!("hubform's own statement in the same policy has the Sid `{sid}`"))
            } else if sids.insert(sid, index).is_some() {
                Problem::new(format!("two statements have the Sid `{}`", shown(sid)))
            } else {
                continue;
            };
            at.refuse(place.at("Sid"), Code::BadStatement, problem.help("choose another, or remove it"));
        }
    }
}

/// A role in place is a resource of an endpoint's stack, so it has no stack to add to.
pub(super) fn in_place(role: Option<&Setting<Reference<Role>>>, at: &mut RuleCheck<'_>) {
    let Some(role) = role.and_then(Setting::on).and_then(Reference::inline) else { return };
    let parts = [("overrides", &role.overrides), ("resources", &role.resources), ("outputs", &role.outputs)];
    for (field, _) in parts.iter().filter(|(_, entries)| !entries.is_empty()) {
        let message = format!("an inline role has no stack of its own for `{field}`");
        let help = "set it in the Endpoint, where the role is `ExecutionRole`, or make the role a manifest";
        at.report_key(Path::from("role").at(field), Code::Conflict, message, help);
    }
}
