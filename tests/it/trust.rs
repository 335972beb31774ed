//! Limits on the values of a cloned repository's azd environment, which azd applies over the user's own variables.
#![cfg(unix)]

use std::fs;
use std::net::TcpListener;

use azure_ai_models_core::env::var::{ALLOWED_FROM_AZD, TABLE};
use fake_azd_host::{FakeHost, Fault, HostState, refusal};
use foundry_emulator::{Auth, Config};

use crate::support::{CANARY, ConnectProxy, TestEnv, TlsHost};

const FOUNDRY: &str = "https://acc.services.ai.azure.com/api/projects/p";

/// A user who is signed in with azd, and runs azd in a repository with these values in its environment.
fn repository(values: &[(&str, &str)]) -> (TestEnv, FakeHost) {
    let host = FakeHost::start(HostState::default().with_environment("dev", true, values));
    let mut env = TestEnv::with(Config { auth: Auth::Token(CANARY.into()), ..Config::default() });
    for name in ["AZURE_PROJECT_ENDPOINT", "AZURE_AI_MODELS_CREDENTIAL", "AZURE_AI_MODELS_AZCOPY_URL"] {
        env.unset(name);
    }
    let path = format!("{}:/usr/bin:/bin", env.bin().display());
    env.run_by(&host).set("PATH", &path);
    let calls = env.root().join("azd-calls");
    let answer = format!(r#"{{"token":"{CANARY}","expiresOn":"2038-01-18T00:00:00Z"}}"#);
    env.program("azd", &format!("env >> '{}'; echo '{answer}'", calls.display()));
    for (name, value) in values {
        env.set(name, value);
    }
    (env, host)
}

#[test]
fn repository_cannot_set_proxy_and_authority() {
    let far = TlsHost::start("acc.services.ai.azure.com", "127.0.0.1:9");
    let proxy = ConnectProxy::start(far.address, None);
    let url = format!("http://{}", proxy.address());
    let values = [("AZURE_PROJECT_ENDPOINT", FOUNDRY), ("HTTPS_PROXY", &*url), ("SSL_CERT_FILE", "authority.pem")];
    let (env, _host) = repository(&values);
    env.write("authority.pem", &far.authority);
    let output = env.run(&["list"]).fails_with(9);
    assert_eq!(proxy.seen(), [""; 0], "{output}");
    for name in ["HTTPS_PROXY", "SSL_CERT_FILE"] {
        let warning = format!(
            "WARNING: {name} is ignored: it is set by the azd environment 'dev', but only accepted from your own environment\n"
        );
        assert!(output.stderr.contains(&warning), "{output}");
    }
    assert!(!output.stderr.contains("AZURE_PROJECT_ENDPOINT is ignored"), "{output}");
}

#[test]
fn programs_of_the_repository_are_not_started() {
    let (mut env, _host) = repository(&[("PATH", "/proc/self/cwd/tools")]);
    env.write_model();
    let mark = env.root().join("trapped");
    let trap = env.write("tools/azcopy", format!("#!/bin/sh\ntouch '{}'\nexit 1\n", mark.display()));
    fs::set_permissions(&trap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a program");
    env.set("AZURE_AI_MODELS_CREDENTIAL", "emulator").set("AZURE_AI_MODELS_AZCOPY_URL", "http://127.0.0.1:9/x.tar.gz");
    let url = env.emulator().endpoint();
    let output = env.run(&["create", "-n", "my-model", "--source", "model", "-e", &url]).fails_with(9);
    assert!(!mark.exists(), "{output}");
    assert!(output.stderr.contains("PATH is ignored"), "{output}");
}

#[test]
fn repository_cannot_redirect_a_secret_of_the_pipeline() {
    let authority = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://127.0.0.1:{}/", authority.local_addr().expect("an address").port());
    let values = [
        ("AZURE_PROJECT_ENDPOINT", FOUNDRY),
        ("AZURE_AUTHORITY_HOST", &*url),
        ("AZURE_FEDERATED_TOKEN_FILE", "/etc/passwd"),
    ];
    let (mut env, _host) = repository(&values);
    env.set("AZURE_TENANT_ID", "tenant").set("AZURE_CLIENT_ID", "client").set("AZURE_CLIENT_SECRET", CANARY);
    authority.set_nonblocking(true).expect("set");
    // No test reaches the real authority: the user's own proxy does not exist.
    env.set("HTTPS_PROXY", "http://127.0.0.1:9").set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.1");
    for method in ["env", "workload"] {
        env.set("AZURE_AI_MODELS_CREDENTIAL", method);
        let output = env.run(&["list"]);
        assert_ne!(output.code, Some(0), "{output}");
        assert!(authority.accept().is_err(), "{method}: {output}");
        assert!(output.stderr.contains("AZURE_AUTHORITY_HOST is ignored"), "{output}");
    }
}

#[test]
fn repository_cannot_change_settings_of_the_program() {
    let mirror = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/azcopy.tar.gz", mirror.local_addr().expect("an address"));
    let sum = "0".repeat(64);
    let values = [
        ("AZURE_PROJECT_ENDPOINT", FOUNDRY),
        ("AZURE_AI_MODELS_AZCOPY_URL", &*url),
        ("AZURE_AI_MODELS_AZCOPY_SHA256", &*sum),
        ("AZURE_AI_MODELS_ALLOW_HOST", "evil.example"),
        ("AZD_CONFIG_DIR", "config"),
        ("AZD_CWD", "elsewhere"),
    ];
    let (env, _host) = repository(&values);
    env.write_model();
    env.write("elsewhere/file", "");
    fs::remove_file(env.bin().join("azcopy")).expect("removed");
    mirror.set_nonblocking(true).expect("set");
    let output = env.run(&["create", "-n", "my-model", "--source", "model"]);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(mirror.accept().is_err(), "{output}");
    for (name, _) in &values[1..] {
        assert!(output.stderr.contains(&format!("WARNING: {name} is ignored")), "{name}: {output}");
    }
}

#[test]
fn child_processes_get_no_variables_of_the_repository() {
    let values = [
        ("AZURE_PROJECT_ENDPOINT", FOUNDRY),
        ("AZURE_SUBSCRIPTION_ID", "of-the-environment"),
        ("PYTHONPATH", "evil"),
        ("SERVICE_API_NAME", "of-the-application"),
        ("AZD_EXTENSION_X", "evil"),
    ];
    let (env, _host) = repository(&values);
    let output = env.run(&["list", "--debug"]).fails_with(9);
    let given = fs::read_to_string(env.root().join("azd-calls")).expect("azd was started");
    for name in ["PYTHONPATH", "SERVICE_API_NAME", "AZD_EXTENSION_X"] {
        assert!(!given.contains(name), "{name}: {given}");
    }
    assert!(given.contains("AZURE_SUBSCRIPTION_ID=of-the-environment"), "{given}");
    assert!(output.stderr.contains("WARNING: AZD_EXTENSION_X is ignored"), "{output}");
    let line = "debug: not taken over from azd environments: PYTHONPATH, SERVICE_API_NAME\n";
    assert!(output.stderr.contains(line), "{output}");
}

/// Sets the whole table, except the variables that an azd environment may set, those that azd sets itself, and those
/// that locate the programs of this test.
#[test]
fn disallowed_variables_reach_neither_the_program_nor_its_children() {
    let kept = ["AZD_SERVER", "AZD_ACCESS_TOKEN", "PATH", "HOME"];
    let names: Vec<&str> = TABLE.iter().map(|variable| variable.name).collect();
    let names = names.into_iter().filter(|name| !ALLOWED_FROM_AZD.contains(name) && !kept.contains(name));
    let values: Vec<(&str, String)> = names.map(|name| (name, format!("evil-{name}"))).collect();
    assert!(values.len() > 20, "{values:?}");
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (env, _host) = repository(&values);
    env.write_model();
    let endpoint = env.emulator().endpoint();
    let output = env.run(&["create", "-n", "my-model", "--source", "model", "-e", &endpoint]).success();
    let azd = fs::read_to_string(env.root().join("azd-calls")).expect("azd was started");
    let azcopy = format!("{:?}", env.azcopy_starts());
    let requests = format!("{:?}", env.emulator().requests());
    for (started, seen) in [("azd", azd), ("AzCopy", azcopy), ("a request", requests)] {
        assert!(!seen.is_empty() && !seen.contains("evil-"), "{started}: {seen}\n{output}");
    }
}

#[test]
fn another_environment_applies_only_if_azd_can_have_passed_it() {
    let (mut env, host) = repository(&[("AZURE_PROJECT_ENDPOINT", FOUNDRY)]);
    host.change(|host_state| {
        let changed = host_state.clone().with_environment("prod", false, &[("AZURE_AI_MODELS_SCOPE", "evil")]);
        *host_state = changed.with_environment("test", false, &[("AZCOPY_LOG_LOCATION", "akvs://s/v/n")]);
    });
    env.set("AZURE_AI_MODELS_SCOPE", "own").set("AZCOPY_LOG_LOCATION", "resolved");
    let output = env.run(&["list"]).fails_with(9);
    assert!(!output.stderr.contains("AZURE_AI_MODELS_SCOPE is ignored"), "{output}");
    assert!(
        output.stderr.contains("AZCOPY_LOG_LOCATION is ignored: it is set by the azd environment 'test'"),
        "{output}"
    );
    // The selected environment does not hide the values of another one.
    env.set("AZURE_AI_MODELS_SCOPE", "evil").set("AZD_ENVIRONMENT", "dev");
    let output = env.run(&["list"]).fails_with(9);
    assert!(
        output.stderr.contains("AZURE_AI_MODELS_SCOPE is ignored: it is set by the azd environment 'prod'"),
        "{output}"
    );
}

#[test]
fn user_token_is_not_sent_to_a_local_port_named_by_the_repository() {
    let (mut env, host) = repository(&[]);
    let url = env.emulator().endpoint();
    for name in ["AZURE_PROJECT_ENDPOINT", "FOUNDRY_PROJECT_ENDPOINT"] {
        host.change(|host_state| *host_state = host_state.clone().with_environment("dev", true, &[(name, &url)]));
        env.set(name, &url);
        let error = env.run(&["list", "-o", "json"]).fails_with(2).json_error();
        assert_eq!(error["code"], "bad_credential");
        assert_eq!(
            error["message"],
            "the endpoint on this machine (127.0.0.1) comes from an azd environment, so your token is not sent to it"
        );
        env.unset(name);
    }
    assert!(env.emulator().requests().is_empty());
    assert!(!env.root().join("azd-calls").exists(), "no token was requested");
    // The user's own choice: the option, the host, or the variable.
    env.run(&["list", "-e", &url]).success();
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    env.run(&["list"]).success();
    env.unset("AZURE_AI_MODELS_ALLOW_HOST").set("FOUNDRY_PROJECT_ENDPOINT", &url);
    host.change(|host_state| host_state.environments.clear());
    env.run(&["list"]).success();
}

/// Values of an azd environment in a file, with an azd whose server does not respond.
fn repository_with_unresponsive_azd(dotenv: &str) -> (TestEnv, FakeHost) {
    let (mut env, host) = repository(&[]);
    host.change(|host_state| {
        host_state.faults = [("Project.Get".to_owned(), Fault::Status(refusal(14, "closing")))].into();
    });
    env.write("azure.yaml", "name: demo\n");
    env.write(".azure/dev/.env", dotenv);
    env.set("HTTPS_PROXY", "http://127.0.0.1:9").set("AZURE_AI_MODELS_SCOPE", "own");
    (env, host)
}

#[test]
fn files_are_read_if_azd_does_not_respond() {
    let (env, _host) = repository_with_unresponsive_azd("A=\"x\"HTTPS_PROXY=http://127.0.0.1:9\n");
    // Even with the option, and although azd does not respond: the run itself needs no azd.
    let output = env.run(&["list", "-e", &env.emulator().endpoint()]).success();
    assert!(
        output.stderr.contains("WARNING: HTTPS_PROXY is ignored: it is set by the azd environment 'dev'"),
        "{output}"
    );
    assert!(!output.stderr.contains("AZURE_AI_MODELS_SCOPE is ignored"), "{output}");
}

#[test]
fn unreadable_files_do_not_extend_trust() {
    let (env, _host) = repository_with_unresponsive_azd("");
    fs::remove_file(env.work().join(".azure/dev/.env")).expect("removed");
    fs::create_dir(env.work().join(".azure/dev/.env")).expect("a directory");
    // PATH is ignored too, so no azd is found.
    let output = env.run(&["list", "-e", &env.emulator().endpoint()]).fails_with(4);
    assert!(
        output.stderr.starts_with(
            "WARNING: azd did not report which variables come from the azd environment, and the .env of the azd environment 'dev' cannot be read: "
        ),
        "{output}"
    );
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn value_unknown_to_azds_server_is_read_from_the_file() {
    let (mut env, host) = repository(&[("AZURE_PROJECT_ENDPOINT", FOUNDRY)]);
    host.change(|host_state| {
        let refused = Fault::Status(refusal(13, "string field contains invalid UTF-8"));
        host_state.faults = [("Environment.GetValues".to_owned(), refused)].into();
    });
    env.write("azure.yaml", "name: demo\n");
    env.write(".azure/dev/.env", b"NO_PROXY=\"\xff\"\n");
    env.set("NO_PROXY", "x");
    let output = env.run(&["list"]);
    assert!(output.stderr.contains("WARNING: NO_PROXY is ignored: it is set by the azd environment 'dev'"), "{output}");
}
