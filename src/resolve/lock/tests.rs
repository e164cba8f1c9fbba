use super::*;

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

fn read(text: &str) -> Result<Lock, LockError> {
    Lock::parse(text, &BTreeSet::from(["dev".to_owned()]))
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
fn what_is_no_lock_of_ours_is_named() {
    assert_eq!(read("format: 7\n"), Err(LockError::Format { found: 7 }));
    let merged = "format: 2\nenvironments:\n<<<<<<< ours\n  a: {}\n=======\n  b: {}\n>>>>>>> theirs\n";
    assert_eq!(read(merged), Err(LockError::Conflict { line: 3 }));
    for text in ["a: b", "format: 2\nenvironments: {dev: {owner: me}}\n", "format: 2\nmore: 1\n"] {
        assert!(matches!(read(text), Err(LockError::Unreadable(_))), "{text}");
    }
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
        let found = &lock.environments["dev"].choices["Endpoint/a@default"]["AllTraffic"][name];
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
