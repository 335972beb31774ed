//! A process that outlives this one: in a separate session, without a terminal.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// Changes to the environment of a child: variables to set and to remove.
#[derive(Clone, Debug, Default)]
pub struct EnvChanges {
    /// Variables to set.
    pub set: Vec<(String, String)>,
    /// Variables to remove.
    pub remove: Vec<String>,
}

/// A process that is about to detach. Killed when dropped, until it is [released](Self::release).
#[derive(Debug)]
pub struct Detaching {
    child: Child,
}

impl Detaching {
    /// Starts this program again with these arguments. Its standard error is the log, which must be open for appending.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, args: &[OsString], env: &EnvChanges, log: File) -> io::Result<Self> {
        let mut command = system::command(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        for name in &env.remove {
            command.env_remove(name);
        }
        command.envs(env.set.iter().map(|(name, value)| (name, value)));
        Ok(Self { child: system::spawn(command)? })
    }

    /// Sends the input, and reads one line of response; empty if the process ended without one.
    ///
    /// # Errors
    /// When its output cannot be read.
    pub async fn ask(&mut self, input: &[u8]) -> io::Result<String> {
        if let Some(mut stdin) = self.child.stdin.take() {
            // A process that has ended reads nothing; its output explains why.
            drop(stdin.write_all(input).await);
        }
        let mut line = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).await?;
        }
        Ok(line)
    }

    /// Releases the process, which continues independently.
    pub fn release(self) {
        system::release(self.child);
    }

    /// Waits for its end, and returns a short description such as `exit 1`.
    pub async fn end(mut self) -> String {
        match self.child.wait().await {
            Ok(status) => super::Exit::from(status).to_string(),
            Err(why) => why.to_string(),
        }
    }
}

/// Makes this new process the leader of a separate session, which no signal of a terminal reaches.
///
/// # Errors
/// When the system refuses.
pub fn leave_terminal() -> io::Result<()> {
    system::leave_terminal()
}

/// Redirects standard output to standard error, and closes the input: the parent process waits for neither.
pub fn release_streams() {
    system::release_streams();
}

#[cfg(unix)]
mod system {
    use super::{Child, Command, Path, io};

    /// Ignores SIGHUP, also in descendants, and closes files that a script may have left open for this process, such as
    /// a lock. The arguments are not part of the script.
    const PREPARE: &str = "trap '' HUP; exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$0\" \"$@\"";

    /// Command that runs the program without signals of the terminal and without inherited files.
    pub(super) fn command(program: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", PREPARE]).arg(program);
        command
    }

    /// Starts the process.
    pub(super) fn spawn(mut command: Command) -> io::Result<Child> {
        command.spawn()
    }

    /// Lets the process continue after this one ends.
    pub(super) fn release(child: Child) {
        // `kill_on_drop` cannot be undone.
        std::mem::forget(child);
    }

    /// Starts a new session.
    pub(super) fn leave_terminal() -> io::Result<()> {
        rustix::process::setsid()?;
        Ok(())
    }

    /// Redirects standard output to standard error, and closes the input.
    pub(super) fn release_streams() {
        use rustix::stdio::{dup2_stdin, dup2_stdout, stderr};
        let _: rustix::io::Result<()> = dup2_stdout(stderr());
        if let Ok(null) = std::fs::File::open("/dev/null") {
            let _: rustix::io::Result<()> = dup2_stdin(null);
        }
    }
}

#[cfg(windows)]
mod system {
    use windows::Win32::Foundation::{HANDLE_FLAG_INHERIT, HANDLE_FLAGS, SetHandleInformation};
    use windows::Win32::System::Console::{GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE};
    use windows::Win32::System::Threading::{
        CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, PROCESS_CREATION_FLAGS,
    };

    use super::{Child, Command, Path, io};

    /// Creates a separate, hidden console. Without a console (`DETACHED_PROCESS`), AzCopy and azd would each open a
    /// window, and AzCopy could not be signalled to end.
    const DETACHED: PROCESS_CREATION_FLAGS = PROCESS_CREATION_FLAGS(CREATE_NO_WINDOW.0 | CREATE_NEW_PROCESS_GROUP.0);

    /// Command that runs the program.
    pub(super) fn command(program: &Path) -> Command {
        Command::new(program)
    }

    /// Starts the process outside the job of this process, which would end it too, if the job permits that.
    pub(super) fn spawn(mut command: Command) -> io::Result<Child> {
        keep_streams();
        command.creation_flags(DETACHED.0 | CREATE_BREAKAWAY_FROM_JOB.0);
        command.spawn().or_else(|_| command.creation_flags(DETACHED.0).spawn())
    }

    /// A child inherits every inheritable handle, including those of this program's streams: a script that reads our
    /// output would wait for the end of the upload. Children that use these streams get copies.
    fn keep_streams() {
        for stream in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
            #[expect(unsafe_code, reason = "no safe wrapper in a crate of ours")]
            // SAFETY: the handle belongs to this process and is not closed.
            let kept = unsafe {
                GetStdHandle(stream).and_then(|own| SetHandleInformation(own, HANDLE_FLAG_INHERIT.0, HANDLE_FLAGS(0)))
            };
            // The stream may not exist.
            drop(kept);
        }
    }

    /// Lets the process continue after this one ends.
    pub(super) fn release(child: Child) {
        std::mem::forget(child);
    }

    /// Does nothing: the process is not attached to the console of the user.
    pub(super) fn leave_terminal() -> io::Result<()> {
        Ok(())
    }

    /// Does nothing.
    pub(super) fn release_streams() {}
}
