//! Token buckets: how often an operation may be called in one Region of an account.
//!
//! They live outside the saved state: a throttled call changes nothing.

use std::collections::HashMap;

use super::{
    place::AccountRegion,
    settings::{Rate, Throttle},
};
use crate::cloud::Timestamp;

#[derive(Debug)]
struct TokenBucket {
    tokens: f64,
    filled_at: Timestamp,
}

/// One bucket per place and operation, full at first use.
#[derive(Debug, Default)]
pub(crate) struct TokenBuckets {
    buckets: HashMap<(AccountRegion, &'static str), TokenBucket>,
}

impl TokenBuckets {
    /// Takes a token; false when there is none.
    pub(crate) fn admit(
        &mut self,
        limits: &Throttle,
        place: &AccountRegion,
        operation: &'static str,
        now: Timestamp,
    ) -> bool {
        let Rate { per_second, burst } = limits.operations.get(operation).copied().unwrap_or(limits.usual);
        let bucket =
            self.buckets.entry((place.clone(), operation)).or_insert(TokenBucket { tokens: burst, filled_at: now });
        let gained = now.since(bucket.filled_at).as_secs_f64() * per_second;
        bucket.tokens = (bucket.tokens + gained).min(burst);
        bucket.filled_at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limits = Throttle { usual: Rate { per_second: 2.0, burst: 3.0 }, operations: BTreeMap::new() };
        let mut buckets = TokenBuckets::default();
        let mut admitted = |at: i64| buckets.admit(&limits, &AccountRegion::default(), "DescribeStacks", Timestamp(at));
        assert_eq!([0, 0, 0, 0, 400, 500, 600].map(&mut admitted), [true, true, true, false, false, true, false]);
    }
}
