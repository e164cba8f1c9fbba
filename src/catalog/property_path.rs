//! Places inside a resource's properties, with `*` for any item of a list or map.

use std::fmt;

use crate::diagnostic::Path;

/// What replaces a resource when it changes, or may not be given: `/ProductionVariants/*/InstanceType`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PropertyPath(Path);

impl PropertyPath {
    pub(super) fn new(pointer: &str) -> Self {
        Self(pointer.split('/').filter(|name| !name.is_empty()).collect())
    }

    /// The names from the top, `*` among them.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.parts().iter().map(|part| part.key().unwrap_or("*"))
    }

    /// The top-level property it is in.
    pub fn property(&self) -> &str {
        self.segments().next().unwrap_or_default()
    }

    /// Is `path` this place or one below it?
    pub fn contains(&self, path: &Path) -> bool {
        path.parts().len() >= self.0.parts().len() && self.touches(path)
    }

    /// Is `path` this place, below it or above it?
    pub fn touches(&self, path: &Path) -> bool {
        self.segments().zip(path.parts()).all(|(own, other)| own == "*" || other.key() == Some(own))
    }
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.pointer())
    }
}
