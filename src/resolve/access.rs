//! What a role must be allowed: needs, gathered from what uses it, and the statements that they become.
//!
//! Each service that uses a role may assume it, for this account only: `aws:SourceAccount`,
//! by which one account cannot make the service use another's role (SageMaker Developer Guide, "Cross-service confused
//! deputy prevention", SageMaker AI Inference, D). What SageMaker's containers and CloudWatch need is in the same
//! guide's "SageMaker AI execution roles", CreateModel API. (D)

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Condition, Given, Resources, Statement};

/// The service that runs endpoints.
pub(super) const SAGEMAKER: &str = "sagemaker.amazonaws.com";

/// Something that a role must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// To write logs and metrics of containers.
    WriteLogs,
    /// To pull images from a repository.
    PullImage(Repository),
    /// To read objects.
    ReadS3(Grant),
    /// To write objects.
    WriteS3(Grant),
    /// To use a key, by its ARN.
    UseKey(Given),
    /// To make network interfaces in a VPC.
    JoinVpc,
}

/// Who uses a role, and for what.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Access {
    /// Service principals.
    pub(super) users: BTreeSet<&'static str>,
    needs: BTreeSet<Need>,
}

/// An image repository in ECR.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repository {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
}

/// Keys of a bucket that are granted, as a policy writes them: `a/b/*`, or one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    pub(super) bucket: String,
    pub(super) keys: String,
}

/// A place in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct S3Prefix {
    pub(super) bucket: String,
    pub(super) prefix: String,
}

impl Access {
    /// What SageMaker needs whatever it serves.
    pub(super) fn of_sagemaker() -> Self {
        Self { users: BTreeSet::from([SAGEMAKER]), needs: BTreeSet::from([Need::WriteLogs]) }
    }

    pub(super) fn add(&mut self, needs: impl IntoIterator<Item = Need>) {
        self.needs.extend(needs);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.users.extend(other.users);
        self.needs.extend(other.needs);
    }

    /// Does it read anything from S3?
    pub(super) fn reads(&self) -> bool {
        self.needs.iter().any(|need| matches!(need, Need::ReadS3(_)))
    }

    /// The statements, one for each kind of need.
    pub(super) fn statements(&self) -> Vec<Statement> {
        let mut asked = NeedsByKind::default();
        for need in &self.needs {
            match need {
                Need::WriteLogs => asked.logs = true,
                Need::PullImage(repository) => asked.repositories.push(repository.arn()),
                Need::ReadS3(grant) => {
                    asked.reads.push(grant.arn());
                    if grant.keys.ends_with('*') {
                        asked.lists.entry(&grant.bucket).or_default().push(&grant.keys);
                    }
                }
                Need::WriteS3(grant) => asked.writes.push(grant.arn()),
                Need::UseKey(arn) => asked.keys.push(arn.clone()),
                Need::JoinVpc => asked.network = true,
            }
        }
        asked.statements()
    }
}

/// Needs, those of a kind together.
#[derive(Default)]
struct NeedsByKind<'a> {
    logs: bool,
    repositories: Vec<Given>,
    reads: Vec<Given>,
    /// Prefixes to list by bucket; no bucket of which only archives are read.
    lists: BTreeMap<&'a str, Vec<&'a str>>,
    writes: Vec<Given>,
    keys: Vec<Given>,
    network: bool,
}

impl NeedsByKind<'_> {
    fn statements(self) -> Vec<Statement> {
        let logs = self.logs.then(write_logs).into_iter().flatten();
        let network = self.network.then(join_vpc).into_iter().flatten();
        logs.chain(over("PullImages", &PULL, self.repositories))
            .chain(over("ReadModels", &["s3:GetObject"], self.reads))
            .chain(self.lists.into_iter().map(list))
            .chain(over("WriteObjects", &["s3:PutObject"], self.writes))
            .chain(use_keys(self.keys))
            .chain(network)
            .collect()
    }
}

fn list((bucket, prefixes): (&str, Vec<&str>)) -> Statement {
    let list = Statement::allow("", &["s3:ListBucket"], Resources::One(arn(&format!("s3:::{bucket}"))));
    match prefixes.contains(&"*") {
        true => list,
        false => list.when(Condition::below(prefixes)),
    }
}

const PULL: [&str; 3] = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// Nothing where there is nothing to allow it for.
fn over(sid: &'static str, actions: &[&'static str], resources: Vec<Given>) -> Option<Statement> {
    (!resources.is_empty()).then(|| Statement::allow(sid, actions, Resources::Each(resources)))
}

fn write_logs() -> [Statement; 2] {
    let write = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
    [
        Statement::allow("WriteLogs", &write, Resources::One(own("logs", "log-group:/aws/sagemaker/*"))),
        Statement::allow(
            "ActionsWithoutAResource",
            &["cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"],
            Resources::One(Given::anything()),
        ),
    ]
}

fn use_keys(keys: Vec<Given>) -> impl Iterator<Item = Statement> {
    let used = over("UseKeys", &["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], keys.clone());
    let granted = over("GrantKeysToServices", &["kms:CreateGrant"], keys);
    used.into_iter().chain(granted.map(|statement| statement.when(Condition::for_aws())))
}

fn join_vpc() -> [Statement; 2] {
    let manage = [
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
    ];
    let describe = [
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ];
    // Subnets and security groups may be shared by another account, whose they are.
    let shared = |part: &str| Given::Sub { text: format!("arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:*:{part}/*") };
    let parts = vec![own("ec2", "network-interface/*"), shared("security-group"), shared("subnet")];
    [
        Statement::allow("ManageNetworkInterfaces", &manage, Resources::Each(parts)),
        Statement::allow("DescribeNetworks", &describe, Resources::One(Given::anything())),
    ]
}

/// An ARN with what users wrote in it, which refers to nothing.
fn arn(rest: &str) -> Given {
    Given::Sub { text: format!("arn:${{AWS::Partition}}:{}", rest.replace("${", "${!")) }
}

/// An ARN of the account and Region that the stack is in.
fn own(service: &str, rest: &str) -> Given {
    Given::Sub { text: format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}") }
}

impl Grant {
    /// One archive, or everything below a prefix that ends with `/`.
    pub(super) fn to_read(place: &S3Prefix, archive: bool) -> Self {
        let keys = if archive { place.prefix.clone() } else { format!("{}*", place.prefix) };
        Self { bucket: place.bucket.clone(), keys }
    }

    /// Everything below a prefix, whether it was written with `/` or not.
    pub(super) fn to_write(place: &S3Prefix) -> Self {
        let keys = match place.prefix.trim_end_matches('/') {
            "" => "*".to_owned(),
            prefix => format!("{prefix}/*"),
        };
        Self { bucket: place.bucket.clone(), keys }
    }

    fn arn(&self) -> Given {
        arn(&format!("s3:::{}/{}", self.bucket, self.keys))
    }
}

impl Repository {
    fn arn(&self) -> Given {
        let Self { account, region, name } = self;
        arn(&format!("ecr:{region}:{account}:repository/{name}"))
    }

    /// Reads `ACCOUNT.dkr.ecr.REGION.SUFFIX/NAME:TAG` or `…@DIGEST`; nothing for other registries.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (host, path) = uri.split_once('/')?;
        let (account, rest) = host.split_once(".dkr.ecr.")?;
        let region = rest.split('.').next()?;
        let name = path.split('@').next()?.split(':').next()?;
        Some(Self { account: account.to_owned(), region: region.to_owned(), name: name.to_owned() })
    }
}

impl S3Prefix {
    /// Reads `s3://BUCKET/PREFIX`.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let path = uri.strip_prefix("s3://")?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        Some(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_our_statements_are_kept_from_others() {
        let text = || Given::from("x".to_owned());
        let asked = NeedsByKind {
            logs: true,
            repositories: vec![text()],
            reads: vec![text()],
            lists: BTreeMap::from([("b", vec!["*"])]),
            writes: vec![text()],
            keys: vec![text()],
            network: true,
        };
        let sids: BTreeSet<&str> =
            asked.statements().iter().map(Statement::sid).filter(|sid| !sid.is_empty()).collect();
        assert_eq!(sids, crate::service::policy::OWN_SIDS.into());
    }

    #[test]
    fn repositories_and_buckets_are_read() {
        let uri = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-vllm:0.25.1";
        let repository = Repository::parse(uri).expect("this is one of ECR's");
        assert_eq!((repository.region.as_str(), repository.name.as_str()), ("us-east-1", "huggingface-vllm"));
        assert_eq!(Repository::parse("docker.io/library/x:1"), None);
        let bucket = S3Prefix::parse("s3://models/a/b/").expect("this is a location");
        assert_eq!((bucket.bucket.as_str(), bucket.prefix.as_str()), ("models", "a/b/"));
    }
}
