//! Words that an engine's setting accepts: any other stops the server at start.

/// The words of one setting, in the version that the engine's row names.
pub(in crate::resolve) struct Words {
    pub(in crate::resolve) list: &'static [&'static str],
    /// Words that older versions took.
    pub(super) older: &'static [&'static str],
    /// Words of other tools, and the word for each here.
    pub(super) meant: &'static [(&'static str, &'static str)],
    /// Are they the same in every version?
    pub(in crate::resolve) settled: bool,
    /// Words that need a GPU of this compute capability or above.
    pub(super) needs: &'static [(&'static str, (u32, u32))],
    /// The help where a GPU is too old.
    pub(in crate::resolve) way_out: &'static str,
    /// The flag that loads more words.
    pub(in crate::resolve) plugin: Option<&'static str>,
}

/// What other tools call number formats.
pub(super) const FORMATS: &[(&str, &str)] = &[
    ("fp16", "float16"),
    ("f16", "float16"),
    ("torch.float16", "float16"),
    ("bf16", "bfloat16"),
    ("torch.bfloat16", "bfloat16"),
    ("fp32", "float32"),
    ("f32", "float32"),
    ("full", "float32"),
    ("torch.float32", "float32"),
];

impl Words {
    /// Is it one of the version's words?
    pub(in crate::resolve) fn has(&self, word: &str) -> bool {
        self.list.contains(&word)
    }

    /// Did older versions take it?
    pub(in crate::resolve) fn had(&self, word: &str) -> bool {
        self.older.contains(&word)
    }

    /// The word that was meant, if one is near.
    pub(in crate::resolve) fn near(&self, word: &str) -> Option<&'static str> {
        let lower = word.to_lowercase();
        let meant = self.meant.iter().find(|(other, word)| *other == lower && self.has(word)).map(|(_, word)| *word);
        meant.or_else(|| crate::diagnostic::did_you_mean(word, self.list.iter().copied()))
    }

    /// The compute capability that a word needs.
    pub(in crate::resolve) fn capability(&self, word: &str) -> Option<(u32, u32)> {
        self.needs.iter().find(|(name, _)| *name == word).map(|(_, needs)| *needs)
    }
}
