//! What a pinned value must be to be used: the rules that hold for values in manifests hold for those in the lock.
//!
//! A rule asks whether the value may be at all, not whether it would be chosen today. An instance larger than the model
//! needs, a tag that the tables no longer have, a context that today's estimate would make shorter: each was right when
//! it was chosen and runs since. To refuse it would move stacks because hubform was updated, which is what the lock is
//! there to prevent; `plan` says what would be chosen today, and `hubform lock --upgrade` takes it.

use std::{ops::RangeInclusive, str::FromStr};

use super::{Resolver, Scalar, chooser::ChoiceKind};
use crate::{
    diagnostic::{Code, Diagnostic, secret::mask, shown},
    manifest::{Duration, Size},
};

/// What a value may be, in words after "must be" and as a check.
pub(super) struct Bounds<'a> {
    expects: String,
    holds: Box<dyn Fn(&Scalar) -> bool + 'a>,
}

impl<'a> Bounds<'a> {
    /// The same for whole numbers of which more is asked.
    pub(super) fn and(self, expects: &str, fits: impl Fn(u64) -> bool + 'a) -> Self {
        let before = self.holds;
        let holds = move |value: &Scalar| before(value) && value.count().is_some_and(&fits);
        Self { expects: self.expects + expects, holds: Box::new(holds) }
    }

    pub(super) fn hold(&self, value: &Scalar) -> bool {
        (self.holds)(value)
    }

    /// The finding about a value that does not hold: which, where in the lock, and the ways out.
    pub(super) fn broken(
        &self,
        context: &Resolver<'_>,
        what: ChoiceKind,
        (manifest, serving): (&str, &str),
        value: &Scalar,
    ) -> Diagnostic {
        let file = context.scope.lock_file.display();
        let environment = &context.scope.set.environment.name;
        let value = shown(&mask(&value.to_string()).chars().take(60).collect::<String>());
        let (named, expects) = (manifest.split('@').next().unwrap_or(manifest), &self.expects);
        let message = format!("`{file}` pins `{value}` as the {}, which must be {expects}", what.title);
        let help = format!(
            "it is under environments, {environment}, choices, {manifest}, {serving}, {}; restore it from git, or \
             `hubform lock --upgrade {named}` chooses again",
            what.name
        );
        Diagnostic::new(Code::BadPin, message).help(help)
    }
}

/// A whole number, from one on.
pub(super) fn count<'a>(most: u64, of: &str) -> Bounds<'a> {
    let expects = match most {
        u64::MAX => "a whole number of at least 1".to_owned(),
        most => format!("a whole number from 1 to {most}{of}"),
    };
    Bounds { expects, holds: Box::new(move |value| value.count().is_some_and(|count| (1..=most).contains(&count))) }
}

/// A number above 0.
pub(super) fn above_zero<'a>(most: f64) -> Bounds<'a> {
    let expects =
        if most.is_finite() { format!("a number above 0, {most} at most") } else { "a number above 0".into() };
    Bounds { expects, holds: Box::new(move |value| value.number().is_some_and(|is| is > 0.0 && is <= most)) }
}

/// Text that fits.
pub(super) fn text<'a>(expects: &str, fits: impl Fn(&str) -> bool + 'a) -> Bounds<'a> {
    Bounds { expects: expects.to_owned(), holds: Box::new(move |value| value.text().is_some_and(&fits)) }
}

/// A time between two, in seconds, both included.
pub(super) fn time<'a>(seconds: RangeInclusive<u64>) -> Bounds<'a> {
    let (least, most) = (Duration(*seconds.start()), Duration(*seconds.end()));
    within(format!("a time from {least} to {most}"), move |Duration(is)| seconds.contains(&is))
}

/// A size between two, in GiB, both included.
pub(super) fn size<'a>(gib: RangeInclusive<u64>) -> Bounds<'a> {
    let (least, most) = (Size(gib.start() << 30), Size(gib.end() << 30));
    within(format!("a size from {least} to {most}"), move |is: Size| (least..=most).contains(&is))
}

fn within<'a, T: FromStr>(expects: String, fits: impl Fn(T) -> bool + 'a) -> Bounds<'a> {
    Bounds { expects, holds: Box::new(move |value| value.text().and_then(|text| text.parse().ok()).is_some_and(&fits)) }
}
