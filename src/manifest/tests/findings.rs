//! What reading one file says, as people see it.

use expect_test::expect;

use super::*;

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
    let files: Vec<_> = examples().into_iter().enumerate().map(|(i, text)| (format!("prod/{i}.yaml"), text)).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
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
        Some(ValueList::One(super::Value::Ssm("/net/subnets".into())))
    );
    let Spec::Hardware(hardware) = &set.get(Kind::Hardware, "gpu-small").expect("hardware").spec else { panic!() };
    assert_eq!(hardware.instances.as_ref().expect("instances")[0].kind, "ml.g6.xlarge");
    assert_eq!(hardware.volume, Some(Size(200 << 30)));
}

#[test]
fn a_role_in_place_has_no_stack_to_add_to() {
    check(
        &endpoint("  model: x/y\n  role: {statements: [], outputs: {A: {Value: x}}, overrides: {Role: {}}}\n"),
        expect![[r#"
            HF1026 an inline role has no stack of its own for `outputs`
              a.yaml:6:26 `outputs`
              help: set it in the Endpoint, where the role is `ExecutionRole`, or make the role a manifest
            HF1026 an inline role has no stack of its own for `overrides`
              a.yaml:6:52 `overrides`
              help: set it in the Endpoint, where the role is `ExecutionRole`, or make the role a manifest
        "#]],
    );
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
            HF1024 `volume` must be a size such as `16GiB`, not `200GB`
              a.yaml:6:48 `200GB`
              help: write `200GiB`
            HF1022 `min` must be a whole number, not text
              a.yaml:7:18 `two`
            HF1023 `canry` is not a valid `strategy`
              a.yaml:8:23 `canry`
              help: did you mean `canary`?
            HF1024 `bake` needs a unit: a duration such as `90s`, `10m` or `1h30m`
              a.yaml:8:47 `10`
              help: write `10s`, `10m` or `10h`
            HF1025 `drain` must be between 0s and 3600s
              a.yaml:8:58 `2h`
            HF1021 `capture` needs `s3`
              a.yaml:9:3 `capture`
            HF1025 `startup` must be between 60s and 3600s
              a.yaml:10:23 `30s`
            HF1022 `network` is empty; it must be `none` or a map
              a.yaml:11:3 `network`
        "#]],
    );
}

#[test]
fn rules_between_fields() {
    check(
        &endpoint(concat!("  model: {hub: a/b, s3: s3://b/m/, engine: custom}\n", "  scaling: {min: 3, max: 2}\n",)),
        expect![[r#"
            HF1026 `hub` and `s3` cannot be combined
              a.yaml:5:11 `hub`
              a.yaml:5:21 `s3`
            HF1021 the engine `custom` needs an `image`
              a.yaml:5:44 `custom`
            HF1025 `max` is 2, below `min`, 3
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
            HF1023 `1X` is not a valid variable name
              a.yaml:5:61 `1X`
              help: names are letters, digits and `_`, and do not begin with a digit
            HF1025 `max` is 2, below `min`, 3
              a.yaml:6:26 `2`
            HF1025 `initial` is 5: `min` is 3, `max` is 2
              a.yaml:6:38 `5`
            HF1021 a schedule needs `min`, `max` or both
              a.yaml:6:53 `{name: a, rate: 1 day}`
            HF1025 a step of a linear rollout is between 10% and 50%
              a.yaml:7:37 `5%`
            HF1021 `subnets` and `securityGroups` must be set together
              a.yaml:8:12 `{subnets: []}`
            HF1025 `subnets` must have 1 to 16 values
              a.yaml:8:22 `[]`
            HF1023 `my-topic` is not a valid logical id
              a.yaml:9:15 `my-topic`
              help: use letters and digits only
            HF1021 `my-topic` needs `Type`
              a.yaml:9:25 `{}`
            HF1027 unknown placeholder `${acount}`
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
            "---\napiVersion: hubform.dev/v1\nkind: Training\nmetadata: {name: t}\n",
            "---\napiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {name: e}\nspec: {variants: []}\n",
        )),
        expect![[r#"
            HF1040 not yet supported: async endpoints
              a.yaml:5:9 `async`
            HF1040 not yet supported: the engine `sglang`
              a.yaml:6:29 `sglang`
            HF1040 not yet supported: a Hub token
              a.yaml:6:37 `token`
            HF1022 `token` must be a map, not text
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
            HF1022 `revision` must be text, not a number
              a.yaml:9:15 `1234567`
              help: if text is meant, quote it: "1234567"
            HF1008 `on` in `a` is text in YAML 1.2 and `true` in 1.1
              a.yaml:10:15 `**`
              help: write `true`, or "on" in quotes
            HF1008 `1:30` in `b` is read differently by different versions of YAML
              a.yaml:10:22 `1:30`
              help: write "1:30" in quotes, or a plain decimal number
            HF1008 `.inf` in `c` is not a number JSON can represent
              a.yaml:10:31 `.inf`
              help: if text is meant, quote it: ".inf"
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
            "apiVersion: hubform.dev/v1\nkind: Model\nmetadata: {name: a}\nspec: {hub: a/b, hub: c/d}\n",
            "---\nkind: [\n",
            "---\napiVersion: hubform.dev/v1\nkind: Modle\n",
            "---\n\tx: 1\n",
            "---\napiVersion: hubform.dev/v2\nkind: Model\n",
            "---\napiVersion: hubform/v1\nkind: Model\n",
            "---\nx: !Ref y\n<<: {a: 1}\n? [a]\n: b\napiVersion: hubform.dev/v1\n",
            "---\n- a\n",
            "--- # nothing\n",
            "---\nkind: Model\nmetadata: {name: B}\n",
        ),
        expect![[r#"
            HF1006 duplicate key `hub`
              a.yaml:4:18 `hub` again here
              a.yaml:4:8 `hub` first here
            HF1001 unclosed bracket '['
              a.yaml:6:7 `[`
            HF1012 unknown kind `Modle`
              a.yaml:9:7 `Modle`
              help: did you mean `Model`?
            HF1011 unknown version `hubform.dev/v2`
              a.yaml:13:13 `hubform.dev/v2`
              help: write `apiVersion: hubform.dev/v1`
            HF1011 unknown version `hubform/v1`
              a.yaml:16:13 `hubform/v1`
              help: the group was renamed: write `apiVersion: hubform.dev/v1`
            HF1021 the document has no `kind`
              a.yaml:19:1 `x`
            HF1007 tags such as `!Ref` are not allowed
              a.yaml:19:4 `!Ref`
              help: write the long form, `Ref: …`
            HF1007 merge keys are not part of YAML 1.2
              a.yaml:20:1 `<<`
              help: repeat the fields, or put them in a manifest and refer to it
            HF1007 keys must be text
              a.yaml:21:3 `[`
            HF1022 a manifest must be a map, not a list
              a.yaml:25:1 ``
            HF1021 `apiVersion` is missing
              a.yaml:28:1 `kind`
              help: a manifest begins with `apiVersion: hubform.dev/v1`
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
            HF1050 a Hugging Face token is in plain text
              a.yaml:5:30 `**************************************`
              help: revoke it, since anyone who read the file has it; keep secrets in Secrets Manager
            HF1050 a Hugging Face token is in plain text
              a.yaml:5:73 `*********************************`
              help: revoke it, since anyone who read the file has it; keep secrets in Secrets Manager
            HF1050 an AWS access key id is in plain text
              a.yaml:5:111 `********************`
              help: revoke it, since anyone who read the file has it; keep secrets in Secrets Manager
            HF1050 a Hugging Face token is in plain text
              a.yaml:5:136 `*********************************`
              help: revoke it, since anyone who read the file has it; keep secrets in Secrets Manager
            HF1023 `name` must be an endpoint's name: letters, digits and single inner `-`, at most 63, not `{{resolve:ssm:/x}}`
              a.yaml:6:9 `\'{{resolve:ssm:/x}}\'`
            HF1051 dynamic references are not allowed in manifests
              a.yaml:6:9 `\'{{resolve:ssm:/x}}\'`
              help: use `{ssm: NAME}` where an id or ARN is expected
        "#]],
    );
    let (_, _, sources) = read(&[("a.yaml", &text)], None);
    assert!(!sources.text(crate::diagnostic::FileId(0)).contains(&token));
}

#[test]
fn a_value_under_a_secret_name_is_hidden_however_it_begins() {
    let env =
        "DB_PASSWORD: $Sup3rSecret, HF_TOKEN: $mytoken, API_KEY: \"%Pass1%\", SM_VLLM_API_K: s3cr3t, TOKEN: $TOKEN";
    let (_, findings, sources) =
        read(&[("a.yaml", &endpoint(&format!("  model: {{hub: a/b, env: {{{env}}}}}\n")))], None);
    let text = sources.text(crate::diagnostic::FileId(0));
    for value in ["Sup3rSecret", "mytoken", "Pass1", "s3cr3t", "$TOKEN"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
    let named = findings.iter().filter(|it| it.code == crate::diagnostic::Code::SecretByName).map(|it| &*it.message);
    assert_eq!(
        named.collect::<Vec<_>>(),
        ["the value of `DB_PASSWORD` is in plain text", "the value of `API_KEY` is in plain text"]
    );
}

#[test]
fn hostile_files() {
    let deep = "[".repeat(3_000);
    check(
        &deep,
        expect![[r#"
            HF1004 maps and lists are nested more than 64 levels deep
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
    let heavy =
        format!("a: &a \"{}\"\n", "x".repeat(100_000)) + &(0..12).map(|i| format!("b{i}: *a\n")).collect::<String>();
    check(
        &heavy,
        expect![[r#"
        HF1005 aliases repeat more than 1 MiB of text in this document
          a.yaml:12:6 `*`
    "#]],
    );
    check(
        "a: &a [*a]\n",
        expect![[r#"
        HF1005 this alias is inside its own anchor
          a.yaml:1:8 `*`
    "#]],
    );

    let mut sources = SourceMap::default();
    let input = |name: &str, bytes: Vec<u8>| SourceText { name: name.into(), bytes, named: true };
    let inputs = vec![
        input("large.yaml", vec![b' '; (8 << 20) + 1]),
        input("latin.yaml", b"a: b\nname: gr\xf6\xdfe\n".to_vec()),
        input("other.yaml", b"apiVersion: v1\nkind: Pod\n---\napiVersion: apps/v1\n".to_vec()),
    ];
    let (manifests, findings) = parse(inputs, &mut sources);
    assert_eq!(manifests.skipped, 0);
    expect![[r#"
        HF1003 the file is larger than 8 MiB, the limit
          large.yaml:1:1 ``
        HF1002 the file is not UTF-8 from here on
          latin.yaml:2:9 ``
        HF1010 `v1` is not hubform's; a file named on the command line must contain only manifests
          other.yaml:1:13 `v1`
        HF1010 `apps/v1` is not hubform's; a file named on the command line must contain only manifests
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
