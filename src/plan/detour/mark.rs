//! The mark that a body between two phases carries, so that any later run knows what is out and how to put it back.
//!
//! It stands in `Metadata.Hubform.Detour`, and so in the body's digest, and in no body that is final. What was there
//! before is kept as text, entry by entry and with null for what was not there: CloudFormation takes no null in a
//! template (O: "'null' values are not allowed in templates"), and whether it looks at functions below `Metadata` is
//! not documented.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::template::Template;
use crate::{cloud::Tags, render::without_stamps};

/// What is out of a stack since an apply stopped between two phases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The phase that landed last.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// The resources that are out, by logical id.
    pub out: BTreeSet<String>,
}

impl Unfinished {
    /// Reads the mark in a body that runs; none where the body is final.
    pub fn read(body: &str) -> Option<Self> {
        Resumed::read(&Template::parse(body).ok()?).map(|resumed| resumed.detour)
    }

    /// As `an apply stopped after phase 1 of 3, so ScalableTarget and TrackingPolicy are out`.
    pub fn sentence(&self) -> String {
        let out: Vec<&str> = self.out.iter().map(String::as_str).collect();
        let verb = if out.len() == 1 { "is" } else { "are" };
        format!("an apply stopped after phase {} of {}, so {} {verb} out", self.number, self.of, out.join(" and "))
    }
}

/// A stack as it was before its detour began.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct Before {
    pub(in crate::plan) template: Template,
    /// The digest it was applied with; empty for a body from before there were digests.
    pub(in crate::plan) digest: String,
    /// Parameter values as they are shown.
    pub(in crate::plan) parameters: BTreeMap<String, String>,
    pub(in crate::plan) tags: Tags,
}

/// What the mark of a body that runs says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::plan) struct Resumed {
    pub(in crate::plan) detour: Unfinished,
    pub(in crate::plan) origin: Before,
    /// The resources that differ from what they were, those that are out included.
    pub(in crate::plan) aside: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mark {
    number: usize,
    of: usize,
    from: String,
    out: BTreeSet<String>,
    aside: String,
    parameters: BTreeMap<String, String>,
    tags: Tags,
}

impl Resumed {
    pub(in crate::plan) fn read(live: &Template) -> Option<Self> {
        let Mark { number, of, from, out, aside, parameters, tags } =
            serde_json::from_value(live.0["Metadata"]["Hubform"]["Detour"].clone()).ok()?;
        let aside: Map<String, Value> = serde_json::from_str(&aside).ok()?;
        let changed = aside.get("Resources").and_then(Value::as_object);
        let changed = changed.map(|changed| changed.keys().cloned().collect());
        let template = Template(overlaid(plain(live), aside));
        let origin = Before { template, digest: from, parameters, tags };
        Some(Self { detour: Unfinished { number, of, out }, origin, aside: changed.unwrap_or_default() })
    }
}

impl Before {
    /// This body with the mark of the way back to the origin.
    pub(in crate::plan) fn mark(&self, body: &Template, Unfinished { number, of, out }: Unfinished) -> Template {
        let aside = Value::Object(differences(&plain(body), &self.template.0)).to_string();
        let (from, parameters, tags) = (self.digest.clone(), self.parameters.clone(), self.tags.clone());
        let mark = Mark { number, of, from, out, aside, parameters, tags };
        let mut tree = body.0.clone();
        tree["Metadata"]["Hubform"]["Detour"] =
            serde_json::to_value(mark).expect("text keys and plain values are JSON");
        Template(tree)
    }
}

/// A body without its stamps and its mark.
fn plain(body: &Template) -> Value {
    let mut tree = without_stamps(body.0.clone());
    if tree["Metadata"]["Hubform"].is_object() {
        put(&mut tree["Metadata"]["Hubform"], "Detour".to_owned(), Value::Null);
    }
    for (above, name) in [("/Metadata", "Hubform"), ("", "Metadata")] {
        let above = tree.pointer_mut(above).filter(|above| above[name].as_object().is_some_and(Map::is_empty));
        if let Some(above) = above {
            put(above, name.to_owned(), Value::Null);
        }
    }
    tree
}

/// For each section the entries in which `to` differs from `from`, as `to` has them.
fn differences(from: &Value, to: &Value) -> Map<String, Value> {
    let names = keys(from).chain(keys(to)).collect::<BTreeSet<_>>();
    let section = |name: &String| {
        let (from, to) = (&from[name], &to[name]);
        if from == to {
            return None;
        }
        if [from, to].into_iter().any(|section| !section.is_null() && !section.is_object()) {
            return Some((name.clone(), to.clone()));
        }
        let entries = keys(from).chain(keys(to)).collect::<BTreeSet<_>>();
        let entries = entries.into_iter().filter(|entry| from.get(entry) != to.get(entry));
        let entries = entries.map(|entry| (entry.clone(), to.get(entry).cloned().unwrap_or_default()));
        Some((name.clone(), Value::Object(entries.collect())))
    };
    names.into_iter().filter_map(section).collect()
}

fn keys(value: &Value) -> impl Iterator<Item = &String> {
    value.as_object().into_iter().flat_map(Map::keys)
}

/// What `differences` were taken from, with them.
fn overlaid(mut tree: Value, differences: Map<String, Value>) -> Value {
    for (name, difference) in differences {
        let Value::Object(entries) = difference else {
            put(&mut tree, name, difference);
            continue;
        };
        let mut section = tree[&name].take();
        if !section.is_object() {
            section = Value::Object(Map::new());
        }
        entries.into_iter().for_each(|(entry, value)| put(&mut section, entry, value));
        let empty = section.as_object().is_some_and(Map::is_empty);
        put(&mut tree, name, if empty { Value::Null } else { section });
    }
    tree
}

fn put(map: &mut Value, key: String, value: Value) {
    let Some(map) = map.as_object_mut() else { return };
    match value {
        Value::Null => drop(map.remove(&key)),
        value => drop(map.insert(key, value)),
    }
}
