//! A file that others change too: read, changed and replaced while nobody else does.
//!
//! The lock is on the file itself, which is made where it is missing, so that nothing stands beside it to be left over,
//! ignored or committed. A write replaces the file, and a lock on what was replaced holds nobody: whoever gets one looks
//! whether the path still leads there, and else begins again. Through a link, the file that it leads to is changed.
//! Where the file system has no locks, as some network ones, it helps that the file is read anew right before.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{contents, is_draft, permissions, regular, replace};

/// How long another one may hold the file, and how often is asked.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(3);

/// See [`super::Files::change`].
pub(super) fn change(path: &Path, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (file, locked) = hold(path)?;
    if locked {
        sweep(path);
    }
    let changed = contents(&file).and_then(|bytes| match change(&bytes) {
        Some(bytes) => replace(path, &bytes, permissions(path)),
        None => Ok(()),
    });
    // What was made to be locked, and not filled, goes.
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) {
        fs::remove_file(path)?;
    }
    changed
}

/// The file with nobody else in it; whether the file system could lock it.
fn hold(path: &Path) -> io::Result<(File, bool)> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(file) = open(path)? {
            match file.try_lock() {
                Ok(()) if leads_to(path, &file) => return Ok((file, true)),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => return Ok((file, false)),
            }
        }
        if Instant::now() >= until {
            let message = format!("others have been changing it for {} s", PATIENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        thread::sleep(BETWEEN);
    }
}

/// The file, made where it is missing; nothing where it came or went meanwhile.
fn open(path: &Path) -> io::Result<Option<File>> {
    use io::ErrorKind::{AlreadyExists, NotFound, PermissionDenied};
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return match File::options().read(true).write(true).create_new(true).open(path) {
            Err(error) if error.kind() == AlreadyExists => Ok(None),
            opened => opened.map(Some),
        };
    };
    regular(&metadata)?;
    // Locks over a network may need a file that is open for writing; a file that is only to be read can be replaced.
    let opened = File::options().read(true).write(true).open(path);
    match opened.or_else(|error| if error.kind() == PermissionDenied { File::open(path) } else { Err(error) }) {
        Err(error) if error.kind() == NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// Is this open file still what stands there?
#[cfg(unix)]
fn leads_to(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((fs::metadata(path).map(id), file.metadata().map(id)), (Ok(there), Ok(held)) if there == held)
}

/// Is this open file still what stands there? By its length and times, where there are no numbers of files.
#[cfg(not(unix))]
fn leads_to(path: &Path, file: &File) -> bool {
    let id = |metadata: fs::Metadata| (metadata.len(), metadata.modified().ok(), metadata.created().ok());
    matches!((fs::metadata(path).map(id), file.metadata().map(id)), (Ok(there), Ok(held)) if there == held)
}

/// Removes drafts of a file that processes left which were killed: whoever calls this holds the file.
pub(crate) fn sweep(path: &Path) {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_draft(&entry.file_name(), name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Disk, Files},
        *,
    };

    fn add(disk: &Disk, name: &str, line: &str) {
        let append = |bytes: &[u8]| Some([bytes, line.as_bytes(), b"\n"].concat());
        disk.change(Path::new(name), &mut { append }).expect("it can be changed");
    }

    #[test]
    fn twenty_at_once_lose_nothing_and_leave_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let disk = Disk { from: folder.path().into() };
        thread::scope(|scope| {
            for worker in 0..20 {
                let disk = &disk;
                scope.spawn(move || (0..3).for_each(|line| add(disk, "new/shared", &format!("{worker} {line}"))));
            }
        });
        let text = fs::read_to_string(folder.path().join("new/shared")).expect("it is there");
        assert_eq!(text.lines().collect::<std::collections::BTreeSet<_>>().len(), 60);
        assert_eq!(disk.list(Path::new("new")).map(|entries| entries.len()).ok(), Some(1));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_who_may_read_stays() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder can be made");
        let disk = Disk { from: folder.path().into() };
        let at = |name: &str| folder.path().join(name);
        add(&disk, "shared/real", "one");
        fs::set_permissions(at("shared/real"), PermissionsExt::from_mode(0o400)).expect("they can be set");
        symlink(at("shared/real"), at("link")).expect("a link can be made");
        add(&disk, "link", "two");
        assert_eq!(fs::read_to_string(at("shared/real")).expect("it is there"), "one\ntwo\n");
        assert!(fs::symlink_metadata(at("link")).is_ok_and(|link| link.is_symlink()));
        assert_eq!(fs::metadata(at("link")).map(|link| link.permissions().mode() & 0o777).ok(), Some(0o400));
        symlink(at("nowhere"), at("lost")).expect("a link can be made");
        let refused = disk.change(Path::new("lost"), &mut |_| Some(b"new".to_vec()));
        assert!(refused.is_err() && !at("nowhere").exists(), "nothing is made through a link");
    }

    #[test]
    fn what_is_not_filled_is_not_made_and_drafts_of_the_dead_go() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let disk = Disk { from: folder.path().into() };
        let names = ["a.1-0.tmp", ".a.12-3.tmp", ".a.b-0.tmp", ".ab.1-0.tmp"];
        for name in names {
            disk.write(Path::new(name), b"left").expect("it can be written");
        }
        disk.change(Path::new("a"), &mut |bytes| bytes.is_empty().then_some(Vec::new())).expect("it can be");
        disk.change(Path::new("a"), &mut |_| None).expect("it can be left");
        let left: Vec<_> = disk.list(Path::new(".")).expect("it is a folder").into_iter().map(|e| e.name).collect();
        assert_eq!(left, [".a.b-0.tmp", ".ab.1-0.tmp", "a.1-0.tmp"]);
    }
}
