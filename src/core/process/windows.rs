//! Job objects and console process groups.

use std::io;
use std::process::ExitStatus;

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use windows::Win32::System::Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};
use windows::Win32::System::Threading::CREATE_NEW_PROCESS_GROUP;

/// Child in a separate job, which the system ends when the last handle of the job is closed, even if this program is
/// killed.
pub(super) struct Group(Box<dyn ChildWrapper>);

impl Group {
    /// Starts the command in a separate job.
    pub(super) fn spawn(command: Command) -> io::Result<Self> {
        let mut command = CommandWrap::from(command);
        // `KillOnDrop` sets kill-on-close for the job; the flag keeps the terminal's Ctrl+C from the child.
        command.wrap(KillOnDrop).wrap(CreationFlags(CREATE_NEW_PROCESS_GROUP)).wrap(JobObject);
        command.spawn().map(Self)
    }

    /// Process id; `None` once the child has ended.
    pub(super) fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// Returns the pipes, once.
    pub(super) fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout, ChildStderr)> {
        Some((self.0.stdin().take()?, self.0.stdout().take()?, self.0.stderr().take()?))
    }

    /// Waits only for the child: the job's own `wait` waits for all descendants.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.inner_mut().wait().await
    }

    /// Sends Ctrl+Break, which AzCopy treats like SIGINT on Unix. Needs a console that the child shares.
    pub(super) fn interrupt(&mut self, pid: u32) {
        #[expect(unsafe_code, reason = "no safe wrapper in a crate of ours; the call takes two numbers")]
        // SAFETY: no pointers. The child is not reaped, so its id identifies no other group.
        let sent = unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid) };
        if sent.is_err() {
            self.kill(pid);
        }
    }

    /// Ends the job. The only possible failure is that it has ended, which is the goal.
    pub(super) fn kill(&mut self, _pid: u32) {
        drop(self.0.start_kill());
    }
}

/// `None`: Windows has no signals.
pub(super) fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

/// Does nothing: a process id alone does not identify a process.
pub(super) fn kill_group(_pid: u32) {}
