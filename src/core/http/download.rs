//! A response whose body is read piece by piece, for files: no token, no retries, no redirects followed.

use bytes::Bytes;
use reqwest::StatusCode;
use url::Url;

use super::client::HttpClient;
use super::error::{HttpError, RedirectFault};
use super::limit::Limit;
use super::request::Request;
use super::{body, fault};

/// First response to a request for a file.
#[derive(Debug)]
pub(crate) enum Opened {
    /// The file begins.
    Here(Download),
    /// It is elsewhere; whether that place is a good one is the caller's question.
    Elsewhere(Url),
}

/// A file on its way; dropping it ends the connection.
#[derive(Debug)]
pub(crate) struct Download {
    response: reqwest::Response,
    host: String,
    limit: Limit<'static>,
}

impl HttpClient {
    /// Sends a [`Request::download`] once.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub(crate) async fn open(&self, request: &Request<'static>) -> Result<Opened, HttpError> {
        let (attempt, builder) = self.attempt(request, &request.url).await?;
        let begun = attempt.limit.hold(&attempt.host, attempt.head(builder)).await;
        let (head, response) = begun.inspect_err(|error| self.trace_failure(error))?;
        self.trace_response(&attempt, &head);
        if head.status == StatusCode::OK {
            return Ok(Opened::Here(Download { response, host: attempt.host, limit: attempt.limit }));
        }
        if head.is_redirect() {
            let (host, status) = (attempt.host, head.response.status);
            let next = head.response.location.and_then(|location| request.url.join(&location).ok());
            let nowhere = HttpError::Redirect { host, status, why: RedirectFault::NoLocation };
            return next.map(Opened::Elsewhere).ok_or(nowhere);
        }
        let body = attempt.limit.hold(&attempt.host, body::read(response, &head.response)).await;
        Err(head.refusal(&body.unwrap_or_default()))
    }
}

impl Download {
    /// Size of the whole file, if the server reports it.
    #[must_use]
    pub(crate) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or nothing came for too long.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let (host, chunk) = (&self.host, self.response.chunk());
        self.limit.hold(host, async { chunk.await.map_err(|error| fault::network(host, error)) }).await
    }
}
