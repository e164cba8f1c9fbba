//! What is waited for before anything is planned.

use serde_json::json;

use super::FORMAT;
use crate::plan::Blocking;

/// One sentence, as `an operation runs on dev-endpoint-chat (Endpoint/chat): UPDATE_IN_PROGRESS`.
pub fn human(blocking: &[Blocking]) -> String {
    let stacks: Vec<String> =
        blocking.iter().map(|one| format!("{} ({}): {}", one.stack, one.manifest, one.status)).collect();
    match stacks.as_slice() {
        [one] => format!("an operation runs on {one}"),
        _ => format!("operations run on {}", stacks.join(", ")),
    }
}

/// For programs: one object per stack.
pub fn json_lines(blocking: &[Blocking], label: Option<&str>) -> String {
    let line = |one: &Blocking| {
        let line = json!({"format": FORMAT, "type": "waiting", "imagined": label, "stack": one.stack,
                          "status": one.status, "manifest": one.manifest});
        format!("{line}\n")
    };
    blocking.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cloud::{StackRef, StackStatus, Target};

    #[test]
    fn each_stack_is_a_line_for_programs() {
        let blocking = ["chat", "search"].map(|name| {
            let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
            let stack = StackRef { target, name: format!("dev-endpoint-{name}") };
            Blocking { stack, status: StackStatus::UpdateInProgress, manifest: format!("Endpoint/{name}") }
        });
        expect![[r#"
            operations run on dev-endpoint-chat (Endpoint/chat): UPDATE_IN_PROGRESS, dev-endpoint-search (Endpoint/search): UPDATE_IN_PROGRESS
            {"format":1,"imagined":"imagined account","manifest":"Endpoint/chat","stack":{"name":"dev-endpoint-chat","target":{"region":"us-east-1"}},"status":"UPDATE_IN_PROGRESS","type":"waiting"}
            {"format":1,"imagined":"imagined account","manifest":"Endpoint/search","stack":{"name":"dev-endpoint-search","target":{"region":"us-east-1"}},"status":"UPDATE_IN_PROGRESS","type":"waiting"}
        "#]].assert_eq(&format!("{}\n{}", human(&blocking), json_lines(&blocking, Some("imagined account"))));
    }
}
