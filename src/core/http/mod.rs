//! One `send` for all requests: sign-in, retries, limits, redirects, trace (cli.md 12); and one `open` and one `put` for
//! what is too large to be held.
//!
//! Owns what a failure of the network or of a service looks like. Knows no routes and no bodies.

mod body;
mod certificates;
mod client;
mod download;
mod error;
mod fault;
mod put;
mod request;
mod retry;
mod service_error;

pub use client::HttpClient;
pub use download::{Download, Opened};
pub use error::{Fault, Flaw, HttpError, RedirectFault};
pub use put::Upload;
pub use request::{Request, Response};
pub use reqwest::Method;
pub use retry::Retry;
pub use service_error::{ErrorDetail, ServiceError, read_error};

#[cfg(test)]
pub(crate) mod tests;
