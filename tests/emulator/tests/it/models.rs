//! Lists and their pages, reading, changing, deleting.

use std::time::{Duration, Instant};

use foundry_emulator::{Config, NextLinkForm};
use serde_json::json;
use time::macros::datetime;

use crate::client::{Client, VERSION};

#[tokio::test]
async fn a_list_has_pages_of_fifty_models_that_keep_the_query() {
    let client = Client::new(Config { filters_by_job: false, ..Config::default() });
    for number in 0..150 {
        client.seed(&format!("m{number:03}"), "1");
    }
    let mut names = Vec::new();
    let mut page = client.get("/models?source.jobId=j1").await;
    let mut pages = 1;
    loop {
        let models = page.body["value"].as_array().unwrap();
        assert_eq!(models.len(), 50);
        names.extend(models.iter().map(|model| model["name"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["nextLink"].as_str() else { break };
        assert!(next.starts_with(&client.emulator.origin()), "{next}");
        assert!(next.contains("source.jobId=j1"), "{next}");
        page = client.follow(next).await;
        pages += 1;
    }
    names.dedup();
    assert_eq!((pages, names.len()), (3, 150));
}

#[tokio::test]
async fn the_list_supports_one_filter_and_rejects_other_parameters() {
    let client = Client::new(Config::default());
    client.seed("plain", "1");
    client.emulator.seed(&json!({"name": "tuned", "version": "1", "source": {"jobId": "j1"}})).unwrap();
    let list = client.get("/models?source.jobId=j1").await.body;
    assert_eq!((list["value"].as_array().unwrap().len(), &list["value"][0]["name"]), (1, &json!("tuned")));
    client.get("/models?top=1").await.assert_refused(400, "UnsupportedQueryParameter");
    client.get("/models/plain/versions?source.jobId=j1").await.assert_refused(400, "UnsupportedQueryParameter");
}

#[tokio::test]
async fn the_list_returns_latest_versions_and_versions_returns_all() {
    let client = Client::new(Config { page_size: 2, ..Config::default() });
    for version in ["1", "10", "9"] {
        client.seed("tiny", version);
    }
    let list = client.get("/models").await.body;
    assert_eq!(list["value"].as_array().unwrap().len(), 1);
    assert_eq!(list["value"][0]["version"], "10");
    let versions = client.get("/models/tiny/versions").await.body;
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
    let rest = client.follow(versions["nextLink"].as_str().unwrap()).await.body;
    assert_eq!(rest["value"][0]["version"], "9");
    client.get("/models/none/versions").await.assert_refused(404, "ModelNotFound");
    client.get("/models/none/versions/1").await.assert_refused(404, "ModelNotFound");
    client.get("/models/tiny/versions/7").await.assert_refused(404, "ModelVersionNotFound");
}

#[tokio::test]
async fn next_links_can_loop_or_lead_to_another_host() {
    let client = Client::new(Config { page_size: 1, next_link: NextLinkForm::Loop, ..Config::default() });
    client.seed("a", "1");
    client.seed("b", "1");
    let first = client.get("/models").await.body["nextLink"].as_str().unwrap().to_owned();
    let again = client.follow(&first).await.body;
    assert_eq!(again["nextLink"], first);
    let away = NextLinkForm::Foreign("https://evil.example".parse().unwrap());
    client.emulator.configure(|config| config.next_link = away);
    let link = client.get("/models").await.body["nextLink"].as_str().unwrap().to_owned();
    assert!(link.starts_with("https://evil.example/api/projects/demo/models?"), "{link}");
}

#[tokio::test]
async fn a_fixed_clock_makes_models_reproducible() {
    let client = Client::new(Config { clock: Some(datetime!(2026-01-02 03:04:05 UTC)), ..Config::default() });
    client.seed("tiny", "1");
    let model = client.get(VERSION).await.body;
    assert_eq!(
        model,
        json!({
            "id": "azureai://accounts/emulator/projects/demo/models/tiny/versions/1",
            "name": "tiny",
            "version": "1",
            "blobUri": "https://emulator.blob.core.windows.net/seeded",
            "weightType": "FullWeight",
            "source": { "sourceType": "LocalUpload" },
            "artifactProfile": { "category": "DataOnly", "signals": [] },
            "provisioningState": "Succeeded",
            "systemData": {
                "createdAt": "2026-01-02T03:04:05Z",
                "createdBy": "emulator",
                "createdByType": "User",
                "lastModifiedAt": "2026-01-02T03:04:05Z",
            },
            "xEmulator": { "note": "a field that no client knows" },
        })
    );
}

#[tokio::test]
async fn a_merge_patch_sets_values_and_null_removes_them() {
    let client = Client::new(Config::default());
    client.emulator.seed(&json!({ "name": "tiny", "version": "1", "tags": { "a": "1", "b": "2" } })).unwrap();
    let body = json!({ "description": "new", "tags": { "a": null, "c": "3" } });
    let answer = client.patch(VERSION, &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["tags"], json!({ "b": "2", "c": "3" }));
    let model = client.get(VERSION).await.body;
    assert_eq!(model["description"], "new");
    assert_eq!(model["tags"], json!({ "b": "2", "c": "3" }));
    assert!(model["xEmulator"].is_object());
    client.patch("/models/tiny/versions/2", &body).await.assert_refused(404, "ModelVersionNotFound");
}

#[tokio::test]
async fn delete_is_idempotent_unless_the_model_is_in_use() {
    let client = Client::new(Config { models_in_use: vec!["busy".to_owned()], ..Config::default() });
    client.seed("tiny", "1");
    client.seed("busy", "1");
    assert_eq!(client.delete(VERSION).await.status, 200);
    assert_eq!(client.delete(VERSION).await.status, 200);
    client.delete("/models/busy/versions/1").await.assert_refused(409, "ModelInUse");
    client.emulator.configure(|config| config.delete_status = 204);
    assert_eq!(client.delete(VERSION).await.status, 204);
}

#[tokio::test]
async fn a_deletion_can_be_asynchronous() {
    let client = Client::new(Config { delete_status: 202, polls_until_done: 1, ..Config::default() });
    client.seed("tiny", "1");
    let answer = client.delete(VERSION).await;
    assert_eq!(answer.status, 202);
    assert_eq!(client.delete(VERSION).await.header("location"), answer.header("location"));
    assert_eq!(client.get(VERSION).await.status, 200);
    let poll = client.follow(answer.header("location")).await;
    assert_eq!((poll.status, &poll.body), (200, &json!({ "status": "Succeeded" })));
    client.get(VERSION).await.assert_refused(404, "ModelNotFound");
    assert_eq!(client.delete(VERSION).await.status, 200);
}

#[tokio::test]
async fn dropping_the_emulator_stops_it_despite_a_waiting_client() {
    let client = Client::new(Config { faults: vec!["any:stall".parse().unwrap()], ..Config::default() });
    let request = client.request(reqwest::Method::GET, "/models");
    let waiting = tokio::spawn(request.send());
    let begun = Instant::now();
    while client.emulator.requests().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "no request was received");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = Instant::now();
    drop(client.emulator);
    assert!(before.elapsed() < Duration::from_secs(30));
    assert!(waiting.await.unwrap().is_err());
}
