//! From stacks wanted and stacks observed to steps, in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Action, ChangeKind, FORMAT, Operation, Plan, Request, ResourceChange, Step, capacity,
    destroy::has_other_prefix,
    diff::announce,
    graph, guard,
    inputs::{self, InputChange, values_hold},
    observe::{self, ObservedStack, digest_holds},
    outlook::{KnownOutputs, literal_outputs, surviving},
    recover::{NextAction, next},
    shared::{self, Halves},
    template::{Template, type_of},
    update::{Update, UpdatePlan, same_topics, settings_hold, submission},
};
use crate::{
    cloud::{Replacement, Stack, StackOptions, StackRef, StackStatus},
    diagnostic::{Code, Diagnostic, Diagnostics},
    render::{Identity, StackSpec, body_digest},
};

/// Plans what is chosen and what it needs. The plan is only to be carried out when nothing found is an error; steps
/// that were refused do nothing in it.
pub fn plan(request: &Request<'_>) -> (Plan, Diagnostics) {
    let specs: BTreeMap<&StackRef, &StackSpec> =
        request.specs.iter().map(|spec| (&spec.identity.stack, spec)).collect();
    debug_assert_eq!(specs.len(), request.specs.len(), "two manifests for one stack were let through");
    let observed = observe::index(request.observation);
    let edges = graph::with_needs(request.chosen, &specs);
    let rank = ranks(request);
    let mut planner = Planner {
        request,
        observed: &observed,
        outputs: KnownOutputs::new(&observed),
        bodies: BTreeMap::new(),
        users: shared::users(&observed),
        halves: BTreeMap::new(),
        diagnostics: Diagnostics::new(),
    };
    let mut steps = Vec::with_capacity(edges.len());
    for stack in graph::order(&edges, |stack| rank(specs[stack])) {
        let mut step = planner.step(specs[&stack]);
        step.needs = edges[&stack].clone();
        steps.push(step);
    }
    planner.narrow_last(&mut steps, &specs);
    planner.diagnostics.extend(guard::allowed_nothing(request));
    let left_behind = left_behind(request, &specs, &observed, &mut planner.diagnostics);
    let plan = Plan { steps, left_behind, bodies: planner.bodies, ..empty(request) };
    (plan, planner.diagnostics)
}

/// A plan of these environments that does nothing.
pub(super) fn empty(request: &Request<'_>) -> Plan {
    Plan {
        format: FORMAT,
        nonce: request.nonce.to_owned(),
        environments: request.environments.to_vec(),
        bodies: BTreeMap::new(),
        steps: Vec::new(),
        left_behind: Vec::new(),
        allowed: request.allow.clone(),
        adopted: request.adopt.clone(),
    }
}

/// Environments as they were given, then stacks by name.
fn ranks<'a>(request: &Request<'a>) -> impl Fn(&'a StackSpec) -> (usize, &'a StackRef) {
    let environments = request.environments;
    move |spec| {
        let place = environments.iter().position(|environment| environment.has(&spec.identity));
        (place.unwrap_or(environments.len()), &spec.identity.stack)
    }
}

struct Planner<'a> {
    request: &'a Request<'a>,
    observed: &'a BTreeMap<StackRef, &'a ObservedStack>,
    outputs: KnownOutputs<'a>,
    bodies: BTreeMap<String, Arc<str>>,
    /// Stacks that run with what another one made.
    users: BTreeMap<StackRef, BTreeSet<StackRef>>,
    /// The two halves of updates that take a role's permissions away.
    halves: BTreeMap<StackRef, Halves>,
    diagnostics: Diagnostics,
}

impl<'a> Planner<'a> {
    fn step(&mut self, spec: &'a StackSpec) -> Step {
        let observed = self.observed.get(&spec.identity.stack).copied();
        let mut step = blank(spec, observed);
        step.reasons.extend(observed.and_then(|observed| guard::taken_over(spec, observed)));
        // The status comes first: what cannot be updated needs no comparison.
        let outcome = match next(self.request, spec, observed) {
            NextAction::Create => self.create(&mut step, spec),
            NextAction::Compare(observed) => self.compare(&mut step, spec, observed),
            NextAction::Recreate { observed, why, had_landed } => {
                step.reasons.push(why.to_owned());
                self.recreate(&mut step, spec, observed, had_landed)
            }
            NextAction::Refuse(refused) => Err(refused),
        };
        match outcome {
            Ok(()) => step,
            Err(refused) => {
                self.diagnostics.push(refused);
                blank(spec, observed)
            }
        }
    }

    fn create(&mut self, step: &mut Step, spec: &StackSpec) -> Result<(), Diagnostic> {
        let wanted = rendered(spec)?;
        self.keep(spec.body.clone());
        // Literal outputs are known before the stack exists; steps that take the others become predicates.
        self.outputs.change(&spec.identity.stack, literal_outputs(&wanted));
        step.action = Action::Create;
        step.operations.push(Operation::Create { submission: submission(spec), validate: self.request.validate });
        // CreateChangeSet, unlike CreateStack, cannot ask for termination protection.
        if self.request.validate && spec.envelope.protect {
            step.operations.push(Operation::Protect { on: true });
        }
        step.changes = all(&wanted, ChangeKind::Add);
        Ok(())
    }

    fn recreate(
        &mut self,
        step: &mut Step,
        spec: &StackSpec,
        observed: &ObservedStack,
        had_landed: bool,
    ) -> Result<(), Diagnostic> {
        let protected = spec.envelope.protect || observed.stack.termination_protection;
        // Only what once worked is worth protecting; the ruins of a creation hold nothing.
        if had_landed && protected && !guard::is_allowed(self.request, &spec.identity) {
            let what = "what is left of its stack would be deleted";
            return Err(guard::protected(&guard::subject(spec), what, &spec.identity));
        }
        // DeleteStack refuses a protected stack; if the deletion fails, the protection comes back.
        if observed.stack.termination_protection {
            step.operations.push(Operation::Protect { on: false });
            step.restore = Some(Operation::Protect { on: true });
        }
        step.operations.push(Operation::Delete { role_arn: spec.envelope.options.role_arn.clone() });
        self.create(step, spec)?;
        step.action = Action::Recreate;
        Ok(())
    }

    fn compare(&mut self, step: &mut Step, spec: &StackSpec, observed: &'a ObservedStack) -> Result<(), Diagnostic> {
        let stack = &observed.stack;
        let holds = digest_holds(spec, stack);
        let settings = settings_hold(spec, stack);
        // Where digest, settings and values agree no body is read: thousands of stacks cost no GetTemplate.
        let plainly_same = holds && settings && values_hold(spec, stack, &self.outputs);
        if !plainly_same {
            let live_text: &str = if holds { &spec.body } else { body_of(spec, observed)? };
            let live = Template::parse(live_text).map_err(|error| unreadable(spec, "that runs", &error))?;
            let wanted = rendered(spec)?;
            let inputs = inputs::changed(spec, stack, &wanted, &self.outputs);
            // Stamps differ between releases, and are no change.
            let same_body = holds || live.unstamped() == wanted.unstamped();
            if !(same_body && settings && inputs.is_empty()) {
                let catalog = self.request.catalog;
                let (live, wanted, inputs) = (&live, &wanted, &inputs);
                self.update(step, &Update { spec, observed: stack, live, wanted, inputs, catalog })?;
            }
        }
        self.protection(step, spec, observed);
        Ok(())
    }

    fn update(&mut self, step: &mut Step, update: &Update<'_>) -> Result<(), Diagnostic> {
        let (spec, stack) = (update.spec, update.observed);
        let UpdatePlan { operations, restore, between, aside, diffs, reasons, bodies } =
            update.planned().map_err(|entangled| {
                let (who, what) = (entangled.resource, entangled.to);
                let message =
                    format!("{} must remove `{what}` for a while, but `{who}` refers to it", guard::subject(spec));
                Diagnostic::new(Code::ScalerEntangled, message)
                    .help("refer to it by name instead of `Ref` or `Fn::GetAtt`")
            })?;
        // All that is wrong with an update is said at once.
        let mut refused = guard::update(self.request, spec, stack, &diffs);
        if let Some(last) = refused.pop() {
            self.diagnostics.extend(refused);
            return Err(last);
        }
        bodies.into_iter().for_each(|body| self.keep(body));
        let used = self.users.contains_key(&spec.identity.stack);
        // Only what others run with can be taken from under them; an endpoint's own role moves with it.
        if used || spec.envelope.checks.is_empty() {
            match shared::halved(update, &diffs) {
                Ok(halves) => self.halves.extend(halves.map(|halves| (spec.identity.stack.clone(), halves))),
                Err(why) if used => step.reasons.push(why),
                Err(_) => {}
            }
        }
        // What this update may change is no longer known to the steps behind it.
        let known = surviving((update.live, update.wanted), &diffs, update.inputs, &stack.outputs);
        self.outputs.change(&spec.identity.stack, known);
        step.action = Action::Update;
        step.predicate = update.inputs.values().any(|input| input.later.is_some());
        step.changes = announce(&diffs, spec);
        step.reasons.extend(after_rollback(&stack.status));
        step.reasons.extend(settings(spec, stack));
        if step.changes.is_empty() {
            step.reasons.push("changes no resource, only the stack's own metadata".to_owned());
        }
        step.reasons.extend(waits(update.inputs));
        step.reasons.extend(reasons);
        step.reasons.extend(capacity::room(update.wanted, &diffs));
        (step.operations, step.restore, step.between, step.aside) = (operations, restore, between, aside);
        Ok(())
    }

    /// Termination protection is switched by an operation of its own, because no change set carries it, and before
    /// everything else, so that what is wanted protected is protected while it changes.
    fn protection(&mut self, step: &mut Step, spec: &StackSpec, observed: &ObservedStack) {
        let on = spec.envelope.protect;
        if on != observed.stack.termination_protection {
            step.operations.insert(0, Operation::Protect { on });
            step.action = Action::Update;
            let word = if on { "on" } else { "off" };
            step.reasons.push(format!("termination protection is turned {word}"));
        }
    }

    /// Narrows shared roles after everything that is done to those that use them: until those have moved they run with
    /// what the role loses.
    fn narrow_last(&mut self, steps: &mut Vec<Step>, specs: &BTreeMap<&StackRef, &'a StackSpec>) {
        let halves = std::mem::take(&mut self.halves);
        if halves.is_empty() {
            return;
        }
        for (stack, halves) in halves {
            let users = self.users.get(&stack).cloned().unwrap_or_default();
            let outside = users.iter().filter(|user| !steps.iter().any(|step| step.identity.stack == **user));
            let mut held = BTreeMap::new();
            let mut more = Vec::new();
            // A user out of the plan that runs what is wanted needs only to be asked; any other holds the role wide.
            for user in outside {
                match specs.get(user).and_then(|spec| self.as_wanted(spec)) {
                    Some(step) => more.push(step),
                    None => drop(held.insert(user.clone(), shared::name(self.observed[user]))),
                }
            }
            for mut step in more {
                let needs = &specs[&step.identity.stack].envelope.needs;
                step.needs = needs.iter().filter(|need| **need == stack).cloned().collect();
                steps.push(step);
            }
            let bodies = shared::place(steps, &stack, halves, &users, held);
            bodies.into_iter().for_each(|body| self.keep(body));
        }
        shared::settle_order(steps);
        // A body that became two halves is sent no more, and a plan holds only what is sent.
        let sent = steps.iter().flat_map(|step| step.operations.iter().chain(&step.restore));
        let used: BTreeSet<&str> = sent.filter_map(Operation::submission).map(|sent| sent.body.as_str()).collect();
        self.bodies.retain(|key, _| used.contains(key.as_str()));
    }

    /// The step of a stack that is not in the plan and runs what is wanted: it is only asked.
    fn as_wanted(&self, spec: &'a StackSpec) -> Option<Step> {
        let mut aside = Planner {
            request: self.request,
            observed: self.observed,
            outputs: KnownOutputs::new(self.observed),
            bodies: BTreeMap::new(),
            users: BTreeMap::new(),
            halves: BTreeMap::new(),
            diagnostics: Diagnostics::new(),
        };
        let step = aside.step(spec);
        let settled = step.operations.iter().all(|operation| matches!(operation, Operation::Protect { .. }));
        let clean = !aside.diagnostics.has_errors();
        (settled && clean).then(|| blank(spec, self.observed.get(&spec.identity.stack).copied()))
    }

    fn keep(&mut self, body: Arc<str>) {
        self.bodies.insert(body_digest(&body), body);
    }
}

/// A step that does nothing yet.
pub(super) fn blank(spec: &StackSpec, observed: Option<&ObservedStack>) -> Step {
    Step {
        identity: spec.identity.clone(),
        action: Action::Keep,
        observed: observed.map(ObservedStack::as_planned_upon),
        needs: BTreeSet::new(),
        operations: Vec::new(),
        restore: None,
        between: BTreeMap::new(),
        aside: BTreeSet::new(),
        held: BTreeSet::new(),
        predicate: false,
        changes: Vec::new(),
        reasons: Vec::new(),
        choices: spec.envelope.choices.clone(),
        checks: spec.envelope.checks.clone(),
        origins: spec.origins.clone(),
    }
}

/// The same thing happens to every resource.
pub(super) fn all(template: &Template, kind: ChangeKind) -> Vec<ResourceChange> {
    let change = |(id, resource): (&str, _)| ResourceChange {
        logical_id: id.to_owned(),
        resource_type: type_of(resource).to_owned(),
        kind,
        replacement: Replacement::False,
        properties: Vec::new(),
    };
    template.resources().map(change).collect()
}

fn rendered(spec: &StackSpec) -> Result<Template, Diagnostic> {
    Template::parse(&spec.body).map_err(|error| unreadable(spec, "that was rendered", &error))
}

fn body_of<'a>(spec: &StackSpec, observed: &'a ObservedStack) -> Result<&'a str, Diagnostic> {
    observed.body.as_deref().ok_or_else(|| unreadable(spec, "that runs", "it was not fetched"))
}

fn unreadable(spec: &StackSpec, which: &str, error: &str) -> Diagnostic {
    let message = format!("the template {which} for {} cannot be compared: {error}", guard::subject(spec));
    Diagnostic::new(Code::UnreadableBody, message)
}

fn settings(spec: &StackSpec, observed: &Stack) -> Vec<String> {
    let StackOptions { role_arn, notification_arns } = &spec.envelope.options;
    let role = role_arn.as_ref().filter(|_| *role_arn != observed.role_arn);
    let mut found: Vec<String> = role.map(|role| format!("CloudFormation will act with {role}")).into_iter().collect();
    if !same_topics(notification_arns, &observed.notification_arns) {
        found.push("stack events go to other topics".to_owned());
    }
    found
}

fn after_rollback(status: &StackStatus) -> Option<String> {
    status.is_rollback().then(|| "the last operation was rolled back".to_owned())
}

fn waits(inputs: &BTreeMap<String, InputChange>) -> impl Iterator<Item = String> {
    let sources: BTreeSet<&String> = inputs.values().filter_map(|input| input.later.as_ref()).collect();
    sources.into_iter().map(|from| format!("depends on {from}, known only after that stack has changed"))
}

/// Stacks of an environment that have no manifest.
fn left_behind(
    request: &Request<'_>,
    specs: &BTreeMap<&StackRef, &StackSpec>,
    observed: &BTreeMap<StackRef, &ObservedStack>,
    diagnostics: &mut Diagnostics,
) -> Vec<Identity> {
    let mut found = Vec::new();
    // Nothing is deleted because a manifest is missing: the wrong folder or branch must not cost a stack.
    let ours = observed
        .iter()
        .filter(|(stack, observed)| !specs.contains_key(stack) && observe::belongs(request.environments, observed));
    for (stack, observed) in ours {
        let Some(left) = observed.identity() else { continue };
        let message = format!("the stack `{stack}` of {} no longer has a manifest", left.manifest());
        let help = match has_other_prefix(request, observed) {
            true => {
                "it stays as it is, and has another `prefix`: restore that to destroy it; if this folder is a \
                 copy of another, `hubform lock --new-owner` makes it its own"
            }
            false => {
                "it stays as it is; to delete it, restore its manifest and destroy that, or destroy the whole \
                 environment"
            }
        };
        diagnostics.push(Diagnostic::new(Code::LeftBehind, message).help(help));
        found.push(left);
    }
    found
}
