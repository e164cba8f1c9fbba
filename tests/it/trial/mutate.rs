//! Changes to documents: of their trees, and of their bytes.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{
    draw::one,
    texts::{Takes, text},
};

/// The documents of a file, as far as they are trees.
pub(super) fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n").filter_map(|part| serde_yaml::from_str(part).ok()).filter(Value::is_object).collect()
}

/// Changes one place in one of the documents.
pub(super) fn tree(documents: &mut Vec<Value>, others: &[Value], rng: &mut Rng) {
    if documents.is_empty() || rng.u8(..40) == 0 {
        documents.push(one(rng, others).clone());
    }
    let document = rng.usize(..documents.len());
    if rng.u8(..40) == 0 {
        documents.push(documents[document].clone());
    }
    let mut places = Vec::new();
    places_of(&documents[document], String::new(), &mut places);
    let place = one(rng, &places).clone();
    let other = documents[rng.usize(..documents.len())].clone();
    let here = documents[document].pointer_mut(&place).expect("it was found here");
    match rng.u8(..12) {
        0 | 1 => delete(here, rng),
        2 => twice(here, rng),
        3 => *here = strange(rng),
        4 => *here = nested(here.take(), rng),
        5 | 6 => rename(here, rng),
        7 => *here = part(one(rng, others), rng),
        8 => *here = part(&other, rng),
        9 => add(here, part(one(rng, others), rng), rng),
        10 => *here = near(here.take(), rng),
        _ => *here = text(rng, Takes::Text).into(),
    }
}

/// Puts a token somewhere; none where there is no place.
pub(super) fn plant(documents: &mut [Value], rng: &mut Rng) -> Option<String> {
    let document = documents.get_mut(0)?;
    let token = format!("hf_{}", (0..34).map(|_| rng.alphanumeric()).collect::<String>());
    let mut places = Vec::new();
    places_of(document, String::new(), &mut places);
    let here = document.pointer_mut(one::<String>(rng, &places))?;
    match here {
        Value::Object(members) => drop(members.insert(format!("x{token}"), json!("x"))),
        other => *other = format!("{} {token}", text(rng, Takes::NoSpace)).into(),
    }
    Some(token)
}

fn places_of(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            places_of(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places_of(item, format!("{at}/{index}"), places));
        }
        _ => {}
    }
    places.push(at);
}

fn delete(here: &mut Value, rng: &mut Rng) {
    match here {
        Value::Object(members) if !members.is_empty() => {
            let key = one(rng, &members.keys().cloned().collect::<Vec<_>>()).clone();
            members.remove(&key);
        }
        Value::Array(items) if !items.is_empty() => drop(items.remove(rng.usize(..items.len()))),
        other => *other = Value::Null,
    }
}

fn twice(here: &mut Value, rng: &mut Rng) {
    match here {
        Value::Array(items) if !items.is_empty() => {
            let item = one(rng, items).clone();
            let times = if rng.u8(..10) == 0 { 300 } else { 1 };
            items.extend(std::iter::repeat_n(item, times));
        }
        Value::Object(members) if !members.is_empty() => {
            let (key, value) = members.iter().nth(rng.usize(..members.len())).expect("it is not empty");
            let (key, value) = (key.clone(), value.clone());
            let times = if rng.u8(..10) == 0 { 300 } else { 1 };
            members.extend((0..times).map(|number| (format!("{key}{number}"), value.clone())));
        }
        other => *other = json!([other.clone(), other.clone()]),
    }
}

/// A value of any type.
fn strange(rng: &mut Rng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(5e-324),
        json!(4_294_967_296_u64),
        json!(0.1),
        json!(""),
        json!(" "),
        json!([]),
        json!({}),
        json!([[]]),
        json!({ "": "" }),
        json!("none"),
        json!("*"),
        json!("99999h"),
        json!("100.5%"),
        json!("0"),
        json!("x".repeat(5_000)),
        json!("${account}${region}${target}${environment}${"),
    ];
    one(rng, &values).clone()
}

fn nested(value: Value, rng: &mut Rng) -> Value {
    let depth = if rng.u8(..20) == 0 { 200 } else { rng.usize(1..4) };
    (0..depth).fold(value, |value, _| if rng.bool() { json!([value]) } else { json!({ "a": value }) })
}

fn rename(here: &mut Value, rng: &mut Rng) {
    let Value::Object(members) = here else { return };
    let keys: Vec<String> = members.keys().cloned().collect();
    if keys.is_empty() {
        return;
    }
    let key = one(rng, &keys);
    let value = members.remove(key).unwrap_or_default();
    let other = near(Value::from(key.clone()), rng);
    members.insert(other.as_str().unwrap_or_default().to_owned(), value);
}

/// Nearly the same: a letter less, one more, two changed about, or in the other case.
fn near(value: Value, rng: &mut Rng) -> Value {
    let Value::String(text) = value else { return strange(rng) };
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 2 {
        return text.to_uppercase().into();
    }
    let at = rng.usize(..letters.len() - 1);
    match rng.u8(..5) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters.swap(at, at + 1),
        3 => letters[at] = rng.alphanumeric(),
        _ => return if rng.bool() { text.to_uppercase() } else { text.to_lowercase() }.into(),
    }
    letters.into_iter().collect::<String>().into()
}

/// Any part of a document.
fn part(document: &Value, rng: &mut Rng) -> Value {
    let mut places = Vec::new();
    places_of(document, String::new(), &mut places);
    document.pointer(one::<String>(rng, &places)).cloned().unwrap_or_default()
}

fn add(here: &mut Value, value: Value, rng: &mut Rng) {
    match here {
        Value::Object(members) => match value {
            Value::Object(more) => members.extend(more),
            value => drop(members.insert(text(rng, Takes::Text), value)),
        },
        Value::Array(items) => items.push(value),
        other => *other = Value::Object(Map::from_iter([(text(rng, Takes::Variable), value)])),
    }
}

const YAML: [&str; 20] = [
    "&a ",
    "*a",
    "*a\n",
    "<<: *a\n",
    "!!str ",
    "!t ",
    "!<tag:x> ",
    "? ",
    "- ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\t",
    "\u{feff}",
    "\r\n",
    "# ",
    "{",
    "]",
    "'",
    "\"",
];

/// Changes a few places in a text, whatever it is a text of.
pub(super) fn bytes(mut bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..10) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = rng.u8(..),
            2 => insert(&mut bytes, at, &[rng.u8(..)]),
            3 => insert(&mut bytes, at, text(rng, Takes::Text).as_bytes()),
            4 => {
                let end = (at + rng.usize(..40)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let part = bytes[at..(at + 60).min(bytes.len())].to_vec();
                insert(&mut bytes, at, &part);
            }
            6 => lines(&mut bytes, rng),
            7 => {
                let after = bytes[at..].windows(2).position(|pair| pair == b": ").map(|found| at + found + 2);
                insert(&mut bytes, after.unwrap_or(at), one(rng, &YAML).as_bytes());
            }
            _ => insert(&mut bytes, at, one(rng, &YAML).as_bytes()),
        }
    }
    bytes
}

/// A line twice, away, elsewhere, deeper, or very often.
fn lines(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = rng.usize(..lines.len());
    let line = lines[at].clone();
    match rng.u8(..5) {
        0 => lines.insert(at, line),
        1 => drop(lines.remove(at)),
        2 => {
            let line = lines.remove(at);
            lines.insert(rng.usize(..=lines.len()), line);
        }
        3 => lines[at].splice(..0, *b"  ").for_each(drop),
        _ => lines.extend(std::iter::repeat_n(line, 500)),
    }
    *bytes = lines.join(&b'\n');
}

fn insert(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    bytes.splice(at..at, more.iter().copied());
}
