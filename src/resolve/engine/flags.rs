//! An engine's own flags: how its image spells them, which of them are hubform's to set, and what the others take.

use super::Words;

/// The flags of one engine.
pub(in crate::resolve) struct Flags {
    /// What its image wants before a flag's name in capitals.
    pub(super) prefix: &'static str,
    /// Flags that hubform or SageMaker sets, and the fields of Model that each is set by; none: it is always the same.
    pub(super) owned: &'static [(&'static str, &'static [&'static str])],
    /// Those of them that the image's entrypoint gives on the command line, which wins over the variable.
    pub(super) fixed: &'static [&'static str],
    /// Flags for a key that callers must send, which SageMaker does not.
    pub(super) keys: &'static [&'static str],
    /// Does it accept abbreviated flags?
    pub(super) abbreviates: bool,
    /// Flags that change the use of memory that hubform assumes.
    pub(super) memory: &'static [&'static str],
    /// Flags that take a number or one of some words. The others take anything, as far as hubform knows.
    pub(super) takes: &'static [(&'static str, Takes)],
    /// Flags that take several values, which the image cannot pass on.
    pub(super) several: &'static [&'static str],
    /// Flags that can give a model more positions than it was made with.
    pub(super) stretch: &'static [&'static str],
}

/// What a flag accepts.
pub(in crate::resolve) enum Takes {
    /// One of these.
    Word(&'static Words),
    /// A whole number from this on.
    Whole(i64),
    /// A whole number from this on, or one as `16k` (thousands) and `16K` (times 1,024).
    Scaled(i64),
    /// The same from 0 on; or `auto`, which is -1.
    Length,
    /// A port.
    Port,
    /// A number from this on.
    Number(f64),
    /// A number above 0, up to 1.
    Share,
}

impl Flags {
    /// The variable that sets a flag.
    pub(in crate::resolve) fn variable(&self, flag: &str) -> String {
        format!("{}{}", self.prefix, flag.replace('-', "_").to_uppercase())
    }

    /// The flag that a variable sets.
    pub(in crate::resolve) fn of_variable(&self, variable: &str) -> Option<String> {
        let flag = plain(variable.strip_prefix(self.prefix)?);
        // Without a prefix, most variables are no flags.
        let known = || self.fields_of(&flag).is_some() || self.is_key(&flag) || self.takes(&flag).is_some();
        (!self.prefix.is_empty() || (variable == self.variable(&flag) && known())).then_some(flag)
    }

    /// The flag that a field sets, and no other field.
    pub(in crate::resolve) fn of_field(&self, field: &str) -> Option<&'static str> {
        self.owned.iter().find(|(_, fields)| *fields == [field]).map(|(flag, _)| *flag)
    }

    /// The fields that a flag is set by, where it is hubform's. `no-` before a flag turns it off.
    pub(in crate::resolve) fn fields_of(&self, flag: &str) -> Option<&'static [&'static str]> {
        let flag = plain(flag);
        let off = flag.strip_prefix("no-").unwrap_or(&flag);
        let mine = |(name, _): &&(&'static str, _)| self.is(name, &flag) || self.is(name, off);
        self.owned.iter().find(mine).map(|(_, fields)| *fields)
    }

    /// Does a variable set what the entrypoint gives on the command line?
    pub(in crate::resolve) fn is_fixed(&self, variable: &str) -> bool {
        self.fixed.iter().any(|flag| self.variable(flag) == variable)
    }

    /// Does a flag set a key that callers must send?
    pub(in crate::resolve) fn is_key(&self, flag: &str) -> bool {
        let flag = plain(flag);
        self.keys.iter().any(|name| self.is(name, &flag))
    }

    /// What a flag accepts, if known.
    pub(in crate::resolve) fn takes(&self, flag: &str) -> Option<&'static Takes> {
        let flag = plain(flag);
        self.takes.iter().find(|(name, _)| *name == flag).map(|(_, takes)| takes)
    }

    /// Does a flag take several values?
    pub(in crate::resolve) fn takes_several(&self, flag: &str) -> bool {
        self.several.contains(&&*plain(flag))
    }

    /// Can a flag give the model more positions?
    pub(in crate::resolve) fn stretches(&self, flag: &str) -> bool {
        self.stretch.contains(&&*plain(flag))
    }

    /// Does a flag change the use of memory?
    pub(in crate::resolve) fn moves_memory(&self, flag: &str) -> bool {
        self.memory.contains(&&*plain(flag))
    }

    fn is(&self, name: &str, flag: &str) -> bool {
        name == flag || self.abbreviates && !flag.is_empty() && name.starts_with(flag)
    }
}

/// A whole number as vLLM reads it, with or without a unit; decimals only with small units (`human_readable_int` in
/// vllm/utils/argparse_utils.py).
pub(in crate::resolve) fn scaled(text: &str) -> Option<i64> {
    let text = text.trim();
    let last = text.chars().next_back()?;
    let (thousands, power) = match last.to_ascii_lowercase() {
        'k' => (1e3, 1),
        'm' => (1e6, 2),
        'g' => (1e9, 3),
        't' => (1e12, 4),
        _ => return text.parse().ok(),
    };
    let number = &text[..text.len() - 1];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let plain = match number.split_once('.') {
        Some((whole, decimals)) => last.is_ascii_lowercase() && digits(whole) && digits(decimals),
        None => digits(number),
    };
    let number: f64 = plain.then(|| number.parse().ok()).flatten()?;
    let times = if last.is_ascii_lowercase() { thousands } else { 1024_f64.powi(power) };
    Some((number * times) as i64)
}

fn plain(flag: &str) -> String {
    flag.replace('_', "-").to_lowercase()
}
