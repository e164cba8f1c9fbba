//! A plan is carried out.
//!
//! A pure machine takes what happened and says what to do next; the loop does it and decides nothing. Everything
//! that happens is an [`Event`]; at the end stands an [`Outcome`].

mod account;
mod backoff;
mod begin;
mod call_queue;
mod calls;
mod change_set;
mod checks;
mod describe;
mod ending;
mod event;
mod event_log;
mod failure;
mod loop_;
mod machine;
mod order;
mod pace;
mod poll;
mod protocol;
mod search;
mod settle;
mod token;
mod track;
mod waiting;

pub use calls::{Answer, Call, perform};
pub use checks::same_config;
pub use event::{Cause, Event, Failure, FailureKind, Outcome, StepResult, Waiting};
pub use loop_::execute;
pub use machine::Machine;
pub use protocol::{CallId, Command, Input, Settings};

#[cfg(test)]
mod tests;
