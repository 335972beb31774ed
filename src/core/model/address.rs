//! Rule for addresses that receive a secret or that a program is downloaded from. Pure.

use thiserror::Error;
use url::{Host, Url};

/// Violated part of the rule.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Neither https nor, on this machine, http.
    #[error("it does not use https")]
    NotHttps,
    /// User name or password before the host, which would be sent as separate credentials.
    #[error("it contains a user name or password")]
    UserInformation,
}

/// Accepts https, and http to this machine, without user information.
pub(crate) fn check_secure(url: &Url) -> Result<(), AddressError> {
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
        return Err(AddressError::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::UserInformation);
    }
    Ok(())
}

/// True if the host of the URL is this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_http_to_this_machine_are_secure_without_user_information() {
        let (plain, user) = (Err(AddressError::NotHttps), Err(AddressError::UserInformation));
        for (url, verdict) in [
            ("https://h.example/x", Ok(())),
            ("https://127.0.0.1", Ok(())),
            ("http://127.0.0.1:1/x", Ok(())),
            ("http://127.9.9.9/x", Ok(())),
            ("http://[::1]:1/x", Ok(())),
            ("http://LocalHost/x", Ok(())),
            ("http://h.example/x", plain),
            ("http://localhost.evil.example/x", plain),
            ("http://localhost./x", plain),
            ("http://10.0.0.1/x", plain),
            ("http://[::ffff:7f00:1]/x", plain),
            ("ftp://127.0.0.1/x", plain),
            ("file:///etc/passwd", plain),
            ("data:text/plain,x", plain),
            ("http://u@h.example/x", plain),
            ("https://u@h.example/x", user),
            ("https://u:p@h.example/x", user),
            ("https://:p@h.example/x", user),
            ("http://u@127.0.0.1/x", user),
        ] {
            assert_eq!(check_secure(&Url::parse(url).expect(url)), verdict, "{url}");
        }
    }
}
