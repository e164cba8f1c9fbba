//! What AWS itself was recorded to answer, as a table: the sandbox's change sets and the planner's announcements are
//! held against it. Two halves of ours that agree prove nothing; each row has a source from outside.
//!
//! Facts alone are taken over. `LS` is localstack/localstack at commit 8b9a79f0, the snapshots below
//! `tests/aws/services/cloudformation`, recorded against AWS and asked for without property values.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hubform::{
    catalog::Catalog,
    clock::SystemClock,
    cloud::{
        ChangeDetail, ChangeSet, ChangeSetType, CreateChangeSet, CreateStack, StackOptions, StackRef, Tags, Target,
    },
    diagnostic::Position,
    gather,
    plan::{self, ChangeKind, PlannedEnvironment, Request},
    render::{Envelope, Identity, Origins, ParameterValue, StackSpec},
    sandbox::{Pace, Sandbox, SandboxSettings},
};
use serde_json::{Value, json};

const ACCOUNT: &str = "000000000000";

/// One recorded update.
struct Row {
    /// Who recorded it.
    source: &'static str,
    /// Template and parameters that ran.
    before: (Value, &'static [(&'static str, &'static str)]),
    /// Template and parameters that were asked for.
    after: (Value, &'static [(&'static str, &'static str)]),
    /// By resource: action and replacement; below it its details: the target's name, whether it requires recreation,
    /// evaluation, source, causing entity.
    says: &'static str,
}

/// Resources and, where there are any, other sections.
fn body(sections: Value, resources: Value) -> Value {
    let mut body = sections;
    body["Resources"] = resources;
    body
}

fn topic(name: impl Into<Value>, shown: impl Into<Value>) -> Value {
    json!({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name.into(), "DisplayName": shown.into()}})
}

fn named(name: impl Into<Value>) -> Value {
    json!({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name.into()}})
}

fn stored(value: impl Into<Value>, more: Value) -> Value {
    let mut properties = more;
    properties["Type"] = json!("String");
    properties["Value"] = value.into();
    json!({"Type": "AWS::SSM::Parameter", "Properties": properties})
}

fn att(id: &str, attribute: &str) -> Value {
    json!({"Fn::GetAtt": [id, attribute]})
}

/// Resources that are surely replaced, and what takes something from them.
fn replaced() -> Vec<Row> {
    let pair = |name: &str, shown: &str, second: Value| {
        body(json!({}), json!({"Topic1": topic(name, shown), "Topic2": topic("second", second)}))
    };
    let reader = |first: Value| json!({"Foo": first, "Parameter": stored(att("Foo", "TopicName"), json!({}))});
    let name_parameter = json!({"Parameters": {"TopicName": {"Type": "String"}}});
    let map = json!({"Mappings": {"M": {"K": {"one": "first", "two": "other"}}}});
    let found = |key: Value| named(json!({"Fn::FindInMap": ["M", "K", key]}));
    let mut both = map.clone();
    both["Parameters"] = name_parameter["Parameters"].clone();
    let looked_up = body(both, reader(found(json!({"Ref": "TopicName"}))));
    let by_parameter = body(name_parameter, reader(named(json!({"Ref": "TopicName"}))));
    let parameters = |name: &str| {
        let second = stored(att("Parameter1", "Value"), json!({}));
        body(json!({}), json!({"Parameter1": stored("kept", json!({"Name": name})), "Parameter2": second}))
    };
    vec![
        Row {
            source: "LS test_change_set_fn_get_attr, test_immutable_property_update_causes_resource_replacement, 2025",
            before: (pair("first", "value", att("Topic1", "DisplayName")), &[]),
            after: (pair("other", "changed", att("Topic1", "DisplayName")), &[]),
            says: "
                Modify Topic1 True
                  DisplayName Never Static DirectModification -
                  TopicName Always Static DirectModification -
                Modify Topic2 False
                  DisplayName Never Static ResourceAttribute Topic1.DisplayName",
        },
        Row {
            source: "LS test_change_set_ref, test_immutable_property_update_causes_resource_replacement, 2025",
            before: (pair("first", "value", json!({"Ref": "Topic1"})), &[]),
            after: (pair("other", "changed", json!({"Ref": "Topic1"})), &[]),
            says: "
                Modify Topic1 True
                  DisplayName Never Static DirectModification -
                  TopicName Always Static DirectModification -
                Modify Topic2 False
                  DisplayName Never Static ResourceReference Topic1",
        },
        Row {
            source: "LS test_change_sets, test_dynamic_update, 2025",
            before: (body(json!({}), reader(named("first"))), &[]),
            after: (body(json!({}), reader(named("other"))), &[]),
            says: "
                Modify Foo True
                  TopicName Always Static DirectModification -
                Modify Parameter False
                  Value Never Static ResourceAttribute Foo.TopicName",
        },
        Row {
            source: "LS test_change_sets, test_parameter_changes, 2025",
            before: (by_parameter.clone(), &[("TopicName", "first")]),
            after: (by_parameter, &[("TopicName", "other")]),
            says: "
                Modify Foo True
                  TopicName Always Dynamic DirectModification -
                  TopicName Always Static ParameterReference TopicName
                Modify Parameter False
                  Value Never Static ResourceAttribute Foo.TopicName",
        },
        Row {
            source: "LS test_change_sets, test_mappings_with_static_fields, 2025",
            before: (body(map.clone(), reader(found(json!("one")))), &[]),
            after: (body(map, reader(found(json!("two")))), &[]),
            says: "
                Modify Foo True
                  TopicName Always Static DirectModification -
                Modify Parameter False
                  Value Never Static ResourceAttribute Foo.TopicName",
        },
        Row {
            source: "LS test_change_sets, test_mappings_with_parameter_lookup, 2025",
            before: (looked_up.clone(), &[("TopicName", "one")]),
            after: (looked_up, &[("TopicName", "two")]),
            says: "
                Modify Foo True
                  TopicName Always Dynamic DirectModification -
                  TopicName Always Static ParameterReference TopicName
                Modify Parameter False
                  Value Never Static ResourceAttribute Foo.TopicName",
        },
        Row {
            source: "LS test_change_sets, test_unrelated_changes_requires_replacement, 2025",
            before: (parameters("first"), &[]),
            after: (parameters("other"), &[]),
            says: "
                Modify Parameter1 True
                  Name Always Static DirectModification -
                Modify Parameter2 False
                  Value Never Static ResourceAttribute Parameter1.Value",
        },
        bucket_policy(),
    ]
}

/// The only public one whose dependent has a create-only property.
fn bucket_policy() -> Row {
    let bucket = json!({"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "BucketName"}}});
    let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "S3Bucket"}, "/*"]]}});
    let policy = json!({"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "S3Bucket"},
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}});
    let body = body(
        json!({"Parameters": {"BucketName": {"Type": "String"}}}),
        json!({"S3Bucket": bucket, "BucketPolicy": policy}),
    );
    Row {
        source: "b-b3rn4rd/gocfn, README.md, a change set of 25 March 2018",
        before: (body.clone(), &[("BucketName", "gellozaa")]),
        after: (body, &[("BucketName", "helloza")]),
        says: "
            Modify BucketPolicy True
              Bucket Always Static ResourceReference S3Bucket
              PolicyDocument Never Static ResourceReference S3Bucket
            Modify S3Bucket True
              BucketName Always Dynamic DirectModification -
              BucketName Always Static ParameterReference BucketName",
    }
}

/// Resources that change in place, and what takes an attribute of them.
fn in_place() -> Vec<Row> {
    let chain = |shown: &str, length: usize| {
        let mut resources = json!({"Topic1": topic("first", shown)});
        for (id, name, of) in [("Topic2", "second", "Topic1"), ("Topic3", "third", "Topic2")].into_iter().take(length) {
            resources[id] = topic(name, att(of, "DisplayName"));
        }
        body(json!({}), resources)
    };
    let described = |text: &str| {
        let second = stored(att("Parameter1", "Value"), json!({}));
        body(json!({}), json!({"Parameter1": stored("kept", json!({"Description": text})), "Parameter2": second}))
    };
    vec![
        Row {
            source: "LS test_change_set_fn_get_attr, test_direct_attribute_value_change, 2025",
            before: (chain("one", 1), &[]),
            after: (chain("two", 1), &[]),
            says: "
                Modify Topic1 False
                  DisplayName Never Static DirectModification -
                Modify Topic2 False
                  DisplayName Never Dynamic ResourceAttribute Topic1.DisplayName",
        },
        Row {
            source: "LS test_change_set_fn_get_attr, test_direct_attribute_value_change_in_get_attr_chain, 2025",
            before: (chain("one", 2), &[]),
            after: (chain("two", 2), &[]),
            says: "
                Modify Topic1 False
                  DisplayName Never Static DirectModification -
                Modify Topic2 False
                  DisplayName Never Dynamic ResourceAttribute Topic1.DisplayName
                Modify Topic3 False
                  DisplayName Never Dynamic ResourceAttribute Topic2.DisplayName",
        },
        Row {
            source: "LS test_change_sets, test_unrelated_changes_update_propagation, 2025",
            before: (described("one"), &[]),
            after: (described("two"), &[]),
            says: "
                Modify Parameter1 False
                  Description Never Static DirectModification -
                Modify Parameter2 False
                  Value Never Dynamic ResourceAttribute Parameter1.Value",
        },
    ]
}

/// What comes from parameters.
fn parameters() -> Vec<Row> {
    let default = |name: &str| {
        let parameter = json!({"Parameters": {"TopicName": {"Type": "String", "Default": name}}});
        body(parameter, json!({"Foo": named(json!({"Ref": "TopicName"}))}))
    };
    let split = |text: &str| {
        let parameter = json!({"Parameters": {"Words": {"Type": "String", "Default": text}}});
        let shown = json!({"Fn::Join": ["_", {"Fn::Split": ["-", {"Ref": "Words"}]}]});
        body(parameter, json!({"Topic1": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": shown}}}))
    };
    let map = json!({"Parameters": {"Environment": {"Type": "String"}},
        "Mappings": {"M": {"prod": {"aws": "of-prod"}, "dev": {"aws": "of-dev"}}}});
    let found = json!({"Fn::FindInMap": ["M", {"Ref": "Environment"}, {"Ref": "AWS::Partition"}]});
    let found = body(map, json!({"Topic1": topic("first", found)}));
    let new = json!({"Parameters": {"Shown": {"Type": "String", "Default": "three"}}});
    let by_sub = json!({"Fn::Sub": ["x: ${it}", {"it": {"Ref": "Shown"}}]});
    let typed = |kind: &str| {
        body(json!({"Parameters": {"Given": {"Type": kind}}}), json!({"P": stored(json!({"Ref": "Given"}), json!({}))}))
    };
    vec![
        Row {
            source: "LS test_change_set_parameters, test_update_parameter_default_value, 2025",
            before: (default("first"), &[]),
            after: (default("other"), &[]),
            says: "
                Modify Foo True
                  TopicName Always Dynamic DirectModification -
                  TopicName Always Static ParameterReference TopicName",
        },
        Row {
            source: "LS test_change_set_parameters, test_parameter_type_change, 2025",
            before: (typed("Number"), &[("Given", "123")]),
            after: (typed("String"), &[("Given", "456")]),
            says: "
                Modify P False
                  Value Never Dynamic DirectModification -
                  Value Never Static ParameterReference Given",
        },
        Row {
            source: "LS test_change_set_fn_split, test_fn_split_with_ref_as_string_source, 2025",
            before: (split("one-two"), &[]),
            after: (split("one-two-three"), &[]),
            says: "
                Modify Topic1 False
                  DisplayName Never Dynamic DirectModification -
                  DisplayName Never Static ParameterReference Words",
        },
        Row {
            source: "LS test_change_set_mappings, test_fn_find_in_map_with_multiple_nested_functions, 2026",
            before: (found.clone(), &[("Environment", "prod")]),
            after: (found, &[("Environment", "dev")]),
            says: "
                Modify Topic1 False
                  DisplayName Never Dynamic DirectModification -
                  DisplayName Never Static ParameterReference Environment",
        },
        Row {
            source: "LS test_change_set_fn_sub, test_fn_sub_addition_parameter, 2025",
            before: (body(json!({}), json!({"Topic1": topic("first", "one")})), &[]),
            after: (body(new.clone(), json!({"Topic1": topic("first", json!({"Fn::Sub": "x: ${Shown}"}))})), &[]),
            says: "
                Modify Topic1 False
                  DisplayName Never Dynamic DirectModification -
                  DisplayName Never Static ParameterReference Shown",
        },
        Row {
            source: "LS test_change_set_fn_sub, test_fn_sub_addition_parameter_ref, 2025",
            before: (body(json!({}), json!({"Topic1": topic("first", "one")})), &[]),
            after: (body(new, json!({"Topic1": topic("first", by_sub)})), &[]),
            says: "
                Modify Topic1 False
                  DisplayName Never Dynamic DirectModification -
                  DisplayName Never Static ParameterReference Shown",
        },
        metadata(),
    ]
}

/// The recording has the bucket's tags beside it, which are shown otherwise here (a known difference).
fn metadata() -> Row {
    let bucket = json!({"Type": "AWS::S3::Bucket", "Metadata": {"Sensitive": {"Ref": "SecretParameter"}}});
    let body = body(json!({"Parameters": {"SecretParameter": {"Type": "String"}}}), json!({"LocalBucket": bucket}));
    Row {
        source: "LS api/test_stacks, test_no_echo_parameter, 2025, its metadata",
        before: (body.clone(), &[("SecretParameter", "one")]),
        after: (body, &[("SecretParameter", "two")]),
        says: "
            Modify LocalBucket False
              Metadata Never Dynamic DirectModification -
              Metadata Never Static ParameterReference SecretParameter",
    }
}

fn rows() -> impl Iterator<Item = Row> {
    replaced().into_iter().chain(in_place()).chain(parameters())
}

#[test]
fn the_sandbox_says_what_aws_said() {
    for row in rows() {
        let set = Play::new(&row).change_set(&row);
        assert!(set.is_executable(), "{}: {:?}", row.source, set.status_reason);
        assert_eq!(all_of(&set), unindented(row.says), "{}", row.source);
    }
}

#[test]
fn the_planner_announces_what_aws_said() {
    // A plan says of metadata that takes a parameter nothing: the text is the same.
    for row in rows().filter(|row| !row.source.ends_with("its metadata")) {
        let said: Vec<String> =
            unindented(row.says).lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect();
        assert_eq!(Play::new(&row).announced(&row), said, "{}", row.source);
    }
}

/// A stack of ours that runs what stood before.
struct Play {
    sandbox: Sandbox,
}

impl Play {
    fn new(row: &Row) -> Self {
        let settings = SandboxSettings { account: ACCOUNT.to_owned(), ..SandboxSettings::default() };
        let play = Self { sandbox: Sandbox::new(settings, Pace::Stepped) };
        let request = CreateStack {
            name: "s".to_owned(),
            body: row.before.0.to_string(),
            parameters: given(row.before.1),
            tags: tags(),
            capabilities: BTreeSet::new(),
            options: StackOptions::default(),
            disable_rollback: false,
            termination_protection: false,
            token: "made".to_owned(),
        };
        now(async {
            let stacks = play.sandbox.accounts().at(&target()).await.expect("a connection").stacks;
            stacks.create_stack(request).await.unwrap_or_else(|error| panic!("{}: {error}", row.source));
        });
        play.sandbox.advance(Duration::from_secs(3600));
        play
    }

    fn change_set(&self, row: &Row) -> ChangeSet {
        let request = CreateChangeSet {
            previous: Default::default(),
            stack: "s".to_owned(),
            name: "asked".to_owned(),
            kind: ChangeSetType::Update,
            body: row.after.0.to_string(),
            parameters: given(row.after.1),
            tags: tags(),
            capabilities: BTreeSet::new(),
            options: StackOptions::default(),
            token: "asked".to_owned(),
        };
        now(async {
            let stacks = self.sandbox.accounts().at(&target()).await.expect("a connection").stacks;
            let ids = stacks.create_change_set(request).await.expect("it is accepted");
            self.sandbox.advance(Duration::from_secs(30));
            stacks.describe_change_set(&ids.change_set).await.expect("an answer").expect("a change set")
        })
    }

    fn announced(&self, row: &Row) -> Vec<String> {
        let spec = spec(&row.after.0, given(row.after.1));
        let accounts = self.sandbox.accounts();
        let targets = BTreeSet::from([target()]);
        let observed = now(gather::observe(gather::Asking::quietly(&*accounts, &SystemClock), &targets, &|_, _| true));
        let environment =
            PlannedEnvironment { name: "dev".to_owned(), owner: None, target: target(), account: ACCOUNT.to_owned() };
        let request = Request {
            environments: &[environment],
            specs: std::slice::from_ref(&spec),
            chosen: &BTreeSet::from([spec.identity.stack.clone()]),
            observation: &observed.expect("nothing is refused here"),
            allow: &BTreeSet::new(),
            adopt: &BTreeSet::from(["Endpoint/s".to_owned()]),
            validate: false,
            catalog: Catalog::embedded(),
            nonce: "n",
        };
        let (plan, found) = plan::plan(&request);
        assert!(!found.has_errors(), "{}: {found:?}", row.source);
        let word = |kind: ChangeKind| match kind {
            ChangeKind::Add => "Add",
            ChangeKind::Modify => "Modify",
            ChangeKind::Remove => "Remove",
        };
        let changes = plan.steps[0].changes.iter();
        changes.map(|change| format!("{} {} {}", word(change.kind), change.logical_id, change.replacement)).collect()
    }
}

fn spec(body: &Value, parameters: BTreeMap<String, String>) -> StackSpec {
    let parameters = parameters.into_iter().map(|(name, value)| (name, ParameterValue::Literal(value))).collect();
    StackSpec {
        identity: Identity {
            stack: StackRef { target: target(), name: "s".to_owned() },
            environment: "dev".to_owned(),
            kind: "Endpoint".into(),
            name: "s".to_owned(),
        },
        envelope: Envelope { parameters, tags: tags(), ..Envelope::default() },
        body: body.to_string().into(),
        digest: "wanted".to_owned(),
        capabilities: BTreeSet::new(),
        overridden: BTreeSet::new(),
        origins: Origins {
            manifest: Position { file: "s.yaml".to_owned(), line: 1, column: 1 },
            properties: BTreeMap::new(),
        },
    }
}

fn target() -> Target {
    Target { account: None, region: "us-east-1".to_owned(), assume_role: None }
}

fn tags() -> Tags {
    let own = [("hubform:environment", "dev"), ("hubform:kind", "Endpoint"), ("hubform:name", "s")];
    own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The change set as rows say it: resources by name, details sorted.
fn all_of(set: &ChangeSet) -> String {
    let mut lines = Vec::new();
    for change in &set.changes {
        let replacement = change.replacement.as_ref().map_or("-".to_owned(), ToString::to_string);
        lines.push(format!("{} {} {replacement}", change.action, change.logical_id));
        let mut details: Vec<String> = change.details.iter().map(detail).collect();
        details.sort();
        lines.extend(details);
    }
    lines.join("\n")
}

fn detail(detail: &ChangeDetail) -> String {
    let name = detail.name.as_deref().unwrap_or(detail.attribute.as_str());
    let (source, entity) = (detail.source.as_deref().unwrap_or("-"), detail.causing_entity.as_deref().unwrap_or("-"));
    format!("  {name} {} {} {source} {entity}", detail.recreation, detail.evaluation)
}

fn unindented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let margin = lines.iter().map(|line| line.len() - line.trim_start().len()).min().unwrap_or_default();
    lines.iter().map(|line| &line[margin..]).collect::<Vec<_>>().join("\n")
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(future)
}
