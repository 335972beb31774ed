//! The Hub from a client's perspective: redirects, signed URLs, ranges, pages, gates, and its public names behind the
//! proxy.

use std::fs;
use std::path::Path;

use fake_hub::{Config, FakeHub, Fault, FaultKind, FileCount, Gate, RepoConfig, Route};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response};

const MIB: usize = 1 << 20;

struct World {
    hub: FakeHub,
    client: Client,
    sha: String,
    content: Vec<u8>,
    _directory: tempfile::TempDir,
}

fn world(change: impl FnOnce(&mut Config)) -> World {
    drop(rustls::crypto::ring::default_provider().install_default());
    let directory = tempfile::tempdir().expect("a directory");
    let content: Vec<u8> = (0..2 * MIB).map(|at| (at % 251) as u8).collect();
    fs::write(directory.path().join("model.safetensors"), &content).expect("written");
    fs::write(directory.path().join("config.json"), "{}").expect("written");
    fs::create_dir(directory.path().join("sub")).expect("made");
    fs::write(directory.path().join("sub/a b.txt"), "text").expect("written");
    let mut config = Config { repos: vec![repo(directory.path())], ..Config::default() };
    change(&mut config);
    let hub = FakeHub::start(config).expect("a hub");
    let sha = hub.sha("org/model").expect("a commit").to_owned();
    World { hub, client: client(Client::builder().no_proxy()), sha, content, _directory: directory }
}

fn repo(directory: &Path) -> RepoConfig {
    RepoConfig { former_ids: vec!["old/name".to_owned()], ..RepoConfig::new("org/model", directory) }
}

fn client(builder: reqwest::ClientBuilder) -> Client {
    builder.redirect(reqwest::redirect::Policy::none()).gzip(false).build().expect("a client")
}

impl World {
    async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, &format!("{}{path}", self.hub.endpoint()), &[]).await
    }

    async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method, url).header("accept-encoding", "identity");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("a response")
    }

    fn resolve(&self, path: &str) -> String {
        format!("/org/model/resolve/{}/{path}", self.sha)
    }

    async fn signed(&self) -> String {
        let response = self.get(&self.resolve("model.safetensors")).await;
        text(response.headers(), "location")
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).expect("the header").to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_large_file_redirects_to_a_signed_url_that_serves_ranges() {
    let world = world(|_| {});
    let response = world.get(&world.resolve("model.safetensors")).await;
    assert_eq!(response.status(), 302);
    let headers = response.headers();
    assert_eq!(text(headers, "x-repo-commit"), world.sha);
    assert_eq!(text(headers, "x-linked-size"), (2 * MIB).to_string());
    let sum = world.hub.sum("org/model", "model.safetensors").expect("a sum");
    assert_eq!(text(headers, "x-linked-etag"), format!("\"{sum}\""));
    let signed = text(headers, "location");
    let part = world.send(Method::GET, &signed, &[("range", "bytes=100-199")]).await;
    assert_eq!((part.status().as_u16(), text(part.headers(), "content-range")), (206, "bytes 100-199/2097152".into()));
    assert_eq!(part.bytes().await.expect("bytes"), world.content[100..200]);
    let past = world.send(Method::GET, &signed, &[("range", "bytes=2097152-")]).await;
    assert_eq!(past.status(), 416);
    assert_eq!(world.hub.file("model.safetensors"), FileCount { requests: 1, bytes: 100 });
    let refused = world.send(Method::GET, &signed, &[("authorization", "Bearer x")]).await;
    assert_eq!(refused.status(), 400);
    assert!(world.hub.has_leaked_token());
}

#[tokio::test]
async fn a_signed_url_expires_and_is_compared_byte_for_byte() {
    let world = world(|config| config.revoke_every = Some(2));
    let signed = world.signed().await;
    assert_eq!(world.send(Method::GET, &signed.replace("*%3D", "%2A%3D"), &[]).await.status(), 403);
    assert_eq!(world.send(Method::GET, &signed, &[]).await.status(), 200);
    let refused = world.send(Method::GET, &signed, &[]).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.expect("text").contains("Request has expired"));
    assert_eq!(world.send(Method::GET, &world.signed().await, &[]).await.status(), 200);
}

#[tokio::test]
async fn a_small_file_is_sent_directly_or_by_a_redirect_within_the_hub() {
    let world = world(|_| {});
    let response = world.get(&world.resolve("sub/a%20b.txt")).await;
    assert_eq!((response.status().as_u16(), text(response.headers(), "etag").len()), (200, 42));
    assert_eq!(response.text().await.expect("text"), "text");
    world.hub.configure(|config| config.redirects_small_files = true);
    let response = world.get(&world.resolve("sub/a%20b.txt")).await;
    let to = text(response.headers(), "location");
    assert!(to.starts_with("/api/resolve-cache/models/org/model/"), "{to}");
    assert_eq!(world.get(&to).await.text().await.expect("text"), "text");
    let packed = world.client.get(format!("{}{to}", world.hub.endpoint())).header("accept-encoding", "gzip");
    let packed = packed.send().await.expect("a response");
    assert_eq!((text(packed.headers(), "content-encoding"), packed.content_length()), ("gzip".to_owned(), None));
}

#[tokio::test]
async fn a_tree_is_paged_and_a_renamed_repository_redirects() {
    let world = world(|config| config.page_size = 2);
    let first = world.get(&format!("/api/models/org/model/tree/{}?recursive=true&expand=false", world.sha)).await;
    let link = text(first.headers(), "link");
    let entries: serde_json::Value = first.json().await.expect("JSON");
    assert_eq!(entries.as_array().map(Vec::len), Some(2));
    let next = link.trim_start_matches('<').split('>').next().expect("a link");
    let second: serde_json::Value = world.send(Method::GET, next, &[]).await.json().await.expect("JSON");
    assert_eq!(second[1]["path"], "sub/a b.txt");
    let moved = world.get("/api/models/old/name/revision/main").await;
    assert_eq!(
        (moved.status().as_u16(), text(moved.headers(), "location")),
        (307, "/api/models/org/model/revision/main".into())
    );
}

#[tokio::test]
async fn gated_files_require_a_token_with_access() {
    let world = world(|config| {
        config.repos[0].gate = Gate::Manual;
        config.token = Some("hf_good".to_owned());
    });
    let url = format!("{}{}", world.hub.endpoint(), world.resolve("config.json"));
    let send = async |token: &str| {
        let response = world.send(Method::HEAD, &url, &[("authorization", &format!("Bearer {token}"))]).await;
        let code = response.headers().get("x-error-code").map(|code| code.to_str().expect("text").to_owned());
        (response.status().as_u16(), code)
    };
    let gated = Some("GatedRepo".to_owned());
    assert_eq!(world.send(Method::HEAD, &url, &[]).await.status(), 401);
    assert_eq!(send("hf_good").await, (200, None));
    assert_eq!(send("hf_bad").await, (401, None));
    world.hub.configure(|config| config.has_gated_access = false);
    assert_eq!(send("hf_good").await, (403, gated));
}

#[tokio::test]
async fn content_faults_change_the_response_as_documented() {
    let world = world(|_| {});
    let signed = world.signed().await;
    let range = [("range", "bytes=0-9")];
    let mut seen = Vec::new();
    for kind in [FaultKind::IgnoreRange, FaultKind::Short, FaultKind::Empty, FaultKind::Flip, FaultKind::InvalidRange] {
        world.hub.add_fault(Fault::new(Route::Cdn, kind).times(1));
        let response = world.send(Method::GET, &signed, &range).await;
        let status = response.status().as_u16();
        seen.push((status, response.bytes().await.expect("bytes").len()));
    }
    assert_eq!(seen, [(200, 2 * MIB), (206, 5), (206, 0), (206, 10), (403, 26)]);
    world.hub.add_fault(Fault::new(Route::Cdn, FaultKind::Cut).times(1));
    assert!(world.send(Method::GET, &signed, &[]).await.bytes().await.is_err());
}

#[tokio::test]
async fn the_proxy_serves_only_the_public_names() {
    let world = world(|_| {});
    let proxy = reqwest::Proxy::all(world.hub.proxy()).expect("a proxy");
    let authority = reqwest::Certificate::from_pem(world.hub.authority().as_bytes()).expect("a certificate");
    let client = client(Client::builder().proxy(proxy).tls_certs_only([authority]));
    let url = format!("https://huggingface.co{}", world.resolve("model.safetensors"));
    let response = client.get(url).send().await.expect("a response");
    let signed = text(response.headers(), "location");
    assert!(signed.starts_with("https://us.aws.cdn.hf.co/xet-bridge-us/"), "{signed}");
    let content = client.get(signed).send().await.expect("a response").bytes().await.expect("bytes");
    assert_eq!(content, world.content);
    assert!(client.get("https://elsewhere.example/").send().await.is_err());
    assert_eq!(world.hub.tunnels()[0], "huggingface.co:443");
}
