//! The template sources: those in the binary, with a team's own in their place where there are any.
//!
//! A team's own are code, and Tera runs without limits. So their output is bounded, and so is what `range` gives
//! them; a loop over a list that they have already, the view's own or one kept by `set`, has that list's length, and
//! loops in each other the product of theirs.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, Write},
    sync::OnceLock,
};

use serde::Serialize;
use tera::{Context, ErrorKind, Kwargs, State, Tera};

use super::token;
use crate::diagnostic::did_you_mean;

/// What the binary carries, by name.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("components/alarms.yaml.tera", include_str!("../../templates/components/alarms.yaml.tera")),
    ("components/execution-role.yaml.tera", include_str!("../../templates/components/execution-role.yaml.tera")),
    #[cfg(test)]
    ("components/fake.yaml.tera", include_str!("tests/fake.yaml.tera")),
    ("components/scaling.yaml.tera", include_str!("../../templates/components/scaling.yaml.tera")),
    ("endpoint.yaml.tera", include_str!("../../templates/endpoint.yaml.tera")),
    #[cfg(test)]
    ("fortune.yaml.tera", include_str!("tests/fortune.yaml.tera")),
    ("role.yaml.tera", include_str!("../../templates/role.yaml.tera")),
];

/// The most bytes that a template may render to, tokens included: a body has 51,200 at most.
const LARGEST: usize = 4 << 20;
/// The most items that `range` makes at once; Tera's own limit is a hundred thousand.
const LONGEST_RANGE: i128 = 1_000;
/// The most that it makes while one template renders, so that ranges in each other have an end.
const MOST_ITEMS: usize = 100_000;

thread_local! {
    /// How many items `range` may still make in the rendering that runs on this thread.
    static ITEMS_LEFT: Cell<usize> = const { Cell::new(MOST_ITEMS) };
}

/// Text as far as it may grow.
#[derive(Default)]
struct Limited {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LARGEST {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Templates ready to render.
pub struct Templates {
    engine: Tera,
    sources: BTreeMap<String, String>,
}

/// A template that cannot be used, or did not render.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct TemplateError {
    /// The template, with line and column where they are known.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// The template's line, where it is known.
    pub line: Option<String>,
}

impl Templates {
    /// The templates of this binary.
    pub fn embedded() -> &'static Self {
        static EMBEDDED_TEMPLATES: OnceLock<Templates> = OnceLock::new();
        EMBEDDED_TEMPLATES.get_or_init(|| Self::with(&BTreeMap::new()).expect("the embedded templates parse"))
    }

    /// The embedded templates, some of them replaced: name to text. A name that replaces nothing is an error.
    pub fn with(own: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        if let Some(stranger) = own.keys().find(|name| !EMBEDDED.iter().any(|(known, _)| known == name)) {
            let known: Vec<_> = EMBEDDED.iter().map(|(name, _)| *name).collect();
            let message = match did_you_mean(stranger, known.iter().copied()) {
                Some(near) => format!("hubform has no template of this name; did you mean `{near}`?"),
                None => format!("hubform has no template of this name; there are {}", known.join(", ")),
            };
            return Err(TemplateError { place: stranger.clone(), message, line: None });
        }
        let mut sources: BTreeMap<&str, &str> = EMBEDDED.iter().copied().collect();
        sources.extend(own.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        if let Some((name, _)) = sources.iter().find(|(_, text)| token::has_marks(text)) {
            let message = "it contains characters reserved by hubform (U+E000, U+E001)".to_owned();
            return Err(TemplateError { place: (*name).to_owned(), message, line: None });
        }
        let mut engine = Tera::default();
        engine.autoescape_on([".tera"]);
        engine.set_escape_fn(token::write_text);
        engine.register_filter("value", as_value);
        engine.register_filter("safe", refuse_safe);
        engine.register_function("range", range);
        let sources: BTreeMap<_, _> =
            sources.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        engine.add_raw_templates(&sources).map_err(|error| TemplateError::read(&error, &sources))?;
        Ok(Self { engine, sources })
    }

    /// Where a key is written, in the template or in what it includes: place and line. With `top`, not indented.
    pub(super) fn line_with(&self, template: &str, key: &str, top: bool) -> Option<(String, String)> {
        let (own, others): (Vec<_>, Vec<_>) = self.sources.iter().partition(|(name, _)| *name == template);
        own.into_iter().chain(others).find_map(|(name, text)| {
            let is_it = |line: &str| {
                let written = if top { line } else { line.trim_start() };
                written
                    .trim_start_matches(['"', '\''])
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
            };
            let (at, line) = text.lines().enumerate().find(|(_, line)| is_it(line))?;
            Some((format!("{name}:{}", at + 1), line.trim().to_owned()))
        })
    }

    /// The rendered text, values still as tokens.
    pub(super) fn render(&self, template: &str, view: &impl Serialize) -> Result<String, TemplateError> {
        let context = Context::from_serialize(view).map_err(|error| TemplateError::read(&error, &self.sources))?;
        let mut text = Limited::default();
        ITEMS_LEFT.set(MOST_ITEMS);
        let rendered = self.engine.render_to(template, &context, &mut text);
        if text.full {
            let message = format!("it renders to more than {} MiB of text", LARGEST >> 20);
            return Err(TemplateError { place: template.to_owned(), message, line: None });
        }
        rendered.map_err(|error| TemplateError::read(&error, &self.sources))?;
        Ok(String::from_utf8_lossy(&text.bytes).into_owned())
    }
}

impl TemplateError {
    fn read(error: &tera::Error, sources: &BTreeMap<String, String>) -> Self {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
                let span = report.span();
                let source = sources.get(report.filename()).map_or("", String::as_str);
                let line = source.lines().nth(span.start_line.saturating_sub(1)).map(str::to_owned);
                let place = format!("{}:{}:{}", report.filename(), span.start_line, span.start_col + 1);
                Self { place, message: report.message().to_owned(), line }
            }
            other => Self { place: "templates".to_owned(), message: other.to_string(), line: None },
        }
    }
}

/// `{{ x | value }}`: the whole value, structure included, as one node of the tree.
fn as_value(value: tera::Value, _: Kwargs, _: &State) -> Result<tera::Value, tera::Error> {
    if value.is_undefined() {
        return Err(tera::Error::message("the input of `value` is not defined"));
    }
    let json = serde_json::to_value(&value).map_err(tera::Error::message)?;
    Ok(tera::Value::safe_string(&token::of_value(&json)))
}

/// Tera's `range`, with smaller limits.
fn range(arguments: Kwargs, _: &State) -> Result<Vec<i128>, tera::Error> {
    let (start, end) = (arguments.get::<i128>("start")?.unwrap_or(0), arguments.must_get::<i128>("end")?);
    let step = arguments.get::<i128>("step_by")?.unwrap_or(1);
    let length = end.checked_sub(start).filter(|_| step > 0).map(|length| length.max(0) / step);
    if length.is_none_or(|length| length > LONGEST_RANGE) {
        let message = format!("`range` needs a positive step and makes at most {LONGEST_RANGE} items");
        return Err(tera::Error::message(message));
    }
    let items: Vec<_> = (start..end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).collect();
    let Some(left) = ITEMS_LEFT.get().checked_sub(items.len()) else {
        return Err(tera::Error::message(format!("`range` makes at most {MOST_ITEMS} items in one rendering")));
    };
    ITEMS_LEFT.set(left);
    Ok(items)
}

fn refuse_safe(_: tera::Value, _: Kwargs, _: &State) -> Result<tera::Value, tera::Error> {
    Err(tera::Error::message("`safe` would let a value change the structure of the body; remove it"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What becomes of `ROLE` where it is the template of a role.
    fn role(text: &str) -> Result<String, TemplateError> {
        let own = BTreeMap::from([("role.yaml.tera".to_owned(), text.to_owned())]);
        Templates::with(&own).expect("it parses").render("role.yaml.tera", &json!({}))
    }

    #[test]
    fn a_field_that_is_not_there_is_an_error_whole_or_not() {
        for text in ["{{ nothing }}", "{{ nothing | value }}", "{{ a.nothing | value }}"] {
            let error = role(&format!("{{% set a = {{\"b\": 1}} %}}{text}")).expect_err("there is no such field");
            assert!(error.message.contains("not defined") || error.message.contains("nothing"), "{error}");
        }
    }

    #[test]
    fn ranges_in_each_other_have_an_end_and_each_rendering_begins_anew() {
        let in_each_other = |end: u32, depth: usize| {
            let begin = format!("{{% for a in range(end={end}) %}}").repeat(depth);
            role(&(begin + &"{% endfor %}".repeat(depth)))
        };
        let error = in_each_other(1_000, 3).expect_err("it has no end");
        assert_eq!(error.message, "`range` makes at most 100000 items in one rendering");
        for _ in 0..3 {
            assert_eq!(in_each_other(250, 2), Ok(String::new()));
        }
        let far = role("{% for a in range(end=100000000, step_by=99999999) %}{{ a }} {% endfor %}");
        assert_eq!(far, Ok("0 99999999 ".to_owned()));
    }
}
