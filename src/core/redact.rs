//! Secrets that cannot be printed, and the cleaning of text that others wrote.
//!
//! A SAS URL's whole query is secret (contracts/foundry-rest.md 5), so is a bearer token, so is `user:password@`.

use std::fmt;

use serde_json::Value;
use url::Url;

const MASK: &str = "***";

/// A URL whose query and user information never show: a SAS URL, or a source that may carry one.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// Takes the URL into custody.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The real URL, secret included. Only for the request or the child process that needs it.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.0
    }

    /// The URL without query, fragment and user information: safe to store and to show.
    #[must_use]
    pub fn without_query(&self) -> Url {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        // Both fail only for URLs that cannot have user information, which then have none.
        let _: Result<(), ()> = url.set_username("");
        let _: Result<(), ()> = url.set_password(None);
        url
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.without_query())?;
        if self.0.query().is_some() { write!(f, "?{MASK}") } else { Ok(()) }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

/// A bearer token or password.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes the token into custody.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The real token. Only for the header that needs it.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({MASK})")
    }
}

/// Cleans text that another program or a server wrote: queries and user information of URLs, values of
/// signature parameters, bearer tokens and JSON Web Tokens are masked, the rest stays as it was.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_bearer = false;
    while !rest.is_empty() {
        let end = rest.find(is_boundary).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        if !word.is_empty() {
            if after_bearer {
                out.push_str(MASK);
            } else {
                clean_word(word, &mut out);
            }
            after_bearer = word.eq_ignore_ascii_case("bearer") || word.to_ascii_lowercase().ends_with("=bearer");
        }
        let mut chars = tail.chars();
        if let Some(boundary) = chars.next() {
            out.push(boundary);
        }
        rest = chars.as_str();
    }
    out
}

/// Masks the secrets in JSON: query and user information of every text under a key `blobUri`, in any case and at any
/// depth, and each text with a signature in it as [`clean`] does. Other texts stay as they were, for a query alone is no
/// secret in a description.
pub fn clean_json(value: &mut Value) {
    match value {
        Value::String(text) if find_ignore_case(text, "sig=").is_some() => *text = clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean_json),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key.eq_ignore_ascii_case("blobUri") { clean_blob_uris(field) } else { clean_json(field) }
            }
        }
        _ => {}
    }
}

fn clean_blob_uris(value: &mut Value) {
    match value {
        Value::String(text) => {
            let mut cleaned = String::with_capacity(text.len());
            clean_address(text, &mut cleaned);
            *text = clean(&cleaned);
        }
        Value::Array(items) => items.iter_mut().for_each(clean_blob_uris),
        Value::Object(fields) => fields.values_mut().for_each(clean_blob_uris),
        _ => {}
    }
}

fn is_boundary(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '\\')
}

fn clean_word(word: &str, out: &mut String) {
    // A JSON Web Token: three base64url parts, the first of which starts with an encoded `{"`.
    if word.starts_with("eyJ") && word.bytes().filter(|&byte| byte == b'.').count() == 2 {
        out.push_str(MASK);
        return;
    }
    let start = find_ignore_case(word, "http://").into_iter().chain(find_ignore_case(word, "https://")).min();
    if let Some(start) = start {
        let (before, address) = word.split_at(start);
        clean_parameters(before, out);
        clean_address(address, out);
    } else {
        clean_parameters(word, out);
    }
}

fn clean_address(address: &str, out: &mut String) {
    let scheme_end = address.find("//").map_or(0, |at| at + 2);
    let (scheme, rest) = address.split_at(scheme_end);
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    out.push_str(scheme);
    match authority.rfind('@') {
        Some(at) => {
            out.push_str(MASK);
            out.push_str(&authority[at..]);
        }
        None => out.push_str(authority),
    }
    match path.find(['?', '#']) {
        Some(at) => {
            out.push_str(&path[..=at]);
            out.push_str(MASK);
        }
        None => out.push_str(path),
    }
}

fn clean_parameters(word: &str, out: &mut String) {
    let secret = ["sig=", "signature=", "access_token=", "client_secret=", "password="]
        .iter()
        .filter_map(|name| find_ignore_case(word, name).map(|at| at + name.len()))
        .min();
    match secret {
        Some(value) => {
            let end = word[value..].find('&').map_or(word.len(), |at| value + at);
            out.push_str(&word[..value]);
            if end > value {
                out.push_str(MASK);
            }
            clean_parameters(&word[end..], out);
        }
        None => out.push_str(word),
    }
}

fn find_ignore_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sas_url_shows_its_place_and_nothing_else() {
        let url =
            SecretUrl::new(Url::parse("https://me:pw@a.blob.core.windows.net/c/d?sv=1&sig=CANARY#x").expect("url"));
        assert_eq!(url.to_string(), "https://a.blob.core.windows.net/c/d?***");
        assert_eq!(format!("{url:?}"), "SecretUrl(https://a.blob.core.windows.net/c/d?***)");
        assert_eq!(format!("{:?}", Token::new("CANARY".into())), "Token(***)");
    }

    #[test]
    fn text_of_others_loses_its_secrets_and_keeps_its_sense() {
        for (dirty, clean_text) in [
            ("PUT http://127.0.0.1:1/a/b?sig=CANARY failed", "PUT http://127.0.0.1:1/a/b?*** failed"),
            ("proxy http://user:CANARY@proxy:8080 said no", "proxy http://***@proxy:8080 said no"),
            ("Authorization: Bearer CANARY", "Authorization: Bearer ***"),
            ("se=2026&SIG=CANARY&sp=r", "se=2026&SIG=***&sp=r"),
            ("token eyJhbGc.eyJCANARY.sig", "token ***"),
            (r#"{"url":"https://h/p?x=CANARY"}"#, r#"{"url":"https://h/p?***"}"#),
            ("src=HTTPS://h/p?CANARY", "src=HTTPS://h/p?***"),
            ("nothing secret, 100 %", "nothing secret, 100 %"),
            ("no signature (sig=)", "no signature (sig=)"),
        ] {
            assert_eq!(clean(dirty), clean_text);
        }
    }

    #[test]
    fn an_address_of_weights_loses_its_query_and_its_user_wherever_it_stands() {
        for (dirty, masked) in [
            ("https://h/c?sv=1&t=CANARY", "https://h/c?***"),
            ("https://u:CANARY@h/c", "https://***@h/c"),
            ("wasbs://u:CANARY@h/c?CANARY", "wasbs://***@h/c?***"),
            ("//u:CANARY@h/c#CANARY", "//***@h/c#***"),
            ("h/c d?CANARY and CANARY", "h/c d?***"),
            ("c/p", "c/p"),
            ("Bearer CANARY", "Bearer ***"),
        ] {
            for key in ["blobUri", "BlobUri", "BLOBURI", "bloburi"] {
                let mut json = json!({
                    key: dirty, "in": {key: dirty}, "list": [{key: [dirty, {"at": dirty}]}],
                });
                clean_json(&mut json);
                let wanted = json!({
                    key: masked, "in": {key: masked}, "list": [{key: [masked, {"at": masked}]}],
                });
                assert_eq!(json, wanted, "{key}");
            }
        }
    }

    #[test]
    fn other_texts_lose_their_signatures_alone() {
        let mut json =
            json!({"u": ["https://h/c?sv=1&SIG=CANARY", "se=1&sig=CANARY"], "seen": "https://h/p?page=2", "n": 1});
        clean_json(&mut json);
        assert_eq!(json, json!({"u": ["https://h/c?***", "se=1&sig=***"], "seen": "https://h/p?page=2", "n": 1}));
    }

    proptest! {
        #[test]
        fn no_query_survives(before in "[a-z \"']{0,8}", host in "[a-z]{1,8}", query in "[a-zA-Z0-9=&%]{0,20}") {
            let text = format!("{before}https://{host}/p?{query}CANARY after");
            prop_assert!(!clean(&text).contains("CANARY"));
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in "\\PC{0,60}") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
