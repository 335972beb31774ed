//! Token for the Hub, from the user's own environment.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::env::{Env, var};
use crate::redact::Token;

/// Maximum length of a token.
const MAX_LENGTH: usize = 4096;

/// Token that is sent only to the Hub.
#[derive(Clone, Debug)]
pub struct HubToken {
    token: Token,
    origin: TokenOrigin,
}

/// Origin of a token, for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenOrigin {
    /// Environment variable.
    Variable(&'static str),
    /// File that `hf auth login` writes.
    File(PathBuf),
}

impl fmt::Display for TokenOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Failure to read a token that the user configured.
#[derive(Debug, Error)]
pub enum HubTokenError {
    /// The text cannot be sent in a header.
    #[error("{0} contains no Hugging Face token")]
    NoToken(TokenOrigin),
    /// The file in `HF_TOKEN_PATH` cannot be read.
    #[error("cannot read the token file {}: {why}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Message of the operating system.
        why: io::Error,
    },
}

impl HubToken {
    /// Finds a token: `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, then the file that `hf auth login` wrote, unless
    /// `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set. A variable is explicit, and is sent even then.
    ///
    /// # Errors
    /// See [`HubTokenError`]. A file at the default path that cannot be read counts as none.
    pub fn find(env: &Env) -> Result<Option<Self>, HubTokenError> {
        for name in [var::HF_TOKEN, var::HUGGING_FACE_HUB_TOKEN] {
            if let Some(text) = env.get(name) {
                return Self::new(text, TokenOrigin::Variable(name)).map(Some);
            }
        }
        if is_on(env, var::HF_HUB_DISABLE_IMPLICIT_TOKEN) {
            return Ok(None);
        }
        let named = env.get(var::HF_TOKEN_PATH).map(|path| env.cwd().join(path));
        let is_named = named.is_some();
        let Some(path) = named.or_else(|| home(env).map(|home| home.join("token"))) else { return Ok(None) };
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Ok(None),
            Ok(text) => Self::new(text.trim(), TokenOrigin::File(path)).map(Some),
            Err(why) if is_named => Err(HubTokenError::Unreadable { path, why }),
            Err(_) => Ok(None),
        }
    }

    fn new(text: &str, origin: TokenOrigin) -> Result<Self, HubTokenError> {
        let is_token = text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token {
            return Err(HubTokenError::NoToken(origin));
        }
        Ok(Self { token: Token::new(text.to_owned()), origin })
    }

    /// Origin of the token.
    #[must_use]
    pub fn origin(&self) -> &TokenOrigin {
        &self.origin
    }

    /// Value of the `Authorization` header.
    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.token.expose())
    }
}

/// True for an enabled switch in the notation of the Hub's own client: 1, on, yes, true, case-insensitively.
#[must_use]
pub fn is_on(env: &Env, name: &str) -> bool {
    let words = ["1", "on", "yes", "true"];
    env.get(name).is_some_and(|word| words.iter().any(|one| word.eq_ignore_ascii_case(one)))
}

/// Directory of the Hub's own client: `HF_HOME`, otherwise `$XDG_CACHE_HOME/huggingface`, otherwise
/// `~/.cache/huggingface`.
fn home(env: &Env) -> Option<PathBuf> {
    let own = env.get(var::HF_HOME).map(|path| env.cwd().join(path));
    let in_cache = || Some(env.cwd().join(env.get(var::XDG_CACHE_HOME)?).join("huggingface"));
    let in_home = || env.home().map(|home: &Path| home.join(".cache").join("huggingface"));
    own.or_else(in_cache).or_else(in_home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    fn found(vars: &[(&str, &str)], cwd: &Path) -> Option<(String, TokenOrigin)> {
        let env = Env::from_vars(vars.iter().copied(), cwd);
        let token = HubToken::find(&env).expect("no fault")?;
        Some((token.authorization(), token.origin))
    }

    #[test]
    fn variables_come_before_the_stored_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let cwd = dir.path();
        std::fs::create_dir_all(cwd.join("home/.cache/huggingface")).expect("directories");
        std::fs::create_dir_all(cwd.join("xdg/huggingface")).expect("directories");
        std::fs::write(cwd.join("home/.cache/huggingface/token"), "hf_of_home\n").expect("written");
        std::fs::write(cwd.join("xdg/huggingface/token"), " hf_of_xdg\r\n").expect("written");
        std::fs::write(cwd.join("token"), "hf_of_hf_home").expect("written");
        std::fs::write(cwd.join("named"), "hf_named").expect("written");
        let home = cwd.join("home").display().to_string();
        let all = [
            ("HF_TOKEN", "hf_first"),
            ("HUGGING_FACE_HUB_TOKEN", "hf_second"),
            ("HF_TOKEN_PATH", "named"),
            ("HF_HOME", "."),
            ("XDG_CACHE_HOME", "xdg"),
            (Platform::CURRENT.home_variable(), &home),
        ];
        let expected = ["hf_first", "hf_second", "hf_named", "hf_of_hf_home", "hf_of_xdg", "hf_of_home"];
        for (skipped, token) in expected.iter().enumerate() {
            let (authorization, origin) = found(&all[skipped..], cwd).expect("a token");
            assert_eq!(authorization, format!("Bearer {token}"));
            assert_eq!(matches!(origin, TokenOrigin::Variable(_)), skipped < 2);
        }
        assert_eq!(found(&[(Platform::CURRENT.home_variable(), "/nowhere")], cwd), None);
        let implicit = ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "YES");
        assert_eq!(found(&[implicit, ("HF_HOME", ".")], cwd), None);
        assert!(found(&[implicit, ("HF_TOKEN", "hf_first")], cwd).is_some());
    }

    #[test]
    fn an_invalid_token_is_reported() {
        let dir = tempfile::tempdir().expect("a directory");
        let env = |vars: &[(&'static str, &'static str)]| Env::from_vars(vars.iter().copied(), dir.path());
        let two = HubToken::find(&env(&[("HF_TOKEN", "hf_a hf_b")])).expect_err("two words");
        assert_eq!(two.to_string(), "HF_TOKEN contains no Hugging Face token");
        let gone = HubToken::find(&env(&[("HF_TOKEN_PATH", "gone")]));
        assert!(matches!(gone, Err(HubTokenError::Unreadable { .. })));
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = HubToken::new("hf_CANARYCANARY", TokenOrigin::Variable("HF_TOKEN")).expect("a token");
        assert!(!format!("{token:?}").contains("CANARY"));
    }
}
