//! Calls that have not worked yet: why, and when somebody hears of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CloudErrorKind, Target, Timestamp};

/// Why a call is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// AWS asked to slow down.
    Throttled,
    /// There was no answer.
    NoAnswer,
    /// The service failed.
    Fault,
}

impl Trouble {
    /// Why a call that failed so is worth another try; none if it is not.
    pub fn of(kind: &CloudErrorKind) -> Option<Self> {
        match kind {
            CloudErrorKind::Throttled(_) => Some(Self::Throttled),
            CloudErrorKind::Unreachable(_) => Some(Self::NoAnswer),
            CloudErrorKind::ServiceFault(_) => Some(Self::Fault),
            _ => None,
        }
    }
}

/// A call that has not worked for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retrying {
    /// The API operation, as `CreateStack`.
    pub operation: String,
    /// The stack, endpoint or role it is about.
    pub subject: String,
    /// Where.
    pub target: Target,
    /// What kept it from working last.
    pub trouble: Trouble,
    /// When it was first made.
    pub since: Timestamp,
    /// The number of the try at hand.
    pub tries: u32,
    /// After so many it is given up.
    pub most: u32,
}

/// Most calls are answered within a second, and a pause between tries is seldom longer.
const FIRST_WORD: Duration = Duration::from_secs(10);
const NEXT_WORD: Duration = Duration::from_secs(60);

/// When it is told that a call has not worked: after ten seconds, then once a minute, or when the reason is another.
#[derive(Debug, Clone)]
pub struct Patience {
    last: Timestamp,
    told: Option<Trouble>,
}

impl Patience {
    /// Of a call that is made now.
    pub fn new(now: Timestamp) -> Self {
        Self { last: now, told: None }
    }

    /// When there is something to tell, if nothing happens before.
    pub fn due(&self, trouble: Trouble) -> Timestamp {
        self.last.plus(if self.told == Some(trouble) { NEXT_WORD } else { FIRST_WORD })
    }

    /// Is it to be told now? It counts as told.
    pub fn tells(&mut self, trouble: Trouble, now: Timestamp) -> bool {
        let tells = now >= self.due(trouble);
        if tells {
            (self.last, self.told) = (now, Some(trouble));
        }
        tells
    }

    /// Was anything told?
    pub fn has_told(&self) -> bool {
        self.told.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_after_a_while_then_once_a_minute_and_when_the_reason_is_another() {
        let mut patience = Patience::new(Timestamp(0));
        let mut told = Vec::new();
        for second in 0..200 {
            let trouble = if second < 90 { Trouble::Throttled } else { Trouble::NoAnswer };
            if patience.tells(trouble, Timestamp(second * 1000)) {
                told.push(second);
            }
        }
        assert_eq!(told, [10, 70, 90, 150]);
        let mut patience = Patience::new(Timestamp(0));
        let fickle = |second: i64| if second % 2 == 0 { Trouble::Throttled } else { Trouble::Fault };
        let told = (0..60).filter(|second| patience.tells(fickle(*second), Timestamp(second * 1000))).count();
        assert_eq!(told, 5, "a reason that comes and goes is not told at each try");
    }
}
