//! Manifests and facts become stacks as they are wanted: defaults, references, sizing, every choice made.
//!
//! Pure. Nothing that leaves here means "decide later": what hubform chooses for the user is a [`Choice`] with its
//! reason, pinned in the [`Lock`]. A kind that becomes a stack has a file or a folder; `references` finds what is named elsewhere,
//! `chooser` consults the lock, `facts` is what the world was asked and what it is still to be asked.

mod access;
mod arguments;
mod checks;
mod chooser;
mod container;
mod desired;
mod endpoint;
mod engine;
mod envelope;
mod execution_role;
mod facts;
#[cfg(test)]
mod fortune;
mod hardware;
mod hatch;
mod image;
mod judge;
mod lock;
mod model;
mod named_role;
mod names;
pub mod outputs;
mod owner;
mod pinned;
mod references;
mod role;
mod scaling;
mod serving;
mod settings;
mod sizing;
mod task;
#[cfg(test)]
mod tests;
pub mod view;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    catalog::Catalog,
    cloud::{StackRef, Target},
    diagnostic::{Code, Diagnostic, Diagnostics, Path},
    manifest::{DEFAULT_TARGET, Document, EnvironmentSet, Kind, ResolvedEnvironment, Spec, protecting},
};

pub use checks::Check;
pub use desired::{Choice, DesiredStack, Hatch, ManifestField, ParameterValue};
pub use envelope::{Envelope, Identity, StackKind};
pub use facts::{Facts, LookedUp, Questions};
pub use lock::{Clash, LOCK_FORMAT, Lock, LockedEnvironment, LockedModel, Pinned, Scalar, Servings, is_owner};
pub use named_role::{NamedRole, ask_roles, judge_roles};
pub use names::{ENDPOINT_NAME_LIMIT, shortened, stack_name};
pub use owner::{OwnerAction, OwnerFacts, OwnerPolicy};

/// One target of an environment, and what was pinned for it.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The environment and its manifests.
    pub set: Arc<EnvironmentSet>,
    /// Which of the environment's targets it is.
    pub index: usize,
    /// Where its stacks go.
    pub target: Target,
    /// What was pinned before, for all targets of the environment.
    pub lock: Lock,
    /// The file it was read from, for messages.
    pub lock_file: PathBuf,
    /// Why a choice that is not pinned is an error, where it is.
    pub locked: Option<Locked>,
    /// Say also what would be chosen today in place of what is pinned.
    pub today: bool,
}

impl Scope {
    /// The first target, with nothing pinned and where everything may be chosen.
    pub fn new(set: impl Into<Arc<EnvironmentSet>>, target: Target) -> Self {
        let (set, lock_file) = (set.into(), "hubform.lock".into());
        Self { set, index: 0, target, lock: Lock::default(), lock_file, locked: None, today: false }
    }

    /// The target's name, for `${target}` and the lock.
    fn target_name(&self) -> &str {
        self.written().map_or(DEFAULT_TARGET, |target| target.name())
    }

    /// The target as the Environment writes it, where it writes any.
    fn written(&self) -> Option<&crate::manifest::Target> {
        self.set.environment.spec.targets.get(self.index)
    }

    /// Where the Environment writes it.
    fn target_path(&self) -> Path {
        Path::from("/spec/targets").item(self.index)
    }
}

/// Why nothing may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// A flag or a variable says so.
    Asked,
    /// `CI` is set.
    Ci,
    /// The environment is protected; by its name, which begins with this, where no manifest says so.
    Protected(Option<&'static str>),
}

impl Locked {
    /// Why nothing may be chosen in an environment: the flag, else what `HUBFORM_LOCKED` says, else `CI`, else its
    /// protection.
    pub fn of(flag: bool, variable: Option<bool>, ci: bool, environment: &ResolvedEnvironment) -> Option<Self> {
        let protection = || Self::Protected(protected_by_name(environment));
        match variable {
            _ if flag => Some(Self::Asked),
            Some(said) => said.then_some(Self::Asked),
            None if ci => Some(Self::Ci),
            None => environment.protect.then(protection),
        }
    }
}

/// What the name of a protected environment begins with, where no manifest protects it.
fn protected_by_name(environment: &ResolvedEnvironment) -> Option<&'static str> {
    let is_said = environment.origin.as_ref().is_some_and(|origin| origin.says("protect"));
    protecting(&environment.name).filter(|_| !is_said)
}

impl std::fmt::Display for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asked => f.write_str("because of `--locked`"),
            Self::Ci => f.write_str("because `CI` is set"),
            Self::Protected(None) => f.write_str("because the environment is protected"),
            Self::Protected(Some(start)) => {
                write!(f, "because the environment is protected, as its name begins with `{start}`")
            }
        }
    }
}

/// What resolving gives.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The stacks, in the order of environments, targets and manifests.
    pub stacks: Vec<DesiredStack>,
    /// The locks with what was added, by environment.
    pub locks: BTreeMap<String, Lock>,
    /// Roles named by ARN: to be looked up before a plan.
    pub named_roles: Vec<NamedRole>,
    /// What was not known and may be asked. While there is any, this is not the last word.
    pub questions: Questions,
}

/// Resolves every environment, as far as the facts go.
pub fn resolve(scopes: &[Scope], facts: &Facts, catalog: &Catalog) -> (Resolved, Diagnostics) {
    let mut resolved = Resolved::default();
    let mut diagnostics = Diagnostics::new();
    for scope in scopes {
        let mut context = Resolver::new(scope, facts, catalog);
        let environment = &scope.set.environment.name;
        // Targets of one environment add to one lock.
        if let Some(lock) = resolved.locks.remove(environment) {
            context.lock_after = lock;
        }
        resolve_scope(&mut context, &mut resolved);
        resolved.locks.insert(environment.clone(), context.lock_after);
        resolved.questions.accounts.extend(context.questions.accounts);
        resolved.questions.models.extend(context.questions.models);
        diagnostics.extend(context.diagnostics);
    }
    refuse_same_owner(scopes, &mut diagnostics);
    refuse_twins(&resolved.stacks, &mut diagnostics);
    refuse_same_endpoints(&resolved.stacks, &mut diagnostics);
    (resolved, diagnostics)
}

/// What every part of resolving one environment sees and adds to.
struct Resolver<'a> {
    scope: &'a Scope,
    facts: &'a Facts,
    catalog: &'a Catalog,
    /// By kind and name, for references.
    documents: BTreeMap<(Kind, &'a str), &'a Document>,
    settings: crate::manifest::Target,
    lock_after: Lock,
    questions: Questions,
    diagnostics: Diagnostics,
    ranked: BTreeMap<String, Vec<hardware::Ranked>>,
    /// Dynamic references that `{ssm: …}` became.
    fetched: BTreeSet<String>,
}

impl<'a> Resolver<'a> {
    fn new(scope: &'a Scope, facts: &'a Facts, catalog: &'a Catalog) -> Self {
        let settings = scope.set.environment.targets().into_iter().nth(scope.index).unwrap_or_default();
        let documents = scope.set.documents.iter().map(|document| ((document.kind, &*document.name), document));
        Self {
            scope,
            facts,
            catalog,
            documents: documents.collect(),
            settings,
            lock_after: scope.lock.clone(),
            questions: Questions::default(),
            diagnostics: Diagnostics::new(),
            ranked: BTreeMap::new(),
            fetched: BTreeSet::new(),
        }
    }

    fn region(&self) -> &'a str {
        &self.scope.target.region
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn stack(&self, kind: Kind, name: &str) -> StackRef {
        let name = stack_name(&self.scope.set.environment.prefix, kind.name(), name);
        StackRef { target: self.scope.target.clone(), name }
    }
}

/// What a manifest that becomes a stack leaves: the stack, and what is asked of others.
struct ResolvedStack {
    stack: DesiredStack,
    /// The `Role` manifest it names, and what it needs of it.
    shared: Option<(String, access::Access)>,
    named_role: Option<NamedRole>,
}

fn resolve_scope(context: &mut Resolver<'_>, resolved: &mut Resolved) {
    if !settings::check_region(context) {
        return;
    }
    let scope = context.scope;
    let mut shared: BTreeMap<String, access::Access> = BTreeMap::new();
    let (mut stacks, mut roles) = (BTreeMap::new(), Vec::new());
    for (at, document) in scope.set.documents.iter().enumerate() {
        let made = match &document.spec {
            Spec::Endpoint(spec) => endpoint::resolve(context, document, spec),
            #[cfg(test)]
            Spec::Fortune(spec) => fortune::resolve(context, document, spec),
            // Last, when the needs of all others are known.
            Spec::Role(spec) => {
                roles.push((at, document, spec));
                None
            }
            // What others are made from, and in.
            Spec::Environment(_) | Spec::Model(_) | Spec::Hardware(_) | Spec::Scaling(_) => None,
        };
        let Some(ResolvedStack { stack, shared: asked, named_role }) = made else { continue };
        if let Some((role, access)) = asked {
            shared.entry(role).or_default().merge(access);
        }
        resolved.named_roles.extend(named_role);
        stacks.insert(at, stack);
    }
    for (at, document, spec) in roles {
        // An unused one is created for later endpoints.
        let access = shared.remove(&document.name).unwrap_or_else(access::Access::of_sagemaker);
        stacks.insert(at, role::resolve(context, document, spec, access));
    }
    references::check_defaults(context);
    let fetched = Arc::new(std::mem::take(&mut context.fetched));
    let stacks = stacks.into_values();
    resolved.stacks.extend(stacks.map(|stack| DesiredStack { fetched: Arc::clone(&fetched), ..stack }));
}

/// An environment that is for another account than its target's credentials lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongAccount<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The account that it names.
    pub wanted: &'a str,
    /// The account of the credentials.
    pub found: &'a str,
}

/// Is there such a one, among those whose accounts are known?
pub fn wrong_account<'a>(scopes: &'a [Scope], facts: &'a Facts) -> Option<WrongAccount<'a>> {
    let judge = |scope: &'a Scope| {
        let (wanted, found) = (scope.target.account.as_deref()?, facts.accounts.get(&scope.target)?);
        (wanted != found).then_some(WrongAccount { environment: &scope.set.environment.name, wanted, found })
    };
    scopes.iter().find_map(judge)
}

/// One owner in two environments is a folder that was copied with its lock.
fn refuse_same_owner(scopes: &[Scope], diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, &ResolvedEnvironment> = BTreeMap::new();
    for scope in scopes {
        let environment = &scope.set.environment;
        let Some(owner) = scope.lock.owner(&environment.name) else { continue };
        let first = *seen.entry(owner).or_insert(environment);
        if first.name == environment.name {
            continue;
        }
        let message = format!(
            "the environments `{}` and `{}` have the same owner id, {owner}: each would treat the other's stacks as its own",
            first.name, environment.name
        );
        let spans = [first, environment].into_iter().filter_map(|e| Some(e.origin.as_ref()?.span("/metadata/name")));
        let finding = spans.fold(Diagnostic::new(Code::SameOwner, message), Diagnostic::at);
        let folder = environment.folder.display();
        diagnostics.push(finding.help(format!(
            "one was copied with its lock; `hubform lock {folder} --new-owner` gives it an owner of its own"
        )));
    }
}

fn refuse_twins(stacks: &[DesiredStack], diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<&StackRef, &DesiredStack> = BTreeMap::new();
    let mut told = BTreeSet::new();
    let whose = |of: &DesiredStack| {
        let Identity { environment, kind, name, .. } = &of.identity;
        format!("{kind} `{name}` of `{environment}`")
    };
    for one in stacks {
        let stack = &one.identity.stack;
        match seen.get(stack) {
            Some(first) if told.insert(stack) => diagnostics.push(
                Diagnostic::new(Code::SameStack, format!("two manifests map to the stack `{stack}`"))
                    .label(one.span, whose(one))
                    .label(first.span, whose(first))
                    .help("give one of the environments another `prefix`"),
            ),
            Some(_) => {}
            None => {
                seen.insert(stack, one);
            }
        }
    }
}

/// For SageMaker, names that differ only in case are the same.
fn refuse_same_endpoints(stacks: &[DesiredStack], diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<(&Target, String), &DesiredStack> = BTreeMap::new();
    let whose = |of: &DesiredStack| format!("`{}` of `{}`", of.identity.name, of.identity.environment);
    for (one, check) in stacks.iter().flat_map(|one| one.envelope.checks.iter().map(move |check| (one, check))) {
        let key = (&one.identity.stack.target, check.endpoint().to_lowercase());
        let first = *seen.entry(key).or_insert(one);
        if first.identity.stack != one.identity.stack {
            let message = format!("two manifests create an endpoint named `{}`", check.endpoint());
            diagnostics.push(
                Diagnostic::new(Code::SameEndpoint, message)
                    .label(one.span, whose(one))
                    .label(first.span, whose(first))
                    .help("give one of them another `name`, or remove `name`"),
            );
        }
    }
}
