//! How an endpoint moves to a new configuration.

use super::*;

/// On processors, with so many instances at the least.
fn moved(min: u32, rollout: &str) -> TestRun {
    encoder(&format!("scaling: {{min: {min}}}\nalarms: none\nrollout: {{{rollout}}}"))
}

#[test]
fn accelerators_that_stand_twice_roll_and_all_else_moves_at_once() {
    encoder("alarms: none").rollout(expect![[r#"
        alarms: []
        bake: 0
        strategy: "all-at-once"
    "#]]);
    encoder("alarms: none\nscaling: {min: 8}").rollout(expect![[r#"
        alarms: []
        bake: 0
        strategy: "all-at-once"
    "#]]);
    llm("alarms: none").rollout(expect![[r#"
        alarms: []
        bake: 0
        strategy: "all-at-once"
    "#]]);
    llm("alarms: none\nscaling: {min: 2}").rollout(expect![[r#"
        alarms: []
        bake: 0
        size: {"count":1}
        strategy: "rolling"
    "#]]);
}

#[test]
fn alarms_are_watched_for_five_minutes_after_each_step_when_nobody_says() {
    encoder("").size(expect!["nothing"]);
    encoder("rollout: {bake: 10m}").size(expect!["nothing"]);
    encoder("alarms: none\nrollout: {alarms: [theirs]}").rollout(expect![[r#"
        alarms: ["theirs"]
        bake: 300
        strategy: "all-at-once"
    "#]]);
}

#[test]
fn steps_need_two_instances() {
    for strategy in ["canary", "linear", "rolling"] {
        moved(2, &format!("strategy: {strategy}")).is_fine();
    }
    moved(1, "strategy: canary").findings(expect![[r#"
        error HF2021 4:23: this rollout needs at least two instances, and `min` is 1 | set `scaling: {min: 2}`, or `strategy: all-at-once`
    "#]]);
    moved(1, "strategy: linear").findings(expect![[r#"
        error HF2021 4:23: this rollout needs at least two instances, and `min` is 1 | set `scaling: {min: 2}`, or `strategy: all-at-once`
    "#]]);
    moved(1, "strategy: rolling").findings(expect![[r#"
        error HF2021 4:23: this rollout needs at least two instances, and `min` is 1 | set `scaling: {min: 2}`, or `strategy: all-at-once`
    "#]]);
    moved(1, "strategy: all-at-once").is_fine();
}

#[test]
fn a_step_is_a_quarter_of_the_fleet_when_nobody_says_and_by_count_where_that_is_small() {
    moved(3, "strategy: canary").size(expect![[r#"
        count: 1
    "#]]);
    moved(4, "strategy: canary").size(expect![[r#"
        percent: 25
    "#]]);
    moved(3, "strategy: linear").size(expect![[r#"
        count: 1
    "#]]);
    moved(4, "strategy: linear").size(expect![[r#"
        percent: 25
    "#]]);
    moved(7, "strategy: rolling").rollout(expect![[r#"
        alarms: []
        bake: 0
        size: {"count":1}
        strategy: "rolling"
    "#]]);
    moved(8, "strategy: rolling").rollout(expect![[r#"
        alarms: []
        bake: 0
        size: {"count":2}
        strategy: "rolling"
    "#]]);
}

#[test]
fn a_size_that_is_said_is_a_count_or_a_share() {
    moved(4, "strategy: canary, size: 2").size(expect![[r#"
        count: 2
    "#]]);
    moved(4, "strategy: rolling, size: 5%").rollout(expect![[r#"
        alarms: []
        bake: 0
        size: {"percent":5}
        strategy: "rolling"
    "#]]);
}

#[test]
fn a_step_moves_half_the_smallest_fleet_at_most() {
    for strategy in ["canary", "linear", "rolling"] {
        moved(5, &format!("strategy: {strategy}, size: 2")).is_fine();
    }
    moved(5, "strategy: canary, size: 3").findings(expect![[r#"
        error HF2022 4:37: a step may move at most 50% of the instances, counted by `min`, which is 5 | use a count of 1 to 2, or a percentage within that range
    "#]]);
    moved(5, "strategy: linear, size: 3").findings(expect![[r#"
        error HF2022 4:37: a step may move 10% to 50% of the instances, counted by `min`, which is 5 | use a count of 1 to 2, or a percentage within that range
    "#]]);
    moved(5, "strategy: rolling, size: 3").findings(expect![[r#"
        error HF2022 4:38: a step may move 5% to 50% of the instances, counted by `min`, which is 5 | use a count of 1 to 2, or a percentage within that range
    "#]]);
}

#[test]
fn without_a_strategy_a_share_is_judged_by_the_one_that_is_taken() {
    let rolling = |size: &str| llm(&format!("scaling: {{min: 20}}\nalarms: none\nrollout: {{size: {size}}}"));
    rolling("5%").is_fine();
    rolling("4%").findings(expect![[r#"
        error HF2022 4:19: a step may move 5% to 50% of the instances, counted by `min`, which is 20 | use a count of 1 to 10, or a percentage within that range
    "#]]);
    rolling("50%").is_fine();
    rolling("51%").findings(expect![[r#"
        error HF2022 4:19: a step may move 5% to 50% of the instances, counted by `min`, which is 20 | use a count of 1 to 10, or a percentage within that range
    "#]]);
}

#[test]
fn fields_that_the_strategy_taken_has_no_use_for_are_refused() {
    moved(1, "size: 1").findings(expect![[r#"
        error HF1026 4:19: `size` has no effect: without `strategy` this endpoint uses `all-at-once` | set another `strategy`, or remove `size`
    "#]]);
    llm("scaling: {min: 2}\nrollout: {drain: 5m}").findings(expect![[r#"
        error HF1026 3:20: `drain` has no effect: without `strategy` this endpoint uses `rolling` | set another `strategy`, or remove `drain`
    "#]]);
    moved(1, "drain: 5m").rollout(expect![[r#"
        alarms: []
        bake: 0
        drain: 300
        strategy: "all-at-once"
    "#]]);
}

#[test]
fn the_waits_end_before_the_roll_out_is_given_up() {
    let linear = |more: &str| moved(10, &format!("strategy: linear, size: 10%, {more}"));
    linear("bake: 59s, timeout: 10m").is_fine();
    linear("bake: 60s, timeout: 10m").findings(expect![[r#"
        error HF2038 4:12: the waits alone take 10m: 10 × 1m and 0s at the end; the rollout times out after 10m | raise `timeout`, make `size` larger, or `bake` and `drain` shorter
    "#]]);
    linear("bake: 59s, drain: 10s, timeout: 10m").findings(expect![[r#"
        error HF2038 4:12: the waits alone take 10m: 10 × 59s and 10s at the end; the rollout times out after 10m | raise `timeout`, make `size` larger, or `bake` and `drain` shorter
    "#]]);
    linear("bake: 47m").is_fine();
    linear("bake: 48m").findings(expect![[r#"
        error HF2038 4:12: the waits alone take 8h: 10 × 48m and 0s at the end; the rollout times out after 8h | make `size` larger, or `bake` and `drain` shorter
    "#]]);
}

#[test]
fn steps_are_counted_by_the_strategy() {
    moved(10, "strategy: canary, bake: 5m, timeout: 10m").findings(expect![[r#"
        error HF2038 4:12: the waits alone take 10m: 2 × 5m and 0s at the end; the rollout times out after 10m | raise `timeout`, make `size` larger, or `bake` and `drain` shorter
    "#]]);
    moved(10, "strategy: canary, bake: 299s, timeout: 10m").is_fine();
    moved(10, "strategy: all-at-once, bake: 599s, timeout: 10m").is_fine();
    moved(10, "strategy: all-at-once, bake: 10m, timeout: 10m").findings(expect![[r#"
        error HF2038 4:12: the waits alone take 10m: 1 × 10m and 0s at the end; the rollout times out after 10m | raise `timeout`, make `size` larger, or `bake` and `drain` shorter
    "#]]);
    moved(10, "strategy: rolling, size: 3, bake: 150s, timeout: 10m").findings(expect![[r#"
        error HF2038 4:12: the waits alone take 10m: 4 × 2m30s and 0s at the end; the rollout times out after 10m | raise `timeout`, make `size` larger, or `bake` and `drain` shorter
    "#]]);
    moved(9, "strategy: rolling, size: 3, bake: 150s, timeout: 10m").is_fine();
}

#[test]
fn ten_alarms_watch_a_roll_out_at_most() {
    let with = |own: &str, theirs: usize| {
        let names: Vec<_> = (0..theirs).map(|at| format!("a{at}")).collect();
        encoder(&format!("{own}\nrollout: {{alarms: [{}]}}", names.join(", ")))
    };
    with("alarms: none", 10).is_fine();
    with("", 9).is_fine();
    with("", 10).findings(expect![[r#"
        error HF1025 3:21: 11 alarms would watch the rollout; SageMaker allows 10 | 1 of them are hubform's own; `alarms: none` turns those off
    "#]]);
    with("alarms: {latencyP99: 2s}", 8).is_fine();
    with("alarms: {latencyP99: 2s}", 9).findings(expect![[r#"
        error HF1025 3:21: 11 alarms would watch the rollout; SageMaker allows 10 | 2 of them are hubform's own; `alarms: none` turns those off
    "#]]);
}

#[test]
fn a_roll_out_of_the_environment_is_left_out_where_it_cannot_be_and_its_alarms_stay() {
    let canary = "defaults: {alarms: none, rollout: {strategy: canary, alarms: [theirs]}}";
    encoder("").environment(canary).findings(expect![[r#"
        warning HF2039 7:18 (it is updated all at once instead), dev.yaml 2:37 (not used here): the environment's rollout needs two instances, and `chat` may have only one | set `scaling: {min: 2}`, or `rollout: {strategy: all-at-once}` in the endpoint
    "#]]);
    encoder("").environment(canary).rollout(expect![[r#"
        alarms: ["theirs"]
        bake: 300
        strategy: "all-at-once"
    "#]]);
    encoder("scaling: {min: 2}").environment(canary).rollout(expect![[r#"
        alarms: ["theirs"]
        bake: 300
        size: {"count":1}
        strategy: "canary"
    "#]]);
    encoder("rollout: {strategy: all-at-once}").environment(canary).is_fine();
    encoder("").environment("defaults: {rollout: {strategy: all-at-once}}").is_fine();
}

#[test]
fn drain_and_timeout_are_taken_as_said() {
    moved(2, "strategy: canary, drain: 5m, timeout: 30m").rollout(expect![[r#"
        alarms: []
        bake: 0
        drain: 300
        size: {"count":1}
        strategy: "canary"
        timeout: 1800
    "#]]);
    moved(2, "strategy: rolling, timeout: 30m").rollout(expect![[r#"
        alarms: []
        bake: 0
        size: {"count":1}
        strategy: "rolling"
        timeout: 1800
    "#]]);
}

#[test]
fn a_size_of_the_environment_is_refused_where_an_endpoint_moves_at_once() {
    // Only a strategy that is written is left out; a size without one is refused for each endpoint that has no use for it.
    let sized = "defaults: {alarms: none, rollout: {size: 25%}}";
    encoder("").environment(sized).findings(expect![[r#"
        error HF1026 dev.yaml 2:44: `size` has no effect: without `strategy` this endpoint uses `all-at-once` | set another `strategy`, or remove `size`
    "#]]);
    llm("scaling: {min: 4}").environment(sized).is_fine();
}
