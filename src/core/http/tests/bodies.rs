//! Streamed bodies: to a blob store, and from a file server.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use bytes::Bytes;

use super::server::{Server, ServerScript, answer, client};
use crate::env::var;
use crate::http::{DownloadResponse, HttpError, Method, NetworkFault, Request, Retry};

fn pieces() -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    futures_util::stream::iter(["first ", "second"].map(|piece| Ok(Bytes::from(piece))))
}

#[tokio::test(flavor = "current_thread")]
async fn a_streamed_body_restarts_with_each_attempt() {
    let server =
        Server::play(vec![answer("503 X", &[], ""), answer("201 Created", &["x-ms-request-id: r1"], "")]).await;
    let (client, reports) = client(&[(var::TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);
    let begun = AtomicU32::new(0);
    let url = server.url.join("/c/b?sig=CANARY").expect("url");
    let request = Request::new(Method::PUT, url, Retry::IdempotentContent)
        .blob_store()
        .header("x-ms-meta-of", format!("{} bytes", 12))
        .stream(12, || {
            begun.fetch_add(1, Ordering::Relaxed);
            pieces()
        });
    assert_eq!(client.send(&request).await.expect("the second attempt").status, 201);
    assert_eq!(begun.load(Ordering::Relaxed), 2);
    for seen in server.seen() {
        assert!(
            seen.starts_with("PUT /c/b?sig=CANARY HTTP/1.1\r\n") && seen.ends_with("\r\n\r\nfirst second"),
            "{seen}"
        );
        for header in [
            "content-length: 12\r\n",
            "x-ms-meta-of: 12 bytes\r\n",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        ] {
            assert!(seen.contains(header), "{header:?} in {seen}");
        }
        assert!(!seen.contains("transfer-encoding"), "{seen}");
    }
    let trace = format!("{:?}", reports.lock().expect("reports"));
    assert!(trace.contains("/c/b (12 bytes, ") && trace.contains("< 201 (") && !trace.contains("CANARY"), "{trace}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_stall_ends_an_attempt_but_a_changing_counter_does_not() {
    let (client, _) = client(&[]);
    let timeout = Duration::from_millis(200);
    let server = Server::play(vec![ServerScript::Silence]).await;
    let put = || Request::new(Method::PUT, server.url.clone(), Retry::None).blob_store().stream(12, pieces);
    let error = client.send(&put().stall_timeout(timeout, || 7)).await.expect_err("nothing moves");
    let HttpError::Network { fault: NetworkFault::Timeout, connecting: false, message, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(message, "no data transferred for 0.2 s");

    let (begun, moved) = (Instant::now(), AtomicU64::new(0));
    // Progresses for three timeouts, then stops.
    let counter = || if begun.elapsed() < 3 * timeout { moved.fetch_add(1, Ordering::Relaxed) } else { 0 };
    client.send(&put().stall_timeout(timeout, counter)).await.expect_err("it stands still in the end");
    assert!(begun.elapsed() >= 4 * timeout, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "current_thread")]
async fn a_file_is_requested_unencoded_and_without_our_headers() {
    let server = Server::play(vec![answer("200 OK", &["content-encoding: gzip"], "packed")]).await;
    let (client, reports) = client(&[(var::TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);
    let request = Request::download(server.url.join("/f?sig=CANARY").expect("url"), Duration::from_secs(60));
    let DownloadResponse::Content(mut file) = client.open(&request).await.expect("200") else { panic!("no redirect") };
    assert_eq!(file.length(), Some(6));
    assert_eq!(file.next().await.expect("a piece").as_deref(), Some(&b"packed"[..]));
    assert_eq!(file.next().await.expect("the end"), None);
    let seen = server.seen().remove(0);
    assert!(seen.contains("accept-encoding: identity\r\n"), "{seen}");
    for ours in ["x-ms-client-request-id", "traceparent", "authorization", "gzip"] {
        assert!(!seen.contains(ours), "{ours} in {seen}");
    }
    let trace = format!("{:?}", reports.lock().expect("reports"));
    assert!(trace.contains("/f (") && trace.contains("\"< 200\"") && !trace.contains("CANARY"), "{trace}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_stalled_download_fails() {
    let (client, _) = client(&[]);
    let stall = Duration::from_millis(50);
    let server = Server::play(vec![ServerScript::Silence]).await;
    let error = client.open(&Request::download(server.url.clone(), stall)).await.expect_err("silence");
    let HttpError::Network { fault: NetworkFault::Timeout, message, .. } = error else { panic!("{error:?}") };
    assert_eq!(message, "no data received for 0.1 s");
    let server = Server::play(vec![answer("302 Found", &["location: /b"], ""), answer("404 X", &[], "gone")]).await;
    let request = Request::download(server.url.clone(), stall);
    let DownloadResponse::Redirect(next) = client.open(&request).await.expect("302") else { panic!("a redirect") };
    assert_eq!(next.path(), "/b");
    let error = client.open(&request).await.expect_err("404");
    assert_eq!(error.service().map(ToString::to_string).as_deref(), Some("404 Not Found: gone"));
}
