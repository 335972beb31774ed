//! Private files and directories, file changes that retry while a scanner holds a new file, and positional reads and
//! writes.

use std::fs::{self, File, OpenOptions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::FileExt;
#[cfg(windows)]
use std::os::windows::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::platform::Platform;

/// Maximum time of retries: on Windows a virus scanner or an indexer often holds a new file for a moment.
const HELD_TIMEOUT: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// Windows errors caused by a held file, or by a held file in a directory: ERROR_ACCESS_DENIED,
/// ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_DIR_NOT_EMPTY, ERROR_DELETE_PENDING, ERROR_USER_MAPPED_FILE.
const HELD: [i32; 6] = [5, 32, 33, 145, 303, 1224];

/// Creates an empty private file, replacing an existing one.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    retry_while_held(|| private().create(true).truncate(true).write(true).open(path))
}

/// Opens a private file for appending. Blocks, on Windows up to a second.
pub(crate) fn append_private(path: &Path) -> io::Result<File> {
    retry_while_held(|| private().create(true).append(true).open(path))
}

/// Opens a private file for reading and writing in place; for locks.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).read(true).write(true).open(path)
}

/// Creates a new private file for writing and reading; fails if it exists.
pub(crate) fn create_new_private(path: &Path) -> io::Result<File> {
    private().create_new(true).read(true).write(true).open(path)
}

/// Moves a file to another name, replacing an existing one. Blocks, on Windows up to a second.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    retry_while_held(|| fs::rename(from, to))
}

/// Flushes the entries of a directory to the disk, so that a file that was moved into it exists after a power loss.
/// Does nothing on Windows, which has no such call, and on file systems without it.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(why) if matches!(why.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Flushes the entries of a directory to the disk, so that a file that was moved into it exists after a power loss.
/// Does nothing on Windows, which has no such call, and on file systems without it.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Fills a buffer from the file, beginning at `at`.
///
/// # Errors
/// Errors of the system, and `UnexpectedEof` if the file ends early.
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(file, buffer, at) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
            Ok(count) => (buffer, at) = (&mut buffer[count..], at + count as u64),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

/// Writes the whole content, beginning at `at`.
pub(crate) fn write_all_at(file: &File, mut content: &[u8], mut at: u64) -> io::Result<()> {
    while !content.is_empty() {
        match write_at(file, content, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => (content, at) = (&content[count..], at + count as u64),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(buffer, at)
}

#[cfg(unix)]
fn write_at(file: &File, content: &[u8], at: u64) -> io::Result<usize> {
    file.write_at(content, at)
}

#[cfg(windows)]
fn write_at(file: &File, content: &[u8], at: u64) -> io::Result<usize> {
    file.seek_write(content, at)
}

/// Removes a file; a missing one is not an error. Blocks, on Windows up to a second.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    retry_while_held(|| none_is_removed(fs::remove_file(path)))
}

/// Removes a directory with its content; a missing one is not an error. Blocks, on Windows up to a second.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    retry_while_held(|| none_is_removed(fs::remove_dir_all(path)))
}

fn none_is_removed(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    }
}

fn retry_while_held<T>(change: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    retried(Platform::CURRENT, thread::sleep, change)
}

/// Retries a change while the system reports the file as held, for about a second.
fn retried<T>(
    platform: Platform,
    mut pause: impl FnMut(Duration),
    mut change: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut waited = Duration::ZERO;
    loop {
        match change() {
            Err(why) if waited < HELD_TIMEOUT && is_held(&why, platform) => {
                pause(PAUSE);
                waited += PAUSE;
            }
            ended => return ended,
        }
    }
}

fn is_held(why: &io::Error, platform: Platform) -> bool {
    platform == Platform::Windows && why.raw_os_error().is_some_and(|code| HELD.contains(&code))
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    File::options()
}

/// Creates a private directory and its parents; makes an existing one private.
#[cfg(unix)]
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Creates a directory and its parents: a user's profile is private on Windows.
#[cfg(not(unix))]
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARING_VIOLATION: i32 = 32;

    /// Result, number of attempts and total pause for a file that is held during this number of attempts.
    fn held(platform: Platform, code: i32, attempts: u32) -> (bool, u32, Duration) {
        let (mut made, mut waited) = (0, Duration::ZERO);
        let change = || {
            made += 1;
            if made > attempts { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
        };
        let outcome = retried(platform, |pause| waited += pause, change);
        (outcome.is_ok(), made, waited)
    }

    #[test]
    fn a_held_file_is_retried_for_about_a_second_on_windows() {
        assert_eq!(held(Platform::Windows, SHARING_VIOLATION, 25), (true, 26, Duration::from_millis(500)));
        let (ended_well, _, waited) = held(Platform::Windows, SHARING_VIOLATION, u32::MAX);
        assert_eq!((ended_well, waited), (false, HELD_TIMEOUT));
        for code in HELD {
            assert!(held(Platform::Windows, code, 1).0, "{code}");
        }
    }

    #[test]
    fn other_errors_and_other_systems_are_not_retried() {
        let file_not_found = 2;
        assert_eq!(held(Platform::Windows, file_not_found, 1), (false, 1, Duration::ZERO));
        for platform in [Platform::Linux, Platform::MacOs] {
            assert_eq!(held(platform, SHARING_VIOLATION, 1), (false, 1, Duration::ZERO));
        }
    }

    #[test]
    fn removing_a_missing_file_succeeds() {
        let root = tempfile::tempdir().expect("a directory");
        let (from, to) = (root.path().join("a"), root.path().join("b"));
        for path in [&from, &to] {
            fs::write(path, path.display().to_string()).expect("a file");
        }
        rename(&from, &to).expect("renamed");
        assert_eq!(fs::read_to_string(&to).expect("read"), from.display().to_string());
        for _ in 0..2 {
            remove_file(&to).expect("removed");
            remove_directory(root.path()).expect("removed");
        }
        assert!(!root.path().exists());
    }
}
