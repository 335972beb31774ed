//! createAsync with its operation, and PUT.

use foundry_emulator::{Config, LocationForm, MissingRoute, OperationEnd};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client, VERSION};

/// Starts an upload and registers it.
async fn create(client: &Client) -> Answer {
    let uri = client.blob_uri().await;
    client.create_async(&json!({ "blobUri": uri, "tags": { "a": "1" } })).await
}

async fn put(client: &Client, body: &Value) -> Answer {
    Answer::of(client.request(Method::PUT, VERSION).json(body)).await
}

#[tokio::test]
async fn an_operation_passes_through_its_states() {
    let client = Client::new(Config { polls_until_done: 3, poll_retry_after: Some(7), ..Config::default() });
    let answer = create(&client).await;
    assert_eq!(answer.status, 202);
    let location = answer.header("location").to_owned();
    assert!(location.starts_with(&client.emulator.endpoint()), "{location}");
    assert_eq!(answer.body["location"], location);
    for state in ["NotStarted", "InProgress", "InProgress"] {
        let poll = client.follow(&location).await;
        assert_eq!((poll.status, &poll.body), (202, &json!({ "status": state })));
        assert_eq!(poll.header("retry-after"), "7");
    }
    for _ in 0..2 {
        let poll = client.follow(&location).await;
        assert_eq!((poll.status, &poll.body), (200, &json!({ "status": "Succeeded" })));
    }
    let model = client.get(VERSION).await.body;
    assert_eq!(model["tags"], json!({ "a": "1" }));
    assert_eq!(model["weightType"], "FullWeight");
    assert_eq!(model["provisioningState"], "Succeeded");
    client.get(&format!("{VERSION}/createAsync/operations/none")).await.assert_refused(404, "OperationNotFound");
}

#[tokio::test]
async fn each_dialect_has_its_own_base_model_field() {
    let client = Client::new(Config { polls_until_done: 0, ..Config::default() });
    let uri = client.blob_uri().await;
    let base = "azureml://registries/r/models/x/versions/1";
    let body = json!({ "blobUri": uri, "weightType": "LORA", "derivedModelInformation": { "baseModel": base },
                       "loraConfig": { "rank": 8, "dropout": 0.5 }, "catalogInfo": { "publisherId": "me" } });
    assert_eq!(client.create_async(&body).await.status, 202);
    let model = client.get(VERSION).await.body;
    assert_eq!(model["derivedModelInformation"]["baseModel"], base);
    assert_eq!(model["weightType"], "LoRA");
    assert_eq!(model["loraConfig"], json!({ "rank": 8, "dropout": 0.5 }));
}

#[tokio::test]
async fn a_version_is_registered_once() {
    let client = Client::new(Config::default());
    let uri = client.blob_uri().await;
    let body = json!({ "blobUri": uri });
    assert_eq!(client.create_async(&body).await.status, 202);
    client.create_async(&body).await.assert_refused(409, "ModelVersionConflict");
    client.emulator.configure(|config| config.polls_until_done = 0);
    assert_eq!(client.get(VERSION).await.status, 200);
    client.create_async(&body).await.assert_refused(409, "ModelVersionConflict");
}

#[tokio::test]
async fn a_deletion_cancels_the_running_registration() {
    let client = Client::new(Config { polls_until_done: 0, ..Config::default() });
    let first = create(&client).await.header("location").to_owned();
    assert_eq!(client.delete(VERSION).await.status, 200);
    assert_eq!(client.follow(&first).await.body["status"], "Canceled");
    let second = create(&client).await;
    assert_eq!(second.status, 202);
    assert_eq!(client.follow(second.header("location")).await.body["status"], "Succeeded");
}

#[tokio::test]
async fn the_location_has_each_configured_form() {
    let foreign = LocationForm::Foreign("https://api.azureml.example".parse().unwrap());
    let path = "/api/projects/demo/models/tiny/versions/1/createAsync/operations/operation-1?api-version=";
    for (form, start) in [(LocationForm::Relative, ""), (foreign, "https://api.azureml.example")] {
        let client = Client::new(Config { location: form, ..Config::default() });
        let answer = create(&client).await;
        assert!(answer.header("location").starts_with(&format!("{start}{path}")));
    }
    for (form, in_body) in [(LocationForm::BodyOnly, true), (LocationForm::None, false)] {
        let client = Client::new(Config { location: form, ..Config::default() });
        let answer = create(&client).await;
        assert!(!answer.headers.contains_key("location"));
        assert_eq!(answer.body["location"].is_string(), in_body);
    }
}

#[tokio::test]
async fn an_operation_can_fail_or_return_the_model() {
    let failure = OperationEnd::Failed { status: "Canceled".into(), code: "Stopped".into(), message: "By you.".into() };
    let client = Client::new(Config { polls_until_done: 0, operation_end: failure, ..Config::default() });
    let location = create(&client).await.header("location").to_owned();
    let poll = client.follow(&location).await;
    let expected = json!({ "status": "Canceled", "error": { "code": "Stopped", "message": "By you." } });
    assert_eq!((poll.status, poll.body), (200, expected));
    client.get(VERSION).await.assert_refused(404, "ModelNotFound");

    client.emulator.configure(|config| config.operation_end = OperationEnd::Model);
    let location = create(&client).await.header("location").to_owned();
    assert_eq!(client.follow(&location).await.body["name"], "tiny");
}

#[tokio::test]
async fn gets_of_the_version_advance_the_operation() {
    let client = Client::new(Config { polls_until_done: 1, hidden_gets: 1, ..Config::default() });
    create(&client).await;
    for _ in 0..2 {
        assert_eq!(client.get(VERSION).await.status, 404);
    }
    assert_eq!(client.get(VERSION).await.status, 200);

    let client = Client::new(Config { polls_until_done: 1, visible_while_creating: true, ..Config::default() });
    create(&client).await;
    assert_eq!(client.get(VERSION).await.body["provisioningState"], "Creating");
    assert_eq!(client.get(VERSION).await.body["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn a_service_without_create_async_accepts_put() {
    let client = Client::new(Config { has_create_async: false, ..Config::default() });
    create(&client).await.assert_refused(404, "RouteNotFound");
    client.emulator.configure(|config| config.missing_route = MissingRoute::MethodNotAllowed);
    let uri = client.blob_uri().await;
    let body = json!({ "blobUri": uri });
    client.create_async(&body).await.assert_refused(405, "MethodNotAllowed");
    let answer = put(&client, &body).await;
    assert_eq!((answer.status, &answer.body["name"]), (201, &json!("tiny")));
}

#[tokio::test]
async fn put_can_be_asynchronous_or_missing() {
    let client = Client::new(Config { put_status: Some(202), polls_until_done: 0, ..Config::default() });
    let body = json!({ "blobUri": client.blob_uri().await });
    let answer = put(&client, &body).await;
    assert_eq!(answer.status, 202);
    assert_eq!(client.follow(answer.header("location")).await.body["status"], "Succeeded");
    assert_eq!(client.get(VERSION).await.status, 200);
    client.emulator.configure(|config| config.put_status = None);
    put(&client, &body).await.assert_refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn put_can_be_repeated() {
    let client =
        Client::new(Config { faults: vec!["put:reset,processed,count=1".parse().unwrap()], ..Config::default() });
    let body = json!({ "blobUri": client.blob_uri().await });
    assert!(client.request(Method::PUT, VERSION).json(&body).send().await.is_err());
    assert_eq!(put(&client, &body).await.status, 200);
}
