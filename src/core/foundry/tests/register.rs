//! Registration: accepted, rejected, in doubt; awaited, lost, proved.

use super::*;
use crate::foundry::{AcceptedRegistration, RegisterError, RegisterStatus};
use crate::model::CustomModel;

for_each_api_version!(
    an_operation_is_polled_to_its_end_and_verified_by_the_model,
    a_failed_operation_reports_the_services_reason,
    without_create_async_the_version_is_put_once,
    an_operation_on_another_host_is_not_polled_and_the_model_is,
    after_an_unknown_outcome_the_model_is_looked_up_before_any_retry,
    other_rejections_are_final,
    polling_survives_a_busy_service_and_network_failures,
    the_model_is_polled_if_the_operation_cannot_be_read,
    the_model_is_polled_if_the_operation_is_missing,
    a_success_without_a_model_is_not_verified,
    only_this_version_at_this_location_is_the_registered_model,
    a_state_that_is_not_text_is_not_final,
    the_limit_ends_the_wait_and_keeps_the_last_state,
    the_limit_ends_a_request_without_a_response,
    a_delay_requested_by_the_service_is_respected,
    delays_double_up_to_a_cap_by_default,
);

const CREATE: &str = "POST /m/versions/1/createAsync";
const PUT: &str = "PUT /m/versions/1";
const GET: &str = "GET /m/versions/1";
const OPERATION: &str = "GET /op";

/// Registers with a server that plays these responses: the outcome, the reported states, the requests.
async fn register(plays: Vec<ServerScript>) -> (Result<CustomModel, RegisterError>, Vec<String>, Vec<String>) {
    let server = Server::play(plays).await;
    let mut reported = Vec::new();
    let mut on = |status: RegisterStatus| reported.push(status.status);
    let outcome = register_within(&server, LIMIT, &mut on).await;
    let sent = lines(&server);
    (outcome, reported, sent)
}

async fn register_within(
    server: &Server,
    limit: Duration,
    on: &mut dyn FnMut(RegisterStatus),
) -> Result<CustomModel, RegisterError> {
    let foundry = foundry(server);
    let started = foundry.register(&name(), &version(), &registration(), limit).await?;
    foundry
        .await_registration((&name(), &version()), &registration(), started, limit, on)
        .await
        .map(|registered| registered.model)
}

fn accepted() -> ServerScript {
    answer("202 Accepted", &["location: /op?api-version=v1"], "{}")
}

fn state(word: &str) -> ServerScript {
    ok(&format!(r#"{{"status":"{word}"}}"#))
}

fn model(blob_uri: &str) -> ServerScript {
    ok(&format!(r#"{{"name":"m","version":"1","blobUri":"{blob_uri}"}}"#))
}

fn with_state(word: &str) -> ServerScript {
    ok(&format!(r#"{{"name":"m","version":"1","blobUri":"https://s.example/c","provisioningState":"{word}"}}"#))
}

fn ours() -> ServerScript {
    model("https://s.example/c/")
}

async fn an_operation_is_polled_to_its_end_and_verified_by_the_model() {
    let moved = answer("202 Accepted", &["location: /op2?api-version=v1"], r#"{"status":"InProgress"}"#);
    let plays = vec![accepted(), state("NotStarted"), moved, state("SUCCEEDED"), missing(), ours()];
    let (outcome, reported, sent) = register(plays).await;
    assert_eq!(outcome.expect("registered").view().name, "m");
    assert_eq!(reported, ["InProgress", "NotStarted", "InProgress"]);
    assert_eq!(sent, [CREATE, OPERATION, OPERATION, "GET /op2", GET, GET]);
}

async fn a_failed_operation_reports_the_services_reason() {
    let failed = ok(r#"{"status":"Failed","error":{"code":"UploadIncomplete","message":"2 files are missing"}}"#);
    let (outcome, _, sent) = register(vec![accepted(), failed]).await;
    let error = outcome.expect_err("failed");
    assert_eq!(error.to_string(), "the registration failed: 2 files are missing (UploadIncomplete)");
    assert_eq!(sent, [CREATE, OPERATION]);
    let (outcome, _, _) = register(vec![accepted(), state("Canceled")]).await;
    assert_eq!(outcome.expect_err("cancelled").to_string(), "the registration failed: Canceled");
}

async fn without_create_async_the_version_is_put_once() {
    for no_route in [
        answer("405 X", &[], ""),
        answer("404 X", &[], ""),
        answer("404 X", &[], r#"{"error":{"code":"RouteNotFound"}}"#),
    ] {
        let (outcome, _, sent) = register(vec![no_route.clone(), answer("201 Created", &[], ""), ours()]).await;
        outcome.expect("registered");
        assert_eq!(sent, [CREATE, PUT, GET]);
        let (outcome, _, sent) = register(vec![no_route.clone(), accepted(), state("Succeeded"), ours()]).await;
        outcome.expect("registered");
        assert_eq!(sent, [CREATE, PUT, OPERATION, GET]);
        let (outcome, _, sent) = register(vec![no_route, answer("400 X", &[], "")]).await;
        let RegisterError::NoRoute { first, second } = outcome.expect_err("both refused") else {
            panic!("another error")
        };
        assert!(matches!(first.status(), Some(404 | 405)), "the first error is reported: {first:?}");
        assert_eq!(second.status(), Some(400));
        assert_eq!(sent, [CREATE, PUT]);
    }
    let (outcome, _, sent) = register(vec![missing()]).await;
    assert!(matches!(outcome.expect_err("a model's 404"), RegisterError::Refused(_)));
    assert_eq!(sent, [CREATE]);
}

async fn an_operation_on_another_host_is_not_polled_and_the_model_is() {
    let other = Server::play(vec![state("Succeeded")]).await;
    let redirected = answer("202 Accepted", &[&format!("location: {}op", other.url)], "{}");
    let creating = with_state("Creating");
    let (outcome, reported, sent) = register(vec![redirected, missing(), creating, ours()]).await;
    outcome.expect("registered");
    assert_eq!(reported, ["InProgress", "Creating"]);
    assert_eq!((sent, other.seen().len()), (vec![CREATE.into(), GET.into(), GET.into(), GET.into()], 0));
}

async fn after_an_unknown_outcome_the_model_is_looked_up_before_any_retry() {
    let broken = ServerScript::Raw(Vec::new());
    let conflict = || answer("409 X", &[], "");
    let taken = |error: &RegisterError| matches!(error, RegisterError::VersionTaken { .. });
    for doubt in [broken, answer("500 X", &[], ""), answer("504 X", &[], ""), answer("503 X", &[], "")] {
        let (outcome, _, sent) = register(vec![doubt.clone(), ours()]).await;
        outcome.expect("it was accepted");
        assert_eq!(sent, [CREATE, GET, GET]);

        let (outcome, _, sent) = register(vec![doubt.clone(), missing(), accepted(), state("Completed"), ours()]).await;
        outcome.expect("the second attempt");
        assert_eq!(sent, [CREATE, GET, CREATE, OPERATION, GET]);

        let (outcome, _, sent) =
            register(vec![doubt.clone(), missing(), conflict(), missing(), missing(), ours()]).await;
        outcome.expect("the conflict was with our own request");
        assert_eq!(sent, [CREATE, GET, CREATE, GET, GET, GET]);

        let (outcome, _, _) = register(vec![doubt.clone(), model("https://other.example/c?sig=CANARY")]).await;
        let error = outcome.expect_err("other files");
        assert!(taken(&error) && !format!("{error:?}").contains("CANARY"), "{error:?}");

        let (outcome, _, sent) = register(vec![doubt, missing()]).await;
        assert!(matches!(outcome.expect_err("twice"), RegisterError::Refused(_)));
        assert_eq!(sent, [CREATE, GET, CREATE]);
    }
}

async fn other_rejections_are_final() {
    for status in ["400 X", "403 X", "409 X"] {
        let (outcome, _, sent) = register(vec![answer(status, &[], "")]).await;
        assert!(matches!(outcome.expect_err(status), RegisterError::Refused(_)));
        assert_eq!(sent, [CREATE]);
    }
}

async fn polling_survives_a_busy_service_and_network_failures() {
    let busy = || answer("429 X", &["retry-after: 1"], "");
    let plays = vec![
        accepted(),
        busy(),
        ServerScript::Raw(Vec::new()),
        answer("500 X", &[], ""),
        busy(),
        busy(),
        busy(),
        busy(),
        state("Succeeded"),
        ours(),
    ];
    let (outcome, _, sent) = register(plays).await;
    outcome.expect("registered");
    assert_eq!(sent.len(), 10);
}

/// The model decides immediately if this user may not read the operation, and after some attempts if no user can.
async fn the_model_is_polled_if_the_operation_cannot_be_read() {
    let (outcome, _, sent) = register(vec![accepted(), answer("403 X", &[], ""), missing(), state("Failed")]).await;
    assert!(matches!(outcome.expect_err("it is read again"), RegisterError::Failed(_)));
    assert_eq!(sent, [CREATE, OPERATION, GET, OPERATION]);
    let broken = || answer("500 X", &[], "");
    let (outcome, _, sent) = register(vec![accepted(), broken(), broken(), broken(), ours()]).await;
    outcome.expect("registered");
    assert_eq!(sent, [CREATE, OPERATION, OPERATION, OPERATION, GET]);
    let (outcome, _, sent) = register(vec![accepted(), answer("403 X", &[], "")]).await;
    assert!(matches!(outcome.expect_err("the project rejects reads"), RegisterError::Unwatchable(_)));
    assert_eq!(sent, [CREATE, OPERATION, GET]);
}

async fn the_model_is_polled_if_the_operation_is_missing() {
    let (outcome, _, sent) = register(vec![accepted(), answer("404 X", &[], ""), ours()]).await;
    outcome.expect("registered");
    assert_eq!(sent, [CREATE, OPERATION, GET]);
}

async fn a_success_without_a_model_is_not_verified() {
    let (outcome, _, sent) = register(vec![accepted(), state("Succeeded"), missing()]).await;
    assert!(matches!(outcome.expect_err("there is no model"), RegisterError::NotProved));
    assert_eq!(sent.len(), 2 + 9);
    let (outcome, _, _) = register(vec![accepted(), state("Succeeded"), with_state("Failed")]).await;
    assert!(matches!(outcome.expect_err("the model has failed"), RegisterError::Failed(_)));
}

async fn only_this_version_at_this_location_is_the_registered_model() {
    for (shown, difference) in [
        (r#""blobUri":"https://s.example/d""#, "Its weights are in https://s.example/d, not in https://s.example/c."),
        (r#""weightType":"FullWeight""#, "Its weights are in an unknown place, not in https://s.example/c."),
        (r#""blobUri":"https://s.example/c","weightType":"LoRA""#, "Its weight type is LoRA, not FullWeight."),
    ] {
        let shown = ok(&format!(r#"{{"name":"m","version":"1",{shown}}}"#));
        let (outcome, _, sent) = register(vec![accepted(), state("Succeeded"), shown]).await;
        match outcome.expect_err("another model") {
            RegisterError::VersionTaken { difference: found } => assert_eq!(found, difference),
            other => panic!("{other:?}"),
        }
        assert_eq!(sent, [CREATE, OPERATION, GET]);
    }
    for another in [r#"{"name":"m","version":"2"#, r#"{"name":"n","version":"1"#, r#"{"name":"m"#] {
        let shown = ok(&format!(r#"{another}","blobUri":"https://s.example/c"}}"#));
        let (outcome, _, _) = register(vec![accepted(), state("Succeeded"), shown]).await;
        assert!(matches!(outcome.expect_err(another), RegisterError::Unwatchable(_)));
    }
}

async fn a_state_that_is_not_text_is_not_final() {
    let odd = || ok(r#"{"name":"m","version":"1","blobUri":"https://s.example/c","provisioningState":7}"#);
    let plays = vec![accepted(), state(""), state("Succeeded"), with_state(""), odd(), with_state("Succeeded")];
    let (outcome, reported, sent) = register(plays).await;
    outcome.expect("registered");
    assert_eq!(reported, ["InProgress", "Unknown", "Unknown", "Unknown"]);
    assert_eq!(sent, [CREATE, OPERATION, OPERATION, GET, GET, GET]);
}

async fn the_limit_ends_the_wait_and_keeps_the_last_state() {
    let server = Server::play(vec![accepted(), state("Validating")]).await;
    let start = Instant::now();
    let outcome = register_within(&server, Duration::from_secs(20), &mut |_| ()).await;
    match outcome.expect_err("it goes on") {
        RegisterError::TimedOut { last_status, .. } => assert_eq!(last_status.as_deref(), Some("Validating")),
        other => panic!("{other:?}"),
    }
    // Polls after 0, 0.25, 0.75, 1.75, 3.75, 7.75 and 15.75 seconds, and one of the model at the end.
    assert_eq!((start.elapsed().as_secs(), lines(&server).len()), (20, 1 + 7 + 1));
}

async fn the_limit_ends_a_request_without_a_response() {
    for (plays, sent, seconds) in [
        (vec![ServerScript::Silence], vec![CREATE], 20),
        // With the last poll of the model.
        (vec![accepted(), ServerScript::Silence], vec![CREATE, OPERATION, GET], 25),
    ] {
        let server = Server::play(plays).await;
        let start = Instant::now();
        let outcome = register_within(&server, Duration::from_secs(20), &mut |_| ()).await;
        assert!(matches!(outcome.expect_err("silence"), RegisterError::TimedOut { .. }));
        let sent = sent.into_iter().map(String::from).collect();
        assert_eq!((start.elapsed().as_secs(), lines(&server)), (seconds, sent));
    }
}

async fn a_delay_requested_by_the_service_is_respected() {
    let asks =
        |status: &str, seconds: u32| answer(status, &[&format!("retry-after: {seconds}")], r#"{"status":"Running"}"#);
    for (asking, seconds) in [
        (vec![asks("200 OK", 60)], 60),
        (vec![asks("429 X", 40), asks("503 X", 50)], 90),
        // Two minutes at most, and always some delay.
        (vec![asks("200 OK", 3600)], 120),
        (vec![asks("200 OK", 0); 8], 2),
    ] {
        let start = Instant::now();
        let (outcome, _, _) = register([vec![accepted()], asking, vec![state("Succeeded"), ours()]].concat()).await;
        outcome.expect("registered");
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

async fn delays_double_up_to_a_cap_by_default() {
    let running = vec![state("Running"); 9];
    let start = Instant::now();
    let (outcome, _, _) = register([vec![accepted()], running, vec![state("Succeeded"), ours()]].concat()).await;
    outcome.expect("registered");
    // 0.25 + 0.5 + 1 + 2 + 4 + 8 + 15 + 15 + 15
    assert_eq!(start.elapsed().as_secs(), 60);
}

/// The journal stores the URL of an operation: a file must not determine where the token is sent.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn an_operation_on_a_foreign_host_is_never_polled() {
    let server = Server::play(vec![ours()]).await;
    let foreign = url::Url::parse("http://127.0.0.1:9/op").expect("url");
    let started = AcceptedRegistration::in_progress(Some(foreign));
    let watched = foundry(&server);
    let (name, version) = (name(), version());
    watched
        .await_registration((&name, &version), &registration(), started, LIMIT, &mut |_| ())
        .await
        .expect("the model");
    assert_eq!(lines(&server), [GET]);
}
