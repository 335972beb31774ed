//! A company network: a proxy, perhaps one that asks who comes, and certificates of its own (cli.md 12).
#![cfg(unix)]

use crate::support::tls_proxy::{HOST, TlsProxy};
use crate::support::{Output, TestEnv};

/// `user:PROXYSECRET`
const BASIC: &str = "Basic dXNlcjpQUk9YWVNFQ1JFVA==";

/// A world whose project is behind the proxy, and whose azd gives a token.
fn behind(credentials: Option<&'static str>) -> (TestEnv, TlsProxy) {
    let mut env = TestEnv::new();
    let target = env.emulator().origin().trim_start_matches("http://").to_owned();
    let proxy = TlsProxy::start(env.root(), &target, credentials);
    env.program("azd", r#"echo '{"token":"t","expiresOn":"2099-01-01T00:00:00Z"}'"#);
    env.unset("AZURE_AI_MODELS_CREDENTIAL")
        .set("AZURE_PROJECT_ENDPOINT", &format!("https://{HOST}/api/projects/demo"))
        .set("SSL_CERT_FILE", &proxy.authority.to_string_lossy());
    (env, proxy)
}

fn list(env: &TestEnv) -> Output {
    env.run(&["custom", "list", "-o", "json", "--debug"])
}

/// The failure's words: what, and what to do.
fn failure(output: &Output) -> (String, String) {
    let error = output.json_error();
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    (text("message"), text("suggestion"))
}

#[test]
fn a_proxy_and_a_certificate_of_its_own_are_no_obstacle() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let (mut env, proxy) = behind(None);
        env.set(name, &format!("http://{}", proxy.address));
        assert_eq!(list(&env).success().stdout, "[]\n", "{name}");
        assert_eq!(proxy.asked(), [format!("{HOST}:443")], "{name}");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_with_the_way_out() {
    let (mut env, proxy) = behind(None);
    env.set("HTTPS_PROXY", &format!("http://{}", proxy.address)).unset("SSL_CERT_FILE");
    let (message, suggestion) = failure(&list(&env).fails_with(9));
    assert!(message.contains(HOST) && message.contains("certificate"), "{message}");
    assert!(suggestion.contains("SSL_CERT_FILE"), "{suggestion}");
    assert!(env.emulator().requests().is_empty(), "no token went there");
}

#[test]
fn a_proxy_that_asks_who_comes_hears_it_and_nobody_else_does() {
    let (mut env, proxy) = behind(Some(BASIC));
    env.set("HTTPS_PROXY", &format!("http://user:PROXYSECRET@{}", proxy.address));
    let output = list(&env).success();
    assert!(!output.to_string().contains("PROXYSECRET"), "{output}");

    for wrong in [format!("http://{}", proxy.address), format!("http://user:PROXYSECRET2@{}", proxy.address)] {
        env.set("HTTPS_PROXY", &wrong);
        let output = list(&env).fails_with(9);
        let (message, suggestion) = failure(&output);
        assert!(message.contains("proxy") && message.contains("407"), "{message}");
        assert!(suggestion.contains("HTTPS_PROXY") && suggestion.contains("password"), "{suggestion}");
        assert!(!output.to_string().contains("PROXYSECRET"), "{output}");
    }
}

#[test]
fn a_proxy_that_is_not_there_and_a_host_that_nobody_knows_have_their_own_words() {
    let (mut env, proxy) = behind(None);
    env.set("HTTPS_PROXY", "http://127.0.0.1:9");
    let (message, suggestion) = failure(&list(&env).fails_with(9));
    assert!(message.contains("refused") || message.contains("proxy"), "{message}");
    assert!(!suggestion.is_empty());
    // Past the proxy there is no such name on this machine.
    env.set("HTTPS_PROXY", &format!("http://{}", proxy.address)).set("NO_PROXY", ".azure.com");
    let (message, suggestion) = failure(&list(&env).fails_with(9));
    assert!(message.contains(HOST), "{message}");
    assert!(suggestion.contains("network"), "{suggestion}");
    assert!(proxy.asked().is_empty(), "NO_PROXY counts");
}

/// A token for the emulator, or a model's bytes, have no business with a proxy.
#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let mut env = TestEnv::new();
    env.write_model();
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        env.set(name, "http://127.0.0.1:9");
    }
    env.set("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt").set("NO_PROXY", "example.com");
    drop(env.run(&["custom", "create", "-n", "my-model", "--source", "model"]).success());
    // What it starts is led through the same proxy.
    let names = env.azcopy_starts()[0]["env"].to_string();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"] {
        assert!(names.contains(&format!("\"{name}\"")), "{name} is not handed on: {names}");
    }
}
