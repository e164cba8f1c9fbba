//! Faults that can be put into the account, as a transcript writes them: `capacity ml.g5.xlarge times 2`.
//!
//! Each fires once, unless a number says otherwise; `slow` stays. Resource faults name a logical id, in any stack
//! (`Endpoint`) or in one (`my-stack/Endpoint`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A logical id, in any stack or in a named one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// The stack; none means any.
    pub stack: Option<String>,
    /// The logical id.
    pub logical_id: String,
}

/// Something that will go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// `capacity TYPE [times N]`: an endpoint on this instance type waits, then fails for lack of capacity.
    Capacity {
        /// As `ml.g5.xlarge`.
        instance_type: String,
        /// How often.
        times: u32,
    },
    /// `quota TYPE`: the account's limit for endpoint usage of this instance type is reached.
    Quota {
        /// As `ml.g5.xlarge`.
        instance_type: String,
    },
    /// `fail [STACK/]ID REASON`: the next creation or update of the resource fails.
    Fail {
        /// Which.
        spot: Spot,
        /// The handler's words.
        reason: String,
    },
    /// `delete-fail [STACK/]ID [REASON]`: the next deletion of the resource fails.
    DeleteFail {
        /// Which.
        spot: Spot,
        /// The handler's words.
        reason: String,
    },
    /// `rollback-fail [STACK/]ID [REASON]`: rolling the resource back fails.
    RollbackFail {
        /// Which.
        spot: Spot,
        /// The handler's words.
        reason: String,
    },
    /// `stuck [STACK/]ID`: the resource does not settle before its handler times out.
    Stuck {
        /// Which.
        spot: Spot,
    },
    /// `silent-rollback ENDPOINT`: the next update of the endpoint returns to the old configuration, and its stack
    /// reports success.
    SilentRollback {
        /// The endpoint's name.
        endpoint: String,
    },
    /// `throttle OPERATION N`: the next N calls of the operation are throttled.
    Throttle {
        /// As `DescribeStacks`.
        operation: String,
        /// How many calls.
        times: u32,
    },
    /// `error OPERATION TEXT`: the next call of the operation fails with this text.
    Error {
        /// As `CreateStack`.
        operation: String,
        /// The service's words.
        text: String,
    },
    /// `silent OPERATION N`: the next N calls of the operation are not answered, nor accepted.
    Silent {
        /// As `CreateStack`.
        operation: String,
        /// How many calls.
        times: u32,
    },
    /// `lose OPERATION`: the next call of the operation is accepted, and its answer is lost.
    Lose {
        /// As `ExecuteChangeSet`.
        operation: String,
    },
    /// `slow FACTOR`: everything takes so much longer, until the next `slow`.
    Slow {
        /// 1 is the usual speed.
        factor: f64,
    },
}

/// A fault that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a fault: {problem}; known are {KNOWN}")]
pub struct FaultError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

const KNOWN: &str = "`capacity TYPE [times N]`, `quota TYPE`, `fail [STACK/]ID REASON`, `delete-fail [STACK/]ID \
                     [REASON]`, `rollback-fail [STACK/]ID [REASON]`, `stuck [STACK/]ID`, `silent-rollback ENDPOINT`, \
                     `throttle OPERATION N`, `silent OPERATION N`, `error OPERATION TEXT`, `lose OPERATION`, `slow \
                     FACTOR`";

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        read(text.trim()).map_err(|problem| FaultError { text: text.trim().to_owned(), problem })
    }
}

fn read(text: &str) -> Result<Fault, String> {
    let (kind, rest) = split(text);
    let (subject, tail) = split(rest);
    if subject.is_empty() && !kind.is_empty() {
        return Err(format!("`{kind}` does not say of what"));
    }
    let reason = |usual: &str| if tail.is_empty() { usual.to_owned() } else { tail.to_owned() };
    match kind {
        "capacity" => Ok(Fault::Capacity { instance_type: subject.to_owned(), times: times(tail)? }),
        "quota" => Ok(Fault::Quota { instance_type: subject.to_owned() }),
        "fail" if tail.is_empty() => Err("it needs a reason".to_owned()),
        "fail" => Ok(Fault::Fail { spot: spot(subject), reason: tail.to_owned() }),
        "delete-fail" => Ok(Fault::DeleteFail { spot: spot(subject), reason: reason("it could not be deleted") }),
        "rollback-fail" => Ok(Fault::RollbackFail { spot: spot(subject), reason: reason("it could not be restored") }),
        "stuck" => Ok(Fault::Stuck { spot: spot(subject) }),
        "silent-rollback" => Ok(Fault::SilentRollback { endpoint: subject.to_owned() }),
        "throttle" => Ok(Fault::Throttle { operation: subject.to_owned(), times: number(tail)? }),
        "silent" => Ok(Fault::Silent { operation: subject.to_owned(), times: number(tail)? }),
        "error" => Ok(Fault::Error { operation: subject.to_owned(), text: reason("an imagined failure") }),
        "lose" => Ok(Fault::Lose { operation: subject.to_owned() }),
        "slow" => factor(subject).map(|factor| Fault::Slow { factor }),
        other => Err(format!("`{other}` is unknown")),
    }
}

fn split(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).map_or((text, ""), |(head, tail)| (head, tail.trim()))
}

fn spot(text: &str) -> Spot {
    match text.split_once('/') {
        Some((stack, id)) => Spot { stack: Some(stack.to_owned()), logical_id: id.to_owned() },
        None => Spot { stack: None, logical_id: text.to_owned() },
    }
}

fn times(tail: &str) -> Result<u32, String> {
    match split(tail) {
        ("", _) => Ok(1),
        ("times", count) => number(count),
        (other, _) => Err(format!("`times N` was expected, not `{other}`")),
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("a number was expected, not `{text}`"))
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().map_err(|_| format!("a factor was expected, not `{text}`"))?;
    if factor > 0.0 && factor <= 1e6 { Ok(factor) } else { Err("the factor must be between 0 and 1000000".to_owned()) }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stack {
            Some(stack) => write!(f, "{stack}/{}", self.logical_id),
            None => f.write_str(&self.logical_id),
        }
    }
}

/// As a transcript writes it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity { instance_type, times: 1 } => write!(f, "capacity {instance_type}"),
            Self::Capacity { instance_type, times } => write!(f, "capacity {instance_type} times {times}"),
            Self::Quota { instance_type } => write!(f, "quota {instance_type}"),
            Self::Fail { spot, reason } => write!(f, "fail {spot} {reason}"),
            Self::DeleteFail { spot, reason } => write!(f, "delete-fail {spot} {reason}"),
            Self::RollbackFail { spot, reason } => write!(f, "rollback-fail {spot} {reason}"),
            Self::Stuck { spot } => write!(f, "stuck {spot}"),
            Self::SilentRollback { endpoint } => write!(f, "silent-rollback {endpoint}"),
            Self::Throttle { operation, times } => write!(f, "throttle {operation} {times}"),
            Self::Silent { operation, times } => write!(f, "silent {operation} {times}"),
            Self::Error { operation, text } => write!(f, "error {operation} {text}"),
            Self::Lose { operation } => write!(f, "lose {operation}"),
            Self::Slow { factor } => write!(f, "slow {factor}"),
        }
    }
}

impl Spot {
    fn is(&self, stack: &str, logical_id: &str) -> bool {
        self.logical_id == logical_id && self.stack.as_deref().is_none_or(|name| name == stack)
    }
}

/// What happens to a resource in an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    Fail,
    DeleteFail,
    RollbackFail,
    Stuck,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InjectedRefusal {
    Throttled,
    Silent,
    Failed(String),
}

/// The faults not fired yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        if matches!(fault, Fault::Slow { .. }) {
            self.waiting.retain(|other| !matches!(other, Fault::Slow { .. }));
        }
        self.waiting.push(fault);
    }

    /// How much longer everything takes.
    pub(crate) fn slowness(&self) -> f64 {
        self.waiting
            .iter()
            .find_map(|fault| if let Fault::Slow { factor } = fault { Some(*factor) } else { None })
            .unwrap_or(1.0)
    }

    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let index = self.waiting.iter().position(wanted)?;
        match &mut self.waiting[index] {
            Fault::Capacity { times, .. } | Fault::Throttle { times, .. } | Fault::Silent { times, .. }
                if *times > 1 =>
            {
                *times -= 1;
                Some(self.waiting[index].clone())
            }
            _ => Some(self.waiting.remove(index)),
        }
    }

    /// Fires what waits for this resource; returns the handler's words.
    pub(crate) fn strike(&mut self, blow: Blow, stack: &str, logical_id: &str) -> Option<String> {
        let fault = self.take(|fault| match (blow, fault) {
            (Blow::Fail, Fault::Fail { spot, .. })
            | (Blow::DeleteFail, Fault::DeleteFail { spot, .. })
            | (Blow::RollbackFail, Fault::RollbackFail { spot, .. })
            | (Blow::Stuck, Fault::Stuck { spot }) => spot.is(stack, logical_id),
            _ => false,
        })?;
        match fault {
            Fault::Fail { reason, .. } | Fault::DeleteFail { reason, .. } | Fault::RollbackFail { reason, .. } => {
                Some(reason)
            }
            _ => Some(String::new()),
        }
    }

    pub(crate) fn no_capacity(&mut self, wanted: &str) -> bool {
        self.take(
            |fault| matches!(fault, Fault::Capacity { instance_type, times } if instance_type == wanted && *times > 0),
        )
        .is_some()
    }

    pub(crate) fn no_quota(&mut self, wanted: &str) -> bool {
        self.take(|fault| matches!(fault, Fault::Quota { instance_type } if instance_type == wanted)).is_some()
    }

    pub(crate) fn silent_rollback(&mut self, name: &str) -> bool {
        self.take(|fault| matches!(fault, Fault::SilentRollback { endpoint } if endpoint == name)).is_some()
    }

    /// Is the answer of this call lost?
    pub(crate) fn lose(&mut self, call: &str) -> bool {
        self.take(|fault| matches!(fault, Fault::Lose { operation } if operation == call)).is_some()
    }

    /// Fires what waits for this call.
    pub(crate) fn refuse(&mut self, call: &str) -> Option<InjectedRefusal> {
        let fault = self.take(|fault| match fault {
            Fault::Throttle { operation, times } | Fault::Silent { operation, times } => {
                operation == call && *times > 0
            }
            Fault::Error { operation, .. } => operation == call,
            _ => false,
        })?;
        match fault {
            Fault::Error { text, .. } => Some(InjectedRefusal::Failed(text)),
            Fault::Silent { .. } => Some(InjectedRefusal::Silent),
            _ => Some(InjectedRefusal::Throttled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_back_as_it_is_written() {
        for text in [
            "capacity ml.g5.xlarge",
            "capacity ml.g5.xlarge times 3",
            "quota ml.p5.48xlarge",
            "fail Role no such thing",
            "fail one/Role no such thing",
            "delete-fail Role still in use",
            "rollback-fail Endpoint gone",
            "stuck Endpoint",
            "silent-rollback dev-endpoint-chat",
            "throttle DescribeStacks 4",
            "silent CreateStack 3",
            "error CreateStack the service fell over",
            "lose ExecuteChangeSet",
            "slow 2.5",
        ] {
            assert_eq!(text.parse::<Fault>().map(|fault| fault.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_fault_that_cannot_be_read_says_what_can() {
        let problem = |text: &str| text.parse::<Fault>().map_err(|error| error.problem);
        assert_eq!(problem("capcity x"), Err("`capcity` is unknown".into()));
        assert_eq!(problem("fail Role"), Err("it needs a reason".into()));
        assert_eq!(problem("capacity ml.x thrice"), Err("`times N` was expected, not `thrice`".into()));
        assert_eq!(problem("stuck"), Err("`stuck` does not say of what".into()));
    }

    #[test]
    fn a_fault_fires_as_often_as_it_says() {
        let mut faults = Faults::default();
        faults.add("capacity ml.g5.xlarge times 2".parse().expect("a fault"));
        assert_eq!([1, 2, 3].map(|_| faults.no_capacity("ml.g5.xlarge")), [true, true, false]);
        faults.add("fail a/Role boom".parse().expect("a fault"));
        assert_eq!(faults.strike(Blow::Fail, "b", "Role"), None);
        assert_eq!(faults.strike(Blow::Fail, "a", "Role"), Some("boom".into()));
        assert_eq!(faults.strike(Blow::Fail, "a", "Role"), None);
    }
}
