//! The small port to files: read, list, write atomically.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Somewhere files are kept. Paths are as the user wrote them.
pub trait Files {
    /// The bytes of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The size of a file in bytes.
    fn size(&self, path: &Path) -> io::Result<u64>;
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
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name in the folder.
    pub name: String,
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
        std::fs::read(self.from.join(path))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(std::fs::metadata(self.from.join(path))?.len())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.from.join(folder))? {
            let entry = entry?;
            let folder = std::fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), folder });
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
        std::fs::canonicalize(&path).unwrap_or(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = self.from.join(path);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!(".{name}.{}.tmp", std::process::id()));
        std::fs::write(&draft, bytes)?;
        std::fs::rename(&draft, &path).inspect_err(|_| drop(std::fs::remove_file(&draft)))
    }
}

/// Every manifest file below a folder, in order: `*.yaml` and `*.yml`, without what starts with a dot.
pub fn manifests_below(files: &dyn Files, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(folder) = folders.pop() {
        if !seen.insert(files.real(&folder)) {
            continue;
        }
        let mut below = Vec::new();
        for entry in files.list(&folder)?.into_iter().filter(|entry| !entry.name.starts_with('.')) {
            let path = folder.join(&entry.name);
            let is_yaml = [".yaml", ".yml"].iter().any(|ending| entry.name.ends_with(ending));
            match entry.folder {
                true => below.push(path),
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
}
