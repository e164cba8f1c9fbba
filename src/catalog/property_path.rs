//! Places inside a resource's properties, with `*` for any item of a list or map.

use std::fmt;

/// What replaces a resource when it changes, or may not be given: `/ProductionVariants/*/InstanceType`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyPath(Vec<String>);

impl PropertyPath {
    pub(super) fn new(pointer: &str) -> Self {
        Self(segments(pointer).map(str::to_owned).collect())
    }

    /// The names from the top, `*` among them.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The top-level property it is in.
    pub fn property(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Is `path` this place or one below it?
    pub fn contains(&self, path: &str) -> bool {
        segments(path).count() >= self.0.len() && self.agrees(path)
    }

    /// Is `path` this place, below it or above it?
    pub fn touches(&self, path: &str) -> bool {
        self.agrees(path)
    }

    fn agrees(&self, path: &str) -> bool {
        self.segments().zip(segments(path)).all(|(own, other)| own == "*" || own == other)
    }
}

/// The names in `A/0/B`, with or without a slash before.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}
