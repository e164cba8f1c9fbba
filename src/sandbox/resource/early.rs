//! The checks before deployment that change sets get: property syntax and name conflicts. (D, O)
//!
//! The reason names the check and nothing more, as AWS's does; details would come from DescribeEvents.

use serde_json::Value;

use crate::{
    cloud::{Change, ChangeAction},
    sandbox::{
        catalog_of,
        diff::Imports,
        reference::ResourceReference,
        value::{EvalScope, Evaluated, Lookup, mark, properties},
    },
};

struct UnknownValues<'a> {
    imports: &'a Imports<'a>,
}

impl Lookup for UnknownValues<'_> {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<Value> {
        Ok(mark(reference))
    }

    fn import(&self, name: &str) -> Evaluated<Value> {
        (self.imports)(name)
    }
}

/// Checks what a change set would make or change.
///
/// # Errors
/// Why the change set fails.
pub(crate) fn check(
    scope: &EvalScope<'_>,
    changes: &[Change],
    imports: &Imports<'_>,
    exists: &dyn Fn(&str, &Value) -> bool,
) -> Evaluated<()> {
    let touched = |change: &&Change| change.action != ChangeAction::Remove;
    for change in changes.iter().filter(touched) {
        let Some(declared) = scope.template.resources.get(&change.logical_id) else { continue };
        let misfits = catalog_of(&declared.resource_type).map(|kind| kind.misfits(&declared.properties));
        if misfits.is_some_and(|misfits| !misfits.is_empty()) {
            return Err(failed("PropertyValidation"));
        }
        let given = properties(scope, declared, &UnknownValues { imports })?;
        if change.action == ChangeAction::Add && exists(&declared.resource_type, &given) {
            return Err(failed("ResourceExistenceCheck"));
        }
    }
    Ok(())
}

fn failed(name: &str) -> String {
    format!(
        "The following hook(s)/validation failed: [AWS::EarlyValidation::{name}]. To troubleshoot Early Validation \
         errors, use the DescribeEvents API for detailed failure information."
    )
}
