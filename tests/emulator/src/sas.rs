//! Shared access signatures for Azurite's well-known account: pure functions from permissions to a query string.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;
use time::macros::format_description;
use url::form_urlencoded;

/// Account that every Azurite has.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
/// Account key, published in Azurite's documentation: no secret.
const ACCOUNT_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
/// Last version whose string to sign has no encryption scope.
const VERSION: &str = "2020-10-02";

/// Query of a SAS for one container.
pub(crate) fn container(container: &str, permissions: &str, expiry: OffsetDateTime) -> String {
    let expiry = timestamp(expiry);
    let resource = format!("/blob/{ACCOUNT}/{container}");
    let signature =
        sign(&[permissions, "", &expiry, &resource, "", "", "", VERSION, "c", "", "", "", "", "", ""].join("\n"));
    query(&[("sv", VERSION), ("se", &expiry), ("sr", "c"), ("sp", permissions), ("sig", &signature)])
}

/// Query of a SAS for the whole account, which is used to create containers.
pub(crate) fn account(expiry: OffsetDateTime) -> String {
    let expiry = timestamp(expiry);
    let signature = sign(&[ACCOUNT, "rwdlac", "b", "sco", "", &expiry, "", "", VERSION, ""].join("\n"));
    query(&[("sv", VERSION), ("ss", "b"), ("srt", "sco"), ("sp", "rwdlac"), ("se", &expiry), ("sig", &signature)])
}

/// `se` as Azure writes it: UTC, whole seconds.
pub(crate) fn timestamp(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .expect("every component is part of an OffsetDateTime")
}

fn sign(text: &str) -> String {
    let key = BASE64_STANDARD.decode(ACCOUNT_KEY).expect("the published key is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC accepts keys of any length");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    // The expected signatures were computed with Python's hmac module.
    #[test]
    fn container_signature_matches_an_independent_computation() {
        assert_eq!(
            container("upload-1", "rcwl", datetime!(2026-01-02 03:04:05 UTC)),
            "sv=2020-10-02&se=2026-01-02T03%3A04%3A05Z&sr=c&sp=rcwl&sig=O%2BxmYSJlGoJhilpo39US06Ze66JyC5rVpXxQ5OJF%2FOg%3D"
        );
    }

    #[test]
    fn account_signature_matches_an_independent_computation() {
        assert_eq!(
            account(datetime!(2026-01-02 04:04:05 +1)),
            "sv=2020-10-02&ss=b&srt=sco&sp=rwdlac&se=2026-01-02T03%3A04%3A05Z&sig=auNjh5SC007jPz358OTutW2SwOqWBcgTlNcWqsAPL%2BA%3D"
        );
    }
}
