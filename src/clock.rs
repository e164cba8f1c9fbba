//! The small port to time: now, and sleep; and how often to look at what takes its time.

use std::{future::Future, pin::Pin, time::Duration};

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

/// Looks fall due after this part of the time that something has run.
const PART: u32 = 10;
/// The first look, and the shortest pause: emulators are done at once, roles and alarms take seconds.
pub const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long to wait before looking again at an operation that has run this long: what ends soon is seen to end soon, and
/// what takes hours costs few calls.
pub fn look_interval(ran: Duration) -> Duration {
    (ran / PART).clamp(FIRST_LOOK, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer_the_longer_something_runs() {
        let after = |ran| look_interval(Duration::from_millis(ran)).as_millis();
        assert_eq!([0, 2_500, 2_510, 60_000, 100_000, 3_600_000].map(after), [250, 250, 251, 6_000, 10_000, 10_000]);
    }
}
