//! Child process with a guaranteed end: in its own group, reaped, killed on drop.

use std::fmt;
use std::io;
use std::process::{ExitStatus, Output, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

use super::group::{self, Group};

/// Exit of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Exited with this code; on Windows also after a kill.
    Code(i32),
    /// Ended by this signal; never on Windows.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), group::signal(status)) {
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

/// This program's ends of the child's pipes.
pub(crate) struct Pipes {
    /// Must stay open for AzCopy, which otherwise uses a whole core.
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
}

/// A running child and its group.
pub(crate) struct Child {
    group: Group,
    pid: u32,
    reaped: bool,
}

impl Child {
    /// Starts the command with three pipes, in a separate group: Ctrl+C in the terminal then reaches only this program.
    pub(crate) fn spawn(mut command: Command) -> io::Result<(Self, Pipes)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut group = Group::spawn(command)?;
        let (Some((stdin, stdout, stderr)), Some(pid)) = (group.take_pipes(), group.id()) else {
            return Err(io::Error::other("the pipes of the child are missing"));
        };
        Ok((Self { group, pid, reaped: false }, Pipes { stdin, stdout, stderr }))
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Completes when the child has ended; dropping the future loses nothing.
    pub(crate) async fn wait(&mut self) -> io::Result<Exit> {
        Ok(self.status().await?.into())
    }

    async fn status(&mut self) -> io::Result<ExitStatus> {
        let status = self.group.wait().await?;
        self.reaped = true;
        Ok(status)
    }

    /// Reads both outputs to their end, without input. When the future is dropped the group is killed.
    pub(crate) async fn output(mut self, pipes: Pipes) -> io::Result<Output> {
        let Pipes { stdin, stdout, stderr } = pipes;
        drop(stdin);
        // The child is reaped last: until then its process id identifies this group and no other.
        let (stdout, stderr) = tokio::try_join!(read_to_end(stdout), read_to_end(stderr))?;
        Ok(Output { status: self.status().await?, stdout, stderr })
    }

    /// Asks the group to end; kills it if that is not possible.
    pub(crate) fn interrupt(&mut self) {
        if !self.reaped {
            self.group.interrupt(self.pid);
        }
    }

    /// Kills the child and its descendants.
    pub(crate) fn kill(&mut self) {
        if !self.reaped {
            self.kill_rest();
        }
    }

    /// Kills remaining descendants of the child that still hold its pipes.
    pub(crate) fn kill_rest(&mut self) {
        self.group.kill(self.pid);
    }
}

impl Drop for Child {
    /// An end, error or panic of this program must not leave the child running; tokio reaps it.
    fn drop(&mut self) {
        self.kill();
    }
}

async fn read_to_end(mut stream: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}
