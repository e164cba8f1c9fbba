//! What a message may quote of a user's text, and what must not stand in it at all.
//!
//! The text kept for display is masked when it is read ([`crate::diagnostic::SourceMap::mask`]), comments too,
//! so that no finding on the same line can show a secret; [`shown`] does the same for what messages quote.

use crate::diagnostic::secret::mask;
pub(super) use crate::diagnostic::secret::{Secret, find, is_secret_name};

/// Where CloudFormation would put in a parameter's or secret's value.
pub(super) const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// What a message may quote of a user's text: one line, not too long, without secrets.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let masked = crate::diagnostic::shown(&mask(text).replace('\n', " "));
    let one_line: String = masked.chars().take(MOST).collect();
    if masked.chars().nth(MOST).is_some() { one_line + "…" } else { one_line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_and_shows_no_secret() {
        let token = format!("hf_{}", "a1".repeat(15));
        assert_eq!(
            shown(&format!("a {token} b{}", "c".repeat(80))),
            format!("a {} b", "*".repeat(33)) + &"c".repeat(23) + "…"
        );
        assert_eq!(shown("a\nb\u{1b}"), "a b\\u{1b}");
    }
}
