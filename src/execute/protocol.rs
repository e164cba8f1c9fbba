//! What the machine and the loop say to each other.

use super::{Answer, Call, Event, Outcome};
use crate::cloud::{CloudResult, Target, Timestamp};

/// What the user may decide about how a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many stacks of one account and Region are worked on at once.
    pub concurrency: usize,
    /// How many running stacks somebody watches resource by resource; the events of these are read as they come.
    pub draw: usize,
    /// Where the jitter of retries starts.
    pub seed: u64,
}

/// Ten at once, nobody watching.
impl Default for Settings {
    fn default() -> Self {
        Self { concurrency: 10, draw: 0, seed: 0 }
    }
}

/// Which call an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A call was answered.
    Answer {
        /// Which.
        id: CallId,
        /// How.
        result: CloudResult<Answer>,
    },
    /// The time asked for has come; also the first word.
    Tick,
    /// The user asks to stop. Once: nothing new; twice: nothing more is waited for but answers to changes.
    Interrupt,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make this call and bring the answer.
    Call {
        /// To be said with the answer.
        id: CallId,
        /// Where.
        target: Target,
        /// What.
        call: Call,
    },
    /// Come back at this time at the latest; forgets what was said before.
    SleepUntil(Timestamp),
    /// Tell the listeners.
    Report(Event),
    /// It is over; whatever is still in flight changes nothing.
    Done(Outcome),
}
