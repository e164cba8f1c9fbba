//! The ports to AWS in earnest: the only room that names an AWS SDK or HTTP.
//!
//! [`AwsAccounts`] connects to accounts and Regions through the SDK's own configuration (environment, profiles,
//! SSO, `AWS_ENDPOINT_URL`). Each answer is turned into our words in `convert`, each fault into a
//! [`CloudError`](crate::cloud::CloudError) in `error`, and nothing else looks inside either. Each call is made
//! once: whoever asked decides whether it is made again, knows how many others are in flight, and tells.

mod accounts;
mod convert;
mod error;
mod iam;
mod identity;
mod limit;
mod profile;
mod sagemaker;
mod settings;
mod stacks;

pub use accounts::{AwsAccounts, Limits, profile_region};
pub use profile::wrong_profile;
pub use settings::wrong_setting;
