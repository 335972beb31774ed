//! One fetch of a token with azure_identity, and the classification of its failure.
//!
//! The credential is created for each fetch: those that cache tokens would answer a 401 with the token that was just
//! rejected.

use std::sync::Arc;

use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
    ClientSecretCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use time::OffsetDateTime;

use super::executor::{GroupExecutor, ProgramExit};
use super::{CredentialError, CredentialMethod, FIXED_TOKEN_LIFETIME, TokenSource, tls};
use crate::azd::{AzdMessage, INSTALL};
use crate::env::var;
use crate::redact::{Token, clean, remember};

const AZ_LINK: &str = "https://aka.ms/installazurecli";

/// Fetches a new token. Returns it with its expiry.
pub(super) async fn fetch(source: &TokenSource) -> Result<(Token, OffsetDateTime), CredentialError> {
    if source.method == CredentialMethod::Emulator {
        return Ok((Token::new("emulator".into()), OffsetDateTime::now_utc() + FIXED_TOKEN_LIFETIME));
    }
    let tool = if source.method == CredentialMethod::AzCli { "az" } else { "azd" };
    let executor = Arc::new(GroupExecutor::new(&source.env, tool));
    let credential = credential(source, &executor)?;
    match credential.get_token(&[&source.scope], None).await {
        Ok(AccessToken { token, expires_on, .. }) => Ok((valid_token(source.method, token.secret())?, expires_on)),
        Err(error) => Err(failure(source.method, executor.take_exit(), &error)),
    }
}

/// Validates the token of any method: text that can be sent in a header, and not empty.
fn valid_token(how: CredentialMethod, token: &str) -> Result<Token, CredentialError> {
    let is_usable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_usable { Ok(Token::new(token.to_owned())) } else { Err(CredentialError::Unreadable { how }) }
}

fn credential(
    source: &TokenSource,
    executor: &Arc<GroupExecutor>,
) -> Result<Arc<dyn TokenCredential>, CredentialError> {
    let how = source.method;
    let bad = |error: azure_core::Error| CredentialError::BadConfiguration { how, message: message_of(&error) };
    let tenant_id = source.tenant.clone();
    let client_id = source.env.get(var::AZURE_CLIENT_ID).map(str::to_owned);
    Ok(match how {
        CredentialMethod::Azd | CredentialMethod::Emulator => {
            let executor = Some(Arc::<GroupExecutor>::clone(executor) as _);
            let options = AzureDeveloperCliCredentialOptions { executor, tenant_id };
            AzureDeveloperCliCredential::new(Some(options)).map_err(bad)?
        }
        CredentialMethod::AzCli => {
            let executor = Some(Arc::<GroupExecutor>::clone(executor) as _);
            let options = AzureCliCredentialOptions { executor, tenant_id, subscription: None };
            AzureCliCredential::new(Some(options)).map_err(bad)?
        }
        CredentialMethod::Workload => {
            tls::install_provider();
            let options = WorkloadIdentityCredentialOptions { client_id, tenant_id, ..Default::default() };
            WorkloadIdentityCredential::new(Some(options)).map_err(bad)?
        }
        CredentialMethod::Managed => {
            tls::install_provider();
            let user_assigned_id = client_id.map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, ..Default::default() };
            ManagedIdentityCredential::new(Some(options)).map_err(bad)?
        }
        CredentialMethod::Env => {
            if source.env.get(var::AZURE_CLIENT_SECRET).is_none()
                && source.env.get(var::AZURE_CLIENT_CERTIFICATE_PATH).is_some()
            {
                return Err(CredentialError::Certificate);
            }
            let needed = |name: &'static str| {
                source.env.get(name).map(str::to_owned).ok_or(CredentialError::MissingVariable { how, name })
            };
            let tenant = tenant_id.map_or_else(|| needed(var::AZURE_TENANT_ID), Ok)?;
            let client = needed(var::AZURE_CLIENT_ID)?;
            let secret = needed(var::AZURE_CLIENT_SECRET)?;
            remember(&secret);
            let secret = Secret::new(secret);
            tls::install_provider();
            ClientSecretCredential::new(&tenant, client, secret, None).map_err(bad)?
        }
    })
}

fn failure(how: CredentialMethod, exit: Option<ProgramExit>, error: &azure_core::Error) -> CredentialError {
    match (how, exit) {
        (CredentialMethod::Azd, Some(ProgramExit::Missing)) => {
            CredentialError::ProgramMissing { program: "azd", link: INSTALL }
        }
        (CredentialMethod::AzCli, Some(ProgramExit::Missing)) => {
            CredentialError::ProgramMissing { program: "az", link: AZ_LINK }
        }
        (_, Some(ProgramExit::Failed { stdout, stderr })) => {
            let AzdMessage { message, suggestion } = AzdMessage::read(&stderr, &stdout);
            // The tools have no code for it; both name the command in the message or in the suggestion.
            let login = if how == CredentialMethod::AzCli { "az login" } else { "azd auth login" };
            let says = |text: &str| text.contains(login) || text.contains("not logged in");
            if says(&message) || suggestion.as_deref().is_some_and(says) {
                CredentialError::NotSignedIn { how, message, suggestion }
            } else {
                CredentialError::Refused { how, message, suggestion }
            }
        }
        // The tool succeeded, so parsing its response failed. The error may quote it, and is not repeated.
        (CredentialMethod::Azd | CredentialMethod::AzCli, _) if !is_io(error) && !is_configuration(error) => {
            CredentialError::Unreadable { how }
        }
        (CredentialMethod::Azd | CredentialMethod::AzCli, _) => {
            CredentialError::BadConfiguration { how, message: message_of(error) }
        }
        (_, _) => CredentialError::Refused { how, message: message_of(error), suggestion: None },
    }
}

/// True if the shell itself could not be started.
fn is_io(error: &azure_core::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// True if azure_identity rejected the scope before it started anything.
fn is_configuration(error: &azure_core::Error) -> bool {
    std::error::Error::source(error).is_none()
}

/// Message of azure_identity without its name and its link, which do not help users here.
fn message_of(error: &azure_core::Error) -> String {
    let text = clean(&error.to_string());
    let text = text.split("\nTo troubleshoot, visit").next().unwrap_or_default();
    let text = text.split_once("authentication failed.").map_or(text, |(_, rest)| rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_method_returns_an_empty_token() {
        for how in CredentialMethod::ALL {
            for token in ["", " ", "a b", "a\nb", "a\u{7f}", "ä"] {
                assert_eq!(valid_token(how, token), Err(CredentialError::Unreadable { how }), "{token:?}");
            }
            assert!(valid_token(how, "eyJ0.eyJh.x-_~+/=").is_ok());
        }
    }
}
