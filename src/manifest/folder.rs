//! Folders by their names alone: which lies in which.
//!
//! `..` at the front is counted, elsewhere it takes back what stands before it. Whether `../a` is above `b` nobody
//! can know without looking; the answer is no.

use std::path::{Component, Path};

/// A folder, absolute or relative to the current one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Folder {
    root: bool,
    ups: usize,
    parts: Vec<String>,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        let mut folder = Self { root: false, ups: 0, parts: Vec::new() };
        folder.enter(path);
        folder
    }

    /// The folder that `path` means, relative to this one.
    pub(super) fn join(&self, path: &str) -> Self {
        let mut folder = self.clone();
        folder.enter(Path::new(path));
        folder
    }

    fn enter(&mut self, path: &Path) {
        for component in path.components() {
            match component {
                Component::RootDir | Component::Prefix(_) => *self = Self { root: true, ups: 0, parts: Vec::new() },
                Component::CurDir => {}
                Component::ParentDir => {
                    if self.parts.pop().is_none() && !self.root {
                        self.ups += 1;
                    }
                }
                Component::Normal(name) => self.parts.push(name.to_string_lossy().into_owned()),
            }
        }
    }

    /// This folder and those above it, the nearest first: by name as far as there are names, then with one `..` more
    /// each, at most `ups` of them.
    pub(super) fn upwards(&self, ups: usize) -> impl Iterator<Item = Self> {
        let (root, own) = (self.root, self.ups);
        let named =
            (0..=self.parts.len()).rev().map(move |parts| Self { root, ups: own, parts: self.parts[..parts].to_vec() });
        let beyond = (own + 1..=ups).map(move |ups| Self { root, ups, parts: Vec::new() });
        named.chain(beyond.filter(move |_| !root))
    }

    /// How many `..` its name begins with.
    pub(super) fn ups(&self) -> usize {
        self.ups
    }
}

impl std::fmt::Display for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ups = std::iter::repeat_n("..", self.ups);
        let way: Vec<&str> = ups.chain(self.parts.iter().map(String::as_str)).collect();
        match (self.root, way.is_empty()) {
            (false, true) => f.write_str("."),
            (root, _) => write!(f, "{}{}", if root { "/" } else { "" }, way.join("/")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_holds_another() {
        let holds = |outer: &str, inner: &str| {
            let outer = Folder::new(Path::new(outer));
            Folder::new(Path::new(inner)).upwards(outer.ups()).any(|above| above == outer)
        };
        for (outer, inner) in
            [("a", "a"), ("a", "a/b/"), ("", "a"), (".", "a"), ("..", "a"), ("../..", "../a"), ("/", "/a")]
        {
            assert!(holds(outer, inner), "{outer} holds {inner}");
        }
        for (outer, inner) in
            [("a", "ab"), ("a/b", "a"), ("../a", "b"), ("a", "../a"), ("/a", "a"), ("a", "/a"), ("a", "..")]
        {
            assert!(!holds(outer, inner), "{outer} does not hold {inner}");
        }
        let dev = Folder::new(Path::new("stacks/dev"));
        assert_eq!(dev.join("../base"), Folder::new(Path::new("./stacks/base/")));
        assert_eq!(dev.join("../../../x"), Folder::new(Path::new("../x")));
    }
}
