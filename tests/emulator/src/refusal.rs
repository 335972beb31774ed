//! Error responses in the wording of the service, and the headers of its responses.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::call::{NoCall, Target};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");

/// Response with an error body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Response of an operation.
pub(crate) type Answer = Result<Response, Refusal>;

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn conflict(target: &Target) -> Self {
        let Target { name, version } = target;
        Self::new(
            StatusCode::CONFLICT,
            "ModelVersionConflict",
            format!("Version '{version}' of model '{name}' already exists."),
        )
    }

    pub(crate) fn no_model(name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ModelNotFound", format!("Model '{name}' was not found."))
    }

    pub(crate) fn no_version(target: &Target) -> Self {
        let Target { name, version } = target;
        Self::new(
            StatusCode::NOT_FOUND,
            "ModelVersionNotFound",
            format!("Version '{version}' of model '{name}' was not found."),
        )
    }

    /// Missing role, in the wording of ARM.
    pub(crate) fn unauthorized_action(action: &str, scope: &str) -> Self {
        let message = format!(
            "The client 'user@example.com' with object id '00000000-0000-0000-0000-0000000000bb' does not have \
             authorization to perform action 'Microsoft.CognitiveServices/{action}' over scope '{scope}' or the scope is \
             invalid. If access was recently granted, please refresh your credentials."
        );
        Self::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message)
    }

    /// Another write is running.
    pub(crate) fn request_conflict(account: &str) -> Self {
        let message =
            format!("Another operation is being performed on the parent resource '{account}'. Please try again later.");
        Self::new(StatusCode::CONFLICT, "RequestConflict", message)
    }

    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "RouteNotFound", "The requested route does not exist.")
    }

    pub(crate) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "The method is not allowed for the requested route.",
        )
    }
}

impl From<NoCall> for Refusal {
    fn from(reason: NoCall) -> Self {
        match reason {
            NoCall::UnknownRoute => Self::no_route(),
            NoCall::UnknownProject(project) => {
                Self::new(StatusCode::NOT_FOUND, "ProjectNotFound", format!("Project '{project}' was not found."))
            }
            NoCall::WrongMethod => Self::wrong_method(),
            NoCall::BadEncoding => {
                Self::bad_request("InvalidUri", "The request path is not valid percent-encoded UTF-8.")
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message, "details": [] } });
        let mut response = (self.status, Json(body)).into_response();
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            response.headers_mut().insert(ERROR_CODE, code);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Recorded message of the service for a code, for faults without a message.
pub(crate) fn recorded(code: &str) -> &'static str {
    match code {
        "RequestConflict" => {
            "Another operation is being performed on the parent resource 'the account'. Please try again later."
        }
        "InsufficientQuota" => {
            "This operation require 60 new capacity in quota Tokens Per Minute (thousands) - gpt4.1, which is bigger than \
             the current available capacity 50. The current quota usage is 150 and the quota limit is 200 for quota Tokens \
             Per Minute (thousands) - gpt4.1."
        }
        "AuthorizationFailed" => {
            "The client 'user@example.com' with object id '00000000-0000-0000-0000-0000000000bb' does not have \
             authorization to perform action 'Microsoft.CognitiveServices/accounts/deployments/write' over scope \
             '/subscriptions/s/resourceGroups/g' or the scope is invalid. If access was recently granted, please refresh \
             your credentials."
        }
        _ => "The emulator was told to fail.",
    }
}

/// Adds the tenant whose tokens are accepted to the challenge of a 401.
pub(crate) fn challenge(mut response: Response, tenant: Option<&str>) -> Response {
    let challenge = tenant.filter(|_| response.status() == StatusCode::UNAUTHORIZED).and_then(|tenant| {
        let text = format!(r#"Bearer authorization_uri="https://login.microsoftonline.com/{tenant}""#);
        HeaderValue::from_str(&text).ok()
    });
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Adds the request IDs that support needs: the service's own, and the client's if it sent one.
pub(crate) fn stamp(mut response: Response, request: &HeaderMap) -> Response {
    let id = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()).expect("a UUID is ASCII");
    response.headers_mut().insert(REQUEST_ID, id);
    if let Some(id) = request.get(&CLIENT_REQUEST_ID) {
        response.headers_mut().insert(CLIENT_REQUEST_ID, id.clone());
    }
    response
}
