//! Signed URL of a file in large storage: a secret during its lifetime.

use std::fmt;
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;
use url::Url;

use crate::model::is_loopback;

/// Hosts from which a blob store may copy: the Hub's own delivery networks.
const COPY_HOSTS: [&str; 2] = [".hf.co", ".huggingface.co"];
/// Maximum length of a URL from which a blob store copies.
const MAX_COPIED_URL: usize = 2048;
/// Minimum remaining lifetime: a URL with less is renewed.
const MARGIN: Duration = Duration::from_secs(300);

/// Reason why a blob store cannot copy a file from the Hub directly.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CopyFault {
    /// A file in the repository itself, for which there is no signed URL.
    #[error("the file is stored in the repository itself, which a blob store cannot read")]
    NotSigned,
    /// A host outside the Hub's delivery networks.
    #[error("{0} is not a public host of the Hub")]
    Host(String),
    /// A URL that is too long, in characters.
    #[error("its signed URL has {0} characters; a blob store accepts up to {MAX_COPIED_URL}")]
    TooLong(usize),
}

/// Signed URL of one file, valid for every range of it until it expires.
///
/// Not added to the texts that are masked by value: an import has hundreds of these URLs, and they would displace the
/// SAS and the tokens from that list. Only [`SignedUrl::raw`] and [`SignedUrl::url`] reveal it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignedUrl {
    raw: String,
    url: Url,
    /// Lifetime from the time of the response; `None` if the URL does not state it.
    life: Option<Duration>,
    obtained: Instant,
}

impl SignedUrl {
    /// Wraps the text of `Location`. `now`: seconds since 1970 on the clock of the server that sent it.
    pub(super) fn new(raw: &str, url: Url, now: i64) -> Self {
        let life = ends_at(&url).map(|end| Duration::from_secs(u64::try_from(end - now).unwrap_or_default()));
        Self { raw: raw.to_owned(), url, life, obtained: Instant::now() }
    }

    /// `Location`, byte for byte: the value for `x-ms-copy-source`.
    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }

    /// URL for this program's own requests.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Host, for messages.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Reason why a blob store cannot copy from this URL; `None` if it can.
    pub(crate) fn copy_fault(&self) -> Option<CopyFault> {
        let host = self.host().to_ascii_lowercase();
        let is_public = self.url.scheme() == "https"
            && !is_loopback(&self.url)
            && self.url.port().is_none()
            && COPY_HOSTS.iter().any(|end| host.ends_with(end));
        if !is_public {
            return Some(CopyFault::Host(host));
        }
        (self.raw.len() > MAX_COPIED_URL).then_some(CopyFault::TooLong(self.raw.len()))
    }

    /// True if too little lifetime remains for another request: less than 5 minutes, or than a quarter of it.
    pub(crate) fn is_ending(&self) -> bool {
        let Some(life) = self.life else { return false };
        let left = life.saturating_sub(self.obtained.elapsed());
        left <= MARGIN.min(life / 4)
    }
}

/// Writes host and path, without the query.
impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedUrl({}{}?***)", self.host(), self.url.path())
    }
}

/// Expiry of a signed URL in seconds since 1970, from `Expires` or `X-Amz-Date` and `X-Amz-Expires`.
fn ends_at(url: &Url) -> Option<i64> {
    let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let by_policy = value("Expires").and_then(|end| end.parse().ok());
    by_policy.or_else(|| {
        let begun = amz_date(&value("X-Amz-Date")?)?;
        let life: i64 = value("X-Amz-Expires")?.parse().ok()?;
        begun.checked_add(life)
    })
}

/// Converts `20260820T101530Z` to seconds since 1970.
fn amz_date(text: &str) -> Option<i64> {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    time::PrimitiveDateTime::parse(text, format).ok().map(|date| date.assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(raw: &str, now: i64) -> SignedUrl {
        SignedUrl::new(raw, Url::parse(raw).expect("a URL"), now)
    }

    #[tokio::test(start_paused = true)]
    async fn a_url_is_renewed_before_its_last_minutes() {
        let hour = signed("https://us.aws.cdn.hf.co/x?Expires=4600&Signature=CANARY", 1000);
        let amz = signed(
            "https://cas-bridge.xethub.hf.co/x?X-Amz-Date=19700101T001640Z&X-Amz-Expires=3600&X-Amz-Signature=CANARY",
            1000,
        );
        let short = signed("http://127.0.0.1:1/x?Expires=1008", 1000);
        let unknown = signed("https://h.example/x?Expires=soon", 1000);
        for (seconds, ending) in [(0, [false; 4]), (6, [false, false, true, false]), (3300, [true, true, true, false])]
        {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            let found = [&hour, &amz, &short, &unknown].map(SignedUrl::is_ending);
            assert_eq!(found, ending, "{seconds}");
        }
        assert!(signed("https://h.example/x?Expires=999", 1000).is_ending());
    }

    #[test]
    fn only_the_hubs_own_hosts_are_copied_from() {
        for (url, may) in [
            ("https://us.aws.cdn.hf.co/x", true),
            ("https://cas-bridge.xethub.hf.co/x", true),
            ("https://cdn-lfs.huggingface.co/x", true),
            ("http://us.aws.cdn.hf.co/x", false),
            ("https://evilhf.co/x", false),
            ("https://hf.co.evil.example/x", false),
            ("https://127.0.0.1:1/x", false),
            ("https://us.aws.cdn.hf.co:8443/x", false),
        ] {
            assert_eq!(signed(url, 0).copy_fault().is_none(), may, "{url}");
        }
        let long = format!("https://us.aws.cdn.hf.co/{}", "x".repeat(2048 - 25));
        assert_eq!(signed(&long, 0).copy_fault(), None);
        assert_eq!(signed(&(long + "x"), 0).copy_fault(), Some(CopyFault::TooLong(2049)));
    }

    #[test]
    fn a_signed_url_is_kept_byte_for_byte_and_never_shown() {
        let raw = "https://us.aws.cdn.hf.co/a?n=inline%3B+filename*%3DUTF-8%27%27x'y%22&Signature=CANARY~_-";
        let signed = signed(raw, 0);
        assert_eq!(signed.raw(), raw);
        assert_eq!(format!("{signed:?}"), "SignedUrl(us.aws.cdn.hf.co/a?***)");
    }
}
