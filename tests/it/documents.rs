//! What the documents say is held against what there is: quoted output, named fields, links.

use std::{collections::BTreeSet, fs, path::Path};

use hubform::{
    cli::Exit,
    manifest::{Kind, schema},
};
use serde_json::Value;

use crate::{cases, support};

const DOCUMENTS: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/manifests.md"];

fn read(path: impl AsRef<Path>) -> String {
    let path = support::root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fenced blocks without a language.
fn plain_blocks(text: &str) -> Vec<&str> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix('\n')).collect()
}

#[test]
fn output_that_the_readme_quotes_stands_in_a_transcript() {
    let readme = read("README.md");
    let transcripts: Vec<_> = cases::folders().iter().map(|case| read(case.join("expected.txt"))).collect();
    let lines: BTreeSet<&str> = transcripts.iter().flat_map(|text| text.lines()).collect();
    let blocks = plain_blocks(&readme);
    let quoted: Vec<_> = blocks.iter().filter(|block| block.contains(" stack ")).collect();
    assert_eq!(quoted.len(), 2, "the README quotes a plan that creates and one that replaces");
    let invented: Vec<_> = quoted.iter().flat_map(|block| block.lines()).filter(|line| !lines.contains(line)).collect();
    assert!(invented.is_empty(), "no transcript says\n{}", invented.join("\n"));
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let rows = Exit::ALL.map(|(_, code, means)| format!("| {code} | {means} |"));
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(document);
        let said = text.lines().skip_while(|line| *line != "| exit | means |").skip(2);
        let said: Vec<&str> = said.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(said, rows, "{document}");
    }
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = read("README.md");
    let commands: Vec<_> = plain_blocks(&readme)[0].lines().collect();
    assert!(commands[0].starts_with("cargo sandbox apply stacks/quickstart "), "{}", commands[0]);
    assert!(commands[1].starts_with("cargo test "), "{}", commands[1]);
    assert!(read(".ci/run").lines().any(|line| line == "step cargo test"), "CI runs the README's test command");
}

/// Fields of a kind, those that are not supported yet included.
fn fields(kind: Kind) -> BTreeSet<String> {
    let spec = &schema(kind)["properties"]["spec"];
    let spec = match spec["$ref"].as_str() {
        Some(to) => schema(kind).pointer(to.trim_start_matches('#')).expect("references lead somewhere"),
        None => spec,
    };
    spec["properties"]
        .as_object()
        .into_iter()
        .flat_map(|fields: &serde_json::Map<String, Value>| fields.keys().cloned())
        .collect()
}

#[test]
fn every_field_of_the_language_is_on_its_page() {
    let page = read("docs/manifests.md");
    for kind in Kind::ALL {
        let fields = fields(*kind);
        assert!(!fields.is_empty(), "{kind} has fields");
        let missing: Vec<_> = fields.iter().filter(|field| !page.contains(&format!("`{field}`"))).collect();
        assert!(missing.is_empty(), "docs/manifests.md does not name {missing:?} of {kind}");
    }
}

#[test]
fn links_lead_somewhere() {
    for document in DOCUMENTS {
        let (text, folder) = (read(document), Path::new(document).parent().expect("a file is in a folder"));
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { Path::new(document).to_path_buf() } else { folder.join(file) };
            assert!(support::root().join(&path).exists(), "{document} links to {target}");
            let headings = if anchor.is_empty() { BTreeSet::new() } else { headings(&read(&path)) };
            assert!(anchor.is_empty() || headings.contains(anchor), "{document} links to {target}");
        }
    }
}

/// The anchors of headings, as GitHub makes them.
fn headings(text: &str) -> BTreeSet<String> {
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}
