//! Requests to a deployment: one chat completion.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::credential::TokenSource;
use crate::http::{HttpClient, HttpError, Method, Request, ResponseFlaw, Retry};
use crate::redact;

/// Answer of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatAnswer {
    /// Text; empty if the model answered with something else.
    pub text: String,
    /// Token usage, as sent by the service.
    pub usage: Option<Value>,
    /// Time from the request to the end of the answer.
    pub latency: Duration,
}

/// Inference API of an account or a project.
#[derive(Clone, Debug)]
pub struct InferenceClient {
    http: Arc<HttpClient>,
    tokens: Arc<TokenSource>,
    base: Url,
}

impl InferenceClient {
    /// Client of the API at this base address, which ends with a slash. The caller is responsible for the host, which
    /// receives the tokens.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, tokens: Arc<TokenSource>, base: Url) -> Self {
        Self { http, tokens, base }
    }

    /// Sends one chat completion, once: a repeated one could be billed twice.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn chat(&self, question: &Value) -> Result<ChatAnswer, HttpError> {
        let mut url = self.base.clone();
        // Fails only for URLs without a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["chat", "completions"]);
        }
        let request = Request::new(Method::POST, url, Retry::None).tokens(&self.tokens).service("The deployment");
        let begun = Instant::now();
        let response = self.http.send(&request.json(question)).await?;
        let latency = begun.elapsed();
        let mut body: Value = response.json()?;
        redact::clean_json(&mut body);
        let message = &body["choices"][0]["message"];
        if !message.is_object() {
            return Err(response.bad(ResponseFlaw::Shape("no choices[0].message in it".into())));
        }
        let text = ["content", "refusal"].into_iter().find_map(|key| message[key].as_str());
        let usage = Some(body["usage"].clone()).filter(|usage| !usage.is_null());
        Ok(ChatAnswer { text: text.unwrap_or_default().to_owned(), usage, latency })
    }
}
