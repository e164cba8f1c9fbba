//! What services of AWS take: schedules and time zones, statements and sizes of policies, ARNs.
//!
//! Rules here are about texts and JSON, with their source at each. Manifests are read by them, and the imagined account
//! refuses by them what reaches it past a manifest. What neither documentation nor a report says is told where it is
//! decided.

pub mod arn;
mod burstable;
pub mod policy;
pub mod policy_size;
pub mod schedule;

pub use burstable::is_burstable;

/// Something that a service does not take, in words after its place, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// Without a way out but for what the message says.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// The same with a way out.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
