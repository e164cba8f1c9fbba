//! What is watched, and what is recorded.

use super::*;

#[test]
fn more_than_five_percent_of_server_errors_alarm_when_nobody_says() {
    encoder("").alarms(expect![[r#"[{"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","id":"ErrorAlarm","percent":5,"variant":"AllTraffic","watches":"errors"}]"#]]);
    encoder("alarms: {errorRate: 0.5%}").alarms(expect![[r#"[{"description":"More than 0.5% of the requests to default-endpoint-chat are answered with a server error.","id":"ErrorAlarm","percent":0.5,"variant":"AllTraffic","watches":"errors"}]"#]]);
}

#[test]
fn latency_alarms_where_it_is_said() {
    encoder("alarms: {latencyP99: 250ms}").alarms(expect![[r#"[{"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","id":"ErrorAlarm","percent":5,"variant":"AllTraffic","watches":"errors"},{"description":"The slowest 1% of the answers of default-endpoint-chat take longer than 250ms.","id":"LatencyAlarm","microseconds":250000,"variant":"AllTraffic","watches":"latency"}]"#]]);
}

#[test]
fn alarms_are_turned_off_by_the_endpoint_or_its_environment() {
    encoder("alarms: none").alarms(expect!["[]"]);
    let none = "defaults: {alarms: none}";
    encoder("").environment(none).alarms(expect!["[]"]);
    encoder("alarms: {errorRate: 1%}").environment(none).alarms(expect![[r#"[{"description":"More than 1% of the requests to dev-endpoint-chat are answered with a server error.","id":"ErrorAlarm","percent":1,"variant":"AllTraffic","watches":"errors"}]"#]]);
}

#[test]
fn alarms_of_the_environment_hold_where_an_endpoint_says_none() {
    let given = "defaults: {alarms: {errorRate: 2%, latencyP99: 1s, notify: {export: Topics}}}";
    encoder("").environment(given).alarms(expect![[r#"[{"description":"More than 2% of the requests to dev-endpoint-chat are answered with a server error.","id":"ErrorAlarm","notify":{"Fn::Split":[",",{"Fn::ImportValue":"Topics"}]},"percent":2,"variant":"AllTraffic","watches":"errors"},{"description":"The slowest 1% of the answers of dev-endpoint-chat take longer than 1s.","id":"LatencyAlarm","microseconds":1000000,"notify":{"Fn::Split":[",",{"Fn::ImportValue":"Topics"}]},"variant":"AllTraffic","watches":"latency"}]"#]]);
}

#[test]
fn topics_are_told_by_arn_parameter_or_export() {
    encoder("alarms: {notify: ['arn:aws:sns:${region}:${account}:ops', {ssm: /ops/topic}, {export: Ops}]}")
        .account("123456789012")
        .alarms(expect![[r#"[{"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","id":"ErrorAlarm","notify":["arn:aws:sns:us-east-1:123456789012:ops","{{resolve:ssm:/ops/topic}}",{"Fn::ImportValue":"Ops"}],"percent":5,"variant":"AllTraffic","watches":"errors"}]"#]]);
}

#[test]
fn a_whole_list_from_a_parameter_is_not_supported_because_it_would_stay_one_text() {
    encoder("alarms: {notify: {ssm: /ops/topics}}").findings(expect![[r#"
        error HF1040 2:20: not yet supported: a whole list from a parameter | use one parameter per item, `[{ssm: /a}, {ssm: /b}]`, or an export of the list
    "#]]);
    encoder("alarms: {notify: {export: Topics}}").alarms(expect![[r#"[{"description":"More than 5% of the requests to default-endpoint-chat are answered with a server error.","id":"ErrorAlarm","notify":{"Fn::Split":[",",{"Fn::ImportValue":"Topics"}]},"percent":5,"variant":"AllTraffic","watches":"errors"}]"#]]);
}

#[test]
fn requests_and_answers_are_recorded_unless_one_is_said() {
    encoder("capture: {percent: 20%, s3: 's3://b/seen'}").capture(expect![[r#"
        answers: true
        csv: []
        json: []
        percent: 20
        requests: true
        uri: "s3://b/seen"
    "#]]);
    encoder("capture: {percent: 100%, s3: 's3://b/seen', content: [output]}").capture(expect![[r#"
        answers: true
        csv: []
        json: []
        percent: 100
        requests: false
        uri: "s3://b/seen"
    "#]]);
}

#[test]
fn content_types_that_are_kept_as_text_are_said_by_form() {
    encoder("capture: {percent: 1%, s3: 's3://b/', types: {csv: [text/csv], json: [application/json]}}").capture(
        expect![[r#"
            answers: true
            csv: ["text/csv"]
            json: ["application/json"]
            percent: 1
            requests: true
            uri: "s3://b/"
        "#]],
    );
    encoder("capture: {percent: 1%, s3: 's3://b/', types: {csv: []}}").capture(expect![[r#"
        answers: true
        csv: []
        json: []
        percent: 1
        requests: true
        uri: "s3://b/"
    "#]]);
}

#[test]
fn what_is_recorded_is_encrypted_with_the_endpoints_key() {
    encoder("capture: {percent: 1%, s3: 's3://b/'}\nencryption: {kmsKey: 1234abcd-12ab-34cd-56ef-1234567890ab}")
        .capture(expect![[r#"
            answers: true
            csv: []
            json: []
            key: "1234abcd-12ab-34cd-56ef-1234567890ab"
            percent: 1
            requests: true
            uri: "s3://b/"
        "#]]);
}

#[test]
fn recording_is_granted_below_its_prefix_with_or_without_a_slash() {
    let to = |s3: &str| encoder(&format!("capture: {{percent: 1%, s3: '{s3}'}}"));
    to("s3://b/seen").allowed("s3:PutObject", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/seen/*"}]"#]]);
    to("s3://b/seen/").allowed("s3:PutObject", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/seen/*"}]"#]]);
    to("s3://b").allowed("s3:PutObject", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:s3:::b/*"}]"#]]);
}
