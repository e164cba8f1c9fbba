//! The trial that found what 0.1 did badly, kept as generators that would find the next of the kind.
//!
//! Seeded, and bounded to some seconds each; `HUBFORM_TRIAL=long` plays many more. Each prints a line of what it tried,
//! how often that reached what it is about, and how often it failed.

mod kills;

use crate::support::peers::say;

/// How many of something are tried: few usually, many when a long trial is asked for.
fn how_many(usual: u64, long: u64) -> u64 {
    if std::env::var_os("HUBFORM_TRIAL").is_some_and(|value| value == "long") { long } else { usual }
}

/// Tells what came of a trial, and holds it to nothing having failed.
fn tell(what: &str, tried: usize, reached: usize, failures: &[String]) {
    say(&format!("trial of {what}: {tried} tried, {reached} reached, {} failed", failures.len()));
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
