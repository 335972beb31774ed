//! Output holds no secret: every run here has one in each place where a secret can be, and all its output is searched
//! for it. The one exception is AzCopy's argument list, with which each test proves that the secret was there.
#![cfg(unix)]

mod azcopy;
mod azd;

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
use foundry_emulator::{Auth, Config, Fault, FaultKind, OperationEnd, Route};
use serde_json::json;

use crate::support::{self, CANARY, CREATE, TestEnv, wait};

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
    let mut env = support::env_with(config);
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
