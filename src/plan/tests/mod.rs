//! Scenarios: stacks wanted and stacks that run, written as YAML, become the text of a plan.

mod audits;
mod blockings;
mod decisions;
mod destroys;
mod detours;
mod laws;
mod plans;
mod roles;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

use expect_test::Expect;
use serde_json::{Value, json};

use super::{
    Gate, Observation, ObservedStack, Operation, Plan, PlannedEnvironment, Request, Step, audit, destroy, plan,
    wants_body, wants_body_to_destroy,
};
use crate::{
    catalog::Catalog,
    cloud::{
        Capability, ChangeSet, ChangeSetStatus, ExecutionStatus, Stack, StackOptions, StackRef, Tags, Target, Timestamp,
    },
    diagnostic::{Diagnostics, Position},
    render::{Check, Envelope, Identity, Origin, Origins, ParameterValue, StackSpec, body_digest},
};

/// Whose everything is unless a test says otherwise.
const OWNER: &str = "0123456789abcdef";

/// What a test says: the stacks wanted and the stacks that run, as YAML lists, and what is chosen of them.
#[derive(Default)]
struct Scenario<'a> {
    wanted: &'a str,
    live: &'a str,
    chosen: &'a [&'a str],
    allow: &'a [&'a str],
    adopt: &'a [&'a str],
    destroy: bool,
}

/// Plans, audits and compares the text of it.
fn check(scenario: &Scenario<'_>, expect: &Expect) {
    let (plan, diagnostics) = run(scenario);
    expect.assert_eq(&text(&plan, &diagnostics));
}

fn run(scenario: &Scenario<'_>) -> (Plan, Diagnostics) {
    let specs: Vec<StackSpec> = list(scenario.wanted).iter().map(spec).collect();
    let mut observation = Observation { stacks: list(scenario.live).iter().map(observed).collect() };
    for found in &mut observation.stacks {
        let spec = specs.iter().find(|spec| spec.identity.stack.name == found.stack.name);
        let fetched = match spec {
            _ if scenario.destroy => wants_body_to_destroy(spec, &found.stack),
            Some(spec) => wants_body(spec, &found.stack),
            None => false,
        };
        found.body = found.body.take().filter(|_| fetched);
    }
    run_on(&specs, &observation, scenario)
}

fn run_on(specs: &[StackSpec], observation: &Observation, scenario: &Scenario<'_>) -> (Plan, Diagnostics) {
    with_request(
        specs,
        observation,
        scenario,
        |request| {
            if scenario.destroy { destroy(request) } else { plan(request) }
        },
    )
}

/// Asks something about a scenario's request.
fn request_of<T>(scenario: &Scenario<'_>, ask: impl Fn(&Request<'_>) -> T) -> T {
    let specs: Vec<StackSpec> = list(scenario.wanted).iter().map(spec).collect();
    let observation = Observation { stacks: list(scenario.live).iter().map(observed).collect() };
    with_request(&specs, &observation, scenario, ask)
}

fn with_request<T>(
    specs: &[StackSpec],
    observation: &Observation,
    scenario: &Scenario<'_>,
    ask: impl Fn(&Request<'_>) -> T,
) -> T {
    let environments = [PlannedEnvironment {
        name: "dev".into(),
        owner: Some(OWNER.into()),
        target: target(),
        account: "111122223333".into(),
    }];
    let named: BTreeSet<StackRef> = scenario.chosen.iter().map(|name| reference(name)).collect();
    let chosen = if named.is_empty() { specs.iter().map(|spec| spec.identity.stack.clone()).collect() } else { named };
    let allow = scenario.allow.iter().map(|name| (*name).to_owned()).collect();
    let adopt = scenario.adopt.iter().map(|name| (*name).to_owned()).collect();
    let request = Request {
        environments: &environments,
        specs,
        chosen: &chosen,
        observation,
        allow: &allow,
        adopt: &adopt,
        validate: false,
        catalog: Catalog::embedded(),
        nonce: "n",
    };
    ask(&request)
}

fn target() -> Target {
    Target { account: None, region: "us-east-1".into(), assume_role: None }
}

fn reference(name: &str) -> StackRef {
    StackRef { target: target(), name: name.into() }
}

fn list(yaml: &str) -> Vec<Value> {
    let list: Option<Vec<Value>> = serde_yaml::from_str(yaml).expect("a list of stacks");
    list.unwrap_or_default()
}

/// `{stack, kind, name, needs, protect, parameters, tags, body}`; `parameters: {A: other.Key}` is fed by `other`.
fn spec(given: &Value) -> StackSpec {
    let name = text_at(given, "stack").expect("a name");
    let (body, digest) = stamped(&given["body"], Some(OWNER));
    let position = |line| Position { file: format!("{name}.yaml"), line, column: 1 };
    let instance = Origin { field: "spec.hardware".into(), position: position(5) };
    StackSpec {
        identity: Identity {
            stack: reference(&name),
            environment: "dev".into(),
            kind: text_at(given, "kind").unwrap_or("Endpoint".into()).into(),
            name: text_at(given, "name").unwrap_or(name.clone()),
        },
        envelope: Envelope {
            owner: Some(OWNER.into()),
            parameters: strings(&given["parameters"])
                .into_iter()
                .map(|(key, value)| (key, parameter(&value)))
                .collect(),
            tags: tags(given, &name),
            options: StackOptions { role_arn: text_at(given, "role"), notification_arns: Vec::new() },
            protect: given["protect"] == true,
            needs: given["needs"].as_array().into_iter().flatten().filter_map(Value::as_str).map(reference).collect(),
            checks: vec![Check::runs(name.clone())],
            choices: Vec::new(),
        },
        body: Arc::from(body),
        digest,
        capabilities: BTreeSet::from([Capability::Iam]),
        overridden: BTreeSet::from(["Model/Properties/PrimaryContainer/Environment".into()]),
        origins: Origins {
            manifest: position(1),
            properties: BTreeMap::from([(
                "EndpointConfig/Properties/ProductionVariants/0/InstanceType".into(),
                instance,
            )]),
        },
    }
}

/// `{stack, status, parameters, outputs, tags, owner, protected, body, changeSetTags}`.
fn observed(given: &Value) -> ObservedStack {
    let name = text_at(given, "stack").expect("a name");
    let status = text_at(given, "status").unwrap_or("CREATE_COMPLETE".into());
    let mut outputs = strings(&given["outputs"]);
    let owner = (given["owner"] != false).then(|| text_at(given, "owner").unwrap_or(OWNER.into()));
    let (body, digest) = stamped(&given["body"], owner.as_deref());
    if given["stamped"] != false && !given["body"].is_null() {
        outputs.insert("HubformDigest".into(), digest);
        outputs.extend(owner.clone().map(|owner| ("HubformOwner".to_owned(), owner)));
    }
    let id = format!("arn:aws:cloudformation:us-east-1:111122223333:stack/{name}/1");
    let shell = given.get("changeSetTags").map(|given| change_set(&id, strings(given)));
    let bare = shell.is_some() || given["tags"] == false;
    ObservedStack {
        stack: Stack {
            id,
            status: status.as_str().into(),
            status_reason: None,
            created_at: Timestamp(1_000),
            updated_at: None,
            deleted_at: None,
            parameters: strings(&given["parameters"]),
            outputs,
            tags: if bare { Tags::new() } else { tags(given, &name) },
            capabilities: BTreeSet::new(),
            role_arn: text_at(given, "role"),
            notification_arns: Vec::new(),
            termination_protection: given["protected"] == true,
            name,
        },
        target: target(),
        body: (!given["body"].is_null()).then_some(body),
        change_set: shell,
        not_rolled_back: Vec::new(),
        owner,
    }
}

fn change_set(stack_id: &str, tags: Tags) -> ChangeSet {
    ChangeSet {
        id: "arn:change-set".into(),
        name: "c".into(),
        stack_id: stack_id.into(),
        status: ChangeSetStatus::CreateComplete,
        execution_status: ExecutionStatus::Available,
        status_reason: None,
        created_at: Timestamp(0),
        tags,
        parameters: BTreeMap::new(),
        changes: Vec::new(),
    }
}

/// A body with a digest of its own, as if it had been rendered.
fn stamped(body: &Value, owner: Option<&str>) -> (String, String) {
    let digest = format!("of-{}", &body_digest(&body.to_string())[..8]);
    let mut body = body.clone();
    if body.is_object() {
        body["Outputs"]["HubformDigest"] = json!({ "Value": digest });
        if let Some(owner) = owner {
            body["Outputs"]["HubformOwner"] = json!({ "Value": owner });
            body["Metadata"]["Hubform"]["Owner"] = json!(owner);
        }
    }
    (body.to_string(), digest)
}

fn tags(given: &Value, name: &str) -> Tags {
    let kind = text_at(given, "kind").unwrap_or("Endpoint".into());
    let own = [("hubform:environment", "dev"), ("hubform:kind", &kind), ("hubform:name", name)];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    own.chain(strings(&given["tags"])).collect()
}

fn parameter(value: &str) -> ParameterValue {
    match value.split_once('.') {
        Some((stack, key)) => ParameterValue::Output { stack: reference(stack), key: key.into() },
        None => ParameterValue::Literal(value.into()),
    }
}

fn text_at(given: &Value, key: &str) -> Option<String> {
    given[key].as_str().map(str::to_owned)
}

fn strings(given: &Value) -> BTreeMap<String, String> {
    let entries = given.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn text(plan: &Plan, diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    plan.steps.iter().for_each(|step| write_step(&mut out, step));
    for found in diagnostics {
        let help = found.help.as_deref().unwrap_or("-");
        let _ = writeln!(out, "{} {}\n  help: {help}", found.code.number(), found.message);
    }
    let mistakes = if diagnostics.has_errors() { Vec::new() } else { audit(plan) };
    for mistake in mistakes {
        let _ = writeln!(out, "AUDIT {mistake}");
    }
    out
}

fn write_step(out: &mut String, step: &Step) {
    let predicate = if step.predicate { " perhaps" } else { "" };
    let _ = writeln!(out, "{}: {:?}{predicate}", step.identity.stack, step.action);
    for reason in &step.reasons {
        let _ = writeln!(out, "  because {reason}");
    }
    for change in &step.changes {
        let _ = writeln!(out, "  {} {:?} {}", change.logical_id, change.kind, change.replacement);
        for property in &change.properties {
            let show = |value: &Option<Value>| value.as_ref().map_or("?".to_owned(), Value::to_string);
            let from = property.because.as_ref().map_or(String::new(), |from| format!(" by {from}"));
            let mark = if property.overridden { " overridden" } else { "" };
            let place = property.position.as_ref().map_or(String::new(), |place| format!(" at {place}"));
            let (before, after) = (show(&property.before), show(&property.after));
            let _ =
                writeln!(out, "    {} {before} -> {after} {}{from}{mark}{place}", property.path, property.replacement);
        }
    }
    for (at, operation) in step.operations.iter().enumerate() {
        let names = |after: &super::After| format!("{} {}", after.stack.name, after.operation);
        let after: Vec<String> = operation.after().iter().map(names).collect();
        let after = if after.is_empty() { String::new() } else { format!(", after {}", after.join(", ")) };
        let _ = writeln!(out, "  {}. {}{after}", at + 1, shown(operation));
    }
    if let Some(restore) = &step.restore {
        let _ = writeln!(out, "  else {}", shown(restore));
    }
    if !step.held.is_empty() {
        let held: Vec<&str> = step.held.iter().map(|stack| stack.name.as_str()).collect();
        let _ = writeln!(out, "  held by {}", held.join(", "));
    }
}

fn shown(operation: &Operation) -> String {
    match operation {
        Operation::Create { .. } => "create".into(),
        Operation::Delete { .. } => "delete".into(),
        Operation::Protect { on } => format!("protect {on}"),
        Operation::Update { gate, half: Some(half), .. } => {
            format!("{} [{}]", format!("{half:?}").to_lowercase(), gate_text(gate))
        }
        Operation::Update { gate, phase, .. } => {
            let phase = phase.as_ref().map_or(String::new(), |p| format!(" {} of {}, {}", p.number, p.of, p.purpose));
            format!("update{phase} [{}]", gate_text(gate))
        }
    }
}

fn gate_text(gate: &Gate) -> String {
    let one = |(id, allowed): (&String, &super::Allowed)| format!("{id} {:?} {}", allowed.kind, allowed.replacement);
    gate.allowed.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// An endpoint on `instance`, with a scaler if `max` is above one, whose model has the environment variable `A`.
fn endpoint(instance: &str, max: u32, a: &str) -> String {
    let mut resources = json!({
        "Model": {"Type": "AWS::SageMaker::Model", "Properties": {
            "ExecutionRoleArn": {"Ref": "RoleArn"},
            "PrimaryContainer": {"Image": "i", "Environment": {"A": a}}}},
        "EndpointConfig": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [{
            "VariantName": "AllTraffic", "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
            "InstanceType": instance, "InitialInstanceCount": 2}]}},
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": {
            "EndpointName": "chat", "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}}},
    });
    if max > 1 {
        resources["ScalableTarget"] = json!({"Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "DependsOn": "Endpoint", "Properties": {"ServiceNamespace": "sagemaker", "MinCapacity": 1,
            "MaxCapacity": max, "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": "endpoint/chat/variant/AllTraffic"}});
        resources["TrackingPolicy"] = json!({"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {
            "PolicyName": "tracking", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 8, "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}, "ScalingTargetId": {"Ref": "ScalableTarget"}}});
    }
    let body = json!({"Parameters": {"RoleArn": {"Type": "String"}}, "Resources": resources, "Outputs": {
        "EndpointConfigName": {"Value": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}}}});
    body.to_string()
}

/// A role with a policy named `policy`.
fn role(policy: &str) -> String {
    json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": {}, "Policies": [{"PolicyName": policy, "PolicyDocument": {}}]}}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
                    "RoleName": {"Value": {"Ref": "Role"}}, "RoleId": {"Value": {"Fn::GetAtt": ["Role", "RoleId"]}}}})
    .to_string()
}
