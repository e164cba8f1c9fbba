//! How often and how soon a call is tried again, and how fast calls may follow each other.
//!
//! AWS publishes no rates for these calls. The numbers are choices: low enough for an account that others use too,
//! and whatever they are, [`RateBudget`] finds the real limit by being told off.

use std::time::Duration;

use crate::cloud::Timestamp;

/// Tries of a call that meets faults: with the pauses below about a minute, longer than a usual hiccup. Where nobody
/// answers, each try takes its own 30 seconds beside that.
pub(super) const FAULT_TRIES: u32 = 8;
/// Tries of a call that is throttled: each pause is real progress for others, so patience is cheap.
pub(super) const THROTTLE_TRIES: u32 = 40;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Decorrelated jitter: between the first pause and three times the last one, at most the longest.
pub(super) fn pause(rng: &mut fastrand::Rng, last: Option<Duration>) -> Duration {
    let low = FIRST_PAUSE.as_millis() as u64;
    let high = last.map_or(low * 2, |last| (last.as_millis() as u64).saturating_mul(3).max(low + 1));
    Duration::from_millis(rng.u64(low..high)).min(LONGEST_PAUSE)
}

const START_RATE: f64 = 10.0;
const TOP_RATE: f64 = 20.0;
const LEAST_RATE: f64 = 0.2;
/// As many as two rounds of ten stacks ask for before the rate holds: what ends within a second waits for nothing.
const BURST: f64 = 20.0;
/// Each call that is not throttled earns this much, in calls per second.
const RAISE: f64 = 0.05;
/// Answers within this time of a cut belong to calls made before it, and cut no further.
const CUT_AT_MOST_EVERY: Duration = Duration::from_secs(2);

/// The rate of one action in one account and Region: a token bucket that halves when AWS asks to slow down and
/// creeps up while it does not.
#[derive(Debug, Clone)]
pub(super) struct RateBudget {
    rate: f64,
    tokens: f64,
    counted: Timestamp,
    cut: Option<Timestamp>,
}

impl RateBudget {
    /// A full bucket.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { rate: START_RATE, tokens: BURST, counted: now, cut: None }
    }

    /// May one call be made now? If so it is counted.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        let free = self.tokens >= 1.0;
        if free {
            self.tokens -= 1.0;
        }
        free
    }

    /// When the next call may be made.
    pub(super) fn next(&self, now: Timestamp) -> Timestamp {
        let tokens = self.tokens + now.since(self.counted).as_secs_f64() * self.rate;
        if tokens >= 1.0 {
            return now;
        }
        let wait = ((1.0 - tokens) / self.rate * 1000.0).ceil() as u64;
        now.plus(Duration::from_millis(wait.max(1)))
    }

    /// AWS answered.
    pub(super) fn worked(&mut self) {
        self.rate = (self.rate + RAISE).min(TOP_RATE);
    }

    /// AWS asked to slow down.
    pub(super) fn throttled(&mut self, now: Timestamp) {
        self.refill(now);
        if self.cut.is_none_or(|cut| now.since(cut) >= CUT_AT_MOST_EVERY) {
            self.rate = (self.rate / 2.0).max(LEAST_RATE);
            self.cut = Some(now);
        }
        self.tokens = self.tokens.min(0.0);
    }

    fn refill(&mut self, now: Timestamp) {
        let earned = now.since(self.counted).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + earned).min(BURST);
        self.counted = self.counted.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_jitter_and_stay_bounded() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut last = None;
        for _ in 0..50 {
            let next = pause(&mut rng, last);
            assert!(next >= FIRST_PAUSE && next <= LONGEST_PAUSE);
            last = Some(next);
        }
    }

    #[test]
    fn a_budget_slows_down_when_told_and_never_stops() {
        let mut budget = RateBudget::new(Timestamp(0));
        let burst = (0..100).filter(|_| budget.take(Timestamp(0))).count();
        assert_eq!(burst, BURST as usize);
        let before = budget.next(Timestamp(0));
        for second in 0..30 {
            budget.throttled(Timestamp(second * 1000));
        }
        let after = budget.next(Timestamp(29_000));
        assert!(after.since(Timestamp(29_000)) > before.since(Timestamp(0)));
        assert!(budget.take(after), "{after}");
    }
}
