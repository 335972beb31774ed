//! Each fault from a client's perspective.

use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use foundry_emulator::{Config, Fault, FaultKind, RetryAfter, Route};
use reqwest::Method;
use serde_json::json;

use crate::client::{Answer, Client, VERSION};

fn with(fault: Fault) -> Client {
    Client::new(Config { faults: vec![fault], ..Config::default() })
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

#[tokio::test]
async fn a_status_fault_affects_the_chosen_requests() {
    let client = with(Fault::new(Route::List, FaultKind::refusal(403, "Forbidden", "No role.")).after(1).times(1));
    assert_eq!(client.get("/models").await.status, 200);
    let refused = client.get("/models").await;
    refused.assert_refused(403, "Forbidden");
    assert_eq!(refused.header("x-ms-request-id").len(), 36);
    assert_eq!(client.get("/models").await.status, 200);
}

#[tokio::test]
async fn retry_after_is_sent_in_seconds_or_as_a_date() {
    let client = with(Fault::new(Route::Any, FaultKind::retry_later(429, RetryAfter::Seconds(3))).times(1));
    client.emulator.add_fault(Fault::new(Route::Any, FaultKind::retry_later(503, RetryAfter::DateInSeconds(3))));
    let first = client.get("/models").await;
    assert_eq!((first.status, first.header("retry-after")), (429, "3"));
    let second = client.get("/models").await;
    assert_eq!(second.status, 503);
    assert!(second.header("retry-after").ends_with(" GMT"), "{}", second.header("retry-after"));
}

#[tokio::test]
async fn a_stall_never_responds() {
    let client = with(Fault::new(Route::List, FaultKind::Stall).times(1));
    let request = client.request(Method::GET, "/models").timeout(Duration::from_millis(200));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(client.get("/models").await.status, 200);
}

#[tokio::test]
async fn a_reset_fault_resets_the_tcp_connection() {
    let client = with(Fault::new(Route::List, FaultKind::Reset).times(1));
    let error = client.request(Method::GET, "/models").send().await.unwrap_err();
    assert_eq!(io_kind(&error), Some(io::ErrorKind::ConnectionReset), "{error:?}");
    assert_eq!(client.get("/models").await.status, 200);
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_its_content_length() {
    let client = with(Fault::new(Route::List, FaultKind::Truncated).times(1));
    let response = client.request(Method::GET, "/models").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-length"], json!({ "value": [] }).to_string().len().to_string().as_str());
    assert!(response.text().await.is_err());
    assert_eq!(client.get("/models").await.status, 200);
}

#[tokio::test]
async fn invalid_bodies_are_sent() {
    let client = with(Fault::new(Route::List, FaultKind::Html { status: 502 }).times(1));
    let page = client.get("/models").await;
    assert_eq!((page.status, page.header("content-type")), (502, "text/html"));
    assert!(page.body.as_str().unwrap().starts_with("<html>"));

    for kind in [FaultKind::JunkJson, FaultKind::EmptyBody, FaultKind::HugeBody { bytes: 20_000_000 }] {
        client.emulator.add_fault(Fault::new(Route::List, kind).times(1));
    }
    let junk = client.get("/models").await;
    assert_eq!((junk.status, junk.header("content-type")), (200, "application/json"));
    assert!(junk.body.is_string());
    assert_eq!(client.get("/models").await.body, "");
    let huge = client.request(Method::GET, "/models").send().await.unwrap();
    assert!(huge.content_length().unwrap() > 20_000_000);
    assert!(serde_json::from_str::<serde_json::Value>(&huge.text().await.unwrap()).is_ok());
}

#[tokio::test]
async fn delays_and_redirects_are_applied() {
    let client = with(Fault::new(Route::List, FaultKind::Delay { milliseconds: 150 }).times(1));
    let before = Instant::now();
    assert_eq!(client.get("/models").await.status, 200);
    assert!(before.elapsed() >= Duration::from_millis(150));
    client.emulator.add_fault(Fault::new(Route::List, FaultKind::Redirect { to: "http://other.example/".into() }));
    let answer = client.get("/models").await;
    assert_eq!((answer.status, answer.header("location")), (307, "http://other.example/"));
}

#[tokio::test]
async fn a_processed_request_takes_effect() {
    let client = with(Fault::new(Route::CreateAsync, FaultKind::status(500)).processed());
    client.emulator.configure(|config| config.polls_until_done = 0);
    let uri = client.blob_uri().await;
    client.create_async(&json!({ "blobUri": uri })).await.assert_refused(500, "InjectedFault");
    assert_eq!(client.get(VERSION).await.status, 200);
}

#[tokio::test]
async fn every_route_can_fail() {
    let client = Client::new(Config::default());
    let empty = || json!({});
    client.seed("tiny", "1");
    let table = [
        (Route::Versions, Method::GET, "/models/tiny/versions".to_owned()),
        (Route::Get, Method::GET, VERSION.to_owned()),
        (Route::Put, Method::PUT, VERSION.to_owned()),
        (Route::Patch, Method::PATCH, VERSION.to_owned()),
        (Route::Delete, Method::DELETE, VERSION.to_owned()),
        (Route::StartPendingUpload, Method::POST, format!("{VERSION}/startPendingUpload")),
        (Route::Poll, Method::GET, format!("{VERSION}/createAsync/operations/1")),
        (Route::Credentials, Method::POST, format!("{VERSION}/credentials")),
    ];
    for (route, method, path) in table {
        client.emulator.add_fault(Fault::new(route, FaultKind::status(418)).times(1));
        let answer = Answer::of(client.request(method, &path).json(&empty())).await;
        assert_eq!(answer.status, 418, "{route:?}");
    }
}
