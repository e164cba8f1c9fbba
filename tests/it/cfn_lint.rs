//! Every template that a case renders passes CloudFormation's linter without a finding, all of them in one run. The
//! linter itself is tried too: it passes what is right and finds what is wrong.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::{
    cases,
    support::peers::{environment, lint},
};

const RIGHT: &str = r#"{"Resources": {"Group": {"Type": "AWS::SageMaker::ModelPackageGroup",
    "Properties": {"ModelPackageGroupName": "models"}}}}"#;
const WRONG: &str = r#"{"Resources": {"Model": {"Type": "AWS::SageMaker::Model",
    "Properties": {"ExecutionRoleArn": {"Ref": "Nobody"}, "EnableNetworkIsolation": "perhaps"}}}}"#;

#[test]
fn a_wrong_template_among_right_ones_is_found() {
    if environment("cfn-lint").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, body: &str| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, body).expect("a file can be written");
        path
    };
    let (right, wrong) = (write("right.json", RIGHT), write("wrong.json", WRONG));

    assert_eq!(lint(std::slice::from_ref(&right)), Ok(()));

    let findings = lint(&[right, wrong]).expect_err("the second template is wrong");
    let of = |file: &str| findings.lines().filter(|line| line.contains(file)).count();
    assert_eq!(of("right.json"), 0, "{findings}");
    assert_eq!(of("wrong.json"), 2, "{findings}");
    assert!(findings.contains("E1020:'Nobody'") && findings.contains("E3012:'perhaps'"), "{findings}");
}

#[test]
fn every_template_of_the_cases_is_right() {
    if environment("cfn-lint").is_none() {
        return;
    }
    let templates: BTreeSet<_> = cases::played().iter().flat_map(|case| &case.templates).collect();
    assert!(!templates.is_empty(), "the cases render nothing");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files: Vec<PathBuf> = (0..)
        .zip(templates)
        .map(|(at, (name, body))| {
            let path = folder.path().join(format!("{at}-{name}"));
            fs::write(&path, body).expect("a file can be written");
            path
        })
        .collect();
    if let Err(findings) = lint(&files) {
        let kept = folder.keep();
        panic!("cfn-lint on {} templates in {}:\n{findings}", files.len(), kept.display());
    }
}
