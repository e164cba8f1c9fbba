//! The account's own time: stepped, scaled or real.
//!
//! A stepped clock moves by `advance`, or when everything waits for it: then it jumps to the earliest moment that is
//! slept for. Polling shows that everything waits: the earliest sleeper wakes when it is polled again and again while
//! no call is made and no sleep starts or ends.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::Sandbox;
use crate::{clock::Clock, cloud::Timestamp};

/// How often a stepped sleeper sees nothing happen before it wakes.
const QUIET_POLLS: u32 = 4;
/// How often a stepped sleeper lets one go first that is earlier but is never polled.
const PATIENCE: u32 = 1000;

/// The pace of simulated time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Only by [`Sandbox::advance`] and by sleeping.
    Stepped,
    /// So many simulated seconds for each real one.
    Scaled(f64),
    /// One for one.
    Real,
}

/// Fast enough that an endpoint's ten minutes are a few seconds.
impl Default for Pace {
    fn default() -> Self {
        Self::Scaled(120.0)
    }
}

impl Pace {
    /// Simulated seconds per real second; none on a stepped clock.
    fn speed(self) -> Option<f64> {
        match self {
            Self::Stepped => None,
            Self::Scaled(speed) => Some(speed.max(1e-3)),
            Self::Real => Some(1.0),
        }
    }
}

/// Simulated time as a function of real time.
#[derive(Debug)]
pub(crate) struct Timer {
    pace: Pace,
    from: Timestamp,
    since: Instant,
}

impl Timer {
    pub(crate) fn new(pace: Pace, from: Timestamp) -> Self {
        Self { pace, from, since: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = self.pace.speed().map_or(Duration::ZERO, |speed| self.since.elapsed().mul_f64(speed));
        self.from.plus(elapsed)
    }

    /// Moves to `to`, and continues from there at the same pace.
    pub(crate) fn set(&mut self, to: Timestamp) {
        self.from = to;
        self.since = Instant::now();
    }

    fn real_time(&self, simulated: Duration) -> Option<Duration> {
        self.pace.speed().map(|speed| simulated.div_f64(speed))
    }
}

impl Clock for Sandbox {
    fn now(&self) -> Timestamp {
        self.core().timer.now()
    }

    fn sleep_until<'a>(&'a self, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        if self.core().timer.real_time(Duration::ZERO).is_none() {
            return Box::pin(SteppedSleep { sandbox: self, until, ticket: None, seen: 0, quiet: 0, patience: 0 });
        }
        Box::pin(async move {
            while let Some(rest) = self.rest_until(until) {
                tokio::time::sleep(rest).await;
            }
        })
    }
}

impl Sandbox {
    /// The real time to wait for a simulated moment; none when it has passed.
    fn rest_until(&self, until: Timestamp) -> Option<Duration> {
        let core = self.core();
        let rest = until.since(core.timer.now());
        core.timer.real_time(rest).filter(|_| !rest.is_zero())
    }
}

/// A sleep on the stepped clock.
struct SteppedSleep<'a> {
    sandbox: &'a Sandbox,
    until: Timestamp,
    ticket: Option<u64>,
    seen: u64,
    quiet: u32,
    patience: u32,
}

impl Future for SteppedSleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let sandbox = self.sandbox;
        let mut core = sandbox.core();
        let sleepers = &mut core.sleepers;
        let until = self.until;
        let ticket = *self.ticket.get_or_insert_with(|| sleepers.add(until));
        self.quiet = if self.seen == sleepers.activity { self.quiet + 1 } else { 0 };
        self.seen = sleepers.activity;
        self.patience += 1;
        let first = sleepers.is_first(ticket) || self.patience > PATIENCE;
        if core.timer.now() < self.until && !(first && self.quiet >= QUIET_POLLS) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        core.step_to(self.until);
        Poll::Ready(())
    }
}

impl Drop for SteppedSleep<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.sandbox.core().sleepers.remove(ticket, self.until);
        }
    }
}

/// The sleepers on the stepped clock, and a count of what happened.
#[derive(Debug, Default)]
pub(crate) struct Sleepers {
    waiting: std::collections::BTreeSet<(Timestamp, u64)>,
    tickets: u64,
    /// Counts calls and sleeps.
    pub(crate) activity: u64,
}

impl Sleepers {
    fn add(&mut self, until: Timestamp) -> u64 {
        self.tickets += 1;
        self.activity += 1;
        self.waiting.insert((until, self.tickets));
        self.tickets
    }

    fn remove(&mut self, ticket: u64, until: Timestamp) {
        self.activity += 1;
        self.waiting.remove(&(until, ticket));
    }

    fn is_first(&self, ticket: u64) -> bool {
        self.waiting.first().is_some_and(|(_, first)| *first == ticket)
    }
}
