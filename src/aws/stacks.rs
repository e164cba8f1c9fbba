//! CloudFormation's stacks and change sets.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::{
    Client,
    operation::RequestId,
    types::{self, TemplateStage},
};

use super::{
    convert::{
        self, Read, Unreadable, change_set, change_set_summary, list, page, required, text, to_capabilities,
        to_parameters, to_tags,
    },
    error::{CallSite, if_found},
};
use crate::cloud::{
    ChangeSet, ChangeSetIds, ChangeSetSummary, ChangeSetType, CloudResult, CreateChangeSet, CreateStack, DeleteStack,
    ExecuteChangeSet, Page, PageToken, Pages, Reply, Stack, StackEvent, StackOptions, StackStatus, StackSummary,
    Stacks,
};

/// CloudFormation in one account and Region.
pub(super) struct StacksClient {
    client: Client,
    site: CallSite,
}

impl StacksClient {
    pub(super) fn new(client: Client, site: CallSite) -> Self {
        Self { client, site }
    }

    async fn change_set_page(&self, id: &str, from: Option<String>) -> CloudResult<(ChangeSet, Option<String>)> {
        let sent = self.client.describe_change_set().change_set_name(id).set_next_token(from).send();
        self.site.ask("DescribeChangeSet", id, sent, change_set).await
    }

    async fn whole_change_set(&self, id: &str) -> CloudResult<ChangeSet> {
        let (mut whole, mut next) = self.change_set_page(id, None).await?;
        let mut pages = Pages::default();
        while let Some(PageToken(from)) = self.lead(&mut pages, next, "DescribeChangeSet", id)? {
            let (page, after) = self.change_set_page(id, Some(from)).await?;
            whole.changes.extend(page.changes);
            next = after;
        }
        Ok(whole)
    }

    fn lead(
        &self,
        pages: &mut Pages,
        next: Option<String>,
        operation: &'static str,
        subject: &str,
    ) -> CloudResult<Option<PageToken>> {
        pages.lead(next.map(PageToken), (operation, subject, self.site.target()))
    }

    async fn change_sets(&self, stack: &str) -> CloudResult<Vec<ChangeSetSummary>> {
        let (mut all, mut next, mut pages) = (Vec::new(), None, Pages::default());
        loop {
            let sent = self.client.list_change_sets().stack_name(stack).set_next_token(token(next)).send();
            let read = |answer: aws_sdk_cloudformation::operation::list_change_sets::ListChangeSetsOutput| {
                Ok((list(answer.summaries, change_set_summary)?, text(answer.next_token)))
            };
            let (page, after) = self.site.ask("ListChangeSets", stack, sent, read).await?;
            all.extend(page);
            next = self.lead(&mut pages, after, "ListChangeSets", stack)?;
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}

impl Stacks for StacksClient {
    fn describe_stacks(&self, from: Option<PageToken>) -> Reply<'_, Page<Stack>> {
        Box::pin(async move {
            let sent = self.client.describe_stacks().set_next_token(token(from)).send();
            let read = |answer: aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput| {
                page(answer.stacks, answer.next_token, convert::stack)
            };
            self.site.ask("DescribeStacks", "all stacks", sent, read).await
        })
    }

    fn describe_stack<'a>(&'a self, stack: &str) -> Reply<'a, Option<Stack>> {
        let stack = stack.to_owned();
        Box::pin(async move {
            let sent = self.client.describe_stacks().stack_name(&stack).send();
            let read = |answer: aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksOutput| {
                answer.stacks.unwrap_or_default().into_iter().next().map(convert::stack).transpose()
            };
            Ok(if_found(self.site.ask("DescribeStacks", &stack, sent, read)).await?.flatten())
        })
    }

    fn list_stacks(&self, statuses: &[StackStatus], from: Option<PageToken>) -> Reply<'_, Page<StackSummary>> {
        let statuses: Vec<_> = statuses.iter().map(|status| types::StackStatus::from(status.as_str())).collect();
        Box::pin(async move {
            let call = self.client.list_stacks().set_stack_status_filter(Some(statuses));
            let sent = call.set_next_token(token(from)).send();
            let read = |answer: aws_sdk_cloudformation::operation::list_stacks::ListStacksOutput| {
                page(answer.stack_summaries, answer.next_token, convert::stack_summary)
            };
            self.site.ask("ListStacks", "all stacks", sent, read).await
        })
    }

    fn describe_stack_events<'a>(&'a self, stack: &str, from: Option<PageToken>) -> Reply<'a, Page<StackEvent>> {
        let stack = stack.to_owned();
        Box::pin(async move {
            let sent = self.client.describe_stack_events().stack_name(&stack).set_next_token(token(from)).send();
            let read = |answer: aws_sdk_cloudformation::operation::describe_stack_events::DescribeStackEventsOutput| {
                page(answer.stack_events, answer.next_token, convert::stack_event)
            };
            self.site.ask("DescribeStackEvents", &stack, sent, read).await
        })
    }

    fn get_template<'a>(&'a self, stack: &str) -> Reply<'a, String> {
        let stack = stack.to_owned();
        Box::pin(async move {
            let call = self.client.get_template().stack_name(&stack).template_stage(TemplateStage::Original);
            let read = |answer: aws_sdk_cloudformation::operation::get_template::GetTemplateOutput| {
                required(answer.template_body, "TemplateBody")
            };
            self.site.ask("GetTemplate", &stack, call.send(), read).await
        })
    }

    fn get_change_set_template<'a>(&'a self, change_set: &str) -> Reply<'a, String> {
        let id = change_set.to_owned();
        Box::pin(async move {
            let call = self.client.get_template().change_set_name(&id).template_stage(TemplateStage::Original);
            let read = |answer: aws_sdk_cloudformation::operation::get_template::GetTemplateOutput| {
                required(answer.template_body, "TemplateBody")
            };
            self.site.ask("GetTemplate", &id, call.send(), read).await
        })
    }

    fn create_stack(&self, request: CreateStack) -> Reply<'_, String> {
        Box::pin(async move {
            let StackOptions { role_arn, notification_arns } = request.options;
            let call = self
                .client
                .create_stack()
                .stack_name(&request.name)
                .template_body(request.body)
                .set_parameters(to_parameters(request.parameters, BTreeSet::new()))
                .set_tags(to_tags(request.tags))
                .set_capabilities(to_capabilities(request.capabilities))
                .set_role_arn(role_arn)
                .set_notification_arns(Some(notification_arns))
                .disable_rollback(request.disable_rollback)
                .enable_termination_protection(request.termination_protection)
                .client_request_token(request.token);
            let read = |answer: aws_sdk_cloudformation::operation::create_stack::CreateStackOutput| {
                required(answer.stack_id, "StackId")
            };
            self.site.ask("CreateStack", &request.name, call.send(), read).await
        })
    }

    fn create_change_set(&self, request: CreateChangeSet) -> Reply<'_, ChangeSetIds> {
        Box::pin(async move {
            let kind = match request.kind {
                ChangeSetType::Create => types::ChangeSetType::Create,
                ChangeSetType::Update => types::ChangeSetType::Update,
            };
            let StackOptions { role_arn, notification_arns } = request.options;
            let call = self
                .client
                .create_change_set()
                .stack_name(request.stack)
                .change_set_name(&request.name)
                .change_set_type(kind)
                .template_body(request.body)
                .set_parameters(to_parameters(request.parameters, request.previous))
                .set_tags(to_tags(request.tags))
                .set_capabilities(to_capabilities(request.capabilities))
                .set_role_arn(role_arn)
                .set_notification_arns(Some(notification_arns))
                .client_token(request.token);
            let read = |answer: aws_sdk_cloudformation::operation::create_change_set::CreateChangeSetOutput| {
                let (change_set, stack) = (required(answer.id, "Id")?, required(answer.stack_id, "StackId")?);
                Ok::<_, Unreadable>(ChangeSetIds { change_set, stack })
            };
            self.site.ask("CreateChangeSet", &request.name, call.send(), read).await
        })
    }

    fn describe_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, Option<ChangeSet>> {
        let id = change_set.to_owned();
        Box::pin(async move { if_found(self.whole_change_set(&id)).await })
    }

    fn list_change_sets<'a>(&'a self, stack: &str) -> Reply<'a, Vec<ChangeSetSummary>> {
        let stack = stack.to_owned();
        Box::pin(async move { self.change_sets(&stack).await })
    }

    fn execute_change_set(&self, request: ExecuteChangeSet) -> Reply<'_, ()> {
        Box::pin(async move {
            let id = request.change_set;
            let call = self.client.execute_change_set().change_set_name(&id).client_request_token(request.token);
            let sent = call.disable_rollback(request.disable_rollback).send();
            self.site.ask("ExecuteChangeSet", &id, sent, accepted).await
        })
    }

    fn delete_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, ()> {
        let id = change_set.to_owned();
        Box::pin(async move {
            let sent = self.client.delete_change_set().change_set_name(&id).send();
            self.site.ask("DeleteChangeSet", &id, sent, accepted).await
        })
    }

    fn delete_stack(&self, request: DeleteStack) -> Reply<'_, ()> {
        Box::pin(async move {
            let call = self.client.delete_stack().stack_name(&request.stack).set_role_arn(request.role_arn);
            let sent = call.client_request_token(request.token).send();
            self.site.ask("DeleteStack", &request.stack, sent, accepted).await
        })
    }

    fn update_termination_protection<'a>(&'a self, stack: &str, on: bool) -> Reply<'a, ()> {
        let stack = stack.to_owned();
        Box::pin(async move {
            let call = self.client.update_termination_protection().stack_name(&stack);
            let sent = call.enable_termination_protection(on).send();
            self.site.ask("UpdateTerminationProtection", &stack, sent, accepted).await
        })
    }
}

/// The answer of a call that has none but that it was accepted. Whoever answers in AWS's place gives no request id.
fn accepted<O: RequestId>(answer: O) -> Read<()> {
    required(answer.request_id(), "request id").map(drop)
}

fn token(from: Option<PageToken>) -> Option<String> {
    from.map(|PageToken(token)| token)
}
