//! Physical ids, generated names and attributes. (S: identifiers and attribute names; K: how generated text looks)

use serde_json::{Map, Value};

use super::{Handled, HandlerFailure, HandlerSite};
use crate::{
    catalog::{ResourceType, ValueKind},
    diagnostic::Path,
    sandbox::{catalog_of, ids, place::AccountRegion, stack::Record},
};

/// EC2 ids by type.
const PREFIXES: [(&str, &str); 14] = [
    ("CapacityReservation", "cr"),
    ("EIP", "eipalloc"),
    ("Instance", "i"),
    ("InternetGateway", "igw"),
    ("LaunchTemplate", "lt"),
    ("NatGateway", "nat"),
    ("NetworkAcl", "acl"),
    ("NetworkInterface", "eni"),
    ("RouteTable", "rtb"),
    ("SecurityGroup", "sg"),
    ("Subnet", "subnet"),
    ("VPC", "vpc"),
    ("VPCEndpoint", "vpce"),
    ("Volume", "vol"),
];

/// Types whose ARN is their identity, by the name in it, whose last part is compared without case.
const SAGEMAKER: [(&str, &str); 4] = [
    ("AWS::SageMaker::Endpoint", "endpoint"),
    ("AWS::SageMaker::EndpointConfig", "endpoint-config"),
    ("AWS::SageMaker::InferenceComponent", "inference-component"),
    ("AWS::SageMaker::Model", "model"),
];

fn last(kind: &str) -> &str {
    kind.rsplit("::").next().unwrap_or(kind)
}

fn service(kind: &str) -> String {
    match kind.split("::").nth(1).unwrap_or_default() {
        "ElasticLoadBalancingV2" => "elasticloadbalancing".to_owned(),
        "StepFunctions" => "states".to_owned(),
        "CertificateManager" => "acm".to_owned(),
        "ApplicationAutoScaling" => "application-autoscaling".to_owned(),
        other => other.to_lowercase(),
    }
}

/// The property that names a resource: the identifier where it may be given, else `XName` or `Name`.
fn name_property(known: &ResourceType) -> Option<String> {
    let usual = [format!("{}Name", last(&known.name)), "Name".to_owned()];
    let identifier = match known.primary_identifier() {
        [one] if one.segments().len() == 1 => Some(one.property().to_owned()),
        _ => None,
    };
    let is_text = |name: &String| {
        let path = Path::default().at(name);
        known.kinds(&path).contains(&&ValueKind::String) && !known.is_read_only(path)
    };
    identifier.into_iter().chain(usual).find(is_text)
}

/// How long a name may be.
fn longest(kind: &str) -> usize {
    match kind {
        "AWS::IAM::ManagedPolicy" => 128,
        _ if kind.starts_with("AWS::IAM::") => 64,
        _ => 63,
    }
}

/// `stack-LogicalId-RANDOM`, cut to the service's limit.
fn generated(site: &HandlerSite<'_>, kind: &str) -> String {
    let random = ids::mixed(site.seed, &site.drawing("name"), 12);
    let room = longest(kind).saturating_sub(random.len() + 1);
    let logical: String = site.logical_id.chars().take(room / 2).collect();
    let stack: String = site.stack_name.chars().take(room.saturating_sub(logical.len() + 1)).collect();
    let name = format!("{}-{logical}-{random}", stack.trim_end_matches('-'));
    if kind == "AWS::S3::Bucket" { name.to_lowercase() } else { name }
}

/// The resource's name: as given, else generated.
pub(super) fn name(site: &HandlerSite<'_>, kind: &str, properties: &Value) -> String {
    let given = catalog_of(kind).and_then(name_property).and_then(|name| scalar(properties.get(&name)?));
    given.unwrap_or_else(|| generated(site, kind))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The physical id that the properties alone decide; none where the service generates it.
pub(super) fn given_physical_id(place: &AccountRegion, kind: &str, properties: &Value) -> Option<String> {
    let known = catalog_of(kind)?;
    if let Some((_, tail)) = SAGEMAKER.iter().find(|(name, _)| *name == kind) {
        let name = scalar(properties.get(name_property(known)?)?)?.to_lowercase();
        let AccountRegion { account, region } = place;
        return Some(format!("arn:{}:sagemaker:{region}:{account}:{tail}/{name}", place.partition()));
    }
    let parts: Option<Vec<String>> = known
        .primary_identifier()
        .iter()
        .map(|path| Some(path).filter(|path| path.segments().len() == 1))
        .map(|path| scalar(properties.get(path?.property())?))
        .collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("|"))
}

/// A replacement under the same fixed name cannot be made while the old one exists. (O: the text)
pub(super) fn refuse_same_name(
    site: &HandlerSite<'_>,
    kind: &str,
    properties: &Value,
    old: Option<&Record>,
) -> Handled<()> {
    let Some(old) = old.filter(|_| catalog_of(kind).is_some_and(|known| !known.deletes_before_create())) else {
        return Ok(());
    };
    match given_physical_id(&site.place, kind, properties) {
        Some(id) if id == old.physical_id => Err(HandlerFailure::plain(format!(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {} and update \
             the stack again.",
            name(site, kind, properties)
        ))),
        _ => Ok(()),
    }
}

/// Everything `Fn::GetAtt` can be asked for, except names with `*`.
pub(super) fn attributes(
    site: &HandlerSite<'_>,
    kind: &str,
    properties: &Value,
    name: &str,
    arn: &str,
) -> Map<String, Value> {
    let Some(known) = catalog_of(kind) else { return Map::new() };
    let names = known.attributes().iter().filter(|attribute| !attribute.contains('*'));
    names.map(|attribute| (attribute.clone(), value(site, known, properties, name, arn, attribute))).collect()
}

/// One attribute: what was given under its name, or text such as the service makes.
pub(super) fn value(
    site: &HandlerSite<'_>,
    known: &ResourceType,
    properties: &Value,
    name: &str,
    arn: &str,
    attribute: &str,
) -> Value {
    if let Some(given) = attribute.split('.').try_fold(properties, |value, key| value.get(key)) {
        return given.clone();
    }
    let tail = attribute.rsplit('.').next().unwrap_or(attribute);
    if name_property(known).as_deref() == Some(attribute) || tail == format!("{}Name", last(&known.name)) {
        return Value::String(name.to_owned());
    }
    let kinds = known.kinds(attribute.split('.').collect::<Path>());
    match kinds.first() {
        Some(ValueKind::Integer | ValueKind::Number) if !tail.contains("Version") => Value::from(1),
        Some(ValueKind::Boolean) => Value::Bool(false),
        Some(ValueKind::Array(_)) => Value::Array(vec![Value::String(worded(site, known, name, arn, attribute, tail))]),
        _ => Value::String(worded(site, known, name, arn, attribute, tail)),
    }
}

fn worded(site: &HandlerSite<'_>, known: &ResourceType, name: &str, arn: &str, attribute: &str, tail: &str) -> String {
    let kind = last(&known.name);
    let web = || {
        format!("https://{}.{}.amazonaws.com/{}/{name}", service(&known.name), site.place.region, site.place.account)
    };
    let host = || format!("{}.{}.imagined.example", name.to_lowercase(), site.place.region);
    let id = |length| ids::hex(site.seed, &site.drawing(attribute), length);
    match tail {
        _ if tail == "Arn" || tail == format!("{kind}Arn") => arn.to_owned(),
        _ if tail.ends_with("Arn") || tail.ends_with("ARN") => format!("{arn}/{}", id(8)),
        _ if tail.ends_with("VersionNumber") || tail == "Version" => "1".to_owned(),
        _ if tail.ends_with("Url") || tail.ends_with("URL") || tail.ends_with("Uri") => web(),
        _ if tail.ends_with("DNSName") || tail.ends_with("DnsName") || tail.ends_with("Domain") => host(),
        _ if tail.ends_with("DomainName") || tail.ends_with("Address") || tail == "Endpoint" => host(),
        _ if tail.ends_with("Time") || tail.ends_with("Date") || tail.ends_with("At") => site.now.to_string(),
        _ if tail.ends_with("Name") => format!("{name}-{}", id(4)),
        _ if tail.ends_with("Id") || tail.ends_with("ID") => match PREFIXES.iter().find(|(known, _)| *known == kind) {
            Some((_, prefix)) => format!("{prefix}-{}", id(17)),
            None => id(20),
        },
        _ => format!("imagined-{}", id(8)),
    }
}

/// The ARN of a resource that has nothing special about it.
pub(super) fn arn(site: &HandlerSite<'_>, kind: &str, name: &str) -> String {
    match kind {
        "AWS::S3::Bucket" => format!("arn:{}:s3:::{name}", site.place.partition()),
        "AWS::SNS::Topic" | "AWS::SQS::Queue" => site.arn(&service(kind), name),
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            site.arn("cloudwatch", &format!("alarm:{name}"))
        }
        "AWS::Logs::LogGroup" => site.arn("logs", &format!("log-group:{name}:*")),
        _ => site.arn(&service(kind), &format!("{}/{name}", last(kind).to_lowercase())),
    }
}
