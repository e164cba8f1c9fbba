//! Secrets in texts: found by their shape, and never shown.
//!
//! The text kept for display is masked when it is read ([`crate::diagnostic::SourceMap::mask`]), comments too,
//! so that no finding on the same line can show a secret; [`shown`] does the same for what messages quote.

use std::ops::Range;

/// Where CloudFormation would put in a parameter's or secret's value.
pub(super) const DYNAMIC_REFERENCE: &str = "{{resolve:";

const KEY_PREFIXES: [&str; 2] = ["AKIA", "ASIA"];
const KEY_LETTERS: usize = 16;
const TOKEN_PREFIX: &str = "hf_";
const TOKEN_LETTERS: usize = 30;

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    HubToken,
    AccessKey,
}

impl Secret {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Secret::HubToken => "a Hugging Face token",
            Secret::AccessKey => "an AWS access key id",
        }
    }
}

/// Every secret in a text, by bytes, in order.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, Secret)> {
    let mut found: Vec<_> = tokens(text).chain(access_keys(text)).collect();
    found.sort_by_key(|(range, _)| range.start);
    found
}

fn tokens(text: &str) -> impl Iterator<Item = (Range<usize>, Secret)> {
    text.match_indices(TOKEN_PREFIX).filter_map(|(at, _)| {
        let letters = alphanumerics(&text[at + TOKEN_PREFIX.len()..]);
        (letters >= TOKEN_LETTERS).then(|| (at..at + TOKEN_PREFIX.len() + letters, Secret::HubToken))
    })
}

fn access_keys(text: &str) -> impl Iterator<Item = (Range<usize>, Secret)> {
    KEY_PREFIXES.into_iter().flat_map(move |prefix| text.match_indices(prefix)).filter_map(|(at, prefix)| {
        let rest = &text[at + prefix.len()..];
        let apart = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let upper = rest.bytes().take(KEY_LETTERS).all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let fits = apart && upper && alphanumerics(rest) == KEY_LETTERS;
        fits.then(|| (at..at + prefix.len() + KEY_LETTERS, Secret::AccessKey))
    })
}

fn alphanumerics(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphanumeric).count()
}

/// What a message may quote of a user's text: one line, not too long, without secrets.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut masked = text.to_owned();
    for (range, _) in find(text) {
        masked.replace_range(range.clone(), &"*".repeat(range.len()));
    }
    let one_line: String = masked.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if masked.chars().nth(MOST).is_some() { one_line + "…" } else { one_line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_what_looks_alike() {
        let token = format!("hf_{}", "a1".repeat(15));
        let key = format!("AKIA{}", "A1".repeat(8));
        let found =
            |text: &str| find(text).into_iter().map(|(range, kind)| (range, kind.describe())).collect::<Vec<_>>();
        assert_eq!(found(&format!("x {token}.")), [(2..35, "a Hugging Face token")]);
        assert_eq!(found(&format!("é{key}/")), [(2..22, "an AWS access key id")]);
        assert_eq!(found(&token[..32]), []);
        assert_eq!(found(&format!("{key}X")), []);
        assert_eq!(found(&format!("X{key}")), []);
        assert_eq!(found(&key.to_lowercase()), []);
        assert_eq!(shown(&format!("a{token}b{}", "c".repeat(80))), format!("a{}", "*".repeat(59)) + "…");
    }
}
