//! The small port to files: read, list, write atomically.
//!
//! Only regular files are read, and none beyond [`LARGEST`]: a pipe, a device or a link to one is refused, and the limit
//! is kept by the reading itself. A write makes its draft anew, beside the file and through no link, and removes it
//! when anything goes wrong. What several runs write is changed under a lock (`change`).

mod change;

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

pub(crate) use change::sweep;

/// The most bytes a file may have.
pub const LARGEST: u64 = 8 << 20;
/// Folders that may be in each other.
const DEEPEST: usize = 64;

/// Somewhere files are kept. Paths are as the user wrote them.
pub trait Files {
    /// The bytes of a regular file.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what is no regular file, `FileTooLarge` above [`LARGEST`], and those of reading.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The entries of a folder by name, in order.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;
    /// Is there a file or folder?
    fn exists(&self, path: &Path) -> bool;
    /// Is there a folder?
    fn is_folder(&self, path: &Path) -> bool;
    /// What a path leads to, links followed; the path itself where that cannot be told.
    fn real(&self, path: &Path) -> PathBuf;
    /// Replaces or makes a file, folders included: afterwards it holds the old bytes or the new ones, never a part.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Replaces a file by what `change` makes of its bytes, unless that is nothing; no other change of this file, by this
    /// process or another, comes in between. A file that is not there has no bytes.
    fn change(&self, path: &Path, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> io::Result<()>;
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name in the folder.
    pub name: OsString,
    /// A folder of its own.
    pub folder: bool,
}

/// The files of this machine, seen from a folder.
#[derive(Debug, Clone)]
pub struct Disk {
    /// What relative paths start from.
    pub from: PathBuf,
}

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read(&self.from.join(path))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.from.join(folder))? {
            let entry = entry?;
            let folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            entries.push(Entry { name: entry.file_name(), folder });
        }
        entries.sort();
        Ok(entries)
    }

    fn exists(&self, path: &Path) -> bool {
        self.from.join(path).exists()
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.from.join(path).is_dir()
    }

    fn real(&self, path: &Path) -> PathBuf {
        let path = self.from.join(path);
        fs::canonicalize(&path).unwrap_or(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.from.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        replace(&path, bytes, permissions(&path))
    }

    fn change(&self, path: &Path, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> io::Result<()> {
        change::change(&self.from.join(path), change)
    }
}

/// Who may read and write a file that is there.
fn permissions(path: &Path) -> Option<fs::Permissions> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.permissions())
}

/// The bytes of a regular file, up to [`LARGEST`].
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened, too: to open a pipe waits for somebody who writes to it.
    regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    regular(&file.metadata()?)?;
    contents(&file)
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

fn contents(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", LARGEST >> 20))),
        false => Ok(bytes),
    }
}

/// Puts a draft in the place of a file; afterwards that holds the old bytes or the new ones.
///
/// # Errors
///
/// Those of writing; no draft is left then.
pub(crate) fn replace(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let (draft, mut file) = draft(path)?;
    let allowed = permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions));
    let written = allowed.and_then(|()| file.write_all(bytes));
    drop(file);
    written.and_then(|()| fs::rename(&draft, path)).inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// A file that was not there before, beside the one it is to replace.
fn draft(path: &Path) -> io::Result<(PathBuf, File)> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut tries = 0..100;
    loop {
        let number = tries.next().ok_or(io::ErrorKind::AlreadyExists)?;
        let draft = folder.join(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match File::options().write(true).create_new(true).open(&draft) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return Ok((draft, opened?)),
        }
    }
}

/// Is this a name that [`draft`] gives what is to replace a file of that name?
fn is_draft(name: &OsStr, of: &OsStr) -> bool {
    let rest = name.as_encoded_bytes().strip_prefix(b".").and_then(|rest| rest.strip_prefix(of.as_encoded_bytes()));
    let middle = rest.and_then(|rest| rest.strip_prefix(b".")?.strip_suffix(b".tmp"));
    middle.is_some_and(|middle| middle.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-'))
}

/// What only its owner may read and write.
#[cfg(unix)]
pub(crate) fn owner_only() -> Option<fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

/// What only its owner may read and write.
#[cfg(not(unix))]
pub(crate) fn owner_only() -> Option<fs::Permissions> {
    None
}

/// Every manifest file below a folder, in order: `*.yaml` and `*.yml`, without what starts with a dot.
pub fn manifests_below(files: &dyn Files, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), 0)];
    let mut seen = std::collections::BTreeSet::new();
    while let Some((folder, depth)) = folders.pop() {
        if depth > DEEPEST {
            let message = format!("`{}` is more than {DEEPEST} folders deep", folder.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if !seen.insert(files.real(&folder)) {
            continue;
        }
        let mut below = Vec::new();
        for entry in files.list(&folder)? {
            let name = entry.name.as_encoded_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let path = folder.join(&entry.name);
            let is_yaml = [".yaml", ".yml"].iter().any(|ending| name.ends_with(ending.as_bytes()));
            match entry.folder {
                true => below.push((path, depth + 1)),
                false if is_yaml => found.push(path),
                false => {}
            }
        }
        folders.extend(below.into_iter().rev());
    }
    Ok(found)
}

/// Paths by what they lead to, `a/../b` and `./b` being the same.
pub fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, out.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                out.pop();
            }
            (part, _) => out.push(part),
        }
    }
    out.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_whole_and_leaves_nothing_else() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let disk = Disk { from: folder.path().into() };
        disk.write(Path::new("a/b.yaml"), b"one")?;
        disk.write(Path::new("a/b.yaml"), b"two")?;
        disk.write(Path::new("a/.hidden/c.yaml"), b"")?;
        disk.write(Path::new("a/readme.md"), b"")?;
        assert_eq!(disk.read(Path::new("a/b.yaml"))?, b"two");
        assert_eq!(disk.list(Path::new("a"))?.len(), 3);
        assert_eq!(manifests_below(&disk, Path::new("."))?, [PathBuf::from("./a/b.yaml")]);
        assert_eq!(normal(Path::new("./a/../b/./c")), PathBuf::from("b/c"));
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn a_write_goes_through_no_link_and_keeps_who_may_read() -> io::Result<()> {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir()?;
        let disk = Disk { from: folder.path().into() };
        let at = |name: &str| folder.path().join(name);
        fs::write(at("victim"), "keep")?;
        fs::write(at("a"), "old")?;
        fs::set_permissions(at("a"), PermissionsExt::from_mode(0o600))?;
        for number in 0..3 {
            symlink(at("victim"), at(&format!(".a.{}-{number}.tmp", std::process::id())))?;
        }
        disk.write(Path::new("a"), b"new")?;
        assert_eq!((fs::read(at("a"))?, fs::read(at("victim"))?), (b"new".to_vec(), b"keep".to_vec()));
        assert_eq!(fs::symlink_metadata(at("a"))?.permissions().mode() & 0o777, 0o600);
        symlink(at("victim"), at("link"))?;
        disk.write(Path::new("link"), b"new")?;
        assert_eq!(fs::read(at("victim"))?, b"keep");
        let refused = disk.write(Path::new("a/below"), b"");
        assert!(refused.is_err() && disk.list(Path::new("."))?.len() == 6, "nothing is left of what failed");
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_read_and_none_without_end() -> io::Result<()> {
        use std::os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener};
        let folder = tempfile::tempdir()?;
        let disk = Disk { from: folder.path().into() };
        let at = |name: &str| folder.path().join(name);
        symlink("/dev/zero", at("zero.yaml"))?;
        std::process::Command::new("mkfifo").arg(at("pipe.yaml")).status()?;
        let _socket = UnixListener::bind(at("socket.yaml"))?;
        fs::create_dir(at("folder.yaml"))?;
        for name in ["zero.yaml", "pipe.yaml", "socket.yaml", "folder.yaml"] {
            let refused = disk.read(Path::new(name)).expect_err(name);
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{name}: {refused}");
        }
        File::create(at("large.yaml"))?.set_len(LARGEST + 1)?;
        assert_eq!(disk.read(Path::new("large.yaml")).expect_err("large").kind(), io::ErrorKind::FileTooLarge);
        let odd = std::ffi::OsStr::from_bytes(b"gr\xf6sse.yaml");
        fs::write(at("x").with_file_name(odd), "odd")?;
        let found = manifests_below(&disk, Path::new("."))?;
        let path = found.iter().find(|path| path.file_name() == Some(odd)).expect("it is listed");
        assert_eq!(disk.read(path)?, b"odd");
        Ok(())
    }

    #[test]
    fn folders_that_have_no_end_are_left() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let disk = Disk { from: folder.path().into() };
        let deep: PathBuf = std::iter::repeat_n("d", DEEPEST + 2).collect();
        disk.write(&deep.join("a.yaml"), b"")?;
        assert!(manifests_below(&disk, Path::new(".")).expect_err("too deep").to_string().contains("64 folders deep"));
        Ok(())
    }
}
