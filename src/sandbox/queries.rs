//! Calls that only read.

use super::{
    InventoryItem,
    account::AccountState,
    place::AccountRegion,
    resource::Object,
    stack::{StackState, StoredChangeSet},
    value::EvalScope,
};
use crate::cloud::{
    ChangeSet, ChangeSetSummary, CloudErrorKind, EndpointDescription, Page, PageToken, RoleDescription,
    Stack as Described, StackEvent, StackStatus, StackSummary, Timestamp,
};

/// How long a deleted stack is found by its id. (D, M)
const DELETED_FOR: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 60 * 60);

type QueryResult<T> = Result<T, CloudErrorKind>;

impl AccountState {
    pub(crate) fn describe_stacks(
        &self,
        place: &AccountRegion,
        from: Option<PageToken>,
    ) -> QueryResult<Page<Described>> {
        let live = |stack: &StackState| !stack.status.is_deleted();
        self.listing(place, from, live, |stack| self.described(stack))
    }

    pub(crate) fn list_stacks(
        &self,
        place: &AccountRegion,
        statuses: &[StackStatus],
        from: Option<PageToken>,
    ) -> QueryResult<Page<StackSummary>> {
        let wanted =
            |stack: &StackState| (statuses.is_empty() || statuses.contains(&stack.status)) && visible(stack, self.now);
        self.listing(place, from, wanted, |stack| StackSummary {
            id: stack.id.clone(),
            name: stack.name.clone(),
            status: stack.status.clone(),
        })
    }

    /// Newest first; the token is the number of the last stack given, so that new stacks shift no page.
    fn listing<T>(
        &self,
        place: &AccountRegion,
        from: Option<PageToken>,
        wanted: impl Fn(&StackState) -> bool,
        read: impl Fn(&StackState) -> T,
    ) -> QueryResult<Page<T>> {
        let before = from.map_or(Ok(usize::MAX), |token| position(&token))?;
        let numbers = self.index.all.get(place).map_or(&[][..], Vec::as_slice);
        let numbers = &numbers[..numbers.partition_point(|number| *number < before)];
        let lag = self.settings.listing_lag;
        let mut found = numbers.iter().rev().copied().filter(|number| {
            let stack = &self.stacks[*number];
            wanted(stack) && stack.created_at.plus(lag) <= self.now
        });
        let page: Vec<usize> = found.by_ref().take(self.settings.page_size.max(1)).collect();
        let more = found.next().is_some();
        let next = page.last().filter(|_| more).map(|last| PageToken(last.to_string()));
        Ok(Page { items: page.into_iter().map(|number| read(&self.stacks[number])).collect(), next })
    }

    pub(crate) fn describe_stack(&self, place: &AccountRegion, name_or_id: &str) -> Option<Described> {
        let stack = &self.stacks[self.find(place, name_or_id)?];
        visible(stack, self.now).then(|| self.described(stack))
    }

    fn described(&self, stack: &StackState) -> Described {
        let submission = stack.version.as_ref().map(|version| &version.submission);
        let parameters = match &stack.version {
            Some(version) => EvalScope::shown_parameters(&version.template(), &version.submission.parameters),
            None => Default::default(),
        };
        Described {
            id: stack.id.clone(),
            name: stack.name.clone(),
            status: stack.status.clone(),
            status_reason: stack.reason.clone(),
            created_at: stack.created_at,
            updated_at: stack.updated_at,
            deleted_at: stack.deleted_at,
            parameters,
            outputs: stack.outputs.clone(),
            tags: stack.tags(),
            capabilities: submission.map(|submission| submission.capabilities.clone()).unwrap_or_default(),
            role_arn: submission.and_then(|submission| submission.role_arn.clone()),
            notification_arns: submission.map(|submission| submission.notification_arns.clone()).unwrap_or_default(),
            termination_protection: stack.termination_protection,
        }
    }

    /// Newest first; the token is how many older ones are left.
    pub(crate) fn describe_stack_events(
        &self,
        place: &AccountRegion,
        name_or_id: &str,
        from: Option<PageToken>,
    ) -> QueryResult<Page<StackEvent>> {
        let stack = self.existing(place, name_or_id)?;
        let end = from.map_or(Ok(stack.events.len()), |token| position(&token))?.min(stack.events.len());
        let start = end.saturating_sub(self.settings.page_size.max(1));
        let items = (start..end).rev().map(|index| stack.event(self.settings.seed, index)).collect();
        Ok(Page { items, next: (start > 0).then(|| PageToken(start.to_string())) })
    }

    pub(crate) fn get_template(&self, place: &AccountRegion, name_or_id: &str) -> QueryResult<String> {
        let stack = self.existing(place, name_or_id)?;
        match &stack.version {
            Some(version) => Ok(version.submission.body.clone()),
            None => Ok("{}".to_owned()),
        }
    }

    /// Also of one that failed, and of one for a stack that has no template of its own yet. (D: "the change set for
    /// which CloudFormation returns the associated template")
    pub(crate) fn get_change_set_template(&self, id: &str) -> QueryResult<String> {
        let (_, stored) = self.stored(id).ok_or(CloudErrorKind::NotFound)?;
        Ok(stored.version.submission.body.clone())
    }

    fn stored(&self, id: &str) -> Option<(&StackState, &StoredChangeSet)> {
        let stack = &self.stacks[*self.index.change_sets.get(id)?];
        let stored = stack.change_set(id)?;
        Some((stack, stored))
    }

    pub(crate) fn describe_change_set(&self, id: &str) -> Option<ChangeSet> {
        let (stack, stored) = self.stored(id)?;
        let submission = &stored.version.submission;
        Some(ChangeSet {
            id: stored.id.clone(),
            name: stored.name.clone(),
            stack_id: stack.id.clone(),
            status: stored.status.clone(),
            execution_status: stored.execution.clone(),
            status_reason: stored.reason.clone(),
            created_at: stored.created_at,
            tags: submission.tags.clone(),
            parameters: EvalScope::shown_parameters(&stored.version.template(), &submission.parameters),
            changes: if stored.is_ready() { stored.changes.clone() } else { Vec::new() },
        })
    }

    pub(crate) fn list_change_sets(
        &self,
        place: &AccountRegion,
        name_or_id: &str,
    ) -> QueryResult<Vec<ChangeSetSummary>> {
        let stack = self.existing(place, name_or_id)?;
        let summary = |stored: &StoredChangeSet| ChangeSetSummary {
            id: stored.id.clone(),
            name: stored.name.clone(),
            status: stored.status.clone(),
        };
        Ok(stack.change_sets.values().map(summary).collect())
    }

    pub(crate) fn existing(&self, place: &AccountRegion, name_or_id: &str) -> QueryResult<&StackState> {
        let number = self.find(place, name_or_id).ok_or(CloudErrorKind::NotFound)?;
        Some(&self.stacks[number]).filter(|stack| visible(stack, self.now)).ok_or(CloudErrorKind::NotFound)
    }

    pub(crate) fn describe_endpoint(&self, place: &AccountRegion, name: &str) -> Option<EndpointDescription> {
        let (AccountRegion { account, region }, name) = (place, name.to_lowercase());
        let arn = format!("arn:{}:sagemaker:{region}:{account}:endpoint/{name}", place.partition());
        let object = self.objects.get(&Object::key(place, "AWS::SageMaker::Endpoint", &arn))?;
        let endpoint = object.state.endpoint()?;
        Some(EndpointDescription {
            name: object.name.clone(),
            arn,
            config_name: endpoint.config_name.clone(),
            status: endpoint.status.clone(),
            failure_reason: endpoint.failure_reason.clone(),
        })
    }

    pub(crate) fn get_role(&self, place: &AccountRegion, name: &str) -> Option<RoleDescription> {
        let object = self.objects.get(&Object::key(place, "AWS::IAM::Role", name))?;
        Some(RoleDescription {
            name: object.name.clone(),
            arn: object.arn.clone(),
            trust: object.properties["AssumeRolePolicyDocument"].clone(),
        })
    }

    pub(crate) fn inventory(&self) -> Vec<InventoryItem> {
        let owner = |object: &Object| {
            let stack = object.stack.map(|number| &self.stacks[number])?;
            (!stack.status.is_deleted()).then(|| stack.name.clone())
        };
        let all = self.objects.values();
        all.map(|object| InventoryItem {
            region: object.region.clone(),
            resource_type: object.resource_type.clone(),
            physical_id: object.physical_id.clone(),
            owner_stack: owner(object),
            summary: object.summary(),
            properties: object.properties.clone(),
        })
        .collect()
    }
}

fn visible(stack: &StackState, now: Timestamp) -> bool {
    !stack.status.is_deleted() || stack.deleted_at.is_none_or(|at| now.since(at) <= DELETED_FOR)
}

fn position(token: &PageToken) -> QueryResult<usize> {
    token.0.parse().map_err(|_| CloudErrorKind::Validation("the NextToken is not one of this listing".to_owned()))
}
