//! The user's browser: the program that opens an address, and its start. It outlives this program, and so is in none of
//! its groups or jobs.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::process::Command;
use url::Url;

use super::search::find_program;
use crate::env::{Env, var};

/// Time after which a running opener has become the browser itself.
const OPENER_GRACE: Duration = Duration::from_secs(2);

/// A program that opens addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    program: PathBuf,
    args: Vec<String>,
}

/// Reason why no browser can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BrowserError {
    /// Neither X11 nor Wayland.
    #[error("no display found")]
    NoDisplay,
    /// The program that opens addresses is not installed.
    #[error("no program found to open URLs")]
    NoProgram,
    /// `BROWSER` has an unusable value.
    #[error("the program in BROWSER was not found")]
    BadVariable,
}

impl Browser {
    /// Program in `BROWSER`, otherwise the system's own.
    ///
    /// # Errors
    /// See [`BrowserError`].
    pub fn find(env: &Env) -> Result<Self, BrowserError> {
        let path = env.get(var::PATH).unwrap_or_default();
        if let Some(named) = env.get(var::BROWSER) {
            return named_browser(named, path).ok_or(BrowserError::BadVariable);
        }
        let (name, args): (_, &[&str]) = if cfg!(windows) {
            ("rundll32", &["url.dll,FileProtocolHandler"])
        } else if cfg!(target_os = "macos") {
            ("open", &[])
        } else {
            let has_display = env.get(var::DISPLAY).is_some() || env.get(var::WAYLAND_DISPLAY).is_some();
            if !has_display {
                return Err(BrowserError::NoDisplay);
            }
            ("xdg-open", &[])
        };
        let program = find_program(path, name).ok_or(BrowserError::NoProgram)?;
        Ok(Self { program, args: args.iter().map(|arg| (*arg).to_owned()).collect() })
    }

    /// Opens the address, without a shell.
    ///
    /// # Errors
    /// When the program cannot be started, or ends soon with a failure.
    pub async fn open(&self, env: &Env, url: &Url) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(self.args_for(url)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env_clear().envs(env.vars().filter(|(name, _)| !is_ours(name)));
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        match tokio::time::timeout(OPENER_GRACE, child.wait()).await {
            Ok(ended) => {
                let status = ended?;
                if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended with {status}"))) }
            }
            Err(_) => Ok(()),
        }
    }

    /// Arguments of the program, with the address in place of `%s`, otherwise at the end.
    fn args_for(&self, url: &Url) -> Vec<String> {
        let mut args: Vec<String> = self.args.iter().map(|arg| arg.replace("%s", url.as_str())).collect();
        if args == self.args {
            args.push(url.to_string());
        }
        args
    }
}

/// Parses a program and its arguments; the first of several programs counts, as in `xdg-open`.
fn named_browser(named: &str, path: &str) -> Option<Browser> {
    let first = if cfg!(windows) { named } else { named.split(':').next()? };
    // A Windows path may contain spaces and colons.
    let words: Vec<&str> = if cfg!(windows) { vec![first] } else { first.split_whitespace().collect() };
    let mut words = words.into_iter().map(str::to_owned);
    let program = PathBuf::from(words.next()?);
    let program = match program.is_absolute() {
        true => program,
        // A relative path would depend on the working directory.
        false if program.components().count() > 1 || program.starts_with(".") => return None,
        false => find_program(path, program.to_str()?)?,
    };
    Some(Browser { program, args: words.collect() })
}

/// True for tokens and settings of azd and Azure, which the browser must not receive.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["AZD_", "AZURE_", "HF_", "HUGGING_FACE_"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::*;

    fn find(vars: &[(&str, &str)]) -> Result<Browser, BrowserError> {
        Browser::find(&Env::from_vars(vars.iter().copied(), Path::new("/")))
    }

    #[test]
    fn the_variable_must_name_a_program_in_an_absolute_path_entry() {
        let url = Url::parse("https://ai.azure.com/?tid=1").expect("a URL");
        for (named, program, args) in [
            ("true", "/bin/true", &["https://ai.azure.com/?tid=1"][..]),
            ("/bin/true:other", "/bin/true", &["https://ai.azure.com/?tid=1"]),
            ("true --new %s", "/bin/true", &["--new", "https://ai.azure.com/?tid=1"]),
        ] {
            let browser = find(&[(var::BROWSER, named), (var::PATH, "/bin")]).expect(named);
            assert_eq!(
                (browser.program.as_path(), browser.args_for(&url)),
                (Path::new(program), args.iter().map(|arg| (*arg).to_owned()).collect())
            );
        }
        for named in ["no-such-program", "./true"] {
            assert_eq!(find(&[(var::BROWSER, named), (var::PATH, "/bin")]), Err(BrowserError::BadVariable), "{named}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_browser_is_opened_without_a_display() {
        assert_eq!(find(&[(var::PATH, "/bin")]), Err(BrowserError::NoDisplay));
        assert_eq!(find(&[(var::PATH, "/nowhere"), (var::DISPLAY, ":0")]), Err(BrowserError::NoProgram));
    }
}
