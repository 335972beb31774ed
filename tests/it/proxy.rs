//! A company proxy and its own certificates: the effect of the environment variables, and the messages without them.
//!
//! The host behind the proxy is named like a project, and cannot be resolved here.

use base64::Engine as _;
use foundry_emulator::{Auth, Config};
use serde_json::json;

use crate::support::{CANARY, ConnectProxy, Output, TestEnv, TlsHost};

const HOST: &str = "canary-of-the-proxy-tests.services.ai.azure.com";
const AZD: &str = r#"echo '{"token":"the-token-of-azd","expiresOn":"2038-01-18T00:00:00Z"}'"#;
const CREATE: [&str; 5] = ["create", "-n", "my-model", "--source", "model"];

/// A project behind a proxy, and the variables that point to it.
struct ProxiedStore {
    env: TestEnv,
    far: TlsHost,
    proxy: ConnectProxy,
}

impl ProxiedStore {
    /// A proxy that requires no credentials.
    fn new() -> Self {
        Self::with(|far| ConnectProxy::start(far.address, None))
    }

    fn with(proxy: impl FnOnce(&TlsHost) -> ConnectProxy) -> Self {
        let mut env = TestEnv::with(Config { auth: Auth::Token("the-token-of-azd".into()), ..Config::default() });
        env.emulator().seed(&json!({"name": "far-model", "version": "1"})).expect("seeded");
        let origin = env.emulator().origin();
        let far = TlsHost::start(HOST, origin.strip_prefix("http://").expect("an HTTP origin"));
        let proxy = proxy(&far);
        env.program("azd", AZD);
        env.unset("AZURE_AI_MODELS_CREDENTIAL");
        env.set("AZURE_PROJECT_ENDPOINT", &format!("https://{HOST}/api/projects/demo"));
        env.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
        let authority = env.write("company.pem", &far.authority);
        env.set("SSL_CERT_FILE", &authority.to_string_lossy());
        Self { env, far, proxy }
    }

    fn list(&self) -> Output {
        self.env.run(&["list"])
    }

    /// Checks that the list succeeds, and was requested through the proxy.
    fn assert_reached(&self) {
        let output = self.list().success();
        assert!(output.stdout.contains("far-model"), "{output}");
        assert_eq!(self.proxy.seen(), [format!("CONNECT {HOST}:443 HTTP/1.1")]);
    }
}

#[test]
fn project_is_reached_through_proxy_and_own_authority() {
    let company = ProxiedStore::new();
    company.assert_reached();
    let requests = company.env.emulator().requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].headers["host"], HOST);
}

#[test]
fn variables_apply_in_lower_case_and_for_all_protocols() {
    for name in ["https_proxy", "ALL_PROXY", "all_proxy"] {
        let mut company = ProxiedStore::new();
        let value = format!("http://{}", company.proxy.address());
        company.env.unset("HTTPS_PROXY").set(name, &value);
        company.assert_reached();
    }
}

#[test]
fn certificate_directory_is_used() {
    let mut company = ProxiedStore::new();
    let directory = company.env.work().join("certificates");
    company.env.write("certificates/01234567.0", &company.far.authority);
    company.env.unset("SSL_CERT_FILE").set("SSL_CERT_DIR", &directory.to_string_lossy());
    company.assert_reached();
}

/// The file is a pipe, which is deleted before its first reader reaches the end.
#[cfg(unix)]
#[test]
fn certificates_are_read_once() {
    let mut company = ProxiedStore::new();
    let pipe = company.env.work().join("pipe.pem");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    company.env.set("SSL_CERT_FILE", &pipe.to_string_lossy());
    let authority = company.far.authority.clone();
    let writer = std::thread::spawn(move || {
        let mut end = std::fs::OpenOptions::new().write(true).open(&pipe).expect("a reader");
        std::io::Write::write_all(&mut end, authority.as_bytes()).expect("written");
        std::fs::remove_file(&pipe).expect("removed");
    });
    company.assert_reached();
    writer.join().expect("written");
}

#[test]
fn http_to_this_machine_reads_no_certificates() {
    let mut env = TestEnv::new();
    env.emulator().seed(&json!({"name": "near-model", "version": "1"})).expect("seeded");
    let missing = env.work().join("missing.pem");
    env.set("SSL_CERT_FILE", &missing.to_string_lossy());
    assert!(env.run(&["list"]).success().stdout.contains("near-model"));
}

#[test]
fn missing_authority_names_the_variable() {
    let mut company = ProxiedStore::new();
    company.env.unset("SSL_CERT_FILE");
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    ERROR: could not reach canary-of-the-proxy-tests.services.ai.azure.com:443: the TLS connection failed (invalid peer certificate: UnknownIssuer)

    Suggestion: If a company proxy inspects TLS, set SSL_CERT_FILE to its certificate.
    [exit code: 9]
    ");
    assert!(company.env.emulator().requests().is_empty());
}

#[test]
fn certificate_file_that_is_missing_or_empty_is_named() {
    let mut company = ProxiedStore::new();
    let missing = company.env.work().join("missing.pem");
    company.env.set("SSL_CERT_FILE", &missing.to_string_lossy());
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    ERROR: could not prepare for HTTPS requests: SSL_CERT_FILE names [ROOT]/here/missing.pem, which cannot be read: No such file or directory (os error 2)

    Suggestion: Check the system certificates, or SSL_CERT_FILE and SSL_CERT_DIR if they are set.
    [exit code: 1]
    ");
    let empty = company.env.write("empty.pem", "");
    company.env.set("SSL_CERT_FILE", &empty.to_string_lossy());
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    ERROR: could not prepare for HTTPS requests: SSL_CERT_FILE names [ROOT]/here/empty.pem, which contains no PEM certificate

    Suggestion: Check the system certificates, or SSL_CERT_FILE and SSL_CERT_DIR if they are set.
    [exit code: 1]
    ");
    assert!(company.env.emulator().requests().is_empty());
}

#[test]
fn certificate_directory_without_certificates_names_its_variable() {
    let mut company = ProxiedStore::new();
    let missing = company.env.work().join("missing");
    company.env.unset("SSL_CERT_FILE").set("SSL_CERT_DIR", &missing.to_string_lossy());
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    ERROR: could not prepare for HTTPS requests: SSL_CERT_DIR is [ROOT]/here/missing, where no PEM certificate was found

    Suggestion: Check the system certificates, or SSL_CERT_FILE and SSL_CERT_DIR if they are set.
    [exit code: 1]
    ");
}

#[test]
fn password_in_the_proxys_address_works_and_is_not_shown() {
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("me:{CANARY}"));
    let mut company = ProxiedStore::with(|far| ConnectProxy::start(far.address, Some(&wanted)));
    let value = format!("http://me:{CANARY}@{}", company.proxy.address());
    company.env.set("HTTPS_PROXY", &value);
    let output = company.env.run(&["list", "--debug"]).success();
    assert!(output.stdout.contains("far-model"), "{output}");
    for shown in [output.to_string(), company.env.run(&["list", "--debug", "-o", "json"]).success().to_string()] {
        assert!(!shown.contains(CANARY) && !shown.contains(&wanted), "{shown}");
    }
}

#[test]
fn proxy_that_needs_a_password_is_reported() {
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("me:{CANARY}"));
    let mut company = ProxiedStore::with(|far| ConnectProxy::start(far.address, Some(&wanted)));
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    ERROR: could not reach canary-of-the-proxy-tests.services.ai.azure.com:443: the proxy returned 407

    Suggestion: Add the proxy's user name and password to HTTPS_PROXY, as USER:PASSWORD@ before the host.
    [exit code: 9]
    ");
    let wrong = format!("http://me:not{CANARY}@{}", company.proxy.address());
    company.env.set("HTTPS_PROXY", &wrong);
    let output = company.env.run(&["list", "--debug"]).fails_with(9);
    assert!(output.stderr.contains("407") && !output.to_string().contains(CANARY), "{output}");
    assert_eq!(company.proxy.seen().len(), 2, "a rejected password is not sent again");
    assert!(company.env.emulator().requests().is_empty());
}

#[test]
fn proxy_that_forbids_the_host_is_distinguished_from_the_service() {
    let company = ProxiedStore::with(|_| ConnectProxy::refusing(403));
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    ERROR: could not reach canary-of-the-proxy-tests.services.ai.azure.com:443: the proxy refused the request

    Suggestion: Ask the administrator of the proxy in HTTPS_PROXY to allow this host, or add the host to NO_PROXY.
    [exit code: 9]
    ");
    assert_eq!(company.proxy.seen().len(), 1);
}

#[test]
fn unreachable_proxy_is_reported() {
    let mut company = ProxiedStore::new();
    // The connection is refused, and the password must not be shown.
    company.env.set("HTTPS_PROXY", &format!("http://me:{CANARY}@127.0.0.1:9"));
    insta::assert_snapshot!(company.list(), @"
    ------- stderr -------
    Could not reach canary-of-the-proxy-tests.services.ai.azure.com:443: the proxy cannot be reached (Connection refused (os error 111)); retrying in 0 s (2 of 5)
    ERROR: could not reach canary-of-the-proxy-tests.services.ai.azure.com:443: the proxy cannot be reached (Connection refused (os error 111))

    Suggestion: Check the proxy in HTTPS_PROXY. To bypass it for a host, add the host to NO_PROXY.
    [exit code: 9]
    ");
    let error = company.env.run(&["list", "-o", "json"]).fails_with(9).json_error();
    assert_eq!(error["code"], "network", "{error}");
}

#[test]
fn no_proxy_bypasses_the_proxy() {
    for (name, value) in [("NO_PROXY", "nowhere.invalid"), ("no_proxy", ".invalid"), ("NO_PROXY", "*")] {
        let mut company = ProxiedStore::new();
        company.env.set("AZURE_AI_MODELS_ALLOW_HOST", "nowhere.invalid");
        company.env.set("AZURE_PROJECT_ENDPOINT", "https://nowhere.invalid/api/projects/demo").set(name, value);
        let output = company.list().fails_with(9);
        // The name cannot be resolved, so no other host was contacted.
        assert!(output.stderr.contains("the host name cannot be resolved"), "{output}");
        assert!(company.proxy.seen().is_empty(), "{name}={value}");
    }
    let mut company = ProxiedStore::new();
    company.env.set("NO_PROXY", "example.com,azure.org");
    company.assert_reached();
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let mut company = ProxiedStore::new();
    let proxy = format!("http://{}", company.proxy.address());
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        company.env.set(name, &proxy);
    }
    let near = company.env.emulator().endpoint();
    company.env.set("AZURE_PROJECT_ENDPOINT", &near);
    let output = company.list().success();
    assert!(output.stdout.contains("far-model"), "{output}");
    assert!(company.proxy.seen().is_empty());
}

#[test]
fn azcopy_inherits_proxy_and_certificates() {
    let mut company = ProxiedStore::new();
    let near = company.env.emulator().endpoint();
    company.env.set("AZURE_PROJECT_ENDPOINT", &near).write_model();
    let authority = company.env.work().join("company.pem").to_string_lossy().into_owned();
    let proxy = format!("http://{}", company.proxy.address());
    let directory = company.env.work().to_string_lossy().into_owned();
    let given = [
        ("HTTPS_PROXY", &*proxy),
        ("https_proxy", &*proxy),
        ("HTTP_PROXY", &*proxy),
        ("NO_PROXY", "example.com"),
        ("no_proxy", "example.org"),
        ("SSL_CERT_FILE", &*authority),
        ("SSL_CERT_DIR", &*directory),
    ];
    for (name, value) in given {
        company.env.set(name, value);
    }
    company.env.run(&CREATE).success();
    let starts = company.env.azcopy_starts();
    assert!(!starts.is_empty());
    for start in starts {
        let environment: Vec<&str> = start["environ"].as_str().expect("variables").split('\0').collect();
        for (name, value) in given {
            assert!(environment.contains(&&*format!("{name}={value}")), "{name} in {environment:?}");
        }
    }
    assert!(company.proxy.seen().is_empty());
}
