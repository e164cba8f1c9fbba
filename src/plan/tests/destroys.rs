//! What plans to destroy say.

use expect_test::expect;

use super::{Scenario, check};

const BODY: &str = "{Resources: {R: {Type: 'AWS::SNS::Topic'}, K: {Type: 'AWS::S3::Bucket', DeletionPolicy: Retain}}}";

#[test]
fn dependants_go_first_and_what_is_retained_is_said() {
    let wanted = format!("- {{stack: chat, needs: [role], body: {BODY}}}\n- {{stack: role, kind: Role, body: {BODY}}}");
    let live = format!("- {{stack: chat, body: {BODY}}}\n- {{stack: role, kind: Role, body: {BODY}}}");
    check(
        &Scenario { wanted: &wanted, live: &live, destroy: true, ..Scenario::default() },
        &expect![[r#"
        chat: Delete
          because `K` is retained and stays in the account
          R Remove False
          1. delete
        role: Delete
          because `K` is retained and stays in the account
          R Remove False
          1. delete
    "#]],
    );
}

#[test]
fn what_others_need_stays_even_when_only_their_body_says_so() {
    let body = "{Metadata: {Hubform: {Needs: [role]}}, Resources: {R: {Type: 'AWS::SNS::Topic'}}}";
    let wanted = format!("- {{stack: role, kind: Role, body: {BODY}}}");
    let live = format!("- {{stack: old, body: {body}}}\n- {{stack: role, kind: Role, body: {BODY}}}");
    let chosen = &["role"];
    check(
        &Scenario { wanted: &wanted, live: &live, chosen, destroy: true, ..Scenario::default() },
        &expect![[r#"
        role: Delete
          because `K` is retained and stays in the account
          R Remove False
          1. delete
        HF4007 the stack `role` is needed by `old`
          help: destroy them together, or first apply them without it
    "#]],
    );
    let chosen = &["role", "old"];
    check(
        &Scenario { wanted: &wanted, live: &live, chosen, destroy: true, ..Scenario::default() },
        &expect![[r#"
        old: Delete
          R Remove False
          1. delete
        role: Delete
          because `K` is retained and stays in the account
          R Remove False
          1. delete
    "#]],
    );
}

#[test]
fn a_body_that_cannot_be_read_is_not_deleted() {
    let live = "- {stack: chat, body: 'Resources: ['}\n- {stack: role, kind: Role}";
    check(
        &Scenario { live, chosen: &["chat", "role"], destroy: true, ..Scenario::default() },
        &expect![[r#"
            HF4010 cannot read the template of the stack `chat`: it has no resources
              help: hubform deletes only what it can order; delete this stack with `aws cloudformation delete-stack`
            HF4010 cannot read the template of the stack `role`: it was not fetched
              help: hubform deletes only what it can order; delete this stack with `aws cloudformation delete-stack`
        "#]],
    );
}

#[test]
fn what_carries_the_tags_but_not_the_prefix_stays() {
    let wanted = format!("- {{stack: dev-role-role, name: role, kind: Role, body: {BODY}}}");
    let live = format!(
        "- {{stack: dev-role-role, name: role, kind: Role, body: {BODY}}}\n\
         - {{stack: dev-role-old, name: old, kind: Role, body: {BODY}}}\n- {{stack: copy, kind: Role, body: {BODY}}}"
    );
    let chosen = &["dev-role-role", "dev-role-old", "copy"];
    check(
        &Scenario { wanted: &wanted, live: &live, chosen, destroy: true, ..Scenario::default() },
        &expect![[r#"
            dev-role-old: Delete
              because `K` is retained and stays in the account
              R Remove False
              1. delete
            dev-role-role: Delete
              because `K` is retained and stays in the account
              R Remove False
              1. delete
            copy: Keep
              because it belongs to this environment, but has another prefix: it stays
        "#]],
    );
}

#[test]
fn what_is_protected_needs_the_users_word() {
    let live = "- {stack: chat, protected: true, body: {Resources: {R: {Type: 'AWS::SNS::Topic'}}}}\n\
                - {stack: half, status: ROLLBACK_COMPLETE, protected: true}\n- {stack: theirs, tags: false}";
    let chosen = &["chat", "half", "theirs", "nowhere"];
    check(
        &Scenario { live, chosen, destroy: true, ..Scenario::default() },
        &expect![[r#"
            half: Delete
              because it no longer has a manifest
              1. protect false
              2. delete
              else protect true
            HF4005 Endpoint/chat is protected, and its stack would be deleted
              help: if that is intended, pass `--allow Endpoint/chat`
            HF4001 the stack `theirs` in us-east-1 belongs to none of these environments
              help: hubform destroys only stacks it created
        "#]],
    );
    let (chosen, allow) = (&["chat"], &["Endpoint/chat"]);
    check(
        &Scenario { live, chosen, allow, destroy: true, ..Scenario::default() },
        &expect![[r#"
            chat: Delete
              R Remove False
              1. protect false
              2. delete
              else protect true
        "#]],
    );
}
