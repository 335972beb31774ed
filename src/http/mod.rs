//! HTTP: one `send` that signs in, retries, limits and traces (cli.md 12).
//!
//! Knows nothing of models. Never prints: what is worth saying goes to the reporter.

mod client;
mod error;
mod request;
mod retry;

pub use client::HttpClient;
pub use error::{HttpError, NetworkFault, ServiceError};
pub use request::{Request, Response};
pub use retry::Retry;
