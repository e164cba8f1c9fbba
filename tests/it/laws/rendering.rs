//! What users write can never change a body's structure; equal manifests give equal bytes; a choice that is pinned
//! stays.

use std::{cell::Cell, collections::BTreeMap, fs};

use fastrand::Rng;
use hubform::{catalog::Catalog, resolve::Lock};
use serde_json::{Value, json};

use super::{
    account::{Wanted, compile},
    deployment::{Deployment, Taste},
    seeds::{hold, one},
};
use crate::support;

/// Stands where a user's text goes.
const MARK: &str = "qzmarkzq";

#[test]
fn no_text_changes_the_structure_of_a_body() {
    let base = free_text();
    let plain = compile(&yaml(&base, &mut plainly), &Lock::default(), Catalog::embedded()).expect("it is sound");
    let places = places(&base, "");
    assert!(places.len() > 15, "few places hold text: {places:?}");
    let taken = Cell::new(0);
    hold(&[], 400, |rng| {
        let place = one(rng, &places);
        let text = adversarial(rng);
        let mut changed = base.clone();
        replace(changed.pointer_mut(place).expect("the place was found here"), &text);
        // Findings are fine: a text may be refused. What is taken must stay where it was put.
        let Ok(found) = compile(&yaml(&changed, &mut escaped), &plain.lock, Catalog::embedded()) else { return Ok(()) };
        taken.set(taken.get() + 1);
        let marked = changed_to_mark(&base, place);
        let marked = compile(&yaml(&marked, &mut plainly), &plain.lock, Catalog::embedded()).expect("it is sound");
        same_but_for(&marked, &found, &text).map_err(|what| format!("{text:?} at {place}: {what}"))
    });
    if std::env::var_os("HUBFORM_SEED").is_none() {
        assert!(taken.get() > 150, "only {} texts are taken", taken.get());
    }
}

#[test]
fn equal_manifests_give_equal_bytes() {
    hold(&[], 60, |rng| {
        let deployment = Deployment::random(rng, "law", Taste::Wild);
        let Ok(first) = compile(&deployment.files(), &Lock::default(), Catalog::embedded()) else { return Ok(()) };
        let mut documents: Vec<Value> = deployment.documents.values().cloned().collect();
        rng.shuffle(&mut documents);
        let files = scattered(rng, &documents);
        let second = compile(&files, &first.lock, Catalog::embedded()).map_err(|found| format!("{found:?}"))?;
        same_specs(&first, &second)?;
        match first.lock.text() == second.lock.text() {
            true => Ok(()),
            false => Err("the locks differ".to_owned()),
        }
    });
}

#[test]
fn what_is_pinned_stays_whatever_is_newer_or_cheaper() {
    let moved = Cell::new(0);
    hold(&[], 12, |rng| {
        let catalog = other_catalog(rng);
        let mut deployment = Deployment::random(rng, "law", Taste::Tame);
        for name in deployment.names("Endpoint") {
            let spec = deployment.spec_mut("Endpoint", &name);
            spec.as_object_mut().expect("a spec is an object").remove("hardware");
        }
        let Ok(first) = compile(&deployment.files(), &Lock::default(), Catalog::embedded()) else { return Ok(()) };
        let anew = compile(&deployment.files(), &Lock::default(), &catalog).map_err(|found| format!("{found:?}"))?;
        moved.set(moved.get() + usize::from(same_specs(&first, &anew).is_err()));
        let kept = compile(&deployment.files(), &first.lock, &catalog).map_err(|found| format!("{found:?}"))?;
        same_specs(&first, &kept)
    });
    if std::env::var_os("HUBFORM_SEED").is_none() {
        assert!(moved.get() > 3, "the other catalogues would choose the same");
    }
}

fn same_specs(first: &Wanted, second: &Wanted) -> Result<(), String> {
    let by_name = |wanted: &Wanted| -> BTreeMap<_, _> {
        let parts = |spec: &hubform::render::StackSpec| {
            (
                spec.body.to_string(),
                spec.digest.clone(),
                spec.envelope.parameters.clone(),
                spec.envelope.tags.clone(),
                spec.envelope.needs.clone(),
            )
        };
        wanted.specs.iter().map(|spec| (spec.identity.stack.name.clone(), parts(spec))).collect()
    };
    let (first, second) = (by_name(first), by_name(second));
    match first == second {
        true => Ok(()),
        false => Err(format!("{first:?}\nbut\n{second:?}")),
    }
}

/// Other prices and newer images: the dearest becomes the cheapest, and every engine has one image more.
fn other_catalog(rng: &mut Rng) -> Catalog {
    let data = support::root().join("src/catalog/data");
    let read = |name: &str| fs::read_to_string(data.join(name)).expect("the table is there");
    let mut tables = BTreeMap::new();
    for (name, column) in [("prices-sagemaker.csv", 1), ("prices-ec2.csv", 2)] {
        let text = read(name);
        let mut lines = text.lines();
        let mut other = lines.next().expect("there is a head").to_owned();
        for line in lines {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if cells[column].parse::<f64>().is_ok() {
                cells[column] = format!("{:.3}", f64::from(rng.u32(1..100_000)) / 1000.0);
            }
            other.push('\n');
            other.push_str(&cells.join(","));
        }
        tables.insert(name.to_owned(), other + "\n");
    }
    for name in
        ["containers/huggingface-tei-cpu.json", "containers/huggingface-tei.json", "containers/huggingface-vllm.json"]
    {
        let mut engine: Value = serde_json::from_str(&read(name)).expect("the table is JSON");
        let images = engine["images"].as_array_mut().expect("there are images");
        let mut newest = images.last().expect("there is an image").clone();
        newest["version"] = json!("99.0.0");
        newest["tag"] = json!("99.0.0-cu129-newer");
        newest["verified"] = json!("sdk+dlc-repo");
        images.push(newest);
        tables.insert(name.to_owned(), engine.to_string());
    }
    Catalog::with_tables(tables).expect("the tables are sound")
}

/// Every place in a manifest that holds a user's own words, marked.
fn free_text() -> Value {
    let model = json!({
        "hub": "Qwen/Qwen3-0.6B",
        "env": {"PLAIN": MARK, "INSIDE": format!("before {MARK} after")},
        "args": {"chat-template": MARK, "stop": [MARK, "other"], "limits": {"words": MARK}},
    });
    let endpoint = json!({
        "model": model,
        "hardware": "ml.g6.xlarge",
        "role": "shared",
        "scaling": {
            "min": 1, "max": 3,
            "target": {"metric": {"namespace": MARK, "name": MARK, "dimensions": {"Stage": MARK, "Other": "x"},
                "statistic": "Average", "value": 5}},
            "schedules": [{"name": "night", "cron": "0 1 * * ? *", "min": 1}],
        },
        "rollout": {"strategy": "all-at-once", "alarms": [MARK]},
        "capture": {"percent": "5%", "s3": "s3://captured/", "types": {"csv": [MARK], "json": [MARK]}},
        "overrides": {"Model": {"Metadata": {"Why": MARK}}},
        "resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": MARK}}},
        "outputs": {"Said": {"Value": MARK, "Description": MARK}},
    });
    let role = json!({
        "statements": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": [format!("arn:aws:s3:::{MARK}")],
            "Condition": {"StringLike": {"aws:PrincipalTag/team": [MARK]}}}],
        "overrides": {"Role": {"Properties": {"Description": MARK}}},
    });
    let document = |kind: &str, name: &str, spec: &Value| {
        let metadata = json!({"name": name, "labels": {"team": MARK}, "annotations": {"note": MARK}});
        json!({"apiVersion": "hubform.dev/v1", "kind": kind, "metadata": metadata, "spec": spec})
    };
    json!([
        document("Environment", "law", &json!({"tags": {"product": MARK}})),
        document("Role", "shared", &role),
        document("Endpoint", "one", &endpoint),
    ])
}

/// JSON pointers to every text with the mark.
fn places(value: &Value, at: &str) -> Vec<String> {
    let step = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(members) => members.iter().flat_map(|(key, value)| places(value, &step(key))).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| places(item, &step(&index.to_string()))).collect()
        }
        Value::String(text) if text.contains(MARK) => vec![at.to_owned()],
        _ => Vec::new(),
    }
}

fn replace(value: &mut Value, text: &str) {
    let before = value.as_str().unwrap_or_default();
    *value = json!(before.replace(MARK, text));
}

/// The manifests with a mark that stands nowhere else at the place.
fn changed_to_mark(base: &Value, place: &str) -> Value {
    let mut marked = base.clone();
    replace(marked.pointer_mut(place).expect("the place was found here"), &format!("{MARK}here"));
    marked
}

const PIECES: [&str; 44] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{ 1 + 1 }}",
    "{% raw %}",
    "${",
    "}",
    "${AWS::AccountId}",
    "${!",
    "$",
    "!Ref",
    "!Ref X",
    "!Sub",
    "!!binary",
    "&a",
    "*a",
    "'",
    "\"",
    "\\",
    "\\n",
    "\n",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{7}",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "🦀",
    ": ",
    " #",
    "- ",
    "---",
    "...",
    "null",
    "yes",
    "x",
];

fn adversarial(rng: &mut Rng) -> String {
    (0..rng.usize(1..6)).map(|_| *one(rng, &PIECES)).collect()
}

type Written<'a> = &'a mut dyn FnMut(&str) -> String;

/// The documents as one file.
fn yaml(documents: &Value, scalar: Written<'_>) -> Vec<(String, String)> {
    let documents = documents.as_array().expect("they are a list");
    let texts: Vec<String> = documents.iter().map(|document| flow(document, scalar, &mut |_| {})).collect();
    vec![("all.yaml".to_owned(), texts.join("\n---\n"))]
}

fn plainly(text: &str) -> String {
    json!(text).to_string()
}

/// Double-quoted, with an escape for everything but letters and digits.
fn escaped(text: &str) -> String {
    let one = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    };
    format!("\"{}\"", text.chars().map(one).collect::<String>())
}

fn flow(value: &Value, scalar: Written<'_>, order: &mut dyn FnMut(&mut Vec<String>)) -> String {
    match value {
        Value::Object(members) => {
            let mut entries: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", json!(key), flow(value, scalar, order))).collect();
            order(&mut entries);
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| flow(item, scalar, order)).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// The documents in several files, keys in any order, with comments between.
fn scattered(rng: &mut Rng, documents: &[Value]) -> Vec<(String, String)> {
    let count = rng.usize(1..4);
    let mut files: Vec<(String, String)> = (0..count).map(|at| (format!("part-{at}.yaml"), String::new())).collect();
    for document in documents {
        let text = flow(document, &mut plainly, &mut |entries| rng.shuffle(entries));
        let (_, file) = &mut files[rng.usize(0..count)];
        let head = if file.is_empty() { "# a comment\n" } else { "\n---\n# another\n" };
        file.push_str(&format!("{head}{text}\n"));
    }
    files.retain(|(_, text)| !text.is_empty());
    files
}

/// Is everything the same but for the mark, in whose place stands the text?
fn same_but_for(marked: &Wanted, found: &Wanted, text: &str) -> Result<(), String> {
    if marked.specs.len() != found.specs.len() {
        return Err("there are other stacks".to_owned());
    }
    for (marked, found) in marked.specs.iter().zip(&found.specs) {
        let parse = |body: &str| serde_json::from_str::<Value>(body).map_err(|error| error.to_string());
        same_value(&parse(&marked.body)?, &parse(&found.body)?, text, &marked.identity.stack.name)?;
        let tags = |tags: &BTreeMap<String, String>| json!(tags);
        same_value(&tags(&marked.envelope.tags), &tags(&found.envelope.tags), text, "tags")?;
    }
    Ok(())
}

fn same_value(marked: &Value, found: &Value, text: &str, at: &str) -> Result<(), String> {
    let unlike = || Err(format!("{at}: {marked} became {found}"));
    match (marked, found) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            let mut pairs = one.iter().zip(other.values());
            pairs.try_for_each(|((key, one), other)| same_value(one, other, text, &format!("{at}/{key}")))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.try_for_each(|(index, (one, other))| same_value(one, other, text, &format!("{at}/{index}")))
        }
        (Value::String(_), Value::String(_)) if at.contains("/HubformDigest/") => Ok(()),
        (Value::String(one), Value::String(other)) if stands_for(one, other, text) => Ok(()),
        _ if marked == found => Ok(()),
        _ => unlike(),
    }
}

/// The text as it is, with `${` made harmless inside of `Fn::Sub`, or as a part of JSON.
fn stands_for(marked: &str, found: &str, text: &str) -> bool {
    let mark = format!("{MARK}here");
    let as_json = json!(text).to_string();
    let forms = [text.to_owned(), text.replace("${", "${!"), as_json[1..as_json.len() - 1].to_owned()];
    marked.contains(&mark) && forms.iter().any(|form| marked.replace(&mark, form) == *found)
}
