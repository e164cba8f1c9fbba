//! An environment of two targets, as if it were not refused: each is resolved, pinned and planned for itself, though its
//! stacks have the same names.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::{tests::repository, *};
use crate::{
    catalog::Catalog,
    cloud::{OUTPUT_DIGEST, OUTPUT_OWNER, Stack, StackStatus, Timestamp},
    diagnostic::Path as PropertyPath,
    plan::{Observation, ObservedStack, Plan, PlannedEnvironment, Request},
    resolve::OwnerPolicy,
};

const ENVIRONMENT: &str = r#"apiVersion: hubform.dev/v1
kind: Environment
metadata: {name: dev}
spec:
  defaults: {hardware: ml.g6.xlarge}
  targets:
  - {name: us, account: "111122223333", region: us-east-1}
  - name: eu
    account: "444455556666"
    region: eu-west-1
    defaults: {hardware: ml.g5.2xlarge}
    tags: {seat: dublin}
"#;
const ENDPOINT: &str = "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: chat}\n\
                        spec: {model: Qwen/Qwen3-0.6B, role: shared, capture: {percent: 1%, s3: 's3://${account}-${target}/'}}\n";
const ROLE: &str = "apiVersion: hubform.dev/v1\nkind: Role\nmetadata: {name: shared}\nspec: {}\n";

fn load_from(folder: &Path) -> Loaded {
    let mut host = Host { folder: folder.into(), variables: BTreeMap::new(), ..Host::of_process() };
    let options = LoadOptions { owner: OwnerPolicy::Made, ..LoadOptions::default() };
    let mut loaded = load(&mut host, &Selection::default(), &options).expect("it can be loaded");
    let found: Vec<_> = loaded.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(found, ["not yet supported: several targets"]);
    loaded.keep_locks(&mut host, &Selection::default(), &options).expect("it can be written");
    loaded
}

fn two_targets() -> (tempfile::TempDir, Loaded) {
    let files = [("environment.yaml", ENVIRONMENT), ("chat.yaml", ENDPOINT), ("role.yaml", ROLE)];
    let folder = repository(&files);
    let loaded = load_from(folder.path());
    (folder, loaded)
}

/// What stands after an apply, bodies included.
fn applied(loaded: &Loaded) -> Vec<ObservedStack> {
    let stood = |spec: &StackSpec| {
        let envelope = &spec.envelope;
        let stack = &spec.identity.stack;
        let own = [(OUTPUT_DIGEST, spec.digest.clone()), (OUTPUT_OWNER, envelope.owner.clone().unwrap_or_default())];
        let role = ("RoleArn", format!("arn:aws:iam::{}:role/shared", stack.target.region));
        let role = Some(role).filter(|_| !envelope.parameters.contains_key("RoleArn"));
        let (parameter, outputs) = (envelope.parameters.keys(), own.into_iter().chain(role));
        let given = |name: &String| (name.clone(), format!("arn:aws:iam::{}:role/shared", stack.target.region));
        let described = Stack {
            id: format!("arn:{stack}"),
            name: stack.name.clone(),
            status: StackStatus::CreateComplete,
            status_reason: None,
            created_at: Timestamp(0),
            updated_at: None,
            deleted_at: None,
            parameters: parameter.map(given).collect(),
            outputs: outputs.map(|(key, value)| (key.to_owned(), value)).collect(),
            tags: envelope.tags.clone(),
            capabilities: spec.capabilities.clone(),
            role_arn: None,
            notification_arns: Vec::new(),
            termination_protection: false,
        };
        let (target, body) = (stack.target.clone(), Some(spec.body.to_string()));
        ObservedStack {
            stack: described,
            target,
            body,
            change_set: None,
            owner: envelope.owner.clone(),
            not_rolled_back: Default::default(),
        }
    };
    loaded.specs.iter().map(stood).collect()
}

/// Asks something of the whole environment, upon what stands.
fn asked<T>(loaded: &Loaded, stacks: Vec<ObservedStack>, ask: impl Fn(&Request<'_>) -> T) -> T {
    let environments = plan::environments(&loaded.read.scopes, &loaded.facts);
    let accounts =
        |e: PlannedEnvironment| PlannedEnvironment { account: e.target.account.clone().unwrap_or_default(), ..e };
    let (none, observation) = (BTreeSet::new(), Observation { stacks });
    ask(&Request {
        environments: &environments.into_iter().map(accounts).collect::<Vec<_>>(),
        specs: &loaded.specs,
        chosen: &loaded.chosen,
        observation: &observation,
        allow: &none,
        adopt: &none,
        validate: false,
        catalog: Catalog::embedded(),
        nonce: "n",
    })
}

fn check((plan, found): (Plan, Diagnostics), expect: Expect) {
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(plan::audit(&plan), Vec::<String>::new());
    let place = |stack: &StackRef| format!("{} in {}", stack.name, stack.target);
    let line = |step: &plan::Step| {
        let needs: Vec<_> = step.needs.iter().map(place).collect();
        let after = if needs.is_empty() { String::new() } else { format!(", after {}", needs.join(" and ")) };
        format!("{:?} {}{after}\n", step.action, place(&step.identity.stack))
    };
    expect.assert_eq(&plan.steps.iter().map(line).collect::<String>());
}

#[test]
fn each_target_has_its_own_settings_places_and_pins() {
    let (folder, loaded) = two_targets();
    let instance: PropertyPath = "EndpointConfig/Properties/ProductionVariants/0/InstanceType".into();
    let mut said = String::new();
    for spec in &loaded.specs {
        let stack = &spec.identity.stack;
        said += &format!("{stack} in {}", stack.target);
        said.extend(spec.envelope.tags.get("seat").map(|seat| format!(", seat {seat}")));
        said.extend(spec.origins.properties.get(&instance).map(|at| format!(", {} at {}", at.field, at.position)));
        said.extend(spec.body.split('"').find(|text| text.starts_with("s3://")).map(|uri| format!(", {uri}")));
        said += "\n";
    }
    expect![[r#"
        dev-endpoint-chat in 111122223333/us-east-1, spec.defaults.hardware at environment.yaml:5:24, s3://111122223333-us/
        dev-role-shared in 111122223333/us-east-1
        dev-endpoint-chat in 444455556666/eu-west-1, seat dublin, spec.targets[1].defaults.hardware at environment.yaml:11:26, s3://444455556666-eu/
        dev-role-shared in 444455556666/eu-west-1, seat dublin
    "#]].assert_eq(&said);
    let lock = std::fs::read_to_string(folder.path().join("hubform.lock")).expect("it was written");
    let pinned = loaded.resolved.locks["dev"].environments["dev"].choices.keys();
    expect!["Endpoint/chat@eu, Endpoint/chat@us"].assert_eq(&Vec::from_iter(pinned.map(String::as_str)).join(", "));
    load_from(folder.path());
    let again = std::fs::read_to_string(folder.path().join("hubform.lock")).expect("it is there");
    assert_eq!(lock, again, "what was pinned holds");
}

#[test]
fn a_plan_spans_both_and_mixes_nothing_up() {
    let (_folder, loaded) = two_targets();
    check(
        asked(&loaded, Vec::new(), plan::plan),
        expect![[r#"
        Create dev-role-shared in 111122223333/us-east-1
        Create dev-endpoint-chat in 111122223333/us-east-1, after dev-role-shared in 111122223333/us-east-1
        Create dev-role-shared in 444455556666/eu-west-1
        Create dev-endpoint-chat in 444455556666/eu-west-1, after dev-role-shared in 444455556666/eu-west-1
    "#]],
    );
    let stands = applied(&loaded);
    check(
        asked(&loaded, stands.clone(), plan::plan),
        expect![[r#"
        Keep dev-role-shared in 111122223333/us-east-1
        Keep dev-endpoint-chat in 111122223333/us-east-1, after dev-role-shared in 111122223333/us-east-1
        Keep dev-role-shared in 444455556666/eu-west-1
        Keep dev-endpoint-chat in 444455556666/eu-west-1, after dev-role-shared in 444455556666/eu-west-1
    "#]],
    );
    let is_european = |found: &ObservedStack| found.target.region == "eu-west-1";
    let missing = stands.iter().filter(|found| !is_european(found)).cloned().collect();
    check(
        asked(&loaded, missing, plan::plan),
        expect![[r#"
        Keep dev-role-shared in 111122223333/us-east-1
        Keep dev-endpoint-chat in 111122223333/us-east-1, after dev-role-shared in 111122223333/us-east-1
        Create dev-role-shared in 444455556666/eu-west-1
        Create dev-endpoint-chat in 444455556666/eu-west-1, after dev-role-shared in 444455556666/eu-west-1
    "#]],
    );
    check(
        asked(&loaded, stands, plan::destroy),
        expect![[r#"
        Delete dev-endpoint-chat in 111122223333/us-east-1
        Delete dev-role-shared in 111122223333/us-east-1, after dev-endpoint-chat in 111122223333/us-east-1
        Delete dev-endpoint-chat in 444455556666/eu-west-1
        Delete dev-role-shared in 444455556666/eu-west-1, after dev-endpoint-chat in 444455556666/eu-west-1
    "#]],
    );
}

#[test]
fn a_stack_may_need_one_of_another_target() {
    let (_folder, mut loaded) = two_targets();
    let mut stands = applied(&loaded);
    let needed = loaded.specs[2].identity.stack.clone();
    let virginian = &mut loaded.specs[0];
    assert!(virginian.identity.stack != needed && virginian.identity.stack.name == needed.name);
    virginian.envelope.needs.insert(needed);
    check(
        asked(&loaded, Vec::new(), plan::plan),
        expect![[r#"
        Create dev-role-shared in 111122223333/us-east-1
        Create dev-role-shared in 444455556666/eu-west-1
        Create dev-endpoint-chat in 444455556666/eu-west-1, after dev-role-shared in 444455556666/eu-west-1
        Create dev-endpoint-chat in 111122223333/us-east-1, after dev-role-shared in 111122223333/us-east-1 and dev-endpoint-chat in 444455556666/eu-west-1
    "#]],
    );
    // Without the manifest, the body that runs says it.
    loaded.specs[0].envelope.needs.clear();
    let elsewhere = r#""Needs":[{"Account":"444455556666","Name":"dev-endpoint-chat","Region":"eu-west-1"},"#;
    stands[0].body = stands[0].body.take().map(|body| body.replace(r#""Needs":["#, elsewhere));
    check(
        asked(&loaded, stands, plan::destroy),
        expect![[r#"
        Delete dev-endpoint-chat in 111122223333/us-east-1
        Delete dev-role-shared in 111122223333/us-east-1, after dev-endpoint-chat in 111122223333/us-east-1
        Delete dev-endpoint-chat in 444455556666/eu-west-1, after dev-endpoint-chat in 111122223333/us-east-1
        Delete dev-role-shared in 444455556666/eu-west-1, after dev-endpoint-chat in 444455556666/eu-west-1
    "#]],
    );
}
