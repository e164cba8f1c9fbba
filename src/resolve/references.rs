//! What is named elsewhere is found, and keeps its place for messages and origins.

use std::borrow::Cow;

use super::{ManifestField, Resolver};
use crate::{
    diagnostic::{Code, Diagnostic, Path, Span, did_you_mean, first_of},
    manifest::{
        Alarms, Defaults, DocumentOrigin, Hardware, Kind, Model, RankedInstance, Reference, Role, Rollout, Scaling,
        Setting, Spec, Timeouts,
    },
};

/// Where a value was written: a document and a path into it.
#[derive(Debug, Clone)]
pub(super) struct FieldPlace<'a> {
    origin: &'a DocumentOrigin,
    path: Path,
}

impl<'a> FieldPlace<'a> {
    pub(super) fn new(origin: &'a DocumentOrigin, path: impl Into<Path>) -> Self {
        Self { origin, path: path.into() }
    }

    /// The place of a key below this one.
    pub(super) fn at(&self, key: &str) -> Self {
        Self { origin: self.origin, path: self.path.at(key) }
    }

    /// The place of an item below this one.
    pub(super) fn item(&self, at: usize) -> Self {
        Self { origin: self.origin, path: self.path.item(at) }
    }

    pub(super) fn span(&self) -> Span {
        self.origin.span(&self.path)
    }

    /// The field, or the nearest one above it that is written: nothing is named that a manifest does not have.
    pub(super) fn field(&self) -> ManifestField {
        let written = self.path.upward().find(|path| self.origin.has(Path::from_iter(path.iter().cloned())));
        let path = written.map_or_else(|| self.path.clone(), |path| Path::from_iter(path.iter().cloned()));
        ManifestField { path, span: self.span() }
    }

    pub(super) fn exists(&self, key: &str) -> bool {
        self.origin.has(self.path.at(key))
    }
}

/// A referred value with its place.
#[derive(Debug, Clone)]
pub(super) struct Referenced<'a, T: Clone> {
    pub(super) spec: Cow<'a, T>,
    pub(super) place: FieldPlace<'a>,
}

/// A kind that can be referred to.
pub(super) trait Referred: Clone {
    const KIND: Kind;
    fn of(spec: &Spec) -> Option<&Self>;
    /// The value of a string that is not a name.
    fn short(_: &Reference<Self>) -> Option<Self> {
        None
    }
}

macro_rules! referred {
    ($($kind:ident $(, $reference:ident => $short:expr)?;)*) => {$(
        impl Referred for $kind {
            const KIND: Kind = Kind::$kind;
            fn of(spec: &Spec) -> Option<&Self> {
                match spec { Spec::$kind(spec) => Some(spec), _ => None }
            }
            $(fn short($reference: &Reference<Self>) -> Option<Self> { $short })?
        }
    )*};
}

referred! {
    Model, reference => match reference {
        Reference::HubId(id) => Some(Model { hub: Some(id.clone()), ..Model::default() }),
        _ => None,
    };
    Hardware, reference => match reference {
        Reference::InstanceType(kind) => {
            Some(Hardware { instances: Some(vec![RankedInstance::new(kind)]), ..Hardware::default() })
        }
        _ => None,
    };
    Scaling;
    Role;
}

/// What a reference means. Nothing, with a finding, where it dangles.
pub(super) fn find<'a, T: Referred>(
    context: &mut Resolver<'a>,
    reference: &'a Reference<T>,
    place: FieldPlace<'a>,
) -> Option<Referenced<'a, T>> {
    match reference {
        Reference::Inline(spec) => Some(Referenced { spec: Cow::Borrowed(&**spec), place }),
        Reference::Name(name) => {
            let document = context.documents.get(&(T::KIND, &**name)).copied();
            match document.and_then(|document| Some((document, T::of(&document.spec)?))) {
                Some((document, spec)) => {
                    let place = FieldPlace::new(&document.origin, "/spec");
                    Some(Referenced { spec: Cow::Borrowed(spec), place })
                }
                None => {
                    dangling::<T>(context, name, &place);
                    None
                }
            }
        }
        short => T::short(short).map(|spec| Referenced { spec: Cow::Owned(spec), place }),
    }
}

fn dangling<T: Referred>(context: &mut Resolver<'_>, name: &str, place: &FieldPlace<'_>) {
    let set = &context.scope.set;
    if set.refused.contains(&(T::KIND, name.to_owned())) {
        return;
    }
    let help = match (T::KIND, context.catalog.models_named(name).as_slice()) {
        (Kind::Model, [id, ..]) => format!("did you mean the Hub model `{id}`? Hub ids need their organisation"),
        _ if context.diagnostics.len() > MOST_HELPED => "check its kind and its environment".to_owned(),
        _ => names_help(T::KIND, name, &set.names(T::KIND).collect::<Vec<_>>()),
    };
    let message = format!("environment `{}` has no {} `{name}`", set.environment.name, T::KIND);
    context.report(Diagnostic::new(Code::DanglingReference, message).at(place.span()).help(help));
}

/// Findings in one environment beyond which no names are compared: each costs as much as there are names.
const MOST_HELPED: usize = 100;
/// Names that one message lists.
const MOST_LISTED: usize = 10;

fn names_help(kind: Kind, name: &str, names: &[&str]) -> String {
    match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("it has no {kind} at all"),
        None => format!("there are {}", first_of(names, MOST_LISTED)),
    }
}

/// The environment's default where a manifest sets nothing: the target's own default, else the environment's.
pub(super) fn inherited<'a, T>(
    context: &Resolver<'a>,
    field: &str,
    of: impl Fn(&'a Defaults) -> Option<&'a T>,
) -> Option<(&'a T, FieldPlace<'a>)> {
    let (scope, environment) = (context.scope, &context.scope.set.environment);
    let origin = environment.origin.as_ref()?;
    let of_target = scope.written().and_then(|target| target.settings.defaults.as_ref());
    let of_all = environment.spec.settings.defaults.as_ref();
    let found = |defaults: Option<&'a Defaults>, above: Path| {
        Some((of(defaults?)?, FieldPlace::new(origin, above.at("defaults").at(field))))
    };
    found(of_target, scope.target_path()).or_else(|| found(of_all, "/spec".into()))
}

/// A manifest's own setting, else the environment's default for it, with its place.
pub(super) fn default_of<'a, T: Inherited>(
    context: &Resolver<'a>,
    own: Option<&'a T>,
    place: &FieldPlace<'a>,
    field: &str,
) -> Option<(&'a T, FieldPlace<'a>)> {
    if let Some(own) = own {
        return Some((own, place.at(field)));
    }
    inherited(context, field, T::of)
}

/// A setting that an Environment's `defaults` may give.
pub(super) trait Inherited {
    fn of(defaults: &Defaults) -> Option<&Self>;
}

macro_rules! inherited {
    ($($type:ty = $field:ident,)*) => {$(
        impl Inherited for $type {
            fn of(defaults: &Defaults) -> Option<&Self> {
                defaults.$field.as_ref()
            }
        }
    )*};
}

inherited! {
    Rollout = rollout,
    Setting<Alarms> = alarms,
    Setting<Reference<Role>> = role,
    Timeouts = timeouts,
}

/// References of the environment's own defaults, which perhaps no endpoint followed.
pub(super) fn check_defaults(context: &mut Resolver<'_>) {
    if let Some((reference @ Reference::Name(name), place)) = inherited(context, "hardware", |d| d.hardware.as_ref())
        && !context.documents.contains_key(&(Kind::Hardware, &**name))
    {
        find(context, reference, place);
    }
    if let Some((reference @ Reference::Name(name), place)) = inherited(context, "scaling", |d| d.scaling.as_ref())
        && !context.documents.contains_key(&(Kind::Scaling, &**name))
    {
        find(context, reference, place);
    }
}
