//! Network and key, of the endpoint or of its environment.

use super::*;

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OURS: &str = "network: {subnets: [subnet-a], securityGroups: [sg-a]}";
const THEIRS: &str = "network: {subnets: [subnet-b, {ssm: /net/b}], securityGroups: {export: Groups}}";

#[test]
fn without_a_network_the_container_reaches_the_internet() {
    encoder("").vpc(expect!["nothing"]);
}

#[test]
fn a_network_of_the_environment_holds_where_an_endpoint_says_none() {
    encoder("").environment(THEIRS).vpc(expect![[r#"
        security_groups: {"Fn::Split":[",",{"Fn::ImportValue":"Groups"}]}
        subnets: ["subnet-b","{{resolve:ssm:/net/b}}"]
    "#]]);
    encoder(OURS).environment(THEIRS).vpc(expect![[r#"
        security_groups: ["sg-a"]
        subnets: ["subnet-a"]
    "#]]);
}

#[test]
fn what_an_endpoint_leaves_open_comes_from_the_environment() {
    encoder("network: {isolated: false}").environment(THEIRS).vpc(expect![[r#"
        security_groups: {"Fn::Split":[",",{"Fn::ImportValue":"Groups"}]}
        subnets: ["subnet-b","{{resolve:ssm:/net/b}}"]
    "#]]);
}

#[test]
fn a_target_says_another_network_than_its_environment() {
    let both = format!("targets: [{{region: us-east-1, {OURS}}}]\n{THEIRS}");
    encoder("").environment(&both).vpc(expect![[r#"
        security_groups: ["sg-a"]
        subnets: ["subnet-a"]
    "#]]);
}

#[test]
fn an_endpoint_turns_the_environments_network_off() {
    encoder("network: none").environment(THEIRS).vpc(expect!["nothing"]);
}

#[test]
fn a_place_in_a_network_is_granted() {
    encoder(OURS).access(expect![[r#"
        {"Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:DescribeLogStreams","logs:PutLogEvents"],"Effect":"Allow","Resource":{"Fn::Sub":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"},"Sid":"WriteLogs"}
        {"Action":["cloudwatch:PutMetricData","ecr:GetAuthorizationToken"],"Effect":"Allow","Resource":"*","Sid":"ActionsWithoutAResource"}
        {"Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ecr:us-east-1:683313688378:repository/tei-cpu"}],"Sid":"PullImages"}
        {"Action":["ec2:CreateNetworkInterface","ec2:CreateNetworkInterfacePermission","ec2:DeleteNetworkInterface","ec2:DeleteNetworkInterfacePermission"],"Effect":"Allow","Resource":[{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"},{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:*:security-group/*"},{"Fn::Sub":"arn:${AWS::Partition}:ec2:${AWS::Region}:*:subnet/*"}],"Sid":"ManageNetworkInterfaces"}
        {"Action":["ec2:DescribeDhcpOptions","ec2:DescribeNetworkInterfaces","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVpcs"],"Effect":"Allow","Resource":"*","Sid":"DescribeNetworks"}
    "#]]);
}

#[test]
fn an_isolated_container_cannot_fetch_from_the_hub() {
    encoder("network: {isolated: true}").findings(expect![[r#"
        error HF2028 2:23: an isolated container cannot reach the Hub, where its model is | copy the weights to S3 and set `s3:`, or remove `isolated`
    "#]]);
    let from_s3 = "model: {s3: 's3://b/m/', task: feature-extraction, engine: tei}\nhardware: ml.m5.xlarge";
    endpoint(&format!("{from_s3}\nnetwork: {{isolated: true}}")).is_fine();
    endpoint(&format!("{from_s3}\nnetwork: {{isolated: true}}")).isolated(expect!["true"]);
}

#[test]
fn an_alias_is_refused_as_a_key_in_either_form() {
    encoder("encryption: {kmsKey: alias/k}").findings(expect![[r#"
        error HF2026 2:24: a key alias cannot be granted to a role | use the key's id or ARN in `kmsKey`
    "#]]);
    encoder("encryption: {kmsKey: 'arn:aws:kms:us-east-1:123456789012:alias/k'}").findings(expect![[r#"
        error HF2026 2:24: a key alias cannot be granted to a role | use the key's id or ARN in `kmsKey`
    "#]]);
    encoder("").environment("encryption: {kmsKey: alias/k}").findings(expect![[r#"
        error HF2026 dev.yaml 2:24: a key alias cannot be granted to a role | use the key's id or ARN in `kmsKey`
    "#]]);
}

#[test]
fn a_key_by_id_is_granted_by_its_arn_and_what_is_one_already_as_it_is() {
    let by = |key: &str| encoder(&format!("encryption: {{kmsKey: {key}}}"));
    by(KEY).allowed("kms:Decrypt", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}]"#]]);
    by("'arn:aws:kms:us-east-1:123456789012:key/k'")
        .allowed("kms:Decrypt", expect![[r#"["arn:aws:kms:us-east-1:123456789012:key/k"]"#]]);
    by("{ssm: /key}").allowed("kms:Decrypt", expect![[r#"["{{resolve:ssm:/key}}"]"#]]);
    by("{export: Key}").allowed("kms:Decrypt", expect![[r#"[{"Fn::ImportValue":"Key"}]"#]]);
}

#[test]
fn a_key_of_the_environment_holds_unless_the_endpoint_says_its_own_or_none() {
    let theirs = "encryption: {kmsKey: {ssm: /theirs}}";
    encoder("").environment(theirs).key(expect![[r#""{{resolve:ssm:/theirs}}""#]]);
    encoder("encryption: {kmsKey: {ssm: /ours}}").environment(theirs).key(expect![[r#""{{resolve:ssm:/ours}}""#]]);
    encoder("encryption: none").environment(theirs).key(expect!["nothing"]);
}

#[test]
fn local_disks_take_no_key_and_it_is_said() {
    let key = format!("encryption: {{kmsKey: {KEY}}}");
    llm(&key).only("volume key").choices(expect![[r#"
        volume key = none (`ml.g6e.xlarge` has local disks, which a key does not encrypt)
    "#]]);
    llm(&key).key(expect!["nothing"]);
    encoder(&key).only("volume key").choices(expect![[""]]);
}

#[test]
fn a_key_that_reaches_nothing_is_not_granted() {
    let key = format!("encryption: {{kmsKey: {KEY}}}");
    llm(&key).allowed("kms:Decrypt", expect!["nothing"]);
    llm(&format!("{key}\ncapture: {{percent: 1%, s3: 's3://b/'}}")).allowed("kms:Decrypt", expect![[r#"[{"Fn::Sub":"arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}]"#]]);
}
