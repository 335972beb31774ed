//! Helpers such as `azd` and `az`, run to completion for their output. Killing only a shell would leave its children
//! running, so the whole group is killed at the time limit.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use tokio::process::Command;

use super::child::Child;
use super::search::{absolute_entries, find_program, has_command};
use crate::env::{Env, var};
use crate::platform::Platform;

/// Starts programs with this program's variables.
pub struct Programs {
    variables: Vec<(String, String)>,
    path: String,
}

/// Omits the values of variables, which are secrets.
impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").finish_non_exhaustive()
    }
}

impl Programs {
    /// Uses the variables of this environment.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let path = env.get(var::PATH).and_then(|path| absolute_entries(path, Platform::CURRENT));
        let others = env.vars().filter(|(name, _)| *name != var::PATH);
        let mut variables: Vec<_> = others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        variables.extend(path.iter().map(|path| (var::PATH.to_owned(), path.clone())));
        Self { variables, path: path.unwrap_or_default() }
    }

    /// Adds these variables.
    #[must_use]
    pub fn with(mut self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// Runs a program to its end, without input, optionally in another directory. May be dropped at any time.
    ///
    /// # Errors
    /// When it cannot be started; `NotFound` if it does not exist.
    pub async fn output(&self, program: &OsStr, args: &[&OsStr], directory: Option<&Path>) -> io::Result<Output> {
        let mut command = Command::new(self.resolve(program)?);
        command.args(args).env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        let (child, pipes) = Child::spawn(command)?;
        child.output(pipes).await
    }

    /// True if a shell would find a command of this name.
    pub(crate) fn has_command(&self, name: &str) -> bool {
        has_command(&self.path, name, Platform::CURRENT)
    }

    /// Resolves a program by name. The system's own search is not sufficient: Windows continues with this program's
    /// unfiltered `PATH`, and Unix treats an empty one as the working directory.
    fn resolve(&self, program: &OsStr) -> io::Result<PathBuf> {
        if Path::new(program).is_absolute() {
            return Ok(program.into());
        }
        let name = program.to_str().ok_or(io::ErrorKind::NotFound)?;
        find_program(&self.path, name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_program_in_the_working_directory_is_not_started() {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("azd");
        // A link: a newly written program may still be open for writing in a child of another test.
        std::os::unix::fs::symlink("/bin/true", &program).expect("a program");
        let run = async |path: &str| {
            let env = Env::from_vars([(var::PATH, path)], directory.path());
            Programs::new(&env).output(OsStr::new("azd"), &[], Some(directory.path())).await
        };
        for path in ["", ":", ".", ":.:bin", "/nonexistent:"] {
            let ended = run(path).await.map(|output| output.status);
            assert!(matches!(&ended, Err(why) if why.kind() == io::ErrorKind::NotFound), "{path:?}: {ended:?}");
        }
        let named = run(&directory.path().display().to_string()).await.expect("an absolute entry");
        assert!(named.status.success());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn output_is_returned_with_the_exit_code_and_input_is_empty() {
        let programs = Programs::new(&Env::from_vars([("WORD", "said")], Path::new("/")));
        let script = "cat; echo $WORD; echo wrong >&2; exit 3";
        let args = [OsStr::new("-c"), OsStr::new(script)];
        let output = programs.output(OsStr::new("/bin/sh"), &args, None).await.expect("sh");
        assert_eq!(
            (output.status.code(), &*output.stdout, &*output.stderr),
            (Some(3), &b"said\n"[..], &b"wrong\n"[..])
        );
    }
}
