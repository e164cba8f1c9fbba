//! Manifests with a great number of one mistake, and what reading, resolving and telling them finds. The bench of findings
//! and the test of their cost share this.

use hubform::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::SourceMap,
    manifest::{SourceText, environments, parse},
    report,
    resolve::{Facts, Scope, resolve},
};

/// A mistake, and how many findings come of so many of it at least.
pub(crate) struct Mistake {
    pub(crate) name: &'static str,
    pub(crate) files: fn(usize) -> Vec<(String, String)>,
    pub(crate) findings: fn(usize) -> usize,
}

/// In one document no more findings are made.
const MOST_IN_ONE: usize = 1_000;

pub(crate) const MISTAKES: [Mistake; 4] = [
    Mistake { name: "unknown fields", files: unknown_fields, findings: |size| size.min(MOST_IN_ONE) },
    Mistake { name: "dangling", files: dangling, findings: |size| size },
    Mistake { name: "environments", files: apart, findings: |size| size },
    Mistake { name: "in one folder", files: together, findings: |_| 1 },
];

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

fn apart(size: usize) -> Vec<(String, String)> {
    (0..size).map(|number| (format!("e{number}/environment.yaml"), environment(number))).collect()
}

fn together(size: usize) -> Vec<(String, String)> {
    (0..size).map(|number| (format!("e{number}.yaml"), environment(number))).collect()
}

fn environment(number: usize) -> String {
    format!(
        "{HEAD}kind: Environment\nmetadata: {{name: e{number}}}\nspec: {{prefix: p, defaults: {{hardware: gone}}}}\n"
    )
}

/// Reads, resolves and tells, as `validate` does; how many findings there were, and how many bytes tell of them.
pub(crate) fn told(files: Vec<(String, String)>) -> (usize, usize) {
    let inputs = files.into_iter().map(|(name, text)| SourceText { name, bytes: text.into(), named: true });
    let mut sources = SourceMap::default();
    let (manifests, mut found) = parse(inputs.collect(), &mut sources);
    let (sets, more) = environments(manifests, None);
    found.extend(more);
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    let scopes: Vec<Scope> = sets.into_iter().map(|set| Scope::new(set, target.clone())).collect();
    let (_, more) = resolve(&scopes, &Facts::known(), Catalog::embedded());
    found.extend(more);
    let found = found.sorted();
    let context = report::Context { width: 100, color: false, unicode: true, label: None };
    let text = report::diagnostics::human(&found, &sources, &context);
    let json = report::diagnostics::json_lines(&found, &sources, &context);
    assert!(text.len() + json.len() > 0 || found.is_empty());
    (found.len(), text.len() + json.len())
}
