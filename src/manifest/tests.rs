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
        Some(Values::One(super::Value::Ssm("/net/subnets".into())))
    );
    let Spec::Hardware(hardware) = &set.get(Kind::Hardware, "gpu-small").expect("hardware").spec else { panic!() };
    assert_eq!(hardware.instances.as_ref().expect("instances")[0].kind, "ml.g6.xlarge");
    assert_eq!(hardware.volume, Some(Size(200 << 30)));
}

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
        expect![[r#"
            HF1021 `spec` needs `model`
              a.yaml:4:1 `spec`
            HF1020 unknown field `modle`
              a.yaml:5:3 `modle`
              help: did you mean `model`?
            HF1020 unknown field `instance`
              a.yaml:6:14 `instance`
              help: did you mean `instances`?
            HF1024 `volume` takes a size such as `16GiB`, not `200GB`
              a.yaml:6:48 `200GB`
              help: write `200GiB`
            HF1022 `min` takes a whole number, not text
              a.yaml:7:18 `two`
            HF1023 `canry` is no value of `strategy`
              a.yaml:8:23 `canry`
              help: did you mean `canary`?
            HF1024 `bake` takes a duration such as `90s`, `10m` or `1h30m`, not a bare number
              a.yaml:8:47 `10`
              help: write `10s`, `10m` or `10h`
            HF1025 `drain` must be between 0s and 3600s
              a.yaml:8:58 `2h`
            HF1021 `s3` is missing in `capture`
              a.yaml:9:3 `capture`
            HF1025 `startup` must be between 60s and 3600s
              a.yaml:10:23 `30s`
            HF1022 `network` is empty; it takes `none` or a map
              a.yaml:11:3 `network`
        "#]],
    );
}

#[test]
fn rules_between_fields() {
    check(
        &endpoint(concat!("  model: {hub: a/b, s3: s3://b/m/, engine: custom}\n", "  scaling: {min: 3, max: 2}\n",)),
        expect![[r#"
            HF1026 `hub` and `s3` exclude each other
              a.yaml:5:11 `hub`
              a.yaml:5:21 `s3`
            HF1021 the engine `custom` needs an `image`
              a.yaml:5:44 `custom`
            HF1025 `max` is 2, below `min`, which is 3
              a.yaml:6:26 `2`
        "#]],
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
        expect![[r#"
            HF1021 the engine `custom` needs an `image`
              a.yaml:5:29 `custom`
            HF1023 flags in `args` have no dashes
              a.yaml:5:44 `--x/y`
              help: write `x/y`
            HF1023 `1X` cannot name a variable
              a.yaml:5:61 `1X`
              help: names are letters, digits and `_`, and do not begin with a digit
            HF1025 `max` is 2, below `min`, which is 3
              a.yaml:6:26 `2`
            HF1025 `initial` lies outside `min` and `max`
              a.yaml:6:38 `5`
            HF1021 a schedule needs `min`, `max` or both
              a.yaml:6:53 `{name: a, rate: 1 day}`
            HF1025 a step of a linear rollout is between 10% and 50%
              a.yaml:7:37 `5%`
            HF1021 `subnets` and `securityGroups` go together
              a.yaml:8:12 `{subnets: []}`
            HF1025 `subnets` takes 1 to 16 values
              a.yaml:8:22 `[]`
            HF1023 `my-topic` cannot be a logical id
              a.yaml:9:15 `my-topic`
              help: logical ids are letters and digits
            HF1021 `Type` is missing in `my-topic`
              a.yaml:9:25 `{}`
            HF1027 `${acount}` stands for nothing
              a.yaml:10:9 `arn:aws:iam::${acount}:role/x`
              help: did you mean `${account}`?
        "#]],
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
        expect![[r#"
            HF1040 not yet supported: async endpoints
              a.yaml:5:9 `async`
            HF1040 not yet supported: the engine `sglang`
              a.yaml:6:29 `sglang`
            HF1040 not yet supported: a Hub token
              a.yaml:6:37 `token`
            HF1022 `token` takes a map, not text
              a.yaml:6:44 `hf_x`
            HF1040 not yet supported: several ranked instance types
              a.yaml:7:14 `instances`
            HF1040 not yet supported: a reservation
              a.yaml:7:55 `reservation`
            HF1040 not yet supported: `min: 0`
              a.yaml:8:18 `0`
            HF1040 not yet supported: a probe
              a.yaml:9:3 `probe`
            HF1040 not yet supported: the kind `Training`
              a.yaml:12:7 `Training`
            HF1040 not yet supported: several variants
              a.yaml:18:8 `variants`
        "#]],
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
        expect![[r#"
            HF1008 `no` in `trustRemoteCode` is text in YAML 1.2 and `false` in 1.1
              a.yaml:7:22 `no`
              help: write `false`, or "no" in quotes
            HF1008 `0777` in `context` is read differently by different versions of YAML
              a.yaml:8:14 `0777`
              help: write "0777" in quotes, or a plain decimal number
            HF1022 `revision` takes text, not a number
              a.yaml:9:15 `1234567`
              help: write "1234567" in quotes where text is meant
            HF1008 `on` in `a` is text in YAML 1.2 and `true` in 1.1
              a.yaml:10:15 `on`
              help: write `true`, or "on" in quotes
            HF1008 `1:30` in `b` is read differently by different versions of YAML
              a.yaml:10:22 `1:30`
              help: write "1:30" in quotes, or a plain decimal number
            HF1008 `c` holds a number that nothing can hold
              a.yaml:10:31 `.inf`
              help: write ".inf" in quotes where text is meant
            HF1008 `1_000` in `e` is read differently by different versions of YAML
              a.yaml:10:49 `1_000`
              help: write "1_000" in quotes, or a plain decimal number
        "#]],
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
        expect![[r#"
            HF1006 the key `hub` is already there
              a.yaml:4:18 `hub` again here
              a.yaml:4:8 `hub` first here
            HF1001 unclosed bracket '['
              a.yaml:6:7 `[`
            HF1012 unknown kind `Modle`
              a.yaml:9:7 `Modle`
              help: did you mean `Model`?
            HF1011 `hubform/v2` is no version that this hubform knows
              a.yaml:13:13 `hubform/v2`
              help: write `apiVersion: hubform/v1`
            HF1021 `kind` is missing in the document
              a.yaml:16:1 `x`
            HF1007 tags such as `!Ref` are not taken
              a.yaml:16:4 `!Ref`
              help: write the long form, `Ref: …`
            HF1007 merge keys are not part of YAML 1.2
              a.yaml:17:1 `<<`
              help: repeat the fields, or name a manifest that holds them
            HF1007 keys are text
              a.yaml:18:3 `[`
            HF1022 a manifest is a map, not a list
              a.yaml:22:1 ``
            HF1021 `apiVersion` is missing
              a.yaml:25:1 `kind`
              help: every manifest has `apiVersion: hubform/v1`
        "#]],
    );
}

#[test]
fn secrets_are_refused_and_masked() {
    let token = "a1".repeat(15);
    let text = endpoint(&format!(
        "  model: {{hub: a/b, env: {{T: \"hf\\x5f{token}\", U: hf_{token}, K: AKIA{}}}}} # hf_{token}\n  name: '{{{{resolve:ssm:/x}}}}'\n",
        "A1".repeat(8)
    ));
    check(
        &text,
        expect![[r#"
        HF1050 a Hugging Face token stands here in plain text
          a.yaml:5:30 `**************************************`
          help: revoke it, for whoever read the file has it; keep secrets in Secrets Manager
        HF1050 a Hugging Face token stands here in plain text
          a.yaml:5:73 `*********************************`
          help: revoke it, for whoever read the file has it; keep secrets in Secrets Manager
        HF1050 an AWS access key id stands here in plain text
          a.yaml:5:111 `********************`
          help: revoke it, for whoever read the file has it; keep secrets in Secrets Manager
        HF1050 a Hugging Face token stands here in plain text
          a.yaml:5:136 `*********************************`
          help: revoke it, for whoever read the file has it; keep secrets in Secrets Manager
        HF1023 `name` takes an endpoint's name: letters, digits and single inner `-`, at most 63, not `{{resolve:ssm:/x}}`
          a.yaml:6:9 `\'{{resolve:ssm:/x}}\'`
        HF1051 dynamic references are not taken in manifests
          a.yaml:6:9 `\'{{resolve:ssm:/x}}\'`
          help: use `{ssm: NAME}` where an id or ARN is expected
    "#]],
    );
    let (_, _, sources) = read(&[("a.yaml", &text)], None);
    assert!(!sources.text(crate::diagnostic::FileId(0)).contains(&token));
}

#[test]
fn hostile_files() {
    let deep = "[".repeat(3_000);
    check(
        &deep,
        expect![[r#"
        HF1004 maps and lists are more than 64 levels deep
          a.yaml:1:66 `[`
    "#]],
    );
    let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &(1..12)
            .map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", ")))
            .collect::<String>();
    check(
        &bomb,
        expect![[r#"
        HF1005 aliases repeat more than 10000 values in this document
          a.yaml:4:45 `*`
    "#]],
    );
    check(
        "a: &a [*a]\n",
        expect![[r#"
        HF1005 an alias inside what it names
          a.yaml:1:8 `*`
    "#]],
    );

    let mut sources = SourceMap::default();
    let input = |name: &str, bytes: Vec<u8>| Input { name: name.into(), bytes, named: true };
    let inputs = vec![
        input("large.yaml", vec![b' '; (8 << 20) + 1]),
        input("latin.yaml", b"a: b\nname: gr\xf6\xdfe\n".to_vec()),
        input("other.yaml", b"apiVersion: v1\nkind: Pod\n---\napiVersion: apps/v1\n".to_vec()),
    ];
    let (manifests, findings) = parse(inputs, &mut sources);
    assert_eq!(manifests.skipped, 0);
    expect![[r#"
        HF1003 the file has 8388609 bytes; at most 8388608 are read
          large.yaml:1:1 ``
        HF1002 the file is not UTF-8 from here on
          latin.yaml:2:9 ``
        HF1010 `v1` is not hubform's; a file named on the command line holds manifests alone
          other.yaml:1:13 `v1`
        HF1010 `apps/v1` is not hubform's; a file named on the command line holds manifests alone
          other.yaml:4:13 `apps/v1`
    "#]]
    .assert_eq(&show(&findings, &sources));
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
    check_environments(
        &[("a/m.yaml", MODEL), ("b/x.yaml", "kind2: x\n")],
        None,
        expect![[r#"
        default (prefix default, folder "a", protect false) Model/m
    "#]],
    );
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
        expect![[r#"
            dev (prefix dev, folder "s", protect false) Model/m
            production-eu (prefix peu, folder "s/prod", protect true) Model/m
            default (prefix default, folder "s", protect false) Model/m
            HF1060 there are two manifests `Model/m`
              t/n.yaml:3:18 `m` again here
              t/m.yaml:3:18 `m` first here
        "#]],
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
    check_environments(
        &files,
        None,
        expect![[r#"
        dev (prefix dev, folder "dev", protect false) refused Model/m
        prod (prefix prod, folder "prod", protect true) Model/m
        HF1022 `revision` takes text, not a number
          dev/environment.yaml:4:78 `5`
          help: write "5" in quotes where text is meant
        HF1064 no Model of this environment is called `n`
          prod/environment.yaml:4:58 `n`
          help: did you mean `m`?
    "#]],
    );
    check_environments(
        &files,
        Some("prod"),
        expect![[r#"
        prod (prefix prod, folder "prod", protect true) Model/m
        HF1064 no Model of this environment is called `n`
          prod/environment.yaml:4:58 `n`
          help: did you mean `m`?
    "#]],
    );
}

#[test]
fn environments_that_cannot_be_told_apart() {
    let several = environment("dev", "") + "---\n" + &environment("a-very-long-name", "");
    let files = [("e.yaml", several.as_str()), ("m.yaml", MODEL)];
    check_environments(
        &files,
        None,
        expect![[r#"
        dev (prefix dev, folder "", protect false) Model/m
        a-very-long-name (prefix a-very-long-name, folder "", protect false) Model/m
        HF1061 this folder has the environments `a-very-long-name` and `dev`
          e.yaml:3:18 `dev`
          e.yaml:8:18 `a-very-long-name`
          help: choose one with `--environment NAME`
        HF1065 `a-very-long-name` has more than 12 characters, so `prefix` must be set
          e.yaml:8:18 `a-very-long-name`
          help: add `prefix` to `spec`; generated names begin with it, and have 63 characters at most
    "#]],
    );
    check_environments(
        &files,
        Some("dev"),
        expect![[r#"
        dev (prefix dev, folder "", protect false) Model/m
    "#]],
    );
    check_environments(
        &files,
        Some("dve"),
        expect![[r#"
        HF1062 no environment is called `dve`
          help: did you mean `dev`?
    "#]],
    );
    check_environments(
        &[
            ("a/environment.yaml", &environment("a", "include: [../b]")),
            ("b/environment.yaml", &environment("b", "include: [../a]")),
        ],
        None,
        expect![[r#"
            a (prefix a, folder "a", protect false)
            b (prefix b, folder "b", protect false)
            HF1063 environments include each other
              b/environment.yaml:4:18 `../a`
              help: a → b → a
        "#]],
    );
}

/// What is known but not yet supported has a structure, too.
const LATER: [&str; 5] = [
    "{apiVersion: hubform/v1, kind: Endpoint, metadata: {name: a}, spec: {components: [{name: main, model: m, copies: 1,
      accelerators: 1, cpus: 0.5, memory: 16GiB, scaling: s}], mode: async, async: {output: s3://b/o, failures: s3://b/f,
      notify: {success: topic, error: {ssm: /t}}, concurrency: 4}, serverless: {memory: 4GiB, concurrency: 5},
      shadow: {model: a/b, sample: 20%}, probe: {payload: {a: 1}, contentType: text, within: 5s}, monitor: {a: [1]}}}",
    "{apiVersion: hubform/v1, kind: Endpoint, metadata: {name: a}, spec: {variants: [{name: a, model: m, hardware: cpu,
      scaling: s, weight: 1}, {name: b, model: a/b}], routing: random, alarms: none, network: none}}",
    "{apiVersion: hubform/v1, kind: Model, metadata: {name: a}, spec: {training: t, version: 7, batchSize: 4,
      token: {secret: hub, key: token}, staging: {s3: s3://b/x/, instance: ml.m5.large}, engine: sglang,
      adapters: [{name: a, hub: a/b, rank: 8}]}}",
    "{apiVersion: hubform/v1, kind: Hardware, metadata: {name: a}, spec: {accelerator: nvidia-l4, objective: cost,
      accelerators: 2, purchase: spot, reservation: {id: a, start: b, end: c}, maxWait: 1h, efa: true}}",
    "{apiVersion: hubform/v1, kind: Environment, metadata: {name: a}, spec: {targets: [{region: eu-west-1}, {name: b}],
      order: [b], budget: {monthly: 5000 USD}, policies: [a], stackSet: {a: 1}}}",
];

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
    !["HF1008", "HF1028", "HF1040"].iter().any(|code| text.starts_with(code))
}

#[test]
fn json_schema_and_the_walk_agree() {
    let mut tried = 0;
    for text in EXAMPLES.into_iter().chain(LATER) {
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
            let mut value = walk::walk(schema(kind), &tree, &mut findings);
            let ours: Vec<_> = findings.iter().map(|f| format!("{} {}", f.code.number(), f.message)).collect();
            let structural = ours.iter().any(|finding| is_structural(finding));
            assert_eq!(!structural, validator.is_valid(&changed), "{kind}: {name}: {ours:?}");
            let spec = value["spec"].take();
            let spec = if spec.is_null() { json!({}) } else { spec };
            assert!(structural || kind.deserialize(spec).is_ok(), "{kind}: {name} does not deserialize");
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
}
