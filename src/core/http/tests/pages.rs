//! Lists over all their pages.

use super::server::{Server, answer, client};
use crate::http::{HttpError, Method, PageError, Request, ResponseFlaw, Retry};

async fn list(server: &Server) -> Result<Vec<u32>, PageError> {
    let (client, _) = client(&[]);
    let first = server.url.join("/list?a=1").expect("url");
    client.list(Request::new(Method::GET, first, Retry::Idempotent).header("x-of", "the list")).await
}

async fn pages(bodies: &[&str]) -> Server {
    Server::play(bodies.iter().map(|body| answer("200 OK", &[], body)).collect()).await
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_has_the_items_of_all_pages_in_their_order() {
    let bodies = [r#"{"value":[1,2],"nextLink":"?a=2"}"#, r#"{"nextLink":"/3","value":[3]}"#, r#"{"value":[4,5]}"#];
    for last in [bodies[2], r#"{"value":[4,5],"nextLink":null}"#, r#"{"value":[4,5],"nextLink":""}"#] {
        let server = pages(&[bodies[0], bodies[1], last]).await;
        assert_eq!(list(&server).await.expect("a list"), [1, 2, 3, 4, 5]);
        assert_eq!(server.lines(), ["GET /list?a=1", "GET /list?a=2", "GET /3"]);
        assert!(server.seen().iter().all(|request| request.contains("x-of: the list\r\n")));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_page_is_requested_elsewhere() {
    let other = pages(&[r#"{"value":[]}"#]).await;
    for (link, host) in [(other.url.as_str(), "127.0.0.1"), ("//h.example/x", "h.example"), ("http://[bad", "")] {
        let server = pages(&[&format!(r#"{{"value":[1],"nextLink":"{link}"}}"#)]).await;
        match list(&server).await.expect_err(link) {
            PageError::OtherOrigin { host: found } => assert_eq!(found, host),
            error => panic!("{error:?}"),
        }
        assert_eq!((server.seen().len(), other.seen().len()), (1, 0), "{link}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_page_is_requested_twice() {
    let page = |link| format!(r#"{{"value":[1],"nextLink":"{link}"}}"#);
    let server = pages(&[&page("/b"), &page("/list?a=1"), r#"{"value":[1]}"#]).await;
    assert!(matches!(list(&server).await, Err(PageError::Cycle)));
    assert_eq!(server.lines(), ["GET /list?a=1", "GET /b"]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_invalid_page_fails_the_whole_list() {
    for last in ["{}", r#"{"value":["x"]}"#] {
        for bodies in [&[r#"{"value":[1],"nextLink":"/b"}"#, last][..], &[last, r#"{"value":[1]}"#]] {
            let server = pages(bodies).await;
            let error = list(&server).await.expect_err("no list");
            let PageError::Http(HttpError::BadAnswer { what, .. }) = error else { panic!("{error:?}") };
            assert!(matches!(what, ResponseFlaw::Shape(_)));
        }
    }
}
