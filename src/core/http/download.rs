//! An answer that is read piece by piece, for files: no token, no retries, no redirects followed, no limit but that
//! something must come.

use std::time::Duration;

use reqwest::StatusCode;
use url::Url;
use uuid::Uuid;

use super::client::{HttpClient, Purpose, read_head, refusal};
use super::error::{Fault, HttpError, RedirectFault};
use super::request::{place, shown};
use super::{body, fault, retry};
use crate::model::Report;

/// What a place says when it is asked for a file.
#[derive(Debug)]
pub enum Opened {
    /// The file begins.
    Here(Download),
    /// It is elsewhere; whether that place is a good one is the caller's question.
    Elsewhere(Url),
}

/// A file on its way; dropping it ends the connection.
#[derive(Debug)]
pub struct Download {
    response: reqwest::Response,
    host: String,
    stall: Duration,
}

impl HttpClient {
    /// Asks for a file once. A server that sends nothing for as long as `stall` is given up.
    ///
    /// # Errors
    /// See [`HttpError`]. Whether another try is worthwhile tells [`HttpError::is_passing`].
    pub async fn open(&self, url: &Url, stall: Duration) -> Result<Opened, HttpError> {
        let client = self.client(url, Purpose::Files)?;
        let (host, id) = (place(url), Uuid::new_v4().to_string());
        self.report(Report::Debug(format!("> GET {} ({id})", shown(url))));
        let request = client.get(url.clone()).header("accept-encoding", "identity");
        let answered = within(stall, &host, request.send()).await.inspect_err(|error| self.say_failure(error))?;
        let (status, headers) = (answered.status(), answered.headers().clone());
        self.report(Report::Debug(format!("< {}", status.as_u16())));
        let head = read_head(status, host.clone(), &headers, id);
        if status == StatusCode::OK {
            return Ok(Opened::Here(Download { response: answered, host, stall }));
        }
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let next = head.location.as_deref().and_then(|location| url.join(location).ok());
            let nowhere = HttpError::Redirect { host, status: head.status, why: RedirectFault::NoLocation };
            return next.map(Opened::Elsewhere).ok_or(nowhere);
        }
        let body = tokio::time::timeout(stall, body::read(answered, head.status, &host)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        Err(HttpError::Service(Box::new(refusal(&head, &headers, &body))))
    }
}

impl Download {
    /// Size of the whole file, if the server tells.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or nothing came for too long.
    pub async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, HttpError> {
        within(self.stall, &self.host, self.response.chunk()).await
    }
}

async fn within<T>(
    limit: Duration,
    host: &str,
    work: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, HttpError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(|error| fault::network(host, error)),
        Err(_) => {
            let words = format!("nothing came for {}", retry::seconds(limit));
            Err(HttpError::Network { host: host.to_owned(), fault: Fault::Timeout, connecting: false, words })
        }
    }
}
