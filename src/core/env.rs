//! The process environment, read once, and every limit and delay of the program.
//!
//! Owns the names of all variables and what they mean. Nothing else in the crate reads `std::env`.

mod timings;
mod variables;

pub use timings::Timings;

use std::collections::BTreeSet;
use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use variables::{Names, Variables};

/// Names of the variables that the program reads.
pub mod var {
    /// Address of azd's gRPC server, `127.0.0.1:PORT`; set when azd runs the program.
    pub const AZD_SERVER: &str = "AZD_SERVER";
    /// The token for that server, opaque and good for an hour.
    pub const AZD_ACCESS_TOKEN: &str = "AZD_ACCESS_TOKEN";
    /// Name of the environment whose values azd passes on.
    pub const AZURE_ENV_NAME: &str = "AZURE_ENV_NAME";
    /// azd environment, where no option names one; azd sets it for its own `-e`.
    pub const AZD_ENVIRONMENT: &str = "AZD_ENVIRONMENT";
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
    /// Azure region of the project.
    pub const AZURE_LOCATION: &str = "AZURE_LOCATION";
    /// Foundry project, for the deploy command that `create` prints.
    pub const AZURE_PROJECT_NAME: &str = "AZURE_PROJECT_NAME";
    /// Host that may receive tokens although it is not a known Foundry host.
    pub const ALLOW_HOST: &str = "AZURE_AI_MODELS_ALLOW_HOST";
    /// Another place to download AzCopy from, for example a company mirror.
    pub const AZCOPY_URL: &str = "AZURE_AI_MODELS_AZCOPY_URL";
    /// SHA-256 that the downloaded archive of AzCopy must have.
    pub const AZCOPY_SHA256: &str = "AZURE_AI_MODELS_AZCOPY_SHA256";
    /// How to sign in: azd, azcli, workload, managed, env, emulator.
    pub const CREDENTIAL: &str = "AZURE_AI_MODELS_CREDENTIAL";
    /// Another address of Azure Resource Manager.
    pub const ARM_ENDPOINT: &str = "AZURE_AI_MODELS_ARM_ENDPOINT";
    /// Token scope for endpoints whose cloud has no known one.
    pub const SCOPE: &str = "AZURE_AI_MODELS_SCOPE";
    /// api-version of the data plane.
    pub const API_VERSION: &str = "AZURE_AI_MODELS_API_VERSION";
    /// What sends the bytes: `azcopy` or `native`.
    pub const ENGINE: &str = "AZURE_AI_MODELS_ENGINE";
    /// How long an upload may stand still before it is ended, for example `10m`.
    pub const STALL_TIMEOUT: &str = "AZURE_AI_MODELS_STALL_TIMEOUT";
    /// Appended to the `User-Agent` header.
    pub const AZURE_HTTP_USER_AGENT: &str = "AZURE_HTTP_USER_AGENT";
    /// W3C trace context, passed on with each request.
    pub const TRACEPARENT: &str = "TRACEPARENT";
    /// What belongs to the trace context.
    pub const TRACESTATE: &str = "TRACESTATE";
    /// Switches colour off (any value).
    pub const NO_COLOR: &str = "NO_COLOR";
    /// `1` switches colour on; azd sets it.
    pub const FORCE_COLOR: &str = "FORCE_COLOR";
    /// Width of a terminal in columns.
    pub const COLUMNS: &str = "COLUMNS";
    /// The proxy for HTTPS; a lower-case name counts as well, here and in [`ALL_PROXY`].
    pub const HTTPS_PROXY: &str = "HTTPS_PROXY";
    /// The proxy for everything that has none of its own. Go does not know it.
    pub const ALL_PROXY: &str = "ALL_PROXY";
    /// The certificates that TLS trusts, a file in PEM; for OpenSSL, Go and us alike.
    pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
    /// Directories of such files, separated as in `PATH`; for OpenSSL, Go and us alike.
    pub const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
    /// Where programs are looked up.
    pub const PATH: &str = "PATH";
    /// Home directory.
    pub const HOME: &str = "HOME";
    /// Set by Jupyter for its kernels and what they start.
    pub const JPY_PARENT_PID: &str = "JPY_PARENT_PID";
    /// ARM id of the project, as azd's own templates write it.
    pub const AZURE_AI_PROJECT_ID: &str = "AZURE_AI_PROJECT_ID";
    /// Address of the Hugging Face Hub, instead of the public one.
    pub const HF_ENDPOINT: &str = "HF_ENDPOINT";
    /// Token for the Hub.
    pub const HF_TOKEN: &str = "HF_TOKEN";
    /// Older name of [`HF_TOKEN`].
    pub const HUGGING_FACE_HUB_TOKEN: &str = "HUGGING_FACE_HUB_TOKEN";
    /// File with a token for the Hub.
    pub const HF_TOKEN_PATH: &str = "HF_TOKEN_PATH";
    /// Directory of the Hub's own client.
    pub const HF_HOME: &str = "HF_HOME";
    /// Directory of caches, where `HF_HOME` is unless set.
    pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
    /// The token in the file is not sent.
    pub const HF_HUB_DISABLE_IMPLICIT_TOKEN: &str = "HF_HUB_DISABLE_IMPLICIT_TOKEN";
    /// The Hub is not asked.
    pub const HF_HUB_OFFLINE: &str = "HF_HUB_OFFLINE";
    /// Variables that widen whom the program trusts with tokens and with running. A run that azd did not start ignores
    /// them where a `.env` of the azd project sets them too: a shell may have loaded that file.
    pub const TRUST: [&str; 6] = [ALLOW_HOST, AZCOPY_URL, AZCOPY_SHA256, ARM_ENDPOINT, CREDENTIAL, SCOPE];
    /// Variables that choose the Hugging Face Hub and the token that it gets, under the same rule as [`TRUST`].
    pub const HUB: [&str; 8] = [
        HF_ENDPOINT,
        HF_TOKEN,
        HUGGING_FACE_HUB_TOKEN,
        HF_TOKEN_PATH,
        HF_HOME,
        XDG_CACHE_HOME,
        HF_HUB_DISABLE_IMPLICIT_TOKEN,
        HF_HUB_OFFLINE,
    ];
    /// Variables that an azd environment may set. They name a project, which its endpoint's rules check, or change how
    /// output looks. Nothing here chooses a program, a host for tokens, a certificate, a credential or a directory.
    pub const FROM_AZD: [&str; 18] = [
        AZURE_TENANT_ID,
        AZURE_SUBSCRIPTION_ID,
        AZURE_RESOURCE_GROUP_NAME,
        AZURE_ACCOUNT_NAME,
        AZURE_PROJECT_NAME,
        AZURE_LOCATION,
        AZURE_PROJECT_ENDPOINT,
        AZURE_AI_PROJECT_ID,
        FOUNDRY_PROJECT_ENDPOINT,
        AZURE_ENV_NAME,
        API_VERSION,
        ENGINE,
        STALL_TIMEOUT,
        AZD_DEBUG,
        AZD_NO_PROMPT,
        NO_COLOR,
        FORCE_COLOR,
        COLUMNS,
    ];
    /// Multiplies every pause and limit; only in builds for tests.
    #[cfg(feature = "test-fakes")]
    pub const TEST_TIME: &str = "AZURE_AI_MODELS_TEST_TIME";
}

/// A snapshot of what the process was given: variables, directories, and which streams are terminals.
#[derive(Clone)]
pub struct Env {
    vars: Variables,
    cwd: PathBuf,
    home: Option<PathBuf>,
    /// Variables that an azd environment set.
    from_azd: BTreeSet<String>,
    /// azd's server was asked, and did not answer within its limit.
    azd_silent: bool,
    /// Standard input is a terminal.
    pub stdin_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_terminal: bool,
}

/// Names alone: values may be secrets.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("vars", &self.vars.values.keys()).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

impl Env {
    /// Reads the process environment. The only place that does.
    #[must_use]
    pub fn from_process() -> Self {
        let vars = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        Self {
            vars: Variables::new(vars, Names::SYSTEM),
            cwd: std::env::current_dir().unwrap_or_default(),
            home: dirs::home_dir().filter(|home| home.is_absolute()),
            from_azd: BTreeSet::new(),
            azd_silent: false,
            stdin_terminal: std::io::stdin().is_terminal(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// An environment made of these variables alone, with no terminal; for tests and tools.
    #[must_use]
    pub fn from_vars<'a>(vars: impl IntoIterator<Item = (&'a str, &'a str)>, cwd: &Path) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let vars = Variables::new(vars, Names::SYSTEM);
        let home = vars.get(var::HOME).map(PathBuf::from).filter(|home| home.is_absolute());
        Self {
            vars,
            cwd: cwd.to_owned(),
            home,
            from_azd: BTreeSet::new(),
            azd_silent: false,
            stdin_terminal: false,
            stdout_terminal: false,
            stderr_terminal: false,
        }
    }

    /// The value of a variable without blanks around it: a `.env` file of Windows ends its lines with a carriage return.
    /// An empty one counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A switch in Go's `ParseBool` words, as azd sets them; other words are ignored.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// All variables, in the order of their names, which Windows has in capitals; for the environment of child processes.
    pub fn vars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same without some variables.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut env = self.clone();
        env.vars.remove(names);
        env
    }

    /// Takes over which of the variables an azd environment set.
    pub fn set_from_azd(&mut self, names: BTreeSet<String>) {
        self.from_azd = names;
    }

    /// True when an azd environment set the variable, so that its value is not the user's word.
    #[must_use]
    pub fn is_from_azd(&self, name: &str) -> bool {
        self.from_azd.contains(name)
    }

    /// Remembers that azd's server did not answer within its limit.
    pub fn set_azd_silent(&mut self) {
        self.azd_silent = true;
    }

    /// True when azd's server did not answer this run within its limit.
    #[must_use]
    pub fn is_azd_silent(&self) -> bool {
        self.azd_silent
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

    /// True when a question can be asked: standard input and standard error are both a terminal, and not that of a
    /// notebook, on which nobody can type.
    #[must_use]
    pub fn interactive(&self) -> bool {
        self.stdin_terminal && self.stderr_terminal && self.get(var::JPY_PARENT_PID).is_none()
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
}
