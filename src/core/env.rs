//! The process environment, read once, and every limit and delay of the program.
//!
//! Owns the names of all variables and their meaning. Nothing else in the crate reads `std::env`.

mod timings;
mod trace;
pub mod var;
mod variables;

pub use timings::Timings;
pub use trace::TraceContext;

use std::collections::BTreeSet;
use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use variables::Variables;

use crate::paths;
use crate::platform::Platform;

/// Snapshot of the process: variables, directories, and which streams are terminals.
#[derive(Clone)]
pub struct Env {
    vars: Variables,
    cwd: PathBuf,
    home: Option<PathBuf>,
    /// Variables set by an azd environment.
    from_azd: BTreeSet<String>,
    /// True if azd's server did not respond within its limit.
    azd_silent: bool,
    /// True if standard input is a terminal.
    pub stdin_terminal: bool,
    /// True if standard output is a terminal.
    pub stdout_terminal: bool,
    /// True if standard error is a terminal.
    pub stderr_terminal: bool,
}

/// Writes only the names: values may be secrets.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("vars", &self.vars.values.keys()).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

impl Env {
    /// Reads the process environment; nothing else does.
    #[must_use]
    pub fn from_process() -> Self {
        let vars = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        let platform = Platform::CURRENT;
        let vars = Variables::new(vars, platform);
        Self {
            home: home(&vars, platform).or_else(dirs::home_dir).filter(|home| home.is_absolute()),
            vars,
            cwd: std::env::current_dir().unwrap_or_default(),
            from_azd: BTreeSet::new(),
            azd_silent: false,
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Environment of only these variables, without a terminal; for tests and tools.
    #[must_use]
    pub fn from_vars<'a>(vars: impl IntoIterator<Item = (&'a str, &'a str)>, cwd: &Path) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let vars = Variables::new(vars, Platform::CURRENT);
        Self {
            home: home(&vars, Platform::CURRENT),
            vars,
            cwd: cwd.to_owned(),
            from_azd: BTreeSet::new(),
            azd_silent: false,
            stdin_terminal: false,
            stdout_terminal: false,
            stderr_terminal: false,
        }
    }

    /// Value of a variable without surrounding whitespace: lines of a Windows `.env` file end with a carriage return.
    /// An empty value counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Boolean variable, parsed like Go's `ParseBool`, as azd sets it; other values are ignored.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// Variable that indicates a coding agent, if one is set to a value that does not negate it.
    #[must_use]
    pub fn agent(&self) -> Option<&'static str> {
        let is_no = |word: &str| ["0", "f", "false", "no", "off"].iter().any(|no| word.eq_ignore_ascii_case(no));
        [var::AI_AGENT, var::AGENT].into_iter().find(|name| self.get(name).is_some_and(|word| !is_no(word)))
    }

    /// All variables, in the order of their names, which are in upper case on Windows; for the environment of child
    /// processes.
    pub fn vars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Copy without some variables.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut env = self.clone();
        env.vars.remove(names);
        env
    }

    /// Records which of the variables an azd environment set.
    pub fn set_from_azd(&mut self, names: BTreeSet<String>) {
        self.from_azd = names;
    }

    /// True if an azd environment set the variable, so that its value is not the user's choice.
    #[must_use]
    pub fn is_from_azd(&self, name: &str) -> bool {
        self.from_azd.contains(name)
    }

    /// Records that azd's server did not respond within its limit.
    pub fn set_azd_silent(&mut self) {
        self.azd_silent = true;
    }

    /// True if azd's server did not respond to this run within its limit.
    #[must_use]
    pub fn is_azd_silent(&self) -> bool {
        self.azd_silent
    }

    /// W3C trace context that azd passed on; `None` if `TRACEPARENT` is malformed.
    #[must_use]
    pub fn trace_context(&self) -> Option<TraceContext<'_>> {
        let parent = self.get(var::TRACEPARENT).filter(|text| trace::is_parent(text))?;
        Some(TraceContext { parent, state: self.get(var::TRACESTATE) })
    }

    /// Working directory.
    #[must_use]
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Records a working directory that was changed with `--cwd`.
    pub fn set_cwd(&mut self, cwd: PathBuf) {
        self.cwd = cwd;
    }

    /// Home directory; never a relative path, which would depend on the working directory.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// azd's configuration directory: `AZD_CONFIG_DIR`, otherwise `~/.azd`.
    #[must_use]
    pub fn azd_config_dir(&self) -> Option<PathBuf> {
        match self.get(var::AZD_CONFIG_DIR) {
            Some(dir) => Some(self.cwd.join(dir)),
            None => self.home().map(|home| home.join(".azd")),
        }
    }

    /// azd's configuration directory, if it is outside the user's profile: on Windows the profile protects files from
    /// other users. `None` on other systems, where private files have modes.
    #[must_use]
    pub fn config_dir_outside_profile(&self, platform: Platform) -> Option<PathBuf> {
        let directory = self.azd_config_dir().filter(|_| platform == Platform::Windows)?;
        let is_in_profile = self.home().is_some_and(|home| {
            paths::below(&directory.to_string_lossy(), &home.to_string_lossy(), platform).is_some()
        });
        (!is_in_profile).then_some(directory)
    }

    /// True if azd started this program.
    #[must_use]
    pub fn run_by_azd(&self) -> bool {
        self.get(var::AZD_SERVER).is_some()
    }

    /// True if a prompt is possible: standard input and standard error are both a terminal, and not that of a notebook,
    /// which accepts no input.
    #[must_use]
    pub fn interactive(&self) -> bool {
        self.stdin_terminal && self.stderr_terminal && self.get(var::JPY_PARENT_PID).is_none()
    }
}

/// Home directory according to the variables, as azd determines it.
fn home(vars: &Variables, platform: Platform) -> Option<PathBuf> {
    vars.get(platform.home_variable()).filter(|home| paths::is_absolute(home, platform)).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_directory_is_the_one_that_azd_uses() {
        let given = [("HOME", "/home/me"), ("userprofile", r"C:\Users\me")];
        let of = |platform| {
            let vars = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
            home(&Variables::new(vars, platform), platform)
        };
        assert_eq!(of(Platform::Windows), Some(r"C:\Users\me".into()));
        assert_eq!((of(Platform::Linux), of(Platform::MacOs)), (Some("/home/me".into()), Some("/home/me".into())));
    }

    #[test]
    fn switches_accept_go_booleans_and_ignore_other_words() {
        let cwd = Path::new("/");
        for (word, on) in [("1", true), ("True", true), ("t", true), ("false", false), ("yes", false), ("", false)] {
            let env = Env::from_vars([(var::AZD_DEBUG, word)], cwd);
            assert_eq!(env.flag(var::AZD_DEBUG), on, "{word:?}");
        }
    }

    #[test]
    fn any_value_except_a_negative_one_indicates_an_agent() {
        for (vars, named) in [
            (&[][..], None),
            (&[(var::AI_AGENT, "1")], Some(var::AI_AGENT)),
            (&[(var::AGENT, "some-agent")], Some(var::AGENT)),
            (&[(var::AI_AGENT, ""), (var::AGENT, " ")], None),
            (&[(var::AI_AGENT, "No"), (var::AGENT, "true")], Some(var::AGENT)),
            (&[(var::AI_AGENT, "0")], None),
            (&[(var::AI_AGENT, "f")], None),
            (&[(var::AGENT, "FALSE")], None),
            (&[(var::AGENT, "off")], None),
        ] {
            assert_eq!(Env::from_vars(vars.iter().copied(), Path::new("/")).agent(), named, "{vars:?}");
        }
    }

    #[test]
    fn a_configuration_directory_outside_the_profile_is_reported_on_windows() {
        let of = |config: &str, platform| {
            let mut env = Env::from_vars([(var::AZD_CONFIG_DIR, config)], Path::new(""));
            env.home = Some(r"C:\Users\me".into());
            env.config_dir_outside_profile(platform)
        };
        for inside in [r"C:\Users\me\.azd", r"c:\users\ME\azd", r"\\?\C:\Users\me\azd"] {
            assert_eq!(of(inside, Platform::Windows), None, "{inside}");
        }
        for outside in [r"D:\azd", r"C:\Users\me2\azd", r"C:\Users\me\..\azd"] {
            assert_eq!(of(outside, Platform::Windows), Some(outside.into()), "{outside}");
            assert_eq!(of(outside, Platform::Linux), None, "{outside}");
        }
    }

    #[test]
    fn an_empty_variable_is_treated_as_unset() {
        let env = Env::from_vars([(var::AZD_SERVER, "")], Path::new("/"));
        assert!(!env.run_by_azd());
    }

    #[test]
    fn a_relative_home_is_ignored() {
        let env = Env::from_vars([(var::HOME, "somewhere")], Path::new("/work"));
        assert_eq!(env.home(), None);
        assert_eq!(env.azd_config_dir(), None);
    }
}
