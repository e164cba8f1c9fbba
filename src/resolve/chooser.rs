//! What hubform chooses, it chooses once: the lock is read first and written afterwards.

use std::collections::BTreeMap;

use super::{Choice, Pinned, Resolver, Scalar, pinned};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    manifest::Kind,
};

/// What the choices of one serving of a manifest are made with.
pub(super) struct Chooser {
    /// `Kind/name@target`.
    key: String,
    serving: String,
    span: Span,
    /// Inputs by name, as far as they are known by now.
    known: BTreeMap<&'static str, Scalar>,
    /// Made so far, in order.
    pub(super) choices: Vec<Choice>,
    /// What was not in the lock where nothing may be chosen, with what would be.
    missing: Vec<String>,
}

/// Something that hubform chooses: its name in the lock and in the table of inputs, and what people call it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChoiceKind {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
}

impl ChoiceKind {
    pub(super) const ENGINE: Self = Self { name: "engine", title: "engine" };
    pub(super) const INSTANCE: Self = Self { name: "instance", title: "instance" };
    pub(super) const IMAGE: Self = Self { name: "image", title: "image" };
    pub(super) const AMI: Self = Self { name: "inference-ami", title: "inference AMI" };
    pub(super) const TENSOR_PARALLEL: Self = Self { name: "tensor-parallel", title: "tensor parallel" };
    pub(super) const CONTEXT: Self = Self { name: "context", title: "context" };
    pub(super) const INITIAL_COUNT: Self = Self { name: "initial-count", title: "initial count" };
    pub(super) const SCALING_TARGET: Self = Self { name: "scaling-target", title: "scaling target" };
    pub(super) const STARTUP_TIMEOUT: Self = Self { name: "startup-timeout", title: "start-up timeout" };
    pub(super) const VOLUME: Self = Self { name: "volume", title: "volume" };
}

/// A choice as it would be made today.
pub(super) struct Fresh {
    pub(super) value: Scalar,
    pub(super) reason: String,
}

impl Fresh {
    pub(super) fn new(value: impl Into<Scalar>, reason: impl Into<String>) -> Self {
        Self { value: value.into(), reason: reason.into() }
    }
}

impl Chooser {
    pub(super) fn new(context: &Resolver<'_>, (kind, name): (Kind, &str), serving: &str, span: Span) -> Self {
        let key = format!("{kind}/{name}@{}", context.scope.target_name());
        let known = BTreeMap::from([("region", context.region().into())]);
        Self { key, serving: serving.to_owned(), span, known, choices: Vec::new(), missing: Vec::new() }
    }

    /// Notes what later choices may be made from.
    pub(super) fn know(&mut self, input: &'static str, value: impl Into<Scalar>) {
        self.known.insert(input, value.into());
    }

    /// The pinned value while every input it recorded is unchanged; else what `fresh` chooses, which is then pinned.
    /// Where something is pinned, `fresh` is asked only if the run wants to know what would be chosen today, or if the
    /// pinned value is out of `bounds`: that is a finding, and the value stays in the lock until it is mended.
    pub(super) fn choose(
        &mut self,
        context: &mut Resolver<'_>,
        what: ChoiceKind,
        bounds: pinned::Bounds<'_>,
        fresh: impl FnOnce(&mut Resolver<'_>) -> Option<Fresh>,
    ) -> Option<Scalar> {
        let mut broken = false;
        if let Some(pinned) = self.pinned(context, what).cloned() {
            if bounds.hold(&pinned.value) {
                let today = context.scope.today.then(|| fresh(context)).flatten();
                self.choices.push(keep(what, &pinned, today));
                return Some(pinned.value);
            }
            broken = true;
            let finding = bounds.broken(context, what, (&self.key, &self.serving), &pinned.value);
            context.report(finding.at(self.span));
        }
        let Fresh { value, reason } = fresh(context)?;
        match context.scope.locked {
            _ if broken => {}
            Some(_) => self.missing.push(format!("{} ({value})", what.title)),
            None => self.pin(context, what, value.clone()),
        }
        let shown = value.to_string();
        self.choices.push(Choice { what: what.title.into(), value: shown, reason, pinned: false, today: None });
        Some(value)
    }

    /// How people write the last choice.
    pub(super) fn show_as(&mut self, text: String) {
        if let Some(last) = self.choices.last_mut() {
            last.value = text;
        }
    }

    /// What has no alternative: reported as a choice, and not pinned.
    pub(super) fn settle(&mut self, what: &str, value: &str, reason: String) {
        self.choices.push(Choice { what: what.into(), value: value.into(), reason, pinned: false, today: None });
    }

    /// Something that must be in the lock where nothing may be chosen, and is not.
    pub(super) fn miss(&mut self, what: String) {
        self.missing.push(what);
    }

    fn pinned<'a>(&self, context: &Resolver<'a>, what: ChoiceKind) -> Option<&'a Pinned> {
        let environment = context.scope.lock.environment(&context.scope.set.environment.name)?;
        let pinned = environment.choices.get(&self.key)?.get(&self.serving)?.get(what.name)?;
        let unchanged = |(input, then): (&String, &Scalar)| self.known.get(input.as_str()) == Some(then);
        pinned.from.iter().all(unchanged).then_some(pinned)
    }

    fn pin(&self, context: &mut Resolver<'_>, what: ChoiceKind, value: Scalar) {
        let inputs = context.catalog.inputs_of(what.name).iter();
        let known = inputs.filter_map(|input| Some((input.clone(), self.known.get(input.as_str())?.clone())));
        let pinned = Pinned { value, from: known.collect() };
        let environment = context.scope.set.environment.name.clone();
        let choices = &mut context.lock_after.environments.entry(environment).or_default().choices;
        let serving = choices.entry(self.key.clone()).or_default().entry(self.serving.clone()).or_default();
        serving.insert(what.name.to_owned(), pinned);
    }

    /// Reports once, when everything was chosen, what the lock lacks.
    pub(super) fn report_missing(&self, context: &mut Resolver<'_>) {
        if self.missing.is_empty() {
            return;
        }
        let why = context.scope.locked.map(|why| format!(" {why}")).unwrap_or_default();
        let (key, missing) = (&self.key, self.missing.join(", "));
        let message = format!("the lock has no {missing} for `{key}`, and hubform may not choose{why}");
        let help = "the values in brackets are what hubform would choose; run `hubform lock` and commit hubform.lock";
        context.report(Diagnostic::new(Code::LockMissing, message).at(self.span).help(help));
    }
}

fn keep(what: ChoiceKind, pinned: &Pinned, today: Option<Fresh>) -> Choice {
    let (what, value) = (what.title.to_owned(), pinned.value.to_string());
    let (reason, today) = match today {
        Some(today) if today.value == pinned.value => (today.reason, None),
        Some(today) => ("chosen before".to_owned(), Some(format!("{} ({})", today.value, today.reason))),
        None => (String::new(), None),
    };
    Choice { what, value, reason, pinned: true, today }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::Catalog,
        cloud::Target,
        diagnostic::SourceMap,
        manifest::{SourceText, environments, parse},
        resolve::{Facts, Lock, Scope, view::ALL_TRAFFIC},
    };

    fn scope(lock: Lock, today: bool) -> (Scope, Span) {
        let text = "apiVersion: hubform.dev/v1\nkind: Role\nmetadata: {name: r}\nspec: {}\n";
        let input = SourceText { name: "r.yaml".into(), bytes: text.into(), named: true };
        let (manifests, _) = parse(vec![input], &mut SourceMap::default());
        let set = environments(manifests, None).0.remove(0);
        let span = set.documents[0].origin.span("/metadata/name");
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        (Scope { lock, today, ..Scope::new(set, target) }, span)
    }

    /// What is chosen with a task as the input, and the lock afterwards; `fresh` none: choosing is not to be asked for.
    fn chosen(lock: Lock, today: bool, task: &str, fresh: Option<&str>) -> (Choice, Lock) {
        let (scope, span) = scope(lock, today);
        let facts = Facts::known();
        let mut context = Resolver::new(&scope, &facts, Catalog::embedded());
        let mut chooser = Chooser::new(&context, (Kind::Endpoint, "a"), ALL_TRAFFIC, span);
        chooser.know("task", task);
        chooser.choose(&mut context, ChoiceKind::ENGINE, pinned::text("text", |_| true), |_| {
            Some(Fresh::new(fresh.expect("what is pinned is not chosen again"), "because"))
        });
        (chooser.choices.remove(0), context.lock_after)
    }

    #[test]
    fn what_is_pinned_is_chosen_again_only_when_asked_or_when_its_inputs_change() {
        let (first, lock) = chosen(Lock::default(), false, "t", Some("vllm"));
        assert!(!first.pinned && first.reason == "because");
        let (kept, same) = chosen(lock.clone(), false, "t", None);
        assert!(kept.pinned && kept.value == "vllm" && same == lock);
        let (asked, same) = chosen(lock.clone(), true, "t", Some("sglang"));
        assert_eq!((asked.value.as_str(), asked.today.as_deref()), ("vllm", Some("sglang (because)")));
        assert_eq!(same, lock);
        let (again, _) = chosen(lock, false, "another", Some("tei"));
        assert!(!again.pinned && again.value == "tei");
    }

    #[test]
    fn an_input_that_was_not_recorded_moves_nothing() {
        let (_, mut lock) = chosen(Lock::default(), false, "t", Some("vllm"));
        let choices = &mut lock.environments.get_mut("default").expect("it was pinned").choices;
        let servings = choices.get_mut("Endpoint/a@default").expect("by manifest and target");
        servings.get_mut("AllTraffic").expect("by serving").get_mut("engine").expect("by name").from.clear();
        assert!(chosen(lock, false, "another", None).0.pinned);
    }
}
