//! An update whose rollback failed: what could not be brought back, and how it goes on.

use super::{ResourceStatus, StackEvent, StackRef, root_cause};

/// What the last rollback could not bring back, given a stack's events oldest first: each resource once, as it failed
/// first. What was only cancelled is not among them, nor what came back at a later try.
pub fn not_rolled_back(events: &[StackEvent]) -> Vec<&StackEvent> {
    let Some(from) = events.iter().rposition(StackEvent::begins_rollback) else { return Vec::new() };
    let rollback = &events[from..];
    let mut failed: Vec<&StackEvent> = Vec::new();
    for (at, event) in rollback.iter().enumerate() {
        let same = |other: &StackEvent| other.logical_id == event.logical_id;
        let is_known = failed.iter().any(|known| same(known));
        let came_back = || rollback[at..].iter().any(|e| same(e) && e.status == ResourceStatus::UpdateComplete);
        if root_cause([event]).is_some() && !is_known && !came_back() {
            failed.push(event);
        }
    }
    failed
}

/// What to do about a stack in UPDATE_ROLLBACK_FAILED, a line each: the command that tries again, the one that leaves
/// out what could not be brought back (logical id and type), and what that means.
pub fn stuck_rollback(stack: &StackRef, failed: &[(&str, &str)]) -> Vec<String> {
    let command = format!(
        "aws cloudformation continue-update-rollback --stack-name {} --region {}",
        stack.name, stack.target.region
    );
    let mut lines =
        vec!["fix what kept it from rolling back, then continue the rollback:".to_owned(), format!("`{command}`")];
    if failed.is_empty() {
        return lines;
    }
    let ids: Vec<&str> = failed.iter().map(|(id, _)| *id).collect();
    lines.push("or skip what failed:".to_owned());
    lines.push(format!("`{command} --resources-to-skip {}`", ids.join(" ")));
    lines.extend(failed.iter().map(|(id, resource_type)| format!("Skipped, {id} {}", when_skipped(resource_type))));
    lines
}

/// What becomes of a resource that a rollback skips. (D: ContinueUpdateRollback marks it as updated and leaves it alone;
/// stack and resource may differ, and the next update begins from what the stack believes)
fn when_skipped(resource_type: &str) -> &'static str {
    match resource_type {
        "AWS::SageMaker::Endpoint" => {
            "keeps running what it runs now, while the stack records the old configuration; apply compares the two"
        }
        "AWS::ApplicationAutoScaling::ScalableTarget" | "AWS::ApplicationAutoScaling::ScalingPolicy" => {
            "stays as the update left it, perhaps missing: check that the endpoint still scales"
        }
        "AWS::IAM::Role" | "AWS::IAM::Policy" => "keeps the permissions the update gave it",
        _ => "stays as the update left it, while the stack records the old state",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{Target, Timestamp};

    fn event(logical_id: &str, status: &str, reason: &str) -> StackEvent {
        let is_stack = logical_id == "s";
        StackEvent {
            id: String::new(),
            stack_id: "arn:s".into(),
            logical_id: logical_id.into(),
            physical_id: Some(if is_stack { "arn:s".into() } else { format!("p-{logical_id}") }),
            resource_type: if is_stack { "AWS::CloudFormation::Stack" } else { "AWS::SageMaker::Endpoint" }.into(),
            status: status.into(),
            reason: Some(reason.into()),
            at: Timestamp(0),
            token: None,
            operation_id: None,
        }
    }

    #[test]
    fn what_is_skipped_is_what_the_last_rollback_could_not_bring_back() {
        let mut events = vec![
            event("s", "UPDATE_IN_PROGRESS", ""),
            event("A", "UPDATE_FAILED", "the update's own failure"),
            event("s", "UPDATE_ROLLBACK_IN_PROGRESS", ""),
            event("B", "UPDATE_FAILED", "no way back"),
            event("C", "UPDATE_FAILED", "Resource update cancelled"),
            event("D", "UPDATE_FAILED", "not yet"),
            event("D", "UPDATE_COMPLETE", ""),
            event("s", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [B, C]."),
        ];
        let ids = |events: &[StackEvent]| {
            not_rolled_back(events).iter().map(|event| event.logical_id.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ids(&events), "B");
        events.push(event("s", "UPDATE_ROLLBACK_IN_PROGRESS", ""));
        events.push(event("E", "UPDATE_FAILED", "still not"));
        assert_eq!(ids(&events), "E");
        assert_eq!(ids(&events[..2]), "");
    }

    #[test]
    fn the_command_is_whole() {
        let target = Target { account: None, region: "eu-west-1".into(), assume_role: None };
        let lines =
            stuck_rollback(&StackRef { target, name: "dev-chat".into() }, &[("Endpoint", "AWS::SageMaker::Endpoint")]);
        assert_eq!(
            lines[3],
            "`aws cloudformation continue-update-rollback --stack-name dev-chat --region eu-west-1 --resources-to-skip \
             Endpoint`"
        );
        assert!(lines[4].starts_with("Skipped, Endpoint keeps"), "{lines:?}");
    }
}
