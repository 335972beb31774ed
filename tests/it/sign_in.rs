//! Sign-in with `azd`: a fake script, the real program, and the requests to the service.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use foundry_emulator::{Auth, Config, Fault, FaultKind, Route};

use crate::support::{TestEnv, eventually};

const TOKEN: &str = "the-token-of-azd";
const SUCCESS: &str = r#"echo '{"token":"the-token-of-azd","expiresOn":"2038-01-18T00:00:00Z"}'"#;

/// A project that accepts only azd's token, and an `azd` that runs this script. The script finds its own directory in
/// `$here`; each start appends its arguments to `$here/calls`.
fn env(script: &str) -> TestEnv {
    let mut env = TestEnv::with(Config { auth: Auth::Token(TOKEN.into()), ..Config::default() });
    let bin = env.home().join("bin");
    fs::create_dir_all(&bin).expect("a directory");
    let whole = format!("#!/bin/sh\nhere=${{0%/*}}\necho \"$*\" >> \"$here/calls\"\n{script}\n");
    // A child process writes the file: another thread cannot start a file that this process holds open for writing.
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(bin.join("azd"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    writer.stdin.take().expect("a pipe").write_all(whole.as_bytes()).expect("written");
    assert!(writer.wait().expect("an end").success());
    // The directory with AzCopy stays on PATH; the script also needs a few system programs.
    let azcopy = env.home().with_file_name("bin");
    env.set("PATH", &format!("{}:{}:/usr/bin:/bin", bin.display(), azcopy.display()));
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    env
}

fn calls(env: &TestEnv) -> Vec<String> {
    let text = fs::read_to_string(env.home().join("bin/calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn one_token_serves_all_requests_of_a_run() {
    let env = env(SUCCESS);
    env.write_model();
    env.run(&["create", "-n", "my-model", "--source", "model"]).success();
    let requests = env.emulator().requests();
    assert!(requests.len() >= 4);
    let length = TOKEN.len();
    assert!(requests.iter().all(|request| request.headers["authorization"] == format!("Bearer ({length})")));
    assert_eq!(calls(&env), ["auth token -o json --no-prompt --scope https://ai.azure.com/.default"]);
}

#[test]
fn tenant_of_the_environment_reaches_azd() {
    let mut env = env(SUCCESS);
    env.set("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555");
    env.run(&["list"]).success();
    let calls = calls(&env);
    assert_eq!(calls.len(), 1);
    assert!(calls[0].contains("--tenant-id 11111111-2222-3333-4444-555555555555"), "{calls:?}");
}

#[test]
fn token_that_expires_soon_is_renewed_for_the_next_request() {
    // The margin of 5 minutes is 3 seconds at this scale.
    let env = env(r#"echo "{\"token\":\"the-token-of-azd\",\"expiresOn\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"}""#);
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    env.run(&["delete", "-n", "my-model", "--version", "1", "-f"]).success();
    assert_eq!((env.emulator().requests().len(), calls(&env).len()), (3, 3));
}

#[test]
fn rejected_token_is_renewed_once() {
    let env = env(SUCCESS);
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(401)).times(1));
    env.run(&["list"]).success();
    assert_eq!(calls(&env).len(), 2);
    env.emulator().add_fault(Fault::new(Route::List, FaultKind::status(401)));
    env.run(&["list"]).fails_with(4);
    assert_eq!(calls(&env).len(), 4);
}

#[test]
fn missing_sign_in_is_reported() {
    let env = env(
        r#"printf '%s\n' '{"type":"consoleMessage","timestamp":"2026-02-14T10:30:00Z","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}' >&2; exit 1"#,
    );
    insta::assert_snapshot!(env.run(&["list"]), @"
    ------- stderr -------
    ERROR: not signed in to azd: not logged in, run `azd auth login` to login

    Suggestion: Run `azd auth login`.
    [exit code: 4]
    ");
    let error = env.run(&["list", "-o", "json"]).fails_with(4).json_error();
    assert_eq!((error["kind"].as_str(), error["code"].as_str()), (Some("auth"), Some("not_signed_in")), "{error}");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn azds_own_suggestion_is_passed_on() {
    let env = env(
        r#"echo '{"error":"fetching token: AADSTS70043: The refresh token has expired. Bearer CANARY","message":"login expired","suggestion":"Run azd auth login --tenant-id T to acquire a new token.","links":[{"url":"https://aka.ms/azd-login","title":"Login"}]}' >&2; exit 1"#,
    );
    insta::assert_snapshot!(env.run(&["list"]), @"
    ------- stderr -------
    ERROR: not signed in to azd: login expired

    Suggestion: Run azd auth login --tenant-id T to acquire a new token. https://aka.ms/azd-login
    [exit code: 4]
    ");
}

#[test]
fn other_failures_name_azd_and_alternatives() {
    let env = env(r#"echo '{"data":{"message":"ERROR: fetching token: no such host"}}' >&2; exit 1"#);
    insta::assert_snapshot!(env.run(&["list"]), @"
    ------- stderr -------
    ERROR: azd did not return a token: fetching token: no such host

    Suggestion: Check azd, or choose another sign-in method with AZURE_AI_MODELS_CREDENTIAL.
    Sign in again: azd auth login
    [exit code: 4]
    ");
}

#[test]
fn response_without_a_token_is_not_retried() {
    let env = env("echo '{\"tokn\":\"CANARY\"}'");
    insta::assert_snapshot!(env.run(&["list", "--debug"]).to_string().replace("CANARY", "A SECRET"), @"
    ------- stderr -------
    debug: project endpoint: http://[EMULATOR]/api/projects/demo (from environment variable AZURE_PROJECT_ENDPOINT)
    debug: token: asking azd for https://ai.azure.com/.default
    ERROR: azd returned no valid token

    Suggestion: Update azd to the latest version.
    Sign in again: azd auth login
    [exit code: 4]
    ");
}

/// Starts a server that responds to each request with this JSON, and returns its address.
fn token_server(body: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/token", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            drop(stream.read(&mut head));
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    address
}

/// `Bearer ` without a token would be reported as a fault of the service, or of the user's permissions.
#[test]
fn empty_token_is_rejected() {
    for token in ["", " ", "a b"] {
        let azd = format!(r#"echo '{{"token":"{token}","expiresOn":"2038-01-18T00:00:00Z"}}'"#);
        let env = env(&azd);
        let output = env.run(&["list"]).fails_with(4);
        assert!(output.stderr.contains("ERROR: azd returned no valid token"), "{output}");
        assert!(env.emulator().requests().is_empty(), "{output}");

        let mut env = self::env("exit 1");
        let az = format!(
            r#"echo '{{"accessToken":"{token}","expiresOn":"2038-01-18 00:00:00.000000","expires_on":2147385600,"subscription":"s","tenant":"t","tokenType":"Bearer"}}'"#
        );
        env.program("az", &az);
        env.set("AZURE_AI_MODELS_CREDENTIAL", "azcli");
        let output = env.run(&["list"]).fails_with(4);
        assert!(output.stderr.contains("ERROR: the Azure CLI returned no valid token"), "{output}");
        assert!(env.emulator().requests().is_empty(), "{output}");
    }
    let mut env = env("exit 1");
    let endpoint =
        token_server(r#"{"access_token":"","expires_on":"2147385600","resource":"r","token_type":"Bearer"}"#);
    env.set("AZURE_AI_MODELS_CREDENTIAL", "managed").set("IDENTITY_ENDPOINT", &endpoint).set("IDENTITY_HEADER", "h");
    let output = env.run(&["list"]).fails_with(4);
    assert!(env.emulator().requests().is_empty(), "{output}");
    insta::assert_snapshot!(output, @"
    ------- stderr -------
    ERROR: managed identity returned no valid token

    Suggestion: Check managed identity, or choose another sign-in method with AZURE_AI_MODELS_CREDENTIAL.
    [exit code: 4]
    ");
}

#[test]
fn hanging_azd_is_killed_with_its_child_processes() {
    let mut env = env("sleep 300 & echo $$ $! > \"$here/pids\"; wait");
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.1");
    insta::assert_snapshot!(env.run(&["list"]), @"
    ------- stderr -------
    ERROR: signing in with azd took longer than 3s

    Suggestion: Check the network, then run `azd auth login`.
    [exit code: 4]
    ");
    let pids = fs::read_to_string(env.home().join("bin/pids")).expect("pids");
    assert_eq!(pids.split_whitespace().count(), 2, "the script and what it started: {pids}");
    for pid in pids.split_whitespace() {
        // Its parent may need time to reap it after the kill.
        eventually(&format!("the end of process {pid}"), || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        });
    }
}

#[test]
fn missing_azd_suggests_its_installation_page() {
    let mut env = env(SUCCESS);
    env.set("PATH", &env.work().to_string_lossy());
    insta::assert_snapshot!(env.run(&["list"]), @"
    ------- stderr -------
    ERROR: azd is required to sign in, but was not found

    Suggestion: Install azd: https://aka.ms/azd-install
    [exit code: 4]
    ");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn every_failure_of_azd_suggests_the_sign_in() {
    for script in [
        "echo garbage",
        ":",
        "echo '<!doctype html><html>sign in</html>'",
        r#"echo '{"token":"","expiresOn":"2038-01-18T00:00:00Z"}'"#,
        r#"echo '{"token":"t","expiresOn":"some day"}'"#,
        "echo 'panic: runtime error' >&2; exit 2",
        r#"echo '{"error":"e","message":"conditional access","suggestion":"Ask your administrator.","links":[]}' >&2; exit 1"#,
        "kill -9 $$",
        "exit 1",
    ] {
        let env = env(script);
        let error = env.run(&["list", "-o", "json"]).fails_with(4).json_error();
        let suggestion = error["suggestion"].as_str().expect("a suggestion");
        assert!(suggestion.contains("azd auth login"), "{script}: {suggestion}");
        assert!(env.emulator().requests().is_empty());
    }
}
