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

/// Method, blob and operation.
fn route(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let operation = query.split('&').find(|pair| pair.starts_with("comp=")).unwrap_or_default();
    let name = path.splitn(4, '/').nth(3).unwrap_or("ID");
    format!("{method} {name} {operation}")
}

/// A world whose blob store is reached past a proxy with this rule; a file of two blocks and two small ones.
fn world(rule: Rule) -> (TestEnv, BlockStore, FaultProxy) {
    world_with(Config::default(), rule)
}

fn world_with(config: Config, rule: Rule) -> (TestEnv, BlockStore, FaultProxy) {
    let store = BlockStore::start();
    let proxy = FaultProxy::start(store.base.authority(), Some(rule), route);
    let base = format!("http://{}{}", proxy.authority(), store.base.path()).parse().expect("a URL");
    let env = TestEnv::storing_at(config, base);
    env.write_model();
    env.write("model/more.bin", vec![5; 9 << 20]);
    (env, store, proxy)
}

fn rule(route: &str, spoil: ResponseFault, always: bool) -> Rule {
    Rule { route: route.to_owned(), spoil, always }
}

const CREATE: [&str; 8] = ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native"];

#[test]
fn a_portal_that_accepts_every_block_is_detected() {
    let (env, _store, proxy) = world(rule(BLOCK, PORTAL, true));
    let output = env.run(&CREATE).fails_with(7);
    assert!(output.stderr.contains("did not come from a blob store (200): \"<title>Sign in to "), "{output}");
    assert!(output.stderr.contains("(text/html, Server: portal/2.1)"), "{output}");
    assert!(output.stderr.contains("check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"), "{output}");
    for hidden in ["second line", "\x1b[31m", "lost blocks"] {
        assert!(!output.stderr.contains(hidden), "{hidden}: {output}");
    }
    // Two blocks, each at most twice: no endless attempts.
    assert!((2..=4).contains(&proxy.spoiled()), "{}", proxy.spoiled());
    assert_eq!(env.registrations(), 0, "registered all the same");
    assert_eq!(env.run(&[&CREATE[..], &["-o", "json"]].concat()).fails_with(7).json_error()["code"], "bad_answer");
}

/// Whatever a 2xx looks like: without the store's own headers, or with another status, nothing was kept.
#[test]
fn no_other_success_counts_for_any_operation() {
    let empty = |status| ResponseFault::Status(status, "via: 1.1 gateway\r\n", b"");
    for (route, code) in [(BLOCK, 7), (COMMIT, 7), (SMALL, 7), (LIST, 9)] {
        for status in [200, 201, 202, 204, 206] {
            let (env, _store, proxy) = world(rule(route, empty(status), true));
            let output = env.run(&CREATE).fails_with(code);
            let said = format!("did not come from a blob store ({status}): an empty body (Via: 1.1 gateway)");
            assert!(output.stderr.contains(&said), "{route} {status}: {output}");
            assert!(output.stderr.contains("NO_PROXY"), "{route} {status}: {output}");
            assert!((2..=4).contains(&proxy.spoiled()), "{route} {status}: {}", proxy.spoiled());
        }
    }
}

/// The store's answer with another status, or with another checksum, is no success either.
#[test]
fn the_store_s_own_headers_alone_are_not_enough() {
    let (env, _store, _proxy) = world(rule(BLOCK, ResponseFault::Restatus(200), true));
    let output = env.run(&CREATE).fails_with(7);
    assert!(output.stderr.contains("did not come from a blob store (200)"), "{output}");
    let echo = "x-ms-request-id: r\r\nx-ms-content-crc64: AAAAAAAAAAA=\r\n";
    let (env, _store, _proxy) = world(rule(BLOCK, ResponseFault::Status(201, echo, b""), true));
    let output = env.run(&CREATE).fails_with(7);
    assert!(output.stderr.contains("did not come from a blob store (201)"), "{output}");
}

/// An upload that is resumed asks for what is there, and deletes what it sent and no longer has.
#[test]
fn a_resumed_upload_believes_no_intermediary_either() {
    let refused = ResponseFault::Status(403, "x-ms-error-code: AuthenticationFailed\r\n", b"");
    for (route, code) in [("GET more.bin comp=blocklist", 7), ("DELETE gone.json ", 9)] {
        let config = Config { sas_permissions: "rcwld".to_owned(), ..Config::default() };
        let (env, store, proxy) = world_with(config, rule(COMMIT, refused.clone(), true));
        env.write("model/gone.json", "{}");
        env.run(&CREATE).fails_with(7);
        std::fs::remove_file(env.work().join("model/gone.json")).expect("removed");
        proxy.spoil_from_now_on(Some(rule(route, PORTAL, true)));
        let output = env.run(&CREATE).fails_with(code);
        assert!(output.stderr.contains("did not come from a blob store (200): \"<title>Sign in"), "{route}: {output}");
        assert_eq!(proxy.spoiled(), 2, "{route}");
        proxy.spoil_from_now_on(None);
        env.run(&CREATE).success();
        assert!(!store.names().contains(&"gone.json".to_owned()), "{route}");
    }
}

#[test]
fn an_answer_that_went_astray_once_is_forgotten() {
    for route in [BLOCK, COMMIT, SMALL, LIST] {
        let (env, store, proxy) = world(rule(route, PORTAL, false));
        env.run(&CREATE).success();
        assert_eq!(proxy.spoiled(), 1, "{route}");
        assert_eq!(store.blob("more.bin").map(|blob| blob.content.len()), Some(9 << 20), "{route}");
    }
}
