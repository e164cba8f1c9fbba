//! What a request waits for.

use expect_test::{Expect, expect};

use super::{Scenario, endpoint, request_of};
use crate::plan::blocking::{blocking, blocking_to_destroy};

fn check(chosen: &[&str], destroy: bool, expect: &Expect) {
    let body = endpoint("ml.g5.xlarge", 1, "x");
    let wanted = format!(
        "- {{stack: chat, needs: [role], parameters: {{RoleArn: role.RoleArn}}, body: {body}}}\n\
         - {{stack: other, needs: [role], parameters: {{RoleArn: role.RoleArn}}, body: {body}}}\n\
         - {{stack: taken, body: {body}}}\n- {{stack: role, kind: Role, body: {body}}}"
    );
    let live = "- {stack: role, kind: Role, status: UPDATE_IN_PROGRESS, body: {}}\n\
                - {stack: other, status: UPDATE_ROLLBACK_IN_PROGRESS, body: {}}\n\
                - {stack: taken, tags: false, status: UPDATE_IN_PROGRESS, body: {}}\n\
                - {stack: stranger, tags: false, status: UPDATE_IN_PROGRESS, body: {}}";
    let scenario = Scenario { wanted: &wanted, live, chosen, destroy, ..Scenario::default() };
    let found = request_of(&scenario, |request| match destroy {
        true => blocking_to_destroy(request),
        false => blocking(request),
    });
    let lines: Vec<_> = found.iter().map(|one| format!("{} {} {}", one.stack, one.manifest, one.status)).collect();
    expect.assert_eq(&lines.join("\n"));
}

#[test]
fn only_what_the_request_needs_and_only_ours() {
    check(&["chat"], false, &expect!["role Role/role UPDATE_IN_PROGRESS"]);
    check(&["chat"], true, &expect![""]);
    check(
        &["other", "role"],
        true,
        &expect![[r#"
        other Endpoint/other UPDATE_ROLLBACK_IN_PROGRESS
        role Role/role UPDATE_IN_PROGRESS"#]],
    );
    check(&["taken"], false, &expect![""]);
}
