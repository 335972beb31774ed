//! azure_identity's way to start `azd` and `az`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::process::Output;
use std::sync::{Mutex, PoisonError};

use azure_identity::Executor;

use crate::env::Env;
use crate::process::Programs;

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
    programs: Programs,
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
        Self { programs: Programs::new(env), ending: Mutex::new(None) }
    }

    /// How the last program ended, if it failed; taken once.
    pub(super) fn take_ending(&self) -> Option<Ending> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn execute(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let output = self.programs.output(program, args, None).await?;
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
