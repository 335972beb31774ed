//! `doctor`: the page and the document if all checks pass, and how failures are reported.

mod clock;
mod machine;
mod network;
mod project;
mod sign_in;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Config, Fault, FaultKind, Route};
use serde_json::{Value, json};

use crate::support::{BlockStore, CANARY, Output, Terminal, TestEnv};

const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000001";

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

/// Puts an azd on `PATH` that returns this token, or reports that the user is not signed in.
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
fn fixture() -> TestEnv {
    fixture_with(Config::default())
}

fn fixture_with(config: Config) -> TestEnv {
    let mut env = TestEnv::with(config);
    let blobs = env.blobs().base.join("devstoreaccount1/container").expect("a URL");
    let model = json!({"name": "my-model", "version": "1", "blobUri": format!("{blobs}?sv=1&sig={CANARY}")});
    env.emulator().seed(&model).expect("seeded");
    azd(&mut env, Some(&token(TENANT, &json!({}))));
    env
}

/// The page, with values that depend on the machine masked.
fn page(output: &Output) -> String {
    let tidy = |line: &str| match (line.split_once(" free in "), line.split_once("open-files  at most ")) {
        (Some((_, rest)), _) => format!("ok       disk        [SIZE] free in {rest}"),
        (_, Some((start, _))) => format!("{start}open-files  at most [NUMBER]"),
        _ => line.to_owned(),
    };
    output.to_string().lines().map(tidy).collect::<Vec<_>>().join("\n")
}

/// Lines of the checks that did not pass, and standard error.
fn problems(output: &Output) -> String {
    page(output).lines().filter(|line| !line.starts_with("ok ")).collect::<Vec<_>>().join("\n")
}

/// As [`problems`], without the end, which is compared: exit code 1, and the ids of the failed checks.
fn failures(output: &Output, ids: &str) -> String {
    let all = page(output).lines().take_while(|line| !line.starts_with("---")).count();
    let failed = ids.split(", ").count();
    let end = format!(
        "ERROR: {failed} of {all} checks failed: {ids}\n\nSuggestion: Fix the first one first: it often causes the failures below it.\n[exit code: 1]"
    );
    let problems = problems(output);
    let (lines, stderr) = problems.split_once("\n------- stderr -------\n").expect("a failure");
    assert_eq!(stderr, end);
    lines.to_owned()
}

fn doctor(env: &TestEnv) -> Output {
    env.run(&["doctor"])
}

/// The check with this id in the document.
fn check(env: &TestEnv, id: &str) -> Value {
    let document = env.run(&["doctor", "-o", "json"]).json();
    let checks = document["checks"].as_array().expect("a list").clone();
    checks.into_iter().find(|check| check["id"] == id).expect("the check")
}

#[test]
fn all_checks_pass() {
    let env = fixture();
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
fn json_has_a_schema_and_every_check() {
    let env = fixture();
    let output = env.run(&["doctor", "-o", "json"]).success();
    assert_eq!(output.stderr, "");
    let document = output.json();
    assert_eq!(document["schemaVersion"], 1);
    let checks = document["checks"].as_array().expect("a list");
    let ids: Vec<&str> = checks.iter().map(|check| check["id"].as_str().expect("a string")).collect();
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
fn terminal_lines_fit_and_commands_stay_complete() {
    let mut env = fixture();
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
fn missing_sign_in_fails() {
    let mut env = fixture();
    azd(&mut env, None);
    insta::assert_snapshot!(problems(&doctor(&env)), @"
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
fn failure_is_reported_to_azd() {
    let mut env = fixture();
    azd(&mut env, None);
    let endpoint = env.emulator().endpoint();
    let values = [("AZURE_PROJECT_ENDPOINT", &*endpoint), ("SSL_CERT_FILE", "/evil.pem")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    env.run_by(&host).set("SSL_CERT_FILE", "/evil.pem");
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    let output = env.run(&["doctor"]);
    insta::assert_snapshot!(problems(&output), @"
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
fn speed_is_measured_and_no_blob_is_left() {
    let store = BlockStore::start();
    let mut env = TestEnv::with_store(Config::default(), &store);
    azd(&mut env, Some(&token(TENANT, &json!({}))));
    env.emulator().seed(&json!({"name": "my-model", "version": "7"})).expect("seeded");
    let output = env.run(&["doctor", "--speed", "--name", "my-model"]);
    let line = output.stdout.lines().last().unwrap_or_default();
    assert!(line.starts_with("ok       speed       ") && line.contains("/s to [BLOBS]: 16.0 MB in blocks"), "{output}");
    assert!(store.names().is_empty(), "no blob was created: {:?}", store.names());
    let paths: Vec<String> = env.emulator().requests().iter().map(|request| request.path.clone()).collect();
    let started = "/api/projects/demo/models/my-model/versions/8/startPendingUpload".to_owned();
    assert_eq!(paths.iter().filter(|path| path.contains("/versions/")).collect::<Vec<_>>(), [&started], "{paths:?}");
}

#[test]
fn failed_speed_measurement_reports_the_reason() {
    let env = fixture();
    env.emulator().add_fault(Fault::new(Route::StartPendingUpload, FaultKind::status(403)));
    insta::assert_snapshot!(failures(&env.run(&["doctor", "--speed", "-n", "my-model"]), "speed"), @r#"
    failed   speed       not measured, as there is no permission to upload: The emulator was told to fail. (InjectedFault)  Fix: az role assignment create --role "Azure AI User" --assignee USER --scope PROJECT_ID
    "#);
    env.run(&["doctor", "--speed"]).fails_with(2);
}
