//! A child process that cannot be left behind: its own process group, reaped, killed when dropped.

use std::fmt;
use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

#[cfg(unix)]
#[path = "child_unix.rs"]
mod platform;
#[cfg(not(unix))]
#[path = "child_windows.rs"]
mod platform;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal; never on Windows.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), platform::signal(status)) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Ends the group of a process that is no child of ours.
pub(super) fn kill_group(pid: u32) {
    platform::kill_group(pid);
}

/// Our ends of the child's pipes.
pub(super) struct Pipes {
    /// Has to stay open: AzCopy burns a core on a closed one (contracts/azcopy.md 0.1).
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// A running child and its process group.
pub(super) struct Child {
    process: tokio::process::Child,
    pid: u32,
    reaped: bool,
}

impl Child {
    /// Starts it with three pipes, in a group of its own: Ctrl+C in the terminal then reaches us alone.
    pub(super) fn spawn(mut command: Command) -> io::Result<(Self, Pipes)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        platform::own_group(&mut command);
        let mut process = command.spawn()?;
        let taken = (process.stdin.take(), process.stdout.take(), process.stderr.take(), process.id());
        let (Some(stdin), Some(stdout), Some(stderr), Some(pid)) = taken else {
            return Err(io::Error::other("the pipes of the child are missing"));
        };
        Ok((Self { process, pid, reaped: false }, Pipes { stdin, stdout, stderr }))
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Completes when the child has ended; dropping the future loses nothing.
    pub(super) async fn wait(&mut self) -> io::Result<Exit> {
        let status = self.process.wait().await?;
        self.reaped = true;
        Ok(status.into())
    }

    /// Asks it to end.
    pub(super) fn interrupt(&mut self) {
        if !self.reaped {
            platform::interrupt(self.pid, &mut self.process);
        }
    }

    /// Ends it and what it started.
    pub(super) fn kill(&mut self) {
        if !self.reaped {
            platform::kill(self.pid, &mut self.process);
        }
    }

    /// Ends what the child started and left behind with its pipes still open.
    pub(super) fn kill_rest(&mut self) {
        platform::kill(self.pid, &mut self.process);
    }
}

impl Drop for Child {
    /// The program's own end, an error or a panic must not leave AzCopy alone; tokio reaps it.
    fn drop(&mut self) {
        self.kill();
    }
}
