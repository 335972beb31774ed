//! Deletion, immediate or delayed.

use super::*;
use crate::foundry::DeleteError;

for_each_api_version!(
    a_deletion_is_awaited_and_verified_by_the_missing_version,
    a_version_that_still_exists_is_not_deleted,
    rejections_and_failures_are_distinguished,
    the_limit_ends_the_wait,
);

const DELETE: &str = "DELETE /m/versions/1";
const GET: &str = "GET /m/versions/1";

async fn delete(plays: Vec<ServerScript>) -> (Result<(), DeleteError>, Vec<String>) {
    let server = Server::play(plays).await;
    let outcome = foundry(&server).delete(&name(), &version(), LIMIT).await;
    (outcome, lines(&server))
}

async fn a_deletion_is_awaited_and_verified_by_the_missing_version() {
    let later = |headers: &[&str]| answer("202 X", headers, "");
    let is_gone = || answer("404 X", &[], "");
    let existing = || ok(r#"{"name":"m","version":"1"}"#);
    for (plays, sent) in [
        (vec![ok(""), missing()], vec![DELETE, GET]),
        (vec![ok(r#"{"status":"Failed"}"#), existing(), existing(), missing()], vec![DELETE, GET, GET, GET]),
        (vec![answer("204 X", &[], ""), missing()], vec![DELETE, GET]),
        (vec![is_gone(), missing()], vec![DELETE, GET]),
        (
            vec![later(&["location: /op"]), answer("202 X", &[], ""), ok(""), missing()],
            vec![DELETE, "GET /op", "GET /op", GET],
        ),
        (vec![later(&["location: /op"]), ok("{}"), existing(), missing()], vec![DELETE, "GET /op", GET, GET]),
        (vec![later(&["location: /op"]), is_gone(), missing()], vec![DELETE, "GET /op", GET]),
        (vec![later(&["location: https://evil.example/op"]), existing(), missing()], vec![DELETE, GET, GET]),
        (vec![later(&[]), missing()], vec![DELETE, GET]),
    ] {
        let (outcome, found) = delete(plays).await;
        outcome.expect("deleted");
        assert_eq!(found, sent);
    }
}

async fn rejections_and_failures_are_distinguished() {
    let in_use = answer("409 X", &[], r#"{"error":{"code":"ModelInUse","message":"deployed"}}"#);
    let (outcome, _) = delete(vec![in_use]).await;
    let DeleteError::Refused(error) = outcome.expect_err("in use") else { panic!("refused") };
    assert!(error.service().is_some_and(|error| error.has_code(&["ModelInUse"])));
    let (outcome, _) = delete(vec![answer("202 X", &["location: /op"], ""), ok(r#"{"status":"Failed"}"#)]).await;
    assert!(matches!(outcome.expect_err("failed"), DeleteError::Failed(_)));
}

async fn a_version_that_still_exists_is_not_deleted() {
    let existing = || ok(r#"{"name":"m","version":"1"}"#);
    for plays in [
        vec![ok(""), existing()],
        vec![answer("202 X", &["location: /op"], ""), ok(r#"{"status":"Succeeded"}"#), existing()],
    ] {
        let (outcome, sent) = delete(plays).await;
        assert!(matches!(outcome.expect_err("it still exists"), DeleteError::StillExists));
        assert_eq!(sent.iter().filter(|line| *line == GET).count(), 9);
    }
    let (outcome, sent) = delete(vec![answer("404 X", &[], ""), existing()]).await;
    assert!(matches!(outcome.expect_err("it still exists"), DeleteError::Refused(_)));
    assert_eq!(sent, [DELETE, GET]);
    let (outcome, _) = delete(vec![ok(""), answer("403 X", &[], "")]).await;
    assert!(matches!(outcome.expect_err("reads are rejected"), DeleteError::Unwatchable(_)));
}

async fn the_limit_ends_the_wait() {
    let server = Server::play(vec![answer("202 X", &["location: /op"], ""), ok(r#"{"status":"Running"}"#)]).await;
    let start = Instant::now();
    let outcome = foundry(&server).delete(&name(), &version(), Duration::from_secs(20)).await;
    assert!(matches!(outcome.expect_err("it is still running"), DeleteError::TimedOut));
    // Polls after 0, 0.25, 0.75, 1.75, 3.75, 7.75 and 15.75 seconds.
    assert_eq!((start.elapsed().as_secs(), lines(&server).len()), (20, 1 + 7));
}
