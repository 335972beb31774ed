//! A blob store behind a company proxy, with TLS from the company's own certificate authority.

use foundry_emulator::Config;

use super::{assert_uploaded, create};
use crate::support::{BlockStore, CANARY, ConnectProxy, Output, TestEnv, TlsHost, varied_content};

const HOST: &str = "canary-of-the-proxy-tests.blob.core.windows.net";

struct ProxiedStore {
    env: TestEnv,
    store: BlockStore,
    proxy: ConnectProxy,
}

impl ProxiedStore {
    fn new() -> Self {
        let store = BlockStore::start();
        // An HTTP/2 client would negotiate HTTP/2, and fail.
        let far = TlsHost::offering(HOST, store.base.authority(), &["h2", "http/1.1"]);
        let proxy = ConnectProxy::start(far.address, None);
        let base = format!("https://{HOST}{}", store.base.path()).parse().expect("a URL");
        let mut env = TestEnv::with_store_at(Config::default(), base);
        env.set("AZURE_AI_MODELS_TEST_TIME", "0.1/1")
            .set("HTTPS_PROXY", &format!("http://me:{CANARY}@{}", proxy.address()));
        let authority = env.write("company.pem", &far.authority);
        env.set("SSL_CERT_FILE", &authority.to_string_lossy());
        env.write_model();
        env.write("model/model.safetensors", varied_content(super::LARGE));
        Self { env, store, proxy }
    }

    fn create(&self) -> Output {
        create(&self.env, &["--skip-check", "--debug"])
    }
}

#[test]
fn blocks_are_sent_through_the_proxy_with_http_1_1() {
    let company = ProxiedStore::new();
    let output = company.create().success();
    assert_uploaded(&company.env, &company.store);
    let seen = company.proxy.seen();
    assert!(!seen.is_empty() && seen.iter().all(|line| *line == format!("CONNECT {HOST}:443 HTTP/1.1")), "{seen:?}");
    assert!(!output.to_string().contains(CANARY), "{output}");
}

#[test]
fn missing_authority_sends_nothing_and_names_the_variable() {
    let mut company = ProxiedStore::new();
    company.env.unset("SSL_CERT_FILE");
    let output = company.create().fails_with(9);
    assert!(output.stderr.contains("set SSL_CERT_FILE to its certificate"), "{output}");
    assert!(company.store.names().is_empty());
}
