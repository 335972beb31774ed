//! Identity of a write to a blob. Pure.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Separator of two marks: neither a header nor XML can contain it.
const SEPARATOR: char = '\0';

/// Marks that the store assigns to one write of a blob, as far as it reports them. Small and cheap to clone: an upload
/// may have 100,000 of them in several lists.
///
/// The text has the entity tag without its quotes (headers have them, lists do not), the MD5 of the content in base64
/// and the time of the write in seconds of the Unix epoch. Each part is empty if the store does not report it; the text
/// is empty if it reports none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobVersion(Arc<str>);

/// Marks in their JSON form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks<Text> {
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_md5: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<u64>,
}

impl BlobVersion {
    /// Version from the marks in the form of headers or of a list.
    pub(super) fn new(etag: Option<&str>, content_md5: Option<&str>, last_modified: Option<&str>) -> Self {
        let etag = etag.map(|text| text.trim().trim_start_matches("W/").trim_matches('"'));
        let time = last_modified.and_then(|text| httpdate::parse_http_date(text.trim()).ok());
        let seconds = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
        Self::of(etag, content_md5.map(str::trim), seconds)
    }

    fn of(etag: Option<&str>, content_md5: Option<&str>, last_modified: Option<u64>) -> Self {
        let time = last_modified.map(|seconds| seconds.to_string()).unwrap_or_default();
        let marks = [etag.unwrap_or_default(), content_md5.unwrap_or_default(), &time];
        match marks.iter().all(|mark| mark.is_empty()) {
            true => Self::default(),
            false => Self(marks.join(SEPARATOR.encode_utf8(&mut [0])).into()),
        }
    }

    /// Entity tag, MD5 and time; the most reliable first.
    fn marks(&self) -> [Option<&str>; 3] {
        let mut marks = self.0.split(SEPARATOR).map(|mark| Some(mark).filter(|mark| !mark.is_empty()));
        std::array::from_fn(|_| marks.next().flatten())
    }

    /// Entity tag without its quotes.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.marks()[0]
    }

    /// True if the marks show different writes, by the most reliable mark that both have.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        let mut both = self.marks().into_iter().zip(other.marks());
        both.find_map(|(one, other)| Some(one? != other?)).unwrap_or(false)
    }

    /// True if both are certainly the same write. Checksums and times are not sufficient: the same content may be
    /// written twice in a second.
    pub(crate) fn is_same_write(&self, other: &Self) -> bool {
        let ([etag, ..], [other, ..]) = (self.marks(), other.marks());
        etag.is_some() && etag == other
    }
}

impl Serialize for BlobVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let [etag, content_md5, time] = self.marks();
        Marks { etag, content_md5, last_modified: time.and_then(|time| time.parse().ok()) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BlobVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let marks = Marks::<String>::deserialize(deserializer)?;
        Ok(Self::of(marks.etag.as_deref(), marks.content_md5.as_deref(), marks.last_modified))
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
    fn the_most_reliable_common_mark_decides() {
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
        for version in [of(Some("0x8D"), Some("a"), Some(early)), of(None, None, Some(late)), BlobVersion::default()] {
            let json = serde_json::to_string(&version).expect("JSON");
            assert_eq!(serde_json::from_str::<BlobVersion>(&json).expect("a version"), version, "{json}");
        }
        let older = r#"{"etag":"0x8D","contentMd5":"a","lastModified":784111777}"#;
        assert_eq!(serde_json::to_string(&of(Some("0x8D"), Some("a"), Some(early))).expect("JSON"), older);
        assert!(version("\"a\"").is_same_write(&version("a")));
        assert!(!BlobVersion::default().is_same_write(&BlobVersion::default()));
    }
}
