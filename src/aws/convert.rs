//! Answers in the SDK's words, turned into ours. What AWS must say and did not makes the answer unreadable.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::{operation::describe_change_set::DescribeChangeSetOutput, types};
use aws_smithy_types::DateTime;

use crate::cloud::{
    Capability, Change, ChangeAttribute, ChangeDetail, ChangeEvaluation, ChangeSet, ChangeSetSummary, Page, PageToken,
    Recreation, Stack, StackEvent, StackSummary, Tags, Timestamp,
};

/// Why an answer makes no sense.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

pub(super) type Read<T> = Result<T, Unreadable>;

/// A field that AWS always sends.
pub(super) fn required<T>(field: Option<T>, name: &str) -> Read<T> {
    field.ok_or_else(|| Unreadable(format!("it has no {name}")))
}

/// A text where the empty one means none.
pub(super) fn text(field: Option<String>) -> Option<String> {
    field.filter(|text| !text.is_empty())
}

/// One page of a listing.
pub(super) fn page<A, B>(items: Option<Vec<A>>, next: Option<String>, read: fn(A) -> Read<B>) -> Read<Page<B>> {
    Ok(Page { items: list(items, read)?, next: text(next).map(PageToken) })
}

/// Every item of a list; an absent list is empty.
pub(super) fn list<A, B>(items: Option<Vec<A>>, read: fn(A) -> Read<B>) -> Read<Vec<B>> {
    items.unwrap_or_default().into_iter().map(read).collect()
}

pub(super) fn stack(from: types::Stack) -> Read<Stack> {
    Ok(Stack {
        id: required(from.stack_id, "StackId")?,
        name: required(from.stack_name, "StackName")?,
        status: required(from.stack_status, "StackStatus")?.as_str().into(),
        status_reason: text(from.stack_status_reason),
        created_at: instant(required(from.creation_time, "CreationTime")?)?,
        updated_at: from.last_updated_time.map(instant).transpose()?,
        deleted_at: from.deletion_time.map(instant).transpose()?,
        parameters: parameters(from.parameters),
        outputs: pairs(from.outputs, |output| (output.output_key, output.output_value)),
        tags: tags(from.tags),
        capabilities: from.capabilities.unwrap_or_default().iter().map(|one| one.as_str().into()).collect(),
        role_arn: text(from.role_arn),
        notification_arns: from.notification_arns.unwrap_or_default(),
        termination_protection: from.enable_termination_protection.unwrap_or(false),
    })
}

pub(super) fn stack_summary(from: types::StackSummary) -> Read<StackSummary> {
    Ok(StackSummary {
        id: required(from.stack_id, "StackId")?,
        name: required(from.stack_name, "StackName")?,
        status: required(from.stack_status, "StackStatus")?.as_str().into(),
    })
}

pub(super) fn stack_event(from: types::StackEvent) -> Read<StackEvent> {
    Ok(StackEvent {
        id: required(from.event_id, "EventId")?,
        stack_id: required(from.stack_id, "StackId")?,
        logical_id: required(from.logical_resource_id, "LogicalResourceId")?,
        physical_id: text(from.physical_resource_id),
        resource_type: required(from.resource_type, "ResourceType")?,
        status: required(from.resource_status, "ResourceStatus")?.as_str().into(),
        reason: text(from.resource_status_reason),
        at: instant(required(from.timestamp, "Timestamp")?)?,
        token: text(from.client_request_token),
        operation_id: text(from.operation_id),
    })
}

/// The first page of a change set; further pages add to its changes.
pub(super) fn change_set(from: DescribeChangeSetOutput) -> Read<(ChangeSet, Option<String>)> {
    let set = ChangeSet {
        id: required(from.change_set_id, "ChangeSetId")?,
        name: required(from.change_set_name, "ChangeSetName")?,
        stack_id: required(from.stack_id, "StackId")?,
        status: required(from.status, "Status")?.as_str().into(),
        execution_status: required(from.execution_status, "ExecutionStatus")?.as_str().into(),
        status_reason: text(from.status_reason),
        created_at: instant(required(from.creation_time, "CreationTime")?)?,
        tags: tags(from.tags),
        parameters: parameters(from.parameters),
        changes: changes(from.changes)?,
    };
    Ok((set, text(from.next_token)))
}

pub(super) fn change_set_summary(from: types::ChangeSetSummary) -> Read<ChangeSetSummary> {
    Ok(ChangeSetSummary {
        id: required(from.change_set_id, "ChangeSetId")?,
        name: required(from.change_set_name, "ChangeSetName")?,
        status: required(from.status, "Status")?.as_str().into(),
    })
}

/// The changes to resources; others, such as hooks alone, are not listed.
fn changes(from: Option<Vec<types::Change>>) -> Read<Vec<Change>> {
    from.unwrap_or_default().into_iter().filter_map(|change| change.resource_change).map(change).collect()
}

fn change(from: types::ResourceChange) -> Read<Change> {
    Ok(Change {
        action: required(from.action, "Action")?.as_str().into(),
        logical_id: required(from.logical_resource_id, "LogicalResourceId")?,
        physical_id: text(from.physical_resource_id),
        resource_type: required(from.resource_type, "ResourceType")?,
        replacement: from.replacement.map(|replacement| replacement.as_str().into()),
        scope: from.scope.unwrap_or_default().iter().map(|part| part.as_str().into()).collect(),
        details: list(from.details, detail)?,
    })
}

fn detail(from: types::ResourceChangeDetail) -> Read<ChangeDetail> {
    let target = required(from.target, "Target")?;
    let attribute = ChangeAttribute::from(required(target.attribute, "Attribute")?.as_str());
    let recreation = match target.requires_recreation {
        Some(recreation) => recreation.as_str().into(),
        None if attribute != ChangeAttribute::Properties => Recreation::Never,
        None => return Err(Unreadable("it has no RequiresRecreation".to_owned())),
    };
    Ok(ChangeDetail {
        attribute,
        name: text(target.name),
        recreation,
        evaluation: from.evaluation.map_or(ChangeEvaluation::Dynamic, |evaluation| evaluation.as_str().into()),
        causing_entity: text(from.causing_entity),
        source: from.change_source.map(|source| source.as_str().to_owned()),
    })
}

fn parameters(from: Option<Vec<types::Parameter>>) -> BTreeMap<String, String> {
    pairs(from, |parameter| (parameter.parameter_key, parameter.parameter_value))
}

fn tags(from: Option<Vec<types::Tag>>) -> Tags {
    pairs(from, |tag| (tag.key, tag.value))
}

fn pairs<T>(from: Option<Vec<T>>, read: fn(T) -> (Option<String>, Option<String>)) -> BTreeMap<String, String> {
    let pairs = from.unwrap_or_default().into_iter().map(read);
    pairs.filter_map(|(key, value)| Some((key?, value.unwrap_or_default()))).collect()
}

fn instant(time: DateTime) -> Read<Timestamp> {
    time.to_millis().map(Timestamp).map_err(|_| Unreadable(format!("it has an impossible time {time:?}")))
}

/// Parameters as a request carries them.
pub(super) fn to_parameters(
    parameters: BTreeMap<String, String>,
    previous: BTreeSet<String>,
) -> Option<Vec<types::Parameter>> {
    let parameter = |(key, value)| types::Parameter::builder().parameter_key(key).parameter_value(value).build();
    let kept = |key| types::Parameter::builder().parameter_key(key).use_previous_value(true).build();
    Some(parameters.into_iter().map(parameter).chain(previous.into_iter().map(kept)).collect())
}

/// Tags as a request carries them.
pub(super) fn to_tags(tags: Tags) -> Option<Vec<types::Tag>> {
    Some(tags.into_iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build()).collect())
}

/// Capabilities as a request carries them.
pub(super) fn to_capabilities(capabilities: impl IntoIterator<Item = Capability>) -> Option<Vec<types::Capability>> {
    Some(capabilities.into_iter().map(|one| types::Capability::from(one.as_str())).collect())
}
