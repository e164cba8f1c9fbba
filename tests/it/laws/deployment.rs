//! Random deployments as somebody would write them, and random edits of them.

use std::collections::BTreeMap;

use fastrand::Rng;
use hubform::{catalog::Catalog, resolve::Lock};
use serde_json::{Map, Value, json};

use super::{
    account::{Wanted, compile},
    resources,
    seeds::{one, percent},
};

/// How far a deployment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taste {
    /// Only what an account without faults can carry out.
    Tame,
    /// Whatever can be written down, resources of every type in the registry included.
    Wild,
}

/// Manifests, by kind and name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deployment {
    pub(super) documents: BTreeMap<(String, String), Value>,
    taste: Taste,
}

type Writer = fn(&mut Rng) -> Value;

/// Fields of an Endpoint that can be said or left out.
const ENDPOINT: [(&str, Writer); 9] = [
    ("scaling", scaling),
    ("rollout", rollout),
    ("alarms", alarms),
    ("capture", capture),
    ("routing", routing),
    ("network", network),
    ("timeouts", timeouts),
    ("role", role),
    ("encryption", encryption),
];

/// Fields of a Role.
const ROLE: [(&str, Writer); 4] =
    [("statements", statements), ("managedPolicies", policies), ("permissionsBoundary", boundary), ("trust", trust)];

impl Deployment {
    /// An environment with a role, one or two endpoints, and what they name.
    pub(super) fn random(rng: &mut Rng, environment: &str, taste: Taste) -> Self {
        let mut deployment = Self { documents: BTreeMap::new(), taste };
        deployment.put("Environment", environment, json!({}));
        deployment.put("Role", "shared", fields(rng, &ROLE));
        deployment.put("Scaling", "steady", scaling_spec(rng));
        deployment.put("Hardware", "cpu", json!({"instances": [one(rng, &CPU)]}));
        deployment.put("Hardware", "gpu", json!({"instances": [one(rng, &GPU)]}));
        for name in ["one", "two"].iter().take(rng.usize(1..3)) {
            deployment.endpoint(rng, name);
        }
        if taste == Taste::Wild {
            for _ in 0..rng.usize(0..4) {
                deployment.edit_resources(rng, "Role", "shared");
            }
        }
        deployment
    }

    /// Only a role, with extra resources of these types.
    #[cfg(feature = "aws")]
    pub(super) fn of_resources(rng: &mut Rng, environment: &str, types: &[&str]) -> Self {
        let mut deployment = Self { documents: BTreeMap::new(), taste: Taste::Wild };
        deployment.put("Environment", environment, json!({}));
        deployment.put("Role", "shared", json!({}));
        for _ in 0..rng.usize(2..5) {
            deployment.edit_resources_of(rng, "Role", "shared", types);
        }
        deployment
    }

    fn put(&mut self, kind: &str, name: &str, spec: Value) {
        let document = json!({"apiVersion": "hubform.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        self.documents.insert((kind.to_owned(), name.to_owned()), document);
    }

    fn endpoint(&mut self, rng: &mut Rng, name: &str) {
        let large = percent(rng, 40);
        let mut spec = fields(rng, &ENDPOINT);
        spec["model"] = model(rng, large);
        spec["hardware"] = hardware(rng, large);
        self.put("Endpoint", name, spec);
    }

    /// The document's spec.
    pub(super) fn spec_mut(&mut self, kind: &str, name: &str) -> &mut Value {
        let key = (kind.to_owned(), name.to_owned());
        &mut self.documents.get_mut(&key).unwrap_or_else(|| panic!("there is no {kind}/{name}"))["spec"]
    }

    /// The names of all documents of a kind.
    pub(super) fn names(&self, kind: &str) -> Vec<String> {
        self.documents.keys().filter(|(of, _)| of == kind).map(|(_, name)| name.clone()).collect()
    }

    /// A random one that goes together, and what it comes to.
    pub(super) fn sound(rng: &mut Rng, environment: &str, taste: Taste) -> (Self, Wanted) {
        loop {
            let deployment = Self::random(rng, environment, taste);
            if let Ok(wanted) = compile(&deployment.files(), &Lock::default(), Catalog::embedded()) {
                return (deployment, wanted);
            }
        }
    }

    /// One with a scaler, and the same with its endpoint on other instances: an update in phases.
    pub(super) fn moving(rng: &mut Rng, environment: &str) -> (Self, Wanted, Wanted) {
        loop {
            let (mut deployment, _) = Self::sound(rng, environment, Taste::Tame);
            let spec = deployment.spec_mut("Endpoint", "one");
            spec["model"] = json!(LARGE);
            spec["hardware"] = json!(GPU[0]);
            spec["scaling"] = json!({"min": 1, "max": 3, "target": {"invocationsPerInstance": 100}});
            let Ok(before) = compile(&deployment.files(), &Lock::default(), Catalog::embedded()) else { continue };
            if let Some(after) = deployment.moved(rng, &before.lock) {
                return (deployment, before, after);
            }
        }
    }

    /// With the endpoint of `moving` on other instances, and now and then more.
    pub(super) fn moved(&self, rng: &mut Rng, lock: &Lock) -> Option<Wanted> {
        let mut next = self.clone();
        if percent(rng, 40) {
            next.edit(rng);
        }
        next.spec_mut("Endpoint", "one")["model"] = json!(LARGE);
        next.spec_mut("Endpoint", "one")["hardware"] = json!(one(rng, &GPU[1..]));
        compile(&next.files(), lock, Catalog::embedded()).ok()
    }

    /// With other bounds for the scaler of `moving`, and nothing else: an update of seconds.
    pub(super) fn rescaled(&self, rng: &mut Rng, lock: &Lock) -> Option<Wanted> {
        let mut next = self.clone();
        next.spec_mut("Endpoint", "one")["scaling"]["max"] = json!(rng.u32(4..9));
        compile(&next.files(), lock, Catalog::embedded()).ok()
    }

    /// After a few edits that go together with the rest, and what it comes to then.
    pub(super) fn edited(&self, rng: &mut Rng, lock: &Lock) -> (Self, Wanted) {
        loop {
            let mut next = self.clone();
            for _ in 0..rng.u32(1..4) {
                next.edit(rng);
            }
            if let Ok(wanted) = compile(&next.files(), lock, Catalog::embedded()) {
                return (next, wanted);
            }
        }
    }

    /// Says something else in one place.
    pub(super) fn edit(&mut self, rng: &mut Rng) {
        let endpoints = self.names("Endpoint");
        let endpoint = one(rng, &endpoints).clone();
        match rng.u32(0..100) {
            0..35 => edit_field(rng, self.spec_mut("Endpoint", &endpoint), &ENDPOINT),
            35..50 => self.edit_model(rng, &endpoint),
            50..60 => self.edit_hardware(rng, &endpoint),
            60..66 => *self.spec_mut("Scaling", "steady") = scaling_spec(rng),
            66..74 => edit_field(rng, self.spec_mut("Role", "shared"), &ROLE),
            74..82 => self.edit_labels(rng),
            _ if self.taste == Taste::Tame => self.spec_mut("Endpoint", &endpoint)["alarms"] = alarms(rng),
            82..90 => self.edit_resources(rng, "Role", "shared"),
            90..95 => self.edit_resources(rng, "Endpoint", &endpoint),
            _ => self.edit_overrides(rng, &endpoint),
        }
    }

    fn edit_model(&mut self, rng: &mut Rng, endpoint: &str) {
        let spec = self.spec_mut("Endpoint", endpoint);
        let large = is_large(spec);
        spec["model"] = model(rng, large);
    }

    fn edit_hardware(&mut self, rng: &mut Rng, endpoint: &str) {
        let spec = self.spec_mut("Endpoint", endpoint);
        let large = is_large(spec);
        spec["hardware"] = hardware(rng, large);
    }

    fn edit_labels(&mut self, rng: &mut Rng) {
        let keys: Vec<_> = self.documents.keys().cloned().collect();
        let document = self.documents.get_mut(one(rng, &keys)).expect("it was just found");
        document["metadata"]["labels"] = match rng.u32(0..4) {
            0 => json!({}),
            _ => json!({"team": word(rng), "tier": word(rng)}),
        };
    }

    pub(super) fn edit_resources(&mut self, rng: &mut Rng, kind: &str, name: &str) {
        self.edit_resources_of(rng, kind, name, &[]);
    }

    /// Adds, changes or removes a resource; new ones are of these types, where some are given.
    pub(super) fn edit_resources_of(&mut self, rng: &mut Rng, kind: &str, name: &str, types: &[&str]) {
        let spec = self.spec_mut(kind, name);
        let mut found = spec["resources"].as_object().cloned().unwrap_or_default();
        resources::edit(rng, &mut found, types);
        let outputs = resources::outputs(rng, &found);
        spec["resources"] = Value::Object(found);
        spec["outputs"] = outputs;
    }

    fn edit_overrides(&mut self, rng: &mut Rng, endpoint: &str) {
        let patches = [
            json!({"Model": {"Properties": {"EnableNetworkIsolation": true}}}),
            json!({"Model": {"Properties": {"PrimaryContainer": {"Environment": {"EXTRA": word(rng)}}}}}),
            json!({"EndpointConfig": {"Properties": {"Tags": [{"Key": "extra", "Value": word(rng)}]}}}),
            json!({"EndpointConfig": {"Metadata": {"Why": word(rng)}}}),
            json!({"Endpoint": {"DeletionPolicy": one(rng, &["Delete", "Retain"])}}),
            json!({"EndpointConfig": [{"op": "add", "path": "/Properties/ProductionVariants/0/ContainerStartupHealthCheckTimeoutInSeconds", "value": rng.u32(60..3600)}]}),
        ];
        self.spec_mut("Endpoint", endpoint)["overrides"] = one(rng, &patches).clone();
    }

    /// One file with every document in it.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let text = self.documents.values().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n");
        vec![("all.yaml".to_owned(), text)]
    }
}

const CPU: [&str; 3] = ["ml.c7i.xlarge", "ml.m7i.xlarge", "ml.c6i.2xlarge"];
const GPU: [&str; 3] = ["ml.g6.xlarge", "ml.g5.xlarge", "ml.g6e.xlarge"];
const SMALL: &str = "BAAI/bge-small-en-v1.5";
const LARGE: &str = "Qwen/Qwen3-0.6B";

fn is_large(spec: &Value) -> bool {
    spec["model"].to_string().contains(LARGE)
}

/// Every field once, now and then.
fn fields(rng: &mut Rng, known: &[(&str, Writer)]) -> Value {
    let said = known.iter().filter(|_| percent(rng, 40)).collect::<Vec<_>>();
    Value::Object(said.into_iter().map(|(name, write)| ((*name).to_owned(), write(rng))).collect::<Map<_, _>>())
}

fn edit_field(rng: &mut Rng, spec: &mut Value, known: &[(&str, Writer)]) {
    let (name, write) = one(rng, known);
    match spec.as_object_mut() {
        Some(spec) if percent(rng, 25) => drop(spec.remove(*name)),
        _ => spec[*name] = write(rng),
    }
}

/// A short word, one of many.
pub(super) fn word(rng: &mut Rng) -> String {
    format!("w{}", rng.u32(0..10_000))
}

fn model(rng: &mut Rng, large: bool) -> Value {
    let hub = if large { LARGE } else { SMALL };
    if percent(rng, 30) {
        return json!(hub);
    }
    let mut model = json!({"hub": hub, "env": {"LEVEL": word(rng)}});
    if percent(rng, 30) {
        model["env"]["OTHER"] = json!(word(rng));
    }
    if percent(rng, 40) {
        model["args"] =
            if large { json!({"seed": rng.u32(0..99)}) } else { json!({"max-batch-tokens": rng.u32(1..9) * 512}) };
    }
    if large && percent(rng, 40) {
        model["context"] = json!(rng.u32(1..8) * 1024);
    }
    model
}

fn hardware(rng: &mut Rng, large: bool) -> Value {
    let (name, types) = if large { ("gpu", &GPU) } else { ("cpu", &CPU) };
    match rng.u32(0..3) {
        0 => json!(name),
        1 => json!(one(rng, types)),
        _ => json!({"instances": [one(rng, types)]}),
    }
}

fn scaling(rng: &mut Rng) -> Value {
    if percent(rng, 30) { json!("steady") } else { scaling_spec(rng) }
}

fn scaling_spec(rng: &mut Rng) -> Value {
    let min = rng.u32(1..4);
    if percent(rng, 30) {
        return json!({"min": min});
    }
    let target = [
        json!({"concurrentRequestsPerInstance": rng.u32(1..20)}),
        json!({"invocationsPerInstance": rng.u32(10..2000)}),
        json!({"cpu": format!("{}%", rng.u32(20..90))}),
        json!({"metric": {"namespace": "App", "name": word(rng), "dimensions": {"Stage": word(rng)}, "statistic": "Average", "value": rng.u32(1..50)}}),
    ];
    let mut spec = json!({"min": min, "max": min + rng.u32(1..6), "target": one(rng, &target)});
    if percent(rng, 40) {
        spec["cooldown"] = json!({"in": format!("{}s", rng.u32(30..900)), "out": format!("{}s", rng.u32(10..300))});
    }
    if percent(rng, 40) {
        let name = one(rng, &["morning", "night"]);
        spec["schedules"] = json!([{"name": name, "cron": format!("0 {} * * ? *", rng.u32(0..24)), "min": min}]);
    }
    spec
}

fn rollout(rng: &mut Rng) -> Value {
    let bake = format!("{}m", rng.u32(1..15));
    match rng.u32(0..4) {
        0 => json!({"strategy": "all-at-once", "bake": bake}),
        1 => json!({"strategy": "canary", "size": "50%", "bake": bake}),
        2 => json!({"strategy": "linear", "size": "50%", "bake": bake, "drain": "5m"}),
        _ => json!({"strategy": "rolling", "size": "50%", "bake": bake}),
    }
}

fn alarms(rng: &mut Rng) -> Value {
    match rng.u32(0..4) {
        0 => json!("none"),
        1 => json!({"errorRate": format!("{}%", rng.u32(1..50))}),
        2 => json!({"errorRate": "2%", "latencyP99": format!("{}ms", rng.u32(50..5000))}),
        _ => json!({"notify": [format!("arn:aws:sns:us-east-1:{}:{}", super::account::ACCOUNT, word(rng))]}),
    }
}

fn capture(rng: &mut Rng) -> Value {
    let content = one(rng, &[json!(["input"]), json!(["output"]), json!(["input", "output"])]).clone();
    json!({"percent": format!("{}%", rng.u32(1..100)), "s3": format!("s3://captured/{}/", word(rng)), "content": content})
}

fn routing(rng: &mut Rng) -> Value {
    let aware = json!({"strategy": "prefix-aware", "prefixLength": 2048, "concurrencyThreshold": rng.u32(1..64)});
    one(rng, &[json!("random"), json!("least-outstanding"), aware]).clone()
}

fn network(rng: &mut Rng) -> Value {
    let subnets: Vec<_> = (0..rng.u32(1..4)).map(|at| format!("subnet-{at}{}", rng.u32(0..9))).collect();
    json!({"subnets": subnets, "securityGroups": [format!("sg-{}", rng.u32(0..99))]})
}

fn timeouts(rng: &mut Rng) -> Value {
    json!({"startup": format!("{}s", rng.u32(60..3600))})
}

fn role(_: &mut Rng) -> Value {
    json!("shared")
}

fn encryption(rng: &mut Rng) -> Value {
    let key = format!("arn:aws:kms:us-east-1:{}:key/{}", super::account::ACCOUNT, rng.u32(0..99));
    json!({ "kmsKey": key })
}

fn statements(rng: &mut Rng) -> Value {
    json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}/*", word(rng))}])
}

fn policies(rng: &mut Rng) -> Value {
    json!([format!("arn:aws:iam::aws:policy/{}", one(rng, &["ReadOnlyAccess", "AmazonS3ReadOnlyAccess"]))])
}

fn boundary(rng: &mut Rng) -> Value {
    json!(format!("arn:aws:iam::{}:policy/{}", super::account::ACCOUNT, word(rng)))
}

fn trust(rng: &mut Rng) -> Value {
    json!([one(rng, &["lambda.amazonaws.com", "ec2.amazonaws.com", "batch.amazonaws.com"])])
}
