//! What is expected of stacks.

use hubform::cloud::{CloudErrorKind, CreateStack, Reason, ResourceStatus, StackEvent, StackStatus, root_cause};
use serde_json::{Value, json};

use super::{
    Seen,
    subject::{Subject, all, creation, fault, role},
};

pub(super) async fn a_missing_stack_is_none(subject: &Subject) -> Seen {
    match subject.ports.stacks.describe_stack("nobody").await.map_err(fault)? {
        None => Ok(()),
        Some(stack) => Err(format!("{stack:?}")),
    }
}

pub(super) async fn a_new_stack_completes(subject: &Subject) -> Seen {
    let stack = subject.made("complete", role(json!({}), "one")).await?;
    let whole = stack.status == StackStatus::CreateComplete && stack.name == "complete";
    let named = stack.id.starts_with("arn:aws:cloudformation:us-east-1:") && stack.id.contains(":stack/complete/");
    if whole && named { Ok(()) } else { Err(format!("{stack:?}")) }
}

pub(super) async fn a_new_stack_was_never_updated(subject: &Subject) -> Seen {
    let stack = subject.made("fresh", role(json!({}), "one")).await?;
    if stack.updated_at.is_none() { Ok(()) } else { Err(format!("updated_at: {:?}", stack.updated_at)) }
}

pub(super) async fn a_stack_is_found_by_name_and_by_id(subject: &Subject) -> Seen {
    let made = subject.made("found", role(json!({}), "one")).await?;
    let by_name = subject.ports.stacks.describe_stack("found").await.map_err(fault)?;
    let by_id = subject.ports.stacks.describe_stack(&made.id).await.map_err(fault)?;
    if by_name == by_id && by_id.as_ref() == Some(&made) { Ok(()) } else { Err(format!("{by_name:?} {by_id:?}")) }
}

pub(super) async fn outputs_come_back(subject: &Subject) -> Seen {
    let stack = subject.made("outputs", role(json!({}), "one")).await?;
    let output = |key: &str| stack.outputs.get(key).map(String::as_str).unwrap_or_default();
    let arn = output("Arn").starts_with("arn:aws:iam::") && output("Arn").ends_with(output("Name"));
    if arn && !output("Name").is_empty() && output("Fixed") == "one" { Ok(()) } else { Err(format!("{stack:?}")) }
}

pub(super) async fn tags_and_parameters_come_back(subject: &Subject) -> Seen {
    let mut request = creation("tagged", role(json!({}), "one"));
    request.parameters.insert("Stage".to_owned(), "a, b & <c>".to_owned());
    request.tags.insert("note".to_owned(), "größe + 1".to_owned());
    let (parameters, tags) = (request.parameters.clone(), request.tags.clone());
    let id = subject.ports.stacks.create_stack(request).await.map_err(fault)?;
    let stack = subject.settled(&id).await?;
    if stack.parameters == parameters && stack.tags == tags { Ok(()) } else { Err(format!("{stack:?}")) }
}

pub(super) async fn the_template_comes_back_as_submitted(subject: &Subject) -> Seen {
    let body = role(json!({"Description": "größe"}), "one");
    let stack = subject.made("template", body.clone()).await?;
    let live = subject.ports.stacks.get_template(&stack.id).await.map_err(fault)?;
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{error}: {text}"));
    if read(&live)? == read(&body)? { Ok(()) } else { Err(live) }
}

pub(super) async fn a_second_creation_is_already_exists(subject: &Subject) -> Seen {
    subject.made("twice", role(json!({}), "one")).await?;
    let mut again = creation("twice", role(json!({}), "one"));
    again.token = "another".to_owned();
    match subject.ports.stacks.create_stack(again).await {
        Err(error) if error.kind == CloudErrorKind::AlreadyExists => Ok(()),
        other => Err(format!("{:?}", other.map_err(fault))),
    }
}

pub(super) async fn the_same_token_and_request_are_one_creation(subject: &Subject) -> Seen {
    let request = creation("token", role(json!({}), "one"));
    let first = subject.ports.stacks.create_stack(request.clone()).await.map_err(fault)?;
    let second = subject.ports.stacks.create_stack(request).await.map_err(fault)?;
    subject.settled(&first).await?;
    if first == second { Ok(()) } else { Err(format!("{first} and {second}")) }
}

pub(super) async fn the_same_token_for_another_request_is_refused(subject: &Subject) -> Seen {
    let first = creation("token-one", role(json!({}), "one"));
    let other = CreateStack { body: role(json!({}), "two"), ..first.clone() };
    subject.ports.stacks.create_stack(first).await.map_err(fault)?;
    let answer = subject.ports.stacks.create_stack(other).await;
    subject.settled("token-one").await?;
    match answer {
        Err(error) if error.kind == CloudErrorKind::TokenAlreadyExists => Ok(()),
        other => Err(format!("{:?}", other.map_err(fault))),
    }
}

pub(super) async fn a_token_is_remembered_beyond_the_stack(subject: &Subject) -> Seen {
    let request = creation("token-kept", role(json!({}), "one"));
    let first = subject.ports.stacks.create_stack(request.clone()).await.map_err(fault)?;
    subject.settled(&first).await?;
    subject.delete("token-kept").await.map_err(fault)?;
    for _ in 0..500 {
        if subject.ports.stacks.describe_stack("token-kept").await.map_err(fault)?.is_none() {
            break;
        }
        subject.pause().await;
    }
    match subject.ports.stacks.create_stack(request).await {
        Err(error) if error.kind == CloudErrorKind::TokenAlreadyExists => Ok(()),
        Ok(second) if second != first => Err("made again".to_owned()),
        other => Err(format!("{:?}", other.map_err(fault))),
    }
}

pub(super) async fn a_named_role_needs_the_named_capability(subject: &Subject) -> Seen {
    let mut request = creation("capable", role(json!({"RoleName": "contract-capable"}), "one"));
    request.capabilities.clear();
    match subject.ports.stacks.create_stack(request).await.map_err(|error| error.kind) {
        Err(CloudErrorKind::InsufficientCapabilities(text)) if text.contains("CAPABILITY_NAMED_IAM") => Ok(()),
        Ok(_) => Err("created".to_owned()),
        other => Err(format!("{other:?}")),
    }
}

pub(super) async fn a_body_that_is_no_template_is_refused(subject: &Subject) -> Seen {
    refused(subject, "no-template", "{\"Resources\": [".to_owned(), "Template format error").await
}

pub(super) async fn a_reference_to_nothing_is_refused(subject: &Subject) -> Seen {
    let body = role(json!({"Description": {"Ref": "Nobody"}}), "one");
    refused(subject, "no-reference", body, "Unresolved resource dependencies [Nobody]").await
}

async fn refused(subject: &Subject, name: &str, body: String, says: &str) -> Seen {
    match subject.ports.stacks.create_stack(creation(name, body)).await.map_err(|error| error.kind) {
        Err(CloudErrorKind::Validation(text)) if text.contains(says) => Ok(()),
        Ok(_) => Err("created".to_owned()),
        other => Err(format!("{other:?}")),
    }
}

pub(super) async fn stacks_are_listed_by_status(subject: &Subject) -> Seen {
    let stack = subject.made("listed", role(json!({}), "one")).await?;
    let listed = async |statuses: &[StackStatus]| {
        let pages = all(|from| subject.ports.stacks.list_stacks(statuses, from)).await?;
        Ok::<_, String>(pages.into_iter().flatten().any(|row| row.id == stack.id && row.status == stack.status))
    };
    let here = listed(&[StackStatus::CreateComplete, StackStatus::UpdateComplete]).await?;
    let there = listed(&[StackStatus::RollbackComplete, StackStatus::DeleteFailed]).await?;
    if here && !there { Ok(()) } else { Err(format!("{here} and {there}")) }
}

pub(super) async fn events_are_newest_first(subject: &Subject) -> Seen {
    let stack = subject.made("events", role(json!({}), "one")).await?;
    let events = subject.events(&stack.id).await?;
    let sorted = events.is_sorted_by(|newer, older| newer.at >= older.at);
    let complete = ResourceStatus::CreateComplete;
    let last = events.first().is_some_and(|event| event.is_of_stack() && event.status == complete);
    let began = |event: &StackEvent| event.is_of_stack() && event.status == ResourceStatus::CreateInProgress;
    let first = events.last().is_some_and(|event| began(event) && event.reason.as_deref() == Some("User Initiated"));
    if sorted && last && first { Ok(()) } else { Err(format!("{sorted} {last} {first} {events:?}")) }
}

pub(super) async fn events_carry_the_token(subject: &Subject) -> Seen {
    let stack = subject.made("token-of-events", role(json!({}), "one")).await?;
    let events = subject.events(&stack.id).await?;
    let without = events.iter().filter(|event| event.token.as_deref() != Some("create-token-of-events")).count();
    if without == 0 { Ok(()) } else { Err(format!("{without} of {} events are without it", events.len())) }
}

pub(super) async fn resources_have_events_in_two_phases(subject: &Subject) -> Seen {
    let stack = subject.made("phases", role(json!({}), "one")).await?;
    let events = subject.events(&stack.id).await?;
    let of_role = events.iter().rev().filter(|event| event.logical_id == "Role");
    let phases: Vec<_> = of_role.map(|event| (event.status.to_string(), event.physical_id.is_some())).collect();
    let expected = [("CREATE_IN_PROGRESS", false), ("CREATE_IN_PROGRESS", true), ("CREATE_COMPLETE", true)];
    let same = phases.iter().map(|(status, known)| (status.as_str(), *known)).eq(expected);
    if same { Ok(()) } else { Err(format!("{phases:?}")) }
}

pub(super) async fn a_failed_creation_rolls_back_and_says_why(subject: &Subject) -> Seen {
    let body = role(json!({"RoleName": "contract-collision"}), "one");
    subject.made("collision-one", body.clone()).await?;
    let stack = subject.made("collision-two", body).await?;
    if stack.status != StackStatus::RollbackComplete {
        return Err(stack.status.to_string());
    }
    let mut events = subject.events(&stack.id).await?;
    events.reverse();
    let cause = root_cause(&events).ok_or("no event is a cause")?;
    let told = cause.reason.as_deref().map(Reason::read) == Some(Reason::AlreadyExists);
    if cause.logical_id == "Role" && told { Ok(()) } else { Err(format!("{cause:?}")) }
}

pub(super) async fn a_protected_stack_is_not_deleted(subject: &Subject) -> Seen {
    let mut request = creation("protected", role(json!({}), "one"));
    request.termination_protection = true;
    let id = subject.ports.stacks.create_stack(request).await.map_err(fault)?;
    let before = subject.settled(&id).await?;
    match subject.delete(&id).await.map_err(|error| error.kind) {
        Err(CloudErrorKind::TerminationProtection) => {}
        other => return Err(format!("{other:?}")),
    }
    let after = subject.settled(&id).await?;
    if !before.termination_protection || after != before {
        return Err(format!("{after:?}"));
    }
    subject.ports.stacks.update_termination_protection(&id, false).await.map_err(fault)?;
    subject.delete(&id).await.map_err(fault)?;
    let gone = subject.settled(&id).await?;
    if gone.status.is_deleted() { Ok(()) } else { Err(gone.status.to_string()) }
}

pub(super) async fn a_deleted_stack_is_found_only_by_id(subject: &Subject) -> Seen {
    let made = subject.made("deleted", role(json!({}), "one")).await?;
    subject.delete(&made.id).await.map_err(fault)?;
    let by_id = subject.settled(&made.id).await?;
    let by_name = subject.ports.stacks.describe_stack("deleted").await.map_err(fault)?;
    let gone = by_id.status.is_deleted() && by_name.is_none();
    if gone { Ok(()) } else { Err(format!("{by_id:?} {by_name:?}")) }
}

pub(super) async fn a_deleted_stack_says_when(subject: &Subject) -> Seen {
    let made = subject.made("dated", role(json!({}), "one")).await?;
    subject.delete(&made.id).await.map_err(fault)?;
    let gone = subject.settled(&made.id).await?;
    let dated = gone.deleted_at.is_some_and(|at| at >= made.created_at);
    if dated { Ok(()) } else { Err(format!("deleted_at: {:?}", gone.deleted_at)) }
}

pub(super) async fn deleting_a_missing_stack_is_no_failure(subject: &Subject) -> Seen {
    subject.delete("nobody").await.map_err(fault)
}

pub(super) async fn listings_are_paged(subject: &Subject) -> Seen {
    let mut made = Vec::new();
    for index in 0..subject.crowd {
        let request = creation(&format!("crowd-{index}"), role(json!({}), "one"));
        made.push(subject.ports.stacks.create_stack(request).await.map_err(fault)?);
    }
    for id in &made {
        subject.settled(id).await?;
    }
    let described = all(|from| subject.ports.stacks.describe_stacks(from)).await?;
    let listed = all(|from| subject.ports.stacks.list_stacks(&[StackStatus::CreateComplete], from)).await?;
    paged(&made, described, |stack| &stack.id).map_err(|seen| format!("DescribeStacks: {seen}"))?;
    paged(&made, listed, |stack| &stack.id).map_err(|seen| format!("ListStacks: {seen}"))
}

fn paged<T>(made: &[String], pages: Vec<Vec<T>>, id: fn(&T) -> &String) -> Seen {
    let ids: Vec<&String> = pages.iter().flatten().map(id).collect();
    let once = made.iter().all(|wanted| ids.iter().filter(|id| **id == wanted).count() == 1);
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    if pages.len() > 1 && once { Ok(()) } else { Err(format!("pages of {sizes:?}, each once: {once}")) }
}
