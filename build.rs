//! Deflates the catalog's tables into the build directory and lists them for `src/catalog/tables.rs`.
//!
//! The table of resource types is cut into one piece per service, so that a lookup decodes one piece.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

const DATA: &str = "src/catalog/data";
const RESOURCE_TYPES: &str = "resource-types.txt";

type Tables = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DATA}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut tables = Tables::new();
    read(Path::new(DATA), "", &mut tables)?;
    let types = tables.remove(RESOURCE_TYPES).ok_or("no table of resource types")?;
    let (services, names) = by_service(&types)?;
    tables.insert("resource-type-names.txt".into(), names);
    let mut list = String::new();
    embed(&out, "TABLES", &tables, &mut list)?;
    embed(&out, "SERVICES", &services, &mut list)?;
    fs::write(out.join("tables.rs"), list)?;
    Ok(())
}

fn read(folder: &Path, prefix: &str, tables: &mut Tables) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{name}/"), tables)?;
        } else {
            tables.insert(name, fs::read_to_string(entry.path())?.replace("\r\n", "\n"));
        }
    }
    Ok(())
}

fn by_service(text: &str) -> Result<(Tables, String), Box<dyn Error>> {
    let mut services = Tables::new();
    let mut names = String::new();
    let mut service = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("= ") {
            let name = name.trim_end_matches('+');
            writeln!(names, "{name}")?;
            service = name.rsplit_once("::").ok_or("a type name has parts")?.0.to_owned();
        }
        writeln!(services.entry(service.clone()).or_default(), "{line}")?;
    }
    Ok((services, names))
}

fn embed(out: &Path, list: &str, tables: &Tables, rust: &mut String) -> Result<(), Box<dyn Error>> {
    writeln!(rust, "pub(super) static {list}: &[(&str, &[u8])] = &[")?;
    for (name, text) in tables {
        let file = format!("{}.z", name.replace([':', '/'], "-"));
        fs::write(out.join(&file), deflate(text)?)?;
        writeln!(rust, "    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"))),")?;
    }
    writeln!(rust, "];")?;
    Ok(())
}

fn deflate(text: &str) -> Result<Vec<u8>, std::io::Error> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}
