//! What `render` prints is what is sent, to a reader of YAML 1.1 that is not ours: PyYAML, which comes with cfn-lint.

use std::io::Write;

use fastrand::Rng;
use hubform::render::yaml;
use serde_json::{Value, json};

use crate::support::peers::environment;

const SCRIPT: &str = "
import json, sys, yaml
pairs = json.load(open(sys.argv[1]))
for written, text in pairs:
    try:
        read = yaml.safe_load(text)
    except Exception as error:
        read = str(error)
    if read != written:
        print(json.dumps(written), 'was written as', text, 'and read as', repr(read))
        sys.exit(1)
print(len(pairs))
";

const PIECES: [&str; 62] = [
    "a", "0", "1", "9", "59", "2010", "-09", "-09", "_", ".", ":", ":30", ": ", " #", " ", "\t", "\n", "\r", "'", "\"",
    "\\", "-", "- ", "? ", "+", "e", "E+", "0x", "0o", "0b", "f", ".inf", ".nan", "yes", "No", "on", "y", "null", "~",
    "=", "<<", "---", "...", "&", "*", "!", "|", ">", "%", "@", "[", "{", "\u{0}", "\u{1b}", "\u{7f}", "\u{85}",
    "\u{a0}", "\u{2028}", "\u{e000}", "\u{feff}", "\u{ffff}", "🦀",
];

#[test]
fn pyyaml_reads_what_is_sent() {
    let mut rng = Rng::with_seed(17);
    let pairs: Vec<_> = (0..4_000)
        .map(|_| {
            let body = json!({ "Resources": tree(&mut rng, 0), text(&mut rng): text(&mut rng) });
            let text = yaml(&body.to_string());
            (body, text)
        })
        .collect();
    pyyaml_agrees(&pairs);
}

/// Does PyYAML read each text as the body it was written for? Nothing is asked where peers are skipped.
pub(crate) fn pyyaml_agrees(pairs: &[(Value, String)]) {
    let Some(environment) = environment("cfn-lint") else { return };
    let mut file = tempfile::NamedTempFile::new().expect("a file can be made");
    file.write_all(json!(pairs).to_string().as_bytes()).expect("a file can be written");
    let output = environment.python().args(["-c", SCRIPT]).arg(file.path()).output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), pairs.len().to_string(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn tree(rng: &mut Rng, depth: u32) -> Value {
    match rng.u32(..if depth > 3 { 6 } else { 10 }) {
        0 => json!([null, rng.bool(), rng.i32(..), rng.f64() * 10f64.powi(rng.i32(-30..30))]),
        1..=5 => text(rng).into(),
        6 | 7 => (0..rng.usize(..4)).map(|_| tree(rng, depth + 1)).collect(),
        _ => Value::Object((0..rng.usize(..4)).map(|_| (text(rng), tree(rng, depth + 1))).collect()),
    }
}

fn text(rng: &mut Rng) -> String {
    let length = if rng.u8(..50) == 0 { 600 } else { 7 };
    (0..rng.usize(..length)).map(|_| PIECES[rng.usize(..PIECES.len())]).collect()
}
