//! Responses that are interrupted, never arrive or never end; proxies.

use std::time::Duration;

use futures_util::stream;
use tokio::time::Instant;

use super::server::{Server, ServerScript, answer, client};
use crate::http::{HttpError, Method, NetworkFault, Request, ResponseFlaw, Retry};

fn raw(text: &str) -> ServerScript {
    ServerScript::Raw(text.as_bytes().to_vec())
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_interrupted_body_is_requested_again() {
    let cut = raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"value\":");
    for plays in [vec![cut.clone(), answer("200 OK", &[], "{}")], vec![raw(""), answer("200 OK", &[], "{}")]] {
        let server = Server::play(plays).await;
        let (client, _) = client(&[]);
        let request = Request::new(Method::GET, server.url.clone(), Retry::Idempotent);
        assert_eq!(client.send(&request).await.expect("the second attempt").body, b"{}");
    }
    let server = Server::play(vec![cut]).await;
    let (client, _) = client(&[]);
    let error = client.send(&Request::new(Method::GET, server.url.clone(), Retry::Idempotent)).await.expect_err("cut");
    assert!(matches!(error, HttpError::Network { fault: NetworkFault::Reset, connecting: false, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_status_is_used_when_an_error_body_is_interrupted() {
    let server = Server::play(vec![raw("HTTP/1.1 403 X\r\ncontent-length: 100\r\n\r\n{")]).await;
    let (client, _) = client(&[]);
    let error = client.send(&Request::new(Method::GET, server.url.clone(), Retry::Idempotent)).await.expect_err("403");
    assert_eq!(error.service().map(|error| error.status), Some(403));
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn silence_ends_at_the_limit_of_the_request() {
    let (client, _) = client(&[]);
    let drip = raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n");
    for play in [ServerScript::Silence, drip] {
        let silent = matches!(play, ServerScript::Silence);
        let server = Server::play(vec![play]).await;
        let start = Instant::now();
        let limit = Duration::from_secs(50);
        let request = Request::new(Method::GET, server.url.clone(), Retry::None).limit(limit);
        let error = client.send(&request).await.expect_err("silence");
        let HttpError::Network { fault, .. } = error else { panic!("{error:?}") };
        assert_eq!(fault == NetworkFault::Timeout, silent);
        assert_eq!(start.elapsed().as_secs(), if silent { 50 } else { 0 });
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_endless_body_is_rejected() {
    let mut huge = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    huge.resize(huge.len() + (16 << 20) + 1, b' ');
    let server = Server::play(vec![ServerScript::Raw(huge)]).await;
    let (client, _) = client(&[]);
    let error = client.send(&Request::new(Method::GET, server.url.clone(), Retry::Idempotent)).await.expect_err("huge");
    assert!(matches!(error, HttpError::BadAnswer { what: ResponseFlaw::TooBig, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_dropped_request_leaves_no_connection() {
    let server = Server::play(vec![ServerScript::Silence]).await;
    let (client, _) = client(&[]);
    let request = Request::new(Method::GET, server.url.clone(), Retry::Idempotent);
    let arrived = async {
        while server.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = client.send(&request) => panic!("the server never responds"),
        () = arrived => {}
    }
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_stalled_upload_fails() {
    let server = Server::play(vec![ServerScript::Silence]).await;
    let (client, _) = client(&[]);
    let start = Instant::now();
    let body = || stream::iter([Ok("all of it".into())]);
    let upload = Request::new(Method::PUT, server.url.clone(), Retry::None).stream(9, body);
    let error = client.send(&upload.stall_timeout(Duration::from_secs(80), || 9)).await.expect_err("silence");
    assert!(matches!(error, HttpError::Network { fault: NetworkFault::Timeout, connecting: false, .. }), "{error:?}");
    assert_eq!((start.elapsed().as_secs(), server.seen().len()), (80, 1));
}

/// The proxy variables are read by reqwest from the process itself, so the test runs itself again with them.
#[test]
fn a_loopback_address_never_goes_through_a_proxy() {
    const INNER: &str = "AZURE_AI_MODELS_TEST_INNER";
    if std::env::var_os(INNER).is_none() {
        let mut again = std::process::Command::new(std::env::current_exe().expect("this test"));
        again.args(["--exact", "http::tests::limits::a_loopback_address_never_goes_through_a_proxy"]).env(INNER, "1");
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            again.env(name, "http://127.0.0.1:9");
        }
        let gate = format!("http://me:CANARY@127.0.0.1:{}", proxy_that_wants_a_password());
        again.env("HTTPS_PROXY", &gate).env("https_proxy", &gate);
        let output = again.env_remove("NO_PROXY").env_remove("no_proxy").output().expect("the test runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let server = Server::play(vec![answer("200 OK", &[], "")]).await;
        let (client, _) = client(&[]);
        for host in ["127.0.0.1", "localhost"] {
            let mut url = server.url.clone();
            url.set_host(Some(host)).expect("host");
            client.send(&Request::new(Method::GET, url, Retry::None)).await.expect("direct");
        }
        // Proves that the proxy is used at all: requests to another host go through it, and it refuses connections.
        let other = url::Url::parse("http://foundry.invalid/").expect("url");
        let error = client.send(&Request::new(Method::GET, other, Retry::None)).await.expect_err("proxy");
        assert!(matches!(error, HttpError::Network { fault: NetworkFault::Refused, .. }), "{error:?}");
        let secure = url::Url::parse("https://foundry.invalid/").expect("url");
        let error = client.send(&Request::new(Method::GET, secure, Retry::Idempotent)).await.expect_err("407");
        let wanted = NetworkFault::Proxy { status: Some(407) };
        assert!(matches!(error, HttpError::Network { fault, .. } if fault == wanted), "{error:?}");
        assert_eq!(error.to_string(), "could not reach foundry.invalid:443: the proxy returned 407");
        assert!(!format!("{error:?}").contains("CANARY"));
    });
}

/// Port of a proxy that responds to one connection with 407, in a separate thread.
fn proxy_that_wants_a_password() -> u16 {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("address").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        drop(stream.read(&mut [0; 4096]));
        drop(stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    });
    port
}
