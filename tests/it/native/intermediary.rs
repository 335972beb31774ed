//! Intermediaries that respond instead of the blob store: a captive portal, a proxy, a gateway with its own page.

use foundry_emulator::Config;

use crate::support::{BlockStore, FaultProxy, ResponseFault, Rule, TestEnv};

const BLOCK: &str = "PUT more.bin comp=block";
const COMMIT: &str = "PUT more.bin comp=blocklist";
const SMALL: &str = "PUT config.json ";
const LIST: &str = "GET ID comp=list";
const PORTAL: ResponseFault = ResponseFault::Status(
    200,
    "content-type: text/html\r\nserver: portal/2.1\r\n",
    b"\n  <title>Sign in to \x1b[31mthe network</title>\n<p>second line</p>",
);

/// Route of a request: method, blob and operation.
fn route(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let operation = query.split('&').find(|pair| pair.starts_with("comp=")).unwrap_or_default();
    let name = path.splitn(4, '/').nth(3).unwrap_or("ID");
    format!("{method} {name} {operation}")
}

/// Environment whose blob store is reached through a proxy with this rule; the source has a file of two blocks and two
/// small ones.
fn fixture(rule: Rule) -> (TestEnv, BlockStore, FaultProxy) {
    fixture_with(Config::default(), rule)
}

fn fixture_with(config: Config, rule: Rule) -> (TestEnv, BlockStore, FaultProxy) {
    let store = BlockStore::start();
    let proxy = FaultProxy::start(store.base.authority(), Some(rule), route);
    let base = format!("http://{}{}", proxy.authority(), store.base.path()).parse().expect("a URL");
    let env = TestEnv::with_store_at(config, base);
    env.write_model();
    env.write("model/more.bin", vec![5; 9 << 20]);
    (env, store, proxy)
}

fn rule(route: &str, fault: ResponseFault, always: bool) -> Rule {
    Rule { route: route.to_owned(), fault, always }
}

const CREATE: [&str; 8] = ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native"];

#[test]
fn portal_that_accepts_every_block_is_detected() {
    let (env, _store, proxy) = fixture(rule(BLOCK, PORTAL, true));
    let output = env.run(&CREATE).fails_with(7);
    assert!(output.stderr.contains("did not come from a blob store (200): \"<title>Sign in to "), "{output}");
    assert!(output.stderr.contains("(text/html, Server: portal/2.1)"), "{output}");
    assert!(output.stderr.contains("check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"), "{output}");
    for hidden in ["second line", "\x1b[31m", "lost blocks"] {
        assert!(!output.stderr.contains(hidden), "{hidden}: {output}");
    }
    // There are two blocks, and each is sent at most twice: attempts are limited.
    assert!((2..=4).contains(&proxy.injected()), "{}", proxy.injected());
    assert_eq!(env.registrations(), 0, "registered anyway");
    assert_eq!(env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(7).json_error()["code"], "bad_answer");
}

/// Without the store's own headers, or with another status, a 2xx does not prove that anything was stored.
#[test]
fn success_without_the_stores_headers_is_rejected_for_every_operation() {
    let empty = |status| ResponseFault::Status(status, "via: 1.1 gateway\r\n", b"");
    for (route, code) in [(BLOCK, 7), (COMMIT, 7), (SMALL, 7), (LIST, 9)] {
        for status in [200, 201, 202, 204, 206] {
            let (env, _store, proxy) = fixture(rule(route, empty(status), true));
            let output = env.run(&CREATE).fails_with(code);
            let message = format!("did not come from a blob store ({status}): an empty body (Via: 1.1 gateway)");
            assert!(output.stderr.contains(&message), "{route} {status}: {output}");
            assert!(output.stderr.contains("NO_PROXY"), "{route} {status}: {output}");
            assert!((2..=4).contains(&proxy.injected()), "{route} {status}: {}", proxy.injected());
        }
    }
}

/// A response of the store with another status or another checksum is not a success either.
#[test]
fn store_headers_without_the_expected_status_or_checksum_are_rejected() {
    let (env, _store, _proxy) = fixture(rule(BLOCK, ResponseFault::Restatus(200), true));
    let output = env.run(&CREATE).fails_with(7);
    assert!(output.stderr.contains("did not come from a blob store (200)"), "{output}");
    let echo = "x-ms-request-id: r\r\nx-ms-content-crc64: AAAAAAAAAAA=\r\n";
    let (env, _store, _proxy) = fixture(rule(BLOCK, ResponseFault::Status(201, echo, b""), true));
    let output = env.run(&CREATE).fails_with(7);
    assert!(output.stderr.contains("did not come from a blob store (201)"), "{output}");
}

/// A resumed upload requests the list of blocks, and deletes blobs that are no longer part of the source.
#[test]
fn resumed_upload_rejects_intermediaries() {
    let refused = ResponseFault::Status(403, "x-ms-error-code: AuthenticationFailed\r\n", b"");
    for (route, code) in [("GET more.bin comp=blocklist", 7), ("DELETE gone.json ", 9)] {
        let config = Config { sas_permissions: "rcwld".to_owned(), ..Config::default() };
        let (env, store, proxy) = fixture_with(config, rule(COMMIT, refused.clone(), true));
        env.write("model/gone.json", "{}");
        env.run(&CREATE).fails_with(7);
        std::fs::remove_file(env.work().join("model/gone.json")).expect("removed");
        proxy.set_rule(Some(rule(route, PORTAL, true)));
        let output = env.run(&CREATE).fails_with(code);
        assert!(output.stderr.contains("did not come from a blob store (200): \"<title>Sign in"), "{route}: {output}");
        assert_eq!(proxy.injected(), 2, "{route}");
        proxy.set_rule(None);
        env.run(&CREATE).success();
        assert!(!store.names().contains(&"gone.json".to_owned()), "{route}");
    }
}

#[test]
fn single_intermediary_response_is_retried() {
    for route in [BLOCK, COMMIT, SMALL, LIST] {
        let (env, store, proxy) = fixture(rule(route, PORTAL, false));
        env.run(&CREATE).success();
        assert_eq!(proxy.injected(), 1, "{route}");
        assert_eq!(store.blob("more.bin").map(|blob| blob.content.len()), Some(9 << 20), "{route}");
    }
}
