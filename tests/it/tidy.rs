//! The house keeps its own rules: who may use whom, twins, and nothing that nobody looks at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use hubform::{diagnostic::Code, render::EMBEDDED};

use crate::{cases, support::root};

/// Every room after those it may use; rooms of one row know each other.
const TREE: [&[&str]; 16] = [
    &["diagnostic"],
    &["service"],
    &["manifest"],
    &["catalog"],
    &["cloud"],
    &["hub"],
    &["clock", "files"],
    &["resolve"],
    &["render"],
    &["plan"],
    &["gather"],
    &["execute"],
    &["report"],
    &["aws", "sandbox"],
    &["controller"],
    &["cli"],
];

/// Rooms that may speak to the machine they run on. The ports to files and time have their real side beside them.
const WORLDLY: [&str; 7] = ["aws", "sandbox", "controller", "cli", "files", "clock", "main"];
/// What speaks to it.
const WORLD: [&str; 3] = ["std::env::", "std::fs::", "std::net::Tcp"];

/// Types that share a name on purpose, and why.
const TWINS: [(&[&str], &str); 2] = [
    (
        &["Model", "Settings", "Target"],
        "the manifest's words are the field's, and so are those of the Hub, of a run and of AWS",
    ),
    (&["Identity"], "who a stack is, and the port that says whose the credentials are"),
];

/// Files of `aws` that are no port, so that the sandbox needs none of their name.
const NO_PORTS: [(&str, &str); 6] = [
    ("mod", "the room itself"),
    ("accounts", "credentials and connections; the sandbox's are in its own mod"),
    ("convert", "SDK types into our words"),
    ("error", "SDK faults into our words"),
    ("limit", "how long an answer over HTTP may be"),
    ("profile", "where credentials come from, and how soon"),
];

/// Codes that no case shows yet, each with the reason.
const UNSHOWN: &[(&str, &str)] = &[
    ("HF2053", "it takes two runs at once; the tests beside `cli::load` make them"),
    ("HF4010", "the sandbox takes no body that cannot be read; somebody else's hand in a real account may"),
];

#[test]
fn imports_follow_the_tree() {
    let rank: BTreeMap<&str, usize> =
        TREE.iter().enumerate().flat_map(|(rank, rooms)| rooms.iter().map(move |room| (*room, rank))).collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room(&path);
        let Some(own) = rank.get(room.as_str()).copied() else {
            assert!(["lib", "main"].contains(&room.as_str()), "{} is in no room of the tree", path.display());
            continue;
        };
        for (line, used) in uses(&text) {
            let allowed = used == room || rank.get(used.as_str()).is_some_and(|rank| *rank < own);
            if rank.contains_key(used.as_str()) && !allowed {
                wrong.push(format!("{}:{line}: {room} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these imports go down the tree\n{}", wrong.join("\n"));
}

#[test]
fn rooms_are_listed_in_the_order_of_the_tree() {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("it is there");
    let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let tree = TREE.iter().flat_map(|rooms| rooms.iter()).filter(|room| listed.contains(room));
    assert_eq!(listed, tree.copied().collect::<Vec<_>>());
}

#[test]
fn only_worldly_rooms_touch_the_machine() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if WORLDLY.contains(&room(&path).as_str()) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            if WORLD.iter().any(|name| line.contains(name)) || line.contains("std::{env") || line.contains("std::{fs") {
                wrong.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these rooms are pure\n{}", wrong.join("\n"));
}

#[test]
fn only_their_own_room_names_engines() {
    let of_resolve = sources().into_iter().filter(|(path, _)| path.starts_with("src/resolve"));
    for (path, text) in of_resolve.filter(|(path, _)| !path.starts_with("src/resolve/engine")) {
        for (number, line) in code_lines(&text) {
            assert!(!line.contains("Engine::"), "{}:{number}: ask the engine's row\n{line}", path.display());
        }
    }
}

#[test]
fn every_port_has_its_twin() {
    let names = |room: &str| -> BTreeSet<String> {
        let files = sources().into_iter().map(|(path, _)| path);
        let of_room = files.filter(|path| path.parent() == Some(Path::new("src").join(room).as_path()));
        of_room.map(|path| path.file_stem().expect("it has a name").to_string_lossy().into_owned()).collect()
    };
    let (aws, sandbox) = (names("aws"), names("sandbox"));
    for (name, why) in NO_PORTS {
        assert!(aws.contains(name), "there is no src/aws/{name}.rs to be excused ({why})");
    }
    let alone: Vec<_> = aws.iter().filter(|name| !NO_PORTS.iter().any(|(no, _)| no == name)).collect();
    let alone: Vec<_> = alone.into_iter().filter(|name| !sandbox.contains(*name)).collect();
    assert!(alone.is_empty(), "without a twin in src/sandbox: {alone:?}");
}

#[test]
fn every_test_file_is_registered() {
    let mut wrong = Vec::new();
    for path in below(&root().join("tests/it"), "rs") {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let folder = path.parent().expect("it is in a folder");
        let parent = match name.as_str() {
            "main" => continue,
            "mod" => folder.parent().expect("so is the folder").join("main.rs"),
            _ if folder.ends_with("it") => folder.join("main.rs"),
            _ if folder.join("mod.rs").exists() => folder.join("mod.rs"),
            _ => folder.with_extension("rs"),
        };
        let module = if name == "mod" {
            folder.file_name().expect("it has a name").to_string_lossy().into_owned()
        } else {
            name
        };
        let text = fs::read_to_string(&parent).unwrap_or_default();
        let registered = |line: &str| {
            line.trim_end() == format!("mod {module};") || line.trim_end() == format!("pub(crate) mod {module};")
        };
        if !text.lines().any(registered) {
            wrong.push(format!("{} is not in {}", path.display(), parent.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_template_is_in_the_binary_and_used_by_a_case() {
    let folder = root().join("templates");
    let files: BTreeSet<String> = below(&folder, "tera")
        .iter()
        .map(|path| path.strip_prefix(&folder).expect("it is below").to_string_lossy().into_owned())
        .collect();
    let embedded: BTreeSet<String> = EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, embedded, "src/render/templates.rs embeds what is in templates/");
    let mut reached = kinds_in_cases();
    while let Some(more) = EMBEDDED.iter().find_map(|(name, text)| {
        let includes = |part: &&String| reached.contains(*name) && text.contains(&format!("\"{part}\""));
        files.iter().filter(|part| !reached.contains(*part)).find(includes).cloned()
    }) {
        reached.insert(more);
    }
    let idle: Vec<_> = files.difference(&reached).collect();
    assert!(idle.is_empty(), "no case renders {idle:?}");
}

/// The templates of the kinds that cases, and the examples they use, have manifests of.
fn kinds_in_cases() -> BTreeSet<String> {
    let examples = below(&root().join("stacks"), "yaml");
    let written = below(&root().join("tests/cases"), "yaml").into_iter().chain(examples);
    let texts = written.filter_map(|path| fs::read_to_string(path).ok());
    let kinds = texts.flat_map(|text| {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("kind:"));
        lines.map(|kind| format!("{}.yaml.tera", kind.trim().to_lowercase())).collect::<Vec<_>>()
    });
    kinds.collect()
}

#[test]
fn every_example_is_played_by_a_case() {
    let scripts: Vec<String> =
        cases::folders().iter().map(|case| fs::read_to_string(case.join("script.txt")).unwrap_or_default()).collect();
    let mut idle = Vec::new();
    for entry in fs::read_dir(root().join("stacks")).expect("there are examples").flatten() {
        let name = format!("stacks/{}", entry.file_name().to_string_lossy());
        let played = |script: &String| {
            script
                .split_whitespace()
                .any(|word| word.trim_end_matches('/') == name || word.starts_with(&format!("{name}/")))
        };
        if entry.path().is_dir() && !scripts.iter().any(played) {
            idle.push(name);
        }
    }
    assert!(idle.is_empty(), "no case plays {idle:?}");
}

#[test]
fn every_code_has_a_page_and_a_case() {
    let transcripts: String =
        cases::folders().iter().map(|case| fs::read_to_string(case.join("expected.txt")).unwrap_or_default()).collect();
    let excused: BTreeSet<&str> = UNSHOWN.iter().map(|(code, _)| *code).collect();
    // The first line of a finding ends with its code; that `explain` lists a code is not enough.
    let is_head = |line: &&str| ["error: ", "warning: ", "note: "].iter().any(|word| line.starts_with(word));
    let heads: BTreeSet<&str> =
        transcripts.lines().filter(is_head).filter_map(|line| line.rsplit(' ').next()).collect();
    let (mut unshown, mut shown) = (Vec::new(), Vec::new());
    for code in Code::ALL {
        let number = code.number();
        assert!(!code.page().trim().is_empty(), "src/diagnostic/pages/{number}.md says nothing");
        match (heads.contains(number), excused.contains(number)) {
            (false, false) => unshown.push(format!("{number} {}", code.title())),
            (true, true) => shown.push(number),
            _ => {}
        }
    }
    assert!(unshown.is_empty(), "no case shows\n{}", unshown.join("\n"));
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.number()).collect();
    let pages = below(&root().join("src/diagnostic/pages"), "md");
    let orphans = pages.iter().filter(|page| !known.contains(&*page.file_stem().unwrap_or_default().to_string_lossy()));
    assert_eq!(orphans.collect::<Vec<_>>(), Vec::<&PathBuf>::new(), "pages of no code");
    let stale: Vec<&&str> = excused.iter().filter(|code| !known.contains(**code)).collect();
    assert!(stale.is_empty() && shown.is_empty(), "codes that need no excuse: {stale:?} {shown:?}");
}

/// What in `resolve` may speak JSON: what users wrote as such, and the text of the lock.
const JSON: [(&str, &str); 4] = [
    ("arguments.rs", "values of the manifest's `args`"),
    ("hatch.rs", "`overrides`, `resources`, `outputs`"),
    ("view/given.rs", "`Verbatim`, which holds them on their way to the body"),
    ("lock/text.rs", "the lock as it is written"),
];

#[test]
fn no_json_crosses_from_resolve_to_render() {
    let own = |path: &Path| path.strip_prefix("src/resolve").ok().map(|path| path.to_string_lossy().into_owned());
    let speaks = |text: &str| code_lines(text).any(|(_, line)| line.contains("serde_json") || line.contains("json!"));
    let found: BTreeSet<String> =
        sources().into_iter().filter(|(_, text)| speaks(text)).filter_map(|(path, _)| own(&path)).collect();
    assert_eq!(found, JSON.iter().map(|(name, _)| (*name).to_owned()).collect());
}

/// One word for one thing: a type of the same name elsewhere is another word for another thing, but for twins.
#[test]
fn type_names_are_unique() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources() {
        for (_, line) in code_lines(&text) {
            if let Some(name) = declared(line) {
                places.entry(name).or_default().insert(file.display().to_string());
            }
        }
    }
    places.retain(|_, files| files.len() > 1);
    let twins: BTreeSet<&str> = TWINS.iter().flat_map(|(names, _)| names.iter().copied()).collect();
    let unmeant: Vec<String> = places
        .iter()
        .filter(|(name, _)| !twins.contains(name.as_str()))
        .map(|(name, files)| format!("{name}: {}", Vec::from_iter(files.iter().map(String::as_str)).join(", ")))
        .collect();
    assert!(unmeant.is_empty(), "types that share a name\n{}", unmeant.join("\n"));
    let single: Vec<&&str> = twins.iter().filter(|name| !places.contains_key(**name)).collect();
    assert!(single.is_empty(), "no twins any more: {single:?}");
}

/// The name of a type that is declared at the beginning of this line, whoever may see it.
fn declared(line: &str) -> Option<String> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.strip_prefix(' ')?,
        None => line,
    };
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
    word(rest)
}

/// A transcript that nobody reads holds nothing.
#[test]
fn every_transcript_can_be_read_at_a_sitting() {
    const LINES: usize = 300;
    let long: Vec<String> = below(&root().join("tests/cases"), "expected.txt")
        .into_iter()
        .map(|file| (fs::read_to_string(&file).expect("a transcript is readable").lines().count(), file))
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "cut these with `only` and `tail`, or tell two stories\n{}", long.join("\n"));
}

#[test]
fn nothing_prints_past_the_report() {
    let said = sources().into_iter().filter(|(path, _)| !path.starts_with("src/main.rs"));
    for (path, text) in said {
        for (number, line) in code_lines(&text) {
            let prints = ["println!(", "print!(", "eprintln!(", "eprint!(", "dbg!("];
            let found = prints.iter().any(|name| line.trim_start().starts_with(name));
            assert!(!found, "{}:{number}: {line}", path.display());
        }
    }
}

/// Every source of the library and the binary by its path, without those that hold only tests.
fn sources() -> Vec<(PathBuf, String)> {
    let all = below(&root().join("src"), "rs").into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("it is there");
        (path.strip_prefix(root()).expect("it is below").to_path_buf(), text)
    });
    let tests = |path: &Path| path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
    all.filter(|(path, _)| !tests(path)).collect()
}

fn room(path: &Path) -> String {
    let part = path.components().nth(1).expect("it is below src");
    Path::new(part.as_os_str()).file_stem().expect("it has a name").to_string_lossy().into_owned()
}

/// Lines of code before the tests in the file, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().enumerate().map(|(at, line)| (at + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The rooms a source uses: `crate::room::…` and every name in `use crate::{…}`.
fn uses(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    for (number, line) in code_lines(text) {
        for (at, _) in line.match_indices("crate::") {
            found.extend(word(&line[at + 7..]).map(|used| (number, used)));
        }
        if let Some((_, inside)) = line.split_once("use crate::{") {
            depth = 1;
            grouped(inside, number, &mut depth, &mut found);
        } else if depth > 0 {
            grouped(line, number, &mut depth, &mut found);
        }
    }
    found
}

/// Names at the first level of a group.
fn grouped(line: &str, number: usize, depth: &mut usize, found: &mut Vec<(usize, String)>) {
    let mut fresh = true;
    for (at, c) in line.char_indices() {
        match c {
            '{' => *depth += 1,
            '}' => *depth = depth.saturating_sub(1),
            ',' => fresh = true,
            c if c.is_alphabetic() && fresh && *depth == 1 => {
                found.extend(word(&line[at..]).map(|used| (number, used)));
                fresh = false;
            }
            _ => {}
        }
        if *depth == 0 {
            return;
        }
    }
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Every file with this ending below a folder, in order.
fn below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|is| is == ending) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
fn uses_are_read() {
    let text = "use crate::{\n    cloud::{Stack, Tags},\n    plan::Plan, report,\n};\nlet x = crate::render::yaml;\n";
    let found: Vec<_> = uses(text).into_iter().map(|(_, used)| used).collect();
    assert_eq!(found, ["cloud", "plan", "report", "render"]);
}
