//! Which runs a law is held to. The same seed is the same run.

use std::{
    any::Any,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use fastrand::Rng;

/// A seed, or a range as `0..5000`, in place of the usual ones.
const VARIABLE: &str = "HUBFORM_SEED";
/// After so many seeds that break a law the others tell nothing new.
const ENOUGH: usize = 3;

/// Holds a law to seeds that broke it once, then to the first `count` ones.
pub(super) fn hold(once_broken: &[u64], count: u64, law: impl Fn(&mut Rng) -> Result<(), String>) {
    let mut broken = Vec::new();
    for seed in seeds(once_broken, count) {
        let told = match catch_unwind(AssertUnwindSafe(|| law(&mut Rng::with_seed(seed)))) {
            Ok(Ok(())) => continue,
            Ok(Err(told)) => told,
            Err(panic) => format!("panicked: {}", words(&*panic)),
        };
        broken.push(format!("{VARIABLE}={seed}: {told}"));
        if broken.len() == ENOUGH {
            break;
        }
    }
    assert!(broken.is_empty(), "the law is broken\n{}", broken.join("\n"));
}

fn seeds(once_broken: &[u64], count: u64) -> Vec<u64> {
    let Ok(said) = std::env::var(VARIABLE) else {
        return once_broken.iter().copied().chain(0..count).collect();
    };
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{VARIABLE} is `{said}`, not a number"));
    match said.split_once("..") {
        Some((first, end)) => (number(first)..number(end)).collect(),
        None => vec![number(&said)],
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

/// One of several.
pub(super) fn one<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

/// In so many of a hundred cases.
pub(super) fn percent(rng: &mut Rng, chance: u32) -> bool {
    rng.u32(0..100) < chance
}

/// Says how often what a law is about occurred, and holds that to a least number unless seeds were said.
pub(super) fn occurred(what: &str, found: usize, least: usize) {
    // Written, not printed, so that it is seen where tests pass.
    let _ = writeln!(std::io::stdout(), "{what}: {found} times, at least {least} are wanted");
    assert!(found >= least || std::env::var_os(VARIABLE).is_some(), "{what}: {found} times, and {least} are wanted");
}
