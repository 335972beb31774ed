//! A response, as the clients of the services see it.

use std::marker::PhantomData;
use std::time::Duration;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny};

use super::error::{HttpError, Intermediary, ResponseFlaw};
use super::service_error::looks_like_html;
use crate::redact::clean;

/// Bytes of a body that are searched for the message of an intermediary.
const INTERMEDIARY_BODY: usize = 4096;
/// Maximum length of these texts, in characters.
const INTERMEDIARY_LINE: usize = 160;

/// A complete successful response (2xx).
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// HTTP status.
    pub(crate) status: u16,
    /// Host and port that responded.
    pub(crate) host: String,
    /// `Location`, as received.
    pub(crate) location: Option<String>,
    /// `Operation-Location`, as received.
    pub(crate) operation_location: Option<String>,
    /// `Azure-AsyncOperation`, as received.
    pub(crate) azure_async_operation: Option<String>,
    /// Delay that the service asks for, in real time.
    pub(crate) retry_after: Option<Duration>,
    /// `x-ms-request-id`, otherwise the id that was sent.
    pub(crate) request_id: Option<String>,
    /// `Date`.
    pub(crate) date: Option<String>,
    /// `ETag`, as received.
    pub(crate) etag: Option<String>,
    /// `Content-MD5`.
    pub(crate) content_md5: Option<String>,
    /// `Last-Modified`, as received.
    pub(crate) last_modified: Option<String>,
    /// `Content-Type`, as received.
    pub(crate) content_type: Option<String>,
    /// `Via`, otherwise `Server`: the responding server.
    pub(crate) server: Option<String>,
    /// `x-ms-content-crc64`.
    pub(crate) crc64: Option<String>,
    /// True if the response has an `x-ms-request-id`, which all Azure services send.
    pub(crate) has_request_id: bool,
    /// Decoded body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// [`HttpError::BadAnswer`] with the defect, which does not quote the body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        self.json_by(PhantomData::<T>)
    }

    /// Parses the body as JSON with this seed.
    ///
    /// # Errors
    /// As [`Response::json`].
    pub(crate) fn json_by<'a, S: DeserializeSeed<'a>>(&'a self, seed: S) -> Result<S::Value, HttpError> {
        let body = self.body.trim_ascii();
        if body.is_empty() {
            return Err(self.bad(ResponseFlaw::Empty));
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let value = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
        value.map_err(|error| {
            self.bad(if looks_like_html(&String::from_utf8_lossy(&body[..body.len().min(64)])) {
                ResponseFlaw::Html
            } else if error.is_data() {
                ResponseFlaw::Shape(shape(&error))
            } else {
                ResponseFlaw::NotJson
            })
        })
    }

    /// Checks a body that may be missing: if there is one it must be JSON, since a page of a proxy is not a response of
    /// the service.
    ///
    /// # Errors
    /// [`HttpError::BadAnswer`].
    pub(crate) fn check_body(&self) -> Result<(), HttpError> {
        if self.body.trim_ascii().is_empty() { Ok(()) } else { self.json::<IgnoredAny>().map(|_| ()) }
    }

    /// Error for this response as one of an intermediary.
    #[must_use]
    pub(super) fn of_intermediary(&self) -> HttpError {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(INTERMEDIARY_BODY)]);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let cut = |text: &str| clean(&text.chars().take(INTERMEDIARY_LINE).collect::<String>());
        let [line, content_type, server] = [Some(line), self.content_type.as_deref(), self.server.as_deref()]
            .map(|text| text.map(cut).unwrap_or_default());
        self.bad(ResponseFlaw::Intermediary(Box::new(Intermediary { line, content_type, server })))
    }

    /// Error for this response with this defect.
    #[must_use]
    pub(crate) fn bad(&self, what: ResponseFlaw) -> HttpError {
        let request_id = self.request_id.clone();
        HttpError::BadAnswer { host: self.host.clone(), status: self.status, what, request_id }
    }
}

/// serde's message without the value that it quotes, which may be a secret.
fn shape(error: &serde_json::Error) -> String {
    let message = clean(&error.to_string());
    match (message.find('"'), message.rfind('"')) {
        (Some(start), Some(end)) if start < end => format!("{}...{}", &message[..start], &message[end + 1..]),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_response_names_its_flaw_and_quotes_nothing() {
        #[derive(Debug, serde::Deserialize)]
        struct Wanted {
            #[expect(dead_code, reason = "only its type matters")]
            number: u64,
        }
        for (body, flaw) in [
            ("", "the body is empty"),
            ("  <html>CANARY</html>", "an HTML page, not JSON"),
            ("CANARY", "the body is not JSON"),
            (r#"{"number":"#, "the body is not JSON"),
            (r#"{}"#, "missing field `number` at line 1 column 2"),
            (r#"{"number":"CANARY \" q"}"#, "invalid type: string ..., expected u64 at line 1 column 23"),
        ] {
            let response = Response { status: 200, host: "h:1".into(), body: body.into(), ..Response::default() };
            let error = response.json::<Wanted>().expect_err(body);
            assert_eq!(error.to_string(), format!("unexpected response from h:1 (200): {flaw}"));
        }
    }
}
