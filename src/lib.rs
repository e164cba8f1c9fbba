//! hubform: declarative Hugging Face deployments on AWS.
//!
//! Manifests are parsed, resolved against facts, rendered into CloudFormation bodies, compared with what runs,
//! and carried out:
//!
//! ```text
//! files ─parse─> Manifests ─resolve─> Desired ─render─> StackSpecs ─plan─> Plan ─execute─> Outcome
//! ```
//!
//! Everything up to the plan is pure; `gather` touches the world before it, `execute` after it. Rooms, each
//! importing only from those above it:

pub mod catalog;
pub mod cloud;
pub mod diagnostic;

pub mod clock;
pub mod sandbox;

#[cfg(feature = "aws")]
pub mod aws;
