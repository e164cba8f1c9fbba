//! What every bench needs: manifests in any number, a process of its own for each size, and a table.

#![allow(dead_code, clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use hubform::{
    cli::{Host, run},
    sandbox::Sandbox,
};

/// Says to a process that it is to measure one case.
const CASE: &str = "--case";

/// What a case found, by name.
pub(crate) type Findings = BTreeMap<String, f64>;

/// Runs `measure` in a process of its own, so that peaks of memory do not mix, and prints a row for each case: the
/// case's words, then what was found under each heading. The best of `times` runs counts, by the first heading.
pub(crate) fn table(
    title: &str,
    headings: &[&str],
    cases: &[Vec<String>],
    times: usize,
    measure: fn(&[String]) -> Findings,
) -> Vec<Findings> {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == CASE) {
        let text = measure(&words[at + 1..]).into_iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "{name}={value}");
            text
        });
        print!("{text}");
        return Vec::new();
    }
    println!("\n{title}");
    println!("{:<16}{}", "", headings.iter().map(|heading| cell(heading, heading)).collect::<String>());
    let mut all = Vec::new();
    for case in cases {
        let runs = (0..times).map(|_| in_a_process(case));
        let best = runs.min_by(|a, b| a[headings[0]].total_cmp(&b[headings[0]])).expect("it runs at least once");
        let value = |heading: &&str| cell(heading, &shown(heading, best.get(*heading)));
        let row: String = headings.iter().map(value).collect();
        println!("{:<16}{row}", case.join(" "));
        all.push(best);
    }
    all
}

fn in_a_process(case: &[String]) -> Findings {
    let itself = std::env::current_exe().expect("a process knows its program");
    let output = Command::new(itself).arg(CASE).args(case).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{case:?} failed\n{text}{}", String::from_utf8_lossy(&output.stderr));
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

/// A cell as wide as its heading needs it.
fn cell(heading: &str, text: &str) -> String {
    format!("{text:>width$}", width = heading.len().max(7) + 3)
}

/// Counts are whole, everything else has as many digits as can be told apart.
fn shown(heading: &str, value: Option<&f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if heading.ends_with("MiB") || value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.3}"),
    }
}

/// The most memory this process ever held, in MiB; nothing where the system does not say.
pub(crate) fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

/// Seconds of processor time that this process used so far, all threads together: what others on the machine do
/// matters less to them than to the clock.
pub(crate) fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Texts of so many endpoints by file name, spread evenly over environments, one file for each endpoint. They differ
/// in name, model, instance, scaling, labels and environment; all are valid, and every model is pinned.
pub(crate) fn manifests(endpoints: usize, environments: usize, regions: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::with_capacity(endpoints + 2 * environments);
    for number in 0..environments {
        let folder = format!("env-{number}");
        let region = regions[number % regions.len()];
        files.push((format!("{folder}/environment.yaml"), environment(number, region)));
        files.push((format!("{folder}/shared.yaml"), SHARED.to_owned()));
    }
    for number in 0..endpoints {
        let name = format!("env-{}/endpoint-{number:05}.yaml", number % environments);
        files.push((name, endpoint(number)));
    }
    files
}

fn environment(number: usize, region: &str) -> String {
    format!(
        "apiVersion: hubform.dev/v1\nkind: Environment\nmetadata:\n  name: env-{number}\nspec:\n  targets:\n    - region: \
         {region}\n  tags: {{owner: team-{number}}}\n"
    )
}

/// What the endpoints of an environment refer to.
const SHARED: &str = "\
apiVersion: hubform.dev/v1
kind: Role
metadata: {name: models}
spec: {}
---
apiVersion: hubform.dev/v1
kind: Hardware
metadata: {name: cpu}
spec:
  instances: [ml.c7i.xlarge]
---
apiVersion: hubform.dev/v1
kind: Hardware
metadata: {name: gpu}
spec:
  instances: [ml.g6.2xlarge]
---
apiVersion: hubform.dev/v1
kind: Scaling
metadata: {name: steady}
spec:
  min: 1
  max: 3
  target: {concurrentRequestsPerInstance: 8}
---
apiVersion: hubform.dev/v1
kind: Model
metadata: {name: embedder}
spec:
  hub: BAAI/bge-base-en-v1.5
  revision: \"0123456789abcdef0123456789abcdef01234567\"
";

const ENCODERS: [&str; 4] =
    ["BAAI/bge-small-en-v1.5", "BAAI/bge-base-en-v1.5", "BAAI/bge-m3", "intfloat/multilingual-e5-large"];
const WRITERS: [&str; 6] = [
    "Qwen/Qwen3-0.6B",
    "Qwen/Qwen3-1.7B",
    "Qwen/Qwen3-4B",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen2.5-3B-Instruct",
    "microsoft/Phi-4-mini-instruct",
];

fn endpoint(number: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(number as u64);
    let commit: String = (0..40).map(|_| char::from_digit(rng.u32(0..16), 16).expect("below 16")).collect();
    let writes = rng.bool();
    let of = |names: &[&str], rng: &mut fastrand::Rng| names[rng.usize(0..names.len())].to_owned();
    let id = if writes { of(&WRITERS, &mut rng) } else { of(&ENCODERS, &mut rng) };
    let model = match rng.u8(0..4) {
        0 if !writes => "embedder".to_owned(),
        _ => format!("{{hub: {id}, revision: \"{commit}\"}}"),
    };
    let hardware = match (rng.u8(0..3), writes) {
        (0, true) => "  hardware: gpu\n",
        (0, false) => "  hardware: cpu\n",
        (1, true) => "  hardware: {instances: [ml.g6e.xlarge]}\n",
        (1, false) => "  hardware: ml.c7i.2xlarge\n",
        _ => "",
    };
    let scaling = match rng.u8(0..4) {
        0 => "  scaling: steady\n".to_owned(),
        1 => format!(
            "  scaling: {{min: 1, max: {}, target: {{invocationsPerInstance: {}}}, cooldown: {{in: {}m, out: 1m}}}}\n",
            rng.u32(2..9),
            rng.u32(50..900),
            rng.u32(3..20)
        ),
        2 => format!("  scaling: {{min: {}}}\n", rng.u32(1..4)),
        _ => String::new(),
    };
    let alarms = if rng.bool() { "  alarms: {latencyP99: 5s, errorRate: 1%}\n" } else { "" };
    let env =
        if rng.bool() { format!("    env: {{LOG_LEVEL: info, TUNING: \"{}\"}}\n", rng.u32(..)) } else { String::new() };
    let role = if rng.u8(0..3) == 0 { "  role: models\n" } else { "" };
    let model = match model.strip_prefix('{').filter(|_| !env.is_empty()) {
        Some(_) => format!("  model:\n    hub: {id}\n    revision: \"{commit}\"\n{env}"),
        None => format!("  model: {model}\n"),
    };
    format!(
        "apiVersion: hubform.dev/v1\nkind: Endpoint\nmetadata:\n  name: e-{number:05}\n  labels: {{team: team-{}, tier: \
         \"{}\"}}\nspec:\n{model}{hardware}{scaling}{alarms}{role}",
        rng.u32(0..40),
        rng.u32(1..5)
    )
}

/// Writes files below a folder.
pub(crate) fn write(folder: &Path, files: &[(String, String)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("every file is in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
}

/// Runs a command of hubform in a folder as the binary would, on this account; answers what it said.
pub(crate) fn hubform(folder: &Path, sandbox: &Sandbox, words: &[&str]) -> String {
    let said = Said(Arc::default());
    let mut host = Host {
        kept_input: None,
        variables: BTreeMap::from([("HUBFORM_SANDBOX".to_owned(), "1".to_owned())]),
        folder: folder.to_path_buf(),
        input: Box::new(io::empty()),
        output: Box::new(said.clone()),
        errors: Box::new(said.clone()),
        terminal: None,
        terminal_size: || None,
        interactive: false,
        sandbox: Some(sandbox.clone()),
        tables: BTreeMap::new(),
        aside: false,
        random: fastrand::Rng::with_seed(1),
    };
    let exit = run(&mut host, ["hubform"].iter().chain(words).map(Into::into));
    let text = String::from_utf8_lossy(&said.0.lock().expect("nobody panicked")).into_owned();
    assert_eq!(exit.code(), 0, "hubform {words:?}\n{}", text.chars().take(4000).collect::<String>());
    text
}

#[derive(Clone)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a line below a table.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Seconds, as tables have them.
pub(crate) fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
