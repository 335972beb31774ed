//! One attempt of a request: its headers, its trace, the head of the response, and the error in a response. Shared by
//! `send` and `open`.

use std::time::{Duration, Instant, SystemTime};

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode};
use url::Url;

use super::client::{HttpClient, Purpose};
use super::error::HttpError;
use super::limit::AttemptLimit;
use super::request::{Body, Request, host_and_port, shown};
use super::response::Response;
use super::service_error::{ServiceError, tenant_of};
use super::{fault, retry};
use crate::redact::clean;

/// An attempt in progress.
pub(super) struct Attempt<'a> {
    pub(super) host: String,
    pub(super) limit: AttemptLimit<'a>,
    /// Request id that is sent.
    id: Option<String>,
    begun: Instant,
    trace: Trace,
}

/// Form of the trace line of a response.
#[derive(Clone, Copy)]
enum Trace {
    Status,
    Id,
    Duration,
}

/// Status and headers of a response, as far as they are used.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    /// The response, without its body.
    pub(super) response: Response,
    code: Option<String>,
    /// Error message of a response without a body, such as the response to a HEAD.
    message: Option<String>,
    rate_limit: Option<Duration>,
    copy_source_status: Option<u16>,
    tenant: Option<String>,
    correlation_id: Option<String>,
}

impl HttpClient {
    /// Signs, builds and traces a request to this URL.
    pub(super) async fn attempt<'a>(
        &self,
        request: &Request<'a>,
        url: &Url,
    ) -> Result<(Attempt<'a>, RequestBuilder), HttpError> {
        let token = match request.tokens {
            Some(tokens) => Some(tokens.token().await.map_err(HttpError::SignIn)?),
            None => None,
        };
        // Random bytes from the process, without a system call for each id.
        let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string();
        let mut builder = self.client(url, request.purpose)?.request(request.method.clone(), url.clone());
        // Only Azure's services correlate requests.
        if request.purpose != Purpose::Files {
            builder = builder.header("x-ms-client-request-id", &id);
            if let Some(traceparent) = self.traceparent() {
                builder = builder.header("traceparent", traceparent);
            }
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, &**value);
        }
        if let Some(token) = &token {
            builder = builder.bearer_auth(token.expose());
        }
        builder = match &request.body {
            Body::Empty => builder,
            Body::Bytes { content_type, bytes } => builder.header("content-type", *content_type).body(bytes.clone()),
            Body::Stream { length, make } => builder.header("content-length", *length).body(make()),
        };
        let length = request.body.length().filter(|_| request.purpose == Purpose::Blobs);
        self.trace(|| {
            let size = length.map(|length| format!("{length} bytes, ")).unwrap_or_default();
            format!("> {} {} ({size}{id})", request.method, shown(url))
        });
        let trace = match request.purpose {
            Purpose::Files => Trace::Status,
            Purpose::Blobs if length.is_some() => Trace::Id,
            Purpose::Answers | Purpose::Blobs => Trace::Duration,
        };
        let limit = request.limit.clone().unwrap_or(AttemptLimit::Whole(self.timings().request));
        let id = Some(id).filter(|_| request.purpose != Purpose::Files);
        Ok((Attempt { host: host_and_port(url), limit, id, begun: Instant::now(), trace }, builder))
    }

    /// Traces a response, once the part that the caller waits for has been received.
    pub(super) fn trace_response(&self, attempt: &Attempt<'_>, head: &Head) {
        let status = head.status.as_u16();
        self.trace(|| match attempt.trace {
            Trace::Status => match &head.response.request_id {
                Some(id) => format!("< {status} (request id {id})"),
                None => format!("< {status}"),
            },
            Trace::Id => format!("< {status} ({})", attempt.id.as_deref().unwrap_or_default()),
            Trace::Duration => {
                let took = attempt.begun.elapsed().as_millis();
                let id = head.response.request_id.as_deref().unwrap_or_default();
                format!("< {status} in {took} ms (request id {id})")
            }
        });
    }

    /// Traces a failed attempt.
    pub(super) fn trace_failure(&self, error: &HttpError) {
        if let HttpError::Network { message, .. } = error {
            self.trace(|| format!("< {error} ({message})"));
        }
    }
}

impl Attempt<'_> {
    /// Sends the request, and reads the head of its response.
    pub(super) async fn head(&self, builder: RequestBuilder) -> Result<(Head, reqwest::Response), HttpError> {
        let response = builder.send().await.map_err(|error| fault::network(&self.host, error))?;
        let head = Head::read(response.status(), response.headers(), (&self.host, self.id.as_deref()));
        Ok((head, response))
    }
}

impl Head {
    fn read(status: StatusCode, headers: &HeaderMap, (host, id): (&str, Option<&str>)) -> Self {
        let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let owned = |name: &str| get(name).map(str::to_owned);
        let retry_after = get("retry-after");
        let first_of = |names: [&str; 3]| names.into_iter().find_map(get).map(clean);
        let response = Response {
            status: status.as_u16(),
            host: host.to_owned(),
            location: owned("location"),
            operation_location: owned("operation-location"),
            azure_async_operation: owned("azure-asyncoperation"),
            retry_after: retry_after.and_then(|text| retry::retry_after(text, get("date"), SystemTime::now())),
            request_id: first_of(["x-ms-request-id", "x-request-id", "x-amz-cf-id"]).or_else(|| id.map(str::to_owned)),
            date: owned("date"),
            etag: owned("etag"),
            content_md5: owned("content-md5"),
            last_modified: owned("last-modified"),
            content_type: owned("content-type"),
            server: [("Via", "via"), ("Server", "server")]
                .into_iter()
                .find_map(|(title, name)| Some(format!("{title}: {}", get(name)?))),
            crc64: owned("x-ms-content-crc64"),
            has_request_id: get("x-ms-request-id").is_some(),
            body: Vec::new(),
        };
        Self {
            status,
            response,
            code: get("x-ms-error-code").or_else(|| get("x-error-code")).map(clean),
            message: get("x-error-message").map(clean),
            rate_limit: get("ratelimit").and_then(retry::rate_limit),
            copy_source_status: get("x-ms-copy-source-status-code").and_then(|status| status.trim().parse().ok()),
            tenant: get("www-authenticate").and_then(tenant_of),
            correlation_id: get("x-ms-correlation-request-id").map(clean),
        }
    }

    /// True for a status that redirects.
    pub(super) fn is_redirect(&self) -> bool {
        self.status.is_redirection() && self.status != StatusCode::NOT_MODIFIED
    }

    /// Error of an unsuccessful response.
    pub(super) fn refusal(self, body: &[u8]) -> HttpError {
        let Response { host, status, request_id, date, retry_after, .. } = self.response;
        let mut error = ServiceError {
            host,
            status,
            code: self.code,
            correlation_id: self.correlation_id.filter(|id| request_id.as_ref() != Some(id)),
            request_id,
            date,
            retry_after,
            rate_limit: self.rate_limit,
            copy_source_status: self.copy_source_status,
            tenant: self.tenant,
            ..ServiceError::default()
        };
        error.read_body(body);
        if let (true, Some(message)) = (error.message.is_empty(), self.message) {
            error.message = message;
        }
        HttpError::Service(Box::new(error))
    }
}
