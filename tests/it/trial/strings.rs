//! Strings through every slot of every kind: what users write comes out where it belongs, as it was, and nothing else
//! changes by it.
//!
//! Slots are what the schemas say, so a new field is among them without a word here. A deployment with marks in some
//! slots is compiled; then with text in the place of the marks, written in any handwriting. What is sent of the second
//! is predicted from the first, and what `render` prints is read back.

use std::collections::BTreeMap;

use fastrand::Rng;
use hubform::{
    catalog::Catalog,
    diagnostic::{Diagnostics, Severity, SourceMap},
    manifest::{Kind, SourceText, environments, parse},
    render::{StackSpec, Templates, render, yaml},
    resolve::{Facts, Scope, resolve},
};
use serde_json::{Map, Value, json};

use super::{
    grow::{ENGINES, Grown, base, grow, mark},
    readers,
    run::{Figures, is_usual, play},
    slots::{Slot, slots},
    style,
    texts::{Takes, text},
};
use crate::yaml::pyyaml_agrees;

/// Slots that one deployment has marks in, at most.
const TOGETHER: usize = 4;
/// Printed bodies that PyYAML reads too.
const READ_BACK: usize = 300;

/// Slots no text of which is sent, by the end of their names, and why.
const ELSEWHERE: [(&str, &str); 22] = [
    ("/statements/-/**", "characters that IAM accepts"),
    ("/dtype", "a word of the engine's"),
    ("/quantization", "a word of the engine's"),
    ("/task", "a task"),
    ("Model/spec/args/**", "flags of an engine, as in an endpoint's own model"),
    ("/metadata/annotations/key", "kept for people, never sent"),
    ("/metadata/annotations/*", "kept for people, never sent"),
    ("Model/metadata/labels/key", "it has no stack of its own"),
    ("Model/metadata/labels/*", "it has no stack of its own"),
    ("Hardware/metadata/labels/key", "it has no stack of its own"),
    ("Hardware/metadata/labels/*", "it has no stack of its own"),
    ("Scaling/metadata/labels/key", "it has no stack of its own"),
    ("Scaling/metadata/labels/*", "it has no stack of its own"),
    ("Environment/spec/templates", "a folder"),
    ("Environment/spec/include/-", "folders"),
    ("Environment/spec/patches/-/kind", "a kind"),
    ("Environment/spec/patches/-/name", "the name of a manifest"),
    ("/artifacts/bucket", "nothing needs it yet"),
    ("/assumeRole", "whom the calls are made as; no part of a stack"),
    ("/resources/key", "logical ids are letters and digits"),
    ("/outputs/key", "logical ids are letters and digits"),
    ("/overrides/key", "logical ids that the template has"),
];
/// What is refused wherever it is written: lists that are one parameter, which CloudFormation would not split, and
/// parts of a stack for a role that has none of its own.
const REFUSED: [&str; 7] = [
    "/subnets/ssm",
    "/securityGroups/ssm",
    "/managedPolicies/ssm",
    "/notify/ssm",
    "/role/overrides/*/**",
    "/role/resources/*/**",
    "/role/outputs/*/**",
];

#[test]
fn text_comes_out_where_it_belongs_and_nothing_else_changes() {
    let slots = slots();
    assert!(slots.len() > 150, "the schemas have no more than {} slots", slots.len());
    let mut trial = Trial { reached: vec![0; slots.len()], slots, refused: BTreeMap::new(), printed: Vec::new() };
    let mut figures = Figures::default();
    // Every slot once with each engine.
    play(trial.slots.len() as u64, &mut figures, |rng, seed, figures| trial.one(rng, seed, figures));
    figures.reached = trial.reached.iter().sum();
    let unreached = trial.unreached();
    pyyaml_agrees(&trial.printed);
    let met = trial.reached.iter().filter(|count| **count > 0).count();
    figures.tell("strings", "strings", &format!("sent, through {met} of {} slots", trial.slots.len()));
    assert!(unreached.is_empty() || !is_usual(), "text never went through\n{}", unreached.join("\n"));
}

struct Trial {
    slots: Vec<Slot>,
    /// How often a text of the slot was sent.
    reached: Vec<usize>,
    /// What was said the last time that a document with this slot was refused.
    refused: BTreeMap<usize, String>,
    /// Bodies, and the YAML they are printed as.
    printed: Vec<(Value, String)>,
}

impl Trial {
    fn one(&mut self, rng: &mut Rng, seed: u64, figures: &mut Figures) -> Result<(), String> {
        let round = seed as usize * TOGETHER / self.slots.len();
        let base = base(round % ENGINES);
        // Far apart, because neighbours exclude each other more often, and each time in other company.
        let part = self.slots.len().div_ceil(TOGETHER);
        let nth = |at: usize| at * part + (seed as usize + at * round * 7) % part;
        let mut together: Vec<usize> = (0..TOGETHER).map(nth).filter(|slot| *slot < self.slots.len()).collect();
        let mut alone = Vec::new();
        while !together.is_empty() {
            match self.grown(&base, &together, rng)? {
                Ok((grown, marked)) => {
                    let sent = |slot: &usize| is_sent(&grown, &marked, *slot);
                    alone.extend(together.iter().filter(|slot| !sent(slot)));
                    together.retain(sent);
                    // Text in all at once, then in one after the other, because a text that is refused hides others.
                    self.fill(&grown, &marked, None, rng, figures)?;
                    for slot in &together {
                        self.fill_one(&grown, &marked, *slot, rng, figures)?;
                    }
                    break;
                }
                // Some of them exclude each other.
                Err(_) => alone.push(together.swap_remove(rng.usize(..together.len()))),
            }
        }
        alone.retain(|slot| !elsewhere(&self.slots[*slot].to_string()));
        for slot in alone {
            match self.grown(&base, &[slot], rng)? {
                Ok((grown, marked)) => self.fill_one(&grown, &marked, slot, rng, figures)?,
                Err(findings) => drop(self.refused.insert(slot, findings)),
            }
        }
        Ok(())
    }

    /// The deployment with marks in these slots, and what is sent of it; or what is found.
    fn grown(
        &self,
        base: &BTreeMap<Kind, Value>,
        slots: &[usize],
        rng: &mut Rng,
    ) -> Result<Result<(Grown, Vec<Sent>), String>, String> {
        let slots: Vec<(usize, &Slot)> = slots.iter().map(|at| (*at, &self.slots[*at])).collect();
        let grown = grow(base, &slots, rng);
        let file = style::file(grown.documents.values(), rng);
        Ok(compile(&file)?.map(|sent| (grown, sent)))
    }

    /// Puts text in one slot, and another one where it is refused.
    fn fill_one(
        &mut self,
        grown: &Grown,
        marked: &[Sent],
        slot: usize,
        rng: &mut Rng,
        figures: &mut Figures,
    ) -> Result<(), String> {
        for _ in 0..3 {
            if self.fill(grown, marked, Some(slot), rng, figures)? {
                break;
            }
        }
        Ok(())
    }

    /// Puts text in the place of the marks and holds what is sent against what is predicted. Is it taken?
    fn fill(
        &mut self,
        grown: &Grown,
        marked: &[Sent],
        alone: Option<usize>,
        rng: &mut Rng,
        figures: &mut Figures,
    ) -> Result<bool, String> {
        let is_tried = |number: usize| alone.is_none_or(|alone| alone == grown.marks[number].0);
        let marks = grown.marks.iter().enumerate();
        let written: Vec<String> = marks
            .map(|(number, (_, takes))| if is_tried(number) { text(rng, *takes) } else { format!("x{number}") })
            .collect();
        figures.tried += (0..written.len()).filter(|number| is_tried(*number)).count();
        let texts = |raw: bool| Texts { marks: &grown.marks, written: &written, raw };
        let documents: Vec<Value> =
            grown.documents.values().map(|document| texts(true).tree(document, Inside::Plain)).collect();
        let file = style::file(documents.iter(), rng);
        let found = match compile(&file)? {
            Ok(found) => found,
            Err(findings) => {
                alone.map(|slot| self.refused.insert(slot, findings));
                return Ok(false);
            }
        };
        let predicted: Vec<Sent> = marked.iter().map(|sent| texts(false).sent(sent)).collect();
        let told = |what: String| format!("{what}\nwritten as\n{file}");
        same(&predicted, &found).map_err(told)?;
        for sent in &found {
            self.read_back(sent).map_err(told)?;
        }
        let marked = json!(marked).to_string().to_lowercase();
        for (number, (slot, _)) in grown.marks.iter().enumerate().filter(|(number, _)| is_tried(*number)) {
            self.reached[*slot] += usize::from(marked.contains(&mark(number)));
        }
        Ok(true)
    }

    fn read_back(&mut self, sent: &Sent) -> Result<(), String> {
        let printed = yaml(&sent["body"].to_string());
        for (reader, read) in [("serde_yaml", readers::serde(&printed)), ("granit", readers::granit(&printed))] {
            if read.as_ref() != Ok(&sent["body"]) {
                return Err(format!("{reader} reads another body: {read:?}\nfrom\n{printed}\nfor {}", sent["body"]));
            }
        }
        if self.printed.len() < READ_BACK {
            self.printed.push((sent["body"].clone(), printed));
        }
        Ok(())
    }

    /// The slots that nothing went through, and that are not known for it.
    fn unreached(&self) -> Vec<String> {
        let counted = self.slots.iter().zip(&self.reached).enumerate();
        let never = counted.filter(|(_, (slot, reached))| {
            let name = slot.to_string();
            **reached == 0 && !elsewhere(&name)
        });
        never.map(|(at, (slot, _))| format!("{slot}: {}", self.refused.get(&at).map_or("", |said| said))).collect()
    }
}

/// Does anything of a slot go out?
fn is_sent(grown: &Grown, marked: &[Sent], slot: usize) -> bool {
    let marked = json!(marked).to_string().to_lowercase();
    let marks = grown.marks.iter().enumerate().filter(|(_, (of, _))| *of == slot);
    marks.map(|(number, _)| mark(number)).any(|mark| marked.contains(&mark))
}

fn elsewhere(slot: &str) -> bool {
    ELSEWHERE.iter().map(|(end, _)| end).chain(&REFUSED).any(|end| slot.ends_with(end))
}

/// What is sent of one stack: its body, and what goes beside it.
type Sent = Value;

/// Compiles a file; what is sent, or the findings in words. A finding without a place breaks the law.
fn compile(file: &str) -> Result<Result<Vec<Sent>, String>, String> {
    let input = SourceText { name: "all.yaml".to_owned(), bytes: file.as_bytes().to_vec(), named: true };
    let mut sources = SourceMap::default();
    let (manifests, mut found) = parse(vec![input], &mut sources);
    let (sets, more) = environments(manifests, None);
    found.extend(more);
    let target = hubform::cloud::Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let facts = Facts { accounts: [(target.clone(), "000000000000".to_owned())].into(), ..Facts::known() };
    let scopes: Vec<Scope> = sets.into_iter().map(|set| Scope::new(set, target.clone())).collect();
    let (resolved, more) = resolve(&scopes, &facts, Catalog::embedded());
    found.extend(more);
    let (specs, more) = render(resolved.stacks, Templates::embedded(), &sources);
    found.extend(more);
    placed(&found, &sources, file)?;
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    let said: Vec<String> = errors.map(|found| format!("{} {}", found.code.number(), found.message)).collect();
    Ok(if said.is_empty() { Ok(specs.iter().map(sent).collect()) } else { Err(said.join("; ")) })
}

/// Has every finding a place in the file?
fn placed(found: &Diagnostics, sources: &SourceMap, file: &str) -> Result<(), String> {
    let lines = file.lines().count() + 1;
    let nowhere = found.iter().find(|finding| {
        let position = finding.labels.first().map(|label| sources.position(label.span));
        position.is_none_or(|at| at.line == 0 || at.line > lines || at.column == 0)
    });
    nowhere.map_or(Ok(()), |finding| Err(format!("{finding:?} is nowhere in\n{file}")))
}

fn sent(spec: &StackSpec) -> Sent {
    let mut body: Value = serde_json::from_str(&spec.body).expect("a body is JSON");
    if let Some(Value::Object(outputs)) = body.get_mut("Outputs") {
        outputs.remove(hubform::cloud::OUTPUT_DIGEST);
    }
    json!({
        "stack": spec.identity.stack.name, "body": body, "tags": spec.envelope.tags, "parameters": spec.envelope.parameters,
        "role": spec.envelope.options.role_arn, "topics": spec.envelope.options.notification_arns,
    })
}

/// In whose words a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Plain,
    /// Where `${` would be a reference.
    Sub,
    /// A part of JSON in a text, where placeholders stay.
    Json,
}

/// Texts by the marks they stand for: as they are written, or as they are sent.
struct Texts<'a> {
    marks: &'a [(usize, Takes)],
    written: &'a [String],
    raw: bool,
}

impl Texts<'_> {
    fn sent(&self, marked: &Sent) -> Sent {
        self.tree(marked, Inside::Plain)
    }

    fn tree(&self, marked: &Value, inside: Inside) -> Value {
        match marked {
            Value::String(text) => self.text(text, inside).into(),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let within = |at: usize| if inside == Inside::Sub && at > 0 { Inside::Plain } else { inside };
                items.map(|(at, item)| self.tree(item, within(at))).collect()
            }
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| {
                    let inside = if key == "Fn::Sub" { Inside::Sub } else { inside };
                    (self.text(key, Inside::Plain), self.tree(value, inside))
                };
                Value::Object(members.iter().map(member).collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn text(&self, marked: &str, inside: Inside) -> String {
        if !marked.contains("qz") && !marked.contains("QZ") {
            return marked.to_owned();
        }
        let tree = serde_json::from_str::<Value>(marked).ok().filter(|tree| !self.raw && !tree.is_string());
        if let Some(tree) = tree {
            return self.tree(&tree, Inside::Json).to_string();
        }
        let mut text = marked.to_owned();
        // One after the other, and never inside what was put in.
        let mut done = String::new();
        while let Some((at, number, flag)) = next(&text) {
            let put = self.put(number, flag, inside);
            done.push_str(&text[..at]);
            done.push_str(&put);
            text = text[at + mark(number).len()..].to_owned();
        }
        done + &text
    }

    /// What stands in the place of a mark.
    fn put(&self, number: usize, is_flag: bool, inside: Inside) -> String {
        let (_, takes) = self.marks[number];
        let text = self.written[number].clone();
        if self.raw {
            return text;
        }
        if is_flag {
            return text.replace('-', "_").to_uppercase();
        }
        let text = match takes {
            Takes::NoSpace | Takes::Key if inside != Inside::Json => replaced(&text),
            _ => text,
        };
        if inside == Inside::Sub { text.replace("${", "${!") } else { text }
    }
}

/// The next mark in a text: where, which, and whether it is in capitals, as a flag is in the name of its variable.
fn next(text: &str) -> Option<(usize, usize, bool)> {
    let found = text.match_indices("qz").chain(text.match_indices("QZ"));
    let marks = found.filter_map(|(at, letters)| {
        let digits = text.get(at + 2..at + 6)?;
        let ends = text.get(at + 6..at + 8)?.eq_ignore_ascii_case("zq");
        Some((at, digits.parse().ok().filter(|_| ends)?, letters == "QZ"))
    });
    marks.min()
}

/// With placeholders replaced, as they are in ARNs, ids, locations and images.
fn replaced(text: &str) -> String {
    [("account", "000000000000"), ("region", "us-east-1"), ("target", "default"), ("environment", "trial")]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

fn same(predicted: &[Sent], found: &[Sent]) -> Result<(), String> {
    match predicted.len() == found.len() {
        true => predicted.iter().zip(found).try_for_each(|(one, other)| equal(one, other, "")),
        false => Err(format!("{} stacks became {}", predicted.len(), found.len())),
    }
}

/// Lists whose order is that of their texts.
const SORTED: [&str; 6] = ["/Resource", "/Service", "/Statement", "/s3:prefix", "/Dimensions", "/Dimensions/-"];

fn equal(predicted: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (predicted, found) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().try_for_each(|(key, value)| equal(value, &other[key], &format!("{at}/{key}")))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let in_order = |items: &[Value]| {
                let mut items = items.to_vec();
                if SORTED.iter().any(|end| at.ends_with(end)) {
                    items.sort_by_key(Value::to_string);
                }
                items
            };
            in_order(one)
                .iter()
                .zip(in_order(other))
                .try_for_each(|(one, other)| equal(one, &other, &format!("{at}/-")))
        }
        _ if predicted == found => Ok(()),
        _ => Err(format!("{at} should be {predicted}\nand is {found}")),
    }
}
