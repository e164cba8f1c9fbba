//! The linter is there, passes what is right and finds what is wrong.

use std::{fs, path::PathBuf};

use crate::support::peers::{environment, lint};

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
