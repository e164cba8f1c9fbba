//! The small port to time: now, and sleep.

use std::{future::Future, pin::Pin};

use crate::cloud::Timestamp;

/// Something that tells the time and can be waited for.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Ready when `now` has reached `until`. Dropping it is safe.
    fn sleep_until<'a>(&'a self, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + 'a>>;
}

/// The time of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    fn sleep_until<'a>(&'a self, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(tokio::time::sleep(until.since(self.now())))
    }
}
