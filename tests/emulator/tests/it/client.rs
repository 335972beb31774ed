//! Test client: an emulator, and requests to it that are valid by default.

use foundry_emulator::{Config, Emulator};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub(crate) const PREVIEW: &str = "2025-11-15-preview";
pub(crate) const VERSION: &str = "/models/tiny/versions/1";

pub(crate) struct Client {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(text.into()) }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["error"]["code"].as_str()), (status, Some(code)), "{:?}", self.body);
        assert_eq!(self.header("x-ms-error-code"), code);
        assert!(self.body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

impl Client {
    pub(crate) fn new(config: Config) -> Self {
        let emulator = Emulator::start(config).unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { emulator, http }
    }

    /// Request to a path of the project, without the required headers.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.emulator.endpoint()))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth("secret").query(&[("api-version", PREVIEW)])
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::PATCH, path).body(body.to_string());
        Answer::of(request.header("content-type", "application/merge-patch+json")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Requests a URL that the service returned.
    pub(crate) async fn follow(&self, url: &str) -> Answer {
        Answer::of(self.http.get(url).bearer_auth("secret")).await
    }

    pub(crate) async fn start_upload(&self) -> Answer {
        self.post(&format!("{VERSION}/startPendingUpload"), &json!({ "pendingUploadType": "TemporaryBlobReference" }))
            .await
    }

    /// Starts an upload and returns the blob URI to register.
    pub(crate) async fn blob_uri(&self) -> String {
        let answer = self.start_upload().await;
        answer.body["blobReferenceForConsumption"]["blobUri"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn create_async(&self, body: &Value) -> Answer {
        self.post(&format!("{VERSION}/createAsync"), body).await
    }

    pub(crate) fn seed(&self, name: &str, version: &str) {
        self.emulator.seed(&json!({ "name": name, "version": version })).unwrap();
    }
}
