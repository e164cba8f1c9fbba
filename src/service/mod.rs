//! What services of AWS accept: schedules and time zones, statements and sizes of policies, ARNs.
//!
//! Rules about texts and JSON, each with its source. Manifests are checked by them, and the imagined account uses them to
//! refuse what bypasses a manifest. What neither documentation nor a report says is marked where it is
//! decided.

pub mod arn;
mod burstable;
pub mod policy;
pub mod policy_size;
pub mod schedule;

pub use burstable::is_burstable;

/// Something that a service rejects, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// Without help beyond the message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// The same with a way out.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
