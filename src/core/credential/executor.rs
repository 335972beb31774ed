//! Executor through which azure_identity starts `azd` and `az`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::process::Output;
use std::sync::{Mutex, PoisonError};

use azure_identity::Executor;

use crate::env::Env;
use crate::platform::Platform;
use crate::process::Programs;

/// Exit of a program, which azure_identity's own error does not include.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProgramExit {
    /// The shell did not find it.
    Missing,
    /// Exited with an error.
    Failed {
        /// Standard output.
        stdout: String,
        /// Standard error.
        stderr: String,
    },
}

/// Executor of azure_identity, with this program's variables.
pub(super) struct GroupExecutor {
    programs: Programs,
    /// Name of the command.
    tool: &'static str,
    ending: Mutex<Option<ProgramExit>>,
}

/// Omits the values of variables, which are secrets, as is a token on standard output. azure_identity requires the
/// trait.
impl fmt::Debug for GroupExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupExecutor").finish_non_exhaustive()
    }
}

impl GroupExecutor {
    /// Executor for the command of this tool.
    pub(super) fn new(env: &Env, tool: &'static str) -> Self {
        Self { programs: Programs::new(env), tool, ending: Mutex::new(None) }
    }

    /// Returns the exit of the last program once, if it failed.
    pub(super) fn take_exit(&self) -> Option<ProgramExit> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn execute(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let output = self.programs.output(program, args, None).await?;
        if !output.status.success() {
            let ending = ProgramExit::of(&output, Platform::CURRENT, || self.programs.has_command(self.tool));
            *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
        }
        Ok(output)
    }
}

impl Executor for GroupExecutor {
    // Expansion of `#[async_trait]` for this method: the macro is not a dependency.
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

impl ProgramExit {
    fn of(output: &Output, platform: Platform, is_installed: impl FnOnce() -> bool) -> Self {
        if is_missing(output.status.code(), platform, is_installed) {
            return Self::Missing;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self::Failed { stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// True if the shell did not find the command. Unix shells exit with 127; cmd.exe with 9009 or 1, and a message in the
/// user's language.
fn is_missing(code: Option<i32>, platform: Platform, is_installed: impl FnOnce() -> bool) -> bool {
    match code {
        Some(127 | 9009) => true,
        Some(1) => platform == Platform::Windows && !is_installed(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_command_is_detected_in_every_language() {
        for (code, platform, is_installed, expected) in [
            (127, Platform::Linux, false, true),
            (9009, Platform::Windows, true, true),
            (1, Platform::Windows, false, true),
            (1, Platform::Windows, true, false),
            (1, Platform::Linux, false, false),
            (2, Platform::Windows, false, false),
        ] {
            assert_eq!(is_missing(Some(code), platform, || is_installed), expected, "{code} {platform:?}");
        }
        assert!(!is_missing(None, Platform::Linux, || false));
    }
}
