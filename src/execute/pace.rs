//! How soon a running operation is looked at again: after [`look_interval`], but several together at most so often as
//! AWS answers.

use std::time::Duration;

use crate::clock::{FIRST_LOOK, LONGEST_PAUSE, look_interval};

/// The longest pause of a listing that served one stack alone. It shrinks by the root of their number: so the calls that
/// are made and the time for which places stay empty together cost least.
const LISTED: f64 = 28.0;
/// What is asked for again and again keeps this distance, whoever it is for. AWS publishes no rates; five
/// DescribeStacks a second are reported (O: aws-sam-cli 2671).
const APART: Duration = Duration::from_millis(200);

/// The pause before one of `together`, each looked at by a call of its own, is looked at again.
pub(super) fn pause(age: Duration, together: usize) -> Duration {
    look_interval(age).max(apart(together))
}

/// The pause before the next listing, which serves all that have run for these times and takes this many calls: it
/// comes at the mean of the rates at which each would be looked at, so that a young one among many old ones does not
/// make it hurry as several young ones do.
pub(super) fn shared(ages: &[Duration], calls: usize) -> Duration {
    let count = ages.len().max(1) as f64;
    let longest = Duration::from_secs_f64(LISTED / count.sqrt()).clamp(FIRST_LOOK, LONGEST_PAUSE);
    let rates: f64 = ages.iter().map(|age| look_interval(*age).min(longest).as_secs_f64().recip()).sum();
    let mean = if rates > 0.0 { Duration::from_secs_f64(count / rates) } else { longest };
    mean.max(apart(calls))
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
            let ages = [vec![seconds(1.0); young], vec![seconds(300.0); old]].concat();
            shared(&ages, calls).as_millis()
        };
        assert_eq!([pause(4, 0, 1), pause(2, 2, 1), pause(1, 3, 1), pause(0, 4, 1)], [250, 487, 930, 10_000]);
        assert_eq!([pause(1, 49, 1), pause(0, 50, 1)], [3053, 3959], "it serves many");
        assert_eq!(pause(10, 0, 8), 1600, "a listing of eight pages is eight calls");
    }
}
