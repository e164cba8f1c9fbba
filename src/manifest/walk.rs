//! The walk that checks a tree against a JSON Schema and finds everything that is wrong at once.
//!
//! It knows the words of JSON Schema that [`super::schema`] uses and no manifest. What comes back beside the
//! findings is the JSON that the kind's type is read from; it is meant for that only when there are none.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::form::{Form, form, is_wildcard};
use super::secret::shown;
use super::tags;
use super::tree::{Content, MapEntry, Oddity, Sense, YamlNode, YamlScalar};
use super::value::{PLACEHOLDERS, is_open, unknown_placeholders};
use super::wording::{FieldName, Name, expectation, ticked, unit_help};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span, did_you_mean};

/// The most findings in one document.
const MOST_FINDINGS: usize = 1_000;

/// Holds a document against the schema of its kind.
pub(super) fn walk(schema: &Value, tree: &YamlNode, findings: &mut Diagnostics) -> Value {
    let mut walk = Walk { root: schema, findings: Diagnostics::new() };
    let value = walk.value(tree, schema, &FieldName { name: Name::Document, key: tree.span });
    findings.extend(walk.findings);
    value
}

struct Walk<'s> {
    root: &'s Value,
    findings: Diagnostics,
}

impl<'s> Walk<'s> {
    fn value(&mut self, node: &YamlNode, mut schema: &'s Value, site: &FieldName<'_>) -> Value {
        if is_ignored(schema) {
            return Value::Null;
        }
        loop {
            self.later(schema, site.key);
            self.supported(node, schema, site);
            match self.definition(schema) {
                Some(target) => schema = target,
                None => break,
            }
        }
        if let Some(branches) = branches(schema) {
            return self.union(node, branches, site);
        }
        if schema.get("x-text").is_some() {
            return self.any_scalar(node, schema, site);
        }
        if !self.fits_type(node, schema) {
            self.wrong_type(node, &[schema], site);
            return Value::Null;
        }
        match &node.content {
            Content::Map(entries) => self.map(node, entries, schema, site),
            Content::List(items) => self.list(node, items, schema, site),
            Content::Scalar(scalar) => self.scalar(node, scalar, schema, site),
        }
    }

    fn definition(&self, schema: &Value) -> Option<&'s Value> {
        let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(pointer)
    }

    fn push(&mut self, finding: Diagnostic) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        }
    }

    fn later(&mut self, schema: &Value, place: Span) {
        if let Some(what) = schema.get("x-later").and_then(Value::as_str) {
            self.push(Diagnostic::new(Code::NotYetSupported, format!("not yet supported: {what}")).at(place));
        }
    }

    fn supported(&mut self, node: &YamlNode, schema: &Value, site: &FieldName<'_>) {
        let Some(supported) = schema.get("x-supported") else { return };
        let Some(what) = supported.get("what").and_then(Value::as_str) else { return };
        let most = supported.get("maxItems").and_then(Value::as_u64);
        let least = supported.get("minimum").and_then(Value::as_u64);
        let too_many = most.zip(node.items()).is_some_and(|(most, items)| items.len() as u64 > most);
        let too_low = least.zip(number(node)).is_some_and(|(least, number)| (0.0..least as f64).contains(&number));
        if too_many || too_low {
            let place = if too_many { site.key } else { node.span };
            self.push(Diagnostic::new(Code::NotYetSupported, format!("not yet supported: {what}")).at(place));
        }
    }

    fn union(&mut self, node: &YamlNode, branches: &'s [Value], site: &FieldName<'_>) -> Value {
        let mut leaves = Vec::new();
        self.leaves(branches, &mut leaves);
        let (choices, others): (Vec<&Value>, Vec<&Value>) = leaves
            .iter()
            .copied()
            .filter(|leaf| self.fits_type(node, leaf))
            .partition(|leaf| leaf.get("const").is_some());
        let chosen = choices.iter().any(|leaf| leaf["const"] == node.json());
        match others.as_slice() {
            _ if chosen => self.choice(node, &choices, site),
            [] if choices.is_empty() => {
                self.wrong_type(node, &leaves, site);
                Value::Null
            }
            [] => self.choice(node, &choices, site),
            [only] => self.value(node, only, site),
            _ => self.best(node, &others, site),
        }
    }

    fn leaves(&self, branches: &'s [Value], into: &mut Vec<&'s Value>) {
        for branch in branches {
            let branch = self.definition(branch).unwrap_or(branch);
            match self::branches(branch) {
                Some(inner) => self.leaves(inner, into),
                None => into.push(branch),
            }
        }
    }

    /// The branch with the fewest findings speaks for all.
    fn best(&mut self, node: &YamlNode, leaves: &[&'s Value], site: &FieldName<'_>) -> Value {
        let tries = leaves.iter().map(|leaf| {
            let mut walk = Walk { root: self.root, findings: Diagnostics::new() };
            let value = walk.value(node, leaf, site);
            (value, walk.findings)
        });
        let (value, findings) = tries.min_by_key(|(_, findings)| findings.len()).unwrap_or_default();
        findings.into_iter().for_each(|finding| self.push(finding));
        value
    }

    fn choice(&mut self, node: &YamlNode, choices: &[&'s Value], site: &FieldName<'_>) -> Value {
        let value = node.json();
        if let Some(choice) = choices.iter().find(|choice| choice["const"] == value) {
            self.later(choice, node.span);
            return value;
        }
        let words: Vec<&str> = choices.iter().filter_map(|choice| choice["const"].as_str()).collect();
        let text = node.text().unwrap_or_default();
        let finding =
            Diagnostic::new(Code::InvalidValue, format!("`{}` is not a valid {}", shown(text), site.name.bare()));
        let help = match did_you_mean(text, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("use {}", ticked(words.iter().copied(), "or")),
        };
        self.push(finding.at(node.span).help(help));
        value
    }

    fn map(&mut self, node: &YamlNode, entries: &[MapEntry], schema: &'s Value, site: &FieldName<'_>) -> Value {
        let fields = schema.get("properties").and_then(Value::as_object);
        let rest = schema.get("additionalProperties").unwrap_or(&Value::Bool(true));
        if schema.get("x-raw").is_some() {
            return node.json();
        }
        if let Some(of) = schema.get("x-tags") {
            let become_tags = entries.iter().filter(|entry| of != "labels" || tags::is_tag(&entry.key));
            tags::check(become_tags, &mut self.findings);
        }
        let mut map = Map::new();
        let mut free = None;
        for entry in entries {
            let site = FieldName::field(entry);
            let value = match (fields.and_then(|fields| fields.get(&*entry.key)), rest) {
                (Some(field), _) => self.value(&entry.value, field, &site),
                (None, Value::Bool(false)) => {
                    let free = free.get_or_insert_with(|| unsaid(entries, fields));
                    self.unknown_field(entry, free);
                    continue;
                }
                (None, Value::Bool(true)) => self.anything(&entry.value, &site),
                (None, schema) => self.value(&entry.value, schema, &site),
            };
            map.insert(entry.key.to_string(), value);
        }
        self.presence(node, schema, site);
        Value::Object(map)
    }

    fn unknown_field(&mut self, entry: &MapEntry, free: &[&str]) {
        if self.findings.len() >= MOST_FINDINGS {
            return;
        }
        let finding = Diagnostic::new(Code::UnknownField, format!("unknown field `{}`", shown(&entry.key)));
        let finding = finding.at(entry.key_span);
        let near = did_you_mean(&entry.key, free.iter().copied());
        self.push(match near {
            Some(field) => finding.help(format!("did you mean `{field}`?")),
            None if free.is_empty() => finding,
            None => finding.help(format!("fields here are {}", ticked(free.iter().copied(), "and"))),
        });
    }

    fn presence(&mut self, node: &YamlNode, schema: &'s Value, site: &FieldName<'_>) {
        for field in names(schema.get("required")) {
            if node.get(field).is_none() {
                let message = format!("{} needs `{field}`", site.name);
                self.push(Diagnostic::new(Code::MissingField, message).at(site.key));
            }
        }
        if let Some(rules) = schema.get("oneOf").and_then(Value::as_array) {
            let fields: Vec<&str> = rules.iter().flat_map(|rule| names(rule.get("required"))).collect();
            self.exactly_one(node, &fields, schema, site);
        }
        let apart: Vec<&str> = names(schema.pointer("/not/required")).collect();
        if !apart.is_empty() && apart.iter().all(|field| node.get(field).is_some()) {
            self.conflict(node, &apart);
        }
    }

    fn exactly_one(&mut self, node: &YamlNode, fields: &[&str], schema: &Value, site: &FieldName<'_>) {
        let there: Vec<&str> = fields.iter().copied().filter(|field| node.get(field).is_some()).collect();
        match there.as_slice() {
            [] => {
                let now = |field: &&str| schema["properties"][*field].get("x-later").is_none();
                let offered =
                    if fields.iter().any(now) { fields.iter().copied().filter(now).collect() } else { fields.to_vec() };
                let needs = if offered.len() == 1 { "needs" } else { "needs one of" };
                let message = format!("{} {needs} {}", site.name, ticked(offered, "or"));
                self.push(Diagnostic::new(Code::MissingField, message).at(site.key));
            }
            [_] => {}
            several => self.conflict(node, several),
        }
    }

    fn conflict(&mut self, node: &YamlNode, fields: &[&str]) {
        let message = format!("{} cannot be combined", ticked(fields.iter().copied(), "and"));
        let places = fields.iter().filter_map(|field| node.get(field)).map(|entry| entry.key_span);
        self.push(places.fold(Diagnostic::new(Code::Conflict, message), Diagnostic::at));
    }

    fn list(&mut self, node: &YamlNode, items: &[YamlNode], schema: &'s Value, site: &FieldName<'_>) -> Value {
        self.within(
            items.len() as f64,
            schema,
            ["minItems", "maxItems"],
            node.span,
            &format!("{}: the number of items", site.name),
        );
        if schema.get("uniqueItems").is_some() {
            let mut seen = HashSet::new();
            for item in items.iter().filter(|item| !seen.insert(item.json().to_string())) {
                let message = format!("{} has this twice", site.name);
                self.push(Diagnostic::new(Code::InvalidValue, message).at(item.span));
            }
        }
        let each = schema.get("items");
        let value = |item| {
            let site = site.item(item);
            match each {
                Some(schema) => self.value(item, schema, &site),
                None => self.anything(item, &site),
            }
        };
        Value::Array(items.iter().map(value).collect())
    }

    fn scalar(&mut self, node: &YamlNode, scalar: &YamlScalar, schema: &'s Value, site: &FieldName<'_>) -> Value {
        let Some(kind) = schema.get("type") else { return self.anything(node, site) };
        match &scalar.sense {
            Sense::Number(_) if kind == "integer" || kind == "number" => {
                self.number(node, kind == "integer", schema, site)
            }
            Sense::Text | Sense::Odd(_) => {
                self.text(node, &scalar.text, schema, site);
                Value::String(scalar.text.to_string())
            }
            _ => scalar.json(),
        }
    }

    fn number(&mut self, node: &YamlNode, whole: bool, schema: &'s Value, site: &FieldName<'_>) -> Value {
        let number = number(node).unwrap_or_default();
        self.within(number, schema, ["minimum", "maximum"], node.span, &site.name);
        if schema.get("exclusiveMinimum").and_then(Value::as_f64).is_some_and(|least| number <= least) {
            self.push(Diagnostic::new(Code::OutOfRange, format!("{} must be above 0", site.name)).at(node.span));
        }
        let json = node.json();
        if whole && json.is_f64() { Value::from(number as i64) } else { json }
    }

    fn text(&mut self, node: &YamlNode, text: &str, schema: &'s Value, site: &FieldName<'_>) {
        if let Some(expected) = schema.get("const").and_then(Value::as_str).filter(|expected| *expected != text) {
            let message = format!("{} must be `{expected}`", site.name);
            return self.push(Diagnostic::new(Code::InvalidValue, message).at(node.span));
        }
        if text.is_empty() && schema.get("minLength").is_some() {
            let message = format!("{} is empty", site.name);
            return self.push(Diagnostic::new(Code::InvalidValue, message).at(node.span));
        }
        if let Some(form) = schema.get("x-form").and_then(Value::as_str).and_then(form) {
            self.form(node, text, form, schema, site);
        }
    }

    fn form(&mut self, node: &YamlNode, text: &str, form: &Form, schema: &'s Value, site: &FieldName<'_>) {
        if !(form.fits)(text) {
            if form.placeholders && text.contains(is_wildcard) {
                let message = format!("{} must not have a wildcard, as `{}` does", site.name, shown(text));
                let help = "in IAM `*` and `?` match more than one name, and roles are granted what is written here";
                return self.push(Diagnostic::new(Code::Wildcard, message).at(node.span).help(help));
            }
            let code = if form.units.is_empty() { Code::InvalidValue } else { Code::WrongUnit };
            let finding =
                Diagnostic::new(code, format!("{} must be {}, not `{}`", site.name, form.expects, shown(text)));
            let finding = finding.at(node.span);
            return self.push(match unit_help(text, form) {
                Some(help) => finding.help(help),
                None => finding,
            });
        }
        if let Some(measure) = form.measure {
            self.between(node, text, measure, schema, site);
        }
        if form.placeholders && is_open(text) {
            let finding = Diagnostic::new(Code::UnknownPlaceholder, "a `${` is not closed").at(node.span);
            self.push(finding.help("close it with `}`, or remove it: `${` begins a placeholder here"));
        }
        for unknown in unknown_placeholders(text).into_iter().filter(|_| form.placeholders) {
            let finding =
                Diagnostic::new(Code::UnknownPlaceholder, format!("unknown placeholder `${{{}}}`", shown(unknown)));
            let help = match did_you_mean(unknown, PLACEHOLDERS) {
                Some(known) => format!("did you mean `${{{known}}}`?"),
                None => "placeholders are `${account}`, `${region}`, `${target}` and `${environment}`".to_owned(),
            };
            self.push(finding.at(node.span).help(help));
        }
    }

    fn between(
        &mut self,
        node: &YamlNode,
        text: &str,
        measure: fn(&str) -> Option<f64>,
        schema: &Value,
        site: &FieldName<'_>,
    ) {
        let Some([least, most]) = schema.get("x-between").and_then(Value::as_array).map(Vec::as_slice) else { return };
        let (Some(least), Some(most)) = (least.as_str(), most.as_str()) else { return };
        let bounds = measure(least).zip(measure(most)).zip(measure(text));
        if bounds.is_some_and(|((least, most), is)| is < least || is > most) {
            let message = format!("{} must be between {least} and {most}", site.name);
            self.push(Diagnostic::new(Code::OutOfRange, message).at(node.span));
        }
    }

    fn within(&mut self, number: f64, schema: &Value, words: [&str; 2], place: Span, name: &dyn std::fmt::Display) {
        let [least, most] = words.map(|word| schema.get(word).and_then(Value::as_f64));
        if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
            return;
        }
        // The limit of our own type is nobody's bound.
        let said = most.filter(|most| *most < f64::from(u32::MAX));
        let message = match (least, said) {
            (Some(least), None) if number < least => format!("{name} must be at least {least}"),
            (_, None) => format!("{name} is too large"),
            (Some(least), Some(most)) => format!("{name} must be between {least} and {most}"),
            (None, most) => format!("{name} must be at most {}", most.unwrap_or_default()),
        };
        self.push(Diagnostic::new(Code::OutOfRange, message).at(place));
    }

    /// Any scalar but null, as typed.
    fn any_scalar(&mut self, node: &YamlNode, schema: &'s Value, site: &FieldName<'_>) -> Value {
        match &node.content {
            Content::Scalar(YamlScalar { text, sense }) if *sense != Sense::Null => Value::String(text.to_string()),
            _ => {
                self.wrong_type(node, &[schema], site);
                Value::Null
            }
        }
    }

    /// Where no type is expected, ambiguous scalars are refused.
    fn anything(&mut self, node: &YamlNode, site: &FieldName<'_>) -> Value {
        match &node.content {
            Content::Scalar(scalar) => {
                if let Sense::Odd(oddity) = scalar.sense {
                    self.misread(node, scalar, oddity, site);
                }
                scalar.json()
            }
            Content::List(items) => {
                Value::Array(items.iter().map(|item| self.anything(item, &site.item(item))).collect())
            }
            Content::Map(entries) => {
                let value =
                    |entry: &MapEntry| (entry.key.to_string(), self.anything(&entry.value, &FieldName::field(entry)));
                Value::Object(entries.iter().map(value).collect())
            }
        }
    }

    fn misread(&mut self, node: &YamlNode, scalar: &YamlScalar, oddity: Oddity, site: &FieldName<'_>) {
        let (text, name) = (shown(&scalar.text), &site.name);
        let (message, help) = match oddity {
            Oddity::Word(value) => (
                format!("`{text}` in {name} is text in YAML 1.2 and `{value}` in 1.1"),
                format!("write `{value}`, or \"{text}\" in quotes"),
            ),
            Oddity::NotFinite => (
                format!("`{text}` in {name} is not a number JSON can represent"),
                format!("if text is meant, quote it: \"{text}\""),
            ),
            _ => (
                format!("`{text}` in {name} is read differently by different versions of YAML"),
                format!("write \"{text}\" in quotes, or a plain decimal number"),
            ),
        };
        self.push(Diagnostic::new(Code::AmbiguousScalar, message).at(node.span).help(help));
    }

    fn wrong_type(&mut self, node: &YamlNode, schemas: &[&Value], site: &FieldName<'_>) {
        let takes = |kind: &str| schemas.iter().any(|schema| has_type(schema, kind));
        if let Content::Scalar(scalar) = &node.content
            && let Sense::Odd(oddity) = scalar.sense
            && (takes("boolean") || takes("integer") || takes("number"))
        {
            return self.misread(node, scalar, oddity, site);
        }
        let mut expected: Vec<Cow<'_, str>> = Vec::new();
        for schema in schemas {
            let words = expectation(schema);
            if !expected.contains(&words) {
                expected.push(words);
            }
        }
        let expected = expected.join(" or ");
        let form = schemas.iter().find_map(|schema| schema.get("x-form")?.as_str().and_then(form));
        let quantity = form.filter(|form| !form.units.is_empty() && node.describe() == "a number");
        let finding = match (quantity, node.describe()) {
            (Some(_), _) => Diagnostic::new(Code::WrongUnit, format!("{} needs a unit: {expected}", site.name)),
            (None, "nothing") => {
                Diagnostic::new(Code::WrongType, format!("{} is empty; it must be {expected}", site.name))
            }
            (None, is) => Diagnostic::new(Code::WrongType, format!("{} must be {expected}, not {is}", site.name)),
        };
        let help = match &node.content {
            Content::Scalar(scalar) if quantity.is_some() => quantity.and_then(|form| unit_help(&scalar.text, form)),
            Content::Scalar(scalar) if takes("string") && scalar.sense != Sense::Null => {
                Some(format!("if text is meant, quote it: \"{}\"", shown(&scalar.text)))
            }
            _ => None,
        };
        let finding = finding.at(node.span);
        self.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }

    fn fits_type(&self, node: &YamlNode, schema: &Value) -> bool {
        let schema = self.definition(schema).unwrap_or(schema);
        let Some(kind) = schema.get("type") else { return true };
        let is: &[&str] = match &node.content {
            Content::List(_) => &["array"],
            Content::Map(_) => &["object"],
            Content::Scalar(scalar) => match &scalar.sense {
                Sense::Null => &["null"],
                Sense::Bool(_) => &["boolean"],
                Sense::Number(_) if number(node).is_some_and(|number| number.fract() == 0.0) => &["number", "integer"],
                Sense::Number(_) => &["number"],
                Sense::Odd(Oddity::LeadingZero | Oddity::NotFinite) => &[],
                Sense::Text | Sense::Odd(_) => &["string"],
            },
        };
        match kind {
            Value::Array(kinds) => kinds.iter().any(|kind| is.iter().any(|is| kind == is)),
            kind => is.iter().any(|is| kind == is),
        }
    }
}

/// The fields of a schema that a map does not have.
fn unsaid<'s>(entries: &[MapEntry], fields: Option<&'s Map<String, Value>>) -> Vec<&'s str> {
    let said: HashSet<&str> = entries.iter().map(|entry| &*entry.key).collect();
    let ours = fields.into_iter().flatten().filter(|(_, schema)| !is_ignored(schema)).map(|(field, _)| field.as_str());
    ours.filter(|field| !said.contains(field)).collect()
}

/// The branches of a union; a `oneOf` that speaks of fields alone is none.
fn branches(schema: &Value) -> Option<&[Value]> {
    let branches = schema.get("anyOf").or(schema.get("oneOf"))?.as_array()?;
    let of_fields = branches.iter().all(|branch| branch.get("required").is_some() && branch.get("type").is_none());
    (!of_fields).then_some(branches)
}

fn is_ignored(schema: &Value) -> bool {
    schema.get("x-ignored").is_some()
}

fn names(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn number(node: &YamlNode) -> Option<f64> {
    match &node.content {
        Content::Scalar(YamlScalar { sense: Sense::Number(number), .. }) => number.as_f64(),
        _ => None,
    }
}

fn has_type(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        Some(one) => one == kind,
        None => false,
    }
}
