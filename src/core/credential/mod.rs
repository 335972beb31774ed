//! Tokens for services: their source, their time limit, and their cache.
//!
//! Owns the choice of the credential and of the scope, the cache, and the messages about a failed sign-in.

mod error;
mod executor;
mod fetch;
mod tls;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

pub use error::CredentialError;
pub use tls::install_provider;

use crate::env::{Env, Timings, var};
use crate::model::{Cloud, Report, Reporter};
use crate::redact::Token;

/// Sign-in method (`AZURE_AI_MODELS_CREDENTIAL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialMethod {
    /// Account of the Azure Developer CLI; the default.
    Azd,
    /// Account of the Azure CLI.
    AzCli,
    /// Identity of a Kubernetes pod.
    Workload,
    /// Identity of an Azure machine.
    Managed,
    /// Secret of a service principal in the environment.
    Env,
    /// Fixed token `emulator`, for an endpoint on this machine.
    Emulator,
}

impl CredentialMethod {
    const ALL: [Self; 6] = [Self::Azd, Self::AzCli, Self::Workload, Self::Managed, Self::Env, Self::Emulator];

    /// Method from the environment.
    ///
    /// # Errors
    /// [`CredentialError::UnknownMethod`].
    pub fn of(env: &Env) -> Result<Self, CredentialError> {
        let Some(word) = env.get(var::CREDENTIAL) else { return Ok(Self::Azd) };
        let method = Self::ALL.into_iter().find(|method| method.word() == word);
        method.ok_or_else(|| CredentialError::UnknownMethod { word: word.to_owned() })
    }

    /// Name of the method in `AZURE_AI_MODELS_CREDENTIAL`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Azd => "azd",
            Self::AzCli => "azcli",
            Self::Workload => "workload",
            Self::Managed => "managed",
            Self::Env => "env",
            Self::Emulator => "emulator",
        }
    }
}

/// Recipient of a token.
#[derive(Clone, Copy, Debug)]
pub struct TokenTarget<'a> {
    /// Host of the endpoint; its cloud determines the scope.
    pub host: &'a str,
    /// True if the endpoint is on this machine.
    pub loopback: bool,
    /// True if the user set the endpoint, by option or in their own environment; false if an azd environment did.
    pub named_by_user: bool,
    /// Service that accepts the token.
    pub audience: Audience,
}

/// A service that accepts tokens of its own scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Foundry project.
    Foundry,
    /// Azure Resource Manager.
    Arm,
    /// Deployments of an account.
    Inference,
}

/// Source of tokens for one endpoint; caches the last one.
pub struct TokenSource {
    env: Env,
    method: CredentialMethod,
    scope: String,
    tenant: Option<String>,
    timings: Timings,
    reporter: Reporter,
    cached: Mutex<Option<CachedToken>>,
    /// Held while a token is fetched, so that concurrent requests start only one `azd`.
    fetching: tokio::sync::Mutex<()>,
}

struct CachedToken {
    token: Token,
    /// Time from which the token is fetched again.
    stale_at: OffsetDateTime,
}

impl TokenSource {
    /// Chooses the method and the scope. Starts nothing yet.
    ///
    /// # Errors
    /// An unknown method, the emulator's token for another machine, another token for an endpoint on this machine that
    /// an azd environment set, a cloud without a known scope.
    pub fn new(
        env: &Env,
        target: TokenTarget<'_>,
        tenant: Option<&str>,
        timings: Timings,
        reporter: Reporter,
    ) -> Result<Self, CredentialError> {
        let method = CredentialMethod::of(env)?;
        if method == CredentialMethod::Emulator && !target.loopback {
            return Err(CredentialError::EmulatorElsewhere { host: target.host.to_owned() });
        }
        if method != CredentialMethod::Emulator && target.loopback && !target.named_by_user {
            return Err(CredentialError::LoopbackNotNamed { host: target.host.to_owned() });
        }
        // The variable sets the project's scope; the control plane has its own scope.
        let named = env.get(var::SCOPE).filter(|_| target.audience == Audience::Foundry);
        let scope = match named {
            Some(scope) => scope.to_owned(),
            None => scope_of(target).ok_or_else(|| CredentialError::NoScope { host: target.host.to_owned() })?,
        };
        Ok(Self {
            env: env.clone(),
            method,
            scope,
            tenant: tenant.map(str::to_owned),
            timings,
            reporter,
            cached: Mutex::new(None),
            fetching: tokio::sync::Mutex::new(()),
        })
    }

    /// Sign-in method of this source.
    #[must_use]
    pub fn method(&self) -> CredentialMethod {
        self.method
    }

    /// Scope of its tokens.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns a token that is valid for some more minutes: the cached one, or a new one.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn token(&self) -> Result<Token, CredentialError> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let _gate = self.fetching.lock().await;
        // Another request may have fetched it while this one waited.
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        (self.reporter)(Report::Debug(format!("token: asking {} for {}", self.method, self.scope)));
        let limit = self.timings.token;
        let (token, expires) = tokio::time::timeout(limit, fetch::fetch(self))
            .await
            .unwrap_or(Err(CredentialError::TimedOut { how: self.method, limit }))?;
        let margin = time::Duration::try_from(self.timings.token_margin).unwrap_or(time::Duration::MINUTE);
        let stale_at = expires.checked_sub(margin).unwrap_or(expires);
        *self.cache() = Some(CachedToken { token: token.clone(), stale_at });
        Ok(token)
    }

    /// Discards the cached token: the service responded to it with 401.
    pub fn drop_cached(&self) {
        *self.cache() = None;
    }

    fn fresh(&self) -> Option<Token> {
        self.cache().as_ref().filter(|kept| OffsetDateTime::now_utc() < kept.stale_at).map(|kept| kept.token.clone())
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Option<CachedToken>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").field("method", &self.method).field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Assumed lifetime of the emulator's fixed token, which never expires.
const FIXED_TOKEN_LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// Scope for the endpoint's cloud.
fn scope_of(target: TokenTarget<'_>) -> Option<String> {
    let cloud = Cloud::of_host(target.host);
    match target.audience {
        Audience::Foundry => cloud.project_scope().map(str::to_owned),
        Audience::Arm => Some(cloud.arm_scope()),
        Audience::Inference => Some(cloud.inference_scope()),
    }
}

#[cfg(test)]
mod tests;
