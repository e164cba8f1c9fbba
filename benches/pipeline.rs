//! Manifests to rendered stacks, for 1 to 10,000 endpoints: parse, resolve, render.
//!
//! `memory` goes through the library and back; `locked` does the same where every choice is pinned already, the lock's
//! own text read and written included; `files` is `hubform render -d`, from a folder of manifests to a folder of
//! bodies. Aim: 10,000 in under 5 s and 500 MB on two cores, and time in proportion to size.

mod support;

use std::time::Instant;

use hubform::{
    catalog::Catalog,
    cloud::Target,
    diagnostic::{FileId, SourceMap},
    manifest::{SourceText, environments, parse},
    render::{Templates, render},
    resolve::{Facts, Lock, Scope, resolve},
    sandbox::{Pace, Sandbox, SandboxSettings},
};
use support::{Findings, hubform, manifests, peak, processor, seconds, table, write};

const SIZES: [usize; 4] = [1, 100, 1000, 10_000];
const REGIONS: [&str; 3] = ["us-east-1", "us-east-2", "us-west-2"];
const HEADINGS: [&str; 8] =
    ["total s", "processor s", "lock s", "parse s", "resolve s", "render s", "pin s", "peak MiB"];

fn main() {
    let kinds = ["memory", "locked", "files"];
    let case = |kind: &str, size: usize| vec![kind.to_owned(), size.to_string()];
    let cases: Vec<_> = kinds.iter().flat_map(|kind| SIZES.map(|size| case(kind, size))).collect();
    let found = table("pipeline: manifests to rendered stacks", &HEADINGS, &cases, 3, measure);
    for (kind, sizes) in kinds.iter().zip(found.chunks(SIZES.len())) {
        let ratio = sizes[3]["total s"] / sizes[2]["total s"];
        support::say(&format!("{kind}: 10,000 take {ratio:.1} times as long as 1,000"));
    }
}

fn measure(case: &[String]) -> Findings {
    let size: usize = case[1].parse().expect("a case has a size");
    let files = manifests(size, (size / 500).clamp(1, 20), &REGIONS);
    match case[0].as_str() {
        "files" => from_files(&files),
        kind => in_memory(&files, kind == "locked"),
    }
}

fn from_files(files: &[(String, String)]) -> Findings {
    let folder = tempfile::tempdir().expect("there is a place for temporary folders");
    write(&folder.path().join("in"), files);
    let sandbox = Sandbox::new(SandboxSettings::default(), Pace::Stepped);
    let (began, used) = (Instant::now(), processor());
    hubform(folder.path(), &sandbox, &["render", "in", "-d", "out"]);
    let total = seconds(began.elapsed());
    let used = processor() - used;
    Findings::from([("total s".to_owned(), total), ("processor s".to_owned(), used), ("peak MiB".to_owned(), peak())])
}

fn in_memory(files: &[(String, String)], locked: bool) -> Findings {
    let inputs = || -> Vec<SourceText> {
        let input = |(name, text): &(String, String)| SourceText {
            name: name.clone(),
            bytes: text.clone().into(),
            named: false,
        };
        files.iter().map(input).collect()
    };
    let locks = if locked { once(inputs(), &[]).1 } else { Vec::new() };
    let (mut found, _) = once(inputs(), &locks);
    found.insert("peak MiB".to_owned(), peak());
    found
}

/// Goes through once; answers how long each part took, and the locks as text.
fn once(inputs: Vec<SourceText>, locks: &[String]) -> (Findings, Vec<String>) {
    let used = processor();
    let mut marks = vec![Instant::now()];
    let mut mark = || marks.push(Instant::now());
    let locks: Vec<Lock> = locks.iter().map(|text| Lock::parse(FileId(0), text).expect("hubform wrote it")).collect();
    mark();
    let mut sources = SourceMap::default();
    let (manifests, mut diagnostics) = parse(inputs, &mut sources);
    let (sets, found) = environments(manifests, None);
    diagnostics.extend(found);
    let scopes: Vec<Scope> = sets
        .into_iter()
        .enumerate()
        .map(|(number, set)| {
            let region = REGIONS[number % REGIONS.len()].to_owned();
            let target = Target { account: None, region, assume_role: None };
            let lock = locks.get(number).cloned().unwrap_or_default();
            let locked = (!locks.is_empty()).then_some(hubform::resolve::Locked::Asked);
            Scope { lock, locked, ..Scope::new(set, target) }
        })
        .collect();
    mark();
    let (resolved, found) = resolve(&scopes, &Facts::known(), Catalog::embedded());
    diagnostics.extend(found);
    mark();
    let (specs, found) = render(resolved.stacks, Templates::embedded(), &sources);
    diagnostics.extend(found);
    mark();
    let locks = resolved.locks.values().map(Lock::text).collect();
    mark();
    assert!(!diagnostics.has_errors() && !specs.is_empty(), "{:?}", diagnostics.iter().next());
    let names = ["lock s", "parse s", "resolve s", "render s", "pin s"];
    let parts = names.iter().zip(marks.windows(2)).map(|(name, ends)| ((*name).to_owned(), seconds(ends[1] - ends[0])));
    let total = ("total s".to_owned(), seconds(marks[marks.len() - 1] - marks[0]));
    let used = ("processor s".to_owned(), processor() - used);
    (parts.chain([total, used]).collect(), locks)
}
