//! How soon something that goes on is looked at again: after a tenth of the time it has run, so that its end is
//! noticed a tenth late at most.

use std::time::Duration;

/// The first look, and the shortest pause: emulators are done at once, roles and alarms take seconds.
pub(super) const FIRST: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(10);
/// A pause is this part of the time that something has run.
const PART: u32 = 10;
/// What is asked for again and again keeps this distance, whoever it is for. AWS publishes no rates; five
/// DescribeStacks a second are reported (O: aws-sam-cli 2671).
const APART: Duration = Duration::from_millis(200);

/// The pause before one of `together`, each looked at by a call of its own, is looked at again.
pub(super) fn pause(age: Duration, together: usize) -> Duration {
    own(age).max(apart(together))
}

/// The pause before the next listing, which serves all that have run for these times and takes this many calls: it
/// comes at the mean of the rates at which each would be looked at, so that a young one among many old ones does not
/// make it hurry as several young ones do.
pub(super) fn shared(ages: impl Iterator<Item = Duration>, calls: usize) -> Duration {
    let rates: Vec<f64> = ages.map(|age| own(age).as_secs_f64().recip()).collect();
    let mean = Duration::from_secs_f64(rates.len().max(1) as f64 / rates.iter().sum::<f64>().max(0.1));
    mean.clamp(FIRST, LONGEST).max(apart(calls))
}

fn own(age: Duration) -> Duration {
    (age / PART).clamp(FIRST, LONGEST)
}

fn apart(calls: usize) -> Duration {
    APART * u32::try_from(calls).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: f64) -> Duration {
        Duration::from_secs_f64(count)
    }

    #[test]
    fn a_pause_is_a_tenth_of_the_time_that_has_passed() {
        let pauses = [0.0, 2.5, 30.0, 4000.0].map(|age| pause(seconds(age), 1).as_millis());
        assert_eq!(pauses, [250, 250, 3000, 10_000]);
        assert_eq!(pause(seconds(1.0), 10), seconds(2.0), "ten at once make five calls a second");
    }

    #[test]
    fn a_listing_hurries_for_many_young_ones_and_not_for_one() {
        let pause = |young: usize, old: usize, calls| {
            let ages = std::iter::repeat_n(seconds(1.0), young).chain(std::iter::repeat_n(seconds(300.0), old));
            shared(ages, calls).as_millis()
        };
        assert_eq!([pause(10, 0, 1), pause(5, 5, 1), pause(1, 9, 1), pause(0, 10, 1)], [250, 487, 2040, 10_000]);
        assert_eq!(pause(10, 0, 8), 1600, "a listing of eight pages is eight calls");
    }
}
