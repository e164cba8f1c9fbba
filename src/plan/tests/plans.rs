//! What plans say.

use expect_test::expect;

use super::{Scenario, check, endpoint, list, observed, role, run_on, spec, text};
use crate::{cloud::ChangeSetStatus, plan::Observation};

const ARN: &str = "arn:aws:iam::111122223333:role/r";

fn pair(role: &str, chat: &str) -> String {
    format!(
        "- {{stack: chat, needs: [role], parameters: {{RoleArn: role.RoleArn}}, body: {chat}}}\n\
         - {{stack: role, kind: Role, body: {role}}}"
    )
}

fn pair_runs(role: &str, chat: &str) -> String {
    format!(
        "- {{stack: chat, parameters: {{RoleArn: '{ARN}'}}, body: {chat}}}\n\
         - {{stack: role, kind: Role, outputs: {{RoleArn: '{ARN}', RoleId: AROA}}, body: {role}}}"
    )
}

#[test]
fn new_stacks_are_made_after_what_they_need() {
    let wanted = pair(&role("p"), &endpoint("ml.g5.xlarge", 1, "x"));
    check(
        &Scenario { wanted: &wanted, chosen: &["chat"], ..Scenario::default() },
        &expect![[r#"
        role: Create
          Role Add False
          1. create
        chat: Create
          Endpoint Add False
          EndpointConfig Add False
          Model Add False
          1. create
    "#]],
    );
}

#[test]
fn what_is_as_wanted_is_kept_without_a_look_at_bodies() {
    let (role, chat) = (role("p"), endpoint("ml.g5.xlarge", 3, "x"));
    let (wanted, live) = (pair(&role, &chat), pair_runs(&role, &chat));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        role: Keep
        chat: Keep
    "#]],
    );
}

#[test]
fn another_digest_over_the_same_body_is_no_change() {
    let body = "{Resources: {R: {Type: 'AWS::SNS::Topic'}}}";
    let wanted = format!("- {{stack: t, body: {body}}}");
    let live = format!("- {{stack: t, stamped: false, status: UPDATE_ROLLBACK_COMPLETE, body: {body}}}");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        t: Keep
    "#]],
    );
}

#[test]
fn a_change_of_the_model_travels_to_the_endpoint() {
    let wanted = pair(&role("p"), &endpoint("ml.g5.xlarge", 3, "new"));
    let live = pair_runs(&role("p"), &endpoint("ml.g5.xlarge", 3, "old"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        role: Keep
        chat: Update
          because needs room for 2 ml.g5.xlarge more while it moves
          Endpoint Modify False
            EndpointConfigName ? -> ? False by EndpointConfig
          EndpointConfig Modify True
            ProductionVariants/0/ModelName ? -> ? True by Model
          Model Modify True
            PrimaryContainer/Environment/A "old" -> "new" True overridden
          1. update [Endpoint Modify False, EndpointConfig Modify True, Model Modify True]
    "#]],
    );
}

#[test]
fn a_change_of_the_bounds_is_in_place() {
    let wanted = pair(&role("p"), &endpoint("ml.g5.xlarge", 5, "x"));
    let live = pair_runs(&role("p"), &endpoint("ml.g5.xlarge", 3, "x"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        role: Keep
        chat: Update
          ScalableTarget Modify False
            MaxCapacity 3 -> 5 False
          1. update [ScalableTarget Modify False]
    "#]],
    );
}

#[test]
fn another_instance_type_under_a_scaler_takes_three_updates() {
    let wanted = pair(&role("p"), &endpoint("ml.g6.xlarge", 3, "x"));
    let live = pair_runs(&role("p"), &endpoint("ml.g5.xlarge", 3, "x"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            role: Keep
            chat: Update
              because needs three updates: SageMaker refuses to change the instance type of variant AllTraffic while a scalable target is registered for it
              because if phase 2 or 3 fails and rolls back, what runs now is restored, the scalable target included
              because needs room for 2 ml.g6.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/InstanceType "ml.g5.xlarge" -> "ml.g6.xlarge" True at chat.yaml:5:1
              1. update 1 of 3, remove the scalable target [ScalableTarget Remove False, TrackingPolicy Remove False]
              2. update 2 of 3, move the endpoint to ml.g6.xlarge [Endpoint Modify False, EndpointConfig Modify True]
              3. update 3 of 3, restore the scalable target [ScalableTarget Add False, TrackingPolicy Add False]
              else update [Endpoint Modify False, EndpointConfig Modify True, ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
}

#[test]
fn without_a_scaler_afterwards_it_takes_two_and_without_one_before_one() {
    let wanted = pair(&role("p"), &endpoint("ml.g6.xlarge", 1, "x"));
    let live = pair_runs(&role("p"), &endpoint("ml.g5.xlarge", 3, "x"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            role: Keep
            chat: Update
              because needs two updates: SageMaker refuses to change the instance type of variant AllTraffic while a scalable target is registered for it
              because if phase 2 fails and rolls back, what runs now is restored, the scalable target included
              because needs room for 2 ml.g6.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify True
                ProductionVariants/0/InstanceType "ml.g5.xlarge" -> "ml.g6.xlarge" True at chat.yaml:5:1
              ScalableTarget Remove False
              TrackingPolicy Remove False
              1. update 1 of 2, remove the scalable target [ScalableTarget Remove False, TrackingPolicy Remove False]
              2. update 2 of 2, move the endpoint to ml.g6.xlarge [Endpoint Modify False, EndpointConfig Modify True]
              else update [ScalableTarget Add False, TrackingPolicy Add False]
        "#]],
    );
    let wanted = pair(&role("p"), &endpoint("ml.g6.xlarge", 3, "x"));
    let live = pair_runs(&role("p"), &endpoint("ml.g5.xlarge", 1, "x"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        role: Keep
        chat: Update
          because needs room for 2 ml.g6.xlarge more while it moves
          Endpoint Modify False
            EndpointConfigName ? -> ? False by EndpointConfig
          EndpointConfig Modify True
            ProductionVariants/0/InstanceType "ml.g5.xlarge" -> "ml.g6.xlarge" True at chat.yaml:5:1
          ScalableTarget Add False
          TrackingPolicy Add False
          1. update [Endpoint Modify False, EndpointConfig Modify True, ScalableTarget Add False, TrackingPolicy Add False]
    "#]],
    );
}

#[test]
fn a_role_that_changes_in_place_leaves_its_arn_known() {
    let chat = endpoint("ml.g5.xlarge", 1, "x");
    let (wanted, live) = (pair(&role("new"), &chat), pair_runs(&role("old"), &chat));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            role: Update
              Role Modify False
                Policies/0/PolicyName "old" -> "new" False
              1. narrow [Role Modify False], after chat 0
            chat: Keep
        "#]],
    );
    let wanted = wanted.replace("role.RoleArn", "role.RoleId");
    let live = live.replace("parameters: {RoleArn: 'arn:aws:iam::111122223333:role/r'}", "parameters: {RoleArn: AROA}");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            role: Update
              Role Modify False
                Policies/0/PolicyName "old" -> "new" False
              1. update [Role Modify False]
            chat: Update perhaps
              because depends on role.RoleId, known only after that stack has changed
              because may need room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify Conditional
                ProductionVariants/0/ModelName ? -> ? Conditional by Model
              Model Modify Conditional
                ExecutionRoleArn "AROA" -> ? Conditional by role.RoleId
              1. update [Endpoint Modify False, EndpointConfig Modify Conditional, Model Modify Conditional]
        "#]],
    );
}

#[test]
fn another_arn_of_a_kept_role_is_known_before() {
    let (role, chat) = (role("p"), endpoint("ml.g5.xlarge", 1, "x"));
    let live = pair_runs(&role, &chat).replacen("role/r", "role/before", 1);
    check(
        &Scenario { wanted: &pair(&role, &chat), live: &live, ..Scenario::default() },
        &expect![[r#"
        role: Keep
        chat: Update
          because needs room for 2 ml.g5.xlarge more while it moves
          Endpoint Modify False
            EndpointConfigName ? -> ? False by EndpointConfig
          EndpointConfig Modify True
            ProductionVariants/0/ModelName ? -> ? True by Model
          Model Modify True
            ExecutionRoleArn "arn:aws:iam::111122223333:role/before" -> "arn:aws:iam::111122223333:role/r" True by role.RoleArn
          1. update [Endpoint Modify False, EndpointConfig Modify True, Model Modify True]
    "#]],
    );
}

#[test]
fn stack_tags_touch_everything_that_can_be_tagged() {
    let chat = endpoint("ml.g5.xlarge", 3, "x");
    let wanted = format!("- {{stack: chat, parameters: {{RoleArn: a}}, tags: {{team: b}}, body: {chat}}}");
    let live = format!("- {{stack: chat, parameters: {{RoleArn: a}}, tags: {{team: a}}, body: {chat}}}");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        chat: Update
          because may need room for 2 ml.g5.xlarge more while it moves
          Endpoint Modify False
            Tags {"team":"a"} -> {"team":"b"} False
            EndpointConfigName ? -> ? False by EndpointConfig
          EndpointConfig Modify Conditional
            Tags {"team":"a"} -> {"team":"b"} False
            ProductionVariants/0/ModelName ? -> ? Conditional by Model
          Model Modify False
            Tags {"team":"a"} -> {"team":"b"} False
          ScalableTarget Modify False
            Tags {"team":"a"} -> {"team":"b"} False
          1. update [Endpoint Modify False, EndpointConfig Modify Conditional, Model Modify False, ScalableTarget Modify False]
    "#]],
    );
}

#[test]
fn references_decide_what_travels() {
    let body = |topic: &str, bucket: &str| {
        format!(
            "{{Resources: {{\
             Topic: {{Type: 'AWS::SNS::Topic', Properties: {{DisplayName: {topic}}}}}, \
             Bucket: {{Type: 'AWS::S3::Bucket', DependsOn: Topic, Properties: {{BucketName: {bucket}}}}}, \
             ByRef: {{Type: 'AWS::SNS::Topic', Properties: {{TopicName: {{Ref: Topic}}}}}}, \
             ByAtt: {{Type: 'AWS::SNS::Topic', Properties: {{TopicName: {{'Fn::GetAtt': [Topic, TopicName]}}}}}}, \
             BySub: {{Type: 'AWS::SNS::Topic', Properties: {{DisplayName: {{'Fn::Sub': 'x ${{Bucket}} ${{!No}} ${{AWS::Region}}'}}}}}}, \
             List: {{Type: 'AWS::Custom::Unknown', Properties: {{Items: [a, {topic}, c]}}}}}}, \
             Outputs: {{O: {{Value: {topic}}}}}}}"
        )
    };
    let wanted = format!("- {{stack: s, body: {}}}", body("new", "new").replace("[a, new, c]", "[a, c]"));
    let live = format!("- {{stack: s, body: {}}}", body("old", "old"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        s: Update
          Bucket Modify True
            BucketName "old" -> "new" True
          ByAtt Modify Conditional
            TopicName ? -> ? Conditional by Topic
          BySub Modify False
            DisplayName ? -> ? False by Bucket
          List Modify Conditional
            Items/1 "old" -> ? Conditional
          Topic Modify False
            DisplayName "old" -> "new" False
          1. update [Bucket Modify True, ByAtt Modify Conditional, BySub Modify False, List Modify Conditional, Topic Modify False]
    "#]],
    );
}

#[test]
fn policies_and_order_alone_change_no_resource() {
    let body = |extra: &str| {
        format!("{{Resources: {{A: {{Type: 'AWS::SNS::Topic'}}, B: {{Type: 'AWS::SNS::Topic', {extra}}}}}}}")
    };
    let live = format!("- {{stack: s, body: {}}}", body("DeletionPolicy: Delete"));
    let wanted = format!("- {{stack: s, body: {}}}", body("DeletionPolicy: Retain, DependsOn: A"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            s: Update
              because changes no resource, only the stack's own metadata
              1. update [B Modify False]
        "#]],
    );
}

#[test]
fn leftovers_of_ours_go_and_others_stay() {
    let body = "{Resources: {R: {Type: 'AWS::SNS::Topic'}}}";
    let names = ["back", "cut", "foreign", "other", "review", "shell", "stuck"];
    let wanted: String = names.iter().map(|name| format!("- {{stack: {name}, body: {body}}}\n")).collect();
    let live = "
- {stack: back, status: ROLLBACK_COMPLETE, protected: true}
- {stack: cut, status: UPDATE_IN_PROGRESS}
- {stack: foreign, tags: false}
- {stack: other, tags: {'hubform:environment': prod}}
- {stack: review, status: REVIEW_IN_PROGRESS, changeSetTags: {'hubform:environment': dev, 'hubform:kind': Endpoint, 'hubform:name': review}}
- {stack: shell, status: REVIEW_IN_PROGRESS, tags: false}
- {stack: stuck, status: UPDATE_ROLLBACK_FAILED}
- {stack: forgotten}
";
    check(
        &Scenario { wanted: &wanted, live, ..Scenario::default() },
        &expect![[r#"
            back: Recreate
              because its creation failed and was rolled back; nothing of it is left
              R Add False
              1. protect false
              2. delete
              3. create
              else protect true
            cut: Keep
            foreign: Keep
            other: Keep
            review: Recreate
              because a change set that was never executed left an empty stack
              R Add False
              1. delete
              2. create
            shell: Keep
            stuck: Keep
            HF4003 an operation is running on the stack of Endpoint/cut (cut.yaml:1:1): UPDATE_IN_PROGRESS
              help: wait until it has settled, then plan again
            HF4001 Endpoint/foreign (foreign.yaml:1:1) becomes the stack `foreign`, but in us-east-1 a stack of that name exists that is not hubform's
              help: delete that stack, or give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none)
            HF4002 Endpoint/other (other.yaml:1:1) becomes the stack `other`, but in us-east-1 that stack belongs to Endpoint/other of the environment `prod`
              help: give one of the two environments another `prefix`, or the manifest another name
            HF4001 Endpoint/shell (shell.yaml:1:1) becomes the stack `shell`, but in us-east-1 a stack of that name exists that is not hubform's
              help: delete that stack, or give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none)
            HF4004 the stack `stuck` of Endpoint/stuck (stuck.yaml:1:1) is in UPDATE_ROLLBACK_FAILED and cannot be updated
              help: fix what kept it from rolling back, then continue the rollback:
            `aws cloudformation continue-update-rollback --stack-name stuck --region us-east-1`
            HF4008 the stack `forgotten` of Endpoint/forgotten no longer has a manifest
              help: it stays as it is; to delete it, restore its manifest and destroy that, or destroy the whole environment
        "#]],
    );
}

#[test]
fn what_is_protected_is_lost_only_when_allowed() {
    let body = |policy: &str, path: &str| {
        role(policy).replacen("\"Policies\"", &format!("\"Path\":\"{path}\",\"Policies\""), 1)
    };
    let wanted = format!("- {{stack: role, kind: Role, protect: true, body: {}}}", body("p", "/new/"));
    let live = format!("- {{stack: role, kind: Role, protected: true, body: {}}}", body("p", "/old/"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            role: Keep
            HF4005 Role/role (role.yaml:1:1) is protected, and `Role` would be replaced
              help: if that is intended, pass `--allow Role/role`
        "#]],
    );
    let allow = &["Role/role"];
    check(
        &Scenario { wanted: &wanted, live: &live, allow, ..Scenario::default() },
        &expect![[r#"
        role: Update
          Role Modify True
            Path "/old/" -> "/new/" True
          1. update [Role Modify True]
    "#]],
    );
}

#[test]
fn an_endpoint_keeps_its_name_and_protection_is_a_step_of_its_own() {
    let chat = endpoint("ml.g5.xlarge", 1, "x");
    let live = format!("- {{stack: chat, protected: true, parameters: {{RoleArn: a}}, body: {chat}}}");
    let wanted = format!("- {{stack: chat, parameters: {{RoleArn: a}}, body: {chat}}}");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        chat: Update
          because termination protection is turned off
          1. protect false
    "#]],
    );
    let wanted = wanted.replace("\"EndpointName\":\"chat\"", "\"EndpointName\":\"talk\"");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            chat: Keep
            HF4006 Endpoint/chat (chat.yaml:1:1) would rename its endpoint from "chat" to "talk": another endpoint
              help: leave the name as it is, or give the manifest another `metadata.name`: the new endpoint then runs beside the old one until that is destroyed
            HF4005 Endpoint/chat (chat.yaml:1:1) is protected, and `Endpoint` would be replaced
              help: if that is intended, pass `--allow Endpoint/chat`
        "#]],
    );
}

#[test]
fn a_scaler_that_others_refer_to_cannot_step_aside() {
    let entangled = |instance| {
        let topic =
            "\"Topic\":{\"Type\":\"AWS::SNS::Topic\",\"Properties\":{\"DisplayName\":{\"Ref\":\"TrackingPolicy\"}}},";
        endpoint(instance, 3, "x").replacen("\"Resources\":{", &format!("\"Resources\":{{{topic}"), 1)
    };
    let wanted = format!("- {{stack: chat, parameters: {{RoleArn: a}}, body: {}}}", entangled("ml.g6.xlarge"));
    let live = format!("- {{stack: chat, parameters: {{RoleArn: a}}, body: {}}}", entangled("ml.g5.xlarge"));
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            chat: Keep
            HF4009 Endpoint/chat (chat.yaml:1:1) must remove `TrackingPolicy` for a while, but `Topic` refers to it
              help: refer to it by name instead of `Ref` or `Fn::GetAtt`
        "#]],
    );
}

#[test]
fn a_body_somebody_submitted_by_hand_is_read_with_its_short_tags() {
    let wanted = "- {stack: s, role: arn:new, body: {Resources: {A: {Type: 'AWS::SNS::Topic', \
                  Properties: {DisplayName: {'Fn::Sub': 'x ${AWS::Region}'}}}}}}";
    let (specs, mut found) = (vec![spec(&list(wanted)[0])], observed(&list("- {stack: s}")[0]));
    found.body = Some(
        "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: {DisplayName: !Sub 'x ${AWS::Region}'}\n".into(),
    );
    let observation = Observation { stacks: vec![found.clone()] };
    let (plan, diagnostics) = run_on(&specs, &observation, &Scenario::default());
    expect![[r#"
        s: Update
          because CloudFormation will act with arn:new
          because changes no resource, only the stack's own metadata
          1. update []
    "#]]
    .assert_eq(&text(&plan, &diagnostics));
    found.body = Some("{]".into());
    let (plan, diagnostics) = run_on(&specs, &Observation { stacks: vec![found] }, &Scenario::default());
    expect![[r#"
        s: Keep
        HF4010 the template that runs for Endpoint/s (s.yaml:1:1) cannot be compared: mismatched bracket '{' closed by ']' (line 1)
          help: -
    "#]].assert_eq(&text(&plan, &diagnostics));
}

#[test]
fn hidden_values_are_neither_compared_nor_shown() {
    let body = "{Parameters: {Key: {Type: String, NoEcho: true}}, Resources: {A: {Type: 'AWS::SNS::Topic', \
                Properties: {TopicName: {Ref: Key}}}}}";
    let wanted = format!("- {{stack: s, parameters: {{Key: secret}}, body: {body}}}");
    let live = format!("- {{stack: s, parameters: {{Key: '****'}}, body: {body}}}");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        s: Keep
    "#]],
    );
    let live = live.replace("Parameters:", "Metadata: {Other: x}, Parameters:");
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
        s: Update
          A Modify True
            TopicName ? -> ? True
          1. update [A Modify True]
    "#]],
    );
}

#[test]
fn what_a_failed_deletion_left_is_protected_and_what_never_landed_is_not() {
    let body = "{Resources: {R: {Type: 'AWS::SNS::Topic'}}}";
    let wanted = format!("- {{stack: a, protect: true, body: {body}}}\n- {{stack: b, protect: true, body: {body}}}");
    let live = "- {stack: a, status: DELETE_FAILED}\n- {stack: b, status: ROLLBACK_FAILED}";
    check(
        &Scenario { wanted: &wanted, live, ..Scenario::default() },
        &expect![[r#"
            a: Keep
            b: Recreate
              because its creation failed, and so did the rollback
              R Add False
              1. delete
              2. create
            HF4005 Endpoint/a (a.yaml:1:1) is protected, and what is left of its stack would be deleted
              help: if that is intended, pass `--allow Endpoint/a`
        "#]],
    );
}

#[test]
fn a_new_role_leaves_its_values_open_for_those_that_run_already() {
    let chat = endpoint("ml.g5.xlarge", 1, "x");
    let live = format!("- {{stack: chat, parameters: {{RoleArn: '{ARN}'}}, body: {chat}}}");
    check(
        &Scenario { wanted: &pair(&role("p"), &chat), live: &live, ..Scenario::default() },
        &expect![[r#"
            role: Create
              Role Add False
              1. create
            chat: Update perhaps
              because depends on role.RoleArn, known only after that stack has changed
              because may need room for 2 ml.g5.xlarge more while it moves
              Endpoint Modify False
                EndpointConfigName ? -> ? False by EndpointConfig
              EndpointConfig Modify Conditional
                ProductionVariants/0/ModelName ? -> ? Conditional by Model
              Model Modify Conditional
                ExecutionRoleArn "arn:aws:iam::111122223333:role/r" -> ? Conditional by role.RoleArn
              1. update [Endpoint Modify False, EndpointConfig Modify Conditional, Model Modify Conditional]
        "#]],
    );
}

#[test]
fn what_may_be_replaced_is_kept_where_it_is_protected() {
    let body = |size: &str| {
        format!(
            "{{Resources: {{Launch: {{Type: 'AWS::EC2::LaunchTemplate', Properties: {{LaunchTemplateData: \
             {{InstanceType: {size}}}}}}}, Group: {{Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: \
             {{MinSize: '1', MaxSize: '1', LaunchTemplate: {{LaunchTemplateId: {{Ref: Launch}}, Version: \
             {{'Fn::GetAtt': Launch.LatestVersionNumber}}}}}}}}}}}}"
        )
    };
    let (wanted, live) = (
        format!("- {{stack: fleet, protect: true, body: {}}}", body("g6.xlarge")),
        format!("- {{stack: fleet, protected: true, body: {}}}", body("g5.xlarge")),
    );
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            fleet: Keep
            HF4005 Endpoint/fleet (fleet.yaml:1:1) is protected, and `Group` may be replaced
              help: if that is intended, pass `--allow Endpoint/fleet`
        "#]],
    );
}

#[test]
fn an_empty_shell_that_somebody_is_filling_is_let_alone() {
    let wanted = "- {stack: chat, body: {Resources: {R: {Type: 'AWS::SNS::Topic'}}}}";
    let live = "- {stack: chat, status: REVIEW_IN_PROGRESS, changeSetTags: {'hubform:environment': dev, \
                'hubform:kind': Endpoint, 'hubform:name': chat}}";
    for destroy in [false, true] {
        let specs: Vec<_> = list(wanted).iter().map(spec).collect();
        let mut found = observed(&list(live)[0]);
        found.change_set.as_mut().expect("a change set").status = ChangeSetStatus::CreateInProgress;
        let observation = Observation { stacks: vec![found] };
        let (plan, diagnostics) = run_on(&specs, &observation, &Scenario { destroy, ..Scenario::default() });
        assert!(plan.is_empty());
        expect![
            "an operation is running on the stack of Endpoint/chat (chat.yaml:1:1): a change set is being computed"
        ]
        .assert_eq(&diagnostics.iter().map(|found| found.message.clone()).collect::<String>());
    }
}

const THEIRS: &str = "fedcba9876543210";

/// The same names in another repository: whatever state it is in, it is not planned over, and not ours to clean up.
#[test]
fn a_stack_of_another_owner_is_theirs() {
    let body = "{Resources: {R: {Type: 'AWS::SNS::Topic'}}}";
    let wanted =
        ["dead", "first", "moves", "stands"].map(|stack| format!("- {{stack: {stack}, body: {body}}}\n")).concat();
    let live = format!(
        "- {{stack: stands, owner: {THEIRS}, body: {body}}}\n- {{stack: first, owner: false, body: {body}}}\n\
         - {{stack: dead, owner: {THEIRS}, status: ROLLBACK_COMPLETE}}\n\
         - {{stack: moves, owner: {THEIRS}, status: CREATE_IN_PROGRESS}}\n- {{stack: apart, owner: {THEIRS}}}"
    );
    check(
        &Scenario { wanted: &wanted, live: &live, ..Scenario::default() },
        &expect![[r#"
            dead: Keep
            first: Keep
            moves: Keep
            stands: Keep
            HF4021 Endpoint/dead (dead.yaml:1:1) becomes the stack `dead`, but in us-east-1 that stack's owner is fedcba9876543210, and this environment's is 0123456789abcdef
              help: if the lock was lost, `hubform lock --owner fedcba9876543210` reclaims everything; if another repository uses these names, give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none); `apply --adopt Endpoint/dead` takes over this stack alone
            HF4021 Endpoint/first (first.yaml:1:1) becomes the stack `first`, but in us-east-1 that stack has no owner id, as of hubform 0.1, and this environment's is 0123456789abcdef
              help: if it is yours, `apply --adopt Endpoint/first` takes it over; else give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none)
            HF4021 Endpoint/moves (moves.yaml:1:1) becomes the stack `moves`, but in us-east-1 that stack's owner is fedcba9876543210, and this environment's is 0123456789abcdef
              help: if the lock was lost, `hubform lock --owner fedcba9876543210` reclaims everything; if another repository uses these names, give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none); `apply --adopt Endpoint/moves` takes over this stack alone
            HF4021 Endpoint/stands (stands.yaml:1:1) becomes the stack `stands`, but in us-east-1 that stack's owner is fedcba9876543210, and this environment's is 0123456789abcdef
              help: if the lock was lost, `hubform lock --owner fedcba9876543210` reclaims everything; if another repository uses these names, give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none); `apply --adopt Endpoint/stands` takes over this stack alone
        "#]],
    );
    check(
        &Scenario { wanted: &wanted, live: &live, destroy: true, ..Scenario::default() },
        &expect![[r#"
            dead: Keep
              because it belongs to another environment: it stays
            first: Keep
              because it belongs to another environment: it stays
            moves: Keep
              because it belongs to another environment: it stays
            stands: Keep
              because it belongs to another environment: it stays
            HF4021 Endpoint/dead (dead.yaml:1:1) becomes the stack `dead`, but in us-east-1 that stack's owner is fedcba9876543210, and this environment's is 0123456789abcdef
              help: if the lock was lost, `hubform lock --owner fedcba9876543210` reclaims everything; if another repository uses these names, give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none); `apply --adopt Endpoint/dead` takes over this stack alone
            HF4021 Endpoint/first (first.yaml:1:1) becomes the stack `first`, but in us-east-1 that stack has no owner id, as of hubform 0.1, and this environment's is 0123456789abcdef
              help: if it is yours, `apply --adopt Endpoint/first` takes it over; else give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none)
            HF4021 Endpoint/moves (moves.yaml:1:1) becomes the stack `moves`, but in us-east-1 that stack's owner is fedcba9876543210, and this environment's is 0123456789abcdef
              help: if the lock was lost, `hubform lock --owner fedcba9876543210` reclaims everything; if another repository uses these names, give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none); `apply --adopt Endpoint/moves` takes over this stack alone
            HF4021 Endpoint/stands (stands.yaml:1:1) becomes the stack `stands`, but in us-east-1 that stack's owner is fedcba9876543210, and this environment's is 0123456789abcdef
              help: if the lock was lost, `hubform lock --owner fedcba9876543210` reclaims everything; if another repository uses these names, give this environment another `prefix` in its environment.yaml (`hubform init` writes one where there is none); `apply --adopt Endpoint/stands` takes over this stack alone
        "#]],
    );
}

#[test]
fn what_is_taken_over_is_said() {
    let body = "{Resources: {R: {Type: 'AWS::SNS::Topic'}}}";
    let wanted = ["dead", "stands", "bare"].map(|stack| format!("- {{stack: {stack}, body: {body}}}\n")).concat();
    let live = format!(
        "- {{stack: stands, owner: {THEIRS}, stamped: false, body: {body}}}\n\
         - {{stack: dead, owner: false, status: ROLLBACK_COMPLETE}}\n\
         - {{stack: bare, owner: false, tags: false, stamped: false, body: {body}}}"
    );
    let adopt = &["Endpoint/dead", "Endpoint/stands", "Endpoint/bare", "Endpoint/none"];
    check(
        &Scenario { wanted: &wanted, live: &live, adopt, ..Scenario::default() },
        &expect![[r#"
            bare: Update
              because taken over: this stack belongs to nobody known to hubform, and will belong to this environment
              R Modify False
                Tags {} -> {"hubform:environment":"dev","hubform:kind":"Endpoint","hubform:name":"bare"} False
              1. update [R Modify False]
            dead: Recreate
              because taken over: this stack belongs to Endpoint/dead of `dev`, without an owner, and will belong to this environment
              because its creation failed and was rolled back; nothing of it is left
              R Add False
              1. delete
              2. create
            stands: Update
              because taken over: this stack belongs to the owner fedcba9876543210, and will belong to this environment
              because changes no resource, only the stack's own metadata
              1. update []
            HF2036 `--adopt Endpoint/none` names no manifest in scope
              help: did you mean `Endpoint/bare`?
        "#]],
    );
}
