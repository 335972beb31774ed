//! What tells one write of a blob from another. Pure.

use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// Marks that the store gives to one write of a blob, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlobVersion {
    /// Entity tag without its quotes: headers have them, lists do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// MD5 of the content in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_md5: Option<String>,
    /// Time of the write in seconds of the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<u64>,
}

impl BlobVersion {
    /// Marks as they stand in headers or in a list.
    pub(super) fn new(etag: Option<&str>, content_md5: Option<&str>, last_modified: Option<&str>) -> Self {
        let full = |text: &&str| !text.is_empty();
        let etag = etag.map(|text| text.trim().trim_start_matches("W/").trim_matches('"')).filter(full);
        let time = last_modified.and_then(|text| httpdate::parse_http_date(text.trim()).ok());
        Self {
            etag: etag.map(str::to_owned),
            content_md5: content_md5.map(str::trim).filter(full).map(str::to_owned),
            last_modified: time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs()),
        }
    }

    /// True where another write shows, by the best mark that both have.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> Option<bool> {
            Some(one? != other?)
        }
        differ(self.etag.as_ref(), other.etag.as_ref())
            .or_else(|| differ(self.content_md5.as_ref(), other.content_md5.as_ref()))
            .or_else(|| differ(self.last_modified.as_ref(), other.last_modified.as_ref()))
            .unwrap_or(false)
    }

    /// True where it is surely one write. Sums and times do not tell: the same content may be written twice in a second.
    pub(crate) fn is_same_write(&self, other: &Self) -> bool {
        self.etag.is_some() && self.etag == other.etag
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A version with this ETag.
    pub(crate) fn version(etag: &str) -> BlobVersion {
        BlobVersion::new(Some(etag), None, None)
    }

    #[test]
    fn the_best_mark_that_both_have_decides() {
        let (early, late) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT");
        let of = |etag, md5, time| BlobVersion::new(etag, md5, time);
        for (one, other, differs) in [
            (of(Some("\"0x8D\""), None, None), of(Some("0x8D"), None, None), false),
            (of(Some("W/\"0x8D\""), None, Some(early)), of(Some(" 0x8D "), None, Some(late)), false),
            (of(Some("\"0x8D\""), Some("a"), None), of(Some("0x8E"), Some("a"), None), true),
            (of(Some("0x8D"), Some("a"), None), of(None, Some("a"), None), false),
            (of(Some("0x8D"), Some("a"), None), of(Some(""), Some("b"), None), true),
            (of(Some("0x8D"), None, Some(early)), of(None, Some("b"), Some(late)), true),
            (of(Some("0x8D"), None, Some(early)), of(None, None, Some(early)), false),
            (of(Some("0x8D"), None, Some("soon")), of(None, None, Some(early)), false),
            (of(Some("0x8D"), None, None), BlobVersion::default(), false),
        ] {
            assert_eq!((one.differs_from(&other), other.differs_from(&one)), (differs, differs), "{one:?} {other:?}");
        }
        assert!(version("\"a\"").is_same_write(&version("a")));
        assert!(!BlobVersion::default().is_same_write(&BlobVersion::default()));
    }
}
