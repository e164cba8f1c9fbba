//! YAML as others read it: libyaml's port in `serde_yaml`, and granit's events by the core schema of YAML 1.2.

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// A text as `serde_yaml` reads it.
pub(super) fn serde(text: &str) -> Result<Value, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

/// A text as granit reads it.
pub(super) fn granit(text: &str) -> Result<Value, String> {
    let mut parser = Parser::new_from_str(text);
    loop {
        match next(&mut parser)? {
            Event::StreamStart | Event::DocumentStart(..) => {}
            first => return node(&mut parser, first),
        }
    }
}

type Events<'a> = Parser<'a, granit_parser::StrInput<'a>>;

fn next<'a>(parser: &mut Events<'a>) -> Result<Event<'a>, String> {
    let event = parser.next_event().ok_or("it ended early")?;
    event.map(|(event, _)| event).map_err(|error| error.to_string())
}

fn node<'a>(parser: &mut Events<'a>, event: Event<'a>) -> Result<Value, String> {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => Ok(plain(&text)),
        Event::Scalar(text, ..) => Ok(text.as_ref().into()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser)? {
                    Event::SequenceEnd => return Ok(items.into()),
                    event => items.push(node(parser, event)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut members = Map::new();
            loop {
                let key = match next(parser)? {
                    Event::MappingEnd => return Ok(members.into()),
                    Event::Scalar(text, ..) => text.into_owned(),
                    other => return Err(format!("{other:?} is a key")),
                };
                let event = next(parser)?;
                let value = node(parser, event)?;
                if members.insert(key.clone(), value).is_some() {
                    return Err(format!("{key:?} is there twice"));
                }
            }
        }
        other => Err(format!("{other:?} is in the way")),
    }
}

/// By the core schema, as far as bodies go.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    let number = text.strip_prefix(['-', '+']).unwrap_or(text).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if let Some(whole) = text.parse::<i64>().ok().filter(|_| number) {
        return whole.into();
    }
    let float = text.parse::<f64>().ok().filter(|_| number).and_then(serde_json::Number::from_f64);
    float.map_or_else(|| text.into(), Value::Number)
}
