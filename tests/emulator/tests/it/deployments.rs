//! Deployments: accepted requests, the stages of a write, rejections.

use foundry_emulator::{Arm, Config, Deploying, DeploymentEnd, Fault, FaultKind, Polling, Route};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const ACCOUNT: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-emulator/providers/Microsoft.CognitiveServices/accounts/emulator";
const EARLY: &str = "2025-06-01";
const LATER: &str = "2026-09-01";

fn client(deploying: Deploying) -> Client {
    Client::new(Config { arm: Arm { deploying, ..Arm::default() }, ..Config::default() })
}

async fn send(client: &Client, method: Method, path: &str, (version, body): (&str, Option<&Value>)) -> Answer {
    let url = format!("{}{ACCOUNT}{path}", client.emulator.origin());
    let request = client.http.request(method, url).bearer_auth("arm").query(&[("api-version", version)]);
    Answer::of(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

async fn get(client: &Client, path: &str) -> Answer {
    send(client, Method::GET, path, (EARLY, None)).await
}

async fn put(client: &Client, name: &str, body: &Value) -> Answer {
    send(client, Method::PUT, &format!("/deployments/{name}"), (EARLY, Some(body))).await
}

async fn delete(client: &Client, name: &str) -> Answer {
    send(client, Method::DELETE, &format!("/deployments/{name}"), (EARLY, None)).await
}

fn base(capacity: u64) -> Value {
    json!({
        "sku": {"name": "GlobalStandard", "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1-mini", "version": "2025-04-14"}},
    })
}

fn provisioned(capacity: u64) -> Value {
    json!({
        "sku": {"name": "GlobalProvisionedManaged", "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1", "version": "2025-04-14"}},
    })
}

fn custom(name: &str, version: &str) -> Value {
    json!({
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 80},
        "properties": {"model": {
            "format": "FireworksCustom", "name": name, "version": version, "source": format!("{ACCOUNT}/projects/demo"),
        }},
    })
}

fn state(answer: &Answer) -> &str {
    answer.body["properties"]["provisioningState"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_deployment_is_created_read_changed_and_deleted() {
    let client = client(Deploying::default());
    client.seed("tiny", "1");
    let answer = put(&client, "mine", &custom("tiny", "1")).await;
    assert_eq!((answer.status, state(&answer)), (201, "Accepted"));
    let operation = answer.header("azure-asyncoperation").to_owned();
    assert!(operation.starts_with(&client.emulator.origin()) && operation.contains("/operations/"), "{operation}");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(state(&get(&client, "/deployments/mine").await).to_owned());
    }
    assert_eq!(seen, ["Accepted", "Creating", "Succeeded"]);
    assert_eq!(client.follow(&operation).await.body["status"], "Succeeded");

    let patch = json!({"sku": {"name": "GlobalProvisionedManaged", "capacity": 120}, "tags": {"a": "1"}});
    let answer = send(&client, Method::PATCH, "/deployments/mine", (EARLY, Some(&patch))).await;
    assert_eq!((answer.status, &answer.body["sku"]["capacity"]), (200, &json!(120)));
    assert_eq!(answer.body["properties"]["currentCapacity"], 80);
    for _ in 0..3 {
        get(&client, "/deployments/mine").await;
    }
    let whole = get(&client, "/deployments/mine").await.body;
    assert_eq!((&whole["properties"]["currentCapacity"], &whole["tags"]), (&json!(120), &json!({"a": "1"})));

    assert_eq!(delete(&client, "mine").await.status, 202);
    assert_eq!(state(&get(&client, "/deployments/mine").await), "Deleting");
    get(&client, "/deployments/mine").await;
    get(&client, "/deployments/mine").await.assert_refused(404, "ResourceNotFound");
    assert_eq!(delete(&client, "mine").await.status, 204);
    assert_eq!(get(&client, "/deployments").await.body, json!({"value": []}));
}

#[tokio::test]
async fn a_standard_deployment_exists_immediately_with_the_limits_of_its_capacity() {
    let client = client(Deploying::default());
    let answer = put(&client, "chat", &base(10)).await;
    assert_eq!((answer.status, state(&answer)), (201, "Succeeded"));
    assert_eq!(
        answer.body["properties"]["rateLimits"][1],
        json!({"key": "token", "renewalPeriod": 60.0, "count": 10000.0})
    );
    assert_eq!(answer.body["properties"]["raiPolicyName"], "Microsoft.DefaultV2");
    assert_eq!(put(&client, "chat", &base(20)).await.status, 200);
}

#[tokio::test]
async fn each_polling_form_reports_the_end_of_a_write() {
    for polling in [Polling::Resource, Polling::AsyncOperation, Polling::Location] {
        let client = client(Deploying {
            polling: polling.clone(),
            polls_until_done: 1,
            put_status: 202,
            ..Deploying::default()
        });
        let answer = put(&client, "ptu", &provisioned(15)).await;
        assert_eq!((answer.status, &answer.body), (202, &json!("")));
        match polling {
            Polling::Location => {
                let url = answer.header("location").to_owned();
                assert_eq!(client.follow(&url).await.status, 202);
                assert_eq!(state(&client.follow(&url).await), "Succeeded");
            }
            Polling::AsyncOperation => {
                let url = answer.header("azure-asyncoperation").to_owned();
                assert_eq!(client.follow(&url).await.body["status"], "InProgress");
                assert_eq!(client.follow(&url).await.body["status"], "Succeeded");
                client.emulator.configure(|config| config.arm.deploying.denies_operation = true);
                client.follow(&url).await.assert_refused(403, "AuthorizationFailed");
            }
            Polling::Resource | Polling::Foreign(_) => {
                assert!(
                    answer.headers.get("location").is_none() && answer.headers.get("azure-asyncoperation").is_none()
                );
                assert_eq!(state(&get(&client, "/deployments/ptu").await), "Accepted");
            }
        }
        assert_eq!(state(&get(&client, "/deployments/ptu").await), "Succeeded");
    }
}

#[tokio::test]
async fn a_failed_deployment_returns_200_and_its_status_url_the_error() {
    let end = DeploymentEnd::Failed { state: "Failed".into(), code: "TheCode".into(), message: "the words".into() };
    let client = client(Deploying { end, polls_until_done: 0, ..Deploying::default() });
    let answer = put(&client, "ptu", &provisioned(15)).await;
    let read = get(&client, "/deployments/ptu").await;
    assert_eq!((read.status, state(&read)), (200, "Failed"));
    let outcome = client.follow(answer.header("azure-asyncoperation")).await.body;
    assert_eq!(
        (&outcome["status"], &outcome["error"]),
        (&json!("Failed"), &json!({"code": "TheCode", "message": "the words"}))
    );
}

#[tokio::test]
async fn a_new_deployment_can_be_hidden_from_the_first_gets() {
    let client = client(Deploying { hidden_gets: 2, ..Deploying::default() });
    put(&client, "chat", &base(1)).await;
    for _ in 0..2 {
        get(&client, "/deployments/chat").await.assert_refused(404, "ResourceNotFound");
    }
    assert_eq!(state(&get(&client, "/deployments/chat").await), "Succeeded");
}

#[tokio::test]
async fn only_one_write_runs_at_a_time() {
    let client = client(Deploying { polls_until_done: 1, ..Deploying::default() });
    put(&client, "ptu", &provisioned(15)).await;
    put(&client, "other", &base(1)).await.assert_refused(409, "RequestConflict");
    delete(&client, "ptu").await.assert_refused(409, "RequestConflict");
    assert_eq!(put(&client, "other", &base(1)).await.status, 201);
}

#[tokio::test]
async fn invalid_bodies_are_rejected() {
    let client = client(Deploying::default());
    client.seed("tiny", "1");
    client.emulator.seed(&json!({"name": "half", "version": "1", "provisioningState": "Creating"})).unwrap();
    let with = |change: fn(&mut Value)| {
        let mut body = base(10);
        change(&mut body);
        body
    };
    let drafted = json!({"draftModel": {"format": "FireworksCustom", "name": "tiny"}, "draftTokenCount": 4});
    for (body, code) in [
        (json!({}), "InvalidResourceProperties"),
        (with(|body| body["properties"]["sku"] = json!({})), "InvalidRequestContent"),
        (with(|body| body["properties"]["capabilities"] = json!({})), "InvalidRequestContent"),
        (with(|body| body["properties"]["model"]["format"] = "openai".into()), "DeploymentModelNotSupported"),
        (with(|body| body["properties"]["model"]["version"] = "1".into()), "DeploymentModelNotSupported"),
        (with(|body| body["sku"]["name"] = "ProvisionedManaged".into()), "InvalidResourceProperties"),
        (with(|body| body["sku"]["capacity"] = 0.into()), "InvalidCapacity"),
        (with(|body| body["sku"]["capacity"] = 201.into()), "InsufficientQuota"),
        (with(|body| body["properties"]["raiPolicyName"] = "mine".into()), "InvalidContentFilter"),
        (with(|body| body["properties"]["spilloverDeploymentName"] = "none".into()), "InvalidResourceProperties"),
        (provisioned(17), "InvalidCapacity"),
        (custom("none", "1"), "DeploymentModelNotSupported"),
        (custom("tiny", "2"), "DeploymentModelNotSupported"),
        (custom("half", "1"), "DeploymentModelNotSupported"),
    ] {
        put(&client, "d1", &body).await.assert_refused(400, code);
    }
    let body = with_draft(&drafted);
    put(&client, "d1", &body).await.assert_refused(400, "InvalidRequestContent");
    put(&client, "x", &base(1)).await.assert_refused(400, "InvalidResourceName");
    assert!(client.emulator.deployments().is_empty());
}

fn with_draft(drafted: &Value) -> Value {
    let model = json!({"format": "Fireworks", "name": "FW-Qwen3-14B", "version": "1"});
    json!({
        "sku": {"name": "GlobalProvisionedManaged", "capacity": 80},
        "properties": {"model": model, "speculativeDecoding": drafted},
    })
}

#[tokio::test]
async fn a_draft_model_requires_the_later_api_version() {
    let client = client(Deploying { polls_until_done: 0, ..Deploying::default() });
    client.seed("tiny", "1");
    let source = format!("{ACCOUNT}/projects/demo");
    let draft = json!({"format": "FireworksCustom", "name": "tiny", "version": "1", "source": source});
    let drafted = json!({"draftModel": draft, "draftTokenCount": 4});
    let answer = send(&client, Method::PUT, "/deployments/fast", (LATER, Some(&with_draft(&drafted)))).await;
    assert_eq!((answer.status, &answer.body["properties"]["speculativeDecoding"]), (201, &drafted));
    assert!(get(&client, "/deployments/fast").await.body["properties"].get("speculativeDecoding").is_none());
    send(&client, Method::GET, "/deployments/fast", ("2024-10-01", None))
        .await
        .assert_refused(400, "NoRegisteredProviderFound");
}

#[tokio::test]
async fn registered_models_require_the_feature_and_cannot_be_deployed_twice_or_deleted_in_use() {
    let client = client(Deploying { polls_until_done: 0, ..Deploying::default() });
    client.seed("tiny", "1");
    client.emulator.configure(|config| config.arm.feature = "Registering".to_owned());
    put(&client, "mine", &custom("tiny", "1")).await.assert_refused(400, "SpecialFeatureOrQuotaIdRequired");
    client.emulator.configure(|config| config.arm.feature = "Registered".to_owned());
    assert_eq!(put(&client, "mine", &custom("tiny", "1")).await.status, 201);
    get(&client, "/deployments/mine").await;
    put(&client, "twin", &custom("tiny", "1")).await.assert_refused(409, "DeploymentConflict");
    client.delete("/models/tiny/versions/1").await.assert_refused(409, "ModelInUse");
}

#[tokio::test]
async fn an_update_keeps_unknown_fields_and_cannot_change_the_model() {
    let client = client(Deploying::default());
    client.emulator.seed_deployment(&json!({"name": "chat"})).unwrap();
    let present = get(&client, "/deployments/chat").await.body;
    let mut body = base(10);
    body["properties"]["xEmulator"] = present["properties"]["xEmulator"].clone();
    body["properties"]["raiPolicyName"] = "Microsoft.Default".into();
    assert_eq!(put(&client, "chat", &body).await.status, 200);
    body["properties"]["model"]["name"] = "gpt-4.1".into();
    put(&client, "chat", &body).await.assert_refused(409, "RequestConflict");
    for _ in 0..2 {
        get(&client, "/deployments/chat").await;
    }
    put(&client, "chat", &body).await.assert_refused(400, "InvalidResourceProperties");
}

#[tokio::test]
async fn a_control_plane_fault_affects_its_route() {
    let client = client(Deploying::default());
    let fault =
        FaultKind::Status { status: 409, code: Some("RequestConflict".into()), message: None, retry_after: None };
    client.emulator.add_fault(Fault::new(Route::ArmPut, fault).times(2));
    for _ in 0..2 {
        let answer = put(&client, "chat", &base(1)).await;
        answer.assert_refused(409, "RequestConflict");
        assert!(answer.body["error"]["message"].as_str().unwrap().starts_with("Another operation is being performed"));
    }
    assert_eq!(put(&client, "chat", &base(1)).await.status, 201);
}

#[tokio::test]
async fn without_a_role_arm_returns_403_and_the_project_still_lists_deployments() {
    let client = Client::new(Config { arm: Arm { hides_account: true, ..Arm::default() }, ..Config::default() });
    client.emulator.seed_deployment(&json!({"name": "chat"})).unwrap();
    let answer = get(&client, "/deployments").await;
    answer.assert_refused(403, "AuthorizationFailed");
    assert!(
        answer.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Microsoft.CognitiveServices/accounts/deployments/read")
    );
    let shown = Answer::of(client.bare(Method::GET, "/deployments?api-version=v1").bearer_auth("x")).await;
    assert_eq!(shown.body["value"][0]["modelPublisher"], "OpenAI");
    assert!(shown.body["value"][0].get("provisioningState").is_none());
    let none = Answer::of(client.bare(Method::GET, "/deployments/none?api-version=v1").bearer_auth("x")).await;
    none.assert_refused(404, "NotFound");
    let filtered = "/deployments?api-version=v1&modelPublisher=Microsoft";
    assert_eq!(Answer::of(client.bare(Method::GET, filtered).bearer_auth("x")).await.body, json!({"value": []}));
}

#[tokio::test]
async fn lists_can_be_paged() {
    let arm = Arm { in_pages: true, ..Arm::default() };
    let client = Client::new(Config { arm, page_size: 1, ..Config::default() });
    for name in ["a1", "b2"] {
        client.emulator.seed_deployment(&json!({"name": name})).unwrap();
    }
    let mut page = get(&client, "/deployments").await.body;
    let mut names = Vec::new();
    while let Some(next) = page["nextLink"].as_str().map(str::to_owned) {
        page = client.follow(&next).await.body;
        names.extend(page["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
    }
    assert_eq!(names, ["a1", "b2"]);
}
