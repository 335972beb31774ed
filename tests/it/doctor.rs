//! `doctor`: a setup without failures, and one setup for each failure.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Auth, Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{
    BlockStore, CANARY, ConnectProxy, FaultProxy, Output, ResponseFault, Rule, StubAnswer, Terminal, TestEnv, TlsHost,
};

const HOST: &str = "canary-of-the-doctor-tests.services.ai.azure.com";
const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const OTHER_TENANT: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// Token of the user in this tenant, whose signature must never be shown.
fn token(tenant: &str, more: &Value) -> String {
    let mut claims = json!({
        "aud": "https://ai.azure.com",
        "exp": 2_147_385_600,
        "oid": "cccccccc-0000-4000-8000-000000000003",
        "tid": tenant,
        "upn": "me@contoso.com",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{CANARY}", part(&json!({"alg": "none"})), part(&claims))
}

/// Puts an azd on `PATH` that has this token, or says that nobody is signed in.
fn azd(env: &mut TestEnv, token: Option<&str>) {
    let auth = match token {
        Some(token) => format!(r#"echo '{{"token":"{token}","expiresOn":"2038-01-18T00:00:00Z"}}'"#),
        None => {
            r#"echo '{"data":{"message":"ERROR: not logged in, run `azd auth login` to login"}}' >&2; exit 1"#.into()
        }
    };
    env.program(
        "azd",
        &format!(r#"case $1 in version) echo '{{"azd":{{"version":"1.25.0","commit":"0"}}}}';; *) {auth};; esac"#),
    );
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
}

/// A project on this machine with one model, and an azd that is signed in.
fn world() -> TestEnv {
    world_with(Config::default())
}

fn world_with(config: Config) -> TestEnv {
    let mut env = TestEnv::with(config);
    let blobs = env.blobs().base.join("devstoreaccount1/container").expect("a URL");
    let model = json!({"name": "my-model", "version": "1", "blobUri": format!("{blobs}?sv=1&sig={CANARY}")});
    env.emulator().seed(&model).expect("seeded");
    azd(&mut env, Some(&token(TENANT, &json!({}))));
    env
}

/// The page, without numbers of this machine.
fn page(output: &Output) -> String {
    let tidy = |line: &str| match (line.split_once(" free in "), line.split_once("open-files  at most ")) {
        (Some((_, rest)), _) => format!("ok       disk        [SIZE] free in {rest}"),
        (_, Some((start, _))) => format!("{start}open-files  at most [NUMBER]"),
        _ => line.to_owned(),
    };
    output.to_string().lines().map(tidy).collect::<Vec<_>>().join("\n")
}

/// Lines of the checks that are not ok, and standard error.
fn trouble(output: &Output) -> String {
    page(output).lines().filter(|line| !line.starts_with("ok ")).collect::<Vec<_>>().join("\n")
}

fn doctor(env: &TestEnv) -> Output {
    env.run(&["doctor"])
}

/// The check of this name in the document.
fn check(env: &TestEnv, id: &str) -> Value {
    let document = env.run(&["doctor", "-o", "json"]).json();
    let checks = document["checks"].as_array().expect("a list").clone();
    checks.into_iter().find(|check| check["id"] == id).expect("the check")
}

#[test]
fn a_world_where_all_is_well() {
    let env = world();
    insta::assert_snapshot!(page(&doctor(&env)), @"
    ok       azd         1.25.0 ([ROOT]/bin/azd)
    ok       endpoint    http://[EMULATOR]/api/projects/demo (from environment variable AZURE_PROJECT_ENDPOINT)
    ok       variables   none is ignored
    ok       sign-in     azd: me@contoso.com, tenant [UUID], for https://ai.azure.com, until 2038-01-18 00:00 UTC
    ok       dns         127.0.0.1 is this machine
    ok       proxy       none for 127.0.0.1
    ok       tls         127.0.0.1 answers; no TLS, as it is this machine
    ok       clock       agrees with that of 127.0.0.1
    ok       role        the project's models can be read; an upload needs the role Azure AI User or more
    ok       blob-store  127.0.0.1 answers; no TLS, as it is this machine
    ok       azcopy      10.32.2 ([ROOT]/bin/azcopy)
    ok       disk        [SIZE] free in [ROOT]/home
    ok       open-files  at most [NUMBER]
    ok       uploads     none unfinished
    ");
    let requests: Vec<String> =
        env.emulator().requests().iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    assert_eq!(requests, ["HEAD /", "GET /api/projects/demo/models"]);
    assert!(env.blobs().removed().is_empty());
}

#[test]
fn the_document_has_a_schema_and_every_check() {
    let env = world();
    let output = env.run(&["doctor", "-o", "json"]).success();
    assert_eq!(output.stderr, "");
    let document = output.json();
    assert_eq!(document["schemaVersion"], 1);
    let checks = document["checks"].as_array().expect("a list");
    let ids: Vec<&str> = checks.iter().map(|check| check["id"].as_str().expect("a word")).collect();
    assert_eq!(
        ids,
        [
            "azd",
            "endpoint",
            "variables",
            "sign-in",
            "dns",
            "proxy",
            "tls",
            "clock",
            "role",
            "blob-store",
            "azcopy",
            "disk",
            "open-files",
            "uploads"
        ]
    );
    assert_eq!(checks[4], json!({"id": "dns", "status": "ok", "message": "127.0.0.1 is this machine", "fix": null}));
}

#[test]
fn a_terminal_gets_lines_that_fit_and_whole_commands() {
    let mut env = world();
    azd(&mut env, None);
    let ended = Terminal::start(&env, 72, &["doctor"]).finish();
    assert_eq!(ended.code, 1, "{}", ended.screen);
    let screen = env.clean(&ended.screen);
    let sign_in: Vec<&str> = screen.lines().skip_while(|line| !line.contains("sign-in")).take(3).collect();
    insta::assert_snapshot!(sign_in.join("\n"), @"
    failed   sign-in     not signed in to azd: not logged in, run `azd auth
                         login` to login
                         Fix: azd auth login
    ");
}

#[test]
fn nobody_is_signed_in() {
    let mut env = world();
    azd(&mut env, None);
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   sign-in     not signed in to azd: not logged in, run `azd auth login` to login  Fix: azd auth login
    warning  role        not checked: see sign-in
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: sign-in

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
    assert_eq!(env.emulator().requests().len(), 1, "only the HEAD");
}

#[test]
fn azd_is_not_installed() {
    let mut env = world();
    std::fs::remove_file(env.bin().join("azd")).expect("removed");
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   azd         azd was not found  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash
    failed   sign-in     azd is required to sign in, but was not found  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash
    warning  role        not checked: see sign-in
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 2 of 14 checks failed: azd, sign-in

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
    env.set("AZURE_AI_MODELS_CREDENTIAL", "emulator");
    insta::assert_snapshot!(trouble(&doctor(&env)), @"warning  azd         azd was not found; the emulator signs in without it  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash");
}

#[test]
fn an_azd_that_is_too_old_is_a_warning() {
    let env = world();
    env.program(
        "azd",
        &format!(
            r#"case $1 in version) echo '{{"azd":{{"version":"1.23.9"}}}}';; *) echo '{{"token":"{}","expiresOn":"2038-01-18T00:00:00Z"}}';; esac"#,
            token(TENANT, &json!({}))
        ),
    );
    insta::assert_snapshot!(trouble(&doctor(&env)), @"warning  azd         1.23.9 ([ROOT]/bin/azd) is older than 1.24  Fix: curl -fsSL https://aka.ms/install-azd.sh | bash");
}

#[test]
fn the_token_is_judged_by_its_claims() {
    for (more, tenant, expected) in [
        (
            json!({"exp": 1_000_000_000}),
            "",
            "failed: the token of me@contoso.com ended 2001-09-09 01:46 UTC, by this machine's clock; azd auth login",
        ),
        (
            json!({}),
            OTHER_TENANT,
            "failed: the token of me@contoso.com is of tenant [UUID], not of AZURE_TENANT_ID [UUID]; azd auth login --tenant-id [UUID]",
        ),
        (
            json!({"aud": "https://management.azure.com/"}),
            "",
            "warning: azd: me@contoso.com, tenant [UUID], for https://management.azure.com/, until 2038-01-18 00:00 UTC; https://ai.azure.com/.default was asked for; azd auth login",
        ),
        (
            json!({"aud": "dddddddd-0000-4000-8000-000000000004", "upn": null, "appid": "an-app"}),
            TENANT,
            "ok: azd: an-app, tenant [UUID], for [UUID], until 2038-01-18 00:00 UTC; null",
        ),
    ] {
        let mut env = world();
        env.set("AZURE_TENANT_ID", tenant);
        azd(&mut env, Some(&token(TENANT, &more)));
        let check = check(&env, "sign-in");
        let text = |key: &str| check[key].as_str().unwrap_or("null").to_owned();
        assert_eq!(format!("{}: {}; {}", text("status"), text("message"), text("fix")), expected);
    }
}

#[test]
fn no_endpoint_is_a_failure_and_nothing_is_asked() {
    let mut env = world();
    env.unset("AZURE_PROJECT_ENDPOINT");
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   endpoint    no Foundry project endpoint is configured  Fix: azure-ai-models init
    warning  dns         not checked: see endpoint
    warning  proxy       not checked: see endpoint
    warning  tls         not checked: see endpoint
    warning  clock       not checked: see tls
    warning  role        not checked: see endpoint
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: endpoint

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

#[test]
fn an_endpoint_that_breaks_a_rule_names_the_rule() {
    let mut env = world();
    env.set("AZURE_PROJECT_ENDPOINT", "https://foundry.example.com/api/projects/demo");
    let check = check(&env, "endpoint");
    insta::assert_snapshot!(format!("{check:#}"), @r#"
    {
      "id": "endpoint",
      "status": "failed",
      "message": "the project endpoint in environment variable AZURE_PROJECT_ENDPOINT cannot be used: foundry.example.com is not a Foundry host",
      "fix": "Use the form https://ACCOUNT.services.ai.azure.com/api/projects/PROJECT. If you trust this host with your token, set AZURE_AI_MODELS_ALLOW_HOST=foundry.example.com."
    }
    "#);
}

/// A name that does not resolve.
#[test]
fn dns() {
    let mut env = world();
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "nowhere.invalid");
    env.set("AZURE_PROJECT_ENDPOINT", "https://nowhere.invalid/api/projects/demo");
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   dns         the name nowhere.invalid cannot be resolved  Fix: nslookup nowhere.invalid
    warning  tls         not checked: see dns
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: dns

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

/// A project behind a company's proxy, with a certificate of the company's authority.
fn company(proxy: impl FnOnce(&TlsHost) -> ConnectProxy) -> (TestEnv, TlsHost, ConnectProxy) {
    let mut env = world();
    let origin = env.emulator().origin();
    let far = TlsHost::start(HOST, origin.strip_prefix("http://").expect("an HTTP origin"));
    let proxy = proxy(&far);
    env.set("AZURE_PROJECT_ENDPOINT", &format!("https://{HOST}/api/projects/demo"));
    env.set("HTTPS_PROXY", &format!("http://me:{CANARY}@{}", proxy.address()));
    let authority = env.write("company.pem", &far.authority);
    env.set("SSL_CERT_FILE", &authority.to_string_lossy());
    (env, far, proxy)
}

fn network(env: &TestEnv, proxy: &ConnectProxy) -> String {
    let page = page(&doctor(env)).replace(&proxy.address().to_string(), "[PROXY]");
    let is_of_network = |line: &&str| {
        let id = line.split_whitespace().nth(1).unwrap_or_default();
        ["dns", "proxy", "tls", "clock", "role"].contains(&id) || line.starts_with("ERROR")
    };
    page.lines().filter(is_of_network).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_proxy_and_the_companys_authority_are_named() {
    let (env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    ok       proxy       http://[PROXY] for canary-of-the-doctor-tests.services.ai.azure.com, with a user name
    ok       tls         canary-of-the-doctor-tests.services.ai.azure.com answers; its certificate is signed by 'Company Authority'
    ok       clock       agrees with that of canary-of-the-doctor-tests.services.ai.azure.com
    ok       role        the project's models can be read; an upload needs the role Azure AI User or more
    ");
}

#[test]
fn an_authority_that_is_not_trusted_is_named_with_the_variable_to_set() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    env.unset("SSL_CERT_FILE");
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    ok       proxy       http://[PROXY] for canary-of-the-doctor-tests.services.ai.azure.com, with a user name
    failed   tls         the certificate of canary-of-the-doctor-tests.services.ai.azure.com is signed by 'Company Authority', which this machine does not trust; get the certificate of 'Company Authority' from your network administrator as ca.pem  Fix: export SSL_CERT_FILE=ca.pem
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    ERROR: 1 of 14 checks failed: tls
    ");
    let seen = env.emulator().requests();
    assert!(seen.is_empty(), "nothing is sent over such a connection: {seen:?}");
}

/// The newest model decides which store is asked.
#[test]
fn the_way_to_the_blob_store_is_judged_like_that_to_the_project() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    let newest = json!({"name": "far-model", "version": "1", "blobUri": format!("https://{HOST}/container?sig={CANARY}"),
        "systemData": {"createdAt": "2030-01-01T00:00:00Z"}});
    env.emulator().seed(&newest).expect("seeded");
    insta::assert_snapshot!(check(&env, "blob-store")["message"].as_str().expect("words"), @"canary-of-the-doctor-tests.services.ai.azure.com answers; its certificate is signed by 'Company Authority'");
    assert!(env.emulator().requests().iter().all(|request| !request.path.contains("container")));
    // The way to the project stays; the store is asked past the proxy, where its name has no address.
    let near = env.emulator().endpoint();
    env.set("AZURE_PROJECT_ENDPOINT", &near).set("NO_PROXY", HOST);
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   blob-store  the name canary-of-the-doctor-tests.services.ai.azure.com cannot be resolved  Fix: nslookup canary-of-the-doctor-tests.services.ai.azure.com
    ------- stderr -------
    ERROR: 1 of 14 checks failed: blob-store

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
    drop(proxy);
}

#[test]
fn what_is_no_blob_store_is_told() {
    let env = world();
    env.blobs().says(StubAnswer::Error(302, ""));
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   blob-store  what answers as 127.0.0.1 is not a blob store: a proxy or gateway may respond in its place  Fix: Sign in to the network in a browser, or check HTTPS_PROXY and NO_PROXY.
    ------- stderr -------
    ERROR: 1 of 14 checks failed: blob-store

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

#[test]
fn a_certificate_file_that_is_missing_is_named() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    env.set("SSL_CERT_FILE", "/nowhere.pem");
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    ok       proxy       http://[PROXY] for canary-of-the-doctor-tests.services.ai.azure.com, with a user name
    failed   tls         could not prepare for HTTPS requests: SSL_CERT_FILE names /nowhere.pem, which cannot be read: No such file or directory (os error 2)  Fix: Correct SSL_CERT_FILE and SSL_CERT_DIR, or unset them.
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    ERROR: 1 of 14 checks failed: tls
    ");
}

#[test]
fn a_proxy_that_wants_a_password() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, Some("another password")));
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    failed   proxy       http://[PROXY] refuses the user name and password (407)  Fix: export HTTPS_PROXY=http://USER:PASSWORD@[PROXY]
    warning  tls         not checked: see proxy
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    ERROR: 1 of 14 checks failed: proxy
    ");
    env.set("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    failed   proxy       http://[PROXY] requires a user name and password (407)  Fix: export HTTPS_PROXY=http://USER:PASSWORD@[PROXY]
    warning  tls         not checked: see proxy
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    ERROR: 1 of 14 checks failed: proxy
    ");
}

#[test]
fn a_proxy_that_forbids_the_host() {
    let (env, _far, proxy) = company(|_| ConnectProxy::refusing(403));
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    failed   proxy       http://[PROXY] does not allow canary-of-the-doctor-tests.services.ai.azure.com  Fix: export NO_PROXY=$NO_PROXY,canary-of-the-doctor-tests.services.ai.azure.com
    warning  tls         not checked: see proxy
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    ERROR: 1 of 14 checks failed: proxy
    ");
}

#[test]
fn a_proxy_that_is_down() {
    let (mut env, _far, proxy) = company(|far| ConnectProxy::start(far.address, None));
    env.set("HTTPS_PROXY", &format!("http://me:{CANARY}@127.0.0.1:9"));
    insta::assert_snapshot!(network(&env, &proxy), @"
    ok       dns         canary-of-the-doctor-tests.services.ai.azure.com is resolved by the proxy
    failed   proxy       http://127.0.0.1:9 cannot be reached  Fix: curl -v http://127.0.0.1:9
    warning  tls         not checked: see proxy
    warning  clock       not checked: see tls
    warning  role        not checked: see tls
    ERROR: 1 of 14 checks failed: proxy
    ");
}

/// The project behind a server whose answers to HEAD carry this time.
fn at_time(env: &mut TestEnv, time: SystemTime) -> FaultProxy {
    let answer =
        format!("HTTP/1.1 404 X\r\ndate: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", http_date(time));
    let rule = Rule { route: "HEAD".into(), spoil: ResponseFault::Instead(answer.into_bytes()), always: true };
    let origin = env.emulator().origin();
    let server = origin.strip_prefix("http://").expect("an HTTP origin");
    let proxy = FaultProxy::start(server, Some(rule), |method, _| method.to_owned());
    env.set("AZURE_PROJECT_ENDPOINT", &format!("http://{}/api/projects/demo", proxy.authority()));
    proxy
}

fn http_date(time: SystemTime) -> String {
    let form = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time::OffsetDateTime::from(time).format(&form).expect("a date")
}

#[test]
fn a_clock_that_is_ten_minutes_off_fails() {
    for (time, word) in [
        (SystemTime::now() - Duration::from_secs(600), "ahead"),
        (SystemTime::now() + Duration::from_secs(600), "behind"),
    ] {
        let mut env = world();
        let _proxy = at_time(&mut env, time);
        let output = doctor(&env).fails_with(1);
        assert!(output.stderr.contains("1 of 14 checks failed: clock"), "{output}");
        let line = output.stdout.lines().find(|line| line.contains("  clock  ")).expect("the check");
        assert!(line.starts_with("failed") && line.contains(&format!(" {word} of the clock of 127.0.0.1")), "{line}");
        assert!(line.ends_with("a SAS fails beyond 5 minutes  Fix: sudo timedatectl set-ntp true"), "{line}");
    }
}

#[test]
fn a_clock_that_is_two_minutes_off_is_a_warning() {
    let mut env = world();
    let _proxy = at_time(&mut env, SystemTime::now() - Duration::from_secs(120));
    assert_eq!(check(&env, "clock")["status"], "warning");
}

#[test]
fn a_token_that_the_service_refuses() {
    let env = world_with(Config { auth: Auth::RejectAll, ..Config::default() });
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   role        Foundry rejected the token: The bearer *** is missing, expired, or not for this resource. (Unauthorized)  Fix: azd auth login
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: role

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

#[test]
fn a_token_of_another_tenant() {
    let tenant = Some(OTHER_TENANT.to_owned());
    let env = world_with(Config { auth: Auth::RejectAll, tenant, ..Config::default() });
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   role        the project belongs to tenant [UUID], and the token is of tenant [UUID] (401)  Fix: export AZURE_TENANT_ID=[UUID] && azd auth login --tenant-id [UUID]
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: role

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

#[test]
fn a_role_that_is_missing() {
    let env = world();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(403)));
    insta::assert_snapshot!(trouble(&doctor(&env)), @r#"
    failed   role        no permission: The emulator was told to fail. (InjectedFault)  Fix: az role assignment create --role "Azure AI User" --assignee [UUID] --scope PROJECT_ID
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: role

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    "#);
}

#[test]
fn a_project_that_is_not_there() {
    let env = world();
    let endpoint = env.emulator().endpoint().replace("/demo", "/other");
    insta::assert_snapshot!(trouble(&env.run(&["doctor", "-e", &endpoint])), @"
    failed   role        project not found: Project 'other' was not found. (ProjectNotFound)  Fix: azure-ai-models init --force --project-endpoint http://[EMULATOR]/api/projects/other
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: role

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

#[test]
fn a_service_that_is_broken_is_asked_once() {
    let env = world();
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(500)));
    insta::assert_snapshot!(trouble(&doctor(&env)), @"
    failed   role        Foundry refused: The emulator was told to fail. (InjectedFault)  Fix: azure-ai-models custom list --debug
    warning  blob-store  not checked: see role
    ------- stderr -------
    ERROR: 1 of 14 checks failed: role

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
    assert_eq!(env.emulator().requests().len(), 2);
}

#[test]
fn without_azcopy_there_is_another_way() {
    let env = world();
    std::fs::remove_file(env.bin().join("azcopy")).expect("removed");
    insta::assert_snapshot!(trouble(&doctor(&env)), @"warning  azcopy      azcopy was not found in PATH, [ROOT]/home/.azd/bin, [ROOT]/home/.azure/bin; 'custom create' downloads it if needed  Fix: export AZURE_AI_MODELS_ENGINE=native");
}

#[test]
fn an_azcopy_that_does_not_run_is_a_failure() {
    let env = world();
    env.program("azcopy", "echo 'azcopy: error while loading shared libraries' >&2; exit 127");
    insta::assert_snapshot!(trouble(&doctor(&env)).replace(azure_ai_models_core::azcopy::download_url(), "[URL]"), @"
    failed   azcopy      [ROOT]/bin/azcopy was found but does not run (exit 127): azcopy: error while loading shared libraries  Fix: Install AzCopy v10: [URL]
    ------- stderr -------
    ERROR: 1 of 14 checks failed: azcopy

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
}

#[test]
fn a_full_disk() {
    let env = world();
    let output = env.run_after("trap '' XFSZ; ulimit -f 4", &["doctor"]);
    insta::assert_snapshot!(trouble(&output), @"
    failed   disk        [ROOT]/home cannot be written: File too large (os error 27)  Fix: export AZD_CONFIG_DIR=DIR
    ------- stderr -------
    ERROR: 1 of 14 checks failed: disk

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    ");
    let left: Vec<_> =
        std::fs::read_dir(env.home()).expect("the home").map(|entry| entry.expect("an entry").path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_small_limit_of_open_files_is_a_warning() {
    let env = world();
    let output = env.run_after("ulimit -n 64", &["doctor"]).success();
    let line = output.stdout.lines().find(|line| line.contains("open-files")).expect("the check");
    assert_eq!(
        line,
        "warning  open-files  the limit is 64; the native engine needs 96 for all its connections  Fix: ulimit -n 4096"
    );
}

#[test]
fn an_upload_that_waits_is_told_with_the_command_that_resumes_it() {
    let mut env = world();
    env.write_model();
    env.azcopy_script("init\nerror no");
    env.run(&["create", "-n", "other-model", "--source", "model"]).fails_with(7);
    env.azcopy_script("default");
    let warned = trouble(&doctor(&env)).replace("resume ", "discard ");
    insta::assert_snapshot!(env.clean(&warned).replace("discard ", "resume "), @"warning  uploads     'other-model' version 1 is interrupted  Fix: azure-ai-models custom uploads resume [UPLOAD]");
}

#[test]
fn a_variable_that_does_not_count_is_named() {
    let mut env = world();
    env.write("azure.yaml", "name: demo\n");
    env.write(".azure/config.json", r#"{"version":1,"defaultEnvironment":"dev"}"#);
    env.write(".azure/dev/.env", "AZURE_AI_MODELS_SCOPE=\"https://evil/.default\"\n");
    env.set("AZURE_AI_MODELS_SCOPE", "https://evil/.default");
    let endpoint = env.emulator().endpoint();
    insta::assert_snapshot!(trouble(&env.run(&["doctor", "-e", &endpoint])), @"warning  variables   AZURE_AI_MODELS_SCOPE is ignored: it is set by the azd environment 'dev', but only accepted from your own environment  Fix: Set it in your own environment, and remove it from the azd environment.");
}

#[test]
fn azd_that_runs_the_program_is_told_of_a_failure() {
    let mut env = world();
    azd(&mut env, None);
    let endpoint = env.emulator().endpoint();
    let values = [("AZURE_PROJECT_ENDPOINT", &*endpoint), ("SSL_CERT_FILE", "/evil.pem")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    env.run_by(&host).set("SSL_CERT_FILE", "/evil.pem");
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    let output = env.run(&["doctor"]);
    insta::assert_snapshot!(trouble(&output), @"
    warning  variables   SSL_CERT_FILE is ignored: it is set by the azd environment 'dev', but only accepted from your own environment  Fix: Set it in your own environment, and remove it from the azd environment.
    failed   sign-in     not signed in to azd: not logged in, run `azd auth login` to login  Fix: azd auth login
    warning  role        not checked: see sign-in
    warning  blob-store  not checked: see role
    [exit code: 1]
    ");
    assert_eq!(host.calls().iter().filter(|call| call.method == "Extension.ReportError").count(), 1);
    let output = env.run(&["doctor", "-o", "json"]).fails_with(1);
    assert!(output.stderr.is_empty(), "{output}");
}

#[test]
fn the_speed_is_measured_and_nothing_is_left() {
    let store = BlockStore::start();
    let mut env = TestEnv::storing(Config::default(), &store);
    azd(&mut env, Some(&token(TENANT, &json!({}))));
    env.emulator().seed(&json!({"name": "my-model", "version": "7"})).expect("seeded");
    let output = env.run(&["doctor", "--speed", "--name", "my-model"]);
    let line = output.stdout.lines().last().unwrap_or_default();
    assert!(line.starts_with("ok       speed       ") && line.contains("/s to [BLOBS]: 16.0 MB in blocks"), "{output}");
    assert!(store.names().is_empty(), "no blob came to be: {:?}", store.names());
    let paths: Vec<String> = env.emulator().requests().iter().map(|request| request.path.clone()).collect();
    let started = "/api/projects/demo/models/my-model/versions/8/startPendingUpload".to_owned();
    assert_eq!(paths.iter().filter(|path| path.contains("/versions/")).collect::<Vec<_>>(), [&started], "{paths:?}");
}

#[test]
fn a_speed_that_cannot_be_measured_says_why() {
    let env = world();
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, FaultKind::status(403)));
    insta::assert_snapshot!(trouble(&env.run(&["doctor", "--speed", "-n", "my-model"])), @r#"
    failed   speed       not measured, as there is no permission to upload: The emulator was told to fail. (InjectedFault)  Fix: az role assignment create --role "Azure AI User" --assignee USER --scope PROJECT_ID
    ------- stderr -------
    ERROR: 1 of 15 checks failed: speed

    Suggestion: Fix the first one first: it often causes the failures below it.
    [exit code: 1]
    "#);
    env.run(&["doctor", "--speed"]).fails_with(2);
}
