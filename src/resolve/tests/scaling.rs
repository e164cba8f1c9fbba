//! How many instances, and who decides it.

use super::*;

fn scaled(scaling: &str) -> TestRun {
    encoder(&format!("scaling: {{{scaling}}}"))
}

fn on(instance: &str, scaling: &str) -> TestRun {
    endpoint(&format!("model: {{hub: BAAI/bge-m3}}\nscaling: {{{scaling}}}\nhardware: {instance}"))
}

#[test]
fn without_scaling_there_is_one_instance_and_no_scaler() {
    encoder("").scaling(expect!["nothing"]);
    encoder("").count(expect!["1"]);
}

#[test]
fn without_max_above_min_the_count_is_fixed() {
    scaled("min: 3").scaling(expect!["nothing"]);
    scaled("min: 3, max: 3").scaling(expect!["nothing"]);
    scaled("min: 3").count(expect!["3"]);
    scaled("min: 3").only("initial count, scaling target").choices(expect![[""]]);
}

#[test]
fn with_max_above_min_a_scaler_owns_the_count() {
    scaled("max: 2").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"cpu"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 240
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn the_count_starts_from_min_unless_said() {
    scaled("max: 4").only("initial count").choices(expect![[r#"
        initial count = 1 (autoscaling starts from one; it applies only when the endpoint is created)
    "#]]);
    scaled("min: 2, max: 4").only("initial count").choices(expect![[r#"
        initial count = 2 (autoscaling starts from `min`; it applies only when the endpoint is created)
    "#]]);
    scaled("min: 2, max: 4, initial: 3").only("initial count").choices(expect![[r#"
        initial count = 3 (as the manifest says; it applies only when the endpoint is created)
    "#]]);
}

#[test]
fn an_initial_count_out_of_the_bounds_that_were_left_out_is_refused() {
    scaled("initial: 1").is_fine();
    scaled("initial: 2").findings(expect![[r#"
        error HF2017 2:22: `initial` is 2, but must be 1 to 1
    "#]]);
    scaled("initial: 2, max: 2").is_fine();
}

#[test]
fn a_target_or_schedules_of_a_fixed_count_do_nothing_and_are_warned_of() {
    scaled("min: 2, target: {cpu: 50%}, schedules: [{name: n, cron: '0 8 * * ? *', min: 2}]").findings(expect![[r#"
        warning HF2018 2:29: `target` has no effect: without `max` above `min` the count is fixed | set `max`
        warning HF2018 2:52: `schedules` has no effect: without `max` above `min` the count is fixed | set `max`
    "#]]);
}

#[test]
fn processors_scale_by_sixty_percent_of_all_cores_when_nobody_says() {
    on("ml.m5.xlarge", "max: 2").only("scaling target").choices(expect![[r#"
        scaling target = cpu 60% (usual for processors)
    "#]]);
    on("ml.m5.4xlarge", "max: 2").aim(expect!["960"]);
}

#[test]
fn accelerators_scale_by_eight_requests_in_flight_when_nobody_says() {
    on("ml.g5.xlarge", "max: 2").only("scaling target").choices(expect![[r#"
        scaling target = 8 concurrent requests per instance (a cautious start for accelerators; measure, then set your own)
    "#]]);
    on("ml.g5.48xlarge", "max: 2").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"concurrent-requests-per-instance"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 8
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn use_of_processors_is_a_sum_over_cores() {
    scaled("max: 2, target: {cpu: 50%}").aim(expect!["200"]);
    on("ml.m5.12xlarge", "max: 2, target: {cpu: 12.5%}").aim(expect!["600"]);
    on("ml.g5.xlarge", "max: 2, target: {cpu: 50%}").aim(expect!["200"]);
}

#[test]
fn use_of_gpus_is_a_sum_over_devices() {
    on("ml.g5.12xlarge", "max: 2, target: {gpu: 70%}").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"gpu"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 280
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn without_gpus_their_use_is_no_target() {
    scaled("max: 2, target: {gpu: 70%}").findings(expect![[r#"
        error HF2019 2:35: `gpu` cannot be a target on `ml.m5.xlarge`: its GPU count is unknown | use another target, such as `invocationsPerInstance`
    "#]]);
    let image = "image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1";
    let neuron = format!("model: {{hub: BAAI/bge-m3, engine: custom, {image}}}\nhardware: ml.inf2.xlarge");
    endpoint(&format!("{neuron}\nscaling: {{max: 2, target: {{gpu: 70%}}}}")).findings(expect![[r#"
        error HF2019 4:35: `gpu` cannot be a target on `ml.inf2.xlarge`: its GPU count is unknown | use another target, such as `invocationsPerInstance`
    "#]]);
}

#[test]
fn requests_in_flight_and_invocations_have_metrics_of_the_service() {
    scaled("max: 2, target: {concurrentRequestsPerInstance: 2.5}").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"concurrent-requests-per-instance"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 2.5
        variant: "AllTraffic"
    "#]]);
    scaled("max: 2, target: {invocationsPerInstance: 600}").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"invocations-per-instance"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 600
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn a_metric_of_ones_own_is_taken_as_it_is() {
    let metric = "namespace: Acme, name: Queue, dimensions: {Of: chat}, statistic: Maximum, value: 10";
    scaled(&format!("max: 2, target: {{metric: {{{metric}}}}}")).scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"dimensions":[{"name":"Of","value":"chat"}],"kind":"custom","name":"Queue","namespace":"Acme","statistic":"Maximum"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 10
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn a_target_that_is_said_is_no_choice() {
    scaled("max: 2, target: {cpu: 50%}").only("scaling target").choices(expect![[""]]);
}

#[test]
fn the_metric_names_the_endpoint_as_it_is_called() {
    encoder("name: my-own-name\nscaling: {max: 2}").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"cpu"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 240
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn cooldowns_are_said_one_by_one() {
    on("ml.g5.xlarge", "max: 2, cooldown: {in: 10m}").scaling(expect![[r#"
        cooldown_in: 600
        cooldown_out: 60
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"concurrent-requests-per-instance"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 8
        variant: "AllTraffic"
    "#]]);
    on("ml.g5.xlarge", "max: 2, cooldown: {out: 0s}").scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 0
        id: "ScalableTarget"
        max: 2
        metric: {"kind":"concurrent-requests-per-instance"}
        min: 1
        policy_id: "TrackingPolicy"
        schedules: []
        target: 8
        variant: "AllTraffic"
    "#]]);
}

#[test]
fn schedules_change_the_bounds_by_cron_moment_or_rate() {
    let schedules = "{name: a, cron: '0  8 *   * ? *', timezone: Europe/Paris, min: 2}, \
                     {name: b, at: '2027-01-01T00:00:00', min: 1, max: 9}, {name: c, rate: 1 day, max: 3}";
    scaled(&format!("max: 4, schedules: [{schedules}]")).schedules(expect![[r#"[{"min":2,"name":"a","timezone":"Europe/Paris","when":"cron(0 8 * * ? *)"},{"max":9,"min":1,"name":"b","when":"at(2027-01-01T00:00:00)"},{"max":3,"name":"c","when":"rate(1 day)"}]"#]]);
}

#[test]
fn a_schedule_whose_bounds_cross_those_that_stay_is_refused() {
    let with = |bound: &str| scaled(&format!("min: 2, max: 4, schedules: [{{name: n, cron: '0 8 * * ? *', {bound}}}]"));
    with("min: 4").is_fine();
    with("min: 5").findings(expect![[r#"
        error HF2017 2:41: from then on `max` is 4, below `min`, 5
    "#]]);
    with("max: 2").is_fine();
    with("max: 1").findings(expect![[r#"
        error HF2017 2:41: from then on `max` is 1, below `min`, 2
    "#]]);
    with("min: 5, max: 5").is_fine();
}

#[test]
fn the_environments_scaling_holds_where_an_endpoint_says_none() {
    let run = encoder("").environment("defaults: {scaling: {min: 2, max: 5, target: {cpu: 50%}}}");
    run.scaling(expect![[r#"
        cooldown_in: 300
        cooldown_out: 60
        id: "ScalableTarget"
        max: 5
        metric: {"kind":"cpu"}
        min: 2
        policy_id: "TrackingPolicy"
        schedules: []
        target: 200
        variant: "AllTraffic"
    "#]]);
    scaled("min: 1").environment("defaults: {scaling: {min: 2, max: 5}}").scaling(expect!["nothing"]);
}
