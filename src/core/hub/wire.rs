//! Responses of the Hub's API. Pure.

use serde::Deserialize;
use serde_json::Value;

use super::sum::HubSum;
use crate::redact::clean;

/// Part of a repository's description at one revision.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Description {
    pub(super) id: String,
    pub(super) sha: String,
    pub(super) gated: Value,
    pub(super) disabled: bool,
    pub(super) card_data: Value,
}

impl Description {
    /// True if access must be granted.
    pub(super) fn is_gated(&self) -> bool {
        !matches!(self.gated, Value::Null | Value::Bool(false))
    }

    /// Text of the model card under this key, or the first of several.
    pub(super) fn card(&self, key: &str) -> Option<String> {
        let value = &self.card_data[key];
        let text = value.as_str().or_else(|| value.as_array()?.first()?.as_str())?;
        Some(clean(text.trim())).filter(|text| !text.is_empty())
    }
}

/// Entry of a list of files.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    kind: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<Lfs>,
}

#[derive(Debug, Deserialize)]
struct Lfs {
    oid: String,
    size: Option<u64>,
}

impl Entry {
    /// True for a file, false for a directory.
    pub(super) fn is_file(&self) -> bool {
        self.kind == "file"
    }

    /// Checksum of the content; `None` if the list has none that can be parsed.
    pub(super) fn sum(&self) -> Option<HubSum> {
        match &self.lfs {
            Some(lfs) => lfs.oid.trim_start_matches("sha256:").parse().ok().map(HubSum::Sha256),
            None => HubSum::of_git(&self.oid),
        }
    }

    /// Size of the content in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.lfs.as_ref().and_then(|lfs| lfs.size).unwrap_or(self.size)
    }
}

/// URL of the next page: `<URL>; rel="next"` of a `Link` header.
pub(super) fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        rest.split(';').any(|field| matches!(field.trim(), "rel=\"next\"" | "rel=next")).then_some(url)
    })
}

/// Entity tag without its quotes.
pub(super) fn unquoted(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/").trim_matches('"')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn headers_of_the_hub_are_read() {
        let link = r#"<https://h/a?b=1>; rel="prev", <https://h/a?cursor=x%2Fy>; rel="next""#;
        assert_eq!(next_link(link), Some("https://h/a?cursor=x%2Fy"));
        assert_eq!(next_link(r#"<https://h/a>; rel="xet-auth""#), None);
        assert_eq!(unquoted(r#"W/"abc""#), "abc");
    }

    #[test]
    fn a_card_contains_a_licence_and_base_models() {
        let description: Description = serde_json::from_value(json!({
            "id": "o/r", "sha": "1", "gated": "manual",
            "cardData": {"license": " apache-2.0 ", "base_model": ["o/base", "o/other"], "license_name": ""}
        }))
        .expect("a description");
        assert!(description.is_gated());
        assert_eq!(description.card("license").as_deref(), Some("apache-2.0"));
        assert_eq!(description.card("base_model").as_deref(), Some("o/base"));
        assert_eq!((description.card("license_name"), description.card("x")), (None, None));
        assert!(!Description::default().is_gated());
    }

    #[test]
    fn header_survives_mutation() {
        let seeds: [&[u8]; 2] = [b"<https://h/a?cursor=x%2Fy>; rel=\"next\", <b>; rel=x", b"W/\"abc\""];
        crate::fuzz::fuzz("hub-headers", &seeds, |input| {
            let text = String::from_utf8_lossy(input);
            let read = (next_link(&text), unquoted(&text));
            assert!(read.0.is_none_or(|link| link.len() < text.len()) && read.1.len() <= text.len());
        });
    }

    #[test]
    fn response_survives_mutation() {
        let description = br#"{"id":"o/r","sha":"1","gated":"auto","cardData":{"license":["x"],"base_model":{}}}"#;
        let entry = br#"[{"type":"file","oid":"1","size":1,"path":"a","lfs":{"oid":"2","size":3}}]"#;
        crate::fuzz::fuzz("hub-answers", &[description, entry], |input| {
            if let Ok(description) = serde_json::from_slice::<Description>(input) {
                drop((description.is_gated(), description.card("license"), description.card("base_model")));
            }
            if let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(input) {
                drop(entries.iter().map(|entry| (entry.sum(), entry.bytes(), entry.is_file())).collect::<Vec<_>>());
            }
        });
    }
}
