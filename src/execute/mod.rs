//! A plan is carried out.
//!
//! A pure machine takes what happened and says what to do next; the loop does it and decides nothing. Everything
//! that happens is an [`Event`]; at the end stands an [`Outcome`].

mod calls;
mod event;
mod protocol;

pub use calls::{Answer, Call, perform};
pub use event::{Cause, Event, Failure, FailureKind, Outcome, StepResult, Waiting};
pub use protocol::{CallId, Command, Input, Settings};
