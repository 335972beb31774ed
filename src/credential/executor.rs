//! Runs `azd` and `az` for azure_identity: in a process group of their own, which is killed as a whole at the limit and
//! when the work is dropped. Killing the shell alone would leave azd running (cli.md 5).
//!
//! Programs are never looked up through an empty or relative `PATH` entry: those name the working directory, and a
//! cloned repository must not bring its own `azd`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::process::{Output, Stdio};
use std::sync::{Mutex, PoisonError};

use azure_identity::Executor;
use tokio::process::{Child, Command};

use crate::env::{Env, var};

/// How a program ended, which azure_identity's own error does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The shell did not find it.
    Missing,
    /// It ended with an error.
    Failed {
        /// What it wrote to standard output.
        stdout: String,
        /// What it wrote to standard error.
        stderr: String,
    },
}

/// azure_identity's way to start programs, with this program's variables.
pub(super) struct GroupExecutor {
    variables: Vec<(String, String)>,
    ending: Mutex<Option<Ending>>,
}

/// Values of variables, and a token on standard output, are secrets. azure_identity asks for the trait.
impl fmt::Debug for GroupExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupExecutor").finish_non_exhaustive()
    }
}

impl GroupExecutor {
    pub(super) fn new(env: &Env) -> Self {
        // Windows writes it `Path`.
        let is_path = |name: &str| if cfg!(windows) { name.eq_ignore_ascii_case(var::PATH) } else { name == var::PATH };
        let variables = env
            .vars()
            .map(|(name, value)| {
                let value = if is_path(name) { absolute_entries(value) } else { value.to_owned() };
                (name.to_owned(), value)
            })
            .collect();
        Self { variables, ending: Mutex::new(None) }
    }

    /// How the last program ended, if it failed; taken once.
    pub(super) fn take_ending(&self) -> Option<Ending> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn execute(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        let mut group = Group::of(&child);
        let output = child.wait_with_output().await?;
        group.ended();
        if !output.status.success() {
            let ending = Ending::of(&output);
            *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
        }
        Ok(output)
    }
}

impl Executor for GroupExecutor {
    // What `#[async_trait]` makes of the trait's method, written out: the macro is no dependency of ours.
    fn run<'me, 'program, 'list, 'arg, 'run>(
        &'me self,
        program: &'program OsStr,
        args: &'list [&'arg OsStr],
    ) -> Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'run>>
    where
        'me: 'run,
        'program: 'run,
        'list: 'run,
        'arg: 'run,
    {
        Box::pin(self.execute(program, args))
    }
}

impl Ending {
    fn of(output: &Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        // 127 is the shell's word for it; `cmd` says 1 or 9009 and this sentence.
        if output.status.code() == Some(127) || stderr.contains("' is not recognized") {
            Self::Missing
        } else {
            Self::Failed { stdout, stderr }
        }
    }
}

/// Ends the program and all that it started, unless it ended by itself.
struct Group(Option<u32>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id())
    }

    fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            kill_group(id);
        }
    }
}

#[cfg(unix)]
fn kill_group(id: u32) {
    let group = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // An error says that nothing of the group is left.
        let _: rustix::io::Result<()> = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(windows)]
fn kill_group(id: u32) {
    // Waited for: once `cmd` itself is gone, its children cannot be found any more.
    let mut taskkill = std::process::Command::new(r"C:\Windows\System32\taskkill.exe");
    taskkill.args(["/T", "/F", "/PID", &id.to_string()]);
    drop(taskkill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status());
}

fn absolute_entries(path: &str) -> String {
    let separator = if cfg!(windows) { ";" } else { ":" };
    let absolute = |entry: &&str| std::path::Path::new(entry).is_absolute();
    path.split(separator).filter(absolute).collect::<Vec<_>>().join(separator)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn empty_and_relative_path_entries_are_no_place_to_find_programs() {
        assert_eq!(absolute_entries(":/usr/bin:.:bin::/bin:"), "/usr/bin:/bin");
    }
}
