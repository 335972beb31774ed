//! One `send` for all requests: sign-in, retries, limits, redirects, trace; and one `open` for responses that do not
//! fit into memory.
//!
//! Owns paged lists (`list`), ranges of files (`RangeReader`), and the failures of the network or of a service. Knows
//! neither routes nor bodies.

mod attempt;
mod body;
mod certificates;
mod chain;
mod client;
mod download;
mod error;
mod fault;
mod limit;
mod pages;
mod proxy;
mod range;
mod request;
mod response;
mod retry;
mod service_error;

pub use client::HttpClient;
pub(crate) use download::{Download, DownloadResponse, RawResponse};
pub use error::{HttpError, Intermediary, NetworkFault, RedirectFault, ResponseFlaw};
pub(crate) use pages::{MAX_PAGES, PageError};
pub(crate) use proxy::ProxyUse;
pub(crate) use range::{RangeFlaw, RangeReader, RangeResponse, RangeSource};
pub use request::Request;
pub use reqwest::Method;
pub(crate) use response::Response;
pub(crate) use retry::Backoff;
pub use retry::Retry;
pub(crate) use service_error::read_error;
pub use service_error::{ErrorDetail, ServiceError};

#[cfg(test)]
pub(crate) mod tests;
