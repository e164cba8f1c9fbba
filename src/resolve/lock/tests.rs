use super::*;
use crate::diagnostic::SourceMap;

fn pinned<const N: usize>(value: impl Into<Scalar>, from: [(&str, Scalar); N]) -> Pinned {
    Pinned { value: value.into(), from: from.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

fn with(what: &str, pinned: Pinned) -> Lock {
    let mut lock = Lock::default();
    lock.set_owner("dev", "00000000000000e1".to_owned());
    let environment = lock.environments.entry("dev".to_owned()).or_default();
    let servings = environment.choices.entry("Endpoint/a@default".to_owned()).or_default();
    servings.entry("AllTraffic".to_owned()).or_default().insert(what.to_owned(), pinned);
    lock
}

fn read(text: &str) -> Result<Lock, Diagnostics> {
    Lock::parse(FileId(0), text)
}

#[test]
fn a_lock_comes_back_as_it_was_whatever_stands_in_it() {
    let nasty = ["no", "1e3", "12:30", "a, b", "{x}", "#", "it's \"so\"", "- ", "", "null", "ml.c5.large", "s3://b/é/"];
    for text in nasty {
        let from =
            [("task", Scalar::Absent), ("accelerated", true.into()), ("context", 8192u64.into()), (text, text.into())];
        let mut lock = with(text, pinned(text, from));
        lock.environments.insert("empty".to_owned(), LockedEnvironment::default());
        assert_eq!(read(&lock.text()), Ok(lock.clone()), "{}", lock.text());
    }
    let lock = with("scaling-target", pinned(0.5, [("cuda", "13.0".into())]));
    assert_eq!(read(&lock.text()), Ok(lock));
    assert_eq!(read(&Lock::default().text()), Ok(Lock::default()));
}

#[test]
fn what_is_no_lock_of_ours_is_shown_where_it_is_not() {
    let texts = [
        "format: 7\n".to_owned(),
        "format: 2\nenvironments:\n<<<<<<< ours\n  a: {}\n=======\n  b: {}\n>>>>>>> theirs\n".to_owned(),
        "a: b".to_owned(),
        "format: 2\nenvironments: {dev: {owner: me}}\n".to_owned(),
        "format: 2\nmore: 1\n".to_owned(),
        "format: 2\nenvironments: {a: {}, b: {}, a: {}}\n".to_owned(),
        "format: 2\nenvironments: {a: {choices: {E/x@d: {AllTraffic: {image: {value: [x]}}}}}}\n".to_owned(),
        "format: 2\nmodels: !!map {}\n".to_owned(),
        "format: 2\n---\nformat: 2\n".to_owned(),
        format!("format: 2\nmodels: {}", "[".repeat(200_000)),
        format!("format: 2\na: &a {}\n{}", "x".repeat(900_000), "b: *a\n".repeat(3_000)),
    ];
    let mut said = String::new();
    let from = std::time::Instant::now();
    for text in &texts {
        let mut sources = SourceMap::default();
        let file = sources.add("hubform.lock", text.as_str());
        let found = Lock::parse(file, text).expect_err("it is none");
        for finding in &found {
            let place = sources.position(finding.labels[0].span);
            said.push_str(&format!("{} {place} {}\n", finding.code.number(), finding.message));
        }
    }
    assert!(from.elapsed().as_secs() < 5, "what has no end ends at once");
    expect_test::expect![[r#"
        HF2032 hubform.lock:1:9 this lock has format 7, and this hubform reads formats 1 and 2
        HF2051 hubform.lock:3:1 git could not merge this lock
        HF2032 hubform.lock:1:1 hubform does not write this: unknown field `a`, expected one of `format`, `environments`, `unclaimed`, `models`
        HF2032 hubform.lock:2:29 `me` is not an owner id
        HF2032 hubform.lock:2:1 hubform does not write this: unknown field `more`, expected one of `format`, `environments`, `unclaimed`, `models`
        HF2032 hubform.lock:2:30 duplicate key `a`
        HF2032 hubform.lock:2:66 hubform does not write this: invalid type: sequence, expected text, a number, a boolean or nothing
        HF2032 hubform.lock:2:9 tags such as `!!map` are not allowed
        HF2032 hubform.lock:3:1 a second document begins
        HF2032 hubform.lock:2:74 maps and lists are nested more than 64 levels deep
        HF2032 hubform.lock:4:4 aliases repeat more than 1 MiB of text in this document
    "#]].assert_eq(&said);
}

#[test]
fn what_a_lock_says_of_a_model_is_what_hubform_may_write() {
    let commit = "c1899de289a04d12100db370d81485cdf75e47ca";
    let whole = format!(
        "{{commit: {commit}, task: t, dtype: int4 (experts) + bfloat16, license: other, parameters: 1, weightBytes: 1, heads: 1, kvHeads: 1, kvBytesPerToken: 1, maxPositions: 1}}"
    );
    let lock = |facts: &str| format!("format: 2\nmodels:\n  a/b@main: {facts}\n");
    assert!(read(&lock(&whole)).is_ok());
    let odd = [
        (commit, "\"../evil *\""),
        (commit, "abc123"),
        ("task: t", "task: \"a\\nb\""),
        ("task: t", "task: \"\""),
        ("bfloat16", "\u{e9}"),
        ("license: other", "license: \"\\e[2J\""),
        ("parameters: 1", "parameters: 0"),
        ("weightBytes: 1", "weightBytes: 0"),
        ("heads: 1", "heads: 0"),
        ("kvHeads: 1", "kvHeads: 0"),
        ("kvBytesPerToken: 1", "kvBytesPerToken: 0"),
        ("maxPositions: 1", "maxPositions: 0"),
    ];
    let mut said = String::new();
    for (right, wrong) in odd {
        let text = lock(&whole.replace(right, wrong));
        let mut sources = SourceMap::default();
        let file = sources.add("hubform.lock", text.as_str());
        for finding in &Lock::parse(file, &text).expect_err(wrong) {
            let place = sources.position(finding.labels[0].span);
            said.push_str(&format!("{} {place} {}\n", finding.code.number(), finding.message));
        }
    }
    expect_test::expect![[r#"
        HF2032 hubform.lock:3:22 `../evil *` is not a commit
        HF2032 hubform.lock:3:22 `abc123` is not a commit
        HF2032 hubform.lock:3:70 this is not a valid task of a model
        HF2032 hubform.lock:3:70 this is not a valid task of a model
        HF2032 hubform.lock:3:80 this is not a valid dtype of a model
        HF2032 hubform.lock:3:116 this is not a valid license of a model
        HF2032 hubform.lock:3:135 `parameters` cannot be 0
        HF2032 hubform.lock:3:151 `weightBytes` cannot be 0
        HF2032 hubform.lock:3:161 `heads` cannot be 0
        HF2032 hubform.lock:3:173 `kvHeads` cannot be 0
        HF2032 hubform.lock:3:193 `kvBytesPerToken` cannot be 0
        HF2032 hubform.lock:3:210 `maxPositions` cannot be 0
    "#]]
    .assert_eq(&said);
}

/// Every sentence that 0.1 wrote, by the code that wrote it, and one that it did not.
#[test]
fn sentences_of_format_1_become_inputs() {
    let text = |of: &str| Scalar::from(of);
    let cases = [
        ("engine", "vllm", "task text-generation", "engine", text("vllm"), vec![("task", text("text-generation"))]),
        (
            "image",
            "tei-cpu:2.0",
            "engine tei, on processors",
            "image",
            text("tei-cpu:2.0"),
            vec![("engine", text("tei")), ("accelerator", text("cpu"))],
        ),
        (
            "instance",
            "ml.g6.xlarge",
            "model a/b, engine vllm, region us-east-1, tensor parallel 2, context 8192",
            "instance",
            text("ml.g6.xlarge"),
            vec![
                ("model", text("a/b")),
                ("engine", text("vllm")),
                ("region", text("us-east-1")),
                ("tensor-parallel", 2u32.into()),
                ("context", 8192u64.into()),
                ("quantization", Scalar::Absent),
            ],
        ),
        (
            "inference AMI",
            "ami-4-1",
            "CUDA 13.0, g6",
            "inference-ami",
            text("ami-4-1"),
            vec![("cuda", text("13.0")), ("family", text("g6"))],
        ),
        ("initial count", "2", "the endpoint's creation", "initial-count", 2u32.into(), vec![]),
        (
            "scaling target",
            "8 concurrent requests per instance",
            "an accelerator",
            "scaling-target",
            8u32.into(),
            vec![("accelerated", true.into())],
        ),
        (
            "scaling target",
            "cpu 60%",
            "no accelerator",
            "scaling-target",
            60u32.into(),
            vec![("accelerated", false.into())],
        ),
        (
            "start-up timeout",
            "1h",
            "model s3://b/k/, engine vllm",
            "startup-timeout",
            text("1h"),
            vec![("model", text("s3://b/k/")), ("engine", text("vllm"))],
        ),
        (
            "tensor parallel",
            "4",
            "instance ml.g5.12xlarge",
            "tensor-parallel",
            4u32.into(),
            vec![("instance", text("ml.g5.12xlarge"))],
        ),
        (
            "context",
            "2048",
            "model a/b, instance ml.g6.xlarge, tensor parallel 1",
            "context",
            2048u64.into(),
            vec![("model", text("a/b")), ("instance", text("ml.g6.xlarge")), ("tensor-parallel", 1u32.into())],
        ),
        ("volume", "62GiB", "model a/b", "volume", text("62GiB"), vec![("model", text("a/b"))]),
        ("engine", "tei", "what a neighbour said", "engine", text("tei"), vec![]),
    ];
    for (what, value, follows, name, wanted, from) in cases {
        let first = serde_json::json!({ "format": 1, "choices": { "Endpoint/a@default": { what: { "value": value, "follows": follows } } } });
        let lock = read(&first.to_string()).expect("0.1 wrote it");
        let from = from.into_iter().map(|(input, value)| (input.to_owned(), value)).collect();
        let found = &lock.unclaimed["Endpoint/a@default"]["AllTraffic"][name];
        assert_eq!(found, &Pinned { value: wanted, from }, "{follows}");
    }
}

#[test]
fn what_is_laid_over_wins_only_where_it_is_made_from_something_else() {
    let made_from = |value: &str, task: &str| with("engine", pinned(value, [("task", task.into())]));
    let value =
        |lock: Lock| lock.environments["dev"].choices["Endpoint/a@default"]["AllTraffic"]["engine"].value.clone();
    assert_eq!(value(made_from("tei", "t").overlaid(made_from("vllm", "t"))), "tei".into());
    assert_eq!(value(made_from("tei", "t").overlaid(made_from("vllm", "other"))), "vllm".into());
    let base = made_from("tei", "t");
    assert_eq!(base.beyond(&base), Lock::default());
    let mut other = base.clone();
    other.set_owner("dev", "00000000000000e2".to_owned());
    assert_eq!(base.clone().overlaid(other.beyond(&base)).owner("dev"), Some("00000000000000e1"));
    assert_eq!(Lock::default().overlaid(other.beyond(&base)).owner("dev"), Some("00000000000000e2"));
    let mut forgotten = base;
    forgotten.forget("prod", None);
    assert!(!forgotten.environments["dev"].choices.is_empty(), "another environment's choices stay");
    forgotten.forget("dev", Some("a"));
    assert!(forgotten.environments["dev"].choices.is_empty());
}

#[test]
fn a_commit_that_is_known_is_not_forgotten_by_who_says_main() {
    let model = |commit: Option<&str>| LockedModel { commit: commit.map(str::to_owned), ..LockedModel::default() };
    let mut lock = Lock::default();
    lock.set_model("a/b", "main", model(Some("c1")));
    lock.set_model("a/b", "main", model(None));
    assert_eq!(lock.model("a/b", "main").and_then(|model| model.commit.as_deref()), Some("c1"));
}

#[test]
fn what_nobody_claimed_stays_for_who_comes_later() {
    let mut lock =
        Lock { unclaimed: with("engine", pinned("tei", [])).environments["dev"].choices.clone(), ..Lock::default() };
    lock.claim(&["dev".to_owned()]);
    lock.set_owner("prod", "00000000000000e2".to_owned());
    let text = lock.text();
    expect_test::expect![[r#"
        # Whose these environments are, and the choices that hubform made and keeps. Commit this file.
        # A choice is made again only when what it was made from changes, or by `hubform lock --upgrade [NAME]`.
        # What is `unclaimed` comes from a lock of format 1, for environments that are not here yet; delete it when all are.
        format: 2
        environments:
          dev:
            choices:
              Endpoint/a@default:
                AllTraffic:
                  engine: {value: tei, from: {}}
          prod:
            owner: '00000000000000e2'
        unclaimed:
          Endpoint/a@default:
            AllTraffic:
              engine: {value: tei, from: {}}
        models: {}
    "#]].assert_eq(&text);
    let mut later = read(&text).expect("hubform wrote it");
    assert_eq!(later, lock);
    later.claim(&["prod".to_owned(), "dev".to_owned()]);
    assert_eq!(later.environments["prod"].choices, lock.environments["dev"].choices);
}

#[test]
fn of_two_runs_each_keeps_what_it_alone_changed() {
    let base = with("engine", pinned("tei", []));
    let changed = |change: &dyn Fn(&mut Lock)| {
        let mut lock = base.clone();
        change(&mut lock);
        lock
    };
    let pin = |lock: &mut Lock, what: &str, value: &str| {
        let servings = lock.environments.get_mut("dev").and_then(|dev| dev.choices.get_mut("Endpoint/a@default"));
        let choices = servings.and_then(|servings| servings.get_mut("AllTraffic")).expect("it is there");
        choices.insert(what.to_owned(), pinned(value, [("task", "t".into())]));
    };
    let here = changed(&|lock| {
        pin(lock, "image", "one");
        lock.set_owner("prod", "00000000000000e2".to_owned());
    });
    let there = changed(&|lock| {
        lock.forget("dev", None);
        lock.set_model("a/b", "main", LockedModel::default());
    });
    let both = here.merged(&base, &there).expect("nothing is said twice");
    assert_eq!((both.owner("prod"), both.models.len()), (Some("00000000000000e2"), 1));
    let choices = &both.environments["dev"].choices["Endpoint/a@default"]["AllTraffic"];
    assert_eq!(choices.keys().collect::<Vec<_>>(), ["image"], "what was forgotten there is forgotten");
    assert_eq!(there.merged(&base, &here), Ok(both), "whoever comes second");

    let other = changed(&|lock| {
        pin(lock, "image", "two");
        lock.set_owner("prod", "00000000000000e3".to_owned());
    });
    let clashes = here.merged(&base, &other).expect_err("both said something");
    assert_eq!(clashes.iter().filter(|clash| clash.is_new_owner()).count(), 1);
    let said: String = clashes.iter().map(|clash| format!("{clash}\n")).collect();
    expect_test::expect![[r#"
        the owner of `prod`, 00000000000000e3 there and 00000000000000e2 here
        the image of Endpoint/a@default in `dev`, two (from task t) there and one (from task t) here
    "#]]
    .assert_eq(&said);
    assert_eq!(here.merged(&base, &here), Ok(here), "who says the same says nothing against it");
}
