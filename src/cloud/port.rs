//! The ports: what hubform asks of AWS, and nothing more. Arguments and answers are our words.

use std::{collections::BTreeMap, collections::BTreeSet, future::Future, pin::Pin, rc::Rc};

use super::{
    CallerIdentity, Capability, ChangeSet, ChangeSetSummary, CloudResult, EndpointDescription, RoleDescription, Stack,
    StackEvent, StackOptions, StackStatus, StackSummary, Tags, Target,
};

/// An answer on its way. Dropping it loses an answer, never the call.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = CloudResult<T>> + 'a>>;

/// Where the next page starts, in the service's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub String);

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; none after the last page.
    pub next: Option<PageToken>,
}

/// Accounts that can be connected to.
pub trait Accounts {
    /// The services of one account and Region, connected when first asked.
    fn at<'a>(&'a self, target: &Target) -> Reply<'a, Connection>;
}

/// The services of one account and Region.
#[derive(Clone)]
pub struct Connection {
    /// CloudFormation.
    pub stacks: Rc<dyn Stacks>,
    /// SageMaker.
    pub sagemaker: Rc<dyn SageMaker>,
    /// IAM.
    pub iam: Rc<dyn Iam>,
    /// STS.
    pub identity: Rc<dyn Identity>,
}

/// CloudFormation's stacks. A stack is named by name or id where the argument is called `stack`.
pub trait Stacks {
    /// DescribeStacks without a name: a page of all stacks that are not deleted.
    fn describe_stacks(&self, from: Option<PageToken>) -> Reply<'_, Page<Stack>>;
    /// DescribeStacks of one; none if it does not exist. By id, deleted stacks are found for 90 days.
    fn describe_stack<'a>(&'a self, stack: &str) -> Reply<'a, Option<Stack>>;
    /// ListStacks in any of these statuses.
    fn list_stacks(&self, statuses: &[StackStatus], from: Option<PageToken>) -> Reply<'_, Page<StackSummary>>;
    /// DescribeStackEvents: newest first.
    fn describe_stack_events<'a>(&'a self, stack: &str, from: Option<PageToken>) -> Reply<'a, Page<StackEvent>>;
    /// GetTemplate: the body as it was submitted.
    fn get_template<'a>(&'a self, stack: &str) -> Reply<'a, String>;
    /// GetTemplate with ChangeSetName, by ARN: the body that the change set was made of.
    fn get_change_set_template<'a>(&'a self, change_set: &str) -> Reply<'a, String>;
    /// CreateStack; answers the new stack's id.
    fn create_stack(&self, request: CreateStack) -> Reply<'_, String>;
    /// CreateChangeSet.
    fn create_change_set(&self, request: CreateChangeSet) -> Reply<'_, ChangeSetIds>;
    /// DescribeChangeSet by ARN, all pages; none if it does not exist.
    fn describe_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, Option<ChangeSet>>;
    /// ListChangeSets of a stack.
    fn list_change_sets<'a>(&'a self, stack: &str) -> Reply<'a, Vec<ChangeSetSummary>>;
    /// ExecuteChangeSet.
    fn execute_change_set(&self, request: ExecuteChangeSet) -> Reply<'_, ()>;
    /// DeleteChangeSet by ARN.
    fn delete_change_set<'a>(&'a self, change_set: &str) -> Reply<'a, ()>;
    /// DeleteStack; no failure if it does not exist.
    fn delete_stack(&self, request: DeleteStack) -> Reply<'_, ()>;
    /// UpdateTerminationProtection.
    fn update_termination_protection<'a>(&'a self, stack: &str, on: bool) -> Reply<'a, ()>;
}

/// SageMaker's endpoints.
pub trait SageMaker {
    /// DescribeEndpoint; none if it does not exist.
    fn describe_endpoint<'a>(&'a self, name: &str) -> Reply<'a, Option<EndpointDescription>>;
}

/// IAM's roles.
pub trait Iam {
    /// GetRole by name; none if it does not exist.
    fn get_role<'a>(&'a self, name: &str) -> Reply<'a, Option<RoleDescription>>;
}

/// Who the credentials belong to.
pub trait Identity {
    /// GetCallerIdentity.
    fn caller(&self) -> Reply<'_, CallerIdentity>;
}

/// The arguments of CreateStack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateStack {
    /// The stack's name.
    pub name: String,
    /// The body, as compact JSON.
    pub body: String,
    /// Parameter values.
    pub parameters: BTreeMap<String, String>,
    /// Stack tags.
    pub tags: Tags,
    /// Capabilities acknowledged.
    pub capabilities: BTreeSet<Capability>,
    /// Service role, topics.
    pub options: StackOptions,
    /// Always said.
    pub disable_rollback: bool,
    /// Refuse DeleteStack from the start.
    pub termination_protection: bool,
    /// ClientRequestToken.
    pub token: String,
}

/// Whether a change set makes a stack or changes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeSetType {
    /// `CREATE`
    Create,
    /// `UPDATE`
    Update,
}

/// The arguments of CreateChangeSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateChangeSet {
    /// The stack's name or id.
    pub stack: String,
    /// The change set's name; with the same name as an existing one the call fails with `AlreadyExists`.
    pub name: String,
    /// New stack or update.
    pub kind: ChangeSetType,
    /// The body, as compact JSON.
    pub body: String,
    /// Parameter values.
    pub parameters: BTreeMap<String, String>,
    /// Parameters that keep the value they have (`UsePreviousValue`); only for an update.
    pub previous: BTreeSet<String>,
    /// Stack tags.
    pub tags: Tags,
    /// Capabilities acknowledged.
    pub capabilities: BTreeSet<Capability>,
    /// Service role, topics.
    pub options: StackOptions,
    /// ClientToken.
    pub token: String,
}

/// The answer of CreateChangeSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetIds {
    /// The change set's ARN.
    pub change_set: String,
    /// The stack's ARN.
    pub stack: String,
}

/// The arguments of ExecuteChangeSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteChangeSet {
    /// The change set's ARN.
    pub change_set: String,
    /// Always said.
    pub disable_rollback: bool,
    /// ClientRequestToken.
    pub token: String,
}

/// The arguments of DeleteStack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteStack {
    /// The stack's id, or its name where no id is known.
    pub stack: String,
    /// The role CloudFormation acts with.
    pub role_arn: Option<String>,
    /// ClientRequestToken.
    pub token: String,
}
