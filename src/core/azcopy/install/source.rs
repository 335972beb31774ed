//! Download source of AzCopy, and the hosts that its redirects may lead to. Pure.

use url::Url;

use super::InstallError;
use crate::azcopy::download_url;
use crate::env::{Env, var};
use crate::model::check_secure;

/// Hosts from which Microsoft delivers AzCopy; a leading dot matches every host below.
const HOSTS: [&str; 7] = [
    "aka.ms",
    ".azureedge.net",
    ".azurefd.net",
    ".blob.core.windows.net",
    "github.com",
    ".githubusercontent.com",
    ".microsoft.com",
];

/// Download source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadSource {
    url: Url,
    sha256: Option<String>,
    /// True if the user set it; its redirects must stay on its host.
    own: bool,
}

impl DownloadSource {
    /// Source from the environment, otherwise Microsoft's.
    ///
    /// # Errors
    /// When a variable has an unusable value, or the checksum of a custom source is missing.
    pub fn from_env(env: &Env) -> Result<Self, InstallError> {
        let sha256 = env.get(var::AZCOPY_SHA256).map(read_sha256).transpose()?;
        match env.get(var::AZCOPY_URL) {
            Some(text) => {
                let url = read_url(text)?;
                if sha256.is_none() {
                    return Err(InstallError::NoChecksum);
                }
                Ok(Self { url, sha256, own: true })
            }
            None => {
                let url = Url::parse(download_url()).map_err(|_| bad(var::AZCOPY_URL, "no download URL is known"))?;
                Ok(Self { url, sha256, own: false })
            }
        }
    }

    /// URL without the query, which may be a SAS.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.into()
    }

    /// URL with its query.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// True if a redirect to this URL is followed.
    pub(super) fn allows(&self, next: &Url) -> bool {
        if check_secure(next).is_err() {
            return false;
        }
        if self.own { next.host() == self.url.host() } else { is_microsofts(next) }
    }

    /// Compares a checksum with the required one, if any.
    pub(super) fn check(&self, found: &str) -> Result<(), InstallError> {
        match &self.sha256 {
            Some(wanted) if wanted != found => {
                Err(InstallError::WrongChecksum { found: found.to_owned(), wanted: wanted.clone() })
            }
            _ => Ok(()),
        }
    }
}

fn is_microsofts(url: &Url) -> bool {
    let Some(host) = url.domain() else { return false };
    HOSTS.iter().any(|known| if known.starts_with('.') { host.ends_with(known) } else { host == *known })
}

fn read_url(text: &str) -> Result<Url, InstallError> {
    let url = Url::parse(text.trim()).map_err(|why| bad(var::AZCOPY_URL, &format!("not a URL ({why})")))?;
    if check_secure(&url).is_ok() {
        Ok(url)
    } else {
        Err(bad(var::AZCOPY_URL, "must be https (or http on this machine) and contain no user name"))
    }
}

fn read_sha256(text: &str) -> Result<String, InstallError> {
    let text = text.trim().to_ascii_lowercase();
    let good = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then_some(text).ok_or_else(|| bad(var::AZCOPY_SHA256, "must be 64 hexadecimal digits"))
}

fn bad(variable: &'static str, why: &str) -> InstallError {
    InstallError::Variable { variable, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source(vars: &[(&str, &str)]) -> Result<DownloadSource, InstallError> {
        DownloadSource::from_env(&Env::from_vars(vars.iter().copied(), Path::new("/")))
    }

    fn allowed<'a>(source: &DownloadSource, urls: &[&'a str]) -> Vec<&'a str> {
        urls.iter().copied().filter(|url| source.allows(&Url::parse(url).expect("a URL"))).collect()
    }

    const SHA: &str = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn redirects_of_the_default_source_stay_with_microsoft() {
        let source = source(&[]).expect("a source");
        let good = [
            "https://aka.ms/x",
            "https://AKA.MS/x",
            "https://azcopyvnext.azureedge.net/releases/x.tar.gz",
            "https://azcopyvnext-awgzd8g7aagqhzhe.b02.azurefd.net/x",
            "https://a.blob.core.windows.net/c/x?sv=1",
            "https://github.com/Azure/azure-storage-azcopy/releases/x",
            "https://objects.githubusercontent.com/x",
            "https://download.microsoft.com/x",
        ];
        assert_eq!(allowed(&source, &good), good);
        let bad = [
            "http://aka.ms/x",
            "https://evilgithub.com/x",
            "https://github.com.evil.com/x",
            "https://sub.github.com/x",
            "https://x.aka.ms/",
            "https://evilmicrosoft.com/x",
            "https://microsoft.com.evil.com/x",
            "https://blob.core.windows.net.evil.com/x",
            "https://evil.com/?https://github.com",
            "https://github.com@evil.com/x",
            "https://user@github.com/x",
            "https://github.com./x",
            "https://127.0.0.1/x",
            "http://127.0.0.1/x",
            "http://localhost/x",
            "https://[::1]/x",
            "ftp://github.com/x",
            "file:///etc/passwd",
            "data:text/plain,x",
        ];
        assert_eq!(allowed(&source, &bad), [""; 0]);
    }

    #[test]
    fn redirects_of_a_custom_source_stay_on_its_host() {
        let own = |url: &str| source(&[(var::AZCOPY_URL, url), (var::AZCOPY_SHA256, SHA)]).expect("a source");
        let urls = [
            "https://mirror.corp/x",
            "https://mirror.corp:8443/x",
            "http://mirror.corp/x",
            "https://sub.mirror.corp/x",
            "https://github.com/x",
            "http://127.0.0.1:1/x",
        ];
        assert_eq!(allowed(&own("https://mirror.corp/azcopy.tar.gz"), &urls), urls[..2]);
        assert_eq!(allowed(&own("http://127.0.0.1:9/azcopy.tar.gz"), &urls), urls[5..]);
    }

    #[test]
    fn a_custom_source_must_be_secure_and_have_a_checksum() {
        let said = |vars: &[(&str, &str)]| source(vars).expect_err("refused").to_string();
        for url in ["http://mirror.corp/x", "ftp://h/x", "https://u:p@h/x", "file:///x", "not a URL"] {
            let error = said(&[(var::AZCOPY_URL, url), (var::AZCOPY_SHA256, SHA)]);
            assert!(error.contains(var::AZCOPY_URL) && !error.contains("u:p"), "{error}");
        }
        assert!(said(&[(var::AZCOPY_URL, "https://h/x")]).contains(var::AZCOPY_SHA256));
        for sha in ["abc", &SHA[1..], &SHA.replace('0', "g")] {
            assert!(said(&[(var::AZCOPY_SHA256, sha)]).contains("64 hexadecimal digits"));
        }
        let own = source(&[(var::AZCOPY_URL, "https://h/p?sig=CANARY#CANARY"), (var::AZCOPY_SHA256, SHA)]);
        assert_eq!(own.expect("a source").shown(), "https://h/p");
    }

    #[test]
    fn a_checksum_is_verified_for_every_source() {
        let checked = source(&[(var::AZCOPY_SHA256, SHA)]).expect("a source");
        assert!(checked.check(&SHA.to_ascii_lowercase()).is_ok() && checked.check("0").is_err());
        assert!(source(&[]).expect("a source").check("0").is_ok());
    }
}
