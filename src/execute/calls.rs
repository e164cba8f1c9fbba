//! What can be asked of AWS while a plan is carried out, as values, and how each is asked.

use crate::cloud::{
    Accounts, CallerIdentity, ChangeSet, ChangeSetIds, CloudResult, Connection, CreateChangeSet, CreateStack,
    DeleteStack, EndpointDescription, ExecuteChangeSet, Page, PageToken, Stack, StackEvent, StackStatus, StackSummary,
    Target,
};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// GetCallerIdentity.
    Identity,
    /// CreateStack.
    CreateStack(CreateStack),
    /// CreateChangeSet.
    CreateChangeSet(CreateChangeSet),
    /// DescribeChangeSet, by ARN.
    DescribeChangeSet(String),
    /// ListChangeSets, of a stack.
    ListChangeSets(String),
    /// ExecuteChangeSet.
    ExecuteChangeSet(ExecuteChangeSet),
    /// DeleteChangeSet, by ARN.
    DeleteChangeSet(String),
    /// DeleteStack.
    DeleteStack(DeleteStack),
    /// UpdateTerminationProtection.
    Protect {
        /// The stack's id.
        stack: String,
        /// On or off.
        on: bool,
    },
    /// DescribeStacks of one.
    DescribeStack(String),
    /// DescribeStacks of all that are not deleted.
    DescribeAll(Option<PageToken>),
    /// ListStacks in the statuses in which something runs, and in that of a shell without resources.
    ListRunning(Option<PageToken>),
    /// DescribeStackEvents.
    DescribeEvents {
        /// The stack's id.
        stack: String,
        /// Where to go on.
        from: Option<PageToken>,
    },
    /// DescribeEndpoint, by name.
    DescribeEndpoint(String),
}

/// The answer of a call that worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Of GetCallerIdentity.
    Identity(CallerIdentity),
    /// Of CreateStack: the new stack's id.
    Created(String),
    /// Of CreateChangeSet.
    ChangeSetIds(ChangeSetIds),
    /// Of DescribeChangeSet.
    ChangeSet(Option<Box<ChangeSet>>),
    /// Of ListChangeSets: ARN by name.
    ChangeSets(Vec<(String, String)>),
    /// Of a call without an answer.
    Accepted,
    /// Of DescribeStacks of one.
    Stack(Option<Box<Stack>>),
    /// Of DescribeStacks of all.
    Stacks(Page<Stack>),
    /// Of ListStacks.
    Running(Page<StackSummary>),
    /// Of DescribeStackEvents: newest first.
    Events(Page<StackEvent>),
    /// Of DescribeEndpoint.
    Endpoint(Option<EndpointDescription>),
}

impl Call {
    /// The API action; each has a rate of its own.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Identity => "GetCallerIdentity",
            Self::CreateStack(_) => "CreateStack",
            Self::CreateChangeSet(_) => "CreateChangeSet",
            Self::DescribeChangeSet(_) => "DescribeChangeSet",
            Self::ListChangeSets(_) => "ListChangeSets",
            Self::ExecuteChangeSet(_) => "ExecuteChangeSet",
            Self::DeleteChangeSet(_) => "DeleteChangeSet",
            Self::DeleteStack(_) => "DeleteStack",
            Self::Protect { .. } => "UpdateTerminationProtection",
            Self::DescribeStack(_) | Self::DescribeAll(_) => "DescribeStacks",
            Self::ListRunning(_) => "ListStacks",
            Self::DescribeEvents { .. } => "DescribeStackEvents",
            Self::DescribeEndpoint(_) => "DescribeEndpoint",
        }
    }

    /// Does it change something? The answer of such a call is always awaited.
    pub fn is_mutating(&self) -> bool {
        matches!(
            self,
            Self::CreateStack(_)
                | Self::CreateChangeSet(_)
                | Self::ExecuteChangeSet(_)
                | Self::DeleteChangeSet(_)
                | Self::DeleteStack(_)
                | Self::Protect { .. }
        )
    }
}

/// Makes one call, connecting first.
///
/// # Errors
///
/// Those of connecting and of the call.
pub async fn perform(accounts: &dyn Accounts, target: Target, call: Call) -> CloudResult<Answer> {
    let connection = accounts.at(&target).await?;
    match call {
        Call::Identity => connection.identity.caller().await.map(Answer::Identity),
        Call::DescribeEndpoint(name) => connection.sagemaker.describe_endpoint(&name).await.map(Answer::Endpoint),
        call => ask_cloudformation(&connection, call).await,
    }
}

async fn ask_cloudformation(connection: &Connection, call: Call) -> CloudResult<Answer> {
    let stacks = &connection.stacks;
    let boxed = |found: Option<Stack>| Answer::Stack(found.map(Box::new));
    match call {
        Call::DescribeStack(stack) => stacks.describe_stack(&stack).await.map(boxed),
        Call::DescribeAll(from) => stacks.describe_stacks(from).await.map(Answer::Stacks),
        Call::ListRunning(from) => stacks.list_stacks(&busy(), from).await.map(Answer::Running),
        Call::DescribeEvents { stack, from } => stacks.describe_stack_events(&stack, from).await.map(Answer::Events),
        Call::DescribeChangeSet(arn) => {
            stacks.describe_change_set(&arn).await.map(|found| Answer::ChangeSet(found.map(Box::new)))
        }
        Call::ListChangeSets(stack) => {
            let found = stacks.list_change_sets(&stack).await?;
            Ok(Answer::ChangeSets(found.into_iter().map(|summary| (summary.name, summary.id)).collect()))
        }
        call => change(connection, call).await,
    }
}

/// The statuses of stacks whose names are of no use to a creation, though nothing would refuse it.
fn busy() -> Vec<StackStatus> {
    StackStatus::running().into_iter().chain([StackStatus::ReviewInProgress]).collect()
}

async fn change(connection: &Connection, call: Call) -> CloudResult<Answer> {
    let stacks = &connection.stacks;
    match call {
        Call::CreateStack(request) => return stacks.create_stack(request).await.map(Answer::Created),
        Call::CreateChangeSet(request) => return stacks.create_change_set(request).await.map(Answer::ChangeSetIds),
        Call::ExecuteChangeSet(request) => stacks.execute_change_set(request).await?,
        Call::DeleteChangeSet(arn) => stacks.delete_change_set(&arn).await?,
        Call::DeleteStack(request) => stacks.delete_stack(request).await?,
        Call::Protect { stack, on } => stacks.update_termination_protection(&stack, on).await?,
        read => unreachable!("{} changes nothing", read.action()),
    }
    Ok(Answer::Accepted)
}
