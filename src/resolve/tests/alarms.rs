//! What is watched, and what is recorded.

use super::*;

#[test]
fn more_than_five_percent_of_server_errors_alarm_when_nobody_says() {
    encoder("").alarms(expect![[r#"
        error: {"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","percent":5}
    "#]]);
    encoder("alarms: {errorRate: 0.5%}").alarms(expect![[r#"
        error: {"description":"More than 0.5% of the requests to default-endpoint-chat are answered with a server error.","percent":0.5}
    "#]]);
}

#[test]
fn latency_alarms_where_it_is_said() {
    encoder("alarms: {latencyP99: 250ms}").alarms(expect![[r#"
        error: {"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","percent":5}
        latency: {"description":"The slowest 1% of the answers of default-endpoint-chat take longer than 250ms.","microseconds":250000}
    "#]]);
}

#[test]
fn alarms_are_turned_off_by_the_endpoint_or_its_environment() {
    encoder("alarms: none").alarms(expect!["nothing"]);
    let none = "defaults: {alarms: none}";
    encoder("").environment(none).alarms(expect!["nothing"]);
    encoder("alarms: {errorRate: 1%}").environment(none).alarms(expect![[r#"
        error: {"description":"More than 1% of the requests to dev-endpoint-chat are answered with a server error.","percent":1}
    "#]]);
}

#[test]
fn alarms_of_the_environment_hold_where_an_endpoint_says_none() {
    let given = "defaults: {alarms: {errorRate: 2%, latencyP99: 1s, notify: {export: Topics}}}";
    encoder("").environment(given).alarms(expect![[r#"
        error: {"description":"More than 2% of the requests to dev-endpoint-chat are answered with a server error.","percent":2}
        latency: {"description":"The slowest 1% of the answers of dev-endpoint-chat take longer than 1s.","microseconds":1000000}
        notify: {"Fn::Split":[",",{"Fn::ImportValue":"Topics"}]}
    "#]]);
}

#[test]
fn topics_are_told_by_arn_parameter_or_export() {
    encoder("alarms: {notify: ['arn:aws:sns:${region}:${account}:ops', {ssm: /ops/topic}, {export: Ops}]}")
        .account("123456789012")
        .alarms(expect![[r#"
            error: {"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","percent":5}
            notify: ["arn:aws:sns:us-east-1:123456789012:ops","{{resolve:ssm:/ops/topic}}",{"Fn::ImportValue":"Ops"}]
        "#]]);
}

#[test]
fn a_whole_list_from_a_parameter_is_not_supported_because_it_would_stay_one_text() {
    encoder("alarms: {notify: {ssm: /ops/topics}}").findings(expect![[r#"
        error HF1040 2:20: not yet supported: a whole list from a parameter | name one parameter for each item, `[{ssm: /a}, {ssm: /b}]`, or take the list from an export
    "#]]);
    encoder("alarms: {notify: {export: Topics}}").alarms(expect![[r#"
        error: {"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","percent":5}
        notify: {"Fn::Split":[",",{"Fn::ImportValue":"Topics"}]}
    "#]]);
}

#[test]
fn requests_and_answers_are_recorded_unless_one_is_said() {
    encoder("capture: {percent: 20%, s3: 's3://b/seen'}").capture(expect![[r#"
        modes: ["Input","Output"]
        percent: 20
        uri: "s3://b/seen"
    "#]]);
    encoder("capture: {percent: 100%, s3: 's3://b/seen', content: [output]}").capture(expect![[r#"
        modes: ["Output"]
        percent: 100
        uri: "s3://b/seen"
    "#]]);
}

#[test]
fn content_types_that_are_kept_as_text_are_said_by_form() {
    encoder("capture: {percent: 1%, s3: 's3://b/', types: {csv: [text/csv], json: [application/json]}}").capture(
        expect![[r#"
            modes: ["Input","Output"]
            percent: 1
            types: {"CsvContentTypes":["text/csv"],"JsonContentTypes":["application/json"]}
            uri: "s3://b/"
        "#]],
    );
    encoder("capture: {percent: 1%, s3: 's3://b/', types: {csv: []}}").capture(expect![[r#"
        modes: ["Input","Output"]
        percent: 1
        uri: "s3://b/"
    "#]]);
}

#[test]
fn what_is_recorded_is_encrypted_with_the_endpoints_key() {
    encoder("capture: {percent: 1%, s3: 's3://b/'}\nencryption: {kmsKey: 1234abcd-12ab-34cd-56ef-1234567890ab}")
        .capture(expect![[r#"
            kms_key: "1234abcd-12ab-34cd-56ef-1234567890ab"
            modes: ["Input","Output"]
            percent: 1
            uri: "s3://b/"
        "#]]);
}

#[test]
fn recording_is_granted_below_its_prefix_with_or_without_a_slash() {
    let to = |s3: &str| encoder(&format!("capture: {{percent: 1%, s3: '{s3}'}}"));
    to("s3://b/seen").writes(expect![[r#"[{"bucket":"b","keys":"seen/*"}]"#]]);
    to("s3://b/seen/").writes(expect![[r#"[{"bucket":"b","keys":"seen/*"}]"#]]);
    to("s3://b").writes(expect![[r#"[{"bucket":"b","keys":"*"}]"#]]);
}
