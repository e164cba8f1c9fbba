//! What is due and when: one ordered queue for the whole account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cloud::Timestamp;

/// Something to happen in a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    /// The stack, by its index in the account.
    pub(crate) stack: usize,
    /// The phase it belongs to; ignored when the stack has moved on.
    pub(crate) serial: u32,
    /// What.
    pub(crate) what: DueAction,
}

/// What can come due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DueAction {
    /// A resource begins.
    Begin(String),
    /// Its handler makes the call.
    Act(String),
    /// The handler finds it settled.
    Settle(String),
    /// The phase has nothing left to do.
    Finish,
    /// A failed phase turns back.
    TurnBack,
    /// A change set has been computed.
    ChangeSet(String),
}

/// Due things in order of time; among equals, first put, first served.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Timestamp, u64, Due)>", into = "Vec<(Timestamp, u64, Due)>")]
pub(crate) struct Queue {
    waiting: BTreeMap<(Timestamp, u64), Due>,
    count: u64,
}

impl Queue {
    pub(crate) fn put(&mut self, at: Timestamp, due: Due) {
        self.count += 1;
        self.waiting.insert((at, self.count), due);
    }

    /// The earliest thing that is due at `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let (&(at, _), _) = self.waiting.first_key_value()?;
        if at > now {
            return None;
        }
        self.waiting.pop_first().map(|((at, _), due)| (at, due))
    }
}

impl From<Vec<(Timestamp, u64, Due)>> for Queue {
    fn from(rows: Vec<(Timestamp, u64, Due)>) -> Self {
        let count = rows.iter().map(|(_, count, _)| *count).max().unwrap_or(0);
        Self { waiting: rows.into_iter().map(|(at, count, due)| ((at, count), due)).collect(), count }
    }
}

impl From<Queue> for Vec<(Timestamp, u64, Due)> {
    fn from(queue: Queue) -> Self {
        queue.waiting.into_iter().map(|((at, count), due)| (at, count, due)).collect()
    }
}
