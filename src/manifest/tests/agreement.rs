//! Laws: the walk against JSON Schema, merging against RFC 7396, the reader against any text.

use serde_json::{Map, Value, json};

use super::{Diagnostics, Kind, examples, read, schema, walk, yaml};

/// What is known but not yet supported has a structure, too.
const LATER: [&str; 5] = [
    "{apiVersion: hubform.dev/v1, kind: Endpoint, metadata: {name: a}, spec: {components: [{name: main, model: m, copies: 1,
      accelerators: 1, cpus: 0.5, memory: 16GiB, scaling: s}], mode: async, async: {output: s3://b/o, failures: s3://b/f,
      notify: {success: topic, error: {ssm: /t}}, concurrency: 4}, serverless: {memory: 4GiB, concurrency: 5},
      shadow: {model: a/b, sample: 20%}, probe: {payload: {a: 1}, contentType: text, within: 5s}, monitor: {a: [1]}}}",
    "{apiVersion: hubform.dev/v1, kind: Endpoint, metadata: {name: a}, spec: {variants: [{name: a, model: m, hardware: cpu,
      scaling: s, weight: 1}, {name: b, model: a/b}], routing: random, alarms: none, network: none}}",
    "{apiVersion: hubform.dev/v1, kind: Model, metadata: {name: a}, spec: {training: t, version: 7, batchSize: 4,
      token: {secret: hub, key: token}, staging: {s3: s3://b/x/, instance: ml.m5.large}, engine: sglang,
      adapters: [{name: a, hub: a/b, rank: 8}]}}",
    "{apiVersion: hubform.dev/v1, kind: Hardware, metadata: {name: a}, spec: {accelerator: nvidia-l4, objective: cost,
      accelerators: 2, purchase: spot, reservation: {id: a, start: b, end: c}, maxWait: 1h, efa: true}}",
    "{apiVersion: hubform.dev/v1, kind: Environment, metadata: {name: a}, spec: {targets: [{region: eu-west-1}, {name: b}],
      order: [b], budget: {monthly: 5000 USD}, policies: [a], stackSet: {a: 1}}}",
];

type Change = Box<dyn Fn(&mut Value)>;
type MapChange = Box<dyn Fn(&mut Map<String, Value>)>;

/// Every way to drop, add and mistype a field of a document.
fn mutations(value: &Value, at: &str, into: &mut Vec<(String, Change)>) {
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
    let object = |pointer: String, change: MapChange| -> Change {
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

/// Every document of the example environments.
fn stacks() -> Vec<String> {
    let mut documents = Vec::new();
    let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(&path).expect("a manifest");
            let mut none = Diagnostics::new();
            let parts = yaml::read(crate::diagnostic::FileId(0), &text, &mut none);
            documents.extend(parts.into_iter().filter_map(|part| part.root).map(|tree| tree.json().to_string()));
        }
    }
    assert!(documents.len() > 10, "{}", documents.len());
    documents
}

#[test]
fn json_schema_and_the_walk_agree() {
    let mut tried = 0;
    let written: Vec<_> = examples().into_iter().chain(stacks()).collect();
    for text in written.iter().map(String::as_str).chain(LATER) {
        let mut none = Diagnostics::new();
        let tree = yaml::read(crate::diagnostic::FileId(0), text, &mut none).remove(0).root.expect("a tree");
        let document = tree.json();
        let kind = Kind::find(document["kind"].as_str().expect("a kind")).expect("a kind that is known");
        let validator = jsonschema::validator_for(schema(kind)).expect("a schema that compiles");
        let mut changes = Vec::new();
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

/// Kubernetes checks patterns with RE2, which has no look-around and no back-references.
#[test]
fn re2_reads_every_pattern() {
    fn patterns<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                into.extend(map.get("pattern").and_then(Value::as_str));
                map.values().for_each(|value| patterns(value, into));
            }
            Value::Array(items) => items.iter().for_each(|item| patterns(item, into)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for kind in Kind::ALL {
        patterns(schema(*kind), &mut found);
        let re2 = jsonschema::PatternOptions::regex();
        let built = jsonschema::options().with_pattern_options(re2).build(schema(*kind));
        assert!(built.is_ok(), "{}: {:?}", kind.name(), built.err());
    }
    assert!(found.len() > 20, "the schemas have few patterns");
    let digits: Vec<String> = (1..10).map(|digit| format!("\\{digit}")).collect();
    for word in ["(?=", "(?!", "(?<", "\\k", "(?P="].into_iter().chain(digits.iter().map(String::as_str)) {
        assert_eq!(found.iter().find(|pattern| pattern.contains(word)), None, "{word}");
    }
}

#[test]
fn merging_trees_is_rfc_7396() {
    let texts = [
        "a: 1\nb: {c: [1], d: {e: x}}\n",
        "b: {c: null, d: {e: null, f: {g: null, h: 1}}}\n",
        "a: {x: {y: null}}\nb: 2\nz: [null]\n",
        "b: {d: {e: {}}}\na: null\n",
        "[1]\n",
        "x\n",
    ];
    let tree = |text: &str| {
        let mut findings = Diagnostics::new();
        yaml::read(crate::diagnostic::FileId(0), text, &mut findings).remove(0).root.expect("a tree")
    };
    for (document, patch) in texts.iter().flat_map(|a| texts.iter().map(move |b| (tree(a), tree(b)))) {
        let mut expected = document.json();
        json_patch::merge(&mut expected, &patch.json());
        assert_eq!(document.merged(&patch).json(), expected);
    }
}

#[test]
fn no_text_breaks_the_reader() {
    let mut random = fastrand::Rng::with_seed(11);
    let pieces = [
        "---\n",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "\n",
        "  ",
        "\t",
        "&a ",
        "*a",
        "!x ",
        "'",
        "\"",
        "\\",
        "é",
        "\u{feff}",
        "#",
        "|\n",
        ">-\n",
        "null",
        "0777",
        "<<: ",
        "? ",
        "%YAML 1.1\n",
        "hf_",
        "${x}",
        "{{resolve:",
        "\r\n",
        "\0",
        "...\n",
    ];
    let examples = examples();
    for _ in 0..3_000 {
        let mut text = examples[random.usize(..examples.len())].clone();
        for _ in 0..random.usize(1..6) {
            let mut at = || text.floor_char_boundary(random.usize(..=text.len()));
            let (start, end) = (at(), at());
            let end = start + end.saturating_sub(start).min(20);
            text.replace_range(start..text.floor_char_boundary(end), pieces[random.usize(..pieces.len())]);
        }
        let (_, findings, sources) = read(&[("a.yaml", &text)], None);
        for label in findings.iter().flat_map(|finding| &finding.labels) {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(sources.text(label.span.file).get(start..end).is_some(), "{label:?} in {text:?}");
        }
    }
}
