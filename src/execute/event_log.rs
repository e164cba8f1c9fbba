//! The events of one stack, read newest first down to a mark and kept oldest first.

use crate::cloud::{Page, PageToken, Pages, ResourceStatus, StackEvent, StackStatus, Timestamp};

/// What is known of a stack's events.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    events: Vec<StackEvent>,
    /// Pages being read, newest first.
    fresh: Vec<StackEvent>,
    mark: Option<String>,
    pub(super) pages: Pages,
    /// A page is on its way.
    pub(super) reading: bool,
}

impl EventLog {
    /// Takes a page; answers where to go on, unless it reached the mark, the start of the operation with this token
    /// (of any, without one), or events from before `since`. Then `news` has what is new.
    pub(super) fn take(
        &mut self,
        page: Page<StackEvent>,
        token: Option<&str>,
        since: Option<Timestamp>,
    ) -> Option<PageToken> {
        for event in page.items {
            let known = self.mark.as_ref() == Some(&event.id);
            if known || since.is_some_and(|since| event.at < since) {
                return None;
            }
            let begins = begins_operation(&event) && token.is_none_or(|token| is_of(&event, token));
            self.fresh.push(event);
            if begins {
                return None;
            }
        }
        page.next
    }

    /// Closes a reading: the new events, oldest first, which are kept.
    pub(super) fn news(&mut self) -> Vec<StackEvent> {
        self.reading = false;
        self.pages = Pages::default();
        let mut news = std::mem::take(&mut self.fresh);
        news.reverse();
        if let Some(last) = news.last() {
            self.mark = Some(last.id.clone());
        }
        self.events.extend(news.iter().cloned());
        news
    }

    /// Forgets the events, not the mark: another operation begins.
    pub(super) fn next_operation(&mut self) {
        self.events.clear();
        self.fresh.clear();
    }

    /// The events of the operation with this token, or of the last one: from its start to the next start.
    pub(super) fn operation(&self, token: Option<&str>) -> &[StackEvent] {
        let ours = |event: &StackEvent| begins_operation(event) && token.is_none_or(|token| is_of(event, token));
        let from = self.events.iter().rposition(ours).unwrap_or(0);
        let rest = &self.events[from..];
        let end = rest.iter().skip(1).position(begins_operation).map_or(rest.len(), |next| next + 1);
        &rest[..end]
    }

    /// Where the stack itself stands, by the events that were read.
    pub(super) fn stack_status(&self) -> Option<StackStatus> {
        self.events.iter().rev().find_map(StackEvent::stack_status)
    }

    /// The token of the operation that began last, where one is known to have begun.
    pub(super) fn last_token(&self) -> Option<&str> {
        self.events.iter().rev().find(|event| begins_operation(event))?.token.as_deref()
    }
}

/// Old resources that were to go after the update and are still there.
pub(super) fn leftovers(events: &[StackEvent]) -> Vec<&StackEvent> {
    let cleaning = |event: &StackEvent| event.stack_status().is_some_and(|status| status.is_cleaning_up());
    let from = events.iter().position(cleaning).unwrap_or(events.len());
    let cleanup = &events[from..];
    let gone = |failed: &StackEvent| {
        let same = |event: &&StackEvent| event.physical_id == failed.physical_id;
        cleanup.iter().filter(same).any(|event| event.status == ResourceStatus::DeleteComplete)
    };
    let mut left: Vec<&StackEvent> = Vec::new();
    for event in cleanup.iter().filter(|event| event.status == ResourceStatus::DeleteFailed && !event.is_of_stack()) {
        if !gone(event) && left.iter().all(|known| known.physical_id != event.physical_id) {
            left.push(event);
        }
    }
    left
}

/// The stack's own event that says why it turned back, where that is more than a list of the resources that failed: a
/// template that fails as a whole, for an export that is missing or taken, has no event of a resource.
pub(super) fn turned_back(events: &[StackEvent]) -> Option<&StackEvent> {
    let turns = |event: &StackEvent| event.stack_status().is_some_and(|status| status.is_rolling_back());
    let says = |reason: &str| !reason.is_empty() && !reason.starts_with("The following resource(s) failed to ");
    events.iter().find(|event| turns(event) && event.reason.as_deref().is_some_and(says))
}

fn begins_operation(event: &StackEvent) -> bool {
    let starts = [ResourceStatus::CreateInProgress, ResourceStatus::UpdateInProgress, ResourceStatus::DeleteInProgress];
    event.is_of_stack() && starts.contains(&event.status)
}

fn is_of(event: &StackEvent, token: &str) -> bool {
    event.token.as_deref().is_none_or(|theirs| theirs == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, stack: bool, status: &str, token: &str) -> StackEvent {
        StackEvent {
            id: id.into(),
            stack_id: "arn:s".into(),
            logical_id: id.into(),
            physical_id: Some(if stack { "arn:s".into() } else { format!("phys-{}", &id[..1]) }),
            resource_type: if stack { "AWS::CloudFormation::Stack".into() } else { "AWS::IAM::Role".into() },
            status: status.into(),
            reason: None,
            at: Timestamp(0),
            token: Some(token.into()),
            operation_id: None,
        }
    }

    fn read(log: &mut EventLog, pages: &[Vec<StackEvent>]) -> String {
        let mut pages = pages.iter();
        while let Some(items) = pages.next() {
            let next = (pages.len() > 0).then(|| PageToken("more".into()));
            let page = Page { items: items.clone(), next };
            if log.take(page, Some("t2"), None).is_none() {
                break;
            }
        }
        log.news().iter().map(|event| event.id.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn reading_crosses_pages_and_the_rollback_and_stops_at_the_start_then_at_the_mark() {
        let old = event("a1", true, "CREATE_IN_PROGRESS", "t1");
        let start = event("b1", true, "UPDATE_IN_PROGRESS", "t2");
        let failed = event("c1", false, "UPDATE_FAILED", "t2");
        let back = event("d1", true, "UPDATE_ROLLBACK_IN_PROGRESS", "t2");
        let end = event("e1", true, "UPDATE_ROLLBACK_COMPLETE", "t2");
        let mut log = EventLog::default();
        assert_eq!(read(&mut log, &[vec![failed.clone(), start.clone(), old.clone()]]), "b1 c1");
        assert_eq!(read(&mut log, &[vec![end], vec![back, failed], vec![start, old]]), "d1 e1");
        assert_eq!(log.operation(Some("t2")).len(), 4);
        assert_eq!(log.last_token(), Some("t2"));
    }

    #[test]
    fn the_stack_itself_says_why_it_turned_back_unless_it_only_lists_resources() {
        let back = |reason: &str| StackEvent {
            reason: Some(reason.into()),
            ..event("s2", true, "UPDATE_ROLLBACK_IN_PROGRESS", "t")
        };
        let said = |back: StackEvent| {
            let events = [event("s1", true, "UPDATE_IN_PROGRESS", "t"), back];
            turned_back(&events).and_then(|event| event.reason.clone())
        };
        assert_eq!(said(back("No export named x found")).as_deref(), Some("No export named x found"));
        assert_eq!(said(back("The following resource(s) failed to update: [Endpoint].")), None);
    }

    #[test]
    fn what_could_not_be_cleaned_up_is_left_unless_it_went_later() {
        let events = [
            event("s1", true, "UPDATE_IN_PROGRESS", "t"),
            event("s2", true, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "t"),
            event("x1", false, "DELETE_FAILED", "t"),
            event("y1", false, "DELETE_FAILED", "t"),
            event("x2", false, "DELETE_COMPLETE", "t"),
        ];
        let left: Vec<_> = leftovers(&events).iter().map(|event| event.logical_id.as_str()).collect();
        assert_eq!(left, ["y1"]);
    }
}
