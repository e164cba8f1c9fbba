//! Outputs, exports and imports.
//!
//! An export is unique in account and Region, and may not change or be removed while another stack imports it. This is
//! checked late, when the resources are done, and a failure there rolls everything back. (O, D)

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;

use super::{
    account::AccountState,
    reference::ResourceReference,
    stack::{Record, StackState},
    value::{EvalScope, Evaluated, Lookup},
};

/// Outputs and exports of a stack.
#[derive(Debug, Default)]
pub(crate) struct StackOutputs {
    pub(crate) values: BTreeMap<String, String>,
    /// Export name to output key.
    pub(crate) exports: BTreeMap<String, String>,
}

/// Resources as they are, during an operation; records what is imported.
pub(crate) struct LiveResources<'a> {
    pub(crate) state: &'a AccountState,
    pub(crate) stack: &'a StackState,
    pub(crate) imported: RefCell<BTreeSet<String>>,
}

impl<'a> LiveResources<'a> {
    pub(crate) fn new(state: &'a AccountState, number: usize) -> Self {
        Self { state, stack: &state.stacks[number], imported: RefCell::default() }
    }
}

impl Lookup for LiveResources<'_> {
    fn resource(&self, reference: &ResourceReference) -> Evaluated<Value> {
        let Some(record) = self.stack.records.get(&reference.name) else {
            return Err(format!("Resource {} is not there to be referred to", reference.name));
        };
        match &reference.attribute {
            None => Ok(Value::String(record.reference.clone())),
            Some(attribute) => record
                .attribute(attribute)
                .ok_or_else(|| format!("Attribute {attribute} of resource {} is not known", reference.name)),
        }
    }

    fn import(&self, name: &str) -> Evaluated<Value> {
        self.imported.borrow_mut().insert(name.to_owned());
        self.state.import(self.stack, name)
    }
}

impl Record {
    /// What `Fn::GetAtt` returns. A wildcard name (`Outputs.*`) is imagined from the physical id.
    pub(crate) fn attribute(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.attributes.get(name) {
            return Some(value.clone());
        }
        let kind = crate::catalog::Catalog::embedded().resource_type(&self.resource_type);
        let imagined = || Value::String(format!("imagined-{}", super::ids::hex(0, &[&self.physical_id, name], 8)));
        kind.is_none_or(|kind| kind.has_attribute(name)).then(imagined)
    }
}

impl AccountState {
    fn export_key(&self, number: usize, name: &str) -> String {
        format!("{}/{name}", self.stacks[number].place.clone())
    }

    pub(crate) fn import(&self, stack: &StackState, name: &str) -> Evaluated<Value> {
        match self.exports.get(&format!("{}/{name}", stack.place)) {
            Some((_, value)) => Ok(Value::String(value.clone())),
            None => Err(format!("No export named {name} found")),
        }
    }

    /// The names of other stacks that import `name`.
    fn importers(&self, number: usize, name: &str) -> Vec<&str> {
        let place = self.stacks[number].place.clone();
        let live = self.index.live.get(&place).into_iter().flat_map(|live| live.values().copied());
        let others = live.filter(|other| *other != number && self.stacks[*other].imports.contains(name));
        others.map(|other| self.stacks[other].name.as_str()).collect()
    }

    /// Why the stack cannot be deleted, if others import from it.
    pub(crate) fn in_use(&self, number: usize) -> Option<String> {
        self.stacks[number].exports.keys().find_map(|name| {
            let importer = *self.importers(number, name).first()?;
            Some(format!("Export {name} cannot be deleted as it is in use by {importer}"))
        })
    }

    /// Evaluates the outputs, and checks the exports.
    pub(crate) fn outputs(
        &self,
        number: usize,
        scope: &EvalScope<'_>,
        live: &LiveResources<'_>,
    ) -> Evaluated<StackOutputs> {
        let mut outputs = StackOutputs::default();
        for (key, output) in &scope.template.outputs {
            if !scope.holds(output.condition.as_deref()) {
                continue;
            }
            outputs.values.insert(key.clone(), scope.text(&output.value, live)?);
            if let Some(export) = &output.export {
                outputs.exports.insert(scope.text(export, live)?, key.clone());
            }
        }
        self.check_exports(number, &outputs)?;
        Ok(outputs)
    }

    fn check_exports(&self, number: usize, outputs: &StackOutputs) -> Evaluated<()> {
        for (name, key) in &outputs.exports {
            match self.exports.get(&self.export_key(number, name)) {
                Some((other, _)) if *other != number => {
                    let other = &self.stacks[*other].name;
                    return Err(format!("Export with name {name} is already exported by stack {other}."));
                }
                Some((_, value)) if *value != outputs.values[key] => {
                    self.refuse_if_imported(number, name, "updated")?
                }
                _ => {}
            }
        }
        let gone = self.stacks[number].exports.keys().filter(|name| !outputs.exports.contains_key(*name));
        gone.into_iter().try_for_each(|name| self.refuse_if_imported(number, name, "deleted"))
    }

    fn refuse_if_imported(&self, number: usize, name: &str, what: &str) -> Evaluated<()> {
        match self.importers(number, name).first() {
            Some(importer) => Err(format!("Export {name} cannot be {what} as it is in use by {importer}")),
            None => Ok(()),
        }
    }

    /// Publishes the stack's outputs.
    pub(crate) fn publish(&mut self, number: usize, outputs: StackOutputs, imports: BTreeSet<String>) {
        for name in self.stacks[number].exports.keys() {
            self.exports.remove(&self.export_key(number, name));
        }
        for (name, key) in &outputs.exports {
            let value = outputs.values[key].clone();
            self.exports.insert(self.export_key(number, name), (number, value));
        }
        let stack = &mut self.stacks[number];
        stack.outputs = outputs.values;
        stack.exports = outputs.exports;
        stack.imports = imports;
    }
}
