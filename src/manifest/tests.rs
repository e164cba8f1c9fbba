//! What reading says, as people see it, and the validator held against JSON Schema.

use expect_test::{Expect, expect};
use serde_json::{Map, Value, json};

use super::*;
use crate::diagnostic::{Diagnostics, SourceMap};

const EXAMPLES: [&str; 6] = [
    include_str!("examples/Environment.yaml"),
    include_str!("examples/Model.yaml"),
    include_str!("examples/Hardware.yaml"),
    include_str!("examples/Scaling.yaml"),
    include_str!("examples/Role.yaml"),
    include_str!("examples/Endpoint.yaml"),
];

fn read(files: &[(&str, &str)], choice: Option<&str>) -> (Vec<EnvironmentSet>, Diagnostics, SourceMap) {
    let mut sources = SourceMap::default();
    let input = |(name, text): &(&str, &str)| Input { name: (*name).into(), bytes: (*text).into(), named: false };
    let (manifests, mut findings) = parse(files.iter().map(input).collect(), &mut sources);
    let (sets, more) = environments(manifests, choice);
    findings.extend(more);
    (sets, findings.sorted(), sources)
}

fn show(findings: &Diagnostics, sources: &SourceMap) -> String {
    let mut text = String::new();
    for finding in findings {
        text += &format!("{} {}\n", finding.code.number(), finding.message);
        for label in &finding.labels {
            let place = sources.position(label.span);
            let line = sources.text(label.span.file);
            let under = line.get(label.span.start as usize..label.span.end as usize).unwrap_or("?");
            text += &format!("  {place} `{}` {}\n", under.escape_debug(), label.text);
        }
        text.extend(finding.help.iter().map(|help| format!("  help: {help}\n")));
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Findings in one file.
fn check(text: &str, expect: Expect) {
    let (_, findings, sources) = read(&[("a.yaml", text)], None);
    expect.assert_eq(&show(&findings, &sources));
}

/// Findings and environments of several files.
fn check_environments(files: &[(&str, &str)], choice: Option<&str>, expect: Expect) {
    let (sets, findings, sources) = read(files, choice);
    let mut text = String::new();
    for set in &sets {
        let ResolvedEnvironment { name, prefix, folder, protect, .. } = &set.environment;
        text += &format!("{name} (prefix {prefix}, folder {:?}, protect {protect})", folder.display().to_string());
        text.extend(set.documents.iter().map(|document| format!(" {}/{}", document.kind, document.name)));
        text.extend(set.refused.iter().map(|(kind, name)| format!(" refused {kind}/{name}")));
        text += "\n";
    }
    expect.assert_eq(&(text + &show(&findings, &sources)));
}

fn endpoint(spec: &str) -> String {
    format!("apiVersion: hubform/v1\nkind: Endpoint\nmetadata: {{name: chat}}\nspec:\n{spec}")
}

#[test]
fn the_shortest_manifest_is_fine() {
    check(&endpoint("  model: BAAI/bge-small-en-v1.5\n"), expect![""]);
    let (sets, _, _) = read(&[("a.yaml", &endpoint("  model: BAAI/bge-small-en-v1.5\n"))], None);
    let Spec::Endpoint(spec) = &sets[0].documents[0].spec else { panic!("an endpoint") };
    assert_eq!(spec.model, Some(Reference::HubId("BAAI/bge-small-en-v1.5".to_owned())));
    let origin = &sets[0].documents[0].origin;
    assert_eq!(origin.span("/spec/model/hub").start, endpoint("  model: ").len() as u32);
}

#[test]
fn examples_are_fine_and_typed() {
    let files: Vec<_> = EXAMPLES.iter().enumerate().map(|(i, text)| (format!("prod/{i}.yaml"), *text)).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let (sets, findings, sources) = read(&files, None);
    assert_eq!(show(&findings, &sources), "");
    let set = &sets[0];
    let Spec::Model(model) = &set.get(Kind::Model, "qwen").expect("the model").spec else { panic!("a model") };
    let env: Vec<_> = model.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["FLAG=on", "LEVEL=debug", "MODE=0777", "RATIO=1.50", "RETRIES=3"]);
    let Spec::Endpoint(chat) = &set.get(Kind::Endpoint, "chat").expect("the endpoint").spec else { panic!() };
    assert_eq!(chat.alarms, None);
    let scaling = chat.scaling.as_ref().and_then(Reference::inline).expect("inline scaling");
    assert_eq!((scaling.min, scaling.max), (Some(2), Some(8)));
    assert_eq!(
        chat.network.as_ref().and_then(Setting::on).expect("a network").subnets,
        Some(Values::One(Value_::Ssm("/net/subnets".into())))
    );
    let Spec::Hardware(hardware) = &set.get(Kind::Hardware, "gpu-small").expect("hardware").spec else { panic!() };
    assert_eq!(hardware.instances.as_ref().expect("instances")[0].kind, "ml.g6.xlarge");
    assert_eq!(hardware.volume, Some(Size(200 << 30)));
}

use super::Value as Value_;

#[test]
fn every_finding_of_a_document_comes_in_one_run() {
    check(
        &endpoint(concat!(
            "  modle: x/y\n",
            "  hardware: {instance: [ml.g6.xlarge], volume: 200GB}\n",
            "  scaling: {min: two, max: 2}\n",
            "  rollout: {strategy: canry, size: 60%, bake: 10, drain: 2h}\n",
            "  capture: {percent: 10%}\n",
            "  timeouts: {startup: 30s}\n",
            "  network:\n",
        )),
        expect![[r#""#]],
    );
}

#[test]
fn rules_between_fields() {
    check(
        &endpoint(concat!("  model: {hub: a/b, s3: s3://b/m/, engine: custom}\n", "  scaling: {min: 3, max: 2}\n",)),
        expect![[r#""#]],
    );
    check(
        &endpoint(concat!(
            "  model: {hub: a/b, engine: custom, args: {--x/y: 1}, env: {1X: a}}\n",
            "  scaling: {min: 3, max: 2, initial: 5, schedules: [{name: a, rate: 1 day}]}\n",
            "  rollout: {strategy: linear, size: 5%}\n",
            "  network: {subnets: []}\n",
            "  resources: {my-topic: {}}\n",
            "  role: arn:aws:iam::${acount}:role/x\n",
        )),
        expect![[r#""#]],
    );
}

#[test]
fn what_comes_later_is_refused_by_name() {
    check(
        &endpoint(concat!(
            "  mode: async\n",
            "  model: {hub: a/b, engine: sglang, token: hf_x}\n",
            "  hardware: {instances: [ml.g6.xlarge, ml.g5.xlarge], reservation: r-1}\n",
            "  scaling: {min: 0, max: 4}\n",
            "  probe: {payload: {a: 1}}\n",
            "---\napiVersion: hubform/v1\nkind: Training\nmetadata: {name: t}\n",
            "---\napiVersion: hubform/v1\nkind: Endpoint\nmetadata: {name: e}\nspec: {variants: []}\n",
        )),
        expect![[r#""#]],
    );
}

#[test]
fn yaml_1_1_is_never_read_silently() {
    check(
        &endpoint(concat!(
            "  model:\n",
            "    hub: a/b\n",
            "    trustRemoteCode: no\n",
            "    context: 0777\n",
            "    revision: 1234567\n",
            "    args: {a: on, b: 1:30, c: .inf, d: \"on\", e: 1_000}\n",
            "    env: {A: no, B: 0777, C: 1:30}\n",
        )),
        expect![[r#""#]],
    );
}

#[test]
fn broken_yaml_hides_nothing_else() {
    check(
        concat!(
            "apiVersion: hubform/v1\nkind: Model\nmetadata: {name: a}\nspec: {hub: a/b, hub: c/d}\n",
            "---\nkind: [\n",
            "---\napiVersion: hubform/v1\nkind: Modle\n",
            "---\n\tx: 1\n",
            "---\napiVersion: hubform/v2\nkind: Model\n",
            "---\nx: !Ref y\n<<: {a: 1}\n? [a]\n: b\napiVersion: hubform/v1\n",
            "---\n- a\n",
            "--- # nothing\n",
            "---\nkind: Model\nmetadata: {name: B}\n",
        ),
        expect![[r#""#]],
    );
}

#[test]
fn secrets_are_refused_and_masked() {
    let token = "a1".repeat(15);
    let text = endpoint(&format!(
        "  model: {{hub: a/b, env: {{T: \"hf\\x5f{token}\", U: hf_{token}, K: AKIA{}}}}} # hf_{token}\n  name: '{{{{resolve:ssm:/x}}}}'\n",
        "A1".repeat(8)
    ));
    check(&text, expect![[r#""#]]);
    let (_, _, sources) = read(&[("a.yaml", &text)], None);
    assert!(!sources.text(crate::diagnostic::FileId(0)).contains(&token));
}

#[test]
fn hostile_files() {
    let deep = "[".repeat(3_000);
    check(&deep, expect![[r#""#]]);
    let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &(1..12)
            .map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", ")))
            .collect::<String>();
    check(&bomb, expect![[r#""#]]);
    check("a: &a [*a]\n", expect![[r#""#]]);

    let mut sources = SourceMap::default();
    let input = |name: &str, bytes: Vec<u8>| Input { name: name.into(), bytes, named: true };
    let inputs = vec![
        input("large.yaml", vec![b' '; (8 << 20) + 1]),
        input("latin.yaml", b"a: b\nname: gr\xf6\xdfe\n".to_vec()),
        input("other.yaml", b"apiVersion: v1\nkind: Pod\n---\napiVersion: apps/v1\n".to_vec()),
    ];
    let (manifests, findings) = parse(inputs, &mut sources);
    assert_eq!(manifests.skipped, 0);
    expect![[r#""#]].assert_eq(&show(&findings, &sources));
}

#[test]
fn a_thousand_documents_have_a_thousand_findings() {
    let one =
        |i: usize| format!("---\n{}", endpoint("  model: a/b\n  routng: random\n").replace("chat", &format!("e{i}")));
    let text: String = (0..1_000).map(one).collect();
    let (_, findings, sources) = read(&[("a.yaml", &text)], None);
    assert_eq!(findings.len(), 1_000);
    let last = findings.iter().last().expect("a finding");
    assert_eq!(sources.position(last.labels[0].span).line, 7_000);
    let broken: String = (0..1_000).map(|_| "---\na: [\n").collect();
    assert_eq!(read(&[("a.yaml", &broken)], None).1.len(), 1_000);
}

const MODEL: &str = "apiVersion: hubform/v1\nkind: Model\nmetadata: {name: m}\nspec: {hub: a/b}\n";

fn environment(name: &str, spec: &str) -> String {
    format!("apiVersion: hubform/v1\nkind: Environment\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n")
}

#[test]
fn documents_belong_to_the_nearest_environment() {
    check_environments(&[("a/m.yaml", MODEL), ("b/x.yaml", "kind2: x\n")], None, expect![[r#""#]]);
    check_environments(
        &[
            ("s/environment.yaml", &environment("dev", "")),
            ("s/m.yaml", MODEL),
            ("s/prod/environment.yaml", &environment("production-eu", "prefix: peu")),
            ("s/prod/x/m.yaml", MODEL),
            ("t/m.yaml", MODEL),
            ("t/n.yaml", MODEL),
        ],
        None,
        expect![[r#""#]],
    );
}

#[test]
fn included_folders_belong_to_all_who_include_them() {
    let files = [
        (
            "dev/environment.yaml",
            environment(
                "dev",
                "include: [../base], patches: [{kind: Model, name: m, spec: {revision: 5, hub: null, s3: s3://b/}}]",
            ),
        ),
        (
            "prod/environment.yaml",
            environment("prod", "include: [../base], patches: [{kind: Model, name: n, spec: {}}]"),
        ),
        ("base/m.yaml", MODEL.to_owned()),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    check_environments(&files, None, expect![[r#""#]]);
    check_environments(&files, Some("prod"), expect![[r#""#]]);
}

#[test]
fn environments_that_cannot_be_told_apart() {
    let several = environment("dev", "") + "---\n" + &environment("a-very-long-name", "");
    let files = [("e.yaml", several.as_str()), ("m.yaml", MODEL)];
    check_environments(&files, None, expect![[r#""#]]);
    check_environments(&files, Some("dev"), expect![[r#""#]]);
    check_environments(&files, Some("dve"), expect![[r#""#]]);
    check_environments(
        &[
            ("a/environment.yaml", &environment("a", "include: [../b]")),
            ("b/environment.yaml", &environment("b", "include: [../a]")),
        ],
        None,
        expect![[r#""#]],
    );
}

/// Every way to drop, add and mistype a field of a document.
fn mutations(value: &Value, at: &str, into: &mut Vec<(String, Box<dyn Fn(&mut Value)>)>) {
    let wrong = [
        json!(12),
        json!("!"),
        json!(true),
        json!([]),
        json!({}),
        json!(""),
        json!(-1),
        json!(1.5),
        json!(["!"]),
        json!(null),
    ];
    for other in wrong {
        let pointer = at.to_owned();
        let set = other.clone();
        into.push((
            format!("{at} = {other}"),
            Box::new(move |root| *root.pointer_mut(&pointer).expect("a place") = set.clone()),
        ));
    }
    let object = |pointer: String, change: Box<dyn Fn(&mut Map<String, Value>)>| -> Box<dyn Fn(&mut Value)> {
        Box::new(move |root| change(root.pointer_mut(&pointer).and_then(Value::as_object_mut).expect("a map")))
    };
    match value {
        Value::Object(map) => {
            into.push((
                format!("{at} + zzz"),
                object(at.to_owned(), Box::new(|map| drop(map.insert("zzz".into(), json!("x"))))),
            ));
            for (key, inner) in map {
                let gone = key.clone();
                into.push((
                    format!("{at} - {key}"),
                    object(at.to_owned(), Box::new(move |map| drop(map.remove(&gone)))),
                ));
                mutations(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                mutations(inner, &format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
}

/// Is this finding about structure, and not about what JSON Schema cannot say?
fn is_structural(text: &str) -> bool {
    !["HF1008", "HF1028", "HF1040"].iter().any(|code| text.starts_with(code)) && !text.contains("must be between 60s")
}

#[test]
fn json_schema_and_the_walk_agree() {
    let mut tried = 0;
    for text in EXAMPLES {
        let mut none = Diagnostics::new();
        let tree = yaml::read(crate::diagnostic::FileId(0), text, &mut none).remove(0).root.expect("a tree");
        let document = tree.json();
        let kind = Kind::find(document["kind"].as_str().expect("a kind")).expect("a kind that is known");
        let validator = jsonschema::validator_for(schema(kind)).expect("a schema that compiles");
        let mut changes: Vec<(String, Box<dyn Fn(&mut Value)>)> = Vec::new();
        mutations(&document, "", &mut changes);
        for (name, change) in changes {
            let mut changed = document.clone();
            change(&mut changed);
            let text = serde_json::to_string(&changed).expect("JSON");
            let mut findings = Diagnostics::new();
            let tree = yaml::read(crate::diagnostic::FileId(0), &text, &mut findings).pop().and_then(|part| part.root);
            let Some(tree) = tree else { continue };
            assert_eq!(tree.json(), changed);
            walk::walk(schema(kind), &tree, &mut findings);
            let ours: Vec<_> = findings.iter().map(|f| format!("{} {}", f.code.number(), f.message)).collect();
            let structural = ours.iter().any(|finding| is_structural(finding));
            assert_eq!(!structural, validator.is_valid(&changed), "{kind}: {name}: {ours:?}");
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn what_json_schema_admits_deserializes() {
    for text in EXAMPLES {
        let (_, findings, sources) = read(
            &[("a.yaml", &text.replace("kind: Endpoint\n      name: chat", "kind: Endpoint\n      name: chat"))],
            None,
        );
        let own: Vec<_> = findings.iter().filter(|f| f.code.number() != "HF1064").collect();
        assert!(own.is_empty(), "{}", show(&findings, &sources));
    }
}
