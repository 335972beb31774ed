//! Sources of the project: each source, their order, and the errors that end the search.
#![cfg(unix)]

use std::fs;

use fake_azd_host::{FakeHost, Fault, HostState, refusal};
use foundry_emulator::{Auth, Config};

use crate::support::{Output, TestEnv, env_with_model};

/// An address that is a Foundry project's and that no test reaches: the emulator's token is refused for it first.
fn endpoint(account: &str) -> String {
    format!("https://{account}.services.ai.azure.com/api/projects/p")
}

/// A world in which no place names a project.
fn nowhere() -> TestEnv {
    let mut env = TestEnv::new();
    env.unset("AZURE_PROJECT_ENDPOINT");
    env
}

fn run_by(host: &FakeHost) -> TestEnv {
    let mut env = nowhere();
    env.run_by(host);
    env
}

/// Source of the project in the output of `--debug`.
fn source(output: &Output) -> String {
    let lines: Vec<&str> =
        output.stderr.lines().filter_map(|line| line.strip_prefix("debug: project endpoint: ")).collect();
    assert_eq!(lines.len(), 1, "{output}");
    lines[0].to_owned()
}

fn source_of(env: &TestEnv, args: &[&str]) -> String {
    source(&env.run(&[&["list", "--debug"], args].concat()))
}

/// An `azd` that keeps its arguments, and answers with the script.
fn azd(env: &TestEnv, script: &str) {
    let calls = env.root().join("azd-calls");
    env.program("azd", &format!("echo \"$*\" >> '{}'\n{script}", calls.display()));
}

fn calls(env: &TestEnv) -> Vec<String> {
    let text = fs::read_to_string(env.root().join("azd-calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// An azd project on disk, its default environment `dev`.
fn azd_project(env: &TestEnv) {
    env.write("azure.yaml", "name: demo\n");
    env.write(".azure/config.json", r#"{"version":1,"defaultEnvironment":"dev"}"#);
    env.write(".azure/dev/.env", "AZURE_ENV_NAME=\"dev\"\n");
}

#[test]
fn the_first_source_that_names_a_project_wins() {
    let host_state =
        HostState::default().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", &endpoint("environment"))]);
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    let config = env.home().join(".azd/config.json");
    fs::create_dir_all(config.parent().expect("a parent")).expect("a directory");
    let stored = endpoint("stored");
    let text = format!(r#"{{"extensions":{{"ai-projects":{{"context":{{"endpoint":"{stored}/"}}}}}}}}"#);
    fs::write(&config, text).expect("a file");
    env.set("AZURE_PROJECT_ENDPOINT", &endpoint("variable")).set("FOUNDRY_PROJECT_ENDPOINT", &endpoint("sibling"));

    assert_eq!(source_of(&env, &["-e", &endpoint("option")]), endpoint("option") + " (from --project-endpoint)");
    let asked = host.methods().iter().filter(|method| *method == "Project.Get").count();
    assert_eq!(asked, 1, "azd was asked for what it passed on, not for a project");
    let place = " (from azd environment 'dev': AZURE_PROJECT_ENDPOINT)";
    assert_eq!(source_of(&env, &[]), endpoint("environment") + place);
    host.change(|host_state| host_state.environments.clear());
    let place = " (from azd configuration: extensions.ai-projects.context.endpoint)";
    assert_eq!(source_of(&env, &[]), endpoint("stored") + place);
    fs::remove_file(&config).expect("removed");
    host.change(|host_state| host_state.project = None);
    assert_eq!(source_of(&env, &[]), endpoint("variable") + " (from environment variable AZURE_PROJECT_ENDPOINT)");
    env.set("AZURE_PROJECT_ENDPOINT", "");
    assert_eq!(source_of(&env, &[]), endpoint("sibling") + " (from environment variable FOUNDRY_PROJECT_ENDPOINT)");
    env.unset("FOUNDRY_PROJECT_ENDPOINT");
    env.run(&["list"]).fails_with(2);
    let report = host.reports().pop().expect("a report");
    assert_eq!(report.message, "no Foundry project endpoint is configured");
    assert!(report.suggestion.contains("--project-endpoint"), "{}", report.suggestion);
}

#[test]
fn named_environment_variable_and_default_are_kept_apart() {
    let mut host_state = HostState::default();
    for name in ["dev", "test", "prod"] {
        host_state = host_state.with_environment(name, name == "dev", &[("AZURE_PROJECT_ENDPOINT", &endpoint(name))]);
    }
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    let of = |env: &TestEnv, args: &[&str]| {
        let line = source_of(env, args);
        line.split('\'').nth(1).expect("an environment").to_owned()
    };
    assert_eq!(of(&env, &[]), "dev");
    assert_eq!(of(&env, &["-e", "prod"]), "prod");
    assert_eq!(of(&env, &["--environment", "prod"]), "prod");
    env.set("AZD_ENVIRONMENT", "test");
    assert_eq!(of(&env, &[]), "test");
    assert_eq!(of(&env, &["-e", "prod"]), "prod");
    assert!(!host.methods().contains(&"Environment.GetCurrent".to_owned()), "it knows the default one alone");
}

#[test]
fn account_and_project_make_an_endpoint() {
    let values = [("AZURE_ACCOUNT_NAME", "acc"), ("AZURE_PROJECT_NAME", "proj")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    let env = run_by(&host);
    assert_eq!(
        source_of(&env, &[]),
        "https://acc.services.ai.azure.com/api/projects/proj (from azd environment 'dev': AZURE_ACCOUNT_NAME and AZURE_PROJECT_NAME)"
    );
    // Halves that lead to another host break a rule.
    host.change(|host_state| {
        let values = [("AZURE_ACCOUNT_NAME", "evil.example/x"), ("AZURE_PROJECT_NAME", "proj")];
        *host_state = host_state.clone().with_environment("dev", true, &values);
    });
    env.run(&["list"]).fails_with(2);
    let message = host.reports().pop().expect("a report").message;
    assert!(message.contains("evil.example is not a Foundry host"), "{message}");
}

#[test]
fn an_invalid_stored_endpoint_names_its_source_and_ends_the_search() {
    let host_state = HostState::default().with_environment(
        "dev",
        true,
        &[("AZURE_PROJECT_ENDPOINT", "https://x.example/api/projects/p")],
    );
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint("other"));
    let error = env.run(&["list", "-o", "json"]).fails_with(2).json_error();
    assert_eq!(error["code"], "bad_endpoint");
    assert_eq!(
        error["message"],
        "the project endpoint in azd environment 'dev': AZURE_PROJECT_ENDPOINT cannot be used: x.example is not a Foundry host"
    );
}

#[test]
fn an_environment_that_is_not_there_ends_the_search() {
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &[]));
    let mut env = run_by(&host);
    env.set("FOUNDRY_PROJECT_ENDPOINT", &endpoint("other"));
    insta::assert_snapshot!(env.run(&["list", "-e", "nowhere", "-o", "json"]), @r#"
    ------- stderr -------
    {"error":{"kind":"not_found","code":"environment_not_found","message":"azd environment 'nowhere' not found","status":null,"requestId":null,"suggestion":"To list the environments: azd env list"}}
    [exit code: 3]
    "#);
    env.set("AZD_ENVIRONMENT", "elsewhere");
    let error = env.run(&["list", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["message"], "azd environment 'elsewhere' not found");
    host.change(|host_state| host_state.project = None);
    let error = env.run(&["list", "-e", "dev", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["message"], "azd environment 'dev' not found: no azd project in this directory");
    // The variable may be unrelated, so without a project it is ignored.
    assert_eq!(source_of(&env, &[]), endpoint("other") + " (from environment variable FOUNDRY_PROJECT_ENDPOINT)");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn a_silent_azd_does_not_select_another_project() {
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &[]));
    let mut env = run_by(&host);
    env.set("AZURE_PROJECT_ENDPOINT", &env.emulator().endpoint()).set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.3");
    let told = |env: &TestEnv| {
        let error = env.run(&["list", "-o", "json"]).fails_with(9).json_error();
        assert_eq!(error["kind"], "service");
        assert!(error["suggestion"].as_str().is_some_and(|text| text.contains("--project-endpoint")), "{error}");
        (
            error["code"].as_str().unwrap_or_default().to_owned(),
            error["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for (method, fault, code, words) in [
        ("Project.Get", Fault::Silence, "azd_unreachable", "azd did not respond within 3s"),
        ("Environment.List", Fault::Silence, "azd_unreachable", "azd did not respond within 3s"),
        ("Environment.GetValues", Fault::Status(refusal(14, "closing")), "azd_unreachable", "closing"),
        ("Environment.List", Fault::Status(refusal(16, "invalid token")), "azd_token_ended", "token"),
    ] {
        host.change(|host_state| host_state.faults = [(method.to_owned(), fault)].into());
        let (found, message) = told(&env);
        assert_eq!(found, code, "{method}");
        assert!(message.starts_with("the azd environment cannot be read: ") && message.contains(words), "{message}");
    }
    host.change(|host_state| host_state.faults.clear());
    env.set("AZD_ACCESS_TOKEN", "of-another-azd");
    assert_eq!(told(&env).0, "azd_token_ended");
    env.set("AZD_SERVER", "127.0.0.1:9");
    assert_eq!(told(&env).0, "azd_unreachable");
    assert!(env.emulator().requests().is_empty());
    // Nothing of azd is needed where the command line names the project.
    env.run(&["list", "-e", &env.emulator().endpoint()]).success();
}

#[test]
fn the_tenant_of_the_source_goes_into_the_token_request() {
    let mut env = TestEnv::with(Config { auth: Auth::Token("the-token".into()), ..Config::default() });
    let url = env.emulator().endpoint();
    let values = [("AZURE_PROJECT_ENDPOINT", url.as_str()), ("AZURE_TENANT_ID", "tenant-of-dev")];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    env.unset("AZURE_PROJECT_ENDPOINT").unset("AZURE_AI_MODELS_CREDENTIAL").run_by(&host);
    // The user trusts the endpoint on this machine.
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "127.0.0.1");
    // azd passes the default environment's values on; the user's variable is not what wins here.
    env.set("AZURE_TENANT_ID", "tenant-of-the-process");
    azd(&env, r#"echo '{"token":"the-token","expiresOn":"2038-01-18T00:00:00Z"}'"#);
    let path = format!("{}:/bin:/usr/bin", env.bin().display());
    env.set("PATH", &path);
    env.run(&["list"]).success();
    env.run(&["list", "-e", &url]).success();
    host.change(|host_state| *host_state = host_state.clone().with_environment("dev", true, &values[..1]));
    env.run(&["list"]).success();
    let tenants: Vec<String> =
        calls(&env).iter().map(|call| call.split("--tenant-id ").nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(tenants, ["tenant-of-dev", "tenant-of-the-process", "tenant-of-the-process"]);
}

#[test]
fn the_deploy_command_works_on_the_project_that_was_named() {
    let env = nowhere();
    let url = env.emulator().endpoint();
    env.emulator().seed(&serde_json::json!({"name": "my-model", "version": "1"})).expect("seeded");
    let page = env.run(&["show", "-n", "my-model", "-e", &url]).success().stdout;
    let command = "custom deployments create --name my-model --model my-model --model-version 1 --project-endpoint ";
    assert!(page.contains(command), "{page}");
}

#[test]
fn a_reference_to_key_vault_is_used_as_azd_resolved_it() {
    let values = [("AZURE_PROJECT_ENDPOINT", "akvs://sub/vault/secret"), ("FOUNDRY_PROJECT_ENDPOINT", &endpoint("b"))];
    let host = FakeHost::start(HostState::default().with_environment("dev", true, &values));
    let mut env = run_by(&host);
    let error = env.run(&["list", "-o", "json"]).fails_with(2).json_error();
    assert_eq!(error["code"], "unresolved_reference");
    env.set("AZURE_PROJECT_ENDPOINT", &endpoint("resolved"));
    assert_eq!(source_of(&env, &[]), endpoint("resolved") + " (from azd environment 'dev': AZURE_PROJECT_ENDPOINT)");
}

#[test]
fn an_azd_environment_does_not_choose_whom_to_trust() {
    let url = "https://proxy.example/api/projects/p";
    let host_state = HostState::default().with_environment("dev", true, &[("AZURE_PROJECT_ENDPOINT", url)]);
    let host = FakeHost::start(host_state);
    let mut env = run_by(&host);
    env.set("AZURE_AI_MODELS_ALLOW_HOST", "proxy.example");
    let list = ["list", "-o", "json"];
    // The user's own variable: the host is accepted, and only the emulator's token is refused for it.
    assert_eq!(env.run(&list).fails_with(2).json_error()["code"], "bad_credential");
    host.change(|host_state| {
        let values = [("AZURE_PROJECT_ENDPOINT", url), ("AZURE_AI_MODELS_ALLOW_HOST", "proxy.example")];
        *host_state = host_state.clone().with_environment("dev", true, &values);
    });
    let output = env.run(&list).fails_with(2);
    assert_eq!(output.json_error()["code"], "bad_endpoint");
    let warning = "WARNING: AZURE_AI_MODELS_ALLOW_HOST is ignored: it is set by the azd environment 'dev', but only accepted from your own environment\n";
    assert!(output.stderr.starts_with(warning), "{output}");
}

#[test]
fn a_variable_of_trust_is_judged_by_the_files_of_the_project_where_azd_is_not_asked() {
    let mut env = nowhere();
    azd_project(&env);
    env.write(".azure/dev/.env", "export AZURE_AI_MODELS_CREDENTIAL = emulator\n");
    env.write(".azure/prod/.env", "AZURE_AI_MODELS_SCOPE=\"x\"\n");
    env.set("AZURE_AI_MODELS_SCOPE", "s");
    let url = env.emulator().endpoint();
    // Without the emulator's credential azd is asked for a token, and there is none.
    let list = ["list", "--project-endpoint", &url];
    let output = env.run(&list).fails_with(4);
    assert!(output.stderr.starts_with("WARNING: AZURE_AI_MODELS_CREDENTIAL is ignored: "), "{output}");
    assert!(!output.stderr.contains("AZURE_AI_MODELS_SCOPE"), "another environment's: {output}");
    let output = env.run(&[&list[..], &["-e", "prod"]].concat()).fails_with(4);
    assert!(output.stderr.contains("AZURE_AI_MODELS_SCOPE is ignored: it is set by the azd environment 'prod'"));
    // Below the project's directory as well.
    fs::create_dir_all(env.work().join("deep/down")).expect("directories");
    env.run(&[&list[..], &["-C", "deep/down"]].concat()).fails_with(4);
    env.write(".azure/dev/.env", "AZURE_ENV_NAME=\"dev\"\n");
    env.run(&list).success();
}

#[test]
fn an_azd_environment_does_not_choose_where_azcopy_comes_from() {
    let mut env = env_with_model();
    azd_project(&env);
    env.write(".azure/dev/.env", "AZURE_AI_MODELS_AZCOPY_URL=http://127.0.0.1:9/azcopy.tar.gz\n");
    fs::remove_file(env.bin().join("azcopy")).expect("removed");
    // The real address is behind a proxy that does not exist.
    env.set("HTTPS_PROXY", "http://127.0.0.1:9");
    let endpoint = env.emulator().endpoint();
    let output = env.run(&["create", "-n", "my-model", "--source", "model", "-e", &endpoint]).fails_with(9);
    assert!(output.stderr.contains("WARNING: AZURE_AI_MODELS_AZCOPY_URL is ignored"), "{output}");
    assert!(output.stderr.contains("downloading it from https://"), "{output}");
}

#[test]
fn alone_the_program_asks_azd_for_the_environment() {
    let mut env = nowhere();
    azd_project(&env);
    let answer = format!(r#"echo '{{"AZURE_PROJECT_ENDPOINT":"{}","N":1}}'"#, env.emulator().endpoint());
    azd(&env, &answer);
    env.set("AZURE_ENV_NAME", "another");
    let output = env.run(&["list", "--debug"]).success();
    assert!(source(&output).ends_with("(from azd environment 'dev': AZURE_PROJECT_ENDPOINT)"), "{output}");
    env.set("AZD_ENVIRONMENT", "test");
    env.run(&["list"]).success();
    env.run(&["list", "-e", "prod"]).success();
    let asked = ["dev", "test", "prod"].map(|name| format!("env get-values -o json --no-prompt -e {name}"));
    assert_eq!(calls(&env), asked);
}

#[test]
fn alone_without_an_azd_project_or_a_default_environment_azd_is_not_started() {
    let env = TestEnv::new();
    azd(&env, "exit 1");
    env.run(&["list"]).success();
    env.write("azure.yml", "name: demo\n");
    env.run(&["list"]).success();
    env.run(&["list", "-e", &env.emulator().endpoint()]).success();
    assert!(calls(&env).is_empty());
}

#[test]
fn alone_a_missing_azd_is_reported() {
    let mut env = TestEnv::new();
    azd_project(&env);
    insta::assert_snapshot!(env.run(&["list"]), @"
    0 custom model(s) found
    ------- stderr -------
    WARNING: azd was not found, so the azd environment 'dev' was not read. Install azd: https://aka.ms/azd-install
    ");
    insta::assert_snapshot!(env.run(&["list", "-e", "dev"]), @"
    ------- stderr -------
    ERROR: azd is required to read the azd environment 'dev', but was not found

    Suggestion: Install azd: https://aka.ms/azd-install
    Or use --project-endpoint URL.
    [exit code: 1]
    ");
    // An azd in the working directory is ignored.
    env.write("azd", "#!/bin/sh\necho '{}'\n");
    env.set("PATH", &format!(":.:{}", env.bin().display()));
    let output = env.run(&["list"]).success();
    assert!(output.stderr.contains("azd was not found"), "{output}");
}

#[test]
fn alone_messages_of_azd_are_shown() {
    let mut env = TestEnv::new();
    azd_project(&env);
    let says = |words: &str| format!(r#"printf '%s\n' '{{"data":{{"message":"ERROR: {words}"}}}}' >&2; exit 1"#);
    azd(&env, &says("prod: environment does not exist"));
    let error = env.run(&["list", "-e", "prod", "-o", "json"]).fails_with(3).json_error();
    assert_eq!(error["message"], "azd environment 'prod' not found");
    azd(&env, &says("loading: Bearer CANARY"));
    let error = env.run(&["list", "-o", "json"]).fails_with(1).json_error();
    assert_eq!(error["code"], "azd_failed");
    assert_eq!(error["message"], "the azd environment cannot be read: azd failed: loading: Bearer ***");
    azd(&env, "echo CANARY");
    let error = env.run(&["list", "-o", "json"]).fails_with(1).json_error();
    assert!(!error.to_string().contains("CANARY"), "{error}");
    azd(&env, "exec /bin/sleep 60");
    env.set("AZURE_AI_MODELS_TEST_TIME", "0.01/0.1");
    let error = env.run(&["list", "-o", "json"]).fails_with(9).json_error();
    assert_eq!(error["message"], "the azd environment cannot be read: azd did not respond within 3s");
    assert!(env.emulator().requests().is_empty());
}

#[test]
fn an_unreadable_configuration_of_azd_is_reported() {
    let env = TestEnv::new();
    let config = env.home().join(".azd/config.json");
    fs::create_dir_all(config.parent().expect("a parent")).expect("a directory");
    fs::write(&config, "{").expect("a file");
    let output = env.run(&["list"]).success();
    assert!(output.stderr.starts_with("WARNING: the azd configuration [ROOT]/home/.azd/config.json"), "{output}");
}
