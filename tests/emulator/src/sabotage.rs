//! Injection of a fault into one request.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::connection::Connection;
use crate::fault::{Fault, FaultKind, RetryAfter};
use crate::refusal::{self, Refusal};

/// Responds to a request that a fault affects. `execute` is its normal execution.
pub(crate) async fn inject(fault: Fault, connection: &Connection, execute: impl Future<Output = Response>) -> Response {
    match fault.kind {
        FaultKind::Delay { milliseconds } => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            execute.await
        }
        FaultKind::Truncated => {
            let response = execute.await;
            connection.cut_response();
            response
        }
        kind => {
            if fault.processed {
                drop(execute.await);
            }
            faulty_response(kind, connection).await
        }
    }
}

async fn faulty_response(kind: FaultKind, connection: &Connection) -> Response {
    match kind {
        FaultKind::Status { status, code, message, retry_after } => refuse(status, code, message, retry_after),
        FaultKind::Stall => std::future::pending().await,
        FaultKind::Reset => {
            connection.reset_on_response();
            StatusCode::OK.into_response()
        }
        FaultKind::Html { status } => {
            let page = "<html><head><title>Bad Gateway</title></head><body><h1>Gateway</h1></body></html>";
            (status_code(status), [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        FaultKind::JunkJson => json(r#"{"value": [{"name": "half a mod"#.to_owned()),
        FaultKind::HugeBody { bytes } => json(format!(r#"{{"value": [], "padding": "{}"}}"#, "x".repeat(bytes))),
        FaultKind::Redirect { to } => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        FaultKind::EmptyBody | FaultKind::Delay { .. } | FaultKind::Truncated => StatusCode::OK.into_response(),
    }
}

fn refuse(status: u16, code: Option<String>, message: Option<String>, retry_after: Option<RetryAfter>) -> Response {
    let code = code.unwrap_or_else(|| "InjectedFault".to_owned());
    let message = message.unwrap_or_else(|| refusal::recorded(&code).to_owned());
    let mut response = Refusal { status: status_code(status), code, message }.into_response();
    let value = match retry_after {
        Some(RetryAfter::Seconds(seconds)) => Some(seconds.to_string()),
        Some(RetryAfter::DateInSeconds(seconds)) => {
            Some(http_date(OffsetDateTime::now_utc() + time::Duration::seconds(seconds)))
        }
        None => None,
    };
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn http_date(at: OffsetDateTime) -> String {
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    at.format(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_have_the_form_of_http() {
        assert_eq!(http_date(datetime!(1994-11-06 08:49:37 UTC)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
