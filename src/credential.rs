//! Tokens: where they come from, how long that may take, and how long they are kept (cli.md 5).

mod azd;

use std::sync::{Arc, Mutex};

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
    ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use thiserror::Error;
use time::OffsetDateTime;

use crate::env::{Env, Timings, var};
use crate::project::{Cloud, ProjectEndpoint};
use crate::redact::{self, Token};

/// Why there is no token.
#[derive(Clone, Debug, Error)]
pub enum CredentialError {
    /// `AZURE_AI_MODELS_CREDENTIAL` holds another word.
    #[error(
        "'{0}' is not a way to sign in: AZURE_AI_MODELS_CREDENTIAL is azd, azcli, workload, managed, env or emulator"
    )]
    UnknownKind(String),
    /// The emulator's token, for an endpoint that is not on this machine.
    #[error("the emulator's credential is for an endpoint on this machine only")]
    EmulatorElsewhere,
    /// A cloud whose token scope is not known.
    #[error("the token scope of this cloud is not known")]
    UnknownScope,
    /// Variables of the `env` credential are missing.
    #[error("AZURE_AI_MODELS_CREDENTIAL=env needs {0}")]
    MissingVariable(&'static str),
    /// A certificate for a service principal.
    #[error("signing in with a certificate is not supported")]
    Certificate,
    /// The program that signs in is not on `PATH`.
    #[error("'{program}' was not found on PATH, and it is what signs in")]
    ProgramMissing {
        /// `azd` or `az`.
        program: &'static str,
    },
    /// It did not answer.
    #[error("{how} gave no token within {seconds} s")]
    TimedOut {
        /// Who was asked.
        how: &'static str,
        /// How long it was given.
        seconds: u64,
    },
    /// It said no.
    #[error("not signed in: {words}")]
    Refused {
        /// Who was asked.
        how: Kind,
        /// Its words, cleaned.
        words: String,
        /// Its own suggestion.
        suggestion: Option<String>,
    },
}

impl CredentialError {
    /// What to do about it.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::UnknownKind(_) => "Leave the variable out to sign in with azd.".into(),
            Self::EmulatorElsewhere => {
                "Leave AZURE_AI_MODELS_CREDENTIAL out, and sign in with 'azd auth login'.".into()
            }
            Self::UnknownScope => "Name it with AZURE_AI_MODELS_SCOPE.".into(),
            Self::MissingVariable(name) => format!("Set {name}."),
            Self::Certificate => "Use a client secret, or another AZURE_AI_MODELS_CREDENTIAL.".into(),
            Self::ProgramMissing { program: "az" } => "Install the Azure CLI: https://aka.ms/azure-cli".into(),
            Self::ProgramMissing { .. } => {
                "Install azd (https://aka.ms/azd-install), or choose another way with AZURE_AI_MODELS_CREDENTIAL."
                    .into()
            }
            Self::TimedOut { .. } => "Try again; if it stays silent, sign in anew.".into(),
            Self::Refused { suggestion: Some(suggestion), .. } => suggestion.clone(),
            Self::Refused { how, .. } => how.sign_in().into(),
        }
    }
}

/// The ways to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The account of `azd auth login`.
    Azd,
    /// The account of `az login`.
    AzureCli,
    /// Workload identity of a Kubernetes pod.
    Workload,
    /// Managed identity of an Azure machine.
    Managed,
    /// A service principal in the environment.
    Environment,
    /// A fixed word, for the emulator on this machine.
    Emulator,
}

impl Kind {
    fn from_env(env: &Env) -> Result<Self, CredentialError> {
        match env.get(var::CREDENTIAL) {
            None | Some("azd") => Ok(Self::Azd),
            Some("azcli") => Ok(Self::AzureCli),
            Some("workload") => Ok(Self::Workload),
            Some("managed") => Ok(Self::Managed),
            Some("env") => Ok(Self::Environment),
            Some("emulator") => Ok(Self::Emulator),
            Some(word) => Err(CredentialError::UnknownKind(word.to_owned())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Azd => "azd",
            Self::AzureCli => "the Azure CLI",
            Self::Workload => "the workload identity",
            Self::Managed => "the managed identity",
            Self::Environment => "Microsoft Entra ID",
            Self::Emulator => "the emulator's credential",
        }
    }

    fn sign_in(self) -> &'static str {
        match self {
            Self::Azd => "Sign in with: azd auth login",
            Self::AzureCli => "Sign in with: az login",
            Self::Workload => "Check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE of this pod.",
            Self::Managed => "Check that this machine has a managed identity, and that it has a role on the project.",
            Self::Environment => "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
            Self::Emulator => "Name an endpoint on this machine.",
        }
    }

    fn program(self) -> Option<&'static str> {
        match self {
            Self::Azd => Some("azd"),
            Self::AzureCli => Some("az"),
            Self::Workload | Self::Managed | Self::Environment | Self::Emulator => None,
        }
    }
}

/// Gives tokens for one project; keeps the last one until shortly before its end.
#[derive(Clone, Debug)]
pub struct TokenSource {
    kind: Kind,
    scope: String,
    credential: Option<Arc<dyn TokenCredential>>,
    timings: Timings,
    cached: Arc<Mutex<Option<(Token, OffsetDateTime)>>>,
}

impl TokenSource {
    /// Prepares the way to sign in that the environment names. Asks nobody yet.
    ///
    /// # Errors
    /// When the environment names no possible way.
    pub fn new(env: &Env, endpoint: &ProjectEndpoint, timings: Timings) -> Result<Self, CredentialError> {
        let kind = Kind::from_env(env)?;
        if kind == Kind::Emulator && !endpoint.is_loopback() {
            return Err(CredentialError::EmulatorElsewhere);
        }
        let scope = match (env.get(var::SCOPE), endpoint.cloud()) {
            (Some(scope), _) => scope.to_owned(),
            (None, Cloud::Public) => "https://ai.azure.com/.default".into(),
            (None, Cloud::UsGovernment) => "https://ai.azure.us/.default".into(),
            (None, Cloud::China) => return Err(CredentialError::UnknownScope),
        };
        let credential = credential(kind, env, &timings)?;
        Ok(Self { kind, scope, credential, timings, cached: Arc::default() })
    }

    /// A token, from the cache while it is good.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn token(&self) -> Result<Token, CredentialError> {
        let Some(credential) = &self.credential else {
            return Ok(Token::new("emulator".into()));
        };
        if let Some((token, good_until)) = self.cached()
            && OffsetDateTime::now_utc() + self.timings.token_margin < good_until
        {
            return Ok(token);
        }
        let scopes = [self.scope.as_str()];
        let answer = tokio::time::timeout(self.timings.token, credential.get_token(&scopes, None))
            .await
            .map_err(|_| CredentialError::TimedOut { how: self.kind.name(), seconds: self.timings.token.as_secs() })?;
        let access = answer.map_err(|error| self.refusal(&error))?;
        let token = Token::new(access.token.secret().to_owned());
        self.keep(Some((token.clone(), access.expires_on)));
        Ok(token)
    }

    /// Forgets the token that the service refused.
    pub fn drop_cached(&self) {
        self.keep(None);
    }

    fn cached(&self) -> Option<(Token, OffsetDateTime)> {
        self.cached.lock().ok()?.clone()
    }

    fn keep(&self, token: Option<(Token, OffsetDateTime)>) {
        if let Ok(mut cached) = self.cached.lock() {
            *cached = token;
        }
    }

    fn refusal(&self, error: &azure_core::Error) -> CredentialError {
        let mut words = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause_words = cause.to_string();
            if !words.contains(&cause_words) {
                words = format!("{words}: {cause_words}");
            }
            source = cause.source();
        }
        if let Some(program) = self.kind.program()
            && words.contains("not found on PATH")
        {
            return CredentialError::ProgramMissing { program };
        }
        let told = azd::told(&words);
        CredentialError::Refused { how: self.kind, words: redact::clean(&told.words), suggestion: told.suggestion }
    }
}

fn credential(kind: Kind, env: &Env, timings: &Timings) -> Result<Option<Arc<dyn TokenCredential>>, CredentialError> {
    let tenant_id = env.get(var::AZURE_TENANT_ID).map(str::to_owned);
    let executor = || Some(Arc::new(azd::GroupExecutor::new(env, timings.token)) as Arc<dyn azure_identity::Executor>);
    // azure_identity's own requests need it, and they may be the first of the process.
    drop(rustls::crypto::ring::default_provider().install_default());
    let made: azure_core::Result<Arc<dyn TokenCredential>> = match kind {
        Kind::Emulator => return Ok(None),
        Kind::Azd => AzureDeveloperCliCredential::new(Some(AzureDeveloperCliCredentialOptions {
            executor: executor(),
            tenant_id,
        }))
        .map(|made| made as Arc<dyn TokenCredential>),
        Kind::AzureCli => AzureCliCredential::new(Some(AzureCliCredentialOptions {
            executor: executor(),
            tenant_id,
            ..AzureCliCredentialOptions::default()
        }))
        .map(|made| made as Arc<dyn TokenCredential>),
        Kind::Workload => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions::default()))
            .map(|made| made as Arc<dyn TokenCredential>),
        Kind::Managed => ManagedIdentityCredential::new(None).map(|made| made as Arc<dyn TokenCredential>),
        Kind::Environment => {
            let given = |name| env.get(name).map(str::to_owned).ok_or(CredentialError::MissingVariable(name));
            if env.get(var::AZURE_CLIENT_SECRET).is_none() && env.get(var::AZURE_CLIENT_CERTIFICATE_PATH).is_some() {
                return Err(CredentialError::Certificate);
            }
            let tenant = given(var::AZURE_TENANT_ID)?;
            let client = given(var::AZURE_CLIENT_ID)?;
            let secret = Secret::new(given(var::AZURE_CLIENT_SECRET)?);
            ClientSecretCredential::new(&tenant, client, secret, None).map(|made| made as Arc<dyn TokenCredential>)
        }
    };
    match made {
        Ok(credential) => Ok(Some(credential)),
        Err(error) => {
            Err(CredentialError::Refused { how: kind, words: redact::clean(&error.to_string()), suggestion: None })
        }
    }
}
