//! YAML as hubform writes it: block style, every text on one line, quoted by rule; on one line what is asked to be.
//!
//! What is written without quotes is text to readers of YAML 1.1 and of 1.2 alike; all other text has single quotes,
//! or double quotes where a character must be escaped. So what any reader reads back is the tree that was written.

use serde_json::{Map, Number, Value};

use super::scalar::sense;
use super::tree::Sense;

/// A key of more bytes than this is written with `? `: YAML's limit for the short form is 1,024 characters.
const LONGEST_KEY: usize = 1_000;

/// The tree as YAML. `rank` orders the keys of a map, by its depth; equal ranks are in the order of letters.
pub(crate) fn yaml(tree: &Value, rank: &dyn Fn(usize, &str) -> usize) -> String {
    with_lines(tree, rank, &|_| false)
}

/// The same, with what `is_line` says of the keys that lead to a value on one line.
pub(crate) fn with_lines(
    tree: &Value,
    rank: &dyn Fn(usize, &str) -> usize,
    is_line: &dyn Fn(&[&str]) -> bool,
) -> String {
    let mut writer = Writer { out: String::new(), rank, is_line, keys: Vec::new() };
    match tree {
        Value::Object(map) if !map.is_empty() => writer.map(map, 0, 0),
        Value::Array(items) if !items.is_empty() => writer.list(items, 0, 0),
        scalar => writer.line(&inline(scalar)),
    }
    writer.out
}

/// A text as one scalar, with quotes where it needs them.
pub(crate) fn scalar(text: &str) -> String {
    if text.chars().any(is_escaped) {
        return format!("\"{}\"", text.chars().map(escaped).collect::<String>());
    }
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text as it may be written between brackets.
fn flow_scalar(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "._/@:+-".contains(c);
    match scalar(text) {
        plain if plain == text && !text.chars().all(is_safe) => quoted(text),
        scalar => scalar,
    }
}

struct Writer<'a> {
    out: String,
    rank: &'a dyn Fn(usize, &str) -> usize,
    is_line: &'a dyn Fn(&[&str]) -> bool,
    /// Those of the maps around.
    keys: Vec<&'a str>,
}

impl<'a> Writer<'a> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// The entries of a map, its first where the line stands, the others on lines of their own.
    fn map(&mut self, map: &'a Map<String, Value>, column: usize, depth: usize) {
        for (at, (key, value)) in self.ordered(map, depth).into_iter().enumerate() {
            if at > 0 {
                self.indent(column);
            }
            self.keys.push(key);
            let written = scalar(key);
            match (self.is_line)(&self.keys) && written.len() <= LONGEST_KEY {
                true => {
                    let value = self.flow(value, depth + 1);
                    self.line(&format!("{written}: {value}"));
                }
                false => self.entry(&written, value, column, depth),
            }
            self.keys.pop();
        }
    }

    fn ordered(&self, map: &'a Map<String, Value>, depth: usize) -> Vec<(&'a String, &'a Value)> {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_by_key(|(key, _)| ((self.rank)(depth, key), *key));
        entries
    }

    /// A value on one line, between brackets.
    fn flow(&self, value: &'a Value, depth: usize) -> String {
        let entry = |(key, value): (&'a String, &'a Value)| {
            let key = flow_scalar(key);
            let sign = if key.len() > LONGEST_KEY { "? " } else { "" };
            format!("{sign}{key}: {}", self.flow(value, depth + 1))
        };
        match value {
            Value::Object(map) => {
                format!("{{{}}}", self.ordered(map, depth).into_iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.flow(item, depth + 1)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::String(text) => flow_scalar(text),
            other => inline(other),
        }
    }

    fn entry(&mut self, key: &str, value: &'a Value, column: usize, depth: usize) {
        if key.len() > LONGEST_KEY {
            self.line(&format!("? {key}"));
            self.indent(column);
            self.out.push_str(": ");
            return self.nested(value, column + 2, depth);
        }
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                self.line(&format!("{key}:"));
                self.indent(column + 2);
                self.map(inner, column + 2, depth + 1);
            }
            Value::Array(items) if !items.is_empty() => {
                self.line(&format!("{key}:"));
                self.indent(column);
                self.list(items, column, depth + 1);
            }
            other => self.line(&format!("{key}: {}", inline(other))),
        }
    }

    fn list(&mut self, items: &'a [Value], column: usize, depth: usize) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.indent(column);
            }
            self.out.push_str("- ");
            self.nested(item, column + 2, depth);
        }
    }

    /// A value that begins in the middle of a line.
    fn nested(&mut self, value: &'a Value, column: usize, depth: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => self.map(map, column, depth + 1),
            Value::Array(items) if !items.is_empty() => self.list(items, column, depth + 1),
            other => self.line(&inline(other)),
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => numeral(number),
        Value::String(text) => scalar(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A number as both versions read one: with an exponent it has a point and a sign, `1.0e-7`.
fn numeral(number: &Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return text };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{digits}{point}e{sign}{exponent}")
}

/// Is it read as this very text without quotes?
fn is_plain(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else { return false };
    !"-?:,[]{}#&*!|>'\"%@` ".contains(first)
        && !": ".contains(last)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("...")
        && text.chars().all(|c| c == ' ' || c.is_ascii_graphic() || !c.is_ascii() && !c.is_whitespace())
        && sense(text) == Sense::Text
        && !is_misread(text)
}

/// Does a reader of YAML 1.1 take it for a word, number, or date, where one of 1.2 does not?
fn is_misread(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let only = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_digit() || more.contains(c));
    let starts_as_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let based = ["0x", "0o", "0b"].iter().any(|prefix| {
        let digits = unsigned.get(..2).filter(|start| start.eq_ignore_ascii_case(prefix)).map(|_| &unsigned[2..]);
        digits.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit() || c == '_'))
    });
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, ""));
    let decimal = only(mantissa, "_.") && mantissa.matches('.').count() < 2 && only(exponent, "_+-");
    let sexagesimal = unsigned.contains(':') && only(unsigned, "_:.");
    let is_date = || {
        let mut parts = text.splitn(3, '-').map(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        text.as_bytes().get(4) == Some(&b'-') && (0..3).all(|_| parts.next() == Some(true))
    };
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || matches!(text, "=" | "<<")
        || starts_as_number && (based || decimal || sexagesimal)
        || is_date()
}

/// Characters that some reader refuses, breaks a line at, or that people cannot see.
fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F // invisible, or a line break
            | 0xE000..=0xF8FF | 0xF0000.. // private use
            | 0xFDD0..=0xFDEF | 0xFEFF | 0xFFF0..=0xFFFF | 0xE0000..=0xE0FFF)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

fn escaped(c: char) -> String {
    match (c, u32::from(c)) {
        ('"' | '\\', _) => format!("\\{c}"),
        ('\n', _) => "\\n".to_owned(),
        ('\r', _) => "\\r".to_owned(),
        ('\t', _) => "\\t".to_owned(),
        (_, code) if !is_escaped(c) && code >= 0x20 => c.to_string(),
        (_, code @ ..0x100) => format!("\\x{code:02X}"),
        (_, code @ ..0x1_0000) => format!("\\u{code:04X}"),
        (_, code) => format!("\\U{code:08X}"),
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::json;

    use super::*;
    use crate::diagnostic::{Diagnostics, SourceMap};

    const NO_ORDER: &dyn Fn(usize, &str) -> usize = &|_, _| 0;

    #[test]
    fn quotes_stand_where_some_reader_needs_them() {
        let texts = [
            "plain",
            "it's",
            "0.1.0",
            "More than 5% of them.",
            "IF(calls > 0, 100 * errors / calls, 0)",
            "arn:${AWS::Partition}:logs:*",
            "größe",
            "",
            "on",
            "No",
            "y",
            "~",
            "10",
            "0777",
            "0o17",
            "0x1f",
            "0x1F_",
            "1_000",
            "1_0001:30",
            "1:30.",
            "190:20:30.15",
            "1e5",
            "2010-09-09",
            "2010-09-09 it's",
            "=",
            "<<",
            "- a",
            "a: b",
            "a #b",
            "a:",
            " a ",
            "*",
            "... a",
            "{a}",
            "a\nb",
            "tab\t",
            "\"\u{85}\u{2028}\u{feff}\u{e000}\u{202e}\u{f0000}\\",
        ];
        let lines: String = texts.iter().map(|text| scalar(text) + "\n").collect();
        expect_test::expect![[r#"
            plain
            it's
            0.1.0
            More than 5% of them.
            IF(calls > 0, 100 * errors / calls, 0)
            arn:${AWS::Partition}:logs:*
            größe
            ''
            'on'
            'No'
            'y'
            '~'
            '10'
            '0777'
            '0o17'
            '0x1f'
            '0x1F_'
            '1_000'
            '1_0001:30'
            '1:30.'
            '190:20:30.15'
            '1e5'
            '2010-09-09'
            '2010-09-09 it''s'
            '='
            '<<'
            '- a'
            'a: b'
            'a #b'
            'a:'
            ' a '
            '*'
            '... a'
            '{a}'
            "a\nb"
            "tab\t"
            "\"\x85\u2028\uFEFF\uE000\u202E\U000F0000\\"
        "#]]
        .assert_eq(&lines);
    }

    #[test]
    fn trees_are_blocks() {
        let tree = json!({
            "b": [1, [2, { "c": [], "d": {} }], { "e": [{ "f": null }] }], "a": { "g": 1e-7, "h": 1.5e300, "i": -3 },
        });
        let first = |_: usize, key: &str| usize::from(key != "b");
        expect_test::expect![[r#"
            b:
            - 1
            - - 2
              - c: []
                d: {}
            - e:
              - f: null
            a:
              g: 1.0e-7
              h: 1.5e+300
              i: -3
        "#]]
        .assert_eq(&yaml(&tree, &first));
        let long = json!({ "k".repeat(2_000): [{ "a": 1, "b": [2] }] });
        assert!(yaml(&long, NO_ORDER).ends_with("k\n: - a: 1\n    b:\n    - 2\n"));
    }

    /// Pieces that YAML, in one version or the other, gives a meaning.
    const PIECES: &[&str] = &[
        "a",
        "Z",
        "0",
        "1",
        "9",
        "59",
        "60",
        "2010",
        "-09",
        "-09",
        "_",
        ".",
        ":",
        ":30",
        ": ",
        " #",
        " ",
        "  ",
        "\t",
        "\n",
        "\r",
        "'",
        "\"",
        "\\",
        "-",
        "- ",
        "? ",
        "+",
        "e",
        "E+",
        "0x",
        "0o",
        "0b",
        "f",
        ".inf",
        ".nan",
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "n",
        "true",
        "null",
        "~",
        "=",
        "<<",
        "---",
        "...",
        "&",
        "*",
        "!",
        "!!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        "\u{0}",
        "\u{7}",
        "\u{1b}",
        "\u{7f}",
        "\u{80}",
        "\u{85}",
        "\u{a0}",
        "\u{ad}",
        "\u{2003}",
        "\u{2028}",
        "\u{2029}",
        "\u{202e}",
        "\u{3000}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{e001}",
        "\u{feff}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{10ffff}",
        "é",
        "🦀",
        "Z",
        "T1:2:3",
    ];

    fn text(random: &mut Rng) -> String {
        let length = if random.u8(..50) == 0 { 500 } else { 7 };
        (0..random.usize(..length)).map(|_| PIECES[random.usize(..PIECES.len())]).collect()
    }

    fn tree(random: &mut Rng, depth: u32) -> Value {
        match random.u32(..if depth > 4 { 7 } else { 11 }) {
            0 => Value::Null,
            1 => random.bool().into(),
            2 => random.i64(..).into(),
            3 => (random.f64() * 10f64.powi(random.i32(-40..40))).into(),
            4..=6 => text(random).into(),
            7 | 8 => (0..random.usize(..4)).map(|_| tree(random, depth + 1)).collect(),
            _ => Value::Object((0..random.usize(..5)).map(|_| (text(random), tree(random, depth + 1))).collect()),
        }
    }

    /// Our own reader of 1.2, by its events and senses.
    fn read_as_1_2(text: &str) -> Value {
        let file = SourceMap::default().add("a.yaml", text);
        let mut findings = Diagnostics::new();
        let parts = super::super::yaml::read(file, text, &mut findings);
        let odd = findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>();
        assert!(odd.is_empty(), "{odd:?} in\n{text}");
        parts.first().and_then(|part| part.root.as_ref()).map_or(Value::Null, |root| root.json())
    }

    #[test]
    fn what_readers_of_both_versions_read_is_what_was_written() {
        let mut random = Rng::with_seed(11);
        for _ in 0..6_000 {
            let tree = json!({ "root": tree(&mut random, 0), text(&mut random): text(&mut random) });
            let written = yaml(&tree, NO_ORDER);
            let lines = with_lines(&tree, NO_ORDER, &|keys| keys.len() > 1 && keys[1].len() % 2 == 0);
            for written in [written, lines] {
                let read: Value = serde_yaml::from_str(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
                assert_eq!(read, tree, "{written}");
                assert_eq!(read_as_1_2(&written), tree, "{written}");
            }
        }
    }
}
