//! Findings that say the same of several places, found and told together.

use std::collections::HashMap;

use super::Diagnostic;
use crate::diagnostic::{Code, Severity};

/// Findings that are told as one: the same words but for the values in them.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) findings: Vec<&'a Diagnostic>,
}

impl<'a> Block<'a> {
    /// Each finding in the block of its shape; a block stands where its first finding does.
    pub(super) fn all(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Vec<Self> {
        let mut blocks: Vec<Self> = Vec::new();
        let mut known: HashMap<FindingShape<'_>, usize> = HashMap::new();
        for diagnostic in diagnostics {
            let at = FindingShape::of(diagnostic).map(|shape| *known.entry(shape).or_insert(blocks.len()));
            match at.and_then(|at| blocks.get_mut(at)) {
                Some(block) => block.findings.push(diagnostic),
                None => blocks.push(Self { findings: vec![diagnostic] }),
            }
        }
        blocks
    }

    /// What all of them say, with `…` for each value that differs; and for each of them the values that do.
    pub(super) fn told(&self) -> (String, Vec<String>) {
        let messages: Vec<Vec<ShapePiece<'_>>> = self.findings.iter().map(|one| pieces(&one.message)).collect();
        let differs = |at: usize| messages.iter().any(|pieces| pieces[at].text != messages[0][at].text);
        let differs: Vec<bool> = (0..messages[0].len()).map(differs).collect();
        let common = messages[0].iter().enumerate().map(|(at, piece)| match (differs[at], piece.is_quoted) {
            (false, _) => piece.text,
            (true, true) => "`…`",
            (true, false) => "…",
        });
        let own = |pieces: &Vec<ShapePiece<'_>>| {
            let values = pieces.iter().enumerate().filter(|(at, _)| differs[*at]);
            values.map(|(_, piece)| piece.text.trim_matches('`')).collect::<Vec<_>>().join(", ")
        };
        (common.collect(), messages.iter().map(own).collect())
    }
}

/// What findings have in common that are told together: the words between values. What is quoted is a value; a number is
/// one only where nothing is quoted, so that a block never says two things of a place. One that speaks of several places
/// stands alone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FindingShape<'a> {
    code: Code,
    severity: Severity,
    words: Vec<&'a str>,
    help: Option<&'a str>,
}

impl<'a> FindingShape<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Option<Self> {
        let is_plain = diagnostic.labels.len() <= 1 && diagnostic.labels.iter().all(|label| label.text.is_empty());
        let pieces = pieces(&diagnostic.message);
        let quotes = pieces.iter().any(|piece| piece.is_quoted);
        let words = pieces.into_iter().map(|piece| match piece {
            ShapePiece { is_quoted: true, .. } => "`",
            ShapePiece { is_value: true, .. } if !quotes => "",
            ShapePiece { text, .. } => text,
        });
        is_plain.then(|| Self {
            code: diagnostic.code,
            severity: diagnostic.severity,
            words: words.collect(),
            help: diagnostic.help.as_deref(),
        })
    }
}

/// A part of a message: words, or a value, which is quoted or has a digit.
#[derive(Debug, Clone, Copy)]
struct ShapePiece<'a> {
    text: &'a str,
    is_value: bool,
    is_quoted: bool,
}

/// A message in parts that make it up again.
fn pieces(message: &str) -> Vec<ShapePiece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('`').and_then(|after| after.find('`')).map(|end| end + 2);
        let end = quoted.unwrap_or_else(|| word_end(rest));
        let (text, after) = rest.split_at(end);
        let has_digit = text.contains(|c: char| c.is_ascii_digit());
        pieces.push(ShapePiece { text, is_value: quoted.is_some() || has_digit, is_quoted: quoted.is_some() });
        rest = after;
    }
    pieces
}

/// Where the word, or what stands between two words, ends.
fn word_end(text: &str) -> usize {
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '%' | '-' | '_' | '/');
    let first = text.chars().next().map_or(0, char::len_utf8);
    let begins_word = text.starts_with(is_of_word);
    let end = text[first..].find(|c: char| c == '`' || is_of_word(c) != begins_word);
    let end = end.map_or(text.len(), |end| end + first);
    // A full stop that ends the word is none of it.
    match text[..end].trim_end_matches('.').len() {
        0 => end,
        shorter => shorter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn told(messages: &[&str]) -> Vec<(String, Vec<String>)> {
        let findings: Vec<_> = messages.iter().map(|message| Diagnostic::new(Code::NotPinned, *message)).collect();
        Block::all(&findings).iter().map(Block::told).collect()
    }

    #[test]
    fn findings_of_one_shape_are_one_block() {
        let quoted = told(&["`a` takes 1 GiB, not `x y`", "something else", "`b` takes 1 GiB, not `x y`"]);
        assert_eq!(quoted[0], ("`…` takes 1 GiB, not `x y`".to_owned(), vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(quoted[1], ("something else".to_owned(), vec![String::new()]));
        assert_eq!(told(&["not 1%, here", "not 12.5%, here"])[0].1, ["1%", "12.5%"]);
        assert_eq!(told(&["`a` takes 1 GiB", "`b` takes 2 GiB"]).len(), 2);
    }

    #[test]
    fn a_message_is_its_pieces() {
        for message in ["", "`", "a `b", "x ends. `q`.", "…ü `a``b` 1.", ". . 12%"] {
            assert_eq!(pieces(message).iter().map(|piece| piece.text).collect::<String>(), message);
        }
    }
}
