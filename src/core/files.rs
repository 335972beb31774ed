//! Files and directories that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// An empty private file in place of whatever is there.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    private().create(true).truncate(true).write(true).open(path)
}

/// A private file that is written at its end.
pub(crate) fn append_private(path: &Path) -> io::Result<File> {
    private().create(true).append(true).open(path)
}

/// A private file that is read and written where it is; for locks.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).read(true).write(true).open(path)
}

/// A new private file to write and read; an error where there is one already.
pub(crate) fn create_new_private(path: &Path) -> io::Result<File> {
    private().create_new(true).read(true).write(true).open(path)
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

/// A private directory with the directories above it, also where one of that name was open to others.
#[cfg(unix)]
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// A directory with the directories above it: a user's profile is private on Windows.
#[cfg(not(unix))]
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}
