//! Permitted destinations of management tokens: a known ARM host, this machine, or a host that the user configured.

use thiserror::Error;
use url::Url;

use crate::env::{Env, var};
use crate::model::{AddressError, Cloud, check_secure, is_loopback};

/// Validated address of Azure Resource Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmEndpoint(Url);

/// Rule that `AZURE_AI_MODELS_ARM_ENDPOINT` violates. Does not contain its value, which may hold a password.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ArmEndpointError {
    /// Not a URL.
    #[error("not a URL")]
    NotAUrl,
    /// Neither https nor on this machine, or with a user name or password.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A host that the user did not configure.
    #[error("{0} is not a host of Azure Resource Manager")]
    Host(String),
}

impl ArmEndpoint {
    /// Address from the environment, otherwise the cloud's own. The environment must be the trusted one.
    ///
    /// # Errors
    /// See [`ArmEndpointError`].
    pub fn choose(env: &Env, cloud: Cloud) -> Result<Self, ArmEndpointError> {
        let Some(named) = env.get(var::ARM_ENDPOINT) else {
            let url = Url::parse(&format!("https://{}", cloud.arm_host()));
            return url.map(Self).map_err(|_| ArmEndpointError::NotAUrl);
        };
        let url = Url::parse(named.trim()).map_err(|_| ArmEndpointError::NotAUrl)?;
        check_secure(&url)?;
        let host = url.host_str().ok_or(ArmEndpointError::NotAUrl)?;
        let allowed = env.get(var::ALLOW_HOST).is_some_and(|allowed| allowed.trim().eq_ignore_ascii_case(host));
        if Cloud::is_arm_host(host) || is_loopback(&url) || allowed {
            Ok(Self(url))
        } else {
            Err(ArmEndpointError::Host(host.to_owned()))
        }
    }

    /// True if it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// True if a URL has this scheme, host and port: only such addresses receive its token.
    pub(super) fn same_origin(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }

    /// URL of a path, with an api-version.
    pub(super) fn url(&self, path: &[&str], api_version: &str) -> Url {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Fails only for URLs without a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path);
        }
        url.query_pairs_mut().append_pair("api-version", api_version);
        url
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn choose(vars: &[(&'static str, &str)]) -> Result<String, ArmEndpointError> {
        let env = Env::from_vars(vars.iter().copied(), Path::new("/"));
        ArmEndpoint::choose(&env, Cloud::UsGovernment).map(|endpoint| endpoint.0.to_string())
    }

    #[test]
    fn a_token_is_sent_only_to_known_hosts_this_machine_and_allowed_hosts() {
        assert_eq!(choose(&[]).as_deref(), Ok("https://management.usgovcloudapi.net/"));
        for good in ["https://management.azure.com", "http://127.0.0.1:8700", "https://localhost"] {
            assert!(choose(&[(var::ARM_ENDPOINT, good)]).is_ok(), "{good}");
        }
        for (bad, error) in [
            ("no url", ArmEndpointError::NotAUrl),
            ("http://management.azure.com", AddressError::NotHttps.into()),
            ("https://u:p@management.azure.com", AddressError::UserInformation.into()),
            (
                "https://management.azure.com.example.org",
                ArmEndpointError::Host("management.azure.com.example.org".into()),
            ),
        ] {
            assert_eq!(choose(&[(var::ARM_ENDPOINT, bad)]), Err(error), "{bad}");
        }
        let own = [(var::ARM_ENDPOINT, "https://arm.example.org"), (var::ALLOW_HOST, "ARM.example.org")];
        assert!(choose(&own).is_ok());
    }
}
