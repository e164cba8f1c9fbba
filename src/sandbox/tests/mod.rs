//! The account seen from outside, through the ports.

mod change_sets;
mod endpoints;
mod events;
mod kept;
mod laws;
mod models;
mod policies;
mod refusals;
mod types;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Pace, Sandbox, SandboxSettings};
use crate::cloud::{
    Capability, ChangeSet, ChangeSetType, CloudErrorKind, CloudResult, Connection, CreateChangeSet, CreateStack,
    DeleteStack, ExecuteChangeSet, PageToken, Stack, StackEvent, StackOptions, StackStatus, Target,
};

/// Answers of the account are there at once.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the account made somebody wait"),
    }
}

pub(super) struct Account {
    pub(super) sandbox: Sandbox,
    pub(super) connection: Connection,
    tokens: std::cell::Cell<u32>,
}

impl Account {
    pub(super) fn new() -> Self {
        Self::with(SandboxSettings { account: "123456789012".into(), ..SandboxSettings::default() })
    }

    pub(super) fn with(settings: SandboxSettings) -> Self {
        Self::of(Sandbox::new(settings, Pace::Stepped))
    }

    pub(super) fn of(sandbox: Sandbox) -> Self {
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        let connection = now(sandbox.accounts().at(&target)).expect("a connection");
        Self { sandbox, connection, tokens: Default::default() }
    }

    fn token(&self) -> String {
        self.tokens.set(self.tokens.get() + 1);
        format!("t{}", self.tokens.get())
    }

    pub(super) fn request(&self, name: &str, body: &Value) -> CreateStack {
        CreateStack {
            name: name.into(),
            body: body.to_string(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: [Capability::NamedIam].into(),
            options: StackOptions::default(),
            disable_rollback: false,
            termination_protection: false,
            token: self.token(),
        }
    }

    pub(super) fn create(&self, name: &str, body: &Value) -> Result<String, CloudErrorKind> {
        now(self.connection.stacks.create_stack(self.request(name, body))).map_err(|error| error.kind)
    }

    /// Creates, and lets it finish.
    pub(super) fn created(&self, name: &str, body: &Value) -> String {
        let id = self.create(name, body).expect("an accepted stack");
        self.sandbox.advance(Duration::from_secs(24 * 3600));
        id
    }

    pub(super) fn change_set_request(&self, name: &str, body: &Value) -> CreateChangeSet {
        let token = self.token();
        CreateChangeSet {
            stack: name.into(),
            name: format!("c-{token}"),
            kind: ChangeSetType::Update,
            body: body.to_string(),
            parameters: BTreeMap::new(),
            previous: Default::default(),
            tags: BTreeMap::new(),
            capabilities: [Capability::NamedIam].into(),
            options: StackOptions::default(),
            token,
        }
    }

    pub(super) fn computed(&self, request: CreateChangeSet) -> ChangeSet {
        let ids = now(self.connection.stacks.create_change_set(request)).expect("an accepted change set");
        self.sandbox.advance(Duration::from_secs(10));
        now(self.connection.stacks.describe_change_set(&ids.change_set)).expect("an answer").expect("a change set")
    }

    pub(super) fn change_set(&self, name: &str, body: &Value) -> ChangeSet {
        self.computed(self.change_set_request(name, body))
    }

    pub(super) fn execute(&self, change_set: &ChangeSet, disable_rollback: bool) -> Result<(), CloudErrorKind> {
        let request = ExecuteChangeSet { change_set: change_set.id.clone(), disable_rollback, token: self.token() };
        now(self.connection.stacks.execute_change_set(request)).map_err(|error| error.kind)
    }

    /// Updates by a change set, and lets it finish.
    pub(super) fn updated(&self, name: &str, body: &Value) {
        let change_set = self.change_set(name, body);
        self.execute(&change_set, false).expect("an executable change set");
        self.sandbox.advance(Duration::from_secs(24 * 3600));
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), CloudErrorKind> {
        let request = DeleteStack { stack: name.into(), role_arn: None, token: self.token() };
        now(self.connection.stacks.delete_stack(request)).map_err(|error| error.kind)
    }

    pub(super) fn deleted(&self, name: &str) {
        self.delete(name).expect("an accepted deletion");
        self.sandbox.advance(Duration::from_secs(24 * 3600));
    }

    pub(super) fn inject(&self, fault: &str) {
        self.sandbox.inject(fault.parse().expect("a fault"));
    }

    pub(super) fn stack(&self, name: &str) -> Stack {
        now(self.connection.stacks.describe_stack(name)).expect("an answer").expect("a stack")
    }

    pub(super) fn status(&self, name: &str) -> StackStatus {
        self.stack(name).status
    }

    /// All events, oldest first.
    pub(super) fn events(&self, stack: &str) -> Vec<StackEvent> {
        let mut events = Vec::new();
        let mut from: Option<PageToken> = None;
        loop {
            let page = now(self.connection.stacks.describe_stack_events(stack, from)).expect("events");
            events.extend(page.items);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        events.reverse();
        events
    }

    /// The events since the last operation was asked for, as lines.
    pub(super) fn story(&self, stack: &str) -> String {
        let events = self.events(stack);
        let begins = |event: &StackEvent| event.is_of_stack() && event.reason.as_deref() == Some("User Initiated");
        let start = events.iter().rposition(begins).unwrap_or(0);
        events[start..].iter().map(line).collect()
    }
}

fn line(event: &StackEvent) -> String {
    let tail = |id: &str| id.rsplit(['/', ':']).next().unwrap_or(id).to_owned();
    let id = event.physical_id.as_deref().filter(|_| !event.is_of_stack()).map(|id| format!(" ({})", tail(id)));
    let reason = event.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {}{}{reason}\n", event.logical_id, event.status, id.unwrap_or_default())
}

pub(super) fn kind<T>(result: CloudResult<T>) -> Option<CloudErrorKind> {
    result.err().map(|error| error.kind)
}

pub(super) fn template(resources: Value) -> Value {
    json!({ "Resources": resources })
}

pub(super) fn role() -> Value {
    json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    ]}}})
}

/// An endpoint with everything it needs, and perhaps a scaler.
pub(super) fn endpoint(image: &str, instance: &str, scaled: bool) -> Value {
    let image = format!("763104351884.dkr.ecr.us-east-1.amazonaws.com/{image}");
    let mut resources = json!({
        "ExecutionRole": role(),
        "Model": {"Type": "AWS::SageMaker::Model", "Properties": {
            "ExecutionRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
            "PrimaryContainer": {"Image": image},
        }},
        "EndpointConfig": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [{
            "VariantName": "AllTraffic",
            "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
            "InstanceType": instance,
            "InitialInstanceCount": 1,
        }]}},
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": {
            "EndpointName": "chat",
            "EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]},
            "RetainAllVariantProperties": true,
        }},
    });
    if scaled {
        resources["ScalableTarget"] = json!({"Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "DependsOn": "Endpoint", "Properties": {
            "MinCapacity": 1, "MaxCapacity": 3, "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/chat/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }});
        resources["TrackingPolicy"] = json!({"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {
            "PolicyName": "track", "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "ScalableTarget"},
            "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5},
        }});
    }
    json!({
        "Resources": resources,
        "Outputs": {"EndpointConfigName": {"Value": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}}},
    })
}
