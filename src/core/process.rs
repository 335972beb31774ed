//! Starts helpers such as `azd` and `az`: in a process group of their own, which is killed as a whole at the limit and
//! when the work is dropped. Killing a shell alone would leave what it started running (cli.md 5).
//!
//! Programs are never looked up through an empty or relative `PATH` entry: those name the working directory, and a
//! cloned repository must not bring its own `azd`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::{Child, Command};

use crate::env::{Env, var};

/// Starts programs with this program's variables.
pub struct Programs {
    variables: Vec<(String, String)>,
}

/// Values of variables are secrets.
impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").finish_non_exhaustive()
    }
}

impl Programs {
    /// Takes the variables over.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        // Windows writes it `Path`.
        let is_path = |name: &str| if cfg!(windows) { name.eq_ignore_ascii_case(var::PATH) } else { name == var::PATH };
        let variables = env
            .vars()
            .map(|(name, value)| {
                let value = if is_path(name) { absolute_entries(value) } else { value.to_owned() };
                (name.to_owned(), value)
            })
            .collect();
        Self { variables }
    }

    /// Runs a program to its end, without input; in another directory if one is named. May be dropped at any time.
    ///
    /// # Errors
    /// When it cannot be started; `NotFound` when there is none.
    pub async fn output(&self, program: &OsStr, args: &[&OsStr], directory: Option<&Path>) -> io::Result<Output> {
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        let mut group = Group::of(&child);
        let output = child.wait_with_output().await?;
        group.ended();
        Ok(output)
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
    let absolute = |entry: &&str| Path::new(entry).is_absolute();
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
