//! The CloudFormation port.

use super::{
    Client,
    call::{Mutation, MutationOutcome, StackRequest},
};
use crate::cloud::{
    ChangeSet, ChangeSetIds, ChangeSetSummary, ChangeSetType, CreateChangeSet, CreateStack, DeleteStack,
    ExecuteChangeSet, Page, PageToken, Reply, Stack, StackEvent, StackOptions, StackStatus, StackSummary, Stacks,
};

impl Stacks for Client {
    fn describe_stacks(&self, from: Option<PageToken>) -> Reply<'_, Page<Stack>> {
        self.ask("DescribeStacks", "all stacks", |core, place| core.state.describe_stacks(place, from))
    }

    fn describe_stack<'a>(&'a self, stack: &str) -> Reply<'a, Option<Stack>> {
        let wanted = stack.to_owned();
        self.ask("DescribeStacks", stack, |core, place| Ok(core.state.describe_stack(place, &wanted)))
    }

    fn list_stacks(&self, statuses: &[StackStatus], from: Option<PageToken>) -> Reply<'_, Page<StackSummary>> {
        let statuses = statuses.to_vec();
        self.ask("ListStacks", "all stacks", |core, place| core.state.list_stacks(place, &statuses, from))
    }

    fn describe_stack_events<'a>(&'a self, stack: &str, from: Option<PageToken>) -> Reply<'a, Page<StackEvent>> {
        let wanted = stack.to_owned();
        self.ask("DescribeStackEvents", stack, |core, place| core.state.describe_stack_events(place, &wanted, from))
    }

    fn get_template<'a>(&'a self, stack: &str) -> Reply<'a, String> {
        let wanted = stack.to_owned();
        self.ask("GetTemplate", stack, |core, place| core.state.get_template(place, &wanted))
    }

    fn get_change_set_template<'a>(&'a self, change_set: &str) -> Reply<'a, String> {
        let wanted = change_set.to_owned();
        self.ask("GetTemplate", change_set, move |core, _| core.state.get_change_set_template(&wanted))
    }

    fn create_stack(&self, request: CreateStack) -> Reply<'_, String> {
        let subject = request.name.clone();
        let StackOptions { role_arn, notification_arns } = request.options;
        let call = Mutation::CreateStack {
            name: request.name,
            submission: StackRequest {
                body: request.body,
                parameters: request.parameters,
                tags: request.tags,
                capabilities: request.capabilities,
                role_arn,
                notification_arns,
            },
            disable_rollback: request.disable_rollback,
            termination_protection: request.termination_protection,
            token: request.token,
        };
        self.tell("CreateStack", &subject, call, MutationOutcome::stack)
    }

    fn create_change_set(&self, request: CreateChangeSet) -> Reply<'_, ChangeSetIds> {
        let subject = request.stack.clone();
        let StackOptions { role_arn, notification_arns } = request.options;
        let call = Mutation::CreateChangeSet {
            stack: request.stack,
            name: request.name,
            create: request.kind == ChangeSetType::Create,
            submission: StackRequest {
                body: request.body,
                parameters: request.parameters,
                tags: request.tags,
                capabilities: request.capabilities,
                role_arn,
                notification_arns,
            },
            previous: request.previous,
            token: request.token,
        };
        self.tell("CreateChangeSet", &subject, call, MutationOutcome::change_set)
    }

    fn describe_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, Option<ChangeSet>> {
        let wanted = change_set.to_owned();
        self.ask("DescribeChangeSet", change_set, |core, _| Ok(core.state.describe_change_set(&wanted)))
    }

    fn list_change_sets<'a>(&'a self, stack: &str) -> Reply<'a, Vec<ChangeSetSummary>> {
        let wanted = stack.to_owned();
        self.ask("ListChangeSets", stack, |core, place| core.state.list_change_sets(place, &wanted))
    }

    fn execute_change_set(&self, request: ExecuteChangeSet) -> Reply<'_, ()> {
        let subject = request.change_set.clone();
        let ExecuteChangeSet { change_set, disable_rollback, token } = request;
        let call = Mutation::ExecuteChangeSet { change_set, disable_rollback, token };
        self.tell("ExecuteChangeSet", &subject, call, |_| ())
    }

    fn delete_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, ()> {
        let call = Mutation::DeleteChangeSet { change_set: change_set.to_owned() };
        self.tell("DeleteChangeSet", change_set, call, |_| ())
    }

    fn delete_stack(&self, request: DeleteStack) -> Reply<'_, ()> {
        let subject = request.stack.clone();
        let call = Mutation::DeleteStack { stack: request.stack, token: request.token };
        self.tell("DeleteStack", &subject, call, |_| ())
    }

    fn update_termination_protection<'a>(&'a self, stack: &str, on: bool) -> Reply<'a, ()> {
        let call = Mutation::Protect { stack: stack.to_owned(), on };
        self.tell("UpdateTerminationProtection", stack, call, |_| ())
    }
}
