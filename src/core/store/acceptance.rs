//! Recognition of a blob store's response: an intermediary that answers 2xx has stored nothing. Pure.

use crate::http::{Method, Request, Response};

/// Restricts a request to responses of a blob store; `crc64` is the checksum of the sent content.
pub(super) fn of_store<'a>(request: Request<'a>, crc64: Option<&'a str>) -> Request<'a> {
    request.blob_store().accept(move |method, response| is_of_store(method, response, crc64))
}

/// True for a success reported by the store itself: the status fits the operation, and the store's own headers are
/// present. If content was sent with a checksum, a checksum in the response must match; not every version of the store
/// returns one.
fn is_of_store(method: &Method, response: &Response, crc64: Option<&str>) -> bool {
    let status = match *method {
        Method::PUT => 201,
        Method::DELETE => 202,
        _ => 200,
    };
    let is_same = |sent: &str| response.crc64.as_deref().is_none_or(|echoed| echoed == sent);
    response.status == status && response.has_request_id && crc64.is_none_or(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, has_request_id: bool, crc64: Option<&str>) -> Response {
        Response { status, has_request_id, crc64: crc64.map(str::to_owned), ..Response::default() }
    }

    #[test]
    fn only_a_success_of_the_store_itself_is_accepted() {
        for (method, response, sent, is_accepted) in [
            (Method::PUT, answer(201, true, None), None, true),
            (Method::PUT, answer(201, true, None), Some("sum"), true),
            (Method::PUT, answer(201, true, Some("sum")), Some("sum"), true),
            (Method::PUT, answer(201, true, Some("sum")), None, true),
            (Method::PUT, answer(201, true, Some("other")), Some("sum"), false),
            (Method::PUT, answer(201, false, None), None, false),
            (Method::PUT, answer(200, true, None), None, false),
            (Method::GET, answer(200, true, None), None, true),
            (Method::GET, answer(200, false, None), None, false),
            (Method::GET, answer(206, true, None), None, false),
            (Method::DELETE, answer(202, true, None), None, true),
            (Method::DELETE, answer(200, true, None), None, false),
        ] {
            assert_eq!(is_of_store(&method, &response, sent), is_accepted, "{method} {response:?} {sent:?}");
        }
    }
}
