//! A plan that deletes exactly what was chosen, what needs it first.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, ChangeKind, Operation, Plan, PlannedEnvironment, Request, Step,
    graph::{self, Edges},
    guard,
    observe::{self, Observation, ObservedStack, belongs, digest_holds},
    planner::{all, blank, empty},
    recover,
    template::{NeededStack, Template},
};
use crate::{
    cloud::{StackRef, Target},
    diagnostic::{Code, Diagnostic, Diagnostics, Position, Severity},
    render::{Identity, Origins, StackSpec},
};

/// Plans the deletion of what is chosen. Refuses, naming them, while others that are not chosen need it. What a stack
/// needs is read from the body that runs, and from its manifest.
pub fn destroy(request: &Request<'_>) -> (Plan, Diagnostics) {
    let specs: BTreeMap<&StackRef, &StackSpec> =
        request.specs.iter().map(|spec| (&spec.identity.stack, spec)).collect();
    let observed = observe::index(request.observation);
    let needs = needs(request, &specs, &observed);
    let dependants = graph::dependants(&needs);
    let mut diagnostics: Diagnostics = guard::allowed_nothing(request).into_iter().collect();
    let mut edges = Edges::new();
    let strange = |stack: &&StackRef| {
        !specs.contains_key(stack) && observed.get(stack).is_some_and(|o| has_other_prefix(request, o))
    };
    let strangers: BTreeSet<StackRef> = request.chosen.iter().filter(strange).cloned().collect();
    let chosen: BTreeSet<StackRef> = request.chosen.difference(&strangers).cloned().collect();
    let someone_elses = someone_elses(request, &chosen, &specs, &observed);
    for stack in &chosen {
        // CloudFormation knows nothing of needs between stacks, and would delete a role under a running endpoint.
        let dependants = dependants.get(stack).into_iter().flatten().map(|dependant| (*dependant).clone());
        let (chosen, others): (BTreeSet<StackRef>, _) = dependants.partition(|stack| chosen.contains(stack));
        diagnostics.extend(still_needed(stack, &others));
        edges.insert(stack.clone(), chosen);
    }
    let mut steps = Vec::with_capacity(edges.len());
    for stack in graph::order(&edges, |stack| stack.clone()) {
        let (spec, observed) = (specs.get(&stack).copied(), observed.get(&stack).copied());
        match step(request, spec, observed) {
            _ if someone_elses.contains_key(&stack) => {}
            Ok(Some(step)) => steps.push(Step { needs: edges[&stack].clone(), ..step }),
            Ok(None) => {}
            Err(refused) => diagnostics.push(refused),
        }
    }
    for (stack, finding) in someone_elses {
        steps.extend(specs.get(&stack).map(|spec| stays(spec, observed.get(&stack).copied())));
        diagnostics.push(finding);
    }
    for stranger in strangers.iter().filter_map(|stack| observed.get(stack)) {
        match orphan(request, stranger) {
            Ok(step) => steps.push(Step { reasons: vec![STRANGE.to_owned()], ..step }),
            Err(refused) => diagnostics.push(refused),
        }
    }
    (Plan { steps, ..empty(request) }, diagnostics)
}

/// Stacks among the chosen that are another's. They stay, which is a warning beside what goes; where nothing that stands
/// is this environment's own, whoever wanted it all gone is wrong about whose it is, and that is an error.
fn someone_elses(
    request: &Request<'_>,
    chosen: &BTreeSet<StackRef>,
    specs: &BTreeMap<&StackRef, &StackSpec>,
    observed: &BTreeMap<StackRef, &ObservedStack>,
) -> BTreeMap<StackRef, Diagnostic> {
    let standing = chosen.iter().filter_map(|stack| Some((stack, *observed.get(stack)?)));
    let judged =
        standing.map(|(stack, found)| (stack, specs.get(stack).and_then(|spec| guard::foreign(request, spec, found))));
    let (ours, theirs): (Vec<_>, Vec<_>) = judged.partition(|(_, foreign)| foreign.is_none());
    // With nothing of its own the environment's lock was probably lost; a success would hide that.
    let severity = if ours.is_empty() { Severity::Error } else { Severity::Warning };
    let theirs = theirs.into_iter().filter_map(|(stack, foreign)| Some((stack.clone(), foreign?)));
    theirs.map(|(stack, foreign)| (stack, Diagnostic { severity, ..foreign })).collect()
}

fn stays(spec: &StackSpec, observed: Option<&ObservedStack>) -> Step {
    let reasons = vec!["it belongs to another environment: it stays".to_owned()];
    Step { choices: Vec::new(), checks: Vec::new(), reasons, ..blank(spec, observed) }
}

const STRANGE: &str = "it belongs to this environment, but has another prefix: it stays";

/// Does its name not begin with the prefix of the environment its tags name, as far as a manifest shows that prefix?
/// A folder that was copied with its lock and then given another prefix sees the stacks of the original so.
pub(super) fn has_other_prefix(request: &Request<'_>, observed: &ObservedStack) -> bool {
    let Some(tagged) = observed.tagged() else { return false };
    let identities = request.specs.iter().map(|spec| &spec.identity);
    let siblings = identities.filter(|it| it.environment == tagged.environment && it.stack.target == observed.target);
    let mut prefixes = siblings.filter_map(|Identity { stack, kind, name, .. }| {
        let rest = format!("{}-{name}", kind.as_str().to_lowercase());
        stack.name.strip_suffix(&rest).filter(|prefix| prefix.ends_with('-'))
    });
    prefixes.next().is_some_and(|prefix| !observed.stack.name.starts_with(prefix))
}

/// Every stack of ours in the environments of these names, those included that no manifest describes any more.
pub(super) fn left_of(
    names: &BTreeSet<String>,
    environments: &[PlannedEnvironment],
    observation: &Observation,
) -> BTreeSet<StackRef> {
    let whole: Vec<_> = environments.iter().filter(|environment| names.contains(&environment.name)).cloned().collect();
    let ours = observe::index(observation).into_values().filter(|found| belongs(&whole, found));
    ours.map(ObservedStack::reference).collect()
}

/// For each live stack of ours the live stacks it needs.
fn needs(
    request: &Request<'_>,
    specs: &BTreeMap<&StackRef, &StackSpec>,
    observed: &BTreeMap<StackRef, &ObservedStack>,
) -> Edges {
    let ours = observed.iter().filter(|(_, found)| belongs(request.environments, found));
    let needed = |(stack, found): (&StackRef, &&ObservedStack)| {
        let mut needs = specs.get(stack).map(|spec| spec.envelope.needs.clone()).unwrap_or_default();
        if let Some(Ok(body)) = found.body.as_deref().map(Template::parse) {
            needs.extend(body.needs().flat_map(|need| meant(request, need, &stack.target)));
        }
        needs.retain(|need| observed.contains_key(need) && need != stack);
        (stack.clone(), needs)
    };
    ours.map(needed).collect()
}

/// What a body means by a stack it needs: of its own target, else of those in scope that are that account and Region.
fn meant(request: &Request<'_>, need: NeededStack<'_>, own: &Target) -> Vec<StackRef> {
    let is_meant = |e: &&PlannedEnvironment| {
        let accounts = [e.target.account.as_deref(), Some(&*e.account)];
        need.region == Some(&e.target.region) && (need.account.is_none() || accounts.contains(&need.account))
    };
    let targets: BTreeSet<&Target> = match need.region {
        None => BTreeSet::from([own]),
        Some(_) => request.environments.iter().filter(is_meant).map(|e| &e.target).collect(),
    };
    targets.into_iter().map(|target| StackRef { target: target.clone(), name: need.name.to_owned() }).collect()
}

fn still_needed(stack: &StackRef, others: &BTreeSet<StackRef>) -> Option<Diagnostic> {
    let names: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
    (!names.is_empty()).then(|| {
        let message = format!("the stack `{stack}` is needed by {}", names.join(", "));
        Diagnostic::new(Code::StillNeeded, message).help("destroy them together, or first apply them without it")
    })
}

fn step(
    request: &Request<'_>,
    spec: Option<&StackSpec>,
    observed: Option<&ObservedStack>,
) -> Result<Option<Step>, Diagnostic> {
    let Some(observed) = observed else { return Ok(None) };
    let mut step = match spec {
        Some(spec) => Step { choices: Vec::new(), checks: Vec::new(), ..blank(spec, Some(observed)) },
        None => orphan(request, observed)?,
    };
    let subject = spec.map_or_else(|| step.identity.manifest(), guard::subject);
    // A deletion in the middle of an operation leaves what nobody listed.
    if let Some(what) = observed.runs() {
        return Err(recover::running(&subject, &what));
    }
    // The manifest's word counts before it was applied, the account's after it was edited; ruins need no protection.
    let protected = observed.stack.termination_protection || spec.is_some_and(|spec| spec.envelope.protect);
    if protected && !observed.stack.status.is_leftover() && !guard::is_allowed(request, &step.identity) {
        return Err(guard::protected(&subject, "its stack would be deleted", &step.identity));
    }
    delete(&mut step, spec, observed)?;
    Ok(Some(step))
}

fn delete(step: &mut Step, spec: Option<&StackSpec>, observed: &ObservedStack) -> Result<(), Diagnostic> {
    step.action = Action::Delete;
    if observed.stack.termination_protection {
        step.operations.push(Operation::Protect { on: false });
        step.restore = Some(Operation::Protect { on: true });
    }
    step.operations.push(Operation::Delete { role_arn: spec.and_then(|spec| spec.envelope.options.role_arn.clone()) });
    let holds = spec.filter(|spec| digest_holds(spec, &observed.stack));
    let Some(template) = running_body(observed, holds)? else { return Ok(()) };
    let retained = |id: &str| template.resource(id).is_some_and(|resource| resource["DeletionPolicy"] == "Retain");
    step.changes = all(&template, ChangeKind::Remove);
    step.reasons = kept(step.changes.iter().map(|change| change.logical_id.as_str()).filter(|id| retained(id)));
    step.changes.retain(|change| !retained(&change.logical_id));
    Ok(())
}

/// The body that runs; none for what is left of a creation. Who cannot read it does not know what the stack needs, nor
/// in which order stacks can go.
fn running_body(observed: &ObservedStack, holds: Option<&StackSpec>) -> Result<Option<Template>, Diagnostic> {
    let read = observed.body.as_deref().map(Template::parse);
    let wanted = || holds.map(|spec| Template::parse(&spec.body));
    let problem = match read {
        Some(Ok(template)) => return Ok(Some(template)),
        Some(Err(error)) => error,
        None if observed.stack.status.is_leftover() => return Ok(None),
        None => "it was not fetched".into(),
    };
    if let Some(Ok(template)) = wanted() {
        return Ok(Some(template));
    }
    let message = format!("cannot read the template of the stack `{}`: {problem}", observed.stack.name);
    Err(Diagnostic::new(Code::UnreadableBody, message)
        .help("hubform deletes only what it can order; delete this stack with `aws cloudformation delete-stack`"))
}

fn kept<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    ids.map(|id| format!("`{id}` is retained and stays in the account")).collect()
}

/// The step of a stack of ours without a manifest.
fn orphan(request: &Request<'_>, observed: &ObservedStack) -> Result<Step, Diagnostic> {
    let stack = observed.reference();
    let ours = observed.identity().filter(|_| belongs(request.environments, observed));
    let Some(identity) = ours else {
        let message = format!("the stack `{stack}` in {} belongs to none of these environments", stack.target);
        return Err(Diagnostic::new(Code::ForeignStack, message).help("hubform destroys only stacks it created"));
    };
    let nowhere = Position { file: "(no manifest)".to_owned(), line: 1, column: 1 };
    Ok(Step {
        identity,
        action: Action::Keep,
        observed: Some(observed.as_planned_upon()),
        needs: BTreeSet::new(),
        operations: Vec::new(),
        restore: None,
        between: BTreeMap::new(),
        aside: BTreeSet::new(),
        held: BTreeSet::new(),
        predicate: false,
        changes: Vec::new(),
        reasons: vec!["it no longer has a manifest".to_owned()],
        choices: Vec::new(),
        checks: Vec::new(),
        origins: Origins { manifest: nowhere, properties: BTreeMap::new() },
    })
}
