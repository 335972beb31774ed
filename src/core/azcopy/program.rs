//! A program that was verified to be an AzCopy 10 with the required options.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::env::{Env, Timings};
use crate::model::{Report, Reporter};
use crate::notices::with_notices;
use crate::process::{Child, Exit};
use crate::units;

use super::locate::{AzCopyCandidate, AzCopyOrigin};
use super::{environment, text};

/// Maximum number of bytes read from the output of `--version`.
const ANSWER: u64 = 64 * 1024;
/// First minor version 10 with `--as-subdir`, the newest of the options that a job has (`design/contracts/azcopy.md`).
const MIN_MINOR: u32 = 14;

/// A verified AzCopy, ready to run.
#[derive(Clone)]
pub struct AzCopy {
    path: PathBuf,
    origin: AzCopyOrigin,
    version: String,
    environment: Vec<(String, String)>,
}

/// Omits the environment, which may contain a proxy's password.
impl fmt::Debug for AzCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzCopy").field("path", &self.path).field("version", &self.version).finish_non_exhaustive()
    }
}

/// Reason why a candidate cannot be used as AzCopy.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The system cannot start it.
    #[error("{} does not start", .path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// Message of the operating system.
        source: io::Error,
    },
    /// The program starts and fails, for example because of a missing library.
    #[error("{} was found but does not run ({exit}){}", .path.display(), after_colon(.message))]
    DoesNotRun {
        /// The program.
        path: PathBuf,
        /// Exit of the process.
        exit: Exit,
        /// Output of the program, sanitized.
        message: String,
    },
    /// The output is not that of AzCopy.
    #[error("{} is not AzCopy: its --version prints '{answer}'", .path.display())]
    NotAzCopy {
        /// The program.
        path: PathBuf,
        /// First line of the output, sanitized.
        answer: String,
    },
    /// AzCopy, but not version 10, or one without the required options.
    #[error("{} is AzCopy {version}; 10.{MIN_MINOR} or a newer version 10 is required", .path.display())]
    WrongVersion {
        /// The program.
        path: PathBuf,
        /// Version string reported by `azcopy --version`.
        version: String,
    },
    /// No response within the limit.
    #[error("{} --version did not respond within {}", .path.display(), units::duration(*.after))]
    NoAnswer {
        /// The program.
        path: PathBuf,
        /// Time limit.
        after: Duration,
    },
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl AzCopy {
    /// Runs the candidate with `--version`, and keeps the environment for its jobs.
    ///
    /// # Errors
    /// When the program does not run, is not AzCopy, has an unsupported version, or does not respond.
    pub async fn verify(
        candidate: AzCopyCandidate,
        env: &Env,
        timings: &Timings,
        report: &Reporter,
    ) -> Result<Self, VerifyError> {
        let AzCopyCandidate { path, origin } = candidate;
        let environment = environment::base(env);
        let mut command = Command::new(&path);
        command.arg("--version").env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        let after = timings.azcopy_version;
        let pauses = (timings.wait_notice, timings.status_line);
        let say = |elapsed| {
            let (elapsed, most) = (units::duration(elapsed), units::duration(after));
            let program = path.display();
            report(Report::Notice(format!("Waiting for {program} --version ({elapsed} of up to {most})...")));
        };
        let asked = with_notices(pauses, say, tokio::time::timeout(after, version_output(command)));
        let (exit, stdout, stderr) = match asked.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(source)) => return Err(VerifyError::Start { path, source }),
            Err(_) => return Err(VerifyError::NoAnswer { path, after }),
        };
        report(Report::Debug(format!("{} --version: {exit}, {}", path.display(), text::first_line(&stdout))));
        let version = read_version(&path, exit, &stdout, &stderr)?;
        Ok(Self { path, origin, version, environment })
    }

    /// Absolute path of the program.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Way in which it was found.
    #[must_use]
    pub fn origin(&self) -> &AzCopyOrigin {
        &self.origin
    }

    /// Version, for example `10.32.2`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Same program under another path.
    pub(super) fn moved_to(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// Command of a run, with only the allowed environment variables; logs and plans are written to `directory`.
    pub(super) fn command_for_job(&self, directory: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().envs(environment::for_job(&self.environment, directory));
        command
    }
}

/// Runs `--version`. The future is dropped at the time limit, which ends the child and its descendants.
async fn version_output(command: Command) -> io::Result<(Exit, String, String)> {
    let (mut child, pipes) = Child::spawn(command)?;
    // Kept open until the end, as for a job.
    let _stdin = pipes.stdin;
    let (stdout, stderr) = tokio::join!(read_all(pipes.stdout), read_all(pipes.stderr));
    Ok((child.wait().await?, stdout, stderr))
}

async fn read_all(stream: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut limited = stream.take(ANSWER);
    // Output that cannot be read counts as empty; the exit code decides.
    drop(limited.read_to_end(&mut kept).await);
    drop(tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await);
    String::from_utf8_lossy(&kept).into_owned()
}

fn read_version(path: &Path, exit: Exit, stdout: &str, stderr: &str) -> Result<String, VerifyError> {
    let path = path.to_owned();
    let version = stdout.lines().find_map(|line| line.trim().strip_prefix("azcopy version "));
    match (exit, version) {
        (Exit::Code(0), Some(version)) if is_supported(version) => Ok(text::sanitized(version)),
        (Exit::Code(0), Some(version)) => Err(VerifyError::WrongVersion { path, version: text::sanitized(version) }),
        (Exit::Code(0), None) => Err(VerifyError::NotAzCopy { path, answer: text::first_line(stdout) }),
        _ => {
            let message = if stderr.trim().is_empty() { stdout } else { stderr };
            Err(VerifyError::DoesNotRun { path, exit, message: text::first_line(message) })
        }
    }
}

fn is_supported(version: &str) -> bool {
    let minor = version.strip_prefix("10.").and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= MIN_MINOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(exit: Exit, stdout: &str, stderr: &str) -> String {
        match read_version(Path::new("/b/azcopy"), exit, stdout, stderr) {
            Ok(version) => version,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn only_a_version_10_with_the_required_options_is_accepted() {
        for (exit, stdout, stderr, said) in [
            (Exit::Code(0), "azcopy version 10.32.2\n", "", "10.32.2"),
            (Exit::Code(0), "INFO: newer\nazcopy version 10.14.0-Preview\r\n", "noise", "10.14.0-Preview"),
            (
                Exit::Code(0),
                "azcopy version 10.13.0",
                "",
                "/b/azcopy is AzCopy 10.13.0; 10.14 or a newer version 10 is required",
            ),
            (
                Exit::Code(0),
                "azcopy version 11.0.0",
                "",
                "/b/azcopy is AzCopy 11.0.0; 10.14 or a newer version 10 is required",
            ),
            (Exit::Code(0), "azcopy version 10", "", "/b/azcopy is AzCopy 10; 10.14 or a newer version 10 is required"),
            (Exit::Code(0), "GNU cp 9", "", "/b/azcopy is not AzCopy: its --version prints 'GNU cp 9'"),
            (
                Exit::Code(127),
                "",
                "azcopy: error while loading shared libraries: libsecret-1.so.0\n",
                "/b/azcopy was found but does not run (exit 127): azcopy: error while loading shared libraries: \
                 libsecret-1.so.0",
            ),
            (Exit::Signal(4), "", "", "/b/azcopy was found but does not run (signal 4)"),
        ] {
            assert_eq!(verdict(exit, stdout, stderr), said);
        }
    }
}
