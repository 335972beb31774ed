//! Whole flows against scripted sockets: requests, their order, and results.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::FoundryClient;
use crate::credential::{TokenSource, TokenTarget};
use crate::env::{Env, Timings, var};
use crate::http::tests::server::{Server, ServerScript, answer, client};
use crate::model::{ModelDetails, ModelName, ModelVersion, Registration};
use crate::project::ProjectEndpoint;

/// Generates two tests from each function: one per api-version.
macro_rules! for_each_api_version {
    ($($test:ident),+ $(,)?) => {
        mod preview {
            $(#[tokio::test(flavor = "current_thread", start_paused = true)] async fn $test() {
                crate::foundry::tests::API.set("2025-11-15-preview");
                super::$test().await;
            })+
        }
        mod v1 {
            $(#[tokio::test(flavor = "current_thread", start_paused = true)] async fn $test() {
                crate::foundry::tests::API.set("v1");
                super::$test().await;
            })+
        }
    };
}

mod delete;
mod lists;
mod register;
mod wait;

thread_local! {
    /// Api-version of the test that runs on this thread.
    static API: Cell<&'static str> = const { Cell::new("") };
}

const PREFIX: &str = "/api/projects/p/models";

/// Limit of the tests that do not reach it; the clock is paused, so waiting takes no time.
const LIMIT: Duration = Duration::from_secs(30 * 60);

fn foundry(server: &Server) -> FoundryClient {
    let env = Env::from_vars([(var::CREDENTIAL, "emulator")], Path::new("/"));
    let target = TokenTarget {
        host: "127.0.0.1",
        loopback: true,
        named_by_user: true,
        audience: crate::credential::Audience::Foundry,
    };
    let tokens = TokenSource::new(&env, target, None, Timings::default(), Arc::new(|_| ())).expect("tokens");
    let endpoint = server.url.join("/api/projects/p").expect("url");
    let endpoint = ProjectEndpoint::parse(endpoint.as_str(), None).expect("endpoint");
    FoundryClient::new(Arc::new(client(&[]).0), Arc::new(tokens), endpoint, API.get())
}

fn name() -> ModelName {
    "m".parse().expect("name")
}

fn version() -> ModelVersion {
    "1".parse().expect("version")
}

fn registration() -> Registration {
    let blob_uri = "https://s.example/c".parse().expect("a location");
    Registration { blob_uri, details: ModelDetails::default() }
}

/// Successful response with this body.
fn ok(body: &str) -> ServerScript {
    answer("200 OK", &[], body)
}

fn missing() -> ServerScript {
    answer("404 X", &[], r#"{"error":{"code":"ModelNotFound","message":"no"}}"#)
}

/// Short form of the requests of a test: `GET /path`, without the part that all have in common.
fn lines(server: &Server) -> Vec<String> {
    let version = format!("?api-version={}", API.get());
    let short = |line: &String| line.replace(PREFIX, "").replace(&version, "").replace("?api-version=v1", "");
    server.lines().iter().map(short).collect()
}
