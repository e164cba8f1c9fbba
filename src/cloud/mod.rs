//! AWS in our words, and the ports to it.
//!
//! CloudFormation's stacks, statuses, events and change sets, SageMaker's endpoints and IAM's roles as plain
//! values, with the questions they answer about themselves; service wordings are read here once. The ports
//! ([`Stacks`], [`SageMaker`], [`Iam`], [`Identity`]) have a real side in `aws` and an imagined one in `sandbox`,
//! and only the operations somebody calls.

mod change_set;
mod endpoint;
mod error;
mod event;
mod ownership;
mod pages;
mod port;
mod reason;
mod retry;
mod role;
mod rollback;
mod stack;
mod status;
mod target;
mod time;
mod wire;

pub use change_set::{
    Change, ChangeAction, ChangeAttribute, ChangeDetail, ChangeEvaluation, ChangeSet, ChangeSetStatus,
    ChangeSetSummary, ExecutionStatus, Recreation, Replacement,
};
pub use endpoint::{EndpointDescription, EndpointStatus};
pub use error::{CloudError, CloudErrorKind, CloudResult};
pub use event::{StackEvent, root_cause};
pub use ownership::{OUTPUT_DIGEST, OUTPUT_OWNER, OUTPUT_VERSION, Tagged};
pub use pages::Pages;
pub use port::{
    Accounts, ChangeSetIds, ChangeSetType, Connection, CreateChangeSet, CreateStack, DeleteStack, ExecuteChangeSet,
    Iam, Identity, Page, PageToken, Reply, SageMaker, Stacks,
};
pub use reason::{Reason, handler_error_code, spoken};
pub use retry::{Patience, Retrying, Trouble};
pub use role::RoleDescription;
pub use rollback::{not_rolled_back, stuck_rollback};
pub use stack::{CallerIdentity, Capability, Stack, StackOptions, StackRef, StackSummary, Tags, is_masked, own_tags};
pub use status::{ResourceStatus, StackStatus};
pub use target::Target;
pub use time::Timestamp;
