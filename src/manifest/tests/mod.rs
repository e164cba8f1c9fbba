//! Helpers of this room's tests: files in, findings and environments out as text.

mod agreement;
mod environments;
mod findings;

use expect_test::Expect;

use super::*;

use crate::diagnostic::{Diagnostics, SourceMap};

/// One manifest of each kind, with all its fields.
fn examples() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manifest/examples");
    let text = |kind: &Kind| std::fs::read_to_string(folder.join(format!("{kind}.yaml")));
    Kind::ALL.iter().map(|kind| text(kind).unwrap_or_else(|why| panic!("no example of {kind}: {why}"))).collect()
}

fn read(files: &[(&str, &str)], choice: Option<&str>) -> (Vec<EnvironmentSet>, Diagnostics, SourceMap) {
    let mut sources = SourceMap::default();
    let input = |(name, text): &(&str, &str)| SourceText { name: (*name).into(), bytes: (*text).into(), named: false };
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
    format!("apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata: {{name: chat}}\nspec:\n{spec}")
}
