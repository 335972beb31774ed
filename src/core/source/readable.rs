//! Readability of the files of the source: an unreadable one would otherwise fail in the middle of the upload.
//!
//! Opening a file is the only test that works everywhere. On the local file systems of Linux the permissions decide,
//! and querying them takes half the time, which matters for 100,000 small files.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::model::{BlobPath, SourceFile};

/// Reads the state of a file by opening it.
pub(super) fn stat_by_opening(local: &Path, path: BlobPath) -> io::Result<SourceFile> {
    stat_of_metadata(path, &File::open(local)?.metadata()?)
}

/// State of a file with known metadata.
pub(crate) fn stat_of_metadata(path: BlobPath, metadata: &Metadata) -> io::Result<SourceFile> {
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(SourceFile { path, bytes: metadata.len(), modified: nanoseconds(modified) })
}

fn nanoseconds(since: Duration) -> u64 {
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads the state of readable files, one directory after another.
#[derive(Default)]
pub(super) struct ReadPermissions {
    #[cfg(target_os = "linux")]
    directory: Option<permissions::Directory>,
}

impl ReadPermissions {
    /// Reads the state of a readable file.
    #[cfg(target_os = "linux")]
    pub(super) fn stat(&mut self, local: &Path, path: BlobPath) -> io::Result<SourceFile> {
        match permissions::stat(&mut self.directory, local) {
            Some((bytes, modified)) => Ok(SourceFile { path, bytes, modified: nanoseconds(modified) }),
            None => stat_by_opening(local, path),
        }
    }

    /// Reads the state of a readable file.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "on Linux it keeps a directory")]
    pub(super) fn stat(&mut self, local: &Path, path: BlobPath) -> io::Result<SourceFile> {
        stat_by_opening(local, path)
    }
}

#[cfg(target_os = "linux")]
mod permissions {
    use std::ffi::OsStr;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::time::Duration;

    use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, fstat, fstatfs, openat, statat};
    use rustix::process::geteuid;

    /// Local file systems by their magic numbers in statfs(2): ext4, XFS, Btrfs, tmpfs, overlayfs. Elsewhere the server
    /// decides.
    const LOCAL: [u64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630];

    /// Open directory, so that its path is not resolved again for each file.
    pub(super) struct Directory {
        path: Box<OsStr>,
        open: OwnedFd,
        device: u64,
        is_local: bool,
        user: u32,
    }

    impl Directory {
        fn open(path: &OsStr) -> rustix::io::Result<Self> {
            let open = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let is_local = u64::try_from(fstatfs(&open)?.f_type).is_ok_and(|number| LOCAL.contains(&number));
            Ok(Self { path: path.into(), device: fstat(&open)?.st_dev, open, is_local, user: geteuid().as_raw() })
        }
    }

    /// Size and modification time of a file that is readable according to its permissions; `None` if only opening it
    /// decides.
    pub(super) fn stat(last: &mut Option<Directory>, local: &Path) -> Option<(u64, Duration)> {
        let local = local.as_os_str().as_bytes();
        let slash = memchr::memrchr(b'/', local).filter(|slash| *slash > 0)?;
        let (path, name) = (OsStr::from_bytes(&local[..slash]), OsStr::from_bytes(&local[slash + 1..]));
        if last.as_ref().is_none_or(|last| &*last.path != path) {
            *last = Directory::open(path).ok();
        }
        let directory = last.as_ref().filter(|directory| directory.is_local)?;
        let found = statat(&directory.open, name, AtFlags::empty()).ok()?;
        // A link may lead to any file system.
        if found.st_dev != directory.device {
            return None;
        }
        // For the user's own file the mode decides; an access list cannot override it for an owner.
        let is_readable = found.st_uid == directory.user && Mode::from_raw_mode(found.st_mode).contains(Mode::RUSR);
        if !is_readable {
            accessat(&directory.open, name, Access::READ_OK, AtFlags::EACCESS).ok()?;
        }
        let seconds = u64::try_from(found.st_mtime).ok()?;
        Some((u64::try_from(found.st_size).ok()?, Duration::new(seconds, u32::try_from(found.st_mtime_nsec).ok()?)))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn permissions_and_opening_report_the_same_file_state() {
        let root = tempfile::tempdir().expect("a directory");
        let file = |path: &str, modified: SystemTime| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(&path, "12345").expect("a file");
            File::options().write(true).open(&path).and_then(|file| file.set_modified(modified)).expect("a time");
            path
        };
        let (new, old) = (UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789), UNIX_EPOCH - Duration::from_secs(9));
        let (near, far) = (root.path().join("b/near"), root.path().join("b/far"));
        let paths = [file("a/new", new), file("b/new", new), file("b/old", old), near.clone(), far.clone()];
        symlink("../a/new", near).expect("a link");
        symlink("/proc/version", far).expect("a link to another file system");
        let mut readable = ReadPermissions::default();
        for path in paths {
            let found = readable.stat(&path, "x".into()).expect("a file");
            assert_eq!(found, stat_by_opening(&path, "x".into()).expect("a file"), "{}", path.display());
        }
        let missing = readable.stat(&root.path().join("b/missing"), "x".into()).expect_err("no file");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
