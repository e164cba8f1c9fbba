//! The stranger finds what was broken on purpose.

use expect_test::{Expect, expect};

use super::{Scenario, endpoint, role, run};
use crate::{
    cloud::{Replacement, Tags},
    plan::{Action, Operation, Plan, audit},
};

fn three_phases() -> Plan {
    let wanted = format!(
        "- {{stack: chat, needs: [role], parameters: {{RoleArn: role.RoleArn}}, body: {}}}\n\
         - {{stack: role, kind: Role, body: {}}}\n- {{stack: kept, protect: true, kind: Role, body: {}}}",
        endpoint("ml.g6.xlarge", 3, "x"),
        role("new"),
        role("new")
    );
    let live = format!(
        "- {{stack: chat, parameters: {{RoleArn: A}}, body: {}}}\n\
         - {{stack: role, kind: Role, outputs: {{RoleArn: A}}, body: {}}}\n\
         - {{stack: kept, kind: Role, protected: true, body: {}}}",
        endpoint("ml.g5.xlarge", 3, "x"),
        role("old"),
        role("old")
    );
    run(&Scenario { wanted: &wanted, live: &live, ..Scenario::default() }).0
}

fn check(spoil: impl Fn(&mut Plan), expect: &Expect) {
    let mut plan = three_phases();
    assert_eq!(audit(&plan), Vec::<String>::new(), "the plan is sound before it is spoiled");
    spoil(&mut plan);
    let mistakes: Vec<String> = audit(&plan).iter().map(|mistake| without_keys(mistake)).collect();
    expect.assert_eq(&mistakes.join("\n"));
}

fn without_keys(mistake: &str) -> String {
    let is_key = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    mistake.split(' ').map(|word| if is_key(word) { "KEY" } else { word }).collect::<Vec<_>>().join(" ")
}

fn chat(plan: &mut Plan) -> &mut crate::plan::Step {
    plan.steps.iter_mut().find(|step| step.identity.stack.name == "chat").expect("a step")
}

fn body_of(operation: Option<&Operation>) -> String {
    operation.and_then(Operation::submission).expect("a body").body.clone()
}

#[test]
fn order_and_scope() {
    check(|plan| plan.steps.reverse(), &expect!["chat: comes before `role`, which it needs"]);
    check(
        |plan| plan.steps.retain(|step| step.identity.stack.name != "role"),
        &expect!["chat: is alone without `role`, which it needs"],
    );
    check(
        |plan| chat(plan).needs.clear(),
        &expect![[r#"
        chat: takes a value of `role` without needing it
        chat: takes a value of `role` without needing it"#]],
    );
    check(
        |plan| plan.environments.clear(),
        &expect![[r#"
        kept: is in no environment of the plan
        role: is in no environment of the plan
        chat: is in no environment of the plan"#]],
    );
    check(
        |plan| plan.environments[0].owner = Some("fedcba9876543210".into()),
        &expect![[r#"
        kept: belongs to another owner, and nobody said that it is taken over
        kept: the body KEY does not carry the owner
        role: belongs to another owner, and nobody said that it is taken over
        role: the body KEY does not carry the owner
        chat: belongs to another owner, and nobody said that it is taken over
        chat: the body KEY does not carry the owner
        chat: the body KEY does not carry the owner
        chat: the body KEY does not carry the owner
        chat: the body KEY does not carry the owner"#]],
    );
    check(
        |plan| chat(plan).observed.as_mut().expect("it stands").owner = None,
        &expect!["chat: belongs to another owner, and nobody said that it is taken over"],
    );
    check(|plan| plan.format = 9, &expect!["the plan has format 9, not 2"]);
}

#[test]
fn bodies_and_what_goes_with_them() {
    let drop_second = |plan: &mut Plan| {
        let second = body_of(chat(plan).operations.get(1));
        plan.bodies.remove(&second);
    };
    check(
        drop_second,
        &expect![[r#"
        chat: phase 2 does not say what is out after it
        chat: the body KEY is missing"#]],
    );
    let swap = |plan: &mut Plan| {
        let (first, restore) = (body_of(chat(plan).operations.first()), body_of(chat(plan).restore.as_ref()));
        let other = plan.bodies[&first].clone();
        plan.bodies.insert(restore, other);
    };
    check(
        swap,
        &expect![[r#"
            the body KEY is not what its key says
            chat: cannot put back what its first phase takes out
            chat: leaves a body that says it is not final
            chat: its gate and its body disagree about ScalableTarget
            chat: its gate and its body disagree about TrackingPolicy"#]],
    );
    let strip = |plan: &mut Plan| {
        for operation in &mut chat(plan).operations {
            if let Operation::Update { submission, .. } = operation {
                submission.tags = Tags::new();
                submission.parameters.clear();
            }
        }
    };
    check(
        strip,
        &expect![[r#"
        chat: the parameter RoleArn has no value
        chat: would lose the tags that say whose it is
        chat: the parameter RoleArn has no value
        chat: would lose the tags that say whose it is
        chat: the parameter RoleArn has no value
        chat: would lose the tags that say whose it is"#]],
    );
}

#[test]
fn phases_gates_and_protection() {
    check(
        |plan| drop(chat(plan).operations.remove(1)),
        &expect![[r#"
            nothing uses the body KEY
            chat: announces Endpoint, which its gate refuses
            chat: announces EndpointConfig, which its gate refuses
            chat: its way back touches Endpoint, which no phase does
            chat: its way back touches EndpointConfig, which no phase does
            chat: update 1 of 2 is numbered otherwise
            chat: update 2 of 2 is numbered otherwise"#]],
    );
    check(
        |plan| chat(plan).restore = None,
        &expect![[r#"
            nothing uses the body KEY
            chat: cannot put back what its first phase takes out"#]],
    );
    check(
        |plan| chat(plan).operations.swap(0, 2),
        &expect![[r#"
            chat: allows ScalableTarget more than it announces
            chat: allows TrackingPolicy more than it announces
            chat: update 1 of 3 is numbered otherwise
            chat: update 3 of 3 is numbered otherwise
            chat: its first phase takes nothing out"#]],
    );
    check(
        |plan| chat(plan).action = Action::Keep,
        &expect!["chat: Keep is not done by these operations from CREATE_COMPLETE"],
    );
    let open = |plan: &mut Plan| {
        let step = plan.steps.iter_mut().find(|step| step.identity.stack.name == "kept").expect("a step");
        step.changes[0].replacement = Replacement::True;
        if let Operation::Update { gate, .. } = &mut step.operations[0] {
            gate.allowed.values_mut().for_each(|allowed| allowed.replacement = Replacement::Conditional);
        }
    };
    check(
        open,
        &expect![[r#"
        kept: loses Role, which is protected, and nobody allowed Role/kept
        kept: announces Role, which its gate refuses"#]],
    );
    let disarmed = |plan: &mut Plan| {
        let step = plan.steps.iter_mut().find(|step| step.identity.stack.name == "kept").expect("a step");
        step.changes[0].replacement = Replacement::True;
        if let Operation::Update { gate, submission, .. } = &mut step.operations[0] {
            gate.allowed.values_mut().for_each(|allowed| allowed.replacement = Replacement::True);
            submission.termination_protection = false;
        }
        step.operations.insert(0, Operation::Protect { on: false });
    };
    check(disarmed, &expect!["kept: loses Role, which is protected, and nobody allowed Role/kept"]);
    let forgets = |plan: &mut Plan| {
        let step = plan.steps.iter_mut().find(|step| step.identity.stack.name == "kept").expect("a step");
        let operations = vec![Operation::Protect { on: false }, Operation::Delete { role_arn: None }];
        (step.action, step.operations) = (Action::Delete, operations);
        plan.allowed.insert("Role/kept".to_owned());
    };
    check(forgets, &expect!["kept: would stay unprotected if it cannot be deleted"]);
    let delete = |plan: &mut Plan| {
        let step = plan.steps.iter_mut().find(|step| step.identity.stack.name == "kept").expect("a step");
        (step.action, step.operations) = (Action::Delete, vec![Operation::Delete { role_arn: None }]);
    };
    check(
        delete,
        &expect![[r#"
        kept: is deleted while it is protected
        kept: is protected, and nobody allowed Role/kept to be deleted"#]],
    );
}
