//! `hubform plan` where there is nothing to do, on an imagined account: reading files and the lock, resolving,
//! rendering, gathering what runs, comparing, printing. Aim: 200 stacks in 0.3 s.

mod support;

use std::time::Instant;

use hubform::sandbox::{Pace, Sandbox, SandboxSettings};
use support::{Findings, hubform, manifests, peak, seconds, table, write};

/// Runs in one process; the first warms what is decoded once.
const RUNS: usize = 5;

fn main() {
    let cases = [200, 1900].map(|stacks: usize| vec![stacks.to_string()]);
    let headings = ["first s", "best s", "stacks", "calls", "peak MiB"];
    table("plan: nothing to do, on an imagined account", &headings, &cases, 3, measure);
}

fn measure(case: &[String]) -> Findings {
    let stacks: usize = case[0].parse().expect("a case has a size");
    let environments = (stacks / 500).max(1);
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    // Each environment has one stack more than it has endpoints: its role.
    write(folder.path(), &manifests(stacks - environments, environments, &["us-east-1"]));
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    hubform(folder.path(), &sandbox, &["apply", ".", "--yes", "--concurrency", "100"]);
    sandbox.reset_calls();
    let times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            let said = hubform(folder.path(), &sandbox, &["plan", "."]);
            let took = seconds(began.elapsed());
            assert!(said.contains(&format!("0 to create, 0 to update, 0 to delete, {stacks} unchanged")), "{said}");
            took
        })
        .collect();
    let calls: u64 = sandbox.calls().values().sum();
    let best = times.iter().copied().fold(f64::INFINITY, f64::min);
    let found = [
        ("first s", times[0]),
        ("best s", best),
        ("stacks", stacks as f64),
        ("calls", calls as f64 / RUNS as f64),
        ("peak MiB", peak()),
    ];
    found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
