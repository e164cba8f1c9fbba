//! docs/templates.md is made from the views' schemas; what stands above its mark is written by hand.
//! `HUBFORM_UPDATE=1` makes it anew.

use std::fs;

use hubform::resolve::view::View;
use serde_json::Value;

use crate::support::root;

const MARK: &str = "<!-- What follows is made from `hubform schema --view KIND`. -->\n";

#[test]
fn the_page_about_templates_is_made_from_the_views() {
    let path = root().join("docs/templates.md");
    let written = fs::read_to_string(&path).expect("it is there");
    let (by_hand, _) = written.split_once(MARK).expect("it has the mark");
    let mut told = Vec::new();
    let kinds = View::KINDS.iter().map(|kind| {
        let schema = View::schema(*kind).expect("it has a view").to_value();
        page(kind.name(), &schema, &mut told)
    });
    let made = format!("{by_hand}{MARK}{}", kinds.collect::<String>());
    assert!(!made.contains("[`"), "a link of rustdoc is on the page");
    if std::env::var_os("HUBFORM_UPDATE").is_some() {
        fs::write(&path, &made).expect("it can be written");
    }
    let same = made == written || std::env::var_os("HUBFORM_UPDATE").is_some();
    assert!(same, "the views changed: HUBFORM_UPDATE=1 makes docs/templates.md anew");
}

/// A kind's own fields, then each type in the order in which it is first met, once on the page.
fn page(kind: &str, schema: &Value, told: &mut Vec<String>) -> String {
    let mut text = format!("\n## {kind}\n\n{}", section(schema));
    while let Some(name) = met(&text, schema, told) {
        text += &format!("\n### {}\n\n{}", shown(&name), section(&schema["$defs"][&name]));
        told.push(name);
    }
    text
}

/// The first type that the text refers to and has no section for.
fn met(text: &str, schema: &Value, told: &[String]) -> Option<String> {
    let types = schema["$defs"].as_object()?.keys().filter(|name| !told.contains(name));
    let place = |name: &&String| text.find(&format!("[{}]", shown(name)));
    types.filter(|name| place(name).is_some()).min_by_key(place).cloned()
}

fn section(schema: &Value) -> String {
    let about = schema["description"].as_str().unwrap_or_default();
    let mut text = format!("{}\n", about.replace('\n', " "));
    if schema["properties"].is_object() {
        text += &format!("\n{}", table(schema));
    }
    let alternatives = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    let lines = alternatives.into_iter().flatten().map(|one| format!("- {}\n", alternative(one)));
    let lines: String = lines.collect();
    if lines.is_empty() { text } else { format!("{text}\n{lines}") }
}

fn table(schema: &Value) -> String {
    let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let row = |(name, field): (&String, &Value)| {
        let perhaps = if needed.contains(&name.as_str()) { "" } else { ", where there is one" };
        let about = field["description"].as_str().unwrap_or_default().replace('\n', " ");
        format!("| `{name}` | {}{perhaps} | {about} |\n", kind_of(field))
    };
    let rows: String = schema["properties"].as_object().into_iter().flatten().map(row).collect();
    format!("| field | type | |\n| --- | --- | --- |\n{rows}")
}

/// One of several: its constants, its fields, what it is.
fn alternative(schema: &Value) -> String {
    let about = schema["description"].as_str().unwrap_or_default().replace('\n', " ");
    if let Some(word) = schema["const"].as_str() {
        return format!("`{word}`: {about}");
    }
    let field = |(name, field): (&String, &Value)| match field["const"].as_str() {
        Some(word) => format!("`{name}: {word}`"),
        None => match field["description"].as_str() {
            Some(about) => format!("`{name}` ({}: {})", kind_of(field), about.trim_end_matches('.').replace('\n', " ")),
            None => format!("`{name}` ({})", kind_of(field)),
        },
    };
    let mut own: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    own.sort_by_key(|(_, field)| field["const"].is_null());
    let mut fields: Vec<_> = own.into_iter().map(field).collect();
    if schema["$ref"].is_string() || fields.is_empty() {
        fields.push(kind_of(schema));
    }
    if about.is_empty() { fields.join(", ") } else { format!("{}: {about}", fields.join(", ")) }
}

fn kind_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        return format!("[{0}](#{1})", shown(name), shown(name).to_lowercase());
    }
    if let Some(all) = schema["anyOf"].as_array() {
        let some = all.iter().filter(|one| one["type"] != "null").map(kind_of);
        return some.collect::<Vec<_>>().join(" or ");
    }
    let word = |word: &str| match word {
        "array" if schema["prefixItems"].is_array() => {
            let items = schema["prefixItems"].as_array().into_iter().flatten().map(kind_of);
            format!("list of {}", items.collect::<Vec<_>>().join(" and "))
        }
        "array" => format!("list of {}", kind_of(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind_of(&schema["additionalProperties"]))
        }
        "object" => "map".to_owned(),
        "string" => "text".to_owned(),
        other => other.to_owned(),
    };
    match &schema["type"] {
        Value::String(one) => word(one),
        Value::Array(all) => {
            let some = all.iter().filter_map(Value::as_str).filter(|one| *one != "null").map(word);
            some.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

/// A type as the page calls it.
fn shown(name: &str) -> &str {
    name.strip_suffix("View").unwrap_or(name)
}
