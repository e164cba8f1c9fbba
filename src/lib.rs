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

pub mod diagnostic;

pub mod service;

pub mod manifest;

pub mod catalog;

pub mod cloud;

pub mod hub;

pub mod clock;

pub mod files;

pub mod resolve;

pub mod render;

pub mod plan;

pub mod gather;

pub mod execute;

pub mod report;

#[cfg(feature = "aws")]
pub mod aws;

pub mod sandbox;

pub mod cli;
