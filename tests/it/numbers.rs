//! A great number of one mistake costs its number, and not the square of it.
//!
//! What is counted is the bytes that tell of it and the time that the processor gave this thread. A list of all names
//! in every message shows in the bytes; a search through all fields for every field shows in nothing that can be counted
//! from outside, so that only time tells. It is no clock's time, and only one part of it is held to another: ten times
//! the mistakes take about ten times as long, or a hundred times where the square is paid.

#[path = "../../benches/support/many.rs"]
mod many;

use many::{MISTAKES, Mistake, told};

const FEW: usize = 500;
const MANY: usize = 10 * FEW;
/// Between ten and a hundred, as far from each.
const MOST: u64 = 30;

#[test]
fn ten_times_the_mistakes_do_not_cost_a_hundred_times_as_much() {
    for mistake in MISTAKES {
        let [few, many] = [FEW, MANY].map(|size| cost(&mistake, size));
        let name = mistake.name;
        assert!(many.0 <= few.0 * 12, "{name}: {} bytes tell of {FEW}, and {} of {MANY}", few.0, many.0);
        if let Some((few, many)) = few.1.zip(many.1) {
            assert!(many <= few * MOST, "{name}: {FEW} take {few} ns, and {MANY} take {many}");
        }
    }
}

/// Bytes, and nanoseconds of the processor where the system counts them.
fn cost(mistake: &Mistake, size: usize) -> (usize, Option<u64>) {
    let files = (mistake.files)(size);
    let began = processor();
    let (found, bytes) = told(files);
    let used = began.zip(processor()).map(|(began, ended)| ended - began);
    assert!(found >= (mistake.findings)(size), "{}: only {found} findings of {size}", mistake.name);
    (bytes, used)
}

/// Nanoseconds that this thread was on a processor.
fn processor() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
