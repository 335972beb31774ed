//! A response whose body is read in pieces, for files: no retries, no redirects.

use bytes::Bytes;
use reqwest::StatusCode;
use url::Url;

use super::attempt::Head;
use super::client::HttpClient;
use super::error::{HttpError, RedirectFault};
use super::limit::AttemptLimit;
use super::request::Request;
use super::response::Response;
use super::{body, fault};

/// First response to a request for a file.
#[derive(Debug)]
pub(crate) enum DownloadResponse {
    /// Content of the file.
    Content(Download),
    /// URL of the file elsewhere; the caller decides whether to follow.
    Redirect(Url),
}

/// A file being received; dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Download {
    response: reqwest::Response,
    host: String,
    limit: AttemptLimit<'static>,
}

/// First response to a request, regardless of its status.
#[derive(Debug)]
pub(crate) struct RawResponse {
    head: Head,
    download: Download,
}

impl HttpClient {
    /// Sends a [`Request::download`] once.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub(crate) async fn open(&self, request: &Request<'static>) -> Result<DownloadResponse, HttpError> {
        let exchange = self.exchange(request).await?;
        if exchange.head.status == StatusCode::OK {
            return Ok(DownloadResponse::Content(exchange.download));
        }
        if exchange.is_redirect() {
            let next = exchange.location().and_then(|location| request.url.join(location).ok());
            return next
                .map(DownloadResponse::Redirect)
                .ok_or_else(|| exchange.bad_redirect(RedirectFault::NoLocation));
        }
        Err(exchange.refusal().await)
    }

    /// Sends a [`Request::download`] once, and returns the response regardless of its status.
    ///
    /// # Errors
    /// When no response was received.
    pub(crate) async fn exchange(&self, request: &Request<'static>) -> Result<RawResponse, HttpError> {
        let (attempt, builder) = self.attempt(request, &request.url).await?;
        let begun = attempt.limit.apply(&attempt.host, attempt.head(builder)).await;
        let (head, response) = begun.inspect_err(|error| self.trace_failure(error))?;
        self.trace_response(&attempt, &head);
        Ok(RawResponse { head, download: Download { response, host: attempt.host, limit: attempt.limit } })
    }
}

impl RawResponse {
    /// HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.head.response.status
    }

    /// Host and port that responded.
    pub(crate) fn host(&self) -> &str {
        &self.download.host
    }

    /// True for a status that redirects.
    pub(crate) fn is_redirect(&self) -> bool {
        self.head.is_redirect()
    }

    /// `Location`, byte for byte as it was sent.
    pub(crate) fn location(&self) -> Option<&str> {
        self.head.response.location.as_deref()
    }

    /// A header, as received.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.download.response.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// Error for this response as a redirect that is not followed.
    pub(crate) fn bad_redirect(&self, why: RedirectFault) -> HttpError {
        HttpError::Redirect { host: self.download.host.clone(), status: self.status(), why }
    }

    /// Body, piece by piece.
    pub(crate) fn into_download(self) -> Download {
        self.download
    }

    /// Whole body of a response.
    ///
    /// # Errors
    /// When the connection broke, nothing was received for too long, or the body is larger than any response.
    pub(crate) async fn into_response(self) -> Result<Response, HttpError> {
        let Download { response, host, limit } = self.download;
        let body = limit.apply(&host, body::read(response, &self.head.response)).await?;
        Ok(Response { body, ..self.head.response })
    }

    /// Error for this response as one of an intermediary that responded in place of the service.
    pub(crate) async fn into_intermediary(self) -> HttpError {
        match self.into_response().await {
            Ok(response) => response.of_intermediary(),
            Err(error) => error,
        }
    }

    /// Error of the service in this response.
    pub(crate) async fn refusal(self) -> HttpError {
        let Download { response, host, limit } = self.download;
        let body = limit.apply(&host, body::read(response, &self.head.response)).await;
        self.head.refusal(&body.unwrap_or_default())
    }
}

impl Download {
    /// Host and port of the server.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Size of the whole file, if the server reports it.
    #[must_use]
    pub(crate) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection broke, or nothing was received for too long.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let (host, chunk) = (&self.host, self.response.chunk());
        self.limit.apply(host, async { chunk.await.map_err(|error| fault::network(host, error)) }).await
    }
}
