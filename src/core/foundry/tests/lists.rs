//! Lists, single models, pending uploads.

use std::sync::Arc;

use super::*;
use crate::foundry::ListError;
use crate::http::{HttpError, ResponseFlaw};
use crate::model::{ModelFilter, ModelListSeed, Versioned};

for_each_api_version!(
    a_list_has_all_its_pages,
    a_next_page_elsewhere_gets_no_token_and_no_request,
    a_list_with_a_cycle_is_an_error,
    an_invalid_page_is_a_bad_response,
    names_and_versions_are_one_path_segment_each,
    a_pending_upload_is_requested_and_its_errors_show_no_sas,
);

async fn a_list_has_all_its_pages() {
    let server = Server::play(vec![
        ok(r#"{"value":[{"name":"a"}],"nextLink":"/api/projects/p/models?api-version=v1&skip=1"}"#),
        ok(r#"{"value":[{"name":"b"}],"nextLink":""}"#),
    ])
    .await;
    let filter = Arc::new(ModelFilter { source_job: Some("job/1".into()), ..ModelFilter::default() });
    let listing = ModelListSeed { filter, with_documents: false };
    let models = foundry(&server).list_models(listing).await.expect("two pages");
    let names: Vec<_> = models.iter().map(Versioned::name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(lines(&server), ["GET &source.jobId=job%2F1", "GET &skip=1"]);
    assert!(server.seen().iter().all(|request| request.contains("authorization: Bearer emulator\r\n")));
    assert!(server.seen().iter().all(|request| request.contains("foundry-features: Models=V1Preview\r\n")));
}

async fn a_next_page_elsewhere_gets_no_token_and_no_request() {
    let other = Server::play(vec![ok(r#"{"value":[]}"#)]).await;
    let page = format!(r#"{{"value":[{{"name":"a"}}],"nextLink":"{}x"}}"#, other.url);
    let server = Server::play(vec![ok(&page)]).await;
    let error = foundry(&server).list_versions(&name()).await.expect_err("another host");
    assert!(matches!(error, ListError::LeavesProject { host } if host == "127.0.0.1"));
    assert_eq!((server.seen().len(), other.seen().len()), (1, 0));
}

async fn a_list_with_a_cycle_is_an_error() {
    let page = |skip| ok(&format!(r#"{{"value":[],"nextLink":"/api/projects/p/models?skip={skip}"}}"#));
    let server = Server::play(vec![page(1), page(2), page(1)]).await;
    let error = foundry(&server).list_models(ModelListSeed::default()).await.expect_err("a circle");
    assert!(matches!(error, ListError::Cycle), "{error:?}");
    assert_eq!(server.seen().len(), 3);
}

async fn an_invalid_page_is_a_bad_response() {
    for (body, flaw) in [
        ("", ResponseFlaw::Empty),
        ("<html>", ResponseFlaw::Html),
        ("{}", ResponseFlaw::Shape("missing field `value` at line 1 column 2".into())),
        (r#"{"value":[{}]}"#, ResponseFlaw::Shape("missing field `name` at line 1 column 13".into())),
    ] {
        let server = Server::play(vec![ok(body)]).await;
        match foundry(&server).list_models(ModelListSeed::default()).await.expect_err(body) {
            ListError::Http(HttpError::BadAnswer { what, .. }) => assert_eq!(what, flaw, "{body}"),
            other => panic!("{other:?}"),
        }
    }
}

async fn names_and_versions_are_one_path_segment_each() {
    let server = Server::play(vec![ok(r#"{"name":"a b%2F..?#ä","version":"1?x"}"#)]).await;
    let name: ModelName = "a b%2F..?#ä".parse().expect("name");
    foundry(&server).get_model(&name, &"1?x".parse().expect("version")).await.expect("model");
    assert_eq!(lines(&server), ["GET /a%20b%252F..%3F%23%C3%A4/versions/1%3Fx"]);
}

async fn a_pending_upload_is_requested_and_its_errors_show_no_sas() {
    let body = r#"{"blobReference":{"blobUri":"https://s/c","credential":{"sasUri":"https://s/c?sig=CANARY"}}}"#;
    let server = Server::play(vec![answer("201 Created", &[], body)]).await;
    let pending = foundry(&server).start_pending_upload(&name(), &version()).await.expect("a location");
    assert_eq!(pending.blob_uri.as_str(), "https://s/c");
    let request = server.seen().remove(0);
    let line = format!("POST {PREFIX}/m/versions/1/startPendingUpload?api-version={} ", API.get());
    assert!(request.starts_with(&line), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"pendingUploadType\":\"TemporaryBlobReference\"}"), "{request}");
    assert!(request.contains("content-type: application/json\r\n"));

    let server = Server::play(vec![ok(r#"{"blobReference":{"sasUri":"http://s/c?sig=CANARY"}}"#)]).await;
    let error = foundry(&server).start_pending_upload(&name(), &version()).await.expect_err("plain http");
    assert!(
        matches!(&error, HttpError::BadAnswer { what: ResponseFlaw::Shape(what), .. } if what == "the SAS is not for https")
    );
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}
