//! Process groups and signals.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// A child that leads a process group.
pub(super) struct Group(Child);

#[expect(clippy::needless_pass_by_ref_mut, reason = "Windows kills through a mutable child")]
impl Group {
    /// Starts the command as the leader of a group.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        command.process_group(0).spawn().map(Self)
    }

    /// Process id; `None` once the child is reaped.
    pub(super) fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// Returns the pipes, once.
    pub(super) fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout, ChildStderr)> {
        Some((self.0.stdin.take()?, self.0.stdout.take()?, self.0.stderr.take()?))
    }

    /// Waits for the child.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }

    /// Sends SIGINT to the group.
    pub(super) fn interrupt(&mut self, pid: u32) {
        send(pid, Signal::INT);
    }

    /// Sends SIGKILL to the group.
    pub(super) fn kill(&mut self, pid: u32) {
        send(pid, Signal::KILL);
    }
}

/// Signal that ended the process.
pub(super) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// Kills the group that this process leads.
pub(super) fn kill_group(pid: u32) {
    send(pid, Signal::KILL);
}

/// Signals the group. The only possible failure is that the group is gone, which is the goal.
fn send(pid: u32, signal: Signal) {
    if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _: rustix::io::Result<()> = kill_process_group(group, signal);
    }
}
