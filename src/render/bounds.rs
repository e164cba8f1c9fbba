//! Bounds of a YAML text, held before it is read into a tree: depth, and what aliases repeat.
//!
//! libyaml, which the tree is read by, looks at every open bracket for each token, so that a text of nothing but
//! brackets costs the square of its length. `granit-parser` stops at a given depth. A text that it does not
//! read is not given to libyaml either.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser};

/// Levels of maps and lists.
const DEEPEST: usize = 100;
/// Values, and bytes of text, that aliases repeat.
const MOST: AliasSize = AliasSize { values: 100_000, bytes: 4 << 20 };

#[derive(Debug, Clone, Copy, Default)]
struct AliasSize {
    values: usize,
    bytes: usize,
}

impl AliasSize {
    fn add(&mut self, other: Self) {
        self.values = self.values.saturating_add(other.values);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Why a text is out of bounds or cannot be read, and its line.
pub(super) fn check(text: &str) -> Result<(), (String, usize)> {
    let mut options = granit_parser::options! {
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut weighing = Weighing::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let why = match error.kind() {
                ErrorKind::RecursionLimitExceeded => {
                    format!("maps and lists are nested more than {DEEPEST} levels deep")
                }
                kind => kind.to_string(),
            };
            (why, error.marker().line())
        })?;
        weighing.take(&event).map_err(|why| (why, span.start.line()))?;
    }
    Ok(())
}

/// What anchors name and what aliases repeat of it.
#[derive(Default)]
struct Weighing {
    /// Collections that are open: their anchor, and what is in them so far.
    open: Vec<(usize, AliasSize)>,
    anchors: HashMap<usize, AliasSize>,
    repeated: AliasSize,
}

impl Weighing {
    fn take(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, _, anchor, _) => self.closed(*anchor, AliasSize { values: 1, bytes: text.len() }),
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                self.open.push((*anchor, AliasSize { values: 1, bytes: 0 }));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (anchor, weight) = self.open.pop().unwrap_or_default();
                self.closed(anchor, weight);
            }
            Event::Alias(anchor) => {
                let named = self.anchors.get(anchor).copied().unwrap_or_default();
                self.repeated.add(named);
                if self.repeated.values > MOST.values || self.repeated.bytes > MOST.bytes {
                    return Err("aliases repeat too much in it".to_owned());
                }
                self.closed(0, named);
            }
            _ => {}
        }
        Ok(())
    }

    fn closed(&mut self, anchor: usize, weight: AliasSize) {
        if anchor != 0 {
            self.anchors.insert(anchor, weight);
        }
        if let Some((_, above)) = self.open.last_mut() {
            above.add(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        check(text).map_or_else(|(why, _)| why, |()| "fine".to_owned())
    }

    #[test]
    fn brackets_and_indentation_have_an_end() {
        assert_eq!(why(&format!("a: {}", "[".repeat(200_000))), "maps and lists are nested more than 100 levels deep");
        assert_eq!(
            why(&format!("a: {}", "{x: ".repeat(200_000))),
            "maps and lists are nested more than 100 levels deep"
        );
        assert_eq!(
            why(&format!("a: {}", "[\"]\", ".repeat(200_000))),
            "maps and lists are nested more than 100 levels deep"
        );
        assert_eq!(why(&format!("a: {}1{}", "[".repeat(90), "]".repeat(90))), "fine");
    }

    #[test]
    fn aliases_are_counted_in_values_and_bytes() {
        let bomb = |text: &str, times: usize| format!("a: &a {text}\nb: [{}]\n", vec!["*a"; times].join(", "));
        assert_eq!(why(&bomb(&"x".repeat(1 << 20), 3)), "fine");
        assert_eq!(why(&bomb(&"x".repeat(1 << 20), 5)), "aliases repeat too much in it");
        assert_eq!(why(&bomb("[1, 2, 3]", 25_001)), "aliases repeat too much in it");
        assert_eq!(why("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n"), "fine");
    }
}
