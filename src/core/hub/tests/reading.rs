//! Reads by ranges, from servers that do not always respond.

use std::sync::Arc;

use super::{OTHER, SHA, description, hub, large, page, planned, small};
use crate::http::tests::server::{Server, ServerScript, answer};
use crate::hub::{HubError, RemoteFile};

const CONTENT: &str = "weights!";

fn sum(content: &str) -> String {
    let entry = large("x", content);
    entry.split("\"oid\":\"").nth(2).and_then(|rest| rest.split('"').next()).expect("a sum").to_owned()
}

/// Response of the Hub for a file in large storage; `place` is relative to `base`.
fn elsewhere(base: &str, changed: &[(&str, &str)]) -> ServerScript {
    let mut headers = vec![
        ("x-repo-commit".to_owned(), SHA.to_owned()),
        ("x-linked-size".into(), CONTENT.len().to_string()),
        ("x-linked-etag".into(), format!("\"{}\"", sum(CONTENT))),
        ("location".into(), format!("{base}blob?Expires=99999999999&Signature=CANARY")),
    ];
    for (name, value) in changed {
        headers.retain(|(known, _)| known != name);
        if !value.is_empty() {
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    answer("302 Found", &headers.iter().map(String::as_str).collect::<Vec<_>>(), "")
}

fn part(first: usize, last: usize, body: &str) -> ServerScript {
    answer("206 Partial Content", &[&format!("content-range: bytes {first}-{last}/{}", CONTENT.len())], body)
}

/// Reader of one file in large storage on a Hub that plays these responses after its list was read.
async fn file(hub_plays: Vec<ServerScript>) -> (Server, Arc<RemoteFile>) {
    let list = page(&[large("model.safetensors", CONTENT)]);
    let server = Server::play([vec![description(SHA), list], hub_plays].concat()).await;
    let (client, _) = hub(&server, Some("hf_CANARYCANARY"));
    let selection = crate::source::Selection::default();
    let import = crate::hub::plan(&client, &super::address("org/repo"), &selection, None).await.expect("a plan");
    let file = import.reader.file(&import.source.files[0]);
    (server, file)
}

#[tokio::test(flavor = "current_thread")]
async fn the_delivery_network_gets_no_token_and_one_url_serves_all_ranges() {
    let cdn = Server::play(vec![part(0, 3, "weig"), part(2, 7, "ights!")]).await;
    let (server, file) = file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
    assert_eq!(file.bytes(0..4).await.expect("bytes"), "weig");
    assert_eq!(file.bytes(2..8).await.expect("bytes"), "ights!");
    assert_eq!(server.lines()[2..], [format!("HEAD /org/repo/resolve/{SHA}/model.safetensors")]);
    let seen = cdn.seen();
    assert!(seen.iter().all(|request| !request.contains("authorization")), "{seen:?}");
    assert!(seen[0].contains("range: bytes=0-3\r\n") && seen[1].contains("range: bytes=2-7\r\n"));
    let signed = file.signed_url().await.expect("a location").expect("a signed URL");
    assert!(signed.raw().ends_with("Signature=CANARY") && signed.copy_fault().is_some());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn short_empty_and_stalled_responses_are_requested_again_from_the_last_byte() {
    let short =
        ServerScript::Raw(b"HTTP/1.1 206 X\r\ncontent-range: bytes 0-7/8\r\ncontent-length: 8\r\n\r\nwei".to_vec());
    let empty = part(3, 7, "");
    let busy = answer("503 Service Unavailable", &[], "");
    let cdn = Server::play(vec![short, empty, ServerScript::Silence, busy, part(3, 7, "ghts!")]).await;
    let (_hub, file) = file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
    assert_eq!(file.bytes(0..8).await.expect("bytes"), CONTENT);
    let ranges: Vec<String> = cdn
        .seen()
        .iter()
        .map(|request| {
            request.split("range: ").nth(1).and_then(|rest| rest.lines().next()).expect("a range").to_owned()
        })
        .collect();
    assert_eq!(ranges, ["bytes=0-7", "bytes=3-7", "bytes=3-7", "bytes=3-7", "bytes=3-7"]);
    let cdn = Server::play(vec![part(0, 7, "")]).await;
    let (_hub, file) = super::reading::file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
    assert!(matches!(file.bytes(0..8).await, Err(HubError::Http(_))));
    assert_eq!(cdn.seen().len(), 5);
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_ignores_or_changes_the_range_is_refused() {
    for (play, message) in [
        (answer("200 OK", &[], CONTENT), "the whole file (200)"),
        (part(1, 7, "eights!"), "bytes 1-7/8"),
        (answer("206 Partial Content", &[], CONTENT), "no Content-Range"),
    ] {
        let cdn = Server::play(vec![play]).await;
        let (_hub, file) = file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
        match file.bytes(0..8).await.expect_err(message) {
            HubError::BadRange { what, .. } => assert_eq!(what, message),
            error => panic!("{error:?}"),
        }
        assert_eq!(cdn.seen().len(), 1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn contradictory_responses_end_the_import() {
    let cdn = Server::play(vec![answer("206 Partial Content", &["content-range: bytes 0-7/9"], CONTENT)]).await;
    let (_hub, stale) = file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
    assert!(matches!(stale.bytes(0..8).await, Err(HubError::Disagree { .. })));
    let cdn = Server::play(vec![answer("416 Range Not Satisfiable", &[], "")]).await;
    let (_hub, stale) = file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
    assert!(matches!(stale.bytes(0..8).await, Err(HubError::Disagree { .. })));
    for changed in [("x-repo-commit", OTHER), ("x-linked-size", "9"), ("x-linked-etag", "\"0\"")] {
        let (server, stale) = file(vec![elsewhere("https://h.example/", &[changed])]).await;
        let error = stale.bytes(0..8).await.expect_err("a contradiction");
        assert!(
            error.to_string().starts_with("the Hub's responses for model.safetensors are inconsistent: the "),
            "{error}"
        );
        assert_eq!(server.seen().len(), 3);
    }
    let (_hub, odd) = file(vec![elsewhere("https://h.example/", &[("x-repo-commit", "")])]).await;
    assert!(matches!(odd.bytes(0..8).await, Err(HubError::NotAHub { .. })));
    let (_hub, plain) = file(vec![elsewhere("http://h.example/", &[])]).await;
    assert!(matches!(plain.bytes(0..8).await, Err(HubError::Redirect { to, .. }) if to == "http://h.example/blob"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_url_is_renewed_once() {
    let forbidden = answer("403 Forbidden", &["x-amz-cf-id: CF1"], "<Error><Code>AccessDenied</Code></Error>");
    let cdn = Server::play(vec![forbidden.clone(), part(0, 7, CONTENT)]).await;
    let again = || elsewhere(cdn.url.as_str(), &[]);
    let (server, renewed) = file(vec![again(), again()]).await;
    assert_eq!(renewed.bytes(0..8).await.expect("bytes"), CONTENT);
    assert_eq!(server.seen().len(), 4);

    let cdn = Server::play(vec![forbidden]).await;
    let (_hub, refused) = file(vec![elsewhere(cdn.url.as_str(), &[])]).await;
    let error = refused.bytes(0..8).await.expect_err("refused twice");
    assert!(matches!(error, HubError::Refused { .. }));
    assert_eq!(error.answer().and_then(|answer| answer.request_id.as_deref()), Some("CF1"));
    assert_eq!(cdn.seen().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_small_file_is_verified_when_it_is_read() {
    let list = || page(&[small("config.json", "{}"), large("model.safetensors", CONTENT)]);
    let commit = format!("x-repo-commit: {SHA}");
    let moved = ["location: /api/resolve-cache/x", commit.as_str()];
    let there = || vec![answer("307 Temporary Redirect", &moved, ""), answer("200 OK", &[], "")];
    let body = |text| answer("206 Partial Content", &["content-range: bytes 0-1/2"], text);
    let server = Server::play([vec![description(SHA), list()], there(), vec![body("{}")]].concat()).await;
    planned(&server, "org/repo").await.expect("a plan");
    assert_eq!(server.lines()[3..], ["HEAD /api/resolve-cache/x", "GET /api/resolve-cache/x"]);
    let server = Server::play([vec![description(SHA), list()], there(), vec![body("[]")]].concat()).await;
    let error = planned(&server, "org/repo").await.expect_err("other content");
    assert!(matches!(error, HubError::Mismatch { .. }), "{error:?}");
}
