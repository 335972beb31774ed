//! Connection to azd's gRPC server.

use std::fmt;
use std::net::SocketAddrV4;
use std::sync::OnceLock;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use super::HostError;
use crate::env::{Env, Timings, var};

/// azd's gRPC server, while azd runs this program. Connects on the first call; belongs to the runtime that creates it.
pub struct Host {
    address: String,
    headers: MetadataMap,
    timings: Timings,
    /// True after the server did not respond: no later call waits for it again.
    is_silent: bool,
    channel: OnceLock<Channel>,
}

/// Omits the headers, which hold the token.
impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Host {
    /// Server from the environment; `None` if azd did not start this program. Sends nothing yet.
    #[must_use]
    pub fn from_env(env: &Env, timings: &Timings) -> Option<Self> {
        let address = env.get(var::AZD_SERVER)?.to_owned();
        let mut headers = MetadataMap::new();
        let mut add = |name: &'static str, text: Option<&str>| {
            if let Some(value) = text.and_then(|text| MetadataValue::<Ascii>::try_from(text).ok()) {
                headers.insert(name, value);
            }
        };
        let trace = env.trace_context();
        // Raw token: azd does not accept it with `Bearer `.
        add("authorization", env.get(var::AZD_ACCESS_TOKEN));
        add("traceparent", trace.map(|trace| trace.parent));
        add("tracestate", trace.and_then(|trace| trace.state));
        if let Some(token) = headers.get_mut("authorization") {
            token.set_sensitive(true);
        }
        let is_silent = env.is_azd_silent();
        Some(Self { address, headers, timings: timings.clone(), is_silent, channel: OnceLock::new() })
    }

    /// Time limits of this connection.
    pub(super) fn timings(&self) -> &Timings {
        &self.timings
    }

    /// One connection serves all calls. It uses no proxy and sends no keepalive: azd closes connections of clients that
    /// do.
    pub(super) fn channel(&self) -> Result<Channel, HostError> {
        if self.is_silent {
            return Err(HostError::TimedOut { limit: self.timings.host_call });
        }
        if let Some(channel) = self.channel.get() {
            return Ok(channel.clone());
        }
        let address: SocketAddrV4 = self.address.parse().map_err(|_| HostError::BadAddress)?;
        if !address.ip().is_loopback() {
            return Err(HostError::BadAddress);
        }
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|_| HostError::BadAddress)?;
        let channel = endpoint.connect_timeout(self.timings.connect).connect_lazy();
        Ok(self.channel.get_or_init(|| channel).clone())
    }

    /// Adds azd's metadata to a message.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.headers.clone();
        request
    }
}

/// Awaits a response under a limit. On the heap: tonic holds a large state during a call.
pub(super) fn with_limit<T>(
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> impl Future<Output = Result<T, HostError>> {
    let call = Box::pin(call);
    async move {
        match tokio::time::timeout(limit, call).await {
            Ok(answer) => Ok(answer?.into_inner()),
            Err(_) => Err(HostError::TimedOut { limit }),
        }
    }
}

/// Awaits a response without a limit: an answer of the user, or the end of a whole azd command.
pub(super) fn without_limit<T>(
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> impl Future<Output = Result<T, HostError>> {
    let call = Box::pin(call);
    async move { Ok(call.await?.into_inner()) }
}
