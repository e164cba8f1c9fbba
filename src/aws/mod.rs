//! The ports to AWS in earnest: the only room that names an AWS SDK or HTTP.
//!
//! [`AwsAccounts`] connects to accounts and Regions through the SDK's own configuration (environment, profiles,
//! SSO, `AWS_ENDPOINT_URL`). Each answer is turned into our words in `convert`, each fault into a
//! [`CloudError`](crate::cloud::CloudError) in `error`, and nothing else looks inside either. The SDK retries what
//! the transport loses; a request to slow down comes back at once, because only the caller knows how many others
//! are in flight.

mod accounts;
mod convert;
mod error;
mod iam;
mod identity;
mod limit;
mod sagemaker;
mod settings;
mod stacks;

pub use accounts::{AwsAccounts, profile_region};
pub use settings::wrong_setting;
