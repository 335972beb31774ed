//! Endpoint of a Foundry project, and its rules, since it receives a bearer token.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

use crate::env::var;
use crate::model::{AddressError, Cloud, check_secure, is_loopback};
use crate::redact::bare;

const FORM: &str = "https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT";

/// Validated endpoint of a Foundry project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEndpoint {
    url: Url,
    project: String,
}

/// Rule that a text violates. Does not repeat the text, which may contain a password.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Not a URL.
    #[error("the project endpoint is not a URL")]
    NotAUrl,
    /// Neither https nor, on this machine, http.
    #[error("the project endpoint uses {scheme}://, not https://")]
    Scheme {
        /// Scheme of the URL.
        scheme: String,
    },
    /// A user name or password before the host.
    #[error("the project endpoint contains a user name or password")]
    UserInfo,
    /// The path does not contain a project.
    #[error("the path of the project endpoint is not /api/projects/PROJECT")]
    Path,
    /// Query or fragment after the path.
    #[error("the project endpoint has a query or a fragment")]
    Query,
    /// A host that is not trusted.
    #[error("{host} is not a Foundry host")]
    Host {
        /// The host.
        host: String,
    },
}

impl EndpointError {
    /// Suggestion for the user.
    #[must_use]
    pub fn suggestion(&self) -> String {
        match self {
            Self::NotAUrl | Self::Path | Self::Query => format!("Use the form {FORM}."),
            Self::Scheme { .. } => format!("Use the form {FORM}. Plain http is accepted only for this machine."),
            Self::UserInfo => format!("Use the form {FORM}. Sign in with `azd auth login`."),
            Self::Host { host } => {
                format!("Use the form {FORM}. If you trust this host with your token, set {}={host}.", var::ALLOW_HOST)
            }
        }
    }
}

impl ProjectEndpoint {
    /// Parses an endpoint. `allowed_host` is an additional host that the user trusts with tokens.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn parse(text: &str, allowed_host: Option<&str>) -> Result<Self, EndpointError> {
        let mut url = Url::parse(text.trim()).map_err(|_| EndpointError::NotAUrl)?;
        check_secure(&url).map_err(|error| match error {
            AddressError::NotHttps => EndpointError::Scheme { scheme: url.scheme().to_owned() },
            AddressError::UserInformation => EndpointError::UserInfo,
        })?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        let host = url.host_str().ok_or(EndpointError::NotAUrl)?.to_owned();
        let allowed = allowed_host.is_some_and(|allowed| allowed.trim().eq_ignore_ascii_case(&host));
        if !(Cloud::is_project_host(&host) || is_loopback(&url) || allowed) {
            return Err(EndpointError::Host { host });
        }
        let project = project_of(&url).ok_or(EndpointError::Path)?.to_owned();
        url.set_path(&format!("/api/projects/{project}"));
        Ok(Self { url, project })
    }

    /// URL without a trailing slash.
    #[must_use]
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Name of the project.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// First label of the host: the Foundry account, usually by its ARM name.
    #[must_use]
    pub(crate) fn account(&self) -> &str {
        match self.url.host() {
            Some(Host::Domain(name)) => name.split('.').next().unwrap_or(name),
            _ => self.host(),
        }
    }

    /// URL of the host, without a path.
    #[must_use]
    pub fn host_url(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path("/");
        url
    }

    /// Host, for messages and for the choice of a token's scope.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Cloud, according to the host's domain.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        Cloud::of_host(self.host())
    }

    /// True if the project is an emulator on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// True if the URL has the project's scheme, host and port: by default the only address that receives its token.
    #[must_use]
    pub(crate) fn same_origin(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }
}

impl fmt::Display for ProjectEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bare(self.url.clone()).fmt(f)
    }
}

fn project_of(url: &Url) -> Option<&str> {
    let rest = url.path().strip_prefix("/api/projects/")?;
    let project = rest.strip_suffix('/').unwrap_or(rest);
    // ARM's rule for project names, which need no URL encoding.
    let ok = !project.is_empty() && project.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    ok.then_some(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_kept_without_their_trailing_slash() {
        for (text, url, account, cloud) in [
            (
                "https://acc.services.ai.azure.com/api/projects/p-1_x.y/",
                "https://acc.services.ai.azure.com/api/projects/p-1_x.y",
                "acc",
                Cloud::Public,
            ),
            (
                "HTTPS://ACC.Services.AI.azure.us/api/projects/p",
                "https://acc.services.ai.azure.us/api/projects/p",
                "acc",
                Cloud::UsGovernment,
            ),
            (
                "https://a.services.ai.azure.cn/api/projects/_project",
                "https://a.services.ai.azure.cn/api/projects/_project",
                "a",
                Cloud::China,
            ),
            (
                "http://127.0.0.1:4000/api/projects/p",
                "http://127.0.0.1:4000/api/projects/p",
                "127.0.0.1",
                Cloud::Public,
            ),
            ("http://[::1]:1/api/projects/p", "http://[::1]:1/api/projects/p", "[::1]", Cloud::Public),
            ("http://localhost/api/projects/p", "http://localhost/api/projects/p", "localhost", Cloud::Public),
            (
                "https://proxy.example:444/api/projects/p",
                "https://proxy.example:444/api/projects/p",
                "proxy",
                Cloud::Public,
            ),
        ] {
            let endpoint = ProjectEndpoint::parse(text, Some("Proxy.example")).expect(text);
            assert_eq!((endpoint.to_string().as_str(), endpoint.account(), endpoint.cloud()), (url, account, cloud));
        }
    }

    #[test]
    fn a_token_is_never_sent_to_an_unknown_host() {
        let host = |host: &str| EndpointError::Host { host: host.into() };
        for (text, error) in [
            ("acc.services.ai.azure.com/api/projects/p", EndpointError::NotAUrl),
            ("", EndpointError::NotAUrl),
            ("http://acc.services.ai.azure.com/api/projects/p", EndpointError::Scheme { scheme: "http".into() }),
            ("ftp://127.0.0.1/api/projects/p", EndpointError::Scheme { scheme: "ftp".into() }),
            ("https://u:CANARY@acc.services.ai.azure.com/api/projects/p", EndpointError::UserInfo),
            ("https://acc.services.ai.azure.com/api/projects/p?x=1", EndpointError::Query),
            ("https://acc.services.ai.azure.com/api/projects/p#x", EndpointError::Query),
            ("https://acc.services.ai.azure.com", EndpointError::Path),
            ("https://acc.services.ai.azure.com/api/projects/", EndpointError::Path),
            ("https://acc.services.ai.azure.com/api/projects/p//", EndpointError::Path),
            ("https://acc.services.ai.azure.com/api/projects/p/models", EndpointError::Path),
            ("https://acc.services.ai.azure.com/api/projects/a%2Fb", EndpointError::Path),
            ("https://services.ai.azure.com/api/projects/p", host("services.ai.azure.com")),
            ("https://.services.ai.azure.com/api/projects/p", host(".services.ai.azure.com")),
            ("https://evilservices.ai.azure.com/api/projects/p", host("evilservices.ai.azure.com")),
            (
                "https://a.services.ai.azure.com.evil.example/api/projects/p",
                host("a.services.ai.azure.com.evil.example"),
            ),
            ("https://a.services.ai.azure.com./api/projects/p", host("a.services.ai.azure.com.")),
            ("https://localhost.evil.example/api/projects/p", host("localhost.evil.example")),
            ("https://other.example/api/projects/p", host("other.example")),
        ] {
            let found = ProjectEndpoint::parse(text, Some("proxy.example")).expect_err(text);
            assert_eq!(found, error, "{text}");
            assert!(!format!("{found} {}", found.suggestion()).contains("CANARY"));
        }
    }

    #[test]
    fn an_allowed_host_still_needs_https() {
        assert!(matches!(
            ProjectEndpoint::parse("http://proxy.example/api/projects/p", Some("proxy.example")),
            Err(EndpointError::Scheme { .. })
        ));
    }

    #[test]
    fn the_origin_is_scheme_host_and_port() {
        let endpoint =
            ProjectEndpoint::parse("https://a.services.ai.azure.com/api/projects/p", None).expect("endpoint");
        for (url, same) in [
            ("https://a.services.ai.azure.com:443/x", true),
            ("https://A.services.ai.azure.com/", true),
            ("http://a.services.ai.azure.com/x", false),
            ("https://a.services.ai.azure.com:444/x", false),
            ("https://b.services.ai.azure.com/x", false),
        ] {
            assert_eq!(endpoint.same_origin(&Url::parse(url).expect("url")), same, "{url}");
        }
    }

    #[test]
    fn endpoint_survives_mutation() {
        let good = b"https://acc.services.ai.azure.com/api/projects/p";
        let local = b"http://127.0.0.1:1/api/projects/p";
        crate::fuzz::fuzz("endpoint", &[good, local, b"https://u:p@evil.example#.services.ai.azure.com/"], |input| {
            let text = String::from_utf8_lossy(input);
            if let Ok(endpoint) = ProjectEndpoint::parse(&text, None) {
                let again = Url::parse(&endpoint.to_string()).expect("a URL");
                let host = again.host_str().expect("a host").to_owned();
                assert!(
                    is_loopback(&again)
                        || host.ends_with(".services.ai.azure.com")
                        || host.contains(".services.ai.azure.")
                );
                assert!(again.username().is_empty() && again.password().is_none() && again.query().is_none());
            }
        });
    }
}
