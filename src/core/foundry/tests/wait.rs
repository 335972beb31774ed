//! Waiting for a registration that was started elsewhere, or never.

use super::*;
use crate::foundry::{RegisterError, RegisterStatus};
use crate::model::CustomModel;

for_each_api_version!(
    a_model_is_polled_until_it_exists,
    a_known_operation_is_polled_and_verified_by_the_model,
    an_operation_on_another_host_gets_no_token,
    failures_are_reported_from_the_operation_and_the_model,
    any_404_is_retried_and_its_code_is_kept,
    an_unreachable_project_ends_the_wait_unless_something_was_seen,
    missing_and_vanished_models_are_distinguished,
    only_the_final_state_of_this_version_is_accepted,
    the_limit_ends_the_wait,
);

const GET: &str = "GET /m/versions/1";
const OPERATION: &str = "GET /op";

async fn wait(
    operation: Option<&str>,
    plays: Vec<ServerScript>,
) -> (Result<CustomModel, RegisterError>, Vec<String>, Vec<String>) {
    let server = Server::play(plays).await;
    let mut reported = Vec::new();
    let mut on = |status: RegisterStatus| reported.push(status.status);
    let operation = operation.map(|place| server.url.join(place).expect("url"));
    let outcome = foundry(&server).await_model(&name(), &version(), operation, LIMIT, &mut on).await;
    let outcome = outcome.map(|registered| registered.model);
    let sent = lines(&server);
    (outcome, reported, sent)
}

fn creating() -> ServerScript {
    ok(r#"{"name":"m","version":"1","provisioningState":"Creating"}"#)
}

fn existing() -> ServerScript {
    ok(r#"{"name":"m","version":"1"}"#)
}

async fn a_model_is_polled_until_it_exists() {
    let (outcome, reported, sent) = wait(None, vec![missing(), creating(), missing(), creating(), existing()]).await;
    assert_eq!(outcome.expect("registered").view().name, "m");
    assert_eq!(reported, ["Creating", "Creating"]);
    assert_eq!(sent, [GET; 5]);
}

async fn a_known_operation_is_polled_and_verified_by_the_model() {
    let plays = vec![ok(r#"{"status":"Validating"}"#), ok(r#"{"status":"Succeeded"}"#), missing(), existing()];
    let (outcome, reported, sent) = wait(Some("/op"), plays).await;
    outcome.expect("registered");
    assert_eq!(reported, ["Validating"]);
    assert_eq!(sent, [OPERATION, OPERATION, GET, GET]);
    // An operation that the service no longer knows.
    let (outcome, _, sent) = wait(Some("/op"), vec![missing(), existing()]).await;
    outcome.expect("registered");
    assert_eq!(sent, [OPERATION, GET]);
}

async fn an_operation_on_another_host_gets_no_token() {
    let (outcome, _, sent) = wait(Some("https://evil.example/op"), vec![existing()]).await;
    outcome.expect("registered");
    assert_eq!(sent, [GET]);
}

async fn failures_are_reported_from_the_operation_and_the_model() {
    let error = r#""error":{"code":"UploadIncomplete","message":"2 files are missing"}"#;
    for (operation, body) in [
        (Some("/op"), format!(r#"{{"status":"Failed",{error}}}"#)),
        (None, format!(r#"{{"name":"m","version":"1","provisioningState":"Failed",{error}}}"#)),
    ] {
        let (outcome, _, _) = wait(operation, vec![ok(&body)]).await;
        assert_eq!(
            outcome.expect_err("failed").to_string(),
            "the registration failed: 2 files are missing (UploadIncomplete)"
        );
    }
}

/// A GET may lag behind, with any code (design/contracts/foundry.md#registration).
async fn any_404_is_retried_and_its_code_is_kept() {
    let no_project = || answer("404 X", &[], r#"{"error":{"code":"ProjectNotFound","message":"no"}}"#);
    let (outcome, _, _) = wait(None, vec![no_project(), no_project(), existing()]).await;
    outcome.expect("registered");
    let start = Instant::now();
    let (outcome, _, _) = wait(None, vec![no_project()]).await;
    let RegisterError::Absent { last_status: None, last_look } = outcome.expect_err("no project") else {
        panic!("another error")
    };
    assert_eq!(last_look.service().and_then(|error| error.code.as_deref()), Some("ProjectNotFound"));
    assert_eq!(start.elapsed().as_secs(), 30);
}

async fn an_unreachable_project_ends_the_wait_unless_something_was_seen() {
    let busy = || answer("503 X", &[], "");
    let five = || std::iter::repeat_with(busy).take(5).collect::<Vec<_>>();
    let (outcome, _, sent) = wait(None, five()).await;
    assert!(matches!(outcome.expect_err("busy"), RegisterError::Unwatchable(error) if error.status() == Some(503)));
    assert_eq!(sent.len(), 5);
    let plays = [vec![creating()], five(), vec![existing()]].concat();
    let (outcome, _, sent) = wait(None, plays).await;
    outcome.expect("registered");
    assert_eq!(sent.len(), 7);
}

async fn missing_and_vanished_models_are_distinguished() {
    let start = Instant::now();
    let (outcome, reported, sent) = wait(None, vec![missing()]).await;
    assert!(matches!(outcome.expect_err("never"), RegisterError::Absent { last_status: None, .. }));
    // The first poll after half a minute, after 0, 0.25, 0.75, 1.75, 3.75, 7.75 and 15.75 seconds.
    assert_eq!((reported.len(), sent.len(), start.elapsed().as_secs()), (0, 8, 30));
    let start = Instant::now();
    let (outcome, _, sent) = wait(None, vec![missing(), missing(), missing(), creating(), missing()]).await;
    assert!(
        matches!(outcome.expect_err("deleted"), RegisterError::Absent { last_status, .. } if last_status.as_deref() == Some("Creating"))
    );
    // The first poll half a minute after the one that saw it, after 1.75 seconds.
    assert_eq!((sent.len(), start.elapsed().as_secs()), (9, 45));
}

async fn only_the_final_state_of_this_version_is_accepted() {
    let another = ok(r#"{"name":"m","version":"2","provisioningState":"Succeeded"}"#);
    let (outcome, _, _) = wait(None, vec![another]).await;
    let RegisterError::Unwatchable(error) = outcome.expect_err("another version") else { panic!("another error") };
    assert!(error.to_string().ends_with("it is about model 'm' version '2'"), "{error}");
    let unknown = ok(r#"{"name":"m","version":"1","provisioningState":""}"#);
    let (outcome, reported, sent) = wait(None, vec![unknown, existing()]).await;
    outcome.expect("registered");
    assert_eq!((reported, sent), (vec!["Unknown".to_owned()], vec![GET.to_owned(); 2]));
}

async fn the_limit_ends_the_wait() {
    let server = Server::play(vec![creating()]).await;
    let start = Instant::now();
    let limit = Duration::from_secs(20);
    let outcome = foundry(&server).await_model(&name(), &version(), None, limit, &mut |_| ()).await;
    assert!(
        matches!(outcome.expect_err("it goes on"), RegisterError::TimedOut { last_status, .. } if last_status.as_deref() == Some("Creating"))
    );
    assert_eq!(start.elapsed().as_secs(), 20);
}
