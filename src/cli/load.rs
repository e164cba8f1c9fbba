//! Manifests to rendered stacks: the part that every verb but a few begins with.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;

use super::{
    args::Selection,
    bodies::render_all,
    host::Host,
    read::{LoadOptions, ReadInputs, read},
    session,
    sources::NamedPaths,
};
use crate::{
    cloud::StackRef,
    diagnostic::{Code, Diagnostic, Diagnostics, SourceMap},
    gather, plan,
    render::StackSpec,
    resolve::{Facts, Resolved, Scope, resolve},
};

/// Everything that was read, resolved and rendered, and what was found wrong on the way.
pub(super) struct Loaded {
    pub(super) read: ReadInputs,
    /// What it was resolved with.
    pub(super) facts: Facts,
    /// Without its stacks, which were rendered.
    pub(super) resolved: Resolved,
    pub(super) specs: Vec<StackSpec>,
    pub(super) diagnostics: Diagnostics,
    /// Stacks of what was named.
    pub(super) chosen: BTreeSet<StackRef>,
    /// Environments whose own manifest was named.
    pub(super) whole: BTreeSet<String>,
}

/// Reads, resolves and renders, and asks nobody.
pub(super) fn load(host: &mut Host, selection: &Selection, options: &LoadOptions) -> Result<Loaded> {
    load_with(host, selection, options, Facts::known())
}

/// The same with what is known already.
pub(super) fn load_with(host: &mut Host, selection: &Selection, options: &LoadOptions, facts: Facts) -> Result<Loaded> {
    let read = read(host, selection, options)?;
    let resolved = resolve(&read.scopes, &facts, read.catalog());
    finished(host, selection, options, read, facts, resolved)
}

/// The same, and asks the Hub: whatever else is wrong, because it needs nobody's account. What only an account can answer
/// stays open.
pub(super) async fn load_asking(host: &mut Host, selection: &Selection, options: &LoadOptions) -> Result<Loaded> {
    let read = read(host, selection, options)?;
    let mut facts = Facts::open();
    loop {
        let resolved = resolve(&read.scopes, &facts, read.catalog());
        if resolved.0.questions.models.is_empty() {
            return finished(host, selection, options, read, facts, resolved);
        }
        facts.extend(gather::models(&session::hub(read.catalog()), &resolved.0.questions).await);
    }
}

/// Renders, unless all is well so far and something is still to be asked.
fn finished(
    host: &Host,
    selection: &Selection,
    options: &LoadOptions,
    read: ReadInputs,
    facts: Facts,
    (mut resolved, found): (Resolved, Diagnostics),
) -> Result<Loaded> {
    let mut diagnostics = read.diagnostics.clone();
    diagnostics.extend(found);
    diagnostics.extend(options.upgrade.as_deref().and_then(|name| upgrades_nothing(name, &resolved)));
    let whole = whole(&read.scopes, &read.named);
    let chosen = chosen(&whole, &resolved, &read.named, &read.sources);
    let stacks = std::mem::take(&mut resolved.stacks);
    let mut specs = Vec::new();
    if resolved.questions.is_empty() || diagnostics.has_errors() {
        let (rendered, found) = render_all(host, selection, &read, stacks)?;
        specs = rendered;
        diagnostics = with_bodies(diagnostics, found);
    }
    let diagnostics = diagnostics.sorted();
    Ok(Loaded { read, facts, resolved, specs, diagnostics, chosen, whole })
}

impl Loaded {
    /// The same where nobody is asked any more.
    pub(super) fn closed(self) -> Self {
        Self { facts: self.facts.closed(), ..self }
    }

    /// The same with the facts of by now.
    pub(super) fn again(self, host: &Host, selection: &Selection, options: &LoadOptions) -> Result<Self> {
        let resolved = resolve(&self.read.scopes, &self.facts, self.read.catalog());
        finished(host, selection, options, self.read, self.facts, resolved)
    }
}

/// Findings with those about bodies, without what is the same: a dynamic reference that is told where it is written.
fn with_bodies(mut diagnostics: Diagnostics, bodies: Diagnostics) -> Diagnostics {
    let of =
        |found: &Diagnostic| found.labels.first().filter(|_| found.code == Code::DynamicReference).map(|l| l.span.file);
    let told: BTreeSet<_> = diagnostics.iter().filter_map(of).collect();
    diagnostics.extend(bodies.into_iter().filter(|found| of(found).is_none_or(|file| !told.contains(&file))));
    diagnostics
}

/// A finding where nothing that hubform chooses for has the name.
fn upgrades_nothing(name: &str, resolved: &Resolved) -> Option<Diagnostic> {
    let known: Vec<String> = resolved.stacks.iter().map(|stack| stack.identity.manifest()).collect();
    let manifest = name.split('@').next().unwrap_or(name);
    let named = |known: &String| known == manifest || known.split_once('/').is_some_and(|(_, own)| own == manifest);
    (!name.is_empty() && !known.iter().any(named)).then(|| plan::no_such_manifest("--upgrade", name, &known))
}

/// The environments whose own manifest was named.
fn whole(scopes: &[Scope], named: &NamedPaths) -> BTreeSet<String> {
    scopes
        .iter()
        .map(|scope| &scope.set.environment)
        .filter(|environment| environment.origin.as_ref().is_some_and(|origin| named.covers(&origin.path)))
        .map(|environment| environment.name.clone())
        .collect()
}

/// The stacks of manifests that were named, and all of whole environments.
fn chosen(
    whole: &BTreeSet<String>,
    resolved: &Resolved,
    named: &NamedPaths,
    sources: &SourceMap,
) -> BTreeSet<StackRef> {
    let is_chosen = |stack: &&crate::resolve::DesiredStack| {
        whole.contains(&stack.identity.environment) || named.covers(Path::new(sources.name(stack.span.file)))
    };
    resolved.stacks.iter().filter(is_chosen).map(|stack| stack.identity.stack.clone()).collect()
}

#[cfg(test)]
mod several_targets;
#[cfg(test)]
mod tests;
