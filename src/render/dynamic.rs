//! What no body may hold, whatever road it came by: dynamic references, but those that `{ssm: …}` became, and `${`
//! that is not closed in `Fn::Sub`.
//!
//! CloudFormation resolves `{{resolve:…}}` in what its functions produce; its own guide writes it inside `Fn::Sub` with
//! the name of a secret put in. So `Fn::Sub` and `Fn::Join` are put together here, too. What is known only when the
//! stack runs (attributes, parameters, the branches of `Fn::If`) may be any text: where braces stand before it, or
//! `resolve:` behind it, that counts as a reference. A text that is whole only in the account, because an attribute
//! brings braces and word along, is not seen. The total that functions produce is limited: CloudFormation's own limits are
//! far below, and a body that is not looked at to its end is refused.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde_json::{Map, Value};

use super::hatch;
use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Part, Path, Span, Trail},
    resolve::DesiredStack,
};

const BRACES: &str = "{{";
const WORD: &str = "resolve:";
/// Stands for a text that is not known; no character.
const ANY: char = '\u{10FFFF}';
/// Sections whose texts functions put together with others.
const LOOKED_UP: [&str; 3] = ["Conditions", "Mappings", "Parameters"];
/// Bytes and values that functions may produce in one body; what is in several functions counts each time.
const LARGEST: usize = 4 << 20;

/// How much may still be put together; nothing more once that was too little.
struct TextBudget(usize);

impl TextBudget {
    fn spend(&mut self, bytes: usize) -> Option<()> {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or_default();
        left.map(|_| ())
    }
}

/// Refuses a body with forbidden content.
pub(super) fn check(
    body: &Map<String, Value>,
    stack: &DesiredStack,
    overridden: &BTreeSet<Path>,
) -> Result<(), Diagnostics> {
    let mut search = ReferenceSearch::new(&stack.fetched);
    for (section, value) in body {
        search.visit(value, &Trail::Top.at(section), LOOKED_UP.contains(&section.as_str()));
    }
    let found = search.diagnostics(stack, overridden);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Something found: what it is, which text, and under which path of the body.
struct Occurrence {
    code: Code,
    text: String,
    path: Path,
}

struct ReferenceSearch<'a> {
    allowed: &'a BTreeSet<String>,
    found: Vec<Occurrence>,
    budget: TextBudget,
    /// Was the budget too small? Said once.
    too_large: bool,
}

impl<'a> ReferenceSearch<'a> {
    fn new(allowed: &'a BTreeSet<String>) -> Self {
        Self { allowed, found: Vec::new(), budget: TextBudget(LARGEST), too_large: false }
    }

    /// `inside`: other texts may be put before and behind it.
    fn visit(&mut self, value: &Value, path: &Trail<'_>, inside: bool) {
        match value {
            Value::String(text) => self.text(text, path, inside),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| self.visit(item, &path.item(at), inside));
            }
            Value::Object(map) => self.map(map, path, inside),
            _ => {}
        }
    }

    fn map(&mut self, map: &Map<String, Value>, path: &Trail<'_>, inside: bool) {
        for (key, value) in map {
            self.text(key, path, false);
            match (key.as_str(), value) {
                ("Fn::Sub", _) => self.sub(value, path, inside),
                ("Fn::Join", Value::Array(parts)) => self.join(parts, path, inside),
                _ => {
                    let inside = inside || key == "Ref" || key.starts_with("Fn::");
                    self.visit(value, &path.at(key), inside);
                }
            }
        }
    }

    fn sub(&mut self, value: &Value, path: &Trail<'_>, inside: bool) {
        let (template, variables) = sub_parts(value);
        if template.is_some_and(|text| placeholders(text).any(|(_, name)| name.is_none_or(str::is_empty))) {
            self.note(Code::BrokenSub, template.unwrap_or_default(), path);
        }
        let whole = substituted(value, &mut self.budget);
        self.whole(whole, path, inside);
        variables.into_iter().flatten().for_each(|(_, value)| self.below(value, path));
    }

    fn join(&mut self, parts: &[Value], path: &Trail<'_>, inside: bool) {
        let whole = joined(parts, &mut self.budget);
        self.whole(whole, path, inside);
        match parts.get(1) {
            Some(Value::Array(items)) => items.iter().for_each(|item| self.below(item, path)),
            Some(other) => self.visit(other, path, true),
            None => {}
        }
    }

    /// What a function produces; nothing where that is too much.
    fn whole(&mut self, text: Option<String>, path: &Trail<'_>, inside: bool) {
        match text {
            Some(text) => self.text(&text, path, inside),
            None if self.too_large => {}
            None => {
                self.too_large = true;
                self.note(Code::BodyTooLarge, "", path);
            }
        }
    }

    /// What was put together already is looked at again only where a function is in it.
    fn below(&mut self, value: &Value, path: &Trail<'_>) {
        if !value.is_string() {
            self.visit(value, path, true);
        }
    }

    fn text(&mut self, text: &str, path: &Trail<'_>, inside: bool) {
        let around = if inside { format!("{ANY}{text}{ANY}") } else { text.to_owned() };
        if !self.allowed.contains(text)
            && let Some(reference) = reference(&around)
        {
            self.note(Code::DynamicReference, reference, path);
        }
    }

    fn note(&mut self, code: Code, text: &str, path: &Trail<'_>) {
        self.found.push(Occurrence { code, text: text.to_owned(), path: path.path() });
    }

    /// One finding for each reference, at the place that says most; one for each place in CloudFormation's own words.
    fn diagnostics(self, stack: &DesiredStack, overridden: &BTreeSet<Path>) -> Diagnostics {
        let mut best: BTreeMap<_, Told> = BTreeMap::new();
        for found in self.found {
            let (depth, span) = place(&found.path, stack, overridden);
            let own = Some(span).filter(|span| stack.hatch.spans.values().any(|hatch| hatch == span));
            let told = Told { depth, span, path: found.path };
            match best.entry((found.code, found.text, own)) {
                Entry::Occupied(mut known) => {
                    if known.get().depth < depth {
                        known.insert(told);
                    }
                }
                Entry::Vacant(free) => {
                    free.insert(told);
                }
            }
        }
        best.into_iter().map(|((code, ..), told)| finding(code, &told.path).at(told.span)).collect()
    }
}

/// Where something found was written, and how many steps of its path that explains.
struct Told {
    depth: usize,
    span: Span,
    path: Path,
}

fn finding(code: Code, path: &Path) -> Diagnostic {
    let path = crate::diagnostic::shown(&path.to_string());
    match code {
        Code::BrokenSub => {
            let message = format!("`Fn::Sub` in `{path}` has an unclosed or empty `${{`");
            Diagnostic::new(code, message).help("write `${!…}` if the text itself is meant")
        }
        Code::BodyTooLarge => {
            let message = format!("with `{path}`, functions expand to more than {} MiB of text", LARGEST >> 20);
            Diagnostic::new(code, message).help("nest `Fn::Sub` and `Fn::Join` less, or repeat less")
        }
        _ => {
            let message = format!("`{path}` would contain a dynamic reference");
            Diagnostic::new(code, message).help("use `{ssm: NAME}` where an id or ARN is expected")
        }
    }
}

/// Where the path's text was written, and how many steps of the path that explains.
fn place(path: &Path, stack: &DesiredStack, overridden: &BTreeSet<Path>) -> (usize, Span) {
    let [section, below @ ..] = path.parts() else { return (0, stack.span) };
    let id = below.first().map(Part::text).unwrap_or_default();
    let written = |section| stack.hatch.spans.get(&hatch::place(section, &id)).copied();
    match section.key() {
        Some("Resources") => {
            let set = |set: &Path| set.parts().starts_with(below) || below.starts_with(set.parts());
            if let Some(span) = written("overrides").filter(|_| overridden.iter().any(set)) {
                return (below.len(), span);
            }
            if let Some(span) = written("resources") {
                return (below.len(), span);
            }
            let mut above = (1..=below.len()).rev().map(|length| &below[..length]);
            let known = above.find_map(|place| Some((place.len(), stack.origins.get(place)?.span)));
            known.unwrap_or((0, stack.span))
        }
        Some("Outputs") => written("outputs").map_or((0, stack.span), |span| (below.len(), span)),
        _ => (0, stack.span),
    }
}

/// The reference that a text has or, with what is not known in it, may have.
fn reference(text: &str) -> Option<&str> {
    let from = |at: usize| {
        let rest = &text[at..];
        rest.find("}}").map_or(rest, |end| &rest[..end])
    };
    let braces = || text.char_indices().filter(|(at, _)| text[*at..].starts_with(BRACES));
    let word = |at: usize| text[at + BRACES.len()..].chars().zip(WORD.chars()).find(|(is, of)| is != of);
    let spelled = braces().find(|(at, _)| match word(*at) {
        Some((is, _)) => is == ANY,
        None => text.len() >= at + BRACES.len() + WORD.len(),
    });
    let behind = text.match_indices(WORD).find(|(at, _)| {
        let before = &text[..*at];
        before.strip_suffix('{').unwrap_or(before).ends_with(ANY)
    });
    spelled.map(|(at, _)| from(at)).or(behind.map(|(at, _)| from(at)))
}

/// What a value becomes, as far as it is known; nothing where that is too much.
fn known(value: &Value, budget: &mut TextBudget) -> Option<String> {
    budget.spend(1)?;
    let any = Some(ANY.to_string());
    match value {
        Value::String(text) => copied(text, budget),
        Value::Number(_) | Value::Bool(_) => copied(&value.to_string(), budget),
        Value::Object(map) => match map.iter().next() {
            Some((key, value)) if key == "Fn::Sub" && map.len() == 1 => substituted(value, budget),
            Some((key, Value::Array(parts))) if key == "Fn::Join" && map.len() == 1 => joined(parts, budget),
            Some((key, Value::String(name))) if key == "Ref" && is_pseudo(name) => copied(name, budget),
            _ => any,
        },
        _ => any,
    }
}

fn copied(text: &str, budget: &mut TextBudget) -> Option<String> {
    budget.spend(text.len())?;
    Some(text.to_owned())
}

fn joined(parts: &[Value], budget: &mut TextBudget) -> Option<String> {
    let between = parts.first().map_or_else(|| Some(String::new()), |between| known(between, budget))?;
    match parts.get(1) {
        Some(Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| known(item, budget)).collect::<Option<_>>()?;
            together(&items.iter().map(String::as_str).collect::<Vec<_>>(), &between, budget)
        }
        Some(Value::Object(map)) => match map.get("Fn::Split").and_then(Value::as_array).map(Vec::as_slice) {
            Some([by, text]) => {
                let (by, text) = (known(by, budget)?, known(text, budget)?);
                together(&text.split(&by).collect::<Vec<_>>(), &between, budget)
            }
            _ => Some(ANY.to_string()),
        },
        _ => Some(ANY.to_string()),
    }
}

fn together(items: &[&str], between: &str, budget: &mut TextBudget) -> Option<String> {
    let own: usize = items.iter().map(|item| item.len()).sum();
    budget.spend(own.saturating_add(between.len().saturating_mul(items.len())))?;
    Some(items.join(between))
}

fn substituted(value: &Value, budget: &mut TextBudget) -> Option<String> {
    let (template, variables) = sub_parts(value);
    let Some(template) = template else { return Some(ANY.to_string()) };
    budget.spend(template.len())?;
    let (mut done, mut rest) = (String::new(), template);
    for (at, name) in placeholders(template) {
        let start = at - (template.len() - rest.len());
        done.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(name) = name else { break };
        rest = &rest[name.len() + "${}".len()..];
        match (name.strip_prefix('!'), variables.and_then(|variables| variables.get(name.trim()))) {
            (Some(literal), _) => done.extend(["${", literal, "}"]),
            (None, Some(value)) => done.push_str(&known(value, budget)?),
            (None, None) if is_pseudo(name) => done.push_str(name),
            (None, None) => done.push(ANY),
        }
    }
    Some(done + rest)
}

fn sub_parts(value: &Value) -> (Option<&str>, Option<&Map<String, Value>>) {
    match value {
        Value::Array(parts) => (parts.first().and_then(Value::as_str), parts.get(1).and_then(Value::as_object)),
        value => (value.as_str(), None),
    }
}

/// Where each `${` begins, with what is in it; the last has nothing where it is not closed.
fn placeholders(text: &str) -> impl Iterator<Item = (usize, Option<&str>)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find("${")?;
        let inside = &text[at + 2..];
        let name = inside.find('}').map(|end| &inside[..end]);
        from = name.map_or(text.len() + 1, |name| at + 2 + name.len() + 1);
        Some((at, name))
    })
}

/// Account, Region and the like: none of them has a brace or the word in it.
fn is_pseudo(name: &str) -> bool {
    name.starts_with("AWS::")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(value: Value) -> Vec<&'static str> {
        let allowed = BTreeSet::from(["{{resolve:ssm:/a}}".to_owned()]);
        let mut search = ReferenceSearch::new(&allowed);
        search.visit(&value, &Trail::Top.at("Resources").at("A"), false);
        search.found.iter().map(|found| found.code.number()).collect()
    }

    #[test]
    fn a_reference_is_found_however_it_is_put_together() {
        let roads = [
            json!("s3://b/{{resolve:secretsmanager:hf}}/"),
            json!({ "{{resolve:ssm:/x}}": 1 }),
            json!("{{resolve:ssm:/a}} "),
            json!({ "Fn::Sub": "{{resolve:ssm:/a}}/${AWS::Region}" }),
            json!({ "Fn::Sub": ["{{${R}:secretsmanager:hf}}", { "R": "resolve" }] }),
            json!({ "Fn::Sub": ["{{re${R}:x}}", { "R": { "Ref": "P" } }] }),
            json!({ "Fn::Sub": "${P}resolve:x}}" }),
            json!({ "Fn::Join": ["", ["{", "{resol", "ve:ssm:x}}"]] }),
            json!({ "Fn::Join": ["{", ["", "", "resolve:x}}"]] }),
            json!({ "Fn::Join": ["", { "Fn::Split": [",", "{{,resolve:x}}"] }] }),
            json!({ "Fn::Join": ["", [{ "Fn::If": ["C", "{{re", "a"] }, "solve:x}}"]] }),
            json!({ "Fn::Join": ["", [{ "Fn::Select": [0, ["{{", "a"]] }, "resolve:x}}"]] }),
            json!({ "Fn::Join": ["", ["{{", { "Fn::GetAtt": ["P", "Value"] }, ":x}}"]] }),
            json!({ "Fn::If": ["C", { "Fn::Sub": ["{{${R}:x}}", { "R": "resolve" }] }, "b"] }),
        ];
        for road in roads {
            assert!(found(road.clone()).contains(&"HF1051"), "{road}");
        }
    }

    #[test]
    fn what_is_no_reference_passes() {
        let others = [
            json!("{{resolve:ssm:/a}}"),
            json!(["{{resolve:ssm:/a}}", "{{resolve", "resolve:x", "{{ resolve:x }}", "{{InstanceId}}"]),
            json!({ "Fn::Sub": "{\"widgets\":[{\"a\":{\"b\":\"${AWS::Region}\"}}]}" }),
            json!({ "Fn::Join": ["", ["{\"a\":{", { "Ref": "P" }, "}}"]] }),
            json!({ "Fn::Sub": "{{${AWS::Region}:x}} ${!Text} a$" }),
            json!({ "Fn::If": ["C", { "Ref": "P" }, "resolve me"] }),
        ];
        for other in others {
            assert_eq!(found(other.clone()), [] as [&str; 0], "{other}");
        }
    }

    #[test]
    fn a_substitution_that_is_not_closed_is_found() {
        for text in ["k${AWS::StackName", "k${!x", "a${}", "${A}${"] {
            assert_eq!(found(json!({ "Fn::Sub": text })), ["HF3008"], "{text}");
            assert_eq!(found(json!({ "Fn::Sub": [text, { "A": "b" }] })), ["HF3008"], "{text}");
        }
    }

    #[test]
    fn what_functions_come_to_has_an_end_and_no_reference_hides_behind_it() {
        let nested = |inner: &str, depth: usize| {
            let again = |value, _| json!({ "Fn::Sub": ["${A}".repeat(10), { "A": value }] });
            (0..depth).fold(json!(inner), again)
        };
        let delimiter = "d".repeat(100_000);
        let joins = json!({ "Fn::Join": [delimiter, vec!["a"; 20_000]] });
        let splits = json!({ "Fn::Join": [delimiter, { "Fn::Split": [",", ",".repeat(80_000)] }] });
        let from = std::time::Instant::now();
        for large in [nested("a", 8), nested("", 8), joins, splits] {
            let behind = found(json!([large, { "Fn::Sub": ["{{${R}:x}}", { "R": "resolve" }] }, "{{resolve:ssm:/x}}"]));
            assert_eq!(behind, ["HF3003", "HF1051"]);
        }
        assert!(from.elapsed().as_secs() < 10, "it ends at once");
        assert_eq!(found(nested("a", 4)), [] as [&str; 0]);
    }
}
