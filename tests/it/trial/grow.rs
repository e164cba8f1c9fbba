//! Valid documents with text in chosen slots: a small sound deployment into which the schemas graft what leads to a
//! slot. Each text is a mark first, so that what becomes of it can be found in what is sent.

use std::collections::BTreeMap;

use fastrand::Rng;
use hubform::manifest::{API_VERSION, Kind, schema};
use serde_json::{Value, json};

use super::{
    slots::{Slot, Step, branches, definition, takes},
    texts::Takes,
};

/// The documents of a deployment, by kind, and the marks in them.
#[derive(Debug, Clone)]
pub(super) struct Grown {
    pub(super) documents: BTreeMap<Kind, Value>,
    /// By the marks' numbers: the slot, as numbered by the caller, and what may stand there.
    pub(super) marks: Vec<(usize, Takes)>,
}

/// The mark of this number.
pub(super) fn mark(number: usize) -> String {
    format!("qz{number:04}zq")
}

/// What a form of text is made of: something fixed, or text in a frame.
enum Frame {
    Fixed(&'static str),
    Around(&'static str, Takes),
}

/// Every form there is; a new one is told here what it takes.
fn frame(form: &str) -> Frame {
    match form {
        "duration" => Frame::Fixed("10m"),
        "latency" => Frame::Fixed("500ms"),
        "size" => Frame::Fixed("16GiB"),
        "percent" => Frame::Fixed("50%"),
        "money" => Frame::Fixed("5000 USD"),
        "name" | "prefix" | "endpoint-name" => Frame::Fixed("trial"),
        "account" => Frame::Fixed("000000000000"),
        "region" => Frame::Fixed("us-east-1"),
        "hub-id" => Frame::Fixed("Qwen/Qwen3-0.6B"),
        "instance" => Frame::Fixed("ml.g6.xlarge"),
        "model" => Frame::Fixed("m"),
        "hardware" => Frame::Fixed("h"),
        "reference" => Frame::Fixed("s"),
        "moment" => Frame::Fixed("2027-01-31T08:00:00"),
        "rate" => Frame::Fixed("12 hours"),
        "role" => Frame::Around("arn:aws:iam::000000000000:role/{}", Takes::NoSpace),
        "id" => Frame::Around("i-{}", Takes::NoSpace),
        "arn" => Frame::Around(TOPIC, Takes::NoSpace),
        "principal" => Frame::Around("arn:aws:iam::000000000000:role/{}", Takes::NoSpace),
        "s3" => Frame::Around("s3://b{}/k{}/x/", Takes::Key),
        "weights" => Frame::Around("s3://b{}/k{}/", Takes::Key),
        "bucket" => Frame::Around("b{}", Takes::Key),
        "image" => Frame::Around("000000000000.dkr.ecr.us-east-1.amazonaws.com/r{}:1{}", Takes::Key),
        "parameter" => Frame::Fixed("/trial/parameter"),
        "export" => Frame::Around("/{}", Takes::NoSpace),
        "cron" => Frame::Fixed("0 8 ? * MON *"),
        "time-zone" => Frame::Fixed("Europe/Paris"),
        other => panic!("say here what the form `{other}` takes"),
    }
}

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:{}";

/// The frame of what a field takes that says more than its form.
fn frame_in(field: &str, form: &str) -> Frame {
    match (field, form) {
        ("notify", "id") => Frame::Around(TOPIC, Takes::NoSpace),
        ("managedPolicies" | "permissionsBoundary", "id") => {
            Frame::Around("arn:aws:iam::000000000000:policy/{}", Takes::NoSpace)
        }
        ("serviceRole" | "assumeRole", "arn") => Frame::Around("arn:aws:iam::000000000000:role/{}", Takes::NoSpace),
        _ => frame(form),
    }
}

/// Is the text of this schema the user's to choose?
pub(super) fn is_free(schema: &Value) -> bool {
    schema["x-form"].as_str().is_none_or(|form| matches!(frame(form), Frame::Around(..)))
}

/// What kinds want beside what the schema says, by definition.
fn also(name: &str) -> Value {
    match name {
        "Schedule" => json!({ "min": 1 }),
        "Network" | "Vpc" => json!({ "subnets": ["subnet-1"], "securityGroups": ["sg-1"] }),
        "Patch" => json!({ "kind": "Endpoint", "name": "e" }),
        _ => json!({}),
    }
}

/// How many engines there are to serve it.
pub(super) const ENGINES: usize = 4;

/// A sound deployment without any text of a user's, with one of the engines.
pub(super) fn base(engine: usize) -> BTreeMap<Kind, Value> {
    let own = "000000000000.dkr.ecr.us-east-1.amazonaws.com/own:1";
    let (model, instance) = match engine {
        0 => (json!({ "hub": "Qwen/Qwen3-0.6B", "engine": "vllm" }), "ml.g6.xlarge"),
        1 => (json!({ "hub": "BAAI/bge-small-en-v1.5", "engine": "tei" }), "ml.c7i.large"),
        2 => (
            json!({ "s3": "s3://b/k.tar.gz", "engine": "transformers", "task": "text-classification" }),
            "ml.m5.xlarge",
        ),
        _ => {
            (json!({ "hub": "acme/voice", "task": "text-to-speech", "engine": "custom", "image": own }), "ml.c7i.large")
        }
    };
    let document = |kind: Kind, name: &str, spec: Value| json!({ "apiVersion": API_VERSION, "kind": kind.name(), "metadata": { "name": name }, "spec": spec });
    let scaling = json!({ "min": 1, "max": 2, "target": { "concurrentRequestsPerInstance": 8 } });
    let endpoint = json!({ "model": "m", "hardware": "h", "scaling": "s", "role": "r" });
    [
        (Kind::Environment, "trial", json!({})),
        (Kind::Model, "m", model),
        (Kind::Hardware, "h", json!({ "instances": [instance] })),
        (Kind::Scaling, "s", scaling),
        (Kind::Role, "r", json!({})),
        (Kind::Endpoint, "e", endpoint),
    ]
    .map(|(kind, name, spec)| (kind, document(kind, name, spec)))
    .into()
}

/// The deployment with marks in these slots.
pub(super) fn grow(base: &BTreeMap<Kind, Value>, slots: &[(usize, &Slot)], rng: &mut Rng) -> Grown {
    let mut grown = Grown { documents: base.clone(), marks: Vec::new() };
    for (number, slot) in slots {
        let given = slot.way.iter().skip_while(|step| **step != Step::Field("defaults".to_owned())).nth(1);
        if let Some(Step::Field(field)) = given {
            // Of what an Environment gives by default, an endpoint takes what it does not say itself.
            grown.spec(Kind::Endpoint).remove(field);
        }
        let mut document = grown.documents.remove(&slot.kind).expect("there is one of each kind");
        let root = schema(slot.kind);
        let mut graft = Graft { root, base, number: *number, marks: &mut grown.marks, rng, map: "" };
        graft.at(&mut document, root, &slot.way);
        grown.documents.insert(slot.kind, document);
    }
    grown
}

impl Grown {
    fn spec(&mut self, kind: Kind) -> &mut serde_json::Map<String, Value> {
        self.documents.get_mut(&kind).expect("there is one of each kind")["spec"].as_object_mut().expect("it is a map")
    }
}

struct Graft<'g> {
    root: &'g Value,
    base: &'g BTreeMap<Kind, Value>,
    number: usize,
    marks: &'g mut Vec<(usize, Takes)>,
    rng: &'g mut Rng,
    /// The field whose map was entered last.
    map: &'g str,
}

impl<'g> Graft<'g> {
    fn at(&mut self, here: &mut Value, schema: &'g Value, way: &'g [Step]) {
        let name = schema["$ref"].as_str().and_then(|pointer| pointer.rsplit('/').next()).unwrap_or_default();
        let schema = definition(self.root, schema);
        let Some((step, rest)) = way.split_first() else {
            *here = self.text(schema).into();
            return;
        };
        match step {
            Step::Branch(number) => {
                let branch = &branches(schema).expect("the way was found here")[*number];
                self.at(here, branch, rest);
            }
            Step::Field(field) => {
                self.object(here, schema, name);
                let members = here.as_object_mut().expect("it was made one");
                rivals(schema, field).for_each(|rival| drop(members.remove(rival)));
                self.map = field;
                let mut child = members.remove(field).unwrap_or_default();
                self.at(&mut child, &schema["properties"][field], rest);
                here[field] = child;
            }
            Step::Value => {
                self.object(here, schema, name);
                let key = self.key();
                let mut value = self.beginning();
                self.at(&mut value, &schema["additionalProperties"], rest);
                here[key] = value;
            }
            Step::Key => {
                self.object(here, schema, name);
                let key = self.new_mark(key_takes(self.map));
                here[format!("k{key}")] = self.least(&schema["additionalProperties"]);
            }
            Step::Item => {
                let most = schema.pointer("/x-supported/maxItems").or(schema.get("maxItems")).and_then(Value::as_u64);
                let mut items = here.as_array().cloned().unwrap_or_default();
                let mut item = if most == Some(1) { items.pop().unwrap_or_default() } else { Value::Null };
                self.at(&mut item, &schema["items"], rest);
                items.push(item);
                *here = items.into();
            }
            Step::Anything => self.anything(here, schema),
        }
    }

    /// Makes it a map of this schema, if it is none: that of the manifest it names, or the least there can be.
    fn object(&mut self, here: &mut Value, schema: &Value, name: &str) {
        if here.is_object() {
            return;
        }
        let manifest = Kind::find(name).map(|kind| self.base[&kind]["spec"].clone());
        *here = manifest.unwrap_or_else(|| self.least(schema));
        let more = also(name);
        more.as_object().into_iter().flatten().for_each(|(field, value)| here[field] = value.clone());
    }

    /// A key that the map takes, which is no mark.
    fn key(&mut self) -> String {
        match (self.map, self.root["title"].as_str()) {
            ("overrides", Some("Role")) => "Role".to_owned(),
            ("overrides", _) => ["Endpoint", "EndpointConfig", "Model"][self.rng.usize(..3)].to_owned(),
            _ => format!("X{}", self.rng.u32(..10_000)),
        }
    }

    /// What a value of the map begins with.
    fn beginning(&self) -> Value {
        match self.map {
            "resources" => json!({ "Type": "AWS::SNS::Topic" }),
            "outputs" => json!({ "Value": "v" }),
            _ => Value::Null,
        }
    }

    fn new_mark(&mut self, takes: Takes) -> String {
        self.marks.push((self.number, takes));
        mark(self.marks.len() - 1)
    }

    fn text(&mut self, schema: &Value) -> String {
        let longest = schema["maxLength"].as_u64();
        assert!(longest.is_none() || schema.get("x-form").is_some(), "this text has a bound that the trial ignores");
        match schema["x-form"].as_str().map(|form| frame_in(self.map, form)) {
            Some(Frame::Fixed(text)) => text.to_owned(),
            Some(Frame::Around(frame, takes)) => {
                { frame.split("{}").map(str::to_owned).reduce(|done, part| done + &self.new_mark(takes) + &part) }
                    .unwrap_or_default()
            }
            None => self.new_mark(value_takes(self.map)),
        }
    }

    /// A tree of texts under texts.
    fn anything(&mut self, here: &mut Value, schema: &Value) {
        let pairs: Vec<(String, Value)> = (0..self.rng.usize(1..4))
            .map(|_| {
                let key = self.new_mark(Takes::Text);
                let text = Value::from(self.new_mark(Takes::Text));
                let value = match self.rng.u8(..4) {
                    0 => json!([text, 1, self.new_mark(Takes::Text)]),
                    1 => json!({ self.new_mark(Takes::Text): text, "flag": true }),
                    _ => text,
                };
                (format!("k{key}"), value)
            })
            .collect();
        let tree: Value = pairs.into_iter().collect::<serde_json::Map<_, _>>().into();
        *here = match (self.map, self.rng.u8(..3)) {
            ("statements", _) => {
                let (key, text) = (self.new_mark(Takes::Text), self.new_mark(Takes::Text));
                let resource = format!("arn:aws:s3:::b/{}", self.new_mark(Takes::Text));
                let condition = json!({ "StringLike": { format!("aws:{key}"): [text, tree_text(&tree)] } });
                json!({ "Effect": "Allow", "Action": ["s3:Get*"], "Resource": resource, "Condition": condition })
            }
            ("overrides", 0) if takes(schema, "array") => {
                let key = self.new_mark(Takes::Pointer);
                json!([{ "op": "add", "path": format!("/Properties/k{key}"), "value": tree }])
            }
            ("overrides", _) => json!({ "Properties": tree }),
            ("resources", _) => json!({ "Type": here["Type"], "Properties": tree }),
            ("outputs", _) => json!({ "Value": self.new_mark(Takes::Text), "Description": self.new_mark(Takes::Text) }),
            (_, 0) if schema.get("type").is_none() => self.new_mark(Takes::Text).into(),
            (_, 1) if schema.get("type").is_none() => json!([tree, self.new_mark(Takes::Text)]),
            _ => tree,
        };
    }

    /// The least that is valid.
    fn least(&mut self, schema: &Value) -> Value {
        let schema = definition(self.root, schema);
        if let Some(branches) = branches(schema) {
            let now = branches.iter().find(|branch| branch.get("x-later").is_none());
            return self.least(now.expect("some alternative is supported"));
        }
        if let Some(only) = schema.get("const").or(schema["enum"].get(0)) {
            return only.clone();
        }
        let bound = |word: &str| schema[word].as_u64().unwrap_or_default();
        if takes(schema, "string") || schema.get("type").is_none() {
            let form = schema["x-form"].as_str().map(|form| frame_in(self.map, form));
            let text = match form {
                Some(Frame::Fixed(text)) => text.to_owned(),
                Some(Frame::Around(frame, _)) => frame.replace("{}", "x"),
                None => "x".to_owned(),
            };
            let least = schema["x-between"][0].as_str().filter(|_| schema["x-form"] != "percent");
            return least.map(str::to_owned).unwrap_or(text).into();
        }
        if takes(schema, "boolean") {
            return true.into();
        }
        if takes(schema, "integer") || takes(schema, "number") {
            return bound("minimum").max(1).into();
        }
        if takes(schema, "array") {
            return (0..bound("minItems")).map(|_| self.least(&schema["items"])).collect();
        }
        let one = schema["oneOf"].as_array().and_then(|rules| rules.first()).map(|rule| &rule["required"]);
        let needed = [schema.get("required"), one].into_iter().flatten().filter_map(Value::as_array).flatten();
        let fields = needed.filter_map(Value::as_str).map(|field| {
            let value = self.least(&schema["properties"][field]);
            (field.to_owned(), value)
        });
        Value::Object(fields.collect())
    }
}

/// A tree as text, so that all its marks are in one.
fn tree_text(tree: &Value) -> String {
    match tree {
        Value::Object(members) => members.iter().map(|(key, value)| format!("{key} {} ", tree_text(value))).collect(),
        Value::Array(items) => items.iter().map(tree_text).collect(),
        Value::String(text) => format!("{text} "),
        other => other.to_string(),
    }
}

/// The fields that exclude this one.
fn rivals<'s>(schema: &'s Value, field: &'s str) -> impl Iterator<Item = &'s str> {
    let names = |required: &'s Value| required.as_array().into_iter().flatten().filter_map(Value::as_str);
    let one_of = schema["oneOf"].as_array().into_iter().flatten().flat_map(move |rule| names(&rule["required"]));
    let apart = schema.pointer("/not/required").into_iter().flat_map(names);
    let concerned = move |fields: Vec<&'s str>| if fields.contains(&field) { fields } else { Vec::new() };
    let all = concerned(one_of.collect()).into_iter().chain(concerned(apart.collect()));
    all.filter(move |other| *other != field)
}

/// What a key of the map in this field is made of.
fn key_takes(map: &str) -> Takes {
    match map {
        "labels" | "tags" => Takes::Tag,
        "env" => Takes::Variable,
        _ => Takes::Text,
    }
}

fn value_takes(map: &str) -> Takes {
    match map {
        "labels" | "tags" => Takes::Tag,
        _ => Takes::Text,
    }
}
