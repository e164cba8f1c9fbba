//! Opaque tokens: how values cross a template without ever being read as YAML.
//!
//! A token is a private-use mark, a letter for its kind, the bytes in hex, and a closing mark. Template engine and
//! YAML parser see only letters and digits; [`decode`] puts the value back into the parsed tree.

use std::io::{self, Write};

use serde_json::Value;

const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// Writes text as a token: the escape function of the template engine.
pub(super) fn write_text(text: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(token('s', text.as_bytes()).as_bytes())
}

/// A token for a whole value, structure included.
pub(super) fn of_value(value: &Value) -> String {
    token('j', value.to_string().as_bytes())
}

fn token(kind: char, bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2 + 8);
    out.push(OPEN);
    out.push(kind);
    for byte in bytes {
        out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    out.push(CLOSE);
    out
}

/// Does a template use the marks itself? Then nothing in it can be trusted.
pub(super) fn has_marks(text: &str) -> bool {
    text.contains([OPEN, CLOSE])
}

/// The value of a scalar of the rendered text. A scalar that is one token becomes its value; tokens inside text
/// become text. With `in_sub`, a `${` that came from a token stays text for `Fn::Sub`, whatever kind of token.
pub(super) fn decode(scalar: &str, in_sub: bool) -> Value {
    if let Some((before, kind, bytes, after)) = next_token(scalar)
        && before.is_empty()
        && after.is_empty()
        && kind == 'j'
    {
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        return if in_sub { without_references(value) } else { value };
    }
    Value::String(decode_text(scalar, in_sub))
}

/// What `Fn::Sub` is given: a text, or a list that begins with one.
fn without_references(value: Value) -> Value {
    match value {
        Value::String(text) => neutral(&text).into(),
        Value::Array(mut items) => {
            if let Some(first) = items.first_mut() {
                *first = without_references(first.take());
            }
            items.into()
        }
        other => other,
    }
}

fn neutral(text: &str) -> String {
    text.replace("${", "${!")
}

/// The text of a scalar with its tokens put back.
pub(super) fn decode_text(scalar: &str, in_sub: bool) -> String {
    let mut out = String::with_capacity(scalar.len());
    let mut rest = scalar;
    while let Some((before, kind, bytes, after)) = next_token(rest) {
        append(&mut out, before, in_sub);
        let text = match kind {
            'j' => plain(&serde_json::from_slice(&bytes).unwrap_or(Value::Null)),
            _ => String::from_utf8_lossy(&bytes).into_owned(),
        };
        append(&mut out, &if in_sub { neutral(&text) } else { text }, in_sub);
        rest = after;
    }
    append(&mut out, rest, in_sub);
    out
}

/// Where a token begins or ends, `$` and `{` make no reference of each other.
fn append(out: &mut String, text: &str, in_sub: bool) {
    match text.strip_prefix('{').filter(|_| in_sub && out.ends_with('$')) {
        Some(rest) => out.extend(["{!", rest]),
        None => out.push_str(text),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn next_token(text: &str) -> Option<(&str, char, Vec<u8>, &str)> {
    let open = text.find(OPEN)?;
    let inside = &text[open + OPEN.len_utf8()..];
    let close = inside.find(CLOSE)?;
    let (body, after) = (&inside[..close], &inside[close + CLOSE.len_utf8()..]);
    let kind = body.chars().next()?;
    let digits: Vec<u8> = body[kind.len_utf8()..].bytes().map(nibble).collect::<Option<_>>()?;
    let bytes = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    Some((&text[..open], kind, bytes, after))
}

fn nibble(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_text(text, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("tokens are text")
    }

    #[test]
    fn text_comes_back_as_it_was() {
        for text in ["", "no", "a: b", "- x\n- y", "{{ x }}", "${AWS::Region}", "größe\u{0}\"'", "\u{E000}s41\u{E001}"]
        {
            assert_eq!(decode(&written(text), false), Value::from(text));
        }
    }

    #[test]
    fn inside_sub_only_the_authors_references_stay_references() {
        let scalar = format!("${{AWS::Region}}/{}", written("${AWS::AccountId}"));
        assert_eq!(decode(&scalar, true), Value::from("${AWS::Region}/${!AWS::AccountId}"));
        assert_eq!(decode(&scalar, false), Value::from("${AWS::Region}/${AWS::AccountId}"));
    }

    #[test]
    fn every_form_of_sub_keeps_a_users_reference_text() {
        let (text, user) = ("${!AWS::AccountId}", Value::from("${AWS::AccountId}"));
        let (escaped, whole) = (written("${AWS::AccountId}"), of_value(&user));
        assert_eq!(decode(&escaped, true), Value::from(text), "{{ x }}");
        assert_eq!(decode(&format!("p{escaped}"), true), Value::from(format!("p{text}")), "p{{ x }}");
        assert_eq!(decode(&whole, true), Value::from(text), "{{ x | value }}");
        assert_eq!(decode(&format!("p{whole}"), true), Value::from(format!("p{text}")), "p{{ x | value }}");
        let list = serde_json::json!([user, { "A": user }]);
        assert_eq!(decode(&of_value(&list), true), serde_json::json!([text, { "A": user }]));
    }

    #[test]
    fn a_reference_does_not_come_together_at_the_edge_of_a_token() {
        let (open, dollar) = (written("{AWS::AccountId}"), written("a$"));
        assert_eq!(decode(&format!("p${open}"), true), Value::from("p${!AWS::AccountId}"), "${{ x }}");
        assert_eq!(decode(&format!("{dollar}{open}"), true), Value::from("a${!AWS::AccountId}"), "{{ x }}{{ y }}");
        assert_eq!(decode(&format!("{dollar}{{AWS::Region}}"), true), Value::from("a${!AWS::Region}"));
        assert_eq!(decode(&format!("p${open}"), false), Value::from("p${AWS::AccountId}"));
    }

    #[test]
    fn values_keep_their_structure() {
        let value = serde_json::json!({"Fn::GetAtt": ["Role", "Arn"]});
        assert_eq!(decode(&of_value(&value), false), value);
    }
}
