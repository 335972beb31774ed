//! Rejections by the Hub, and lists and redirects that leave it.

use std::time::Duration;

use super::{SHA, address, description, hub, notices, page, planned, small};
use crate::http::tests::server::{Server, ServerScript, answer};
use crate::hub::{HubError, TokenOrigin};

async fn refused(headers: &[&str], status: &str, body: &str, token: Option<&str>) -> HubError {
    let server = Server::play(vec![answer(status, headers, body)]).await;
    let (client, _) = hub(&server, token);
    client.pin(address("org/repo").repo(), "main").await.expect_err("a refusal")
}

#[tokio::test(flavor = "current_thread")]
async fn each_rejection_has_its_error() {
    let token = Some("hf_CANARYCANARY");
    let not_found = ["x-error-code: RepoNotFound", "x-request-id: Root=1-2"];
    let error = refused(&not_found, "401 Unauthorized", r#"{"error":"Repository not found"}"#, None).await;
    assert_eq!(error.to_string(), "repository 'org/repo' not found on 127.0.0.1, or it is private");
    assert_eq!(error.answer().and_then(|answer| answer.request_id.clone()).as_deref(), Some("Root=1-2"));
    let error = refused(&not_found, "404 Not Found", "", token).await;
    assert!(matches!(error, HubError::RepoNotFound { origin: Some(TokenOrigin::Variable("HF_TOKEN")), .. }));
    let invalid = "x-error-message: Invalid credentials in Authorization header";
    let error = refused(&[invalid], "401 Unauthorized", "", token).await;
    assert_eq!(error.to_string(), "the Hugging Face Hub rejected the token from HF_TOKEN");
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let error = refused(&["x-error-code: GatedRepo"], status, "", token).await;
        assert!(matches!(error, HubError::Gated { page, .. } if page.ends_with("/org/repo")));
    }
    let disabled = "x-error-message: Access to this resource is disabled.";
    assert!(matches!(refused(&[disabled], "403 Forbidden", "", None).await, HubError::Disabled { .. }));
    assert!(matches!(refused(&[], "403 Forbidden", "", token).await, HubError::Forbidden { .. }));
    let error = refused(&["x-error-code: RevisionNotFound"], "404 Not Found", "", None).await;
    assert_eq!(error.to_string(), "the repository 'org/repo' has no revision 'main'");
    let flag = r#"{"id":"org/repo","sha":"x","disabled":true}"#;
    assert!(matches!(
        refused(&[], "200 OK", &flag.replace("\"x\"", &format!("\"{SHA}\"")), None).await,
        HubError::Disabled { answer: None, .. }
    ));
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_is_not_a_hub_is_reported() {
    for body in ["<html>CANARY</html>", "", "{}", r#"{"id":"org/repo","sha":"main"}"#] {
        let error = refused(&[], "200 OK", body, None).await;
        assert!(matches!(error, HubError::NotAHub { .. }), "{body}: {error:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_renamed_repository_is_followed_within_the_hub() {
    let moved = "location: /api/models/org/new/revision/main";
    let found = answer("200 OK", &[], &format!(r#"{{"id":"org/new","sha":"{SHA}"}}"#));
    let server = Server::play(vec![answer("307 Temporary Redirect", &[moved], ""), found]).await;
    let (client, reports) = hub(&server, None);
    let pinned = client.pin(address("org/repo").repo(), "main").await.expect("a commit");
    assert_eq!(pinned.repo.as_str(), "org/new");
    assert_eq!(notices(&reports), ["The repository 'org/repo' was renamed to 'org/new'."]);

    let redirected = answer("307 Temporary Redirect", &["location: https://evil.example/x?sig=CANARY"], "");
    let server = Server::play(vec![redirected]).await;
    let (client, _) = hub(&server, None);
    let error = client.pin(address("org/repo").repo(), "main").await.expect_err("a redirect");
    assert!(matches!(error, HubError::Redirect { to, .. } if to == "https://evil.example/x"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_that_leaves_the_hub_or_has_a_cycle_is_rejected() {
    for link in [
        "<https://evil.example/x>; rel=\"next\"".to_owned(),
        format!("<{{origin}}api/models/org/repo/tree/{SHA}?recursive=true&expand=false>; rel=\"next\""),
    ] {
        let list = answer("200 OK", &[&format!("link: {link}")], &format!("[{}]", small("config.json", "{}")));
        let server = Server::play(vec![description(SHA), list]).await;
        assert!(matches!(planned(&server, "org/repo").await, Err(HubError::Pages(_))), "{link}");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_mistyped_path_has_suggestions() {
    let server = Server::play(vec![description(SHA), page(&[small("fp8/config.json", "{}")])]).await;
    match planned(&server, "org/repo/fp16").await.expect_err("no such path") {
        HubError::EntryNotFound { path, near, .. } => {
            assert_eq!((path.as_str(), near), ("fp16", vec!["fp8".to_owned()]));
        }
        error => panic!("{error:?}"),
    }
}

fn limited(seconds: u64) -> ServerScript {
    answer("429 Too Many Requests", &[&format!("ratelimit: \"api\";r=0;t={seconds}")], "")
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_short_rate_limit_is_awaited_and_reported_once() {
    let server = Server::play(vec![limited(55), limited(300), description(SHA)]).await;
    let (client, reports) = hub(&server, None);
    let begun = tokio::time::Instant::now();
    client.pin(address("org/repo").repo(), "main").await.expect("a commit");
    let waited = begun.elapsed();
    assert!((Duration::from_secs(357)..Duration::from_secs(358)).contains(&waited), "{waited:?}");
    assert_eq!(notices(&reports), ["The Hugging Face Hub throttled the requests; waiting 56 s"]);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_long_or_endless_rate_limit_is_an_error() {
    for (seconds, requests) in [(301, 1), (1, 6)] {
        let server = Server::play(vec![limited(seconds)]).await;
        let (client, _) = hub(&server, None);
        let error = client.pin(address("org/repo").repo(), "main").await.expect_err("a limit");
        assert!(matches!(error, HubError::RateLimited { wait: Some(wait), .. } if wait.as_secs() == seconds));
        assert_eq!(server.seen().len(), requests);
    }
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn transient_failures_are_retried() {
    let busy = answer("503 Service Unavailable", &[], "");
    let server =
        Server::play(vec![busy.clone(), ServerScript::Silence, ServerScript::Raw(Vec::new()), description(SHA)]).await;
    let (client, reports) = hub(&server, None);
    client.pin(address("org/repo").repo(), "main").await.expect("a commit");
    assert_eq!((server.seen().len(), notices(&reports).len()), (4, 1));
    let server = Server::play(vec![busy]).await;
    let (client, _) = hub(&server, None);
    assert!(matches!(client.pin(address("org/repo").repo(), "main").await, Err(HubError::Http(_))));
    assert_eq!(server.seen().len(), 5);
}
