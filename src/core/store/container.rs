//! Addresses in a blob store: the container of an upload location, its prefix, its blobs. Pure.

use url::{Host, Url};

/// Container of an upload location, and the location's prefix in it.
pub(super) struct Container {
    url: Url,
    prefix: String,
}

impl Container {
    /// Container and prefix in a SAS URL. For hosts without a domain name (Azurite), the account is the first segment
    /// of the path.
    pub(super) fn of(sas: &Url) -> Self {
        // Azurite: the host has no domain name, and the account is in the path.
        let account_in_path = !matches!(sas.host(), Some(Host::Domain(name)) if name != "localhost");
        let parts: Vec<&str> = sas.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let (container, prefix) = parts.split_at(parts.len().min(if account_in_path { 2 } else { 1 }));
        let prefix = prefix.iter().map(|part| format!("{}/", percent_decoded(part))).collect();
        let mut url = sas.clone();
        url.set_path(&container.join("/"));
        Self { url, prefix }
    }

    /// Prefix in the container; empty, or with a trailing `/`.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// URL that lists the blobs of the location with their metadata, starting at this marker.
    pub(super) fn listing_with_metadata(&self, marker: &str) -> Url {
        let mut url = self.listing(marker, None);
        url.query_pairs_mut().append_pair("include", "metadata");
        url
    }

    /// URL that lists the blobs of the location, starting at this marker, or at most `limit` blobs of the container.
    pub(super) fn listing(&self, marker: &str, limit: Option<u16>) -> Url {
        let mut url = self.url.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("restype", "container").append_pair("comp", "list");
        match limit {
            Some(limit) => drop(query.append_pair("maxresults", &limit.to_string())),
            None if self.prefix.is_empty() => {}
            None => drop(query.append_pair("prefix", &self.prefix)),
        }
        if !marker.is_empty() {
            query.append_pair("marker", marker);
        }
        drop(query);
        url
    }
}

fn percent_decoded(part: &str) -> String {
    // Decoded as a query with one key by the URL library; in a path, a '+' does not stand for a space.
    let escaped = part.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes()).map(|(key, _)| key.into_owned()).collect()
}

/// URL of a blob in a location, with additional parameters after the SAS.
pub(super) fn blob_url(sas: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = sas.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    // Without parameters there must be no trailing '&'.
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_is_listed_for_any_prefix() {
        for (sas, at_most, asked) in [
            (
                "https://a.blob.core.windows.net/c/some/pre%20fix/?sv=1&sig=x%2By",
                None,
                "https://a.blob.core.windows.net/c?sv=1&sig=x%2By&restype=container&comp=list&prefix=some%2Fpre+fix%2F",
            ),
            (
                "https://a.blob.core.windows.net/c/some/prefix?sv=1&sig=x%2By",
                Some(1),
                "https://a.blob.core.windows.net/c?sv=1&sig=x%2By&restype=container&comp=list&maxresults=1",
            ),
            (
                "http://127.0.0.1:10000/devstoreaccount1/c?sig=x",
                None,
                "http://127.0.0.1:10000/devstoreaccount1/c?sig=x&restype=container&comp=list",
            ),
        ] {
            assert_eq!(Container::of(&Url::parse(sas).expect("a URL")).listing("", at_most).as_str(), asked);
        }
    }

    #[test]
    fn a_blob_url_keeps_the_sas() {
        let sas = Url::parse("https://h/c/prefix/?sv=1&sig=a%2Bb").expect("a URL");
        let url = blob_url(&sas, "sub dir/a#b.bin", &[("comp", "block"), ("blockid", "a+b=")]);
        assert_eq!(url.as_str(), "https://h/c/prefix/sub%20dir/a%23b.bin?sv=1&sig=a%2Bb&comp=block&blockid=a%2Bb%3D");
    }
}
