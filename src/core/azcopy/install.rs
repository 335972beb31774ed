//! Installation of AzCopy: download, check, unpack, verify, rename into place.
//!
//! The work happens under a lock, in temporary files next to the final path, so that another process finds either no
//! program or a complete one. The next run removes the temporary files of a killed run.

mod error;
mod fetch;
mod source;
mod unpack;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::{ArchiveFlaw, InstallError};
pub use source::DownloadSource;

use self::fetch::FetchedArchive;
use self::unpack::{UnpackError, unpack};
use super::locate::{AzCopyCandidate, AzCopyOrigin, FILE_NAME, locate};
use super::program::AzCopy;
use crate::env::{Env, Timings};
use crate::files::{create_new_private, open_private, remove_file, rename};
use crate::http::HttpClient;
use crate::model::Reporter;

/// Maximum size of an archive in bytes, packed and unpacked.
const MAX_BYTES: u64 = 500 << 20;
/// Interval between attempts to get a lock that another process holds.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Name of the archive during the download.
const ARCHIVE: &str = ".azcopy-download";
/// Name of the program before it is verified. Windows does not run programs without this extension.
const NEW: &str = if cfg!(windows) { ".azcopy-new.exe" } else { ".azcopy-new" };
/// Name of the file with the archive's checksum, next to the program.
const SHA256: &str = "azcopy.sha256";
const NEW_SHA256: &str = ".azcopy-new.sha256";

/// Event of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallEvent {
    /// Another process is installing it.
    Waiting,
    /// The download has started.
    Downloading,
    /// Progress of the download.
    Progress {
        /// Received bytes.
        bytes: u64,
        /// Total size of the archive, if the server reports it.
        total: Option<u64>,
    },
}

/// Result of an installation.
#[derive(Debug)]
pub struct Installed {
    /// The installed program.
    pub azcopy: AzCopy,
    /// SHA-256 of the archive; `None` if another process installed it in the meantime.
    pub sha256: Option<String>,
}

/// Dependencies of an installation.
pub struct Installer<'a> {
    /// Environment of the process.
    pub env: &'a Env,
    /// HTTP client for the download.
    pub http: &'a HttpClient,
    /// Limits.
    pub timings: &'a Timings,
    /// Receives reports.
    pub report: &'a Reporter,
}

impl Installer<'_> {
    /// Installs AzCopy into azd's `bin` directory. May be dropped at any time without leaving files behind.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub async fn run(
        &self,
        source: &DownloadSource,
        on: &mut dyn FnMut(InstallEvent),
    ) -> Result<Installed, InstallError> {
        let config = self.env.azd_config_dir().ok_or(InstallError::NoHome)?;
        let bin = config.join("bin");
        // Not in `bin`: lock files are never removed, and `bin` should not contain anything else.
        let _lock = lock(&config.join("ai-models"), on).await?;
        if let Ok(candidate) = locate(self.env, None) {
            let azcopy = self.verify(candidate).await?;
            return Ok(Installed { azcopy, sha256: None });
        }
        make_directory(&bin).map_err(InstallError::io(&bin))?;
        on(InstallEvent::Downloading);
        let (archive_path, mut archive) = TemporaryFile::create(bin.join(ARCHIVE), 0o600)?;
        let fetched = fetch::fetch(self.http, source, MAX_BYTES, (&mut archive, &archive_path.0), on).await?;
        let new = program(&mut archive, bin.join(NEW)).await?;
        let azcopy =
            self.verify(AzCopyCandidate { path: new.0.clone(), origin: AzCopyOrigin::Directory(bin.clone()) }).await?;
        let azcopy = install_program(azcopy, new, &fetched, &bin)?;
        Ok(Installed { azcopy, sha256: Some(fetched.sha256) })
    }

    async fn verify(&self, candidate: AzCopyCandidate) -> Result<AzCopy, InstallError> {
        AzCopy::verify(candidate, self.env, self.timings, self.report).await.map_err(InstallError::Unusable)
    }
}

/// Extracts the program from the archive, ready to run, into a temporary file that is closed.
async fn program(archive: &mut File, path: PathBuf) -> Result<TemporaryFile, InstallError> {
    let (new, mut file) = TemporaryFile::create(path, 0o755)?;
    let unpacked = unpack(archive, FILE_NAME, MAX_BYTES, &mut file).await.map_err(|why| match why {
        UnpackError::Flaw(flaw) => InstallError::Archive(flaw),
        UnpackError::Write(why) => InstallError::Io { path: new.0.clone(), why },
    });
    unpacked?;
    file.sync_all().map_err(InstallError::io(&new.0))?;
    // Systems refuse to run a program that is open for writing.
    drop(file);
    Ok(new)
}

/// Moves the program to its final name last, so that other processes never see an incomplete one.
fn install_program(
    azcopy: AzCopy,
    new: TemporaryFile,
    fetched: &FetchedArchive,
    bin: &Path,
) -> Result<AzCopy, InstallError> {
    let (sum, mut file) = TemporaryFile::create(bin.join(NEW_SHA256), 0o644)?;
    writeln!(file, "{}  {}", fetched.sha256, fetched.name).map_err(InstallError::io(&sum.0))?;
    drop(file);
    let kept = TemporaryFile(bin.join(SHA256));
    rename(&sum.0, &kept.0).map_err(InstallError::io(&kept.0))?;
    let path = bin.join(FILE_NAME);
    rename(&new.0, &path).map_err(InstallError::io(&path))?;
    kept.keep();
    Ok(azcopy.moved_to(path))
}

/// Waits for the lock, which is held until the returned handle is dropped.
async fn lock(directory: &Path, on: &mut dyn FnMut(InstallEvent)) -> Result<File, InstallError> {
    make_directory(directory).map_err(InstallError::io(directory))?;
    let path = directory.join("azcopy.lock");
    let file = open_private(&path).map_err(InstallError::io(&path))?;
    let mut has_reported = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut has_reported, true) {
                    on(InstallEvent::Waiting);
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            Err(TryLockError::Error(why)) => return Err(InstallError::Io { path, why }),
        }
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// File that is removed on drop, unless it was renamed.
#[derive(Debug)]
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    /// Creates an empty file, replacing one that a killed run left.
    fn create(path: PathBuf, mode: u32) -> Result<(Self, File), InstallError> {
        let open = || {
            remove_file(&path)?;
            let file = create_new_private(&path)?;
            set_mode(&file, mode)?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok((Self(path), file)),
            Err(why) => Err(InstallError::Io { path, why }),
        }
    }

    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // After a rename there is no file with this name.
            drop(remove_file(&self.0));
        }
    }
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
