//! Who belongs to whom.

use expect_test::expect;

use super::*;

const MODEL: &str = "apiVersion: hubform.dev/v1\nkind: Model\nmetadata: {name: m}\nspec: {hub: a/b}\n";

fn environment(name: &str, spec: &str) -> String {
    format!("apiVersion: hubform.dev/v1\nkind: Environment\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n")
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
            HF1022 `revision` must be text, not a number
              dev/environment.yaml:4:78 `5`
              help: if text is meant, quote it: "5"
            HF1064 this environment has no Model `n`
              prod/environment.yaml:4:58 `n`
              help: did you mean `m`?
        "#]],
    );
    check_environments(
        &files,
        Some("prod"),
        expect![[r#"
            prod (prefix prod, folder "prod", protect true) Model/m
            HF1064 this environment has no Model `n`
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
            HF1061 this folder has the environments `a-very-long-name` and `dev`
              e.yaml:3:18 `dev`
              e.yaml:8:18 `a-very-long-name`
              help: select one with `--environment NAME`
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
            HF1062 there is no environment `dve`
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

#[test]
fn folders_to_read() {
    let text = environment("dev", "include: [../base, ./x, /abs]");
    let input = SourceText { name: "stacks/dev/environment.yaml".into(), bytes: text.into(), named: false };
    let (manifests, _) = parse(vec![input], &mut SourceMap::default());
    let folders: Vec<_> = manifests.folders().into_iter().map(|path| path.display().to_string()).collect();
    assert_eq!(folders, ["/abs", "stacks/base", "stacks/dev", "stacks/dev/x"]);
}
