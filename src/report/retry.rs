//! A call that has not worked for a while: which, for how long, why, and when it is given up.

use super::ink::span;
use crate::cloud::{Retrying, Timestamp, Trouble};

/// One line, as `CreateStack of dev-endpoint-chat in us-east-1: no answer for 31s, try 2 of 8`.
pub fn retrying(call: &Retrying, now: Timestamp) -> String {
    format!("{}: {} for {}, {}", name(call), trouble(call.trouble), span(now.since(call.since)), tries(call))
}

/// What became of it.
pub fn retried(call: &Retrying, worked: bool, now: Timestamp) -> String {
    let (name, took) = (name(call), span(now.since(call.since)));
    match worked {
        true => format!("{name}: answered after {took}, at try {}", call.tries),
        false => format!("{name}: given up after {took} and {}", tries_made(call.tries)),
    }
}

/// In a narrow place, beside the stack and what is done to it.
pub(super) fn in_short(call: &Retrying) -> String {
    format!("{}, {}", trouble(call.trouble), tries(call))
}

fn name(call: &Retrying) -> String {
    format!("{} of {} in {}", call.operation, call.subject, call.target)
}

fn trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Throttled => "throttled",
        Trouble::NoAnswer => "no answer",
        Trouble::Fault => "AWS error",
    }
}

fn tries(call: &Retrying) -> String {
    format!("try {} of {}", call.tries, call.most)
}

fn tries_made(number: u32) -> String {
    match number {
        1 => "1 try".to_owned(),
        number => format!("{number} tries"),
    }
}
