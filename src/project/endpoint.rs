//! What a project endpoint must look like: a bearer token never goes to a host that nobody named (cli.md 4).

use std::fmt;

use thiserror::Error;
use url::Url;

use crate::model::is_loopback;

/// `https://{account}.services.ai.azure.com/api/projects/{project}`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEndpoint {
    url: Url,
    project: String,
}

/// The cloud that an endpoint belongs to; it decides the token's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// `.azure.com`, and every host that is not of another cloud.
    Public,
    /// `.azure.us`.
    UsGovernment,
    /// `.azure.cn`.
    China,
}

/// Why a text is no project endpoint.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Not an address.
    #[error("the project endpoint is not a URL")]
    NotAUrl,
    /// Plain http to another machine, or another scheme.
    #[error("the project endpoint must start with https://")]
    NotHttps,
    /// `https://user:password@host`.
    #[error("the project endpoint must not hold a user name or password")]
    UserInfo,
    /// A query or a fragment.
    #[error("the project endpoint must not hold '?' or '#'")]
    Query,
    /// Another path.
    #[error("the project endpoint must have the path /api/projects/PROJECT")]
    Path,
    /// A host that is not Foundry's.
    #[error("{0} is not a Foundry host, and a token is not sent to it")]
    Host(String),
}

impl EndpointError {
    /// What to do about it.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::Host(host) => format!(
                "Use https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT. If {host} really is a Foundry host, set AZURE_AI_MODELS_ALLOW_HOST={host}."
            ),
            _ => {
                "Use https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT, as the Foundry portal shows it.".into()
            }
        }
    }
}

const SUFFIXES: [&str; 3] = [".services.ai.azure.com", ".services.ai.azure.us", ".services.ai.azure.cn"];

impl ProjectEndpoint {
    /// Checks an endpoint. `allowed_host` is the one more host that the person named.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn parse(text: &str, allowed_host: Option<&str>) -> Result<Self, EndpointError> {
        let mut url = Url::parse(text.trim()).map_err(|_| EndpointError::NotAUrl)?;
        let host = url.host_str().ok_or(EndpointError::NotAUrl)?.to_ascii_lowercase();
        let loopback = is_loopback(&url);
        if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
            return Err(EndpointError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        let known = SUFFIXES.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(|label| !label.is_empty()));
        let named = allowed_host.is_some_and(|allowed| allowed.eq_ignore_ascii_case(&host));
        if !(loopback || known || named) {
            return Err(EndpointError::Host(host));
        }
        let path = url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
        let project =
            path.strip_prefix("/api/projects/").filter(|project| !project.is_empty() && !project.contains('/'));
        let project = project.ok_or(EndpointError::Path)?.to_owned();
        url.set_path(&path);
        Ok(Self { url, project })
    }

    /// The address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The project's name, percent-encoded as in the address.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The cloud.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        match self.url.host_str().unwrap_or_default() {
            host if host.ends_with(".azure.us") => Cloud::UsGovernment,
            host if host.ends_with(".azure.cn") => Cloud::China,
            _ => Cloud::Public,
        }
    }

    /// True when the endpoint is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// True when the URL has the same scheme, host and port: the only place that gets the token.
    #[must_use]
    pub fn same_origin(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }
}

impl fmt::Display for ProjectEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_all_clouds_and_of_this_machine_are_taken() {
        for (text, cloud) in [
            ("https://a.services.ai.azure.com/api/projects/p", Cloud::Public),
            (" https://A.Services.AI.Azure.com/api/projects/p/ ", Cloud::Public),
            ("https://a.services.ai.azure.us/api/projects/p", Cloud::UsGovernment),
            ("https://a.services.ai.azure.cn/api/projects/p", Cloud::China),
            ("http://127.0.0.1:8700/api/projects/p", Cloud::Public),
            ("http://[::1]:8700/api/projects/p", Cloud::Public),
            ("http://localhost:8700/api/projects/p", Cloud::Public),
        ] {
            let endpoint = ProjectEndpoint::parse(text, None).expect(text);
            assert_eq!((endpoint.project(), endpoint.cloud()), ("p", cloud), "{text}");
            assert!(!endpoint.as_str().ends_with('/'));
        }
    }

    #[test]
    fn a_token_never_goes_to_a_host_that_nobody_named() {
        for (text, error) in [
            ("a.services.ai.azure.com", EndpointError::NotAUrl),
            ("http://a.services.ai.azure.com/api/projects/p", EndpointError::NotHttps),
            ("ftp://a.services.ai.azure.com/api/projects/p", EndpointError::NotHttps),
            ("https://u:p@a.services.ai.azure.com/api/projects/p", EndpointError::UserInfo),
            ("https://a.services.ai.azure.com/api/projects/p?x=1", EndpointError::Query),
            ("https://a.services.ai.azure.com/api/projects/p#x", EndpointError::Query),
            ("https://a.services.ai.azure.com/api/projects/", EndpointError::Path),
            ("https://a.services.ai.azure.com/api/projects/p/q", EndpointError::Path),
            ("https://a.services.ai.azure.com/", EndpointError::Path),
            (
                "https://evilservices.ai.azure.com/api/projects/p",
                EndpointError::Host("evilservices.ai.azure.com".into()),
            ),
            (
                "https://a.services.ai.azure.com.evil.com/api/projects/p",
                EndpointError::Host("a.services.ai.azure.com.evil.com".into()),
            ),
            ("https://127.0.0.1.evil.com/api/projects/p", EndpointError::Host("127.0.0.1.evil.com".into())),
            ("https://.services.ai.azure.com/api/projects/p", EndpointError::Host(".services.ai.azure.com".into())),
        ] {
            assert_eq!(ProjectEndpoint::parse(text, None), Err(error), "{text}");
        }
    }

    #[test]
    fn one_more_host_can_be_named_exactly() {
        let text = "https://foundry.contoso.example/api/projects/p";
        assert!(ProjectEndpoint::parse(text, Some("foundry.contoso.example")).is_ok());
        assert!(ProjectEndpoint::parse(text, Some("contoso.example")).is_err());
    }
}
