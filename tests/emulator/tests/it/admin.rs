//! The routes for scripts, and the recorded requests.

use foundry_emulator::{Config, Emulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client, VERSION};

async fn admin(client: &Client, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = client.http.request(method, format!("{}/emulator{path}", client.emulator.origin()));
    Answer::of(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn requests_are_recorded_with_the_token_masked() {
    let client = Client::new(Config::default());
    client.start_upload().await;
    let expected = json!({
        "method": "POST",
        "path": format!("/api/projects/demo{VERSION}/startPendingUpload"),
        "query": { "api-version": "2025-11-15-preview" },
        "body": { "pendingUploadType": "TemporaryBlobReference" },
    });
    let recorded = admin(&client, Method::GET, "/requests", None).await.body;
    assert_eq!(recorded.as_array().unwrap().len(), 1);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&recorded[0][key], value);
    }
    assert_eq!(recorded[0]["headers"]["authorization"], "Bearer (6)");
    assert!(!recorded.to_string().contains("secret"));
    assert_eq!(client.emulator.requests()[0].path, expected["path"]);

    assert_eq!(admin(&client, Method::DELETE, "/requests", None).await.status, 204);
    assert!(client.emulator.requests().is_empty());
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared() {
    let client = Client::new(Config::default());
    let faults = json!([
        { "route": "list", "count": 1, "kind": { "status": { "status": 429, "retryAfter": { "seconds": 1 } } } },
        { "route": "any", "kind": "emptyBody" },
    ]);
    assert_eq!(admin(&client, Method::POST, "/faults", Some(faults)).await.status, 204);
    assert_eq!(client.get("/models").await.status, 429);
    assert_eq!(client.get("/models").await.body, "");
    assert_eq!(admin(&client, Method::GET, "/faults", None).await.body[0]["count"], 0);
    assert_eq!(admin(&client, Method::DELETE, "/faults", None).await.status, 204);
    assert_eq!(client.get("/models").await.body, json!({ "value": [] }));
    let wrong = admin(&client, Method::POST, "/faults", Some(json!({ "route": "list", "kind": "explode" }))).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body["error"]["message"].as_str().unwrap().contains("explode"));
}

#[tokio::test]
async fn models_are_seeded_and_a_reset_restores_the_initial_state() {
    let client = Client::new(Config { models: vec![json!({ "name": "first", "version": "1" })], ..Config::default() });
    let model = json!({ "name": "tiny", "version": "1", "future": [1, 2] });
    assert_eq!(admin(&client, Method::POST, "/models", Some(model)).await.status, 204);
    assert_eq!(client.get(VERSION).await.body["future"], json!([1, 2]));
    let nameless = admin(&client, Method::POST, "/models", Some(json!([{ "version": "1" }]))).await;
    assert_eq!(nameless.status, 400);
    client.emulator.configure(|config| config.page_size = 1);

    assert_eq!(admin(&client, Method::POST, "/reset", None).await.status, 204);
    assert!(client.emulator.requests().is_empty());
    client.get(VERSION).await.assert_refused(404, "ModelNotFound");
    let list = client.get("/models").await.body;
    assert_eq!(list["value"][0]["name"], "first");
    assert!(list.get("nextLink").is_none());
}

#[test]
fn start_rejects_public_addresses_and_unnamed_models() {
    let everywhere = Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() };
    assert_eq!(Emulator::start(everywhere).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    let nameless = Config { models: vec![json!({})], ..Config::default() };
    assert!(Emulator::start(nameless).unwrap_err().to_string().contains("'name'"));
}
