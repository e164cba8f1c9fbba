//! Versions of engines, ordered by their numbers.

use std::cmp::Ordering;

/// A version such as `0.25.1` or `b9522`: runs of digits compare as numbers, so 0.9 is before 0.25.1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EngineVersion(String);

impl EngineVersion {
    /// Of its text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> Vec<VersionPart<'_>> {
        let mut rest = self.0.as_str();
        let mut parts = Vec::new();
        while let Some(first) = rest.chars().next() {
            let digit = first.is_ascii_digit();
            let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            match run.parse() {
                Ok(number) => parts.push(VersionPart::Number(number)),
                Err(_) if run == "." => {}
                Err(_) => parts.push(VersionPart::Word(run)),
            }
            rest = after;
        }
        parts
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum VersionPart<'a> {
    Word(&'a str),
    Number(u64),
}

impl Ord for EngineVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for EngineVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        let mut versions =
            ["0.25.1", "0.9", "10", "0.25", "2.0.0", "b9522", "b988"].map(|text| EngineVersion::new(text.into()));
        versions.sort();
        assert_eq!(
            versions.each_ref().map(EngineVersion::as_str),
            ["b988", "b9522", "0.9", "0.25", "0.25.1", "2.0.0", "10"]
        );
    }
}
