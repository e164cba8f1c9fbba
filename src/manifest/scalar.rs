//! What a plain scalar means: the core schema of YAML 1.2, and a mark on what others read differently.

use serde_json::Number;

use super::tree::{Oddity, Sense};

/// The meaning of text without quotes.
pub(super) fn sense(text: &str) -> Sense {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Sense::Null,
        "true" | "True" | "TRUE" => Sense::Bool(true),
        "false" | "False" | "FALSE" => Sense::Bool(false),
        _ => word(text).or_else(|| number(text)).unwrap_or(Sense::Text),
    }
}

fn word(text: &str) -> Option<Sense> {
    const TRUE: [&str; 2] = ["yes", "on"];
    const FALSE: [&str; 2] = ["no", "off"];
    let is = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(TRUE) {
        Some(Sense::Odd(Oddity::Word(true)))
    } else if is(FALSE) {
        Some(Sense::Odd(Oddity::Word(false)))
    } else {
        None
    }
}

fn number(text: &str) -> Option<Sense> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return Some(Sense::Odd(Oddity::NotFinite));
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(odd) = oddity(digits) {
        return Some(Sense::Odd(odd));
    }
    based(digits, "0x", 16).or_else(|| based(digits, "0o", 8)).or_else(|| integer(text, digits)).or_else(|| float(text))
}

fn oddity(digits: &str) -> Option<Oddity> {
    let all = |text: &str, more: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || more.contains(c));
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && all(digits, ".");
    if leading_zero && digits.as_bytes()[1] != b'.' {
        return Some(Oddity::LeadingZero);
    }
    let binary = digits.strip_prefix("0b").is_some_and(|bits| all(bits, "_"));
    if binary || (digits.contains('_') && all(digits, "_.")) {
        return Some(Oddity::OldNumber);
    }
    let parts = || digits.split(':');
    let below_sixty = |part: &str| all(part, ".") && part.len() <= 2;
    let sexagesimal = parts().count() > 1 && parts().take(1).all(|p| all(p, "")) && parts().skip(1).all(below_sixty);
    sexagesimal.then_some(Oddity::Sexagesimal)
}

fn based(digits: &str, prefix: &str, radix: u32) -> Option<Sense> {
    let rest =
        digits.strip_prefix(prefix).filter(|rest| rest.chars().all(|c| c.is_digit(radix)) && !rest.is_empty())?;
    Some(u64::from_str_radix(rest, radix).map_or(Sense::Odd(Oddity::NotFinite), |n| Sense::Number(n.into())))
}

fn integer(text: &str, digits: &str) -> Option<Sense> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let negative = text.starts_with('-');
    let number =
        if negative { text.parse().ok().map(|n: i64| n.into()) } else { digits.parse().ok().map(|n: u64| n.into()) };
    Some(number.map_or(Sense::Odd(Oddity::NotFinite), Sense::Number))
}

fn float(text: &str) -> Option<Sense> {
    let plain =
        text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) && text.bytes().any(|b| b.is_ascii_digit());
    let number: f64 = plain.then(|| text.parse().ok()).flatten()?;
    Some(Number::from_f64(number).map_or(Sense::Odd(Oddity::NotFinite), Sense::Number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let sense = match sense(text) {
            Sense::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(sense, expect, "{text}");
    }

    #[test]
    fn plain_scalars() {
        for (text, expect) in [
            ("", "Null"),
            ("~", "Null"),
            ("true", "Bool(true)"),
            ("True", "Bool(true)"),
            ("no", "Odd(Word(false))"),
            ("ON", "Odd(Word(true))"),
            ("y", "Text"),
            ("12", "12"),
            ("+12", "12"),
            ("-12", "-12"),
            ("0", "0"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0777", "Odd(LeadingZero)"),
            ("012345678901", "Odd(LeadingZero)"),
            ("0.5", "0.5"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("1:30", "Odd(Sexagesimal)"),
            ("190:20:30", "Odd(Sexagesimal)"),
            ("1_000", "Odd(OldNumber)"),
            ("0b101", "Odd(OldNumber)"),
            (".inf", "Odd(NotFinite)"),
            ("-.INF", "Odd(NotFinite)"),
            (".NaN", "Odd(NotFinite)"),
            ("1e999", "Odd(NotFinite)"),
            ("99999999999999999999", "Odd(NotFinite)"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.2.3", "Text"),
            ("1h30m", "Text"),
            ("2026-01-01", "Text"),
            ("ml.g6.xlarge", "Text"),
            (".", "Text"),
            ("-", "Text"),
            ("10%", "Text"),
            ("infinity", "Text"),
        ] {
            check(text, expect);
        }
    }
}
