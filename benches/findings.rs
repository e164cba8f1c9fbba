//! What goes wrong in great numbers: 100,000 unknown fields, 10,000 dangling references beside as many Models, and
//! 10,000 environments, read and told. Aim: each under 2 s and 500 MB, in proportion to its number.

mod support;

use std::time::Instant;

use hubform::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::SourceMap,
    manifest::{Input, environments, parse},
    report,
    resolve::{Lock, Scope, resolve},
};
use support::{Findings, peak, processor, seconds, table};

const KINDS: [(&str, usize); 3] = [("unknown fields", 100_000), ("dangling", 10_000), ("environments", 10_000)];
const HEADINGS: [&str; 4] = ["total s", "processor s", "findings", "peak MiB"];

fn main() {
    let case = |(kind, most): (&str, usize)| [most / 10, most].map(|size| vec![kind.to_owned(), size.to_string()]);
    let cases: Vec<_> = KINDS.into_iter().flat_map(case).collect();
    table("findings: great numbers of them", &HEADINGS, &cases, 2, measure);
}

fn measure(case: &[String]) -> Findings {
    let size: usize = case[1].parse().expect("a case has a size");
    let files = match case[0].as_str() {
        "unknown fields" => unknown_fields(size),
        "dangling" => dangling(size),
        _ => (0..size).map(|number| (format!("e{number}/environment.yaml"), environment(number))).collect(),
    };
    let (began, used) = (Instant::now(), processor());
    let found = told(files);
    Findings::from([
        ("total s".to_owned(), seconds(began.elapsed())),
        ("processor s".to_owned(), processor() - used),
        ("findings".to_owned(), found as f64),
        ("peak MiB".to_owned(), peak()),
    ])
}

const HEAD: &str = "apiVersion: hubform.dev/v1\n";

fn unknown_fields(size: usize) -> Vec<(String, String)> {
    let fields: String = (0..size).map(|number| format!("  field{number}: x\n")).collect();
    vec![("e.yaml".to_owned(), format!("{HEAD}kind: Endpoint\nmetadata: {{name: e}}\nspec:\n  model: a/b\n{fields}"))]
}

fn dangling(size: usize) -> Vec<(String, String)> {
    let of = |kind: &str, text: &dyn Fn(usize) -> String| {
        let documents: Vec<String> = (0..size).map(text).collect();
        (format!("{kind}.yaml"), documents.join("---\n"))
    };
    let endpoint =
        |number| format!("{HEAD}kind: Endpoint\nmetadata: {{name: e{number}}}\nspec: {{model: gone{number}}}\n");
    let model =
        |number| format!("{HEAD}kind: Model\nmetadata: {{name: m{number}}}\nspec: {{hub: BAAI/bge-small-en-v1.5}}\n");
    vec![of("endpoints", &endpoint), of("models", &model)]
}

fn environment(number: usize) -> String {
    format!("{HEAD}kind: Environment\nmetadata: {{name: e{number}}}\nspec: {{prefix: p}}\n")
}

/// Reads, resolves and tells, as `validate` does; how many findings there were.
fn told(files: Vec<(String, String)>) -> usize {
    let inputs = files.into_iter().map(|(name, text)| Input { name, bytes: text.into(), named: true });
    let mut sources = SourceMap::default();
    let (manifests, mut found) = parse(inputs.collect(), &mut sources);
    let (sets, more) = environments(manifests, None);
    found.extend(more);
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let scope = |set| Scope {
        set,
        target: target.clone(),
        target_name: "default".to_owned(),
        account: None,
        lock: Lock::default(),
        lock_file: "hubform.lock".into(),
        locked: None,
        today: false,
    };
    let scopes: Vec<Scope> = sets.into_iter().map(scope).collect();
    let (_, more) = resolve(&scopes, Catalog::embedded());
    found.extend(more);
    let found = found.sorted();
    let context = report::Context { width: 100, color: false, unicode: true, label: None };
    let text = report::diagnostics::human(&found, &sources, &context);
    let json = report::diagnostics::json_lines(&found, &sources, &context);
    assert!(text.len() + json.len() > 0 || found.is_empty());
    found.len()
}
