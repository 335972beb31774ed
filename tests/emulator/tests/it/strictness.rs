//! Rejections by the service, reproduced.

use foundry_emulator::{Auth, Config};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client, PREVIEW, VERSION};

#[tokio::test]
async fn a_token_is_required() {
    let client = Client::new(Config::default());
    let get = || client.bare(Method::GET, "/models").query(&[("api-version", PREVIEW)]);
    for request in [get(), get().bearer_auth(" "), get().header("authorization", "Basic eDp5")] {
        let answer = Answer::of(request).await;
        answer.assert_refused(401, "Unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(Answer::of(get().bearer_auth("anything")).await.status, 200);

    client.emulator.configure(|config| config.auth = Auth::Token("this".to_owned()));
    assert_eq!(Answer::of(get().bearer_auth("this")).await.status, 200);
    Answer::of(get().bearer_auth("that")).await.assert_refused(401, "Unauthorized");

    client.emulator.configure(|config| config.auth = Auth::RejectAll);
    Answer::of(get().bearer_auth("this")).await.assert_refused(401, "Unauthorized");
}

#[tokio::test]
async fn an_api_version_is_required_and_v1_requires_the_preview_header() {
    let client = Client::new(Config::default());
    let get = || client.bare(Method::GET, "/models").bearer_auth("secret");
    let with = |version: &str| get().query(&[("api-version", version)]);
    Answer::of(get()).await.assert_refused(400, "MissingApiVersionParameter");
    Answer::of(with("2020-01-01")).await.assert_refused(400, "UnsupportedApiVersionValue");
    Answer::of(with("v1")).await.assert_refused(400, "PreviewFeatureRequired");
    assert_eq!(Answer::of(with("v1").header("Foundry-Features", "Models=V1Preview")).await.status, 200);
    assert_eq!(Answer::of(with(PREVIEW)).await.status, 200);
}

#[tokio::test]
async fn routes_projects_methods_and_content_types_are_distinguished() {
    let client = Client::new(Config::default());
    client.get("/datasets").await.assert_refused(404, "RouteNotFound");
    client.get("/models/tiny/versions/1/operations/1").await.assert_refused(404, "RouteNotFound");
    client.post("/models", &json!({})).await.assert_refused(405, "MethodNotAllowed");
    client.get("/models/%ff/versions").await.assert_refused(400, "InvalidUri");
    let other = client.emulator.endpoint().replace("/demo", "/other") + "/models?api-version=" + PREVIEW;
    client.follow(&other).await.assert_refused(404, "ProjectNotFound");

    let form = |method, path: &str| client.request(method, path).body("{}").header("content-type", "text/plain");
    for (method, action) in [
        (Method::POST, "/startPendingUpload"),
        (Method::POST, "/createAsync"),
        (Method::POST, "/credentials"),
        (Method::PUT, ""),
        (Method::PATCH, ""),
    ] {
        let answer = Answer::of(form(method, &format!("{VERSION}{action}"))).await;
        answer.assert_refused(415, "UnsupportedMediaType");
    }
    let patch = client.request(Method::PATCH, VERSION).json(&json!({}));
    Answer::of(patch).await.assert_refused(415, "UnsupportedMediaType");
}

#[tokio::test]
async fn unknown_fields_and_the_other_dialect_are_rejected() {
    let client = Client::new(Config::default());
    let uri = client.blob_uri().await;
    let v1 = |body: Value| {
        let request = client.bare(Method::POST, &format!("{VERSION}/createAsync")).query(&[("api-version", "v1")]);
        Answer::of(request.bearer_auth("secret").header("Foundry-Features", "Models=V1Preview").json(&body))
    };
    let base = "azureml://registries/azureml-fireworks/models/x/versions/1";
    let flat = json!({ "blobUri": uri, "weightType": "lora", "baseModel": base });
    let derived = json!({ "blobUri": uri, "weightType": "lora", "derivedModelInformation": { "baseModel": base } });
    client.create_async(&flat).await.assert_refused(400, "InvalidRequestBody");
    v1(derived).await.assert_refused(400, "InvalidRequestBody");
    let named = json!({ "blobUri": uri, "name": "other" });
    v1(named).await.assert_refused(400, "ValidationError");

    let start = format!("{VERSION}/startPendingUpload");
    client.post(&start, &json!({})).await.assert_refused(400, "InvalidRequestBody");
    let deprecated = json!({ "pendingUploadType": "BlobReference" });
    client.post(&start, &deprecated).await.assert_refused(400, "ValidationError");
    let unknown = json!({ "pendingUploadType": "TemporaryBlobReference", "expiresIn": 5 });
    client.post(&start, &unknown).await.assert_refused(400, "InvalidRequestBody");

    client.seed("tiny", "2");
    let second = "/models/tiny/versions/2";
    client.patch(second, &json!({ "weightType": "LoRA" })).await.assert_refused(400, "InvalidRequestBody");
    client.patch(second, &json!({ "tags": { "a": 1 } })).await.assert_refused(400, "InvalidRequestBody");

    assert_eq!(v1(flat).await.status, 202);
}

#[tokio::test]
async fn invalid_registrations_are_rejected() {
    let client = Client::new(Config { requires_base_model: true, ..Config::default() });
    let uri = client.blob_uri().await;
    let table = [
        (json!({ "blobUri": uri }), "BaseModelRequired"),
        (json!({ "blobUri": uri, "derivedModelInformation": { "baseModel": "qwen" } }), "BaseModelNotFound"),
        (json!({ "blobUri": uri, "weightType": "Pickle" }), "ValidationError"),
        (json!({ "blobUri": uri, "weightType": "DraftModel", "loraConfig": { "rank": 8 } }), "InvalidLoraConfig"),
        (json!({ "blobUri": format!("{uri}?sig=secret"), "weightType": "DraftModel" }), "InvalidBlobUri"),
        (json!({ "blobUri": "https://elsewhere.example/c", "weightType": "DraftModel" }), "InvalidBlobUri"),
        (json!({ "blobUri": format!("{uri}0"), "weightType": "DraftModel" }), "InvalidBlobUri"),
        (json!({ "blobUri": "not a url" }), "InvalidRequestBody"),
        (json!({ "blobUri": uri, "tags": { "a": null } }), "InvalidRequestBody"),
    ];
    for (body, code) in table {
        client.create_async(&body).await.assert_refused(400, code);
    }
    assert_eq!(client.create_async(&json!({ "blobUri": uri, "weightType": "draftmodel" })).await.status, 202);
}

#[tokio::test]
async fn new_models_require_valid_names_and_existing_ones_are_found_by_any_name() {
    let client = Client::new(Config::default());
    let body = json!({ "pendingUploadType": "TemporaryBlobReference" });
    for (path, code) in [
        ("/models/a%20b/versions/1/startPendingUpload", "InvalidModelName"),
        ("/models/-a/versions/1/startPendingUpload", "InvalidModelName"),
        ("/models/a/versions/1%2F2/startPendingUpload", "InvalidModelVersion"),
    ] {
        client.post(path, &body).await.assert_refused(400, code);
    }
    client.seed("a/b é+%", "1.0 rc");
    let odd = "/models/a%2Fb%20%C3%A9+%25/versions/1.0%20rc";
    assert_eq!(client.get(odd).await.body["name"], "a/b é+%");
    assert_eq!(client.get("/models/a%2Fb%20%C3%A9+%25/versions").await.body["value"][0]["version"], "1.0 rc");
    assert_eq!(client.delete(odd).await.status, 200);
    client.get(odd).await.assert_refused(404, "ModelNotFound");
}

#[tokio::test]
async fn responses_contain_request_ids() {
    let client = Client::new(Config::default());
    for path in ["/models", "/nothing"] {
        let answer = Answer::of(client.request(Method::GET, path).header("x-ms-client-request-id", "mine")).await;
        assert_eq!(answer.header("x-ms-client-request-id"), "mine");
        assert_eq!(answer.header("x-ms-request-id").len(), 36);
        assert!(answer.header("date").ends_with("GMT"));
    }
}
