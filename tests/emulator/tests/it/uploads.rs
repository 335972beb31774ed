//! Upload locations: the shapes of the response, and the container.

use foundry_emulator::{BlobStore, Config, PendingUploadShape};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::client::{Client, VERSION};

const STORE: &str = "http://127.0.0.1:9/devstoreaccount1";

fn with_shape(shape: PendingUploadShape) -> Client {
    Client::new(Config { pending_upload_shape: shape, ..Config::default() })
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn the_datastore_shape_is_returned() {
    let body = with_shape(PendingUploadShape::Datastore).start_upload().await.body;
    let reference = &body["blobReferenceForConsumption"];
    assert_eq!(reference["blobUri"], format!("{STORE}/upload-1"));
    assert_eq!(reference["credential"]["credentialType"], "SAS");
    let sas = reference["credential"]["sasUri"].as_str().unwrap();
    assert!(sas.starts_with(&format!("{STORE}/upload-1?sv=2020-10-02&se=")), "{sas}");
    assert_eq!(parameter(sas, "sp").as_deref(), Some("rcwl"));
    assert_eq!(parameter(sas, "sr").as_deref(), Some("c"));
    assert_eq!(body["temporaryDataReferenceId"], "pending-1");
}

#[tokio::test]
async fn the_specified_shape_and_the_draft_shape_are_returned() {
    let body = with_shape(PendingUploadShape::Sdk).start_upload().await.body;
    assert_eq!(body["blobReference"]["blobUri"], format!("{STORE}/upload-1"));
    assert_eq!(body["blobReference"]["credential"]["type"], "SAS");
    assert!(body["blobReference"]["credential"]["sasUri"].is_string());
    assert_eq!(body["pendingUploadType"], "TemporaryBlobReference");
    let body = with_shape(PendingUploadShape::Flat).start_upload().await.body;
    assert!(body["blobReference"]["sasUri"].as_str().unwrap().contains("sig="));
}

#[tokio::test]
async fn a_second_start_returns_the_same_container_until_the_version_is_deleted() {
    let client = Client::new(Config::default());
    let first = client.blob_uri().await;
    assert_eq!(client.blob_uri().await, first);
    assert_eq!(client.delete(VERSION).await.status, 200);
    let fresh = client.blob_uri().await;
    assert_ne!(fresh, first);
    client.emulator.configure(|config| config.new_container_each_time = true);
    let other = client.blob_uri().await;
    assert_ne!(other, fresh);

    client.emulator.configure(|config| config.refuses_older_containers = true);
    client.create_async(&json!({ "blobUri": fresh })).await.assert_refused(400, "InvalidBlobUri");
    client.emulator.configure(|config| config.refuses_older_containers = false);
    assert_eq!(client.create_async(&json!({ "blobUri": fresh })).await.status, 202);
}

#[tokio::test]
async fn a_registered_version_accepts_no_upload() {
    let client = Client::new(Config::default());
    client.seed("tiny", "1");
    client.start_upload().await.assert_refused(409, "ModelVersionConflict");
}

#[tokio::test]
async fn the_sas_can_be_expired_restricted_and_contain_a_canary() {
    let client = Client::new(Config {
        blobs: BlobStore::None {
            base: "http://127.0.0.1:1234/account".parse().unwrap(),
            extra_sas_query: Some("canary=hush".to_owned()),
        },
        sas_seconds: -60,
        sas_permissions: "rcw".to_owned(),
        ..Config::default()
    });
    let body = client.start_upload().await.body;
    let sas = body["blobReferenceForConsumption"]["credential"]["sasUri"].as_str().unwrap();
    assert!(sas.starts_with("http://127.0.0.1:1234/account/upload-1?") && sas.ends_with("&canary=hush"), "{sas}");
    assert_eq!(parameter(sas, "sp").as_deref(), Some("rcw"));
    let expiry = OffsetDateTime::parse(&parameter(sas, "se").unwrap(), &Rfc3339).unwrap();
    assert!(expiry < OffsetDateTime::now_utc());
}

#[tokio::test]
async fn the_first_sas_can_be_expired_and_the_second_valid() {
    let client = Client::new(Config { first_sas_seconds: vec![-60], ..Config::default() });
    let mut is_valid = Vec::new();
    for _ in 0..2 {
        let body = client.start_upload().await.body;
        let sas = body["blobReferenceForConsumption"]["credential"]["sasUri"].as_str().unwrap();
        is_valid
            .push(OffsetDateTime::parse(&parameter(sas, "se").unwrap(), &Rfc3339).unwrap() > OffsetDateTime::now_utc());
    }
    assert_eq!(is_valid, [false, true]);
}

#[tokio::test]
async fn credentials_grant_read_access_to_registered_files() {
    let client = Client::new(Config::default());
    let path = format!("{VERSION}/credentials");
    let uri = format!("{STORE}/weights");
    client.post(&path, &json!({ "blobUri": uri })).await.assert_refused(404, "ModelNotFound");
    client.emulator.seed(&json!({ "name": "tiny", "version": "1", "blobUri": uri })).unwrap();
    client.post(&path, &json!({ "blobUri": STORE })).await.assert_refused(400, "InvalidBlobUri");
    let body = client.post(&path, &json!({ "blobUri": uri })).await.body;
    let sas = body["blobReference"]["credential"]["sasUri"].as_str().unwrap();
    assert_eq!(parameter(sas, "sp").as_deref(), Some("rl"));
    assert!(sas.starts_with(&uri));
}

#[tokio::test]
async fn an_unavailable_store_is_an_error_of_the_service() {
    let endpoint = "http://127.0.0.1:9".parse().unwrap();
    let client = Client::new(Config { blobs: BlobStore::Azurite { endpoint }, ..Config::default() });
    let answer = client.start_upload().await;
    answer.assert_refused(500, "BlobStoreUnavailable");
    assert!(!answer.body.to_string().contains("sig="));
}
