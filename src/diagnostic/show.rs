//! The gate that every text from outside goes through before it is shown: secrets are masked, what steers a terminal or
//! turns the direction of writing is escaped, and nothing is endless.

use super::secret::mask;

/// A text from elsewhere is shown up to so many characters.
const LONGEST: usize = 2_000;

/// What may be shown of a text that a service, a helper or a file said. Lines stay lines.
pub fn shown(text: &str) -> String {
    let masked = mask(text);
    let mut out = String::with_capacity(masked.len().min(LONGEST));
    for (number, c) in masked.chars().enumerate() {
        if number == LONGEST {
            let rest = masked.chars().count() - LONGEST;
            return format!("{out}… ({rest} more characters)");
        }
        match c {
            '\n' => out.push(c),
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// A text with its secrets masked and each character that steers replaced by one of the same length in bytes, so that
/// places in it stay where they are.
pub fn in_place(text: &str) -> String {
    let masked = mask(text);
    let same = |c: char| match (steers(c) && c != '\n' && c != '\t', c.len_utf8()) {
        (false, _) => c,
        (true, 1) => '?',
        (true, 2) => '·',
        (true, _) => char::REPLACEMENT_CHARACTER,
    };
    if masked.contains("\r\n") {
        return masked
            .split("\r\n")
            .map(|line| line.chars().map(same).collect::<String>())
            .collect::<Vec<_>>()
            .join("\r\n");
    }
    masked.chars().map(same).collect()
}

/// Does a character steer a terminal (C0, C1, DEL), end a line for some readers, or turn the direction of writing?
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_passes_and_nothing_is_endless() {
        assert_eq!(shown("a\u{1b}]0;t\u{7}b\u{202e}\nc\u{85}"), "a\\u{1b}]0;t\\u{7}b\\u{202e}\nc\\u{85}");
        assert_eq!(shown(&format!("hf_{}", "a1".repeat(20))), "*".repeat(43));
        let long = shown(&"ü".repeat(5_000));
        assert!(long.starts_with("üü") && long.ends_with("… (3000 more characters)"), "{long}");
        let text = "a\u{1b}é\u{85}\u{202e}\r\n\tb";
        let same = in_place(text);
        assert_eq!((same.as_str(), same.len()), ("a?é·\u{fffd}\r\n\tb", text.len()));
    }
}
