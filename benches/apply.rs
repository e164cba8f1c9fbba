//! `hubform apply` of 1,900 new stacks on an imagined account whose calls are throttled, in simulated time.
//!
//! The bound is what no order can beat: the longest chain of stacks, or all work divided by how many run at once,
//! whichever is longer; both from the times at which stacks began and ended in the account. `FIFO` and `by path` lay
//! the same durations out in the plan's order and by critical path, without calls: what the order alone is worth.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use hubform::{
    cloud::{Connection, StackStatus, Target},
    sandbox::{Pace, Rate, Sandbox, SandboxSettings, Throttle},
};
use support::{Findings, hubform, manifests, peak, seconds, table, write};

const STACKS: usize = 1900;
const ENVIRONMENTS: usize = 4;

fn main() {
    let cases = [10, 50].map(|concurrency: usize| vec![concurrency.to_string()]);
    let headings = [
        "real s",
        "simulated h",
        "bound h",
        "over bound",
        "FIFO h",
        "by path h",
        "calls",
        "calls/stack",
        "throttled",
        "peak MiB",
    ];
    let title = format!("apply: {STACKS} new stacks, by concurrency, throttled");
    let found = table(&title, &headings, &cases, 1, measure);
    for (case, found) in cases.iter().zip(&found) {
        let calls = found.iter().filter_map(|(name, count)| Some((name.strip_prefix("calls of ")?, count)));
        let calls: Vec<String> = calls.map(|(name, count)| format!("{name} {count}")).collect();
        support::say(&format!("concurrency {}: {}", case[0], calls.join(", ")));
    }
}

/// What this bench assumes an account allows; AWS publishes no rates.
fn throttle() -> Throttle {
    let rate = |per_second, burst| Rate { per_second, burst };
    Throttle {
        usual: rate(10.0, 20.0),
        operations: BTreeMap::from([
            ("CreateStack".to_owned(), rate(2.0, 10.0)),
            ("DescribeStacks".to_owned(), rate(5.0, 10.0)),
            ("ListStacks".to_owned(), rate(5.0, 10.0)),
        ]),
    }
}

fn measure(case: &[String]) -> Findings {
    let concurrency: usize = case[0].parse().expect("a case has a concurrency");
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    write(folder.path(), &manifests(STACKS - ENVIRONMENTS, ENVIRONMENTS, &["us-east-1"]));
    let sandbox =
        Sandbox::new(SandboxSettings { throttle: Some(throttle()), ..SandboxSettings::default() }, Pace::Stepped);
    let clock = sandbox.clock();
    let (began, simulated) = (Instant::now(), clock.now());
    let said = hubform(folder.path(), &sandbox, &["apply", ".", "--yes", "--concurrency", &case[0]]);
    let (real, simulated) = (began.elapsed(), clock.now().since(simulated));
    let peak = peak();
    let calls = sandbox.calls();
    assert!(said.contains(&format!("{STACKS} created")), "{}", said.lines().last().unwrap_or_default());
    let work = durations(&sandbox);
    let bound = work.longest().max(work.total().div_f64(concurrency as f64));
    let hours = |time: Duration| seconds(time) / 3600.0;
    let all: u64 = calls.values().sum();
    let found = [
        ("real s", seconds(real)),
        ("simulated h", hours(simulated)),
        ("bound h", hours(bound)),
        ("over bound", simulated.div_duration_f64(bound)),
        ("FIFO h", hours(work.laid_out(concurrency, |_| Duration::ZERO))),
        ("by path h", hours(work.laid_out(concurrency, |stack| work.path(stack)))),
        ("calls", all as f64),
        ("calls/stack", all as f64 / STACKS as f64),
        ("throttled", said.matches("AWS asked to slow down").count() as f64),
        ("peak MiB", peak),
    ];
    let by_operation = calls.iter().map(|(operation, count)| (format!("calls of {operation}"), *count as f64));
    found.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(by_operation).collect()
}

/// How long each stack took in the account, and what it waited for: its environment's role, or nothing.
struct Work {
    /// In the plan's order.
    stacks: Vec<(Duration, Option<usize>)>,
}

fn durations(sandbox: &Sandbox) -> Work {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime needs nothing");
    let target = Target { account: None, region: "us-east-1".to_owned(), assume_role: None };
    runtime.block_on(async {
        let connection = sandbox.accounts().at(&target).await.expect("an imagined account is there");
        let mut stacks = BTreeMap::new();
        for name in names(sandbox, &connection).await {
            sandbox.advance(Duration::from_secs(1));
            stacks.insert(name.clone(), duration(&connection, &name).await);
        }
        let feeds = feeds(sandbox, &connection, stacks.keys()).await;
        let roles: Vec<&String> = stacks.keys().filter(|name| name.contains("-role-")).collect();
        let rest = stacks.keys().filter(|name| !name.contains("-role-"));
        let order: Vec<&String> = roles.iter().copied().chain(rest).collect();
        let place = |name: &String| order.iter().position(|other| *other == name);
        let needs = |name: &String| feeds.get(name).and_then(place);
        Work { stacks: order.iter().map(|name| (stacks[*name], needs(name))).collect() }
    })
}

async fn names(sandbox: &Sandbox, connection: &Connection) -> BTreeSet<String> {
    let (mut names, mut from) = (BTreeSet::new(), None);
    loop {
        sandbox.advance(Duration::from_secs(1));
        let page = connection.stacks.describe_stacks(from).await.expect("it is not throttled any more");
        names.extend(page.items.into_iter().map(|stack| stack.name));
        from = page.next;
        if from.is_none() {
            return names;
        }
    }
}

/// From the first event of a stack to its last.
async fn duration(connection: &Connection, name: &str) -> Duration {
    let page = connection.stacks.describe_stack_events(name, None).await.expect("it is not throttled any more");
    let newest = page.items.first().expect("a stack has events");
    let oldest = page.items.last().expect("a stack has events");
    assert!(page.next.is_none() && newest.status.as_str() == StackStatus::CreateComplete.as_str(), "{name}");
    newest.at.since(oldest.at)
}

/// The role's stack that each stack takes its role from, as its template says.
async fn feeds(
    sandbox: &Sandbox,
    connection: &Connection,
    names: impl Iterator<Item = &String>,
) -> BTreeMap<String, String> {
    let mut feeds = BTreeMap::new();
    for name in names {
        sandbox.advance(Duration::from_secs(1));
        let body = connection.stacks.get_template(name).await.expect("it is not throttled any more");
        let body: serde_json::Value = serde_json::from_str(&body).expect("hubform sends JSON");
        if let Some(role) = body["Metadata"]["Hubform"]["Needs"][0].as_str() {
            feeds.insert(name.clone(), role.to_owned());
        }
    }
    feeds
}

impl Work {
    fn total(&self) -> Duration {
        self.stacks.iter().map(|(took, _)| *took).sum()
    }

    fn longest(&self) -> Duration {
        let with_role =
            |(took, role): &(Duration, Option<usize>)| *took + role.map_or(Duration::ZERO, |at| self.stacks[at].0);
        self.stacks.iter().map(with_role).max().unwrap_or_default()
    }

    /// The longest way to the end that begins with this stack.
    fn path(&self, stack: usize) -> Duration {
        let behind = self.stacks.iter().filter(|(_, role)| *role == Some(stack)).map(|(took, _)| *took).max();
        self.stacks[stack].0 + behind.unwrap_or_default()
    }

    /// How long everything takes when so many run at once and, among those that may begin, the one with the highest
    /// rank begins first, then the first in the plan's order.
    fn laid_out(&self, concurrency: usize, rank: impl Fn(usize) -> Duration) -> Duration {
        let mut ready: BTreeSet<_> = BTreeSet::new();
        let ranked = |stack: usize| (std::cmp::Reverse(rank(stack)), stack);
        let free = |(_, (_, role)): &(usize, &(Duration, Option<usize>))| role.is_none();
        ready.extend(self.stacks.iter().enumerate().filter(free).map(|(stack, _)| ranked(stack)));
        let (mut running, mut now) = (BTreeSet::new(), Duration::ZERO);
        loop {
            while running.len() < concurrency {
                let Some((_, stack)) = ready.pop_first() else { break };
                running.insert((now + self.stacks[stack].0, stack));
            }
            let Some((ends, over)) = running.pop_first() else { return now };
            now = ends;
            let waited = self.stacks.iter().enumerate().filter(|(_, (_, role))| *role == Some(over));
            ready.extend(waited.map(|(stack, _)| ranked(stack)));
        }
    }
}
