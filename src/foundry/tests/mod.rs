//! Whole flows against scripted sockets: what is sent, in which order, and what comes of it.

use std::path::Path;
use std::sync::Arc;

use super::FoundryClient;
use crate::credential::{Target, TokenSource};
use crate::env::{Env, Timings, var};
use crate::http::tests::server::{Play, Server, answer, client};
use crate::model::{ModelDetails, ModelName, ModelVersion, Registration};
use crate::project::ProjectEndpoint;

mod delete;
mod lists;
mod register;

const PREFIX: &str = "/api/projects/p/models";

fn foundry(server: &Server) -> FoundryClient {
    let env = Env::from_vars([(var::CREDENTIAL, "emulator")], Path::new("/"));
    let target = Target { host: "127.0.0.1", loopback: true };
    let tokens = TokenSource::new(&env, target, None, Timings::default(), Arc::new(|_| ())).expect("tokens");
    let endpoint = server.url.join("/api/projects/p").expect("url");
    let endpoint = ProjectEndpoint::parse(endpoint.as_str(), None).expect("endpoint");
    FoundryClient::new(Arc::new(client(&[]).0), Arc::new(tokens), endpoint, "v1")
}

fn name() -> ModelName {
    "m".parse().expect("name")
}

fn version() -> ModelVersion {
    "1".parse().expect("version")
}

fn registration() -> Registration {
    let blob_uri = url::Url::parse("https://s.example/c").expect("url");
    Registration { blob_uri, details: ModelDetails::default() }
}

/// An answer with this body.
fn ok(body: &str) -> Play {
    answer("200 OK", &[], body)
}

fn missing() -> Play {
    answer("404 X", &[], r#"{"error":{"code":"ModelNotFound","message":"no"}}"#)
}

/// `GET /path`s of a test, short: without the part that all have.
fn lines(server: &Server) -> Vec<String> {
    server.lines().iter().map(|line| line.replace(PREFIX, "").replace("?api-version=v1", "")).collect()
}
