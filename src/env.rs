//! The process environment, read once, and every limit and delay of the program.
//!
//! Owns the names of all variables and what they mean. Nothing else in the crate reads `std::env`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Names of the variables that the program reads.
pub mod var {
    /// Address of azd's gRPC server, `127.0.0.1:PORT`; set when azd runs the program (contracts/azd-host.md 1.4).
    pub const AZD_SERVER: &str = "AZD_SERVER";
    /// Go `ParseBool` words: trace on stderr.
    pub const AZD_DEBUG: &str = "AZD_DEBUG";
    /// Go `ParseBool` words: never ask.
    pub const AZD_NO_PROMPT: &str = "AZD_NO_PROMPT";
    /// Directory to change to first.
    pub const AZD_CWD: &str = "AZD_CWD";
    /// azd's configuration directory instead of `~/.azd`.
    pub const AZD_CONFIG_DIR: &str = "AZD_CONFIG_DIR";
    /// Foundry project endpoint.
    pub const AZURE_PROJECT_ENDPOINT: &str = "AZURE_PROJECT_ENDPOINT";
    /// Foundry project endpoint, the name that the sibling extensions use.
    pub const FOUNDRY_PROJECT_ENDPOINT: &str = "FOUNDRY_PROJECT_ENDPOINT";
    /// Subscription of the project.
    pub const AZURE_SUBSCRIPTION_ID: &str = "AZURE_SUBSCRIPTION_ID";
    /// Tenant for tokens.
    pub const AZURE_TENANT_ID: &str = "AZURE_TENANT_ID";
    /// Application id of the `env` credential.
    pub const AZURE_CLIENT_ID: &str = "AZURE_CLIENT_ID";
    /// Secret of the `env` credential.
    pub const AZURE_CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
    /// Certificate for a service principal; not supported, refused with a clear error.
    pub const AZURE_CLIENT_CERTIFICATE_PATH: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
    /// Resource group of the project, for the deploy command that `create` prints.
    pub const AZURE_RESOURCE_GROUP_NAME: &str = "AZURE_RESOURCE_GROUP_NAME";
    /// Foundry account of the project, for the deploy command that `create` prints.
    pub const AZURE_ACCOUNT_NAME: &str = "AZURE_ACCOUNT_NAME";
    /// Foundry project, for the deploy command that `create` prints.
    pub const AZURE_PROJECT_NAME: &str = "AZURE_PROJECT_NAME";
    /// Host that may receive tokens although it is not a known Foundry host.
    pub const ALLOW_HOST: &str = "AZURE_AI_MODELS_ALLOW_HOST";
    /// How to sign in: azd, azcli, workload, managed, env, emulator.
    pub const CREDENTIAL: &str = "AZURE_AI_MODELS_CREDENTIAL";
    /// Token scope for endpoints whose cloud has no known one.
    pub const SCOPE: &str = "AZURE_AI_MODELS_SCOPE";
    /// api-version of the data plane.
    pub const API_VERSION: &str = "AZURE_AI_MODELS_API_VERSION";
    /// How long an upload may stand still before it is ended, for example `10m`.
    pub const STALL_TIMEOUT: &str = "AZURE_AI_MODELS_STALL_TIMEOUT";
    /// Appended to the `User-Agent` header.
    pub const AZURE_HTTP_USER_AGENT: &str = "AZURE_HTTP_USER_AGENT";
    /// W3C trace context, passed on with each request.
    pub const TRACEPARENT: &str = "TRACEPARENT";
    /// Switches colour off (any value).
    pub const NO_COLOR: &str = "NO_COLOR";
    /// `1` switches colour on; azd sets it.
    pub const FORCE_COLOR: &str = "FORCE_COLOR";
    /// Width of a terminal in columns.
    pub const COLUMNS: &str = "COLUMNS";
    /// Where programs are looked up.
    pub const PATH: &str = "PATH";
    /// Home directory.
    pub const HOME: &str = "HOME";
    /// Multiplies every limit and delay; only in builds for tests.
    #[cfg(feature = "test-fakes")]
    pub const TEST_TIME: &str = "AZURE_AI_MODELS_TEST_TIME";
}

/// A snapshot of what the process was given: variables, directories, and which streams are terminals.
#[derive(Clone, Debug)]
pub struct Env {
    vars: BTreeMap<String, String>,
    cwd: PathBuf,
    home: Option<PathBuf>,
    /// Standard input is a terminal.
    pub stdin_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_terminal: bool,
}

impl Env {
    /// Reads the process environment. The only place that does.
    #[must_use]
    pub fn from_process() -> Self {
        let vars = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self {
            vars,
            cwd: std::env::current_dir().unwrap_or_default(),
            home: dirs::home_dir().filter(|home| home.is_absolute()),
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// An environment made of these variables alone, with no terminal; for tests and tools.
    #[must_use]
    pub fn from_vars<'a>(vars: impl IntoIterator<Item = (&'a str, &'a str)>, cwd: &Path) -> Self {
        let vars: BTreeMap<String, String> =
            vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let home = vars.get(var::HOME).map(PathBuf::from).filter(|home| home.is_absolute());
        Self { vars, cwd: cwd.to_owned(), home, stdin_terminal: false, stdout_terminal: false, stderr_terminal: false }
    }

    /// The value of a variable; an empty one counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A switch in Go's `ParseBool` words, as azd sets them; other words are ignored.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// All variables, in the order of their names; for the environment of child processes.
    pub fn vars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The working directory.
    #[must_use]
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Takes over a working directory that was changed with `--cwd`.
    pub fn set_cwd(&mut self, cwd: PathBuf) {
        self.cwd = cwd;
    }

    /// The home directory; never a relative path, so that a working directory cannot stand in for it.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// azd's configuration directory: `AZD_CONFIG_DIR`, else `~/.azd`.
    #[must_use]
    pub fn azd_config_dir(&self) -> Option<PathBuf> {
        match self.get(var::AZD_CONFIG_DIR) {
            Some(dir) => Some(self.cwd.join(dir)),
            None => self.home().map(|home| home.join(".azd")),
        }
    }

    /// True when azd started the program.
    #[must_use]
    pub fn run_by_azd(&self) -> bool {
        self.get(var::AZD_SERVER).is_some()
    }

    /// True when a question can be asked: standard input and standard error are both a terminal.
    #[must_use]
    pub fn interactive(&self) -> bool {
        self.stdin_terminal && self.stderr_terminal
    }
}

/// Every limit and delay of the program (cli.md 5, 7, 10, 12).
#[derive(Clone, Debug, PartialEq)]
pub struct Timings {
    /// To open a connection.
    pub connect: Duration,
    /// For one request, answer included.
    pub request: Duration,
    /// First pause between tries; it doubles.
    pub retry_first: Duration,
    /// Longest pause of our own between tries.
    pub retry_cap: Duration,
    /// Longest `Retry-After` that is obeyed.
    pub retry_after_cap: Duration,
    /// For a token from `azd` and the other sources.
    pub token: Duration,
    /// A token is fetched anew this long before it expires.
    pub token_margin: Duration,
    /// For the probe of the SAS URL before an upload.
    pub probe: Duration,
    /// First pause between polls of an operation; it doubles.
    pub poll_first: Duration,
    /// Longest pause between polls.
    pub poll_cap: Duration,
    /// For a registration to finish.
    pub register: Duration,
    /// For `azcopy --version`.
    pub azcopy_version: Duration,
    /// An upload that stands still this long is reported.
    pub stall_notice: Duration,
    /// An upload that stands still this long is ended.
    pub stall_limit: Duration,
    /// Between SIGINT and SIGKILL when AzCopy is ended.
    pub cancel_grace: Duration,
    /// Between status lines during an upload.
    pub status_line: Duration,
    scale: f64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            retry_first: Duration::from_millis(500),
            retry_cap: Duration::from_secs(20),
            retry_after_cap: Duration::from_secs(120),
            token: Duration::from_secs(30),
            token_margin: Duration::from_secs(300),
            probe: Duration::from_secs(5),
            poll_first: Duration::from_millis(250),
            poll_cap: Duration::from_secs(15),
            register: Duration::from_secs(30 * 60),
            azcopy_version: Duration::from_secs(10),
            stall_notice: Duration::from_secs(15),
            stall_limit: Duration::from_secs(10 * 60),
            cancel_grace: Duration::from_secs(5),
            status_line: Duration::from_secs(30),
            scale: 1.0,
        }
    }
}

impl Timings {
    /// The limits of a normal run; builds for tests scale them by `AZURE_AI_MODELS_TEST_TIME`.
    #[must_use]
    pub fn from_env(env: &Env) -> Self {
        #[cfg(feature = "test-fakes")]
        if let Some(scale) = env.get(var::TEST_TIME).and_then(|text| text.parse::<f64>().ok()) {
            return Self::default().scaled_by(scale);
        }
        let _: &Env = env;
        Self::default()
    }

    /// A time that came from outside, such as `Retry-After`, on this run's clock.
    #[must_use]
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.scale)
    }

    #[cfg(feature = "test-fakes")]
    fn scaled_by(&self, scale: f64) -> Self {
        let by = |duration: Duration| duration.mul_f64(scale);
        Self {
            connect: by(self.connect),
            request: by(self.request),
            retry_first: by(self.retry_first),
            retry_cap: by(self.retry_cap),
            retry_after_cap: by(self.retry_after_cap),
            token: by(self.token),
            token_margin: by(self.token_margin),
            // A loaded machine answers late, and no test has to wait for more than this.
            probe: by(self.probe).max(Duration::from_secs(1)),
            poll_first: by(self.poll_first),
            poll_cap: by(self.poll_cap),
            register: by(self.register),
            azcopy_version: self.azcopy_version,
            stall_notice: by(self.stall_notice),
            stall_limit: by(self.stall_limit),
            cancel_grace: by(self.cancel_grace),
            status_line: by(self.status_line),
            scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_take_the_words_of_go_and_ignore_others() {
        let cwd = Path::new("/");
        for (word, on) in [("1", true), ("True", true), ("t", true), ("false", false), ("yes", false), ("", false)] {
            let env = Env::from_vars([(var::AZD_DEBUG, word)], cwd);
            assert_eq!(env.flag(var::AZD_DEBUG), on, "{word:?}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Env::from_vars([(var::AZD_SERVER, "")], Path::new("/"));
        assert!(!env.run_by_azd());
    }

    #[test]
    fn a_relative_home_is_no_home() {
        let env = Env::from_vars([(var::HOME, "somewhere")], Path::new("/work"));
        assert_eq!(env.home(), None);
        assert_eq!(env.azd_config_dir(), None);
    }

    /// The full values, once: every other test runs on scaled ones.
    #[test]
    fn the_limits_are_those_of_the_command_line_design() {
        let timings = Timings::default();
        let seconds: Vec<f64> = [
            timings.connect,
            timings.request,
            timings.retry_first,
            timings.retry_cap,
            timings.retry_after_cap,
            timings.token,
            timings.token_margin,
            timings.probe,
            timings.poll_first,
            timings.poll_cap,
            timings.register,
            timings.azcopy_version,
            timings.stall_notice,
            timings.stall_limit,
            timings.cancel_grace,
            timings.status_line,
        ]
        .iter()
        .map(Duration::as_secs_f64)
        .collect();
        assert_eq!(
            seconds,
            [10.0, 60.0, 0.5, 20.0, 120.0, 30.0, 300.0, 5.0, 0.25, 15.0, 1800.0, 10.0, 15.0, 600.0, 5.0, 30.0]
        );
    }
}
