//! Output holds no secret: every run here has one in each place where a secret can be, and all its output is searched
//! for it. The one exception is AzCopy's argument list, with which each test proves that the secret was there.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use azure_ai_models::testing::parse;
use azure_ai_models_core::azcopy::{CopyJob, JobSource};
use azure_ai_models_core::credential::{TokenSource, TokenTarget};
use azure_ai_models_core::env::{Env, Timings};
use azure_ai_models_core::http::{Method, Request, Retry};
use azure_ai_models_core::redact::{SecretUrl, Token};
use azure_ai_models_core::store::UploadLocation;
use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Auth, Config, Fault, FaultKind, OperationEnd, Route};
use serde_json::json;

use crate::support::{CANARY, StubAnswer, Terminal, TestEnv, eventually, wait};

const CREATE: [&str; 6] = ["custom", "create", "--name", "my-model", "--source", "model"];
/// Form of a SAS in messages of others.
const LEAK: &str = "http://h/c?sv=1&secret=CANARY5A5&sig=CANARY5A5&x";

/// Each run is done in all these ways of telling.
const WAYS: [&[&str]; 6] = [
    &[],
    &["--debug"],
    &["-o", "json"],
    &["--progress", "json"],
    &["--debug", "-o", "json", "--progress", "json"],
    &["--debug", "--progress", "plain"],
];

fn env_with(config: Config) -> TestEnv {
    let mut env = TestEnv::with(config);
    env.write_model();
    env.set("RUST_BACKTRACE", "1");
    env
}

fn env() -> TestEnv {
    env_with(Config::default())
}

/// All files below a directory whose name or content holds the canary.
fn holders(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains(CANARY) {
            found.insert(path.clone());
        }
        if path.is_dir() {
            found.extend(holders(&path));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(CANARY)) {
            found.insert(path);
        }
    }
    found
}

fn held(env: &TestEnv) -> BTreeSet<PathBuf> {
    let mut found = holders(&env.home());
    found.extend(holders(&env.work()));
    found
}

/// Fails if the output or the files of a run contain the canary. `before`: the files of the test itself that hold it.
fn assert_clean(what: &str, env: &TestEnv, before: &BTreeSet<PathBuf>, raw: &std::process::Output) {
    // The raw bytes, since the normalised output of other tests omits parts.
    for (stream, bytes) in [("stdout", &raw.stdout), ("stderr", &raw.stderr)] {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(CANARY), "{what}: the secret is on {stream}:\n{text}");
        assert!(!text.contains("panicked at"), "{what}: a panic:\n{text}");
    }
    let fresh: Vec<PathBuf> = held(env).difference(before).cloned().collect();
    assert!(fresh.is_empty(), "{what}: the secret is in {fresh:?}");
}

/// Runs a command in every way of telling, and searches all that each wrote.
fn search(what: &str, env: &TestEnv, args: &[&str], code: i32) {
    let is_create = args.contains(&"create");
    for way in WAYS.iter().filter(|way| is_create || !way.contains(&"--progress")) {
        let args = [args, way].concat();
        // Each run is separate: none resumes the one before it.
        drop(fs::remove_dir_all(env.home().join(".azd/ai-models/uploads")));
        let before = held(env);
        let child = env.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let raw = wait(child);
        let what = format!("{what} {way:?}");
        assert_clean(&what, env, &before, &raw);
        let output = env.output(&raw);
        assert_eq!(output.code, Some(code), "{what}: {output}");
        assert!(
            code == 2 || !way.contains(&"--debug") || output.stderr.contains("debug: "),
            "{what}: no trace: {output}"
        );
        if is_create && code == 0 {
            // The next case creates the same version again.
            env.emulator().reset();
        }
    }
}

/// Every start of AzCopy was given the SAS, in its arguments and nowhere else.
fn assert_handed_over(env: &TestEnv) {
    let starts = env.azcopy_starts();
    assert!(!starts.is_empty(), "AzCopy never ran, so nothing was proved");
    for start in starts {
        assert!(start["argv"].to_string().contains(CANARY), "no SAS in {start}");
        if cfg!(target_os = "linux") {
            let environ = start["environ"].as_str().expect("the environment, as /proc has it");
            assert!(environ.contains("AZCOPY_LOG_LOCATION=") && !environ.contains(CANARY), "{environ}");
        }
        assert!(!start["list"].to_string().contains(CANARY));
    }
}

#[test]
fn success_shows_no_sas() {
    let env = env();
    search("success", &env, &CREATE, 0);
    assert_handed_over(&env);
}

#[test]
fn a_terminal_shows_no_sas() {
    let mut env = env();
    for (script, code) in [("default".to_owned(), 0), (format!("info {LEAK}\ninit\nerror no: {LEAK}"), 7)] {
        env.azcopy_script(&script);
        let ended = Terminal::start(&env, 100, &[&CREATE[..], &["--debug"]].concat()).finish();
        // All output to the terminal, not only the final screen.
        assert!(!ended.raw.contains(CANARY), "{}", ended.raw);
        assert_eq!(ended.code, code, "{}", ended.screen);
        env.emulator().reset();
    }
    assert_handed_over(&env);
}

#[test]
fn a_refused_sas_is_not_shown() {
    for says in [
        StubAnswer::Error(403, "AuthenticationFailed"),
        StubAnswer::Error(404, "ContainerNotFound"),
        StubAnswer::Error(400, "InvalidQueryParameterValue"),
        StubAnswer::Error(500, "InternalError"),
        StubAnswer::Nothing,
    ] {
        let mut env = env();
        env.blobs().says(says.clone());
        if matches!(says, StubAnswer::Nothing) {
            env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.4");
        }
        let code = if matches!(says, StubAnswer::Error(403 | 404, _)) { 7 } else { 9 };
        let code = if matches!(says, StubAnswer::Error(400, _)) { 1 } else { code };
        search(&format!("{says:?}"), &env, &CREATE, code);
    }
}

/// AzCopy's own words, wherever it says them.
#[test]
fn messages_of_azcopy_are_cleaned() {
    let end = "end Completed 0 0 0 0 0\nexit 0";
    for script in [
        format!(
            "info Authentication failed, it is either not correct, or expired, or does not have the correct permission: PUT {LEAK}\ninit\nend Cancelled 0 1050 0 2 0\nexit 1"
        ),
        format!("info {LEAK}\ninit\n{end}"),
        format!("info Skipping {LEAK} because\ninit\n{end}"),
        format!("info Accessing '{LEAK}' failed\ninit\n{end}"),
        format!("init\nerror failed to perform copy command due to error: {LEAK}"),
        format!("error {LEAK}\\n{LEAK}"),
        format!("plain {LEAK}\nplain see?sig=CANARY5A5\nexit 1"),
        format!("stderr panic: {LEAK}\nstderr goroutine 1: {LEAK}\nexit 2"),
        format!("stderr {LEAK}\nexit 1"),
        format!("init\nfailed {LEAK} 403 1000\nend Failed 0 1050 0 2 1\nexit 1"),
        format!("init\nprompt Overwrite {LEAK}?\n{end}"),
        "init\nfailed model.safetensors 0 1000\nend CompletedWithErrors 50 1050 1 2 1\nexit 1".to_owned(),
        "init\ndie-signal 9".to_owned(),
        "init\nexit 0".to_owned(),
    ] {
        let mut env = env();
        env.azcopy_script(&script);
        search(&script, &env, &CREATE, 7);
        assert_handed_over(&env);
    }
}

/// The reason of a failure comes from AzCopy's log, which here, unlike the real one, holds the SAS.
#[test]
fn azcopys_log_is_cleaned() {
    let mut env = env();
    env.azcopy_script(&format!(
        "init\nlog ERR: [P#0-T#0] UPLOADFAILED: model.safetensors : 400 : 400 no: {LEAK} When Committing\n\
         failed model.safetensors 400 1000\nend Failed 0 1050 0 2 1\nexit 1\n"
    ));
    for way in WAYS {
        let raw = wait(
            env.command(&[&CREATE[..], way].concat())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts"),
        );
        // AzCopy's log; its existence proves that the reason could be read.
        let logs: BTreeSet<PathBuf> =
            held(&env).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "log")).collect();
        assert_eq!(logs.len(), 1, "{way:?}");
        assert_clean(&format!("{way:?}"), &env, &logs, &raw);
        let output = env.output(&raw).fails_with(7);
        let json = way.contains(&"json");
        assert!(json || output.stderr.contains("model.safetensors: 400 no: http://h/c?*** When"), "{output}");
    }
    assert_handed_over(&env);
}

#[test]
fn an_interrupted_upload_shows_no_sas() {
    for way in WAYS {
        let mut env = env();
        let ready = env.root().join("ready");
        env.azcopy_script(&format!("init\nprogress 10 1050 0 2\nspawn-record {}\nhang\n", ready.display()));
        let before = held(&env);
        let child = env
            .command(&[&CREATE[..], way].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        eventually("AzCopy", || ready.exists());
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("an id");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupted");
        let raw = wait(child);
        assert_clean(&format!("{way:?}"), &env, &before, &raw);
        let output = env.output(&raw).fails_with(130);
        assert!(output.stderr.contains("Upload interrupted at 0%"), "{output}");
        assert_handed_over(&env);
    }
}

/// A service that repeats in its errors what it was sent, or what it handed out.
#[test]
fn messages_of_a_service_are_cleaned() {
    let told = |status| FaultKind::refusal(status, "Bad", &format!("cannot read {LEAK} with Bearer CANARY5A5"));
    for (route, kind, code) in [
        (Route::StartPendingUpload, told(400), 1),
        (Route::StartPendingUpload, told(403), 4),
        (Route::StartPendingUpload, told(409), 5),
        (Route::StartPendingUpload, told(500), 9),
        (Route::StartPendingUpload, FaultKind::refusal(400, LEAK, ""), 1),
        (Route::StartPendingUpload, FaultKind::Html { status: 502 }, 9),
        (Route::StartPendingUpload, FaultKind::Truncated, 9),
        (Route::StartPendingUpload, FaultKind::Redirect { to: LEAK.to_owned() }, 9),
        (Route::CreateAsync, told(400), 8),
        (Route::CreateAsync, told(500), 8),
        (Route::CreateAsync, FaultKind::Html { status: 400 }, 8),
        (Route::CreateAsync, FaultKind::Redirect { to: LEAK.to_owned() }, 8),
        (Route::Poll, told(400), 8),
    ] {
        let env = env();
        env.emulator().add_fault(Fault::new(route, kind.clone()));
        search(&format!("{route:?} {kind:?}"), &env, &CREATE, code);
    }
    let operation_end = OperationEnd::Failed {
        status: "Failed".into(),
        code: "Unreadable".into(),
        message: format!("the weights at {LEAK} are no weights"),
    };
    let env = env_with(Config { operation_end, ..Config::default() });
    search("a failed operation", &env, &CREATE, 8);
}

/// Values that a text of others names as secret, one by one: none is hidden by another.
#[test]
fn values_that_are_named_as_secret_are_masked() {
    for name in ["sig", "signature", "access_token", "client_secret", "password", "Password", "CLIENT_SECRET"] {
        let (dirty, clean) = (format!("no {name}=CANARY5A5&kept=1 here"), format!("no {name}=***&kept=1 here"));
        let env = env();
        env.emulator().add_fault(Fault::new(Route::List, FaultKind::refusal(400, "Bad", &dirty)));
        search(name, &env, &["list"], 1);
        let output = env.run(&["list"]).fails_with(1);
        assert!(output.stderr.contains(&clean), "{output}");

        let mut env = self::env();
        env.azcopy_script(&format!("init\nerror {dirty}\n"));
        search(name, &env, &CREATE, 7);
        let output = env.run(&CREATE).fails_with(7);
        assert!(output.stderr.contains(&clean), "{output}");
    }
}

/// The address of an operation may hold a signature.
#[test]
fn a_signed_operation_is_not_kept() {
    let env = env_with(Config { operation_query: Some("t=CANARY5A5".into()), ..Config::default() });
    env.emulator().add_fault(Fault::new(Route::Poll, FaultKind::status(400)));
    search("a signed operation", &env, &CREATE, 8);
    let polls = |env: &TestEnv| {
        let requests = env.emulator().requests();
        let polls = requests.into_iter().filter(|sent| sent.path.contains("/operations/"));
        polls.map(|sent| sent.query.get("t").cloned()).collect::<Vec<_>>()
    };
    assert!(!polls(&env).is_empty() && polls(&env).iter().all(|t| t.as_deref() == Some(CANARY)), "{:?}", polls(&env));
    // The journal was kept without it, and the model itself shows its end.
    let asked = polls(&env).len();
    env.emulator().configure(|config| config.polls_until_done = 0);
    env.run(&CREATE).success();
    assert_eq!(polls(&env).len(), asked);
}

/// Scripts get the address of the operation, which may hold a signature.
#[test]
fn a_signed_operation_is_not_shown() {
    let env = env_with(Config { operation_query: Some("t=CANARY5A5".into()), ..Config::default() });
    search("--no-wait", &env, &[&CREATE[..], &["--no-wait"]].concat(), 0);
}

/// azd writes reported errors into logs and statistics.
#[test]
fn errors_reported_to_azd_are_cleaned() {
    let host = FakeHost::start(HostState::default());
    let words = format!("cannot read {LEAK} with Bearer CANARY5A5");
    let endpoint = |env: &TestEnv| {
        let value = env.emulator().endpoint();
        host.change(|host_state| {
            *host_state = HostState::default().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", &value)]);
        });
    };
    for (route, kind, script, code) in [
        (Some(Route::StartPendingUpload), FaultKind::refusal(403, "Bad", &words), "default".to_owned(), 4),
        (Some(Route::StartPendingUpload), FaultKind::refusal(400, LEAK, ""), "default".into(), 1),
        (Some(Route::CreateAsync), FaultKind::refusal(400, "Bad", &words), "default".into(), 8),
        (Some(Route::CreateAsync), FaultKind::Redirect { to: LEAK.into() }, "default".into(), 8),
        (None, FaultKind::Reset, format!("init\nerror {words}\n"), 7),
        (None, FaultKind::Reset, format!("init\nfailed {LEAK} 403 1000\nend Failed 0 1050 0 2 1\nexit 1\n"), 7),
    ] {
        let mut env = env();
        env.run_by(&host).unset("AZURE_PROJECT_ENDPOINT").azcopy_script(&script);
        endpoint(&env);
        if let Some(route) = route {
            env.emulator().add_fault(Fault::new(route, kind.clone()));
        }
        let output = env.run(&[&CREATE[..], &["--debug"]].concat()).fails_with(code);
        assert!(!output.stderr.contains("ERROR:"), "azd shows it: {output}");
        let report = format!("{:?}", host.reports().pop().expect("a report"));
        assert!(!report.contains(CANARY), "{report}");
    }
    assert_eq!(host.reports().len(), 6);
}

#[test]
fn a_source_with_a_sas_is_not_shown() {
    let end = "init\nend Completed 11 11 1 1 0\nexit 0";
    let broken = format!("error cannot list {LEAK}");
    for (script, code) in [(end, 0), (broken.as_str(), 7)] {
        let mut env = env();
        env.azcopy_script(script);
        let url = format!("{}/from?sv=1&sig={CANARY}&secret={CANARY}", "https://a.blob.core.windows.net");
        search("--source", &env, &["create", "--name", "my-model", "--source", &url], code);
        env.write("url.txt", &url);
        search("--source-file", &env, &["create", "--name", "my-model", "--source-file", "url.txt"], code);
        let with_user = url.replace("https://", "https://me:CANARY5A5@");
        search("user", &env, &["create", "--name", "my-model", "--source", &with_user], code);
        assert_handed_over(&env);
    }
}

/// A secret that the program holds is masked in any context and in any encoding.
#[test]
fn a_known_secret_needs_no_shape() {
    const SIGNATURE: &str = "CANARY5A5/of+a/source=";
    let encoded = "CANARY5A5%2Fof%2Ba%2Fsource%3D";
    for words in [
        SIGNATURE.to_owned(),
        encoded.to_owned(),
        encoded.to_lowercase().replace("canary5a5", CANARY),
        encoded.replace('%', "%25"),
        r"CANARY5A5\/of\u002ba\/source\u003d".to_owned(),
        format!("xx{SIGNATURE}yy"),
    ] {
        let mut env = env();
        env.azcopy_script(&format!("info about {words}\ninit\nerror cannot list with {words}!\n"));
        let url = format!("https://a.blob.core.windows.net/from?sv=2025&sig={encoded}");
        let args = ["create", "--name", "my-model", "--source", &url];
        search(&words, &env, &args, 7);
        let output = env.run(&args).fails_with(7);
        assert!(output.stderr.contains("cannot list with "), "{output}");
    }
}

/// Every check meets a secret: in the token, in the proxy's address, in the address of weights and in an unfinished upload.
#[test]
fn a_page_for_support_holds_no_secret() {
    let part = |value: serde_json::Value| {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, value.to_string())
    };
    let claims = json!({"aud": "https://ai.azure.com", "exp": 2_147_385_600, "tid": "t", "upn": "me@contoso.com"});
    let token = format!("{}.{}.{CANARY}", part(json!({"alg": "none"})), part(claims));
    let script =
        format!(r#"echo '{{"token":"{token}","expiresOn":"2038-01-18T00:00:00Z","azd":{{"version":"{LEAK}"}}}}'"#);
    for auth in [Auth::Any, Auth::RejectAll] {
        let mut env = env_with(Config { auth, ..Config::default() });
        let blob_uri = format!("{}/c?sv=1&sig={CANARY}", env.blobs().base);
        env.emulator().seed(&json!({"name": "far-model", "version": "1", "blobUri": blob_uri})).expect("seeded");
        env.program("azd", &script);
        env.unset("AZURE_AI_MODELS_CREDENTIAL");
        env.azcopy_script("init\nerror no");
        env.set("HTTPS_PROXY", &format!("http://me:{CANARY}@127.0.0.1:9"));
        env.set("AZURE_AI_MODELS_ALLOW_HOST", "nowhere.invalid");
        let far = "https://nowhere.invalid/api/projects/demo";
        for args in [&["doctor"][..], &["doctor", "-e", far], &["doctor", "--speed", "-n", "my-model"]] {
            let code = env.run(args).code.expect("a code");
            assert!(code <= 1, "{args:?} ends with {code}");
            search(&format!("{args:?}"), &env, args, code);
        }
    }
}

/// A mistyped command line is repeated in the error, and may hold what was meant to be the source.
#[test]
fn usage_errors_hide_secrets() {
    let env = env();
    let url = format!("https://a.blob.core.windows.net/c?sv=1&sig={CANARY}&secret={CANARY}");
    let bare = format!("a.blob.core.windows.net/c?sig={CANARY}");
    let user = format!("https://user:{CANARY}@a.services.ai.azure.com/api/projects/p");
    let of = |more: &[&'static str]| -> Vec<String> { more.iter().map(|&word| word.to_owned()).collect() };
    let mut lines: Vec<Vec<String>> = Vec::new();
    for value in [&url, &bare, &user] {
        for option in
            ["--sourc", "--source=", "--base-model=", "--version=", "--limit-rate=", "--azcopy-path=", "--source-file="]
        {
            let mut line = of(&["create", "--name", "ok"]);
            line.push(format!("{option}{value}"));
            if !option.starts_with("--source") {
                line.extend(of(&["--source", "model"]));
            }
            lines.push(line);
        }
        for start in [&["create"][..], &["show"], &["custom"], &["list"], &["create", "--name"], &["list", "-o"]] {
            let mut line = of(start);
            line.push(value.clone());
            lines.push(line);
        }
        for option in ["-e", "--project-endpoint", "--environment", "--cwd", "--subscription", "--debug=", "-C"] {
            lines.push(vec![
                "list".into(),
                format!("{option}{}{value}", if option.len() > 2 && !option.ends_with('=') { "=" } else { "" }),
            ]);
        }
    }
    for line in lines {
        for way in [&[][..], &["--debug"], &["-o", "json"]] {
            let args: Vec<&str> = line.iter().map(String::as_str).chain(way.iter().copied()).collect();
            let before = held(&env);
            let raw =
                wait(env.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts"));
            assert_clean(&format!("{args:?}"), &env, &before, &raw);
        }
    }
}

#[test]
fn a_password_in_an_endpoint_is_not_shown() {
    let mut env = env();
    let url = format!("https://user:{CANARY}@a.services.ai.azure.com/api/projects/p");
    search("-e", &env, &["list", "-e", &url], 2);
    for name in ["AZURE_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT"] {
        env.unset("AZURE_PROJECT_ENDPOINT");
        env.set(name, &url);
        let output = env.run(&["list"]).fails_with(2);
        assert!(!output.to_string().contains(CANARY), "{output}");
    }
}

const AZD: &str = r#"printf '{"token":"CANARY5A5","expiresOn":"2099-01-01T00:00:00Z"}'"#;

#[test]
fn a_token_is_not_shown() {
    let words = format!("not with Bearer CANARY5A5 {LEAK}");
    for (kind, code) in [
        (None, 0),
        (Some(FaultKind::refusal(401, "Unauthorized", &words)), 4),
        (Some(FaultKind::refusal(403, "Forbidden", &words)), 4),
        (Some(FaultKind::refusal(500, "Internal", &words)), 9),
        (Some(FaultKind::Reset), 9),
        (Some(FaultKind::Html { status: 407 }), 9),
    ] {
        let mut env = env_with(Config { auth: Auth::Token(CANARY.to_owned()), ..Config::default() });
        env.program("azd", AZD);
        env.set("AZURE_AI_MODELS_CREDENTIAL", "azd");
        if let Some(kind) = &kind {
            env.emulator().add_fault(Fault::new(Route::Any, kind.clone()));
        }
        search(&format!("{kind:?}"), &env, &["list"], code);
        let seen = env.emulator().requests();
        let shown = &seen.last().expect("a request").headers;
        assert!(shown.keys().any(|name| name == "authorization"), "no token was sent: {shown:?}");
    }
}

/// Messages of azd when it fails, and unexpected answers.
#[test]
fn messages_of_azd_are_cleaned() {
    for script in [
        r#"printf '{"error":"e","message":"no: Bearer CANARY5A5 http://h/?code=CANARY5A5"}' >&2; exit 1"#,
        r#"printf 'eyJCANARY5A5.eyJx.y http://u:CANARY5A5@h/' >&2; exit 1"#,
        r#"printf '{"token":"CANARY5A5"}'"#,
        r#"printf '{"token":"CANARY5A5","expiresOn":"tomorrow"}'"#,
        r#"printf 'CANARY5A5'"#,
    ] {
        let mut env = env();
        env.program("azd", script);
        env.set("AZURE_AI_MODELS_CREDENTIAL", "azd");
        search(script, &env, &["list"], 4);
    }
}

#[test]
fn a_proxys_password_is_not_shown() {
    let mut env = env();
    env.program("azd", AZD);
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        env.set(name, "http://user:CANARY5A5@127.0.0.1:1");
    }
    let far = "https://a.services.ai.azure.com/api/projects/p";
    search("a proxy", &env, &["list", "-e", far], 9);
    search("a proxy", &env, &[&CREATE[..], &["-e", far]].concat(), 9);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        env.set(name, "http://user:CANARY5A5@[not a host");
    }
    let output = env.run(&["list", "-e", far, "--debug"]);
    assert!(!output.to_string().contains(CANARY), "{output}");
}

/// A service may send a SAS back as a part of the model.
#[test]
fn a_sas_in_a_model_is_masked() {
    let env = env();
    let uri = format!("https://a.blob.core.windows.net/c?sv=1&sig={CANARY}&secret={CANARY}");
    env.emulator()
        .seed(&json!({
            "name": "my-model", "version": "7", "blobUri": uri, "description": format!("from {uri} today"),
            "tags": {"from": uri}, "warnings": [{"code": "W", "message": uri}],
            "unknown": {"sasUri": uri, "kept": "see https://h/p?page=2"},
        }))
        .expect("seeded");
    for args in [
        &["list"][..],
        &["versions", "--name", "my-model"],
        &["show", "--name", "my-model"],
        &["show", "--name", "my-model", "--version", "7"],
    ] {
        search(&args.join(" "), &env, args, 0);
    }
    let model = env.run(&["show", "--name", "my-model", "-o", "json"]).success().json();
    assert_eq!(model["blobUri"], "https://a.blob.core.windows.net/c?***");
    assert_eq!(model["unknown"]["kept"], "see https://h/p?page=2", "what is no secret stays as it was");
}

/// The query of an address of weights is secret whole: not only where a parameter looks like a signature.
#[test]
fn an_address_of_weights_is_shown_without_its_query() {
    let env = env();
    let uri = format!("https://a.blob.core.windows.net/c?sv=1&t={CANARY}");
    env.emulator()
        .seed(&json!({
            "name": "my-model", "version": "7", "blobUri": uri,
            "from": {"blobUri": uri}, "parts": [{"blobUri": uri}],
        }))
        .expect("seeded");
    for args in [
        &["list"][..],
        &["versions", "--name", "my-model"],
        &["show", "--name", "my-model"],
        &["show", "--name", "my-model", "--version", "7"],
        &["update", "--name", "my-model", "--version", "7", "--description", "d"],
        &["wait", "--name", "my-model", "--version", "7"],
    ] {
        search(&args.join(" "), &env, args, 0);
    }
    let model = env.run(&["show", "--name", "my-model", "-o", "json"]).success().json();
    let masked = "https://a.blob.core.windows.net/c?***";
    assert_eq!(model["blobUri"], masked);
    assert_eq!((&model["from"], &model["parts"][0]), (&json!({"blobUri": masked}), &json!({"blobUri": masked})));
}

/// `{:?}` is how secrets get into panics and traces.
#[test]
fn debug_forms_hold_no_secret() {
    let sas = || SecretUrl::new(format!("https://u:{CANARY}@h/c?sig={CANARY}").parse().expect("a URL"));
    let pending =
        UploadLocation { sas: sas(), blob_uri: "https://h/c".parse().expect("a URL"), id: Some("1".to_owned()) };
    let job = CopyJob {
        source: JobSource::Remote { url: sas() },
        destination: sas(),
        directory: "/private".into(),
        cap: None,
    };
    let vars = [
        ("AZURE_AI_MODELS_CREDENTIAL", "env"),
        ("AZURE_CLIENT_SECRET", CANARY),
        ("HTTPS_PROXY", "http://u:CANARY5A5@proxy"),
    ];
    let env = Env::from_vars(vars, Path::new("/"));
    let target = TokenTarget {
        host: "a.services.ai.azure.com",
        loopback: false,
        named_by_user: true,
        audience: azure_ai_models_core::credential::Audience::Foundry,
    };
    let tokens = TokenSource::new(&env, target, None, Timings::default(), std::sync::Arc::new(|_| {})).expect("tokens");
    let request = Request::new(Method::GET, sas().expose().clone(), Retry::None)
        .tokens(&tokens)
        .json(&json!({"source": sas().expose().as_str()}));
    let source = format!("--source=https://a.blob.core.windows.net/c?sig={CANARY}");
    let line = ["azure-ai-models", "create", "--name", "ok", source.as_str()];
    for shown in [
        format!("{pending:?}"),
        format!("{job:?}"),
        format!("{tokens:?}"),
        format!("{request:?}"),
        format!("{env:?}"),
        format!("{:?}", Token::new(CANARY.to_owned())),
        format!("{:?}", parse(line.map(Into::into).to_vec()).expect("a command")),
    ] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}
