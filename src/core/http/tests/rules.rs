//! Headers, sign-in, retries, redirects.

use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::server::{Server, ServerScript, answer, client};
use crate::credential::{TokenSource, TokenTarget};
use crate::env::{Env, Timings, var};
use crate::http::{HttpError, Method, NetworkFault, RedirectFault, Request, Retry};
use crate::model::Report;

fn get(url: &Url, retry: Retry) -> Request<'static> {
    Request::new(Method::GET, url.clone(), retry).service("Foundry")
}

fn emulator() -> TokenSource {
    let env = Env::from_vars([(var::CREDENTIAL, "emulator")], Path::new("/"));
    let target = TokenTarget {
        host: "127.0.0.1",
        loopback: true,
        named_by_user: true,
        audience: crate::credential::Audience::Foundry,
    };
    TokenSource::new(&env, target, None, Timings::default(), Arc::new(|_| ())).expect("source")
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_request_carries_its_headers_and_the_trace_shows_no_secret() {
    let server = Server::play(vec![answer("200 OK", &["x-ms-request-id: r1"], "{}")]).await;
    let (client, reports) = client(&[
        (var::TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (var::AZURE_HTTP_USER_AGENT, "azd/1.2"),
    ]);
    let tokens = emulator();
    let url = server.url.join("/m?api-version=v1&sig=CANARY").expect("url");
    let request = get(&url, Retry::None).tokens(&tokens).header("foundry-features", "Models=V1Preview");
    let response = client.send(&request).await.expect("200");
    assert_eq!((response.status, response.request_id.as_deref()), (200, Some("r1")));
    let seen = server.seen().remove(0);
    let agent = format!(
        "user-agent: azd-ext-azure-ai-models/{} ({}; {}) azd/1.2\r\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    for header in [
        "authorization: Bearer emulator\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        "foundry-features: Models=V1Preview\r\n",
        "x-ms-client-request-id: ",
        "accept-encoding: gzip\r\n",
        &agent,
    ] {
        assert!(seen.contains(header), "{header:?} in {seen}");
    }
    let trace = format!("{:?}", reports.lock().expect("reports"));
    assert!(trace.contains("> GET http://127.0.0.1:") && trace.contains("/m?api-version=v1 ("), "{trace}");
    assert!(trace.contains("(request id r1)") && !trace.contains("CANARY") && !trace.contains("Bearer"), "{trace}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_busy_service_is_retried_four_times_and_reported_once() {
    let server = Server::play(vec![answer("429 Too Many Requests", &["retry-after: 10"], "")]).await;
    let (client, reports) = client(&[]);
    let start = Instant::now();
    let error = client.send(&get(&server.url, Retry::Idempotent)).await.expect_err("busy");
    assert_eq!((error.status(), server.seen().len()), (Some(429), 5));
    // Four pauses, each longer than the client's own.
    assert_eq!(start.elapsed().as_secs(), 40);
    let notices: Vec<String> = reports
        .lock()
        .expect("reports")
        .iter()
        .filter_map(|report| if let Report::Notice(text) = report { Some(text.clone()) } else { None })
        .collect();
    assert_eq!(notices, ["Foundry is busy (429 Too Many Requests); retrying in 10 s (2 of 5)"]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn each_attempt_has_its_own_id() {
    let server = Server::play(vec![answer("500 X", &[], ""), answer("200 OK", &[], "")]).await;
    let (client, _) = client(&[]);
    client.send(&get(&server.url, Retry::Idempotent)).await.expect("the second attempt");
    let id =
        |request: &String| request.lines().find(|line| line.starts_with("x-ms-client-request-id")).map(str::to_owned);
    let ids: Vec<_> = server.seen().iter().map(id).collect();
    assert!(ids[0].is_some() && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_possibly_processed_request_is_not_retried() {
    for (play, sent) in [
        (answer("500 X", &[], ""), 1),
        (answer("503 X", &[], ""), 1),
        (answer("503 X", &["retry-after: 0"], ""), 5),
        (answer("429 X", &[], ""), 5),
        (ServerScript::Raw(Vec::new()), 1),
    ] {
        let server = Server::play(vec![play]).await;
        let (client, _) = client(&[]);
        let request =
            Request::new(Method::POST, server.url.clone(), Retry::OnlyUnprocessed).json(&serde_json::json!({}));
        client.send(&request).await.expect_err("refused");
        assert_eq!(server.seen().len(), sent);
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_token_is_renewed_once_for_a_401() {
    for (answers, sent, ok) in [
        (vec![answer("401 X", &[], ""), answer("200 OK", &[], "")], 2, true),
        (vec![answer("401 X", &[], "")], 2, false),
    ] {
        let server = Server::play(answers).await;
        let (client, _) = client(&[]);
        let tokens = emulator();
        let outcome = client.send(&get(&server.url, Retry::Idempotent).tokens(&tokens)).await;
        assert_eq!((outcome.is_ok(), server.seen().len()), (ok, sent));
    }
    let server = Server::play(vec![answer("401 X", &[], "")]).await;
    let (client, _) = client(&[]);
    client.send(&get(&server.url, Retry::Idempotent)).await.expect_err("no token, no second try");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_redirect_within_the_origin_is_followed_for_a_get() {
    let server = Server::play(vec![answer("302 Found", &["location: /b"], ""), answer("200 OK", &[], "")]).await;
    let (client, _) = client(&[]);
    client.send(&get(&server.url.join("/a").expect("url"), Retry::None)).await.expect("followed");
    assert_eq!(server.lines(), ["GET /a", "GET /b"]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn other_redirects_are_errors_and_no_token_leaves_the_origin() {
    let other = Server::play(vec![answer("200 OK", &[], "")]).await;
    let to_other = format!("location: {}x?sig=CANARY", other.url);
    let place = format!("127.0.0.1:{}", other.url.port().expect("port"));
    for (method, location, sent, why) in [
        (Method::GET, to_other.as_str(), 1, RedirectFault::OtherOrigin { to: place }),
        (Method::POST, "location: /b", 1, RedirectFault::NotAGet),
        (Method::GET, "location: /b", 6, RedirectFault::TooMany),
        (Method::GET, "x: y", 1, RedirectFault::NoLocation),
    ] {
        let server = Server::play(vec![answer("307 X", &[location], "")]).await;
        let (client, _) = client(&[]);
        let tokens = emulator();
        let request = Request::new(method, server.url.clone(), Retry::Idempotent).tokens(&tokens);
        match client.send(&request).await.expect_err("a redirect") {
            HttpError::Redirect { why: found, .. } => assert_eq!(found, why),
            other => panic!("{other:?}"),
        }
        assert_eq!(server.seen().len(), sent);
    }
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn faults_have_names_and_name_host_and_port() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port").local_addr().expect("address");
    let (client, _) = client(&[]);
    let url = Url::parse(&format!("http://{closed}/?sig=CANARY")).expect("url");
    let error = client.send(&get(&url, Retry::None)).await.expect_err("the port is closed");
    assert_eq!(error.to_string(), format!("could not reach {closed}: connection refused"));
    assert!(!format!("{error:?}").contains("CANARY"));
    assert!(matches!(error, HttpError::Network { connecting: true, .. }));

    let unknown = Url::parse("http://no-such-host.invalid/").expect("url");
    let error = client.send(&get(&unknown, Retry::None)).await.expect_err("no such host");
    assert!(matches!(error, HttpError::Network { fault: NetworkFault::Dns, .. }), "{error:?}");

    let stream = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = Url::parse(&format!("https://{}/", stream.local_addr().expect("address"))).expect("url");
    tokio::spawn(async move {
        let (mut socket, _) = stream.accept().await.expect("connection");
        drop(tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 400 not TLS\r\n\r\n").await);
        std::future::pending::<()>().await;
    });
    let error = client.send(&get(&url, Retry::None)).await.expect_err("no TLS there");
    assert!(matches!(error, HttpError::Network { fault: NetworkFault::Tls, .. }), "{error:?}");
}
