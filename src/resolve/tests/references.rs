//! What is named elsewhere is found; what is not there is told with what is; two things never share one name.

use super::*;

#[test]
fn manifests_are_found_by_name_and_keep_their_places() {
    endpoint("model: bge\nhardware: small\nscaling: two")
        .and("Model", "bge", "hub: BAAI/bge-m3")
        .and("Hardware", "small", "instances: [ml.m5.xlarge]")
        .and("Scaling", "two", "initial: 3")
        .findings(expect![[r#"
            error HF2017 two.yaml 2:12: `initial` is 3, but must be 1 to 1
        "#]]);
}

#[test]
fn a_name_of_nothing_is_told_with_the_nearest() {
    let run = encoder("scaling: twoo");
    run.findings(expect![[r#"
        error HF2001 2:12: environment `default` has no Scaling `twoo` | it has no Scaling at all
    "#]]);
    run.clone().and("Scaling", "two", "min: 2").findings(expect![[r#"
        error HF2001 2:12: environment `default` has no Scaling `twoo` | did you mean `two`?
    "#]]);
    run.clone().and("Scaling", "office-hours", "min: 2").findings(expect![[r#"
        error HF2001 2:12: environment `default` has no Scaling `twoo` | there are office-hours
    "#]]);
    run.and("Hardware", "twoo", "instances: [ml.m5.xlarge]").findings(expect![[r#"
        error HF2001 2:12: environment `default` has no Scaling `twoo` | it has no Scaling at all
    "#]]);
}

#[test]
fn ten_names_are_listed_and_of_more_ten_and_how_many() {
    let with = |count: usize| {
        let all = (0..count).map(|at| format!("office-hours-{at:02}"));
        all.fold(encoder("scaling: z"), |run, name| run.and("Scaling", &name, "min: 2"))
    };
    with(10).findings(expect![[r#"
        error HF2001 2:12: environment `default` has no Scaling `z` | there are office-hours-00, office-hours-01, office-hours-02, office-hours-03, office-hours-04, office-hours-05, office-hours-06, office-hours-07, office-hours-08, office-hours-09
    "#]]);
    with(11).findings(expect![[r#"
        error HF2001 2:12: environment `default` has no Scaling `z` | there are office-hours-00, office-hours-01, office-hours-02, office-hours-03, office-hours-04, office-hours-05, office-hours-06, office-hours-07, office-hours-08, office-hours-09 and 1 more
    "#]]);
}

#[test]
fn a_model_named_without_its_organisation_is_offered_with_it() {
    endpoint("model: Qwen3-8B").findings(expect![[r#"
        error HF2001 2:10: environment `default` has no Model `Qwen3-8B` | did you mean the Hub model `Qwen/Qwen3-8B`? Hub ids need their organisation
    "#]]);
}

#[test]
fn model_hardware_and_scaling_are_all_looked_for() {
    endpoint("model: a\nhardware: b\nscaling: c\nrole: d").findings(expect![[r#"
        error HF2001 2:10: environment `default` has no Model `a` | it has no Model at all
        error HF2001 3:13: environment `default` has no Hardware `b` | it has no Hardware at all
        error HF2001 4:12: environment `default` has no Scaling `c` | it has no Scaling at all
        error HF2001 5:9: environment `default` has no Role `d` | it has no Role at all
    "#]]);
}

#[test]
fn defaults_of_the_environment_are_looked_for_though_nobody_follows_them() {
    let run = encoder("scaling: {min: 1}").environment("defaults: {hardware: big, scaling: many}");
    run.findings(expect![[r#"
        error HF2001 dev.yaml 2:24: environment `dev` has no Hardware `big` | it has no Hardware at all
        error HF2001 dev.yaml 2:38: environment `dev` has no Scaling `many` | it has no Scaling at all
    "#]]);
    run.and("Hardware", "big", "instances: [ml.m5.24xlarge]").and("Scaling", "many", "min: 9").is_fine();
}

fn in_two_environments(prefixes: [&str; 2]) -> TestRun {
    let folders = ["dev", "trial"].into_iter().zip(prefixes);
    folders.fold(TestRun::default(), |run, (folder, prefix)| {
        run.within(folder).and("Environment", folder, &format!("prefix: {prefix}")).and("Role", "shared", "")
    })
}

#[test]
fn two_manifests_that_come_to_one_stack_are_refused() {
    in_two_environments(["p", "p"]).findings(expect![[r#"
        error HF2033 trial/shared.yaml 4:18 (Role `shared` of `trial`), dev/shared.yaml 4:18 (Role `shared` of `dev`): two manifests map to the stack `p-role-shared` | give one of the environments another `prefix`
    "#]]);
    in_two_environments(["p", "q"]).is_fine();
}

#[test]
fn endpoints_whose_names_differ_only_in_case_are_refused() {
    encoder("name: Voice")
        .and("Endpoint", "talk", "name: voice\nmodel: {hub: BAAI/bge-m3}\nhardware: ml.m5.xlarge")
        .findings(expect![[r#"
            error HF2037 talk.yaml 7:18 (`talk` of `default`), 7:18 (`chat` of `default`): two manifests create an endpoint named `voice` | give one of them another `name`, or remove `name`
        "#]]);
    encoder("name: voice")
        .and("Endpoint", "talk", "name: voices\nmodel: {hub: BAAI/bge-m3}\nhardware: ml.m5.xlarge")
        .is_fine();
}

#[test]
fn a_manifest_with_findings_of_its_own_is_no_reference_to_nothing() {
    endpoint("model: bge\nhardware: ml.m5.xlarge")
        .and("Model", "bge", "hubb: BAAI/bge-m3")
        .unread()
        .findings(expect![[""]]);
}

#[test]
fn after_a_hundred_findings_names_are_no_longer_compared() {
    let all = (0..102).fold(TestRun::default(), |run, at| run.and("Endpoint", &format!("e{at}"), "model: bgee"));
    let (_, found, sources) = all.and("Model", "bge", "hub: BAAI/bge-m3").resolved();
    let said: Vec<_> = found.iter().skip(100).map(|finding| one(finding, &sources)).collect();
    expect![[r#"
        error HF2001 e100.yaml 2:10: environment `default` has no Model `bgee` | did you mean `bge`?
        error HF2001 e101.yaml 2:10: environment `default` has no Model `bgee` | check its kind and its environment
    "#]]
    .assert_eq(&said.concat());
}

#[test]
fn the_same_name_in_another_environment_is_another_manifest() {
    let run = TestRun::default().within("dev").and("Environment", "dev", "").and("Model", "bge", "hub: BAAI/bge-m3");
    let run = run.within("trial").and("Environment", "trial", "").and("Endpoint", "chat", "model: bge");
    run.findings(expect![[r#"
        error HF2001 trial/chat.yaml 2:10: environment `trial` has no Model `bge` | it has no Model at all
    "#]]);
}

#[test]
fn origins_say_which_field_a_property_comes_from() {
    let run =
        encoder("capture: {percent: 1%, s3: 's3://b/'}").environment("defaults: {scaling: {min: 2}, alarms: none}");
    let origins = run.stack().origins.into_iter();
    let lines = origins.map(|(path, field)| format!("{path} = {}\n", field.path.field()));
    expect![[r#"
        Endpoint/Properties/DeploymentConfig = spec
        Endpoint/Properties/EndpointName = spec
        EndpointConfig/Properties = spec.hardware
        EndpointConfig/Properties/DataCaptureConfig = spec.capture
        EndpointConfig/Properties/DataCaptureConfig/DestinationS3Uri = spec.capture.s3
        EndpointConfig/Properties/KmsKeyId = spec
        EndpointConfig/Properties/ProductionVariants/0/ContainerStartupHealthCheckTimeoutInSeconds = spec
        EndpointConfig/Properties/ProductionVariants/0/InitialInstanceCount = spec.defaults.scaling
        EndpointConfig/Properties/ProductionVariants/0/InstanceType = spec.hardware
        EndpointConfig/Properties/ProductionVariants/0/ModelDataDownloadTimeoutInSeconds = spec
        EndpointConfig/Properties/ProductionVariants/0/RoutingConfig = spec
        EndpointConfig/Properties/ProductionVariants/0/VariantInstanceProvisionTimeoutInSeconds = spec
        ErrorAlarm = spec.defaults.alarms
        ExecutionRole = spec
        LatencyAlarm = spec.defaults.alarms
        Model = spec.model
        Model/Properties/EnableNetworkIsolation = spec
        Model/Properties/PrimaryContainer/ModelDataSource = spec.model
        Model/Properties/VpcConfig = spec
        ScalableTarget = spec.defaults.scaling
        ScalableTarget/Properties/MaxCapacity = spec.defaults.scaling
        ScalableTarget/Properties/MinCapacity = spec.defaults.scaling.min
        ScalableTarget/Properties/ScheduledActions = spec.defaults.scaling
        TrackingPolicy = spec.defaults.scaling
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn what_is_added_to_a_body_is_passed_on_with_its_places() {
    let run = encoder(
        "overrides: {Model: {Properties: {}}}\nresources: {Extra: {Type: 'AWS::SNS::Topic'}}\noutputs: {Mine: {Value: x}}",
    );
    let hatch = run.stack().hatch;
    expect![[r#"["outputs/Mine", "overrides/Model", "resources/Extra"]"#]]
        .assert_eq(&format!("{:?}", hatch.spans.keys().map(ToString::to_string).collect::<Vec<_>>()));
    assert_eq!((hatch.overrides.len(), hatch.resources.len(), hatch.outputs.len()), (1, 1, 1));
}
