//! `hubform init`: a first environment, its lock with the owner, and a first endpoint, ready to be planned.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Exit, Host, Refusal, args, context, locks, sources, told};
use crate::{
    catalog::Catalog,
    diagnostic::{Diagnostics, SourceMap, secret, shown},
    files::{Disk, Files, normal},
    manifest::{API_VERSION, EnvironmentSet, LONGEST_PREFIX, emit, protecting},
    report,
};

pub(super) fn run(host: &mut Host, args: &args::InitArgs) -> Result<Exit> {
    let files = Disk { from: host.folder.clone() };
    let name = args.name.clone().unwrap_or_else(|| slug(&args.model, "model"));
    refuse_what_cannot_be(&name, &args.model)?;
    let called = Called::after(&files, &args.folder);
    let is_new = !files.exists(&args.folder.join("environment.yaml"));
    let texts = [("environment.yaml", environment(&called)), (&format!("{name}.yaml"), endpoint(&name, &args.model))];
    let manifest = args.folder.join(texts[1].0);
    if files.exists(&manifest) {
        let message = format!("`{}` already exists", manifest.display());
        anyhow::bail!(Refusal::new(message, "choose another folder or `--name`"));
    }
    if !lock_is_usable(host, &files, &args.folder)? {
        return Ok(Exit::Refused);
    }
    for (file, text) in &texts {
        let path = args.folder.join(file);
        if files.exists(&path) {
            writeln!(host.output, "kept {}", told(&path))?;
            continue;
        }
        files.write(&path, text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
        writeln!(host.output, "wrote {}", told(&path))?;
    }
    if !write_owner(host, &files, &args.folder)? {
        return Ok(Exit::Refused);
    }
    let protecting = protecting(&called.name).filter(|_| is_new);
    if is_new {
        called.announce(host, protecting)?;
    }
    let folder = match args.folder.to_string_lossy() {
        here if here == "." => String::new(),
        plain if plain.chars().all(|c| c.is_alphanumeric() || "_-./~".contains(c)) => format!(" {plain}"),
        odd => format!(" '{}'", odd.replace('\'', r"'\''")),
    };
    let folder = if folder.starts_with(" -") { format!(" ./{}", &folder[1..]) } else { folder };
    let folder = shown(&folder);
    let first = if protecting.is_some() { format!("hubform lock{folder} && ") } else { String::new() };
    writeln!(host.output, "next: {first}hubform plan{folder} --sandbox")?;
    Ok(Exit::Done)
}

/// What the environment of a folder is called, and what its stacks begin with.
struct Called {
    folder: String,
    name: String,
    prefix: String,
}

impl Called {
    /// The environment is called as its folder really is; `.` is a folder too.
    fn after(files: &dyn Files, folder: &Path) -> Self {
        let real = match files.exists(folder) {
            true => files.real(folder),
            false => folder.to_path_buf(),
        };
        Self::of(&real.file_name().unwrap_or_default().to_string_lossy())
    }

    fn of(folder: &str) -> Self {
        let name = slug(folder, "dev");
        let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        let prefix: String = name.chars().take(LONGEST_PREFIX).collect();
        Self { folder: folder.to_owned(), prefix: prefix.trim_end_matches('-').to_owned(), name }
    }

    /// Says what nobody would guess from the folder.
    fn announce(&self, host: &mut Host, protecting: Option<&str>) -> Result<()> {
        let Self { folder, name, prefix } = self;
        let cut = if prefix == name { String::new() } else { format!("; its stacks begin with `{prefix}-`") };
        if name != folder {
            writeln!(
                host.output,
                "the environment is named `{name}`, after the folder `{}`{cut}",
                told(Path::new(folder))
            )?;
        } else if !cut.is_empty() {
            writeln!(host.output, "the environment is named `{name}`{cut}")?;
        }
        if let Some(start) = protecting {
            let words = "set `protect: false` in environment.yaml if it should not be";
            writeln!(host.output, "`{name}` begins with `{start}`, so it is protected; {words}")?;
        }
        Ok(())
    }
}

/// Can the lock that is there be used? Nothing is written where it cannot, and what is wrong is told.
fn lock_is_usable(host: &mut Host, files: &dyn Files, folder: &Path) -> Result<bool> {
    let path = folder.join("hubform.lock");
    if !files.exists(&path) {
        return Ok(true);
    }
    let bytes = files.read(&path).with_context(|| format!("cannot read `{}`", told(&path)))?;
    let mut sources = SourceMap::default();
    match locks::parse(&path, &bytes, &mut sources) {
        Ok(_) => Ok(true),
        Err(found) => tell_unusable(host, &found, &sources),
    }
}

fn tell_unusable(host: &mut Host, found: &Diagnostics, sources: &SourceMap) -> Result<bool> {
    let text = report::diagnostics::human(found, sources, &context(host, None));
    host.errors.write_all(text.as_bytes())?;
    Ok(false)
}

/// Writes the lock with an owner for the folder's environment, unless it has one. False where the lock cannot be used.
fn write_owner(host: &mut Host, files: &dyn Files, folder: &Path) -> Result<bool> {
    let read = sources::read(files, &mut std::io::empty(), &[folder.to_path_buf()], None)?;
    let path = folder.join("hubform.lock");
    let own = |set: &&EnvironmentSet| set.environment.origin.is_some() && set.environment.folder == normal(folder);
    for name in read.sets.iter().filter(own).map(|set| &set.environment.name) {
        let (mut sources, id) = (SourceMap::default(), host.new_id());
        let mut made = Ok(false);
        let written = files.change(&path, &mut |bytes| {
            let lock = locks::parse(&path, bytes, &mut sources);
            made = lock.as_ref().map(|lock| lock.owner(name).is_none()).map_err(Clone::clone);
            let mut lock = lock.ok().filter(|lock| lock.owner(name).is_none())?;
            lock.claim([name]);
            lock.set_owner(name, id.clone());
            Some(lock.text().into_bytes())
        });
        written.with_context(|| format!("cannot write `{}`", path.display()))?;
        match made {
            Ok(true) => writeln!(host.output, "wrote {}; commit it: it says who owns the stacks", told(&path))?,
            Ok(false) => {}
            Err(found) => return tell_unusable(host, &found, &sources),
        }
    }
    Ok(true)
}

fn refuse_what_cannot_be(name: &str, model: &str) -> Result<()> {
    let close = slug(name, "model");
    if close != name {
        let help = format!("a name has at most 40 lower-case letters, digits and `-`; try `--name {close}`");
        anyhow::bail!(Refusal::new(format!("`{name}` is not a valid name"), help));
    }
    if let Some((_, secret)) = secret::find(model).first() {
        let help = "the model id is written to a file; if this is a token, revoke it";
        anyhow::bail!(Refusal::new(format!("`--model` holds {}", secret.describe()), help));
    }
    let is_plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !model.split_once('/').is_some_and(|(organisation, name)| is_plain(organisation) && is_plain(name)) {
        let known = Catalog::embedded().models_named(model);
        let help = match known.first() {
            Some(id) => format!("did you mean `{id}`?"),
            None => "ids begin with the organisation, as in `BAAI/bge-small-en-v1.5`".to_owned(),
        };
        anyhow::bail!(Refusal::new(format!("`{model}` is not a Hugging Face Hub id"), help));
    }
    Ok(())
}

fn environment(Called { name, prefix, .. }: &Called) -> String {
    let mut spec = json!({ "targets": [{ "region": "us-east-1" }] });
    if prefix != name {
        spec["prefix"] = prefix.as_str().into();
    }
    format!("# Where everything in this folder goes.\n{}", manifest("Environment", name, &spec))
}

fn endpoint(name: &str, model: &str) -> String {
    manifest("Endpoint", name, &json!({ "model": model }))
}

fn manifest(kind: &str, name: &str, spec: &Value) -> String {
    let tree = json!({ "apiVersion": API_VERSION, "kind": kind, "metadata": { "name": name }, "spec": spec });
    emit::yaml(&tree, &|_, _| 0)
}

/// A name that manifests may have, made from any text; `lead` stands in front of what begins with a digit.
fn slug(text: &str, lead: &str) -> String {
    let last = text.rsplit('/').next().unwrap_or(text).to_lowercase();
    let plain: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let whole = match plain.chars().next() {
        None => lead.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{lead}-{plain}"),
        Some(_) => plain.to_owned(),
    };
    let cut: String = whole.chars().take(40).collect();
    cut.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::Disk;

    #[test]
    fn an_environment_is_called_as_its_folder_really_is() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let own = folder.path().join("Team_Search.v2");
        std::fs::create_dir_all(own.join("deep")).expect("a folder can be made");
        let files = Disk { from: own.clone() };
        for path in [".", "deep/..", "./deep/../", own.to_str().expect("it is text")] {
            assert_eq!(Called::after(&files, Path::new(path)).name, "team-search-v2", "{path}");
        }
        let called = |folder| Called::after(&files, Path::new(folder)).name;
        assert_eq!((called("new/"), called("/")), ("new".into(), "dev".into()));
        assert_eq!(
            (called("2024"), called("3d-models"), called("日本")),
            ("dev-2024".into(), "dev-3d-models".into(), "dev".into())
        );
    }

    #[test]
    fn a_name_that_yaml_would_misread_is_quoted() {
        expect_test::expect![[r#"
            apiVersion: hubform.dev/v1
            kind: Endpoint
            metadata:
              name: 'on'
            spec:
              model: a/b
        "#]]
        .assert_eq(&endpoint("on", "a/b"));
        expect_test::expect![[r#"
            # Where everything in this folder goes.
            apiVersion: hubform.dev/v1
            kind: Environment
            metadata:
              name: team-search-staging
            spec:
              prefix: team-search
              targets:
              - region: us-east-1
        "#]]
        .assert_eq(&environment(&Called::of("team-search-staging")));
    }

    #[test]
    fn names_come_from_anything() {
        assert_eq!(slug("BAAI/bge-small-en-v1.5", "model"), "bge-small-en-v1-5");
        assert_eq!(slug("org/7B", "model"), "model-7b");
        assert_eq!(slug("…", "model"), "model");
    }
}
