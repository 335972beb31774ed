//! Secrets that cannot be printed, and the sanitization of external text.
//!
//! The whole query of a SAS URL is secret, as are bearer tokens and `user:password@`. Secrets of this run are
//! recognized anywhere; all others by the shape of the surrounding text.

mod known;
mod shape;
#[cfg(test)]
mod tests;
mod unescaped;

use std::fmt;

use serde_json::Value;
use url::Url;

use self::shape::SearchScope;
use self::unescaped::UnescapedText;

pub(crate) use known::remember;

const MASK: &str = "***";

/// A URL whose query and user information are never shown: a SAS URL, or a source that may carry one. Both are masked
/// in every text from now on.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// Wraps the URL and registers its secrets.
    #[must_use]
    pub fn new(url: Url) -> Self {
        url.query().into_iter().chain(url.password()).for_each(remember);
        for (name, value) in url.query_pairs() {
            if name.eq_ignore_ascii_case("sig") {
                remember(&value);
            }
        }
        Self(url)
    }

    /// URL including the secret. Only for the request or child process that needs it.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.0
    }

    /// URL without query, fragment and user information: safe to store and to show.
    #[must_use]
    pub fn without_query(&self) -> Url {
        bare(self.0.clone())
    }
}

/// Returns a URL without query, fragment and user information.
#[must_use]
pub fn bare(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that cannot have user information, and have none.
    let _: Result<(), ()> = url.set_username("");
    let _: Result<(), ()> = url.set_password(None);
    url
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

/// A bearer token or password, masked from now on in every text.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps the token and registers it.
    #[must_use]
    pub fn new(token: String) -> Self {
        remember(&token);
        Self(token)
    }

    /// Token in plain text. Only for the header that needs it.
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

/// Sanitizes text of another program or a server: secrets of this run, queries and user information of URLs, values
/// with the name of a secret, bearer tokens and JSON Web Tokens are masked, the rest is unchanged. Takes time
/// proportional to the length of the text.
#[must_use]
pub fn clean(text: &str) -> String {
    let plain = UnescapedText::of(text);
    let mut spans = known::find(text, &plain);
    shape::find(plain.bytes(), SearchScope::Text, |start, end| spans.push(plain.source(start, end)));
    mask(text, spans)
}

/// Masks only the secrets of this run: the final step for everything that is written.
#[must_use]
pub fn mask_known(text: String) -> String {
    if !known::is_any() {
        return text;
    }
    let spans = known::find(&text, &UnescapedText::of(&text));
    if spans.is_empty() { text } else { mask(&text, spans) }
}

/// Masks the secrets in JSON: query and user information of every text under a key `blobUri`, in any case and at any
/// depth, and all secrets of each text that contains a signature, a JSON Web Token, a password in a URL or a secret of
/// this run. Other texts are unchanged, since a query alone is not a secret in a description.
pub fn clean_json(value: &mut Value) {
    match value {
        Value::String(text) if holds_secret(text) => *text = clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean_json),
        Value::Object(fields) => {
            for (key, field) in fields {
                if key.eq_ignore_ascii_case("blobUri") { clean_blob_uris(field) } else { clean_json(field) }
            }
        }
        _ => {}
    }
}

fn holds_secret(text: &str) -> bool {
    let plain = UnescapedText::of(text);
    let mut found = !known::find(text, &plain).is_empty();
    shape::find(plain.bytes(), SearchScope::Data, |_, _| found = true);
    found
}

fn clean_blob_uris(value: &mut Value) {
    match value {
        Value::String(text) => {
            // In any form: an address of weights may lack a scheme and have spaces in its query.
            let text_before_query = text.find(['?', '#']).filter(|at| at + 1 < text.len());
            if let Some(at) = text_before_query {
                text.replace_range(at + 1.., MASK);
            }
            *text = clean(text);
        }
        Value::Array(items) => items.iter_mut().for_each(clean_blob_uris),
        Value::Object(fields) => fields.values_mut().for_each(clean_blob_uris),
        _ => {}
    }
}

/// Replaces these ranges of the text, which may overlap, with the mask.
fn mask(text: &str, mut spans: Vec<(usize, usize)>) -> String {
    spans.sort_unstable();
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for (start, end) in spans {
        if start >= at && end > start {
            // Two adjacent ranges are one secret.
            if start > at || at == 0 {
                out.extend_from_slice(&text.as_bytes()[at..start]);
                out.extend_from_slice(MASK.as_bytes());
            }
        }
        at = at.max(end);
    }
    out.extend_from_slice(&text.as_bytes()[at..]);
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
