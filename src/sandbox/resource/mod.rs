//! What each resource type does.
//!
//! Any type of the registry can be made, changed and deleted: names, ids and attributes are plausible text, and the
//! schema's property checks apply. SageMaker's models, configurations, endpoints and components, IAM's roles and
//! policies, scaling targets and policies, and alarms behave: they look up what they name, and refuse what AWS
//! refuses. Endpoint facts: the SageMaker API model and documentation of 2026 (M, D), and reports (O).

mod alarm;
mod component;
pub(crate) mod early;
mod endpoint;
mod endpoint_config;
mod generic;
mod handler;
mod iam;
mod model;
mod naming;
mod object;
mod scaling;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use super::{
    catalog_of, diff::changed_places, faults::Faults, ids, operation::Task, place::AccountRegion, stack::Record,
};
use crate::{
    catalog::{Replacement, Violation, ViolationKind},
    cloud::{Tags, Timestamp},
    diagnostic::Path,
};
use handler::ResourceHandler;
pub(crate) use object::{EndpointState, Fleet, Object, ObjectState};

/// A resource that a handler made.
#[derive(Debug)]
pub(crate) struct CreatedResource {
    pub(crate) physical_id: String,
    /// What `Ref` returns.
    pub(crate) reference: String,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) settles_in: Duration,
}

/// Why a handler failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandlerFailure {
    /// HandlerErrorCode; none where the text is complete.
    code: Option<&'static str>,
    message: String,
}

type Handled<T> = Result<T, HandlerFailure>;

impl HandlerFailure {
    /// In CloudFormation's own words.
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into() }
    }

    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidRequest", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("NotFound", message)
    }

    pub(crate) fn not_stabilized(message: impl Into<String>) -> Self {
        Self::new("NotStabilized", message)
    }

    /// A fault's words; whole reasons stay as they are.
    pub(crate) fn injected(message: String) -> Self {
        let whole = message.contains("HandlerErrorCode: ") || message.contains("Error Code: ");
        Self { code: (!whole).then_some("GeneralServiceException"), message }
    }

    /// As the event says it.
    pub(crate) fn reason(&self, request_token: &str) -> String {
        match self.code {
            None => self.message.clone(),
            Some(code) => format!(
                "Resource handler returned message: \"{}\" (RequestToken: {request_token}, HandlerErrorCode: {code})",
                self.message
            ),
        }
    }
}

/// Where and for whom a handler works.
pub(crate) struct HandlerSite<'a> {
    pub(crate) seed: u64,
    pub(crate) place: AccountRegion,
    pub(crate) stack: usize,
    pub(crate) stack_id: String,
    pub(crate) stack_name: String,
    pub(crate) logical_id: String,
    /// Which operation and phase of the stack this is: what tells two generated names apart.
    pub(crate) run: String,
    pub(crate) now: Timestamp,
    pub(crate) objects: &'a mut BTreeMap<String, Object>,
    pub(crate) faults: &'a mut Faults,
}

impl HandlerSite<'_> {
    fn key(&self, kind: &str, physical_id: &str) -> String {
        Object::key(&self.place, kind, physical_id)
    }

    fn object(&self, kind: &str, physical_id: &str) -> Option<&Object> {
        self.objects.get(&self.key(kind, physical_id))
    }

    fn object_mut(&mut self, kind: &str, physical_id: &str) -> Option<&mut Object> {
        let key = self.key(kind, physical_id);
        self.objects.get_mut(&key)
    }

    /// `arn:aws:sagemaker:us-east-1:…:endpoint/x`; IAM's have no Region.
    fn arn(&self, service: &str, tail: &str) -> String {
        let region = if service == "iam" { "" } else { &self.place.region };
        format!("arn:{}:{service}:{region}:{}:{tail}", self.place.partition(), self.place.account)
    }

    /// SageMaker's names differ by more than case.
    fn sagemaker_arn(&self, kind: &str, name: &str) -> String {
        self.arn("sagemaker", &format!("{kind}/{}", name.to_lowercase()))
    }

    fn drawing<'s>(&'s self, about: &'s str) -> [&'s str; 4] {
        [&self.stack_id, &self.logical_id, &self.run, about]
    }

    fn seconds(&self, about: &str, low: u64, high: u64) -> Duration {
        ids::millis(self.seed, &self.drawing(about), low * 1000, high * 1000)
    }

    /// Puts a new object in the account.
    ///
    /// # Errors
    /// When there is one of that name already.
    fn put(&mut self, kind: &str, physical_id: &str, name: &str, arn: String, properties: Value) -> Handled<()> {
        let key = self.key(kind, physical_id);
        if self.objects.contains_key(&key) {
            return Err(HandlerFailure::new(
                "AlreadyExists",
                format!("Resource of type '{kind}' with identifier '{physical_id}' already exists."),
            ));
        }
        let object = Object {
            account: self.place.account.clone(),
            region: if object::is_global(kind) { String::new() } else { self.place.region.clone() },
            resource_type: kind.to_owned(),
            physical_id: physical_id.to_owned(),
            name: name.to_owned(),
            arn,
            stack: Some(self.stack),
            properties,
            users: Default::default(),
            state: ObjectState::Plain,
        };
        self.objects.insert(key, object);
        Ok(())
    }
}

/// What the schema refuses of the properties. (S; K: the words)
///
/// # Errors
/// All findings at once.
pub(crate) fn check(logical_id: &str, kind: &str, properties: &Value) -> Handled<()> {
    let Some(known) = catalog_of(kind) else { return unimagined(kind) };
    unimagined(kind)?;
    let misfits = known.misfits(properties);
    if misfits.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = misfits.iter().map(describe).collect();
    Err(HandlerFailure::plain(format!(
        "Properties validation failed for resource {logical_id} with message: [{}]",
        lines.join("; ")
    )))
}

/// Types that need something the imagined account does not have.
fn unimagined(kind: &str) -> Handled<()> {
    match kind {
        "AWS::CloudFormation::Stack" => Err(HandlerFailure::plain(
            "the imagined account keeps no S3 objects, so the TemplateURL of a nested stack cannot be read",
        )),
        _ if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" => {
            Err(HandlerFailure::plain("the imagined account runs no functions, so a custom resource gets no answer"))
        }
        _ => Ok(()),
    }
}

fn describe(misfit: &Violation) -> String {
    let [above @ .., key] = misfit.path.parts() else { return String::new() };
    let (above, key) = (Path::from_iter(above.iter().cloned()).pointer(), key.text());
    let place = format!("#{above}");
    match &misfit.problem {
        ViolationKind::Missing => format!("{place}: required key [{key}] not found"),
        ViolationKind::Unknown => format!("{place}: extraneous key [{key}] is not permitted"),
        ViolationKind::ReadOnly => format!("{place}: read-only key [{key}] cannot be given"),
        ViolationKind::Kind(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            format!("#{}: expected type: {}", misfit.path.pointer(), kinds.join(" or "))
        }
    }
}

/// The task that makes a resource as wanted; none where it is already.
pub(crate) fn needed(record: &Record, properties: Value, tags: &Tags, metadata: bool) -> Option<Task> {
    let kind = catalog_of(&record.resource_type);
    let places = changed_places(Some(&record.properties), Some(&properties), "");
    let tagged = kind.is_some_and(|kind| kind.tags_property().is_some()) && record.tags != *tags;
    if places.is_empty() && !tagged && !metadata {
        return None;
    }
    let replaces = kind.is_some_and(|kind| {
        places.iter().any(|place| kind.replacement_on(Path::read(place)) == Replacement::Always)
            || tagged && kind.tags_create_only()
    });
    Some(if replaces { Task::Replace(properties) } else { Task::Update(properties) })
}

/// Makes a resource; `old` is what it will replace.
///
/// # Errors
/// What the handler says.
pub(crate) fn create(
    site: &mut HandlerSite<'_>,
    kind: &str,
    properties: &Value,
    old: Option<&Record>,
) -> Handled<CreatedResource> {
    naming::refuse_same_name(site, kind, properties, old)?;
    handler::of(kind).create(site, kind, properties)
}

/// Changes a resource in place; `properties` are the wanted ones.
///
/// # Errors
/// What the handler says.
pub(crate) fn update(site: &mut HandlerSite<'_>, record: &Record, properties: &Value) -> Handled<Duration> {
    let wait = handler::of(&record.resource_type).update(site, record, properties)?;
    if let Some(object) = site.object_mut(&record.resource_type, &record.physical_id)
        && !object.properties.is_null()
    {
        object.properties = properties.clone();
    }
    Ok(wait)
}

/// Checks whether what was made or changed is stable.
///
/// # Errors
/// Why it has not.
pub(crate) fn settle(site: &mut HandlerSite<'_>, record: &Record) -> Handled<()> {
    handler::of(&record.resource_type).settle(site, record)
}

/// The attributes of a resource that was changed in place.
pub(crate) fn refresh(_site: &HandlerSite<'_>, record: &mut Record) {
    for (name, value) in &mut record.attributes {
        if let Some(given) = record.properties.get(name) {
            *value = given.clone();
        } else if name.ends_with("VersionNumber") {
            let next = value.as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
            *value = Value::String(next.to_string());
        }
    }
}

/// Begins to delete; returns how long it takes.
///
/// # Errors
/// Why it cannot be deleted.
pub(crate) fn begin_delete(site: &mut HandlerSite<'_>, record: &Record) -> Handled<Duration> {
    handler::of(&record.resource_type).begin_delete(site, record)
}

/// Removes the resource, and what depends on it.
pub(crate) fn end(site: &mut HandlerSite<'_>, record: &Record) {
    handler::of(&record.resource_type).end(site, record);
    let key = site.key(&record.resource_type, &record.physical_id);
    site.objects.remove(&key);
}

/// Is the physical resource there?
pub(crate) fn exists(site: &HandlerSite<'_>, record: &Record) -> bool {
    site.object(&record.resource_type, &record.physical_id).is_some()
}

fn text<'v>(properties: &'v Value, name: &str) -> Option<&'v str> {
    properties.get(name).and_then(Value::as_str)
}
