//! Checks of the connections to the project and to the blob store: name, proxy, TLS.

use serde_json::json;

use super::{check, doctor, failures, fixture, page};
use crate::support::{CANARY, ConnectProxy, FaultProxy, ResponseFault, Rule, StubResponse, TestEnv, TlsHost};

const HOST: &str = "canary-of-the-doctor-tests.services.ai.azure.com";
/// Network checks, and those that depend on them, in order.
const NETWORK: [&str; 5] = ["dns", "proxy", "tls", "clock", "role"];

/// Host name that does not resolve.
#[test]
fn unresolvable_host_fails() {
    let mut env = fixture();
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "nowhere.invalid");
    env.set("AZURE_PROJECT_ENDPOINT", "https://nowhere.invalid/api/projects/demo");
    insta::assert_snapshot!(failures(&doctor(&env), "dns"), @"
    failed   dns         the name nowhere.invalid cannot be resolved  Fix: nslookup nowhere.invalid
    warning  tls         not checked: see dns
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    warning  blob-store  not checked: see role
    ");
}

/// A project behind a company proxy, with a certificate of the company's certificate authority.
fn company(proxy: impl FnOnce(&TlsHost) -> ConnectProxy) -> (TestEnv, TlsHost, ConnectProxy) {
    let mut env = fixture();
    let origin = env.emulator().origin();
    let far = TlsHost::start(HOST, origin.strip_prefix("http://").expect("an HTTP origin"));
    let proxy = proxy(&far);
    env.set("AZURE_PROJECT_ENDPOINT", &format!("https://{HOST}/api/projects/demo"));
    env.set("HTTPS_PROXY", &format!("http://me:{CANARY}@{}", proxy.address()));
    let authority = env.write("company.pem", &far.authority);
    env.set("SSL_CERT_FILE", &authority.to_string_lossy());
    (env, far, proxy)
}

/// Lines of the network checks, and of those that depend on them.
fn network(env: &TestEnv, proxy: &ConnectProxy) -> String {
    let page = page(&doctor(env)).replace(&proxy.address().to_string(), "[PROXY]").replace(HOST, "[HOST]");
    let is_of_network = |line: &&str| {
        let id = line.split_whitespace().nth(1).unwrap_or_default();
        NETWORK.contains(&id) || line.starts_with("ERROR")
    };
    page.lines().filter(is_of_network).collect::<Vec<_>>().join("\n")
}

/// As [`network`], up to the only check that fails: those that depend on it are not checked.
fn failed_network(env: &TestEnv, proxy: &ConnectProxy, id: &str) -> String {
    let lines = network(env, proxy);
    let lines: Vec<&str> = lines.lines().collect();
    let at = NETWORK.iter().position(|one| *one == id).expect("a check of the network");
    let (checks, after) = lines.split_at(at + 1);
    let skipped = [("tls", "proxy"), ("clock", "tls"), ("role", "tls")]
        .map(|(skipped, why)| format!("warning  {skipped:<10}  not checked: see {why}"));
    let end = format!("ERROR: 1 of 14 checks failed: {id}");
    assert_eq!(after, [&skipped[at - 1..], &[end]].concat());
    checks.join("\n")
}

#[test]
fn proxy_and_the_companys_authority_are_named() {
    let (env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         [HOST] is resolved by the proxy
    ok       proxy       http://[PROXY] for [HOST], with a user name
    ok       tls         [HOST] answers; its certificate is signed by 'ProxiedStore Authority'
    ok       clock       agrees with that of [HOST]
    ok       role        the project's models can be read; an upload needs the role Azure AI User or more
    ");
}

#[test]
fn authority_that_is_not_trusted_is_named_with_the_variable_to_set() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    env.unset("SSL_CERT_FILE");
    insta::assert_snapshot!(failed_network(&env, &proxy, "tls"), @"
    ok       dns         [HOST] is resolved by the proxy
    ok       proxy       http://[PROXY] for [HOST], with a user name
    failed   tls         the certificate of [HOST] is signed by 'ProxiedStore Authority', which this machine does not trust; get the certificate of 'ProxiedStore Authority' from your network administrator as ca.pem  Fix: export SSL_CERT_FILE=ca.pem
    ");
    let seen = env.emulator().requests();
    assert!(seen.is_empty(), "nothing is sent over this connection: {seen:?}");
}

#[test]
fn certificate_file_that_is_missing_is_named() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    env.set("SSL_CERT_FILE", "/nowhere.pem");
    insta::assert_snapshot!(failed_network(&env, &proxy, "tls"), @"
    ok       dns         [HOST] is resolved by the proxy
    ok       proxy       http://[PROXY] for [HOST], with a user name
    failed   tls         could not prepare for HTTPS requests: SSL_CERT_FILE names /nowhere.pem, which cannot be read: No such file or directory (os error 2)  Fix: Correct SSL_CERT_FILE and SSL_CERT_DIR, or unset them.
    ");
}

#[test]
fn proxy_is_not_used_for_this_machine() {
    let mut env = fixture();
    env.set("HTTP_PROXY", "http://127.0.0.1:9").set("HTTPS_PROXY", "http://127.0.0.1:9");
    assert_eq!(check(&env, "proxy")["message"], "none for 127.0.0.1");
}

#[test]
fn proxy_that_requires_a_password_fails() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, Some("another password")));
    insta::assert_snapshot!(failed_network(&env, &proxy, "proxy"), @"
    ok       dns         [HOST] is resolved by the proxy
    failed   proxy       http://[PROXY] refuses the user name and password (407)  Fix: export HTTPS_PROXY=http://USER:PASSWORD@[PROXY]
    ");
    env.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    insta::assert_snapshot!(failed_network(&env, &proxy, "proxy"), @"
    ok       dns         [HOST] is resolved by the proxy
    failed   proxy       http://[PROXY] requires a user name and password (407)  Fix: export HTTPS_PROXY=http://USER:PASSWORD@[PROXY]
    ");
}

#[test]
fn proxy_that_forbids_the_host_fails() {
    let (env, _far, proxy) = company(|_| ConnectProxy::refusing(403));
    insta::assert_snapshot!(failed_network(&env, &proxy, "proxy"), @"
    ok       dns         [HOST] is resolved by the proxy
    failed   proxy       http://[PROXY] does not allow [HOST]  Fix: export NO_PROXY=$NO_PROXY,[HOST]
    ");
}

#[test]
fn unreachable_proxy_fails() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    env.set("HTTPS_PROXY", &format!("http://me:{CANARY}@127.0.0.1:9"));
    insta::assert_snapshot!(failed_network(&env, &proxy, "proxy"), @"
    ok       dns         [HOST] is resolved by the proxy
    failed   proxy       http://127.0.0.1:9 cannot be reached  Fix: curl -v http://127.0.0.1:9
    ");
}

/// The newest model determines which store is checked.
#[test]
fn blob_store_is_checked_like_the_project() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    let newest = json!({"name": "far-model", "version": "1", "blobUri": format!("https://{HOST}/container?sig={CANARY}"),
        "systemData": {"createdAt": "2030-01-01T00:00:00Z"}});
    env.emulator().seed(&newest).expect("seeded");
    insta::assert_snapshot!(check(&env, "blob-store")["message"].as_str().expect("a string"), @"canary-of-the-doctor-tests.services.ai.azure.com answers; its certificate is signed by 'ProxiedStore Authority'");
    assert!(env.emulator().requests().iter().all(|request| !request.path.contains("container")));
    // The project is still reached; the store is contacted without the proxy, where its name has no address.
    let near = env.emulator().endpoint();
    env.set("AZURE_PROJECT_ENDPOINT", &near).set("NO_PROXY", HOST);
    insta::assert_snapshot!(failures(&doctor(&env), "blob-store"), @"
    failed   blob-store  the name canary-of-the-doctor-tests.services.ai.azure.com cannot be resolved  Fix: nslookup canary-of-the-doctor-tests.services.ai.azure.com
    ");
    drop(proxy);
}

/// A portal that responds with 200 in place of the store sends no request id.
#[test]
fn portal_in_place_of_the_blob_store_is_reported() {
    let env = fixture();
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let rule = Rule { route: "HEAD".into(), fault: ResponseFault::Instead(page.to_vec()), always: true };
    let portal = FaultProxy::start(env.blobs().base.authority(), Some(rule), |method, _| method.to_owned());
    let newest = json!({"name": "far-model", "version": "1", "blobUri": format!("http://{}/a/container", portal.authority()),
        "systemData": {"createdAt": "2030-01-01T00:00:00Z"}});
    env.emulator().seed(&newest).expect("seeded");
    let check = check(&env, "blob-store");
    assert_eq!(check["status"], "failed", "{check}");
    assert!(check["message"].as_str().is_some_and(|words| words.contains("is not a blob store")), "{check}");
}

#[test]
fn server_that_is_not_a_blob_store_is_reported() {
    let env = fixture();
    env.blobs().respond_with(StubResponse::Error(302, ""));
    insta::assert_snapshot!(failures(&doctor(&env), "blob-store"), @"
    failed   blob-store  what answers as 127.0.0.1 is not a blob store: a proxy or gateway may respond in its place  Fix: Sign in to the network in a browser, or check HTTPS_PROXY and NO_PROXY.
    ");
}
