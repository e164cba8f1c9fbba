//! An engine's own flags: how its image spells them, and which of them are hubform's to set.

/// The flags of one engine.
pub(in crate::resolve) struct Flags {
    /// What its image wants before a flag's name in capitals.
    pub(super) prefix: &'static str,
    /// Flags that hubform sets, and the fields of Model that each is set by; none: it is always the same.
    pub(super) owned: &'static [(&'static str, &'static [&'static str])],
    /// Does it take a flag by its beginning, too?
    pub(super) abbreviates: bool,
    /// Flags after which memory is shared out otherwise than hubform reckons.
    pub(super) memory: &'static [&'static str],
}

impl Flags {
    /// The variable that sets a flag.
    pub(in crate::resolve) fn variable(&self, flag: &str) -> String {
        format!("{}{}", self.prefix, flag.replace('-', "_").to_uppercase())
    }

    /// The fields that a flag is set by, where it is hubform's.
    pub(in crate::resolve) fn fields_of(&self, flag: &str) -> Option<&'static [&'static str]> {
        let flag = plain(flag);
        let is = |name: &str| name == flag || self.abbreviates && !flag.is_empty() && name.starts_with(&flag);
        self.owned.iter().find(|(name, _)| is(name)).map(|(_, fields)| *fields)
    }

    /// Does a flag share the memory out otherwise?
    pub(in crate::resolve) fn moves_memory(&self, flag: &str) -> bool {
        self.memory.contains(&&*plain(flag))
    }
}

fn plain(flag: &str) -> String {
    flag.replace('_', "-").to_lowercase()
}
