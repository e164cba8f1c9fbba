//! Manifests in any handwriting: blocks and flows, and each text in one of the styles that can hold it.

use fastrand::Rng;
use serde_json::{Map, Value};

use super::draw::percent;

/// The documents as one file.
pub(super) fn file<'a>(documents: impl Iterator<Item = &'a Value>, rng: &mut Rng) -> String {
    let documents = documents.map(|document| {
        let mut out = String::new();
        match document {
            Value::Object(members) if percent(rng, 70) => block(members, 0, rng, &mut out),
            document => out = flow(document, rng) + "\n",
        }
        out
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn block(members: &Map<String, Value>, indent: usize, rng: &mut Rng, out: &mut String) {
    for (key, value) in members {
        if percent(rng, 3) {
            out.push_str("# a word: 'between'\n");
        }
        out.push_str(&format!("{:indent$}{}:", "", scalar(key, rng)));
        beneath(value, indent, rng, out);
    }
}

fn beneath(value: &Value, indent: usize, rng: &mut Rng, out: &mut String) {
    let deeper = indent + rng.usize(1..4);
    match value {
        Value::Object(members) if !members.is_empty() && percent(rng, 70) => {
            out.push('\n');
            block(members, deeper, rng, out);
        }
        Value::Array(items) if !items.is_empty() && percent(rng, 70) => {
            out.push('\n');
            for item in items {
                out.push_str(&format!("{:deeper$}-", ""));
                beneath(item, deeper, rng, out);
            }
        }
        Value::String(text) if holds_lines(text) && percent(rng, 40) => literal(text, indent, rng, out),
        other => {
            out.push_str(&format!(" {}\n", flow(other, rng)));
        }
    }
}

fn flow(value: &Value, rng: &mut Rng) -> String {
    let space = if rng.bool() { " " } else { "" };
    match value {
        Value::Object(members) => {
            let entries = members.iter().map(|(key, value)| format!("{}: {}", scalar(key, rng), flow(value, rng)));
            format!("{{{space}{}{space}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| flow(item, rng));
            format!("[{space}{}{space}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text, rng),
        other => other.to_string(),
    }
}

/// On one line.
fn scalar(text: &str, rng: &mut Rng) -> String {
    if is_plain(text) && percent(rng, 60) {
        return text.to_owned();
    }
    if text.chars().all(is_safe) && percent(rng, 50) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        out.push_str(&escaped(c, rng));
    }
    out.push('"');
    out
}

/// A character between double quotes, as it is where it may stand so.
fn escaped(c: char, rng: &mut Rng) -> String {
    let code = u32::from(c);
    if is_safe(c) && !matches!(c, '"' | '\\') && !percent(rng, 10) {
        return c.to_string();
    }
    let short = match c {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '"' => "\\\"",
        '/' => "\\/",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{a0}' => "\\_",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ => "",
    };
    match rng.u8(..3) {
        _ if !short.is_empty() && rng.bool() => short.to_owned(),
        0 if code < 0x100 => format!("\\x{code:02X}"),
        0 | 1 if code < 0x1_0000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// May it stand unescaped, in the middle of a line?
fn is_safe(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// Text to every reader of YAML, without quotes.
fn is_plain(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && !words.contains(&text.to_lowercase().as_str())
}

/// Can it be a literal block, whose lines are as they are?
fn holds_lines(text: &str) -> bool {
    text.chars().all(|c| is_safe(c) || c == '\n') && text.chars().any(|c| c != '\n' && c != ' ')
}

fn literal(text: &str, indent: usize, rng: &mut Rng, out: &mut String) {
    let more = rng.usize(1..5);
    let (lines, keep) = match text.strip_suffix('\n') {
        Some(lines) => (lines, '+'),
        None => (text, '-'),
    };
    out.push_str(&format!(" |{more}{keep}\n"));
    for line in lines.split('\n') {
        out.push_str(&format!("{:width$}{line}\n", "", width = indent + more));
    }
}
