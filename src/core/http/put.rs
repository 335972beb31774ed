//! A request whose body is streamed from a file: one try, HTTP/1.1, no limit but that something must move. For blob
//! stores, whose URLs are secrets (contracts/blob.md 5).

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use url::Url;
use uuid::Uuid;

use super::client::{HttpClient, Purpose, read_head, refusal};
use super::error::{Fault, HttpError};
use super::request::{Response, place, shown};
use super::{body, fault, retry};
use crate::model::Report;

/// What is sent, and how its sender knows that it still moves.
pub struct Upload<B> {
    /// Where to.
    pub url: Url,
    /// Headers beside the length.
    pub headers: Vec<(&'static str, String)>,
    /// Length of the body in bytes.
    pub length: u64,
    /// The body.
    pub body: B,
    /// Given up when `moved` does not change for so long.
    pub stall: Duration,
}

impl HttpClient {
    /// Sends it once. `moved` is a number that grows with each piece that is taken from the body.
    ///
    /// # Errors
    /// See [`HttpError`]. Whether another try is worthwhile tells [`HttpError::is_passing`].
    pub async fn put<B>(&self, upload: Upload<B>, moved: impl Fn() -> u64) -> Result<Response, HttpError>
    where
        B: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        let Upload { url, headers, length, body: content, stall } = upload;
        let (host, id) = (place(&url), Uuid::new_v4().to_string());
        let mut request = self.client(&url, Purpose::Blobs)?.put(url.clone()).header("x-ms-client-request-id", &id);
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        request = request.header("content-length", length).body(reqwest::Body::wrap_stream(content));
        self.report(Report::Debug(format!("> PUT {} ({length} bytes, {id})", shown(&url))));
        let exchange = async {
            let response = request.send().await.map_err(|error| fault::network(&host, error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let answer = body::read(response, status.as_u16(), &host).await;
            Ok((status, headers, answer))
        };
        let silent = async {
            let (mut last, mut since) = (moved(), Instant::now());
            while since.elapsed() < stall {
                tokio::time::sleep(stall / 8).await;
                if moved() != last {
                    (last, since) = (moved(), Instant::now());
                }
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = exchange => outcome,
            () = silent => {
                let words = format!("nothing moved for {}", retry::seconds(stall));
                Err(HttpError::Network { host: host.clone(), fault: Fault::Timeout, connecting: false, words })
            }
        };
        let (status, headers, answer) = outcome.inspect_err(|error| self.say_failure(error))?;
        self.report(Report::Debug(format!("< {} ({id})", status.as_u16())));
        let mut response = read_head(status, host, &headers, id);
        if status.is_success() {
            response.body = answer?;
            return Ok(response);
        }
        Err(HttpError::Service(Box::new(refusal(&response, &headers, &answer.unwrap_or_default()))))
    }
}
