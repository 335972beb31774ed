//! The client against a raw socket server in the role of the Hub, its mirror or a delivery network.

mod reading;
mod refusals;

use std::sync::{Arc, Mutex};

use crate::env::Env;
use crate::http::tests::server::{Server, ServerScript, answer, client};
use crate::hub::{HubAddress, HubClient, HubEndpoint, HubError, HubImport, HubToken, plan};
use crate::model::Report;
use crate::source::Selection;

pub(super) const SHA: &str = "3f2a000000000000000000000000000000000001";
pub(super) const OTHER: &str = "9b7c000000000000000000000000000000000002";

/// Client of a Hub that this server plays, and its reports.
pub(super) fn hub(server: &Server, token: Option<&str>) -> (Arc<HubClient>, Arc<Mutex<Vec<Report>>>) {
    let (http, reports) = client(&[]);
    let endpoint = HubEndpoint::parse(Some(server.url.as_str())).expect("an endpoint");
    let vars = token.map(|token| ("HF_TOKEN", token));
    let token = HubToken::find(&Env::from_vars(vars, std::path::Path::new("/"))).expect("no fault");
    (Arc::new(HubClient::new(Arc::new(http), endpoint, token)), reports)
}

/// Notices of a client.
pub(super) fn notices(reports: &Mutex<Vec<Report>>) -> Vec<String> {
    let reports = reports.lock().expect("reports");
    let notice = |report: &Report| match report {
        Report::Notice(text) => Some(text.clone()),
        _ => None,
    };
    reports.iter().filter_map(notice).collect()
}

/// Parses a source.
pub(super) fn address(text: &str) -> HubAddress {
    HubAddress::parse(text).expect("an address")
}

/// Response with the description of a repository at this commit.
pub(super) fn description(sha: &str) -> ServerScript {
    answer("200 OK", &[], &format!(r#"{{"id":"org/repo","sha":"{sha}","gated":false,"cardData":{{"license":"mit"}}}}"#))
}

/// Entry of a file in the repository itself.
pub(super) fn small(path: &str, content: &str) -> String {
    use sha1::{Digest, Sha1};
    let sum: String =
        Sha1::digest(format!("blob {}\0{content}", content.len())).iter().map(|byte| format!("{byte:02x}")).collect();
    format!(r#"{{"type":"file","oid":"{sum}","size":{},"path":"{path}"}}"#, content.len())
}

/// Entry of a file in large storage.
pub(super) fn large(path: &str, content: &str) -> String {
    use sha2::{Digest, Sha256};
    let sum: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    let (size, oid) = (content.len(), "0".repeat(40));
    format!(
        r#"{{"type":"file","oid":"{oid}","size":{size},"path":"{path}","lfs":{{"oid":"{sum}","size":{size},"pointerSize":135}},"xetHash":"x"}}"#
    )
}

/// Response with a list of files.
pub(super) fn page(entries: &[String]) -> ServerScript {
    answer("200 OK", &[], &format!("[{}]", entries.join(",")))
}

/// Plans an import of this source from this server.
pub(super) async fn planned(server: &Server, source: &str) -> Result<HubImport, HubError> {
    plan(&hub(server, None).0, &address(source), &Selection::default(), None).await
}

fn names(import: &HubImport) -> Vec<&str> {
    import.source.files.iter().map(|file| file.path.as_str()).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn a_plan_pins_the_revision_and_lists_all_pages_of_the_commit() {
    let next = format!(r#"link: <{{origin}}api/models/org/repo/tree/{SHA}?cursor=x%2Fy>; rel="next""#);
    let entries = [large("model.safetensors", "weights!"), small("README.md", "x")];
    let server = Server::play(vec![
        description(SHA),
        answer("200 OK", &[&next], &format!("[{}]", entries.join(","))),
        page(&[small("tokenizer.json", "{}"), r#"{"type":"directory","path":"sub","oid":"x","size":0}"#.to_owned()]),
    ])
    .await;
    let (client, _) = hub(&server, Some("hf_CANARYCANARY"));
    let import = plan(&client, &address("org/repo@v1%2Fx"), &Selection::default(), None).await.expect("a plan");
    assert_eq!(names(&import), ["model.safetensors", "tokenizer.json"]);
    let source = &import.source;
    assert_eq!((source.all(), source.bytes(), source.excluded.len()), ((3, 11), 10, 1));
    assert_eq!(
        server.lines(),
        [
            "GET /api/models/org/repo/revision/v1%2Fx".to_owned(),
            format!("GET /api/models/org/repo/tree/{SHA}?recursive=true&expand=false"),
            format!("GET /api/models/org/repo/tree/{SHA}?cursor=x%2Fy"),
        ]
    );
    for request in server.seen() {
        assert!(request.contains("authorization: Bearer hf_CANARYCANARY\r\n"), "{request}");
        assert!(request.contains("accept-encoding: identity\r\n") && !request.contains("x-ms-client-request-id"));
    }
    let tags = source.tags();
    assert_eq!(
        tags,
        [
            ("hf.repo", "org/repo".to_owned()),
            ("hf.revision", SHA.to_owned()),
            ("hf.ref", "v1/x".to_owned()),
            ("license", "mit".to_owned())
        ]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_folder_becomes_the_root_and_a_file_is_imported_alone() {
    let entries = || {
        page(&[
            large("fp8/model.safetensors", "weights!"),
            small("fp8/sub/config.json", "{}"),
            large("odd/x.gguf", "gguf"),
            small("config.json", "{}"),
        ])
    };
    let server = Server::play(vec![description(SHA), entries()]).await;
    let import = planned(&server, "org/repo/fp8").await.expect("a plan");
    assert_eq!(names(&import), ["model.safetensors"]);
    assert_eq!(import.source.files[0].repo_path, "fp8/model.safetensors");
    assert_eq!(import.source.tags()[3], ("hf.path", "fp8".to_owned()));

    let server = Server::play(vec![description(SHA), entries()]).await;
    let import = planned(&server, "org/repo/odd/x.gguf").await.expect("a plan");
    assert_eq!((names(&import), import.source.whole_directory), (vec!["x.gguf"], false));
}

#[tokio::test(flavor = "current_thread")]
async fn code_is_selected_when_the_configuration_names_it() {
    let config = r#"{"auto_map":{"AutoModel":"modeling_x.X"}}"#;
    let commit = format!("x-repo-commit: {SHA}");
    let range = format!("content-range: bytes 0-{}/{}", config.len() - 1, config.len());
    let server = Server::play(vec![
        description(SHA),
        page(&[small("config.json", config), small("modeling_x.py", "x"), large("model.safetensors", "weights!")]),
        answer("200 OK", &[&commit], ""),
        answer("206 Partial Content", &[&range], config),
    ])
    .await;
    let import = planned(&server, "org/repo").await.expect("a plan");
    assert_eq!(names(&import), ["config.json", "model.safetensors", "modeling_x.py"]);
    assert_eq!(
        server.lines()[2..],
        [format!("HEAD /org/repo/resolve/{SHA}/config.json"), format!("GET /org/repo/resolve/{SHA}/config.json"),]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn an_earlier_pin_is_kept_when_the_revision_moved() {
    let entries = || page(&[large("model.safetensors", "weights!")]);
    let server = Server::play(vec![description(SHA), entries()]).await;
    let first = planned(&server, "org/repo").await.expect("a plan");
    let pin = first.source.pin.clone();

    let server = Server::play(vec![description(OTHER), description(SHA), entries()]).await;
    let (client, _) = hub(&server, None);
    let again = plan(&client, &address("org/repo"), &Selection::default(), Some(&pin)).await.expect("a plan");
    let moved_to = again.moved_to.map(|sha| sha.to_string());
    assert_eq!((&again.source.pin.sha, moved_to.as_deref()), (&pin.sha, Some(OTHER)));
    assert_eq!(server.lines()[1], format!("GET /api/models/org/repo/revision/{SHA}"));

    let renamed = answer("200 OK", &[], &format!(r#"{{"id":"org/new","sha":"{SHA}"}}"#));
    let server = Server::play(vec![renamed, entries()]).await;
    let (client, _) = hub(&server, None);
    let again = plan(&client, &address("org/repo"), &Selection::default(), Some(&pin)).await.expect("a plan");
    assert_eq!(again.source.pin.repo, pin.repo);

    let missing = answer("404 Not Found", &["x-error-code: RevisionNotFound"], "");
    let server = Server::play(vec![description(OTHER), missing]).await;
    let (client, _) = hub(&server, None);
    let lost = plan(&client, &address("org/repo"), &Selection::default(), Some(&pin)).await;
    assert!(matches!(lost, Err(HubError::RevisionNotFound { revision, .. }) if revision == SHA));
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_with_names_that_leave_the_repository_is_refused() {
    for path in ["../model.safetensors", "/model.safetensors", "a//model.safetensors", "a\\\\b.safetensors"] {
        let server = Server::play(vec![description(SHA), page(&[large(path, "weights!")])]).await;
        let (client, _) = hub(&server, None);
        let all = Selection::new(Vec::new(), Vec::new(), false);
        let refused = plan(&client, &address("org/repo"), &all, None).await;
        assert!(matches!(refused, Err(HubError::NotAHub { .. } | HubError::Plan(_))), "{path}: {refused:?}");
    }
}
