//! One fetch of a token with azure_identity, and what its failure means.
//!
//! The credential is made anew for each fetch: those that keep tokens of their own would answer a 401 with the token
//! that was just refused.

use std::sync::Arc;

use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
    ClientSecretCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use time::OffsetDateTime;

use super::executor::{Ending, GroupExecutor};
use super::{CredentialError, FOR_EVER, Method, TokenSource, tls};
use crate::azd::{AzdWords, INSTALL};
use crate::env::var;
use crate::redact::{Token, clean, remember};

const AZ_LINK: &str = "https://aka.ms/installazurecli";

/// A new token and its end.
pub(super) async fn fetch(source: &TokenSource) -> Result<(Token, OffsetDateTime), CredentialError> {
    if source.method == Method::Emulator {
        return Ok((Token::new("emulator".into()), OffsetDateTime::now_utc() + FOR_EVER));
    }
    let tool = if source.method == Method::AzCli { "az" } else { "azd" };
    let executor = Arc::new(GroupExecutor::new(&source.env, tool));
    let credential = credential(source, &executor)?;
    match credential.get_token(&[&source.scope], None).await {
        Ok(AccessToken { token, expires_on, .. }) => Ok((usable(source.method, token.secret())?, expires_on)),
        Err(error) => Err(failure(source.method, executor.take_ending(), &error)),
    }
}

/// The token of any of the methods: text that a header can carry, and not none.
fn usable(how: Method, token: &str) -> Result<Token, CredentialError> {
    let is_usable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_usable { Ok(Token::new(token.to_owned())) } else { Err(CredentialError::Unreadable { how }) }
}

fn credential(
    source: &TokenSource,
    executor: &Arc<GroupExecutor>,
) -> Result<Arc<dyn TokenCredential>, CredentialError> {
    let how = source.method;
    let bad = |error: azure_core::Error| CredentialError::BadConfiguration { how, words: words_of(&error) };
    let tenant_id = source.tenant.clone();
    let client_id = source.env.get(var::AZURE_CLIENT_ID).map(str::to_owned);
    Ok(match how {
        Method::Azd | Method::Emulator => {
            let executor = Some(Arc::<GroupExecutor>::clone(executor) as _);
            let options = AzureDeveloperCliCredentialOptions { executor, tenant_id };
            AzureDeveloperCliCredential::new(Some(options)).map_err(bad)?
        }
        Method::AzCli => {
            let executor = Some(Arc::<GroupExecutor>::clone(executor) as _);
            let options = AzureCliCredentialOptions { executor, tenant_id, subscription: None };
            AzureCliCredential::new(Some(options)).map_err(bad)?
        }
        Method::Workload => {
            tls::install_provider();
            let options = WorkloadIdentityCredentialOptions { client_id, tenant_id, ..Default::default() };
            WorkloadIdentityCredential::new(Some(options)).map_err(bad)?
        }
        Method::Managed => {
            tls::install_provider();
            let user_assigned_id = client_id.map(UserAssignedId::ClientId);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, ..Default::default() };
            ManagedIdentityCredential::new(Some(options)).map_err(bad)?
        }
        Method::Env => {
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

fn failure(how: Method, ending: Option<Ending>, error: &azure_core::Error) -> CredentialError {
    match (how, ending) {
        (Method::Azd, Some(Ending::Missing)) => CredentialError::ProgramMissing { program: "azd", link: INSTALL },
        (Method::AzCli, Some(Ending::Missing)) => CredentialError::ProgramMissing { program: "az", link: AZ_LINK },
        (_, Some(Ending::Failed { stdout, stderr })) => {
            let AzdWords { message: words, suggestion } = AzdWords::read(&stderr, &stdout);
            // The tools have no code for it; both name the remedy in the message or in the suggestion.
            let remedy = if how == Method::AzCli { "az login" } else { "azd auth login" };
            let says = |text: &str| text.contains(remedy) || text.contains("not logged in");
            if says(&words) || suggestion.as_deref().is_some_and(says) {
                CredentialError::NotSignedIn { how, words, suggestion }
            } else {
                CredentialError::Refused { how, words, suggestion }
            }
        }
        // The tool ended well, so what failed is reading its answer. The error may quote it: not repeated.
        (Method::Azd | Method::AzCli, _) if !is_io(error) && !is_configuration(error) => {
            CredentialError::Unreadable { how }
        }
        (Method::Azd | Method::AzCli, _) => CredentialError::BadConfiguration { how, words: words_of(error) },
        (_, _) => CredentialError::Refused { how, words: words_of(error), suggestion: None },
    }
}

/// The shell itself could not be started.
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

/// azure_identity refused the scope before it started anything.
fn is_configuration(error: &azure_core::Error) -> bool {
    std::error::Error::source(error).is_none()
}

/// azure_identity's words without its name and its link, which mean nothing to a person here.
fn words_of(error: &azure_core::Error) -> String {
    let text = clean(&error.to_string());
    let text = text.split("\nTo troubleshoot, visit").next().unwrap_or_default();
    let text = text.split_once("authentication failed.").map_or(text, |(_, rest)| rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_method_gives_a_token_that_is_none() {
        for how in Method::ALL {
            for token in ["", " ", "a b", "a\nb", "a\u{7f}", "ä"] {
                assert_eq!(usable(how, token), Err(CredentialError::Unreadable { how }), "{token:?}");
            }
            assert!(usable(how, "eyJ0.eyJh.x-_~+/=").is_ok());
        }
    }
}
