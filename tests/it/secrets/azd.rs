//! Tokens, and the messages from and to azd.

use std::process::Stdio;

use fake_azd_host::{FakeHost, HostState};
use foundry_emulator::{Auth, Config, Fault, FaultKind, Route};

use super::{LEAK, assert_clean, env, env_with, files_with_secret, search};
use crate::support::{CANARY, CREATE, TestEnv, wait};

/// azd writes reported errors to logs and telemetry.
#[test]
fn errors_reported_to_azd_are_masked() {
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
        assert!(!output.stderr.contains("ERROR:"), "azd shows the error: {output}");
        let report = format!("{:?}", host.reports().pop().expect("a report"));
        assert!(!report.contains(CANARY), "{report}");
    }
    assert_eq!(host.reports().len(), 6);
}

/// An error repeats an invalid command line, whose words may include the source URL.
#[test]
fn usage_errors_mask_secrets() {
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
        for options in [&[][..], &["--debug"], &["-o", "json"]] {
            let args: Vec<&str> = line.iter().map(String::as_str).chain(options.iter().copied()).collect();
            let before = files_with_secret(&env);
            let raw = wait(
                env.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts"),
            );
            assert_clean(&format!("{args:?}"), &env, &before, &raw);
        }
    }
}

#[test]
fn password_in_an_endpoint_is_not_shown() {
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
fn token_is_not_shown() {
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

/// Messages of azd on failure, and unexpected responses.
#[test]
fn messages_of_azd_are_masked() {
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
fn proxys_password_is_not_shown() {
    let mut env = env();
    env.program("azd", AZD);
    env.unset("AZURE_AI_MODELS_CREDENTIAL");
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        env.set(name, "http://user:CANARY5A5@127.0.0.1:1");
    }
    let project_url = "https://a.services.ai.azure.com/api/projects/p";
    search("a proxy", &env, &["list", "-e", project_url], 9);
    search("a proxy", &env, &[&CREATE[..], &["-e", project_url]].concat(), 9);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        env.set(name, "http://user:CANARY5A5@[not a host");
    }
    let output = env.run(&["list", "-e", project_url, "--debug"]);
    assert!(!output.to_string().contains(CANARY), "{output}");
}
