//! Roles that others share: what two bodies grant together, and when a role is widened and narrowed.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Scenario, check, endpoint, reference, run};
use crate::plan::{
    After, Operation, Plan, Step, audit,
    grants::{Joined, joined, same_grants},
    template::Template,
};

/// Properties of a role as YAML; what both grant together comes out, and joining once more changes nothing.
fn union(live: &str, wanted: &str, expect: &Expect) {
    let (live, wanted) = (body(live), body(wanted));
    let text = match joined(&live, &wanted) {
        Joined::Covered => "covered\n".to_owned(),
        Joined::Impossible(why) => format!("{why}\n"),
        Joined::Wide(wide) => {
            assert!(matches!(joined(&live, &wide), Joined::Covered), "it takes something of what runs away");
            let Joined::Wide(again) = joined(&wide, &wanted) else { panic!("it grants more than is wanted") };
            assert!(same_grants(&again, &wide), "joined once more it is something else");
            shown(&wide)
        }
    };
    expect.assert_eq(&text);
}

fn body(resources: &str) -> Template {
    let tree: Value = serde_yaml::from_str(resources).expect("resources");
    let whole = if tree.get("Role").is_some() { tree } else { json!({"Role": tree}) };
    let with_types = whole.as_object().into_iter().flatten().map(|(id, properties)| {
        let typed = properties.get("Type").is_some();
        let role = || json!({"Type": "AWS::IAM::Role", "Properties": properties});
        (id.clone(), if typed { properties.clone() } else { role() })
    });
    let resources = Value::Object(with_types.collect());
    Template::parse(&json!({ "Resources": resources }).to_string()).expect("a body")
}

/// One line a statement or item.
fn shown(template: &Template) -> String {
    let mut out = String::new();
    let mut lines = |head: String, items: &Value| match items {
        Value::Array(items) => items.iter().for_each(|item| out.push_str(&format!("{head} {item}\n"))),
        Value::Null => {}
        one => out.push_str(&format!("{head} {one}\n")),
    };
    for (id, resource) in template.resources() {
        let properties = &resource["Properties"];
        lines(format!("{id} trusts"), &properties["AssumeRolePolicyDocument"]["Statement"]);
        for policy in properties["Policies"].as_array().into_iter().flatten() {
            let name = policy["PolicyName"].as_str().unwrap_or_default();
            lines(format!("{id} {name}"), &policy["PolicyDocument"]["Statement"]);
        }
        lines(format!("{id} allows"), &properties["PolicyDocument"]["Statement"]);
        lines(format!("{id} managed"), &properties["ManagedPolicyArns"]);
        lines(format!("{id} within"), &properties["PermissionsBoundary"]);
    }
    out
}

#[test]
fn statements_are_joined_as_wholes_and_names_stay_unique() {
    union(
        "{Policies: [{PolicyName: p, PolicyDocument: {Statement: [
            {Sid: A, Effect: Allow, Action: x, Resource: old}, {Sid: B, Effect: Allow, Action: y, Resource: '*'},
            {Sid: C, Effect: Allow, Action: z, Resource: '*'}]}}]}",
        "{Policies: [{PolicyName: p, PolicyDocument: {Statement: [
            {Sid: A, Effect: Allow, Action: x, Resource: new}, {Sid: C2, Resource: '*', Action: z, Effect: Allow}]}}]}",
        &expect![[r#"
            Role p {"Action":"x","Effect":"Allow","Resource":"new","Sid":"A"}
            Role p {"Action":"z","Effect":"Allow","Resource":"*","Sid":"C2"}
            Role p {"Action":"x","Effect":"Allow","Resource":"old"}
            Role p {"Action":"y","Effect":"Allow","Resource":"*","Sid":"B"}
        "#]],
    );
}

#[test]
fn only_what_both_deny_is_denied() {
    union(
        "{Policies: [{PolicyName: p, PolicyDocument: {Statement: [
            {Effect: Deny, Action: was, Resource: '*'}, {Effect: Deny, Action: both, Resource: '*'},
            {Effect: Allow, Action: a, Resource: '*'}]}}]}",
        "{Policies: [{PolicyName: p, PolicyDocument: {Statement: [
            {Effect: Deny, Action: both, Resource: '*'}, {Effect: Deny, Action: new, Resource: '*'}]}},
           {PolicyName: q, PolicyDocument: {Statement: {Effect: Deny, Action: all, Resource: '*'}}}]}",
        &expect![[r#"
            Role p {"Action":"both","Effect":"Deny","Resource":"*"}
            Role p {"Action":"a","Effect":"Allow","Resource":"*"}
        "#]],
    );
}

#[test]
fn trust_managed_policies_and_boundaries() {
    union(
        "{AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: [a, b]}}]},
          ManagedPolicyArns: [one, two]}",
        "{AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: [a]}}]},
          ManagedPolicyArns: [two, three], PermissionsBoundary: fence}",
        &expect![[r#"
            Role trusts {"Effect":"Allow","Principal":{"Service":["a"]}}
            Role trusts {"Effect":"Allow","Principal":{"Service":["a","b"]}}
            Role managed "two"
            Role managed "three"
            Role managed "one"
        "#]],
    );
    union(
        "{PermissionsBoundary: old}",
        "{PermissionsBoundary: new}",
        &expect![[r#"
            their permissions boundaries differ
        "#]],
    );
    union(
        "{ManagedPolicyArns: [a, b]}",
        "{ManagedPolicyArns: [c, b, a]}",
        &expect![[r#"
        covered
    "#]],
    );
}

#[test]
fn policies_of_their_own_keep_what_they_refer_to() {
    union(
        "{Role: {}, Old: {Type: 'AWS::IAM::Policy', Properties: {PolicyName: o, Roles: [{Ref: Role}], PolicyDocument:
            {Statement: [{Effect: Allow, Action: x, Resource: {'Fn::GetAtt': [Bucket, Arn]}}]}}},
          Bucket: {Type: 'AWS::S3::Bucket'}}",
        "{Role: {}, New: {Type: 'AWS::IAM::Policy', Properties: {PolicyName: n, Roles: [{Ref: Role}], PolicyDocument:
            {Statement: [{Effect: Deny, Action: y, Resource: '*'}]}}}}",
        &expect![[r#"
            Old allows {"Action":"x","Effect":"Allow","Resource":{"Fn::GetAtt":["Bucket","Arn"]}}
        "#]],
    );
}

#[test]
fn what_does_not_fit_together_is_said() {
    let many = |name: &str, count: usize| {
        let text = "x".repeat(60);
        let statement = |at| format!("{{Effect: Allow, Action: {name}{at}, Resource: {text}}}");
        let statements: Vec<_> = (0..count).map(statement).collect();
        format!("{{Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{}]}}}}]}}", statements.join(", "))
    };
    union(
        &many("a", 60),
        &many("b", 60),
        &expect![[r#"
        together they are 12955 characters of inline policies, and IAM takes 10240
    "#]],
    );
    let managed = |name: &str| format!("{{ManagedPolicyArns: [{}]}}", [name; 1].join(", "));
    union(
        &managed("a, b, c, d, e, f"),
        &managed("g, h, i, j, k"),
        &expect![[r#"
        together they are 11 managed policies, and IAM takes 10
    "#]],
    );
    union(
        "{Policies: {'Fn::If': [a, b, c]}}",
        "{}",
        &expect![[r#"
        a function assembles a list in it
    "#]],
    );
    let version = |version: &str, action: &str| {
        format!(
            "{{Policies: [{{PolicyName: p, PolicyDocument: {{Version: {version}, Statement: [{{Effect: Allow, \
             Action: {action}, Resource: '*'}}]}}}}]}}"
        )
    };
    union(
        &version("'2008-10-17'", "a"),
        &version("'2012-10-17'", "b"),
        &expect![[r#"
        their policies are of different versions
    "#]],
    );
}

/// The stack `role`, which allows these actions.
fn role(actions: &str) -> String {
    let statements: Vec<_> = actions.split(' ').map(|action| json!({"Effect": "Allow", "Action": action})).collect();
    json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {},
        "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}]}}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}}})
    .to_string()
}

/// A role from and to these actions, with endpoints that change the variable `A`, each from and to.
fn shared(from: &str, to: &str, endpoints: &[(&str, &str, &str)], chosen: &[&str], expect: &Expect) {
    let (wanted, live) = stacks(from, to, endpoints);
    check(&Scenario { wanted: &wanted, live: &live, chosen, ..Scenario::default() }, expect);
}

/// Those wanted and those that run.
fn stacks(from: &str, to: &str, endpoints: &[(&str, &str, &str)]) -> (String, String) {
    let arn = "arn:aws:iam::111122223333:role/shared";
    let mut wanted = format!("- {{stack: role, kind: Role, body: {}}}\n", role(to));
    let mut live = format!("- {{stack: role, kind: Role, outputs: {{RoleArn: '{arn}'}}, body: {}}}\n", role(from));
    for (name, before, after) in endpoints {
        let body = |value| endpoint("ml.g5.xlarge", 1, value);
        if !after.is_empty() {
            let head = "needs: [role], parameters: {RoleArn: role.RoleArn}";
            wanted.push_str(&format!("- {{stack: {name}, {head}, body: {}}}\n", body(after)));
        }
        if !before.is_empty() {
            live.push_str(&format!("- {{stack: {name}, parameters: {{RoleArn: '{arn}'}}, body: {}}}\n", body(before)));
        }
    }
    (wanted, live)
}

#[test]
fn a_role_is_widened_before_its_users_move_and_narrowed_after() {
    shared(
        "a b",
        "b c",
        &[("chat", "1", "2"), ("kept", "1", "1")],
        &[],
        &expect![[r#"
            role: Update
              Role Modify False
                Policies/0/PolicyDocument/Statement/0/Action "a" -> "b" False
                Policies/0/PolicyDocument/Statement/1/Action "b" -> "c" False
              1. widen [Role Modify False]
              2. narrow [Role Modify False], after chat 0, kept 0
            chat: Update
              because needs room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/ModelName ? -> ? True by Model
              Model Modify True
                PrimaryContainer/Environment/A "1" -> "2" True overridden
              1. update [Endpoint Modify False, EndpointConfig Modify True, Model Modify True]
            kept: Keep
        "#]],
    );
}

#[test]
fn what_runs_already_grants_both_is_only_narrowed() {
    shared(
        "a b",
        "b",
        &[("chat", "1", "2")],
        &[],
        &expect![[r#"
            role: Update
              because still wide: it grants more than any manifest needs
              Role Modify False
                Policies/0/PolicyDocument/Statement/0/Action "a" -> ? False
                Policies/0/PolicyDocument/Statement/0/Effect "Allow" -> ? False
              1. narrow [Role Modify False], after chat 0
            chat: Update
              because needs room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/ModelName ? -> ? True by Model
              Model Modify True
                PrimaryContainer/Environment/A "1" -> "2" True overridden
              1. update [Endpoint Modify False, EndpointConfig Modify True, Model Modify True]
        "#]],
    );
}

#[test]
fn where_nobody_moves_it_is_one_update_after_everybody_was_asked() {
    shared(
        "a b",
        "b c",
        &[("chat", "1", "1")],
        &["role"],
        &expect![[r#"
            role: Update
              Role Modify False
                Policies/0/PolicyDocument/Statement/0/Action "a" -> "b" False
                Policies/0/PolicyDocument/Statement/1/Action "b" -> "c" False
              1. narrow [Role Modify False], after chat 0
            chat: Keep
        "#]],
    );
}

#[test]
fn where_nothing_runs_with_it_or_nothing_is_lost_it_is_an_ordinary_update() {
    shared(
        "a b",
        "b c",
        &[("new", "", "1")],
        &[],
        &expect![[r#"
        role: Update
          Role Modify False
            Policies/0/PolicyDocument/Statement/0/Action "a" -> "b" False
            Policies/0/PolicyDocument/Statement/1/Action "b" -> "c" False
          1. update [Role Modify False]
        new: Create
          Endpoint Add False
          EndpointConfig Add False
          Model Add False
          1. create
    "#]],
    );
    shared(
        "a",
        "a b",
        &[("chat", "1", "2")],
        &[],
        &expect![[r#"
            role: Update
              Role Modify False
                Policies/0/PolicyDocument/Statement/1/Action ? -> "b" False
                Policies/0/PolicyDocument/Statement/1/Effect ? -> "Allow" False
              1. update [Role Modify False]
            chat: Update
              because needs room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/ModelName ? -> ? True by Model
              Model Modify True
                PrimaryContainer/Environment/A "1" -> "2" True overridden
              1. update [Endpoint Modify False, EndpointConfig Modify True, Model Modify True]
        "#]],
    );
}

#[test]
fn users_out_of_the_plan_hold_it_wide() {
    shared(
        "a b",
        "b c",
        &[("chat", "1", "2"), ("other", "1", "2")],
        &["chat"],
        &expect![[r#"
            role: Update
              because stays wide: Endpoint/other may still need the old permissions, and this plan does not update it
              Role Modify False
                Policies/0/PolicyDocument/Statement/0/Action "a" -> "b" False
                Policies/0/PolicyDocument/Statement/1/Action "b" -> "c" False
                Policies/0/PolicyDocument/Statement/2/Action ? -> "a" False
                Policies/0/PolicyDocument/Statement/2/Effect ? -> "Allow" False
              1. widen [Role Modify False]
              held by other
            chat: Update
              because needs room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/ModelName ? -> ? True by Model
              Model Modify True
                PrimaryContainer/Environment/A "1" -> "2" True overridden
              1. update [Endpoint Modify False, EndpointConfig Modify True, Model Modify True]
        "#]],
    );
    shared(
        "a b",
        "b",
        &[("chat", "1", "1"), ("left", "1", "")],
        &[],
        &expect![[r#"
            role: Keep
              because still wide: it grants more than any manifest needs
              because stays wide: Endpoint/left may still need the old permissions, and this plan does not update it
              held by left
            chat: Keep
            HF4008 the stack `left` of Endpoint/left no longer has a manifest
              help: it stays as it is; to delete it, restore its manifest and destroy that, or destroy the whole environment
        "#]],
    );
}

#[test]
fn the_stranger_reads_narrowings() {
    let check = |spoil: &dyn Fn(&mut Plan), expect: Expect| {
        let (wanted, live) = stacks("a b", "b c", &[("chat", "1", "2")]);
        let mut plan = run(&Scenario { wanted: &wanted, live: &live, ..Scenario::default() }).0;
        assert_eq!(audit(&plan), Vec::<String>::new(), "the plan is sound before it is spoiled");
        spoil(&mut plan);
        expect.assert_eq(&audit(&plan).join("\n"));
    };
    fn role(plan: &mut Plan) -> &mut Step {
        plan.steps.iter_mut().find(|step| step.identity.stack.name == "role").expect("a step")
    }
    fn after(plan: &mut Plan) -> &mut Vec<After> {
        match role(plan).operations.last_mut() {
            Some(Operation::Update { after, .. }) => after,
            _ => panic!("it narrows"),
        }
    }
    check(&|plan| after(plan).clear(), expect!["role: is narrowed without waiting for `chat`"]);
    check(&|plan| role(plan).held.extend([reference("other")]), expect!["role: is narrowed while others hold it wide"]);
    let swap = |plan: &mut Plan| {
        let [Operation::Update { submission: wide, .. }, Operation::Update { submission: wanted, .. }] =
            role(plan).operations.as_mut_slice()
        else {
            panic!("it has two halves")
        };
        std::mem::swap(wide, wanted);
    };
    check(&swap, expect![[r#"role: is not widened by Role: {"Action":"a","Effect":"Allow"}, which is wanted"#]]);
    let nobody = || After { stack: reference("nobody"), operation: 0 };
    check(&|plan| after(plan).push(nobody()), expect!["role: waits for `nobody`, operation 0, which is not planned"]);
    check(&|plan| after(plan)[0].operation = 1, expect!["role: waits for `chat`, operation 1, which is not planned"]);
    check(&|plan| role(plan).operations.reverse(), expect!["role: is narrowed before its last operation"]);
    check(
        &|plan| drop(role(plan).operations.pop()),
        expect![[r#"
        nothing uses the body e3e166ad843650b21e870acc03b5f0bc9fb180d6324f11b451fffff2a99c4f43
        role: is widened and never narrowed, and nobody holds it wide"#]],
    );
    let circle = |plan: &mut Plan| {
        let chat = plan.steps.iter_mut().find(|step| step.identity.stack.name == "chat").expect("a step");
        let Operation::Update { after, .. } = &mut chat.operations[0] else { panic!("it moves") };
        after.push(After { stack: reference("role"), operation: 1 });
    };
    check(
        &circle,
        expect![[r#"
        chat: waits for itself before operation 0
        role: waits for itself before operation 1"#]],
    );
}
