//! Output contains no secrets: every run here has a secret in each place that can hold one, and all its output is
//! searched for it. The only exception is AzCopy's argument list, by which each test proves that the secret was used.
#![cfg(unix)]

mod azcopy;
mod azd;
mod debug_forms;
mod service;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use foundry_emulator::{Auth, Config, Fault, FaultKind, Route};
use serde_json::json;

use crate::support::{self, CANARY, CREATE, TestEnv, wait};

/// Form of a SAS in messages of other programs.
const LEAK: &str = "http://h/c?sv=1&secret=CANARY5A5&sig=CANARY5A5&x";

/// Each run is repeated with each of these output options.
const OUTPUT_OPTIONS: [&[&str]; 6] = [
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

/// All files below a directory whose name or content contains the canary.
fn files_with_canary(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains(CANARY) {
            found.insert(path.clone());
        }
        if path.is_dir() {
            found.extend(files_with_canary(&path));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(CANARY)) {
            found.insert(path);
        }
    }
    found
}

fn files_with_secret(env: &TestEnv) -> BTreeSet<PathBuf> {
    let mut found = files_with_canary(&env.home());
    found.extend(files_with_canary(&env.work()));
    found
}

/// Fails if the output or the files of a run contain the canary. `before`: files of the test itself that contain it.
fn assert_clean(what: &str, env: &TestEnv, before: &BTreeSet<PathBuf>, raw: &std::process::Output) {
    // The raw bytes are searched, since the normalised output of other tests omits parts.
    for (stream, bytes) in [("stdout", &raw.stdout), ("stderr", &raw.stderr)] {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(CANARY), "{what}: the secret is on {stream}:\n{text}");
        assert!(!text.contains("panicked at"), "{what}: a panic:\n{text}");
    }
    let fresh: Vec<PathBuf> = files_with_secret(env).difference(before).cloned().collect();
    assert!(fresh.is_empty(), "{what}: the secret is in {fresh:?}");
}

/// Runs a command with all output options, and searches all its output.
fn search(what: &str, env: &TestEnv, args: &[&str], code: i32) {
    let is_create = args.contains(&"create");
    for options in OUTPUT_OPTIONS.iter().filter(|options| is_create || !options.contains(&"--progress")) {
        let args = [args, options].concat();
        // Each run starts over: none resumes an earlier one.
        drop(fs::remove_dir_all(env.home().join(".azd/ai-models/uploads")));
        let before = files_with_secret(env);
        let child =
            env.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let raw = wait(child);
        let what = format!("{what} {options:?}");
        assert_clean(&what, env, &before, &raw);
        let output = env.output(&raw);
        assert_eq!(output.code, Some(code), "{what}: {output}");
        assert!(
            code == 2 || !options.contains(&"--debug") || output.stderr.contains("debug: "),
            "{what}: no trace: {output}"
        );
        if is_create && code == 0 {
            // The next case creates the same version again.
            env.emulator().reset();
        }
    }
}

/// Values that messages of other programs mark as secret, one by one: no value hides another.
#[test]
fn values_with_secret_names_are_masked() {
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

/// A secret that the program holds is masked in any context and in any encoding.
#[test]
fn known_secrets_are_masked_in_any_form() {
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

/// Every check meets a secret: in the token, the proxy's address, the address of weights, and an unfinished upload.
#[test]
fn support_page_contains_no_secret() {
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
