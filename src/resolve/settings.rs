//! What the environment gives: network, key, tags, and placeholders.

use std::collections::BTreeMap;

use super::{
    Resolver,
    references::FieldPlace,
    view::{Given, Givens, VpcView},
};
use crate::{
    cloud::{StackOptions, Tagged, Tags},
    diagnostic::{Code, Diagnostic, Path, Span},
    manifest::{Document, Encryption, Network, Setting, Substitutions, Value, ValueList, is_tag, substitute},
    service::arn,
};

/// Tags that CloudFormation and SageMaker take at most.
const TAG_LIMIT: usize = 50;

impl Resolver<'_> {
    /// `text` with its placeholders replaced.
    pub(super) fn substituted(&mut self, text: &str, place: &FieldPlace<'_>) -> String {
        let account = if text.contains("${account}") { self.account(place) } else { None };
        let environment = &self.scope.set.environment.name;
        let substitutions =
            Substitutions { account, region: self.region(), target: self.scope.target_name(), environment };
        substitute(text, &substitutions)
    }

    /// `text` with its placeholders replaced, and a finding where the field does not accept it.
    pub(super) fn arn(&mut self, text: &str, field: &arn::ArnField, place: &FieldPlace<'_>) -> String {
        let text = self.substituted(text, place);
        let scope = self.scope;
        let target = arn::Location { region: &scope.target.region, account: self.facts.account(&scope.target) };
        if target.account.is_none() && self.facts.open && field.asks_account(&text) {
            self.questions.accounts.insert(scope.target.clone());
        }
        if let Some(problem) = field.check(&text, target) {
            let finding = Diagnostic::new(Code::WrongArn, problem.message).at(place.span());
            self.report(Diagnostic { help: problem.help, ..finding });
        }
        text
    }

    /// An id or ARN as it is written, or where it is taken from.
    pub(super) fn given(&mut self, value: &Value, field: &arn::ArnField, place: &FieldPlace<'_>) -> Given {
        match value {
            Value::Literal(text) => self.arn(text, field, place).into(),
            Value::Ssm(name) => {
                let reference = format!("{{{{resolve:ssm:{}}}}}", self.substituted(name, place));
                self.fetched.insert(reference.clone());
                reference.into()
            }
            Value::Export(name) => Given::Export { name: self.substituted(name, place) },
        }
    }

    /// A list of ids or ARNs.
    pub(super) fn givens(&mut self, values: &ValueList, field: &arn::ArnField, place: &FieldPlace<'_>) -> Givens {
        match values {
            ValueList::List(items) => {
                let given = |(at, item)| self.given(item, field, &place.item(at));
                Givens::List(items.iter().enumerate().map(given).collect())
            }
            ValueList::One(value) => {
                self.refuse_list_parameter(value, place);
                Givens::Split { at: (",", self.given(value, field, place)) }
            }
        }
    }
}

impl Resolver<'_> {
    /// CloudFormation splits before it fetches, so a fetched list would stay one text (aws-cdk#14476).
    fn refuse_list_parameter(&mut self, value: &Value, place: &FieldPlace<'_>) {
        if let Value::Ssm(_) = value {
            let message = "not yet supported: a whole list from a parameter";
            let help = "use one parameter per item, `[{ssm: /a}, {ssm: /b}]`, or an export of the list";
            self.report(Diagnostic::new(Code::NotYetSupported, message).at(place.span()).help(help));
        }
    }
}

/// Is the Region one with SageMaker? Nothing else can be judged where it is not.
pub(super) fn check_region(context: &mut Resolver<'_>) -> bool {
    let region = context.region();
    let known = context.catalog.region(region);
    let environment = &context.scope.set.environment;
    let message = match known {
        Some(known) if known.sagemaker => return true,
        Some(_) => format!("SageMaker endpoints are not known to be available in `{region}`"),
        None => format!("unknown Region `{region}`"),
    };
    let names = context.catalog.regions().map(|region| region.name.as_str());
    let near = crate::diagnostic::did_you_mean(region, names);
    let help = match near {
        Some(near) if known.is_none() => format!("did you mean `{near}`?"),
        _ => format!("choose another Region in environment `{}` or with `--region`", environment.name),
    };
    let finding = Diagnostic::new(Code::RegionUnknown, message).help(help);
    context.report(match place_of_region(context) {
        Some(span) => finding.at(span),
        None => finding,
    });
    false
}

/// Where the Environment sets it, unless a flag or variable did.
fn place_of_region(context: &Resolver<'_>) -> Option<Span> {
    let written = context.settings.region.as_deref() == Some(context.region());
    let origin = context.scope.set.environment.origin.as_ref().filter(|_| written)?;
    Some(origin.span(context.scope.target_path().at("region")))
}

/// A place in a network, or apart from all.
#[derive(Default)]
pub(super) struct Placed {
    pub(super) isolated: bool,
    pub(super) vpc: Option<VpcView>,
}

/// The endpoint's own network, with what it leaves open from the environment.
pub(super) fn network(context: &mut Resolver<'_>, own: Option<&Setting<Network>>, place: FieldPlace<'_>) -> Placed {
    let own = match own {
        Some(Setting::Off) => return Placed::default(),
        Some(Setting::On(network)) => Some(network),
        None => None,
    };
    let inherited = context.settings.settings.network.clone();
    let above = of_environment(context, "network").unwrap_or_else(|| place.clone());
    let either = |own: Option<&ValueList>, inherited: Option<&ValueList>| match own {
        Some(own) => Some((own.clone(), &place)),
        None => inherited.map(|inherited| (inherited.clone(), &above)),
    };
    let subnets =
        either(own.and_then(|own| own.subnets.as_ref()), inherited.as_ref().map(|inherited| &inherited.subnets));
    let groups = either(
        own.and_then(|own| own.security_groups.as_ref()),
        inherited.as_ref().map(|inherited| &inherited.security_groups),
    );
    let isolated = own.and_then(|network| network.isolated).unwrap_or(false);
    let vpc = match (subnets, groups) {
        (Some((subnets, at)), Some((groups, groups_at))) => Some(VpcView {
            subnets: context.givens(&subnets, &arn::SUBNET, &at.at("subnets")),
            security_groups: context.givens(&groups, &arn::SECURITY_GROUP, &groups_at.at("securityGroups")),
        }),
        // Half of one is refused where manifests are read.
        _ => None,
    };
    Placed { isolated, vpc }
}

/// A key, and the ARN a policy names it by.
#[derive(Debug, Clone)]
pub(super) struct EncryptionKey {
    pub(super) id: Given,
    pub(super) arn: Given,
}

/// The endpoint's own key, or the environment's.
pub(super) fn key(
    context: &mut Resolver<'_>,
    own: Option<&Setting<Encryption>>,
    place: FieldPlace<'_>,
) -> Option<EncryptionKey> {
    let (encryption, place) = match own {
        Some(Setting::Off) => return None,
        Some(Setting::On(encryption)) => (encryption.clone(), place),
        None => (context.settings.settings.encryption.clone()?, of_environment(context, "encryption").unwrap_or(place)),
    };
    let id = context.given(&encryption.kms_key, &arn::KEY, &place.at("kmsKey"));
    let arn = match id.text() {
        Some(text) if text.starts_with("alias/") || text.contains(":alias/") => {
            let message = "a key alias cannot be granted to a role";
            let help = "use the key's id or ARN in `kmsKey`";
            context.report(Diagnostic::new(Code::KeyAlias, message).at(place.at("kmsKey").span()).help(help));
            id.clone()
        }
        Some(text) if text.starts_with("arn:") || text.starts_with("{{resolve:") => id.clone(),
        Some(text) => {
            let text = text.replace("${", "${!");
            Given::Sub { text: format!("arn:${{AWS::Partition}}:kms:${{AWS::Region}}:${{AWS::AccountId}}:key/{text}") }
        }
        None => id.clone(),
    };
    Some(EncryptionKey { id, arn })
}

/// Where a setting was written: by the manifest itself, else where its environment sets it, for itself or by default.
pub(super) fn written<'a>(context: &Resolver<'a>, own: &FieldPlace<'a>, field: &str) -> FieldPlace<'a> {
    let environment = context.scope.set.environment.origin.as_ref().filter(|_| !own.exists(field));
    let target = context.scope.target_path();
    let maps = [target.clone(), "/spec".into(), target.at("defaults"), "/spec/defaults".into()];
    let above = environment.and_then(|origin| {
        let path = maps.iter().map(|map| map.at(field)).find(|path| origin.has(path))?;
        Some(FieldPlace::new(origin, path))
    });
    above.unwrap_or_else(|| own.at(field))
}

/// The role CloudFormation acts with, and the topics it tells.
pub(super) fn options(context: &mut Resolver<'_>) -> StackOptions {
    let settings = &context.settings.settings;
    let (role, topics) = (settings.service_role.clone(), settings.notifications.clone().unwrap_or_default());
    check_assumed(context);
    let (role_at, topics_at) = (of_environment(context, "serviceRole"), of_environment(context, "notifications"));
    let topic = |(at, topic): (usize, String)| match &topics_at {
        Some(place) => context.arn(&topic, &arn::STACK_TOPIC, &place.item(at)),
        None => topic,
    };
    let notification_arns = topics.into_iter().enumerate().map(topic).collect();
    let role_arn = role.map(|role| match &role_at {
        Some(place) => context.arn(&role, &arn::SERVICE_ROLE, place),
        None => role,
    });
    StackOptions { role_arn, notification_arns }
}

/// The role that leads into the target's account.
fn check_assumed(context: &mut Resolver<'_>) {
    if let Some(role) = context.settings.assume_role.clone()
        && let Some(place) = of_environment(context, "assumeRole")
    {
        context.arn(&role, &arn::ASSUMED_ROLE, &place);
    }
}

/// Where the Environment sets something: at its target, else for all.
pub(super) fn of_environment<'a>(context: &Resolver<'a>, field: &str) -> Option<FieldPlace<'a>> {
    let origin = context.scope.set.environment.origin.as_ref()?;
    let of_target = context.scope.target_path().at(field);
    let path = if origin.has(&of_target) { of_target } else { Path::from("/spec").at(field) };
    Some(FieldPlace::new(origin, path))
}

/// The environment's tags, the labels, and the three that say whose the stack is.
pub(super) fn tags(context: &mut Resolver<'_>, document: &Document) -> Tags {
    let environment = &context.scope.set.environment;
    let mut tags: Tags = context.settings.settings.tags.clone().unwrap_or_default();
    for labels in [&environment.labels, &document.labels] {
        tags.extend(labels.iter().filter(|(key, _)| is_tag(key)).map(|(key, value)| (key.clone(), value.clone())));
    }
    let own = Tagged { environment: &environment.name, kind: document.kind.name(), name: &document.name };
    tags.extend(own.tags());
    if tags.len() > TAG_LIMIT {
        let message = format!(
            "{} tags, but a stack has at most {TAG_LIMIT}: labels, environment tags and three of hubform's own",
            tags.len()
        );
        let span = document.origin.span("/metadata/labels");
        context.report(Diagnostic::new(Code::TooManyTags, message).at(span));
    }
    refuse_case(context, &tags, document);
    tags
}

/// For IAM, keys that differ only in case are the same.
fn refuse_case(context: &mut Resolver<'_>, tags: &Tags, document: &Document) {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for key in tags.keys() {
        let Some(first) = seen.insert(key.to_lowercase(), key) else { continue };
        let message = format!("the tags `{first}` and `{key}` differ only in case, which IAM does not allow");
        let help = "labels become tags too; keep one";
        let finding = Diagnostic::new(Code::InvalidTag, message).at(place_of_tag(context, key, document));
        let finding = finding.label(place_of_tag(context, first, document), "the other one");
        context.report(finding.help(help));
    }
}

/// Where a tag was written: the manifest's label, else what the environment gives to all.
fn place_of_tag(context: &Resolver<'_>, key: &str, document: &Document) -> Span {
    let own = Path::from("/metadata/labels").at(key);
    let of_all = context.scope.set.environment.origin.as_ref().filter(|_| !document.origin.has(&own));
    let Some(origin) = of_all else { return document.origin.key_span(own) };
    let tags = [context.scope.target_path().at("tags"), "/spec/tags".into(), "/metadata/labels".into()];
    let written = tags.iter().map(|map| map.at(key)).find(|path| origin.has(path));
    written.map_or_else(|| document.origin.span("/metadata/labels"), |path| origin.key_span(path))
}
