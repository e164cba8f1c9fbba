//! What goes wrong in great numbers: 100,000 unknown fields, 10,000 dangling references beside as many Models, and
//! 10,000 environments, in folders of their own and in one, read and told. Aim: each under 2 s and 500 MB, in proportion to its number.

#[path = "support/many.rs"]
mod many;
mod support;

use std::time::Instant;

use many::{MISTAKES, told};
use support::{Findings, peak, processor, seconds, table};

const KINDS: [(&str, usize); 4] =
    [("unknown fields", 100_000), ("dangling", 10_000), ("environments", 10_000), ("in one folder", 10_000)];
const HEADINGS: [&str; 4] = ["total s", "processor s", "findings", "peak MiB"];

fn main() {
    let case = |(kind, most): (&str, usize)| [most / 10, most].map(|size| vec![kind.to_owned(), size.to_string()]);
    let cases: Vec<_> = KINDS.into_iter().flat_map(case).collect();
    table("findings: great numbers of them", &HEADINGS, &cases, 2, measure);
}

fn measure(case: &[String]) -> Findings {
    let size: usize = case[1].parse().expect("a case has a size");
    let mistake = MISTAKES.iter().find(|mistake| mistake.name == case[0]).expect("a case has a mistake");
    let files = (mistake.files)(size);
    let (began, used) = (Instant::now(), processor());
    let (found, _) = told(files);
    assert!(found >= (mistake.findings)(size), "{case:?} has only {found} findings");
    Findings::from([
        ("total s".to_owned(), seconds(began.elapsed())),
        ("processor s".to_owned(), processor() - used),
        ("findings".to_owned(), found as f64),
        ("peak MiB".to_owned(), peak()),
    ])
}
