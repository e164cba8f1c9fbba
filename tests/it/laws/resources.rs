//! Random resources of random types of the registry, with properties that fit their schemas, and edits of them.

use fastrand::Rng;
use hubform::{
    catalog::{Catalog, ResourceType, ValueKind},
    diagnostic::Path,
};
use serde_json::{Map, Value, json};

use super::{
    deployment::word,
    seeds::{one, percent},
};

/// Types everybody knows, drawn as often as all others together.
const USUAL: [&str; 12] = [
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::DynamoDB::Table",
    "AWS::EC2::SecurityGroup",
    "AWS::ECS::Service",
    "AWS::Events::Rule",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
];

/// Types with a mind of their own, which would not be made from random properties.
const APART: [&str; 5] =
    ["Custom::", "AWS::CloudFormation::", "AWS::SageMaker::", "AWS::IAM::", "AWS::ApplicationAutoScaling::"];

/// Properties nest at most so deep; what must be given deeper is a reason to draw another type.
const DEPTH: usize = 4;
/// Draws before a resource is given up.
const TRIES: usize = 20;

type Resources = Map<String, Value>;

/// Adds, changes or removes one resource.
pub(super) fn edit(rng: &mut Rng, resources: &mut Resources, types: &[&str]) {
    let ids: Vec<String> = resources.keys().cloned().collect();
    if ids.is_empty() || percent(rng, 30) {
        return add(rng, resources, types);
    }
    let id = one(rng, &ids).clone();
    match rng.u32(0..10) {
        0 => remove(rng, resources, id),
        1 | 2 => dress(rng, resources, id),
        _ => change(rng, resources, id),
    }
}

/// Outputs of some of them.
pub(super) fn outputs(rng: &mut Rng, resources: &Resources) -> Value {
    let mut outputs = Map::new();
    for id in resources.keys().filter(|_| percent(rng, 30)) {
        outputs.insert(format!("Out{id}"), json!({"Value": {"Ref": id}}));
    }
    Value::Object(outputs)
}

fn add(rng: &mut Rng, resources: &mut Resources, types: &[&str]) {
    let id = format!("Extra{}", rng.u32(0..1000));
    if resources.contains_key(&id) {
        return;
    }
    for _ in 0..TRIES {
        let kind = draw(rng, types);
        let properties = Growth { rng, kind, known: resources, own: &id }.object("", kind, DEPTH);
        if fits(kind, &properties) {
            resources.insert(id, json!({"Type": kind.name, "Properties": properties}));
            return;
        }
    }
}

fn draw(rng: &mut Rng, types: &[&str]) -> &'static ResourceType {
    let catalog = Catalog::embedded();
    let names = catalog.resource_type_names();
    loop {
        let name = match types {
            [] if percent(rng, 50) => *one(rng, &USUAL),
            [] => one(rng, names).as_str(),
            types => *one(rng, types),
        };
        if let Some(kind) = catalog.resource_type(name).filter(|_| !APART.iter().any(|apart| name.starts_with(apart))) {
            return kind;
        }
    }
}

fn fits(kind: &ResourceType, properties: &Value) -> bool {
    kind.misfits(properties).is_empty() && properties.to_string().len() < 3000
}

fn kind_of(resource: &Value) -> &'static ResourceType {
    let name = resource["Type"].as_str().unwrap_or_default();
    Catalog::embedded().resource_type(name).expect("it was drawn from the registry")
}

/// Whoever named it says a word instead.
fn remove(rng: &mut Rng, resources: &mut Resources, id: String) {
    resources.remove(&id);
    for resource in resources.values_mut() {
        let properties = resource["Properties"].clone();
        resource["Properties"] = without(rng, properties, &id);
        if resource["DependsOn"] == id.as_str() {
            resource.as_object_mut().expect("a resource is an object").remove("DependsOn");
        }
    }
}

fn without(rng: &mut Rng, value: Value, id: &str) -> Value {
    match value {
        Value::Object(members) if is_function(&members) => match names(&members, id) {
            true => json!(word(rng)),
            false => Value::Object(members),
        },
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, without(rng, value, id))).collect())
        }
        Value::Array(items) => items.into_iter().map(|item| without(rng, item, id)).collect(),
        scalar => scalar,
    }
}

fn is_function(members: &Map<String, Value>) -> bool {
    members.len() == 1 && members.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

fn names(function: &Map<String, Value>, id: &str) -> bool {
    let text = Value::Object(function.clone()).to_string();
    text.contains(&format!("\"{id}\"")) || text.contains(&format!("${{{id}}}")) || text.contains(&format!("${{{id}."))
}

/// What is not a property.
fn dress(rng: &mut Rng, resources: &mut Resources, id: String) {
    let earlier: Vec<String> = resources.keys().filter(|other| **other < id).cloned().collect();
    let policy = *one(rng, &["Delete", "Retain"]);
    let resource = &mut resources[&id];
    match rng.u32(0..4) {
        0 => resource["Metadata"] = json!({"Note": word(rng)}),
        1 => resource["DeletionPolicy"] = json!(policy),
        2 => resource["UpdateReplacePolicy"] = json!(policy),
        _ if earlier.is_empty() => resource["Metadata"] = json!({"Note": {"Ref": "AWS::Region"}}),
        _ => resource["DependsOn"] = json!(one(rng, &earlier)),
    }
}

/// Another value somewhere in its properties.
fn change(rng: &mut Rng, resources: &mut Resources, id: String) {
    let kind = kind_of(&resources[&id]);
    for _ in 0..TRIES {
        let mut properties = resources[&id]["Properties"].clone();
        match rng.u32(0..10) {
            0..5 => shake(rng, &mut properties),
            5..9 => regrow(rng, resources, &id, kind, &mut properties),
            _ => prune(rng, kind, &mut properties),
        }
        if fits(kind, &properties) && properties != resources[&id]["Properties"] {
            resources[&id]["Properties"] = properties;
            return;
        }
    }
}

/// Another scalar, or a list with one item more or less.
fn shake(rng: &mut Rng, value: &mut Value) {
    match value {
        Value::Object(members) if is_function(members) => *value = json!(word(rng)),
        Value::Object(members) if !members.is_empty() => {
            let at = rng.usize(0..members.len());
            shake(rng, members.values_mut().nth(at).expect("it is among them"));
        }
        Value::Array(items) if !items.is_empty() => match rng.u32(0..4) {
            0 => items.insert(0, items[items.len() - 1].clone()),
            1 if items.len() > 1 => drop(items.remove(0)),
            _ => {
                let at = rng.usize(0..items.len());
                shake(rng, &mut items[at]);
            }
        },
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(_) => *value = json!(rng.u32(1..1000)),
        Value::String(_) => *value = json!(word(rng)),
        _ => {}
    }
}

/// Another value for one of the properties there could be.
fn regrow(rng: &mut Rng, known: &Resources, own: &str, kind: &'static ResourceType, properties: &mut Value) {
    let names: Vec<&String> = kind.properties().keys().filter(|name| !kind.is_read_only(Path::read(name))).collect();
    if let Some(name) = names.get(rng.usize(0..names.len().max(1))) {
        properties[name.as_str()] =
            Growth { rng, kind, known, own }.value(name, &kind.properties()[*name].kinds, DEPTH);
    }
}

fn prune(rng: &mut Rng, kind: &ResourceType, properties: &mut Value) {
    let Some(members) = properties.as_object_mut() else { return };
    let names: Vec<String> = members.keys().filter(|name| !kind.is_required(name)).cloned().collect();
    if !names.is_empty() {
        members.remove(one(rng, &names));
    }
}

/// Properties in the making.
struct Growth<'a> {
    rng: &'a mut Rng,
    kind: &'static ResourceType,
    known: &'a Resources,
    own: &'a str,
}

impl Growth<'_> {
    fn object(&mut self, path: &str, kind: &'static ResourceType, depth: usize) -> Value {
        let mut grown = Map::new();
        for (name, property) in kind.properties() {
            let chance = if property.required { 100 } else { 12 };
            if !kind.is_read_only(Path::read(name)) && percent(self.rng, chance) {
                grown.insert(name.clone(), self.value(&below(path, name), &property.kinds, depth));
            }
        }
        Value::Object(grown)
    }

    fn value(&mut self, path: &str, kinds: &'static [ValueKind], depth: usize) -> Value {
        let Some(kind) = (!kinds.is_empty()).then(|| one(self.rng, kinds)) else { return json!(word(self.rng)) };
        match kind {
            ValueKind::String => self.text(),
            ValueKind::Integer | ValueKind::Number => json!(self.rng.u32(1..1000)),
            ValueKind::Boolean => json!(self.rng.bool()),
            ValueKind::Object(Some(shape)) if depth > 0 => self.shaped(path, shape, depth - 1),
            ValueKind::Object(_) => json!({}),
            ValueKind::Array(items) if depth > 0 => {
                let item = |at: usize| below(path, &at.to_string());
                (0..self.rng.usize(1..3)).map(|at| self.value(&item(at), items, depth - 1)).collect()
            }
            ValueKind::Array(_) => json!([]),
            ValueKind::Any => json!({"Any": word(self.rng)}),
        }
    }

    fn shaped(&mut self, path: &str, shape: &str, depth: usize) -> Value {
        let Some(shape) = self.kind.shape(shape) else { return json!({}) };
        let mut grown = Map::new();
        for (name, property) in &shape.properties {
            let place = below(path, name);
            let chance = if property.required { 100 } else { 15 };
            if !self.kind.is_read_only(Path::read(&place)) && percent(self.rng, chance) {
                grown.insert(name.clone(), self.value(&place, &property.kinds, depth));
            }
        }
        Value::Object(grown)
    }

    /// A word, or something of a resource with a smaller name, so that nothing goes in a circle.
    fn text(&mut self) -> Value {
        let earlier: Vec<&String> = self.known.keys().filter(|id| id.as_str() < self.own).collect();
        if earlier.is_empty() || percent(self.rng, 70) {
            return match self.rng.u32(0..12) {
                0 => json!({"Fn::Sub": format!("{}-${{AWS::StackName}}", word(self.rng))}),
                _ => json!(word(self.rng)),
            };
        }
        let id = earlier[self.rng.usize(0..earlier.len())];
        let attribute = self.attribute(id);
        match (self.rng.u32(0..4), attribute) {
            (0, Some(attribute)) => json!({"Fn::GetAtt": [id, attribute]}),
            (1, Some(attribute)) => json!({"Fn::Sub": format!("{}-${{{id}.{attribute}}}", word(self.rng))}),
            (2, _) => json!({"Fn::Join": ["-", [word(self.rng), {"Ref": id}]]}),
            _ => json!({"Ref": id}),
        }
    }

    fn attribute(&mut self, id: &str) -> Option<String> {
        let kind = kind_of(&self.known[id]);
        let is_text = |name: &&String| {
            let kinds = kind.kinds(name.split('.').collect::<Path>());
            !name.contains('*') && kinds.iter().all(|kind| **kind == ValueKind::String)
        };
        let names: Vec<&String> = kind.attributes().iter().filter(is_text).collect();
        (!names.is_empty()).then(|| (*one(self.rng, &names)).clone())
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}
