//! Writes and waits against scripted sockets: requests, their order, and results.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{
    AcceptedWrite, DeployError, DeployStatus, DeploymentChange, Deployments, NewDeployment, NewModel, WaitTarget,
};
use crate::arm::{AccountId, ArmClient, ArmEndpoint};
use crate::credential::{Audience, TokenSource, TokenTarget};
use crate::env::{Env, Timings, var};
use crate::http::tests::server::{Server, ServerScript, answer, client};
use crate::model::{Cloud, Deployment, DeploymentName, Report};

const PREFIX: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/deployments";
const VERSION: &str = "?api-version=2025-06-01";
const LIMIT: Duration = Duration::from_secs(45 * 60);

struct Fixture {
    server: Server,
    deployments: Deployments,
    reports: Arc<Mutex<Vec<Report>>>,
}

impl Fixture {
    async fn play(plays: Vec<ServerScript>) -> Self {
        let server = Server::play(plays).await;
        let origin = server.url.origin().ascii_serialization();
        let env = [(var::CREDENTIAL, "emulator"), (var::ARM_ENDPOINT, origin.as_str())];
        let env = Env::from_vars(env, Path::new("/"));
        let target = TokenTarget { host: "127.0.0.1", loopback: true, named_by_user: true, audience: Audience::Arm };
        let tokens = TokenSource::new(&env, target, None, Timings::default(), Arc::new(|_| ())).expect("tokens");
        let (http, reports) = client(&[]);
        let endpoint = ArmEndpoint::choose(&env, Cloud::Public).expect("an endpoint");
        let arm = ArmClient::new(Arc::new(http), Arc::new(tokens), endpoint);
        let account = AccountId { subscription: "s".into(), group: "g".into(), account: "a".into() };
        Self { server, deployments: Deployments::new(arm, account), reports }
    }

    /// Creates a deployment and waits; returns the result and the reported states.
    async fn create(&self) -> (Result<Deployment, DeployError>, Vec<String>) {
        let mut events = Vec::new();
        let mut on = |status: DeployStatus| events.push(status.status);
        let outcome = match self.deployments.create(&name(), &new()).await {
            Ok(accepted) => self.deployments.wait(&name(), WaitTarget::Created(&accepted), LIMIT, &mut on).await,
            Err(error) => Err(error),
        };
        (outcome, events)
    }

    async fn wait(&self, expected: WaitTarget<'_>, limit: Duration) -> Result<Deployment, DeployError> {
        self.deployments.wait(&name(), expected, limit, &mut |_| ()).await
    }

    async fn delete(&self) -> Result<(), DeployError> {
        let accepted = self.deployments.delete(&name()).await?;
        self.deployments.wait_gone(&name(), &accepted, LIMIT, &mut |_| ()).await
    }

    async fn update(&self, change: &DeploymentChange) -> Result<Deployment, DeployError> {
        let (present, _) = self.deployments.get_whole(&name()).await.expect("an answer").expect("a deployment");
        let accepted = self.deployments.change(&name(), &present, change).await?;
        self.wait(WaitTarget::Changed(&accepted, change), LIMIT).await
    }

    /// `METHOD` and the path after the collection.
    fn lines(&self) -> Vec<String> {
        self.server.lines().iter().map(|line| line.replace(PREFIX, "").replace(VERSION, "")).collect()
    }

    fn notices(&self) -> usize {
        let reports = self.reports.lock().expect("reports");
        reports.iter().filter(|report| matches!(report, Report::Notice(_))).count()
    }
}

fn name() -> DeploymentName {
    "d".parse().expect("a name")
}

fn new() -> NewDeployment {
    let model = NewModel { format: "OpenAI".into(), name: "m".into(), version: "1".into(), source: None };
    NewDeployment {
        sku: "GlobalStandard".into(),
        capacity: 10,
        model,
        draft: None,
        rai_policy: None,
        version_upgrade: None,
        spillover: None,
        tags: [].into(),
    }
}

fn in_state(state: &str) -> ServerScript {
    in_state_with(state, 10, &json!({}), &[])
}

fn in_state_with(state: &str, capacity: u32, tags: &serde_json::Value, headers: &[&str]) -> ServerScript {
    let body = json!({
        "name": "d", "sku": {"name": "GlobalStandard", "capacity": capacity}, "tags": tags,
        "properties": {"provisioningState": state, "model": {"format": "OpenAI", "name": "m", "version": "1"}},
    });
    answer("200 OK", headers, &body.to_string())
}

fn accepted(headers: &[&str]) -> ServerScript {
    answer("202 Accepted", headers, "")
}

fn refusal(status: &str, code: &str, headers: &[&str]) -> ServerScript {
    answer(status, headers, &json!({"error": {"code": code, "message": "no"}}).to_string())
}

fn missing() -> ServerScript {
    refusal("404 X", "ResourceNotFound", &[])
}

macro_rules! paused {
    ($(async fn $test:ident() $body:block)+) => {
        $(#[tokio::test(flavor = "current_thread", start_paused = true)] async fn $test() $body)+
    };
}

paused! {
    async fn the_deployment_is_polled_until_a_get_shows_success() {
        // A success in the response to the write proves nothing.
        let fixture = Fixture::play(vec![in_state("Succeeded"), missing(), in_state("Creating"), in_state("New"), in_state("Succeeded")]).await;
        let (outcome, events) = fixture.create().await;
        assert_eq!(outcome.expect("a deployment").view().name, "d");
        assert_eq!(events, ["Creating", "New", "Succeeded"]);
        assert_eq!(fixture.lines(), ["PUT /d", "GET /d", "GET /d", "GET /d", "GET /d"]);
    }

    async fn pauses_follow_the_last_response_otherwise_double_up_to_the_cap() {
        let begun = Instant::now();
        let fixture = Fixture::play(vec![in_state("Creating"), in_state("Creating"), in_state("Creating"), in_state("Creating"), in_state("Succeeded")]).await;
        fixture.create().await.0.expect("a deployment");
        assert_eq!(begun.elapsed().as_secs(), 2 + 4 + 8);
        let begun = Instant::now();
        let fixture = Fixture::play(vec![in_state("Creating"), in_state_with("Creating", 10, &json!({}), &["retry-after: 30"]), in_state("Succeeded")]).await;
        fixture.create().await.0.expect("a deployment");
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    async fn the_operation_is_read_only_for_the_reason_of_a_failure() {
        let operation = json!({"status": "Failed", "error": {"code": "InsufficientQuota", "message": "no quota"}});
        let operation = answer("200 OK", &[], &operation.to_string());
        let other = Server::play(vec![operation.clone()]).await;
        let elsewhere = format!("azure-asyncoperation: {}op", other.url);
        for (header, answers, expected) in [
            ("azure-asyncoperation: {origin}op", vec![operation.clone()], Some("no quota")),
            ("location: {origin}op", vec![refusal("400 X", "InsufficientQuota", &[])], Some("no")),
            // The status URL may require a permission that the caller lacks.
            ("azure-asyncoperation: {origin}op", vec![refusal("403 X", "AuthorizationFailed", &[])], None),
            // Another host receives no token.
            (elsewhere.as_str(), vec![], None),
            ("x: y", vec![], None),
        ] {
            let plays = [vec![accepted(&[header]), in_state("Creating"), in_state("Failed")], answers].concat();
            let count = plays.len();
            let fixture = Fixture::play(plays).await;
            let Err(DeployError::Failed { state, detail, .. }) = fixture.create().await.0 else { panic!("{header}") };
            assert_eq!((state.as_str(), detail.as_ref().map(|detail| detail.message.as_str())), ("Failed", expected));
            assert_eq!(fixture.lines().len(), count, "{header}");
        }
        assert_eq!(other.lines(), Vec::<String>::new());
    }

    async fn a_deployment_that_never_appears_fails_after_five_minutes() {
        let begun = Instant::now();
        let fixture = Fixture::play(vec![accepted(&[]), missing()]).await;
        assert!(matches!(fixture.create().await.0, Err(DeployError::NotVisible)));
        assert_eq!(begun.elapsed().as_secs() / 60, 5);
    }

    async fn waiting_for_a_missing_deployment_ends_after_half_a_minute() {
        let begun = Instant::now();
        let fixture = Fixture::play(vec![missing()]).await;
        assert!(matches!(fixture.wait(WaitTarget::Known, LIMIT).await, Err(DeployError::NotFound)));
        assert!((30..41).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    }

    async fn a_deployment_that_is_being_deleted_is_followed_to_its_end() {
        let fixture = Fixture::play(vec![in_state("Deleting"), in_state("Deleting"), missing()]).await;
        assert!(matches!(fixture.wait(WaitTarget::Known, LIMIT).await, Err(DeployError::Deleted)));
    }

    async fn the_limit_ends_a_wait_with_the_last_state() {
        let begun = Instant::now();
        let fixture = Fixture::play(vec![in_state("Creating")]).await;
        let outcome = fixture.wait(WaitTarget::Known, Duration::from_secs(60)).await;
        let Err(DeployError::TimedOut { last_state, last_fault }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((last_state.as_deref(), last_fault.is_none()), (Some("Creating"), true));
        assert_eq!(begun.elapsed().as_secs(), 60);
    }

    async fn a_transient_poll_failure_is_retried_and_a_rejection_is_not() {
        let busy = refusal("429 X", "TooManyRequests", &["retry-after: 3"]);
        let fixture = Fixture::play(vec![busy, refusal("503 X", "Busy", &[]), in_state("Succeeded")]).await;
        fixture.wait(WaitTarget::Known, LIMIT).await.expect("a deployment");
        let fixture = Fixture::play(vec![refusal("403 X", "AuthorizationFailed", &[])]).await;
        assert!(matches!(fixture.wait(WaitTarget::Known, LIMIT).await, Err(DeployError::Unwatchable(_))));
    }

    async fn a_busy_account_is_waited_for_and_reported_once() {
        let busy = || refusal("409 X", "RequestConflict", &[]);
        let wrapped = json!({"error": {"code": "Conflict", "message": "x", "details": [{"code": "RequestConflict", "message": "y"}]}});
        let wrapped = answer("409 X", &[], &wrapped.to_string());
        let fixture = Fixture::play(vec![busy(), wrapped, accepted(&[]), in_state("Succeeded")]).await;
        fixture.create().await.0.expect("a deployment");
        assert_eq!((fixture.notices(), fixture.lines().len()), (1, 4));
        let begun = Instant::now();
        let fixture = Fixture::play(vec![busy()]).await;
        assert!(matches!(fixture.create().await.0, Err(DeployError::Busy(_))));
        assert!((270..=300).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        let fixture = Fixture::play(vec![refusal("409 X", "DeploymentExists", &[])]).await;
        assert!(matches!(fixture.create().await.0, Err(DeployError::Refused(_))));
        assert_eq!(fixture.lines().len(), 1);
    }

    async fn a_lost_response_is_resolved_by_a_get_before_any_retry() {
        let lost = || refusal("500 X", "InternalServerError", &[]);
        let fixture = Fixture::play(vec![lost(), in_state("Creating"), in_state("Succeeded")]).await;
        fixture.create().await.0.expect("ours");
        assert_eq!(fixture.lines(), ["PUT /d", "GET /d", "GET /d"]);
        let fixture = Fixture::play(vec![lost(), missing(), in_state("Creating"), in_state("Succeeded")]).await;
        fixture.create().await.0.expect("the second one");
        assert_eq!(fixture.lines(), ["PUT /d", "GET /d", "PUT /d", "GET /d"]);
        let other = answer("200 OK", &[], r#"{"name":"d","properties":{"model":{"format":"OpenAI","name":"other","version":"1"}}}"#);
        let fixture = Fixture::play(vec![lost(), other]).await;
        assert!(matches!(fixture.create().await.0, Err(DeployError::Taken)));
    }

    async fn a_deletion_is_verified_by_the_missing_deployment() {
        for first in [accepted(&[]), answer("200 OK", &[], ""), answer("204 No Content", &[], ""), missing()] {
            let fixture = Fixture::play(vec![first, in_state("Succeeded"), in_state("Deleting"), missing()]).await;
            fixture.delete().await.expect("deleted");
            assert_eq!(fixture.lines(), ["DELETE /d", "GET /d", "GET /d", "GET /d"]);
        }
    }

    async fn a_change_is_verified_by_a_get() {
        let change = DeploymentChange { capacity: Some(20), ..DeploymentChange::default() };
        let at = |state, capacity| in_state_with(state, capacity, &json!({}), &[]);
        let plays = vec![at("Succeeded", 10), accepted(&[]), at("Succeeded", 10), at("Updating", 10), at("Succeeded", 20)];
        let fixture = Fixture::play(plays).await;
        assert_eq!(fixture.update(&change).await.expect("changed").view().sku.clone().unwrap_or_default().capacity, Some(20));
        assert_eq!(fixture.server.lines()[1], format!("PATCH {PREFIX}/d{VERSION}"));
        // The response reports completion, but no GET shows it.
        let fixture = Fixture::play(vec![at("Succeeded", 10)]).await;
        assert!(matches!(fixture.update(&change).await, Err(DeployError::NotApplied)));
    }

    async fn a_tag_that_a_patch_does_not_remove_is_removed_by_a_put() {
        let tagged = |tags| in_state_with("Succeeded", 10, &tags, &[]);
        let change = DeploymentChange::default().with_tags(vec![], vec!["a".into()]).expect("a change");
        let both = json!({"a": "1", "b": "2"});
        let one = json!({"b": "2"});
        let plays = vec![tagged(both.clone()), tagged(both.clone()), tagged(both), tagged(one.clone()), tagged(one)];
        let fixture = Fixture::play(plays).await;
        fixture.update(&change).await.expect("removed");
        let methods: Vec<String> = fixture.lines().iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(methods, ["GET", "PATCH", "GET", "PUT", "GET"]);
        assert!(fixture.server.seen()[3].ends_with(r#"{"sku":{"name":"GlobalStandard","capacity":10},"tags":{"b":"2"},"properties":{"model":{"format":"OpenAI","name":"m","version":"1"}}}"#));
    }

    async fn the_whole_deployment_is_read_with_the_newer_api_version_if_supported() {
        let fixture = Fixture::play(vec![refusal("400 X", "NoRegisteredProviderFound", &[]), in_state("Succeeded")]).await;
        fixture.deployments.get_whole(&name()).await.expect("an answer").expect("a deployment");
        assert_eq!(fixture.lines(), ["GET /d?api-version=2026-09-01", "GET /d"]);
    }

    async fn a_response_about_another_deployment_is_rejected() {
        let fixture = Fixture::play(vec![answer("200 OK", &[], r#"{"name":"other"}"#)]).await;
        assert!(matches!(fixture.wait(WaitTarget::Known, LIMIT).await, Err(DeployError::Unwatchable(_))));
        let accepted = fixture.deployments.create(&name(), &new()).await;
        assert!(matches!(accepted, Ok(AcceptedWrite { .. })), "{accepted:?}");
    }
}
