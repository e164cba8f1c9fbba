//! What is expected of change sets.

use hubform::cloud::{
    Change, ChangeAction, ChangeSetType, CloudErrorKind, Recreation, Replacement, ResourceStatus, StackStatus,
};
use serde_json::{Value, json};

use super::{
    Seen,
    subject::{Subject, change, fault, role},
};

pub(super) async fn nothing_to_change_is_an_empty_update(subject: &Subject) -> Seen {
    let body = role(json!({}), "one");
    let stack = subject.made("unchanged", body.clone()).await?;
    let set = subject.change_of(&stack.name, "nothing", body).await?;
    if set.is_empty_update() && !set.is_executable() { Ok(()) } else { Err(format!("{set:?}")) }
}

pub(super) async fn a_change_in_place_replaces_nothing(subject: &Subject) -> Seen {
    let stack = subject.made("in-place", role(json!({"MaxSessionDuration": 3600}), "one")).await?;
    let set = subject.change_of(&stack.name, "longer", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    modifies(&set.changes, "MaxSessionDuration", &Replacement::False, &Recreation::Never)
}

pub(super) async fn a_create_only_change_replaces(subject: &Subject) -> Seen {
    let stack = subject.made("create-only", role(json!({"Path": "/one/"}), "one")).await?;
    let set = subject.change_of(&stack.name, "elsewhere", role(json!({"Path": "/two/"}), "one")).await?;
    modifies(&set.changes, "Path", &Replacement::True, &Recreation::Always)
}

fn modifies(changes: &[Change], property: &str, replacement: &Replacement, recreation: &Recreation) -> Seen {
    let [change] = changes else { return Err(format!("{} changes", changes.len())) };
    let named = |detail: &&hubform::cloud::ChangeDetail| detail.name.as_deref() == Some(property);
    let why = change.details.iter().find(named).map(|detail| &detail.recreation);
    let what = (&change.action, change.logical_id.as_str(), change.resource_type.as_str());
    let right = what == (&ChangeAction::Modify, "Role", "AWS::IAM::Role") && change.physical_id.is_some();
    if right && change.replacement.as_ref() == Some(replacement) && why == Some(recreation) {
        return Ok(());
    }
    Err(format!("{} of {}, replacement {:?}, because {why:?}", change.action, change.logical_id, change.replacement))
}

pub(super) async fn an_executed_change_set_updates(subject: &Subject) -> Seen {
    let before = subject.made("updated", role(json!({"MaxSessionDuration": 3600}), "one")).await?;
    let set = subject.change_of("updated", "update", role(json!({"MaxSessionDuration": 7200}), "two")).await?;
    if !set.is_executable() {
        return Err(format!("{} {}", set.status, set.execution_status));
    }
    let after = subject.executed(&set).await?;
    let landed = after.status == StackStatus::UpdateComplete && after.id == before.id;
    let same_role = after.outputs.get("Arn") == before.outputs.get("Arn");
    let changed = after.outputs.get("Fixed").map(String::as_str) == Some("two");
    if landed && same_role && changed { Ok(()) } else { Err(format!("{after:?}")) }
}

pub(super) async fn an_updated_stack_says_when(subject: &Subject) -> Seen {
    subject.made("dated-update", role(json!({"MaxSessionDuration": 3600}), "one")).await?;
    let set = subject.change_of("dated-update", "update", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    let after = subject.executed(&set).await?;
    let dated = after.updated_at.is_some_and(|at| at >= after.created_at);
    if dated { Ok(()) } else { Err(format!("updated_at: {:?}", after.updated_at)) }
}

pub(super) async fn a_replacement_is_another_resource(subject: &Subject) -> Seen {
    let before = subject.made("moved", role(json!({"Path": "/one/"}), "one")).await?;
    let set = subject.change_of("moved", "move", role(json!({"Path": "/two/"}), "one")).await?;
    let after = subject.executed(&set).await?;
    let arns = (before.outputs.get("Arn"), after.outputs.get("Arn"));
    let old = subject.ports.iam.get_role(before.outputs.get("Name").map_or("", |name| name)).await.map_err(fault)?;
    let moved = arns.1.is_some_and(|arn| arn.contains(":role/two/")) && before.outputs["Name"] != after.outputs["Name"];
    if moved && old.is_none() { Ok(()) } else { Err(format!("{arns:?}, and the old one: {}", old.is_some())) }
}

pub(super) async fn an_update_passes_through_cleanup(subject: &Subject) -> Seen {
    let stack = subject.made("cleanup", role(json!({"MaxSessionDuration": 3600}), "one")).await?;
    let set = subject.change_of(&stack.name, "longer", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    subject.executed(&set).await?;
    let events = subject.events(&stack.id).await?;
    let of_update = events.iter().take_while(|event| event.status != ResourceStatus::CreateComplete);
    let statuses: Vec<&str> = of_update.filter(|e| e.is_of_stack()).map(|event| event.status.as_str()).collect();
    let expected = ["UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_IN_PROGRESS"];
    if statuses == expected { Ok(()) } else { Err(format!("{statuses:?}")) }
}

pub(super) async fn a_change_set_can_make_a_stack(subject: &Subject) -> Seen {
    let request = change("by-change-set", "make", ChangeSetType::Create, role(json!({}), "one"));
    let ids = subject.ports.stacks.create_change_set(request).await.map_err(fault)?;
    let set = subject.computed(&ids.change_set).await?;
    let shell = subject.settled(&ids.stack).await?;
    let adds = set.changes.iter().all(|change| change.action == ChangeAction::Add) && set.changes.len() == 1;
    if shell.status != StackStatus::ReviewInProgress || !adds {
        return Err(format!("{} {:?}", shell.status, set.changes));
    }
    subject.execute(&set.id, "execute").await.map_err(fault)?;
    subject.pause().await;
    let stack = subject.settled(&ids.stack).await?;
    if stack.status == StackStatus::CreateComplete { Ok(()) } else { Err(stack.status.to_string()) }
}

/// Also while the stack it would make has no template of its own.
pub(super) async fn the_template_of_a_change_set_comes_back(subject: &Subject) -> Seen {
    let body = role(json!({"Description": "größe"}), "one");
    let request = change("in-review", "make", ChangeSetType::Create, body.clone());
    let ids = subject.ports.stacks.create_change_set(request).await.map_err(fault)?;
    subject.computed(&ids.change_set).await?;
    let found = subject.ports.stacks.get_change_set_template(&ids.change_set).await.map_err(fault)?;
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{error}: {text}"));
    if read(&found)? == read(&body)? { Ok(()) } else { Err(found) }
}

pub(super) async fn a_change_set_is_executed_once(subject: &Subject) -> Seen {
    let stack = subject.made("once", role(json!({}), "one")).await?;
    let set = subject.change_of(&stack.name, "only", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    subject.executed(&set).await?;
    match subject.execute(&set.id, "again").await.map_err(|error| error.kind) {
        Err(CloudErrorKind::InvalidChangeSetStatus(_) | CloudErrorKind::NotFound) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

pub(super) async fn a_taken_name_is_already_exists(subject: &Subject) -> Seen {
    let stack = subject.made("taken", role(json!({}), "one")).await?;
    subject.change_of(&stack.name, "name", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    let mut request = change(&stack.name, "name", ChangeSetType::Update, role(json!({}), "two"));
    request.token = "another".to_owned();
    match subject.ports.stacks.create_change_set(request).await.map_err(|error| error.kind) {
        Err(CloudErrorKind::AlreadyExists) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

pub(super) async fn a_deleted_change_set_is_none(subject: &Subject) -> Seen {
    let stack = subject.made("dropped", role(json!({}), "one")).await?;
    let set = subject.change_of(&stack.name, "drop", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    let listed = subject.ports.stacks.list_change_sets(&stack.name).await.map_err(fault)?;
    if !listed.iter().any(|one| one.id == set.id && one.name == "drop") {
        return Err(format!("not among {}", listed.len()));
    }
    subject.ports.stacks.delete_change_set(&set.id).await.map_err(fault)?;
    subject.pause().await;
    let left = subject.ports.stacks.list_change_sets(&stack.name).await.map_err(fault)?;
    let found = subject.ports.stacks.describe_change_set(&set.id).await.map_err(fault)?;
    let left = left.iter().any(|one| one.id == set.id);
    if !left && found.is_none() { Ok(()) } else { Err(format!("listed: {left}, found: {found:?}")) }
}

pub(super) async fn change_sets_are_listed_by_the_stacks_id(subject: &Subject) -> Seen {
    let stack = subject.made("by-id", role(json!({}), "one")).await?;
    let set = subject.change_of(&stack.id, "one", role(json!({"MaxSessionDuration": 7200}), "one")).await?;
    let listed = subject.ports.stacks.list_change_sets(&stack.id).await.map_err(fault)?;
    let found = matches!(listed.as_slice(), [only] if only.id == set.id);
    if found && set.stack_id == stack.id { Ok(()) } else { Err(format!("ListChangeSets: {}", listed.len())) }
}

pub(super) async fn an_update_of_a_missing_stack_is_not_found(subject: &Subject) -> Seen {
    let request = change("nobody", "nothing", ChangeSetType::Update, role(json!({}), "one"));
    match subject.ports.stacks.create_change_set(request).await.map_err(|error| error.kind) {
        Err(CloudErrorKind::NotFound) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

pub(super) async fn an_update_of_a_rolled_back_stack_is_refused(subject: &Subject) -> Seen {
    let body = role(json!({"RoleName": "contract-refused"}), "one");
    subject.made("refused-one", body.clone()).await?;
    let stack = subject.made("refused-two", body).await?;
    if stack.status != StackStatus::RollbackComplete {
        return Err(stack.status.to_string());
    }
    let request = change(&stack.name, "mend", ChangeSetType::Update, role(json!({}), "two"));
    match subject.ports.stacks.create_change_set(request).await.map_err(|error| error.kind) {
        Err(CloudErrorKind::WrongState(StackStatus::RollbackComplete)) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
